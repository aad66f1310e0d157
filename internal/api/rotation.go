package api

import (
	"context"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// RotationView is a rota.
type RotationView struct {
	ID     id.Rotation `json:"id"`
	Slug   string      `json:"slug" doc:"Made of the name."`
	Name   string      `json:"name"`
	Team   id.Team     `json:"team,omitempty"`
	Zone   string      `json:"zone"`
	Layers []LayerView `json:"layers" nullable:"false" doc:"All are on duty at once."`
}

// LayerView is one line of a rota, in which the members take turns.
type LayerView struct {
	Name      string   `json:"name,omitempty"`
	Members   []Person `json:"members" nullable:"false" doc:"In the order of their turns."`
	Every     int      `json:"every" doc:"The length of a turn, in units."`
	Unit      string   `json:"unit" enum:"hours,days,weeks,months"`
	HandoffAt string   `json:"handoff_at" doc:"Local time of the hand-over."`
	Start     string   `json:"start" doc:"Local date of the first one."`
	End       string   `json:"end,omitempty" doc:"Local date of the last one, exclusive; absent for none."`

	Restrictions []Restriction `json:"restrictions,omitempty" nullable:"false" doc:"On duty only then; absent for always."`
	Count        string        `json:"count,omitempty" enum:"shifts" doc:"Turns are counted in windows of the restrictions instead of days."`
}

// Restriction is a window of the week, which begins on each of its days.
type Restriction struct {
	Days  []string `json:"days,omitempty" enum:"monday,tuesday,wednesday,thursday,friday,saturday,sunday" maxItems:"7" doc:"On which it begins; absent for every day."`
	From  string   `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" patternDescription:"a time of day such as 17:00" example:"17:00" doc:"Local time."`
	Until string   `json:"until,omitempty" enum:"monday,tuesday,wednesday,thursday,friday,saturday,sunday" doc:"The weekday it ends on, for a window over several days, which has one day to begin; absent: the same day, or the next one when to is not after from."`
	To    string   `json:"to" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" patternDescription:"a time of day such as 09:00" example:"09:00" doc:"Local time, exclusive."`
}

// RotationBody is all that is said about a rota.
type RotationBody struct {
	Name   string      `json:"name" minLength:"1" maxLength:"200" example:"Web on call" doc:"Unique."`
	Team   string      `json:"team,omitempty" maxLength:"100" doc:"The team it belongs to: id or slug."`
	Zone   string      `json:"zone" maxLength:"100" example:"Europe/Berlin" doc:"IANA name of the time zone it is kept in."`
	Layers []LayerBody `json:"layers" maxItems:"20" nullable:"false" doc:"All are on duty at once."`
}

// LayerBody is one line of a rota.
type LayerBody struct {
	Name      string   `json:"name,omitempty" maxLength:"200" doc:"May be absent in the only layer."`
	Members   []string `json:"members" maxItems:"500" nullable:"false" example:"max,ada" doc:"People in the order of their turns: id, username or e-mail address."`
	Every     int      `json:"every" minimum:"1" maximum:"1000" example:"1" doc:"The length of a turn, in units."`
	Unit      string   `json:"unit" enum:"hours,days,weeks,months" example:"weeks"`
	HandoffAt string   `json:"handoff_at" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" patternDescription:"a time of day such as 09:00" example:"09:00" doc:"Local time of the hand-over."`
	Start     string   `json:"start" format:"date" example:"2026-01-05" doc:"Local date of the first hand-over."`
	End       string   `json:"end,omitempty" doc:"Local date of the last one, exclusive; absent for none."`

	Restrictions []Restriction `json:"restrictions,omitempty" maxItems:"50" doc:"On duty only then; absent for always."`
	Count        string        `json:"count,omitempty" enum:"shifts" doc:"Count turns in windows of the restrictions; unit is then days: every 5 days from Monday to Friday is a week."`
}

func (a *api) registerRotations() {
	r := resource[oncall.Rotation, RotationView, RotationBody]{
		kind: org.RotationKind, name: "rotation", path: prefix + "/rotations",
		all:  func(o *org.Org) []oncall.Rotation { return values(o.Rotations) },
		find: findRotation, id: func(r oncall.Rotation) string { return string(r.ID) },
		label: func(r oncall.Rotation) string { return r.Name },
		view: func(_ context.Context, _ people.Actor, o *org.Org, r oncall.Rotation) (RotationView, error) {
			return rotationView(o, r), nil
		},
		build: buildRotation,
	}
	r.register(a)
	handle(a, "create-rotation", r.create(a))
	handle(a, "show-schedule", a.showSchedule)
	handle(a, "preview-rotation", a.previewRotation)
	handle(a, "import-calendar", a.importCalendar)
}

func rotationView(o *org.Org, r oncall.Rotation) RotationView {
	v := RotationView{ID: r.ID, Slug: id.Slug(r.Name), Name: r.Name, Team: r.Team, Zone: r.Zone, Layers: []LayerView{}}
	for _, l := range r.Layers {
		v.Layers = append(v.Layers, LayerView{
			Name: l.Name, Members: personsOf(o, l.Members), Every: l.Every, Unit: string(l.Unit), HandoffAt: l.HandoffAt, Start: l.Start, End: l.End,
			Restrictions: restrictionViews(l.Restrictions), Count: string(l.Count),
		})
	}
	return v
}

func restrictionViews(all []oncall.Restriction) []Restriction {
	views := []Restriction{}
	for _, r := range all {
		views = append(views, Restriction{Days: refs(r.Days), From: r.From, Until: string(r.Until), To: r.To})
	}
	return views
}

func buildRestrictions(all []Restriction) []oncall.Restriction {
	var built []oncall.Restriction
	for _, r := range all {
		b := oncall.Restriction{From: r.From, Until: oncall.Weekday(r.Until), To: r.To}
		for _, d := range r.Days {
			b.Days = append(b.Days, oncall.Weekday(d))
		}
		built = append(built, b)
	}
	return built
}

func buildRotation(o *org.Org, was oncall.Rotation, in RotationBody) (oncall.Rotation, error) {
	r := oncall.Rotation{ID: newID(was.ID), Name: in.Name, Zone: in.Zone}
	var err error
	if r.Team, err = teamRef(o, "team", in.Team); err != nil {
		return r, err
	}
	if err := checkZone("zone", in.Zone); err != nil {
		return r, err
	}
	for i, l := range in.Layers {
		field := fmt.Sprintf("layers[%d]", i)
		members, err := userRefs(o, field+".members", l.Members)
		if err != nil {
			return r, err
		}
		if _, err := time.Parse(time.DateOnly, l.End); l.End != "" && (err != nil || l.End <= l.Start) {
			return r, fault.Invalid(field+".end", phrase.T("api.bad_end", l.End, l.Start))
		}
		r.Layers = append(r.Layers, oncall.Layer{
			Name: l.Name, Members: members, Every: l.Every, Unit: oncall.Unit(l.Unit), HandoffAt: l.HandoffAt, Start: l.Start, End: l.End,
			Restrictions: buildRestrictions(l.Restrictions), Count: oncall.Count(l.Count),
		})
	}
	return r, nil
}
