package store

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/timeline"
)

// Topics say what a commit has brought.
type Topics uint8

// The topics. Whatever is due later than in a minute wakes nobody, for those who
// wait for it look more often by themselves; nor does what is not due before
// something that they were told of.
const (
	Entries    Topics = 1 << iota // an entry, or a changed incident
	Timers                        // a timer that is due soon
	Deliveries                    // a delivery that is due soon
	Presences                     // somebody came, left, or is typing
	Commands                      // a command that somebody gave, or what became of it
	Messages                      // something that was said; or the organisation changed, and somebody may be new

	everything = Entries | Timers | Deliveries | Presences | Commands | Messages
)

// soon is how far ahead a commit tells of what will be due.
const soon = time.Minute

var letters = map[Topics]string{Entries: "e", Timers: "t", Deliveries: "d", Presences: "p", Commands: "c", Messages: "m"}

// topics of what is about to be committed.
func (tx *Tx) topics() Topics {
	if tx.restored {
		return everything
	}
	t := tx.about
	if len(tx.entries) > 0 || len(tx.incidents) > 0 {
		t |= Entries
	}
	if len(tx.defs) > 0 || slices.ContainsFunc(tx.entries, spoken) {
		t |= Messages
	}
	var timer, delivery time.Time
	for _, due := range tx.timers {
		timer = sooner(timer, due)
	}
	for _, d := range tx.deliveries {
		if d.State == Pending || d.State == Accepted {
			delivery = sooner(delivery, d.DueAt)
		}
	}
	if tx.s.wakes.isNews(Timers, timer, tx.Now) {
		t |= Timers
	}
	if tx.s.wakes.isNews(Deliveries, delivery, tx.Now) {
		t |= Deliveries
	}
	return t
}

// spoken reports whether an entry is something that was said, or said anew.
func spoken(e timeline.Entry) bool {
	return e.Kind == timeline.MessagePosted || e.Kind == timeline.MessageEdited
}

// sooner is the earlier of two instants, of which the zero time is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// isNews reports whether those who wait for a topic must be told that something
// is due at an instant.
func (w *wakes) isNews(about Topics, due, now time.Time) bool {
	if due.IsZero() || due.After(now.Add(soon)) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if told := w.told[about]; told.After(now) && !due.Before(told) {
		return false
	}
	if w.told == nil {
		w.told = map[Topics]time.Time{}
	}
	w.told[about] = due
	return true
}

// news is what other nodes are told of a commit: who speaks, and the topics.
func news(node string, t Topics) string {
	var b strings.Builder
	b.WriteString(node + ":")
	for topic, letter := range letters {
		if t&topic != 0 {
			b.WriteString(letter)
		}
	}
	return b.String()
}

// readNews is what a notification says to a node: nothing of its own commits,
// everything when it cannot be read.
func readNews(node, text string) Topics {
	from, said, ok := strings.Cut(text, ":")
	if !ok {
		return everything
	}
	if from == node {
		return 0
	}
	var t Topics
	for topic, letter := range letters {
		if strings.Contains(said, letter) {
			t |= topic
		}
	}
	return t
}

// Whoever follows the timeline looks at it after a wake, and looking costs
// something, for some of them a commit. So wakes are rationed: a few in a row
// are passed on at once, which is what an alert on a quiet day causes until its
// page is sent; while commits keep coming there is one every wakeGap, and
// following does not compete with writing.
const (
	wakeGap   = 10 * time.Millisecond
	wakeBurst = 10
)

// ration lets a few through in a row, and then one every wakeGap.
type ration struct {
	paid time.Time // it is used up to here
}

// take is false when there is nothing left now.
func (r *ration) take(now time.Time) bool {
	if r.wait(now) > 0 {
		return false
	}
	r.charge()
	return true
}

// wait is for how long there is nothing left.
func (r *ration) wait(now time.Time) time.Duration {
	if full := now.Add(-wakeBurst * wakeGap); r.paid.Before(full) {
		r.paid = full
	}
	return r.paid.Add(wakeGap).Sub(now)
}

func (r *ration) charge() { r.paid = r.paid.Add(wakeGap) }

// wakes is who wants to know of commits.
type wakes struct {
	mu      sync.Mutex
	waiting map[chan struct{}]*waiter // guarded by mu
	ration  ration                    // guarded by mu
	later   bool                      // a timer will tell; guarded by mu
	told    map[Topics]time.Time      // the next instant that was told of; guarded by mu
}

// waiter is somebody who waits.
type waiter struct {
	about Topics
	news  bool // has not been told of a commit yet
}

func newWakes() *wakes { return &wakes{waiting: map[chan struct{}]*waiter{}} }

// Wake returns a channel that receives after every commit about one of the
// topics by this node or, on PostgreSQL, by any node; and a function that ends
// it. It is a hint: several commits may be one wake, and one may be lost with
// its node.
func (s *Store) Wake(about Topics) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	w := s.wakes
	w.mu.Lock()
	w.waiting[c] = &waiter{about: about}
	w.mu.Unlock()
	return c, func() {
		w.mu.Lock()
		delete(w.waiting, c)
		w.mu.Unlock()
	}
}

func (s *Store) wake(about Topics) { s.wakes.committed(about, time.Now()) }

func (w *wakes) committed(about Topics, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := false
	for _, who := range w.waiting {
		if who.about&about != 0 {
			who.news, told = true, true
		}
	}
	if w.later || !told {
		return
	}
	wait := w.ration.wait(now)
	w.ration.charge()
	if wait > 0 {
		w.later = true
		time.AfterFunc(wait, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.later = false
			w.tell()
		})
		return
	}
	w.tell()
}

// tell is called with mu held.
func (w *wakes) tell() {
	for c, who := range w.waiting {
		if !who.news {
			continue
		}
		who.news = false
		select {
		case c <- struct{}{}:
		default: // it has not looked since the last one
		}
	}
}
