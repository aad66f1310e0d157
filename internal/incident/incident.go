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
	SnoozedUntil time.Time      `json:"snoozed_until,omitzero"` // zero: not snoozed
	ResolvedAt   time.Time      `json:"resolved_at,omitzero"`
	ResolvedBy   timeline.Actor `json:"resolved_by,omitzero"`
}

// Open reports whether inc is not over.
func (inc Incident) Open() bool { return inc.State != Resolved }

// TimerKind names what is due.
type TimerKind string

// The timers an incident can have, at most one of each.
const (
	EscalateTimer TimerKind = "escalate" // the next step is due
	UnsnoozeTimer TimerKind = "unsnooze" // the snooze is over
)

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
