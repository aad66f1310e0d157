package ical

import (
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// expansion collects the occurrences that overlap [from, to).
type expansion struct {
	from, to time.Time
	left     int // instances that may still be computed
	found    []Occurrence
	whole    []whole         // those of found that are whole days, in no order
	seen     map[string]bool // occurrences that are in found, for calendars that repeat themselves
	instead  map[string]gone // by UID
}

// whole is an occurrence of whole days, by their dates.
type whole struct {
	first, behind wall // midnights
	summary       string
}

// replaced notes which instances have an event of their own (RECURRENCE-ID).
func (x *expansion) replaced(events []event) {
	x.instead = map[string]gone{}
	for _, e := range events {
		if e.replaces == nil {
			continue
		}
		if _, ok := x.instead[e.UID]; !ok {
			x.instead[e.UID] = newGone(nil)
		}
		x.instead[e.UID].add(*e.replaces)
	}
}

// add finds the occurrences of e.
func (x *expansion) add(e event) error {
	if e.cancelled {
		return nil
	}
	if e.replaces != nil { // an instance with times of its own
		return x.keep(&e, e.start, e.end, e.length)
	}
	elsewhere, except := x.instead[e.UID], newGone(e.except)
	one := func(start moment, end *moment, l *length) error {
		if x.left--; x.left < 0 {
			return refuse("ical.too_many_repeats", e.label())
		}
		if elsewhere.has(start) || except.has(start) {
			return nil
		}
		return x.keep(&e, start, end, l)
	}
	if err := one(e.start, e.end, e.length); err != nil {
		return err
	}
	for _, r := range e.extra {
		end, l := r.end, r.length
		if end == nil && l == nil {
			end, l = e.endFrom(r.start), e.length
		}
		if err := one(r.start, end, l); err != nil {
			return err
		}
	}
	if e.rule == "" {
		return nil
	}
	return e.repeat(x.to, func(start moment) error {
		return one(start, e.endFrom(start), e.length)
	})
}

// endFrom moves DTEND along with an instance: by the same reading of the clock.
func (e *event) endFrom(start moment) *moment {
	if e.end == nil {
		return nil
	}
	end := moment{wall: start.wall + e.end.wall - e.start.wall, zone: start.zone, date: e.end.date}
	if e.end.zone != e.start.zone { // clocks that cannot be compared: the same length
		end = moment{wall: wallOf(start.instant().Add(e.end.instant().Sub(e.start.instant()))), zone: time.UTC}
	}
	return &end
}

// keep adds one occurrence if it is in the window and new.
func (x *expansion) keep(e *event, start moment, end *moment, l *length) error {
	// Far from the window the exact instant does not matter, and costs time.
	if start.wall > wall(x.to.Unix())+2*daySeconds {
		return nil
	}
	begin := start.instant()
	var finish time.Time
	switch {
	case end != nil:
		finish = end.instant()
	case l != nil:
		finish = (start.wall + wall(l.days*daySeconds)).in(start.zone).Add(time.Duration(l.seconds) * time.Second)
	case start.date:
		finish = (start.wall + daySeconds).in(start.zone)
	default:
		return nil // a reminder, not a shift
	}
	if !finish.After(begin) || !finish.After(x.from) || !begin.Before(x.to) {
		return nil
	}
	o := e.Occurrence
	o.Start, o.End = begin, finish
	key := strings.Join([]string{o.UID, o.Summary, begin.String(), finish.String(), strings.Join(o.Attendees, " ")}, "\x00")
	if x.seen[key] {
		return nil
	}
	if len(x.found) == MaxOccurrences {
		return refuse("ical.too_many", MaxOccurrences)
	}
	x.seen[key] = true
	x.found = append(x.found, o)
	if start.date {
		behind := start.wall + daySeconds
		switch {
		case end != nil:
			behind = end.wall
		case l != nil:
			behind = start.wall + wall(l.days*daySeconds)
		}
		x.whole = append(x.whole, whole{start.wall, behind, o.Summary})
	}
	return nil
}

// gone are the instances of an event that do not take place.
type gone struct {
	instants map[int64]bool
	days     map[wall]bool // EXDATE;VALUE=DATE: whatever starts on that day
}

func newGone(all []moment) gone {
	g := gone{map[int64]bool{}, map[wall]bool{}}
	for _, m := range all {
		g.add(m)
	}
	return g
}

func (g gone) add(m moment) {
	if m.date {
		g.days[m.wall] = true
	} else {
		g.instants[m.instant().Unix()] = true
	}
}

func (g gone) has(start moment) bool {
	if g.days[start.wall.day()] {
		return true
	}
	return len(g.instants) > 0 && g.instants[start.instant().Unix()]
}

// Rules with more than this are made to hurt.
const (
	maxRule     = 500 // characters
	maxInterval = 1000
	maxPerDay   = 48 // BYHOUR × BYMINUTE
)

// repeat calls each for every instance of the rule up to until, in order.
//
// rrule-go gets readings of the local clock dressed as UTC, for it counts in
// time.Date, which does not promise what a skipped or doubled hour becomes. And
// it gets them hundreds of years later, where the calendar is the same (it
// repeats every 400 years): it looks for a next date up to the year 9999, and
// a rule that has none should not cost eight thousand years.
func (e *event) repeat(until time.Time, each func(moment) error) error {
	opt, err := e.options()
	if err != nil {
		return err
	}
	shift := (9999 - until.Year()) / 400 * 400
	late := func(t time.Time) time.Time { return t.AddDate(shift, 0, 0) }
	opt.Dtstart = late(e.start.wall.clock())
	if !opt.Until.IsZero() {
		opt.Until = late(opt.Until)
	}
	rule, err := rrule.NewRRule(*opt)
	if err != nil {
		return refuse("ical.rule", e.label(), e.rule)
	}
	last := late(wallOf(until.UTC()).clock().AddDate(0, 0, 2)) // any zone's reading of until, and more
	next := rule.Iterator()
	for {
		t, ok := next()
		if !ok || t.After(last) {
			return nil
		}
		start := moment{wall: wall(t.AddDate(-shift, 0, 0).Unix()), zone: e.start.zone, date: e.start.date}
		if err := each(start); err != nil {
			return err
		}
	}
}

// options reads the rule and refuses what cannot be a shift.
func (e *event) options() (*rrule.ROption, error) {
	bad := refuse("ical.rule", e.label(), e.rule)
	if len(e.rule) > maxRule {
		return nil, refuse("ical.rule_long", e.label())
	}
	var parts []string
	var until string
	for part := range strings.SplitSeq(e.rule, ";") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "": // a semicolon at the end
			if part != "" {
				return nil, bad
			}
		case "UNTIL":
			until = value
		case "FREQ":
			if value == "SECONDLY" || value == "MINUTELY" {
				return nil, refuse("ical.too_often", e.label())
			}
			parts = append(parts, part)
		case "DTSTART", "BYEASTER": // rrule-go's own
			return nil, bad
		default:
			parts = append(parts, part)
		}
	}
	opt, err := rrule.StrToROption(strings.Join(parts, ";"))
	if err != nil {
		return nil, bad
	}
	switch {
	case opt.Interval < 0 || opt.Interval > maxInterval || opt.Count < 0,
		hasPart(parts, "INTERVAL") && opt.Interval == 0, hasPart(parts, "COUNT") && opt.Count == 0:
		return nil, bad
	case len(opt.Bysecond) > 1 || max(1, len(opt.Byhour))*max(1, len(opt.Byminute)) > maxPerDay:
		return nil, refuse("ical.too_often", e.label())
	case opt.Freq == rrule.HOURLY && hasPart(parts, "BY"):
		return nil, bad // rrule-go may search for ever
	}
	if until != "" {
		if opt.Until, err = e.until(until); err != nil {
			return nil, bad
		}
	}
	return opt, nil
}

func hasPart(parts []string, prefix string) bool {
	for _, p := range parts {
		if strings.HasPrefix(p, prefix) {
			return true
		}
	}
	return false
}

// until is the last reading of the event's clock that the rule may reach.
func (e *event) until(value string) (time.Time, error) {
	if _, err := strconv.Atoi(value); err == nil && len(value) == 8 {
		t, err := time.Parse("20060102", value)
		return t.AddDate(0, 0, 1).Add(-time.Second), err // the day included
	}
	if utc, ok := strings.CutSuffix(value, "Z"); ok {
		t, err := time.Parse("20060102T150405", utc)
		return wallOf(t.In(e.start.zone)).clock(), err
	}
	return time.Parse("20060102T150405", value)
}
