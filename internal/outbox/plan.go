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
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/paging"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Plan returns the deliveries that an entry asks for: for each person the first
// step of their own paging policy, and what a step tells beside people. The key
// makes a second plan of the same entry the same.
func Plan(e timeline.Entry, o *org.Org, now time.Time) []store.Delivery {
	switch p := e.Payload.(type) {
	case timeline.Step:
		ask := dispatch.Asked{Kind: store.StepPage, Low: p.Urgency == string(people.Low), EveryMethod: p.EveryMethod}
		return plan(e, o, now, ask, p.Users, p.Why)
	case timeline.Responder:
		return plan(e, o, now, dispatch.Asked{Kind: store.ResponderPage}, p.Users, nil)
	case timeline.Told:
		return planTold(e, p, now)
	}
	return nil
}

func plan(e timeline.Entry, o *org.Org, now time.Time, ask dispatch.Asked, users []id.User, why []string) []store.Delivery {
	var all []store.Delivery
	for i, u := range users {
		user, ok := o.Users[u]
		if !ok || user.Disabled || slices.Index(users, u) < i { // a key that is there twice would stop the planner for ever
			continue
		}
		ask.Incident, ask.Entry, ask.User, ask.Why = e.Incident, e.Seq, user, ""
		if i < len(why) {
			ask.Why = why[i]
		}
		all = append(all, dispatch.FirstPages(ask, now)...)
	}
	return all
}

// planTold plans what leaves the house for nobody in particular. A chat room of
// ours needs no delivery: see rooms.
func planTold(e timeline.Entry, p timeline.Told, now time.Time) []store.Delivery {
	var all []store.Delivery
	tell := func(method, address string) {
		key := fmt.Sprintf("told:%d:%d:%s:%s", e.Incident, e.Seq, method, address)
		if slices.ContainsFunc(all, func(d store.Delivery) bool { return d.Key == key }) {
			return
		}
		all = append(all, store.Delivery{
			Key: key, Kind: store.ToldPage, DueAt: now, ExpiresAt: now.Add(dispatch.PageLife), Incident: e.Incident, Entry: e.Seq,
			Body: store.DeliveryBody{Method: method, Address: address, Why: phrase.T("outbox.told", p.PolicyName)},
		})
	}
	for _, address := range p.Webhooks {
		tell(string(org.WebhookMethod), address)
	}
	for _, address := range p.Emails {
		tell(string(people.Email), address)
	}
	return all
}

// Cursor is the planner's name among the cursors.
const Cursor = "planner"

// Kinds are the entries that the planner waits for; it passes over all others.
func Kinds() []timeline.Kind {
	return []timeline.Kind{timeline.StepStarted, timeline.ResponderAdded, timeline.StepTold}
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
			latest, err := tx.LatestDeliveries(tx.Now.Add(-2 * paging.StormWindow))
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
				if known.hold(&d, tx.Now) {
					tx.Append(held(e, d, tx.Org))
				}
				d.Key += ":" + tx.Epoch() // the numbers in it begin anew when a backup is restored
				tx.AddDelivery(d)
			}
			for _, line := range rooms(e) {
				tx.Append(line)
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

// rooms are the lines that a step writes into chat rooms. The organisation's
// timeline is the only room there is.
func rooms(e timeline.Entry) []timeline.Entry {
	p, ok := e.Payload.(timeline.Told)
	if !ok || len(p.Rooms) == 0 {
		return nil
	}
	line := timeline.Message{Text: phrase.T("outbox.room", e.Incident, strings.Join(p.Rooms, ", "), p.PolicyName)}
	return []timeline.Entry{{Kind: line.Kind(), Actor: timeline.Self, Incident: e.Incident, Team: e.Team, Payload: line}}
}

// held says that pages to somebody are bundled from here on.
func held(e timeline.Entry, d store.Delivery, o *org.Org) timeline.Entry {
	told := timeline.Held{User: d.Person, Name: o.UserName(d.Person), Method: d.Body.Method, Count: 1, Until: d.DueAt}
	return timeline.Entry{Kind: told.Kind(), Actor: timeline.Self, Incident: e.Incident, Team: e.Team, Person: d.Person, Payload: told}
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
