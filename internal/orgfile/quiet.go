package orgfile

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/strictyaml"
)

// Heartbeat is a heartbeat.Heartbeat.
type Heartbeat struct {
	At         Position
	Slug       string
	Name       string // default: the slug
	Team       Ref
	RoutingKey string
	Every      escalation.Duration
	Cron       string
	Zone       string
	Grace      escalation.Duration
	Paused     bool
	Key        Secret // "": as it is; a new heartbeat then has no address to call
}

// Maintenance is a maintenance.Window that has not begun.
type Maintenance struct {
	At          Position
	Name        string
	Start, End  time.Time
	RoutingKeys []string
	Entities    []string
	Teams       []Ref
	Note        string
	nth         int // of several in an export that have the same key, from 0
}

// key is what tells windows apart; several may have the same.
func (m Maintenance) key() string { return m.Name + " " + m.Start.UTC().Format(time.RFC3339Nano) }

func (p *parser) heartbeat(n strictyaml.Node) Heartbeat {
	f := p.fields(n, "a heartbeat", "slug", "name", "team", "routing_key", "every", "cron", "zone", "grace", "paused", "key")
	h := Heartbeat{
		At: n.At, Slug: f.needed("heartbeat", "slug"), Team: f.ref("team"), RoutingKey: f.needed("heartbeat", "routing_key"),
		Every: f.duration("every", 0), Cron: f.text("cron"), Zone: f.text("zone"), Grace: f.duration("grace", 0), Paused: f.yes("paused"), Key: f.secret("key"),
	}
	h.Name = f.textOr("name", h.Slug)
	return h
}

func (p *parser) maintenance(n strictyaml.Node) Maintenance {
	f := p.fields(n, "a maintenance window", "name", "start", "end", "routing_keys", "entities", "teams", "note")
	m := Maintenance{
		At: n.At, Name: f.needed("maintenance window", "name"), Start: f.instant("start"), End: f.instant("end"),
		RoutingKeys: f.texts("routing_keys"), Entities: f.texts("entities"), Teams: f.refs("teams"), Note: f.text("note"),
	}
	return m
}

// instant reads a time with its offset.
func (f fields) instant(key string) time.Time {
	at, text, ok := f.scalar(key)
	if !ok {
		if !f.has(key) {
			f.p.say(f.node.At, "maintenance window: %s is missing", key)
		}
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		f.p.say(at, "%s: %q is not an instant such as 2027-03-28T22:00:00+02:00", key, text)
	}
	return t.UTC()
}

func (f fields) texts(key string) []string {
	var all []string
	for _, r := range f.refs(key) {
		all = append(all, r.Name)
	}
	return all
}

func (c *changer) heartbeats() {
	if !c.doc.Heartbeats.Listed {
		return
	}
	have := map[string]heartbeat.Heartbeat{}
	for _, h := range c.o.Heartbeats {
		have[h.Slug] = h
	}
	for _, h := range c.doc.Heartbeats.Items {
		was := have[h.Slug]
		delete(have, h.Slug)
		is := heartbeat.Heartbeat{
			ID: was.ID, Slug: h.Slug, Name: h.Name, Team: c.team(h.Team), RoutingKey: h.RoutingKey, Every: h.Every, Cron: h.Cron, Zone: h.Zone,
			Grace: h.Grace, Paused: h.Paused, KeyHash: was.KeyHash,
		}
		if is.ID == "" {
			is.ID = heartbeat.ID(c.maker.NewID())
		}
		if h.Key != "" {
			is.KeyHash = secret.Hash(string(h.Key))
		}
		c.put(h.At, org.HeartbeatKind, string(is.ID), is)
	}
	for _, h := range org.Sorted(have, func(h heartbeat.Heartbeat) string { return h.Slug }) {
		c.remove(org.HeartbeatKind, string(h.ID))
	}
}

// shown is the key for people.
func (m Maintenance) shown() string {
	if m.nth > 0 {
		return fmt.Sprintf("%s (%d)", m.key(), m.nth+1)
	}
	return m.key()
}

// begun reports whether a window is no longer a file's to change.
func begun(w maintenance.Window) bool { return !w.Started.IsZero() || !w.Ended.IsZero() }

func windowKey(w maintenance.Window) string { return Maintenance{Name: w.Name, Start: w.Start}.key() }

func (c *changer) maintenance() {
	if !c.doc.Maintenance.Listed {
		return
	}
	have := map[string][]maintenance.Window{} // ids grow with time, so that the same stands for the same
	for _, w := range org.Sorted(c.o.Maintenance, func(w maintenance.Window) string { return string(w.ID) }) {
		have[windowKey(w)] = append(have[windowKey(w)], w)
	}
	for _, m := range c.doc.Maintenance.Items {
		var was maintenance.Window
		if same := have[m.key()]; len(same) > 0 {
			was, have[m.key()] = same[0], same[1:]
		}
		if begun(was) || was.ID == "" && !c.maker.Now.IsZero() && !m.End.After(c.maker.Now) {
			continue
		}
		is := maintenance.Window{
			ID: was.ID, Name: m.Name, RoutingKeys: m.RoutingKeys, Entities: m.Entities, Teams: []id.Team{}, Start: m.Start, End: m.End, By: was.By, Note: m.Note,
		}
		if is.ID == "" {
			is.ID = maintenance.ID(c.maker.NewID())
		}
		for _, t := range m.Teams {
			is.Teams = append(is.Teams, c.team(t))
		}
		c.put(m.At, org.MaintenanceKind, string(is.ID), is)
	}
	for _, w := range org.Sorted(c.o.Maintenance, func(w maintenance.Window) string { return string(w.ID) }) {
		if !begun(w) && slices.ContainsFunc(have[windowKey(w)], func(left maintenance.Window) bool { return left.ID == w.ID }) {
			c.remove(org.MaintenanceKind, string(w.ID))
		}
	}
}

func (x exporter) heartbeats() Section[Heartbeat] {
	s := Section[Heartbeat]{Listed: true}
	for _, h := range org.Sorted(x.o.Heartbeats, func(h heartbeat.Heartbeat) string { return h.Slug }) {
		s.Items = append(s.Items, Heartbeat{
			Slug: h.Slug, Name: h.Name, Team: x.teamRef(h.Team), RoutingKey: h.RoutingKey, Every: h.Every, Cron: h.Cron, Zone: h.Zone, Grace: h.Grace, Paused: h.Paused,
		})
	}
	return s
}

func (x exporter) maintenance() Section[Maintenance] {
	s := Section[Maintenance]{Listed: true}
	for _, w := range org.Sorted(x.o.Maintenance, func(w maintenance.Window) string { return windowKey(w) + string(w.ID) }) {
		if begun(w) {
			continue
		}
		m := Maintenance{Name: w.Name, Start: w.Start.UTC(), End: w.End.UTC(), RoutingKeys: w.RoutingKeys, Entities: w.Entities, Note: w.Note}
		for _, t := range w.Teams {
			if _, ok := x.o.Teams[t]; ok { // a team may have gone since
				m.Teams = append(m.Teams, x.teamRef(t))
			}
		}
		if n := len(s.Items); n > 0 && s.Items[n-1].key() == m.key() {
			m.nth = s.Items[n-1].nth + 1
		}
		s.Items = append(s.Items, m)
	}
	return s
}

func (h Heartbeat) fields() object {
	var every, grace any
	if h.Every != 0 {
		every = duration(h.Every)
	}
	if h.Grace != 0 {
		grace = duration(h.Grace)
	}
	return without(
		field{"slug", text(h.Slug)}, field{"name", text(h.Name)}, field{"team", some(h.Team.Name)}, field{"routing_key", text(h.RoutingKey)},
		field{"every", every}, field{"cron", some(h.Cron)}, field{"zone", some(h.Zone)}, field{"grace", grace}, field{"paused", yes(h.Paused)},
		field{"key", some(string(h.Key))},
	)
}

func (m Maintenance) fields() object {
	patterns := func(all []string) any {
		if len(all) == 0 {
			return nil
		}
		return words(all)
	}
	var teams any
	if len(m.Teams) > 0 {
		teams = refList(m.Teams)
	}
	return without(
		field{"name", text(m.Name)}, field{"start", text(m.Start.Format(time.RFC3339Nano))}, field{"end", text(m.End.Format(time.RFC3339Nano))},
		field{"routing_keys", patterns(m.RoutingKeys)}, field{"entities", patterns(m.Entities)}, field{"teams", teams}, field{"note", some(m.Note)},
	)
}
