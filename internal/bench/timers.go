package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
)

// timers is how late escalation steps come: incidents whose next step is due
// within a few seconds are put into the database, then a node starts. A step
// counts from the instant it was due to the instant its transaction began.
func timers(ctx context.Context, r *run, t *table) (err error) {
	mail, err := openSink(ctx)
	if err != nil {
		return err
	}
	defer mail.close() //nolint:contextcheck // it waits for the last conversation, whatever becomes of ctx
	p, err := r.site.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.site.discard(context.WithoutCancel(ctx), p)) }()
	db, err := r.site.open(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()

	n := pick(r, 10_000, 3000)
	within := pick(r, 10*time.Second, 3*time.Second)
	begin := time.Now().Add(pick(r, 10*time.Second, 5*time.Second)).Truncate(time.Millisecond)
	due := func(i int) time.Time { return begin.Add(within * time.Duration(i) / time.Duration(n)) }
	waiting := pick(r, 100_000, 20_000) // beside those that are due
	tomorrow := begin.Add(24 * time.Hour)
	if err := r.fillTimers(ctx, db, n+waiting, func(i int) time.Time {
		if i >= n {
			return tomorrow
		}
		return due(i)
	}); err != nil {
		return err
	}
	node, err := r.startNode(ctx, p, mail.url())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, node.stop()) }()
	if late := time.Since(begin); late > 0 {
		return fmt.Errorf("filling took %s too long", late)
	}
	if err := pause(ctx, time.Until(due(n))); err != nil {
		return err
	}
	err = until(ctx, 30*time.Second, func() (bool, error) {
		left, err := db.number(ctx, "SELECT COUNT(*) FROM timer WHERE due_at < $1", due(n).UnixMicro())
		return left == 0, err
	})
	if err != nil {
		return fmt.Errorf("fire all timers: %w", err)
	}
	_, fired, err := db.rows(ctx, "SELECT incident, at FROM entry WHERE kind = 'step_started' ORDER BY seq")
	if err != nil {
		return err
	}
	times := map[int64]int{}
	var late samples
	for _, f := range fired {
		number, _ := f[0].(int64)
		at, _ := f[1].(int64)
		times[number]++
		late = append(late, time.UnixMicro(at).Sub(due(int(number-1))))
	}
	twice := len(fired) - len(times)
	t.atMost(count(n)+" timers in "+within.String()+" beside "+count(waiting)+" that wait, late by p99", late.p99(), 50*time.Millisecond, "p50 "+span(late.p50())+", max "+span(late.max()))
	t.add("fired", count(len(times)), fmt.Sprintf("%d twice", twice), "all once", judge(len(times) == n && twice == 0))
	return nil
}

// fillTimers makes incidents whose second step is due.
func (r *run) fillTimers(ctx context.Context, db raw, n int, due func(i int) time.Time) error {
	at := time.Now()
	version := r.site.known().version
	var failed error
	err := db.fill(ctx, "incident", []string{"id", "rev", "state", "entity_id", "team", "body"}, n, func(i int) []any {
		body, err := json.Marshal(incident.Incident{
			Title: "DiskFull on db-" + eight(int64(i)), Severity: alert.Critical, Policy: policy(i % crowd), PolicyVersion: version,
			Started: true, Next: escalation.Position{Step: 1}, NextAt: due(i).UTC(), Paged: []id.User{person(i % crowd)},
			AlertCount: 1, LastAlertAt: at.UTC(), TriggeredAt: at.UTC(),
		})
		failed = errors.Join(failed, err)
		return []any{int64(i + 1), int64(1), string(incident.Triggered), entity(int64(i)), string(team(i % crowd % teams)), string(body)}
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	err = db.fill(ctx, "timer", []string{"kind", "incident", "due_at"}, n, func(i int) []any {
		return []any{string(incident.EscalateTimer), int64(i + 1), due(i).UnixMicro()}
	})
	if err != nil {
		return err
	}
	return db.exec(ctx, "UPDATE head SET incident = $1, rev = rev + 1 WHERE id = 1", int64(n))
}
