// Package carrier knows who carries pages: it makes the notify.Providers of an
// organisation from its definitions, and hands them out by contact method in
// the order in which they are used.
//
// A provider is made once and kept for as long as its definition is the same
// to the letter, because some remember how far they have read. A definition
// that cannot work (a setting is wrong, the key that sealed a secret is gone)
// still has a provider: one that refuses every page with the reason, so that
// the page's record says what is wrong instead of nothing.
//
// Addresses that people type (topics, servers, gateways, push endpoints, a base
// URL instead of a vendor's own) are called through the guard of package
// outbound; the vendors' own addresses are not.
//
// When a page goes to the next provider, and what is asked how often, is for
// outbox and track.
package carrier

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/gotify"
	"github.com/watchroom/watchroom/internal/notify/ntfy"
	"github.com/watchroom/watchroom/internal/notify/telegram"
	"github.com/watchroom/watchroom/internal/notify/twilio"
	"github.com/watchroom/watchroom/internal/notify/vonage"
	"github.com/watchroom/watchroom/internal/notify/webpush"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// The carriers that have no definition are called like their method.
const (
	Email  = id.Provider(people.Email)
	Ntfy   = id.Provider(people.Ntfy)
	Gotify = id.Provider(people.Gotify)
)

// HookPath is below which a provider's callbacks come in; its id follows, then
// the path that the vendor's package names.
const HookPath = "/hooks/p/"

// AnswerPath is below which a button of a notification posts an answer: the
// token follows, a slash, and the action.
const AnswerPath = "/hooks/answer/"

// Opener reads sealed secrets; secret.Box is one.
type Opener interface {
	Open(sealed string) (string, error)
}

// Options say how carriers meet the world.
type Options struct {
	Box   Opener
	HTTP  *http.Client    // for vendors' own addresses; nil: without a guard or a time limit of its own
	Guard outbound.Policy // for addresses that people type
	Typed *http.Client    // for those, instead of a client with Guard; for tests

	PublicURL string // what links begin with, without a slash at the end
	Callbacks bool   // vendors can reach PublicURL: https, and not this machine's own name
	Email     notify.Provider
	// AnswerURL makes the address that a button posts to; nil: AnswerPath below PublicURL.
	AnswerURL func(token string, action notify.Action) string
	// OnTelegramStart links a private chat to whoever was given code; see telegram.Config.
	OnTelegramStart func(ctx context.Context, code, chatID, name string) (reply string, err error)

	// InsecurePush lets push endpoints be plain http; for tests.
	InsecurePush bool
}

// Carrier is one way for a contact method.
type Carrier struct {
	ID       id.Provider
	Name     string
	Provider notify.Provider
	Deadline time.Duration // until it must have arrived; 0: the method's own (paging.Deadline)
	// Tracked: of what was taken under a RemoteID it will be told that it
	// arrived, by a callback or when asked. Else "accepted" is the last news.
	Tracked bool
}

// Set makes and keeps the providers. It is safe for use by many goroutines.
type Set struct {
	opts    Options
	guarded *http.Client
	ntfy    *ntfy.Client
	gotify  *gotify.Client

	mu   sync.Mutex
	kept map[id.Provider]*account // guarded by mu; accounts themselves never change
}

// longest is more than the answer of any of them takes, long polls included.
const longest = 90 * time.Second

// New returns a Set that has made nothing yet.
func New(o Options) *Set {
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	if o.AnswerURL == nil && o.PublicURL != "" {
		o.AnswerURL = func(token string, action notify.Action) string {
			return o.PublicURL + AnswerPath + token + "/" + string(action)
		}
	}
	if o.Typed == nil {
		o.Typed = o.Guard.Client(longest)
	}
	s := &Set{opts: o, guarded: o.Typed, kept: map[id.Provider]*account{}}
	s.ntfy = ntfy.New(ntfy.Config{AnswerURL: o.AnswerURL, HomeURL: o.PublicURL}, s.guarded)
	s.gotify = gotify.New(gotify.Config{HomeURL: o.PublicURL}, s.guarded)
	return s
}

// For returns who carries a method, in the order in which they are used; none
// when nobody does.
func (s *Set) For(o *org.Org, m people.Method) []Carrier {
	if c, ok := s.builtIn(m); ok {
		return []Carrier{c}
	}
	var found []Carrier
	for _, p := range o.ProvidersOf(m) {
		if c, ok := s.account(o, p).carrier(m); ok {
			found = append(found, c)
		}
	}
	return found
}

// Get returns the provider with an id, also one that is switched off: what it
// took before is still asked about. Of one that carries several methods it is
// the first; see Carrying.
func (s *Set) Get(o *org.Org, p id.Provider) (notify.Provider, bool) {
	methods := []people.Method{people.Method(p)}
	if def, ok := o.Providers[p]; ok {
		methods = def.Methods()
	}
	for _, m := range methods {
		if c, ok := s.Carrying(o, p, m); ok {
			return c.Provider, true
		}
	}
	return nil, false
}

// Carrying returns how the provider with an id carries a method, switched off or not.
func (s *Set) Carrying(o *org.Org, p id.Provider, m people.Method) (Carrier, bool) {
	if def, ok := o.Providers[p]; ok {
		return s.account(o, def).carrier(m)
	}
	c, ok := s.builtIn(m)
	return c, ok && c.ID == p
}

// builtIn are the carriers without a definition.
func (s *Set) builtIn(m people.Method) (Carrier, bool) {
	c := Carrier{ID: id.Provider(m), Name: m.Words()}
	switch m {
	case people.Email:
		c.Provider, c.Name = s.opts.Email, phrase.T("carrier.email")
	case people.Ntfy:
		c.Provider = s.ntfy
	case people.Gotify:
		c.Provider = s.gotify
	}
	return c, c.Provider != nil
}

// Listening is a provider that has to be listened to for its answers.
type Listening struct {
	Carrier
	Method   people.Method
	Listener notify.Listener // the same value for as long as the definition is the same
}

// Listeners returns the providers whose answers come only when we listen.
func (s *Set) Listeners(o *org.Org) []Listening {
	var found []Listening
	for _, p := range org.Sorted(o.Providers, func(p org.Provider) string { return string(p.ID) }) {
		if p.Off {
			continue
		}
		a := s.account(o, p)
		for _, m := range p.Methods() {
			c, ok := a.carrier(m)
			l, listens := c.Provider.(notify.Listener)
			if ok && listens && (a.twilio == nil || !a.hooked) { // what comes by a callback must not come twice
				found = append(found, Listening{Carrier: c, Method: m, Listener: l})
			}
		}
	}
	return found
}

// Twilio returns the account whose callbacks come in under p.
func (s *Set) Twilio(o *org.Org, p id.Provider) (*twilio.Client, bool) {
	def, ok := o.Providers[p]
	if !ok || def.Kind != org.Twilio {
		return nil, false
	}
	a := s.account(o, def)
	return a.twilio, a.twilio != nil
}

// Vonage returns the account whose callbacks come in under p.
func (s *Set) Vonage(o *org.Org, p id.Provider) (*vonage.Client, bool) {
	def, ok := o.Providers[p]
	if !ok || def.Kind != org.Vonage {
		return nil, false
	}
	a := s.account(o, def)
	return a.vonage, a.vonage != nil
}

// Push returns what browsers subscribe with; false before EnsureWebPush.
func (s *Set) Push(o *org.Org) (*webpush.Client, bool) {
	for _, p := range o.ProvidersOf(people.WebPush) {
		if a := s.account(o, p); a.push != nil {
			return a.push, true
		}
	}
	return nil, false
}

// TelegramLink is where a person hands code to the bot with one touch; "" when
// there is no bot. The bot's name is in its settings, else Telegram is asked.
func (s *Set) TelegramLink(ctx context.Context, o *org.Org, code string) (string, error) {
	for _, p := range o.ProvidersOf(people.Telegram) {
		a := s.account(o, p)
		if a.telegram == nil {
			continue
		}
		name, err := a.username(ctx)
		if err != nil {
			return "", err
		}
		return telegram.LinkURL(name, code), nil
	}
	return "", nil
}

// account returns the kept account of a definition, or a new one.
func (s *Set) account(o *org.Org, p org.Provider) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.kept[p.ID]; a != nil && reflect.DeepEqual(a.def, p) {
		return a
	}
	for kept := range s.kept {
		if _, ok := o.Providers[kept]; !ok {
			delete(s.kept, kept)
		}
	}
	a := s.open(p)
	s.kept[p.ID] = a
	return a
}

// account is a definition with what was made of it.
type account struct {
	def    org.Provider
	hooked bool // its callbacks come in
	by     map[people.Method]notify.Provider

	twilio   *twilio.Client
	vonage   *vonage.Client
	telegram *telegram.Client
	push     *webpush.Client

	mu  sync.Mutex
	bot string // the bot's name, once asked for; guarded by mu
}

func (a *account) carrier(m people.Method) (Carrier, bool) {
	p := a.by[m]
	if p == nil {
		return Carrier{}, false
	}
	_, asked := p.(notify.Tracker)
	return Carrier{
		ID: a.def.ID, Name: a.def.Name, Provider: p, Deadline: a.def.Deadline.D(),
		Tracked: asked || a.hooked || a.push != nil, // the service worker says when it shows a page
	}, true
}

func (a *account) username(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	name := cmp.Or(a.bot, strings.TrimPrefix(a.def.Settings["username"], "@"))
	if name != "" {
		return name, nil
	}
	name, err := a.telegram.Username(ctx)
	a.bot = name
	return name, err
}
