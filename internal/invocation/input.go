package invocation

import (
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Verdict is what package permit says about a command of somebody at one moment.
type Verdict struct {
	Allow    bool
	Rule     string           // that decided
	Why      string           // of a refusal, for the one who asked
	Confirm  bool             // who asked must confirm
	StepUp   bool             // not allowed, but it may be once who asked has shown their second factor
	Approval command.Approval // what it needs from others; Count 0: nothing
	Glass    bool             // it is allowed by breaking the glass alone
}

// Input is something that happens to an invocation.
type Input interface{ input() }

// The inputs: requests are imperative, what merely happened is past.
type (
	// Decided is the first verdict about it.
	Decided struct{ Verdict Verdict }
	// Confirm says that who asked means it.
	Confirm struct {
		By   timeline.Actor
		Room id.Room // where it was said
	}
	// Prove says that who asked has shown their second factor for it, and what
	// the rules say about it now.
	Prove struct {
		By      timeline.Actor
		Verdict Verdict
	}
	// Approve is a yes of somebody. May is whether they have the right.
	Approve struct {
		By  timeline.Actor
		May bool
		// Unproven says that the rules want their second factor, and they have not
		// shown it a moment ago.
		Unproven bool
	}
	// Deny is a no of somebody.
	Deny struct {
		By     timeline.Actor
		May    bool
		Reason string
	}
	// Cancel stops it. May is whether they may stop what others asked for.
	Cancel struct {
		By  timeline.Actor
		May bool
	}
	// Supersede gives it up, because who asked has asked for something else
	// before they confirmed it.
	Supersede struct{ By id.Invocation }
	// Start begins the run, as it was understood and decided at this moment.
	Start struct {
		Holder  string    // the process
		Host    string    // its name for people
		Until   time.Time // the process must say by then that it is still at work
		Verdict Verdict
		// Broken says why it is not understood any more; "": it is.
		Broken  string
		Version string
		Args    map[string]string
		Given   []Given
		Lock    string
		Digest  string
		// Lost are those who approved and have no right to any more.
		Lost []id.User
	}
	// Progress is what a run says meanwhile; Percent -1: it does not know.
	Progress struct {
		Percent int
		Text    string
	}
	// Finish is the end of a run.
	Finish struct {
		Attempt int // of which
		Outcome Outcome
		Why     string // of a failure
		Exit    int
		Output  string
		Doc     *timeline.Document
		Files   []timeline.File
		Private bool
		// Lost says that we do not know how it ended.
		Lost bool
	}
	// Interrupt is a run that we ended ourselves, because the server is stopped.
	Interrupt struct{ Attempt int }
	// Expire is the end of the time for an answer.
	Expire struct{}
	// CrashFound is a run of which nobody has heard for too long.
	CrashFound struct{}
	// Fire makes a schedule due again at Next; zero: it never will be.
	Fire struct {
		Next time.Time
		As   id.Invocation // what was made of it
	}
)

func (Decided) input()    {}
func (Confirm) input()    {}
func (Prove) input()      {}
func (Approve) input()    {}
func (Deny) input()       {}
func (Cancel) input()     {}
func (Supersede) input()  {}
func (Start) input()      {}
func (Progress) input()   {}
func (Finish) input()     {}
func (Interrupt) input()  {}
func (Expire) input()     {}
func (CrashFound) input() {}
func (Fire) input()       {}

// Outcome is how a run says that it ended; the same words as in package program.
type Outcome string

// The outcomes.
const (
	OutcomeSucceeded Outcome = "succeeded"
	OutcomeFailed    Outcome = "failed"
	OutcomeUsage     Outcome = "usage"   // it was called wrongly
	OutcomeLater     Outcome = "later"   // it could not now; nothing was changed
	OutcomeRefused   Outcome = "refused" // it may or can not be done; nothing was changed
	OutcomeTimedOut  Outcome = "timed_out"
	OutcomeCancelled Outcome = "cancelled"
)

// Facts is what a decision may know beside the invocation.
type Facts struct {
	// Short is a code that no other invocation has now.
	Short string
	// Held is the lock that keeps this one from running until somebody releases
	// it; the zero value: none does.
	Held Lock
	// Busy says that another run has the lock, or is before this one, or that
	// there are as many runs of the command as there may be.
	Busy bool
}

// LockKind says how long a lock lasts. Stable in storage.
type LockKind string

// The kinds of locks.
const (
	ForRun LockKind = "run"    // as long as a run
	Sticky LockKind = "sticky" // until somebody releases it, or its time is over
)

// Lock is a thing that somebody keeps others from.
type Lock struct {
	Name       string
	Kind       LockKind
	Owner      timeline.Actor
	Reason     string
	Room       id.Room // where it was taken
	Since      time.Time
	Until      time.Time     // zero: until it is released
	Invocation id.Invocation // of a ForRun lock: the run
}

// Blocks reports whether l keeps u from running what needs it, at now. The
// owner of a sticky lock works behind it.
func (l Lock) Blocks(u id.User, now time.Time) bool {
	switch {
	case l.Name == "", !l.Until.IsZero() && !now.Before(l.Until):
		return false
	case l.Kind == Sticky:
		return u == "" || l.Owner.User != u
	}
	return true
}

// Reason says which rule made a decision.
type Reason string

// The reasons, one for each branch of Decide.
const (
	ReasonQueued         Reason = "queued"
	ReasonConfirm        Reason = "must_confirm"
	ReasonStepUp         Reason = "must_step_up"
	ReasonApproval       Reason = "must_be_approved"
	ReasonDenied         Reason = "denied"
	ReasonAlreadyDecided Reason = "already_decided"
	ReasonNotWaiting     Reason = "not_waiting"     // for this answer
	ReasonOver           Reason = "over"            // and stays so
	ReasonNotYours       Reason = "not_yours"       // somebody else asked
	ReasonElsewhere      Reason = "elsewhere"       // it was asked in another conversation
	ReasonTooLate        Reason = "too_late"        // the time for an answer is over
	ReasonNoRight        Reason = "no_right"        // to approve, deny or cancel it
	ReasonPeer           Reason = "not_oneself"     // another person must approve it
	ReasonApprovedBefore Reason = "approved_before" // by the same person
	ReasonUnproven       Reason = "not_proven"      // whoever says yes has to show their second factor
	ReasonApproved       Reason = "approved"
	ReasonApprovedInPart Reason = "approved_in_part"
	ReasonRejected       Reason = "rejected"
	ReasonCancelled      Reason = "cancelled"
	ReasonCancelling     Reason = "cancelling" // the run is told to stop
	ReasonSuperseded     Reason = "superseded"
	ReasonNotDue         Reason = "not_due"
	ReasonBroken         Reason = "not_understood" // any more
	ReasonChanged        Reason = "changed"        // what was agreed to is not what would run
	ReasonApproverLost   Reason = "approver_lost"  // who approved may not any more
	ReasonStale          Reason = "stale"          // it should have begun long ago
	ReasonLocked         Reason = "locked"
	ReasonWaits          Reason = "waits" // for a lock or its turn
	ReasonStarted        Reason = "started"
	ReasonProgress       Reason = "progress"
	ReasonNotRunning     Reason = "not_running"
	ReasonOtherRun       Reason = "other_run" // it is about an earlier run
	ReasonFinished       Reason = "finished"
	ReasonFailed         Reason = "failed"
	ReasonUsage          Reason = "usage"
	ReasonRefused        Reason = "refused" // by what runs it, for the right or the state of things; nothing was done
	ReasonTimedOut       Reason = "timed_out"
	ReasonStopped        Reason = "stopped"         // it ended because somebody wanted it to
	ReasonLater          Reason = "later"           // it is tried again
	ReasonGaveUp         Reason = "gave_up"         // it was tried often enough
	ReasonUnknown        Reason = "unknown"         // nobody knows what it did
	ReasonKnownAfterAll  Reason = "known_after_all" // the end of a run that was believed lost
	ReasonRunsAgain      Reason = "runs_again"      // it only looks: nothing is lost
	ReasonExpired        Reason = "expired"
	ReasonFired          Reason = "fired"
	ReasonNoSchedule     Reason = "no_schedule"
)

// Reasons lists every reason.
var Reasons = []Reason{
	ReasonQueued, ReasonConfirm, ReasonStepUp, ReasonUnproven, ReasonApproval, ReasonDenied, ReasonAlreadyDecided, ReasonNotWaiting, ReasonOver, ReasonNotYours,
	ReasonElsewhere, ReasonTooLate, ReasonNoRight, ReasonPeer, ReasonApprovedBefore, ReasonApproved, ReasonApprovedInPart,
	ReasonRejected, ReasonCancelled, ReasonCancelling, ReasonSuperseded, ReasonNotDue, ReasonBroken, ReasonChanged, ReasonApproverLost,
	ReasonStale, ReasonLocked, ReasonWaits, ReasonStarted, ReasonProgress, ReasonNotRunning, ReasonOtherRun, ReasonFinished, ReasonFailed,
	ReasonUsage, ReasonRefused, ReasonTimedOut, ReasonStopped, ReasonLater, ReasonGaveUp, ReasonUnknown, ReasonKnownAfterAll, ReasonRunsAgain,
	ReasonExpired, ReasonFired, ReasonNoSchedule,
}

// Sentence is r for people.
func (r Reason) Sentence() string { return phrase.T("invocation.reason." + string(r)) }

// Shown is s for people, in a word or two.
func (s State) Shown() string { return phrase.T("invocation.state." + string(s)) }
