package dispatch

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Of the buttons that people and programs put under what they say.
const (
	MaxButtons = 10
	maxLabel   = 60  // characters
	maxGiven   = 500 // characters of a command line
	buttonLife = 24 * time.Hour
)

// cleanButtons are buttons as they are kept, or what is wrong with them. Whether
// their lines are commands, and whose, is found out when they are pressed.
func cleanButtons(all []timeline.Action) ([]timeline.Action, error) {
	if len(all) > MaxButtons {
		return nil, fault.Invalid("actions", phrase.T("room.many_buttons", MaxButtons))
	}
	clean := slices.Clone(all)
	for i := range clean {
		a := &clean[i]
		a.Label, a.Line = storable(a.Label), storable(a.Line)
		switch {
		case people.Blank(a.Label) || utf8.RuneCountInString(a.Label) > maxLabel || strings.ContainsAny(a.Label, "\r\n"):
			return nil, fault.Invalid("actions", phrase.T("room.button_label", i+1, maxLabel))
		case people.Blank(a.Line) || utf8.RuneCountInString(a.Line) > maxGiven || strings.ContainsAny(a.Line, "\r\n"):
			return nil, fault.Invalid("actions", phrase.T("room.button_line", i+1, maxGiven))
		case a.Style != "" && a.Style != "primary" && a.Style != "danger":
			return nil, fault.Invalid("actions", phrase.T("room.button_style", i+1))
		}
	}
	return clean, nil
}

// withButtons is the document that shows buttons under a message. Each has a
// token of its own, bound to the message.
func withButtons(tx *store.Tx, all []timeline.Action, seq id.Seq) *timeline.Document {
	if len(all) == 0 {
		return nil
	}
	var shown []timeline.Action
	until := tx.Now.Add(buttonLife)
	for _, a := range all {
		token := id.Secret(20)
		tx.AddAction(store.Action{Hash: secret.Hash(token), Message: seq, Line: a.Line, ExpiresAt: until})
		shown = append(shown, timeline.Action{Label: a.Label, Line: a.Line, Style: a.Style, Token: token, Until: until})
	}
	return &timeline.Document{Blocks: []timeline.Block{{Actions: shown}}}
}
