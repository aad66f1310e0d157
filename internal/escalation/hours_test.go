package escalation

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/people"
)

func location(t interface {
	Helper()
	Fatal(...any)
}, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

var weekdays = []people.Day{"mon", "tue", "wed", "thu", "fri"}

func hours(zone string, days []people.Day, from, to string) Hours {
	return Hours{Zone: zone, Windows: []people.PagingWindow{{Days: days, From: from, To: to}}}
}

func TestNextOpen(t *testing.T) {
	office := hours("Europe/Berlin", weekdays, "09:00", "17:00")
	tests := []struct {
		intent   string
		hours    Hours
		at, want string // local, with offset; want "" for never
	}{
		{"no windows are always", Hours{}, "2026-11-22T03:00:00+01:00", "2026-11-22T03:00:00+01:00"},
		{"within: at once", office, "2026-11-23T09:00:00+01:00", "2026-11-23T09:00:00+01:00"},
		{"the last second is within", office, "2026-11-23T16:59:59+01:00", "2026-11-23T16:59:59+01:00"},
		{"before: the same day", office, "2026-11-23T03:00:00+01:00", "2026-11-23T09:00:00+01:00"},
		{"the end is outside: the next day", office, "2026-11-23T17:00:00+01:00", "2026-11-24T09:00:00+01:00"},
		{"Friday evening: Monday", office, "2026-11-20T18:00:00+01:00", "2026-11-23T09:00:00+01:00"},
		{"over the change to winter time by the clock", office, "2026-10-23T18:00:00+02:00", "2026-10-26T09:00:00+01:00"},
		{"over the change to summer time by the clock", office, "2027-03-26T18:00:00+01:00", "2027-03-29T09:00:00+02:00"},
		{"over midnight, in the small hours", hours("Europe/Berlin", []people.Day{"fri"}, "22:00", "06:00"), "2026-11-21T03:00:00+01:00", "2026-11-21T03:00:00+01:00"},
		{"over midnight, not the morning of the day itself", hours("Europe/Berlin", []people.Day{"fri"}, "22:00", "06:00"), "2026-11-20T03:00:00+01:00", "2026-11-20T22:00:00+01:00"},
		{"an opening in the hour that is skipped is the jump", hours("Europe/Berlin", []people.Day{"sun"}, "02:30", "05:00"), "2027-03-28T01:00:00+01:00", "2027-03-28T03:00:00+02:00"},
		{"a window in the hour that is skipped comes a week later", hours("Europe/Berlin", []people.Day{"sun"}, "02:15", "02:45"), "2027-03-28T01:00:00+01:00", "2027-04-04T02:15:00+02:00"},
		{"the doubled hour: its first pass", hours("Europe/Berlin", []people.Day{"sun"}, "02:15", "02:45"), "2026-10-25T01:00:00+02:00", "2026-10-25T02:15:00+02:00"},
		{"the doubled hour: its second pass", hours("Europe/Berlin", []people.Day{"sun"}, "02:15", "02:45"), "2026-10-25T02:50:00+02:00", "2026-10-25T02:15:00+01:00"},
		{"half an hour of shift", hours("Australia/Lord_Howe", nil, "02:10", "02:20"), "2026-10-03T12:00:00+10:30", "2026-10-05T02:10:00+11:00"},
		{"a whole weekday", Hours{Zone: "UTC", Windows: []people.PagingWindow{{Days: []people.Day{"wed"}}}}, "2026-11-22T12:00:00Z", "2026-11-25T00:00:00Z"},
		{"the first of several", Hours{Zone: "UTC", Windows: []people.PagingWindow{{From: "18:00", To: "20:00"}, {From: "15:00", To: "16:00"}}},
			"2026-11-22T12:00:00Z", "2026-11-22T15:00:00Z"},
	}
	for _, tt := range tests {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		want, err := time.Parse(time.RFC3339, tt.want)
		if err != nil {
			t.Fatal(err)
		}
		loc := time.UTC
		if !tt.hours.Always() {
			loc = location(t, tt.hours.Zone)
		}
		got, ok := tt.hours.NextOpen(at, loc)
		if !ok || !got.Equal(want) {
			t.Errorf("%s: NextOpen(%s) = %s, %t, want %s", tt.intent, tt.at, got.In(loc).Format(time.RFC3339), ok, tt.want)
		}
	}
}

// NextOpen is the first minute that is within, whatever zone and windows: what
// looking at every minute finds.
func TestNextOpenIsTheFirst(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		h := Hours{Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
		clock := rapid.SampledFrom([]string{"00:00", "01:30", "02:15", "02:45", "03:00", "09:00", "17:00", "23:30"})
		for range rapid.IntRange(1, 3).Draw(t, "windows") {
			w := people.PagingWindow{Days: rapid.SliceOfNDistinct(rapid.SampledFrom(people.Days), 0, 3, func(d people.Day) people.Day { return d }).Draw(t, "days")}
			if from, to := clock.Draw(t, "from"), clock.Draw(t, "to"); from != to {
				w.From, w.To = from, to
			}
			h.Windows = append(h.Windows, w)
		}
		if err := h.Validate(); err != nil {
			t.Fatal(err)
		}
		loc := location(t, h.Zone)
		at := time.Unix(rapid.Int64Range(946684800, 2145916800).Draw(t, "at")/60*60, 0)
		if rapid.Bool().Draw(t, "near a change of clocks") {
			if _, end := at.In(loc).ZoneBounds(); !end.IsZero() {
				at = end.Add(-time.Duration(rapid.IntRange(0, 2000).Draw(t, "minutes before")) * time.Minute)
			}
		}
		got, ok := h.NextOpen(at, loc)
		if !ok || !h.Contain(got, loc) || got.Before(at) {
			t.Fatalf("NextOpen(%s) of %s = %s, %t, want an instant within, not before", at.UTC(), h, got, ok)
		}
		for m := at; m.Before(got); m = m.Add(5 * time.Minute) {
			if h.Contain(m, loc) {
				t.Fatalf("NextOpen(%s) of %s = %s, but it is open at %s", at.UTC(), h, got, m.UTC())
			}
		}
	})
}

func TestUnmet(t *testing.T) {
	office := hours("Europe/Berlin", weekdays, "09:00", "17:00")
	berlin := location(t, "Europe/Berlin")
	monday := time.Date(2026, 11, 23, 10, 0, 0, 0, berlin)
	sunday := monday.AddDate(0, 0, -1)
	critical := []alert.Type{alert.Critical}
	tests := []struct {
		intent string
		when   When
		at     time.Time
		want   string
	}{
		{"no condition", When{}, sunday, ""},
		{"the severity", When{Severities: []alert.Type{alert.Warning}}, monday, ""},
		{"another severity", When{Severities: critical}, monday, "it is only for critical"},
		{"the hours", When{Hours: office}, monday, ""},
		{"other hours", When{Hours: office}, sunday, "it is only at Mon Tue Wed Thu Fri 09:00–17:00 (Europe/Berlin)"},
		{"both must hold, the severity is said first", When{Severities: critical, Hours: office}, sunday, "it is only for critical"},
	}
	for _, tt := range tests {
		if got := tt.when.Unmet(alert.Warning, tt.at, berlin); got != tt.want {
			t.Errorf("%s: Unmet() = %q, want %q", tt.intent, got, tt.want)
		}
	}
	if got, want := (Hours{Zone: "UTC", Windows: []people.PagingWindow{{}, {Days: []people.Day{"sat"}}}}).String(), "all day, Sat (UTC)"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestUrgencyOf(t *testing.T) {
	for _, tt := range []struct {
		chosen   people.Urgency
		severity alert.Type
		want     people.Urgency
	}{
		{"", alert.Critical, people.High}, {"", alert.Warning, people.Low},
		{people.Low, alert.Critical, people.Low}, {people.High, alert.Warning, people.High},
	} {
		if got := (Policy{Urgency: tt.chosen}).UrgencyOf(tt.severity); got != tt.want {
			t.Errorf("UrgencyOf(%s) with %q chosen = %s, want %s", tt.severity, tt.chosen, got, tt.want)
		}
	}
}
