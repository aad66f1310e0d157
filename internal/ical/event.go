package ical

import (
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// moment is a DATE or DATE-TIME as it is written.
type moment struct {
	wall wall
	zone *time.Location
	date bool // a whole day
}

func (m moment) instant() time.Time { return m.wall.in(m.zone) }

// event is a VEVENT that makes sense on its own.
type event struct {
	Occurrence // Start and End are not used
	start      moment
	end        *moment // DTEND
	length     *length // DURATION
	rule       string  // RRULE; ""
	extra      []extra // RDATE
	except     []moment
	replaces   *moment // RECURRENCE-ID
	cancelled  bool
}

// extra is an RDATE; end is set when it is a PERIOD.
type extra struct {
	start  moment
	end    *moment
	length *length
}

// length is a DURATION: days on the clock, then exact seconds (§3.3.6).
type length struct{ days, seconds int64 }

// label is what people find the event by.
func (e *event) label() string {
	for _, s := range []string{e.Summary, e.UID} {
		if s = strings.TrimSpace(s); s != "" {
			runes := []rune(strings.Join(strings.Fields(s), " "))
			return string(runes[:min(len(runes), 80)])
		}
	}
	return "?"
}

func (c *calendar) event(b block) (event, error) {
	var e event
	for _, l := range b.lines { // first what names it, for the errors of the rest
		switch l.name {
		case "UID":
			e.UID = unescape(strings.TrimSpace(l.value))
		case "SUMMARY":
			e.Summary = text(unescape(l.value))
		}
	}
	started := false
	for _, l := range b.lines {
		var err error
		switch l.name {
		case "DTSTART":
			e.start, err = c.moment(&e, l, l.value)
			started = true
		case "DTEND":
			var end moment
			end, err = c.moment(&e, l, l.value)
			e.end = &end
		case "DURATION":
			e.length, err = duration(&e, l.value)
		case "RRULE":
			if e.rule != "" {
				err = refuse("ical.two_rules", e.label())
			}
			e.rule = strings.ToUpper(strings.TrimSpace(l.value))
		case "EXRULE":
			err = refuse("ical.exrule", e.label())
		case "RDATE":
			err = c.extras(&e, l)
		case "EXDATE":
			for value := range strings.SplitSeq(l.value, ",") {
				var m moment
				if m, err = c.moment(&e, l, value); err != nil {
					break
				}
				e.except = append(e.except, m)
			}
		case "RECURRENCE-ID":
			if l.params["RANGE"] != "" {
				return e, refuse("ical.range", e.label())
			}
			var m moment
			m, err = c.moment(&e, l, l.value)
			e.replaces = &m
		default:
			e.describe(l)
		}
		if err != nil {
			return e, err
		}
	}
	if !started {
		return e, refuse("ical.no_start", e.label())
	}
	if e.end != nil && e.end.instant().Before(e.start.instant()) {
		return e, refuse("ical.ends_before", e.label())
	}
	return e, nil
}

// describe reads what does not concern time.
func (e *event) describe(l line) {
	switch l.name {
	case "STATUS":
		e.cancelled = strings.EqualFold(strings.TrimSpace(l.value), "CANCELLED")
	case "ORGANIZER":
		e.Organizer = address(l)
	case "ATTENDEE":
		for _, not := range []string{"DECLINED", "NON-PARTICIPANT", "ROOM", "RESOURCE"} {
			for _, param := range []string{"PARTSTAT", "ROLE", "CUTYPE"} {
				if strings.EqualFold(l.params[param], not) {
					return
				}
			}
		}
		if a := address(l); a != "" {
			e.Attendees = append(e.Attendees, a)
		}
	}
}

// address is the e-mail address in a CAL-ADDRESS; some calendars have it in the
// parameter EMAIL, with an opaque URI as the value.
func address(l line) string {
	for _, s := range []string{l.value, l.params["EMAIL"]} {
		s = strings.TrimSpace(s)
		if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
			s = s[7:]
		}
		if a, err := mail.ParseAddress(s); err == nil && len(a.Address) <= 320 {
			return strings.ToLower(a.Address)
		}
	}
	return ""
}

// moment reads one DATE or DATE-TIME of l.
func (c *calendar) moment(e *event, l line, value string) (moment, error) {
	value = strings.ToUpper(strings.TrimSpace(value))
	m := moment{zone: c.floating, date: len(value) == len("20060102")}
	tzid := strings.TrimSpace(l.params["TZID"])
	layout := "20060102T150405"
	if m.date {
		layout = "20060102"
	}
	switch {
	case strings.HasSuffix(value, "Z"):
		value, m.zone = strings.TrimSuffix(value, "Z"), time.UTC
	case tzid != "":
		loc, ok := c.zone(tzid)
		if !ok {
			return m, refuse("ical.zone", e.label(), tzid)
		}
		m.zone = loc
	}
	if strings.HasSuffix(value, "60") && !m.date { // a leap second is the one before
		value = value[:len(value)-2] + "59"
	}
	t, err := time.Parse(layout, value)
	if err != nil || t.Year() < 1900 || t.Year() > 2200 {
		return m, refuse("ical.time", e.label(), l.name, value)
	}
	m.wall = wall(t.Unix())
	return m, nil
}

func (c *calendar) extras(e *event, l line) error {
	for value := range strings.SplitSeq(l.value, ",") {
		first, second, isPeriod := strings.Cut(value, "/")
		start, err := c.moment(e, l, first)
		if err != nil {
			return err
		}
		x := extra{start: start}
		switch {
		case !isPeriod:
		case strings.Contains(strings.ToUpper(second), "P"):
			if x.length, err = duration(e, second); err != nil {
				return err
			}
		default:
			end, err := c.moment(e, l, second)
			if err != nil {
				return err
			}
			x.end = &end
		}
		e.extra = append(e.extra, x)
	}
	return nil
}

// duration reads §3.3.6: weeks and days, hours, minutes and seconds. Shifts are
// never negative.
func duration(e *event, value string) (*length, error) {
	form := regexp.MustCompile(`^\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?$`)
	m := form.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(value)))
	if m == nil || m[0] == "P" || m[3] == "T" {
		return nil, refuse("ical.duration", e.label(), value)
	}
	n := func(i int) int64 {
		v, _ := strconv.ParseInt(m[i], 10, 64)
		return v
	}
	return &length{days: n(1)*7 + n(2), seconds: n(4)*3600 + n(5)*60 + n(6)}, nil
}
