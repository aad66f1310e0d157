package heartbeat_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/heartbeat"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func cron(t testing.TB, text string) heartbeat.Cron {
	t.Helper()
	c, err := heartbeat.ParseCron(text)
	if err != nil {
		t.Fatalf("ParseCron(%q): %v", text, err)
	}
	return c
}

func TestNext(t *testing.T) {
	cases := []struct {
		cron, zone, after string
		want              []string // one after the other
	}{
		{"*/15 * * * *", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"}},
		{"0 3 * * *", "Europe/Berlin", "2026-01-01T03:00:00+01:00", []string{"2026-01-02T03:00:00+01:00"}},
		{"0 3 * * *", "Europe/Berlin", "2026-01-01T02:59:59.9+01:00", []string{"2026-01-01T03:00:00+01:00"}},
		{"0 9-17/4 * * mon-fri", "UTC", "2026-01-02T12:00:00Z", []string{"2026-01-02T13:00:00Z", "2026-01-02T17:00:00Z", "2026-01-05T09:00:00Z"}},
		{"30 4 1,15 * 5", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-01T04:30:00Z", "2026-01-02T04:30:00Z", "2026-01-09T04:30:00Z", "2026-01-15T04:30:00Z"}},
		{"0 0 */10 * 1", "UTC", "2026-01-01T00:00:00Z", []string{"2026-05-11T00:00:00Z", "2026-06-01T00:00:00Z"}}, // a field with * restricts: Monday and the 1st, 11th, 21st or 31st
		{"0 0 13 * FRI", "UTC", "2026-02-10T00:00:00Z", []string{"2026-02-13T00:00:00Z", "2026-02-20T00:00:00Z"}},
		{"0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
		{"0 0 29 2 */7", "UTC", "2088-03-01T00:00:00Z", []string{"2128-02-29T00:00:00Z"}}, // 2100 has none
		{"0 0 31 * *", "UTC", "2026-01-31T00:00:00Z", []string{"2026-03-31T00:00:00Z"}},
		{"5 0 * * 7", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-04T00:05:00Z"}},
		{"0 12 * dec sat-sun", "UTC", "2026-12-05T12:00:00Z", []string{"2026-12-06T12:00:00Z", "2026-12-12T12:00:00Z"}},
		{"0 6 * * mon/3", "UTC", "2026-01-01T00:00:00Z", []string{"2026-01-01T06:00:00Z", "2026-01-05T06:00:00Z"}},
		{"@weekly", "Asia/Kathmandu", "2026-01-01T00:00:00Z", []string{"2026-01-04T00:00:00+05:45"}},

		// The night that loses an hour: at the jump, once.
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", []string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"*/20 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", []string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"}},
		{"30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00+01:00", []string{"2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"}},
		{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30", []string{"2026-10-04T02:30:00+11:00"}},
		{"0 12 30 12 *", "Pacific/Apia", "2011-12-29T12:00:00-10:00", []string{"2011-12-31T00:00:00+14:00", "2012-12-30T12:00:00+14:00"}}, // a day that never was
		{"0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00", []string{"2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		{"30 * * * *", "Europe/Berlin", "2026-03-29T01:30:00+01:00", []string{"2026-03-29T03:30:00+02:00"}},

		// The night that has an hour twice: the first time, or both for those that go by the flow of time.
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+02:00", []string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T02:45:00+02:00", []string{"2026-10-26T02:30:00+01:00"}},
		{"*/30 * * * *", "Europe/Berlin", "2026-10-25T02:00:00+02:00", []string{"2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00", "2026-10-25T03:00:00+01:00"}},
		{"0 * * * *", "America/St_Johns", "2006-10-28T22:30:00-02:30", []string{"2006-10-28T23:00:00-02:30", "2006-10-29T00:00:00-02:30", "2006-10-29T00:00:00-03:30"}}, // back at 00:01, to 23:01
		{"*/30 * * * *", "America/St_Johns", "2006-10-28T23:30:00-02:30", []string{"2006-10-29T00:00:00-02:30", "2006-10-28T23:30:00-03:30", "2006-10-29T00:00:00-03:30"}},
	}
	for _, tc := range cases {
		loc, after := location(t, tc.zone), at(t, tc.after)
		var got []string
		for range tc.want {
			after = cron(t, tc.cron).Next(after, loc)
			got = append(got, after.In(loc).Format(time.RFC3339))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q in %s after %s (-want +got):\n%s", tc.cron, tc.zone, tc.after, diff)
		}
	}
}

func TestParseCronRefuses(t *testing.T) {
	for _, text := range []string{
		"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * 0 *", "* * * * 8", "-1 * * * *", "+1 * * * *",
		"5-1 * * * *", "*/0 * * * *", "*/-1 * * * *", "*/ * * * *", "1,,2 * * * *", "a * * * *", "* * * janu *", "* * mon * *", "? * * * *", "1-2-3 * * * *",
		"0 0 30 2 *", "0 0 31 4,6,9,11 *", "@reboot", "@every 5m", "*/99999999999999999999 * * * *", strings.Repeat("1,", 200) + "1 * * * *",
	} {
		if c, err := heartbeat.ParseCron(text); err == nil {
			t.Errorf("ParseCron(%q) = %v, want an error", text, c)
		}
	}
}

// TestNextIsTheNext compares with cron as it is defined: look at the clock every minute.
func TestNextIsTheNext(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "America/Havana"}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		minute := rapid.SampledFrom([]string{"*", "*/7", "0", "1,30,59"}).Draw(t, "minute")
		hour := rapid.SampledFrom([]string{"*", "*/3", "*/2"}).Draw(t, "hour")
		weekday := rapid.SampledFrom([]string{"*", "0", "sat-sun", "1-5"}).Draw(t, "weekday")
		c, err := heartbeat.ParseCron(minute + " " + hour + " * * " + weekday)
		if err != nil {
			t.Fatal(err)
		}
		after := time.Unix(rapid.Int64Range(946684800, 2145916800).Draw(t, "instant"), 0).In(loc)
		if _, end := after.ZoneBounds(); !end.IsZero() && rapid.Bool().Draw(t, "at a change") {
			after = end.Add(time.Duration(rapid.IntRange(-200, 200).Draw(t, "minutes")) * time.Minute).In(loc)
		}
		fits := func(set string, v int) bool {
			switch set {
			case "*":
				return true
			case "sat-sun":
				return v == 0 || v == 6
			case "1-5":
				return v >= 1 && v <= 5
			case "1,30,59":
				return v == 1 || v == 30 || v == 59
			case "0":
				return v == 0
			}
			return v%int(set[2]-'0') == 0
		}
		want := after.Truncate(time.Minute).Add(time.Minute)
		for !fits(minute, want.Minute()) || !fits(hour, want.Hour()) || !fits(weekday, int(want.Weekday())) {
			want = want.Add(time.Minute)
		}
		if got := c.Next(after, loc); !got.Equal(want) {
			t.Fatalf("%s %s * * %s after %v: %v, want %v", minute, hour, weekday, after, got.In(loc), want)
		}
	})
}

// TestNamedHoursComeOnceADay: whatever the clocks do, a daily job has one time for every date.
func TestNamedHoursComeOnceADay(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/St_Johns", "America/Sao_Paulo", "Australia/Lord_Howe", "America/Havana", "Africa/Casablanca", "Antarctica/Troll"} {
		loc := location(t, zone)
		for _, text := range []string{"0 0 * * *", "1 0 * * *", "30 1 * * *", "30 2 * * *", "59 23 * * *"} {
			c, last := cron(t, text), time.Date(2017, 12, 31, 23, 59, 30, 0, loc)
			for day := time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2028; day = day.AddDate(0, 0, 1) {
				if last = c.Next(last, loc); last.In(loc).Format(time.DateOnly) != day.Format(time.DateOnly) {
					t.Fatalf("%s in %s: %v, want one on %s", text, zone, last.In(loc), day.Format(time.DateOnly))
				}
			}
		}
	}
}

func valid() heartbeat.Heartbeat {
	return heartbeat.Heartbeat{ID: "h1", Name: "Backup", Slug: "backup", RoutingKey: "db", Cron: "0 3 * * *", Zone: "Europe/Berlin", Grace: escalation.Duration(10 * time.Minute)}
}

func TestDue(t *testing.T) {
	every := valid()
	every.Cron, every.Zone, every.Every = "", "", escalation.Duration(5*time.Minute)
	ungraced, paused, broken := every, every, valid()
	ungraced.Grace, paused.Paused, broken.Cron = 0, true, "0 0 30 2 *"
	cases := map[string]struct {
		h               heartbeat.Heartbeat
		last, now, want string
	}{
		"interval":                    {every, "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-01T00:15:00Z"},
		"interval without grace":      {ungraced, "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z", "2026-01-01T00:06:00Z"},
		"cron":                        {valid(), "2026-01-01T03:05:00+01:00", "2026-01-01T12:00:00Z", "2026-01-02T03:10:00+01:00"},
		"a little early is in time":   {valid(), "2026-01-01T02:59:40+01:00", "2026-01-01T12:00:00Z", "2026-01-02T03:10:00+01:00"},
		"much too early is not":       {valid(), "2026-01-01T02:59:00+01:00", "2026-01-01T12:00:00Z", "2026-01-01T03:10:00+01:00"},
		"on the night without 2:30":   {valid(), "2026-03-28T03:00:00+01:00", "2026-03-28T12:00:00Z", "2026-03-29T03:10:00+02:00"},
		"a call from the future":      {every, "2030-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z"},
		"paused":                      {paused, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "0001-01-01T00:00:00Z"},
		"not valid":                   {broken, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "0001-01-01T00:00:00Z"},
		"nobody said when it started": {every, "0001-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "0001-01-01T00:00:00Z"},
	}
	for name, tc := range cases {
		last, now, want := at(t, tc.last), at(t, tc.now), at(t, tc.want)
		if got := tc.h.Due(last, now); !got.Equal(want) {
			t.Errorf("%s: Due = %v, want %v", name, got, want)
		}
		if want.IsZero() {
			if tc.h.Overdue(last, now) {
				t.Errorf("%s: overdue without being due", name)
			}
			continue
		}
		if !tc.h.Overdue(last, want) && !last.After(now) || tc.h.Overdue(last, want.Add(-time.Nanosecond)) && !last.After(now) {
			t.Errorf("%s: want overdue from %v on, not before", name, want)
		}
	}
}

func TestValidate(t *testing.T) {
	cases := map[string]struct {
		change func(*heartbeat.Heartbeat)
		want   string // "" for valid
	}{
		"cron":           {func(*heartbeat.Heartbeat) {}, ""},
		"cron in UTC":    {func(h *heartbeat.Heartbeat) { h.Zone = "" }, ""},
		"interval":       {func(h *heartbeat.Heartbeat) { h.Cron, h.Zone, h.Every = "", "", heartbeat.MinEvery }, ""},
		"slug":           {func(h *heartbeat.Heartbeat) { h.Slug = "Back up" }, "slug"},
		"name":           {func(h *heartbeat.Heartbeat) { h.Name = " " }, "name"},
		"routing key":    {func(h *heartbeat.Heartbeat) { h.RoutingKey = "" }, "routing key"},
		"both":           {func(h *heartbeat.Heartbeat) { h.Every = heartbeat.MinEvery }, "either"},
		"neither":        {func(h *heartbeat.Heartbeat) { h.Cron = "" }, "either"},
		"too often":      {func(h *heartbeat.Heartbeat) { h.Cron, h.Zone, h.Every = "", "", heartbeat.MinEvery-1 }, "30s"},
		"negative":       {func(h *heartbeat.Heartbeat) { h.Cron, h.Zone, h.Every = "", "", -heartbeat.MinEvery }, "30s"},
		"too rarely":     {func(h *heartbeat.Heartbeat) { h.Cron, h.Zone, h.Every = "", "", heartbeat.MaxEvery+1 }, "8784h"},
		"grace":          {func(h *heartbeat.Heartbeat) { h.Grace = -1 }, "grace"},
		"long grace":     {func(h *heartbeat.Heartbeat) { h.Grace = heartbeat.MaxGrace + 1 }, "grace"},
		"zone":           {func(h *heartbeat.Heartbeat) { h.Zone = "Middle/Earth" }, "IANA"},
		"machine's zone": {func(h *heartbeat.Heartbeat) { h.Zone = "Local" }, "IANA"},
		"idle zone":      {func(h *heartbeat.Heartbeat) { h.Cron, h.Every = "", heartbeat.MinEvery }, "only a cron"},
		"expression":     {func(h *heartbeat.Heartbeat) { h.Cron = "0 25 * * *" }, `hour "25"`},
		"never":          {func(h *heartbeat.Heartbeat) { h.Cron = "0 0 30 2 *" }, "no such date"},
	}
	for name, tc := range cases {
		h := valid()
		tc.change(&h)
		if err := h.Validate(); (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: Validate = %v, want %q", name, err, tc.want)
		}
	}
}

func TestJSON(t *testing.T) {
	text, err := json.Marshal(valid())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"h1","name":"Backup","slug":"backup","routing_key":"db","cron":"0 3 * * *","zone":"Europe/Berlin","grace":"10m"}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var back heartbeat.Heartbeat
	if err := json.Unmarshal(text, &back); err != nil || back != valid() {
		t.Errorf("came back as %+v, %v", back, err)
	}
}

func FuzzParseCron(f *testing.F) {
	for _, text := range []string{"*/15 * * * *", "0 9-17/4 1,15 jan-mar mon-fri", "@daily", "0 0 29 2 */7", "59 23 31 12 7", "1/7 * * * sun/2"} {
		f.Add(text, int64(1774746000))
	}
	loc := location(f, "America/St_Johns")
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		c, err := heartbeat.ParseCron(text)
		if err != nil {
			return
		}
		after := time.Unix(unix%4e9, 0)
		next := c.Next(after, loc)
		if !next.After(after) || next.After(after.AddDate(41, 0, 0)) || next.Second() != 0 && next.Year() > 1970 {
			t.Errorf("%q after %v comes at %v", text, after, next)
		}
	})
}
