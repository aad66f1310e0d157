// Package maintenance knows times in which work is announced and some alerts
// page nobody. It is pure: no clock, no state.
//
// A Window says which alerts it covers by routing keys, entities and teams, and
// it always ends by itself: nothing is muted for ever. A list that is empty
// asks for nothing; of the others each must have a match, so that a further
// list makes a window narrower and never wider. Patterns have * for any
// characters, also none, and ? for exactly one, and match the whole value.
// Routing keys are compared as routing compares them, without regard to case;
// entity ids as monitoring spells them.
//
// What it means that an alert is covered (the incident opens and pages when the
// window is over) is for the caller.
package maintenance

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
)

// ID identifies a window.
type ID string

// Window is one announced time: the half-open interval [Start, Over()).
type Window struct {
	ID          ID        `json:"id"`
	Name        string    `json:"name"`
	RoutingKeys []string  `json:"routing_keys,omitempty"` // patterns
	Entities    []string  `json:"entities,omitempty"`     // patterns of entity ids
	Teams       []id.Team `json:"teams,omitempty"`        // any of them
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"` // exclusive, never zero
	By          id.User   `json:"by,omitempty"`
	Note        string    `json:"note,omitempty"`
	Started     time.Time `json:"started,omitzero"` // when the timeline was told that it is on; zero: not yet
	Ended       time.Time `json:"ended,omitzero"`   // when it ended, early or as planned; zero: not yet
}

// Limits of a window.
const (
	MaxLength   = 31 * 24 * time.Hour
	MaxPatterns = 100 // in one list
	MaxPattern  = 512 // characters
	MaxNote     = 2000
)

// Validate returns a sentence about the first thing that is wrong with w.
// Whether the teams exist is for the caller to say.
func (w Window) Validate() error {
	switch {
	case strings.TrimSpace(w.Name) == "" || len(w.Name) > 200:
		return fmt.Errorf("maintenance window: name: give 1 to 200 characters")
	case len(w.RoutingKeys) == 0 && len(w.Entities) == 0 && len(w.Teams) == 0:
		return fmt.Errorf("maintenance window %s: say what it is for: routing keys, entities or teams; the entity * is everything", w.Name)
	case w.Start.IsZero():
		return fmt.Errorf("maintenance window %s: it has no start", w.Name)
	case w.End.IsZero():
		return fmt.Errorf("maintenance window %s: it has no end; nothing is muted for ever", w.Name)
	case !w.End.After(w.Start):
		return fmt.Errorf("maintenance window %s: it ends before it begins", w.Name)
	case w.End.Sub(w.Start) > MaxLength:
		return fmt.Errorf("maintenance window %s: it is longer than %d days", w.Name, MaxLength/(24*time.Hour))
	case utf8.RuneCountInString(w.Note) > MaxNote:
		return fmt.Errorf("maintenance window %s: the note is longer than %d characters", w.Name, MaxNote)
	case len(w.Teams) > MaxPatterns || slices.Contains(w.Teams, ""):
		return fmt.Errorf("maintenance window %s: teams: name at most %d, each by its id", w.Name, MaxPatterns)
	}
	if err := validPatterns(w.RoutingKeys); err != nil {
		return fmt.Errorf("maintenance window %s: routing keys: %w", w.Name, err)
	}
	if err := validPatterns(w.Entities); err != nil {
		return fmt.Errorf("maintenance window %s: entities: %w", w.Name, err)
	}
	return nil
}

func validPatterns(list []string) error {
	if len(list) > MaxPatterns {
		return fmt.Errorf("%d are more than %d", len(list), MaxPatterns)
	}
	for _, p := range list {
		if strings.TrimSpace(p) == "" || utf8.RuneCountInString(p) > MaxPattern || strings.ContainsFunc(p, unicode.IsControl) || !utf8.ValidString(p) {
			return fmt.Errorf("%q is not a pattern of 1 to %d characters", p, MaxPattern)
		}
	}
	return nil
}

// Alert is what a window knows of an alert, or of the incident it opened.
type Alert struct {
	RoutingKey string
	EntityID   string
	Team       id.Team // whose policy it goes to; "" for none
}

// Over is when w ends or has ended.
func (w Window) Over() time.Time {
	if !w.Ended.IsZero() && w.Ended.Before(w.End) {
		return w.Ended
	}
	return w.End
}

// ActiveAt reports whether w has begun and is not over.
func (w Window) ActiveAt(at time.Time) bool { return !at.Before(w.Start) && at.Before(w.Over()) }

// Covers reports whether w is for a, whenever that is. A window that names
// nothing is for nothing.
func (w Window) Covers(a Alert) bool {
	if len(w.RoutingKeys) == 0 && len(w.Entities) == 0 && len(w.Teams) == 0 {
		return false
	}
	key := routing.Fold(a.RoutingKey)
	return fits(w.RoutingKeys, func(p string) bool { return Match(routing.Fold(p), key) }) &&
		fits(w.Entities, func(p string) bool { return Match(p, a.EntityID) }) &&
		fits(w.Teams, func(t id.Team) bool { return t == a.Team })
}

// fits reports whether list asks for nothing or has a match.
func fits[T any](list []T, match func(T) bool) bool {
	return len(list) == 0 || slices.ContainsFunc(list, match)
}

// Matches reports whether w mutes a at an instant.
func (w Window) Matches(a Alert, at time.Time) bool { return w.ActiveAt(at) && w.Covers(a) }

// Scope is in words what w is for, as the timeline says it. team names a team.
func (w Window) Scope(team func(id.Team) string) string {
	var parts []string
	add := func(text string) { parts = append(parts, text) }
	if n := len(w.RoutingKeys); n > 0 {
		add(phrase.N("maintenance.scope.keys", n, strings.Join(w.RoutingKeys, ", ")))
	}
	if n := len(w.Entities); n > 0 {
		add(phrase.N("maintenance.scope.entities", n, strings.Join(w.Entities, ", ")))
	}
	if n := len(w.Teams); n > 0 {
		var names []string
		for _, t := range w.Teams {
			names = append(names, team(t))
		}
		add(phrase.N("maintenance.scope.teams", n, strings.Join(names, ", ")))
	}
	return strings.Join(parts, phrase.T("maintenance.scope.and"))
}
