package web

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/markdown"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// marks tells the streams of a person what that person has read elsewhere, on
// this node. A stream on another node learns it when it connects anew.
type marks struct {
	mu      sync.Mutex
	readers map[id.User][]*reader // guarded by mu
}

func (m *marks) join(out *reader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.readers == nil {
		m.readers = map[id.User][]*reader{}
	}
	m.readers[out.actor.User] = append(m.readers[out.actor.User], out)
}

func (m *marks) leave(out *reader) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := slices.DeleteFunc(m.readers[out.actor.User], func(o *reader) bool { return o == out })
	if m.readers[out.actor.User] = rest; len(rest) == 0 {
		delete(m.readers, out.actor.User)
	}
}

func (m *marks) read(u id.User, r id.Room, seq id.Seq) {
	m.mu.Lock()
	all := slices.Clone(m.readers[u])
	m.mu.Unlock()
	for _, out := range all {
		out.nudge.add(markRoom{r, seq})
	}
}

// nudge wakes a stream for what is no entry: who is there, who is typing, what
// its reader has read in another window.
type nudge struct {
	mu    sync.Mutex
	wake  func()     // ends the wait of the stream; guarded by mu
	there bool       // presence has changed; guarded by mu
	read  []markRoom // guarded by mu
}

// arm says how to end the wait that is about to begin; what came in between
// ends it at once.
func (n *nudge) arm(wake func()) {
	n.mu.Lock()
	n.wake = wake
	waiting := n.there || len(n.read) > 0
	n.mu.Unlock()
	if waiting {
		wake()
	}
}

func (n *nudge) presence() {
	n.mu.Lock()
	n.there = true
	wake := n.wake
	n.mu.Unlock()
	if wake != nil {
		wake()
	}
}

func (n *nudge) add(m markRoom) {
	n.mu.Lock()
	n.read = append(n.read, m)
	wake := n.wake
	n.mu.Unlock()
	if wake != nil {
		wake()
	}
}

// take returns what there is and forgets it.
func (n *nudge) take() (there bool, read []markRoom) {
	n.mu.Lock()
	defer n.mu.Unlock()
	there, read = n.there, n.read
	n.there, n.read = false, nil
	return there, read
}

// called is a message that its reader should hear of, for a notification.
type called struct {
	Seq    id.Seq `json:"seq"`
	By     string `json:"by"`
	Text   string `json:"text"`
	Direct bool   `json:"direct,omitempty"`
}

// calledText is how much of a message a notification shows.
const calledText = 160

// unread tells of a message that was written, in whatever room, if it is one of
// the reader's.
func (out *reader) unread(ctx context.Context, o *org.Org, news live.Event) error {
	e, u := news.Entry, out.actor.User
	p, ok := e.Payload.(timeline.Message)
	if !ok || u == "" || e.Actor.User == u || e.Seq <= out.missed || !listed(o, u, e.Room) {
		return nil
	}
	n, known := out.counts[e.Room]
	mentioned := slices.Contains(p.Mentions, u)
	if known {
		n.Count = min(n.Count+1, store.MaxUnread)
		if mentioned {
			n.Mentions++
		}
	} else {
		found, err := out.s.Store.Unread(ctx, u, []id.Room{e.Room})
		if err != nil {
			return err
		}
		n = found[e.Room]
	}
	call := out.callOf(o, e, p, mentioned)
	if r, ok := o.Room(e.Room); !ok || r.ID != room.Main && r.Slug == "" {
		return out.tell(o, e.Room, n, call) // its name depends on who reads
	}
	out.count(e.Room, n)
	// Thousands read the same room, and most of them have read as much of it.
	name := "web:unread:" + strconv.Itoa(n.Count) + ":" + strconv.Itoa(n.Mentions)
	if call != nil {
		name += ":call"
	}
	frame, err := news.Frame(name, func(live.Event) ([]byte, error) {
		return out.unreadFrame(o, e.Room, n, call)
	})
	out.write(frame)
	return err
}

// changed tells of a message that was edited, when that calls the reader, or
// deleted, when it may have been counted.
func (out *reader) changed(ctx context.Context, o *org.Org, e timeline.Entry) error {
	u := out.actor.User
	if u == "" || e.Seq <= out.missed || !listed(o, u, e.Room) {
		return nil
	}
	var call *called
	switch p := e.Payload.(type) {
	case timeline.Edit:
		mentioned := slices.Contains(p.Calls, u)
		if e.Actor.User == u || !mentioned && !p.Here {
			return nil
		}
		said := e
		said.Seq = p.Of
		call = out.callOf(o, said, timeline.Message{Text: p.Text, Everybody: p.Here}, mentioned)
	case timeline.Deletion:
		if n, known := out.counts[e.Room]; known && n.Count == 0 {
			return nil
		}
	default:
		return nil
	}
	found, err := out.s.Store.Unread(ctx, u, []id.Room{e.Room})
	if err != nil {
		return err
	}
	return out.tell(o, e.Room, found[e.Room], call)
}

// callOf is what a notification says; nil when the reader wants none.
func (out *reader) callOf(o *org.Org, e timeline.Entry, p timeline.Message, mentioned bool) *called {
	_, _, direct := room.DirectMembers(e.Room)
	if !mentioned && !direct && !p.Everybody || o.Users[out.actor.User].Quiet(out.s.Now()) {
		return nil
	}
	return &called{Seq: e.Seq, By: e.Actor.Name, Text: markdown.FirstLines(p.Text, 2, calledText), Direct: direct}
}

// tell sends how much of a room is unread.
func (out *reader) tell(o *org.Org, r id.Room, n store.Unread, call *called) error {
	out.count(r, n)
	frame, err := out.unreadFrame(o, r, n, call)
	out.write(frame)
	return err
}

func (out *reader) count(r id.Room, n store.Unread) {
	if out.counts == nil {
		out.counts = map[id.Room]store.Unread{}
	}
	out.counts[r] = n
}

// unreadFrame is empty when there is no such room.
func (out *reader) unreadFrame(o *org.Org, r id.Room, n store.Unread, call *called) ([]byte, error) {
	found, ok := o.Room(r)
	if !ok {
		return []byte{}, nil
	}
	if _, _, direct := room.DirectMembers(r); direct {
		n.Mentions = n.Count
	}
	return event("unread", 0, map[string]any{
		"room": roomName(r), "name": found.Shown(out.actor.User, nameIn(o)), "href": roomHref(o, out.actor.User, found),
		"count": n.Count, "mentions": n.Mentions, "call": call,
	})
}

// read tells of what the reader has read in another window.
func (out *reader) read(ctx context.Context, o *org.Org, marks []markRoom) error {
	for _, m := range marks {
		if !mayHear(o, out.actor.User, m.room) {
			continue
		}
		found, err := out.s.Store.Unread(ctx, out.actor.User, []id.Room{m.room})
		if err != nil {
			return err
		}
		if err := out.tell(o, m.room, found[m.room], nil); err != nil {
			return err
		}
	}
	return nil
}

// listed reports whether u has a room in their list.
func listed(o *org.Org, u id.User, r id.Room) bool {
	if r == room.Main {
		return true
	}
	found, ok := o.Room(r)
	return ok && found.Has(u)
}

// roomName is a room in addresses and events.
func roomName(r id.Room) string {
	if r == room.Main {
		return "main"
	}
	return string(r)
}
