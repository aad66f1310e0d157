package api

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// How much of a schedule is shown at once.
const (
	scheduleDefault = 14 * 24 * time.Hour
	scheduleMost    = 400 * 24 * time.Hour
	previewDefault  = 28 * 24 * time.Hour
	zoneChanges     = 2
)

// Schedule is who is on duty in a rotation between two instants.
type Schedule struct {
	Rotation  id.Rotation     `json:"rotation"`
	Name      string          `json:"name"`
	Zone      string          `json:"zone" doc:"The time zone of the rotation."`
	From      time.Time       `json:"from"`
	To        time.Time       `json:"to"`
	Final     []Shift         `json:"final" nullable:"false" doc:"What really holds: the layers with the overrides laid over them. Shifts are whole, not cut to the time asked for."`
	Layers    []LayerSchedule `json:"layers" nullable:"false" doc:"The rota by itself, without overrides."`
	Overrides []OverrideView  `json:"overrides" nullable:"false" doc:"Those that touch this time."`
	Absences  []AbsenceView   `json:"absences" nullable:"false" doc:"Of people of the rotation, in this time."`
	Gaps      []Interval      `json:"gaps" nullable:"false" doc:"When nobody is on duty."`
	Doubled   []Doubled       `json:"doubled" nullable:"false" doc:"When one person holds several layers at once."`
	HandOvers []HandOver      `json:"hand_overs" nullable:"false"`
}

// LayerSchedule is one layer by itself.
type LayerSchedule struct {
	Layer  int     `json:"layer" doc:"From 0."`
	Name   string  `json:"name,omitempty"`
	Shifts []Shift `json:"shifts" nullable:"false"`
}

// Shift is an uninterrupted time of one person on duty in one layer.
type Shift struct {
	Layer     int         `json:"layer" doc:"From 0; -1 where an override fills a time in which the rota has nobody."`
	LayerName string      `json:"layer_name,omitempty"`
	Person    Person      `json:"person"`
	Start     time.Time   `json:"start"`
	End       *time.Time  `json:"end,omitempty" doc:"Absent when nobody ever takes over."`
	Override  id.Override `json:"override,omitempty" doc:"By which the person is on duty; absent when the rota says so."`
	Instead   *Person     `json:"instead,omitempty" doc:"The rota's own person."`
}

// Interval is the time from one instant until another, exclusive.
type Interval struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Doubled is a time in which one person is on duty in several layers.
type Doubled struct {
	Interval
	Person Person `json:"person"`
	Layers []int  `json:"layers" nullable:"false"`
}

// HandOver is an instant at which a layer goes from one person to another.
type HandOver struct {
	At        time.Time `json:"at"`
	Layer     int       `json:"layer"`
	LayerName string    `json:"layer_name,omitempty"`
	From      *Person   `json:"from,omitempty" doc:"Absent for nobody."`
	To        *Person   `json:"to,omitempty" doc:"Absent for nobody."`
}

// Preview is what an edit of a rotation would change. Nothing has been changed.
type Preview struct {
	From        time.Time         `json:"from"`
	To          time.Time         `json:"to"`
	Changes     []ScheduleChange  `json:"changes" nullable:"false" doc:"Which times go from whom to whom."`
	Totals      []ScheduleTotal   `json:"totals" nullable:"false" doc:"What that means for each person."`
	Gaps        []Interval        `json:"gaps" nullable:"false" doc:"When nobody would be on duty."`
	Doubled     []Doubled         `json:"doubled" nullable:"false" doc:"When one person would hold several layers at once."`
	ZoneChanges []ZoneChangeShown `json:"zone_changes" nullable:"false" doc:"What would happen at the next two changes of the clocks."`
}

// ScheduleChange is a time in which an edit gives a layer to another person.
type ScheduleChange struct {
	Interval
	Layer     int     `json:"layer"`
	LayerName string  `json:"layer_name,omitempty"`
	Was       *Person `json:"was,omitempty" doc:"Absent for nobody."`
	Becomes   *Person `json:"becomes,omitempty" doc:"Absent for nobody."`
}

// ScheduleTotal is how much of the time somebody is on duty, in seconds.
type ScheduleTotal struct {
	Person Person `json:"person"`
	Before int64  `json:"before_seconds"`
	After  int64  `json:"after_seconds"`
	Gains  int64  `json:"gains_seconds" doc:"On duty after, but not before."`
	Loses  int64  `json:"loses_seconds" doc:"On duty before, but not after."`
}

// ZoneChangeShown is a change of the clocks and the shifts around it.
type ZoneChangeShown struct {
	At         time.Time   `json:"at"`
	Jump       string      `json:"jump" doc:"How far the clocks jump: 1h forward, -1h back."`
	BeforeName string      `json:"before_name" example:"CET"`
	AfterName  string      `json:"after_name" example:"CEST"`
	Shifts     []NearShift `json:"shifts" nullable:"false" doc:"Those that the change lies in, begins or ends."`
	HandOvers  []HandOver  `json:"hand_overs" nullable:"false" doc:"From a day before to a day after."`
}

// NearShift is a shift near a change of the clocks, with its length.
type NearShift struct {
	Shift
	Lasts string `json:"lasts" doc:"The time that passes."`
	Clock string `json:"clock" doc:"As the clocks count it."`
}

type (
	scheduleInput struct {
		ID   string    `path:"id" maxLength:"254" doc:"Its id or slug."`
		From time.Time `query:"from" doc:"From when; now when absent."`
		To   time.Time `query:"to" doc:"Until when; two weeks after from when absent, 400 days at most."`
	}
	scheduleOutput struct{ Body Schedule }
	previewInput   struct {
		ID   string    `path:"id" maxLength:"254" doc:"Its id or slug."`
		From time.Time `query:"from" doc:"From when; now when absent."`
		To   time.Time `query:"to" doc:"Until when; four weeks after from when absent, 400 days at most."`
		Body RotationBody
	}
	previewOutput struct{ Body Preview }
)

// span is the time asked for.
func (a *api) span(from, to time.Time, otherwise time.Duration) (time.Time, time.Time, error) {
	if from.IsZero() {
		from = a.now().Truncate(time.Second)
	}
	if to.IsZero() {
		to = from.Add(otherwise)
	}
	if length := to.Sub(from); length <= 0 || length > scheduleMost {
		return from, to, fault.Invalid("to", phrase.T("api.bad_span", int(scheduleMost/(24*time.Hour))))
	}
	return from.UTC(), to.UTC(), nil
}

func (a *api) showSchedule(ctx context.Context, _ people.Actor, in *scheduleInput) (*scheduleOutput, error) {
	from, to, err := a.span(in.From, in.To, scheduleDefault)
	if err != nil {
		return nil, err
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	r, ok := findRotation(o, in.ID)
	if !ok {
		return nil, noSuch(org.RotationKind, in.ID)
	}
	final := o.Schedule(r.ID)
	out := Schedule{
		Rotation: r.ID, Name: r.Name, Zone: r.Zone, From: from, To: to, Final: shiftViews(o, final.Between(from, to)), Layers: []LayerSchedule{},
		Overrides: []OverrideView{}, Absences: []AbsenceView{}, Gaps: intervals(oncall.Gaps(final, from, to)),
		Doubled: doubled(o, oncall.Doubled(final, from, to)), HandOvers: handOvers(o, oncall.HandOvers(final, from, to)),
	}
	rota := final.Rota().Between(from, to)
	for i, l := range r.Layers {
		layer := LayerSchedule{Layer: i, Name: l.Name, Shifts: []Shift{}}
		for _, s := range rota {
			if s.Layer == i {
				layer.Shifts = append(layer.Shifts, shiftView(o, s))
			}
		}
		out.Layers = append(out.Layers, layer)
	}
	member := map[id.User]bool{}
	for _, s := range append(final.Between(from, to), rota...) {
		member[s.User] = true
	}
	for _, v := range sortedOverrides(o) {
		if v.Rotation == r.ID && touches(v.Start, v.End, from, to) {
			out.Overrides = append(out.Overrides, overrideView(o, v))
		}
	}
	for _, b := range sortedAbsences(o) {
		if member[b.User] && touches(b.Start, b.End, from, to) {
			out.Absences = append(out.Absences, absenceView(o, b))
		}
	}
	return &scheduleOutput{Body: out}, nil
}

// previewRotation builds the rotation as replacing would, in an organisation
// that nobody keeps.
func (a *api) previewRotation(ctx context.Context, _ people.Actor, in *previewInput) (*previewOutput, error) {
	from, to, err := a.span(in.From, in.To, previewDefault)
	if err != nil {
		return nil, err
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	was, ok := findRotation(o, in.ID)
	if !ok {
		return nil, noSuch(org.RotationKind, in.ID)
	}
	is, err := buildRotation(o, was, in.Body)
	if err != nil {
		return nil, err
	}
	is.Name = was.Name // who else is called so is of no interest here
	next, _, err := o.Apply(org.Put(is))
	if err != nil {
		return nil, fault.Invalid("", err.Error())
	}
	before, after := o.Schedule(was.ID), next.Schedule(is.ID)
	compared := oncall.Compare(before, after, from, to)
	out := Preview{
		From: from, To: to, Changes: []ScheduleChange{}, Totals: []ScheduleTotal{}, Gaps: intervals(oncall.Gaps(after, from, to)),
		Doubled: doubled(o, oncall.Doubled(after, from, to)), ZoneChanges: []ZoneChangeShown{},
	}
	for _, c := range compared.Changes {
		out.Changes = append(out.Changes, ScheduleChange{
			Interval: Interval(c.Interval), Layer: c.Layer, LayerName: c.LayerName, Was: somebody(o, c.Was), Becomes: somebody(o, c.Becomes),
		})
	}
	for _, t := range compared.Totals {
		out.Totals = append(out.Totals, ScheduleTotal{
			Person: personOf(o, t.User), Before: seconds(t.Before), After: seconds(t.After), Gains: seconds(t.Gains), Loses: seconds(t.Loses),
		})
	}
	changes, err := oncall.ZoneChanges(is.Zone, from, zoneChanges)
	if err != nil {
		return nil, fault.Invalid("zone", phrase.T("api.no_such_zone", is.Zone))
	}
	for _, c := range changes {
		near := oncall.NearChange(after, c)
		shown := ZoneChangeShown{
			At: c.At, Jump: c.Shift().String(), BeforeName: c.BeforeName, AfterName: c.AfterName, Shifts: []NearShift{}, HandOvers: handOvers(o, near.HandOvers),
		}
		for _, s := range near.Shifts {
			shown.Shifts = append(shown.Shifts, NearShift{Shift: shiftView(o, s.Shift), Lasts: s.Lasts.String(), Clock: s.Clock.String()})
		}
		out.ZoneChanges = append(out.ZoneChanges, shown)
	}
	return &previewOutput{Body: out}, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// touches reports whether [start, end), end zero for never, has a time in [from, to).
func touches(start, end, from, to time.Time) bool {
	return start.Before(to) && (end.IsZero() || end.After(from))
}

func shiftView(o *org.Org, s oncall.Shift) Shift {
	return Shift{
		Layer: s.Layer, LayerName: s.LayerName, Person: personOf(o, s.User), Start: s.Start, End: instant(s.End),
		Override: s.Override, Instead: somebody(o, s.Instead),
	}
}

func shiftViews(o *org.Org, shifts []oncall.Shift) []Shift {
	all := []Shift{}
	for _, s := range shifts {
		all = append(all, shiftView(o, s))
	}
	return all
}

// somebody is nil for nobody.
func somebody(o *org.Org, u id.User) *Person {
	if u == "" {
		return nil
	}
	p := personOf(o, u)
	return &p
}

func intervals(all []oncall.Interval) []Interval {
	views := []Interval{}
	for _, i := range all {
		views = append(views, Interval(i))
	}
	return views
}

func doubled(o *org.Org, all []oncall.Double) []Doubled {
	views := []Doubled{}
	for _, d := range all {
		views = append(views, Doubled{Interval: Interval(d.Interval), Person: personOf(o, d.User), Layers: d.Layers})
	}
	return views
}

func handOvers(o *org.Org, all []oncall.HandOver) []HandOver {
	views := []HandOver{}
	for _, h := range all {
		views = append(views, HandOver{At: h.At, Layer: h.Layer, LayerName: h.LayerName, From: somebody(o, h.From), To: somebody(o, h.To)})
	}
	return views
}
