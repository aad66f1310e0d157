package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// rotationDraft is a rotation as it is being typed: all text, so that nothing
// that cannot be read yet is lost.
type rotationDraft struct {
	ID, Name, Team, Zone string
	Layers               []layerDraft
}

type layerDraft struct {
	Name, Every, Unit, Handoff, Start, End string
	Members                                []id.User
	Add                                    id.User // chosen in the list, not added yet
	Hours                                  []dutyHours
	Count                                  bool // turns count the shifts that the hours make
}

// dutyHours is one restriction.
type dutyHours struct {
	Days            []oncall.Weekday // none: every day
	From, Until, To string
}

// What one form can ask for.
const (
	maxLayers = 10
	maxTurns  = 200
	maxHours  = 20 // restrictions of one layer
)

// newLayer begins on the last Monday at nine: there is somebody on call from the
// moment it is saved.
func newLayer(now time.Time, zone string) layerDraft {
	if loc, err := time.LoadLocation(zone); err == nil {
		now = now.In(loc)
	}
	now = now.Add(-9 * time.Hour)
	monday := now.AddDate(0, 0, -(int(now.Weekday())+6)%7)
	return layerDraft{Every: "1", Unit: string(oncall.Weeks), Handoff: "09:00", Start: monday.Format(time.DateOnly)}
}

func draftOf(r oncall.Rotation) rotationDraft {
	d := rotationDraft{ID: string(r.ID), Name: r.Name, Team: string(r.Team), Zone: r.Zone}
	for _, l := range r.Layers {
		d.Layers = append(d.Layers, layerDraft{
			Name: l.Name, Every: strconv.Itoa(l.Every), Unit: string(l.Unit), Handoff: l.HandoffAt, Start: l.Start, End: l.End,
			Members: slices.Clone(l.Members), Count: l.Count == oncall.CountShifts,
		})
		for _, h := range l.Restrictions {
			hours := dutyHours{Days: slices.Clone(h.Days), From: h.From, Until: string(h.Until), To: h.To}
			last := &d.Layers[len(d.Layers)-1]
			last.Hours = append(last.Hours, hours)
		}
	}
	return d
}

// readRotation reads the editor's form.
func readRotation(r *http.Request) rotationDraft {
	d := rotationDraft{Name: text(r, "name"), Team: text(r, "team"), Zone: text(r, "zone")}
	n, _ := number(text(r, "layers"))
	for i := range min(n, maxLayers) {
		at := strconv.Itoa(i) + "."
		l := layerDraft{
			Name: text(r, at+"name"), Every: text(r, at+"every"), Unit: text(r, at+"unit"), Handoff: text(r, at+"handoff"),
			Start: text(r, at+"start"), End: text(r, at+"end"), Add: id.User(text(r, at+"add")),
			Hours: readDutyHours(r, at), Count: text(r, at+"count") != "",
		}
		for _, u := range r.PostForm[at+"member"] {
			if u != "" && len(l.Members) < maxTurns {
				l.Members = append(l.Members, id.User(u))
			}
		}
		d.Layers = append(d.Layers, l)
	}
	return d
}

// readDutyHours reads the restrictions of a layer.
func readDutyHours(r *http.Request, at string) []dutyHours {
	var all []dutyHours
	n, _ := number(text(r, at+"hours"))
	for i := range min(n, maxHours) {
		at := at + "hours." + strconv.Itoa(i) + "."
		h := dutyHours{From: text(r, at+"from"), Until: text(r, at+"until"), To: text(r, at+"to")}
		for _, d := range oncall.Weekdays() {
			if slices.Contains(r.PostForm[at+"day"], string(d)) {
				h.Days = append(h.Days, d)
			}
		}
		all = append(all, h)
	}
	return all
}

// command reads what a button of an editor asks for: "up:0:2" is up at 0 and 2.
func command(do string) (what string, at []int) {
	parts := strings.Split(do, ":")
	for _, p := range parts[1:] {
		n, ok := number(p)
		if !ok || n < 0 {
			return "", nil
		}
		at = append(at, n)
	}
	return parts[0], at
}

// reshape does what a button of the editor asks for. What does not fit the
// form any more, such as a button that was pressed twice, does nothing.
func (d *rotationDraft) reshape(do string, now time.Time) {
	what, at := command(do)
	if what == "add-layer" {
		if len(d.Layers) < maxLayers {
			d.Layers = append(d.Layers, newLayer(now, d.Zone))
			d.nameLayers()
		}
		return
	}
	if len(at) == 0 || at[0] >= len(d.Layers) {
		return
	}
	l := &d.Layers[at[0]]
	switch {
	case what == "drop-layer" && len(d.Layers) > 1:
		d.Layers = slices.Delete(d.Layers, at[0], at[0]+1)
	case what == "add" && l.Add != "" && len(l.Members) < maxTurns:
		l.Members, l.Add = append(l.Members, l.Add), ""
	case what == "add-hours" && len(l.Hours) < maxHours:
		l.Hours = append(l.Hours, workingHours(len(l.Hours)))
	case what == "drop-hours" && len(at) == 2 && at[1] < len(l.Hours):
		l.Hours = slices.Delete(l.Hours, at[1], at[1]+1)
		l.Count = l.Count && len(l.Hours) > 0
	case len(at) == 2 && at[1] < len(l.Members):
		l.Members = rearranged(l.Members, what, at[1])
	}
}

// workingHours is what a new restriction begins as: the week's days, then its end.
func workingHours(there int) dutyHours {
	if there > 0 {
		return dutyHours{Days: []oncall.Weekday{oncall.Friday}, From: "17:00", Until: string(oncall.Monday), To: "09:00"}
	}
	return dutyHours{Days: oncall.Weekdays()[:5], From: "09:00", To: "17:00"}
}

// nameLayers gives layers that are not alone any more a name each.
func (d *rotationDraft) nameLayers() {
	for i := range d.Layers {
		if d.Layers[i].Name == "" {
			d.Layers[i].Name = phrase.T("settings.rotation.layer", i+1)
		}
	}
}

// rearranged moves the one at i up or down, or drops it.
func rearranged[T any](all []T, what string, i int) []T {
	switch {
	case what == "up" && i > 0:
		all[i-1], all[i] = all[i], all[i-1]
	case what == "down" && i+1 < len(all):
		all[i+1], all[i] = all[i], all[i+1]
	case what == "drop":
		return slices.Delete(all, i, i+1)
	}
	return all
}

// rotation is what the draft says, or what is wrong with it, by field.
func (d rotationDraft) rotation() (oncall.Rotation, fields) {
	errs := fields{}
	r := oncall.Rotation{ID: id.Rotation(d.ID), Name: d.Name, Team: id.Team(d.Team), Zone: d.Zone}
	errs.name("name", d.Name)
	errs.zone("zone", d.Zone)
	names := map[string]bool{}
	for i, l := range d.Layers {
		at := strconv.Itoa(i) + "."
		every, ok := number(l.Every)
		if !ok || every < 1 || every > oncall.MaxEvery {
			errs[at+"every"] = phrase.T("settings.error.range", 1, oncall.MaxEvery)
		}
		if !slices.Contains(units(), oncall.Unit(l.Unit)) {
			errs[at+"unit"] = phrase.T("settings.error.choose")
		}
		errs.clock(at+"handoff", l.Handoff)
		errs.date(at+"start", l.Start)
		if l.End != "" {
			errs.date(at+"end", l.End)
			if errs[at+"end"] == "" && l.End <= l.Start { // ISO dates compare as text
				errs[at+"end"] = phrase.T("settings.error.after_start")
			}
		}
		if names[l.Name] {
			errs[at+"name"] = phrase.T("settings.error.taken", l.Name)
		}
		names[l.Name] = true
		members := slices.Clone(l.Members)
		if l.Add != "" && len(members) < maxTurns { // chosen, and then saved without pressing "add"
			members = append(members, l.Add)
		}
		layer := oncall.Layer{
			Name: l.Name, Members: members, Every: every, Unit: oncall.Unit(l.Unit), HandoffAt: l.Handoff, Start: l.Start, End: l.End,
			Restrictions: l.restrictions(at, errs),
		}
		if l.Count && len(l.Hours) > 0 {
			layer.Count = oncall.CountShifts
			if layer.Unit != oncall.Days {
				errs[at+"count"] = phrase.T("oncall_web.hours.count.days")
			}
		}
		r.Layers = append(r.Layers, layer)
	}
	return r, errs
}

// restrictions are the hours of a layer; what is wrong with them goes to errs.
func (l layerDraft) restrictions(at string, errs fields) []oncall.Restriction {
	var all []oncall.Restriction
	for i, h := range l.Hours {
		at := at + "hours." + strconv.Itoa(i) + "."
		errs.clock(at+"from", h.From)
		errs.clock(at+"to", h.To)
		if h.Until != "" && !slices.Contains(oncall.Weekdays(), oncall.Weekday(h.Until)) {
			errs[at+"until"] = phrase.T("settings.error.choose")
		}
		if h.Until != "" && len(h.Days) != 1 {
			errs[at+"day"] = phrase.T("oncall_web.hours.one_day")
		}
		all = append(all, oncall.Restriction{Days: h.Days, From: h.From, Until: oncall.Weekday(h.Until), To: h.To})
	}
	return all
}

func units() []oncall.Unit {
	return []oncall.Unit{oncall.Hours, oncall.Days, oncall.Weeks, oncall.Months}
}

// form is the draft as the page draws it.
func (d rotationDraft) form(o *org.Org) view.RotationForm {
	f := view.RotationForm{
		ID: d.ID, Name: d.Name, Team: teamName(o, d.Team), Teams: teamOptions(o, d.Team), Zone: d.Zone, Zones: zones(),
	}
	for i, l := range d.Layers {
		form := view.LayerForm{
			Index: i, Alone: len(d.Layers) == 1, Name: l.Name, Every: l.Every, Unit: l.Unit, Handoff: l.Handoff, Start: l.Start, End: l.End,
		}
		for _, u := range l.Members {
			form.Members = append(form.Members, view.MemberForm{ID: string(u), Name: o.UserName(u)})
		}
		form.People = peopleToAdd(o, id.Team(d.Team), l)
		for _, unit := range units() {
			form.Units = append(form.Units, view.Option{
				Value: string(unit), Label: phrase.T("settings.rotation.unit." + string(unit)), Selected: l.Unit == string(unit),
			})
		}
		form.Hours, form.Count = hoursForms(l.Hours), l.Count
		f.Layers = append(f.Layers, form)
	}
	f.UsedBy = policiesUsing(o, id.Rotation(d.ID))
	return f
}

func teamName(o *org.Org, team string) string { return o.Teams[id.Team(team)].Name }

// peopleToAdd offers the team's members first, then everybody else.
func peopleToAdd(o *org.Org, team id.Team, l layerDraft) []view.Option {
	var own, others []view.Option
	for _, u := range org.Sorted(o.Users, byName) {
		if u.Disabled || u.Robot {
			continue
		}
		option := view.Option{Value: string(u.ID), Label: u.Name, Selected: u.ID == l.Add}
		if slices.Contains(o.Teams[team].Members, u.ID) {
			option.Group = o.Teams[team].Name
			own = append(own, option)
			continue
		}
		others = append(others, option)
	}
	if len(own) > 0 {
		for i := range others {
			others[i].Group = phrase.T("settings.everybody_else")
		}
	}
	return append(own, others...)
}

func policiesUsing(o *org.Org, r id.Rotation) []view.Link {
	var links []view.Link
	for _, p := range sortedPolicies(o) {
		for _, step := range p.Steps {
			if slices.ContainsFunc(step.Targets, pagesRotation(r)) {
				links = append(links, view.Link{Label: p.Name, Href: policiesPath + "/" + string(p.ID)})
				break
			}
		}
	}
	return links
}
