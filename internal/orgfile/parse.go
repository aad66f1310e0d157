package orgfile

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/strictyaml"
)

// File is one file that was read.
type File struct {
	Name string // for messages
	Text []byte
}

// Parse reads files as one document: their sections are put together. The error
// holds every mistake in the text, one a line. Whether references lead
// somewhere is for Changes to say.
func Parse(files []File, from Secrets) (Document, error) {
	p := &parser{from: from}
	var doc Document
	for _, f := range files {
		n, err := strictyaml.Parse(f.Name, f.Text)
		if err != nil {
			p.errs = append(p.errs, err)
			continue
		}
		p.document(n, &doc)
	}
	p.duplicates(doc)
	if err := inOrder(p.errs); err != nil {
		return Document{}, err
	}
	return doc, nil
}

// inOrder joins mistakes as they stand in the files, from top to bottom.
func inOrder(mistakes []error) error {
	slices.SortStableFunc(mistakes, func(a, b error) int {
		var x, y Position
		if e, ok := errors.AsType[*strictyaml.Error](a); ok {
			x = e.At
		}
		if e, ok := errors.AsType[*strictyaml.Error](b); ok {
			y = e.At
		}
		return cmp.Or(strings.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
	})
	return errors.Join(mistakes...)
}

func (p *parser) document(n strictyaml.Node, doc *Document) {
	f := p.fields(n, "a file", "settings", "users", "teams", "rotations", "holidays", "policies", "routing_keys", "integrations",
		"heartbeats", "maintenance", "providers", "rooms", "robots")
	if s, ok := n.Get("settings"); ok {
		p.settings(s, doc)
	}
	section(f, "users", &doc.Users, p.user)
	section(f, "teams", &doc.Teams, p.team)
	section(f, "rotations", &doc.Rotations, p.rotation)
	section(f, "holidays", &doc.Holidays, p.holidays)
	section(f, "policies", &doc.Policies, p.policy)
	section(f, "routing_keys", &doc.RoutingKeys, p.routingKey)
	section(f, "integrations", &doc.Integrations, p.integration)
	section(f, "heartbeats", &doc.Heartbeats, p.heartbeat)
	section(f, "maintenance", &doc.Maintenance, p.maintenance)
	section(f, "providers", &doc.Providers, p.provider)
	section(f, "rooms", &doc.Rooms, p.room)
	section(f, "robots", &doc.Robots, p.robot)
}

func section[T any](f fields, key string, into *Section[T], read func(strictyaml.Node) T) {
	if !f.has(key) {
		return
	}
	if n, _ := f.node.Get(key); !into.Listed {
		into.At = n.At
	}
	into.Listed = true
	for _, n := range f.list(key) {
		into.Items = append(into.Items, read(n))
	}
}

func (p *parser) settings(n strictyaml.Node, doc *Document) {
	f := p.fields(n, "settings", "name", "default_policy", "warnings_open", "snooze_morning_at", "bot_name", "bot_sigil", "rules", "retention", "second_factor")
	if doc.Settings != nil {
		p.say(n.At, "settings are already given at %s", doc.Settings.At)
		return
	}
	s := Settings{
		At: n.At, Name: f.optional("name"), WarningsOpen: f.flag("warnings_open"),
		SnoozeMorningAt: f.optional("snooze_morning_at"), BotName: f.optional("bot_name"), BotSigil: f.optional("bot_sigil"), Rules: f.optional("rules"),
	}
	if f.has("default_policy") {
		ref := f.ref("default_policy")
		s.DefaultPolicy = &ref
	}
	if f.has("retention") {
		s.Retention = p.retention(f)
	}
	if f.has("second_factor") {
		s.SecondFactor = p.roles(f, "second_factor")
	}
	doc.Settings = &s
}

func (p *parser) user(n strictyaml.Node) User {
	f := p.fields(n, "a user", "username", "name", "email", "role", "zone", "contacts", "paging", "reminders", "disabled")
	u := User{
		At: n.At, Username: f.needed("user", "username"), Email: f.needed("user", "email"),
		Role: people.Role(f.textOr("role", string(people.Member))), Zone: f.textOr("zone", "UTC"), Disabled: f.yes("disabled"),
	}
	u.Name = f.textOr("name", u.Username)
	if f.has("contacts") {
		contacts := []Contact{}
		for _, n := range f.list("contacts") {
			contacts = append(contacts, p.contact(n))
		}
		u.Contacts = &contacts
	}
	if f.has("paging") {
		rules := []Rule{}
		for _, n := range f.list("paging") {
			rules = append(rules, p.rule(n))
		}
		u.Paging = &rules
	}
	if f.has("reminders") {
		reminders := []people.Reminder{}
		for _, r := range f.refs("reminders") {
			reminders = append(reminders, people.Reminder(r.Name))
		}
		u.Reminders = &reminders
	}
	return u
}

func (p *parser) team(n strictyaml.Node) Team {
	f := p.fields(n, "a team", "slug", "name", "members")
	t := Team{At: n.At, Slug: f.needed("team", "slug"), Members: f.refs("members")}
	t.Name = f.textOr("name", t.Slug)
	return t
}

func (p *parser) rotation(n strictyaml.Node) Rotation {
	f := p.fields(n, "a rotation", "name", "team", "zone", "layers")
	r := Rotation{At: n.At, Name: f.needed("rotation", "name"), Team: f.ref("team"), Zone: f.textOr("zone", "UTC")}
	for _, n := range f.list("layers") {
		r.Layers = append(r.Layers, p.layer(n))
	}
	return r
}

func (p *parser) layer(n strictyaml.Node) Layer {
	f := p.fields(n, "a layer", "name", "members", "every", "handoff_at", "start", "end", "restrictions", "count")
	l := Layer{
		At: n.At, Name: f.text("name"), Members: f.refs("members"),
		HandoffAt: f.needed("layer", "handoff_at"), Start: f.needed("layer", "start"), End: f.text("end"),
		Count: oncall.Count(f.text("count")),
	}
	for _, n := range f.list("restrictions") {
		l.Restrictions = append(l.Restrictions, p.restriction(n))
	}
	l.Every, l.Unit = p.every(f)
	return l
}

// restriction reads {from: "09:00", to: "17:00", days: [monday, friday]}.
func (p *parser) restriction(n strictyaml.Node) oncall.Restriction {
	f := p.fields(n, "a restriction", "days", "from", "until", "to")
	r := oncall.Restriction{From: f.needed("restriction", "from"), To: f.needed("restriction", "to"), Until: oncall.Weekday(f.text("until"))}
	for _, d := range f.refs("days") {
		r.Days = append(r.Days, oncall.Weekday(d.Name))
	}
	return r
}

// every reads "1 week" or "12 hours".
func (p *parser) every(f fields) (int, oncall.Unit) {
	const wanted = `every: write a number and a unit, such as "1 week", "3 days", "12 hours" or "1 month"`
	at, text, ok := f.scalar("every")
	if !ok {
		if !f.has("every") {
			p.say(at, wanted)
		}
		return 0, ""
	}
	number, unit, _ := strings.Cut(text, " ")
	n := fields{p, strictyaml.Node{At: at, Pairs: []strictyaml.Pair{{Key: "every", Value: strictyaml.Node{At: at, Kind: strictyaml.Scalar, Text: number}}}}}.number("every")
	switch u := oncall.Unit(strings.TrimSuffix(strings.TrimSpace(unit), "s") + "s"); u {
	case oncall.Hours, oncall.Days, oncall.Weeks, oncall.Months:
		return n, u
	}
	p.say(at, wanted)
	return n, ""
}

func (p *parser) policy(n strictyaml.Node) Policy {
	f := p.fields(n, "a policy", "slug", "name", "team", "steps", "repeat", "repeat_after", "ack_by", "last_resort", "repage_after",
		"ignore_paging_policies", "urgency", "low_waits", "hours")
	y := Policy{
		At: n.At, Slug: f.needed("policy", "slug"), Team: f.ref("team"),
		Repeat: f.number("repeat"), RepeatAfter: f.duration("repeat_after", escalation.DefaultRepeatAfter),
		AckBy: escalation.AckBy(f.textOr("ack_by", string(escalation.AckByOne))), RepageAfter: f.duration("repage_after", 0),
		EveryMethod: f.yes("ignore_paging_policies"), Urgency: people.Urgency(f.text("urgency")), LowWaits: f.yes("low_waits"),
		LastResort: p.targets(f, "last_resort"), Hours: p.hours(f),
	}
	y.Name = f.textOr("name", y.Slug)
	for _, n := range f.list("steps") {
		f := p.fields(n, "a step", "after", "page", "notify", "when", "low_waits")
		s := Step{
			At: n.At, After: f.duration("after", 0), Page: p.targets(f, "page"),
			Notify: escalation.Notify(f.textOr("notify", string(escalation.NotifyAll))), LowWaits: f.yes("low_waits"),
		}
		if when, ok := n.Get("when"); ok {
			f := p.fields(when, "when", "severities", "hours")
			for _, r := range f.refs("severities") {
				s.When.Severities = append(s.When.Severities, alert.Type(r.Name))
			}
			s.When.Hours = p.hours(f)
		}
		y.Steps = append(y.Steps, s)
	}
	return y
}

// hours reads {zone: Europe/Berlin, windows: [{days: [mon], from: "09:00", to: "17:00"}]}.
func (p *parser) hours(f fields) escalation.Hours {
	n, ok := f.node.Get("hours")
	if !ok {
		return escalation.Hours{}
	}
	f = p.fields(n, "hours", "zone", "windows")
	return escalation.Hours{Zone: f.needed("hours", "zone"), Windows: p.windows(f, "windows")}
}

func (p *parser) windows(f fields, key string) []people.PagingWindow {
	var all []people.PagingWindow
	for _, n := range f.list(key) {
		f := p.fields(n, "a time of the week", "days", "from", "to")
		w := people.PagingWindow{From: f.text("from"), To: f.text("to")}
		for _, d := range f.refs("days") {
			w.Days = append(w.Days, people.Day(d.Name))
		}
		all = append(all, w)
	}
	return all
}

func (p *parser) targets(f fields, key string) []Target {
	var all []Target
	for _, n := range f.list(key) {
		all = append(all, p.target(n))
	}
	return all
}

func (p *parser) target(n strictyaml.Node) Target {
	f := p.fields(n, "a target", targetKinds...)
	if n.Kind != strictyaml.Mapping {
		return Target{}
	}
	if len(n.Pairs) != 1 {
		p.say(n.At, "a target is exactly one of %s, such as {user: kim}", strings.Join(targetKinds, ", "))
		return Target{}
	}
	kind := n.Pairs[0].Key
	return Target{Kind: kind, Ref: f.ref(kind)}
}

func (p *parser) routingKey(n strictyaml.Node) RoutingKey {
	f := p.fields(n, "a routing key", "name", "policy", "note")
	k := RoutingKey{At: n.At, Name: f.needed("routing key", "name"), Policy: f.ref("policy"), Note: f.text("note")}
	if !f.has("policy") {
		p.say(n.At, "routing key %s: policy is missing", k.Name)
	}
	return k
}

func (p *parser) integration(n strictyaml.Node) Integration {
	f := p.fields(n, "an integration", "name", "kind", "key", "off")
	return Integration{
		At: n.At, Name: f.needed("integration", "name"), Kind: routing.Kind(f.textOr("kind", string(routing.REST))),
		Key: f.secret("key"), Off: f.yes("off"),
	}
}

// duplicates says what is there twice, and where it was first.
func (p *parser) duplicates(doc Document) {
	seen := map[[2]string]Position{}
	claim := func(at Position, what, name, shown string) {
		if name == "" {
			return // already reported as missing
		}
		if first, ok := seen[[2]string{what, name}]; ok {
			p.say(at, "%s %s is already given at %s", what, shown, first)
			return
		}
		seen[[2]string{what, name}] = at
	}
	for _, u := range doc.Users.Items {
		claim(u.At, "username", u.Username, u.Username)
		claim(u.At, "e-mail address", strings.ToLower(u.Email), u.Email)
	}
	for _, t := range doc.Teams.Items {
		claim(t.At, "team", t.Slug, t.Slug)
	}
	for _, r := range doc.Rotations.Items {
		claim(r.At, "rotation", rotationKey(r.Name), r.Name)
	}
	for _, h := range doc.Holidays.Items {
		claim(h.At, "public holidays", h.Name, h.Name)
	}
	for _, y := range doc.Policies.Items {
		claim(y.At, "policy", y.Slug, y.Slug)
	}
	for _, k := range doc.RoutingKeys.Items {
		claim(k.At, "routing key", routing.Fold(k.Name), k.Name)
	}
	for _, i := range doc.Integrations.Items {
		claim(i.At, "integration", i.Name, i.Name)
		claim(i.At, "the key of integration", string(i.Key), i.Name)
	}
	for _, h := range doc.Heartbeats.Items {
		claim(h.At, "heartbeat", h.Slug, h.Slug)
		claim(h.At, "the key of heartbeat", string(h.Key), h.Slug)
	}
	for _, r := range doc.Rooms.Items {
		claim(r.At, "room", r.key(), r.key())
	}
	for _, r := range doc.Robots.Items {
		claim(r.At, "username", r.Username, r.Username)
		claim(r.At, "the key of robot", string(r.Key), r.Username)
	}
	for _, v := range doc.Providers.Items {
		claim(v.At, "provider", v.Name, v.Name)
	}
}

// rotationKey is what two rotations may not have in common.
func rotationKey(name string) string {
	if s := id.Slug(name); s != "" {
		return s
	}
	return name
}
