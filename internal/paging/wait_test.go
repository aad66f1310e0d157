package paging

import (
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

var working = []people.Day{"mon", "tue", "wed", "thu", "fri"}

// Times are those of the zone, with its offset.
func TestUntil(t *testing.T) {
	tests := []struct {
		intent, zone, from, at string
		days                   []people.Day
		want                   string
	}{
		{"the next morning", "Europe/Berlin", "2026-11-19T23:10:00+01:00", "08:00", nil, "2026-11-20T08:00:00+01:00"},
		{"the same morning", "Europe/Berlin", "2026-11-20T03:00:00+01:00", "08:00", nil, "2026-11-20T08:00:00+01:00"},
		{"at that very minute nothing is waited for", "Europe/Berlin", "2026-11-20T08:00:00+01:00", "08:00", nil, "2026-11-20T08:00:00+01:00"},
		{"a second later it is tomorrow's", "Europe/Berlin", "2026-11-20T08:00:01+01:00", "08:00", nil, "2026-11-21T08:00:00+01:00"},
		{"over the weekend", "Europe/Berlin", "2026-11-20T20:00:00+01:00", "08:00", working, "2026-11-23T08:00:00+01:00"},
		{"on one day of the week", "Europe/Berlin", "2026-11-20T08:00:01+01:00", "08:00", []people.Day{"fri"}, "2026-11-27T08:00:00+01:00"},
		{"midnight", "Europe/Berlin", "2026-11-20T20:00:00+01:00", "00:00", nil, "2026-11-21T00:00:00+01:00"},

		{"over the change in spring the hour on the wall counts", "Europe/Berlin", "2027-03-27T22:00:00+01:00", "08:00", nil, "2027-03-28T08:00:00+02:00"},
		{"a time that is skipped is when the clocks jump", "Europe/Berlin", "2027-03-27T22:00:00+01:00", "02:30", nil, "2027-03-28T03:00:00+02:00"},
		{"asked for right after the jump it is tomorrow's", "Europe/Berlin", "2027-03-28T03:00:01+02:00", "02:30", nil, "2027-03-29T02:30:00+02:00"},
		{"the Monday after the change", "Europe/Berlin", "2027-03-26T18:00:00+01:00", "08:00", working, "2027-03-29T08:00:00+02:00"},

		{"over the change in autumn the hour on the wall counts", "Europe/Berlin", "2026-10-24T22:00:00+02:00", "08:00", nil, "2026-10-25T08:00:00+01:00"},
		{"a time that is shown twice is the first one", "Europe/Berlin", "2026-10-24T22:00:00+02:00", "02:30", nil, "2026-10-25T02:30:00+02:00"},
		{"between the two it is tomorrow's", "Europe/Berlin", "2026-10-25T02:40:00+02:00", "02:30", nil, "2026-10-26T02:30:00+01:00"},
		{"in the second pass as well", "Europe/Berlin", "2026-10-25T02:10:00+01:00", "02:30", nil, "2026-10-26T02:30:00+01:00"},
		{"on Sundays only, a week later", "Europe/Berlin", "2026-10-25T02:10:00+01:00", "02:30", []people.Day{"sun"}, "2026-11-01T02:30:00+01:00"},

		{"half an hour is skipped in spring", "Australia/Lord_Howe", "2026-10-03T22:00:00+10:30", "02:15", nil, "2026-10-04T02:30:00+11:00"},
		{"and shown twice in autumn", "Australia/Lord_Howe", "2027-04-03T22:00:00+11:00", "01:45", nil, "2027-04-04T01:45:00+11:00"},
		{"a midnight that is skipped", "Africa/Cairo", "2026-04-23T20:00:00+02:00", "00:00", nil, "2026-04-24T01:00:00+03:00"},
		{"a day that a zone leaves out does not come", "Pacific/Apia", "2011-12-28T20:00:00-10:00", "08:00", []people.Day{"fri"}, "2012-01-06T08:00:00+14:00"},
		{"nothing to wait for", "Europe/Berlin", "2026-11-20T20:00:00+01:00", "", nil, "2026-11-20T20:00:00+01:00"},
	}
	for _, tt := range tests {
		loc, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		from, err := time.Parse(time.RFC3339, tt.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := Until(people.PagingWait{At: tt.at, Days: tt.days}, from, loc).In(loc).Format(time.RFC3339); got != tt.want {
			t.Errorf("%s: Until(%s from %s in %s) = %s, want %s", tt.intent, tt.at, tt.from, tt.zone, got, tt.want)
		}
	}
}

// Over two years of changes, from every quarter of an hour: it is not past, the
// clock shows the time (or has jumped over it), and no such time lies between.
func TestUntilAtEveryQuarter(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		w := people.PagingWait{At: "02:15", Days: []people.Day{"sat", "sun", "mon"}}
		for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2028; at = at.Add(15 * time.Minute) {
			until := Until(w, at, loc)
			local := until.In(loc)
			day := people.DayOf(local.Weekday())
			if until.Before(at) || until.Sub(at) > 6*24*time.Hour || day != "sat" && day != "sun" && day != "mon" {
				t.Fatalf("%s: Until from %s is %s", zone, at.In(loc), local)
			}
			if jump, _ := local.ZoneBounds(); local.Format("15:04") != "02:15" && !jump.Equal(until) {
				t.Fatalf("%s: at %s the clock neither shows 02:15 nor jumps", zone, local)
			}
			if earlier := Until(w, at.Add(-15*time.Minute), loc); !earlier.Before(at) && !earlier.Equal(until) {
				t.Fatalf("%s: from %s on it is %s, a moment before it was %s", zone, at, until, earlier)
			}
		}
	}
}

func TestARuleThatWaits(t *testing.T) {
	calm := people.PagingRule{
		Name: "Calm", Urgency: people.Low, Wait: people.PagingWait{At: "08:00", Days: working}, Again: 30 * minute,
		Steps: []people.PagingStep{{Contacts: []id.Contact{"mail"}}, {After: 10 * minute, Contacts: []id.Contact{"sms"}}},
	}
	friday := time.Date(2026, 11, 20, 20, 0, 0, 0, time.UTC) // 21:00 in Berlin
	u := kim(calm)
	c := Plan(u, people.Low, friday, false)
	if got, want := told(c.Attempts), "mail@59h0m0s sms@59h10m0s"; got != want || !strings.Contains(c.Reason, "It waits until Mon 23 Nov 08:00.") {
		t.Errorf("a warning on Friday night: %s, %q, want %s", got, c.Reason, want)
	}
	if again, ok := c.Attempt(len(c.Attempts) + len(c.Reserve) + 1); !ok || again.After != 59*time.Hour+40*time.Minute {
		t.Errorf("the repetition is %+v, %t", again, ok)
	}
	for what, c := range map[string]Chain{
		"what is urgent":               Plan(u, people.High, friday, false),
		"a policy that ignores it":     Plan(u, people.Low, friday, true),
		"a rule whose methods are off": Plan(withoutMailAndSMS(u), people.Low, friday, false),
	} {
		if c.Empty() || c.Attempts[0].After != 0 || strings.Contains(c.Reason, "waits") {
			t.Errorf("%s: %s, %q, want it at once", what, told(c.Attempts), c.Reason)
		}
	}
	calm.Steps[0].Contacts = []id.Contact{"gone"} // the wait is the rule's, not the step's
	if got, want := told(Plan(kim(calm), people.Low, friday, false).Attempts), "sms@59h0m0s"; got != want {
		t.Errorf("with the first method gone: %s, want %s", got, want)
	}
}

func withoutMailAndSMS(u people.User) people.User {
	var left []people.Contact
	for _, c := range u.Contacts {
		if c.ID != "mail" && c.ID != "sms" {
			left = append(left, c)
		}
	}
	u.Contacts = left
	return u
}
