package escalation

import (
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Hours are times of the week by the clocks of a zone: any of the windows. As a
// clock on the wall shows it: both passes of an hour that occurs twice count,
// an hour that is skipped never comes. Without windows it is always.
type Hours struct {
	Zone    string                `json:"zone,omitempty"` // IANA name
	Windows []people.PagingWindow `json:"windows,omitempty"`
}

// Always reports whether h leaves nothing out.
func (h Hours) Always() bool { return len(h.Windows) == 0 }

// Contain reports whether the instant is within h; loc is the location of h.Zone.
func (h Hours) Contain(at time.Time, loc *time.Location) bool {
	local := at.In(loc)
	return h.Always() || slices.ContainsFunc(h.Windows, func(w people.PagingWindow) bool { return w.Contains(local) })
}

// NextOpen returns the first instant from at on that is within h. It is found
// within sixteen days, because every window comes each week; ok is false only for
// windows that lie in an hour which two such weeks skip.
func (h Hours) NextOpen(at time.Time, loc *time.Location) (open time.Time, ok bool) {
	if h.Contain(at, loc) {
		return at, true
	}
	consider := func(t time.Time) {
		if t.After(at) && (!ok || t.Before(open)) && h.Contain(t, loc) {
			open, ok = t, true
		}
	}
	local := at.In(loc)
	// Between two windows it opens where one begins by the clock, or where the
	// clocks jump into one.
	_, jump := local.ZoneBounds()
	consider(jump)
	for ahead := range 16 {
		for _, w := range h.Windows {
			from, _ := people.Clock(w.From) // 0, midnight, when left out
			reads := time.Date(local.Year(), local.Month(), local.Day()+ahead, 0, from, 0, 0, time.UTC)
			for _, t := range []time.Time{shows(reads, reads.Add(-26*time.Hour), loc), shows(reads, reads.Add(26*time.Hour), loc)} {
				consider(t)
			}
		}
	}
	return open.UTC(), ok
}

// shows is the instant at which the clocks of loc show what reads says in UTC,
// with the offset that they have at near; zero when they then show something else.
func shows(reads, near time.Time, loc *time.Location) time.Time {
	_, offset := near.In(loc).Zone()
	t := reads.Add(-time.Duration(offset) * time.Second)
	if _, is := t.In(loc).Zone(); is != offset {
		return time.Time{}
	}
	return t
}

// String says h in words: "mon tue 09:00–17:00, sat (Europe/Berlin)".
func (h Hours) String() string {
	if h.Always() {
		return phrase.T("escalation.hours.always")
	}
	var all []string
	for _, w := range h.Windows {
		var parts []string
		for _, d := range w.Days {
			parts = append(parts, phrase.T("escalation.day."+string(d)))
		}
		if w.From != "" || w.To != "" {
			parts = append(parts, w.From+"–"+w.To)
		}
		if len(parts) == 0 {
			parts = append(parts, phrase.T("escalation.hours.always"))
		}
		all = append(all, strings.Join(parts, " "))
	}
	return strings.Join(all, ", ") + " (" + h.Zone + ")"
}

// Unmet says in words which condition of w does not hold for an incident of
// the severity at an instant; "" when all hold. loc is the location of w.Hours.Zone.
func (w When) Unmet(severity alert.Type, at time.Time, loc *time.Location) string {
	if len(w.Severities) > 0 && !slices.Contains(w.Severities, severity) {
		names := make([]string, len(w.Severities))
		for i, s := range w.Severities {
			names[i] = string(s)
		}
		return phrase.T("escalation.only_severity", strings.Join(names, ", "))
	}
	if !w.Hours.Contain(at, loc) {
		return phrase.T("escalation.only_hours", w.Hours.String())
	}
	return ""
}
