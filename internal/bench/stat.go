package bench

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// samples are durations; sorted once, then asked.
type samples []time.Duration

// quantile returns the smallest sample that a share q of all does not exceed.
func (s samples) quantile(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	if !slices.IsSorted(s) {
		slices.Sort(s)
	}
	i := int(q*float64(len(s))+0.999999) - 1
	return s[min(max(i, 0), len(s)-1)]
}

func (s samples) p50() time.Duration { return s.quantile(.50) }
func (s samples) p99() time.Duration { return s.quantile(.99) }
func (s samples) max() time.Duration { return s.quantile(1) }

// spread is p50, p99 and the greatest in words.
func (s samples) spread() string {
	return fmt.Sprintf("p50 %s, p99 %s, max %s", span(s.p50()), span(s.p99()), span(s.max()))
}

// span writes a duration with as many digits as mean something.
func span(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 2, 64) + " ms"
	case ms < 100:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 10_000:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	}
	return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
}

// count writes a number with its thousands apart.
func count[N ~int | ~int64 | ~float64](n N) string {
	digits := strconv.FormatInt(int64(float64(n)+0.5), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func perSecond(rate float64) string { return count(rate) + "/s" }

func percent(share float64) string { return strconv.FormatFloat(share*100, 'f', 0, 64) + " %" }

const (
	kib = 1 << 10
	mib = 1 << 20
)

func size(bytes float64) string {
	if bytes >= mib {
		return strconv.FormatFloat(bytes/mib, 'f', 1, 64) + " MiB"
	}
	return strconv.FormatFloat(bytes/kib, 'f', 1, 64) + " KiB"
}

// atMost adds a row whose figure is a duration with an upper bar.
func (t *table) atMost(what string, got, bar time.Duration, more string) {
	text := span(got)
	if more != "" {
		text += " (" + more + ")"
	}
	t.add(what, text, "", "≤ "+span(bar), judge(got <= bar))
}
