package web

import (
	"context"
	"slices"

	"github.com/watchroom/watchroom/internal/explain"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/web/view"
)

// explained bounds how many people a room explains; of a big team the first.
const explained = 20

// why explains to each person who had to do with an incident, and to whoever
// looks at it, why they were paged or not.
func (s *Server) why(ctx context.Context, o *org.Org, inc incident.Incident, deliveries []store.Delivery, viewer id.User) ([]view.Why, error) {
	users := concerned(o, inc, deliveries, viewer)
	if len(users) == 0 {
		return nil, nil
	}
	entries, err := s.Store.Entries(ctx, store.EntryFilter{Incident: inc.ID, Limit: mostAtOnce})
	if err != nil {
		return nil, err
	}
	all := make([]view.Why, 0, len(users))
	for _, u := range users {
		lines := explain.Story(entries, fates(o, deliveries, u.ID), u)
		w := view.Why{Name: u.Name, You: u.ID == viewer, Verdict: lines[0].Text}
		for _, l := range lines[1:] {
			w.Lines = append(w.Lines, view.WhyLine{Kind: string(l.Kind), At: l.At, Text: l.Text})
		}
		all = append(all, w)
	}
	return all, nil
}

// concerned is whoever looks, then everybody who was paged or was to be.
func concerned(o *org.Org, inc incident.Incident, deliveries []store.Delivery, viewer id.User) []people.User {
	ids := slices.Concat([]id.User{viewer}, inc.Paged, inc.Responders)
	for _, d := range deliveries {
		ids = append(ids, d.Person)
	}
	var all []people.User
	seen := map[id.User]bool{}
	for _, u := range ids {
		user, ok := o.Users[u]
		if ok && !seen[u] && len(all) < explained {
			seen[u] = true
			all = append(all, user)
		}
	}
	return all
}

// fates are a person's messages as package explain knows them.
func fates(o *org.Org, deliveries []store.Delivery, u id.User) []explain.Fate {
	var all []explain.Fate
	for _, d := range deliveries {
		if d.Person != u {
			continue
		}
		f := explain.Fate{
			Entry: d.Entry, Method: people.Method(d.Body.Method), Address: shownContact(o, d), State: string(d.State),
			DueAt: d.DueAt, DoneAt: d.Body.DoneAt, Detail: d.Body.Detail,
		}
		if d.State != store.Pending {
			f.DueAt = d.CreatedAt // later it is when it should have arrived
		}
		switch d.State {
		case store.Late:
			f.State = string(store.Accepted)
		case store.Answered:
			f.State = string(store.Seen)
		}
		if n := len(d.Body.Life); n > 0 {
			f.DoneAt = d.Body.Life[n-1].At
		}
		all = append(all, f)
	}
	return all
}
