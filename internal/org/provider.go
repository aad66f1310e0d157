package org

import (
	"errors"
	"fmt"
	"slices"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

// ProviderKind names an outside system that carries pages. Stable in storage.
type ProviderKind string

// The kinds of providers that need settings. E-mail is set with the server's
// flags; ntfy and Gotify need nothing beside the contact method itself.
const (
	Twilio   ProviderKind = "twilio"   // sms and voice
	Vonage   ProviderKind = "vonage"   // sms
	Gateway  ProviderKind = "gateway"  // sms, any HTTP gateway
	Pushover ProviderKind = "pushover" // pushover
	Telegram ProviderKind = "telegram" // telegram
	WebPush  ProviderKind = "webpush"  // push; made by the server itself
	Webhook  ProviderKind = "webhook"  // tells another program; a step names it
)

// WebhookMethod is how a step tells another program; nobody has it as a contact method.
const WebhookMethod people.Method = "webhook"

// carried is what each kind carries.
var carried = map[ProviderKind][]people.Method{
	Twilio:   {people.SMS, people.Voice},
	Vonage:   {people.SMS},
	Gateway:  {people.SMS},
	Pushover: {people.Pushover},
	Telegram: {people.Telegram},
	WebPush:  {people.WebPush},
	Webhook:  {WebhookMethod},
}

// Provider is the account with an outside system that carries pages. Of
// several that carry a method the one with the lowest Order is used first, and
// the next when its deadline passes.
type Provider struct {
	ID       id.Provider       `json:"id"`
	Kind     ProviderKind      `json:"kind"`
	Name     string            `json:"name"`
	Order    int               `json:"order,omitempty"`
	Off      bool              `json:"off,omitempty"`      // kept, not used
	Settings map[string]string `json:"settings,omitempty"` // what is no secret, by name: "from", "account_sid"
	// Secrets are encrypted (secret.Box), by name: "auth_token".
	Secrets map[string]string `json:"secrets,omitempty"`
	// Deadline is how long a page may take until it has arrived; 0: the
	// method's own.
	Deadline escalation.Duration `json:"deadline,omitempty"`
}

// Methods are the contact methods that the provider carries.
func (p Provider) Methods() []people.Method { return carried[p.Kind] }

// Carries reports whether pages of a method go through it.
func (p Provider) Carries(m people.Method) bool { return !p.Off && slices.Contains(carried[p.Kind], m) }

// Validate says what is wrong, whatever the kind; the rest is for the package
// that talks to the system.
func (p Provider) Validate() error {
	switch {
	case carried[p.Kind] == nil:
		return fmt.Errorf("provider: kind: %q is not known", p.Kind)
	case p.Name == "" || len(p.Name) > 200:
		return errors.New("provider: name: give 1 to 200 characters")
	case p.Deadline.D() < 0 || p.Deadline.D() > escalation.MaxAfter:
		return fmt.Errorf("provider %s: deadline %s is not between 0 and %s", p.Name, p.Deadline, escalation.Duration(escalation.MaxAfter))
	}
	return nil
}

// ProvidersOf returns who carries a method, in the order in which they are used.
func (o *Org) ProvidersOf(m people.Method) []Provider {
	var found []Provider
	for _, p := range Sorted(o.Providers, func(p Provider) string { return fmt.Sprintf("%06d %s", p.Order, p.ID) }) {
		if p.Carries(m) {
			found = append(found, p)
		}
	}
	return found
}
