// Package runner runs commands that were accepted. The row of an invocation is
// the truth: whatever waits for its time, for a lock, for approval or for the
// end of a run is due at an instant, and any node takes it up then. A run is
// claimed in the transaction that decides anew whether it may begin and that
// takes its lock; the claim is renewed while the run lasts, and where it runs
// out the run is lost: what only looks runs again, a change never does.
//
// The bot keeps one living message for each invocation up to date, at most
// every two seconds, and says the end in the thread. All of it is written in
// the transactions of what it is about, so it is said once. What somebody says
// about a command (yes, approve, cancel) comes to the Desk.
//
// It promises nothing about what programs do, and does not know who may do
// what: a Judge says both what a line means and whether it is allowed.
package runner

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The figures of running.
const (
	claimFor    = 15 * time.Second // for how long a run may be silent
	graceFor    = 15 * time.Second // what a program is told to end has for it
	stopAfter   = 5 * time.Second  // runs may end by themselves when the server is stopped
	putOffFor   = 30 * time.Second // what could not be decided, through no fault of its own
	atOnce      = 64               // runs of one node
	lookThrough = 100
	retry       = time.Second
)

// The ends of runs that are ours, as causes of the end of their context.
var (
	errTimeout   = errors.New("it took too long")
	errCancelled = errors.New("somebody cancelled it")
	errStopped   = errors.New("the server is stopped")
)

// Config is what a Runner needs.
type Config struct {
	Store    *store.Store
	Desk     *Desk
	Files    Files // nil: what is too long is cut
	Log      *slog.Logger
	Holder   string // different for every process that ever runs
	Host     string // what people call this machine
	Interval time.Duration
	// Secrets are what a command needs beside its arguments, by name; nil: nothing.
	Secrets func(ctx context.Context, inv invocation.Invocation) (map[string]string, error)
	// Observe is called at the end of each run; for metrics. May be nil.
	Observe func(command string, state invocation.State, took time.Duration)
}

// Runner runs what is due. Any number of nodes may have one.
type Runner struct {
	Config
	busy sync.WaitGroup

	mu   sync.Mutex
	runs map[id.Invocation]*run // guarded by mu
}

// New returns a Runner.
func New(c Config) *Runner { return &Runner{Config: c, runs: map[id.Invocation]*run{}} }

// Run looks after commands until ctx ends, then waits for its runs: for a while
// as they are, then it ends them.
func (r *Runner) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	context.AfterFunc(ctx, func() {
		r.after(work, stopAfter, func() { r.endAll(errStopped) })
		r.after(work, stopAfter+2*graceFor, cancel) // the database is away: what we know is lost
	})
	var renewing sync.WaitGroup
	renewing.Go(func() { r.renew(work) })
	r.loop(ctx, work)
	r.busy.Wait()
	cancel()
	renewing.Wait()
	return nil
}

func (r *Runner) after(work context.Context, wait time.Duration, fn func()) {
	go func() {
		select {
		case <-work.Done():
		case <-time.After(wait):
			fn()
		}
	}()
}

func (r *Runner) loop(ctx, work context.Context) {
	wake, stop := r.Store.Wake(store.Commands)
	defer stop()
	for {
		more, err := r.runOnce(ctx, work)
		if err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "run commands", "err", err)
		}
		if more && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-time.After(r.pause(ctx)):
		}
	}
}

// pause is until the next command is due, at most the interval.
func (r *Runner) pause(ctx context.Context) time.Duration {
	wait, err := r.untilNext(ctx)
	if err != nil || wait <= 0 { // the next round meets it, too; or there is no room
		return r.Interval
	}
	return min(max(wait, 2*time.Millisecond), r.Interval)
}

func (r *Runner) untilNext(ctx context.Context) (wait time.Duration, err error) {
	defer fault.Recover(&err)
	next, err := r.Store.NextInvocation(ctx)
	if err != nil || next.IsZero() {
		return r.Interval, err
	}
	now, err := r.Store.Now(ctx)
	return next.Sub(now), err
}

// runOnce deals with one command that is due, and tells runs that somebody has
// cancelled.
func (r *Runner) runOnce(ctx, work context.Context) (more bool, err error) {
	defer fault.Recover(&err)
	if err := r.cancelled(ctx); err != nil {
		return false, err
	}
	wait, err := r.untilNext(ctx)
	if err != nil || wait > 0 {
		return false, err
	}
	var looked id.Invocation
	begun, err := store.InTx(ctx, r.Store, func(tx *store.Tx) (*run, error) {
		looked = ""
		if done, err := r.unlockOver(tx); done || err != nil {
			return nil, err
		}
		inv, err := r.nextDue(tx)
		if err != nil || inv.ID == "" {
			return nil, err
		}
		looked = inv.ID
		return r.look(tx, inv)
	})
	switch {
	case errors.Is(err, errFull):
		return false, nil
	case err != nil && looked != "" && ctx.Err() == nil:
		return true, errors.Join(err, r.putOff(ctx, looked))
	case err != nil:
		return false, err
	}
	if begun != nil {
		r.start(work, begun)
	}
	return true, nil
}

var errFull = errors.New("as many runs as this node may have")

// nextDue is the first that is due, or while no more may run here the first
// that is not to run.
func (r *Runner) nextDue(tx *store.Tx) (invocation.Invocation, error) {
	limit, room := 1, r.room()
	if !room {
		limit = lookThrough
	}
	due, err := tx.DueInvocations(limit)
	if err != nil || len(due) == 0 {
		return invocation.Invocation{}, err
	}
	for _, inv := range due {
		if room || inv.State != invocation.Queued || inv.Schedule.Cron != "" {
			return inv, nil
		}
	}
	return invocation.Invocation{}, errFull
}

func (r *Runner) room() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.runs) < atOnce
}

// putOff keeps what could not be looked at from being in the way of others.
func (r *Runner) putOff(ctx context.Context, n id.Invocation) error {
	return r.Store.Do(ctx, func(tx *store.Tx) error {
		tx.PutOffInvocation(n, tx.Now.Add(putOffFor))
		return nil
	})
}

// unlockOver frees a lock whose time is over.
func (r *Runner) unlockOver(tx *store.Tx) (done bool, err error) {
	over, err := tx.LocksOver(1)
	if err != nil || len(over) == 0 {
		return false, err
	}
	r.Desk.unlock(tx, over[0], timeline.Self)
	return true, nil
}

// look decides about one command that is due. It returns the run that begins.
func (r *Runner) look(tx *store.Tx, inv invocation.Invocation) (*run, error) {
	d := r.Desk
	switch {
	case inv.State == invocation.Running:
		_, err := d.decide(tx, inv, invocation.CrashFound{}, invocation.Facts{})
		return nil, err
	case inv.State != invocation.Queued:
		_, err := d.decide(tx, inv, invocation.Expire{}, invocation.Facts{})
		return nil, err
	case inv.Schedule.Cron != "":
		return nil, d.fire(tx, inv)
	}
	return r.begin(tx, inv)
}

// fire makes an invocation of a schedule that is due, as its owner and decided now.
func (d *Desk) fire(tx *store.Tx, inv invocation.Invocation) error {
	next, err := inv.Schedule.Next(tx.Now)
	if err != nil {
		d.log.Error("schedule", "invocation", inv.ID, "err", err) // it never comes again
	}
	as := id.Invocation(id.New())
	made := invocation.Occurrence(inv, as, tx.Now)
	if _, err := d.decide(tx, inv, invocation.Fire{Next: next, As: as}, invocation.Facts{}); err != nil {
		return err
	}
	owner, here := asker(tx.Org, inv)
	if !here {
		_, err := d.decide(tx, inv, invocation.Cancel{By: timeline.Self, May: true}, invocation.Facts{})
		return err
	}
	_, err = d.anew(tx, made, owner)
	return err
}

// begin decides anew about a command that is to run now, with all that it needs.
func (r *Runner) begin(tx *store.Tx, inv invocation.Invocation) (*run, error) {
	d := r.Desk
	in := invocation.Start{Holder: r.Holder, Host: r.Host, Until: tx.Now.Add(claimFor)}
	actor, here := asker(tx.Org, inv)
	line, secrets, err := d.line(inv)
	declaration, prog, found := d.programs.Find(inv.Command)
	switch {
	case !here:
		in.Broken = phrase.T("runner.asker_gone")
	case err != nil:
		in.Broken = phrase.T("runner.secrets_lost")
	case !found:
		in.Broken = phrase.T("runner.gone")
	}
	var facts invocation.Facts
	if in.Broken == "" {
		j, err := d.judge.Judge(tx, inv, line, actor)
		if err != nil {
			return nil, err
		}
		in.Broken, in.Verdict = j.Broken, j.Verdict
		if j.Broken == "" {
			var now invocation.Invocation
			understood(&now, j.Parsed)
			in.Version, in.Args, in.Given, in.Lock, in.Digest = now.Version, now.Args, now.Given, now.Lock, now.Digest
			secrets = j.Parsed.Secrets
		}
		if in.Lost, err = d.lost(tx, inv); err != nil {
			return nil, err
		}
		if facts, err = inTheWay(tx, inv, in.Lock, declaration.Concurrency); err != nil {
			return nil, err
		}
	}
	inv, err = d.decide(tx, inv, in, facts)
	if err != nil || inv.State != invocation.Running {
		return nil, err
	}
	return &run{inv: inv, program: prog, request: request(tx, inv, actor, secrets)}, nil
}

// inTheWay is what keeps inv from running at once.
func inTheWay(tx *store.Tx, inv invocation.Invocation, lock string, concurrency int) (facts invocation.Facts, err error) {
	if concurrency > 0 {
		n, err := tx.RunsOf(inv.Command)
		if err != nil {
			return facts, err
		}
		facts.Busy = n >= concurrency
	}
	if lock == "" || facts.Busy || inv.DryRun {
		return facts, err
	}
	if facts.Held, err = keptFrom(tx, lock, inv.By.User); err != nil {
		return facts, err
	}
	if facts.Busy, err = tx.WaitsBefore(lock, inv.Number); err != nil || facts.Busy {
		return facts, err
	}
	l, taken, err := tx.Lock(lock, invocation.ForRun)
	if err != nil || !taken {
		return facts, err
	}
	other, err := tx.Invocation(l.Invocation)
	if errors.Is(err, store.ErrNotFound) {
		return facts, nil // nobody would ever free it
	}
	facts.Busy = other.State == invocation.Running && other.ID != inv.ID
	return facts, err
}

// keptFrom is the lock that keeps somebody from what a name stands for, or one
// that does not when there is none.
func keptFrom(tx *store.Tx, name string, u id.User) (invocation.Lock, error) {
	covering, err := tx.Covering(name)
	if err != nil || len(covering) == 0 {
		return invocation.Lock{}, err
	}
	for _, l := range covering {
		if l.Blocks(u, tx.Now) {
			return l, nil
		}
	}
	return covering[0], nil
}

func request(tx *store.Tx, inv invocation.Invocation, actor people.Actor, secrets map[string]string) program.Request {
	zone := time.UTC
	if u, ok := tx.Org.Users[actor.User]; ok {
		zone = u.Location()
	}
	given := make([]program.Given, len(inv.Given))
	for i, g := range inv.Given {
		given[i] = program.Given(g)
	}
	return program.Request{
		ID: inv.ID, Command: inv.Command, Actor: actor, Username: inv.Username, Room: inv.Room, RoomName: inv.RoomName, Thread: inv.Thread,
		Message: inv.Message, Incident: inv.Incident, Reason: inv.Reason, Args: maps.Clone(inv.Args), Given: given, Line: inv.Line,
		Secrets: maps.Clone(secrets), DryRun: inv.DryRun, Private: inv.Private, JSON: inv.JSON, Zone: zone, Now: tx.Now,
	}
}

// renew keeps the claims on runs from running out.
func (r *Runner) renew(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(claimFor / 3):
		}
		if err := r.renewOnce(ctx); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "renew runs", "err", err)
		}
	}
}

func (r *Runner) renewOnce(ctx context.Context) (err error) {
	defer fault.Recover(&err)
	r.mu.Lock()
	mine := slices.Sorted(maps.Keys(r.runs))
	r.mu.Unlock()
	if len(mine) == 0 {
		return nil
	}
	return r.Store.Do(ctx, func(tx *store.Tx) error {
		tx.RenewRuns(r.Holder, tx.Now.Add(claimFor), mine)
		return nil
	})
}

// cancelled ends the runs that somebody, on any node, wants to stop.
func (r *Runner) cancelled(ctx context.Context) error {
	r.mu.Lock()
	none := len(r.runs) == 0
	r.mu.Unlock()
	if none {
		return nil
	}
	list, err := r.Store.ToCancel(ctx, r.Holder)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range list {
		if run, ok := r.runs[n]; ok {
			run.end(errCancelled)
		}
	}
	return nil
}

func (r *Runner) endAll(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range r.runs {
		run.end(why)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
