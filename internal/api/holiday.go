package api

import (
	"context"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// HolidaysView are the public holidays of a region.
type HolidaysView struct {
	ID   id.Holidays `json:"id"`
	Name string      `json:"name"`
	Team id.Team     `json:"team,omitempty" doc:"For the rotations of this team; absent: for all."`
	Days []Holiday   `json:"days" nullable:"false" doc:"By date."`
}

// Holiday is a day of the calendar, in the zone of each rotation.
type Holiday struct {
	Date string `json:"date" format:"date" example:"2026-12-25"`
	Name string `json:"name" minLength:"1" maxLength:"200" example:"Christmas Day"`
}

// HolidaysBody is all that is said about public holidays.
type HolidaysBody struct {
	Name     string    `json:"name" minLength:"1" maxLength:"200" example:"Bavaria" doc:"Of the region; unique."`
	Team     string    `json:"team,omitempty" maxLength:"100" doc:"Only for the rotations of this team: id or slug."`
	Days     []Holiday `json:"days" maxItems:"1000" nullable:"false" doc:"In any order; none with a calendar."`
	Calendar string    `json:"calendar,omitempty" maxLength:"1048576" doc:"An iCalendar object instead, of which the whole days from last month to three years ahead are taken."`
}

func (a *api) registerHolidays() {
	r := resource[oncall.HolidayCalendar, HolidaysView, HolidaysBody]{
		kind: org.HolidayKind, name: "holidays", path: prefix + "/holidays",
		all: func(o *org.Org) []oncall.HolidayCalendar { return values(o.Holidays) },
		find: func(o *org.Org, ref string) (oncall.HolidayCalendar, bool) {
			if c, ok := o.Holidays[id.Holidays(ref)]; ok {
				return c, true
			}
			for _, c := range o.Holidays {
				if c.Name == ref {
					return c, true
				}
			}
			return oncall.HolidayCalendar{}, false
		},
		id:    func(c oncall.HolidayCalendar) string { return string(c.ID) },
		label: func(c oncall.HolidayCalendar) string { return c.Name },
		view: func(_ context.Context, _ people.Actor, _ *org.Org, c oncall.HolidayCalendar) (HolidaysView, error) {
			v := HolidaysView{ID: c.ID, Name: c.Name, Team: c.Team, Days: make([]Holiday, len(c.Days))}
			for i, d := range c.Days {
				v.Days[i] = Holiday(d)
			}
			return v, nil
		},
		build: func(o *org.Org, was oncall.HolidayCalendar, in HolidaysBody) (oncall.HolidayCalendar, error) {
			c := oncall.HolidayCalendar{ID: newID(was.ID), Name: in.Name}
			for _, d := range in.Days {
				c.Days = append(c.Days, oncall.Holiday(d))
			}
			c.Days = oncall.SortHolidays(c.Days)
			var err error
			c.Team, err = teamRef(o, "team", in.Team)
			return c, err
		},
	}
	handle(a, "list-holidays", r.list(a))
	handle(a, "show-holidays", r.show(a))
	handle(a, "delete-holidays", r.remove(a))
	create, replace := r.create(a), r.replace(a)
	handle(a, "create-holidays", func(ctx context.Context, by people.Actor, in *createInput[HolidaysBody]) (*createdOutput[HolidaysView], error) {
		if err := a.readHolidays(ctx, &in.Body); err != nil {
			return nil, err
		}
		return create(ctx, by, in)
	})
	handle(a, "replace-holidays", func(ctx context.Context, by people.Actor, in *putInput[HolidaysBody]) (*objectOutput[HolidaysView], error) {
		if err := a.readHolidays(ctx, &in.Body); err != nil {
			return nil, err
		}
		return replace(ctx, by, in)
	})
}

// readHolidays puts the days of the calendar in the place of days.
func (a *api) readHolidays(ctx context.Context, in *HolidaysBody) error {
	if (in.Calendar == "") == (len(in.Days) == 0) {
		return fault.Invalid("days", phrase.T("api.holidays.either"))
	}
	if in.Calendar == "" {
		return nil
	}
	days, err := a.Dispatch.ReadHolidays(ctx, []byte(in.Calendar))
	for _, d := range days {
		in.Days = append(in.Days, Holiday(d))
	}
	return err
}
