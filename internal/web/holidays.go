package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const holidaysPath = onCallPath + "/holidays"

// holidaysAhead is how far ahead the page lists who is on call on a holiday.
const holidaysAhead = 183 * day

func (s *Server) showHolidays(w http.ResponseWriter, r *http.Request) error {
	return s.holidaysPage(w, r, http.StatusOK, view.HolidayForm{})
}

func (s *Server) holidaysPage(w http.ResponseWriter, r *http.Request, status int, f view.HolidayForm) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("oncall_web.tab.holidays"), "oncall")
	if err != nil {
		return err
	}
	actor, now := actorOf(r), s.Now()
	v := view.Holidays{
		Page: page, Tabs: onCallTabs(o, actor, now, "holidays"), CanEdit: actor.May(people.Manage), Form: f,
		Ahead: holidaysOf(o, now, page.Viewer.Zone, actor.May(people.Respond)),
	}
	v.Form.Teams = append([]view.Option{{Label: phrase.T("oncall_web.holidays.everybody")}}, teamsToChoose(o, f.Team)...)
	for _, c := range sortedHolidays(o) {
		row := view.HolidayCalendarRow{ID: string(c.ID), Name: c.Name, Team: o.Teams[c.Team].Name}
		if n := len(c.Days); n > 0 {
			row.Days = phrase.N("oncall_web.holidays.days", n, shownDate(c.Days[n-1].Date, "2 January 2006"))
		}
		v.Calendars = append(v.Calendars, row)
	}
	return draw(w, r, status, view.HolidaysPage(v))
}

func sortedHolidays(o *org.Org) []oncall.HolidayCalendar {
	return org.Sorted(o.Holidays, func(c oncall.HolidayCalendar) string { return c.Name })
}

func shownDate(date, layout string) string {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return date
	}
	return at.Format(layout)
}

// holidaysOf lists the holidays to come, and who is on call on each because the
// rota says so. The dialog for an override stands beside them.
func holidaysOf(o *org.Org, now time.Time, loc *time.Location, may bool) []view.HolidayRow {
	rows := map[string]*view.HolidayRow{}
	var all []*view.HolidayRow
	first, behind := dateOf(now, loc).Format(time.DateOnly), now.Add(holidaysAhead).Format(time.DateOnly)
	for _, c := range sortedHolidays(o) {
		for _, h := range c.Days {
			if h.Date < first || h.Date >= behind {
				continue
			}
			row := rows[h.Date]
			if row == nil {
				row = &view.HolidayRow{Date: h.Date, Label: shownDate(h.Date, "Monday 2 January 2006")}
				rows[h.Date], all = row, append(all, row)
			}
			if name := phrase.T("oncall_web.holidays.of", h.Name, c.Name); !slices.Contains(row.Names, name) {
				row.Names = append(row.Names, name)
			}
		}
	}
	for _, r := range sortedRotations(o) {
		for _, d := range o.HolidayDuties(r.ID, now, now.Add(holidaysAhead)) {
			row := rows[d.Holiday.Date]
			if row == nil { // the viewer's calendar has turned the page already
				continue
			}
			x := view.HolidayDuty{Name: o.UserName(d.User), Rotation: r.Name, When: period(d.From, d.To, loc)}
			if may {
				x.Href = coverHref(r.ID, d.User, d.From, d.To, holidaysPath)
			}
			row.Duties = append(row.Duties, x)
		}
	}
	slices.SortFunc(all, func(a, b *view.HolidayRow) int { return cmp.Compare(a.Date, b.Date) })
	out := make([]view.HolidayRow, len(all))
	for i, row := range all {
		out[i] = *row
	}
	return out
}

// addHolidays keeps the whole days of a calendar that was uploaded or pasted.
// Under a name that is there already they take the place of those it had.
func (s *Server) addHolidays(w http.ResponseWriter, r *http.Request) error {
	calendar, err := uploaded(r)
	if err != nil {
		return err
	}
	f := view.HolidayForm{Name: text(r, "name"), Team: text(r, "team"), Text: r.FormValue("calendar"), Errors: fields{}}
	errs := fields{}
	errs.name("name", f.Name)
	if len(calendar) == 0 {
		errs["calendar"] = phrase.T("oncall_web.holidays.choose")
	}
	var days []oncall.Holiday
	if len(errs) == 0 {
		if days, err = s.Dispatch.ReadHolidays(r.Context(), calendar); err != nil {
			sentence, ok := refusal(err)
			if !ok {
				return err
			}
			errs["calendar"] = sentence
		}
	}
	if len(errs) > 0 {
		f.Errors = errs
		return s.holidaysPage(w, r, http.StatusUnprocessableEntity, f)
	}
	_, err = s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		c := oncall.HolidayCalendar{ID: id.Holidays(id.New()), Name: f.Name, Team: id.Team(f.Team), Days: days}
		for _, had := range o.Holidays {
			if had.Name == f.Name {
				c.ID = had.ID
			}
		}
		return []org.Change{org.Put(c)}, nil
	})
	if sentence, ok := refusal(err); ok {
		f.Error = sentence
		return s.holidaysPage(w, r, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, holidaysPath, phrase.N("oncall_web.holidays.added", len(days), f.Name))
}

func (s *Server) removeHolidays(w http.ResponseWriter, r *http.Request) error {
	name := ""
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		c, ok := o.Holidays[id.Holidays(r.PathValue("id"))]
		if !ok {
			return nil, fault.NotFound(phrase.T("oncall_web.holidays.gone"))
		}
		name = c.Name
		return []org.Change{org.Remove(org.HolidayKind, string(c.ID))}, nil
	})
	if err != nil {
		return err
	}
	return s.done(w, r, holidaysPath, phrase.T("oncall_web.holidays.removed", name))
}

// holidays are the names of the public holidays of each date, for the rotations
// that are shown.
func (c calendar) holidays() map[string]string {
	names := map[string]string{}
	seen := map[oncall.Holiday]bool{}
	for _, r := range c.rotations() {
		for _, h := range c.o.HolidaysOf(r.Team) {
			if seen[h] {
				continue
			}
			seen[h] = true
			if names[h.Date] != "" {
				names[h.Date] += ", "
			}
			names[h.Date] += h.Name
		}
	}
	return names
}
