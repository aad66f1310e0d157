package dispatch

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Outcome is what became of one try to deliver.
type Outcome struct {
	Delivery store.Delivery // as it was claimed
	State    store.DeliveryState
	RetryAt  time.Time   // for Pending: when to try again
	Detail   string      // the provider's words, or the reason
	Bundled  int         // how many deliveries shared the message
	Provider id.Provider // who was asked
	Remote   string      // the message's id there
}

// RecordDeliveries writes down what became of deliveries and plans what follows
// from it: the next step of the person's own policy, the next method at once
// when one was given up, the next step of the escalation when nothing of the
// running one can arrive any more. A delivery that was decided meanwhile, by
// another node after our claim ran out, is left as it is; so is one that
// somebody tries again by now, unless this try has sent it.
func (d *Dispatcher) RecordDeliveries(ctx context.Context, outcomes []Outcome) error {
	return d.store.DoBehind(ctx, func(tx *store.Tx) error { // a storm's messages end together
		stored, teams, err := loadDeliveries(tx, outcomes)
		if err != nil {
			return err
		}
		r := recorder{tx: tx, pager: newPager(tx), teams: teams, failed: map[id.Incident][]store.Delivery{}}
		for _, o := range outcomes {
			del, ok := stored[o.Delivery.ID]
			if !ok || del.Key != o.Delivery.Key || del.State != store.Pending { // another key: a backup was restored
				continue
			}
			if del.Attempt != o.Delivery.Attempt && !o.State.Out() {
				continue
			}
			if err := r.record(del, o); err != nil {
				return err
			}
		}
		return r.escalate()
	})
}

func loadDeliveries(tx *store.Tx, outcomes []Outcome) (map[id.Delivery]store.Delivery, map[id.Incident]id.Team, error) {
	numbers := make([]id.Delivery, len(outcomes))
	for i, o := range outcomes {
		numbers[i] = o.Delivery.ID
	}
	list, err := tx.Deliveries(numbers)
	if err != nil {
		return nil, nil, err
	}
	stored := make(map[id.Delivery]store.Delivery, len(list))
	var about []id.Incident
	for _, del := range list {
		stored[del.ID] = del
		if del.Incident != 0 {
			about = append(about, del.Incident)
		}
	}
	teams, err := tx.TeamsOf(about)
	return stored, teams, err
}

// recorder writes down the fates of deliveries in one transaction.
type recorder struct {
	tx     *store.Tx
	pager  *pager
	teams  map[id.Incident]id.Team
	failed map[id.Incident][]store.Delivery // pages of steps that were given up
}

// record is what one try came to.
func (r *recorder) record(del store.Delivery, o Outcome) error {
	tx := r.tx
	first := del.Body.FirstAt.IsZero()
	if first {
		del.Body.FirstAt = tx.Now
	}
	del.Provider, del.Remote = o.Provider, o.Remote
	waited := tx.Now.Sub(del.Body.FirstAt)
	if (o.State == store.Failed || o.State == store.Pending && waited >= deadlineOf(tx.Org, del)) && another(tx.Org, del) {
		del = again(tx, del, o.Detail)
		moment(tx, &del, o.Detail)
		r.pager.put(del)
		r.tell(del, store.Pending, first)
		return nil
	}
	del.State, del.Body.Detail, del.Body.Bundled = o.State, o.Detail, o.Bundled
	del.ClaimedBy, del.ClaimedUntil = "", time.Time{}
	switch o.State {
	case store.Pending:
		del.DueAt = o.RetryAt
	case store.Accepted:
		del.DueAt, del.Body.DoneAt = tx.Now.Add(deadlineOf(tx.Org, del)), tx.Now
	default:
		del.Body.DoneAt = tx.Now
	}
	if !first || o.State != store.Sent { // of the plain case the row says everything
		moment(tx, &del, o.Detail)
	}
	late := o.State == store.Pending && waited >= deadlineOf(tx.Org, del) && del.Body.Chain != nil && !del.Body.Chain.MovedOn
	if late {
		chain := *del.Body.Chain
		chain.MovedOn = true
		del.Body.Chain = &chain
	}
	r.pager.put(del)
	r.tell(del, o.State, first)
	switch {
	case late:
		_, err := r.pager.moveOn(del, lateReason(tx.Org, del), r.teams[del.Incident])
		return err
	case o.State == store.Failed:
		return r.givenUp(del, o.Detail)
	case o.State.Out():
		return r.pager.goOn(del)
	}
	return nil
}

// givenUp is a page that will never arrive: the next method is used at once,
// and what was planned after it comes all the same.
func (r *recorder) givenUp(del store.Delivery, why string) error {
	if del.Kind == store.StepPage {
		r.failed[del.Incident] = append(r.failed[del.Incident], del)
	}
	if _, err := r.pager.moveOn(del, why, r.teams[del.Incident]); err != nil {
		return err
	}
	return r.pager.goOn(del)
}

// tell writes what people should read of it into the timeline.
func (r *recorder) tell(del store.Delivery, state store.DeliveryState, first bool) {
	if del.Incident == 0 {
		return
	}
	fate := pageState(r.tx, del)
	var told timeline.Payload
	switch state {
	case store.Sent, store.Accepted:
		told = fate
	case store.Delivered:
		told = timeline.PageArrived(fate)
	case store.Failed:
		told = timeline.PageLost(fate)
	case store.Pending:
		if !first {
			return // the first failed try is told, then the end; each try is on the delivery
		}
		told = timeline.PageRetry(fate)
	default:
		return
	}
	r.tx.Append(timeline.Entry{
		Kind: told.Kind(), Actor: timeline.Self, Incident: del.Incident, Team: r.teams[del.Incident], Person: del.Person, Payload: told,
	})
}

func pageState(tx *store.Tx, del store.Delivery) timeline.PageState {
	fate := timeline.PageState{
		Delivery: del.ID, User: del.Person, Name: tx.Org.UserName(del.Person), Method: del.Body.Method, Address: shown(tx.Org, del),
		Attempt: del.Attempt, Detail: del.Body.Detail,
	}
	if del.Body.Bundled > 1 {
		fate.Bundled = del.Body.Bundled
	}
	return fate
}

// escalate tells incidents that pages of a step were given up.
func (r *recorder) escalate() error {
	if len(r.failed) == 0 {
		return nil
	}
	incs, err := r.tx.Incidents(slices.Collect(maps.Keys(r.failed)))
	if err != nil {
		return err
	}
	for n, pages := range r.failed {
		if err := r.moveOn(incs[n], pages); err != nil {
			return err
		}
	}
	return nil
}

// moveOn tells an incident that pages of a step were given up. Only those of
// the step that runs now count, and only when nothing else of it can arrive.
func (r *recorder) moveOn(inc incident.Incident, failed []store.Delivery) error {
	tx := r.tx
	running, err := tx.LastEntry(inc.ID, timeline.StepStarted)
	if err != nil {
		return err
	}
	of := func(del store.Delivery) bool { return del.Entry == running }
	if !slices.ContainsFunc(failed, of) {
		return nil
	}
	facts := facts(tx, inc, "")
	pages, err := r.pages(inc.ID, running)
	if err != nil {
		return err
	}
	for _, p := range pages {
		repeated := p.Body.Chain != nil && p.Body.Chain.Repeat // comes in a while, and is no reason to wait
		if p.State.Out() || p.State == store.Pending && !repeated {
			facts.PagesLeft++
		}
	}
	tx.Save(incident.Decide(inc, incident.PageGivenUp{}, facts, tx.Now))
	return nil
}

// pages are those of a step as they are after this transaction.
func (r *recorder) pages(n id.Incident, entry id.Seq) ([]store.Delivery, error) {
	pages, err := r.tx.DeliveriesOf(n, entry)
	if err != nil {
		return nil, err
	}
	now := map[id.Delivery]store.Delivery{}
	for key, list := range r.pager.mates {
		if key.incident == n && key.entry == entry {
			for _, d := range list {
				now[d.ID] = d
			}
		}
	}
	for _, f := range r.failed[n] {
		now[f.ID] = f
	}
	for i, p := range pages {
		if d, ok := now[p.ID]; ok {
			pages[i] = d
			delete(now, p.ID)
		}
	}
	for _, d := range now { // planned just now
		if d.Entry == entry {
			pages = append(pages, d)
		}
	}
	return pages, nil
}

// deadlinesAtOnce bounds one transaction.
const deadlinesAtOnce = 200

// MissDeadlines deals with pages that a provider took and that have not arrived
// in time: another provider, or the person's next method, is used at once. It
// returns how many it dealt with.
func (d *Dispatcher) MissDeadlines(ctx context.Context) (int, error) {
	return store.InTx(ctx, d.store, func(tx *store.Tx) (int, error) {
		overdue, err := tx.OverdueDeliveries(deadlinesAtOnce)
		if err != nil || len(overdue) == 0 {
			return 0, err
		}
		var about []id.Incident
		for _, del := range overdue {
			if del.Incident != 0 {
				about = append(about, del.Incident)
			}
		}
		incs, err := tx.Incidents(about)
		if err != nil {
			return 0, err
		}
		r := recorder{tx: tx, pager: newPager(tx), teams: map[id.Incident]id.Team{}, failed: map[id.Incident][]store.Delivery{}}
		for n, inc := range incs {
			r.teams[n] = inc.Team
		}
		for _, del := range overdue {
			why := lateReason(tx.Org, del)
			inc, ok := incs[del.Incident]
			wanted := ok && Wanted(inc, del)
			if wanted && another(tx.Org, del) {
				del = again(tx, del, why)
				moment(tx, &del, why)
				r.pager.put(del)
				continue
			}
			del.State = store.Late
			moment(tx, &del, why)
			r.pager.put(del)
			if wanted {
				if _, err := r.pager.moveOn(del, why, inc.Team); err != nil {
					return 0, err
				}
			}
		}
		return len(overdue), nil
	})
}

// Wanted reports whether a page about inc is still to reach its person.
func Wanted(inc incident.Incident, del store.Delivery) bool {
	switch del.Kind {
	case store.StepPage:
		return inc.State == incident.Triggered && inc.Wants(del.Person)
	case store.ToldPage:
		return inc.State == incident.Triggered
	}
	return inc.Open()
}

// CancelledWhy says why a page was not sent after all.
func CancelledWhy(inc incident.Incident) string {
	switch inc.State {
	case incident.Acknowledged:
		return phrase.T("dispatch.page.acknowledged", inc.AckedBy.Name)
	case incident.Resolved:
		return phrase.T("dispatch.page.resolved", inc.ResolvedBy.Name)
	}
	return phrase.T("outbox.not_wanted")
}
