package oncall

import "time"

const (
	day = 24 * 60 * 60 // seconds

	// No zone was ever further than this from UTC: Manila's and Juneau's local
	// mean times, on the wrong side of the date line, were almost 16 hours off.
	maxOffset = 16 * 60 * 60
)

// wall is a reading of a local clock: the seconds from 1970-01-01 00:00:00 on
// that clock, as if every day had 24 hours.
type wall int64

// wallOf is the reading at midnight of the date.
func wallOf(year int, month time.Month, dayOfMonth int) wall {
	return wall(time.Date(year, month, dayOfMonth, 0, 0, 0, 0, time.UTC).Unix())
}

// instant returns the first instant, in Unix seconds, at which the clocks of loc
// show w or a later time. That one definition covers the ordinary day, the hour
// that is skipped (the instant of the jump), and the hour that occurs twice (its
// first occurrence), and it never decreases when w increases. time.Date does
// neither promise which of two offsets it takes nor where it lands in a gap.
func (w wall) instant(loc *time.Location) int64 {
	// Begin where every clock still shows an earlier time and go through the
	// periods of constant offset; the first that reaches w has the answer.
	begin := int64(w) - maxOffset - 1
	for {
		t := time.Unix(begin, 0).In(loc)
		_, offset := t.Zone()
		end, ends := periodEnd(t)
		at := max(int64(w)-int64(offset), begin)
		if !ends || at < end {
			return at
		}
		begin = end
	}
}

// Instant returns the first instant at which the clocks of loc show what a clock
// on the wall shows, or a later time; the zone of shows is not looked at. It is
// the rule for every local time of a rota, for whoever has another one.
func Instant(shows time.Time, loc *time.Location) time.Time {
	w := wallOf(shows.Year(), shows.Month(), shows.Day()) + wall(shows.Hour()*60*60+shows.Minute()*60+shows.Second())
	return time.Unix(w.instant(loc), 0).UTC()
}

// periodEnd returns an instant after t up to which the offset stays as it is at
// t, or false when it stays for ever. Behind the end there may be the same
// offset again.
func periodEnd(t time.Time) (int64, bool) {
	_, end := t.ZoneBounds()
	if end.IsZero() {
		return 0, false
	}
	if end.After(t) {
		return end.Unix(), true
	}
	// Where the rule for the years after the table applies, ZoneBounds ends the
	// last period of a year after 365 days. On the last day of a leap year that
	// has passed already; the period goes on until the year does.
	return nextMidnight(t.Unix()), true
}

// nextMidnight is the UTC midnight after t.
func nextMidnight(t int64) int64 { return floorDiv(t, day)*day + day }

// floorDiv divides rounding down, also for instants before 1970.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
