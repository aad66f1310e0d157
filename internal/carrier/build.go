package carrier

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/gateway"
	"github.com/watchroom/watchroom/internal/notify/hook"
	"github.com/watchroom/watchroom/internal/notify/pushover"
	"github.com/watchroom/watchroom/internal/notify/telegram"
	"github.com/watchroom/watchroom/internal/notify/twilio"
	"github.com/watchroom/watchroom/internal/notify/vonage"
	"github.com/watchroom/watchroom/internal/notify/webpush"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// open makes an account of a definition.
func (s *Set) open(p org.Provider) *account {
	plain := make(map[string]string, len(p.Secrets))
	for name, sealed := range p.Secrets {
		text, err := s.opts.Box.Open(sealed)
		if err != nil {
			return refusing(p, phrase.T("carrier.unsealed", p.Name))
		}
		plain[name] = text
	}
	return s.build(p, plain)
}

// build makes an account of a definition and its secrets in the clear.
func (s *Set) build(p org.Provider, secrets map[string]string) *account {
	if err := Validate(p, secrets); err != nil {
		return refusing(p, phrase.T("carrier.misconfigured", p.Name, err.Error()))
	}
	a := &account{def: p, by: map[people.Method]notify.Provider{}}
	hooks := ""
	if s.opts.Callbacks {
		hooks = s.opts.PublicURL + HookPath + url.PathEscape(string(p.ID))
	}
	client := s.opts.HTTP
	if p.Settings["base_url"] != "" {
		client = s.guarded
	}
	switch p.Kind {
	case org.Twilio:
		cfg := twilioConfig(p, secrets)
		if cfg.AuthToken != "" { // without it no callback could be believed
			cfg.CallbackURL = hooks
		}
		a.hooked = cfg.CallbackURL != ""
		a.twilio = twilio.New(cfg, client)
		a.by[people.SMS] = a.twilio.SMS()
		if cfg.CanCall() {
			a.by[people.Voice] = a.twilio.Voice()
		}
	case org.Vonage:
		cfg := vonageConfig(p, secrets)
		if cfg.SignatureSecret != "" {
			cfg.CallbackURL = hooks
		}
		a.hooked = cfg.CallbackURL != ""
		a.vonage = vonage.New(cfg, client)
		a.by[people.SMS] = a.vonage
	case org.Gateway:
		cfg, _ := gatewayConfig(p, secrets) // Validate has read it
		a.by[people.SMS] = gateway.New(cfg, s.guarded)
	case org.Pushover:
		cfg := pushoverConfig(p, secrets)
		cfg.HomeURL = s.opts.PublicURL
		if hooks != "" {
			cfg.CallbackURL = hooks + PushoverPath
		}
		a.hooked = hooks != ""
		a.by[people.Pushover] = pushover.New(cfg, client)
	case org.Telegram:
		cfg := telegramConfig(p, secrets)
		cfg.HomeURL, cfg.OnStart = s.opts.PublicURL, s.opts.OnTelegramStart
		a.telegram = telegram.New(cfg, client)
		a.by[people.Telegram] = a.telegram
	case org.Webhook:
		a.by[org.WebhookMethod] = hook.New(hookConfig(secrets), s.guarded)
	case org.WebPush:
		cfg := pushConfig(p, secrets)
		cfg.HomeURL, cfg.AllowInsecure = s.opts.PublicURL, s.opts.InsecurePush
		if cfg.Subject == "" {
			cfg.Subject = subject(s.opts.PublicURL)
		}
		a.push = webpush.New(cfg, s.guarded)
		a.by[people.WebPush] = a.push
	}
	return a
}

// PushoverPath is where Pushover reports an acknowledgement, below HookPath and the id.
const PushoverPath = "/hooks/pushover"

func twilioConfig(p org.Provider, secrets map[string]string) twilio.Config {
	return twilio.Config{
		BaseURL: p.Settings["base_url"], AccountSID: p.Settings["account_sid"], AuthToken: secrets["auth_token"],
		KeySID: p.Settings["key_sid"], KeySecret: secrets["key_secret"],
		From: p.Settings["from"], MessagingServiceSID: p.Settings["messaging_service_sid"],
	}
}

func vonageConfig(p org.Provider, secrets map[string]string) vonage.Config {
	return vonage.Config{
		BaseURL: p.Settings["base_url"], APIKey: p.Settings["api_key"], APISecret: secrets["api_secret"], From: p.Settings["from"],
		SignatureSecret: secrets["signature_secret"], SignatureMethod: vonage.SignatureMethod(p.Settings["signature_method"]),
	}
}

func gatewayConfig(p org.Provider, secrets map[string]string) (gateway.Config, error) {
	headers, err := readHeaders(secrets["headers"])
	return gateway.Config{
		URL: secrets["url"], Method: p.Settings["method"], Headers: headers, Format: gateway.Format(p.Settings["format"]),
		Template: secrets["template"], IDPath: p.Settings["id_path"], Secret: secrets["signing_key"],
	}, err
}

func pushoverConfig(p org.Provider, secrets map[string]string) pushover.Config {
	return pushover.Config{BaseURL: p.Settings["base_url"], Token: secrets["token"]}
}

func telegramConfig(p org.Provider, secrets map[string]string) telegram.Config {
	return telegram.Config{BaseURL: p.Settings["base_url"], Token: secrets["token"]}
}

func hookConfig(secrets map[string]string) hook.Config {
	return hook.Config{URL: secrets["url"], Secret: secrets["signing_key"]}
}

func pushConfig(p org.Provider, secrets map[string]string) webpush.Config {
	return webpush.Config{Private: secrets["private"], Subject: p.Settings["subject"]}
}

// subject is whom a push service may contact about us: the server itself, or,
// where it has no address that begins with https, a mailbox of that shape.
func subject(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil || u.Hostname() == "" {
		return "mailto:watchroom@localhost"
	}
	if u.Scheme == "https" {
		return publicURL
	}
	return "mailto:watchroom@" + u.Hostname()
}

// readHeaders reads lines such as "Authorization: Bearer …". The error does not
// repeat them.
func readHeaders(text string) (map[string]string, error) {
	headers := map[string]string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
		if _, twice := headers[name]; !ok || name == "" || twice {
			return nil, errors.New(phrase.T("carrier.headers"))
		}
		headers[name] = strings.TrimSpace(value)
	}
	return headers, nil
}

// Validate says in a sentence what is wrong with a definition and its secrets
// (in the clear, by name), and nil when it can be used. It repeats no secret.
func Validate(p org.Provider, secrets map[string]string) error {
	if err := p.Validate(); err != nil {
		return err
	}
	fields := Fields(p.Kind)
	known := func(name string, secret bool) bool {
		return slices.ContainsFunc(fields, func(f Field) bool { return f.Name == name && f.Secret == secret })
	}
	for name := range p.Settings {
		if !known(name, false) {
			return errors.New(phrase.T("carrier.unknown_setting", name))
		}
	}
	for name := range secrets {
		if !known(name, true) {
			return errors.New(phrase.T("carrier.unknown_setting", name))
		}
	}
	for _, f := range fields {
		value := p.Settings[f.Name]
		if f.Secret {
			value = secrets[f.Name]
		}
		if f.Required && strings.TrimSpace(value) == "" {
			return errors.New(phrase.T("carrier.missing", phrase.T(f.Label)))
		}
	}
	switch p.Kind {
	case org.Twilio:
		return twilioConfig(p, secrets).Validate()
	case org.Vonage:
		return vonageConfig(p, secrets).Validate()
	case org.Gateway:
		cfg, err := gatewayConfig(p, secrets)
		if err != nil {
			return err
		}
		return cfg.Validate()
	case org.Pushover:
		return pushoverConfig(p, secrets).Validate()
	case org.Telegram:
		return telegramConfig(p, secrets).Validate()
	case org.Webhook:
		return hookConfig(secrets).Validate()
	case org.WebPush:
		cfg := pushConfig(p, secrets)
		if cfg.Subject == "" {
			cfg.Subject = subject("") // any that is well formed
		}
		return cfg.Validate()
	}
	return nil
}

// Checker returns a check of definitions whose secrets are sealed, as they come
// from forms, the API and files.
func Checker(box Opener) func(org.Provider) error {
	return func(p org.Provider) error {
		plain := map[string]string{}
		for name, sealed := range p.Secrets {
			text, err := box.Open(sealed)
			if err != nil {
				return fmt.Errorf("open the secret %s of provider %s: %w", name, p.Name, err)
			}
			plain[name] = text
		}
		return Validate(p, plain)
	}
}

// refusing is an account that carries nothing and says why.
func refusing(p org.Provider, why string) *account {
	a := &account{def: p, by: map[people.Method]notify.Provider{}}
	for _, m := range p.Methods() {
		a.by[m] = refuser(why)
	}
	return a
}

// refuser refuses every page with its own text.
type refuser string

func (r refuser) Send(context.Context, notify.Page) (notify.Receipt, error) {
	return notify.Receipt{}, &notify.Failure{Config: true, Reason: string(r)}
}

// HooksFor lists the addresses that have to be entered at the vendor so that
// replies come in, none when it needs none or cannot reach us.
func (s *Set) HooksFor(p org.Provider) []string {
	if !s.opts.Callbacks {
		return nil
	}
	base := s.opts.PublicURL + HookPath + url.PathEscape(string(p.ID))
	switch p.Kind {
	case org.Twilio:
		return []string{base + twilio.ReplyPath}
	case org.Vonage:
		return []string{base + vonage.ReplyPath}
	}
	return nil
}
