package web

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// row is one rotation: what holds, layer by layer, and the rota below it. The
// shifts that hold are returned for the agenda, too.
func (c calendar) row(r oncall.Rotation) (view.CalendarRow, []agendaShift) {
	final := c.o.Schedule(r.ID)
	from, to := c.span.from(), c.span.to()
	row := view.CalendarRow{ID: string(r.ID), Name: r.Name, Team: c.o.Teams[r.Team].Name, Href: rotationsPath + "/" + string(r.ID)}
	loc := time.UTC
	if l, err := time.LoadLocation(r.Zone); err == nil {
		loc = l
	}
	if r.Zone != c.span.loc.String() {
		row.Zone = r.Zone
	}
	shifts := final.Between(from, to)
	var agenda []agendaShift
	lanes := laneLines(r, shifts)
	byLayer := map[int]*view.CalendarLane{}
	for i := range lanes {
		byLayer[lanes[i].Layer] = &lanes[i]
	}
	for _, shift := range shifts {
		if c.span.mine && shift.User != c.viewer {
			continue
		}
		bar := c.bar(r, shift, loc)
		lane := byLayer[shift.Layer]
		lane.Bars = append(lane.Bars, bar)
		agenda = append(agenda, agendaShift{row.Name, shift.Start, shift.End, bar})
	}
	if !c.span.mine {
		always := unrestricted(r)
		for _, gap := range oncall.Gaps(final, from, to) {
			bar := c.gap(r, gap, always)
			lanes[0].Bars = append(lanes[0].Bars, bar)
			agenda = append(agenda, agendaShift{row.Name, gap.From, gap.To, bar})
		}
		slices.SortStableFunc(lanes[0].Bars, func(a, b view.CalendarBar) int { return cmp.Compare(a.At, b.At) })
	}
	row.Lanes = lanes
	row.Layers = c.layers(r, final.Rota().Between(from, to), loc)
	return row, agenda
}

// laneLines are the lines of the final schedule: one for each layer, and one
// for what fills gaps of a rotation without layers.
func laneLines(r oncall.Rotation, shifts []oncall.Shift) []view.CalendarLane {
	var lanes []view.CalendarLane
	for i, l := range r.Layers {
		lanes = append(lanes, view.CalendarLane{Layer: i, Name: layerName(l, i)})
	}
	if len(r.Layers) == 1 {
		lanes[0].Name = ""
	}
	fills := slices.ContainsFunc(shifts, func(s oncall.Shift) bool { return s.Layer == oncall.NoLayer })
	if fills || len(lanes) == 0 {
		lanes = append(lanes, view.CalendarLane{Layer: oncall.NoLayer, Name: phrase.T("calendar.lane.filled")})
	}
	return lanes
}

func layerName(l oncall.Layer, i int) string {
	if l.Name != "" {
		return l.Name
	}
	return phrase.T("settings.rotation.layer", i+1)
}

// layers are the rota as it is without overrides, a line for each layer.
func (c calendar) layers(r oncall.Rotation, shifts []oncall.Shift, loc *time.Location) []view.CalendarLane {
	var lanes []view.CalendarLane
	for i, l := range r.Layers {
		lane := view.CalendarLane{Layer: i, Name: layerName(l, i)}
		for _, shift := range shifts {
			if shift.Layer == i {
				bar := c.bar(r, shift, loc)
				bar.Warn, bar.Href = "", ""
				lane.Bars = append(lane.Bars, bar)
			}
		}
		lanes = append(lanes, lane)
	}
	return lanes
}

// bar is a shift as the calendar draws it, cut to what is shown.
func (c calendar) bar(r oncall.Rotation, shift oncall.Shift, loc *time.Location) view.CalendarBar {
	from, to := c.span.from(), c.span.to()
	b := view.CalendarBar{
		Kind: view.BarShift, Name: c.o.UserName(shift.User), When: period(shift.Start, shift.End, c.span.loc), Rotation: r.Name, Yours: shift.User == c.viewer,
		Before: shift.Start.Before(from), After: shift.End.IsZero() || shift.End.After(to), Href: c.shiftHref(r.ID, shift),
	}
	end := shift.End
	if end.IsZero() || end.After(to) {
		end = to
	}
	c.place(&b, shift.Start, end)
	if loc.String() != c.span.loc.String() {
		b.There = phrase.T("calendar.there", period(shift.Start, shift.End, loc), loc.String())
	}
	if shift.Override != "" {
		b.Kind = view.BarOverride
		b.Instead = phrase.T("calendar.instead.nobody")
		if shift.Instead != "" {
			b.Instead = phrase.T("calendar.instead", c.o.UserName(shift.Instead))
		}
	}
	if away, ok := absent(c.o, shift.User, maxTime(shift.Start, c.now), shift.End); ok {
		b.Warn = phrase.T("calendar.away", b.Name, period(away.Start, away.End, c.span.loc))
	}
	return b
}

// gap is a time without anybody. Where only the hours of the layers leave it, it
// is quiet: it may well be meant.
func (c calendar) gap(r oncall.Rotation, gap oncall.Interval, always oncall.Plan) view.CalendarBar {
	b := view.CalendarBar{Kind: view.BarGap, Name: phrase.T("calendar.nobody"), When: period(gap.From, gap.To, c.span.loc), Rotation: r.Name}
	if always != nil && len(oncall.Gaps(always, gap.From, gap.To)) == 0 {
		b.Kind, b.Name = view.BarOff, phrase.T("calendar.off_hours")
	}
	c.place(&b, gap.From, gap.To)
	if c.may(people.Respond) && gap.To.After(c.now) {
		b.Href = coverHref(r.ID, "", maxTime(gap.From, c.now), gap.To, c.span.href())
	}
	return b
}

// unrestricted is the rota as it would be at all hours; nil when it is that already.
func unrestricted(r oncall.Rotation) oncall.Plan {
	if !slices.ContainsFunc(r.Layers, func(l oncall.Layer) bool { return len(l.Restrictions) > 0 }) {
		return nil
	}
	r.Layers = slices.Clone(r.Layers)
	for i := range r.Layers {
		r.Layers[i].Restrictions, r.Layers[i].Count = nil, oncall.CountCalendar
	}
	s, err := r.Compile()
	if err != nil {
		return nil
	}
	return s
}

func (c calendar) place(b *view.CalendarBar, from, to time.Time) {
	x, end := c.span.share(from), c.span.share(to)
	b.X, b.W, b.At = inPercent(x), inPercent(max(end-x, 0.1)), x
}

func (c calendar) shiftHref(r id.Rotation, shift oncall.Shift) string {
	at := shift.Start
	if begin := c.span.from(); at.Before(begin) { // a shift may have begun long ago
		at = begin
	}
	return shiftHref(r, shift.Layer, at, c.span.href())
}

// shiftHref is the address of the shift that a layer has at an instant.
func shiftHref(r id.Rotation, layer int, at time.Time, back string) string {
	q := url.Values{"rotation": {string(r)}, "layer": {strconv.Itoa(layer)}, "at": {strconv.FormatInt(at.Unix(), 10)}, "back": {back}}
	return onCallPath + "/shift?" + q.Encode()
}

// coverHref is the address of the dialog for an override, filled in.
func coverHref(r id.Rotation, instead id.User, from, to time.Time, back string) string {
	q := url.Values{"rotation": {string(r)}, "at": {strconv.FormatInt(from.Unix(), 10)}, "until": {strconv.FormatInt(to.Unix(), 10)}, "back": {back}}
	if instead != "" {
		q.Set("for", string(instead))
	}
	return onCallPath + "/override?" + q.Encode()
}

// absent finds an absence of a person that overlaps a time; to may be zero for never.
func absent(o *org.Org, u id.User, from, to time.Time) (oncall.Absence, bool) {
	for _, a := range sortedAbsences(o) {
		if a.User == u && a.End.After(from) && (to.IsZero() || a.Start.Before(to)) && (to.IsZero() || from.Before(to)) {
			return a, true
		}
	}
	return oncall.Absence{}, false
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func minTime(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// conflict is a time in which somebody is on duty and away.
type conflict struct {
	rotation oncall.Rotation
	absence  oncall.Absence
	from, to time.Time
}

// conflicts lists what absences leave to be covered from an instant on, in the
// order of time.
func conflicts(o *org.Org, now time.Time) []conflict {
	var all []conflict
	for _, a := range sortedAbsences(o) {
		from := maxTime(a.Start, now)
		for _, r := range sortedRotations(o) {
			for _, shift := range o.Schedule(r.ID).Between(from, a.End) {
				if shift.User != a.User {
					continue
				}
				c := conflict{r, a, maxTime(shift.Start, from), a.End}
				if !shift.End.IsZero() {
					c.to = minTime(shift.End, a.End)
				}
				all = append(all, c)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b conflict) int { return a.from.Compare(b.from) })
	return all
}
