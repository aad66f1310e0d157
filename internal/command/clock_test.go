package command

import (
	"strings"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	loc := berlin(t)
	at := func(s string) time.Time {
		t.Helper()
		v, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	wednesday := at("2026-11-25 14:00")
	tests := []struct {
		intent, text string
		now          time.Time
		want         string // RFC 3339 in UTC; "" is an error
	}{
		{"later today", "14:30", wednesday, "2026-11-25T13:30:00Z"},
		{"over for today", "9:00", wednesday, "2026-11-26T08:00:00Z"},
		{"this very minute is over", "14:00", wednesday, "2026-11-26T13:00:00Z"},
		{"seconds", "14:00:01", wednesday, "2026-11-25T13:00:01Z"},
		{"afternoon", "9pm", wednesday, "2026-11-25T20:00:00Z"},
		{"afternoon with minutes and a space", "9:30 PM", wednesday, "2026-11-25T20:30:00Z"},
		{"midnight", "12am", wednesday, "2026-11-25T23:00:00Z"},
		{"noon", "12pm", wednesday, "2026-11-26T11:00:00Z"},
		{"today, though it is over", "today 9:00", wednesday, "2026-11-25T08:00:00Z"},
		{"tomorrow", "tomorrow 9:00", wednesday, "2026-11-26T08:00:00Z"},
		{"tomorrow at", "Tomorrow  at 9:00 pm", wednesday, "2026-11-26T20:00:00Z"},
		{"a weekday ahead", "monday 9:00", wednesday, "2026-11-30T08:00:00Z"},
		{"a weekday, short", "Fri 9am", wednesday, "2026-11-27T08:00:00Z"},
		{"the same weekday, later", "wednesday 15:00", wednesday, "2026-11-25T14:00:00Z"},
		{"the same weekday, over", "wed 13:00", wednesday, "2026-12-02T12:00:00Z"},
		{"a date", "2026-12-24 18:00", wednesday, "2026-12-24T17:00:00Z"},
		{"a date with a T", "2026-12-24T18:00", wednesday, "2026-12-24T17:00:00Z"},
		{"a date of the past", "2026-01-02 03:04:05", wednesday, "2026-01-02T02:04:05Z"},
		{"another zone", "2026-12-24T18:00:00-05:00", wednesday, "2026-12-24T23:00:00Z"},
		{"UTC", "2026-12-24t18:00:00z", wednesday, "2026-12-24T18:00:00Z"},
		{"from now", "in 2h", wednesday, "2026-11-25T15:00:00Z"},
		{"from now in words", "in 90 minutes", wednesday, "2026-11-25T14:30:00Z"},
		{"now, without what no clock shows", "now", wednesday.Add(7 * time.Millisecond), "2026-11-25T13:00:00Z"},

		{"skipped: the instant of the jump", "tomorrow 2:30", at("2026-03-28 12:00"), "2026-03-29T01:00:00Z"},
		{"just before the jump", "tomorrow 1:59", at("2026-03-28 12:00"), "2026-03-29T00:59:00Z"},
		{"just after", "tomorrow 3:00", at("2026-03-28 12:00"), "2026-03-29T01:00:00Z"},
		{"twice: the first", "tomorrow 2:30", at("2026-10-24 12:00"), "2026-10-25T00:30:00Z"},
		{"after the hour that comes twice", "tomorrow 3:00", at("2026-10-24 12:00"), "2026-10-25T02:00:00Z"},
		{"a day has 24 hours, a tomorrow has not", "in 1d", at("2026-03-28 12:00"), "2026-03-29T11:00:00Z"},
		{"tomorrow at noon", "tomorrow 12:00", at("2026-03-28 12:00"), "2026-03-29T10:00:00Z"},
		{"over the year", "tomorrow 0:30", at("2026-12-31 12:00"), "2026-12-31T23:30:00Z"},
		{"the last day of a leap year", "tomorrow 12:00", at("2043-12-30 12:00"), "2043-12-31T11:00:00Z"},
		{"a leap year far away", "2096-12-31 23:30", wednesday, "2096-12-31T22:30:00Z"},

		{"a day alone", "tomorrow", wednesday, ""},
		{"an hour alone", "14", wednesday, ""},
		{"no such hour", "24:00", wednesday, ""},
		{"no such minute", "14:60", wednesday, ""},
		{"no such afternoon", "13pm", wednesday, ""},
		{"no such day", "2026-02-29 12:00", wednesday, ""},
		{"no such month", "2026-13-01 12:00", wednesday, ""},
		{"no such word", "someday 12:00", wednesday, ""},
		{"too much", "14:30 and then", wednesday, ""},
		{"words with a t in the wrong place", "tomorrow at noon", wednesday, ""},
		{"before zones", "1800-01-01 12:00", wednesday, ""},
		{"in nothing", "in a moment", wednesday, ""},
		{"nothing", "", wednesday, ""},
	}
	for _, tt := range tests {
		got, err := ParseTime(tt.text, tt.now, loc)
		if tt.want == "" {
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%s: ParseTime(%q) = %v, %v, want a sentence about it", tt.intent, tt.text, got, err)
			}
			continue
		}
		if err != nil || got.Format(time.RFC3339) != tt.want || got.Location() != time.UTC {
			t.Errorf("%s: ParseTime(%q) = %v, %v, want %s", tt.intent, tt.text, got, err, tt.want)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"14:30", "tomorrow at 9:00 pm", "monday 9:00", "2026-12-24T18:00:00-05:00", "in 2h", "2999-12-31 23:59", "now"} {
		f.Add(s, int64(1_700_000_000))
	}
	zones := []*time.Location{time.UTC, berlin(f), time.FixedZone("odd", 20_000)}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		now := time.Unix(unix%4e9, 0)
		for _, zone := range zones {
			at, err := ParseTime(text, now, zone)
			if err != nil {
				continue
			}
			if again, err := ParseTime(showTime(at, zone), now.Add(time.Hour), time.UTC); sensible(at.In(zone).Year()) && (err != nil || !again.Equal(at)) {
				t.Errorf("ParseTime(%q) = %v, shown as %q, which is %v, %v", text, at, showTime(at, zone), again, err)
			}
		}
	})
}

func TestParseDuration(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
		show string
	}{
		{"90s", 90 * time.Second, "1m30s"},
		{"5m", 5 * time.Minute, "5m"},
		{"1h30m", 90 * time.Minute, "1h30m"},
		{"2d", 48 * time.Hour, "2d"},
		{"1w", 7 * 24 * time.Hour, "1w"},
		{"1w2d3h4m5s6ms", 219*time.Hour + 4*time.Minute + 5*time.Second + 6*time.Millisecond, "1w2d3h4m5s6ms"},
		{"1.5h", 90 * time.Minute, "1h30m"},
		{"30min", 30 * time.Minute, "30m"},
		{"30 Minutes", 30 * time.Minute, "30m"},
		{"an hour", time.Hour, "1h"},
		{"0s", 0, "0s"},
	}
	for _, tt := range tests {
		got, err := ParseDuration(tt.text)
		if err != nil || got != tt.want || showDuration(got) != tt.show {
			t.Errorf("ParseDuration(%q) = %v (%s), %v, want %v (%s)", tt.text, got, showDuration(got), err, tt.want, tt.show)
		}
	}
	for _, text := range []string{"", "5", "m", "-5m", "5 m", "5x", "1h 30m", "99999999999999999999h", "1000000w", "1e3s", "5m!", "12:00"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", text, d)
		}
	}
}
