// Package invocation holds the life of a command that somebody gave, and the
// one function that knows its states.
//
//	parsed ──▶ confirming ──▶ awaiting_approval ──▶ queued ──▶ running ──▶ succeeded
//	   │       proving             │                │  ▲         │  ├──▶ failed
//	   ▼           ▼                 ▼                │  └─────────┘  ├──▶ cancelled
//	 denied    cancelled          rejected            ▼     later     ├──▶ timed_out
//	           expired            expired          cancelled          └──▶ unknown
//	                              cancelled        denied, rejected, expired
//
// Proving is confirming with the second factor: who shows it means it, too.
// What a verdict does not ask for is left out: most commands go from parsed to
// queued. Right before a run it is decided again, so a queued one may still be
// denied, rejected because something has changed since somebody agreed to it,
// or be made to wait for approval.
//
// Invariants: what is over stays over, but for an unknown end that becomes known;
// a change or anything dangerous that was running when its server died is never
// run again; nothing runs without a verdict of that very moment; secrets are
// gone with the end. Who may do what is decided by those who ask, in package
// permit. Everything here is a function of values: no clock, no database.
package invocation

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

// State is where a command is in its life. Stable in storage.
type State string

// The states.
const (
	Parsed     State = "parsed"            // understood, and not decided yet
	Confirming State = "confirming"        // who asked is asked whether they mean it
	Proving    State = "proving"           // who asked is asked for their second factor
	Awaiting   State = "awaiting_approval" // others must agree
	Queued     State = "queued"            // runs when it is due
	Running    State = "running"           // runs

	Denied    State = "denied"    // who asked may not
	Succeeded State = "succeeded" // done
	Failed    State = "failed"    // it did not work
	Cancelled State = "cancelled" // somebody stopped it
	TimedOut  State = "timed_out" // it took too long
	Unknown   State = "unknown"   // nobody knows what it did
	Expired   State = "expired"   // nobody answered in time, or it came too late
	Rejected  State = "rejected"  // others did not agree, or it is no longer what they agreed to
)

// States lists every state.
var States = []State{
	Parsed, Confirming, Proving, Awaiting, Queued, Running,
	Denied, Succeeded, Failed, Cancelled, TimedOut, Unknown, Expired, Rejected,
}

// Over reports whether nothing more will happen.
func (s State) Over() bool {
	return !slices.Contains([]State{Parsed, Confirming, Proving, Awaiting, Queued, Running}, s)
}

// Asks reports whether it waits for somebody, who has until it is due.
func (s State) Asks() bool { return s == Confirming || s == Proving || s == Awaiting }

// The times of waiting.
const (
	ConfirmFor = 2 * time.Minute  // for a confirmation
	ProveFor   = 5 * time.Minute  // for a second factor, which is on a phone in another room
	ApproveFor = 15 * time.Minute // for approval, when the verdict says nothing else
	// StaleAfter is how much later than it was due a change may begin: whoever
	// asked an hour ago does not expect it any more.
	StaleAfter = time.Hour
	// LookAgain is when a command that waits for a lock or for its turn is looked
	// at again, if nobody has told before.
	LookAgain = 20 * time.Second
)

// How often a run that could not be done, or whose server died, is begun.
const (
	MaxAttempts = 5
	laterStep   = 30 * time.Second
)

// Invocation is one command that somebody gave.
type Invocation struct {
	ID     id.Invocation `json:"-"`
	Number int64         `json:"-"` // what people type: "job 812"
	State  State         `json:"-"`

	Command string            `json:"-"`     // the declaration's id
	Words   string            `json:"words"` // "deploy run"
	Version string            `json:"version,omitempty"`
	Risk    command.Risk      `json:"risk"`
	Line    string            `json:"line"`          // as it was understood, secrets masked
	Raw     string            `json:"raw,omitempty"` // as it was typed, secrets masked
	Args    map[string]string `json:"args,omitempty"`
	Given   []Given           `json:"given,omitempty"`
	Digest  string            `json:"digest,omitempty"` // see Digest
	// Sealed holds the arguments that are secret until the command is over; see package secret.
	Sealed string `json:"sealed,omitempty"`
	// HadSecrets says that some were given; it cannot be run again.
	HadSecrets bool `json:"had_secrets,omitempty"`

	By       timeline.Actor      `json:"by"`
	Username string              `json:"username,omitempty"`
	Scopes   []people.Permission `json:"scopes,omitempty"` // of the token it came by; nil: all that the person may
	Via      string              `json:"via,omitempty"`    // the account on another network; "": our own
	Room     id.Room             `json:"-"`                // where it was asked
	RoomName string              `json:"room_name,omitempty"`
	Thread   id.Seq              `json:"thread,omitempty"`
	Message  id.Seq              `json:"message,omitempty"` // that asked; 0: a button, a schedule, the API
	Incident id.Incident         `json:"-"`
	Team     id.Team             `json:"team,omitempty"` // the incident's

	Reason  string `json:"reason,omitempty"` // given with --reason
	DryRun  bool   `json:"dry_run,omitempty"`
	Private bool   `json:"private,omitempty"` // the answer is for the asker alone
	JSON    bool   `json:"json,omitempty"`    // the answer is for a program
	// InThread says whether the answer stands in a thread; nil: as usual.
	InThread *bool         `json:"in_thread,omitempty"`
	Timeout  time.Duration `json:"timeout,omitempty"` // 0: command.DefaultTimeout
	// Lock is the name of what one run at a time has; "" for none.
	Lock string `json:"-"`
	// Concurrency is how many runs of the command there may be at once; 0: any number.
	Concurrency int `json:"concurrency,omitempty"`

	From     id.Invocation `json:"from,omitempty"` // that it repeats, or the schedule that made it
	Schedule Schedule      `json:"schedule,omitzero"`

	AskedAt   time.Time `json:"-"`
	NotBefore time.Time `json:"not_before,omitzero"` // it was asked for later; zero: at once
	ReadyAt   time.Time `json:"ready_at,omitzero"`   // since when nobody need say or do anything for it to run
	DueAt     time.Time `json:"-"`                   // when the state it is in must be looked at; zero when it is over
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`

	Rule      string           `json:"rule,omitempty"` // that allowed or refused it last
	Why       string           `json:"why,omitempty"`  // it ended as it did
	Cause     Reason           `json:"cause,omitempty"`
	Confirmed bool             `json:"confirmed,omitempty"`
	Glass     bool             `json:"glass,omitempty"`    // it is allowed by breaking the glass alone
	ProvenAt  time.Time        `json:"proven_at,omitzero"` // when who asked had shown their second factor
	Short     string           `json:"-"`                  // what to type to approve it, while it waits for that
	Approval  command.Approval `json:"approval,omitzero"`
	Approvals []Approved       `json:"approvals,omitempty"`

	Host      string         `json:"host,omitempty"`   // where it runs or ran
	Attempt   int            `json:"attempt,omitzero"` // runs that were begun
	ClaimedBy string         `json:"-"`                // the process that works on it
	Claimed   time.Time      `json:"-"`                // until then
	Waiting   bool           `json:"-"`                // for a lock, or its turn
	CancelAt  time.Time      `json:"-"`                // somebody wants the run to stop; zero: nobody
	CancelBy  timeline.Actor `json:"cancel_by,omitzero"`

	Percent *int               `json:"percent,omitempty"` // of the work; nil: not known
	Saying  string             `json:"saying,omitempty"`  // what the run said last
	Output  string             `json:"-"`                 // what it said at its end
	Doc     *timeline.Document `json:"doc,omitempty"`
	// OutputRemoved says that retention has removed what it said at its end.
	OutputRemoved bool            `json:"output_removed,omitempty"`
	Files         []timeline.File `json:"files,omitempty"`
	Exit          int             `json:"exit,omitempty"`

	Living id.Seq `json:"living,omitempty"` // the message that is kept up to date; 0: none yet
	// Called are the messages by which those are asked to approve it who do not
	// read the room.
	Called []id.Seq `json:"called,omitempty"`
}

// Given is one argument as it was given, or its default.
type Given struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Approved is a yes.
type Approved struct {
	By timeline.Actor `json:"by"`
	At time.Time      `json:"at"`
}

// Schedule makes a command come again and again: it stays queued, and whenever
// it is due another invocation is made from it. The zero value is none.
type Schedule struct {
	Cron string `json:"cron,omitempty"` // five fields; see heartbeat.ParseCron
	Zone string `json:"zone,omitempty"` // IANA name; "" is UTC
}

// Next returns the first time after an instant.
func (s Schedule) Next(after time.Time) (time.Time, error) {
	c, err := heartbeat.ParseCron(s.Cron)
	if err != nil {
		return time.Time{}, err
	}
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return time.Time{}, err
	}
	return c.Next(after, zone), nil
}

// Changes reports whether a run of inv may change the world.
func (inv Invocation) Changes() bool { return inv.Risk != command.Reads }

// Deadline is how long one run may take.
func (inv Invocation) Deadline() time.Duration {
	if inv.Timeout > 0 {
		return inv.Timeout
	}
	return command.DefaultTimeout
}

// Agreed reports whether somebody has agreed to exactly this.
func (inv Invocation) Agreed() bool { return inv.Confirmed || len(inv.Approvals) > 0 }

// Took is how long the last run has taken.
func (inv Invocation) Took() time.Duration {
	if inv.StartedAt.IsZero() || inv.EndedAt.Before(inv.StartedAt) {
		return 0
	}
	return inv.EndedAt.Sub(inv.StartedAt)
}

// Again is a new invocation that asks for what inv asked, to be decided anew.
// ok is false when it cannot be: its secrets are gone.
func Again(inv Invocation, as id.Invocation, by timeline.Actor, now time.Time) (next Invocation, ok bool) {
	if inv.HadSecrets && inv.Sealed == "" {
		return Invocation{}, false
	}
	return Invocation{
		ID: as, State: Parsed, Command: inv.Command, Words: inv.Words, Version: inv.Version, Risk: inv.Risk,
		Line: inv.Line, Args: inv.Args, Given: inv.Given, Digest: inv.Digest, Sealed: inv.Sealed, HadSecrets: inv.HadSecrets,
		By: by, Username: inv.Username, Scopes: inv.Scopes, Via: inv.Via, Room: inv.Room, RoomName: inv.RoomName, Thread: inv.Thread,
		Incident: inv.Incident, Team: inv.Team, Reason: inv.Reason, DryRun: inv.DryRun, Private: inv.Private, JSON: inv.JSON, InThread: inv.InThread, Timeout: inv.Timeout,
		Lock: inv.Lock, Concurrency: inv.Concurrency, From: inv.ID, AskedAt: now,
	}, true
}

// Occurrence is what a schedule makes when it is due: the same again, asked by
// its owner, who has confirmed it, and shown their second factor for it, once for all times.
func Occurrence(schedule Invocation, as id.Invocation, now time.Time) Invocation {
	next, _ := Again(schedule, as, schedule.By, now) // its secrets live as long as it does
	next.By.Origin, next.Confirmed, next.ProvenAt = timeline.System, schedule.Confirmed, schedule.ProvenAt
	return next
}
