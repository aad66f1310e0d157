package orgfile

import (
	"cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
)

// Export describes o whole, in a stable order. Keys and secrets are not in it:
// applied to o they stay as they are, applied elsewhere they are made anew, or
// taken from the variables that the export names.
func Export(o *org.Org) Document { return ExportFor(o, "") }

// ExportFor is Export with the private rooms that reader is in.
func ExportFor(o *org.Org, reader id.User) Document {
	x := exporter{o, reader}
	doc := Document{
		Settings:     x.settings(),
		Users:        Section[User]{Listed: true},
		Teams:        Section[Team]{Listed: true},
		Rotations:    Section[Rotation]{Listed: true},
		Policies:     Section[Policy]{Listed: true},
		RoutingKeys:  Section[RoutingKey]{Listed: true},
		Integrations: Section[Integration]{Listed: true},
		Holidays:     x.holidays(),
		Heartbeats:   x.heartbeats(),
		Maintenance:  x.maintenance(),
		Providers:    x.providers(),
		Rooms:        x.rooms(),
		Robots:       x.robots(),
	}
	for _, u := range org.Sorted(o.Users, func(u people.User) string { return u.Username }) {
		if u.Robot {
			continue // see Robots
		}
		doc.Users.Items = append(doc.Users.Items, x.user(u))
	}
	for _, t := range org.Sorted(o.Teams, func(t people.Team) string { return t.Slug }) {
		doc.Teams.Items = append(doc.Teams.Items, Team{Slug: t.Slug, Name: t.Name, Members: x.users(t.Members)})
	}
	for _, r := range org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		doc.Rotations.Items = append(doc.Rotations.Items, x.rotation(r))
	}
	for _, p := range org.Sorted(o.Policies, func(p escalation.Policy) string { return p.Slug }) {
		doc.Policies.Items = append(doc.Policies.Items, x.policy(p))
	}
	for _, k := range org.Sorted(o.Keys, func(k routing.Key) string { return k.Name }) {
		doc.RoutingKeys.Items = append(doc.RoutingKeys.Items, RoutingKey{Name: k.Name, Policy: x.policyRef(k.Policy), Note: k.Note})
	}
	for _, i := range org.Sorted(o.Integrations, func(i routing.Integration) string { return i.Name }) {
		doc.Integrations.Items = append(doc.Integrations.Items, Integration{Name: i.Name, Kind: i.Kind, Off: i.Off})
	}
	return doc
}

// exporter replaces identifiers by names.
type exporter struct {
	o      *org.Org
	reader id.User
}

func (x exporter) settings() *Settings {
	s := x.o.Settings
	policy := x.policyRef(s.DefaultPolicy)
	out := &Settings{DefaultPolicy: &policy, WarningsOpen: &s.WarningsOpen, SnoozeMorningAt: &s.SnoozeMorningAt}
	for into, set := range map[**string]*string{&out.BotName: &s.Bot.Name, &out.BotSigil: &s.Bot.Sigil, &out.Rules: &s.Rules} {
		if *set != "" {
			*into = set
		}
	}
	if s.Retention.On() {
		out.Retention = &s.Retention
	}
	if s.SecondFactor != "" {
		out.SecondFactor = &s.SecondFactor
	}
	if s.Name != "" { // a new installation has none, and none can be set
		out.Name = &s.Name
	}
	return out
}

func (x exporter) rotation(r oncall.Rotation) Rotation {
	out := Rotation{Name: r.Name, Team: x.teamRef(r.Team), Zone: r.Zone}
	for _, l := range r.Layers {
		out.Layers = append(out.Layers, Layer{
			Name: l.Name, Members: x.users(l.Members), Every: l.Every, Unit: l.Unit, HandoffAt: l.HandoffAt, Start: l.Start, End: l.End,
			Restrictions: l.Restrictions, Count: l.Count,
		})
	}
	return out
}

func (x exporter) policy(p escalation.Policy) Policy {
	out := Policy{
		Slug: p.Slug, Name: p.Name, Team: x.teamRef(p.Team), Repeat: p.Repeat, RepeatAfter: p.RepeatAfter,
		AckBy: cmp.Or(p.AckBy, escalation.AckByOne), LastResort: x.targets(p.LastResort), RepageAfter: p.RepageAfter, EveryMethod: p.IgnorePagingPolicies,
		Urgency: p.Urgency, LowWaits: p.LowWaits, Hours: p.Hours,
	}
	for _, s := range p.Steps {
		out.Steps = append(out.Steps, Step{
			After: s.After, Page: x.targets(s.Targets), Notify: cmp.Or(s.Notify, escalation.NotifyAll), When: s.When, LowWaits: s.LowWaits,
		})
	}
	return out
}

func (x exporter) targets(all []escalation.Target) []Target {
	var out []Target
	for _, t := range all {
		out = append(out, x.target(t))
	}
	return out
}

func (x exporter) target(t escalation.Target) Target {
	named := func(kind, name string) Target { return Target{Kind: kind, Ref: Ref{Name: name}} }
	switch {
	case t.Rotation != "":
		return named(cmp.Or(string(t.Pick), "rotation"), rotationKey(x.o.Rotations[t.Rotation].Name))
	case t.User != "":
		return Target{Kind: "user", Ref: x.userRef(t.User)}
	case t.Policy != "":
		return Target{Kind: "policy", Ref: x.policyRef(t.Policy)}
	case t.Webhook != "":
		return named("webhook", t.Webhook)
	case t.Email != "":
		return named("email", t.Email)
	case t.Room != "":
		return named("room", x.roomCalled(t.Room))
	default:
		return Target{Kind: "team", Ref: x.teamRef(t.Team)}
	}
}

func (x exporter) users(all []id.User) []Ref {
	var refs []Ref
	for _, u := range all {
		refs = append(refs, x.userRef(u))
	}
	return refs
}

func (x exporter) userRef(u id.User) Ref     { return Ref{Name: x.o.Users[u].Username} }
func (x exporter) teamRef(t id.Team) Ref     { return Ref{Name: x.o.Teams[t].Slug} }
func (x exporter) policyRef(p id.Policy) Ref { return Ref{Name: x.o.Policies[p].Slug} }
