// Package twilio pages people by text message and by telephone through Twilio's
// API of 2010-04-01, or another service that speaks it.
//
// One Client has two providers, SMS and Voice, and reads what Twilio sends to
// the hooks below Config.CallbackURL: what became of a message or a call, what
// people wrote back, which keys they pressed. Without a public address both
// providers can be asked instead (Track), and SMS fetches replies (Listen); only
// keys during a call need the hooks, and then the call does not ask for them.
//
// It promises: a Receipt means that Twilio answered 201 with an identifier. An
// event comes only from a request with a valid X-Twilio-Signature, computed over
// the address in the settings, whatever the Host header says. Twilio has no key
// of idempotence, so a page whose answer got lost is sent again.
//
// Retries, and the question whom an answer concerns, are for others.
package twilio

import (
	"cmp"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/notify/sms"
	"github.com/watchroom/watchroom/internal/phrase"
)

// DefaultBaseURL is Twilio's own API; EU and AU customers have others.
const DefaultBaseURL = "https://api.twilio.com"

// Config is an account at Twilio. AccountSID and AuthToken are needed, and a
// sender: From, MessagingServiceSID or both.
type Config struct {
	BaseURL    string // "" means DefaultBaseURL
	AccountSID string // "AC…"
	AuthToken  string // signs hooks, and signs in when there is no API key

	// An API key signs in instead of the token; the token is then needed only for hooks.
	KeySID    string // "SK…"
	KeySecret string

	From                string // E.164; for text messages also a short code or a name of letters
	MessagingServiceSID string // "MG…"; chooses the sender of text messages

	// CallbackURL is where Twilio reaches this server, "https://oncall.example".
	// "" means that it cannot: fates and replies are fetched.
	CallbackURL string

	Validity  time.Duration // a text message not delivered by then is dropped; 1 s to 10 h, 0 means 10 min
	RingFor   time.Duration // 5 s to 10 min; 0 means 30 s, which most mailboxes wait for too
	PollEvery time.Duration // between looks for replies; 0 means 5 s
}

var (
	accountSID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	keySID     = regexp.MustCompile(`^SK[0-9a-fA-F]{32}$`)
	serviceSID = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)
	shortCode  = regexp.MustCompile(`^[0-9]{3,8}$`)
	senderName = regexp.MustCompile(`^[A-Za-z0-9 &+_-]{1,11}$`)
)

// Validate says in a sentence what is wrong; it repeats no secret.
func (c Config) Validate() error {
	switch {
	case !webAddress(cmp.Or(c.BaseURL, DefaultBaseURL)):
		return sentence("sms.twilio.config.base_url")
	case !accountSID.MatchString(c.AccountSID):
		return sentence("sms.twilio.config.account")
	case c.KeySID != "" && !keySID.MatchString(c.KeySID):
		return sentence("sms.twilio.config.key")
	case (c.KeySID == "") != (c.KeySecret == ""):
		return sentence("sms.twilio.config.half_key")
	case c.AuthToken == "" && c.KeySID == "":
		return sentence("sms.twilio.config.token")
	case c.CallbackURL != "" && c.AuthToken == "":
		return sentence("sms.twilio.config.hook_token")
	case c.CallbackURL != "" && !webAddress(c.CallbackURL):
		return sentence("sms.twilio.config.callback")
	case c.From == "" && c.MessagingServiceSID == "":
		return sentence("sms.twilio.config.no_sender")
	case c.From != "" && !sms.E164(c.From) && !shortCode.MatchString(c.From) && !senderName.MatchString(c.From):
		return sentence("sms.twilio.config.from")
	case c.MessagingServiceSID != "" && !serviceSID.MatchString(c.MessagingServiceSID):
		return sentence("sms.twilio.config.service")
	case c.Validity != 0 && (c.Validity < time.Second || c.Validity > 10*time.Hour):
		return sentence("sms.twilio.config.validity")
	case c.RingFor != 0 && (c.RingFor < 5*time.Second || c.RingFor > 10*time.Minute):
		return sentence("sms.twilio.config.ring")
	case c.PollEvery < 0:
		return sentence("sms.twilio.config.poll")
	}
	return nil
}

// CanCall reports whether calls are possible: they come from a number.
func (c Config) CanCall() bool { return sms.E164(c.From) }

// canReply reports whether people can write back to the sender.
func (c Config) canReply() bool {
	return c.MessagingServiceSID != "" || sms.E164(c.From) || shortCode.MatchString(c.From)
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	c.BaseURL = strings.TrimRight(cmp.Or(c.BaseURL, DefaultBaseURL), "/")
	c.CallbackURL = strings.TrimRight(c.CallbackURL, "/")
	c.Validity = cmp.Or(c.Validity, 10*time.Minute)
	c.RingFor = cmp.Or(c.RingFor, 30*time.Second)
	c.PollEvery = cmp.Or(c.PollEvery, 5*time.Second)
	return c
}

func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" &&
		u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

func sentence(key string) error { return errors.New(phrase.T(key)) }
