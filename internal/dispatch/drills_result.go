package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// DrillResult is what became of one page of a drill. Durations are from the
// beginning of the drill; those of what has not happened are below 0.
type DrillResult struct {
	User     id.User
	Name     string
	Method   people.Method
	Shown    string // the contact method as others may read it
	State    store.DeliveryState
	Detail   string
	SentAt   time.Time // zero: it has not left
	Arrived  time.Duration
	Answered time.Duration
}

const notYet = time.Duration(-1)

// DrillResults returns what became of the pages of a drill, by person in the
// order in which they were paged.
func (d *Dispatcher) DrillResults(ctx context.Context, dr org.Drill) ([]DrillResult, error) {
	o, err := d.store.Org(ctx)
	if err != nil {
		return nil, err
	}
	pages, err := d.store.DrillDeliveries(ctx, dr.ID)
	if err != nil {
		return nil, err
	}
	results := make([]DrillResult, 0, len(pages))
	for _, p := range pages {
		r := DrillResult{
			User: p.Person, Name: o.UserName(p.Person), Method: people.Method(p.Body.Method), Shown: shownContact(o, p),
			State: p.State, Detail: p.Body.Detail,
			SentAt:   momentOf(p, store.Accepted, store.Sent),
			Arrived:  after(dr, momentOf(p, store.Delivered, store.Seen)),
			Answered: after(dr, answeredAt(p)),
		}
		if r.SentAt.IsZero() && p.State.Out() {
			r.SentAt = p.Body.DoneAt
		}
		results = append(results, r)
	}
	return results, nil
}

func after(dr org.Drill, at time.Time) time.Duration {
	if at.IsZero() {
		return notYet
	}
	return max(0, at.Sub(dr.Started))
}

// shownContact is the contact method that a page went to, which may be gone.
func shownContact(o *org.Org, del store.Delivery) string {
	for _, c := range o.Users[del.Person].Contacts {
		if c.ID == del.Contact {
			return c.Shown()
		}
	}
	return people.Contact{Method: people.Method(del.Body.Method), Address: del.Body.Address}.Shown()
}

// ProofLasts is for how long a contact method counts as proven.
const ProofLasts = 90 * 24 * time.Hour

// Unproven is a contact method of which nobody knows whether it still works.
type Unproven struct {
	User    id.User
	Name    string
	Contact people.Contact
	LastAt  time.Time // when it last worked; zero: never that we know of
}

// UnprovenContacts lists the contact methods of people in teams that pages go to
// and that have not been proven for ProofLasts: no page is known to have arrived
// or to have been answered there, and no code was typed back. With a team it
// keeps to the members of it.
func (d *Dispatcher) UnprovenContacts(ctx context.Context, team id.Team) ([]Unproven, error) {
	o, err := d.store.Org(ctx)
	if err != nil {
		return nil, err
	}
	now, err := d.store.Now(ctx)
	if err != nil {
		return nil, err
	}
	var asked []Unproven
	var contacts []id.Contact
	for _, u := range org.Sorted(o.Users, func(u people.User) string { return u.Name }) {
		if !inTeam(o, team, u.ID) {
			continue
		}
		for _, c := range u.Usable() {
			a := Unproven{User: u.ID, Name: u.Name, Contact: c}
			if c.ProvenBy() != people.ByAdmin { // who answers for an address has not seen a page arrive
				a.LastAt = c.VerifiedAt
			}
			asked, contacts = append(asked, a), append(contacts, c.ID)
		}
	}
	proofs, err := d.store.Proofs(ctx, contacts)
	if err != nil {
		return nil, err
	}
	var found []Unproven
	for _, u := range asked {
		if at := proofs[u.Contact.ID].At(); at.After(u.LastAt) {
			u.LastAt = at
		}
		if now.Sub(u.LastAt) >= ProofLasts {
			found = append(found, u)
		}
	}
	return found, nil
}

func inTeam(o *org.Org, team id.Team, u id.User) bool {
	for n, t := range o.Teams {
		if (team == "" || n == team) && slices.Contains(t.Members, u) {
			return true
		}
	}
	return false
}
