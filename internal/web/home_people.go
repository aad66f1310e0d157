package web

import (
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// crowd is the people pane, the same for everybody who looks at it.
type crowd struct {
	duties []duty
	all    []row
}

type duty struct {
	view.Duty
	now, next []id.User
}

type row struct {
	view.PersonRow
	user id.User
}

// crowds keeps the crowd for a moment, for all streams of this node.
type crowds struct {
	mu      sync.Mutex
	at      time.Time // guarded by mu
	last    crowd     // guarded by mu
	version int       // of last; guarded by mu
}

// crowdFor is how old a crowd may be in a stream.
const crowdFor = 5 * time.Second

// now returns the crowd and its version, which stays while nothing changes.
func (c *crowds) now(now time.Time, look func() crowd) (crowd, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := now.Sub(c.at); c.version > 0 && age >= 0 && age < crowdFor {
		return c.last, c.version
	}
	fresh := look()
	c.at = now
	if c.version == 0 || !reflect.DeepEqual(fresh.still(), c.last.still()) {
		c.last = fresh
		c.version++
	}
	return c.last, c.version
}

// still is the crowd without who is there, which is told by itself.
func (c crowd) still() crowd {
	out := crowd{}
	rest := func(all []view.PersonRow) []view.PersonRow {
		all = slices.Clone(all)
		for i := range all {
			all[i].Presence = ""
		}
		return all
	}
	for _, d := range c.duties {
		d.Now, d.Next = rest(d.Now), rest(d.Next)
		out.duties = append(out.duties, d)
	}
	for _, r := range c.all {
		r.Presence = ""
		out.all = append(out.all, r)
	}
	return out
}

// people says who is on call now and next, and who else there is.
func (s *Server) people(o *org.Org, now time.Time) crowd {
	var c crowd
	onCall := map[id.User]bool{}
	for _, r := range org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		d := duty{Duty: view.Duty{Rotation: r.Name, Team: o.Teams[r.Team].Name, Href: "/oncall"}}
		for _, shift := range o.OnCall(r.ID, now) {
			d.now = append(d.now, shift.User)
			onCall[shift.User] = true
		}
		d.Until, d.next = o.TakeOver(r.ID, now)
		d.NextAt = d.Until
		c.duties = append(c.duties, d)
	}
	there := s.presence.states()
	for i, d := range c.duties {
		c.duties[i].Now = rows(o, d.now, onCall, there)
		c.duties[i].Next = rows(o, d.next, onCall, there)
	}
	for _, u := range activePeople(o) {
		c.all = append(c.all, row{personRow(u, onCall[u.ID], there[u.ID]), u.ID})
	}
	return c
}

func rows(o *org.Org, users []id.User, onCall map[id.User]bool, there map[id.User]string) []view.PersonRow {
	var all []view.PersonRow
	for _, u := range users {
		user, ok := o.Users[u]
		if !ok {
			user = people.User{ID: u, Name: string(u)}
		}
		all = append(all, personRow(user, onCall[u], there[u]))
	}
	return all
}

func personRow(u people.User, onCall bool, presence string) view.PersonRow {
	p := view.PersonRow{ID: string(u.ID), Name: u.Name, Username: u.Username, Robot: u.Robot, OnCall: onCall, Presence: presence}
	if !u.Robot && !u.Reachable() {
		p.Warning = phrase.T("webmain.people.unreachable")
	}
	return p
}

// as is the crowd as one of them sees it.
func (c crowd) as(viewer id.User) view.People {
	var out view.People
	for _, d := range c.duties {
		d.Now = slices.Clone(d.Now)
		for i, u := range d.now {
			d.Now[i].You = u == viewer
			d.Now[i].OnCall = false // it stands under "on call now"
		}
		out.Duties = append(out.Duties, d.Duty)
	}
	for _, r := range c.all {
		if r.You = r.user == viewer; r.You {
			r.Presence = "online" // or who is asking?
		}
		out.All = append(out.All, r.PersonRow)
	}
	return out
}
