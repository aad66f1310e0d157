package invocation

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	kim  = timeline.Actor{User: "kim", Name: "Kim", Origin: timeline.Browser}
	lee  = timeline.Actor{User: "lee", Name: "Lee", Origin: timeline.Browser}
	ada  = timeline.Actor{User: "ada", Name: "Ada", Origin: timeline.Browser}
)

// deploy is a command that changes something, asked by Kim in #ops.
func deploy() Invocation {
	return Invocation{
		ID: "inv", Number: 812, State: Parsed, Command: "deploy.run", Words: "deploy run", Version: "v1", Risk: command.Changes,
		Line: "deploy run shop --token=…", Raw: "!deploy run shop --token …", Args: map[string]string{"app": "shop"}, Digest: "d1", Sealed: "sealed",
		HadSecrets: true, By: kim, Room: "ops", Message: 7, Incident: 3, Lock: "deploy/shop", AskedAt: noon,
	}
}

// in is deploy in a state, as it would have come to it.
func in(s State) Invocation {
	inv := deploy()
	inv.State = s
	switch s {
	case Parsed:
	case Confirming:
		inv.DueAt = noon.Add(ConfirmFor)
	case Proving:
		inv.DueAt = noon.Add(ProveFor)
	case Awaiting:
		inv.DueAt, inv.Short, inv.Approval = noon.Add(ApproveFor), "7kq2", command.Approval{Count: 2, Peer: true}
	case Queued:
		inv.DueAt, inv.ReadyAt = noon, noon
	case Running:
		inv.DueAt, inv.Claimed, inv.ClaimedBy, inv.StartedAt, inv.Attempt = noon.Add(time.Minute), noon.Add(time.Minute), "node", noon, 1
	default:
		inv.EndedAt, inv.Sealed, inv.Attempt = noon, "", 1
	}
	return inv
}

func reading(inv Invocation) Invocation {
	inv.Risk = command.Reads
	return inv
}

var yes = Verdict{Allow: true, Rule: "allow role:member change"}

// begin is a start that finds everything as it was.
func begin() Start {
	return Start{
		Holder: "node", Host: "host1", Until: noon.Add(15 * time.Second), Verdict: yes, Version: "v1",
		Args: map[string]string{"app": "shop"}, Lock: "deploy/shop", Digest: "d1",
	}
}

func with(inv Invocation, change func(*Invocation)) Invocation {
	change(&inv)
	return inv
}

func TestDecide(t *testing.T) {
	approved := func(inv *Invocation) {
		inv.Approvals = []Approved{{By: lee, At: noon}}
		inv.Approval = command.Approval{Count: 1}
	}
	needs := func(v Verdict, n int) Verdict {
		v.Approval = command.Approval{Count: n, Peer: true}
		return v
	}
	refused := Verdict{Rule: "deny deploy.run", Why: "Freeze."}
	confirms := yes
	confirms.Confirm = true
	proves := Verdict{StepUp: true, Rule: "require step_up for deploy.*", Why: "Second factor."}
	proven := func(i *Invocation) { i.ProvenAt = noon }
	unproven := begin()
	unproven.Verdict = proves
	broken, changed, lost, refusedNow, needsMore := begin(), begin(), begin(), begin(), begin()
	broken.Broken, changed.Digest, lost.Lost, refusedNow.Verdict, needsMore.Verdict = "No such team.", "d2", []id.User{"lee"}, refused, needs(yes, 1)
	lost.Verdict, needsMore.Lock = needs(yes, 1), "deploy/shop"
	ofRun := func(o Outcome) Finish { return Finish{Attempt: 1, Outcome: o, Output: "out"} }
	for _, c := range []struct {
		name   string
		inv    Invocation
		in     Input
		facts  Facts
		after  time.Duration // after noon
		state  State
		reason Reason
		due    time.Duration // after noon; -1: nothing is due
		events []EventKind
	}{
		{"allowed: runs at once", in(Parsed), Decided{yes}, Facts{}, 0, Queued, ReasonQueued, 0, kinds(EventReceived, EventDecided)},
		{"allowed for later", with(in(Parsed), func(i *Invocation) { i.NotBefore = noon.Add(time.Hour) }), Decided{yes}, Facts{}, 0, Queued, ReasonQueued, time.Hour, kinds(EventReceived, EventDecided)},
		{"refused", in(Parsed), Decided{refused}, Facts{}, 0, Denied, ReasonDenied, -1, kinds(EventReceived, EventDecided)},
		{"must be confirmed", in(Parsed), Decided{confirms}, Facts{}, 0, Confirming, ReasonConfirm, ConfirmFor, kinds(EventReceived, EventDecided)},
		{"must be approved", in(Parsed), Decided{needs(yes, 1)}, Facts{Short: "7kq2"}, 0, Awaiting, ReasonApproval, ApproveFor, kinds(EventReceived, EventDecided)},
		{"a dry run needs neither", with(in(Parsed), func(i *Invocation) { i.DryRun = true }), Decided{needs(confirms, 1)}, Facts{}, 0, Queued, ReasonQueued, 0, kinds(EventReceived, EventDecided)},
		{"a dry run needs the right", with(in(Parsed), func(i *Invocation) { i.DryRun = true }), Decided{refused}, Facts{}, 0, Denied, ReasonDenied, -1, kinds(EventReceived, EventDecided)},
		{"it is decided once", in(Queued), Decided{refused}, Facts{}, 0, Queued, ReasonAlreadyDecided, 0, nil},

		{"confirmed: runs", in(Confirming), Confirm{kim, "ops"}, Facts{}, time.Minute, Queued, ReasonQueued, time.Minute, kinds(EventConfirmed)},
		{"confirmed for later", with(in(Confirming), func(i *Invocation) { i.NotBefore = noon.Add(time.Hour) }), Confirm{kim, "ops"}, Facts{}, time.Minute, Queued, ReasonQueued, time.Hour, kinds(EventConfirmed)},
		{"confirmed, and to be approved", with(in(Confirming), func(i *Invocation) { i.Approval.Count = 1 }), Confirm{kim, "ops"}, Facts{Short: "7kq2"}, 0, Awaiting, ReasonApproval, ApproveFor, kinds(EventConfirmed)},
		{"confirmed by another", in(Confirming), Confirm{lee, "ops"}, Facts{}, 0, Confirming, ReasonNotYours, ConfirmFor, nil},
		{"confirmed elsewhere", in(Confirming), Confirm{kim, ""}, Facts{}, 0, Confirming, ReasonElsewhere, ConfirmFor, nil},
		{"confirmed too late", in(Confirming), Confirm{kim, "ops"}, Facts{}, ConfirmFor, Confirming, ReasonTooLate, ConfirmFor, nil},
		{"nobody confirms for nobody", with(in(Confirming), func(i *Invocation) { i.By.User = "" }), Confirm{timeline.Self, "ops"}, Facts{}, 0, Confirming, ReasonNotYours, ConfirmFor, nil},
		{"confirmation expires", in(Confirming), Expire{}, Facts{}, ConfirmFor, Expired, ReasonExpired, -1, kinds(EventExpired)},
		{"but not early", in(Confirming), Expire{}, Facts{}, ConfirmFor - time.Second, Confirming, ReasonNotDue, ConfirmFor, nil},
		{"another command instead", in(Confirming), Supersede{"other"}, Facts{}, 0, Cancelled, ReasonSuperseded, -1, kinds(EventCancelled)},
		{"which ends no run", in(Running), Supersede{"other"}, Facts{}, 0, Running, ReasonNotWaiting, time.Minute, nil},

		{"the second factor is wanted", in(Parsed), Decided{proves}, Facts{}, 0, Proving, ReasonStepUp, ProveFor, kinds(EventReceived, EventDecided)},
		{"also of a dry run", with(in(Parsed), func(i *Invocation) { i.DryRun = true }), Decided{proves}, Facts{}, 0, Proving, ReasonStepUp, ProveFor, kinds(EventReceived, EventDecided)},
		{"and of a schedule", with(in(Parsed), func(i *Invocation) { i.Schedule.Cron = "@daily" }), Decided{proves}, Facts{}, 0, Proving, ReasonStepUp, ProveFor, kinds(EventReceived, EventDecided)},
		{"where it was shown before, it is not enough for the rules", with(in(Parsed), proven), Decided{proves}, Facts{}, 0, Denied, ReasonDenied, -1, kinds(EventReceived, EventDecided)},
		{"shown: runs", in(Proving), Prove{kim, yes}, Facts{}, time.Minute, Queued, ReasonQueued, time.Minute, kinds(EventProven, EventDecided)},
		{"shown is confirmed", in(Proving), Prove{kim, confirms}, Facts{}, time.Minute, Queued, ReasonQueued, time.Minute, kinds(EventProven, EventDecided)},
		{"shown, and to be approved", in(Proving), Prove{kim, needs(confirms, 1)}, Facts{Short: "7kq2"}, 0, Awaiting, ReasonApproval, ApproveFor, kinds(EventProven, EventDecided)},
		{"shown, and refused by now", in(Proving), Prove{kim, refused}, Facts{}, 0, Denied, ReasonDenied, -1, kinds(EventProven, EventDecided)},
		{"shown by another", in(Proving), Prove{lee, yes}, Facts{}, 0, Proving, ReasonNotYours, ProveFor, nil},
		{"nobody shows it for nobody", with(in(Proving), func(i *Invocation) { i.By.User = "" }), Prove{timeline.Self, yes}, Facts{}, 0, Proving, ReasonNotYours, ProveFor, nil},
		{"shown too late", in(Proving), Prove{kim, yes}, Facts{}, ProveFor, Proving, ReasonTooLate, ProveFor, nil},
		{"shown for what waits for something else", in(Confirming), Prove{kim, yes}, Facts{}, 0, Confirming, ReasonNotWaiting, ConfirmFor, nil},
		{"a yes is no second factor", in(Proving), Confirm{kim, "ops"}, Facts{}, 0, Proving, ReasonNotWaiting, ProveFor, nil},
		{"nor is an approval", in(Proving), Approve{By: lee, May: true}, Facts{}, 0, Proving, ReasonNotWaiting, ProveFor, nil},
		{"not shown in time", in(Proving), Expire{}, Facts{}, ProveFor, Expired, ReasonExpired, -1, kinds(EventExpired)},
		{"taken back instead", in(Proving), Cancel{By: kim}, Facts{}, 0, Cancelled, ReasonCancelled, -1, kinds(EventCancelled)},
		{"the rules want it by now", in(Queued), unproven, Facts{}, 0, Proving, ReasonStepUp, ProveFor, kinds(EventDecided)},
		{"who approves shows it, too", in(Awaiting), Approve{By: lee, May: true, Unproven: true}, Facts{}, 0, Awaiting, ReasonUnproven, ApproveFor, nil},

		{"one of two approves", in(Awaiting), Approve{By: lee, May: true}, Facts{}, 0, Awaiting, ReasonApprovedInPart, ApproveFor, kinds(EventApproved)},
		{"the second, too", with(in(Awaiting), func(i *Invocation) { i.Approvals = []Approved{{By: lee, At: noon}} }), Approve{By: ada, May: true}, Facts{}, time.Minute, Queued, ReasonApproved, time.Minute, kinds(EventApproved)},
		{"nobody is two", with(in(Awaiting), func(i *Invocation) { i.Approvals = []Approved{{By: lee, At: noon}} }), Approve{By: lee, May: true}, Facts{}, 0, Awaiting, ReasonApprovedBefore, ApproveFor, nil},
		{"not oneself", in(Awaiting), Approve{By: kim, May: true}, Facts{}, 0, Awaiting, ReasonPeer, ApproveFor, nil},
		{"oneself, where that is enough", with(in(Awaiting), func(i *Invocation) { i.Approval = command.Approval{Count: 1} }), Approve{By: kim, May: true}, Facts{}, 0, Queued, ReasonApproved, 0, kinds(EventApproved)},
		{"not without the right", in(Awaiting), Approve{By: lee}, Facts{}, 0, Awaiting, ReasonNoRight, ApproveFor, nil},
		{"not without being somebody", in(Awaiting), Approve{By: timeline.Self, May: true}, Facts{}, 0, Awaiting, ReasonNoRight, ApproveFor, nil},
		{"approved too late", in(Awaiting), Approve{By: lee, May: true}, Facts{}, ApproveFor, Awaiting, ReasonTooLate, ApproveFor, nil},
		{"rejected", in(Awaiting), Deny{lee, true, "not today"}, Facts{}, 0, Rejected, ReasonRejected, -1, kinds(EventRejected)},
		{"rejected without the right", in(Awaiting), Deny{lee, false, ""}, Facts{}, 0, Awaiting, ReasonNoRight, ApproveFor, nil},
		{"who asked takes it back", in(Awaiting), Deny{kim, false, ""}, Facts{}, 0, Cancelled, ReasonCancelled, -1, kinds(EventCancelled)},
		{"approval expires", in(Awaiting), Expire{}, Facts{}, ApproveFor, Expired, ReasonExpired, -1, kinds(EventExpired)},
		{"what is queued does not expire so", in(Queued), Expire{}, Facts{}, time.Hour, Queued, ReasonNotWaiting, 0, nil},

		{"starts", in(Queued), begin(), Facts{}, 0, Running, ReasonStarted, 15 * time.Second, kinds(EventLocked, EventStarted)},
		{"not before it is due", with(in(Queued), func(i *Invocation) { i.DueAt = noon.Add(1) }), begin(), Facts{}, 0, Queued, ReasonNotDue, 1, nil},
		{"not twice", in(Running), begin(), Facts{}, 0, Running, ReasonNotWaiting, time.Minute, nil},
		{"a schedule itself never runs", with(in(Queued), func(i *Invocation) { i.Schedule.Cron = "@daily" }), begin(), Facts{}, 0, Queued, ReasonNotDue, 0, nil},
		{"not understood any more", in(Queued), broken, Facts{}, 0, Failed, ReasonBroken, -1, kinds(EventFinished)},
		{"changed, and nobody had agreed to it", in(Queued), changed, Facts{}, 0, Running, ReasonStarted, 15 * time.Second, kinds(EventLocked, EventStarted)},
		{"changed since it was confirmed", with(in(Queued), func(i *Invocation) { i.Confirmed = true }), changed, Facts{}, 0, Rejected, ReasonChanged, -1, kinds(EventRejected)},
		{"changed since it was approved", with(in(Queued), approved), changed, Facts{}, 0, Rejected, ReasonChanged, -1, kinds(EventRejected)},
		{"who approved may not any more", with(in(Queued), approved), lost, Facts{}, 0, Rejected, ReasonApproverLost, -1, kinds(EventRejected)},
		{"who asked may not any more", in(Queued), refusedNow, Facts{}, 0, Denied, ReasonDenied, -1, kinds(EventDecided)},
		{"the rules ask for approval now", in(Queued), needsMore, Facts{Short: "7kq2"}, 0, Awaiting, ReasonApproval, ApproveFor, kinds(EventDecided)},
		{"late", in(Queued), begin(), Facts{}, StaleAfter, Running, ReasonStarted, 15 * time.Second, kinds(EventLocked, EventStarted)},
		{"much too late", in(Queued), begin(), Facts{}, StaleAfter + 1, Expired, ReasonStale, -1, kinds(EventExpired)},
		{"what only looks is never too late", reading(in(Queued)), begin(), Facts{}, 24 * time.Hour, Running, ReasonStarted, 15 * time.Second, kinds(EventLocked, EventStarted)},
		{"a colleague keeps it locked", in(Queued), begin(), Facts{Held: Lock{Name: "deploy/shop", Kind: Sticky, Owner: lee}}, 0, Failed, ReasonLocked, -1, kinds(EventFinished)},
		{"it is one's own lock", in(Queued), begin(), Facts{Held: Lock{Name: "deploy/shop", Kind: Sticky, Owner: kim}}, 0, Running, ReasonStarted, 15 * time.Second, kinds(EventLocked, EventStarted)},
		{"the lock is over", in(Queued), begin(), Facts{Held: Lock{Name: "deploy/shop", Kind: Sticky, Owner: lee, Until: noon}}, 0, Running, ReasonStarted, 15 * time.Second, kinds(EventLocked, EventStarted)},
		{"another run has the lock", in(Queued), begin(), Facts{Busy: true}, 0, Queued, ReasonWaits, LookAgain, kinds(EventWaits)},
		{"and still has", with(in(Queued), func(i *Invocation) { i.Waiting = true }), begin(), Facts{Busy: true}, 0, Queued, ReasonWaits, LookAgain, nil},

		{"progress", in(Running), Progress{40, "copying"}, Facts{}, 0, Running, ReasonProgress, time.Minute, nil},
		{"progress of what is over", in(Failed), Progress{40, "copying"}, Facts{}, 0, Failed, ReasonNotRunning, -1, nil},
		{"succeeded", in(Running), ofRun(OutcomeSucceeded), Facts{}, time.Second, Succeeded, ReasonFinished, -1, kinds(EventFinished)},
		{"failed", in(Running), ofRun(OutcomeFailed), Facts{}, 0, Failed, ReasonFailed, -1, kinds(EventFinished)},
		{"called wrongly", in(Running), ofRun(OutcomeUsage), Facts{}, 0, Failed, ReasonUsage, -1, kinds(EventFinished)},
		{"an outcome that nobody knows", in(Running), ofRun("odd"), Facts{}, 0, Failed, ReasonFailed, -1, kinds(EventFinished)},
		{"took too long", in(Running), ofRun(OutcomeTimedOut), Facts{}, 0, TimedOut, ReasonTimedOut, -1, kinds(EventFinished)},
		{"stopped", in(Running), ofRun(OutcomeCancelled), Facts{}, 0, Cancelled, ReasonStopped, -1, kinds(EventFinished)},
		{"done in spite of it", with(in(Running), func(i *Invocation) { i.CancelAt = noon }), ofRun(OutcomeSucceeded), Facts{}, 0, Succeeded, ReasonFinished, -1, kinds(EventFinished)},
		{"later", in(Running), ofRun(OutcomeLater), Facts{}, 0, Queued, ReasonLater, laterStep, kinds(EventAgain)},
		{"later, but it was cancelled", with(in(Running), func(i *Invocation) { i.CancelAt = noon }), ofRun(OutcomeLater), Facts{}, 0, Cancelled, ReasonStopped, -1, kinds(EventFinished)},
		{"later for the last time", with(in(Running), func(i *Invocation) { i.Attempt = MaxAttempts }), Finish{Attempt: MaxAttempts, Outcome: OutcomeLater}, Facts{}, 0, Failed, ReasonGaveUp, -1, kinds(EventFinished)},
		{"a change that broke off", in(Running), Finish{Attempt: 1, Lost: true}, Facts{}, 0, Unknown, ReasonUnknown, -1, kinds(EventFinished)},
		{"a look that broke off", reading(in(Running)), Finish{Attempt: 1, Lost: true}, Facts{}, 0, Failed, ReasonFailed, -1, kinds(EventFinished)},
		{"the end of an earlier run", with(in(Running), func(i *Invocation) { i.Attempt = 2 }), ofRun(OutcomeFailed), Facts{}, 0, Running, ReasonOtherRun, time.Minute, nil},
		{"an end after the end", in(Cancelled), ofRun(OutcomeSucceeded), Facts{}, 0, Cancelled, ReasonOver, -1, nil},
		{"an end while it waits for another try", with(in(Queued), func(i *Invocation) { i.Attempt = 1 }), ofRun(OutcomeSucceeded), Facts{}, 0, Queued, ReasonNotRunning, 0, nil},
		{"the end becomes known", in(Unknown), ofRun(OutcomeSucceeded), Facts{}, 0, Succeeded, ReasonKnownAfterAll, -1, kinds(EventFinished)},
		{"and is that it did nothing", in(Unknown), ofRun(OutcomeLater), Facts{}, 0, Failed, ReasonKnownAfterAll, -1, kinds(EventFinished)},
		{"and is still unknown", in(Unknown), Finish{Attempt: 1, Lost: true}, Facts{}, 0, Unknown, ReasonOver, -1, nil},

		{"cancelled before it ran", in(Queued), Cancel{By: kim}, Facts{}, 0, Cancelled, ReasonCancelled, -1, kinds(EventCancelled)},
		{"by somebody who may", in(Queued), Cancel{lee, true}, Facts{}, 0, Cancelled, ReasonCancelled, -1, kinds(EventCancelled)},
		{"by somebody who may not", in(Queued), Cancel{lee, false}, Facts{}, 0, Queued, ReasonNotYours, 0, nil},
		{"a run is told to stop", in(Running), Cancel{By: kim}, Facts{}, 0, Running, ReasonCancelling, time.Minute, kinds(EventCancelling)},
		{"once", with(in(Running), func(i *Invocation) { i.CancelAt = noon }), Cancel{By: kim}, Facts{}, 0, Running, ReasonCancelling, time.Minute, nil},
		{"what is over cannot be cancelled", in(Succeeded), Cancel{By: kim}, Facts{}, 0, Succeeded, ReasonOver, -1, nil},

		{"the server of a change died", in(Running), CrashFound{}, Facts{}, time.Minute, Unknown, ReasonUnknown, -1, kinds(EventLost)},
		{"it has not", in(Running), CrashFound{}, Facts{}, time.Minute - 1, Running, ReasonNotDue, time.Minute, nil},
		{"the server of a look died", reading(in(Running)), CrashFound{}, Facts{}, time.Minute, Queued, ReasonRunsAgain, time.Minute, kinds(EventAgain)},
		{"and again and again", with(reading(in(Running)), func(i *Invocation) { i.Attempt = MaxAttempts }), CrashFound{}, Facts{}, time.Minute, Failed, ReasonGaveUp, -1, kinds(EventLost)},
		{"when it was to stop anyway", with(reading(in(Running)), func(i *Invocation) { i.CancelAt = noon }), CrashFound{}, Facts{}, time.Minute, Cancelled, ReasonStopped, -1, kinds(EventLost)},
		{"nothing runs", in(Queued), CrashFound{}, Facts{}, time.Minute, Queued, ReasonNotRunning, 0, nil},
		{"the server is stopped during a change", in(Running), Interrupt{1}, Facts{}, 0, Unknown, ReasonUnknown, -1, kinds(EventLost)},
		{"the server is stopped during a look", reading(in(Running)), Interrupt{1}, Facts{}, 0, Queued, ReasonRunsAgain, 0, kinds(EventAgain)},
		{"during an earlier run", reading(in(Running)), Interrupt{2}, Facts{}, 0, Running, ReasonOtherRun, time.Minute, nil},
		{"after it was believed lost", in(Unknown), Interrupt{1}, Facts{}, 0, Unknown, ReasonOver, -1, nil},

		{"a schedule is due", with(in(Queued), func(i *Invocation) { i.Schedule.Cron = "@daily" }), Fire{noon.Add(time.Hour), "made"}, Facts{}, 0, Queued, ReasonFired, time.Hour, kinds(EventFired)},
		{"for the last time", with(in(Queued), func(i *Invocation) { i.Schedule.Cron = "@daily" }), Fire{As: "made"}, Facts{}, 0, Succeeded, ReasonFinished, -1, kinds(EventFired)},
		{"it is not", with(in(Queued), func(i *Invocation) { i.Schedule.Cron, i.DueAt = "@daily", noon.Add(1) }), Fire{noon.Add(time.Hour), "made"}, Facts{}, 0, Queued, ReasonNotDue, 1, nil},
		{"no schedule", in(Queued), Fire{}, Facts{}, 0, Queued, ReasonNoSchedule, 0, nil},
		{"a cancelled schedule", in(Cancelled), Fire{}, Facts{}, 0, Cancelled, ReasonNotWaiting, -1, nil},
		{"a schedule needs no approval for itself", with(in(Parsed), func(i *Invocation) { i.Schedule.Cron, i.NotBefore = "@daily", noon.Add(time.Hour) }), Decided{needs(yes, 1)}, Facts{}, 0, Queued, ReasonQueued, time.Hour, kinds(EventReceived, EventDecided)},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Decide(c.inv, c.in, c.facts, noon.Add(c.after))
			got := d.Invocation
			if got.State != c.state || d.Reason != c.reason {
				t.Errorf("Decide() = %s because %s, want %s because %s", got.State, d.Reason, c.state, c.reason)
			}
			var due time.Time
			if c.due >= 0 {
				due = noon.Add(c.due)
			}
			if !got.DueAt.Equal(due) {
				t.Errorf("due %v, want %v", got.DueAt, due)
			}
			var events []EventKind
			for _, e := range d.Events {
				events = append(events, e.Kind)
			}
			if !slices.Equal(events, c.events) {
				t.Errorf("events %v, want %v", events, c.events)
			}
			if len(d.Events) > 0 && !d.Changed {
				t.Error("an event of something that did not change")
			}
		})
	}
}

func kinds(k ...EventKind) []EventKind { return k }

// Every input in every state keeps what the package promises.
func TestEveryInputInEveryStateKeepsThePromises(t *testing.T) {
	inputs := []Input{
		Decided{yes}, Decided{}, Decided{Verdict{StepUp: true}}, Confirm{kim, "ops"}, Prove{kim, yes}, Prove{kim, Verdict{StepUp: true}}, Prove{lee, yes}, Start{Verdict: Verdict{StepUp: true}}, Approve{By: lee, May: true}, Deny{lee, true, ""}, Deny{By: kim}, Cancel{By: kim}, Cancel{lee, true},
		Supersede{"x"}, begin(), Start{Verdict: Verdict{}}, Start{Broken: "?"}, Progress{50, "half"}, Progress{-1, ""}, Progress{900, ""},
		Interrupt{1}, Expire{}, CrashFound{}, Fire{noon.Add(time.Hour), "y"}, Fire{},
		Finish{Attempt: 1, Lost: true},
	}
	for _, o := range []Outcome{OutcomeSucceeded, OutcomeFailed, OutcomeUsage, OutcomeLater, OutcomeTimedOut, OutcomeCancelled, ""} {
		inputs = append(inputs, Finish{Attempt: 1, Outcome: o, Output: "x"})
	}
	for _, s := range States {
		for _, risk := range []command.Risk{command.Reads, command.Changes, command.Danger} {
			for _, after := range []time.Duration{0, time.Minute, time.Hour, 24 * time.Hour} {
				for _, input := range inputs {
					inv := in(s)
					inv.Risk = risk
					name := fmt.Sprintf("%T%+v to %s (%s) after %s", input, input, s, risk, after)
					promises(t, name, inv, input, Decide(inv, input, Facts{Short: "abcd"}, noon.Add(after)))
				}
			}
		}
	}
}

func promises(t *testing.T, name string, before Invocation, input Input, d Decision) {
	t.Helper()
	got := d.Invocation
	_, finish := input.(Finish)
	_, begun := input.(Start)
	switch {
	case d.Reason == "":
		t.Errorf("%s: no reason", name)
	case !d.Changed && (len(d.Events) > 0 || len(d.Entries) > 0 || d.Free || len(d.Take) > 0 || got.State != before.State):
		t.Errorf("%s: effects without a change", name)
	case before.State.Over() && got.State != before.State && (before.State != Unknown || !finish):
		t.Errorf("%s: what was over is %s", name, got.State)
	case got.State.Over() && (!got.DueAt.IsZero() || got.Sealed != "" || got.ClaimedBy != "" || got.Short != ""):
		t.Errorf("%s: over, and something is left: %+v", name, got)
	case !got.State.Over() && got.State != Parsed && got.DueAt.IsZero():
		t.Errorf("%s: %s, and nothing will ever be due", name, got.State)
	case got.State == Running && before.State != Running && !begun:
		t.Errorf("%s: runs without a start", name)
	case before.State == Running && got.State != Running && !d.Free:
		t.Errorf("%s: the lock is kept", name)
	case before.State == Running && got.State == Queued && before.Changes() && d.Reason != ReasonLater:
		t.Errorf("%s: a change runs again", name)
	case d.Changed && got.State != before.State && len(d.Events) == 0:
		t.Errorf("%s: the audit does not know that it is %s", name, got.State)
	case got.State != before.State && got.State != Running && got.State != Queued && !d.Tell:
		t.Errorf("%s: nobody is told that it is %s", name, got.State)
	case (got.State == Awaiting) != (got.Short != ""):
		t.Errorf("%s: %s with the code %q", name, got.State, got.Short)
	case !before.Changes() && len(d.Entries) > 0:
		t.Errorf("%s: a look makes an entry", name)
	}
	for _, e := range d.Entries {
		if e.Room != "ops" || e.Incident != 3 || e.Payload.Kind() != e.Kind {
			t.Errorf("%s: entry %+v", name, e)
		}
	}
	for _, e := range d.Events {
		if !slices.Contains(EventKinds, e.Kind) || e.Invocation != before.ID || e.At.IsZero() {
			t.Errorf("%s: event %+v", name, e)
		}
	}
}

func TestEntriesTellTheStory(t *testing.T) {
	v := yes
	v.Confirm, v.Approval = true, command.Approval{Count: 1}
	inv := deploy()
	var told []string
	step := func(in Input, after time.Duration) {
		d := Decide(inv, in, Facts{Short: "7kq2"}, noon.Add(after))
		for _, e := range d.Entries {
			told = append(told, fmt.Sprintf("%s %+v", e.Actor.Name, e.Payload))
		}
		inv = d.Invocation
	}
	step(Decided{v}, 0)
	step(Confirm{kim, "ops"}, time.Second)
	step(Approve{By: lee, May: true}, 2*time.Second)
	start := begin()
	start.Verdict = v
	step(start, 3*time.Second)
	step(Cancel{By: lee, May: true}, 4*time.Second)
	step(Finish{Attempt: 1, Outcome: OutcomeCancelled, Why: "stopped at 40 %"}, 5*time.Second)
	want := []string{
		"Kim {ID:inv Command:deploy run Line:deploy run shop --token=… State:confirming Rule:allow role:member change Why: Short:}",
		"Kim {ID:inv Command:deploy run Line:deploy run shop --token=… State:awaiting_approval Rule:allow role:member change Why: Short:7kq2}",
		"Lee {ID:inv Command:deploy run Line:deploy run shop --token=… By:lee Got:1 Of:1}",
		"Lee {ID:inv Command:deploy run Line:deploy run shop --token=… State:cancelled For:2000 Why:stopped at 40 % Rule:allow role:member change}",
	}
	if !slices.Equal(told, want) {
		t.Errorf("the timeline says\n%q\nwant\n%q", told, want)
	}
}

func TestDigest(t *testing.T) {
	base := Digest("deploy.run", "v1", map[string]string{"app": "shop", "env": "prod"}, "deploy/shop", false, "token", "key")
	for name, other := range map[string]string{
		"another version":  Digest("deploy.run", "v2", map[string]string{"app": "shop", "env": "prod"}, "deploy/shop", false, "token", "key"),
		"another value":    Digest("deploy.run", "v1", map[string]string{"app": "shop", "env": "test"}, "deploy/shop", false, "token", "key"),
		"moved characters": Digest("deploy.run", "v1", map[string]string{"app": "shopenv", "": "prod"}, "deploy/shop", false, "token", "key"),
		"another target":   Digest("deploy.run", "v1", map[string]string{"app": "shop", "env": "prod"}, "deploy/other", false, "token", "key"),
		"a dry run":        Digest("deploy.run", "v1", map[string]string{"app": "shop", "env": "prod"}, "deploy/shop", true, "token", "key"),
		"fewer secrets":    Digest("deploy.run", "v1", map[string]string{"app": "shop", "env": "prod"}, "deploy/shop", false, "token"),
	} {
		if other == base {
			t.Errorf("%s: the same digest", name)
		}
	}
	if again := Digest("deploy.run", "v1", map[string]string{"env": "prod", "app": "shop"}, "deploy/shop", false, "key", "token"); again != base {
		t.Error("the order of arguments or secrets makes another digest")
	}
}

func TestAgain(t *testing.T) {
	over := in(Failed)
	if _, ok := Again(over, "new", lee, noon); ok {
		t.Error("a command whose secrets are gone can be run again")
	}
	over.HadSecrets, over.Approvals, over.Confirmed, over.ProvenAt = false, []Approved{{By: lee}}, true, noon
	next, ok := Again(over, "new", lee, noon)
	if !ok || next.State != Parsed || next.From != "inv" || next.By != lee || next.Agreed() || !next.ProvenAt.IsZero() || next.Message != 0 || next.Attempt != 0 {
		t.Errorf("Again() = %+v, %v", next, ok)
	}
}

func TestScheduleRunsAsItsOwner(t *testing.T) {
	s := with(in(Queued), func(i *Invocation) {
		i.Schedule, i.Confirmed, i.ProvenAt = Schedule{Cron: "0 9 * * mon", Zone: "Europe/Berlin"}, true, noon
	})
	next, err := s.Schedule.Next(noon)
	if want := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC); err != nil || !next.Equal(want) {
		t.Errorf("Next() = %v, %v, want %v", next, err, want)
	}
	o := Occurrence(s, "new", next)
	if o.By.User != "kim" || o.By.Origin != timeline.System || !o.Confirmed || o.ProvenAt.IsZero() || o.Schedule.Cron != "" || o.Sealed == "" || o.From != s.ID {
		t.Errorf("Occurrence() = %+v", o)
	}
	for _, bad := range []Schedule{{Cron: "daily"}, {Cron: "@daily", Zone: "Nowhere/None"}} {
		if _, err := bad.Next(noon); err == nil {
			t.Errorf("%+v has a next time", bad)
		}
	}
}

func TestEveryReasonAndStateHasItsWords(t *testing.T) {
	for _, r := range Reasons {
		if !phrase.Has("invocation.reason." + string(r)) {
			t.Errorf("reason %s has no sentence", r)
		}
	}
	for _, s := range States {
		if !phrase.Has("invocation.state." + string(s)) {
			t.Errorf("state %s has no words", s)
		}
	}
}
