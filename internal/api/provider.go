package api

import (
	"context"
	"maps"
	"regexp"
	"slices"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// ProviderView is an account with a system that carries pages.
type ProviderView struct {
	ID       id.Provider       `json:"id"`
	Kind     string            `json:"kind" enum:"twilio,vonage,gateway,pushover,telegram,webpush,webhook"`
	Name     string            `json:"name"`
	Methods  []string          `json:"methods" nullable:"false" doc:"The contact methods it carries."`
	Order    int               `json:"order" doc:"Of several that carry a method the one with the lowest is used first."`
	Off      bool              `json:"off" doc:"Kept, not used."`
	Settings map[string]string `json:"settings" doc:"What is no secret, by name."`
	Secrets  []string          `json:"secrets" nullable:"false" doc:"The names of the secrets that are set; what they are is never shown."`
	Deadline string            `json:"deadline,omitempty" doc:"How long a page may take until it has arrived; absent: the method's own."`
}

// ProviderBody is all that is said about an account.
type ProviderBody struct {
	Kind     string            `json:"kind" enum:"twilio,vonage,gateway,pushover,telegram,webpush,webhook" example:"telegram" doc:"Cannot be changed. webpush is made by the server itself. A webhook is what steps of policies tell, by its name."`
	Name     string            `json:"name" minLength:"1" maxLength:"200" example:"Night bot"`
	Order    int               `json:"order,omitempty" minimum:"0" maximum:"1000"`
	Off      bool              `json:"off,omitempty" doc:"Kept, not used."`
	Settings map[string]string `json:"settings,omitempty" doc:"What is no secret, by name, such as from or account_sid."`
	Secrets  map[string]string `json:"secrets,omitempty" writeOnly:"true" doc:"By name, such as auth_token. One that is left out stays as it is; an empty one is taken away."`
	Deadline string            `json:"deadline,omitempty" doc:"How long a page may take until it has arrived, a duration up to 24h; absent: the method's own."`
}

// Limits of what is sent; which names a kind knows is for CheckProvider.
const (
	maxProviderFields = 50
	maxProviderValue  = 10_000 // bytes
)

var providerField = regexp.MustCompile(`^[a-z][a-z0-9_]{0,60}$`)

func (a *api) registerProviders() {
	r := resource[org.Provider, ProviderView, ProviderBody]{
		kind: org.CarrierKind, name: "provider", path: prefix + "/providers",
		all:  func(o *org.Org) []org.Provider { return values(o.Providers) },
		find: findProvider, id: func(p org.Provider) string { return string(p.ID) },
		label: func(p org.Provider) string { return p.Name },
		view: func(_ context.Context, _ people.Actor, _ *org.Org, p org.Provider) (ProviderView, error) {
			return providerView(p), nil
		},
		build: a.buildProvider,
	}
	r.register(a)
	handle(a, "create-provider", r.create(a))
}

func providerView(p org.Provider) ProviderView {
	v := ProviderView{
		ID: p.ID, Kind: string(p.Kind), Name: p.Name, Methods: refs(p.Methods()), Order: p.Order, Off: p.Off,
		Settings: map[string]string{}, Secrets: []string{},
	}
	maps.Copy(v.Settings, p.Settings)
	v.Secrets = append(v.Secrets, slices.Sorted(maps.Keys(p.Secrets))...)
	if p.Deadline != 0 {
		v.Deadline = p.Deadline.String()
	}
	return v
}

// buildProvider seals the secrets that are sent and keeps those that are not.
func (a *api) buildProvider(o *org.Org, was org.Provider, in ProviderBody) (org.Provider, error) {
	p := org.Provider{
		ID: newID(was.ID), Kind: org.ProviderKind(in.Kind), Name: in.Name, Order: in.Order, Off: in.Off, Settings: in.Settings, Secrets: maps.Clone(was.Secrets),
	}
	switch {
	case was.ID != "" && was.Kind != p.Kind:
		return p, fault.Invalid("kind", phrase.T("api.provider.kind"))
	case was.ID == "" && p.Kind == org.WebPush:
		return p, fault.Invalid("kind", phrase.T("api.provider.webpush"))
	}
	for _, other := range o.Providers { // files know them by their names
		if other.ID != p.ID && other.Name == p.Name {
			return p, fault.Invalid("name", phrase.T("api.provider.name", p.Name))
		}
	}
	for field, sent := range map[string]map[string]string{"settings": in.Settings, "secrets": in.Secrets} {
		if len(sent) > maxProviderFields {
			return p, fault.Invalid(field, phrase.T("api.provider.many", maxProviderFields))
		}
		for _, name := range slices.Sorted(maps.Keys(sent)) {
			if !providerField.MatchString(name) || len(sent[name]) > maxProviderValue {
				return p, fault.Invalid(field, phrase.T("api.provider.field", maxProviderValue))
			}
		}
	}
	for name, plain := range in.Secrets {
		if plain == "" {
			delete(p.Secrets, name)
			continue
		}
		if p.Secrets == nil {
			p.Secrets = map[string]string{}
		}
		p.Secrets[name] = a.Dispatch.Sealed(p.Secrets[name], plain)
	}
	if in.Deadline != "" {
		var err error
		if p.Deadline, err = duration("deadline", in.Deadline, 0, escalation.MaxAfter); err != nil {
			return p, err
		}
	}
	if a.CheckProvider != nil {
		if err := a.CheckProvider(p); err != nil {
			return p, fault.Invalid("settings", err.Error())
		}
	}
	return p, nil
}
