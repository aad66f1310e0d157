package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/ical"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/phrase"
)

// holidayYears is how far ahead public holidays are taken out of a calendar.
const holidayYears = 3

// ReadHolidays takes the public holidays out of a calendar: its whole days from
// a month ago to three years ahead. Nothing is saved.
func (d *Dispatcher) ReadHolidays(ctx context.Context, calendar []byte) ([]oncall.Holiday, error) {
	now, err := d.store.Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read holidays: %w", err)
	}
	days, err := ical.Days(ctx, calendar, now.AddDate(0, -1, 0), now.AddDate(holidayYears, 0, 0))
	if bad, ok := errors.AsType[*ical.Error](err); ok {
		return nil, fault.Invalid("calendar", bad.Error())
	}
	if err != nil {
		return nil, fmt.Errorf("read public holidays: %w", err)
	}
	all := make([]oncall.Holiday, len(days))
	for i, day := range days {
		all[i] = oncall.Holiday(day)
	}
	if all = oncall.SortHolidays(all); len(all) == 0 {
		return nil, fault.Invalid("calendar", phrase.T("dispatch.no_holidays", holidayYears))
	}
	return all, nil
}
