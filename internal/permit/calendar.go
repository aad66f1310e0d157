package permit

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/phrase"
)

// MaxSpans is how many spans of calendars a text may have.
const MaxSpans = 200

// header is what a text says besides its rules.
type header struct {
	bare  bool           // it leaves Default out
	zone  *time.Location // nil: it names none
	spans []span
}

// span is one stretch of a calendar of the text itself: from an instant, before another.
type span struct {
	name        string // by CalendarName
	from, until time.Time
}

// written is a line that is read later.
type written struct {
	number int
	line   string
}

var (
	zoneForm     = regexp.MustCompile(`^zone\s+"?([A-Za-z0-9_+/-]{1,64})"?$`)
	calendarForm = regexp.MustCompile(`^calendar\s+"([^"]{1,80})"\s+from\s+(\d{4}-\d{2}-\d{2})(?:[ T](\d{1,2}:\d{2}))?\s+until\s+(\d{4}-\d{2}-\d{2})(?:[ T](\d{1,2}:\d{2}))?$`)
)

// begins reports whether the first word of a line is verb.
func begins(trimmed, verb string) bool {
	word, _, _ := strings.Cut(strings.ReplaceAll(trimmed, "\t", " "), " ")
	return word == verb
}

func (h *header) clock() *time.Location {
	if h.zone == nil {
		return time.UTC
	}
	return h.zone
}

// setZone reads zone "Europe/Berlin". The machine's own zone is none: on another
// machine the rules would say something else.
func (h *header) setZone(line string) error {
	whole := word{strings.TrimSpace(line), 0, len(line)}
	m := zoneForm.FindStringSubmatch(whole.text)
	switch {
	case m == nil || m[1] == "Local":
		return whole.wrong("permit.wrong.zone")
	case h.zone != nil:
		return whole.wrong("permit.wrong.zone_twice")
	}
	zone, err := time.LoadLocation(m[1])
	if err != nil {
		return whole.wrong("permit.wrong.zone")
	}
	h.zone = zone
	return nil
}

// read understands the lines of calendars on the clocks of the zone.
func (h *header) read(lines []written) (wrong Problems) {
	for i, l := range lines {
		if i == MaxSpans {
			return append(wrong, Problem{Line: l.number, End: len(l.line), Sentence: phrase.T("permit.many_spans", MaxSpans)})
		}
		s, err := spanOf(l.line, h.clock())
		if err != nil {
			wrong = append(wrong, problem(l.number, l.line, err))
			continue
		}
		h.spans = append(h.spans, s)
	}
	return wrong
}

// spanOf reads calendar "freeze" from 2026-12-18 18:00 until 2027-01-04 08:00.
// Without a clock a span begins with its first day and ends with its last.
func spanOf(line string, zone *time.Location) (span, error) {
	whole := word{strings.TrimSpace(line), 0, len(line)}
	m := calendarForm.FindStringSubmatch(whole.text)
	if m == nil {
		return span{}, whole.wrong("permit.wrong.calendar")
	}
	from, err := wallClock(m[2], m[3], zone)
	if err != nil {
		return span{}, whole.wrong("permit.wrong.calendar")
	}
	last, clock := m[4], m[5]
	if clock == "" {
		day, err := time.Parse(time.DateOnly, last)
		if err != nil {
			return span{}, whole.wrong("permit.wrong.calendar")
		}
		last = day.AddDate(0, 0, 1).Format(time.DateOnly)
	}
	until, err := wallClock(last, clock, zone)
	switch {
	case err != nil:
		return span{}, whole.wrong("permit.wrong.calendar")
	case !until.After(from):
		return span{}, whole.wrong("permit.wrong.calendar_order")
	}
	return span{CalendarName(m[1]), from, until}, nil
}

// wallClock is the instant at which the clocks of zone show it; "" is midnight.
// Where clocks jump over it, it is the jump; where they show it twice, the first.
func wallClock(date, clock string, zone *time.Location) (time.Time, error) {
	if clock == "" {
		clock = "00:00"
	}
	return command.ParseTime(date+" "+clock, time.Time{}, zone)
}

// here is f on the clocks of the rules, with the calendars of their text: of one
// that public holidays have, too, the days and the spans add up.
func (p *Policy) here(f Facts) Facts {
	if p == nil {
		return f
	}
	if p.Zone != nil {
		f.Now = f.Now.In(p.Zone)
	}
	if len(p.spans) == 0 {
		return f
	}
	all := maps.Clone(f.Calendars)
	if all == nil {
		all = map[string]bool{}
	}
	for _, s := range p.spans {
		all[s.name] = all[s.name] || !f.Now.Before(s.from) && f.Now.Before(s.until)
	}
	f.Calendars = all
	return f
}

// defines reports whether the text itself says what a calendar is.
func (p *Policy) defines(calendar string) bool {
	return slices.ContainsFunc(p.spans, func(s span) bool { return s.name == calendar })
}
