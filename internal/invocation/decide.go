package invocation

import (
	"cmp"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Decision is what is to be saved, in one transaction.
type Decision struct {
	Was        State // before
	Invocation Invocation
	Events     []Event
	Entries    []timeline.Entry
	Take       []Lock // locks of the run that begins
	Free       bool   // the locks of this invocation's run are free again
	Reason     Reason
	Changed    bool // Invocation differs from what was given
	Tell       bool // people should be told where it stands now
	Glass      bool // the glass is broken now: those who answer for it are paged
}

// Decide says what in does to inv at now. It is the only place that knows the states.
func Decide(inv Invocation, in Input, facts Facts, now time.Time) Decision {
	d := &decider{Decision: Decision{Was: inv.State, Invocation: inv}, facts: facts, now: now}
	switch in := in.(type) {
	case Decided:
		d.decided(in.Verdict)
	case Confirm:
		d.confirm(in)
	case Prove:
		d.prove(in)
	case Approve:
		d.approve(in)
	case Deny:
		d.deny(in)
	case Cancel:
		d.cancel(in)
	case Supersede:
		d.supersede(in.By)
	case Start:
		d.start(in)
	case Progress:
		d.progress(in)
	case Finish:
		d.finish(in)
	case Interrupt:
		d.interrupt(in)
	case Expire:
		d.expire()
	case CrashFound:
		d.crashFound()
	case Fire:
		d.fire(in)
	}
	return d.Decision
}

// decider collects one decision. Its methods are the branches.
type decider struct {
	Decision
	facts Facts
	now   time.Time
}

func (d *decider) inv() *Invocation { return &d.Invocation }

func (d *decider) because(r Reason) { d.Reason = r }

func (d *decider) changed(r Reason) { d.Reason, d.Changed = r, true }

// to moves on; a time of 0 says that nothing is due.
func (d *decider) to(s State, r Reason, due time.Time) {
	d.changed(r)
	inv := d.inv()
	inv.State, inv.DueAt, inv.Waiting = s, due, false
	if s != Awaiting {
		inv.Short = ""
	}
	if s != Running {
		inv.ClaimedBy, inv.Claimed = "", time.Time{}
	}
	d.Tell = s != Running && s != Queued
}

// end is to for a state in which it is over.
func (d *decider) end(s State, r Reason, why string) {
	if d.inv().State == Running {
		d.Free = true
	}
	d.to(s, r, time.Time{})
	inv := d.inv()
	inv.EndedAt, inv.Cause, inv.Why, inv.Sealed = d.now, r, why, ""
}

func (d *decider) event(kind EventKind, by timeline.Actor, e Event) {
	inv := d.inv()
	e.Kind, e.By, e.At, e.Invocation, e.State, e.Reason = kind, by, d.now, inv.ID, inv.State, d.Reason
	d.Events = append(d.Events, e)
}

// entry tells people who can read the room. What only looks is told by its
// answer alone.
func (d *decider) entry(by timeline.Actor, p timeline.Payload) {
	inv := d.inv()
	if !inv.Changes() || inv.DryRun {
		return
	}
	d.Entries = append(d.Entries, d.told(by, p))
}

func (d *decider) told(by timeline.Actor, p timeline.Payload) timeline.Entry {
	inv := d.inv()
	return timeline.Entry{
		At: d.now, Kind: p.Kind(), Actor: by, Room: inv.Room, Thread: inv.Thread, Incident: inv.Incident, Team: inv.Team,
		Person: cmp.Or(by.User, inv.By.User), Payload: p,
	}
}

// asked tells that something was asked for. What runs at once is told by its end.
func (d *decider) asked(why string) {
	inv := d.inv()
	if inv.State == Queued {
		return
	}
	d.entry(inv.By, timeline.Asked{
		ID: inv.ID, Command: inv.Words, Line: inv.Line, State: string(inv.State), Rule: inv.Rule, Why: why, Short: inv.Short,
	})
}

func (d *decider) decided(v Verdict) {
	inv := d.inv()
	if inv.State != Parsed {
		d.because(ReasonAlreadyDecided)
		return
	}
	d.event(EventReceived, inv.By, Event{
		Via: inv.Via, Room: inv.Room, Message: inv.Message,
		Command: inv.Command, Version: inv.Version, Raw: inv.Raw, Line: inv.Line, Digest: inv.Digest,
	})
	d.judge(v)
	d.event(EventDecided, timeline.Self, Event{Rule: v.Rule, Why: v.Why, Digest: inv.Digest})
	d.asked("") // why it was refused is for who asked, and for the audit
}

// judge moves on to what v still asks for. It reports whether nothing is
// missing, and inv is queued then.
func (d *decider) judge(v Verdict) bool {
	inv := d.inv()
	inv.Rule, inv.Approval, inv.Glass = v.Rule, v.Approval, v.Glass
	switch {
	case v.StepUp && inv.ProvenAt.IsZero():
		d.to(Proving, ReasonStepUp, d.now.Add(ProveFor))
	case !v.Allow:
		d.end(Denied, ReasonDenied, v.Why)
	case v.Confirm && !inv.Confirmed && !inv.DryRun:
		d.to(Confirming, ReasonConfirm, d.now.Add(ConfirmFor))
	case d.lacksApproval():
		d.await()
	default:
		d.queue()
		return true
	}
	return false
}

// lacksApproval: a schedule itself needs none, what it makes does, each time.
func (d *decider) lacksApproval() bool {
	inv := d.inv()
	return len(inv.Approvals) < inv.Approval.Count && !inv.DryRun && inv.Schedule.Cron == ""
}

func (d *decider) await() {
	ttl := d.inv().Approval.TTL
	if ttl <= 0 {
		ttl = ApproveFor
	}
	d.to(Awaiting, ReasonApproval, d.now.Add(ttl))
	d.inv().Short = d.facts.Short
}

// queue lets it run when it was asked to, which is at once for most.
func (d *decider) queue() {
	due := d.now
	if d.inv().NotBefore.After(due) {
		due = d.inv().NotBefore
	}
	d.to(Queued, ReasonQueued, due)
	d.inv().ReadyAt = due
}

// open answers for states in which an answer of somebody is not awaited.
func (d *decider) open(wanted State) bool {
	switch {
	case d.inv().State.Over():
		d.because(ReasonOver)
	case d.inv().State != wanted:
		d.because(ReasonNotWaiting)
	case !d.now.Before(d.inv().DueAt):
		d.because(ReasonTooLate) // the timer that ends it is on its way
	default:
		return true
	}
	return false
}

func (d *decider) confirm(in Confirm) {
	inv := d.inv()
	switch {
	case inv.By.User == "" || in.By.User != inv.By.User:
		d.because(ReasonNotYours)
	case !d.open(Confirming):
	case in.Room != inv.Room:
		d.because(ReasonElsewhere)
	default:
		inv.Confirmed = true
		if d.lacksApproval() {
			d.await()
		} else {
			d.queue()
		}
		d.event(EventConfirmed, in.By, Event{Room: in.Room})
		d.asked("")
	}
}

// prove is confirm by showing the second factor: what was shown to who did is
// what they mean.
func (d *decider) prove(in Prove) {
	inv := d.inv()
	switch {
	case inv.By.User == "" || in.By.User != inv.By.User:
		d.because(ReasonNotYours)
	case d.open(Proving):
		inv.ProvenAt, inv.Confirmed = d.now, !in.Verdict.Glass // breaking it is asked about by itself
		d.judge(in.Verdict)
		d.event(EventProven, in.By, Event{Digest: inv.Digest})
		d.event(EventDecided, timeline.Self, Event{Rule: in.Verdict.Rule, Why: in.Verdict.Why, Digest: inv.Digest})
		d.asked("")
	}
}

func (d *decider) approve(in Approve) {
	inv := d.inv()
	by := func(a Approved) bool { return a.By.User == in.By.User }
	switch {
	case !d.open(Awaiting):
	case in.By.User == "" || !in.May:
		d.because(ReasonNoRight)
	case inv.Approval.Peer && in.By.User == inv.By.User:
		d.because(ReasonPeer)
	case in.Unproven:
		d.because(ReasonUnproven)
	case slices.ContainsFunc(inv.Approvals, by):
		d.because(ReasonApprovedBefore)
	default:
		inv.Approvals = append(slices.Clip(inv.Approvals), Approved{By: in.By, At: d.now})
		d.changed(ReasonApprovedInPart)
		if !d.lacksApproval() {
			d.queue()
			d.changed(ReasonApproved)
		}
		d.Tell = true
		d.event(EventApproved, in.By, Event{Digest: inv.Digest})
		d.entry(in.By, timeline.Approval{
			ID: inv.ID, Command: inv.Words, Line: inv.Line, By: in.By.User, Got: len(inv.Approvals), Of: inv.Approval.Count,
		})
	}
}

func (d *decider) deny(in Deny) {
	inv := d.inv()
	if own := in.By.User != "" && in.By.User == inv.By.User; own {
		d.cancel(Cancel{By: in.By}) // somebody takes back what they asked
		return
	}
	switch {
	case !d.open(Awaiting):
	case !in.May:
		d.because(ReasonNoRight)
	default:
		d.reject(in.By, ReasonRejected, in.Reason)
	}
}

func (d *decider) reject(by timeline.Actor, r Reason, why string) {
	inv := d.inv()
	d.end(Rejected, r, why)
	d.event(EventRejected, by, Event{Why: why})
	d.entry(by, timeline.Rejection{ID: inv.ID, Command: inv.Words, Line: inv.Line, Reason: why})
}

func (d *decider) cancel(in Cancel) {
	inv := d.inv()
	switch {
	case inv.State.Over():
		d.because(ReasonOver)
	case !in.May && (in.By.User == "" || in.By.User != inv.By.User):
		d.because(ReasonNotYours)
	case inv.State == Running && !inv.CancelAt.IsZero():
		d.because(ReasonCancelling)
	case inv.State == Running:
		d.changed(ReasonCancelling)
		inv.CancelAt, inv.CancelBy = d.now, in.By
		d.event(EventCancelling, in.By, Event{Attempt: inv.Attempt})
	default:
		inv.CancelBy = in.By
		d.stop(in.By, ReasonCancelled)
	}
}

// stop ends what has not begun.
func (d *decider) stop(by timeline.Actor, r Reason) {
	begun := d.inv().State == Queued || d.inv().State == Awaiting
	d.end(Cancelled, r, "")
	d.event(EventCancelled, by, Event{})
	if begun { // else nobody but who asked knows of it
		d.over(by)
	}
}

// over tells how it ended.
func (d *decider) over(by timeline.Actor) {
	inv := d.inv()
	d.entry(by, timeline.Finished{
		ID: inv.ID, Command: inv.Words, Line: inv.Line, State: string(inv.State), For: inv.Took().Milliseconds(), Why: inv.Why, Rule: inv.Rule,
	})
}

func (d *decider) supersede(id.Invocation) {
	if d.inv().State != Confirming {
		d.because(ReasonNotWaiting)
		return
	}
	d.stop(d.inv().By, ReasonSuperseded)
}

func (d *decider) expire() {
	inv := d.inv()
	switch {
	case !inv.State.Asks():
		d.because(ReasonNotWaiting)
	case d.now.Before(inv.DueAt):
		d.because(ReasonNotDue)
	default:
		awaited := inv.State == Awaiting
		d.end(Expired, ReasonExpired, "")
		d.event(EventExpired, timeline.Self, Event{})
		if awaited {
			d.entry(timeline.Self, timeline.Rejection{ID: inv.ID, Command: inv.Words, Line: inv.Line, Expired: true})
		}
	}
}
