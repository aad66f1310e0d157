// Package heartbeat says when a monitored job must have called in. A Heartbeat
// is a value: either an interval, or a cron expression on the clock of a zone.
// Silence beyond Due is for others to turn into an incident.
//
// What it promises about the two awkward nights of a year is at Cron.Next; the
// expressions are those of cron(8) as Vixie and its successors have them.
package heartbeat

import (
	"fmt"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

// ID identifies a heartbeat.
type ID string

// Heartbeat is a job that must call in. Exactly one of Every and Cron is set.
type Heartbeat struct {
	ID         ID                  `json:"id" yaml:"-"`
	Name       string              `json:"name" yaml:"name"`
	Slug       string              `json:"slug" yaml:"slug"` // names it in URLs
	Team       id.Team             `json:"team,omitempty" yaml:"team,omitempty"`
	RoutingKey string              `json:"routing_key" yaml:"routing_key"` // where silence is reported
	Every      escalation.Duration `json:"every,omitempty" yaml:"every,omitempty"`
	Cron       string              `json:"cron,omitempty" yaml:"cron,omitempty"`
	Zone       string              `json:"zone,omitempty" yaml:"zone,omitempty"`   // IANA; of Cron; "" means UTC
	Grace      escalation.Duration `json:"grace,omitempty" yaml:"grace,omitempty"` // how late a call may be; 0 means DefaultGrace
	Paused     bool                `json:"paused,omitempty" yaml:"paused,omitempty"`
	KeyHash    string              `json:"key_hash,omitempty" yaml:"-"` // SHA-256 of the secret in the address that the job calls
}

// Limits of a heartbeat.
const (
	MinEvery     = escalation.Duration(30 * time.Second)
	MaxEvery     = escalation.Duration(366 * 24 * time.Hour)
	MaxGrace     = escalation.Duration(7 * 24 * time.Hour)
	DefaultGrace = escalation.Duration(time.Minute)
)

// early is how long before its time a call counts for that time: the job's
// clock and ours differ. It is less than half of cron's minute, so that a call
// stands for one time only.
const early = 25 * time.Second

// Validate returns a sentence about the first thing that is wrong with h.
// Whether the team and the routing key exist is for the organisation to say.
func (h Heartbeat) Validate() error {
	switch {
	case !people.ValidSlug(h.Slug):
		return fmt.Errorf("heartbeat %q: slug: use lower-case letters, digits and single dashes", h.Slug)
	case strings.TrimSpace(h.Name) == "" || len(h.Name) > 200:
		return fmt.Errorf("heartbeat %s: name: give 1 to 200 characters", h.Slug)
	case strings.TrimSpace(h.RoutingKey) == "":
		return fmt.Errorf("heartbeat %s: name the routing key that silence is reported to", h.Slug)
	case (h.Every != 0) == (h.Cron != ""):
		return fmt.Errorf("heartbeat %s: give either every, such as 5m, or cron, such as %q", h.Slug, "0 3 * * *")
	case h.Every != 0 && (h.Every < MinEvery || h.Every > MaxEvery):
		return fmt.Errorf("heartbeat %s: every: give %s to %s", h.Slug, MinEvery, MaxEvery)
	case h.Grace < 0 || h.Grace > MaxGrace:
		return fmt.Errorf("heartbeat %s: grace: give 0 to %s", h.Slug, MaxGrace)
	case h.Zone != "" && h.Cron == "":
		return fmt.Errorf("heartbeat %s: zone: only a cron expression needs one", h.Slug)
	case h.Cron == "":
		return nil
	}
	if _, err := h.location(); err != nil {
		return fmt.Errorf("heartbeat %s: zone: %q is not an IANA time zone such as Europe/Berlin", h.Slug, h.Zone)
	}
	if _, err := ParseCron(h.Cron); err != nil {
		return fmt.Errorf("heartbeat %s: cron: %w", h.Slug, err)
	}
	return nil
}

func (h Heartbeat) location() (*time.Location, error) {
	if h.Zone == "Local" { // the zone of this machine is nobody's
		return nil, fmt.Errorf("unknown time zone %s", h.Zone)
	}
	loc, err := time.LoadLocation(h.Zone)
	if err != nil {
		return nil, fmt.Errorf("load zone: %w", err)
	}
	return loc, nil
}

// Due returns the instant by which h must have called in again, given its last
// call: at that instant, silence is an incident. It is zero when nothing is
// due: h is paused or not valid, or last is zero. A job that has never called,
// or comes out of a pause, is given the time since it was made or resumed, as last.
//
// A last call in the future, from before the clock was set back, counts as now;
// otherwise a clock that was a year ahead would silence the alarm for a year.
// A call up to 25 seconds before a time of Cron counts for that time.
func (h Heartbeat) Due(last, now time.Time) (deadline time.Time) {
	if h.Paused || last.IsZero() || h.Validate() != nil {
		return time.Time{}
	}
	if last.After(now) {
		last = now
	}
	grace := h.Grace
	if grace == 0 {
		grace = DefaultGrace
	}
	if h.Every != 0 {
		return last.Add(h.Every.D() + grace.D())
	}
	loc, err := h.location()
	if err != nil {
		return time.Time{}
	}
	cron, err := ParseCron(h.Cron)
	if err != nil {
		return time.Time{}
	}
	return cron.Next(last.Add(early), loc).Add(grace.D())
}

// Overdue reports whether h should have called in by now.
func (h Heartbeat) Overdue(last, now time.Time) bool {
	deadline := h.Due(last, now)
	return !deadline.IsZero() && !now.Before(deadline)
}
