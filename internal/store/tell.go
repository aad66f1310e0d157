package store

import (
	"context"
	"sync"
	"time"
)

// Telling other nodes of a commit makes the server lock a queue that is all
// databases', and wakes everybody who listens, ourselves too. So it is rationed
// as wakes are: a few commits in a row tell of themselves; while more keep
// coming, what they are about is owed, and told with a later commit or by the
// one who pays, at the latest after tellWithin. Nothing is put off unless
// somebody pays.
const tellWithin = 2 * wakeGap

// teller is what other nodes have not been told yet.
type teller struct {
	mu     sync.Mutex
	ration ration        // guarded by mu
	pays   int           // who pays; guarded by mu
	owed   Topics        // guarded by mu
	since  time.Time     // the oldest of it; guarded by mu
	owing  chan struct{} // wakes who pays
}

func newTeller() *teller { return &teller{owing: make(chan struct{}, 1)} }

// with returns what the commit that begins now tells: what it is about and
// whatever is owed, or nothing yet. It is settled when the commit has ended.
func (t *teller) with(about Topics, now time.Time) Topics {
	t.mu.Lock()
	defer t.mu.Unlock()
	if about == 0 || t.pays > 0 && !t.ration.take(now) {
		return 0
	}
	about |= t.owed
	t.owed = 0
	return about
}

// owe says that others are to be told, of what is committed by now.
func (t *teller) owe(about Topics, now time.Time) {
	if about == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.owed == 0 {
		t.since = now
	}
	t.owed |= about
	select {
	case t.owing <- struct{}{}:
	default: // who pays has not looked since the last time
	}
}

// due takes what must be told now; else it says for how long it may wait, 0
// when nothing is owed.
func (t *teller) due(now time.Time) (about Topics, wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.owed == 0 {
		return 0, 0
	}
	if left := t.since.Add(tellWithin).Sub(now); left > 0 {
		return 0, left
	}
	t.ration.charge()
	about, t.owed = t.owed, 0
	return about, 0
}

// pay has tell called with what commits did not tell themselves, until ctx ends.
func (t *teller) pay(ctx context.Context, tell func(Topics)) {
	t.hire(1)
	defer t.hire(-1)
	for {
		about, wait := t.due(time.Now())
		switch {
		case about != 0:
			tell(about)
		case wait > 0:
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		default:
			select {
			case <-ctx.Done():
				return
			case <-t.owing:
			}
		}
	}
}

func (t *teller) hire(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pays += n
}
