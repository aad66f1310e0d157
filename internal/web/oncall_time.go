package web

import (
	"net/http"
	"time"

	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/phrase"
)

// typedForm is how a field of a date and a time of day is written.
const typedForm = "2006-01-02T15:04"

// Years between which people may plan; instants beyond them do not fit everywhere.
const (
	firstYear = 1970
	lastYear  = 2999
)

// wallInstant is the first instant at which the clocks of loc show what wall
// shows, or a later time: the rule of package oncall, so that a form means what
// the rota means. A skipped time is the instant of the jump, a doubled one its
// first occurrence. The zone of wall is not looked at.
func wallInstant(wall time.Time, loc *time.Location) time.Time {
	wanted := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, time.UTC)
	_, before := wanted.Add(-day).In(loc).Zone()
	at := wanted.Add(-time.Duration(before) * time.Second).In(loc)
	_, offset := at.Zone()
	if offset == before {
		return at.UTC()
	}
	// The clocks have jumped between the day before and at.
	jump, _ := at.ZoneBounds()
	if at = wanted.Add(-time.Duration(offset) * time.Second); at.Before(jump) {
		at = jump
	}
	return at.UTC()
}

// day is a day on which no clock is changed.
const day = 24 * time.Hour

// midnight is the beginning of a calendar day in loc, some days after date.
func midnight(date time.Time, days int, loc *time.Location) time.Time {
	return wallInstant(time.Date(date.Year(), date.Month(), date.Day()+days, 0, 0, 0, 0, time.UTC), loc)
}

// instant reads a field of a date and a time of day in a zone. An empty one is
// the zero time; needed says so when it must not be.
func (f fields) instant(r *http.Request, name string, loc *time.Location, needed bool) time.Time {
	value := text(r, name)
	if value == "" {
		if needed {
			f[name] = phrase.T("settings.error.needed")
		}
		return time.Time{}
	}
	for _, form := range []string{typedForm, typedForm + ":05", time.DateOnly} {
		if wall, err := time.Parse(form, value); err == nil && wall.Year() >= firstYear && wall.Year() <= lastYear {
			return wallInstant(wall, loc)
		}
	}
	f[name] = phrase.T("webmain.bad_time")
	return time.Time{}
}

// typed is an instant as a field of a date and a time of day shows it.
func typed(at time.Time, loc *time.Location) string {
	if at.IsZero() {
		return ""
	}
	return at.In(loc).Format(typedForm)
}

// period says from when until when in a zone; one without an end says so.
func period(from, to time.Time, loc *time.Location) string {
	begin := from.In(loc).Format(shiftForm)
	switch {
	case to.IsZero():
		return phrase.T("oncall_web.open", from.In(loc).Format("Mon 2 Jan 2006 15:04"))
	case from.In(loc).Format(time.DateOnly) == to.In(loc).Format(time.DateOnly):
		return begin + " – " + to.In(loc).Format("15:04")
	}
	return begin + " – " + to.In(loc).Format(shiftForm)
}

// lasting is a length of time in hours and minutes, as people count duty.
func lasting(d time.Duration) string {
	d = d.Round(time.Minute)
	hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case hours == 0:
		return phrase.N("oncall_web.minutes", minutes)
	case minutes == 0:
		return phrase.N("oncall_web.hours", hours)
	}
	return phrase.T("oncall_web.hours_minutes", hours, minutes)
}

// clockSentence says what the clocks of a zone do at a change.
func clockSentence(c oncall.ZoneChange, zone string) string {
	key := "oncall_web.clocks.forward"
	by := c.Shift()
	if by < 0 {
		key, by = "oncall_web.clocks.back", -by
	}
	// What the clocks show when it happens, before they are touched.
	shown := c.At.UTC().Add(time.Duration(c.Before) * time.Second)
	return phrase.T(key, shown.Format("Monday 2 January 2006"), shown.Format("15:04"), lasting(by), zone)
}
