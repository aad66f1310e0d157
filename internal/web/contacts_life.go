package web

import (
	"strconv"

	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/web/view"
)

// sentRow is a delivery as a message with a life.
func sentRow(o *org.Org, d store.Delivery) view.Sent {
	row := view.Sent{
		Name: o.UserName(d.Person), Method: d.Body.Method, Contact: shownContact(o, d), State: string(d.State), At: d.CreatedAt,
		Detail: d.Body.Detail, Tries: d.Attempt, Bundled: d.Body.Bundled, Subject: subjectOf(d),
		Life: []view.LifePoint{{State: "planned", At: d.CreatedAt}},
	}
	if d.Incident != 0 {
		row.Href = "/incidents/" + strconv.FormatInt(int64(d.Incident), 10)
	}
	for _, m := range d.Body.Life {
		point := view.LifePoint{State: string(m.State), At: m.At, Detail: m.Detail}
		if m.State == store.Pending { // a try has failed, and the next one waits
			if point.State = "retrying"; row.Life[len(row.Life)-1].State == point.State {
				continue // how many there were is said beside
			}
		}
		row.Life = append(row.Life, point)
	}
	// Messages of before there was a life have their end alone.
	if len(d.Body.Life) == 0 && d.State != store.Pending && !d.Body.DoneAt.IsZero() {
		row.Life = append(row.Life, view.LifePoint{State: string(d.State), At: d.Body.DoneAt})
	}
	switch d.State {
	case store.Pending:
		row.Next = d.DueAt
		if !d.Body.HeldUntil.IsZero() && d.Body.HeldUntil.After(d.DueAt) {
			row.Next = d.Body.HeldUntil
		}
		if d.Attempt > 0 && d.Body.Detail != "" {
			row.State = "retrying"
		}
	case store.Accepted:
		row.Next = d.DueAt
	}
	return row
}

func subjectOf(d store.Delivery) string {
	switch {
	case d.Incident != 0:
		return incidentTitle(d.Incident, "")
	case d.Kind == store.DrillPage:
		return phrase.T("contacts_web.subject.drill")
	}
	return phrase.T("contacts_web.subject.notice")
}

// shownContact is where a message went, as anybody may read it: the contact
// method as it is called now, or of one that is gone its address, as far as it
// is no secret.
func shownContact(o *org.Org, d store.Delivery) string {
	for _, c := range o.Users[d.Person].Contacts {
		if c.ID == d.Contact {
			return c.Shown()
		}
	}
	return people.Contact{ID: d.Contact, Method: people.Method(d.Body.Method), Address: d.Body.Address}.Shown()
}
