package ical

import (
	"strings"
	"time"
)

// zone finds the location a TZID stands for: an IANA name, also behind a prefix
// as libical writes it, a Windows name, or what the calendar's VTIMEZONE says
// it is (X-LIC-LOCATION).
func (c *calendar) zone(tzid string) (*time.Location, bool) {
	if loc, ok := c.zones[tzid]; ok {
		return loc, loc != nil
	}
	loc, ok := findZone(tzid)
	if !ok && c.aliases[tzid] != "" {
		loc, ok = findZone(c.aliases[tzid])
	}
	c.zones[tzid] = loc
	return loc, ok
}

func findZone(name string) (*time.Location, bool) {
	name = strings.TrimSpace(name)
	if strings.EqualFold(name, "UTC") || name == "Z" {
		return time.UTC, true
	}
	if iana, ok := windowsZones()[name]; ok {
		name = iana
	}
	// "/freeassociation.sourceforge.net/Tzfile/Europe/Berlin": drop the front piece by piece.
	for i := 0; name != "" && len(name) <= 100 && i < 6; i++ {
		if name != "Local" { // the zone of this machine is nobody's
			if loc, err := time.LoadLocation(name); err == nil {
				return loc, true
			}
		}
		_, name, _ = strings.Cut(name, "/")
	}
	return nil, false
}

// windowsZones are the names Outlook and Exchange write, after CLDR's
// windowsZones with territory 001.
func windowsZones() map[string]string {
	return map[string]string{
		"Afghanistan Standard Time":       "Asia/Kabul",
		"Alaskan Standard Time":           "America/Anchorage",
		"Arab Standard Time":              "Asia/Riyadh",
		"Arabian Standard Time":           "Asia/Dubai",
		"Arabic Standard Time":            "Asia/Baghdad",
		"Argentina Standard Time":         "America/Buenos_Aires",
		"Atlantic Standard Time":          "America/Halifax",
		"AUS Central Standard Time":       "Australia/Darwin",
		"AUS Eastern Standard Time":       "Australia/Sydney",
		"Azerbaijan Standard Time":        "Asia/Baku",
		"Bangladesh Standard Time":        "Asia/Dhaka",
		"Belarus Standard Time":           "Europe/Minsk",
		"Canada Central Standard Time":    "America/Regina",
		"Cen. Australia Standard Time":    "Australia/Adelaide",
		"Central America Standard Time":   "America/Guatemala",
		"Central Asia Standard Time":      "Asia/Almaty",
		"Central Brazilian Standard Time": "America/Cuiaba",
		"Central Europe Standard Time":    "Europe/Budapest",
		"Central European Standard Time":  "Europe/Warsaw",
		"Central Pacific Standard Time":   "Pacific/Guadalcanal",
		"Central Standard Time":           "America/Chicago",
		"Central Standard Time (Mexico)":  "America/Mexico_City",
		"China Standard Time":             "Asia/Shanghai",
		"E. Africa Standard Time":         "Africa/Nairobi",
		"E. Australia Standard Time":      "Australia/Brisbane",
		"E. Europe Standard Time":         "Europe/Chisinau",
		"E. South America Standard Time":  "America/Sao_Paulo",
		"Eastern Standard Time":           "America/New_York",
		"Egypt Standard Time":             "Africa/Cairo",
		"Fiji Standard Time":              "Pacific/Fiji",
		"FLE Standard Time":               "Europe/Kiev",
		"Georgian Standard Time":          "Asia/Tbilisi",
		"GMT Standard Time":               "Europe/London",
		"Greenland Standard Time":         "America/Godthab",
		"Greenwich Standard Time":         "Atlantic/Reykjavik",
		"GTB Standard Time":               "Europe/Bucharest",
		"Hawaiian Standard Time":          "Pacific/Honolulu",
		"India Standard Time":             "Asia/Calcutta",
		"Iran Standard Time":              "Asia/Tehran",
		"Israel Standard Time":            "Asia/Jerusalem",
		"Jordan Standard Time":            "Asia/Amman",
		"Korea Standard Time":             "Asia/Seoul",
		"Middle East Standard Time":       "Asia/Beirut",
		"Morocco Standard Time":           "Africa/Casablanca",
		"Mountain Standard Time":          "America/Denver",
		"Myanmar Standard Time":           "Asia/Rangoon",
		"Nepal Standard Time":             "Asia/Katmandu",
		"New Zealand Standard Time":       "Pacific/Auckland",
		"Newfoundland Standard Time":      "America/St_Johns",
		"Pacific SA Standard Time":        "America/Santiago",
		"Pacific Standard Time":           "America/Los_Angeles",
		"Pakistan Standard Time":          "Asia/Karachi",
		"Romance Standard Time":           "Europe/Paris",
		"Russian Standard Time":           "Europe/Moscow",
		"SA Eastern Standard Time":        "America/Cayenne",
		"SA Pacific Standard Time":        "America/Bogota",
		"SA Western Standard Time":        "America/La_Paz",
		"SE Asia Standard Time":           "Asia/Bangkok",
		"Singapore Standard Time":         "Asia/Singapore",
		"South Africa Standard Time":      "Africa/Johannesburg",
		"Sri Lanka Standard Time":         "Asia/Colombo",
		"Syria Standard Time":             "Asia/Damascus",
		"Taipei Standard Time":            "Asia/Taipei",
		"Tasmania Standard Time":          "Australia/Hobart",
		"Tokyo Standard Time":             "Asia/Tokyo",
		"Tonga Standard Time":             "Pacific/Tongatapu",
		"Turkey Standard Time":            "Europe/Istanbul",
		"US Eastern Standard Time":        "America/Indianapolis",
		"US Mountain Standard Time":       "America/Phoenix",
		"Venezuela Standard Time":         "America/Caracas",
		"Vladivostok Standard Time":       "Asia/Vladivostok",
		"W. Australia Standard Time":      "Australia/Perth",
		"W. Central Africa Standard Time": "Africa/Lagos",
		"W. Europe Standard Time":         "Europe/Berlin",
		"West Asia Standard Time":         "Asia/Tashkent",
	}
}

// wall is a reading of a local clock: the seconds from 1970-01-01 00:00:00 on
// that clock, as if every day had 24 hours.
type wall int64

const daySeconds = 24 * 60 * 60

func wallOf(t time.Time) wall {
	_, offset := t.Zone()
	return wall(t.Unix() + int64(offset))
}

// day is the midnight that w follows.
func (w wall) day() wall {
	d := w % daySeconds
	if d < 0 {
		d += daySeconds
	}
	return w - d
}

// clock is w as a time whose fields are the reading; only they mean anything.
func (w wall) clock() time.Time { return time.Unix(int64(w), 0).UTC() }

// in is the instant at which the clocks of loc show w, as §3.3.5 has it: of a
// local time that occurs twice the first, and for one that is skipped the
// instant it would be had the clocks not jumped (02:30 becomes 03:30).
func (w wall) in(loc *time.Location) time.Time {
	offsetAt := func(unix int64) int64 {
		_, offset := time.Unix(unix, 0).In(loc).Zone()
		return int64(offset)
	}
	// No zone is further than 14 hours ahead, so this is before w, by a day at most.
	before := offsetAt(int64(w) - 15*60*60)
	first := int64(w) - before
	after := offsetAt(first)
	if after != before && offsetAt(int64(w)-after) == after {
		return time.Unix(int64(w)-after, 0).UTC() // the change lies between
	}
	return time.Unix(first, 0).UTC()
}
