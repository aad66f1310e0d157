package oncall

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// HolidayCalendar are the public holidays of a region. A holiday takes nobody
// off duty: the rota says who is on call on it, until somebody has arranged it
// with an override.
type HolidayCalendar struct {
	ID   id.Holidays `json:"id"`
	Name string      `json:"name"`           // of the region: "Bavaria"
	Team id.Team     `json:"team,omitempty"` // whose rotations it is for; "" for all
	Days []Holiday   `json:"days"`           // by date
}

// Holiday is a day of the calendar, whatever the zone: it is the day of each
// rotation's own zone.
type Holiday struct {
	Date string `json:"date"` // "2026-12-25"
	Name string `json:"name"`
}

// Limits of a calendar of holidays.
const (
	MaxHolidays    = 1000
	maxHolidayName = 200
)

// Validate says in a sentence, which names the field, what is wrong with the
// calendar, if anything is.
func (c HolidayCalendar) Validate() error {
	switch {
	case strings.TrimSpace(c.Name) == "" || len(c.Name) > maxHolidayName:
		return fmt.Errorf("public holidays: name: give 1 to %d characters", maxHolidayName)
	case len(c.Days) == 0:
		return fmt.Errorf("public holidays of %s: days: there are none", c.Name)
	case len(c.Days) > MaxHolidays:
		return fmt.Errorf("public holidays of %s: days: %d are more than %d", c.Name, len(c.Days), MaxHolidays)
	}
	for i, d := range c.Days {
		if err := d.validate(); err != nil {
			return fmt.Errorf("public holidays of %s: days: %w", c.Name, err)
		}
		if i > 0 && d.compare(c.Days[i-1]) <= 0 {
			return fmt.Errorf("public holidays of %s: days: %s stands behind %s: write them by date, each once", c.Name, d.Date, c.Days[i-1].Date)
		}
	}
	return nil
}

func (h Holiday) validate() error {
	at, ok := h.day()
	switch {
	case !ok || at.Year() < firstYear || at.Year() > lastYear:
		return fmt.Errorf("%q is not a date such as 2026-12-25", h.Date)
	case strings.TrimSpace(h.Name) == "" || len(h.Name) > maxHolidayName:
		return errors.New(h.Date + ": give a name of 1 to 200 characters")
	}
	return nil
}

// day is the midnight of the holiday, as if its zone were UTC.
func (h Holiday) day() (time.Time, bool) {
	at, err := time.Parse(time.DateOnly, h.Date)
	return at, err == nil && len(h.Date) == len(time.DateOnly)
}

func (h Holiday) compare(o Holiday) int {
	return cmp.Or(cmp.Compare(h.Date, o.Date), cmp.Compare(h.Name, o.Name))
}

// Interval is the day in a zone: from its midnight to the next one, which may be
// 23 or 25 hours.
func (h Holiday) Interval(loc *time.Location) Interval {
	at, _ := h.day()
	return Interval{Instant(at, loc), Instant(at.AddDate(0, 0, 1), loc)}
}

// SortHolidays puts days in order and leaves out those that are there twice.
func SortHolidays(days []Holiday) []Holiday {
	days = slices.SortedFunc(slices.Values(days), Holiday.compare)
	return slices.Compact(days)
}

// HolidayDuty is somebody's duty on a public holiday, by the rota alone.
type HolidayDuty struct {
	Interval
	Holiday Holiday
	User    id.User
}

// HolidayDuties returns who is on duty on holidays that overlap [from, to), in
// the order of time: each person once for a day, from their first hour on it to
// their last one. Who is on duty by an override has been asked: that is arranged
// and left out. A date that is there twice, by two calendars, counts once.
func HolidayDuties(p Plan, days []Holiday, loc *time.Location, from, to time.Time) []HolidayDuty {
	var found []HolidayDuty
	seen := ""
	for _, day := range SortHolidays(days) {
		at := day.Interval(loc)
		if day.Date == seen || !at.From.Before(to) || !from.Before(at.To) {
			continue
		}
		seen = day.Date
		first := len(found)
		for _, s := range p.Between(later(from, at.From), earlier(to, at.To)) {
			if s.Override != "" {
				continue
			}
			duty := Interval{later(s.Start, later(from, at.From)).UTC(), earlier(to, at.To).UTC()}
			if !s.End.IsZero() {
				duty.To = earlier(s.End, duty.To)
			}
			i := slices.IndexFunc(found[first:], func(d HolidayDuty) bool { return d.User == s.User })
			if i < 0 {
				found = append(found, HolidayDuty{duty, day, s.User})
				continue
			}
			if d := &found[first+i]; duty.To.After(d.To) {
				d.To = duty.To
			}
		}
	}
	return found
}
