// Package escalation says who is paged after how long. A Policy is a value;
// an incident keeps the version it started with, so that a changed policy never
// changes a running incident behind anybody's back. The same holds for the
// policy into which it moves: from then on it keeps that one's version.
//
// Here is what a policy is and what makes sense; how an incident runs through
// it is for package incident, and who is behind a target for package org.
package escalation

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

// Policy is an ordered list of steps, run in rounds. The zero value of every
// setting is the plain case: everybody of a step is paged, one acknowledgement
// is enough, and it holds until somebody resolves.
type Policy struct {
	ID          id.Policy `json:"id"`
	Slug        string    `json:"slug"`
	Name        string    `json:"name"`
	Team        id.Team   `json:"team,omitempty"`
	Steps       []Step    `json:"steps"`
	Repeat      int       `json:"repeat"`       // further rounds after the first
	RepeatAfter Duration  `json:"repeat_after"` // pause between the last step and the next round
	Version     int64     `json:"-"`            // the revision it was read at; set by the store

	AckBy       AckBy    `json:"ack_by,omitempty"`
	LastResort  []Target `json:"last_resort,omitempty"`  // paged once, a pause after the last round
	RepageAfter Duration `json:"repage_after,omitempty"` // acknowledged for so long and not resolved: triggered again; 0: never
	// IgnorePagingPolicies pages at once by every contact method, whatever
	// people chose for themselves.
	IgnorePagingPolicies bool           `json:"ignore_paging_policies,omitempty"`
	Urgency              people.Urgency `json:"urgency,omitempty"`   // "" follows the severity: critical high, warning low
	LowWaits             bool           `json:"low_waits,omitempty"` // of low urgency, every step waits for Hours
	Hours                Hours          `json:"hours,omitzero"`      // the working hours that LowWaits waits for
}

// AckBy says whose acknowledgement stops the paging. Stable in storage.
type AckBy string

// The ways to acknowledge; "" is AckByOne.
const (
	AckByOne AckBy = "one" // whoever is first
	AckByAll AckBy = "all" // everybody whom the running step paged
)

// Step pages its targets together, once.
type Step struct {
	After    Duration `json:"after"` // since the step before; the first: since the incident
	Targets  []Target `json:"targets"`
	Notify   Notify   `json:"notify,omitempty"`
	When     When     `json:"when,omitzero"`       // else the step is skipped at once
	LowWaits bool     `json:"low_waits,omitempty"` // as Policy.LowWaits, for this step
}

// Notify says how many of those a step resolves to are paged. Stable in storage.
type Notify string

// The ways to notify; "" is NotifyAll.
const (
	NotifyAll  Notify = "all"
	RoundRobin Notify = "round_robin" // one, who changes from incident to incident and from round to round
)

// When is the condition of a step; what is left out is no condition.
type When struct {
	Severities []alert.Type `json:"severities,omitempty"` // critical, warning
	Hours      Hours        `json:"hours,omitzero"`
}

// Target is exactly one of the things it names. A rotation, a user, a team and
// a policy lead to people; a webhook, an address and a room are told, and do
// not count as somebody who could acknowledge.
//
// A policy stands for the people its first step has at that moment, and for
// what that step tells. As the only target of the last thing that a policy has
// (its last resort, or its last step when there is none) it hands the incident
// over: see Policy.HandsOver.
type Target struct {
	Rotation id.Rotation `json:"rotation,omitempty"`
	Pick     Pick        `json:"pick,omitempty"` // of Rotation: whom
	User     id.User     `json:"user,omitempty"`
	Team     id.Team     `json:"team,omitempty"` // every member
	Policy   id.Policy   `json:"policy,omitempty"`
	Webhook  string      `json:"webhook,omitempty"` // an outgoing webhook, by name
	Email    string      `json:"email,omitempty"`   // an address
	Room     string      `json:"room,omitempty"`    // a chat room, as its network calls it
}

// Pick says whom of a rotation a target means. Stable in storage.
type Pick string

// The picks.
const (
	PickOnCall   Pick = ""         // whoever is on call
	PickNext     Pick = "next"     // who is on call after them
	PickPrevious Pick = "previous" // who was before them
)

// Told reports whether t is told instead of paged.
func (t Target) Told() bool { return t.Webhook != "" || t.Email != "" || t.Room != "" }

// Limits of a policy.
const (
	MaxSteps       = 20
	MaxRepeat      = 50
	MaxAfter       = 24 * time.Hour
	MinRepeatAfter = time.Minute
	MinRepageAfter = time.Minute
	MaxRepageAfter = 7 * 24 * time.Hour
	MaxTargets     = 200 // of one step
)

// grain is what every duration is a multiple of. A finer one could not be kept
// by a timer, which is stored in microseconds, and would come before its time.
const grain = time.Millisecond

// DefaultRepeatAfter is the pause between rounds when none is given.
const DefaultRepeatAfter = Duration(5 * time.Minute)

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

// StepAt is the step at pos; ok is false behind the end. The last resort is the
// place after the last step, in the last round.
func (p Policy) StepAt(pos Position) (s Step, ok bool) {
	switch {
	case pos.Step < len(p.Steps):
		return p.Steps[pos.Step], true
	case p.IsLastResort(pos):
		return Step{Targets: p.LastResort}, true
	}
	return Step{}, false
}

// IsLastResort reports whether pos is the last resort.
func (p Policy) IsLastResort(pos Position) bool {
	return len(p.LastResort) > 0 && pos.Step == len(p.Steps)
}

// HandsOver returns the policy into which the incident moves at pos: the only
// target of the last resort or, when there is none, of the last step. It moves
// when the turn of that step comes, whatever is left of the rounds.
func (p Policy) HandsOver(pos Position) (to id.Policy, ok bool) {
	last := len(p.Steps) - 1
	if len(p.LastResort) > 0 {
		last++
	}
	if pos.Step != last {
		return "", false
	}
	s, ok := p.StepAt(pos)
	if !ok || len(s.Targets) != 1 || s.Targets[0].Policy == "" {
		return "", false
	}
	return s.Targets[0].Policy, true
}

// End is the place behind the last one of a round: nothing is there but the
// pause before the policy says that it is exhausted.
func (p Policy) End(round int) Position {
	end := Position{len(p.Steps), round}
	if len(p.LastResort) > 0 {
		end.Step++
	}
	return end
}

// GoesRound reports whether it matters whose turn it is.
func (p Policy) GoesRound() bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Notify == RoundRobin })
}

// UrgencyOf is how much an incident of a severity disturbs.
func (p Policy) UrgencyOf(severity alert.Type) people.Urgency { return UrgencyOf(p.Urgency, severity) }

// UrgencyOf is what was chosen, else what follows from the severity: a warning is low.
func UrgencyOf(chosen people.Urgency, severity alert.Type) people.Urgency {
	switch {
	case chosen != "":
		return chosen
	case severity == alert.Warning:
		return people.Low
	}
	return people.High
}

// Next returns the place after pos and how long after pos it is due; ok is
// false when the policy ends at pos.
func (p Policy) Next(pos Position) (next Position, after time.Duration, ok bool) {
	pause := max(p.RepeatAfter.D(), MinRepeatAfter)
	switch {
	case pos.Step+1 < len(p.Steps):
		return Position{pos.Step + 1, pos.Round}, p.Steps[pos.Step+1].After.D(), true
	case pos.Step >= len(p.Steps):
		return Position{}, 0, false
	case pos.Round < p.Repeat:
		return Position{0, pos.Round + 1}, pause, true
	case len(p.LastResort) > 0:
		return Position{len(p.Steps), pos.Round}, pause, true
	}
	return Position{}, 0, false
}
