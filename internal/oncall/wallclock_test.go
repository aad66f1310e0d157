package oncall

import (
	"testing"
	"time"
	_ "time/tzdata"
)

// Zones whose clocks do everything clocks have done since 2000.
var zones = []string{
	"UTC", "Europe/London", "Europe/Berlin", "Europe/Dublin", "Europe/Lisbon", "Europe/Istanbul", "Europe/Moscow",
	"Europe/Chisinau", "Atlantic/Azores", "America/New_York", "America/Chicago", "America/Denver", "America/Phoenix",
	"America/Los_Angeles", "America/Anchorage", "America/St_Johns", "America/Halifax", "America/Havana", "America/Caracas",
	"America/Sao_Paulo", "America/Asuncion", "America/Santiago", "America/Argentina/San_Luis", "America/Scoresbysund",
	"America/Nuuk", "America/Mexico_City", "America/Port-au-Prince", "Africa/Cairo", "Africa/Casablanca", "Africa/Windhoek",
	"Africa/Juba", "Africa/Sao_Tome", "Asia/Beirut", "Asia/Amman", "Asia/Damascus", "Asia/Gaza", "Asia/Jerusalem",
	"Asia/Tehran", "Asia/Kathmandu", "Asia/Kolkata", "Asia/Colombo", "Asia/Dhaka", "Asia/Karachi", "Asia/Tokyo",
	"Asia/Pyongyang", "Asia/Almaty", "Antarctica/Troll", "Antarctica/Casey", "Australia/Sydney", "Australia/Adelaide",
	"Australia/Lord_Howe", "Australia/Eucla", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Apia", "Pacific/Fakaofo",
	"Pacific/Fiji", "Pacific/Norfolk", "Pacific/Tongatapu", "Pacific/Kiritimati", "Pacific/Easter", "Pacific/Marquesas",
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

// clock is the reading of the zone's clocks at an instant.
func clock(loc *time.Location, at int64) wall {
	_, offset := time.Unix(at, 0).In(loc).Zone()
	return wall(at + int64(offset))
}

func TestWallInstant(t *testing.T) {
	tests := []struct {
		why, zone, local, want string
	}{
		{"ordinary winter day", "Europe/London", "2026-01-05 09:00", "2026-01-05T09:00:00Z"},
		{"ordinary summer day", "Europe/London", "2026-07-06 09:00", "2026-07-06T08:00:00Z"},
		{"no daylight saving, odd offset", "Asia/Kathmandu", "2026-03-29 09:00", "2026-03-29T03:15:00Z"},

		{"skipped hour: the jump", "Europe/London", "2026-03-29 01:30", "2026-03-29T01:00:00Z"},
		{"first skipped minute", "Europe/London", "2026-03-29 01:00", "2026-03-29T01:00:00Z"},
		{"last skipped minute", "Europe/London", "2026-03-29 01:59", "2026-03-29T01:00:00Z"},
		{"first minute after the gap", "Europe/London", "2026-03-29 02:00", "2026-03-29T01:00:00Z"},
		{"last minute before the gap", "Europe/London", "2026-03-29 00:59", "2026-03-29T00:59:00Z"},
		{"doubled hour: the first", "Europe/London", "2026-10-25 01:30", "2026-10-25T00:30:00Z"},
		{"first doubled minute", "Europe/London", "2026-10-25 01:00", "2026-10-25T00:00:00Z"},
		{"after the doubled hour", "Europe/London", "2026-10-25 02:00", "2026-10-25T02:00:00Z"},

		{"skipped hour west of Greenwich", "America/New_York", "2026-03-08 02:30", "2026-03-08T07:00:00Z"},
		{"doubled hour west of Greenwich", "America/New_York", "2026-11-01 01:30", "2026-11-01T05:30:00Z"},

		{"skipped half hour", "Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:30:00Z"},
		{"after the skipped half hour", "Australia/Lord_Howe", "2026-10-04 02:30", "2026-10-03T15:30:00Z"},
		{"doubled half hour", "Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04T14:45:00Z"},
		{"after the doubled half hour", "Australia/Lord_Howe", "2026-04-05 02:00", "2026-04-04T15:30:00Z"},
		{"two skipped hours", "Antarctica/Troll", "2026-03-29 02:30", "2026-03-29T01:00:00Z"},

		{"no midnight in Brazil", "America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04T03:00:00Z"},
		{"midnight after daylight saving was abolished", "America/Sao_Paulo", "2026-11-01 00:00", "2026-11-01T03:00:00Z"},
		{"midnight doubled backwards into Saturday", "America/Sao_Paulo", "2018-02-17 23:30", "2018-02-18T01:30:00Z"},
		{"no midnight in Lebanon", "Asia/Beirut", "2026-03-29 00:00", "2026-03-28T22:00:00Z"},
		{"no midnight in Cuba", "America/Havana", "2026-03-08 00:30", "2026-03-08T05:00:00Z"},

		{"skipped day, in the morning", "Pacific/Apia", "2011-12-30 09:00", "2011-12-30T10:00:00Z"},
		{"skipped day, midnight", "Pacific/Apia", "2011-12-30 00:00", "2011-12-30T10:00:00Z"},
		{"day after the skipped one", "Pacific/Apia", "2011-12-31 09:00", "2011-12-30T19:00:00Z"},
		{"day before the skipped one", "Pacific/Apia", "2011-12-29 09:00", "2011-12-29T19:00:00Z"},
		{"doubled day", "Pacific/Kwajalein", "1969-09-30 09:00", "1969-09-29T22:00:00Z"},

		{"clocks moved without daylight saving", "Asia/Pyongyang", "2018-05-04 23:45", "2018-05-04T15:00:00Z"},
		{"and back before", "Asia/Pyongyang", "2015-08-14 23:45", "2015-08-14T14:45:00Z"},
		{"daylight saving suspended for Ramadan", "Africa/Casablanca", "2026-02-15 02:30", "2026-02-15T01:30:00Z"},

		{"last day of a leap year beyond the table", "Europe/London", "2096-12-31 09:00", "2096-12-31T09:00:00Z"},
		{"southern summer on that day", "Australia/Sydney", "2096-12-31 09:00", "2096-12-30T22:00:00Z"},
		{"new year after a leap year", "Australia/Sydney", "2097-01-01 00:00", "2096-12-31T13:00:00Z"},
		{"skipped hour beyond the table", "Europe/London", "2097-03-31 01:30", "2097-03-31T01:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			local, err := time.Parse("2006-01-02 15:04", tt.local)
			if err != nil {
				t.Fatal(err)
			}
			got := time.Unix(wall(local.Unix()).instant(zone(t, tt.zone)), 0).UTC()
			if want := instant(t, tt.want); !got.Equal(want) {
				t.Errorf("%s in %s is %s, want %s", tt.local, tt.zone, got.Format(time.RFC3339), tt.want)
			}
		})
	}
}

// The definition, checked by looking at the clocks, for every quarter of an hour
// around every change: no earlier instant shows the time or a later one.
func TestWallInstantAtEveryChange(t *testing.T) {
	const near = 26 * 60 * 60
	for _, name := range zones {
		loc := zone(t, name)
		for _, change := range changes(loc, 2000, 2037) {
			before, after := clock(loc, change-1)+1, clock(loc, change)
			for w := min(before, after) - 2*60*60; w < max(before, after)+2*60*60; w += 900 {
				at := w.instant(loc)
				if clock(loc, at) < w {
					t.Fatalf("%s: %s at %s shows less", name, reading(w), utc(at))
				}
				if clock(loc, at) > w && clock(loc, at-1) >= w {
					t.Fatalf("%s: %s at %s is not at a jump", name, reading(w), utc(at))
				}
				for earlier := at - near; earlier < at; earlier += 900 {
					if clock(loc, earlier) >= w {
						t.Fatalf("%s: %s at %s, but the clocks showed %s at %s", name, reading(w), utc(at), reading(clock(loc, earlier)), utc(earlier))
					}
				}
				if clock(loc, at-1) >= w {
					t.Fatalf("%s: %s at %s is a second late", name, reading(w), utc(at))
				}
			}
		}
	}
}

func TestWallInstantNeverDecreases(t *testing.T) {
	for _, name := range zones {
		loc := zone(t, name)
		for _, change := range changes(loc, 2000, 2037) {
			from := wall(change) - 20*60*60
			before := from.instant(loc)
			for w := from; w < from+40*60*60; w += 900 {
				at := w.instant(loc)
				if at < before {
					t.Fatalf("%s: %s at %s, a quarter of an hour earlier at %s", name, reading(w), utc(at), utc(before))
				}
				before = at
			}
		}
	}
}

// changes finds the instants at which the offset changes, without ZoneBounds.
func changes(loc *time.Location, fromYear, toYear int) []int64 {
	offset := func(at int64) int64 { return int64(clock(loc, at)) - at }
	var found []int64
	end := time.Date(toYear+1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for at := time.Date(fromYear, 1, 1, 0, 0, 0, 0, time.UTC).Unix(); at < end; at += day {
		if offset(at) == offset(at+day) {
			continue
		}
		same, differs := at, at+day
		for differs-same > 1 {
			if middle := (same + differs) / 2; offset(middle) == offset(at) {
				same = middle
			} else {
				differs = middle
			}
		}
		found = append(found, differs)
	}
	return found
}

func reading(w wall) string { return time.Unix(int64(w), 0).UTC().Format("2006-01-02 15:04:05") }

func utc(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }
