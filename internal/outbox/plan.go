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
	"sync"
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

// planTold plans what leaves the house for nobody in particular. A room of ours
// needs no delivery: see rooms.
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

// Planner turns what the timeline asks for into deliveries: within the very
// transaction that asks, where it can, so that no second commit stands between
// an alert and its page. What it cannot do there it does as a follower of the
// timeline. Either way the cursor moves in the transaction that writes the
// deliveries, and any number of nodes may run one.
type Planner struct {
	store    *store.Store
	log      *slog.Logger
	interval time.Duration
	left     chan struct{} // something was left to the follower

	mu    sync.Mutex
	known *planned // nil: nothing; guarded by mu
}

// planned is what is known as long as nobody else has written.
type planned struct {
	epoch    string
	seq      id.Seq      // everything up to here is planned
	delivery id.Delivery // flows hold with everything up to here
	flows    flows       // nil: not known
}

// NewPlanner returns a Planner that looks at least every interval. From now on
// it plans in the transactions of s.
func NewPlanner(s *store.Store, log *slog.Logger, interval time.Duration) *Planner {
	p := &Planner{store: s, log: log, interval: interval, left: make(chan struct{}, 1)}
	s.BeforeCommit(p.within)
	return p
}

// Run plans until ctx ends.
func (p *Planner) Run(ctx context.Context) error {
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
		case <-p.left:
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

// take leaves nothing behind: what is known holds again when a transaction is
// committed, or has changed nothing.
func (p *Planner) take() *planned {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.known
	p.known = nil
	return known
}

func (p *Planner) keep(known *planned) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known = known
}

// within plans what a transaction asks for in this same transaction, unless
// something from before it is still to be planned.
func (p *Planner) within(tx *store.Tx) error {
	known, asked := p.take(), tx.Appended(Kinds()...)
	done := known != nil && known.epoch == tx.Epoch() && known.seq == tx.Seq()
	if !done && len(asked) > 0 { // another node has written, or we have just started
		behind, err := tx.Behind(Cursor, Kinds()...)
		if err != nil {
			return fmt.Errorf("plan deliveries: %w", err)
		}
		done = !behind
	}
	switch {
	case !done:
		p.keep(known)
		if len(asked) > 0 {
			p.leave()
		}
		return nil
	case len(asked) == 0:
		p.follow(tx, known)
		return nil
	}
	flows, err := flowsAt(tx, known)
	if err != nil {
		return err
	}
	made, err := plans(asked, flows, tx)
	if err != nil { // a bug; whoever asked must not suffer for it
		p.log.Error("plan deliveries", "err", err)
		p.leave()
		return nil
	}
	p.put(made, tx)
	if made.reached < asked[len(asked)-1].Seq {
		p.leave()
		return nil
	}
	p.follow(tx, &planned{epoch: tx.Epoch(), delivery: tx.LastDelivery(), flows: flows})
	return nil
}

// follow keeps what is known once tx is committed, in which all is planned.
func (p *Planner) follow(tx *store.Tx, known *planned) {
	next := *known
	if added := tx.NewDeliveries(); known.flows != nil && known.delivery == tx.LastDelivery()-id.Delivery(len(added)) {
		known.flows.note(added)
		next.delivery = tx.LastDelivery()
	}
	tx.OnCommit(func() {
		next.seq = tx.Seq()
		p.keep(&next)
	})
}

// leave wakes the follower.
func (p *Planner) leave() {
	select {
	case p.left <- struct{}{}:
	default:
	}
}

// runOnce plans, as a follower, what was not planned where it was asked for.
func (p *Planner) runOnce(ctx context.Context) (more bool, err error) {
	defer fault.Recover(&err)
	behind, err := p.store.Behind(ctx, Cursor, Kinds()...) // costs no writer
	if err != nil || !behind {
		return false, err
	}
	return store.InTx(ctx, p.store, func(tx *store.Tx) (bool, error) {
		at, err := tx.Cursor(Cursor)
		if err != nil {
			return false, err
		}
		entries, reached, err := tx.EntriesAfter(at, planAtOnce, Kinds()...)
		if err != nil || reached == at {
			return false, err
		}
		flows, err := flowsAt(tx, p.take())
		if err != nil {
			return false, err
		}
		made, err := plans(entries, flows, tx)
		if err != nil {
			return false, err
		}
		if len(entries) == 0 || made.reached == entries[len(entries)-1].Seq {
			made.reached = reached
		}
		p.put(made, tx)
		if made.reached == tx.Seq() {
			p.follow(tx, &planned{epoch: tx.Epoch(), delivery: tx.LastDelivery(), flows: flows})
		}
		return made.reached < tx.Seq(), nil
	})
}

// flowsAt are the flows with everything that is planned before tx, and that tx
// has added so far.
func flowsAt(tx *store.Tx, known *planned) (flows, error) {
	added, since := tx.NewDeliveries(), tx.Now.Add(-2*paging.StormWindow)
	f, after := flows{}, id.Delivery(0)
	if known != nil && known.epoch == tx.Epoch() && known.flows != nil {
		f, after = known.flows, known.delivery
	}
	if after < tx.LastDelivery()-id.Delivery(len(added)) {
		latest, err := tx.LatestDeliveries(after, since)
		if err != nil {
			return nil, err
		}
		f.note(latest)
	}
	f.note(added)
	f.forget(tx.Now)
	return f, nil
}

// made is what entries ask for.
type made struct {
	deliveries []store.Delivery
	lines      []timeline.Entry
	said       []dispatch.Line // by the bot, in rooms
	reached    id.Seq          // of the last entry that is planned
}

func (p *Planner) put(m made, tx *store.Tx) {
	for _, d := range m.deliveries {
		tx.AddDelivery(d)
	}
	for _, line := range m.lines {
		tx.Append(line)
	}
	for _, line := range m.said {
		if _, err := dispatch.Answer(tx, line); err != nil { // the pages must not suffer for it
			p.log.Error("tell a room", "room", line.Room, "err", err)
		}
	}
	tx.SetCursor(Cursor, m.reached)
}

// plans changes nothing but the flows.
func plans(entries []timeline.Entry, known flows, tx *store.Tx) (m made, err error) {
	defer fault.Recover(&err)
	for _, e := range entries {
		planned := Plan(e, tx.Org, tx.Now)
		for _, d := range planned {
			if known.hold(&d, tx.Now) {
				m.lines = append(m.lines, held(e, d, tx.Org))
			}
			d.Key += ":" + tx.Epoch() // the numbers in it begin anew when a backup is restored
			m.deliveries = append(m.deliveries, d)
		}
		lines, elsewhere, err := rooms(e, tx)
		if err != nil {
			return m, fmt.Errorf("tell rooms of incident %d: %w", e.Incident, err)
		}
		m.lines, m.said = append(m.lines, lines...), append(m.said, elsewhere...)
		m.lines = append(m.lines, unplanned(e, planned, tx.Org)...)
		m.reached = e.Seq
		if len(m.deliveries) >= planAtOnce {
			break
		}
	}
	return m, nil
}

// held says that pages to somebody are bundled from here on.
func held(e timeline.Entry, d store.Delivery, o *org.Org) timeline.Entry {
	told := timeline.Held{User: d.Person, Name: o.UserName(d.Person), Method: d.Body.Method, Count: 1, Until: d.DueAt}
	return timeline.Entry{Kind: told.Kind(), Actor: timeline.Self, Incident: e.Incident, Team: e.Team, Person: d.Person, Payload: told}
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
