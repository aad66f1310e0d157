package ical

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// Day is a whole day of a calendar.
type Day struct {
	Date string // "2026-12-25"
	Name string
}

// Days returns the whole days of a calendar from one date to before another, both
// midnights in UTC: an event of three days is three of them. What has a time of day is no such day,
// and one without a summary has no name to go by; both are left out. Errors are
// those of Parse.
func Days(ctx context.Context, data []byte, from, to time.Time) ([]Day, error) {
	x, err := expand(ctx, data, from.AddDate(0, 0, -1), to.AddDate(0, 0, 1), time.UTC) // it may have a zone of its own
	if err != nil {
		return nil, err
	}
	var days []Day
	for _, o := range x.whole {
		name := strings.Join(strings.Fields(o.summary), " ")
		for at := o.first; name != "" && at < o.behind; at += daySeconds {
			if len(days) == MaxOccurrences {
				return days, nil
			}
			if day := at.clock(); !day.Before(from) && day.Before(to) {
				days = append(days, Day{Date: day.Format(time.DateOnly), Name: name})
			}
		}
	}
	slices.SortFunc(days, func(a, b Day) int { return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Name, b.Name)) })
	return days, nil
}
