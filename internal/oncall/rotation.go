// Package oncall is the arithmetic of rotas: who is on duty at an instant, and
// when the next hand-overs are. It is pure: no clock, no state, and it reads
// nothing but the time-zone database, once per Compile.
//
// A rotation has a time zone and layers. All layers are on duty at once, each
// with at most one person at an instant. In each layer the members take turns
// in the order written; whoever is written twice has two turns. Turn 0 begins
// on the Start date at the hand-off time. The rules:
//
//   - A date and a time of day name the first instant at which the clocks of
//     the zone show that time or a later one. So a hand-off keeps its local
//     hour when daylight-saving time comes and goes; a local time that is
//     skipped happens at the instant the clocks jump; a local time that occurs
//     twice happens at its first occurrence.
//   - Days, weeks and months are counted on the calendar from Start. A weekly
//     hand-off stays on Start's weekday, a monthly one on Start's day of the
//     month, or on the last day of a month that is too short for it.
//   - Hours are elapsed hours, counted from the instant turn 0 began: twelve
//     hours are always twelve hours, so the local time of an hourly hand-off
//     moves by the shift of the clocks. Who wants it kept counts in days.
//   - A turn that lasts no time at all passes unnoticed: where a whole calendar
//     day was skipped (Samoa, 30 December 2011), the turn that was to fill it
//     from midnight to midnight is lost, and the order goes on as written.
//   - Turns of one person that follow one another are one shift, for nothing is
//     handed over between them. The shift of a layer's only member has no end.
//   - Restrictions are windows of the week, in the rotation's zone, in which the
//     layer is on duty; outside them nobody is. Their edges are dates and times
//     of day like any other, so each occurrence of a window is one uninterrupted
//     time: one that lies in a skipped hour does not take place, one around it is
//     shorter, one around a doubled hour longer, and one that begins or ends in
//     the doubled hour does so the first time. Windows that touch or overlap are
//     one.
//   - Restrictions do not change whose turn it is: with a daily hand-off somebody
//     has Saturday, even if nobody is on duty then. Where each window that takes
//     place is to be a turn, so that "every 5" from Monday to Friday is a week,
//     Count is CountShifts: a turn then is Every windows, counted from the first
//     that ends after the hand-off time on the Start date, one that the clocks
//     skipped included.
//   - End ends a layer at the hand-off time of that date, so that a layer which
//     starts on the same date at the same time follows without gap or overlap.
//   - Before Start, from End on, and in a layer without members nobody is on
//     duty. The calendar ends with the year 2999.
//
// It promises for every layer, zone and instant: no two owners, shifts that
// touch, hand-overs that strictly increase, and a cost that does not grow with
// the distance from Start.
//
// Overrides are not part of a rotation. Final lays them over the shifts of a
// Schedule, so that taking one away brings the rota back as it was. Whatever
// tells who is on duty is a Plan; Gaps, Doubled, HandOvers and Compare look at
// one, whether overrides lie over it or not.
//
// Whether team and members exist is for the caller to check.
package oncall

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Unit is what a layer counts its turns in.
type Unit string

// The units. Hours are elapsed time; the others are counted on the calendar of
// the rotation's zone.
const (
	Hours  Unit = "hours"
	Days   Unit = "days"
	Weeks  Unit = "weeks"
	Months Unit = "months"
)

// Count says which days count when a restricted layer is handed over.
type Count string

// The counts. The zero value counts on the calendar.
const (
	CountCalendar Count = ""
	CountShifts   Count = "shifts" // turns of Every windows; Unit is Days
)

// Rotation is a rota: a zone and the layers that are on duty at once.
type Rotation struct {
	ID     id.Rotation `json:"id" yaml:"-"`
	Name   string      `json:"name" yaml:"name"`
	Team   id.Team     `json:"team" yaml:"team"`
	Zone   string      `json:"zone" yaml:"zone"` // IANA name, such as Europe/London
	Layers []Layer     `json:"layers" yaml:"layers"`
}

// Layer is one line of a rota, in which the members take turns.
type Layer struct {
	Name      string    `json:"name" yaml:"name"`       // may be empty in the only layer
	Members   []id.User `json:"members" yaml:"members"` // in order of turns; the same person may have several
	Every     int       `json:"every" yaml:"every"`     // the length of a turn, 1 to MaxEvery units
	Unit      Unit      `json:"unit" yaml:"unit"`
	HandoffAt string    `json:"handoff_at" yaml:"handoff_at"`       // local time, "09:00"
	Start     string    `json:"start" yaml:"start"`                 // local date of the first hand-off, "2026-01-05"
	End       string    `json:"end,omitempty" yaml:"end,omitempty"` // local date of the last one, exclusive; empty for none

	Restrictions []Restriction `json:"restrictions,omitempty" yaml:"restrictions,omitempty"` // on duty only then; empty for always
	Count        Count         `json:"count,omitempty" yaml:"count,omitempty"`
}

// Shift is an uninterrupted time of one person on duty in one layer: the
// half-open interval [Start, End). Start and End are UTC; a zero End is never.
type Shift struct {
	Layer     int       `json:"layer"` // index in Rotation.Layers, or NoLayer
	LayerName string    `json:"layer_name"`
	User      id.User   `json:"user"`
	Start     time.Time `json:"start"`
	End       time.Time `json:"end,omitzero"`

	Override id.Override `json:"override,omitempty"` // by which the person is on duty; empty when the rota says so
	Instead  id.User     `json:"instead,omitempty"`  // the rota's own person; empty when it has nobody
}

// Contains says whether the person is on duty at the instant.
func (s Shift) Contains(at time.Time) bool {
	return !at.Before(s.Start) && (s.End.IsZero() || at.Before(s.End))
}

// OnCall returns who is on duty at the instant, in the order of the layers. It
// compiles the rotation first, which reads the zone; callers who ask often keep
// the Schedule. Of a rotation that is not valid nobody is on duty.
func (r Rotation) OnCall(at time.Time) []Shift {
	s, err := r.Compile()
	if err != nil {
		return nil
	}
	return s.OnCall(at)
}

// Next is Schedule.Next of the compiled rotation; nothing when it is not valid.
func (r Rotation) Next(at time.Time, n int) []Shift {
	s, err := r.Compile()
	if err != nil {
		return nil
	}
	return s.Next(at, n)
}

// Between is Schedule.Between of the compiled rotation; nothing when it is not
// valid.
func (r Rotation) Between(from, to time.Time) []Shift {
	s, err := r.Compile()
	if err != nil {
		return nil
	}
	return s.Between(from, to)
}
