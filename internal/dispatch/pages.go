package dispatch

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Outcome is what became of one try to deliver.
type Outcome struct {
	Delivery store.Delivery // as it was claimed
	State    store.DeliveryState
	RetryAt  time.Time // for Pending: when to try again
	Detail   string    // the provider's words, or the reason
	Bundled  int       // how many deliveries shared the message
}

// RecordDeliveries writes down what became of deliveries and, when a page of a
// running step was given up, lets the escalation move on. A delivery that was
// decided meanwhile, by another node after our claim ran out, is left as it is;
// so is one that somebody tries again by now, unless this try has sent it.
func (d *Dispatcher) RecordDeliveries(ctx context.Context, outcomes []Outcome) error {
	return d.store.Do(ctx, func(tx *store.Tx) error {
		stored, teams, err := loadDeliveries(tx, outcomes)
		if err != nil {
			return err
		}
		failed := map[id.Incident][]store.Delivery{}
		for _, o := range outcomes {
			del, ok := stored[o.Delivery.ID]
			if !ok || del.Key != o.Delivery.Key || del.State != store.Pending { // another key: a backup was restored
				continue
			}
			if del.Attempt != o.Delivery.Attempt && o.State != store.Sent {
				continue
			}
			record(tx, del, o, teams[del.Incident])
			if o.State == store.Failed && del.Kind == store.StepPage {
				failed[del.Incident] = append(failed[del.Incident], del)
			}
		}
		incs, err := tx.Incidents(slices.Collect(maps.Keys(failed)))
		if err != nil {
			return err
		}
		for n, pages := range failed {
			if err := moveOn(tx, incs[n], pages); err != nil {
				return err
			}
		}
		return nil
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

func record(tx *store.Tx, del store.Delivery, o Outcome, team id.Team) {
	first := del.Attempt <= 1
	del.State, del.Body.Detail, del.Body.Bundled = o.State, o.Detail, o.Bundled
	del.ClaimedBy, del.ClaimedUntil = "", time.Time{}
	if o.State == store.Pending {
		del.DueAt = o.RetryAt
	} else {
		del.Body.DoneAt = tx.Now
	}
	tx.PutDelivery(del)
	if del.Incident == 0 {
		return
	}
	fate := timeline.PageState{
		Delivery: del.ID, User: del.Person, Name: tx.Org.UserName(del.Person), Method: del.Body.Method, Address: del.Body.Address,
		Attempt: del.Attempt, Detail: o.Detail,
	}
	if o.Bundled > 1 {
		fate.Bundled = o.Bundled
	}
	var told timeline.Payload
	switch o.State {
	case store.Sent:
		told = fate
	case store.Failed:
		told = timeline.PageLost(fate)
	case store.Pending:
		if !first {
			return // the first failed try is told, then the end; each try is on the delivery
		}
		told = timeline.PageRetry(fate)
	case store.Cancelled:
		return
	}
	tx.Append(timeline.Entry{
		Kind: told.Kind(), Actor: timeline.Self, Incident: del.Incident, Team: team, Person: del.Person, Payload: told,
	})
}

// moveOn tells an incident that pages of a step were given up. Only those of
// the step that runs now count, and only when nothing else of it can arrive.
func moveOn(tx *store.Tx, inc incident.Incident, failed []store.Delivery) error {
	running, err := tx.LastEntry(inc.ID, timeline.StepStarted)
	if err != nil {
		return err
	}
	of := func(del store.Delivery) bool { return del.Entry == running }
	if !slices.ContainsFunc(failed, of) {
		return nil
	}
	facts := tx.Org.Facts(inc, "", tx.Now)
	pages, err := tx.DeliveriesOf(inc.ID, running)
	if err != nil {
		return err
	}
	for _, p := range pages {
		gone := slices.ContainsFunc(failed, func(f store.Delivery) bool { return f.ID == p.ID })
		if !gone && (p.State == store.Pending || p.State == store.Sent) {
			facts.PagesLeft++
		}
	}
	tx.Save(incident.Decide(inc, incident.PageGivenUp{}, facts, tx.Now))
	return nil
}
