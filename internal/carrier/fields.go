package carrier

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify/gotify"
	"github.com/watchroom/watchroom/internal/notify/ntfy"
	"github.com/watchroom/watchroom/internal/notify/pushover"
	"github.com/watchroom/watchroom/internal/notify/webpush"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Field is one setting of a kind of provider.
type Field struct {
	Name     string // in org.Provider.Settings or, when Secret, in Secrets
	Label    string // key of the catalogue
	Help     string // likewise; "" for none
	Secret   bool   // never shown again
	Required bool
	Lines    bool     // may have several lines
	Choices  []string // the values it may have, the first when it is left out; none: any
}

// Kinds lists the kinds of providers that an administrator adds, in the order
// in which they are offered. Web push is made by the server itself.
func Kinds() []org.ProviderKind {
	return []org.ProviderKind{org.Twilio, org.Vonage, org.Gateway, org.Pushover, org.Telegram, org.Webhook}
}

// KindName is how people call a kind.
func KindName(k org.ProviderKind) string { return phrase.T("carrier.kind." + string(k)) }

// Fields lists the settings of a kind in the order of its form.
func Fields(kind org.ProviderKind) []Field {
	base := Field{Name: "base_url", Label: "carrier.field.base_url", Help: "carrier.help.base_url"}
	switch kind {
	case org.Twilio:
		return []Field{
			{Name: "account_sid", Label: "carrier.field.account_sid", Required: true},
			{Name: "auth_token", Label: "carrier.field.auth_token", Help: "carrier.help.auth_token", Secret: true},
			{Name: "key_sid", Label: "carrier.field.key_sid", Help: "carrier.help.key_sid"},
			{Name: "key_secret", Label: "carrier.field.key_secret", Secret: true},
			{Name: "from", Label: "carrier.field.from", Help: "carrier.help.from_number"},
			{Name: "messaging_service_sid", Label: "carrier.field.messaging_service_sid", Help: "carrier.help.messaging_service_sid"},
			base,
		}
	case org.Vonage:
		return []Field{
			{Name: "api_key", Label: "carrier.field.api_key", Required: true},
			{Name: "api_secret", Label: "carrier.field.api_secret", Secret: true, Required: true},
			{Name: "from", Label: "carrier.field.from", Help: "carrier.help.from_name", Required: true},
			{Name: "signature_secret", Label: "carrier.field.signature_secret", Help: "carrier.help.signature_secret", Secret: true},
			{Name: "signature_method", Label: "carrier.field.signature_method", Choices: []string{"sha256", "sha512", "md5hash"}},
			base,
		}
	case org.Gateway:
		return []Field{
			{Name: "url", Label: "carrier.field.url", Help: "carrier.help.url", Secret: true, Required: true},
			{Name: "method", Label: "carrier.field.method", Choices: []string{"POST", "PUT", "GET"}},
			{Name: "format", Label: "carrier.field.format", Choices: []string{"form", "json"}},
			{Name: "template", Label: "carrier.field.template", Help: "carrier.help.template", Secret: true, Required: true, Lines: true},
			{Name: "headers", Label: "carrier.field.headers", Help: "carrier.help.headers", Secret: true, Lines: true},
			{Name: "id_path", Label: "carrier.field.id_path", Help: "carrier.help.id_path"},
			{Name: "signing_key", Label: "carrier.field.signing_key", Help: "carrier.help.signing_key", Secret: true},
		}
	case org.Pushover:
		return []Field{{Name: "token", Label: "carrier.field.app_token", Secret: true, Required: true}, base}
	case org.Telegram:
		return []Field{
			{Name: "token", Label: "carrier.field.bot_token", Help: "carrier.help.bot_token", Secret: true, Required: true},
			{Name: "username", Label: "carrier.field.username", Help: "carrier.help.username"},
			base,
		}
	case org.Webhook:
		return []Field{
			{Name: "url", Label: "carrier.field.url", Help: "carrier.help.webhook_url", Secret: true, Required: true},
			{Name: "signing_key", Label: "carrier.field.signing_key", Help: "carrier.help.webhook_key", Secret: true},
		}
	case org.WebPush:
		return []Field{
			{Name: "private", Label: "carrier.field.private", Secret: true, Required: true},
			{Name: "public", Label: "carrier.field.public"},
			{Name: "subject", Label: "carrier.field.subject", Help: "carrier.help.subject"},
		}
	}
	return nil
}

// Sealer encrypts secrets and reads them again; secret.Box is one.
type Sealer interface {
	Opener
	Seal(plain string) string
}

// Sealed returns is, a definition as somebody has filled it in, ready to be
// stored: secrets that were typed are sealed, those that were left empty are
// taken over from was (the zero value for a new definition). What is wrong with
// it altogether is a fault for a person.
func Sealed(box Sealer, was, is org.Provider, typed map[string]string) (org.Provider, error) {
	secrets, plain := map[string]string{}, map[string]string{}
	if was.Kind == is.Kind {
		maps.Copy(secrets, was.Secrets)
	}
	for name, text := range typed {
		if text = strings.TrimSpace(text); text != "" {
			secrets[name] = box.Seal(text)
		}
	}
	for name, sealed := range secrets {
		text, err := box.Open(sealed)
		if err != nil { // sealed by a key that is gone
			return is, fault.Invalid(name, phrase.T("carrier.retype", name)).Because(err)
		}
		plain[name] = text
	}
	settings := map[string]string{}
	for name, value := range is.Settings {
		if value = strings.TrimSpace(value); value != "" {
			settings[name] = value
		}
	}
	is.Settings, is.Secrets = settings, secrets
	if err := Validate(is, plain); err != nil {
		return is, fault.Invalid("", err.Error())
	}
	return is, nil
}

// CheckContact says in a sentence what is wrong with the address of a contact
// method and the secret that belongs to it, beyond what people.Contact checks.
func CheckContact(m people.Method, address, secret string) error {
	switch m {
	case people.Ntfy:
		return ntfy.CheckAddress(address, secret)
	case people.Gotify:
		return gotify.CheckAddress(address, secret)
	case people.Pushover:
		return pushover.CheckAddress(address)
	}
	return nil
}

// Changer changes the organisation; dispatch.Dispatcher is one.
type Changer interface {
	ChangeOrg(ctx context.Context, actor people.Actor, changes func(*org.Org) ([]org.Change, error)) ([]org.Applied, error)
}

// EnsureWebPush makes the server's own key pair for web push unless there is
// one. Browsers are bound to it, so it is made once and kept.
func EnsureWebPush(ctx context.Context, o *org.Org, d Changer, box Sealer) error {
	if pushes(o) {
		return nil
	}
	private, public, err := webpush.NewKeys()
	if err != nil {
		return err
	}
	p := org.Provider{
		ID: id.Provider(id.New()), Kind: org.WebPush, Name: phrase.T("carrier.webpush"),
		Settings: map[string]string{"public": public}, Secrets: map[string]string{"private": box.Seal(private)},
	}
	self := people.Actor{Name: timeline.Self.Name, Role: people.Admin, Origin: timeline.System}
	_, err = d.ChangeOrg(ctx, self, func(o *org.Org) ([]org.Change, error) {
		if pushes(o) { // another node was first
			return nil, nil
		}
		return []org.Change{org.Put(p)}, nil
	})
	if err != nil {
		return fmt.Errorf("make the key pair of web push: %w", err)
	}
	return nil
}

func pushes(o *org.Org) bool {
	for _, p := range o.Providers {
		if p.Kind == org.WebPush {
			return true
		}
	}
	return false
}
