package ical

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestWallInEveryZone compares with a search through the instants of two days.
func TestWallInEveryZone(t *testing.T) {
	var zones []*time.Location
	for _, name := range []string{
		"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham",
		"Africa/Casablanca", "America/Sao_Paulo", "Pacific/Apia", "Asia/Tehran", "Europe/Dublin", "America/Caracas", "Antarctica/Troll",
	} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, loc)
	}
	rapid.Check(t, func(t *rapid.T) {
		loc := rapid.SampledFrom(zones).Draw(t, "zone")
		probe := time.Unix(rapid.Int64Range(946684800, 2145916800).Draw(t, "instant"), 0).In(loc)
		if _, end := probe.ZoneBounds(); !end.IsZero() && rapid.Bool().Draw(t, "at a change") {
			probe = end.In(loc)
		}
		w := wallOf(probe)/900*900 + wall(rapid.IntRange(-16, 16).Draw(t, "quarters")*900)
		got := w.in(loc)
		for at := int64(w) - 26*3600; at < int64(w)+26*3600; at += 900 {
			if wallOf(time.Unix(at, 0).In(loc)) == w {
				if got.Unix() != at {
					t.Fatalf("%s on the clocks of %s is %v, want %v", w.clock(), loc, got.In(loc), time.Unix(at, 0).In(loc))
				}
				return
			}
		}
		// Skipped: as far behind the jump as the reading is, with the offset before.
		jump, _ := got.In(loc).ZoneBounds()
		if before := wallOf(jump.Add(-time.Second).In(loc)) + 1; got.Unix()-jump.Unix() != int64(w-before) {
			t.Fatalf("%s is skipped in %s and became %v, the jump being at %v", w.clock(), loc, got.In(loc), jump)
		}
	})
}

func TestEveryWindowsZoneIsThere(t *testing.T) {
	for windows := range windowsZones() {
		if _, ok := findZone(windows); !ok {
			t.Errorf("%s is no zone", windows)
		}
	}
	for _, name := range []string{"", "Local", "/", "Nowhere", "../Europe/Berlin/", "Local/Local"} {
		if loc, ok := findZone(name); ok {
			t.Errorf("findZone(%q) = %v, want none", name, loc)
		}
	}
}
