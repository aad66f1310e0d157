// Package track finds out what became of pages after a provider took them, for
// installations that no callback can reach and for callbacks that got lost. It
// listens to providers whose answers come only that way, asks about messages
// that are out, and ends the noise of those that nobody needs any more.
//
//	org definitions ─▶ one Listener for each provider that needs it, each under a lease of its own
//	deliveries that are out ─▶ Tracker.Track ─┐
//	                                          ├─▶ Taker.TakeEvent
//	Listener.Listen ──────────────────────────┘
//	deliveries that are noisy for nothing ─▶ Canceller.Cancel
//
// It promises that among all nodes one asks and one listens to each provider
// (apart from the moments in which a lease changes hands, which do no harm:
// taking an event twice is the same as once), and that a provider that fails is
// asked more rarely, never no more. What an event means is decided by Taker.
//
// What it remembers (whom it asked when, what it told already) only saves
// questions; after a restart it is learnt again from the deliveries.
package track

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/lease"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// The figures of asking.
const (
	every      = 5 * time.Second  // Pushover wants no more; carriers confirm within seconds
	slowest    = time.Minute      // between two questions about one message
	askAbout   = 3 * time.Hour    // the longest that a Pushover page sounds
	askTimeout = 10 * time.Second // for one question
	atOnce     = 8                // questions at a time
	maxFlights = 2000             // of one look
	leaseFor   = 15 * time.Second
)

// Taker takes what a provider tells; see hooks.Taker. An event about nothing
// that is known is a fault.NotFound, and an answer that cannot count any more
// another fault; any other error is worth another try.
type Taker interface {
	TakeEvent(ctx context.Context, m people.Method, p id.Provider, ev notify.Event) (reply string, err error)
}

// Options are what a Tracker needs.
type Options struct {
	Store    *store.Store
	Carriers *carrier.Set
	Events   Taker
	Log      *slog.Logger
	Holder   string        // the name of this process in leases
	Interval time.Duration // between two looks; 0: five seconds
}

// Tracker asks and listens.
type Tracker struct {
	store    *store.Store
	carriers *carrier.Set
	events   Taker
	log      *slog.Logger
	holder   string
	interval time.Duration

	out map[message]*flight // what is asked about; used by the one goroutine of followOut
}

// New returns a Tracker that does nothing until Run.
func New(o Options) *Tracker {
	if o.Interval == 0 {
		o.Interval = every
	}
	return &Tracker{
		store: o.Store, carriers: o.Carriers, events: o.Events, log: o.Log, holder: o.Holder, interval: o.Interval,
	}
}

// Run asks and listens until ctx ends, and then waits for what is under way.
func (t *Tracker) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { t.listen(ctx) })
	wg.Go(func() {
		// The error is that of followOut, which has none.
		_ = lease.Run(ctx, t.store, "track", t.holder, leaseFor, t.followOut)
	})
	wg.Wait()
	return nil
}

// followOut asks about what is out, and ends noise, until ctx ends.
func (t *Tracker) followOut(ctx context.Context) error {
	t.out = map[message]*flight{} // what was known is old when the lease comes back
	wake, stop := t.store.Wake(store.Entries)
	defer stop()
	for {
		began := time.Now()
		if err := t.once(ctx, began); err != nil && ctx.Err() == nil {
			t.log.ErrorContext(ctx, "ask what became of pages", "err", err)
		}
		if !t.wait(ctx, wake, began.Add(t.interval)) {
			return nil
		}
	}
}

// wait ends noise whenever the timeline goes on, for that is how an
// acknowledgement shows, until the next look is due; false when ctx has ended.
func (t *Tracker) wait(ctx context.Context, wake <-chan struct{}, due time.Time) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Until(due)):
			return true
		case <-wake:
			if !t.loud() {
				continue
			}
			if err := t.quieten(ctx, time.Now()); err != nil && ctx.Err() == nil {
				t.log.ErrorContext(ctx, "end the noise of pages", "err", err)
			}
		}
	}
}

// once is one look at everything that is out.
func (t *Tracker) once(ctx context.Context, now time.Time) (err error) {
	defer fault.Recover(&err)
	if err := t.quieten(ctx, now); err != nil {
		return err
	}
	return t.ask(ctx, now)
}

// take hands an event over. ok says that it need not be handed over again.
func (t *Tracker) take(ctx context.Context, m people.Method, p id.Provider, ev notify.Event) (ok bool) {
	_, err := t.events.TakeEvent(ctx, m, p, ev)
	if err != nil && ctx.Err() == nil {
		t.log.WarnContext(ctx, "take what a provider tells", "method", m, "provider", p, "err", err)
	}
	return err == nil || final(err)
}

// final reports whether an event that was refused with err can never count.
func final(err error) bool {
	switch fault.CodeOf(err) {
	case fault.CodeInvalid, fault.CodeForbidden, fault.CodeNotFound, fault.CodeConflict:
		return true
	}
	return false
}
