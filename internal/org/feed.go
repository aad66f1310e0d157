package org

import (
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Feed is a calendar that programs subscribe to, of one person's duties or of
// one rotation, at an address that is a secret. Removing it revokes the address.
type Feed struct {
	ID       id.Feed     `json:"id"`
	User     id.User     `json:"user,omitempty"`     // whose duties; or
	Rotation id.Rotation `json:"rotation,omitempty"` // which rotation
	Owner    id.User     `json:"owner"`              // who made it
	KeyHash  string      `json:"key_hash"`           // SHA-256 of the secret in its address
	At       time.Time   `json:"at"`
}

// FeedFile is the last part of the address of a feed, below /calendar/.
func FeedFile(key string) string { return key + FeedSuffix }

// FeedSuffix ends the address of every feed: calendar programs look at it.
const FeedSuffix = ".ics"

// Validate says what is wrong with f in a sentence.
func (f Feed) Validate() error {
	switch {
	case (f.User == "") == (f.Rotation == ""):
		return errors.New("calendar feed: it is of a person or of a rotation")
	case f.KeyHash == "":
		return errors.New("calendar feed: it has no key")
	}
	return nil
}

// Drill is a real page to everybody in a team, marked as a drill, that shows
// who can be reached how fast.
type Drill struct {
	ID      id.Drill  `json:"id"`
	Team    id.Team   `json:"team"`
	At      time.Time `json:"at"` // when it starts
	Until   time.Time `json:"until"`
	Note    string    `json:"note,omitempty"`
	By      id.User   `json:"by,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
}

// Validate says what is wrong with d in a sentence.
func (d Drill) Validate() error {
	switch {
	case d.Team == "":
		return errors.New("drill: team: say who is paged")
	case d.At.IsZero() || !d.Until.After(d.At):
		return errors.New("drill: until: it ends after it starts")
	case d.Until.Sub(d.At) > 24*time.Hour:
		return errors.New("drill: until: it lasts a day at most")
	case len(d.Note) > 1000:
		return fmt.Errorf("drill: note: give at most %d characters", 1000)
	}
	return nil
}
