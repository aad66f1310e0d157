// Package notify is how a page leaves the house. A Provider talks to one
// outside system and gives a verdict: done, try again, or never. It does not
// retry, sleep, schedule or read the database; the outbox does.
package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Page is one message to one contact method, complete in itself.
type Page struct {
	Key      string // idempotency key: the same page always has the same key
	To       string // address of the contact method, e.g. kim@example.org, +49301234567
	Secret   string // what the contact method needs beside its address, such as the token of a topic; "" for most
	Token    string // opaque, at most 40 of [A-Za-z0-9_-]: an Answer to this page carries it back; "" for a Notice
	UserName string // for greeting
	Zone     *time.Location
	At       time.Time // when it was planned

	// Incidents holds what the page is about: one, or several when pages to
	// the same contact method were bundled. Empty for a Notice.
	Incidents []PageIncident
	Notice    *Notice // a message that is not about an incident: reset, invitation, test
	Drill     bool
}

// PageIncident is the current state of one incident at the moment of sending.
type PageIncident struct {
	Number      id.Incident
	Title       string
	Message     string
	Severity    string // "critical", "warning"
	EntityID    string
	Host        string
	Tool        string
	RoutingKey  string
	Team        string
	AlertCount  int
	TriggeredAt time.Time
	Reason      string // why this person is paged, one plain sentence
	ThreadKey   string // the same for all pages of an incident to anybody: threads mails
	URL         string // the incident room
	AckURL      string // opens a page with one confirming button
	ResolveURL  string
}

// Notice is a message with one link.
type Notice struct {
	Subject string
	Lines   []string // paragraphs
	Action  string   // label of the link; "" for none
	URL     string
}

// Receipt is what the provider said when it took the page.
type Receipt struct {
	RemoteID string // the provider's id, e.g. the Message-ID
	Detail   string // the provider's answer, for the record
	State    State  // "" means Accepted
}

// State is how far a message has come after it left. Stable in storage.
type State string

// The states, in the order of a message's life.
const (
	Accepted    State = "accepted"    // the provider took responsibility
	Delivered   State = "delivered"   // it is on the person's device, or the call was answered
	Seen        State = "seen"        // the person has looked at it
	Undelivered State = "undelivered" // the provider gave up; Event.Detail has its reason
)

// Action is what a person answers to a page.
type Action string

// The answers. They are the words of incident actions.
const (
	Acknowledge Action = "acknowledge"
	Resolve     Action = "resolve"
)

// Answer is a person's answer to a page, through the page's own channel.
type Answer struct {
	Action   Action
	Token    string      // the Page.Token it answers, "" when the channel cannot carry one
	Incident id.Incident // as the person wrote it ("ack 123"); 0 when not written
	All      bool        // "ack all": every incident this person is paged for; Incident is 0
	From     string      // the address it came from, in the spelling of the contact method; "" when unknown
}

// Event is what a provider tells later, by a callback or when it is asked.
type Event struct {
	RemoteID  string // the Receipt.RemoteID it is about; "" for an answer that stands alone
	State     State  // "" when it says nothing about the message's way
	Detail    string // for people; contains no secret
	Permanent bool   // with Undelivered: the address will never work
	Answer    *Answer
}

// Tracker is a Provider that can be asked what became of a message, for
// installations that no callback can reach.
type Tracker interface {
	// Track returns the message's fate now; an Event with an empty State when
	// nothing is new. Errors are as for Send.
	Track(ctx context.Context, remoteID string) (Event, error)
}

// Canceller is a Provider whose message goes on making noise until it is told
// that the noise is over.
type Canceller interface {
	Cancel(ctx context.Context, remoteID string) error
}

// Listener is a Provider that receives answers by dialling out.
type Listener interface {
	// Listen hands each event to take, until ctx ends or the connection breaks
	// (the caller calls again, with backoff). An event whose take returned an
	// error is handed over again later.
	Listen(ctx context.Context, take func(context.Context, Event) error) error
}

// Provider sends pages of one kind ("email").
type Provider interface {
	// Send hands p to the provider before ctx ends. A nil error means the
	// provider took responsibility. Otherwise errors.As finds a *Failure that
	// says whether another try may help; any other error counts as temporary.
	Send(ctx context.Context, p Page) (Receipt, error)
}

// Failure is a provider's refusal.
type Failure struct {
	Permanent  bool          // never: this address, or this message, will not be taken
	Config     bool          // our own settings are wrong: tell the operator
	RetryAfter time.Duration // what the provider asked for; 0 when it did not
	Reason     string        // for people; contains no secret
	Err        error
}

func (f *Failure) Error() string {
	if f.Err != nil {
		return fmt.Sprintf("%s: %v", f.Reason, f.Err)
	}
	return f.Reason
}

func (f *Failure) Unwrap() error { return f.Err }

// Permanent reports whether err says that no further try can help.
func Permanent(err error) bool {
	f, ok := errors.AsType[*Failure](err)
	return ok && f.Permanent
}
