// Package live hands new entries and changed incidents to whoever has the
// timeline open. It reads the store behind the writer and keeps the latest
// events in a ring that all readers share, so that a reader costs a position
// and not a queue: writers never wait, and a reader that falls behind the ring
// is dropped and resumes by the number of the last entry it saw.
package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// ringSize is how many events a reader may be behind.
const ringSize = 4096

// readAtOnce bounds one read of the store.
const readAtOnce = 500

// The ways a subscription ends before its reader does.
var (
	ErrSlow   = errors.New("reader is too slow: resume by number")
	ErrReset  = errors.New("the numbers start anew: reload")
	ErrClosed = errors.New("the server is shutting down: reconnect")
)

// Event is a new entry, or an incident that changed (with or without an entry).
// Its readers share it: what each of thousands is given is no more than where it is.
type Event struct{ *event }

type event struct {
	Entry    timeline.Entry    // Entry.Seq is 0 for a change of an incident
	Incident incident.Incident // its ID is 0 for an entry
	// Org is the organisation as it was when the entry was read, at or after its
	// commit: who may see it need not be asked of the store by each reader. Nil
	// for what was missed and for changes of incidents.
	Org *org.Org

	mu     sync.Mutex
	frames map[string][]byte // what readers made of it, so that each form is made once; guarded by mu
}

// OfEntry is the event of a new entry.
func OfEntry(e timeline.Entry) Event { return Event{&event{Entry: e}} }

// Frame returns the bytes that render makes of e, made once for all readers
// that ask under the same name. They must not depend on the reader.
func (e Event) Frame(name string, render func(Event) ([]byte, error)) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if b, ok := e.frames[name]; ok {
		return b, nil
	}
	b, err := render(e)
	if err != nil {
		return nil, err
	}
	if e.frames == nil {
		e.frames = map[string][]byte{}
	}
	e.frames[name] = b
	return b, nil
}

// Hub follows the store for all readers of this node.
type Hub struct {
	store    *store.Store
	log      *slog.Logger
	interval time.Duration
	ready    chan struct{} // closed once seq is known

	mu      sync.Mutex
	ring    [ringSize]Event // guarded by mu
	next    int64           // position of the next event; guarded by mu
	news    chan struct{}   // closed and replaced when next grows; guarded by mu
	epoch   string          // guarded by mu
	seq     id.Seq          // last entry in the ring; guarded by mu
	rev     int64           // last change in the ring; guarded by mu
	resets  int             // guarded by mu
	readers int             // guarded by mu
	closed  bool            // guarded by mu
}

// New returns a Hub that looks at least every interval.
func New(s *store.Store, log *slog.Logger, interval time.Duration) *Hub {
	return &Hub{store: s, log: log, interval: interval, ready: make(chan struct{}), news: make(chan struct{})}
}

// Readers is how many subscriptions are open.
func (h *Hub) Readers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.readers
}

// Run follows the store until ctx ends; then every subscription ends with ErrClosed.
func (h *Hub) Run(ctx context.Context) error {
	wake, stop := h.store.Wake(store.Entries)
	defer stop()
	defer h.close()
	for {
		more, err := h.runOnce(ctx)
		if err != nil && ctx.Err() == nil {
			h.log.ErrorContext(ctx, "follow timeline", "subscriber", "live", "err", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(h.interval):
		}
	}
}

func (h *Hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	close(h.news)
	h.news = make(chan struct{})
}

func (h *Hub) runOnce(ctx context.Context) (more bool, err error) {
	defer fault.Recover(&err)
	head, err := h.store.Head(ctx)
	if err != nil {
		return false, err
	}
	h.mu.Lock()
	first, restored := h.epoch == "", h.epoch != "" && h.epoch != head.Epoch
	if first || restored {
		h.epoch, h.seq, h.rev = head.Epoch, head.Seq, head.Rev
	}
	if restored {
		h.resets++
		close(h.news)
		h.news = make(chan struct{})
	}
	if h.readers == 0 { // whoever comes begins here, or with what the store has
		h.seq, h.rev = head.Seq, head.Rev
	}
	seq, rev := h.seq, h.rev
	h.mu.Unlock()
	if first {
		close(h.ready)
	}
	if restored {
		h.log.InfoContext(ctx, "a backup was restored", "epoch", head.Epoch, "seq", head.Seq)
	}
	if head.Seq == seq && head.Rev == rev {
		return false, nil
	}
	var events []Event
	if head.Seq > seq {
		entries, err := h.store.EntriesTo(ctx, head, seq, readAtOnce)
		if err != nil {
			return false, err
		}
		for _, e := range entries {
			events = append(events, OfEntry(e))
			seq = e.Seq
		}
	}
	if len(events) > 0 {
		o, err := h.store.Org(ctx)
		if err != nil {
			return false, err
		}
		for _, e := range events {
			e.Org = o
		}
	}
	changed, rev, err := h.store.ChangedIncidents(ctx, rev, readAtOnce)
	if err != nil {
		return false, err
	}
	for _, inc := range changed {
		events = append(events, Event{&event{Incident: inc}})
	}
	h.publish(events, seq, rev)
	return len(events) > 0, nil
}

func (h *Hub) publish(events []Event, seq id.Seq, rev int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range events {
		h.ring[h.next%ringSize] = e
		h.next++
	}
	h.seq, h.rev = seq, rev
	close(h.news)
	h.news = make(chan struct{})
}

// Subscription is one reader.
type Subscription struct {
	hub    *Hub
	pos    int64  // in the ring
	after  id.Seq // last entry given
	upto   id.Seq // entries up to here come from the store, not from the ring
	resets int
	once   sync.Once
}

// Start is the after of whoever wants all that is kept, the first entry included.
const Start id.Seq = -1

// Subscribe gives everything after the entry with the given number, in order,
// without a gap and nothing twice; 0 means from now on. It waits until the Hub
// runs. The caller ends it with Close.
//
// Numbers of another history are found out only when they are far ahead:
// whoever knows the epoch of theirs compares it with the store's head after
// Subscribe. A backup that is restored later ends the subscription.
func (h *Hub) Subscribe(ctx context.Context, after id.Seq) (*Subscription, error) {
	select {
	case <-h.ready:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrClosed
	case after > h.seq:
		// A commit that this node has not read yet is possible, a number far ahead is another history.
		if after > h.seq+ringSize {
			return nil, ErrReset
		}
	case after == 0:
		after = h.seq
	case after < 0:
		after = 0
	}
	h.readers++
	return &Subscription{hub: h, pos: h.next, after: after, upto: h.seq, resets: h.resets}, nil
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.once.Do(func() {
		s.hub.mu.Lock()
		s.hub.readers--
		s.hub.mu.Unlock()
	})
}

// Next waits for events and returns all there are, at most readAtOnce. Its
// error is ErrSlow, ErrReset, ErrClosed or that of ctx.
func (s *Subscription) Next(ctx context.Context) ([]Event, error) {
	for {
		if s.after < s.upto {
			events, err := s.backlog(ctx)
			if err != nil || len(events) > 0 {
				return events, err
			}
		}
		events, news, err := s.fromRing()
		if err != nil || len(events) > 0 {
			return events, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-news:
		}
	}
}

func (s *Subscription) backlog(ctx context.Context) ([]Event, error) {
	entries, err := s.hub.store.Entries(ctx, store.EntryFilter{AllRooms: true, After: s.after, FromStart: s.after == 0, Limit: readAtOnce})
	if err != nil {
		return nil, fmt.Errorf("resume timeline: %w", err)
	}
	var events []Event
	for _, e := range entries {
		if e.Seq > s.upto { // the ring has it
			break
		}
		events = append(events, OfEntry(e))
		s.after = e.Seq
	}
	if len(events) == 0 { // retention has removed them
		s.after = s.upto
	}
	return events, nil
}

func (s *Subscription) fromRing() ([]Event, <-chan struct{}, error) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, nil, ErrClosed
	case s.resets != h.resets:
		return nil, nil, ErrReset
	case h.next-s.pos > ringSize:
		return nil, nil, ErrSlow
	}
	var events []Event
	for ; s.pos < h.next && len(events) < readAtOnce; s.pos++ {
		e := h.ring[s.pos%ringSize]
		if e.Entry.Seq != 0 {
			if e.Entry.Seq <= s.after {
				continue
			}
			s.after = e.Entry.Seq
		}
		events = append(events, e)
	}
	return events, h.news, nil
}
