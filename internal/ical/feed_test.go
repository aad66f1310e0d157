package ical_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/ical"
	"github.com/watchroom/watchroom/internal/id"
)

func TestFeed(t *testing.T) {
	f := ical.Feed{Name: "Kim; on call", Zone: location(t, "Europe/Berlin"), Refresh: time.Hour, Events: []ical.Event{
		{
			UID: "shift-1@watch.example.org", Summary: "Databases, primary", Description: "one\ntwo", URL: "https://watch.example.org/r/1",
			Start: at(t, "2026-03-28T09:00:00+01:00"), End: at(t, "2026-03-29T09:00:00+02:00"), Modified: at(t, "2026-01-01T00:00:00Z"),
		},
		{UID: "o-1@watch.example.org", Summary: "kim", Override: true, Start: at(t, "2026-04-01T00:00:00Z"), End: at(t, "2026-04-02T00:00:00Z")},
	}}
	out := string(f.Render())
	for _, want := range []string{
		"BEGIN:VCALENDAR\r\n", "VERSION:2.0\r\n", `X-WR-CALNAME:Kim\; on call` + "\r\n", "X-WR-TIMEZONE:Europe/Berlin\r\n", "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n",
		"UID:shift-1@watch.example.org\r\n", "DTSTART:20260328T080000Z\r\n", "DTEND:20260329T070000Z\r\n", "DTSTAMP:20260101T000000Z\r\n",
		`SUMMARY:Databases\, primary` + "\r\n", `DESCRIPTION:one\ntwo` + "\r\n", "URL:https://watch.example.org/r/1\r\n", "TRANSP:TRANSPARENT\r\n",
		"SUMMARY:OVERRIDE: kim\r\n", "DTSTAMP:20260401T000000Z\r\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the feed has no %q:\n%s", want, out)
		}
	}
	if !bytes.Equal(f.Render(), []byte(out)) {
		t.Error("the same feed differs from rendering to rendering: every fetch would look like a change")
	}
}

// TestFeedSurvives: whatever a name contains, lines are short, nobody can write
// properties of his own, and the shifts come out as they went in.
func TestFeedSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		title := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a:;,\\"\r\n ]{0,200}`), rapid.SampledFrom([]string{"x\r\nEND:VEVENT", strings.Repeat("🦊", 90)})).Draw(t, "title")
		start := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "start"), 0).UTC()
		end := start.Add(time.Duration(rapid.Int64Range(1, 1e6).Draw(t, "length")) * time.Second)
		f := ical.Feed{Name: title, Events: []ical.Event{{UID: "u-1", Summary: "a" + title + "z", Description: title, Start: start, End: end}}}
		out := f.Render()
		for l := range strings.SplitSeq(string(out), "\r\n") {
			if len(l) > 75 || !utf8.ValidString(l) || strings.ContainsAny(l, "\r\n") {
				t.Fatalf("line %q of %d bytes", l, len(l))
			}
		}
		got, err := ical.Parse(t.Context(), out, start, end, time.UTC)
		if err != nil || len(got) != 1 {
			t.Fatalf("Parse = %v, %v\n%s", got, err, out)
		}
		if !got[0].Start.Equal(start) || !got[0].End.Equal(end) || got[0].UID != "u-1" {
			t.Fatalf("came back as %+v", got[0])
		}
		if !strings.ContainsFunc(title, unicode.IsControl) && utf8.ValidString(title) && got[0].Summary != "a"+title+"z" {
			t.Fatalf("the summary %q came back as %q", "a"+title+"z", got[0].Summary)
		}
	})
}

func person(who id.User, name, email, username string) ical.Person {
	return ical.Person{ID: who, Name: name, Email: email, Username: username}
}

func TestMatch(t *testing.T) {
	people := []ical.Person{
		person("u1", "Kim", "kim@example.org", "kim"), person("u2", "Kim Lee", "kim.lee@example.org", "kim.lee"),
		person("u3", "Sam Lee", "sam@example.org", "on"), person("u4", "Zoë Ångström", "zoe@example.org", "zoe"),
		person("u5", "Alex Roe", "alex1@example.org", "alex"), person("u6", "Alex Roe", "alex2@example.org", "roe"),
	}
	cases := map[string]struct {
		o    ical.Occurrence
		want string // "" for nobody
	}{
		"attendee":                     {ical.Occurrence{Attendees: []string{"x@example.org", "sam@example.org"}, Summary: "Kim"}, "u3"},
		"organizer keeps the calendar": {ical.Occurrence{Organizer: "kim@example.org", Summary: "On call: Sam Lee"}, "u3"},
		"organizer alone":              {ical.Occurrence{Organizer: "KIM@example.org", Summary: "Duty"}, "u1"},
		"whole name":                   {ical.Occurrence{Summary: " kim "}, "u1"},
		"user name":                    {ical.Occurrence{Summary: "kim.lee"}, "u2"},
		"override":                     {ical.Occurrence{Summary: "OVERRIDE: zoe"}, "u4"},
		"longer name wins":             {ical.Occurrence{Summary: "On Call - Kim Lee - Primary"}, "u2"},
		"name before user name":        {ical.Occurrence{Summary: "on call: Kim."}, "u1"},
		"part of a word":               {ical.Occurrence{Summary: "Kimberley is away"}, ""},
		"part of an address":           {ical.Occurrence{Summary: "kim@elsewhere.example"}, ""},
		"letters beyond ASCII":         {ical.Occurrence{Summary: "ZOË ÅNGSTRÖM (backup)"}, "u4"},
		"address in the summary":       {ical.Occurrence{Summary: "primary: alex2@example.org"}, "u6"},
		"two of that name":             {ical.Occurrence{Summary: "Alex Roe"}, ""},
		"nobody":                       {ical.Occurrence{Summary: "Holiday"}, ""},
	}
	for name, tc := range cases {
		got, ok := ical.Match(tc.o, people)
		if diff := cmp.Diff(tc.want, string(got.ID)); ok != (tc.want != "") || ok && diff != "" {
			t.Errorf("%s: Match = %q, %v, want %q", name, got.ID, ok, tc.want)
		}
	}
	if _, ok := ical.Match(ical.Occurrence{}, []ical.Person{{ID: "u1"}}); ok {
		t.Error("a person without name and address matches a shift without summary")
	}
}
