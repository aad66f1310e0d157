package org

import (
	"maps"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/routing"
)

// shelves are all kinds of objects that an organisation has many of.
var shelves = []shelf{
	kindOf[id.User, people.User]{UserKind, func(o *Org) *map[id.User]people.User { return &o.Users },
		func(u people.User) (id.User, string) { return u.ID, u.Name }},
	kindOf[id.Team, people.Team]{TeamKind, func(o *Org) *map[id.Team]people.Team { return &o.Teams },
		func(t people.Team) (id.Team, string) { return t.ID, t.Name }},
	kindOf[id.Rotation, oncall.Rotation]{RotationKind, func(o *Org) *map[id.Rotation]oncall.Rotation { return &o.Rotations },
		func(r oncall.Rotation) (id.Rotation, string) { return r.ID, r.Name }},
	kindOf[id.Policy, escalation.Policy]{PolicyKind, func(o *Org) *map[id.Policy]escalation.Policy { return &o.Policies },
		func(p escalation.Policy) (id.Policy, string) { return p.ID, p.Name }},
	kindOf[id.RoutingKey, routing.Key]{KeyKind, func(o *Org) *map[id.RoutingKey]routing.Key { return &o.Keys },
		func(k routing.Key) (id.RoutingKey, string) { return k.ID, k.Name }},
	kindOf[id.Integration, routing.Integration]{IntegrationKind, func(o *Org) *map[id.Integration]routing.Integration { return &o.Integrations },
		func(i routing.Integration) (id.Integration, string) { return i.ID, i.Name }},
	kindOf[id.Override, oncall.Override]{OverrideKind, func(o *Org) *map[id.Override]oncall.Override { return &o.Overrides },
		func(v oncall.Override) (id.Override, string) { return v.ID, string(v.Kind) }},
	kindOf[id.Absence, oncall.Absence]{AbsenceKind, func(o *Org) *map[id.Absence]oncall.Absence { return &o.Absences },
		func(a oncall.Absence) (id.Absence, string) { return a.ID, a.Note }},
	kindOf[id.Swap, oncall.Swap]{SwapKind, func(o *Org) *map[id.Swap]oncall.Swap { return &o.Swaps },
		func(s oncall.Swap) (id.Swap, string) { return s.ID, string(s.State) }},
	kindOf[id.Holidays, oncall.HolidayCalendar]{HolidayKind, func(o *Org) *map[id.Holidays]oncall.HolidayCalendar { return &o.Holidays },
		func(c oncall.HolidayCalendar) (id.Holidays, string) { return c.ID, c.Name }},
	kindOf[maintenance.ID, maintenance.Window]{MaintenanceKind, func(o *Org) *map[maintenance.ID]maintenance.Window { return &o.Maintenance },
		func(w maintenance.Window) (maintenance.ID, string) { return w.ID, w.Name }},
	kindOf[heartbeat.ID, heartbeat.Heartbeat]{HeartbeatKind, func(o *Org) *map[heartbeat.ID]heartbeat.Heartbeat { return &o.Heartbeats },
		func(h heartbeat.Heartbeat) (heartbeat.ID, string) { return h.ID, h.Name }},
	kindOf[id.Provider, Provider]{CarrierKind, func(o *Org) *map[id.Provider]Provider { return &o.Providers },
		func(p Provider) (id.Provider, string) { return p.ID, p.Name }},
	kindOf[id.Feed, Feed]{FeedKind, func(o *Org) *map[id.Feed]Feed { return &o.Feeds },
		func(f Feed) (id.Feed, string) { return f.ID, string(f.ID) }},
	kindOf[id.Drill, Drill]{DrillKind, func(o *Org) *map[id.Drill]Drill { return &o.Drills },
		func(d Drill) (id.Drill, string) { return d.ID, d.Note }},
	kindOf[id.Robot, Robot]{RobotKind, func(o *Org) *map[id.Robot]Robot { return &o.Robots },
		func(r Robot) (id.Robot, string) { return r.ID, r.Name }},
	kindOf[id.Room, room.Room]{RoomKind, func(o *Org) *map[id.Room]room.Room { return &o.Rooms },
		func(r room.Room) (id.Room, string) { return r.ID, r.Slug }},
}

// shelf is what the organisation does with every kind alike.
type shelf interface {
	kind() Kind
	decode(body []byte) (any, error)
	get(o *Org, objectID string) (any, bool)
	put(o *Org, object any) bool // false: it belongs on another shelf
	remove(o *Org, objectID string)
	describe(object any) (objectID, name string, wrong error, ok bool)
	clone(o *Org) // gives o a map of its own
}

func shelfOf(kind Kind) shelf {
	for _, s := range shelves {
		if s.kind() == kind {
			return s
		}
	}
	return nil
}

// kindOf is the shelf of objects of type V, which have ids of type K.
type kindOf[K ~string, V interface{ Validate() error }] struct {
	named Kind
	all   func(*Org) *map[K]V
	of    func(V) (objectID K, name string)
}

func (s kindOf[K, V]) kind() Kind { return s.named }

func (s kindOf[K, V]) decode(body []byte) (any, error) { return read[V](body) }

func (s kindOf[K, V]) get(o *Org, objectID string) (any, bool) {
	v, ok := (*s.all(o))[K(objectID)]
	return v, ok
}

func (s kindOf[K, V]) put(o *Org, object any) bool {
	v, ok := object.(V)
	if ok {
		objectID, _ := s.of(v)
		(*s.all(o))[objectID] = v
	}
	return ok
}

func (s kindOf[K, V]) remove(o *Org, objectID string) { delete(*s.all(o), K(objectID)) }

func (s kindOf[K, V]) describe(object any) (objectID, name string, wrong error, ok bool) {
	v, ok := object.(V)
	if !ok {
		return "", "", nil, false
	}
	named, name := s.of(v)
	return string(named), name, v.Validate(), true
}

func (s kindOf[K, V]) clone(o *Org) {
	all := s.all(o)
	if *all = maps.Clone(*all); *all == nil {
		*all = map[K]V{}
	}
}
