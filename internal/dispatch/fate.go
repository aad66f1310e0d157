package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// TakeEvent is what a provider tells later about a message, and what somebody
// answered to it. Of which page it speaks follows from the message's id, from
// the page's token, or, for a reply in words, from the contact method it came
// from. Whoever answers acts as the person whom the page went to. The reply is
// a sentence for them; when somebody else was first it is a fault.Conflict that
// says who. What is about no page that we know is fault.NotFound; the caller has
// made sure that it comes from the provider.
func (d *Dispatcher) TakeEvent(ctx context.Context, method people.Method, provider id.Provider, ev notify.Event) (reply string, err error) {
	if a := ev.Answer; a != nil && a.Action == "" { // the device itself says that the page is there
		ev.State = notify.Delivered
	}
	done := true
	reply, err = store.InTx(ctx, d.store, func(tx *store.Tx) (string, error) {
		pages, err := d.pagesOf(tx, method, provider, ev)
		if err != nil {
			return "", err
		}
		if len(pages) == 0 {
			return "", fault.NotFound(phrase.T("dispatch.page.unknown"))
		}
		incs, err := tx.Incidents(incidentsOf(pages))
		if err != nil {
			return "", err
		}
		r := recorder{tx: tx, pager: newPager(tx), teams: map[id.Incident]id.Team{}, failed: map[id.Incident][]store.Delivery{}}
		for n, inc := range incs {
			r.teams[n] = inc.Team
		}
		for i := range pages {
			if pages[i], err = r.arrived(pages[i], ev, incs[pages[i].Incident]); err != nil {
				return "", err
			}
		}
		if err := r.escalate(); err != nil {
			return "", err
		}
		if ev.Answer == nil || ev.Answer.Action == "" {
			return "", nil
		}
		var said string
		said, done, err = answered(tx, &r, pages, incs, *ev.Answer)
		return said, err
	})
	if err == nil && !done { // that it was answered is on record
		return "", fault.Conflict(reply)
	}
	return reply, err
}

func incidentsOf(pages []store.Delivery) []id.Incident {
	var about []id.Incident
	for _, p := range pages {
		if p.Incident != 0 && !slices.Contains(about, p.Incident) {
			about = append(about, p.Incident)
		}
	}
	return about
}

// pagesOf finds the pages that an event is about: all that left in one message.
func (d *Dispatcher) pagesOf(tx *store.Tx, method people.Method, provider id.Provider, ev notify.Event) ([]store.Delivery, error) {
	if ev.RemoteID != "" {
		pages, err := tx.DeliveriesByRemote(provider, ev.RemoteID)
		if err != nil || len(pages) > 0 {
			return pages, err
		}
	}
	a := ev.Answer
	if a == nil {
		return nil, nil
	}
	if a.Token != "" {
		return d.pagesByToken(tx, a.Token)
	}
	contact, ok := contactAt(tx.Org, method, a.From)
	if !ok {
		return nil, nil
	}
	return pagesTo(tx, contact, *a)
}

func (d *Dispatcher) pagesByToken(tx *store.Tx, token string) ([]store.Delivery, error) {
	n, code, ok := tokenNumber(token)
	if !ok {
		return nil, nil
	}
	found, err := tx.Deliveries([]id.Delivery{n})
	if err != nil || len(found) == 0 || !d.fits(found[0], code) {
		return nil, err
	}
	first := found[0]
	if first.Remote == "" {
		return found, nil
	}
	return tx.DeliveriesByRemote(first.Provider, first.Remote)
}

// contactAt finds the proven contact method that a reply came from.
func contactAt(o *org.Org, method people.Method, address string) (people.Contact, bool) {
	if address == "" {
		return people.Contact{}, false
	}
	for _, u := range o.Users {
		for _, c := range u.Contacts {
			same := c.Method == method || method == people.SMS && c.Method == people.Voice
			if !u.Disabled && same && c.Verified() && strings.EqualFold(c.Address, address) {
				return c, true
			}
		}
	}
	return people.Contact{}, false
}

// lookBack is how many of the latest pages to a contact method a reply in words
// may be about.
const lookBack = 1000

// pagesTo are those pages to a contact method that a reply in words is about:
// an incident's, all that are open, or those of the latest message.
func pagesTo(tx *store.Tx, c people.Contact, a notify.Answer) ([]store.Delivery, error) {
	latest, err := tx.DeliveriesTo(c.ID, lookBack)
	if err != nil {
		return nil, err
	}
	latest = slices.DeleteFunc(latest, func(p store.Delivery) bool {
		return !p.State.Out() || a.Incident != 0 && p.Incident != a.Incident
	})
	if a.All || a.Incident != 0 || len(latest) == 0 {
		return latest, nil
	}
	message := latest[0]
	return slices.DeleteFunc(latest, func(p store.Delivery) bool {
		return p.ID != message.ID && (p.Remote == "" || p.Remote != message.Remote)
	}), nil
}

// rank orders the states of a message that is out.
var rank = []store.DeliveryState{store.Sent, store.Accepted, store.Late, store.Delivered, store.Seen, store.Answered}

// arrived writes down how far a message has come. States never go back.
func (r *recorder) arrived(del store.Delivery, ev notify.Event, inc incident.Incident) (store.Delivery, error) {
	if !del.State.Out() {
		return del, nil
	}
	to := del.State
	switch ev.State {
	case notify.Delivered:
		to = store.Delivered
	case notify.Seen:
		to = store.Seen
	case notify.Undelivered:
		return r.undelivered(del, ev, inc)
	}
	if slices.Index(rank, to) <= slices.Index(rank, del.State) {
		return del, nil
	}
	before := del.State
	del.State = to
	moment(r.tx, &del, ev.Detail)
	r.pager.put(del)
	if slices.Index(rank, before) < slices.Index(rank, store.Delivered) {
		r.tell(del, store.Delivered, false)
	}
	return del, nil
}

// undelivered is a message that its provider has given up.
func (r *recorder) undelivered(del store.Delivery, ev notify.Event, inc incident.Incident) (store.Delivery, error) {
	if slices.Index(rank, del.State) >= slices.Index(rank, store.Delivered) {
		return del, nil // somebody has it
	}
	wanted := Wanted(inc, del)
	if wanted && another(r.tx.Org, del) {
		del = again(r.tx, del, ev.Detail)
		moment(r.tx, &del, ev.Detail)
		r.pager.put(del)
		return del, nil
	}
	del.State, del.Body.Detail = store.Failed, ev.Detail
	moment(r.tx, &del, ev.Detail)
	r.pager.put(del)
	r.tell(del, store.Failed, false)
	if !wanted {
		return del, nil
	}
	return del, r.givenUp(del, ev.Detail)
}

// answered does what the person who got the pages answered. Done is false when
// others had done it before, for all of it.
func answered(tx *store.Tx, r *recorder, pages []store.Delivery, incs map[id.Incident]incident.Incident, a notify.Answer) (reply string, done bool, err error) {
	user, ok := tx.Org.Users[pages[0].Person]
	if !ok || user.Disabled {
		return "", false, fault.Forbidden(phrase.T("dispatch.page.left"))
	}
	actor := people.Actor{User: user.ID, Name: user.Name, Role: user.Role, Origin: timeline.Page}
	var said []string
	told := map[id.Incident]bool{}
	for _, del := range pages {
		if del.State != store.Answered && del.State.Out() {
			del.State = store.Answered
			moment(tx, &del, phrase.T("dispatch.answer."+string(a.Action)))
			r.pager.put(del)
		}
		if del.Kind == store.DrillPage {
			said, done = append(said, phrase.T("dispatch.answer.drill", user.Name)), true
			continue
		}
		inc, ok := incs[del.Incident]
		if !ok || told[inc.ID] {
			continue
		}
		told[inc.ID] = true
		line, first, err := answerOne(tx, actor, del, inc, a)
		if err != nil {
			return "", false, err
		}
		said, done = append(said, line), done || first
	}
	switch {
	case len(said) == 0:
		return "", false, fault.NotFound(phrase.T("dispatch.page.unknown"))
	case len(said) > 3:
		return phrase.T("dispatch.answer.many", len(said), phrase.T("dispatch.answer."+string(a.Action))), done, nil
	}
	return strings.Join(slices.Compact(said), " "), done, nil
}

// answerOne acts on one incident, and says what came of it; done is false when
// somebody else was first.
func answerOne(tx *store.Tx, actor people.Actor, del store.Delivery, inc incident.Incident, a notify.Answer) (line string, done bool, err error) {
	if !actor.May(people.Respond) {
		return "", false, forbidden()
	}
	var in incident.Input
	switch a.Action {
	case notify.Acknowledge:
		in = incident.Acknowledge{By: actor.Who()}
	case notify.Resolve:
		in = incident.Resolve{By: actor.Who()}
	default:
		return "", false, fault.Invalid("answer", phrase.T("dispatch.answer.unknown"))
	}
	reply := timeline.PageReply{
		Delivery: del.ID, User: del.Person, Name: actor.Name, Method: del.Body.Method, Answer: string(a.Action),
	}
	dec := incident.Decide(inc, in, facts(tx, inc, ""), tx.Now)
	if err := refused(in, dec, actor); err != nil {
		if f := fault.CodeOf(err); f != fault.CodeConflict {
			return "", false, err
		}
		return fmt.Sprintf("#%d: %s", inc.ID, fault.MessageOf(err)), false, nil
	}
	if dec.Changed {
		tx.Append(timeline.Entry{Kind: reply.Kind(), Actor: actor.Who(), Incident: inc.ID, Team: inc.Team, Person: actor.User, Payload: reply})
	}
	tx.Save(dec)
	return phrase.T("dispatch.answer.done."+string(a.Action), inc.ID, alert.Cut(inc.Title, 60)), true, nil
}

// shown is the address of a delivery as everybody may read it.
func shown(o *org.Org, del store.Delivery) string {
	for _, c := range o.Users[del.Person].Contacts {
		if c.ID == del.Contact && c.Address == del.Body.Address && c.Method != people.Email {
			return c.Shown()
		}
	}
	switch m := people.Method(del.Body.Method); m {
	case people.WebPush, people.Ntfy, people.Gotify, people.Pushover, people.Telegram:
		return people.Contact{Method: m, Address: del.Body.Address}.Shown()
	}
	return del.Body.Address
}
