package timeline

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// The payloads of escalation and of pages that were added in 2026-11, after
// those in timeline.go. Fields are stable in storage.
type (
	// PartAcknowledged is one of several who must all acknowledge: nobody pages
	// the actor any more, the others are paged on.
	PartAcknowledged struct {
		Message string    `json:"message,omitempty"`
		Acked   int       `json:"acked"`   // how many did, the actor included
		Of      int       `json:"of"`      // of how many
		Waiting []id.User `json:"waiting"` // those who did not yet
	}
	// AckLapsed triggers an incident again that was acknowledged and not
	// resolved for as long as its policy allows.
	AckLapsed struct {
		User  id.User   `json:"user,omitempty"` // who had acknowledged it
		Name  string    `json:"name,omitempty"`
		Since time.Time `json:"since"` // when
	}
	// Told is a step that tells things that cannot acknowledge.
	Told struct {
		Step       int      `json:"step"`  // from 1, as in Step
		Round      int      `json:"round"` // from 1
		PolicyName string   `json:"policy_name,omitempty"`
		Webhooks   []string `json:"webhooks,omitempty"` // by name
		Emails     []string `json:"emails,omitempty"`   // addresses
		Rooms      []string `json:"rooms,omitempty"`    // chat rooms
		LastResort bool     `json:"last_resort,omitempty"`
		Alone      bool     `json:"alone,omitempty"` // the step pages no person
		Why        string   `json:"why,omitempty"`   // with Alone: who could not be reached
	}
	// Waits is a step of low urgency that waits for working hours.
	Waits struct {
		Step       int       `json:"step"`
		Round      int       `json:"round"`
		PolicyName string    `json:"policy_name,omitempty"`
		Until      time.Time `json:"until"`
	}
	// HandedOver is an incident that moves into another policy by a step of
	// its own.
	HandedOver struct {
		Step       int       `json:"step"` // the step that did it
		Round      int       `json:"round"`
		From       string    `json:"from"` // the name of the policy it leaves
		Policy     id.Policy `json:"policy"`
		Version    int64     `json:"policy_version"`
		PolicyName string    `json:"policy_name"`
		Urgency    string    `json:"urgency,omitempty"` // as in Triggered
		Turn       int       `json:"turn,omitempty"`
	}
	// PageArrived is a page that reached the device, as the provider says.
	PageArrived PageState
	// PageReply is what somebody answered to a page: a key, a button, a word.
	// What followed from it is an entry of its own.
	PageReply struct {
		Delivery id.Delivery `json:"delivery"`
		User     id.User     `json:"user"`
		Name     string      `json:"name"`
		Method   string      `json:"method"`
		Answer   string      `json:"answer"`         // "acknowledge", "resolve", or "" for anything else
		Text     string      `json:"text,omitempty"` // the first 500 characters of what was written or pressed
	}
	// MovedOn is a page whose method failed or was too slow, and what is used instead.
	MovedOn struct {
		Delivery   id.Delivery `json:"delivery"` // of the page that is not waited for any more
		User       id.User     `json:"user"`
		Name       string      `json:"name"`
		Method     string      `json:"method"`
		NextMethod string      `json:"next_method,omitempty"` // "" when the person has no further one
		Why        string      `json:"why"`
	}
	// Held is a page that waits to leave with others in a digest.
	Held struct {
		User   id.User   `json:"user"`
		Name   string    `json:"name"`
		Method string    `json:"method,omitempty"` // "" for all methods of the person
		Count  int       `json:"count"`            // how many wait now
		Until  time.Time `json:"until"`
	}
)

// Kind implements Payload.
func (PartAcknowledged) Kind() Kind { return ResponderAcknowledged }
func (AckLapsed) Kind() Kind        { return AckExpired }
func (Told) Kind() Kind             { return StepTold }
func (Waits) Kind() Kind            { return EscalationWaits }
func (HandedOver) Kind() Kind       { return EscalationHandedOver }
func (PageArrived) Kind() Kind      { return PageDelivered }
func (PageReply) Kind() Kind        { return PageAnswered }
func (MovedOn) Kind() Kind          { return PageMovedOn }
func (Held) Kind() Kind             { return PageHeld }
