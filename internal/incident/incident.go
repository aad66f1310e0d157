// Package incident holds the life of an incident and the one function that
// knows its states.
//
//	             CRITICAL, WARNING            acknowledge, snooze
//	(nothing) ─────────────────▶ triggered ───────────────────────▶ acknowledged
//	                               │  ▲ ▲                              │  │
//	                               │  │ └── un-acknowledge, reroute, ──┘  │
//	                               │  │     snooze over, worse alert      │
//	                               │  └ reroute                           │
//	                               └────────────▶ resolved ◀──────────────┘
//	                                   resolve, RECOVERY
//
// Where a policy wants everybody of a step to acknowledge, it stays triggered
// until the last of them did. Where a policy sets a time, an acknowledgement
// expires and the incident is triggered again.
//
// Invariants: a resolved incident never opens again, the next alert makes a
// new one; at most one incident of an entity is open; only a triggered
// incident escalates. Everything here is a function of values: no clock, no
// database, no randomness. What a decision says is saved in one transaction.
package incident

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

// State is where an incident is in its life. Stable in storage.
type State string

// The states.
const (
	Triggered    State = "triggered"    // somebody must look; escalation runs
	Acknowledged State = "acknowledged" // somebody does; paging is silent
	Resolved     State = "resolved"     // over, for ever
)

// Incident is one disturbance of one entity, from its first alert to its end.
type Incident struct {
	ID    id.Incident `json:"-"`
	State State       `json:"-"`

	EntityID    string         `json:"-"`
	Title       string         `json:"title"`
	Message     string         `json:"message,omitempty"` // the latest alert's, first 500 characters
	Severity    alert.Type     `json:"severity"`          // critical or warning: the latest alert's
	Host        string         `json:"host,omitempty"`
	Tool        string         `json:"tool,omitempty"`
	RoutingKey  string         `json:"routing_key,omitempty"`
	Integration id.Integration `json:"integration,omitempty"`

	Team          id.Team   `json:"-"`
	Policy        id.Policy `json:"policy,omitempty"`         // "" when none, or when Direct
	PolicyVersion int64     `json:"policy_version,omitempty"` // the version it started with
	Direct        id.User   `json:"direct,omitempty"`         // handed to this person instead of a policy

	Step       escalation.Position `json:"step,omitzero"`        // the last step that was started, counted from 0
	Started    bool                `json:"started,omitzero"`     // Step means something: a step was started
	Next       escalation.Position `json:"next,omitzero"`        // the step that is due at NextAt
	NextAt     time.Time           `json:"next_at,omitzero"`     // zero: no step is waiting
	Paged      []id.User           `json:"paged,omitempty"`      // everybody who was ever asked, in order
	Responders []id.User           `json:"responders,omitempty"` // asked by a person, not by the policy
	AlertCount int                 `json:"alert_count"`          // alerts rolled up, the first included

	LastAlert   id.Alert  `json:"last_alert,omitempty"`
	LastAlertAt time.Time `json:"last_alert_at,omitzero"`
	TriggeredAt time.Time `json:"triggered_at"` // when it opened

	AckedAt      time.Time      `json:"acked_at,omitzero"`
	AckedBy      timeline.Actor `json:"acked_by,omitzero"`
	AckUntil     time.Time      `json:"ack_until,omitzero"`     // when the acknowledgement expires; zero: never
	SnoozedUntil time.Time      `json:"snoozed_until,omitzero"` // zero: not snoozed
	ResolvedAt   time.Time      `json:"resolved_at,omitzero"`
	ResolvedBy   timeline.Actor `json:"resolved_by,omitzero"`

	Urgency  people.Urgency   `json:"urgency,omitempty"`       // what its policy says; "" follows the severity: see HowUrgent
	Waiting  bool             `json:"waiting,omitzero"`        // the step at NextAt waits for working hours
	ToldOnly bool             `json:"told_only,omitzero"`      // the running step pages no person
	Moves    int              `json:"moves,omitempty"`         // how often it moved into another policy by a step
	Turn     int              `json:"turn,omitempty"`          // whose turn it is in steps that go round
	Asked    []id.User        `json:"asked,omitempty"`         // who must all acknowledge; empty when one is enough
	Acks     []timeline.Actor `json:"acked_in_part,omitempty"` // who did, since the policy started; when all must
}

// Open reports whether inc is not over.
func (inc Incident) Open() bool { return inc.State != Resolved }

// HowUrgent is how much inc may disturb.
func (inc Incident) HowUrgent() people.Urgency {
	return escalation.UrgencyOf(inc.Urgency, inc.Severity)
}

// Wants reports whether inc still needs an answer of u: it is triggered, and u
// has not acknowledged. Whoever sends a page looks at this right before.
func (inc Incident) Wants(u id.User) bool { return inc.State == Triggered && !inc.acked(u) }

func (inc Incident) acked(u id.User) bool {
	return slices.ContainsFunc(inc.Acks, func(a timeline.Actor) bool { return a.User == u })
}

// TimerKind names what is due.
type TimerKind string

// The timers an incident can have, at most one of each.
const (
	EscalateTimer TimerKind = "escalate" // the next step is due
	UnsnoozeTimer TimerKind = "unsnooze" // the snooze is over
	AckTimer      TimerKind = "ack"      // the acknowledgement has expired
)

// TimerKinds lists all of them.
func TimerKinds() []TimerKind { return []TimerKind{EscalateTimer, UnsnoozeTimer, AckTimer} }

// Due is the input of a timer that fires.
func (k TimerKind) Due() Input {
	switch k {
	case UnsnoozeTimer:
		return SnoozeDue{}
	case AckTimer:
		return AckDue{}
	}
	return StepDue{}
}

// Timer sets the timer of a kind of an incident; a zero DueAt clears it.
type Timer struct {
	Kind     TimerKind
	Incident id.Incident
	DueAt    time.Time
}

// Reason says which rule made a decision.
type Reason string

// The reasons, one for each branch of Decide.
const (
	ReasonOpened              Reason = "opened"
	ReasonRolledUp            Reason = "rolled_up"
	ReasonUpdated             Reason = "updated"
	ReasonRetriggered         Reason = "retriggered"
	ReasonInfo                Reason = "info"
	ReasonWarningOff          Reason = "warning_does_not_open"
	ReasonNothingOpen         Reason = "nothing_open"
	ReasonAcknowledged        Reason = "acknowledged"
	ReasonAlreadyAcknowledged Reason = "already_acknowledged"
	ReasonUnacknowledged      Reason = "unacknowledged"
	ReasonNotAcknowledged     Reason = "not_acknowledged"
	ReasonResolved            Reason = "resolved"
	ReasonAlreadyResolved     Reason = "already_resolved"
	ReasonSnoozed             Reason = "snoozed"
	ReasonSnoozeOver          Reason = "snooze_over"
	ReasonNotSnoozed          Reason = "not_snoozed"
	ReasonRerouted            Reason = "rerouted"
	ReasonResponderAdded      Reason = "responder_added"
	ReasonNoted               Reason = "noted"
	ReasonEscalated           Reason = "escalated"
	ReasonNotDue              Reason = "not_due"
	ReasonPagesLeft           Reason = "other_pages_are_on_their_way"
	ReasonWaitsForRound       Reason = "next_round_waits"
	ReasonAcknowledgedInPart  Reason = "acknowledged_in_part"
	ReasonAskedAlready        Reason = "others_must_acknowledge" // this person has; it is for the others
	ReasonAckRestarted        Reason = "acknowledgement_restarted"
	ReasonAckExpired          Reason = "acknowledgement_expired"
	ReasonWorse               Reason = "worse_while_waiting" // a step waited for working hours and waits no more
	ReasonMuted               Reason = "maintenance"         // a window keeps it from opening an incident
)

// Input is something that happens to an incident.
type Input interface{ input() }

// The inputs: requests are imperative, what merely happened is past.
type (
	// Arrived is an alert of the incident's entity.
	Arrived struct{ Alert alert.Alert }
	// Acknowledge says that By looks after it.
	Acknowledge struct {
		By      timeline.Actor
		Message string
	}
	// Unacknowledge gives it back; the policy starts again.
	Unacknowledge struct{ By timeline.Actor }
	// Resolve ends it.
	Resolve struct {
		By      timeline.Actor
		Message string
	}
	// Snooze acknowledges it until a time.
	Snooze struct {
		By    timeline.Actor
		Until time.Time
	}
	// Reroute hands it to Policy, or to the person Direct when that is set
	// (Policy is then escalation.Direct of that person).
	Reroute struct {
		By         timeline.Actor
		Policy     escalation.Policy
		Direct     id.User
		DirectName string
	}
	// AddResponder asks further people, whatever the policy does.
	AddResponder struct {
		By         timeline.Actor
		Users      []Person
		PolicyName string
	}
	// AddNote writes something down.
	AddNote struct {
		By   timeline.Actor
		Text string
	}
	// StepDue is the escalation timer.
	StepDue struct{}
	// SnoozeDue is the snooze timer.
	SnoozeDue struct{}
	// AckDue is the timer of an acknowledgement that expires.
	AckDue struct{}
	// PageGivenUp is a page of the running step that will never arrive.
	PageGivenUp struct{}
)

func (Arrived) input()       {}
func (Acknowledge) input()   {}
func (Unacknowledge) input() {}
func (Resolve) input()       {}
func (Snooze) input()        {}
func (Reroute) input()       {}
func (AddResponder) input()  {}
func (AddNote) input()       {}
func (StepDue) input()       {}
func (SnoozeDue) input()     {}
func (AckDue) input()        {}
func (PageGivenUp) input()   {}

// Person is somebody a step resolves to.
type Person struct {
	User      id.User
	Name      string
	Why       string // why this person: one plain sentence
	Reachable bool   // has a contact method that is on
}

// Facts is what a decision may know beside the incident.
type Facts struct {
	WarningOpens bool              // setting: a WARNING opens an incident
	Policy       escalation.Policy // the policy that the incident runs, or the route of a new one
	HasPolicy    bool              // false: no route leads anywhere
	DefaultRoute bool              // the routing key was unknown or absent
	// Whom resolves a target at the time of the decision.
	Whom func(escalation.Target) []Person
	// PagesLeft counts pages of the running step that may still arrive.
	PagesLeft int
	// Find returns the current version of a policy; nil: there is no other policy.
	Find func(id.Policy) (escalation.Policy, bool)
	// Gone reports whether a person is disabled or no more there; nil: nobody is.
	Gone func(id.User) bool
	// Zone returns the location of an IANA name; nil: UTC for all of them.
	Zone func(string) *time.Location
	// Turn counts the incidents that began to run a policy before this one;
	// it is asked only when the policy has a step that goes round. Nil: the
	// number of the incident, which is fair only to a single policy.
	Turn func(id.Policy) int
	// Muted is the maintenance window that keeps a new incident from opening;
	// the zero value: none does.
	Muted Muted
}

// Muted is a time in which nothing opens, and why.
type Muted struct {
	Window string
	Until  time.Time // zero: it is not
}

// Decision is what is to be saved, in one transaction.
type Decision struct {
	Incident Incident
	Entries  []timeline.Entry // without numbers
	Timers   []Timer
	Reason   Reason
	Changed  bool // Incident differs from what was given
}

// addUsers appends those of more that are not in list yet.
func addUsers(list []id.User, more ...id.User) []id.User {
	list = slices.Clip(list)
	for _, u := range more {
		if !slices.Contains(list, u) {
			list = append(list, u)
		}
	}
	return list
}
