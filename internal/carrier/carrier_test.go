package carrier_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/gateway/gatewaytest"
	"github.com/watchroom/watchroom/internal/notify/gotify/gotifytest"
	"github.com/watchroom/watchroom/internal/notify/ntfy/ntfytest"
	"github.com/watchroom/watchroom/internal/notify/pushover/pushovertest"
	"github.com/watchroom/watchroom/internal/notify/telegram/telegramtest"
	"github.com/watchroom/watchroom/internal/notify/twilio/twiliotest"
	"github.com/watchroom/watchroom/internal/notify/vonage/vonagetest"
	"github.com/watchroom/watchroom/internal/notify/webpush/webpushtest"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
)

const (
	public = "https://oncall.example"
	kim    = "+4915112345678"
)

func newBox(t *testing.T) *secret.Box {
	t.Helper()
	box := secrettest.Box(t)
	return box
}

// provider is a definition with its secrets sealed, as a form makes it.
func provider(t *testing.T, box *secret.Box, kind org.ProviderKind, settings, secrets map[string]string) org.Provider {
	t.Helper()
	p, err := carrier.Sealed(box, org.Provider{}, org.Provider{ID: id.Provider(kind), Kind: kind, Name: string(kind), Settings: settings}, secrets)
	if err != nil {
		t.Fatalf("Sealed() of %s = %v", kind, err)
	}
	return p
}

func twilioAccount(t *testing.T, box *secret.Box, url string) org.Provider {
	return provider(t, box, org.Twilio, map[string]string{
		"account_sid": twiliotest.AccountSID, "from": twiliotest.Number, "base_url": url,
	}, map[string]string{"auth_token": twiliotest.AuthToken})
}

func organisation(providers ...org.Provider) *org.Org {
	o := &org.Org{Providers: map[id.Provider]org.Provider{}}
	for _, p := range providers {
		o.Providers[p.ID] = p
	}
	return o
}

func page(to, secret string) notify.Page {
	return notify.Page{Key: "d-1", To: to, Secret: secret, Token: "7-abcdef", UserName: "Kim", Incidents: []notify.PageIncident{{
		Number: 42, Title: "Disk full", Severity: "critical", URL: public + "/incidents/42", AckURL: public + "/a/x", ResolveURL: public + "/a/y",
	}}}
}

// changer applies changes to an organisation as dispatch does.
type changer struct{ org *org.Org }

func (c *changer) ChangeOrg(_ context.Context, actor people.Actor, changes func(*org.Org) ([]org.Change, error)) ([]org.Applied, error) {
	if !actor.May(people.Manage) {
		return nil, errors.New("forbidden")
	}
	list, err := changes(c.org)
	for _, change := range list {
		if p, ok := change.Put.(org.Provider); ok {
			c.org.Providers[p.ID] = p
		}
	}
	return nil, err
}

func TestEveryMethodIsCarried(t *testing.T) {
	box := newBox(t)
	twilios, vonages, gateways := twiliotest.New(t), vonagetest.New(t), gatewaytest.New(t)
	pushovers, telegrams, topics, gotifies, browsers := pushovertest.New(t), telegramtest.New(t), ntfytest.New(t), gotifytest.New(t, "AAaaBBbbCCccDDd"), webpushtest.New(t)
	telegrams.AddChat(77, "private")
	vonageDef := provider(t, box, org.Vonage, map[string]string{"api_key": vonagetest.APIKey, "from": vonagetest.Number, "base_url": vonages.URL},
		map[string]string{"api_secret": vonagetest.APISecret})
	vonageDef.Order = 1
	gatewayDef := provider(t, box, org.Gateway, map[string]string{"format": "json"}, map[string]string{
		"url": gateways.URL, "template": `{"to":"{to}","text":"{text}"}`, "headers": "Authorization: " + gatewaytest.Authorization, "signing_key": gatewaytest.Secret,
	})
	gatewayDef.Order = 2
	o := organisation(twilioAccount(t, box, twilios.URL), vonageDef, gatewayDef,
		provider(t, box, org.Pushover, map[string]string{"base_url": pushovers.URL}, map[string]string{"token": pushovertest.Token}),
		provider(t, box, org.Telegram, map[string]string{"base_url": telegrams.URL}, map[string]string{"token": telegramtest.Token}))
	if err := carrier.EnsureWebPush(t.Context(), o, &changer{o}, box); err != nil {
		t.Fatal(err)
	}
	mail := &mailer{}
	set := carrier.New(carrier.Options{
		Box: box, Guard: outbound.Policy{AllowPrivate: true}, PublicURL: public + "/", Callbacks: true, Email: mail, InsecurePush: true,
	})
	push, ok := set.Push(o)
	if !ok {
		t.Fatal("there is no web push")
	}
	endpoint, keys, err := push.ParseSubscription(browsers.Subscribe(push.PublicKey()).JSON())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method   people.Method
		to       notify.Page
		carriers []string
		tracked  []bool
		took     func() int
	}{
		{people.Email, page("kim@example.org", ""), []string{"Outgoing mail"}, []bool{false}, func() int { return len(mail.sent) }},
		{people.SMS, page(kim, ""), []string{"twilio", "vonage", "gateway"}, []bool{true, false, false},
			func() int { return len(twilios.Messages()) + len(vonages.Sent()) + len(gateways.Sent()) }},
		{people.Voice, page(kim, ""), []string{"twilio"}, []bool{true}, func() int { return len(twilios.Calls()) }},
		{people.WebPush, page(endpoint, keys), []string{"Web push"}, []bool{true}, func() int { return len(browsers.Messages()) }},
		{people.Ntfy, page(topics.URL+"/kim", ""), []string{people.Ntfy.Words()}, []bool{false}, func() int { return len(topics.Messages()) }},
		{people.Gotify, page(gotifies.URL, "AAaaBBbbCCccDDd"), []string{people.Gotify.Words()}, []bool{false}, func() int { return len(gotifies.Messages()) }},
		{people.Pushover, page(pushovertest.User, ""), []string{"pushover"}, []bool{true}, func() int { return len(pushovers.Messages()) }},
		{people.Telegram, page("77", ""), []string{"telegram"}, []bool{false}, func() int { return len(telegrams.Messages()) }},
	} {
		var names []string
		var tracked []bool
		for _, c := range set.For(o, tt.method) {
			names, tracked = append(names, c.Name), append(tracked, c.Tracked)
			if _, err := c.Provider.Send(t.Context(), tt.to); err != nil {
				t.Errorf("%s by %s: Send() = %v", tt.method, c.Name, err)
			}
			same, ok := set.Carrying(o, c.ID, tt.method)
			if !ok || same.Provider != c.Provider {
				t.Errorf("%s: Carrying(%s) is another", tt.method, c.ID)
			}
			if _, ok := set.Get(o, c.ID); !ok {
				t.Errorf("%s: Get(%s) finds nothing", tt.method, c.ID)
			}
		}
		if !cmp.Equal(names, tt.carriers) || !cmp.Equal(tracked, tt.tracked) {
			t.Errorf("%s is carried by %v, tracked %v, want %v, %v", tt.method, names, tracked, tt.carriers, tt.tracked)
		}
		if got := tt.took(); got != len(tt.carriers) {
			t.Errorf("%s: %d were taken, want %d", tt.method, got, len(tt.carriers))
		}
	}
	if got := twilios.Messages()[0].StatusCallback; got != public+"/hooks/p/twilio/hooks/twilio/status" {
		t.Errorf("Twilio is to call %q", got)
	}
	if got := topics.Messages()[0].Actions; len(got) == 0 || got[0].URL != public+"/hooks/answer/7-abcdef/acknowledge" {
		t.Errorf("the buttons of ntfy are %+v", got)
	}
	if got := pushovers.Messages()[0].Form.Get("callback"); got != public+"/hooks/p/pushover/hooks/pushover" {
		t.Errorf("Pushover is to call %q", got)
	}
}

type mailer struct{ sent []notify.Page }

func (m *mailer) Send(_ context.Context, p notify.Page) (notify.Receipt, error) {
	m.sent = append(m.sent, p)
	return notify.Receipt{}, nil
}

// A provider is the same until its definition changes; others do not matter.
func TestProvidersAreKept(t *testing.T) {
	box := newBox(t)
	set := carrier.New(carrier.Options{Box: box})
	def := twilioAccount(t, box, "")
	o := organisation(def)
	first := set.For(o, people.SMS)[0].Provider
	telegramDef := provider(t, box, org.Telegram, nil, map[string]string{"token": telegramtest.Token})
	if again := set.For(organisation(def, telegramDef), people.SMS)[0].Provider; again != first {
		t.Error("another provider was added, and Twilio was made anew")
	}
	def.Order = 3
	if set.For(organisation(def), people.SMS)[0].Provider == first {
		t.Error("the definition was changed, and the provider is the old one")
	}
	def.Off = true
	off := organisation(def)
	if got := set.For(off, people.SMS); len(got) != 0 {
		t.Errorf("switched off, it carries %v", got)
	}
	if _, ok := set.Carrying(off, def.ID, people.SMS); !ok {
		t.Error("switched off, nobody can ask it what became of a page")
	}
	if len(set.Listeners(o)) != 1 || len(set.Listeners(off)) != 0 {
		t.Errorf("listeners are %v and, switched off, %v", set.Listeners(o), set.Listeners(off))
	}
	hooked := carrier.New(carrier.Options{Box: box, PublicURL: public, Callbacks: true})
	if got := hooked.Listeners(o); len(got) != 0 {
		t.Errorf("with callbacks Twilio is listened to, too: %v", got)
	}
	if got := hooked.HooksFor(o.Providers["twilio"]); !cmp.Equal(got, []string{public + "/hooks/p/twilio/hooks/twilio/sms"}) {
		t.Errorf("HooksFor() = %v", got)
	}
	if _, ok := set.Get(o, "nobody"); ok {
		t.Error("Get() finds what is not there")
	}
}

// What cannot work says so with every page, and shows no secret.
func TestBrokenProviderRefuses(t *testing.T) {
	box := newBox(t)
	def := twilioAccount(t, box, "")
	o := organisation(def)
	half := def
	half.Settings = map[string]string{"account_sid": "AC1", "from": twiliotest.Number}
	for what, tt := range map[string]struct {
		set *carrier.Set
		org *org.Org
	}{
		"another key":     {carrier.New(carrier.Options{Box: newBox(t)}), o},
		"a wrong setting": {carrier.New(carrier.Options{Box: box}), organisation(half)},
	} {
		for _, m := range []people.Method{people.SMS, people.Voice} {
			all := tt.set.For(tt.org, m)
			if len(all) != 1 {
				t.Fatalf("%s: %s is carried by %v", what, m, all)
			}
			_, err := all[0].Provider.Send(t.Context(), page(kim, ""))
			f, ok := errors.AsType[*notify.Failure](err)
			if !ok || !f.Config || f.Permanent || strings.Contains(err.Error(), twiliotest.AuthToken) {
				t.Errorf("%s: Send() = %v, want a failure of the settings", what, err)
			}
		}
	}
}

// Addresses that people type lead nowhere inside.
func TestPrivateAddressesAreRefused(t *testing.T) {
	box := newBox(t)
	topics, gateways := ntfytest.New(t), gatewaytest.New(t)
	o := organisation(provider(t, box, org.Gateway, nil, map[string]string{"url": gateways.URL, "template": "to={to}&text={text}"}))
	set := carrier.New(carrier.Options{Box: box})
	for m, p := range map[people.Method]notify.Page{people.Ntfy: page(topics.URL+"/kim", ""), people.SMS: page(kim, "")} {
		if _, err := set.For(o, m)[0].Provider.Send(t.Context(), p); !errors.Is(err, outbound.ErrRefused) {
			t.Errorf("%s to this machine: Send() = %v, want it refused", m, err)
		}
	}
}

func TestSealed(t *testing.T) {
	box := newBox(t)
	was := twilioAccount(t, box, "")
	is := org.Provider{ID: was.ID, Kind: org.Twilio, Name: "Paging", Settings: map[string]string{"account_sid": was.Settings["account_sid"], "from": " +15005550007 ", "base_url": ""}}
	got, err := carrier.Sealed(box, was, is, map[string]string{"auth_token": " ", "key_secret": ""})
	if err != nil {
		t.Fatal(err)
	}
	if got.Secrets["auth_token"] != was.Secrets["auth_token"] || got.Settings["from"] != "+15005550007" || len(got.Settings) != 2 {
		t.Errorf("Sealed() = %+v, want the old token and clean settings", got)
	}
	if strings.Contains(got.Secrets["auth_token"], twiliotest.AuthToken) {
		t.Error("the secret is not sealed")
	}
	for what, tt := range map[string]struct {
		p     org.Provider
		typed map[string]string
		says  string
	}{
		"nothing":             {org.Provider{Kind: org.Pushover, Name: "x"}, nil, "Application token is missing"},
		"an unknown setting":  {org.Provider{Kind: org.Pushover, Name: "x", Settings: map[string]string{"color": "red"}}, map[string]string{"token": pushovertest.Token}, `no setting "color"`},
		"a secret in clear":   {org.Provider{Kind: org.Pushover, Name: "x", Settings: map[string]string{"token": "y"}}, map[string]string{"token": pushovertest.Token}, `no setting "token"`},
		"a bad token":         {org.Provider{Kind: org.Telegram, Name: "x"}, map[string]string{"token": "short-secret"}, "oken"},
		"an unknown kind":     {org.Provider{Kind: "pigeon", Name: "x"}, nil, "not known"},
		"no name":             {org.Provider{Kind: org.Pushover}, map[string]string{"token": pushovertest.Token}, "name"},
		"headers in disorder": {org.Provider{Kind: org.Gateway, Name: "x"}, map[string]string{"url": "https://sms.example", "template": "to={to}&text={text}", "headers": "secret-header"}, "header once"},
	} {
		_, err := carrier.Sealed(box, org.Provider{}, tt.p, tt.typed)
		if !fault.Is(err, fault.CodeInvalid) || !strings.Contains(fault.MessageOf(err), tt.says) || strings.Contains(err.Error(), "secret-") || strings.Contains(err.Error(), "short-secret") {
			t.Errorf("Sealed() of %s = %v, want a sentence with %q and no secret", what, err, tt.says)
		}
	}
}

func TestWebPushKeysAreMadeOnce(t *testing.T) {
	box := newBox(t)
	o := organisation()
	for range 2 {
		if err := carrier.EnsureWebPush(t.Context(), o, &changer{o}, box); err != nil {
			t.Fatal(err)
		}
	}
	stale := organisation() // what another node saw before
	if err := carrier.EnsureWebPush(t.Context(), stale, &changer{o}, box); err != nil {
		t.Fatal(err)
	}
	if len(o.Providers) != 1 {
		t.Fatalf("there are %d key pairs", len(o.Providers))
	}
	for _, p := range o.Providers {
		body, err := json.Marshal(p)
		private, openErr := box.Open(p.Secrets["private"])
		if err != nil || openErr != nil || strings.Contains(string(body), private) {
			t.Errorf("the private key is stored in clear, or not at all: %v, %v", err, openErr)
		}
		for _, at := range []string{"", "http://watch.local:8080", public} {
			push, ok := carrier.New(carrier.Options{Box: box, PublicURL: at}).Push(o)
			if !ok || push.PublicKey() != p.Settings["public"] {
				t.Errorf("at %q browsers subscribe with another key than is stored", at)
			}
		}
	}
}

func TestTelegramLink(t *testing.T) {
	box := newBox(t)
	server := telegramtest.New(t)
	settings := map[string]string{"base_url": server.URL}
	o := organisation(provider(t, box, org.Telegram, settings, map[string]string{"token": telegramtest.Token}))
	set := carrier.New(carrier.Options{Box: box, Guard: outbound.Policy{AllowPrivate: true}})
	for range 2 {
		got, err := set.TelegramLink(t.Context(), o, "abc")
		if err != nil || got != "https://t.me/"+telegramtest.Username+"?start=abc" {
			t.Errorf("TelegramLink() = %q, %v", got, err)
		}
	}
	if got, err := set.TelegramLink(t.Context(), organisation(), "abc"); err != nil || got != "" {
		t.Errorf("TelegramLink() without a bot = %q, %v", got, err)
	}
}

func TestFieldsOfEveryKind(t *testing.T) {
	for _, kind := range append(carrier.Kinds(), org.WebPush) {
		seen := map[string]bool{}
		for _, f := range carrier.Fields(kind) {
			if seen[f.Name] || f.Label == "" {
				t.Errorf("%s: field %q is there twice or has no label", kind, f.Name)
			}
			seen[f.Name] = true
		}
		if len(seen) == 0 || carrier.KindName(kind) == "" {
			t.Errorf("%s has no fields or no name", kind)
		}
	}
}
