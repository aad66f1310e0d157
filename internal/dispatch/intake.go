package dispatch

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// Alerts that arrive while one group is being committed form the next group:
// load the set, decide each in order, write the set, one commit. So a request
// waits for at most one group before its own, and a storm costs few
// transactions. A group of long bodies is smaller, for others wait for its end.
// What waits is bounded; beyond it the sender is told to come back. An alert
// that finds nobody writing alerts is committed by whoever brings it.
const (
	maxGroup        = 2048
	maxGroupBytes   = 16 << 20
	maxWaiting      = 8192
	maxWaitingBytes = 256 << 20
)

type request struct {
	alert alert.Alert
	done  chan error // buffered: the writer never waits for whoever asked
}

// Accept makes an alert durable and decides what it means. It returns after
// the commit, with the numbers of the alert and of its incident. The caller
// has checked the integration. When ctx ends first the alert may have been
// accepted all the same.
func (d *Dispatcher) Accept(ctx context.Context, a alert.Alert) (alert.Alert, error) {
	r := &request{alert: a, done: make(chan error, 1)}
	select {
	case <-d.turn: // nobody has to be woken, and to wake us
		defer d.pass()
		d.commit(context.WithoutCancel(ctx), []*request{r})
		return r.alert, <-r.done
	default:
	}
	if !d.enqueue(r) {
		return a, fault.Unavailable(phrase.T("dispatch.busy"), 5*time.Second)
	}
	select {
	case err := <-r.done:
		return r.alert, err
	case <-ctx.Done():
		return a, context.Cause(ctx)
	}
}

func (d *Dispatcher) enqueue(r *request) bool {
	if d.waiting.Add(r.size()) <= maxWaitingBytes {
		select {
		case d.queue <- r:
			return true
		default:
		}
	}
	d.waiting.Add(-r.size())
	return false
}

// size is about how many bytes r holds.
func (r *request) size() int64 { return int64(len(r.alert.Raw)) }

// Run accepts alerts until ctx ends; what was waiting then is still committed.
func (d *Dispatcher) Run(ctx context.Context) error {
	d.pass()
	defer func() { <-d.turn }()
	group := make([]*request, 0, maxGroup)
	for {
		select {
		case r := <-d.queue:
			group = append(group[:0], r)
		case <-ctx.Done():
			if group = group[:0]; len(d.queue) == 0 {
				return nil
			}
		}
		<-d.turn
		for more := true; more; more = len(d.queue) > 0 {
			group = d.drain(group)
			d.commit(context.WithoutCancel(ctx), group)
			d.waiting.Add(-size(group))
			clear(group)
			group = group[:0]
		}
		d.pass()
	}
}

// pass lets somebody else write alerts.
func (d *Dispatcher) pass() { d.turn <- struct{}{} }

func size(group []*request) (bytes int64) {
	for _, r := range group {
		bytes += r.size()
	}
	return bytes
}

func (d *Dispatcher) drain(group []*request) []*request {
	for bytes := size(group); len(group) < maxGroup && bytes < maxGroupBytes; {
		select {
		case r := <-d.queue:
			group = append(group, r)
			bytes += r.size()
		default:
			return group
		}
	}
	return group
}

// commit saves a group. When that fails, and not because the database is away,
// each request is tried alone, so that one bad alert cannot fail its neighbours.
func (d *Dispatcher) commit(ctx context.Context, group []*request) {
	err := d.tryCommit(ctx, group)
	if err != nil && len(group) > 1 && !store.IsAway(err) {
		d.log.WarnContext(ctx, "commit of a group of alerts failed, trying each alone", "alerts", len(group), "err", err)
		for _, r := range group {
			if !store.IsAway(err) { // else it went away meanwhile, and each try would wait for it
				err = d.tryCommit(ctx, []*request{r})
			}
			r.done <- err
		}
		return
	}
	for _, r := range group {
		r.done <- err
	}
}

func (d *Dispatcher) tryCommit(ctx context.Context, group []*request) (err error) {
	defer fault.Recover(&err) // a bug; the alert is refused, the server lives
	decided := make([]alert.Alert, len(group))
	entities := make([]string, 0, len(group))
	seen := make(map[string]bool, len(group))
	for _, r := range group {
		if e := r.alert.EntityID; !seen[e] {
			seen[e] = true
			entities = append(entities, e)
		}
	}
	err = d.store.DoWithOpen(ctx, entities, func(tx *store.Tx, open map[string]incident.Incident) error {
		for i, r := range group {
			decided[i] = arrive(tx, open, r.alert)
		}
		return nil
	})
	if err == nil {
		for i, r := range group {
			r.alert = decided[i]
		}
	}
	return err
}

// arrive decides on one alert; open is the set of open incidents and is kept up to date.
func arrive(tx *store.Tx, open map[string]incident.Incident, a alert.Alert) alert.Alert {
	a.ID, a.ReceivedAt = tx.NewAlert(), tx.Now
	if a.Title == "" {
		a.Title = untitled(tx.Org, a)
	}
	inc, exists := open[a.EntityID]
	if !exists {
		inc.ID = tx.NewIncident()
	}
	facts := facts(tx, inc, a.RoutingKey)
	if !exists {
		facts.Muted = tx.Org.Muted(a, tx.Now)
	}
	dec := incident.Decide(inc, incident.Arrived{Alert: a}, facts, tx.Now)
	switch dec.Incident.State {
	case "":
		tx.ReturnIncident(inc.ID)
	case incident.Resolved:
		a.Incident = dec.Incident.ID
		delete(open, a.EntityID)
	default:
		a.Incident = dec.Incident.ID
		open[a.EntityID] = dec.Incident
	}
	tx.Save(dec)
	tx.PutAlert(a)
	keepMuted(tx, a, dec.Reason, facts.Muted.Until)
	return a
}

// untitled is the title of an alert that says nothing but how bad it is.
func untitled(o *org.Org, a alert.Alert) string {
	from := o.Integrations[a.Integration].Name
	switch {
	case from == "":
		return phrase.T("dispatch.untitled")
	case a.RoutingKey == "":
		return phrase.T("dispatch.untitled.from", from)
	}
	return phrase.T("dispatch.untitled.for", a.RoutingKey, from)
}
