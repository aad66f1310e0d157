package web

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/web/view"
)

// agendaShift is a bar with what the agenda needs to put it on its day.
type agendaShift struct {
	rotation string
	from, to time.Time // to may be zero
	bar      view.CalendarBar
}

// agenda lists the shifts by the day on which they begin, for a phone. Where
// today is among the days, those before it stand apart: who takes out a phone
// wants to know about now. Hours in which nobody is to be on call are left out.
func (c calendar) agenda(shifts []agendaShift) (past, coming []view.AgendaDay) {
	shifts = slices.DeleteFunc(shifts, func(s agendaShift) bool { return s.bar.Kind == view.BarOff })
	before := int(dateOf(c.now, c.span.loc).Sub(c.span.first) / day)
	if before <= 0 || before >= c.span.days {
		return nil, c.agendaDays(shifts, 0, c.span.days)
	}
	return c.agendaDays(shifts, 0, before), c.agendaDays(shifts, before, c.span.days)
}

// agendaDays is the agenda of the days from one to another; shifts that run
// already are on the first. Days on which nothing changes are left out, but for
// today.
func (c calendar) agendaDays(shifts []agendaShift, first, last int) []view.AgendaDay {
	begin := midnight(c.span.first, first, c.span.loc)
	shifts = slices.DeleteFunc(slices.Clone(shifts), func(s agendaShift) bool { return !s.to.IsZero() && !s.to.After(begin) })
	slices.SortStableFunc(shifts, func(a, b agendaShift) int { return maxTime(a.from, begin).Compare(maxTime(b.from, begin)) })
	var all []view.AgendaDay
	today, holidays := dateOf(c.now, c.span.loc), c.holidays()
	for i := first; i < last; i++ {
		date := c.span.first.AddDate(0, 0, i)
		end := midnight(date, 1, c.span.loc)
		d := view.AgendaDay{Label: date.Format("Monday 2 January"), Today: date.Equal(today), Holiday: holidays[date.Format(time.DateOnly)]}
		for len(shifts) > 0 && maxTime(shifts[0].from, begin).Before(end) {
			d.Items = append(d.Items, c.agendaItem(shifts[0], begin))
			shifts = shifts[1:]
		}
		if len(d.Items) > 0 || d.Today || d.Holiday != "" {
			all = append(all, d)
		}
	}
	return all
}

func (c calendar) agendaItem(s agendaShift, begin time.Time) view.AgendaItem {
	item := view.AgendaItem{CalendarBar: s.bar, Running: s.from.Before(begin)}
	if !item.Running {
		item.From = s.from.In(c.span.loc).Format("15:04")
	}
	if !s.to.IsZero() {
		form := shiftForm
		if dateOf(s.to, c.span.loc).Equal(dateOf(maxTime(s.from, begin), c.span.loc)) {
			form = "15:04"
		}
		item.To = s.to.In(c.span.loc).Format(form)
	}
	return item
}
