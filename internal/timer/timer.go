// Package timer fires what is due. The rows are the truth; the loop here only
// sleeps until the next one, is woken when something earlier comes, and looks
// again at every interval in case a wake was lost.
package timer

import (
	"context"
	"log/slog"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/store"
)

// Loop fires the timers of incidents. Any number of nodes may run one.
type Loop struct {
	store    *store.Store
	dispatch *dispatch.Dispatcher
	log      *slog.Logger
	interval time.Duration
}

// New returns a Loop that looks at least every interval.
func New(s *store.Store, d *dispatch.Dispatcher, log *slog.Logger, interval time.Duration) *Loop {
	return &Loop{store: s, dispatch: d, log: log, interval: interval}
}

// Run fires timers until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	wake, stop := l.store.Wake(store.Timers)
	defer stop()
	for {
		fired, err := l.runOnce(ctx)
		if err != nil && ctx.Err() == nil {
			l.log.ErrorContext(ctx, "fire timers", "err", err)
		}
		if fired > 0 && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-time.After(l.pause(ctx)):
		}
	}
}

func (l *Loop) runOnce(ctx context.Context) (fired int, err error) {
	defer fault.Recover(&err)
	due, err := l.store.TimerDue(ctx) // costs no writer
	if err != nil || !due {
		return 0, err
	}
	return l.dispatch.FireTimers(ctx)
}

// pause is until the next timer is due, at most the interval.
func (l *Loop) pause(ctx context.Context) time.Duration {
	wait, err := l.untilNext(ctx)
	if err != nil { // the next round meets it, too, and says so
		return l.interval
	}
	return min(max(wait, 2*time.Millisecond), l.interval)
}

func (l *Loop) untilNext(ctx context.Context) (wait time.Duration, err error) {
	defer fault.Recover(&err)
	next, err := l.store.NextTimer(ctx)
	if err != nil || next.IsZero() {
		return l.interval, err
	}
	now, err := l.store.Now(ctx)
	return next.Sub(now), err
}
