package heartbeat

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Cron is a parsed expression of five fields. Each is a set of numbers.
type Cron struct {
	minutes, hours, days, months, weekdays uint64

	anyHour bool // the hour field starts with *
	// either: a day that fits one of the two day fields will do, for neither starts with *.
	either bool
}

// field is one of the five.
type field struct {
	name      string
	low, high int
	names     []string // for low, low+1, …
}

func fields() [5]field {
	return [5]field{
		{"minute", 0, 59, nil},
		{"hour", 0, 23, nil},
		{"day of month", 1, 31, nil},
		{"month", 1, 12, []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
		{"day of week", 0, 7, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
	}
}

var errNever = errors.New("no such date ever comes")

const maxCron = 200 // characters

// ParseCron reads "minute hour day-of-month month day-of-week": *, numbers,
// names of three letters, ranges a-b, steps */n, a-b/n and a/n (from a on), and
// lists of them; Sunday is 0 and 7. @hourly, @daily, @midnight, @weekly,
// @monthly, @yearly and @annually stand for what they say. An expression that
// no date fits (30 February) is an error.
func ParseCron(text string) (Cron, error) {
	if len(text) > maxCron {
		return Cron{}, fmt.Errorf("give at most %d characters", maxCron)
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "@hourly":
		text = "0 * * * *"
	case "@daily", "@midnight":
		text = "0 0 * * *"
	case "@weekly":
		text = "0 0 * * 0"
	case "@monthly":
		text = "0 0 1 * *"
	case "@yearly", "@annually":
		text = "0 0 1 1 *"
	}
	parts := strings.Fields(text)
	if len(parts) != 5 {
		return Cron{}, fmt.Errorf("%q has %d fields, not five: minute, hour, day of month, month, day of week", text, len(parts))
	}
	var sets [5]uint64
	for i, f := range fields() {
		set, err := f.parse(strings.ToLower(parts[i]))
		if err != nil {
			return Cron{}, fmt.Errorf("%s %q: %w", f.name, parts[i], err)
		}
		sets[i] = set
	}
	star := func(i int) bool { return strings.HasPrefix(parts[i], "*") }
	c := Cron{
		minutes: sets[0], hours: sets[1], days: sets[2], months: sets[3], weekdays: sets[4] | sets[4]>>7&1,
		anyHour: star(1), either: !star(2) && !star(4),
	}
	if !c.possible() {
		return Cron{}, fmt.Errorf("%q: %w", text, errNever)
	}
	return c, nil
}

func (f field) parse(text string) (set uint64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(part, "/")
		every := 1
		if stepped {
			if every, err = number(step); err != nil || every < 1 {
				return 0, fmt.Errorf("the step %q is not a number from 1", step)
			}
		}
		low, high, err := f.span(span, stepped)
		if err != nil {
			return 0, err
		}
		for v := low; v <= high; v += every {
			set |= 1 << v
		}
	}
	return set, nil
}

// span reads what stands before a step.
func (f field) span(text string, stepped bool) (low, high int, err error) {
	if text == "*" {
		return f.low, f.high, nil
	}
	first, last, isRange := strings.Cut(text, "-")
	if low, err = f.value(first); err != nil {
		return 0, 0, err
	}
	high = low
	switch {
	case isRange:
		if high, err = f.value(last); err != nil {
			return 0, 0, err
		}
		if f.high == 7 && high == 0 && low > 0 { // fri-sun
			high = 7
		}
	case stepped:
		high = f.high
		if f.high == 7 && low < 7 {
			high = 6 // mon/3 is Monday and Thursday, not the next Sunday
		}
	}
	if high < low {
		return 0, 0, fmt.Errorf("the range %s ends before it begins", text)
	}
	return low, high, nil
}

func (f field) value(text string) (int, error) {
	if i := slices.Index(f.names, text); i >= 0 {
		return f.low + i, nil
	}
	v, err := number(text)
	if err != nil || v < f.low || v > f.high {
		return 0, fmt.Errorf("%q is not %s", text, f.describe())
	}
	return v, nil
}

func (f field) describe() string {
	s := fmt.Sprintf("a number from %d to %d", f.low, f.high)
	if len(f.names) > 0 {
		s += " or a name such as " + f.names[0]
	}
	return s
}

// number takes digits only: ParseUint knows no sign.
func number(text string) (int, error) {
	v, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, errors.New("not a number")
	}
	return int(v), nil //nolint:gosec // 16 bits
}

// possible says whether any date fits: only the day of the month can rule out all.
func (c Cron) possible() bool {
	if c.either {
		return true // some day of every month has the weekday
	}
	longest := [13]int{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	for m := 1; m <= 12; m++ {
		if c.months&(1<<m) != 0 && bits.TrailingZeros64(c.days) <= longest[m] {
			return true
		}
	}
	return false
}

func (c Cron) dayFits(d time.Time) bool {
	if c.months&(1<<int(d.Month())) == 0 {
		return false
	}
	day, weekday := c.days&(1<<d.Day()) != 0, c.weekdays&(1<<int(d.Weekday())) != 0
	if c.either {
		return day || weekday
	}
	return day && weekday
}
