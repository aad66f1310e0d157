package oncall

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Every zone of the time-zone database, every change of its clocks from 2000 to
// 2037, hand-off times in, at the edges of and away from what the change skips or
// doubles: each date that exists has one hand-over, which is at the local hour
// asked for, the first time; or, if that hour is skipped, at the jump.
func TestLocalHourInEveryZone(t *testing.T) {
	text, err := os.ReadFile("testdata/zones.txt")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(text))
	if len(names) < 500 {
		t.Fatalf("only %d zones", len(names))
	}
	seen := map[string]bool{} // zones that have the same changes need not be tried again
	changed := 0
	for _, name := range names {
		loc := zone(t, name)
		all := changes(loc, 2000, 2037)
		var key strings.Builder
		for _, at := range all {
			key.WriteString(utc(at) + reading(clock(loc, at)))
		}
		if seen[key.String()] {
			continue
		}
		seen[key.String()] = true
		for _, at := range all {
			changed++
			for _, handoff := range handoffsAround(loc, at) {
				checkDailyHandoff(t, loc, at, handoff)
			}
		}
	}
	if changed < 5000 {
		t.Errorf("only %d changes tried", changed)
	}
}

// handoffsAround chooses times of day around a change, in seconds after midnight.
func handoffsAround(loc *time.Location, change int64) []wall {
	before, after := clock(loc, change-60)+60, clock(loc, change)
	low, high := min(before, after), max(before, after)
	var times []wall
	for _, w := range []wall{low - 60, low, (low + high) / 2, high - 60, high, low + 7*60*60} {
		w = w / 60 * 60 % day
		if !slices.Contains(times, w) {
			times = append(times, w)
		}
	}
	return times
}

func checkDailyHandoff(t *testing.T, loc *time.Location, change int64, handoff wall) {
	t.Helper()
	today := time.Unix(int64(clock(loc, change)), 0).UTC()
	start := today.AddDate(0, 0, -40)
	clockTime := time.Unix(int64(handoff), 0).UTC().Format("15:04")
	l, err := Layer{Members: []id.User{"ann", "ben", "cem"}, Every: 1, Unit: Days, HandoffAt: clockTime, Start: start.Format(time.DateOnly)}.compile(loc)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int64]bool{}
	for p := range l.pieces(change - 2*day) {
		if p.begin > change+2*day {
			break
		}
		if p.begin >= change-2*day {
			got[p.begin] = true
		}
	}
	want := map[int64]bool{}
	for d := int64(-4); d <= 4; d++ {
		w := wall(floorDiv(today.Unix(), day)*day+d*day) + handoff
		if at := firstShown(loc, w, change); at >= change-2*day && at <= change+2*day {
			want[at] = true
		}
	}
	for at := range want {
		if !got[at] {
			t.Fatalf("%s: change at %s, hand-off at %s: none at %s", loc, utc(change), clockTime, utc(at))
		}
	}
	for at := range got {
		if !want[at] {
			t.Fatalf("%s: change at %s, hand-off at %s: one at %s", loc, utc(change), clockTime, utc(at))
		}
	}
}

// firstShown finds the instant of a reading near a change, from the offsets before
// and after it alone: there is no other change near.
func firstShown(loc *time.Location, w wall, change int64) int64 {
	before := int64(clock(loc, change-1)) - (change - 1)
	after := int64(clock(loc, change)) - change
	switch at := int64(w) - before; {
	case at < change:
		return at // shown before the change: for the first time
	case int64(w)-after >= change:
		return int64(w) - after
	default:
		return change // skipped
	}
}
