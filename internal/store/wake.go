package store

import (
	"sync"
	"time"
)

// Whoever follows the timeline looks at it after a wake, and looking costs
// something, for some of them a commit. So wakes are rationed: a few in a row
// are passed on at once, which is what an alert on a quiet day causes until its
// page is sent; while commits keep coming there is one every wakeGap, and
// following does not compete with writing.
const (
	wakeGap   = 10 * time.Millisecond
	wakeBurst = 10
)

// wakes is who wants to know of commits.
type wakes struct {
	mu      sync.Mutex
	waiting map[chan struct{}]bool // true: has not been told of a commit yet; guarded by mu
	paid    time.Time              // the ration is used up to here; guarded by mu
	later   bool                   // a timer will tell; guarded by mu
}

func newWakes() *wakes { return &wakes{waiting: map[chan struct{}]bool{}} }

// Wake returns a channel that receives after every commit of this node or,
// on PostgreSQL, of any node; and a function that ends it. It is a hint:
// several commits may be one wake, and one may be lost with its node.
func (s *Store) Wake() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	w := s.wakes
	w.mu.Lock()
	w.waiting[c] = false
	w.mu.Unlock()
	return c, func() {
		w.mu.Lock()
		delete(w.waiting, c)
		w.mu.Unlock()
	}
}

func (s *Store) wakeAll() { s.wakes.committed(time.Now()) }

func (w *wakes) committed(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.waiting {
		w.waiting[c] = true
	}
	if w.later {
		return
	}
	if full := now.Add(-wakeBurst * wakeGap); w.paid.Before(full) {
		w.paid = full
	}
	w.paid = w.paid.Add(wakeGap)
	if wait := w.paid.Sub(now); wait > 0 {
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
	for c, wanted := range w.waiting {
		if !wanted {
			continue
		}
		w.waiting[c] = false
		select {
		case c <- struct{}{}:
		default: // it has not looked since the last one
		}
	}
}
