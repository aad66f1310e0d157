package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Tx is the one writing transaction. Its methods read at once and write into
// buffers, which are sent with the commit: what was put is not seen by later
// reads of the same transaction. A Tx is for one goroutine and ends with the
// function it was given to. That of a View can only read.
type Tx struct {
	Now time.Time // one instant for everything in it; never before an earlier entry
	Org *org.Org

	ctx   context.Context
	s     *Store
	tx    tx
	head  head
	began head   // as it was found
	known bool   // the head was not read, because it is as we left it
	dirty bool   // the head row must be written
	about Topics // what it is about beside what its buffers say
	done  func()

	restored bool  // everything is new
	failed   error // of a read that could not return it; the transaction ends with it

	quotes     quotes
	incidents  map[id.Incident]incident.Incident
	timers     map[timerKey]time.Time // zero: clear
	alerts     []alert.Alert
	entries    []timeline.Entry
	deliveries map[id.Delivery]Delivery
	cursors    map[string]id.Seq
	defs       []org.Applied
	commands   commandBuffers
	more       []statement
}

type timerKey struct {
	kind     incident.TimerKind
	incident id.Incident
}

// Do runs fn in the writing transaction and commits when it returns nil. On
// any error nothing was written.
func (s *Store) Do(ctx context.Context, fn func(*Tx) error) error { return s.do(ctx, nil, fn) }

// DoBehind is Do for what may wait and comes in heaps: of all those on this node
// only one at a time queues with the other writers. So who brings an alert or
// fires a timer waits for one of them, and not for the heap.
func (s *Store) DoBehind(ctx context.Context, fn func(*Tx) error) error {
	select {
	case s.behind <- struct{}{}:
		defer func() { <-s.behind }()
	case <-ctx.Done():
		return &Away{Why: Unreachable, Err: context.Cause(ctx)}
	}
	return s.Do(ctx, fn)
}

// DoWithOpen is Do with the open incidents of the given entities, which come
// with the beginning of the transaction. It may call fn twice: see guess.go.
func (s *Store) DoWithOpen(ctx context.Context, entities []string, fn func(*Tx, map[string]incident.Incident) error) error {
	defer func() { s.taken.Store(time.Now().UnixNano()) }()
	if s.memory.sure() {
		done, err := s.doGuessing(ctx, entities, fn)
		if done {
			return err
		}
	}
	return s.doAsking(ctx, entities, fn, nil)
}

// doGuessing is done unless what was guessed is refused or nothing tests it.
func (s *Store) doGuessing(ctx context.Context, entities []string, fn func(*Tx, map[string]incident.Incident) error) (done bool, err error) {
	var absent []string
	known := make(map[string]incident.Incident, len(entities))
	ask := question{guess: func() (head, bool) {
		for _, e := range entities {
			if inc, ok := s.memory.open[e]; ok {
				known[e] = inc
			} else {
				absent = append(absent, e)
			}
		}
		return s.memory.head, s.memory.sure()
	}}
	guessed := false
	err = s.doAsking(ctx, entities, func(tx *Tx, open map[string]incident.Incident) error {
		if guessed = ask.guessed; !guessed {
			return fn(tx, open)
		}
		if err := fn(tx, known); err != nil {
			return err
		}
		if !proven(tx, absent) {
			return errUnproven
		}
		return nil
	}, &ask)
	if !guessed || err == nil {
		return true, err
	}
	if errors.Is(err, errUnproven) {
		return false, err
	}
	s.memory.alone.Store(0) // also when the server is away, which asking finds out
	return !refused(err), err
}

func (s *Store) doAsking(ctx context.Context, entities []string, fn func(*Tx, map[string]incident.Incident) error, ask *question) error {
	if ask == nil {
		ask = &question{}
	}
	open, said := make(map[string]incident.Incident, len(entities)), quotes{}
	first := entities[:min(len(entities), openAtOnce)]
	ask.query, ask.args = openIncidents(first)
	ask.take = func(r row) error {
		inc, q, err := scanQuoting(r)
		open[inc.EntityID] = inc
		said[q.in] = q
		return err
	}
	return s.do(ctx, ask, func(tx *Tx) error {
		if ask.guessed {
			return fn(tx, nil)
		}
		maps.Copy(tx.quotes, said)
		more, err := tx.OpenIncidents(entities[len(first):])
		if err != nil {
			return err
		}
		maps.Copy(open, more)
		for _, inc := range open {
			s.memory.add(inc)
		}
		return fn(tx, open)
	})
}

func (s *Store) do(ctx context.Context, ahead *question, fn func(*Tx) error) (err error) {
	seen := s.outages.seen()
	t, h, err := s.engine.begin(ctx, ahead)
	if err != nil {
		return s.outages.failed(ctx, beginning, err)
	}
	open := true
	defer func() { // a panic must not keep the only writer
		if open {
			t.rollback()
		}
	}()
	if ahead == nil || !ahead.guessed {
		s.outages.worked(ctx, seen, beginning)
	}
	tx := s.newTx(context.WithoutCancel(ctx), t, h)
	if tx.known = ahead != nil && ahead.guessed; !tx.known {
		s.memory.meet(h)
	}
	if tx.Org, err = s.orgAt(tx.ctx, t, h); err != nil { //nolint:contextcheck // what has begun is finished
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	if ahead := s.ahead.Load(); ahead != nil {
		if err := (*ahead)(tx); err != nil {
			return err
		}
	}
	if tx.failed != nil {
		return tx.failed
	}
	all, err := tx.statements()
	if err != nil {
		return err
	}
	open = false
	if len(all) == 0 {
		t.rollback()
		return nil
	}
	done := func() {
		s.recent.add(tx.head.epoch, tx.entries)
		s.memory.keep(tx)
		tx.done()
	}
	about := tx.topics()
	if err := t.commit(tx.ctx, all, about, done); err != nil { //nolint:contextcheck // what has begun is finished
		return s.outages.failed(tx.ctx, committing, err) //nolint:contextcheck // as above
	}
	s.outages.worked(tx.ctx, seen, committing) //nolint:contextcheck // as above
	s.wake(about)
	return nil
}

func (s *Store) newTx(ctx context.Context, t tx, h head) *Tx {
	return &Tx{
		Now: s.instantOf(h), ctx: ctx, s: s, tx: t, head: h, began: h, done: func() {},
		quotes: quotes{}, incidents: map[id.Incident]incident.Incident{}, timers: map[timerKey]time.Time{},
		deliveries: map[id.Delivery]Delivery{}, cursors: map[string]id.Seq{},
	}
}

// BeforeCommit has f look at every transaction of this process, within it, once
// all that it is about was put: what follows from it at once can be written with
// it. An error ends the transaction. There is one such function.
func (s *Store) BeforeCommit(f func(*Tx) error) { s.ahead.Store(&f) }

// OnCommit has f called when the transaction is committed, before the next one
// may begin.
func (tx *Tx) OnCommit(f func()) {
	before := tx.done
	tx.done = func() {
		before()
		f()
	}
}

// InTx is Do for a function with a result.
func InTx[T any](ctx context.Context, s *Store, fn func(*Tx) (T, error)) (T, error) {
	var result T
	err := s.Do(ctx, func(tx *Tx) error {
		var err error
		result, err = fn(tx)
		return err
	})
	return result, err
}

// NewIncident gives out the next incident number. A number that is not used
// after all is given back with ReturnIncident before the next is taken.
func (tx *Tx) NewIncident() id.Incident {
	tx.head.incident++
	tx.dirty = true
	return tx.head.incident
}

// ReturnIncident takes back the number that was given out last.
func (tx *Tx) ReturnIncident(n id.Incident) {
	if tx.head.incident == n {
		tx.head.incident--
	}
}

// NewAlert gives out the next alert number.
func (tx *Tx) NewAlert() id.Alert {
	tx.head.alert++
	tx.dirty = true
	return tx.head.alert
}

// Save buffers all that a decision says.
func (tx *Tx) Save(d incident.Decision) {
	if d.Changed {
		tx.incidents[d.Incident.ID] = d.Incident
	}
	for _, t := range d.Timers {
		tx.timers[timerKey{t.Kind, t.Incident}] = t.DueAt
	}
	for _, e := range d.Entries {
		tx.Append(e)
	}
}

// Append buffers an entry; the commit numbers it.
func (tx *Tx) Append(e timeline.Entry) {
	if e.At.IsZero() {
		e.At = tx.Now
	}
	tx.entries = append(tx.entries, e)
}

// Appended returns the entries of the given kinds that this transaction has
// appended so far, with the numbers that the commit will give them.
func (tx *Tx) Appended(kinds ...timeline.Kind) []timeline.Entry {
	var found []timeline.Entry
	for i, e := range tx.entries {
		if slices.Contains(kinds, e.Kind) {
			e.Seq = tx.head.seq + id.Seq(i) + 1
			found = append(found, e)
		}
	}
	return found
}

// PutAlert buffers an alert with its number.
func (tx *Tx) PutAlert(a alert.Alert) { tx.alerts = append(tx.alerts, a) }

// ClearTimer removes a timer.
func (tx *Tx) ClearTimer(kind incident.TimerKind, inc id.Incident) {
	tx.timers[timerKey{kind, inc}] = time.Time{}
}

// SetCursor says that a follower has dealt with everything up to seq.
func (tx *Tx) SetCursor(name string, seq id.Seq) { tx.cursors[name] = seq }

// PutDefinition buffers what a change of the organisation did.
func (tx *Tx) PutDefinition(done ...org.Applied) { tx.defs = append(tx.defs, done...) }

// NextSeq is the number that the next entry to be appended will have.
func (tx *Tx) NextSeq() id.Seq { return tx.head.seq + id.Seq(len(tx.entries)) + 1 }

// Epoch changes when a backup is restored and all numbers begin anew.
func (tx *Tx) Epoch() string { return tx.head.epoch }

// Seq is the number of the last committed entry; once this transaction is
// committed, of the last of its own.
func (tx *Tx) Seq() id.Seq { return tx.head.seq }

func (tx *Tx) exec(query string, args ...any) {
	tx.more = append(tx.more, statement{query, args})
}

// OpenIncidents returns the open incidents of the given entities.
func (tx *Tx) OpenIncidents(entities []string) (map[string]incident.Incident, error) {
	found := make(map[string]incident.Incident, len(entities))
	for chunk := range slices.Chunk(entities, openAtOnce) {
		query, args := openIncidents(chunk)
		incs, err := all(tx.ctx, tx.tx, tx.scanIncident, query, args...)
		if err != nil {
			return nil, fmt.Errorf("load open incidents: %w", err)
		}
		for _, inc := range incs {
			found[inc.EntityID] = inc
		}
	}
	return found, nil
}

// openAtOnce is how many entities one query looks up.
const openAtOnce = 256

func openIncidents(entities []string) (query string, args []any) {
	args = textsOf(entities)
	return selectIncident + ` WHERE state <> 'resolved' AND entity_id IN ` + in(1, len(args)), args
}

// Incidents returns the incidents with the given numbers, those that exist.
func (tx *Tx) Incidents(numbers []id.Incident) (map[id.Incident]incident.Incident, error) {
	return incidentsWith(tx.ctx, tx.tx, tx.scanIncident, numbers)
}

// scanIncident remembers what it quotes: it is not found again when it is saved.
func (tx *Tx) scanIncident(rows *sql.Rows) (incident.Incident, error) {
	inc, q, err := scanQuoting(rows)
	if q.in != 0 {
		tx.quotes[q.in] = q
	}
	return inc, err
}

// TeamsOf returns the teams of the incidents with the given numbers.
func (tx *Tx) TeamsOf(numbers []id.Incident) (map[id.Incident]id.Team, error) {
	teams := make(map[id.Incident]id.Team, len(numbers))
	for chunk := range slices.Chunk(numbers, 256) {
		args := numbersOf(chunk)
		_, err := all(tx.ctx, tx.tx, func(rows *sql.Rows) (struct{}, error) {
			var n id.Incident
			var team id.Team
			err := rows.Scan(&n, &team)
			teams[n] = team
			return struct{}{}, err
		}, `SELECT id, team FROM incident WHERE id IN `+in(1, len(args)), args...)
		if err != nil {
			return nil, fmt.Errorf("load teams of incidents: %w", err)
		}
	}
	return teams, nil
}

// Incident returns one incident; ErrNotFound when there is none.
func (tx *Tx) Incident(n id.Incident) (incident.Incident, error) {
	return one(tx.ctx, tx.tx, tx.scanIncident, selectIncident+` WHERE id = $1`, int64(n))
}

// DueTimers returns up to limit timers that are due, earliest first.
func (tx *Tx) DueTimers(limit int) ([]incident.Timer, error) {
	return all(tx.ctx, tx.tx, scanTimer, `SELECT kind, incident, due_at FROM timer WHERE due_at <= $1 ORDER BY due_at LIMIT $2`, micros(tx.Now), limit)
}

func scanTimer(rows *sql.Rows) (incident.Timer, error) {
	var t incident.Timer
	var due int64
	err := rows.Scan(&t.Kind, &t.Incident, &due)
	t.DueAt = instant(due)
	return t, err
}

// Cursor returns how far a follower has come; 0 when it never ran.
func (tx *Tx) Cursor(name string) (id.Seq, error) {
	seq, err := one(tx.ctx, tx.tx, value[id.Seq], `SELECT seq FROM cursor WHERE name = $1`, name)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return seq, err
}

// Turn counts how often it was asked for a policy, from 0: whose turn it is in
// steps that go round.
func (tx *Tx) Turn(p id.Policy) int {
	name := "turn:" + string(p)
	n, known := tx.cursors[name]
	if !known {
		var err error
		if n, err = tx.Cursor(name); err != nil {
			tx.failed = errors.Join(tx.failed, fmt.Errorf("whose turn it is: %w", err))
		}
	}
	tx.SetCursor(name, n+1)
	return int(n)
}

// EntriesAfter returns up to limit committed entries after seq, of the given
// kinds, and how far it has looked.
func (tx *Tx) EntriesAfter(seq id.Seq, limit int, kinds ...timeline.Kind) ([]timeline.Entry, id.Seq, error) {
	if seq >= tx.head.seq {
		return nil, seq, nil
	}
	if found, ok := tx.s.recent.between(tx.head.epoch, seq, tx.head.seq); ok {
		return wantedOf(found, limit, kinds)
	}
	if len(kinds) > 0 { // millions of others may lie between, and every page waits for whoever looks through them
		next, err := tx.nextOf(seq, kinds)
		if err != nil {
			return nil, seq, err
		}
		seq = next - 1
	}
	upto := min(seq+id.Seq(limit), tx.head.seq)
	if upto <= seq {
		return nil, seq, nil
	}
	args := []any{int64(seq), int64(upto)}
	where := ``
	if len(kinds) > 0 {
		where = ` AND kind IN ` + in(3, len(kinds))
		for _, k := range kinds {
			args = append(args, string(k))
		}
	}
	found, err := all(tx.ctx, tx.tx, scanEntry, selectEntry+` WHERE seq > $1 AND seq <= $2`+where+` ORDER BY seq`, args...)
	return found, upto, err
}

// wantedOf is EntriesAfter with everything there is after a number.
func wantedOf(after []timeline.Entry, limit int, kinds []timeline.Kind) ([]timeline.Entry, id.Seq, error) {
	wanted := func(e timeline.Entry) bool { return len(kinds) == 0 || slices.Contains(kinds, e.Kind) }
	first := slices.IndexFunc(after, wanted)
	if first < 0 {
		return nil, after[len(after)-1].Seq, nil
	}
	after = after[first:min(len(after), first+limit)]
	upto := after[len(after)-1].Seq
	return slices.DeleteFunc(after, func(e timeline.Entry) bool { return !wanted(e) }), upto, nil
}

// nextOf is the number of the first entry of the given kinds after seq, or that
// of the entry to be written next.
func (tx *Tx) nextOf(seq id.Seq, kinds []timeline.Kind) (id.Seq, error) {
	next := max(tx.head.seq, seq) + 1
	for _, k := range kinds {
		first, err := one(tx.ctx, tx.tx, value[id.Seq], `SELECT seq FROM entry WHERE kind = $1 AND seq > $2 ORDER BY kind, seq LIMIT 1`, string(k), int64(seq))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return 0, err
		}
		if err == nil {
			next = min(next, first)
		}
	}
	return next, nil
}
