package ical_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/ical"
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

// shifts are occurrences in a line each: start, end, summary, attendees.
func shifts(all []ical.Occurrence, loc *time.Location) []string {
	var lines []string
	for _, o := range all {
		line := o.Start.In(loc).Format("01-02 15:04 -07") + " … " + o.End.In(loc).Format("01-02 15:04 -07") + " " + o.Summary
		lines = append(lines, strings.TrimSpace(line+" "+strings.Join(o.Attendees, ",")))
	}
	return lines
}

func parse(t testing.TB, data, zone string) ([]ical.Occurrence, error) {
	t.Helper()
	return ical.Parse(t.Context(), []byte(data), at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z"), location(t, zone))
}

// vevent is a calendar with one event.
func vevent(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:x\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
}

func TestRealCalendars(t *testing.T) {
	cases := map[string]struct {
		zone string
		want []string
	}{
		"google": {"Europe/Berlin", []string{
			"03-02 09:00 +01 … 03-09 09:00 +01 On call, primary kim@example.org",
			"03-16 09:00 +01 … 03-23 09:00 +01 On call, primary kim@example.org",
			"03-31 12:00 +02 … 04-06 09:00 +02 On call, primary (moved) noor@example.org",
			"04-27 09:00 +02 … 05-04 09:00 +02 On call, primary kim@example.org",
			"05-01 00:00 +02 … 05-02 00:00 +02 Labour Day: Noor",
		}},
		"pagerduty": {"UTC", []string{
			"03-02 08:00 +00 … 03-03 08:00 +00 On Call - Kim Lee - Primary",
			"03-03 08:00 +00 … 03-04 08:00 +00 On Call - Sam Lee - Primary",
		}},
		"opsgenie": {"UTC", []string{"03-01 23:00 +00 … 03-08 23:00 +00 kim@example.org kim@example.org"}},
		"outlook": {"America/New_York", []string{
			// 12 hours stay 12 hours in the night the clocks change; DTEND stays on the clock.
			"03-07 20:00 -05 … 03-08 09:00 -04 Night",
			"03-08 20:00 -04 … 03-09 08:00 -04 Night",
			"03-27 13:00 -04 … 03-30 02:00 -04 Bereitschaft: Sam Lee",
		}},
	}
	for name, tc := range cases {
		data, err := os.ReadFile(filepath.Join("testdata", name+".ics"))
		if err != nil {
			t.Fatal(err)
		}
		for ends, data := range map[string]string{"CRLF": string(data), "LF": strings.ReplaceAll(string(data), "\r\n", "\n")} {
			got, err := parse(t, data, "Pacific/Auckland")
			if err != nil {
				t.Errorf("%s %s: %v", name, ends, err)
			}
			if diff := cmp.Diff(tc.want, shifts(got, location(t, tc.zone))); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", name, ends, diff)
			}
		}
	}
}

func TestRecurrence(t *testing.T) {
	const berlin = ";TZID=Europe/Berlin:"
	cases := map[string]struct {
		event []string
		want  []string // in Berlin, without the summary
	}{
		"weekly shift keeps its hour, and its neighbours": {
			[]string{"DTSTART" + berlin + "20260323T090000", "DTEND" + berlin + "20260330T090000", "RRULE:FREQ=WEEKLY;COUNT=2"},
			[]string{"03-23 09:00 +01 … 03-30 09:00 +02", "03-30 09:00 +02 … 04-06 09:00 +02"},
		},
		"DURATION of days is days on the clock": {
			[]string{"DTSTART" + berlin + "20260323T090000", "DURATION:P1W", "RRULE:FREQ=WEEKLY;COUNT=1"},
			[]string{"03-23 09:00 +01 … 03-30 09:00 +02"},
		},
		"skipped start": {
			[]string{"DTSTART" + berlin + "20260328T023000", "DTEND" + berlin + "20260328T120000", "RRULE:FREQ=DAILY;COUNT=3"},
			[]string{"03-28 02:30 +01 … 03-28 12:00 +01", "03-29 03:30 +02 … 03-29 12:00 +02", "03-30 02:30 +02 … 03-30 12:00 +02"},
		},
		"doubled start is the first": {
			[]string{"DTSTART" + berlin + "20261024T023000", "DTEND" + berlin + "20261024T120000", "RRULE:FREQ=DAILY;COUNT=2"},
			[]string{"10-24 02:30 +02 … 10-24 12:00 +02", "10-25 02:30 +02 … 10-25 12:00 +01"},
		},
		"swallowed by the jump": {
			[]string{"DTSTART" + berlin + "20260328T020000", "DTEND" + berlin + "20260328T030000", "RRULE:FREQ=DAILY;COUNT=3"},
			[]string{"03-28 02:00 +01 … 03-28 03:00 +01", "03-30 02:00 +02 … 03-30 03:00 +02"},
		},
		"every second Tuesday and the last weekday": {
			[]string{"DTSTART" + berlin + "20260113T080000", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;BYDAY=2TU,-1FR;UNTIL=20260228"},
			[]string{"01-13 08:00 +01 … 01-13 09:00 +01", "01-30 08:00 +01 … 01-30 09:00 +01", "02-10 08:00 +01 … 02-10 09:00 +01", "02-27 08:00 +01 … 02-27 09:00 +01"},
		},
		"UNTIL in UTC is read on the event's clock": {
			[]string{"DTSTART" + berlin + "20260701T003000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20260701T223000Z"},
			[]string{"07-01 00:30 +02 … 07-01 01:30 +02", "07-02 00:30 +02 … 07-02 01:30 +02"},
		},
		"UNTIL a date includes it": {
			[]string{"DTSTART" + berlin + "20260701T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20260702;"},
			[]string{"07-01 09:00 +02 … 07-01 10:00 +02", "07-02 09:00 +02 … 07-02 10:00 +02"},
		},
		"RDATE, also as a period, and EXDATE of a day": {
			[]string{
				"DTSTART" + berlin + "20260701T090000", "DTEND" + berlin + "20260701T100000", "RRULE:FREQ=DAILY;COUNT=2",
				"RDATE" + berlin + "20260710T090000,20260711T090000", "RDATE;VALUE=PERIOD:20260712T070000Z/PT2H", "EXDATE;VALUE=DATE:20260702,20260711",
			},
			[]string{"07-01 09:00 +02 … 07-01 10:00 +02", "07-10 09:00 +02 … 07-10 10:00 +02", "07-12 09:00 +02 … 07-12 11:00 +02"},
		},
		"leap day": {
			[]string{"DTSTART;VALUE=DATE:20240229", "RRULE:FREQ=YEARLY"},
			nil,
		},
		"old series": {
			[]string{"DTSTART" + berlin + "19990104T090000", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=1MO"},
			[]string{"01-05 09:00 +01 … 01-05 10:00 +01"},
		},
		"floating time is the rotation's": {
			[]string{"DTSTART:20260701T090000", "DURATION:PT1H"},
			[]string{"07-01 09:00 +02 … 07-01 10:00 +02"},
		},
		"overlaps the beginning of the window": {
			[]string{"DTSTART:20251229T090000Z", "DURATION:P1W", "RRULE:FREQ=WEEKLY;COUNT=1"},
			[]string{"12-29 10:00 +01 … 01-05 10:00 +01"},
		},
		"end in another zone": {
			[]string{"DTSTART" + berlin + "20260327T090000", "DTEND;TZID=America/New_York:20260327T090000", "RRULE:FREQ=WEEKLY;COUNT=2"},
			[]string{"03-27 09:00 +01 … 03-27 14:00 +01", "04-03 09:00 +02 … 04-03 14:00 +02"},
		},
		"cancelled":      {[]string{"DTSTART:20260701T090000Z", "DURATION:PT1H", "STATUS:CANCELLED"}, nil},
		"without length": {[]string{"DTSTART:20260701T090000Z"}, nil},
		"libical's zone": {
			[]string{"DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260701T090000", "DURATION:PT1H"},
			[]string{"07-01 09:00 +02 … 07-01 10:00 +02"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parse(t, vevent(tc.event...), "Europe/Berlin")
			if err != nil {
				t.Fatalf("Parse: %v", err)
			}
			var lines []string
			for _, s := range shifts(got, location(t, "Europe/Berlin")) {
				lines = append(lines, strings.TrimSuffix(s, " x"))
			}
			if diff := cmp.Diff(tc.want, lines); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	start := "DTSTART:20260701T090000Z"
	rule := func(r string) string { return vevent(start, "DURATION:PT1H", "RRULE:"+r) }
	cases := map[string]struct{ data, want string }{
		"empty":               {"", "BEGIN:VCALENDAR"},
		"a web page":          {"<html>sign in</html>", "line 1"},
		"another object":      {"BEGIN:VCARD\nFN:Kim\nEND:VCARD\n", "BEGIN:VCALENDAR"},
		"half a download":     {strings.TrimSuffix(vevent(start), "END:VCALENDAR\r\n"), "cut off"},
		"crossed ends":        {"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VEVENT\n", "line 3"},
		"no colon":            {vevent(start, "RRULE"), "line 7"},
		"too large":           {strings.Repeat(" ", ical.MaxSize+1), "1 MiB"},
		"no start":            {vevent("DURATION:PT1H"), "DTSTART"},
		"bad time":            {vevent("DTSTART:20260732T090000Z"), "20260732T090000"},
		"year 9000":           {vevent("DTSTART:90000101T090000Z"), "90000101"},
		"unknown zone":        {vevent("DTSTART;TZID=Middle Earth Time:20260701T090000"), `"Middle Earth Time"`},
		"this machine's zone": {vevent("DTSTART;TZID=Local:20260701T090000"), `"Local"`},
		"a path as a zone":    {vevent("DTSTART;TZID=../../etc/passwd:20260701T090000"), "passwd"},
		"ends before":         {vevent(start, "DTEND:20260701T080000Z"), "ends before"},
		"bad duration":        {vevent(start, "DURATION:12 hours"), "12 hours"},
		"negative duration":   {vevent(start, "DURATION:-PT1H"), "-PT1H"},
		"no frequency":        {rule("COUNT=2"), "COUNT=2"},
		"every second":        {rule("FREQ=SECONDLY"), "too often"},
		"many times a day":    {rule("FREQ=DAILY;BYHOUR=" + strings.Repeat("1,", 60) + "1"), "too often"},
		"hourly, never":       {rule("FREQ=HOURLY;INTERVAL=24;BYHOUR=5"), "cannot be understood"},
		"interval 0":          {rule("FREQ=DAILY;INTERVAL=0"), "cannot be understood"},
		"huge interval":       {rule("FREQ=YEARLY;INTERVAL=9223372036854775807"), "cannot be understood"},
		"negative count":      {rule("FREQ=DAILY;COUNT=-1"), "cannot be understood"},
		"unknown part":        {rule("FREQ=DAILY;RSCALE=HEBREW"), "RSCALE"},
		"a day that is none":  {rule("FREQ=DAILY;BYDAY=XX"), "cannot be understood"},
		"too many instances":  {vevent("DTSTART:19700101T090000Z", "DURATION:PT1H", "RRULE:FREQ=HOURLY"), "too long ago"},
		"two rules":           {vevent(start, "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"), "two recurrence rules"},
		"all later ones":      {vevent(start, "RECURRENCE-ID;RANGE=THISANDFUTURE:20260701T090000Z"), "THISANDFUTURE"},
		"EXRULE":              {vevent(start, "EXRULE:FREQ=DAILY"), "EXRULE"},
	}
	for name, tc := range cases {
		got, err := parse(t, tc.data, "UTC")
		if _, ok := errors.AsType[*ical.Error](err); !ok || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: Parse = %v, %v, want an error with %q", name, got, err, tc.want)
		}
	}
}

// TestRuleWithoutDates: a rule that never comes true ends the search, and the caller's time bounds many of them.
func TestRuleWithoutDates(t *testing.T) {
	never := []string{"DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}
	got, err := parse(t, vevent(never...), "UTC")
	if err != nil || len(got) != 1 {
		t.Errorf("Parse = %v, %v, want the start alone", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ical.Parse(ctx, []byte(vevent(never...)), time.Time{}, time.Now(), time.UTC); !errors.Is(err, context.Canceled) {
		t.Errorf("Parse after its time: %v", err)
	}
}

// TestHostileCalendars stay within a second or two at the size limit.
func TestHostileCalendars(t *testing.T) {
	fill := func(s string) string { return strings.Repeat(s, (ical.MaxSize-300)/len(s)) }
	for name, data := range map[string]string{
		"parameters":  vevent("DTSTART" + fill(";A=b") + ":20260701T090000Z"),
		"nesting":     "BEGIN:VCALENDAR\n" + fill("BEGIN:VEVENT\n"),
		"folds":       vevent("DESCRIPTION:" + fill("\r\n a")),
		"exceptions":  vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", "EXDATE:20260702T090000Z"+fill(",20260702T090000Z")),
		"same events": "BEGIN:VCALENDAR\n" + fill("BEGIN:VEVENT\nUID:1\nDTSTART:20260701\nRECURRENCE-ID:20260701\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\nDTSTART:20260701\nEND:VEVENT\n") + "END:VCALENDAR\n",
		"all days":    vevent("DTSTART:19260101T000000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12"),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		began := time.Now()
		_, err := ical.Parse(ctx, []byte(data), at(t, "2026-01-01T00:00:00Z"), at(t, "2027-01-01T00:00:00Z"), time.UTC)
		if errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
			t.Errorf("%s: took %v (%v)", name, time.Since(began), err)
		}
		t.Logf("%s: %v, %v", name, time.Since(began), err)
		cancel()
	}
}

func FuzzParse(f *testing.F) {
	names, err := filepath.Glob("testdata/*.ics")
	if err != nil || len(names) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(vevent("DTSTART:20260701T090000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;BYSETPOS=-1;WKST=SU")))
	f.Add([]byte(vevent("DTSTART;VALUE=DATE:20260701", "RRULE:FREQ=HOURLY;INTERVAL=12;COUNT=4", "RDATE;VALUE=PERIOD:20260712T070000Z/20260713T070000Z")))
	from, to := at(f, "2026-01-01T00:00:00Z"), at(f, "2027-01-01T00:00:00Z")
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ical.Parse(t.Context(), data, from, to, time.UTC)
		if _, ok := errors.AsType[*ical.Error](err); err != nil && !ok {
			t.Errorf("Parse: %v, want a sentence", err)
		}
		for _, o := range got {
			if !o.End.After(o.Start) || !o.End.After(from) || !o.Start.Before(to) {
				t.Errorf("occurrence outside of the window: %s", fmt.Sprint(o))
			}
		}
	})
}

// FuzzRule: any rule ends, and its instances are in order and of the right length.
func FuzzRule(f *testing.F) {
	for _, rule := range []string{
		"FREQ=WEEKLY;BYDAY=MO,-1FR", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU;WKST=SU", "FREQ=MONTHLY;BYMONTHDAY=-1,31;BYSETPOS=2",
		"FREQ=YEARLY;BYYEARDAY=-366,1;BYHOUR=1,2;BYMINUTE=0,30;BYSETPOS=-1", "FREQ=HOURLY;INTERVAL=7;COUNT=9", "FREQ=DAILY;UNTIL=99991231T235959Z",
		"FREQ=YEARLY;INTERVAL=1000;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;INTERVAL=999;BYMONTH=7;BYWEEKNO=1",
	} {
		f.Add(rule)
	}
	from, to := at(f, "2026-01-01T00:00:00Z"), at(f, "2027-01-01T00:00:00Z")
	f.Fuzz(func(t *testing.T, rule string) {
		began := time.Now()
		data := vevent("DTSTART;TZID=America/Sao_Paulo:20160229T003000", "DURATION:PT1H", "RRULE:"+strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return -1
			}
			return r
		}, rule))
		got, err := ical.Parse(t.Context(), []byte(data), from, to, time.UTC)
		if _, ok := errors.AsType[*ical.Error](err); err != nil && !ok {
			t.Errorf("Parse: %v, want a sentence", err)
		}
		for i, o := range got {
			if o.End.Sub(o.Start) != time.Hour || i > 0 && !got[i-1].Start.Before(o.Start) {
				t.Errorf("instance %d: %+v", i, o)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%q took %v", rule, took)
		}
	})
}
