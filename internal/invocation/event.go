package invocation

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// EventKind names what happened to an invocation, for the audit. Stable in storage.
type EventKind string

// The kinds of events.
const (
	EventReceived   EventKind = "received" // and understood
	EventDecided    EventKind = "decided"  // by a rule, at first or right before a run
	EventProven     EventKind = "proven"   // who asked has shown their second factor
	EventConfirmed  EventKind = "confirmed"
	EventApproved   EventKind = "approved"
	EventRejected   EventKind = "rejected"
	EventExpired    EventKind = "expired"
	EventCancelling EventKind = "cancelling" // a run is told to stop
	EventCancelled  EventKind = "cancelled"
	EventWaits      EventKind = "waits"
	EventLocked     EventKind = "locked"
	EventStarted    EventKind = "started"
	EventFinished   EventKind = "finished"
	EventLost       EventKind = "lost"     // its server died
	EventAgain      EventKind = "requeued" // it will be run again
	EventFired      EventKind = "fired"    // a schedule was due
	EventDelivered  EventKind = "delivered"
	EventGlass      EventKind = "glass_broken" // it runs although it was refused or lacked approval
	EventRemoved    EventKind = "removed"      // the first events were, by retention; it is of no invocation
)

// EventKinds lists every kind.
var EventKinds = []EventKind{
	EventReceived, EventDecided, EventProven, EventConfirmed, EventApproved, EventRejected, EventExpired, EventCancelling, EventCancelled,
	EventWaits, EventLocked, EventStarted, EventFinished, EventLost, EventAgain, EventFired, EventDelivered, EventGlass, EventRemoved,
}

// Event is one line of the audit: it is written once and never changed. Seq,
// Sum and Hash are given by the store: Sum is of the event itself, Hash of the
// hash before and Sum, so that nothing can be changed, put in or taken out
// without being noticed.
type Event struct {
	Seq        int64         `json:"-"`
	Invocation id.Invocation `json:"-"`
	At         time.Time     `json:"-"`
	Kind       EventKind     `json:"-"`
	Sum        string        `json:"-"`
	Hash       string        `json:"-"`

	By      timeline.Actor `json:"by"`
	State   State          `json:"state"` // after it
	Reason  Reason         `json:"reason"`
	Rule    string         `json:"rule,omitempty"`
	Why     string         `json:"why,omitempty"`
	Via     string         `json:"via,omitempty"`
	Room    id.Room        `json:"room,omitempty"`
	Message id.Seq         `json:"message,omitempty"`

	// Of what was received.
	Command string   `json:"command,omitempty"`
	Version string   `json:"version,omitempty"`
	Raw     string   `json:"raw,omitempty"`
	Line    string   `json:"line,omitempty"`
	Digest  string   `json:"digest,omitempty"` // of what was decided, or of the output
	Names   []string `json:"names,omitempty"`  // of a lock, of files

	// Of a run.
	Host    string        `json:"host,omitempty"`
	Attempt int           `json:"attempt,omitempty"`
	Exit    int           `json:"exit,omitempty"`
	Bytes   int           `json:"bytes,omitempty"` // of output
	For     int64         `json:"for_ms,omitempty"`
	Made    id.Invocation `json:"made,omitempty"` // by a schedule

	// Upto is the last of the events that were removed; Digest is its hash then.
	Upto int64 `json:"upto,omitempty"`
}
