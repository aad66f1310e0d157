package ical

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDays(t *testing.T) {
	const event = "BEGIN:VEVENT\r\nUID:%\r\n$END:VEVENT\r\n"
	from, to := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		intent, head, lines string
		want                []Day
	}{
		{"one day, by its date alone", "", "SUMMARY:Christmas\r\nDTSTART;VALUE=DATE:20261225\r\n", []Day{{"2026-12-25", "Christmas"}}},
		{"with an end", "", "SUMMARY:Christmas\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\n", []Day{{"2026-12-25", "Christmas"}, {"2026-12-26", "Christmas"}}},
		{"with a duration", "", "SUMMARY:Feast\r\nDTSTART;VALUE=DATE:20261225\r\nDURATION:P2D\r\n", []Day{{"2026-12-25", "Feast"}, {"2026-12-26", "Feast"}}},
		{"every year, also in a zone far ahead", "X-WR-TIMEZONE:Pacific/Auckland\r\n", "SUMMARY:New\\, Year\r\nDTSTART;VALUE=DATE:20200101\r\nRRULE:FREQ=YEARLY\r\n", []Day{{"2027-01-01", "New, Year"}}},
		{"and far behind", "X-WR-TIMEZONE:America/Los_Angeles\r\n", "SUMMARY:First\r\nDTSTART;VALUE=DATE:20261101\r\n", []Day{{"2026-11-01", "First"}}},
		{"what has a time is no day", "", "SUMMARY:Party\r\nDTSTART:20261218T000000Z\r\nDTEND:20261219T000000Z\r\n", nil},
		{"nor what has no name", "", "DTSTART;VALUE=DATE:20261225\r\n", nil},
		{"nor what is cancelled", "", "SUMMARY:x\r\nSTATUS:CANCELLED\r\nDTSTART;VALUE=DATE:20261225\r\n", nil},
		{"what is over is left out", "", "SUMMARY:x\r\nDTSTART;VALUE=DATE:20261031\r\nDTEND;VALUE=DATE:20261102\r\n", []Day{{"2026-11-01", "x"}}},
	} {
		text := "BEGIN:VCALENDAR\r\n" + tt.head + strings.NewReplacer("%", "1", "$", tt.lines).Replace(event) + "END:VCALENDAR\r\n"
		got, err := Days(t.Context(), []byte(text), from, to)
		if err != nil {
			t.Errorf("%s: %v", tt.intent, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.intent, diff)
		}
	}
}
