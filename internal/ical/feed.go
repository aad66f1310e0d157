// Package ical speaks iCalendar (RFC 5545): it renders shifts as a feed that
// calendar programs subscribe to, and reads calendars that others keep into
// shifts.
//
// A feed has instants in UTC only, so no reader can misjudge a zone. Imported
// events are computed on the clock of their own zone, which keeps a weekly shift
// at its local hour; see Parse for what is read and what is refused. Nothing
// is left out silently: what cannot be understood is an error with a sentence.
//
// Fetching, storing, and what an imported shift does to a rota are for others.
package ical

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	ics "github.com/arran4/golang-ical"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Feed is a calendar to subscribe to.
type Feed struct {
	Name    string         // what the calendar program calls it
	Zone    *time.Location // a hint in which zone to show it; nil for none
	Refresh time.Duration  // how often to fetch it; 0 for no advice
	Events  []Event
}

// Event is one shift.
type Event struct {
	UID         string // stable: the same shift has the same UID in every rendering
	Summary     string // for an override the person's name, before which "OVERRIDE: " is put
	Description string
	Location    string
	URL         string
	Start, End  time.Time
	Modified    time.Time // when it last changed; zero means Start
	Override    bool
}

// Render writes f as an iCalendar object. It depends on nothing but f, so an
// unchanged feed is byte for byte the same.
func (f Feed) Render() []byte {
	cal := ics.NewCalendarFor("Watchroom")
	cal.SetMethod(ics.MethodPublish)
	cal.SetCalscale("GREGORIAN")
	name := text(f.Name)
	cal.SetXWRCalName(name)
	cal.SetName(name)
	if f.Zone != nil {
		cal.SetXWRTimezone(f.Zone.String())
	}
	if f.Refresh > 0 {
		every := period(f.Refresh)
		cal.SetRefreshInterval(every)
		cal.SetXPublishedTTL(every)
	}
	for _, e := range f.Events {
		cal.AddVEvent(e.component())
	}
	return []byte(cal.Serialize(ics.WithNewLineWindows))
}

func (e Event) component() *ics.VEvent {
	out := ics.NewEvent(text(e.UID))
	modified := e.Modified
	if modified.IsZero() {
		modified = e.Start
	}
	summary := text(e.Summary)
	if e.Override {
		summary = phrase.T("ical.override", summary)
	}
	out.SetDtStampTime(modified)
	out.SetModifiedAt(modified)
	out.SetStartAt(e.Start)
	out.SetEndAt(e.End)
	out.SetSummary(summary)
	if s := text(e.Description); s != "" {
		out.SetDescription(s)
	}
	if s := text(e.Location); s != "" {
		out.SetLocation(s)
	}
	if s := strings.Join(strings.Fields(text(e.URL)), ""); s != "" {
		out.SetURL(s)
	}
	// Being on call does not make a person busy: meetings stay possible.
	out.SetTimeTransparency(ics.TransparencyTransparent)
	return out
}

// text drops what content lines may not have: controls but for the line end.
func text(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\r':
			return '\n'
		case r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
}

// period is d in whole minutes, at least one.
func period(d time.Duration) string {
	minutes := max(1, int64(d/time.Minute))
	if minutes%60 == 0 {
		return fmt.Sprintf("PT%dH", minutes/60)
	}
	return fmt.Sprintf("PT%dM", minutes)
}
