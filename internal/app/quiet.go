package app

import (
	"context"
	"errors"
	"log/slog"

	"github.com/watchroom/watchroom/internal/store"
)

// quiet is a log in which the database's being away is told once, by the store:
// what every loop says of it meanwhile, many times a second, is for those who
// look closely. Requests that were answered with an error keep their lines, for
// people come with their numbers.
type quiet struct {
	slog.Handler
	away func() bool // the database, now
}

// Handle implements slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	if r.Level > slog.LevelDebug && q.repeats(r) {
		if !q.Enabled(ctx, slog.LevelDebug) {
			return nil
		}
		r = r.Clone()
		r.Level = slog.LevelDebug
	}
	return q.Handler.Handle(ctx, r)
}

// repeats reports whether r says nothing but that the database is away.
func (q quiet) repeats(r slog.Record) bool {
	of, request := false, false
	r.Attrs(func(a slog.Attr) bool {
		err, ok := a.Value.Any().(error)
		if ok && (store.IsAway(err) || errors.Is(err, context.DeadlineExceeded) && q.away()) {
			of = true
		}
		request = request || a.Key == "request"
		return true
	})
	return of && !request
}

// WithAttrs implements slog.Handler.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quiet{q.Handler.WithAttrs(attrs), q.away}
}

// WithGroup implements slog.Handler.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name), q.away} }

// hush puts quiet in front of the log of a node.
func (a *App) hush() {
	a.opts.Log = slog.New(quiet{a.opts.Log.Handler(), func() bool {
		if a.Store == nil {
			return false
		}
		_, away := a.Store.Outage()
		return away
	}})
}
