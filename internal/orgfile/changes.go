package orgfile

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
)

// Options say how a document is applied.
type Options struct {
	// Prune deletes users who are not listed. Otherwise they are disabled: they
	// cannot sign in and are not paged, but keep their name in what they did.
	Prune bool
	// Reader is who applies; private rooms that exist are changed for their
	// members alone. "": the operator, who is in none.
	Reader id.User
}

// Maker makes what the file does not say; the Dispatcher has the functions.
type Maker struct {
	NewID          func() string
	NewIntegration func(kind routing.Kind, name, key string) routing.Integration // a fresh key when key is ""
	// Sealed is plain as it is stored; was, when that holds it already.
	Sealed func(was, plain string) string
	// CheckProvider says what is wrong with the settings of a provider, whose
	// secrets are sealed; nil: only what is wrong with any provider is found.
	CheckProvider func(org.Provider) error
	// RoomSlug gives the name of a private room an end that nobody guesses.
	RoomSlug func(wish string) string
	// Now leaves out maintenance that is over; zero: it is not looked at.
	Now time.Time
}

// Changes computes what makes o what the document says; nothing when it is so
// already. The error holds every mistake, one a line. What only the whole can
// tell, such as that a deleted team is still in use, org.Apply says later.
func (d Document) Changes(o *org.Org, opts Options, make Maker) ([]org.Change, error) {
	c := &changer{doc: d, o: o, opts: opts, maker: make, names: newNames(d, o, make)}
	c.users()
	c.teams()
	c.rotations()
	c.holidays()
	c.talk()
	c.policies()
	c.routingKeys()
	c.integrations()
	c.heartbeats()
	c.maintenance()
	c.providers()
	c.settings()
	if err := inOrder(c.errs); err != nil {
		return nil, err
	}
	return append(c.puts, c.removals...), nil
}

type changer struct {
	doc      Document
	o        *org.Org
	opts     Options
	maker    Maker
	names    names
	calls    map[string]string // the slugs of private rooms, by what a file calls them
	puts     []org.Change
	removals []org.Change
	errs     []error
}

func (c *changer) say(at Position, format string, args ...any) {
	c.errs = append(c.errs, at.Errorf(format, args...))
}

// put adds a change unless the object is there already as it is to be.
func (c *changer) put(at Position, kind org.Kind, objectID string, object interface{ Validate() error }) {
	if err := object.Validate(); err != nil {
		c.say(at, "%w", err)
		return
	}
	if old, ok := c.o.Get(kind, objectID); !ok || !same(old, object) {
		c.puts = append(c.puts, org.Put(object))
	}
}

func (c *changer) remove(kind org.Kind, objectID string) {
	c.removals = append(c.removals, org.Remove(kind, objectID))
}

// same compares as JSON, where a list without items is the same as no list.
func same(a, b any) bool {
	x, errX := clean(a)
	y, errY := clean(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func clean(v any) (any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out any
	err = json.Unmarshal(data, &out)
	return withoutEmpty(out), err
}

func withoutEmpty(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			if inner = withoutEmpty(inner); inner == nil {
				delete(v, k)
			} else {
				v[k] = inner
			}
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i, inner := range v {
			v[i] = withoutEmpty(inner)
		}
	}
	return v
}

func (c *changer) users() {
	if !c.doc.Users.Listed {
		return
	}
	listed := map[id.User]bool{}
	for _, u := range c.doc.Users.Items {
		n := c.names.users[u.Username]
		listed[n] = true
		old, known := c.o.Users[n]
		is := old // with what the file says nothing of, such as what somebody chose for the chat
		is.ID, is.Username, is.Name, is.Email, is.Role, is.Zone, is.Disabled = n, u.Username, u.Name, u.Email, u.Role, u.Zone, u.Disabled
		switch {
		case u.Contacts != nil:
			is.Contacts = c.contacts(old, *u.Contacts)
		case !known:
			is.Contacts = c.contacts(old, []Contact{{Method: people.Email, Address: u.Email}})
		}
		if u.Paging != nil {
			is.Paging = c.paging(u.Username, is.Contacts, *u.Paging)
		}
		if u.Reminders != nil {
			is.Reminders = *u.Reminders
		}
		c.put(u.At, org.UserKind, string(n), is)
	}
	for _, u := range org.Sorted(c.o.Users, func(u people.User) string { return u.Username }) {
		switch {
		case listed[u.ID], u.Robot: // robots are not people: the file says nothing of them
		case c.opts.Prune:
			c.remove(org.UserKind, string(u.ID))
		case !u.Disabled:
			u.Disabled = true
			c.puts = append(c.puts, org.Put(u))
		}
	}
}

func (c *changer) teams() {
	if !c.doc.Teams.Listed {
		return
	}
	listed := map[id.Team]bool{}
	for _, t := range c.doc.Teams.Items {
		n := c.names.teams[t.Slug]
		listed[n] = true
		c.put(t.At, org.TeamKind, string(n), people.Team{ID: n, Slug: t.Slug, Name: t.Name, Members: c.userRefs(t.Members)})
	}
	for _, t := range org.Sorted(c.o.Teams, func(t people.Team) string { return t.Slug }) {
		if !listed[t.ID] {
			c.remove(org.TeamKind, string(t.ID))
		}
	}
}

func (c *changer) rotations() {
	if !c.doc.Rotations.Listed {
		return
	}
	listed := map[id.Rotation]bool{}
	for _, r := range c.doc.Rotations.Items {
		n := c.names.rotations[rotationKey(r.Name)]
		listed[n] = true
		is := oncall.Rotation{ID: n, Name: r.Name, Team: c.team(r.Team), Zone: r.Zone, Layers: []oncall.Layer{}}
		for _, l := range r.Layers {
			is.Layers = append(is.Layers, oncall.Layer{
				Name: l.Name, Members: c.userRefs(l.Members), Every: l.Every, Unit: l.Unit, HandoffAt: l.HandoffAt, Start: l.Start, End: l.End,
				Restrictions: l.Restrictions, Count: l.Count,
			})
		}
		c.put(r.At, org.RotationKind, string(n), is)
	}
	for _, r := range org.Sorted(c.o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		if !listed[r.ID] {
			c.remove(org.RotationKind, string(r.ID))
		}
	}
}

func (c *changer) policies() {
	if !c.doc.Policies.Listed {
		return
	}
	listed := map[id.Policy]bool{}
	for _, p := range c.doc.Policies.Items {
		n := c.names.policies[p.Slug]
		listed[n] = true
		is := escalation.Policy{
			ID: n, Slug: p.Slug, Name: p.Name, Team: c.team(p.Team), Repeat: p.Repeat, RepeatAfter: p.RepeatAfter, Steps: []escalation.Step{},
			LastResort: c.targets(p.LastResort), RepageAfter: p.RepageAfter, IgnorePagingPolicies: p.EveryMethod, Urgency: p.Urgency,
			LowWaits: p.LowWaits, Hours: p.Hours,
		}
		if p.AckBy != escalation.AckByOne { // which is what nothing means
			is.AckBy = p.AckBy
		}
		for _, s := range p.Steps {
			step := escalation.Step{After: s.After, Targets: c.targets(s.Page), When: s.When, LowWaits: s.LowWaits}
			if s.Notify != escalation.NotifyAll {
				step.Notify = s.Notify
			}
			is.Steps = append(is.Steps, step)
		}
		c.put(p.At, org.PolicyKind, string(n), is)
	}
	for _, p := range org.Sorted(c.o.Policies, func(p escalation.Policy) string { return p.Slug }) {
		if listed[p.ID] {
			continue
		}
		if p.ID == c.o.Settings.DefaultPolicy && (c.doc.Settings == nil || c.doc.Settings.DefaultPolicy == nil) {
			c.say(c.doc.Policies.At, "policy %s is still the default policy: set settings.default_policy to another policy, or keep this one in the file", p.Slug)
		}
		c.remove(org.PolicyKind, string(p.ID))
	}
}

func (c *changer) targets(all []Target) []escalation.Target {
	targets := []escalation.Target{}
	for _, t := range all {
		targets = append(targets, c.target(t))
	}
	return targets
}

func (c *changer) target(t Target) escalation.Target {
	switch t.Kind {
	case "rotation":
		return escalation.Target{Rotation: c.rotation(t.Ref)}
	case "next":
		return escalation.Target{Rotation: c.rotation(t.Ref), Pick: escalation.PickNext}
	case "previous":
		return escalation.Target{Rotation: c.rotation(t.Ref), Pick: escalation.PickPrevious}
	case "user":
		return escalation.Target{User: c.user(t.Ref)}
	case "policy":
		return escalation.Target{Policy: c.policy(t.Ref)}
	case "webhook":
		return escalation.Target{Webhook: c.webhook(t.Ref)}
	case "email":
		return escalation.Target{Email: t.Ref.Name}
	case "room":
		return escalation.Target{Room: cmp.Or(c.calls[t.Ref.Name], t.Ref.Name)}
	default:
		return escalation.Target{Team: c.team(t.Ref)}
	}
}

// webhook checks that there is one of that name, or will be.
func (c *changer) webhook(r Ref) string {
	known := c.o.KnowsWebhook(r.Name)
	if c.doc.Providers.Listed {
		known = c.o.TellsWebhook(r.Name) || slices.ContainsFunc(c.doc.Providers.Items, func(v Provider) bool { return v.Kind == org.Webhook && v.Name == r.Name })
	}
	if !known {
		c.say(r.At, "there is no webhook %q; name a provider of the kind webhook", r.Name)
	}
	return r.Name
}

func (c *changer) rotation(r Ref) id.Rotation {
	n, ok := c.names.rotations[rotationKey(r.Name)]
	if !ok {
		n = id.Rotation(c.unknown(r, "rotation", c.doc.Rotations.Listed))
	}
	return n
}

func (c *changer) routingKeys() {
	if !c.doc.RoutingKeys.Listed {
		return
	}
	listed := map[id.RoutingKey]bool{}
	for _, k := range c.doc.RoutingKeys.Items {
		old, ok := c.o.KeyByName(k.Name)
		n := old.ID
		if !ok {
			n = id.RoutingKey(c.maker.NewID())
		}
		listed[n] = true
		c.put(k.At, org.KeyKind, string(n), routing.Key{ID: n, Name: k.Name, Policy: c.policy(k.Policy), Note: k.Note})
	}
	for _, k := range org.Sorted(c.o.Keys, func(k routing.Key) string { return k.Name }) {
		if !listed[k.ID] {
			c.remove(org.KeyKind, string(k.ID))
		}
	}
}

func (c *changer) integrations() {
	if !c.doc.Integrations.Listed {
		return
	}
	have := map[string]routing.Integration{}
	for _, i := range c.o.Integrations {
		have[i.Name] = i
	}
	for _, i := range c.doc.Integrations.Items {
		is, ok := have[i.Name]
		delete(have, i.Name)
		if !ok || i.Key != "" && secret.Hash(string(i.Key)) != is.KeyHash {
			fresh := c.maker.NewIntegration(i.Kind, i.Name, string(i.Key))
			if ok {
				fresh.ID = is.ID
			}
			is = fresh
		}
		is.Kind, is.Off = i.Kind, i.Off
		c.put(i.At, org.IntegrationKind, string(is.ID), is)
	}
	for _, i := range org.Sorted(have, func(i routing.Integration) string { return i.Name }) {
		c.remove(org.IntegrationKind, string(i.ID))
	}
}

func (c *changer) settings() {
	s := c.doc.Settings
	if s == nil {
		return
	}
	is := c.o.Settings
	if s.Name != nil {
		is.Name = *s.Name
	}
	if s.WarningsOpen != nil {
		is.WarningsOpen = *s.WarningsOpen
	}
	if s.SnoozeMorningAt != nil {
		is.SnoozeMorningAt = *s.SnoozeMorningAt
	}
	for into, given := range map[*string]*string{&is.Bot.Name: s.BotName, &is.Bot.Sigil: s.BotSigil, &is.Rules: s.Rules} {
		if given != nil {
			*into = *given
		}
	}
	if s.Retention != nil {
		is.Retention = *s.Retention
	}
	if s.SecondFactor != nil {
		is.SecondFactor = *s.SecondFactor
	}
	if s.DefaultPolicy != nil {
		is.DefaultPolicy = c.policy(*s.DefaultPolicy)
	}
	if is != c.o.Settings {
		c.puts = append(c.puts, org.Put(is))
	}
}

func (c *changer) userRefs(refs []Ref) []id.User {
	all := []id.User{}
	for _, r := range refs {
		all = append(all, c.user(r))
	}
	return all
}

func (c *changer) user(r Ref) id.User {
	n, ok := c.names.users[r.Name]
	if !ok {
		n = id.User(c.unknown(r, "user", c.doc.Users.Listed))
	}
	return n
}

func (c *changer) team(r Ref) id.Team {
	n, ok := c.names.teams[r.Name]
	if !ok && r.Name != "" {
		n = id.Team(c.unknown(r, "team", c.doc.Teams.Listed))
	}
	return n
}

func (c *changer) policy(r Ref) id.Policy {
	n, ok := c.names.policies[r.Name]
	if !ok && r.Name != "" {
		n = id.Policy(c.unknown(r, "policy", c.doc.Policies.Listed))
	}
	return n
}

// unknown says that a reference leads nowhere. The name stands in for the
// identifier, so that nobody complains about a gap where the file has none.
func (c *changer) unknown(r Ref, kind string, listed bool) string {
	if listed {
		c.say(r.At, "there is no %s %q: it is not among the %s that are listed", kind, r.Name, strings.Replace(kind+"s", "ys", "ies", 1))
	} else {
		c.say(r.At, "there is no %s %q", kind, r.Name)
	}
	return r.Name
}

// names are what a reference may lead to after the changes: in a listed section
// what is listed, else what there is.
type names struct {
	users     map[string]id.User
	teams     map[string]id.Team
	rotations map[string]id.Rotation
	policies  map[string]id.Policy
}

func newNames(d Document, o *org.Org, make Maker) names {
	return names{
		users:     known(d.Users, o.Users, func(u User) string { return u.Username }, func(u people.User) string { return u.Username }, make),
		teams:     known(d.Teams, o.Teams, func(t Team) string { return t.Slug }, func(t people.Team) string { return t.Slug }, make),
		rotations: known(d.Rotations, o.Rotations, func(r Rotation) string { return rotationKey(r.Name) }, func(r oncall.Rotation) string { return rotationKey(r.Name) }, make),
		policies:  known(d.Policies, o.Policies, func(p Policy) string { return p.Slug }, func(p escalation.Policy) string { return p.Slug }, make),
	}
}

func known[T any, K ~string, V any](s Section[T], have map[K]V, listed func(T) string, stored func(V) string, make Maker) map[string]K {
	all := map[string]K{}
	for k, v := range have {
		all[stored(v)] = k
	}
	if !s.Listed {
		return all
	}
	only := map[string]K{}
	for _, item := range s.Items {
		name := listed(item)
		k, ok := all[name]
		if !ok {
			k = K(make.NewID())
		}
		only[name] = k
	}
	return only
}
