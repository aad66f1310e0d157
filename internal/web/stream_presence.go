package web

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/web/view"
)

// The pace of presence.
const (
	// linger is for how long somebody is still there after their last stream has
	// ended: going from page to page is not leaving.
	linger = 30 * time.Second
	// renew is how often this node says again who is there.
	renew = 35 * time.Second
	// typingFor is for how long a key press counts; scripts send the next one sooner.
	typingFor = 6 * time.Second
	// together is how long changes are collected before all are told.
	together = 250 * time.Millisecond
)

// presence knows who is there, on all nodes: each writes down the pages that
// are open on it, and reads what the others wrote. It works while a page is
// open here; what it knows is then passed to the streams.
type presence struct {
	mu      sync.Mutex
	local   map[string]store.Presence // pages of this node by session; guarded by mu
	dirty   map[string]bool           // of those, what is not written down yet; guarded by mu
	streams map[string]int            // open ones of a page; guarded by mu
	seen    []store.Presence          // of all nodes, as read last; guarded by mu
	told    map[id.User]string        // who is there, as streams were told last; guarded by mu
	frame   []byte                    // what they were told; guarded by mu
	turn    int                       // of frame; guarded by mu
	heard   map[*func()]struct{}      // who is told of changes; guarded by mu
	open    int                       // streams; guarded by mu
	stop    func()                    // ends the loop and waits for it; guarded by mu
	wake    chan struct{}             // something of this node has changed; guarded by mu
}

// arrive says that a page was opened, and calls changed whenever somebody
// comes, goes or types; the caller calls what it returns when the stream ends.
func (p *presence) arrive(ctx context.Context, s *store.Store, log *slog.Logger, page store.Presence, changed func()) (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.local == nil {
		p.local, p.dirty, p.heard, p.wake = map[string]store.Presence{}, map[string]bool{}, map[*func()]struct{}{}, make(chan struct{}, 1)
		p.streams = map[string]int{}
	}
	p.streams[page.Session]++ // a page that connects anew may do so before its old connection has ended
	p.heard[&changed] = struct{}{}
	p.put(page)
	if p.open++; p.open == 1 {
		p.begin(context.WithoutCancel(ctx), s, log)
	}
	return func() {
		p.mu.Lock()
		delete(p.heard, &changed)
		if p.streams[page.Session]--; p.streams[page.Session] == 0 {
			delete(p.streams, page.Session)
		}
		if gone, ok := p.local[page.Session]; ok && p.streams[page.Session] == 0 {
			gone.Until, gone.Typing = time.Now().Add(linger), time.Time{}
			p.put(gone)
		}
		p.open--
		stop := p.stop
		if p.open > 0 {
			stop = func() {}
		}
		p.mu.Unlock()
		stop()
	}
}

// put notes a page of this node; mu is held.
func (p *presence) put(page store.Presence) {
	p.local[page.Session], p.dirty[page.Session] = page, true
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// change edits what is known of a page of this node; false when it is not here.
func (p *presence) change(session string, user id.User, edit func(*store.Presence)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	page, ok := p.local[session]
	if !ok || page.Person != user || !page.Until.IsZero() {
		return false
	}
	edit(&page)
	p.put(page)
	return true
}

// begin starts the loop, which ends with the last stream; mu is held.
func (p *presence) begin(ctx context.Context, s *store.Store, log *slog.Logger) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	p.stop = func() { cancel(); <-ended }
	go func() {
		defer close(ended)
		p.follow(ctx, s, log)
		if err := p.pass(context.WithoutCancel(ctx), s); err != nil { // the last ones to go
			log.WarnContext(ctx, "write presence", "err", err)
		}
	}()
}

func (p *presence) follow(ctx context.Context, s *store.Store, log *slog.Logger) {
	wake, stop := s.Wake(store.Presences)
	defer stop()
	again := time.NewTicker(renew)
	defer again.Stop()
	for {
		if err := p.pass(ctx, s); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "follow presence", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-wake:
		case <-again.C:
			p.renewAll()
		}
		select { // what comes together is told together
		case <-ctx.Done():
			return
		case <-time.After(together):
		}
	}
}

func (p *presence) renewAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for session := range p.local {
		p.dirty[session] = true
	}
}

// pass writes what has changed here and reads what is known everywhere.
func (p *presence) pass(ctx context.Context, s *store.Store) error {
	p.mu.Lock()
	var rows []store.Presence
	for session := range p.dirty {
		page := p.local[session]
		rows = append(rows, page)
		if !page.Until.IsZero() {
			delete(p.local, session)
		}
	}
	clear(p.dirty)
	p.mu.Unlock()
	if len(rows) > 0 {
		if err := s.SetPresences(ctx, rows); err != nil {
			p.mu.Lock()
			for _, page := range rows {
				if _, ok := p.local[page.Session]; ok {
					p.dirty[page.Session] = true
				}
			}
			p.mu.Unlock()
			return err
		}
	}
	seen, err := s.Present(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	news := !slices.EqualFunc(p.seen, seen, sameDoing)
	p.seen = seen
	var told []func()
	for f := range p.heard {
		told = append(told, *f)
	}
	p.mu.Unlock()
	if news {
		for _, f := range told {
			f()
		}
	}
	return nil
}

// sameDoing leaves out what changes by being renewed.
func sameDoing(a, b store.Presence) bool {
	a.Until, b.Until = time.Time{}, time.Time{}
	return a == b
}

// states says who is there: "online", or "away" when all of their pages rest.
func (p *presence) states() map[id.User]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	pages := slices.Collect(maps.Values(p.local)) // also what is not written down yet
	for _, page := range p.seen {
		if _, mine := p.local[page.Session]; !mine {
			pages = append(pages, page)
		}
	}
	return store.WhoIsThere(pages)
}

// typist is somebody who is typing, in a thread or (0) in the room itself.
type typist struct {
	thread id.Seq
	user   id.User
}

// typing lists who is typing in a room and its threads, other than u.
func (p *presence) typing(r id.Room, u id.User, now time.Time) []typist {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []typist
	for _, page := range p.seen {
		if one := (typist{page.Thread, page.Person}); page.Room == r && page.Person != u && page.Typing.After(now) && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b typist) int { return cmp.Or(cmp.Compare(a.thread, b.thread), cmp.Compare(a.user, b.user)) })
	return all
}

// crew is who is there and who is on call.
type crew struct {
	states map[id.User]string
	onCall map[id.User]bool
}

func (s *Server) crew(o *org.Org) crew {
	c := crew{states: s.presence.states(), onCall: map[id.User]bool{}}
	for _, u := range o.OnCallOf("", s.Now()) {
		c.onCall[u] = true
	}
	return c
}

// row is a person as viewer sees them.
func (c crew) row(o *org.Org, u, viewer id.User) view.PersonRow {
	user, ok := o.Users[u]
	if !ok {
		user = people.User{ID: u, Name: string(u)}
	}
	row := personRow(user, c.onCall[u], c.states[u])
	row.You = u == viewer
	row.Warning = ""
	if user.Zone != o.Users[viewer].Zone {
		row.Zone = user.Zone
	}
	return row
}

// sorted puts those in front who are there.
func (c crew) sorted(o *org.Org, users []id.User) []id.User {
	rank := map[string]int{"online": 0, "away": 1, "": 2}
	return slices.SortedFunc(slices.Values(users), func(a, b id.User) int {
		return cmp.Or(cmp.Compare(rank[c.states[a]], rank[c.states[b]]), cmp.Compare(o.UserName(a), o.UserName(b)))
	})
}

// roomTargets are all who can be talked to alone.
func roomTargets(o *org.Org) []people.User {
	return slices.DeleteFunc(activePeople(o), func(u people.User) bool { return u.Robot })
}

// mayHear reports whether a stream of u's may carry what stands in a room.
func mayHear(o *org.Org, u id.User, r id.Room) bool { return r == room.Main || o.CanRead(u, r) }

// news is who is there, for a stream that was told the given turn last; it is
// made once for all of them, and empty when nothing has changed.
func (p *presence) news(last int) (frame []byte, turn int, err error) {
	states := p.states()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.turn == 0 || !maps.Equal(states, p.told) {
		if p.frame, err = event("presence", 0, map[string]any{"users": states}); err != nil {
			return nil, last, err
		}
		p.told = states
		p.turn++
	}
	if p.turn == last {
		return nil, last, nil
	}
	return p.frame, p.turn, nil
}
