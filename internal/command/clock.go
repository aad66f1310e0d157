package command

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	clockShape = regexp.MustCompile(`^(\d{1,2})(?::(\d{2}))?(?::(\d{2}))? ?(am|pm)?$`)
	dateShape  = regexp.MustCompile(`^(\d{4})-(\d{2})-(\d{2})$`)
)

var weekdays = map[string]time.Weekday{
	"sunday": time.Sunday, "monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday,
	"thursday": time.Thursday, "friday": time.Friday, "saturday": time.Saturday,
	"sun": time.Sunday, "mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday, "thu": time.Thursday,
	"fri": time.Friday, "sat": time.Saturday,
}

// ParseTime understands a time as people write it in zone at now, to the second:
//
//	now
//	in 2h, in 30 minutes
//	14:30, 9am               the next time the clock shows it
//	today 14:30, tomorrow 9:00, tomorrow at 9:00
//	monday 9:00              the next Monday on which it is not over
//	2026-12-24 18:00, 2026-12-24T18:00, 2026-12-24T18:00:00+01:00
//
// Where clocks are put forward, a time that is skipped is the instant of the
// jump; where they are put back, one that comes twice is the first, as in
// package oncall.
func ParseTime(text string, now time.Time, zone *time.Location) (time.Time, error) {
	wrong := fmt.Errorf("%q is not a time such as 14:30, tomorrow 9:00, monday 9:00, 2026-12-24 18:00 or in 2h", brief(text))
	s := strings.ToLower(strings.Join(strings.Fields(text), " "))
	if s == "now" {
		return now.UTC().Truncate(time.Second), nil
	}
	if after, ok := strings.CutPrefix(s, "in "); ok {
		d, err := ParseDuration(after)
		if err != nil {
			return time.Time{}, wrong
		}
		return now.Add(d).UTC().Truncate(time.Second), nil
	}
	if at, err := time.Parse(time.RFC3339, strings.ToUpper(s)); err == nil && sensible(at.UTC().Year()) {
		return at.UTC().Truncate(time.Second), nil
	}
	if len(s) > 10 && s[10] == 't' && dateShape.MatchString(s[:10]) {
		s = s[:10] + " " + s[11:]
	}
	date, clock, ok := strings.Cut(s, " ")
	if !ok || date[0] >= '0' && date[0] <= '9' && !dateShape.MatchString(date) { // "9:30 pm"
		date, clock = "", s
	}
	seconds, ok := readClock(strings.TrimPrefix(clock, "at "))
	if !ok {
		return time.Time{}, wrong
	}
	year, month, dom := now.In(zone).Date()
	on := func(days int) time.Time { return instant(wallOf(year, month, dom+days)+seconds, zone) }
	switch date {
	case "":
		if at := on(0); at.After(now) {
			return at, nil
		}
		return on(1), nil
	case "today":
		return on(0), nil
	case "tomorrow":
		return on(1), nil
	}
	if want, ok := weekdays[date]; ok {
		ahead := (int(want) - int(now.In(zone).Weekday()) + 7) % 7
		if at := on(ahead); at.After(now) {
			return at, nil
		}
		return on(ahead + 7), nil
	}
	m := dateShape.FindStringSubmatch(date)
	if m == nil {
		return time.Time{}, wrong
	}
	year, month, dom = number(m[1]), time.Month(number(m[2])), number(m[3])
	if d := time.Date(year, month, dom, 0, 0, 0, 0, time.UTC); !sensible(year) || d.Month() != month || d.Day() != dom {
		return time.Time{}, fmt.Errorf("%q: there is no such day", brief(text))
	}
	return on(0), nil
}

// sensible years are those in which zones have the rules they have.
func sensible(year int) bool { return year >= 1970 && year < 3000 }

// showTime is at on the clocks of zone, as ParseTime reads it anywhere.
func showTime(at time.Time, zone *time.Location) string {
	local := at.In(zone)
	if _, offset := local.Zone(); offset%60 != 0 { // which RFC 3339 cannot say
		local = at.UTC()
	}
	return local.Format(time.RFC3339)
}

// readClock reads 14:30, 9am or 9:30 pm as seconds after midnight.
func readClock(s string) (int64, bool) {
	m := clockShape.FindStringSubmatch(s)
	if m == nil || m[2] == "" && m[4] == "" {
		return 0, false
	}
	hour, minute, second := number(m[1]), number(m[2]), number(m[3])
	if m[4] != "" {
		if hour < 1 || hour > 12 {
			return 0, false
		}
		hour %= 12
		if m[4] == "pm" {
			hour += 12
		}
	}
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return int64(hour*3600 + minute*60 + second), true
}

// number reads digits; none are 0.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// wallOf is the reading of a clock at midnight of a date: the seconds since
// 1970 on that clock, as if every day had 24 hours.
func wallOf(year int, month time.Month, dom int) int64 {
	return time.Date(year, month, dom, 0, 0, 0, 0, time.UTC).Unix()
}

// maxOffset is further than any zone ever was from UTC, in seconds.
const maxOffset = 16 * 3600

// instant is the first at which the clocks of zone show wall or later. time.Date
// does neither promise which of two offsets it takes nor where in a gap it lands.
func instant(wall int64, zone *time.Location) time.Time {
	begin := wall - maxOffset - 1
	for {
		t := time.Unix(begin, 0).In(zone)
		_, offset := t.Zone()
		at := max(wall-int64(offset), begin)
		_, end := t.ZoneBounds()
		if end.IsZero() || at < periodEnd(t, end) {
			return time.Unix(at, 0).UTC()
		}
		begin = periodEnd(t, end)
	}
}

// periodEnd is the end that ZoneBounds gives, unless it lies behind t: in years
// beyond the table of a zone that happens on the last day of a leap year.
func periodEnd(t, end time.Time) int64 {
	if end.After(t) {
		return end.Unix()
	}
	return (t.Unix()/86400 + 1) * 86400
}
