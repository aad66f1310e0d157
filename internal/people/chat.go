package people

import (
	"fmt"
	"slices"
	"time"
)

// ChatSettings are how a person wants to hear of conversation. The zero value
// marks mentions and direct messages in the browser and sends nothing.
type ChatSettings struct {
	Mentions Hearing `json:"mentions,omitempty"` // when a message calls them
	Direct   Hearing `json:"direct,omitempty"`   // when somebody writes to them alone
	// Quiet hours in their own zone, "22:00" to "07:00"; both empty: none. A
	// page for an incident always comes through.
	QuietFrom string `json:"quiet_from,omitempty"`
	QuietTo   string `json:"quiet_to,omitempty"`
	// Greeted says that the bot has introduced itself.
	Greeted time.Time `json:"greeted,omitzero"`
}

// Hearing is how somebody hears of a message. Stable in storage.
type Hearing string

// The ways to hear of a message.
const (
	HearMark Hearing = ""     // a mark in the browser
	HearPush Hearing = "push" // a push to their devices, too
	HearPage Hearing = "page" // a page of low urgency, by their own rules
)

// Hearings lists every way.
var Hearings = []Hearing{HearMark, HearPush, HearPage}

// Validate returns a sentence about the first thing that is wrong.
func (c ChatSettings) Validate() error {
	for _, h := range []Hearing{c.Mentions, c.Direct} {
		if !slices.Contains(Hearings, h) {
			return fmt.Errorf("chat: %q: use push, page or nothing", h)
		}
	}
	if (c.QuietFrom == "") != (c.QuietTo == "") {
		return fmt.Errorf("chat: quiet hours need a beginning and an end")
	}
	for _, t := range []string{c.QuietFrom, c.QuietTo} {
		if _, err := time.Parse("15:04", t); t != "" && err != nil {
			return fmt.Errorf("chat: quiet hours: %q is not a time such as 22:00", t)
		}
	}
	return nil
}

// Quiet reports whether u does not want to be disturbed by conversation at an
// instant.
func (u User) Quiet(at time.Time) bool {
	from, to := u.Chat.QuietFrom, u.Chat.QuietTo
	if from == "" || from == to {
		return false
	}
	now := at.In(u.Location()).Format("15:04")
	if from < to {
		return now >= from && now < to
	}
	return now >= from || now < to
}
