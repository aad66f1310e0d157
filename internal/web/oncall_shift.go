package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// dialog fills what every page has that also opens as a dialog over the
// calendar: a script asks for it as a fragment and gets no frame around it.
func (s *Server) dialog(w http.ResponseWriter, r *http.Request, o *org.Org, title string) (view.Dialogue, error) {
	d := view.Dialogue{Title: title, Back: back(r), Fragment: isFragment(r)}
	if d.Fragment {
		d.Page = view.Page{Title: title, Nav: "oncall", Viewer: s.viewer(o, actorOf(r))}
		return d, nil
	}
	var err error
	d.Page, err = s.page(w, r, o, title, "oncall")
	return d, err
}

// second reads an instant from an address, where it stands in Unix seconds.
func second(r *http.Request, name string) (time.Time, bool) {
	n, err := strconv.ParseInt(text(r, name), 10, 64)
	at := time.Unix(n, 0).UTC()
	return at, err == nil && at.Year() >= firstYear && at.Year() <= lastYear
}

// askedShift finds the shift that an address names: what a layer has at an instant.
func askedShift(o *org.Org, r *http.Request) (oncall.Rotation, oncall.Shift, error) {
	rota, known := o.Rotations[id.Rotation(text(r, "rotation"))]
	layer, err := strconv.Atoi(text(r, "layer"))
	at, ok := second(r, "at")
	if known && ok && err == nil {
		for _, shift := range o.OnCall(rota.ID, at) {
			if shift.Layer == layer {
				return rota, shift, nil
			}
		}
	}
	return rota, oncall.Shift{}, fault.NotFound(phrase.T("oncall_web.shift.gone"))
}

// showShift says everything about a shift, and what the viewer may do about it.
func (s *Server) showShift(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	rota, shift, err := askedShift(o, r)
	if err != nil {
		return err
	}
	d, err := s.dialog(w, r, o, phrase.T("oncall_web.shift.title", o.UserName(shift.User), rota.Name))
	if err != nil {
		return err
	}
	return draw(w, r, http.StatusOK, view.ShiftPage(s.shift(o, rota, shift, actorOf(r), d)))
}

func (s *Server) shift(o *org.Org, rota oncall.Rotation, shift oncall.Shift, actor people.Actor, d view.Dialogue) view.ShiftView {
	now, loc := s.Now(), d.Page.Viewer.Zone
	v := view.ShiftView{
		Dialogue: d, Rotation: rota.Name, RotationID: string(rota.ID), RotationHref: rotationsPath + "/" + string(rota.ID), Team: o.Teams[rota.Team].Name,
		Layer: shift.Layer, Person: personRows(o, []id.User{shift.User}, actor.User)[0], UserID: string(shift.User),
		Start: shift.Start, End: shift.End, When: period(shift.Start, shift.End, loc), Running: shift.Contains(now),
	}
	if shift.Layer >= 0 && len(rota.Layers) > 1 {
		v.LayerName = layerName(rota.Layers[shift.Layer], shift.Layer)
	}
	if there, err := time.LoadLocation(rota.Zone); err == nil && rota.Zone != loc.String() {
		v.There, v.Zone = period(shift.Start, shift.End, there), rota.Zone
	}
	if away, ok := absent(o, shift.User, maxTime(shift.Start, now), shift.End); ok {
		v.Away = phrase.T("calendar.away", v.Person.Name, period(away.Start, away.End, loc))
	}
	if over, ok := o.Overrides[shift.Override]; ok {
		v.Override = &view.OverrideView{
			ID: string(over.ID), Note: over.Note, By: o.UserName(over.By), Taken: over.Kind == oncall.Taken, When: period(over.Start, over.End, loc),
			Instead: phrase.T("calendar.instead.nobody"),
		}
		if over.By == "" {
			v.Override.By = ""
		}
		if shift.Instead != "" {
			v.Override.Instead = phrase.T("calendar.instead", o.UserName(shift.Instead))
		}
	}
	s.offers(o, &v, shift, actor, now)
	return v
}

// offers says which buttons the viewer has. What they may not do is not offered;
// dispatch is asked again when they press one.
func (s *Server) offers(o *org.Org, v *view.ShiftView, shift oncall.Shift, actor people.Actor, now time.Time) {
	over, covered := o.Overrides[shift.Override]
	past := !shift.End.IsZero() && !shift.End.After(now)
	if !actor.May(people.Respond) || past || actor.User == "" {
		return
	}
	begin := maxTime(shift.Start, now)
	mine := shift.User == actor.User
	concerned := covered && slices.Contains([]id.User{over.User, over.For, over.By, shift.Instead}, actor.User) || actor.May(people.Manage)
	v.CanTake = !mine && !o.Users[actor.User].Disabled
	v.CanHandBack = covered && concerned && !over.Start.After(now)
	v.CanRemove = covered && concerned && over.Start.After(now)
	v.TakeFrom, v.TakeUntil = typed(begin, v.Page.Viewer.Zone), typed(shift.End, v.Page.Viewer.Zone)
	if mine {
		q := url.Values{"rotation": {v.RotationID}, "layer": {strconv.Itoa(shift.Layer)}, "at": {strconv.FormatInt(begin.Unix(), 10)}, "back": {v.Back}}
		v.SwapHref = onCallPath + "/swap?" + q.Encode()
	}
	if actor.May(people.Manage) {
		until := shift.End
		if until.IsZero() {
			until = begin.Add(day)
		}
		v.CoverHref = coverHref(id.Rotation(v.RotationID), shift.User, begin, until, v.Back)
	}
}

// takeOnCall puts the person who asks on duty: now until the end of the shift,
// now until another time, or, for a time that has not begun, by a planned override.
func (s *Server) takeOnCall(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	actor, now := actorOf(r), s.Now()
	rota, ok := o.Rotations[id.Rotation(text(r, "rotation"))]
	if !ok {
		return fault.NotFound(phrase.T("settings.rotation.gone"))
	}
	loc := o.Users[actor.User].Location()
	errs := fields{}
	from, until := errs.instant(r, "from", loc, false), errs.instant(r, "until", loc, false)
	if len(errs) > 0 {
		return s.acted(w, r, fault.Invalid("", phrase.T("webmain.bad_time")), "")
	}
	var layer *int
	if n, err := strconv.Atoi(text(r, "layer")); err == nil && n >= 0 && n < len(rota.Layers) {
		layer = &n
	}
	instead, note := id.User(text(r, "for")), text(r, "note")
	if from.After(now) {
		_, err = s.Dispatch.AddOverride(r.Context(), actor, oncall.Override{
			Rotation: rota.ID, User: actor.User, For: instead, Layer: layer, Start: from, End: until, Kind: oncall.Planned, Note: note,
		})
		return s.acted(w, r, err, phrase.T("oncall_web.took.later", rota.Name, period(from, until, loc)))
	}
	made, err := s.Dispatch.TakeOnCall(r.Context(), actor, dispatch.Take{Rotation: rota.ID, From: instead, Layer: layer, Until: until, Note: note})
	message := phrase.T("oncall_web.took.open", rota.Name)
	if !made.End.IsZero() {
		message = phrase.T("oncall_web.took", rota.Name, made.End.In(loc).Format(shiftForm))
	}
	return s.acted(w, r, err, message)
}

func (s *Server) handBack(w http.ResponseWriter, r *http.Request) error {
	err := s.Dispatch.HandBack(r.Context(), actorOf(r), id.Override(r.PathValue("id")))
	return s.acted(w, r, err, phrase.T("oncall_web.handed_back"))
}

func (s *Server) removeOverride(w http.ResponseWriter, r *http.Request) error {
	err := s.Dispatch.RemoveOverride(r.Context(), actorOf(r), id.Override(r.PathValue("id")))
	return s.acted(w, r, err, phrase.T("oncall_web.override.removed"))
}
