package command

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxDuration is the longest that makes sense in a command.
const maxDuration = 10 * 365 * 24 * time.Hour

var (
	durationShape = regexp.MustCompile(`^(?:\d+(?:\.\d+)?[a-z]+)+$`)
	durationPart  = regexp.MustCompile(`(\d+(?:\.\d+)?)([a-z]+)`)
	durationWords = regexp.MustCompile(`^(\d+|an?|one) ([a-z]{2,})$`)
)

var units = map[string]time.Duration{
	"ms": time.Millisecond,
	"s":  time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": day, "day": day, "days": day,
	"w": week, "week": week, "weeks": week,
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// ParseDuration understands 90s, 5m, 1h30m, 2d, 1w and "30 minutes", to the
// millisecond. A day has 24 hours.
func ParseDuration(text string) (time.Duration, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	if m := durationWords.FindStringSubmatch(s); m != nil {
		n := m[1]
		if n == "a" || n == "an" || n == "one" {
			n = "1"
		}
		s = n + m[2]
	}
	wrong := fmt.Errorf("%q is not a duration such as 90s, 5m, 1h30m or 2d", brief(text))
	if !durationShape.MatchString(s) {
		return 0, wrong
	}
	sum := 0.0 // to see that it is too long before it overflows
	var exact time.Duration
	for _, part := range durationPart.FindAllStringSubmatch(s, -1) {
		unit, ok := units[part[2]]
		n, err := strconv.ParseFloat(part[1], 64)
		if !ok || err != nil {
			return 0, wrong
		}
		sum += n * float64(unit)
		if sum > float64(maxDuration) {
			return 0, fmt.Errorf("%q is longer than ten years", brief(text))
		}
		if i, err := strconv.ParseInt(part[1], 10, 64); err == nil {
			exact += time.Duration(i) * unit
		} else {
			exact += time.Duration(math.Round(n * float64(unit)))
		}
	}
	return exact.Round(time.Millisecond), nil
}

// showDuration is what ParseDuration reads, in the largest units that fit.
func showDuration(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"w", week}, {"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}} {
		if n := d / u.unit; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d %= u.unit
		}
	}
	return b.String()
}
