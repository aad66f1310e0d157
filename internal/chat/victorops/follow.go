package victorops

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// follower tells a robot what happens.
type follower struct {
	*session
	sub   *live.Subscription
	after id.Seq                 // what the robot has
	seq   id.Seq                 // the last entry that was looked at
	alert id.Alert               // the last that was told, or was there before
	marks map[id.Incident]string // what was told of open incidents
}

// run tells what happens from the place on, until the session ends.
func (f *follower) run(ctx context.Context) error {
	defer f.sub.Close()
	for {
		events, err := f.sub.Next(ctx)
		if err == nil {
			err = f.tell(ctx, events)
		}
		if err != nil {
			return err
		}
	}
}

func (f *follower) tell(ctx context.Context, events []live.Event) error {
	o, err := f.server.Store.Org(ctx)
	if err != nil {
		return err
	}
	robot, ok := f.robot(o)
	if !ok {
		return errWithdrawn
	}
	t := telling{follower: f, org: o, robot: robot}
	if robot.Room == room.Main && f.bringAlerts(events) {
		if err := t.load(ctx); err != nil {
			return err
		}
	}
	for _, e := range events {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := t.event(ctx, e); err != nil {
			return err
		}
	}
	return t.alertsTo(ctx, time.Time{})
}

// bringAlerts reports whether an alert may have come that was not told yet.
func (f *follower) bringAlerts(events []live.Event) bool {
	return slices.ContainsFunc(events, func(e live.Event) bool {
		return e.Entry.Seq != 0 && e.Entry.Actor.Origin == timeline.Monitoring || e.Incident.LastAlert > f.alert
	})
}

// telling is one batch of events for a robot as it is now.
type telling struct {
	*follower
	org       *org.Org
	robot     org.Robot
	alerts    []alert.Alert // not told yet, in the order of their numbers
	incidents map[id.Incident]incident.Incident
}

// load finds the alerts since the last that was told.
func (t *telling) load(ctx context.Context) error {
	var err error
	if t.alerts, err = t.server.alertsAfter(ctx, t.alert); err != nil {
		return err
	}
	var acked []id.Incident
	for _, a := range t.alerts {
		if a.Type == alert.Acknowledgement && a.Incident != 0 {
			acked = append(acked, a.Incident)
		}
	}
	t.incidents, err = t.server.Store.IncidentsByID(ctx, acked)
	return err
}

func (t *telling) event(ctx context.Context, e live.Event) error {
	if e.Entry.Seq == 0 {
		return t.incident(ctx, e.Incident)
	}
	entry := e.Entry
	if err := t.alertsTo(ctx, entry.At); err != nil {
		return err
	}
	t.seq = entry.Seq
	if changesDuty(entry.Kind) {
		poke(t.duty)
	}
	if !t.hears(entry) {
		return nil
	}
	if err := t.answer(ctx, chatOf(t.org, entry)); err != nil {
		return err
	}
	t.delivered.Store(int64(entry.Seq))
	poke(t.unconfirmed)
	return nil
}

// hears reports whether the robot gets a line: said in its room by another,
// still there, and not answered by our own bot.
func (t *telling) hears(e timeline.Entry) bool {
	if e.Kind != timeline.MessagePosted || e.Room != t.robot.Room || e.Actor.User == t.robot.User && e.Actor.User != "" {
		return false
	}
	r, ok := t.org.Room(e.Room)
	m, said := e.Payload.(timeline.Message)
	return ok && r.CanRead(t.robot.User) && said && !m.Deleted && !t.server.Ours(t.org, e)
}

// incident tells what has become of an incident, when that is news.
func (t *telling) incident(ctx context.Context, inc incident.Incident) error {
	is := mark(inc)
	if t.robot.Room != room.Main || t.marks[inc.ID] == is {
		return nil
	}
	if err := t.alertsTo(ctx, time.Time{}); err != nil {
		return err
	}
	if err := t.answer(ctx, phaseOf(t.org, inc, t.server.PublicURL)); err != nil {
		return err
	}
	if t.marks[inc.ID] = is; !inc.Open() {
		delete(t.marks, inc.ID)
	}
	return nil
}

// alertsTo tells the alerts that came until an instant; zero: all there are.
func (t *telling) alertsTo(ctx context.Context, at time.Time) error {
	for len(t.alerts) > 0 && (at.IsZero() || !t.alerts[0].ReceivedAt.After(at)) {
		a := t.alerts[0]
		t.alerts = t.alerts[1:]
		t.alert = a.ID
		if err := t.answer(ctx, alertOf(t.org, a, t.incidents[a.Incident], t.seq, t.robot.CommandAnnotations)); err != nil {
			return err
		}
	}
	return nil
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// changesDuty reports whether after such an entry others may be on call, or
// the robot's own definition is another.
func changesDuty(k timeline.Kind) bool {
	switch k {
	case timeline.ShiftChanged, timeline.OnCallTaken, timeline.OnCallHandedBack, timeline.OverrideAdded, timeline.OverrideRemoved,
		timeline.SwapAnswered, timeline.AbsenceAdded, timeline.AbsenceRemoved, timeline.OrgChanged:
		return true
	}
	return false
}

// marks are those of the incidents that are open, of the newest at least: their
// changes may come once more to whoever follows from now on.
func (s *Server) marks(ctx context.Context) (map[id.Incident]string, error) {
	open, err := s.Store.Incidents(ctx, store.IncidentFilter{States: []incident.State{incident.Triggered, incident.Acknowledged}, Limit: 1000})
	if err != nil {
		return nil, err
	}
	all := map[id.Incident]string{}
	for _, inc := range open {
		all[inc.ID] = mark(inc)
	}
	return all, nil
}

// newestAlert is the number of the last alert there is.
func (s *Server) newestAlert(ctx context.Context) (id.Alert, error) {
	last, err := s.Store.Alerts(ctx, store.AlertFilter{Limit: 1})
	if err != nil || len(last) == 0 {
		return 0, err
	}
	return last[0].ID, nil
}

// alertsAfter returns the alerts after a number, in order.
func (s *Server) alertsAfter(ctx context.Context, after id.Alert) ([]alert.Alert, error) {
	var found []alert.Alert
	for before := id.Alert(0); ; {
		some, err := s.Store.Alerts(ctx, store.AlertFilter{Before: before, Limit: alertsAtOnce})
		if err != nil {
			return nil, fmt.Errorf("load alerts for a robot: %w", err)
		}
		for _, a := range some {
			if a.ID > after {
				found = append(found, a)
			}
		}
		switch {
		case len(found) > maxBehind:
			return nil, errBehind
		case len(some) < alertsAtOnce || some[len(some)-1].ID <= after:
			slices.Reverse(found)
			return found, nil
		}
		before = some[len(some)-1].ID
	}
}
