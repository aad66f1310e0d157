package ical

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of an imported calendar.
const (
	MaxSize        = 1 << 20 // bytes
	MaxOccurrences = 10_000  // that Parse returns
	maxRepeats     = 200_000 // instances that are computed, wanted or not
)

// Occurrence is one shift: a single event, or one instance of a recurring one.
type Occurrence struct {
	UID        string // of the event; the instances of a recurring one share it
	Summary    string
	Start, End time.Time // UTC; End is after Start
	Attendees  []string  // e-mail addresses in lower case, without those who declined, rooms and observers
	Organizer  string    // e-mail address in lower case; ""
}

// Parse returns the shifts in data, an iCalendar object of at most MaxSize bytes,
// that overlap [from, to), in order of their start. zone is for times that name
// none and for whole days, unless the calendar has an X-WR-TIMEZONE.
//
// Recurring events are computed on the clock of the zone of their start. The end
// of an instance keeps its local time when the event has a DTEND, as calendar
// programs show it, and its length when it has a DURATION. EXDATE, RDATE and
// RECURRENCE-ID are obeyed; cancelled events and those without length are no
// shifts. The error is an *Error when the calendar is to blame, and ctx's when
// its time is up: rules can be made that take long to find no date.
func Parse(ctx context.Context, data []byte, from, to time.Time, zone *time.Location) ([]Occurrence, error) {
	x, err := expand(ctx, data, from, to, zone)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(x.found, func(a, b Occurrence) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End), cmp.Compare(a.UID, b.UID), cmp.Compare(a.Summary, b.Summary))
	})
	return x.found, nil
}

func expand(ctx context.Context, data []byte, from, to time.Time, zone *time.Location) (*expansion, error) {
	if len(data) > MaxSize {
		return nil, refuse("ical.too_large", MaxSize>>20)
	}
	lines, err := readLines(strings.ToValidUTF8(string(data), "\ufffd"))
	if err != nil {
		return nil, err
	}
	c := &calendar{zones: map[string]*time.Location{}, aliases: map[string]string{}, floating: zone}
	events, err := c.events(lines)
	if err != nil {
		return nil, err
	}
	x := &expansion{from: from, to: to, left: maxRepeats, seen: map[string]bool{}}
	x.replaced(events)
	for _, e := range events {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("expand calendar: %w", err)
		}
		if err := x.add(e); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// calendar is what events need to know of the object around them.
type calendar struct {
	zones    map[string]*time.Location // by TZID; nil for one that is not known
	aliases  map[string]string         // TZID of a VTIMEZONE: the IANA name it claims
	floating *time.Location
}

// block is a component with the lines that are directly in it.
type block struct {
	name  string
	lines []line
}

// events finds the VEVENTs, after everything that may stand behind them and
// still matters to them: time zones.
func (c *calendar) events(lines []line) ([]event, error) {
	blocks, err := c.blocks(lines)
	if err != nil {
		return nil, err
	}
	var events []event
	for _, b := range blocks {
		if b.name != "VEVENT" {
			continue
		}
		e, err := c.event(b)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// blocks takes the components apart and learns the zones. What is nested in an
// event (alarms) says nothing about shifts.
func (c *calendar) blocks(lines []line) ([]block, error) {
	var open []block
	var done []block
	calendars := 0
	for _, l := range lines {
		switch l.name {
		case "BEGIN":
			open = append(open, block{name: strings.ToUpper(strings.TrimSpace(l.value))})
			if open[0].name != "VCALENDAR" {
				return nil, refuse("ical.no_calendar")
			}
			if len(open) > 10 {
				return nil, refuse("ical.line", l.number)
			}
		case "END":
			if len(open) == 0 || open[len(open)-1].name != strings.ToUpper(strings.TrimSpace(l.value)) {
				return nil, refuse("ical.line", l.number)
			}
			b := open[len(open)-1]
			open = open[:len(open)-1]
			switch len(open) {
			case 0:
				calendars++
				c.learnFloating(b)
			case 1:
				c.learnZone(b)
				done = append(done, b)
			}
		default:
			if len(open) == 0 {
				return nil, refuse("ical.no_calendar")
			}
			top := &open[len(open)-1]
			top.lines = append(top.lines, l)
		}
	}
	if len(open) > 0 { // half a download: the missing half has shifts, too
		return nil, refuse("ical.cut_off")
	}
	if calendars == 0 {
		return nil, refuse("ical.no_calendar")
	}
	return done, nil
}

func (c *calendar) learnFloating(b block) {
	for _, l := range b.lines {
		if l.name == "X-WR-TIMEZONE" {
			if loc, ok := findZone(unescape(l.value)); ok {
				c.floating = loc
			}
		}
	}
}

func (c *calendar) learnZone(b block) {
	if b.name != "VTIMEZONE" {
		return
	}
	var tzid, iana string
	for _, l := range b.lines {
		switch l.name {
		case "TZID":
			tzid = strings.TrimSpace(l.value)
		case "X-LIC-LOCATION":
			iana = strings.TrimSpace(l.value)
		}
	}
	c.aliases[tzid] = iana
}
