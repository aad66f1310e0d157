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
	To       string // address of the contact method, e.g. kim@example.org
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
