package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// The views of the calendar.
const (
	viewWeek      = "week"
	viewFortnight = "fortnight"
	viewMonth     = "month"
)

// span is what the calendar shows: days in the viewer's zone, and of which
// rotations. All of it stands in the address.
type span struct {
	view     string
	first    time.Time // midnight UTC of the first date
	days     int
	mine     bool
	team     id.Team
	rotation id.Rotation
	loc      *time.Location
}

// spanOf reads view, from, mine, team and rotation. What makes no sense is
// today's week of everybody.
func spanOf(q url.Values, now time.Time, loc *time.Location) span {
	s := span{
		view: q.Get("view"), mine: q.Get("mine") != "", team: id.Team(q.Get("team")), rotation: id.Rotation(q.Get("rotation")), loc: loc,
	}
	date, err := time.Parse(time.DateOnly, q.Get("from"))
	if err != nil || date.Year() <= firstYear || date.Year() >= lastYear {
		date = dateOf(now, loc)
	}
	s.begin(date)
	return s
}

// dateOf is the date at an instant in a zone, as midnight UTC.
func dateOf(at time.Time, loc *time.Location) time.Time {
	y, m, d := at.In(loc).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// begin shows the time around a date: from a Monday on, or a calendar month.
func (s *span) begin(date time.Time) {
	monday := date.AddDate(0, 0, -(int(date.Weekday())+6)%7)
	switch s.view {
	case viewFortnight:
		s.first, s.days = monday, 14
	case viewMonth:
		s.first = time.Date(date.Year(), date.Month(), 1, 0, 0, 0, 0, time.UTC)
		s.days = s.first.AddDate(0, 1, -1).Day()
	default:
		s.view, s.first, s.days = viewWeek, monday, 7
	}
}

func (s span) from() time.Time { return midnight(s.first, 0, s.loc) }
func (s span) to() time.Time   { return midnight(s.first, s.days, s.loc) }

// move is the address of the same view some pages later.
func (s span) move(pages int) string {
	if s.view == viewMonth {
		s.begin(s.first.AddDate(0, pages, 0))
	} else {
		s.begin(s.first.AddDate(0, 0, pages*s.days))
	}
	return s.href()
}

// as is the address of another view of the same time: the week that is today
// in it, or else its first one.
func (s span) as(name string, now time.Time) string {
	date := s.first
	if today := dateOf(now, s.loc); !today.Before(s.first) && today.Before(s.first.AddDate(0, 0, s.days)) {
		date = today
	}
	s.view = name
	s.begin(date)
	return s.href()
}

func (s span) href() string {
	q := url.Values{"view": {s.view}, "from": {s.first.Format(time.DateOnly)}}
	for name, value := range map[string]string{"team": string(s.team), "rotation": string(s.rotation)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if s.mine {
		q.Set("mine", "1")
	}
	return onCallPath + "?" + q.Encode()
}

// title names the days that are shown.
func (s span) title() string {
	last := s.first.AddDate(0, 0, s.days-1)
	switch {
	case s.view == viewMonth:
		return s.first.Format("January 2006")
	case s.first.Year() != last.Year():
		return s.first.Format("2 January 2006") + " – " + last.Format("2 January 2006")
	case s.first.Month() != last.Month():
		return s.first.Format("2 January") + " – " + last.Format("2 January 2006")
	}
	return s.first.Format("2") + " – " + last.Format("2 January 2006")
}

// share is where an instant lies between from and to, in percent, as SVG writes it.
func (s span) share(at time.Time) float64 {
	from, to := s.from(), s.to()
	return min(max(float64(at.Sub(from))/float64(to.Sub(from))*100, 0), 100)
}

func inPercent(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) + "%" }

// showCalendar is the first page of the area: who is on call when.
func (s *Server) showCalendar(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("web.oncall.title"), "oncall")
	if err != nil {
		return err
	}
	now := s.Now()
	viewer := actorOf(r).User
	c := calendar{o: o, span: spanOf(r.URL.Query(), now, page.Viewer.Zone), now: now, viewer: viewer, may: actorOf(r).May}
	v := c.view()
	v.Page, v.Tabs = page, onCallTabs(o, actorOf(r), now, "calendar")
	v.Problems = c.problems()
	return draw(w, r, http.StatusOK, view.CalendarPage(v))
}

// calendar draws a span for a viewer.
type calendar struct {
	o      *org.Org
	span   span
	now    time.Time
	viewer id.User
	may    func(people.Permission) bool
}

func (c calendar) view() view.Calendar {
	s := c.span
	v := view.Calendar{
		Title: s.title(), View: s.view, From: s.first.Format(time.DateOnly), Mine: s.mine,
		Self: s.href(), Prev: s.move(-1), Next: s.move(1), Today: c.today(),
		Teams: teamsToChoose(c.o, string(s.team)), CanEdit: c.may(people.Manage), CanAct: c.may(people.Respond),
		Start: s.from(), End: s.to(),
	}
	for _, name := range []string{viewWeek, viewFortnight, viewMonth} {
		v.Views = append(v.Views, view.SideLink{Label: phrase.T("calendar.view." + name), Href: s.as(name, c.now), Current: name == s.view})
	}
	for _, r := range sortedRotations(c.o) {
		v.Rotations = append(v.Rotations, view.Option{Value: string(r.ID), Label: r.Name, Selected: r.ID == s.rotation})
	}
	if !c.now.Before(v.Start) && c.now.Before(v.End) {
		v.Now = inPercent(s.share(c.now))
	}
	v.Days = c.days()
	var agenda []agendaShift
	for _, r := range c.rotations() {
		row, shifts := c.row(r)
		v.Rows = append(v.Rows, row)
		agenda = append(agenda, shifts...)
	}
	v.Past, v.Agenda = c.agenda(agenda)
	v.Empty = len(c.o.Rotations) == 0
	return v
}

// today is the address of the same view around now.
func (c calendar) today() string {
	s := c.span
	s.begin(dateOf(c.now, s.loc))
	return s.href()
}

// rotations are those that the viewer wants to see: with mine, those in which
// they have a duty in the time that is shown.
func (c calendar) rotations() []oncall.Rotation {
	return slices.DeleteFunc(sortedRotations(c.o), func(r oncall.Rotation) bool {
		if c.span.rotation != "" && r.ID != c.span.rotation || c.span.team != "" && r.Team != c.span.team {
			return true
		}
		return c.span.mine && !slices.ContainsFunc(c.o.Schedule(r.ID).Between(c.span.from(), c.span.to()), func(s oncall.Shift) bool {
			return s.User == c.viewer
		})
	})
}

func (c calendar) days() []view.CalendarDay {
	var all []view.CalendarDay
	today, holidays := dateOf(c.now, c.span.loc), c.holidays()
	for i := range c.span.days {
		date := c.span.first.AddDate(0, 0, i)
		from, to := midnight(date, 0, c.span.loc), midnight(date, 1, c.span.loc)
		d := view.CalendarDay{
			X: inPercent(c.span.share(from)), W: inPercent(c.span.share(to) - c.span.share(from)), Name: date.Format("Mon"), Number: date.Format("2"),
			Label: date.Format("Monday 2 January"), Today: date.Equal(today), Weekend: date.Weekday() == time.Saturday || date.Weekday() == time.Sunday,
			Holiday: holidays[date.Format(time.DateOnly)],
		}
		if c.span.view != viewWeek {
			week := c.span
			week.view = viewWeek
			week.begin(date)
			d.Href = week.href()
		}
		if hours := to.Sub(from); hours != day {
			d.Clocks = phrase.T("calendar.day.lasts", lasting(hours))
		}
		all = append(all, d)
	}
	return all
}

// lookAhead is how far the calendar looks for what will need somebody.
const lookAhead = 28 * day

// problems are what leaves an alert without a person in the weeks to come, each
// with the way to mend it. Hours without anybody that the layers themselves
// leave are not among them: they show in the rows.
func (c calendar) problems() []view.SettingsProblem {
	var all []view.SettingsProblem
	for _, risk := range c.o.Risks(c.now, c.now.Add(lookAhead)) {
		if risk.Kind == org.HoursRisk {
			continue
		}
		p := view.SettingsProblem{Object: risk.Object, Text: risk.Text, Href: c.riskHref(risk)}
		if !risk.Start.IsZero() {
			p.Text = phrase.T("calendar.problem.when", risk.Text, period(risk.Start, risk.End, c.span.loc))
		}
		first, size := utf8.DecodeRuneInString(p.Text) // it is the end of a sentence
		p.Text = string(unicode.ToUpper(first)) + p.Text[size:]
		all = append(all, p)
	}
	return all
}

// riskHref leads to where a risk is mended: the dialog for cover where there is
// a time to cover, else the page of what it is about.
func (c calendar) riskHref(risk org.Risk) string {
	_, about, _ := strings.Cut(risk.ID, ":")
	about, _, _ = strings.Cut(about, ":")
	rotation := id.Rotation(about)
	until := risk.End
	if until.IsZero() {
		until = c.now.Add(lookAhead)
	}
	switch {
	case (risk.Kind == org.AbsentRisk || risk.Kind == org.HolidayRisk) && c.may(people.Respond):
		return coverHref(rotation, risk.Person, risk.Start, until, c.span.href())
	case risk.Kind == org.GapRisk && c.may(people.Respond):
		return coverHref(rotation, "", risk.Start, until, c.span.href())
	case risk.Kind == org.HolidayRisk:
		return holidaysPath
	case risk.Kind == org.UnreachableRisk && risk.Person == c.viewer:
		return "/settings/profile"
	case risk.Kind == org.UnreachableRisk:
		return peoplePath + "/" + string(risk.Person)
	case risk.Kind == org.NobodyRisk:
		return policiesPath + "/" + about
	}
	return rotationsPath + "/" + about
}
