package dispatch

import (
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/paging"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// PageLife is how long a page is worth trying: one that is hours late is harmful.
const PageLife = 10 * time.Minute

// Asked is a person whom an entry asks to page.
type Asked struct {
	Kind        store.DeliveryKind
	Incident    id.Incident
	Entry       id.Seq
	User        people.User
	Why         string // one plain sentence
	Low         bool   // of low urgency
	EveryMethod bool   // whatever the person chose for themselves
}

// FirstPages are the deliveries with which somebody's paging begins: those of
// the first step of their own policy. What comes after them is planned when
// they are sent, or given up. The key makes a second plan of the same entry the same.
func FirstPages(a Asked, now time.Time) []store.Delivery {
	c := chainOf(a.User, store.Chain{Since: now, Low: a.Low, EveryMethod: a.EveryMethod})
	if c.Empty() {
		return nil
	}
	first := store.Delivery{
		Kind: a.Kind, Incident: a.Incident, Entry: a.Entry, Person: a.User.ID,
		Body: store.DeliveryBody{Why: a.Why, Chain: &store.Chain{Since: now, Low: a.Low, EveryMethod: a.EveryMethod}},
	}
	var all []store.Delivery
	for _, attempt := range c.Attempts {
		if attempt.After != c.Attempts[0].After {
			break
		}
		d := attemptOf(first, attempt, now.Add(attempt.After))
		d.Key = fmt.Sprintf("page:%d:%d:%s", a.Incident, a.Entry, attempt.Contact.ID)
		all = append(all, d)
	}
	if len(all) == len(c.Attempts) && len(c.Reserve) == 0 && len(c.Repeat) == 0 { // nothing can follow
		for i := range all {
			all[i].Body.Chain = nil
		}
	}
	return all
}

func chainOf(u people.User, at store.Chain) paging.Chain {
	urgency := people.High
	if at.Low {
		urgency = people.Low
	}
	return paging.Plan(u, urgency, at.Since, at.EveryMethod)
}

// attemptOf is a further page like the one before, by another attempt.
func attemptOf(before store.Delivery, a paging.Attempt, due time.Time) store.Delivery {
	chain := *before.Body.Chain
	chain.Seq, chain.MovedOn, chain.Repeat = a.Seq, false, false
	return store.Delivery{
		Kind: before.Kind, Incident: before.Incident, Entry: before.Entry, Person: before.Person,
		Contact: a.Contact.ID, DueAt: due, ExpiresAt: due.Add(PageLife),
		Body: store.DeliveryBody{Method: string(a.Contact.Method), Address: a.Contact.Address, Why: before.Body.Why, Chain: &chain},
	}
}

// pager plans what follows from what became of pages, within one transaction.
type pager struct {
	tx    *store.Tx
	mates map[askedKey][]store.Delivery // all pages of one asking, as they are by now
}

type askedKey struct {
	incident id.Incident
	entry    id.Seq
	user     id.User
}

func newPager(tx *store.Tx) *pager { return &pager{tx: tx, mates: map[askedKey][]store.Delivery{}} }

// put keeps a changed delivery.
func (p *pager) put(del store.Delivery) {
	p.tx.PutDelivery(del)
	list := p.mates[keyOf(del)]
	if i := slices.IndexFunc(list, func(d store.Delivery) bool { return d.ID == del.ID }); i >= 0 {
		list[i] = del
	}
}

func keyOf(d store.Delivery) askedKey { return askedKey{d.Incident, d.Entry, d.Person} }

func (p *pager) of(del store.Delivery) ([]store.Delivery, error) {
	key := keyOf(del)
	if list, ok := p.mates[key]; ok {
		return list, nil
	}
	all, err := p.tx.DeliveriesOf(del.Incident, del.Entry)
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(all, func(d store.Delivery) bool { return d.Person != del.Person })
	for i, d := range list {
		if d.ID == del.ID {
			list[i] = del
		}
	}
	p.mates[key] = list
	return list, nil
}

func (p *pager) add(del store.Delivery, list []store.Delivery) []store.Delivery {
	del.Key = fmt.Sprintf("page:%d:%d:%s:%d:%s", del.Incident, del.Entry, del.Contact, del.Body.Chain.Seq, p.tx.Epoch())
	list = append(list, p.tx.AddDelivery(del))
	p.mates[keyOf(del)] = list
	return list
}

// goOn plans the step of the person's policy that comes after del, once del has
// left or was given up and nothing later is planned yet.
func (p *pager) goOn(del store.Delivery) error {
	c, ok := p.chain(del)
	if !ok {
		return nil
	}
	next := c.Following(del.Body.Chain.Seq)
	if len(next) == 0 {
		return nil
	}
	list, err := p.of(del)
	if err != nil {
		return err
	}
	for _, d := range list { // also of the same step: the last of them plans the next one
		if d.Body.Chain != nil && d.Body.Chain.Seq >= next[0].Seq && c.Planned(d.Body.Chain.Seq) {
			return nil
		}
	}
	for _, a := range next {
		d := attemptOf(del, a, later(p.tx.Now, del.Body.Chain.Since.Add(a.After)))
		d.Body.Chain.Repeat = c.Repeated(a.Seq)
		list = p.add(d, list)
	}
	return nil
}

// moveOn brings the person's next method forward, because del was given up or
// is late; why says which. It reports whether there is one.
func (p *pager) moveOn(del store.Delivery, why string, team id.Team) (bool, error) {
	c, ok := p.chain(del)
	if !ok {
		return false, nil
	}
	list, err := p.of(del)
	if err != nil {
		return false, err
	}
	next, ok := c.Next(del.Body.Chain.Seq)
	if !ok {
		return false, nil
	}
	told := timeline.MovedOn{
		Delivery: del.ID, User: del.Person, Name: p.tx.Org.UserName(del.Person), Method: del.Body.Method, NextMethod: string(next.Contact.Method), Why: why,
	}
	tell := func() {
		p.tx.Append(timeline.Entry{Kind: told.Kind(), Actor: timeline.Self, Incident: del.Incident, Team: team, Person: del.Person, Payload: told})
	}
	i := slices.IndexFunc(list, func(d store.Delivery) bool { return d.Body.Chain != nil && d.Body.Chain.Seq == next.Seq })
	switch {
	case i < 0:
		p.add(attemptOf(del, next, p.tx.Now), list)
		tell()
	case list[i].State == store.Pending && list[i].DueAt.After(p.tx.Now):
		d := list[i]
		d.DueAt, d.ExpiresAt = p.tx.Now, p.tx.Now.Add(PageLife)
		p.put(d)
		tell()
	}
	return true, nil
}

func (p *pager) chain(del store.Delivery) (paging.Chain, bool) {
	user, ok := p.tx.Org.Users[del.Person]
	if del.Body.Chain == nil || !ok {
		return paging.Chain{}, false
	}
	return chainOf(user, *del.Body.Chain), true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// deadlineOf is by when a page by a method should have arrived.
func deadlineOf(o *org.Org, del store.Delivery) time.Duration {
	if p, ok := o.Providers[del.Provider]; ok && p.Deadline > 0 {
		return p.Deadline.D()
	}
	return paging.Deadline(people.Method(del.Body.Method))
}

// another reports whether a further provider carries the method of del, which
// has not been tried yet.
func another(o *org.Org, del store.Delivery) bool {
	if del.Kind == store.ToldPage { // its address names the one
		return false
	}
	return slices.ContainsFunc(o.ProvidersOf(people.Method(del.Body.Method)), func(p org.Provider) bool {
		return p.ID != del.Provider && !slices.Contains(del.Body.Tried, string(p.ID))
	})
}

// again sends del once more, through the next provider.
func again(tx *store.Tx, del store.Delivery, why string) store.Delivery {
	del.Body.Tried = append(slices.Clip(del.Body.Tried), string(del.Provider))
	del.State, del.DueAt, del.ExpiresAt, del.Provider, del.Remote = store.Pending, tx.Now, tx.Now.Add(PageLife), "", ""
	del.ClaimedBy, del.ClaimedUntil, del.Body.Detail = "", time.Time{}, why
	return del
}

func moment(tx *store.Tx, del *store.Delivery, detail string) {
	del.Body.Life = append(slices.Clip(del.Body.Life), store.Moment{State: del.State, At: tx.Now, Detail: detail})
}

func lateReason(o *org.Org, del store.Delivery) string {
	return phrase.T("dispatch.page.late", people.Method(del.Body.Method).Words(), deadlineOf(o, del))
}
