// Package timeline is the vocabulary of facts: what can stand in the one
// ordered, append-only record that people read, search and talk in. Every kind
// is listed here with its payload; the set is closed, and a kind never changes
// its meaning once stored.
//
// An Entry is numbered by the store when its transaction commits: numbers are
// dense and follow commit order, so a reader that has seen n has seen
// everything up to n.
package timeline

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Kind names what happened, in the past tense. Stable in storage.
type Kind string

// The closed set of kinds. Since gives the date each was added.
const (
	AlertReceived          Kind = "alert_received"          // 2026-11-22: an alert that neither opened nor changed an incident
	IncidentTriggered      Kind = "incident_triggered"      // 2026-11-22: an incident opened
	IncidentUpdated        Kind = "incident_updated"        // 2026-11-22: a later alert changed what the incident says
	IncidentRetriggered    Kind = "incident_retriggered"    // 2026-11-22: acknowledged, then got worse
	IncidentAcknowledged   Kind = "incident_acknowledged"   // 2026-11-22
	IncidentUnacknowledged Kind = "incident_unacknowledged" // 2026-11-22
	IncidentResolved       Kind = "incident_resolved"       // 2026-11-22
	IncidentSnoozed        Kind = "incident_snoozed"        // 2026-11-22
	SnoozeEnded            Kind = "snooze_ended"            // 2026-11-22
	IncidentRerouted       Kind = "incident_rerouted"       // 2026-11-22
	ResponderAdded         Kind = "responder_added"         // 2026-11-22
	NoteAdded              Kind = "note_added"              // 2026-11-22
	StepStarted            Kind = "step_started"            // 2026-11-22: an escalation step pages people
	StepSkipped            Kind = "step_skipped"            // 2026-11-22: an escalation step had nobody to page
	EscalationExhausted    Kind = "escalation_exhausted"    // 2026-11-22: the policy has no further step
	PageSent               Kind = "page_sent"               // 2026-11-22: a provider took a page
	PageRetrying           Kind = "page_retrying"           // 2026-11-22: the first try failed, more follow
	PageFailed             Kind = "page_failed"             // 2026-11-22: a page was given up
	MessagePosted          Kind = "message_posted"          // 2026-11-22: somebody wrote a line
	OrgChanged             Kind = "org_changed"             // 2026-11-22: somebody changed people, teams, rotas, routing
	ResponderAcknowledged  Kind = "responder_acknowledged"  // 2026-11-22: one of several who must all acknowledge did
	AckExpired             Kind = "ack_expired"             // 2026-11-22: acknowledged for too long without an end; pages again
	StepTold               Kind = "step_told"               // 2026-11-22: a step tells webhooks, mail addresses, chat rooms
	EscalationWaits        Kind = "escalation_waits"        // 2026-11-22: a step of low urgency waits for working hours
	EscalationHandedOver   Kind = "escalation_handed_over"  // 2026-11-22: the incident moved into another policy by a step
	PageDelivered          Kind = "page_delivered"          // 2026-11-22: the provider reports that it arrived
	PageAnswered           Kind = "page_answered"           // 2026-11-22: somebody answered a page where it arrived
	PageMovedOn            Kind = "page_moved_on"           // 2026-11-22: a method failed or was too slow; the next one is used
	PageHeld               Kind = "page_held"               // 2026-11-22: pages of a storm wait for a digest
	ShiftChanged           Kind = "shift_changed"           // 2026-11-22: another person is on call from this instant on
	OnCallTaken            Kind = "on_call_taken"           // 2026-11-22: somebody took the duty of a colleague
	OnCallHandedBack       Kind = "on_call_handed_back"     // 2026-11-22: and gave it back
	OverrideAdded          Kind = "override_added"          // 2026-11-22: somebody covers for somebody, planned
	OverrideRemoved        Kind = "override_removed"        // 2026-11-22: the rota is as it was
	SwapAsked              Kind = "swap_asked"              // 2026-11-22: somebody asks a colleague to take a shift
	SwapAnswered           Kind = "swap_answered"           // 2026-11-22: the colleague said yes or no
	AbsenceAdded           Kind = "absence_added"           // 2026-11-22: somebody will be away
	AbsenceRemoved         Kind = "absence_removed"         // 2026-11-22: and will not
	CoverageProblem        Kind = "coverage_problem"        // 2026-11-22: something that will leave an alert without a person
	CoverageRestored       Kind = "coverage_restored"       // 2026-11-22: it is well again
	MaintenanceStarted     Kind = "maintenance_started"     // 2026-11-22: nobody is paged for some alerts
	MaintenanceEnded       Kind = "maintenance_ended"       // 2026-11-22
	HeartbeatMissed        Kind = "heartbeat_missed"        // 2026-11-22: a monitored job did not call in
	HeartbeatResumed       Kind = "heartbeat_resumed"       // 2026-11-22: it does again
	DrillStarted           Kind = "drill_started"           // 2026-11-22: a test page goes to people
	DrillEnded             Kind = "drill_ended"             // 2026-11-22
	MessageEdited          Kind = "message_edited"          // 2026-11-22: its author wrote it anew
	MessageDeleted         Kind = "message_deleted"         // 2026-11-22: a tombstone stands in its place
	MessageLinked          Kind = "message_linked"          // 2026-11-22: a message was made part of an incident's record
	MessagePinned          Kind = "message_pinned"          // 2026-11-22
	MessageUnpinned        Kind = "message_unpinned"        // 2026-11-22
	ReactionAdded          Kind = "reaction_added"          // 2026-11-22
	ReactionRemoved        Kind = "reaction_removed"        // 2026-11-22
	RoomOpened             Kind = "room_opened"             // 2026-11-22: a room was made
	RoomChanged            Kind = "room_changed"            // 2026-11-22: its name, topic or members changed
	RoomClosed             Kind = "room_closed"             // 2026-11-22: it can be read, and not written in
	CommandAsked           Kind = "command_asked"           // 2026-11-22: a command was decided: runs, waits for somebody, or is refused
	CommandApproved        Kind = "command_approved"        // 2026-11-22: somebody with the right said yes
	CommandRejected        Kind = "command_rejected"        // 2026-11-22: or no
	CommandFinished        Kind = "command_finished"        // 2026-11-22: it ended, one way or another
	LockTaken              Kind = "lock_taken"              // 2026-11-22: somebody keeps a thing to themselves
	LockReleased           Kind = "lock_released"           // 2026-11-22
	RecordsRemoved         Kind = "records_removed"         // 2026-11-22: retention removed what was old
)

// Kinds lists every kind once, in the order of declaration.
var Kinds = []Kind{
	AlertReceived, IncidentTriggered, IncidentUpdated, IncidentRetriggered, IncidentAcknowledged,
	IncidentUnacknowledged, IncidentResolved, IncidentSnoozed, SnoozeEnded, IncidentRerouted,
	ResponderAdded, NoteAdded, StepStarted, StepSkipped, EscalationExhausted,
	PageSent, PageRetrying, PageFailed, MessagePosted, OrgChanged,
	ResponderAcknowledged, AckExpired, StepTold, EscalationWaits, EscalationHandedOver,
	PageDelivered, PageAnswered, PageMovedOn, PageHeld,
	ShiftChanged, OnCallTaken, OnCallHandedBack, OverrideAdded, OverrideRemoved,
	SwapAsked, SwapAnswered, AbsenceAdded, AbsenceRemoved, CoverageProblem, CoverageRestored,
	MaintenanceStarted, MaintenanceEnded, HeartbeatMissed, HeartbeatResumed, DrillStarted, DrillEnded,
	MessageEdited, MessageDeleted, MessageLinked, MessagePinned, MessageUnpinned, ReactionAdded, ReactionRemoved,
	RoomOpened, RoomChanged, RoomClosed,
	CommandAsked, CommandApproved, CommandRejected, CommandFinished, LockTaken, LockReleased, RecordsRemoved,
}

// Origin says from where somebody acted.
type Origin string

// The places an action can come from.
const (
	Browser    Origin = "browser"
	API        Origin = "api"
	Mail       Origin = "mail"
	Command    Origin = "command" // the command line
	Page       Origin = "page"    // an answer to a page: a reply, a key, a button
	Chat       Origin = "chat"    // a command typed in a room, or one of its buttons
	Bot        Origin = "bot"     // our own bot
	Robot      Origin = "robot"   // a program that talks in a room, such as Hubot
	Monitoring Origin = "monitoring"
	System     Origin = "system" // a timer or rule of ours
)

// Actor is who did it: a person, or a named thing when User is empty.
type Actor struct {
	User   id.User `json:"user,omitempty"`
	Name   string  `json:"name,omitempty"`
	Origin Origin  `json:"origin"`
}

// Self is the server acting by its own rules.
var Self = Actor{Name: "watchroom", Origin: System}

// Entry is one line of the timeline.
type Entry struct {
	Seq      id.Seq
	At       time.Time // UTC, never before the entry in front of it
	Kind     Kind
	Actor    Actor
	Room     id.Room     // "" is the organisation's timeline, the first room; see package room
	Thread   id.Seq      // the message whose thread it is written in; 0: none
	Incident id.Incident // 0 when it belongs to none
	Team     id.Team     // "" when it belongs to none
	Person   id.User     // the person it is about: the actor, or who was paged
	Payload  Payload     // its type follows from Kind
}

// Payload is the body of an entry; each kind has exactly one type.
type Payload interface{ Kind() Kind }

// The payloads, one for each kind. Fields are stable in storage.
type (
	// AlertBody is an alert that changed no incident.
	AlertBody struct {
		Alert      id.Alert `json:"alert"`
		Type       string   `json:"type"`
		EntityID   string   `json:"entity_id"`
		Title      string   `json:"title"`
		Message    string   `json:"message,omitempty"` // first 500 characters
		Tool       string   `json:"tool,omitempty"`
		RoutingKey string   `json:"routing_key,omitempty"`
		Why        string   `json:"why"` // the reason it opened nothing
		// For the reason "maintenance": the window's name, and when the alert is decided again.
		Window string    `json:"window,omitempty"`
		Until  time.Time `json:"until,omitzero"`
	}
	// Triggered opens an incident.
	Triggered struct {
		Alert      id.Alert  `json:"alert,omitempty"`
		Severity   string    `json:"severity"`
		EntityID   string    `json:"entity_id"`
		Title      string    `json:"title"`
		Message    string    `json:"message,omitempty"` // first 500 characters
		Tool       string    `json:"tool,omitempty"`
		Host       string    `json:"host,omitempty"`
		RoutingKey string    `json:"routing_key,omitempty"`
		Policy     id.Policy `json:"policy,omitempty"`
		Version    int64     `json:"policy_version,omitempty"`
		PolicyName string    `json:"policy_name,omitempty"`
		Default    bool      `json:"default_route,omitempty"` // the routing key was unknown or absent
		Urgency    string    `json:"urgency,omitempty"`       // what the policy says; "" follows the severity
		Turn       int       `json:"turn,omitempty"`          // whose turn it is in steps that go round
	}
	// Updated says what a later alert changed.
	Updated struct {
		Alert    id.Alert `json:"alert"`
		Severity string   `json:"severity"`
		Title    string   `json:"title"`
		Message  string   `json:"message,omitempty"`
		Count    int      `json:"count"` // alerts so far
	}
	// Retriggered is an acknowledged incident that needs somebody again.
	Retriggered struct {
		Alert    id.Alert `json:"alert"`
		Severity string   `json:"severity"`
		Title    string   `json:"title"`
		Message  string   `json:"message,omitempty"`
		Count    int      `json:"count"`
	}
	// Acknowledged stops the paging.
	Acknowledged struct {
		Message string    `json:"message,omitempty"` // the sender's comment
		Acked   int       `json:"acked,omitempty"`   // when all must acknowledge: how many did
		Of      int       `json:"of,omitempty"`      // of how many
		Until   time.Time `json:"until,omitzero"`    // when it will page again unless it is resolved; zero: never
	}
	// Unacknowledged starts it again.
	Unacknowledged struct{}
	// Resolved ends the incident.
	Resolved struct {
		Message string `json:"message,omitempty"`
	}
	// Snoozed is acknowledged until a time.
	Snoozed struct {
		Until time.Time `json:"until"`
	}
	// SnoozeOver triggers the incident again.
	SnoozeOver struct{}
	// Rerouted hands the incident to another policy or person.
	Rerouted struct {
		Policy     id.Policy `json:"policy,omitempty"`
		Version    int64     `json:"policy_version,omitempty"`
		PolicyName string    `json:"policy_name,omitempty"`
		User       id.User   `json:"user,omitempty"`
		UserName   string    `json:"user_name,omitempty"`
		Urgency    string    `json:"urgency,omitempty"` // as in Triggered
		Turn       int       `json:"turn,omitempty"`
	}
	// Responder asks further people to help.
	Responder struct {
		Users      []id.User `json:"users"`
		Names      []string  `json:"names"`
		PolicyName string    `json:"policy_name,omitempty"` // when a whole policy was asked
	}
	// Noted is a note for the record.
	Noted struct {
		Text string `json:"text"`
	}
	// Step pages people.
	Step struct {
		Step        int       `json:"step"`  // from 1; the last resort is one more than the last step
		Round       int       `json:"round"` // from 1
		Users       []id.User `json:"users"`
		Names       []string  `json:"names"`
		PolicyName  string    `json:"policy_name,omitempty"`
		Why         []string  `json:"why"` // one sentence for each of Users, then one about who could not be reached
		LastResort  bool      `json:"last_resort,omitempty"`
		AckAll      bool      `json:"ack_all,omitempty"`      // each of Users must acknowledge
		EveryMethod bool      `json:"every_method,omitempty"` // at once by every method, whatever people chose for themselves
		Urgency     string    `json:"urgency,omitempty"`      // "low", or "" for high
	}
	// Skipped is a step that had nobody.
	Skipped struct {
		Step       int    `json:"step"`
		Round      int    `json:"round"`
		PolicyName string `json:"policy_name,omitempty"`
		Why        string `json:"why"`
		LastResort bool   `json:"last_resort,omitempty"`
	}
	// Exhausted is the end of a policy.
	Exhausted struct {
		PolicyName string `json:"policy_name,omitempty"`
		Why        string `json:"why"`
	}
	// PageState is the fate of one page (sent).
	PageState struct {
		Delivery id.Delivery `json:"delivery"`
		User     id.User     `json:"user"`
		Name     string      `json:"name"`
		Method   string      `json:"method"` // "email"
		Address  string      `json:"address"`
		Attempt  int         `json:"attempt"`
		Bundled  int         `json:"bundled,omitempty"` // incidents in the same message, when more than one
		Detail   string      `json:"detail,omitempty"`  // the provider's words
	}
	// PageRetry is a first try that failed.
	PageRetry PageState
	// PageLost is a page that was given up.
	PageLost PageState
	// Change is a change of the organisation.
	Change struct {
		Object string   `json:"object"` // "rotation", "user", ...
		ID     string   `json:"id"`
		Name   string   `json:"name"`
		Action string   `json:"action"` // "created", "changed", "deleted"
		Fields []string `json:"fields,omitempty"`
	}
)

// Kind implements Payload.
func (AlertBody) Kind() Kind      { return AlertReceived }
func (Triggered) Kind() Kind      { return IncidentTriggered }
func (Updated) Kind() Kind        { return IncidentUpdated }
func (Retriggered) Kind() Kind    { return IncidentRetriggered }
func (Acknowledged) Kind() Kind   { return IncidentAcknowledged }
func (Unacknowledged) Kind() Kind { return IncidentUnacknowledged }
func (Resolved) Kind() Kind       { return IncidentResolved }
func (Snoozed) Kind() Kind        { return IncidentSnoozed }
func (SnoozeOver) Kind() Kind     { return SnoozeEnded }
func (Rerouted) Kind() Kind       { return IncidentRerouted }
func (Responder) Kind() Kind      { return ResponderAdded }
func (Noted) Kind() Kind          { return NoteAdded }
func (Step) Kind() Kind           { return StepStarted }
func (Skipped) Kind() Kind        { return StepSkipped }
func (Exhausted) Kind() Kind      { return EscalationExhausted }
func (PageState) Kind() Kind      { return PageSent }
func (PageRetry) Kind() Kind      { return PageRetrying }
func (PageLost) Kind() Kind       { return PageFailed }
func (Change) Kind() Kind         { return OrgChanged }
