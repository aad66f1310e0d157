package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// readOverride reads the dialog for an override, and what is wrong with it.
func readOverride(r *http.Request, o *org.Org, loc *time.Location) (oncall.Override, fields) {
	errs := fields{}
	v := oncall.Override{
		Rotation: id.Rotation(text(r, "rotation")), User: id.User(text(r, "user")), For: id.User(text(r, "for")), Kind: oncall.Planned, Note: text(r, "note"),
		Start: errs.instant(r, "from", loc, true), End: errs.instant(r, "until", loc, true),
	}
	rota, ok := o.Rotations[v.Rotation]
	if !ok {
		errs["rotation"] = phrase.T("settings.error.choose")
	}
	if n, err := strconv.Atoi(text(r, "layer")); err == nil && n >= 0 && n < len(rota.Layers) {
		v.Layer = &n
	}
	if _, ok := o.Users[v.User]; !ok {
		errs["user"] = phrase.T("settings.error.choose")
	}
	if v.User != "" && v.User == v.For {
		errs["for"] = phrase.T("oncall_web.override.same")
	}
	if errs["until"] == "" && errs["from"] == "" && !v.End.After(v.Start) {
		errs["until"] = phrase.T("oncall_web.until.before")
	}
	return v, errs
}

// showOverride is the dialog, filled in as far as the address says.
func (s *Server) showOverride(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	actor := actorOf(r)
	v := oncall.Override{Rotation: id.Rotation(text(r, "rotation")), For: id.User(text(r, "for")), User: id.User(text(r, "user")), Kind: oncall.Planned}
	if v.Rotation == "" && len(o.Rotations) > 0 {
		v.Rotation = sortedRotations(o)[0].ID
	}
	if n, err := strconv.Atoi(text(r, "layer")); err == nil && n >= 0 && n < len(o.Rotations[v.Rotation].Layers) {
		v.Layer = &n
	}
	// A time without seconds: that is what the fields can hold.
	v.Start = s.Now().Truncate(time.Hour).Add(time.Hour)
	if at, ok := second(r, "at"); ok {
		v.Start = at.Truncate(time.Minute)
	}
	v.End = v.Start.Add(day)
	if until, ok := second(r, "until"); ok && until.After(v.Start) {
		v.End = until.Truncate(time.Minute)
	}
	if v.For == actor.User && !actor.May(people.Manage) {
		v.For = ""
	}
	if v.User == "" && v.For != actor.User {
		v.User = actor.User
	}
	return s.overridePage(w, r, http.StatusOK, o, v, nil, "")
}

func (s *Server) overridePage(w http.ResponseWriter, r *http.Request, status int, o *org.Org, v oncall.Override, errs fields, wrong string) error {
	d, err := s.dialog(w, r, o, phrase.T("oncall_web.override.title"))
	if err != nil {
		return err
	}
	loc := d.Page.Viewer.Zone
	f := view.OverrideForm{
		Dialogue: d, From: typed(v.Start, loc), Until: typed(v.End, loc), Note: v.Note, Errors: errs, Error: wrong, Zone: loc.String(),
		CanManage: actorOf(r).May(people.Manage),
	}
	for name, field := range map[string]*string{"from": &f.From, "until": &f.Until} {
		if errs[name] != "" {
			*field = text(r, name)
		}
	}
	for _, rota := range sortedRotations(o) {
		f.Rotations = append(f.Rotations, view.Option{Value: string(rota.ID), Label: rota.Name, Selected: rota.ID == v.Rotation})
		if rota.ID == v.Rotation {
			for i, l := range rota.Layers {
				f.Layers = append(f.Layers, view.Option{Value: strconv.Itoa(i), Label: layerName(l, i), Selected: v.Layer != nil && *v.Layer == i})
			}
		}
	}
	f.People = peopleOptions(o, string(v.User))
	if !f.CanManage { // a colleague is asked with a swap
		f.People = slices.DeleteFunc(f.People, func(p view.Option) bool { return p.Value != string(actorOf(r).User) })
	}
	f.Instead = peopleOptions(o, string(v.For))
	if len(errs) == 0 {
		f.Preview = s.overridePreview(o, v, loc)
	}
	return draw(w, r, status, view.OverridePage(f))
}

func (s *Server) previewOverride(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	loc := o.Users[actorOf(r).User].Location()
	v, errs := readOverride(r, o, loc)
	p := view.ChangePreview{Wait: phrase.T("oncall_web.preview.wait")}
	if len(errs) == 0 {
		p = s.overridePreview(o, v, loc)
	}
	return draw(w, r, http.StatusOK, view.ChangePreviewBox(p))
}

// addOverride saves the dialog; "preview" is the button of a browser without scripts.
func (s *Server) addOverride(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	loc := o.Users[actorOf(r).User].Location()
	v, errs := readOverride(r, o, loc)
	if len(errs) > 0 {
		return s.overridePage(w, r, http.StatusUnprocessableEntity, o, v, errs, "")
	}
	if text(r, "do") == "preview" {
		return s.overridePage(w, r, http.StatusOK, o, v, nil, "")
	}
	_, err = s.Dispatch.AddOverride(r.Context(), actorOf(r), v)
	if sentence, ok := refusal(err); ok {
		return s.overridePage(w, r, http.StatusUnprocessableEntity, o, v, nil, sentence)
	}
	return s.acted(w, r, err, phrase.T("oncall_web.override.added", o.UserName(v.User), o.Rotations[v.Rotation].Name))
}

// overridePreview says what an override that is not there yet would change.
func (s *Server) overridePreview(o *org.Org, v oncall.Override, loc *time.Location) view.ChangePreview {
	rota, ok := o.Rotations[v.Rotation]
	if !ok || v.User == "" {
		return view.ChangePreview{Wait: phrase.T("oncall_web.preview.wait")}
	}
	if err := v.Validate(); err != nil {
		return view.ChangePreview{Problem: err.Error()}
	}
	before := o.Schedule(v.Rotation)
	v.ID = id.Override(id.New()) // the latest counts
	after := oncall.Final(before.Rota(), append(overridesOf(o, v.Rotation), v))
	from, to := v.Start, minTime(v.End, v.Start.Add(previewLongest))
	p := comparison(o, oncall.Compare(before, after, from, to), loc)
	if !p.Changes() {
		p.Problem = phrase.T("oncall_web.preview.nothing")
		if v.For != "" {
			p.Problem = phrase.T("oncall_web.preview.not_theirs", o.UserName(v.For))
		}
	}
	p.Clocks = clocksWithin(rota.Zone, v.Start, v.End)
	if loc.String() != rota.Zone {
		p.Clocks = append(p.Clocks, clocksWithin(loc.String(), v.Start, v.End)...)
	}
	if away, ok := absent(o, v.User, v.Start, v.End); ok {
		p.Warnings = append(p.Warnings, phrase.T("calendar.away", o.UserName(v.User), period(away.Start, away.End, loc)))
	}
	if user, ok := o.Users[v.User]; ok && !user.Reachable() {
		p.Warnings = append(p.Warnings, phrase.T("webmain.oncall.unreachable", user.Name))
	}
	return p
}

// previewLongest bounds what one look into the future computes.
const previewLongest = 400 * day

// overridesOf lists the overrides of a rotation as they act: in the order in
// which they were made, without those of people who have left.
func overridesOf(o *org.Org, r id.Rotation) []oncall.Override {
	return slices.DeleteFunc(org.Sorted(o.Overrides, func(v oncall.Override) string { return string(v.ID) }), func(v oncall.Override) bool {
		u, ok := o.Users[v.User]
		return v.Rotation != r || !ok || u.Disabled
	})
}

// shownChanges is how many single changes a preview lists; the sums hold all.
const shownChanges = 8

// comparison is what an edit changes, in words.
func comparison(o *org.Org, c oncall.Comparison, loc *time.Location) view.ChangePreview {
	var p view.ChangePreview
	for _, t := range c.Totals {
		for _, g := range []struct {
			by   time.Duration
			key  string
			tone string
		}{{t.Gains, "oncall_web.gains", "ok"}, {t.Loses, "oncall_web.loses", "muted"}} {
			if g.by > 0 {
				p.Totals = append(p.Totals, view.TotalRow{Name: o.UserName(t.User), Tone: g.tone, Text: phrase.T(g.key, lasting(g.by))})
			}
		}
	}
	name := func(u id.User) string {
		if u == "" {
			return ""
		}
		return o.UserName(u)
	}
	for i, change := range c.Changes {
		if i == shownChanges {
			p.More = phrase.N("oncall_web.preview.more", len(c.Changes)-shownChanges)
			break
		}
		p.Rows = append(p.Rows, view.ChangeRow{When: period(change.From, change.To, loc), Layer: change.LayerName, Was: name(change.Was), Becomes: name(change.Becomes)})
	}
	return p
}

// clocksWithin says what the clocks of a zone do within a time.
func clocksWithin(zone string, from, to time.Time) []string {
	changes, err := oncall.ZoneChanges(zone, from.Add(-time.Second), 4)
	if err != nil {
		return nil
	}
	var all []string
	for _, c := range changes {
		if c.At.Before(to) {
			all = append(all, clockSentence(c, zone))
		}
	}
	return all
}

// noRotation is the answer of a form that needs one.
func noRotation() error { return fault.NotFound(phrase.T("settings.rotation.gone")) }
