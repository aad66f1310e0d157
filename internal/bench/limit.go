package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/ingest/victorops"
	"github.com/watchroom/watchroom/internal/outbox"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// written is what a node commits with one alert, taken from a real one: the
// rows of each table, whatever columns they have. Its pages are planned in the
// same transaction (decision 10), so they are part of it when there are any.
type written struct{ incident, alert, timer, entry, delivery relation }

type relation struct {
	name    string
	columns []string
	rows    [][]any
	suffix  string // what an insert does when the row is there
}

// sample has a node's use cases accept one alert and looks at what is there.
func sample(ctx context.Context, s site, route string) (w written, err error) {
	p, err := s.fresh(ctx)
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, s.discard(ctx, p)) }()
	if err := acceptOne(ctx, p, route); err != nil {
		return w, err
	}
	db, err := s.open(ctx, p)
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, db.close(ctx)) }()
	read := func(table, where, suffix string) (relation, error) {
		columns, rows, err := db.rows(ctx, "SELECT * FROM "+table+where)
		if err == nil && len(rows) == 0 && table != "delivery" { // a policy may wait
			err = fmt.Errorf("an accepted alert has left nothing in %s", table)
		}
		return relation{table, columns, rows, suffix}, err
	}
	var errs [5]error
	w.incident, errs[0] = read("incident", "", " ON CONFLICT (id) DO UPDATE SET rev = excluded.rev, state = excluded.state, team = excluded.team, body = excluded.body, quotes = excluded.quotes")
	w.alert, errs[1] = read("alert", "", "")
	w.timer, errs[2] = read("timer", "", " ON CONFLICT (kind, incident) DO UPDATE SET due_at = excluded.due_at")
	w.entry, errs[3] = read("entry", " WHERE incident > 0 ORDER BY seq", "")
	w.delivery, errs[4] = read("delivery", " WHERE incident > 0", "")
	return w, errors.Join(errs[:]...)
}

func acceptOne(ctx context.Context, p place, route string) (err error) {
	st, err := store.Open(ctx, p.storeConfig())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	box, err := secret.Open(p.keyFile())
	if err != nil {
		return fmt.Errorf("open the secret key: %w", err)
	}
	log := slog.New(slog.DiscardHandler)
	d, planner := dispatch.New(st, box, log), outbox.NewPlanner(st, log, time.Hour)
	integration, _, err := d.Integration(ctx, doorKey)
	if err != nil {
		return err
	}
	a, err := victorops.Parse(critical(route).body(1), victorops.Options{Integration: integration, RoutingKey: route, Key: doorKey, NewEntityID: id.New})
	if err != nil {
		return fmt.Errorf("parse the sample: %w", err)
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.Run(running) }()
	_, err = d.Accept(ctx, a)
	stop()
	return errors.Join(err, <-done, planner.Drain(ctx))
}

// limit writes alerts through the bare driver.
type limit struct {
	db       raw
	w        written
	repeated bool // one entity for all
	n        int64
	seq      int64
	pages    int64
	rev      int64
	at       map[*relation]map[string]int
}

func newLimit(db raw, w written, repeated bool) *limit {
	l := &limit{db: db, w: w, repeated: repeated, n: 1000, seq: 1000, pages: 1000, rev: 1000, at: map[*relation]map[string]int{}}
	for _, r := range []*relation{&l.w.incident, &l.w.alert, &l.w.timer, &l.w.entry, &l.w.delivery} {
		l.at[r] = map[string]int{}
		for i, c := range r.columns {
			l.at[r][c] = i
		}
	}
	return l
}

// copied is the row of r with some columns replaced.
func (l *limit) copied(r *relation, from []any, columns []string, values ...any) []any {
	row := slices.Clone(from)
	for i, c := range columns {
		row[l.at[r][c]] = values[i]
	}
	return row
}

// statements of a group of k alerts.
func (l *limit) statements(k int) []statement {
	var incidents, alerts, timers, entries, deliveries [][]any
	w := &l.w
	l.rev++
	for range k {
		l.n++
		inc := l.n
		if l.repeated {
			inc = 1
		}
		alerts = append(alerts, l.copied(&w.alert, w.alert.rows[0], []string{"id", "incident"}, l.n, inc))
		if l.repeated {
			continue
		}
		incidents = append(incidents, l.copied(&w.incident, w.incident.rows[0], []string{"id", "rev", "entity_id"}, inc, l.rev, entity(inc)))
		for _, t := range w.timer.rows {
			timers = append(timers, l.copied(&w.timer, t, []string{"incident"}, inc))
		}
		for _, e := range w.entry.rows {
			l.seq++
			entries = append(entries, l.copied(&w.entry, e, []string{"seq", "incident"}, l.seq, inc))
		}
		for _, d := range w.delivery.rows {
			l.pages++
			key, _ := d[l.at[&w.delivery]["key"]].(string) // of the same length, for its index
			deliveries = append(deliveries, l.copied(&w.delivery, d, []string{"id", "incident", "key"}, l.pages, inc, fmt.Sprintf("%0*d", len(key), l.pages)))
		}
	}
	if l.repeated { // the alerts of a group change their incident once
		incidents = [][]any{l.copied(&w.incident, w.incident.rows[0], []string{"id", "rev", "entity_id"}, int64(1), l.rev, entity(1))}
	}
	var all []statement
	for _, part := range []struct {
		r    *relation
		rows [][]any
	}{{&w.incident, incidents}, {&w.alert, alerts}, {&w.timer, timers}, {&w.entry, entries}, {&w.delivery, deliveries}} {
		all = append(all, inserts(l.db, part.r.name, part.r.columns, part.rows, part.r.suffix)...)
	}
	if len(deliveries) > 0 { // the planner's place
		all = append(all, statement{"INSERT INTO cursor (name, seq) VALUES ('" + outbox.Cursor + "', " + l.db.placeholder(1) + ") ON CONFLICT (name) DO UPDATE SET seq = excluded.seq", []any{l.seq}})
	}
	return append(all, statement{"UPDATE head SET seq = $1, incident = $2, alert = $3, rev = $4 WHERE id = 1", []any{l.seq, l.n, l.n, l.rev}})
}

// largest is how many alerts share a commit at most, as in the intake.
const largest = 2048

// measure lets n submitters write for a while; each waits for its commit.
func (l *limit) measure(ctx context.Context, submitters int, warm, forHowLong time.Duration) (outcome, error) {
	queue := make(chan chan<- error, 4*largest)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.write(ctx, queue)
	}()
	p := newPhases(warm, forHowLong)
	all := make([]samples, submitters)
	errs := make([]error, submitters)
	var wg sync.WaitGroup
	for i := range submitters {
		wg.Go(func() {
			answer := make(chan error, 1)
			all[i], errs[i] = p.loop(ctx, func() error {
				queue <- answer
				return <-answer
			})
		})
	}
	wg.Wait()
	close(queue)
	<-done
	return p.outcome(all), errors.Join(errs...)
}

// write commits whatever has arrived during the last commit, until queue closes.
func (l *limit) write(ctx context.Context, queue <-chan chan<- error) {
	group := make([]chan<- error, 0, largest)
	for first := range queue {
		group = append(group[:0], first)
	drain:
		for len(group) < largest {
			select {
			case r, ok := <-queue:
				if !ok {
					break drain
				}
				group = append(group, r)
			default:
				break drain
			}
		}
		err := l.db.group(ctx, l.statements(len(group)))
		for _, r := range group {
			r <- err
		}
	}
}
