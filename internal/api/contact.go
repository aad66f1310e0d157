package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// NewContactBody is a new contact method.
type NewContactBody struct {
	Method  string `json:"method" enum:"email,sms,voice,push,ntfy,gotify,pushover,telegram" example:"email"`
	Label   string `json:"label,omitempty" maxLength:"100" example:"spare"`
	Address string `json:"address" minLength:"1" maxLength:"2048" example:"spare@example.net" doc:"email: the address. sms, voice: the number, such as +49301234567. push: the endpoint. ntfy: the topic's URL. gotify: the server's URL. pushover: the user key. telegram: the id of the private chat."`
	Secret  string `json:"secret,omitempty" maxLength:"4096" writeOnly:"true" doc:"What is needed beside the address: a token of ntfy or Gotify, the keys of a push subscription as JSON. Never shown."`
}

// CodeBody is a code that was sent to a contact method.
type CodeBody struct {
	Code string `json:"code" minLength:"1" maxLength:"100" example:"123456" doc:"As it arrived."`
}

// PagingPolicy is how one person wants to be paged: the first rule that fits
// counts. When none fits, every contact method is used at once.
type PagingPolicy struct {
	Rules []PagingRule `json:"rules" maxItems:"20" nullable:"false"`
}

// PagingRule is an order of steps for some pages.
type PagingRule struct {
	Name    string       `json:"name" minLength:"1" maxLength:"200" example:"Nights"`
	Urgency string       `json:"urgency,omitempty" enum:"high,low" doc:"Absent for both."`
	When    []Window     `json:"when,omitempty" maxItems:"20" doc:"Any of these, in the person's own zone; absent for always."`
	Steps   []PagingStep `json:"steps" minItems:"1" maxItems:"10" nullable:"false"`
	Again   string       `json:"again,omitempty" example:"10m" doc:"After how long the last step is repeated, and again, until somebody acknowledges: a duration from 1m to 24h; absent: it is not."`

	WaitUntil *PagingWait `json:"wait_until,omitempty" doc:"The first step waits for this time of day, in the person's own zone. Only with urgency low; the escalation policy does not wait."`
}

// PagingWait is the next time of day, on one of some days.
type PagingWait struct {
	At   string   `json:"at" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" example:"08:00" doc:"Local time."`
	Days []string `json:"days,omitempty" enum:"mon,tue,wed,thu,fri,sat,sun" maxItems:"7" doc:"Absent for every day."`
}

// PagingStep is what happens together.
type PagingStep struct {
	After    string   `json:"after,omitempty" default:"0s" example:"2m" doc:"Since the step before; the first: since the page was asked for. A duration up to 4h."`
	Contacts []string `json:"contacts,omitempty" maxItems:"40" doc:"These contact methods, by id."`
	Methods  []string `json:"methods,omitempty" enum:"email,sms,voice,push,ntfy,gotify,pushover,telegram" maxItems:"8" doc:"Every contact method of these kinds."`
}

// UserRef is the person in an address.
type UserRef struct {
	ID string `path:"id" maxLength:"254" doc:"Who: me, or an id, username or e-mail address."`
}

// ContactRef is the contact method in an address.
type ContactRef struct {
	UserRef
	Contact string `path:"contact" maxLength:"100" doc:"The id of the contact method."`
}

type (
	addContactInput struct {
		UserRef
		Body NewContactBody
	}
	verifyInput struct {
		ContactRef
		Body CodeBody
	}
	contactDeliveriesInput struct {
		ContactRef
		Limit int `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most this many of the latest."`
	}
	pagingInput struct {
		UserRef
		Body PagingPolicy
	}
	madeContactOutput struct{ Body ContactView }
	pagingOutput      struct{ Body PagingPolicy }
)

func (a *api) registerContacts() {
	handle(a, "add-contact", a.addContact)
	handle(a, "remove-contact", a.withContact(a.Dispatch.RemoveContact))
	handle(a, "send-contact-code", a.withContact(a.Dispatch.SendCode))
	handle(a, "test-contact", a.withContact(a.Dispatch.TestContact))
	handle(a, "verify-contact", func(ctx context.Context, by people.Actor, in *verifyInput) (*empty, error) {
		u, err := a.self(ctx, by, in.ID)
		if err != nil {
			return nil, err
		}
		return &empty{}, a.Dispatch.VerifyContact(ctx, by, u.ID, id.Contact(in.Contact), in.Body.Code)
	})
	handle(a, "list-contact-deliveries", a.contactDeliveries)
	handle(a, "show-paging-policy", a.showPaging)
	handle(a, "replace-paging-policy", a.replacePaging)
	handle(a, "delete-paging-policy", func(ctx context.Context, by people.Actor, in *UserRef) (*empty, error) {
		u, err := a.self(ctx, by, in.ID)
		if err != nil {
			return nil, err
		}
		return &empty{}, a.Dispatch.SetPaging(ctx, by, u.ID, nil)
	})
}

// anybody finds the person in the address; "me" is who asks.
func (a *api) anybody(ctx context.Context, by people.Actor, ref string) (people.User, *org.Org, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return people.User{}, nil, err
	}
	if ref == "me" {
		ref = string(by.User)
	}
	u, ok := findUser(o, ref)
	if !ok {
		return u, o, noSuch(org.UserKind, ref)
	}
	return u, o, nil
}

// self finds the person in the address and refuses those who may not speak for them.
func (a *api) self(ctx context.Context, by people.Actor, ref string) (people.User, error) {
	u, _, err := a.anybody(ctx, by, ref)
	if err == nil && u.ID != by.User && !by.May(people.Manage) {
		err = fault.Forbidden(phrase.T("api.forbidden.self"))
	}
	return u, err
}

func (a *api) withContact(do func(context.Context, people.Actor, id.User, id.Contact) error) func(context.Context, people.Actor, *ContactRef) (*empty, error) {
	return func(ctx context.Context, by people.Actor, in *ContactRef) (*empty, error) {
		u, err := a.self(ctx, by, in.ID)
		if err != nil {
			return nil, err
		}
		return &empty{}, do(ctx, by, u.ID, id.Contact(in.Contact))
	}
}

func (a *api) addContact(ctx context.Context, by people.Actor, in *addContactInput) (*madeContactOutput, error) {
	u, err := a.self(ctx, by, in.ID)
	if err != nil {
		return nil, err
	}
	c := people.Contact{Method: people.Method(in.Body.Method), Label: in.Body.Label, Address: in.Body.Address}
	if a.CheckContact != nil {
		if err := a.CheckContact(c.Method, c.Address, in.Body.Secret); err != nil {
			return nil, fault.Invalid("address", err.Error())
		}
	}
	if c, err = a.Dispatch.AddContact(ctx, by, u.ID, c, in.Body.Secret); err != nil {
		return nil, err
	}
	return &madeContactOutput{Body: contactView(c, true)}, nil
}

func (a *api) contactDeliveries(ctx context.Context, by people.Actor, in *contactDeliveriesInput) (*listOutput[Page], error) {
	u, err := a.self(ctx, by, in.ID)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(u.Contacts, func(c people.Contact) bool { return string(c.ID) == in.Contact }) {
		return nil, fault.NotFound(phrase.T("api.no_such_contact", in.Contact))
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	sent, err := a.Store.DeliveriesTo(ctx, id.Contact(in.Contact), in.Limit)
	if err != nil {
		return nil, fmt.Errorf("load deliveries to contact method %s: %w", in.Contact, err)
	}
	out := &listOutput[Page]{Body: List[Page]{Items: []Page{}}}
	for _, d := range sent {
		out.Body.Items = append(out.Body.Items, pageView(o, d))
	}
	return out, nil
}

func (a *api) showPaging(ctx context.Context, by people.Actor, in *UserRef) (*pagingOutput, error) {
	u, _, err := a.anybody(ctx, by, in.ID)
	if err != nil {
		return nil, err
	}
	return &pagingOutput{Body: pagingView(u.Paging)}, nil
}

func pagingView(p *people.PagingPolicy) PagingPolicy {
	v := PagingPolicy{Rules: []PagingRule{}}
	if p == nil {
		return v
	}
	for _, r := range p.Rules {
		rule := PagingRule{Name: r.Name, Urgency: string(r.Urgency), Steps: []PagingStep{}}
		if r.Again != 0 {
			rule.Again = r.Again.String()
		}
		for _, w := range r.When {
			rule.When = append(rule.When, windowView(w))
		}
		if !r.Wait.IsZero() {
			rule.WaitUntil = &PagingWait{At: r.Wait.At, Days: refs(r.Wait.Days)}
		}
		for _, s := range r.Steps {
			rule.Steps = append(rule.Steps, PagingStep{After: s.After.String(), Contacts: refs(s.Contacts), Methods: refs(s.Methods)})
		}
		v.Rules = append(v.Rules, rule)
	}
	return v
}

func buildPaging(in PagingPolicy) (*people.PagingPolicy, error) {
	p := &people.PagingPolicy{}
	for i, r := range in.Rules {
		field := fmt.Sprintf("rules[%d]", i)
		rule := people.PagingRule{Name: r.Name, Urgency: people.Urgency(r.Urgency)}
		if r.Again != "" {
			d, err := duration(field+".again", r.Again, people.MinPagingAgain, people.MaxPagingAgain)
			if err != nil {
				return nil, err
			}
			rule.Again = d
		}
		for _, w := range r.When {
			rule.When = append(rule.When, buildWindow(w))
		}
		if w := r.WaitUntil; w != nil {
			rule.Wait.At = w.At
			for _, d := range w.Days {
				rule.Wait.Days = append(rule.Wait.Days, people.Day(d))
			}
		}
		for j, s := range r.Steps {
			d, err := duration(fmt.Sprintf("%s.steps[%d].after", field, j), s.After, 0, people.MaxPagingAfter)
			if err != nil {
				return nil, err
			}
			step := people.PagingStep{After: d}
			for _, c := range s.Contacts {
				step.Contacts = append(step.Contacts, id.Contact(c))
			}
			for _, m := range s.Methods {
				step.Methods = append(step.Methods, people.Method(m))
			}
			rule.Steps = append(rule.Steps, step)
		}
		p.Rules = append(p.Rules, rule)
	}
	if err := p.Validate(); err != nil {
		return nil, fault.Invalid("rules", err.Error())
	}
	return p, nil
}

func (a *api) replacePaging(ctx context.Context, by people.Actor, in *pagingInput) (*pagingOutput, error) {
	u, err := a.self(ctx, by, in.ID)
	if err != nil {
		return nil, err
	}
	p, err := buildPaging(in.Body)
	if err != nil {
		return nil, err
	}
	if err := a.Dispatch.SetPaging(ctx, by, u.ID, p); err != nil {
		return nil, err
	}
	return &pagingOutput{Body: pagingView(p)}, nil
}
