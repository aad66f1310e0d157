package invocation

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// start begins a run, if what was understood and decided now still is what it
// was, and nothing keeps it from running.
func (d *decider) start(in Start) {
	inv := d.inv()
	switch {
	case inv.State != Queued:
		d.because(ReasonNotWaiting)
		return
	case inv.DueAt.After(d.now) || inv.Schedule.Cron != "":
		d.because(ReasonNotDue)
		return
	case in.Broken != "":
		d.refuse(Failed, ReasonBroken, in.Broken)
		return
	case inv.Agreed() && in.Digest != inv.Digest:
		d.reject(timeline.Self, ReasonChanged, "")
		return
	case inv.Changes() && d.now.Sub(inv.ReadyAt) > StaleAfter:
		d.refuse(Expired, ReasonStale, "")
		return
	}
	due, ready, waited := inv.DueAt, inv.ReadyAt, inv.Waiting
	valid := slices.DeleteFunc(slices.Clone(inv.Approvals), func(a Approved) bool { return slices.Contains(in.Lost, a.By.User) })
	if len(valid) < min(in.Verdict.Approval.Count, len(inv.Approvals)) {
		d.reject(timeline.Self, ReasonApproverLost, "")
		return
	}
	inv.Version, inv.Args, inv.Given, inv.Lock, inv.Digest = in.Version, in.Args, in.Given, in.Lock, in.Digest
	if !d.judge(in.Verdict) { // the rules have changed, or time has passed
		d.event(EventDecided, timeline.Self, Event{Rule: in.Verdict.Rule, Why: in.Verdict.Why, Digest: in.Digest})
		d.asked("")
		return
	}
	inv.DueAt, inv.ReadyAt, inv.Waiting = due, ready, waited
	if held := d.facts.Held; held.Blocks(inv.By.User, d.now) {
		d.refuse(Failed, ReasonLocked, held.Reason)
		return
	}
	if d.facts.Busy {
		d.wait()
		return
	}
	d.begin(in)
}

// refuse ends what was queued before it has begun.
func (d *decider) refuse(s State, r Reason, why string) {
	d.end(s, r, why)
	kind := EventFinished
	if s == Expired {
		kind = EventExpired
	}
	d.event(kind, timeline.Self, Event{Why: why})
	d.over(timeline.Self)
}

// wait looks again later; whoever frees what it waits for tells it before.
func (d *decider) wait() {
	inv := d.inv()
	first := !inv.Waiting
	d.changed(ReasonWaits)
	inv.DueAt, inv.Waiting, d.Tell = d.now.Add(LookAgain), true, first
	if first {
		d.event(EventWaits, timeline.Self, Event{Names: names(inv.Lock)})
	}
}

func names(lock string) []string {
	if lock == "" {
		return nil
	}
	return []string{lock}
}

func (d *decider) begin(in Start) {
	inv := d.inv()
	inv.Attempt++
	d.to(Running, ReasonStarted, in.Until)
	inv.ClaimedBy, inv.Claimed, inv.Host = in.Holder, in.Until, in.Host
	inv.StartedAt, inv.EndedAt, inv.Percent, inv.Saying = d.now, time.Time{}, nil, ""
	if inv.Lock != "" && !inv.DryRun {
		d.Take = append(d.Take, Lock{Name: inv.Lock, Kind: ForRun, Owner: inv.By, Reason: inv.Line, Room: inv.Room, Since: d.now, Invocation: inv.ID})
		d.event(EventLocked, timeline.Self, Event{Names: names(inv.Lock)})
	}
	d.event(EventStarted, timeline.Self, Event{
		Host: inv.Host, Attempt: inv.Attempt, Rule: in.Verdict.Rule, Version: inv.Version, Digest: inv.Digest,
	})
	if inv.Glass && !inv.DryRun && inv.Attempt == 1 {
		d.breakGlass()
	}
}

// glassBroken is the state of the entry that marks the timeline.
const glassBroken = "glass_broken"

// breakGlass tells everybody, also of what only looks.
func (d *decider) breakGlass() {
	inv := d.inv()
	d.Glass = true
	d.event(EventGlass, inv.By, Event{Rule: inv.Rule, Why: inv.Reason})
	d.Entries = append(d.Entries, d.told(inv.By, timeline.Asked{
		ID: inv.ID, Command: inv.Words, Line: inv.Line, State: glassBroken, Rule: inv.Rule, Why: inv.Reason,
	}))
}

func (d *decider) progress(in Progress) {
	inv := d.inv()
	if inv.State != Running {
		d.because(ReasonNotRunning)
		return
	}
	d.changed(ReasonProgress)
	if in.Percent >= 0 {
		percent := min(in.Percent, 100)
		inv.Percent = &percent
	}
	if in.Text != "" {
		inv.Saying = in.Text
	}
}

// ours reports whether the end of a run is news.
func (d *decider) ours(attempt int) bool {
	inv := d.inv()
	switch {
	case attempt != inv.Attempt || attempt == 0:
		d.because(ReasonOtherRun)
	case inv.State == Running, inv.State == Unknown:
		return true
	case inv.State.Over():
		d.because(ReasonOver)
	default:
		d.because(ReasonNotRunning)
	}
	return false
}

// finish ends a run. The end of one that was believed lost is believed, too: a
// server that could not reach the database went on with its work.
func (d *decider) finish(in Finish) {
	if !d.ours(in.Attempt) {
		return
	}
	inv := d.inv()
	late := inv.State == Unknown
	state, reason := ended(in, inv.Changes(), !inv.CancelAt.IsZero())
	if state == Queued && (late || !d.again(in.Why)) {
		state, reason = Failed, ReasonGaveUp
	}
	if state == Queued {
		return
	}
	if late && state == Unknown {
		d.because(ReasonOver)
		return
	}
	inv.Output, inv.Doc, inv.Files, inv.Exit = in.Output, in.Doc, in.Files, in.Exit
	inv.Private = inv.Private || in.Private
	d.end(state, reason, in.Why)
	if late {
		d.Reason = ReasonKnownAfterAll
	}
	d.event(EventFinished, timeline.Self, Event{
		Host: inv.Host, Attempt: inv.Attempt, Exit: in.Exit, Why: in.Why, For: inv.Took().Milliseconds(),
		Bytes: len(in.Output), Digest: OutputDigest(in.Output),
	})
	by := timeline.Self
	if state == Cancelled {
		by = inv.CancelBy
	}
	if reason != ReasonRefused || inv.Agreed() { // that nothing was done concerns who asked, and those who agreed to it
		d.over(by)
	}
}

// ended is the state that a run ends in.
func ended(in Finish, changes, cancelled bool) (State, Reason) {
	switch {
	case in.Lost && changes:
		return Unknown, ReasonUnknown
	case in.Lost && cancelled:
		return Cancelled, ReasonStopped
	case in.Lost:
		return Failed, ReasonFailed
	}
	switch in.Outcome {
	case OutcomeSucceeded:
		return Succeeded, ReasonFinished
	case OutcomeUsage:
		return Failed, ReasonUsage
	case OutcomeRefused:
		return Failed, ReasonRefused
	case OutcomeTimedOut:
		return TimedOut, ReasonTimedOut
	case OutcomeCancelled:
		return Cancelled, ReasonStopped
	case OutcomeLater:
		if cancelled {
			return Cancelled, ReasonStopped
		}
		return Queued, ReasonLater
	}
	return Failed, ReasonFailed
}

// again queues a run once more after a while, unless it was tried often enough.
func (d *decider) again(why string) bool {
	inv := d.inv()
	if inv.Attempt >= MaxAttempts {
		return false
	}
	d.Free = inv.State == Running
	d.to(Queued, ReasonLater, d.now.Add(time.Duration(inv.Attempt)*laterStep))
	inv.ReadyAt, d.Tell = inv.DueAt, true // what is tried again is not late
	d.event(EventAgain, timeline.Self, Event{Attempt: inv.Attempt, Why: why})
	return true
}

// interrupt ends a run with the server: what only looks runs again elsewhere,
// what changes may have changed something.
func (d *decider) interrupt(in Interrupt) {
	if !d.ours(in.Attempt) {
		return
	}
	if d.inv().State == Unknown {
		d.because(ReasonOver)
		return
	}
	d.lost()
}

func (d *decider) crashFound() {
	inv := d.inv()
	switch {
	case inv.State != Running:
		d.because(ReasonNotRunning)
	case d.now.Before(inv.Claimed):
		d.because(ReasonNotDue)
	default:
		d.lost()
	}
}

// lost is a run of which nobody will hear any more.
func (d *decider) lost() {
	inv := d.inv()
	switch {
	case inv.Changes():
		d.end(Unknown, ReasonUnknown, "")
	case !inv.CancelAt.IsZero():
		d.end(Cancelled, ReasonStopped, "")
	case inv.Attempt >= MaxAttempts:
		d.end(Failed, ReasonGaveUp, "")
	default:
		d.Free = true
		d.to(Queued, ReasonRunsAgain, d.now)
		inv.ReadyAt = d.now
		d.event(EventAgain, timeline.Self, Event{Host: inv.Host, Attempt: inv.Attempt})
		return
	}
	d.event(EventLost, timeline.Self, Event{Host: inv.Host, Attempt: inv.Attempt})
	d.over(timeline.Self)
}

func (d *decider) fire(in Fire) {
	inv := d.inv()
	switch {
	case inv.State != Queued:
		d.because(ReasonNotWaiting)
	case inv.Schedule.Cron == "":
		d.because(ReasonNoSchedule)
	case inv.DueAt.After(d.now):
		d.because(ReasonNotDue)
	case in.Next.IsZero():
		d.end(Succeeded, ReasonFinished, "")
		d.event(EventFired, timeline.Self, Event{Made: in.As})
	default:
		d.to(Queued, ReasonFired, in.Next)
		d.event(EventFired, timeline.Self, Event{Made: in.As})
	}
}

// ApprovedBy reports whether u is among those who approved it.
func (inv Invocation) ApprovedBy(u id.User) bool {
	return slices.ContainsFunc(inv.Approvals, func(a Approved) bool { return a.By.User == u })
}
