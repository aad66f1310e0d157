package retention

import (
	"context"
	"errors"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
)

// counters are what is kept among the cursors of a run that has not ended, so
// that its entry tells of all of it whatever happens meanwhile.
var counters = []struct {
	name string
	of   func(store.Removed) int64
	add  func(*store.Removed, int64)
}{
	{"messages", func(r store.Removed) int64 { return int64(r.Messages) }, func(r *store.Removed, n int64) { r.Messages = int(n) }},
	{"entries", func(r store.Removed) int64 { return int64(r.Entries) }, func(r *store.Removed, n int64) { r.Entries = int(n) }},
	{"incidents", func(r store.Removed) int64 { return int64(r.Incidents) }, func(r *store.Removed, n int64) { r.Incidents = int(n) }},
	{"alerts", func(r store.Removed) int64 { return int64(r.Alerts) }, func(r *store.Removed, n int64) { r.Alerts = int(n) }},
	{"deliveries", func(r store.Removed) int64 { return int64(r.Deliveries) }, func(r *store.Removed, n int64) { r.Deliveries = int(n) }},
	{"files", func(r store.Removed) int64 { return int64(r.Files) }, func(r *store.Removed, n int64) { r.Files = int(n) }},
	{"bytes", func(r store.Removed) int64 { return r.Bytes }, func(r *store.Removed, n int64) { r.Bytes = n }},
	{"outputs", func(r store.Removed) int64 { return int64(r.Outputs) }, func(r *store.Removed, n int64) { r.Outputs = int(n) }},
	{"commands", func(r store.Removed) int64 { return int64(r.Commands) }, func(r *store.Removed, n int64) { r.Commands = int(n) }},
	{"events", func(r store.Removed) int64 { return int64(r.Events) }, func(r *store.Removed, n int64) { r.Events = int(n) }},
}

func counterName(name string) string { return "retention:" + name }

// keepCounts writes down the counts that differ.
func keepCounts(tx *store.Tx, was, now store.Removed) {
	for _, c := range counters {
		if n := c.of(now); n != c.of(was) {
			tx.SetCursor(counterName(c.name), id.Seq(n))
		}
	}
}

// counted is what was removed since the last entry about it.
func counted(cursors map[string]id.Seq) (r store.Removed) {
	for _, c := range counters {
		c.add(&r, int64(cursors[counterName(c.name)]))
	}
	return r
}

// EachCount names what was removed and how much of it, for meters.
func EachCount(r store.Removed, tell func(what string, n int64)) {
	for _, c := range counters {
		if n := c.of(r); n > 0 {
			tell(c.name, n)
		}
	}
}

// RanAt is when the last run ended; zero: none has.
func RanAt(cursors map[string]id.Seq) time.Time { return ranAt(cursors) }

// lookAhead is for how long somebody waits to learn what a setting would do.
const lookAhead = 3 * time.Second

// Forecast is what a setting would remove.
type Forecast struct {
	store.Removed
	AtLeast bool // there was too much to count all of it
}

// Preview counts what a setting would remove now, and removes nothing.
func Preview(ctx context.Context, s *store.Store, r org.Retention) (Forecast, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return Forecast{}, err
	}
	c := &count{store: s}
	short, cancel := context.WithTimeout(ctx, lookAhead)
	defer cancel()
	err = walk(short, s, LimitsAt(r, now), c)
	if err != nil && short.Err() != nil && ctx.Err() == nil && errors.Is(short.Err(), context.DeadlineExceeded) {
		return Forecast{c.total, true}, nil
	}
	return Forecast{Removed: c.total}, err
}

// count is a found that only counts.
type count struct {
	store *store.Store
	total store.Removed
}

func (c *count) entries(ctx context.Context, old []store.OldEntry) error {
	r, err := c.store.Count(ctx, old)
	c.total = c.total.Add(r)
	return err
}

func (c *count) incidents(ctx context.Context, old []store.OldIncident) error {
	numbers := make([]id.Incident, len(old))
	for i, inc := range old {
		numbers[i] = inc.ID
	}
	r, err := c.store.Belongings(ctx, numbers)
	c.total = c.total.Add(r)
	return err
}

func (c *count) alerts(_ context.Context, old []store.OldAlert) error {
	c.total.Alerts += len(old)
	return nil
}

func (c *count) deliveries(_ context.Context, old []store.OldDelivery) error {
	c.total.Deliveries += len(old)
	return nil
}

func (c *count) invocations(_ context.Context, records, outputs []invocation.Invocation) error {
	c.total.Commands += len(records)
	c.total.Outputs += len(outputs)
	return nil
}

func (c *count) events(_ context.Context, old []store.OldEvent) error {
	c.total.Events += len(old)
	return nil
}
