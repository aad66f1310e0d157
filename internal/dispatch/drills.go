package dispatch

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// DrillLasts is how long a drill goes on when nobody says.
const DrillLasts = 15 * time.Minute

// mayDrill: who may manage, and everybody in the team who responds.
func mayDrill(o *org.Org, by people.Actor, team id.Team) bool {
	return by.May(people.Manage) || by.May(people.Respond) && slices.Contains(o.Teams[team].Members, by.User)
}

// PlanDrill plans a test page to everybody in a team by each of their usable
// contact methods. One without a time, or whose time is past, begins at once.
func (d *Dispatcher) PlanDrill(ctx context.Context, by people.Actor, dr org.Drill) (org.Drill, error) {
	return store.InTx(ctx, d.store, func(tx *store.Tx) (org.Drill, error) {
		if !mayDrill(tx.Org, by, dr.Team) {
			return dr, forbidden()
		}
		team, ok := tx.Org.Teams[dr.Team]
		if !ok {
			return dr, fault.Invalid("team", phrase.T("drills.no_team"))
		}
		dr.ID, dr.By, dr.Started, dr.Ended = id.Drill(id.New()), by.User, time.Time{}, time.Time{}
		dr.Note = strings.TrimSpace(dr.Note)
		if dr.At.Before(tx.Now) {
			dr.At = tx.Now
		}
		if dr.Until.IsZero() {
			dr.Until = dr.At.Add(DrillLasts)
		}
		dr.At, dr.Until = dr.At.UTC().Truncate(time.Microsecond), dr.Until.UTC().Truncate(time.Microsecond)
		if dr.At.After(tx.Now) {
			_, err := ApplyChanges(tx, by, []org.Change{org.Put(dr)})
			return dr, err
		}
		if len(drilled(tx.Org, dr)) == 0 {
			return dr, fault.Invalid("team", phrase.T("drills.nobody", team.Name))
		}
		dr.Started = tx.Now
		return dr, startDrill(tx, dr, by.Who())
	})
}

// EndDrill ends a drill before its time; one that has not begun is taken back.
func (d *Dispatcher) EndDrill(ctx context.Context, by people.Actor, n id.Drill) error {
	return d.store.Do(ctx, func(tx *store.Tx) error {
		dr, ok := tx.Org.Drills[n]
		switch {
		case !ok:
			return fault.NotFound(phrase.T("drills.gone"))
		case !mayDrill(tx.Org, by, dr.Team):
			return forbidden()
		case !dr.Ended.IsZero():
			return fault.Conflict(phrase.T("drills.over_already"))
		case dr.Started.IsZero():
			_, err := ApplyChanges(tx, by, []org.Change{org.Remove(org.DrillKind, string(n))})
			return err
		}
		return endDrill(tx, dr, by.Who())
	})
}

// KeepDrills begins and ends drills whose time has come. It returns how many;
// any number of nodes may call it.
func (d *Dispatcher) KeepDrills(ctx context.Context) (int, error) {
	o, err := d.store.Org(ctx)
	if err != nil || len(o.Drills) == 0 {
		return 0, err
	}
	now, err := d.store.Now(ctx)
	if err != nil || len(drillsDue(o, now)) == 0 {
		return 0, err
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (int, error) {
		due := drillsDue(tx.Org, tx.Now)
		for _, dr := range due {
			run := endDrill
			if dr.Started.IsZero() {
				dr.Started = tx.Now
				run = startDrill
			}
			if err := run(tx, dr, timeline.Self); err != nil {
				return 0, err
			}
		}
		return len(due), nil
	})
}

func drillsDue(o *org.Org, now time.Time) []org.Drill {
	var due []org.Drill
	for _, dr := range org.Sorted(o.Drills, func(dr org.Drill) string { return string(dr.ID) }) {
		begins := dr.Started.IsZero() && !now.Before(dr.At)
		ends := !dr.Started.IsZero() && !now.Before(dr.Until)
		if dr.Ended.IsZero() && (begins || ends) {
			due = append(due, dr)
		}
	}
	return due
}

// drillTarget is one contact method that a drill tries.
type drillTarget struct {
	user    people.User
	contact people.Contact
}

func drilled(o *org.Org, dr org.Drill) []drillTarget {
	var all []drillTarget
	for _, u := range o.Teams[dr.Team].Members {
		for _, c := range o.Users[u].Usable() {
			all = append(all, drillTarget{o.Users[u], c})
		}
	}
	return all
}

// DrillName is how people call a drill: by what it is for, else by its team.
func DrillName(o *org.Org, dr org.Drill) string {
	if dr.Note != "" {
		return dr.Note
	}
	return o.TeamName(dr.Team)
}

// startDrill pages everybody at once by every method: a drill measures each.
func startDrill(tx *store.Tx, dr org.Drill, by timeline.Actor) error {
	if dr.Until.Before(tx.Now.Add(time.Minute)) { // no server ran when it was to begin
		dr.At, dr.Until = tx.Now, tx.Now.Add(DrillLasts)
	}
	told := timeline.Drill{Drill: string(dr.ID), Name: DrillName(tx.Org, dr)}
	for n, to := range drilled(tx.Org, dr) {
		tx.AddDelivery(store.Delivery{
			Key: store.DrillKey(dr.ID, n), Kind: store.DrillPage, DueAt: tx.Now, ExpiresAt: dr.Until, Person: to.user.ID, Contact: to.contact.ID,
			Body: store.DeliveryBody{Method: string(to.contact.Method), Address: to.contact.Address, Why: dr.Note, Drill: dr.ID},
		})
		if !slices.Contains(told.Users, to.user.ID) {
			told.Users, told.Names = append(told.Users, to.user.ID), append(told.Names, to.user.Name)
		}
	}
	tx.Append(timeline.Entry{Kind: timeline.DrillStarted, Actor: by, Person: by.User, Team: dr.Team, Payload: told})
	return put(tx, dr)
}

func endDrill(tx *store.Tx, dr org.Drill, by timeline.Actor) error {
	pages, err := tx.DrillDeliveries(dr.ID)
	if err != nil {
		return err
	}
	asked, answered := map[id.User]bool{}, map[id.User]bool{}
	for _, p := range pages {
		asked[p.Person] = true
		if !answeredAt(p).IsZero() {
			answered[p.Person] = true
		}
		if p.State == store.Pending { // nobody waits for it any more
			p.State, p.Body.DoneAt, p.ClaimedBy, p.ClaimedUntil = store.Cancelled, tx.Now, "", time.Time{}
			tx.PutDelivery(p)
		}
	}
	dr.Ended = tx.Now
	tx.Append(timeline.Entry{
		Kind: timeline.DrillEnded, Actor: by, Person: by.User, Team: dr.Team,
		Payload: timeline.DrillOver{Drill: string(dr.ID), Name: DrillName(tx.Org, dr), Answered: len(answered), Asked: len(asked)},
	})
	return put(tx, dr)
}

// DrillAnswered takes down, in a transaction, that the page of a drill was
// answered by the method it went out by. The first answer counts; what it
// returns is the delivery as it is saved.
func (d *Dispatcher) DrillAnswered(tx *store.Tx, del store.Delivery, now time.Time) store.Delivery {
	if del.Kind != store.DrillPage || !answeredAt(del).IsZero() {
		return del
	}
	del.State, del.ClaimedBy, del.ClaimedUntil = store.Answered, "", time.Time{}
	del.Body.Life = append(slices.Clip(del.Body.Life), store.Moment{State: store.Answered, At: now})
	if del.Body.DoneAt.IsZero() {
		del.Body.DoneAt = now
	}
	tx.PutDelivery(del)
	return del
}

// FindDrillPage finds the page of a drill by the token it carries, and the
// drill. The error is NotFound when the token is nobody's.
func (d *Dispatcher) FindDrillPage(ctx context.Context, token string) (store.Delivery, org.Drill, error) {
	var dr org.Drill
	del, err := store.InTx(ctx, d.store, func(tx *store.Tx) (store.Delivery, error) {
		del, found, err := d.drillPage(tx, token)
		dr = found
		return del, err
	})
	return del, dr, err
}

// AnswerDrill is the answer to the page of a drill by somebody who opened its link.
func (d *Dispatcher) AnswerDrill(ctx context.Context, token string) (store.Delivery, org.Drill, error) {
	var dr org.Drill
	del, err := store.InTx(ctx, d.store, func(tx *store.Tx) (store.Delivery, error) {
		del, found, err := d.drillPage(tx, token)
		if err != nil {
			return del, err
		}
		dr = found
		return d.DrillAnswered(tx, del, tx.Now), nil
	})
	return del, dr, err
}

func (d *Dispatcher) drillPage(tx *store.Tx, token string) (store.Delivery, org.Drill, error) {
	unknown := fault.NotFound(phrase.T("drills.link_unknown"))
	n, code, ok := tokenNumber(token)
	if !ok {
		return store.Delivery{}, org.Drill{}, unknown
	}
	list, err := tx.Deliveries([]id.Delivery{n})
	switch {
	case err != nil:
		return store.Delivery{}, org.Drill{}, err
	case len(list) == 0 || list[0].Kind != store.DrillPage || !d.fits(list[0], code):
		return store.Delivery{}, org.Drill{}, unknown
	}
	return list[0], tx.Org.Drills[list[0].Body.Drill], nil
}

func answeredAt(del store.Delivery) time.Time { return momentOf(del, store.Answered) }

// momentOf is when a delivery first was in one of the given states; zero: never.
func momentOf(del store.Delivery, states ...store.DeliveryState) time.Time {
	for _, m := range del.Body.Life {
		if slices.Contains(states, m.State) {
			return m.At
		}
	}
	return time.Time{}
}
