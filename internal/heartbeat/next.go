package heartbeat

import "time"

// searchYears is longer than any expression waits: 29 February on a given
// weekday comes every 28 years, over a year like 2100 after 40.
const searchYears = 45

// Next returns the first time of c after the instant after, on the clocks of
// loc; the zero time when there is none, which ParseCron has excluded.
//
// On a night that clocks change, an expression that names its hours means
// readings of the clock: a time that is skipped comes at the instant of the
// jump, and one that occurs twice comes the first time only. One whose hour
// field starts with * means the flow of time: it goes by what the clocks show,
// minute by minute, so that "*/5 * * * *" is every five minutes also in the
// repeated hour. Cron daemons do the same.
func (c Cron) Next(after time.Time, loc *time.Location) time.Time {
	y, m, d := after.In(loc).Date()
	// The clocks may have been set back over midnight: the day before can come again.
	day := time.Date(y, m, d-1, 0, 0, 0, 0, time.UTC)
	end := day.AddDate(searchYears, 0, 0)
	for day.Before(end) {
		if c.months&(1<<int(day.Month())) == 0 {
			day = time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		}
		next := day.AddDate(0, 0, 1)
		if at := c.onDay(day, after, loc); !at.IsZero() {
			if c.anyHour { // clocks set back at 00:01 show this day again after the first minute of the next
				at = earlier(at, c.onDay(next, after, loc))
			}
			return at
		}
		day = next
	}
	return time.Time{}
}

// onDay returns the first time of c after after on the date of day, a UTC midnight.
func (c Cron) onDay(day, after time.Time, loc *time.Location) time.Time {
	if !c.dayFits(day) {
		return time.Time{}
	}
	// The first occurrences of the readings of a day follow one another, and so
	// do the second ones: in both rows the first that is late enough is it.
	at := c.scan(day, func(w int64) (time.Time, bool) {
		first, shown := first(w, loc)
		return first, (shown || !c.anyHour) && first.After(after)
	})
	if c.anyHour && offset(day.Unix()-far, loc) != offset(day.Unix()+day24+far, loc) {
		at = earlier(at, c.scan(day, func(w int64) (time.Time, bool) {
			again, ok := second(w, loc)
			return again, ok && again.After(after)
		}))
	}
	return at
}

// scan tries the readings of c on day in order.
func (c Cron) scan(day time.Time, try func(w int64) (time.Time, bool)) time.Time {
	for hour := range 24 {
		for minute := range 60 {
			if c.hours&(1<<hour) == 0 || c.minutes&(1<<minute) == 0 {
				continue
			}
			if at, ok := try(day.Unix() + int64(hour*3600+minute*60)); ok {
				return at
			}
		}
	}
	return time.Time{}
}

// earlier is the earlier of two instants, where zero means none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

const (
	day24 = 24 * 60 * 60
	far   = 16 * 60 * 60 // no zone was ever further from UTC
)

// offset is how many seconds the clocks of loc are ahead of UTC at an instant.
func offset(unix int64, loc *time.Location) int64 {
	_, seconds := time.Unix(unix, 0).In(loc).Zone()
	return int64(seconds)
}

// first returns the first instant at which the clocks of loc show the reading w
// (in seconds, as if they were UTC) or a later one; shown is false when they
// skip w, and the instant then that of the jump. time.Date promises neither.
func first(w int64, loc *time.Location) (at time.Time, shown bool) {
	before := offset(w-far, loc)
	after := offset(w-before, loc)
	if after == before {
		return time.Unix(w-before, 0).UTC(), true
	}
	if offset(w-after, loc) == after { // the clocks changed on the way, not at w
		return time.Unix(w-after, 0).UTC(), true
	}
	low, high := w-after, w-before // the jump is in (low, high]
	for high-low > 1 {
		if middle := low + (high-low)/2; offset(middle, loc) == before {
			low = middle
		} else {
			high = middle
		}
	}
	return time.Unix(high, 0).UTC(), false
}

// second returns the second instant at which the clocks of loc show w.
func second(w int64, loc *time.Location) (time.Time, bool) {
	again := w - offset(w+far, loc)
	at, shown := first(w, loc)
	if !shown || again <= at.Unix() || again+offset(again, loc) != w {
		return time.Time{}, false
	}
	return time.Unix(again, 0).UTC(), true
}
