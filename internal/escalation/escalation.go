// Package escalation says who is paged after how long. A Policy is a value;
// an incident keeps the version it started with, so that a changed policy never
// changes a running incident behind anybody's back.
package escalation

import (
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

// Policy is an ordered list of steps.
type Policy struct {
	ID          id.Policy `json:"id"`
	Slug        string    `json:"slug"`
	Name        string    `json:"name"`
	Team        id.Team   `json:"team,omitempty"`
	Steps       []Step    `json:"steps"`
	Repeat      int       `json:"repeat"`       // further rounds after the first
	RepeatAfter Duration  `json:"repeat_after"` // pause between the last step and the next round
	Version     int64     `json:"-"`            // the revision it was read at; set by the store
}

// Step pages its targets together, once.
type Step struct {
	After   Duration `json:"after"` // since the step before; the first: since the incident
	Targets []Target `json:"targets"`
}

// Target is exactly one of a rotation, a person, or a team.
type Target struct {
	Rotation id.Rotation `json:"rotation,omitempty"` // whoever is on call in it
	User     id.User     `json:"user,omitempty"`
	Team     id.Team     `json:"team,omitempty"` // every member
}

// Limits of a policy.
const (
	MaxSteps       = 20
	MaxRepeat      = 50
	MaxAfter       = 24 * time.Hour
	MinRepeatAfter = time.Minute
)

// grain is what every duration is a multiple of. A finer one could not be kept
// by a timer, which is stored in microseconds, and would come before its time.
const grain = time.Millisecond

// DefaultRepeatAfter is the pause between rounds when none is given.
const DefaultRepeatAfter = Duration(5 * time.Minute)

// Validate returns a sentence about the first thing that is wrong with p.
// Whether the targets exist is for the organisation to say.
func (p Policy) Validate() error {
	switch {
	case !people.ValidSlug(p.Slug):
		return fmt.Errorf("policy %q: slug: use lower-case letters, digits and single dashes", p.Slug)
	case p.Name == "" || len(p.Name) > 200:
		return fmt.Errorf("policy %s: name: give 1 to 200 characters", p.Slug)
	case len(p.Steps) > MaxSteps:
		return fmt.Errorf("policy %s: %d steps are more than %d", p.Slug, len(p.Steps), MaxSteps)
	case p.Repeat < 0 || p.Repeat > MaxRepeat:
		return fmt.Errorf("policy %s: repeat %d is not between 0 and %d", p.Slug, p.Repeat, MaxRepeat)
	case p.RepeatAfter.D() < MinRepeatAfter || p.RepeatAfter.D() > MaxAfter:
		return fmt.Errorf("policy %s: repeat after %s is not between %s and %s", p.Slug, p.RepeatAfter, Duration(MinRepeatAfter), Duration(MaxAfter))
	case p.RepeatAfter.D()%grain != 0:
		return fmt.Errorf("policy %s: repeat after %s is finer than %s", p.Slug, p.RepeatAfter, Duration(grain))
	}
	for i, s := range p.Steps {
		if s.After.D() < 0 || s.After.D() > MaxAfter {
			return fmt.Errorf("policy %s: step %d: delay %s is not between 0 and %s", p.Slug, i+1, s.After, Duration(MaxAfter))
		}
		if s.After.D()%grain != 0 {
			return fmt.Errorf("policy %s: step %d: delay %s is finer than %s", p.Slug, i+1, s.After, Duration(grain))
		}
		for _, t := range s.Targets {
			if err := t.validate(); err != nil {
				return fmt.Errorf("policy %s: step %d: %w", p.Slug, i+1, err)
			}
		}
	}
	return nil
}

func (t Target) validate() error {
	n := 0
	for _, set := range []bool{t.Rotation != "", t.User != "", t.Team != ""} {
		if set {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("a target is exactly one of rotation, user, team")
	}
	return nil
}

// Direct is the policy of an incident that was handed to one person: now, and
// again every five minutes for an hour.
func Direct(user id.User, name string) Policy {
	return Policy{
		Name:   name,
		Steps:  []Step{{Targets: []Target{{User: user}}}},
		Repeat: 11, RepeatAfter: DefaultRepeatAfter,
	}
}

// Position is a place in a policy: the step (from 0) of a round (from 0).
type Position struct {
	Step  int
	Round int
}

// Next returns the place after pos and how long after pos it is due; ok is
// false when the policy ends at pos.
func (p Policy) Next(pos Position) (next Position, after time.Duration, ok bool) {
	if pos.Step+1 < len(p.Steps) {
		return Position{pos.Step + 1, pos.Round}, p.Steps[pos.Step+1].After.D(), true
	}
	if pos.Round < p.Repeat && len(p.Steps) > 0 {
		return Position{0, pos.Round + 1}, max(p.RepeatAfter.D(), MinRepeatAfter), true
	}
	return Position{}, 0, false
}

// Duration is a time.Duration that is written "90s", "5m" or "1h30m" in JSON and YAML.
type Duration time.Duration

// D is the duration as the standard library has it.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String leaves out units that are zero: 5m, not 5m0s.
func (d Duration) String() string {
	rest, text := d.D(), ""
	if rest == 0 {
		return "0s"
	}
	if rest < 0 {
		return d.D().String()
	}
	for _, unit := range []struct {
		d time.Duration
		s string
	}{{time.Hour, "h"}, {time.Minute, "m"}} {
		if n := rest / unit.d; n > 0 {
			text += fmt.Sprint(int64(n)) + unit.s
			rest -= n * unit.d
		}
	}
	if rest > 0 {
		text += rest.String()
	}
	return text
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; "0" is allowed.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration such as 90s, 5m or 1h30m", text)
	}
	*d = Duration(v)
	return nil
}
