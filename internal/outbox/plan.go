// Package outbox brings pages out of the house. A planner follows the timeline
// with a cursor and turns "these people are to be paged" into deliveries; a
// sender claims deliveries that are due, looks at the incident once more,
// hands them to a provider and records what became of them.
//
// It promises at least once: a page that was on the wire when the process died
// is sent again, under the same idempotency key. It promises not to page for
// what was acknowledged or resolved before the provider was asked. How often
// and until when to retry is decided here; providers do not retry.
package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// pageLife is for how long a page is worth trying: a page that is hours late is harmful.
const pageLife = 10 * time.Minute

// Plan returns the deliveries that an entry asks for: one for each contact
// method of each person. The key makes a second plan of the same entry the same.
func Plan(e timeline.Entry, o *org.Org, now time.Time) []store.Delivery {
	switch p := e.Payload.(type) {
	case timeline.Step:
		return plan(e, o, now, store.StepPage, p.Users, p.Why)
	case timeline.Responder:
		return plan(e, o, now, store.ResponderPage, p.Users, nil)
	}
	return nil
}

func plan(e timeline.Entry, o *org.Org, now time.Time, kind store.DeliveryKind, users []id.User, why []string) []store.Delivery {
	var all []store.Delivery
	for i, u := range users {
		user, ok := o.Users[u]
		if !ok || user.Disabled || slices.Index(users, u) < i { // a key that is there twice would stop the planner for ever
			continue
		}
		reason := ""
		if i < len(why) {
			reason = why[i]
		}
		for _, c := range user.Contacts {
			if c.Off {
				continue
			}
			all = append(all, store.Delivery{
				Key:  fmt.Sprintf("page:%d:%d:%s", e.Incident, e.Seq, c.ID),
				Kind: kind, DueAt: now, ExpiresAt: now.Add(pageLife),
				Incident: e.Incident, Entry: e.Seq, Person: u, Contact: c.ID,
				Body: store.DeliveryBody{Method: string(c.Method), Address: c.Address, Why: reason},
			})
		}
	}
	return all
}

// Cursor is the planner's name among the cursors.
const Cursor = "planner"

// Kinds are the entries that the planner waits for; it passes over all others.
func Kinds() []timeline.Kind {
	return []timeline.Kind{timeline.StepStarted, timeline.ResponderAdded}
}

// planAtOnce bounds how many entries one transaction looks through, and after
// how many deliveries it stops: a step may page hundreds of people.
const planAtOnce = 2000

// Planner follows the timeline. Any number of nodes may run one: the cursor
// moves in the same transaction that writes the deliveries.
type Planner struct {
	store    *store.Store
	log      *slog.Logger
	interval time.Duration

	// flows hold as long as nobody else has planned since: at the position
	// reached, in the history epoch.
	flows   flows
	reached id.Seq
	epoch   string
}

// NewPlanner returns a Planner that looks at least every interval.
func NewPlanner(s *store.Store, log *slog.Logger, interval time.Duration) *Planner {
	return &Planner{store: s, log: log, interval: interval}
}

// Run plans until ctx ends.
func (p *Planner) Run(ctx context.Context) error {
	wake, stop := p.store.Wake(store.Entries)
	defer stop()
	for {
		more, err := p.runOnce(ctx)
		if err != nil && ctx.Err() == nil {
			p.log.ErrorContext(ctx, "plan deliveries", "err", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(p.interval):
		}
	}
}

// Drain plans until nothing is left to plan.
func (p *Planner) Drain(ctx context.Context) error {
	for {
		more, err := p.runOnce(ctx)
		if err != nil || !more {
			return err
		}
	}
}

func (p *Planner) runOnce(ctx context.Context) (more bool, err error) {
	defer fault.Recover(&err)
	behind, err := p.behind(ctx)
	if err != nil || !behind {
		return false, err
	}
	var reached id.Seq
	known := p.flows
	p.flows = nil // unless this is committed
	more, err = store.InTx(ctx, p.store, func(tx *store.Tx) (bool, error) {
		at, err := tx.Cursor(Cursor)
		if err != nil {
			return false, err
		}
		var entries []timeline.Entry
		entries, reached, err = tx.EntriesAfter(at, planAtOnce, Kinds()...)
		if err != nil || reached == at {
			return false, err
		}
		if known == nil || p.reached != at || p.epoch != tx.Epoch() {
			latest, err := tx.LatestDeliveries(tx.Now.Add(-2 * stormWindow))
			if err != nil {
				return false, err
			}
			known = flowsOf(latest)
		}
		p.epoch = tx.Epoch()
		count := 0
		for _, e := range entries {
			planned := Plan(e, tx.Org, tx.Now)
			for _, d := range planned {
				known.hold(&d, tx.Now)
				d.Key += ":" + tx.Epoch() // the numbers in it begin anew when a backup is restored
				tx.AddDelivery(d)
			}
			for _, lost := range unplanned(e, planned, tx.Org) {
				tx.Append(lost)
			}
			if count += len(planned); count >= planAtOnce {
				reached = e.Seq
				break
			}
		}
		known.forget(tx.Now)
		tx.SetCursor(Cursor, reached)
		return reached < tx.Seq(), nil
	})
	if err == nil {
		p.flows, p.reached = known, reached
	}
	return more, err
}

// behind asks without the writer whether there is anything to plan. When
// nothing but our own follow-up entries came, the cursor may stay where it is.
func (p *Planner) behind(ctx context.Context) (bool, error) {
	return p.store.Behind(ctx, Cursor, Kinds()...)
}

// unplanned tells of those whom the entry asks to page and who meanwhile have
// no contact method: a page must not vanish without a word.
func unplanned(e timeline.Entry, planned []store.Delivery, o *org.Org) []timeline.Entry {
	var users []id.User
	switch p := e.Payload.(type) {
	case timeline.Step:
		users = p.Users
	case timeline.Responder:
		users = p.Users
	}
	var lost []timeline.Entry
	for _, u := range users {
		if !slices.ContainsFunc(planned, func(d store.Delivery) bool { return d.Person == u }) {
			told := timeline.PageLost{User: u, Name: o.UserName(u), Detail: phrase.T("outbox.no_contact")}
			lost = append(lost, timeline.Entry{
				Kind: told.Kind(), Actor: timeline.Self, Incident: e.Incident, Team: e.Team, Person: u, Payload: told,
			})
		}
	}
	return lost
}
