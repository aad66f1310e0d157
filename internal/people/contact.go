package people

import (
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Method is a kind of contact method. Stable in storage.
type Method string

// The methods.
const (
	Email    Method = "email"
	SMS      Method = "sms"
	Voice    Method = "voice"
	WebPush  Method = "push"
	Ntfy     Method = "ntfy"
	Gotify   Method = "gotify"
	Pushover Method = "pushover"
	Telegram Method = "telegram"
)

// Methods lists every method.
var Methods = []Method{Email, SMS, Voice, WebPush, Ntfy, Gotify, Pushover, Telegram}

// Words is how people call m: "text message".
func (m Method) Words() string { return phrase.T("people.method." + string(m)) }

// Contact is one way to reach a person. The shape of Address by method:
// email: kim@example.org · sms, voice: E.164, "+49301234567" · push: the
// subscription's endpoint URL · ntfy: the topic's URL, "https://ntfy.example/kim" ·
// gotify: the server's URL · pushover: the user key · telegram: the numeric id
// of the private chat with the person.
type Contact struct {
	ID      id.Contact `json:"id"`
	Method  Method     `json:"method"`
	Label   string     `json:"label,omitempty"`
	Address string     `json:"address"`
	// Secret is what is needed beside the address, encrypted (secret.Box): an
	// ntfy or gotify token, or the keys of a push subscription as JSON.
	Secret string `json:"secret,omitempty"`
	Off    bool   `json:"off,omitempty"` // kept, not used
	// VerifiedAt is when it was proved that it reaches the person, Proof how:
	// see Verified.
	VerifiedAt time.Time `json:"verified_at,omitzero"`
	Proof      Proof     `json:"proof,omitempty"`
	VouchedBy  id.User   `json:"vouched_by,omitempty"` // with ByAdmin: who; "" for the command line
}

// Proof is how it is known that a contact method reaches its person. Stable in
// storage.
type Proof string

// The proofs.
const (
	// Wanted: the code is still to be typed back, and nothing is paged.
	Wanted Proof = "wanted"
	// ByCode: the code that was sent there was typed back.
	ByCode Proof = "code"
	// ByLink: a link that was sent there, to join or for a password, or that
	// led to a chat, was used.
	ByLink Proof = "link"
	// ByAdmin: an administrator has written the e-mail address and answers for
	// it, so that nobody whom they put on a rota is unreachable.
	ByAdmin Proof = "admin"
	// Earlier: it was in use before proofs were written down. It is never
	// stored: it is what an empty Proof means on a method that counts.
	Earlier Proof = "earlier"
)

// Limits of contact methods.
const (
	MaxContacts = 40   // of one person
	MaxLabel    = 100  // characters
	maxURL      = 2048 // bytes; push services give long endpoints
	maxSecret   = 8192 // bytes, sealed
)

// Verified reports whether it is known that c reaches its person. Every method
// has its code typed back first, for a call at night to a mistyped number is
// worse than none. An e-mail address counts too when an administrator answers
// for it, and when it was stored before addresses had to be proven: without the
// mark Wanted it goes on being paged.
func (c Contact) Verified() bool {
	return !c.VerifiedAt.IsZero() || c.Method == Email && c.Proof != Wanted
}

// ProvenBy is how c was proven; "" when it is not.
func (c Contact) ProvenBy() Proof {
	switch {
	case !c.Verified():
		return ""
	case c.Proof != "":
		return c.Proof
	case c.VerifiedAt.IsZero():
		return Earlier
	}
	return ByCode
}

// Proven is c with a proof of an instant.
func (c Contact) Proven(how Proof, at time.Time) Contact {
	c.VerifiedAt, c.Proof, c.VouchedBy = at, how, ""
	return c
}

// Usable reports whether pages go to c.
func (c Contact) Usable() bool { return !c.Off && c.Verified() }

// Shown is c as others may read it: its label, else its address, but of an
// address that is itself a secret (whoever knows a topic or an endpoint can
// write to it) only so much that its owner recognises it.
func (c Contact) Shown() string {
	if c.Label != "" {
		return c.Label
	}
	switch c.Method {
	case WebPush, Ntfy, Gotify:
		if u, err := url.Parse(c.Address); err == nil && u.Host != "" {
			return u.Host
		}
		return c.Method.Words()
	case Pushover, Telegram:
		return "…" + c.Address[max(0, len(c.Address)-4):]
	}
	return c.Address
}

// KeepProofs returns is, the contact methods as somebody has written them, with
// the secrets and proofs that was, the stored ones, has for the same id, method
// and address. Whatever is new or has moved has to be proven, whoever wrote it
// and whatever they claim; a secret that is written counts.
func KeepProofs(was, is []Contact) []Contact {
	kept := slices.Clone(is)
	for i, c := range kept {
		old, same := counterpart(was, c)
		kept[i].VerifiedAt, kept[i].Proof, kept[i].VouchedBy = old.VerifiedAt, old.Proof, old.VouchedBy
		if !same {
			kept[i].Proof = Wanted
		}
		if c.Secret == "" {
			kept[i].Secret = old.Secret
		}
	}
	return kept
}

// Declared is KeepProofs of what an administrator has written: they answer for
// the e-mail addresses that are new. When, and who they are, is written where
// it is saved: see Vouched.
func Declared(was, is []Contact) []Contact {
	kept := KeepProofs(was, is)
	for i, c := range kept {
		if _, same := counterpart(was, c); !same && c.Method == Email {
			kept[i].Proof = ByAdmin
		}
	}
	return kept
}

// Vouched completes what Declared has left open: by answers for it at an
// instant. Who may not answer for others leaves it to be proven by its code.
func Vouched(contacts []Contact, by Actor, at time.Time) []Contact {
	open := func(c Contact) bool { return c.Proof == ByAdmin && c.VerifiedAt.IsZero() }
	if !slices.ContainsFunc(contacts, open) {
		return contacts
	}
	all := slices.Clone(contacts)
	for i, c := range all {
		switch {
		case !open(c):
		case by.May(Manage):
			all[i].VerifiedAt, all[i].VouchedBy = at, by.User
		default:
			all[i].Proof = Wanted
		}
	}
	return all
}

// counterpart is what was stored of c: the same id, method and address.
func counterpart(was []Contact, c Contact) (old Contact, ok bool) {
	i := slices.IndexFunc(was, func(o Contact) bool { return o.ID == c.ID && o.Method == c.Method && o.Address == c.Address })
	if i < 0 {
		return Contact{}, false
	}
	return was[i], true
}

// Usable returns the contact methods of u that pages go to, in u's order; none
// when u is disabled.
func (u User) Usable() []Contact {
	if u.Disabled {
		return nil
	}
	var usable []Contact
	for _, c := range u.Contacts {
		if c.Usable() {
			usable = append(usable, c)
		}
	}
	return usable
}

// Reachable reports whether a page could go out to u at all.
func (u User) Reachable() bool {
	return !u.Disabled && slices.ContainsFunc(u.Contacts, Contact.Usable)
}

var (
	contactID   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`) // part of the unique key of every page
	e164        = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)   // ITU-T E.164: at most 15 digits
	pushoverKey = regexp.MustCompile(`^[A-Za-z0-9]{30}$`)
	ntfyTopic   = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)
)

func validContacts(contacts []Contact) error {
	if len(contacts) > MaxContacts {
		return fmt.Errorf("%d contact methods are more than %d", len(contacts), MaxContacts)
	}
	type place struct {
		method  Method
		address string
	}
	seen := map[place]bool{}
	for _, c := range contacts {
		if err := c.Validate(); err != nil {
			return err
		}
		at := place{c.Method, c.Address} // one number may take both texts and calls
		if seen[at] {
			return fmt.Errorf("contact method %s is there twice", c.Shown())
		}
		seen[at] = true
	}
	return nil
}

// Validate returns a sentence about the first thing that is wrong with c. It
// never repeats the secret.
func (c Contact) Validate() error {
	if !slices.Contains(Methods, c.Method) {
		return fmt.Errorf("contact method %q is not known; use %s", c.Method, list(Methods))
	}
	if err := c.Method.validAddress(c.Address); err != nil {
		return fmt.Errorf("contact method: %w", err)
	}
	switch {
	case c.ID == "":
		return fmt.Errorf("contact method %s has no id", c.Shown())
	case !contactID.MatchString(string(c.ID)):
		return fmt.Errorf("contact method %s: id: use 1 to 64 letters, digits, dots, dashes or underscores", c.Shown())
	case utf8.RuneCountInString(c.Label) > MaxLabel || strings.ContainsFunc(c.Label, unicode.IsControl) || !utf8.ValidString(c.Label):
		return fmt.Errorf("contact method %s: label: use at most %d characters in one line", c.ID, MaxLabel)
	case len(c.Secret) > maxSecret:
		return fmt.Errorf("contact method %s: the token is longer than %d bytes", c.Shown(), maxSecret)
	}
	return nil
}

func list(methods []Method) string {
	words := make([]string, len(methods))
	for i, m := range methods {
		words[i] = string(m)
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// validAddress checks the shape of an address; whether it reaches anybody is
// for the code that the person types back.
func (m Method) validAddress(s string) error {
	switch m {
	case SMS, Voice:
		if !e164.MatchString(s) {
			return fmt.Errorf("%q is not a telephone number in international form such as +49301234567", s)
		}
	case WebPush, Gotify, Ntfy:
		return m.validURL(s)
	case Pushover:
		if !pushoverKey.MatchString(s) {
			return fmt.Errorf("a Pushover user key has 30 letters and digits")
		}
	case Telegram:
		// Groups have negative ids. An answer counts as the person's own, so
		// the chat must be with one person.
		if n, err := strconv.ParseInt(s, 10, 64); err != nil || n <= 0 || strconv.FormatInt(n, 10) != s {
			return fmt.Errorf("%q is not the numeric id of a private Telegram chat", s)
		}
	default:
		return validEmail(s)
	}
	return nil
}

// validURL does not repeat s in its sentences: topics and endpoints are secrets.
func (m Method) validURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case len(s) > maxURL:
		return fmt.Errorf("the %s address is longer than %d bytes", m, maxURL)
	case err != nil || u.Host == "" || u.Hostname() == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == utf8.RuneError }):
		return fmt.Errorf("the %s address is not a URL such as https://push.example.org/kim", m)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return fmt.Errorf("the %s address must begin with https://", m) // plain http only inside this machine
	case u.User != nil || u.Fragment != "":
		return fmt.Errorf("the %s address must have no password and no # in it", m)
	case m == Ntfy && !ntfyTopic.MatchString(u.Path[strings.LastIndexByte(u.Path, '/')+1:]):
		return fmt.Errorf("the ntfy address must end in a topic of 1 to 64 letters, digits, dashes or underscores")
	case m != WebPush && u.RawQuery != "":
		return fmt.Errorf("the %s address must have no ? in it", m)
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func validEmail(s string) error {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 {
		return fmt.Errorf("%q is not an e-mail address", s)
	}
	return nil
}
