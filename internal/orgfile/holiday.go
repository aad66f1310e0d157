package orgfile

import (
	"strings"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/strictyaml"
)

// Holidays is an oncall.HolidayCalendar; it is recognised by its name.
type Holidays struct {
	At   Position
	Name string
	Team Ref
	Days []oncall.Holiday // each written "2026-12-25 Christmas Day"
}

func (p *parser) holidays(n strictyaml.Node) Holidays {
	f := p.fields(n, "public holidays", "name", "team", "days")
	h := Holidays{At: n.At, Name: f.needed("public holidays", "name"), Team: f.ref("team")}
	for _, d := range f.refs("days") {
		date, name, ok := strings.Cut(d.Name, " ")
		if !ok {
			p.say(d.At, "days: %q: write the date and the name, such as 2026-12-25 Christmas Day", d.Name)
			continue
		}
		h.Days = append(h.Days, oncall.Holiday{Date: date, Name: name})
	}
	h.Days = oncall.SortHolidays(h.Days)
	return h
}

func (c *changer) holidays() {
	if !c.doc.Holidays.Listed {
		return
	}
	have := map[string]oncall.HolidayCalendar{}
	for _, h := range c.o.Holidays {
		have[h.Name] = h
	}
	for _, h := range c.doc.Holidays.Items {
		is := oncall.HolidayCalendar{ID: have[h.Name].ID, Name: h.Name, Team: c.team(h.Team), Days: h.Days}
		delete(have, h.Name)
		if is.ID == "" {
			is.ID = id.Holidays(c.maker.NewID())
		}
		c.put(h.At, org.HolidayKind, string(is.ID), is)
	}
	for _, h := range org.Sorted(have, func(h oncall.HolidayCalendar) string { return h.Name }) {
		c.remove(org.HolidayKind, string(h.ID))
	}
}

func (x exporter) holidays() Section[Holidays] {
	s := Section[Holidays]{Listed: true}
	for _, h := range org.Sorted(x.o.Holidays, func(h oncall.HolidayCalendar) string { return h.Name }) {
		s.Items = append(s.Items, Holidays{Name: h.Name, Team: x.teamRef(h.Team), Days: h.Days})
	}
	return s
}

func (h Holidays) fields() object {
	days := make([]string, len(h.Days))
	for i, d := range h.Days {
		days[i] = d.Date + " " + d.Name
	}
	return without(field{"name", text(h.Name)}, field{"team", some(h.Team.Name)}, field{"days", words(days)})
}
