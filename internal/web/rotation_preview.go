package web

import (
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// shiftForm is how the preview writes an instant.
const shiftForm = "Mon 2 Jan 15:04"

// previewed is how many hand-overs the preview shows.
const previewed = 6

// rotationPreview computes what a rotation as typed would do. A draft without
// a name is no problem yet; anything else that is wrong is said.
func (s *Server) rotationPreview(o *org.Org, d rotationDraft, own *time.Location) view.RotationPreview {
	if d.Name == "" {
		d.Name = phrase.T("settings.rotation.new")
	}
	rota, errs := d.rotation()
	if len(errs) > 0 {
		return view.RotationPreview{Problem: phrase.T("settings.rotation.preview.wait")}
	}
	schedule, err := rota.Compile()
	if err != nil {
		return view.RotationPreview{Problem: err.Error()}
	}
	if len(turns(rota)) == 0 {
		return view.RotationPreview{Problem: phrase.T("settings.rotation.preview.add")}
	}
	loc, err := time.LoadLocation(rota.Zone)
	if err != nil { // Compile has loaded it
		return view.RotationPreview{Problem: err.Error()}
	}
	if own == nil {
		own = time.UTC
	}
	now := s.Now()
	p := view.RotationPreview{Zone: rota.Zone}
	if own.String() != rota.Zone {
		p.Mine = own.String()
	}
	shift := func(x oncall.Shift) view.PreviewShift {
		out := view.PreviewShift{Name: o.UserName(x.User), At: x.Start, From: x.Start.In(loc).Format(shiftForm + " MST")}
		if len(rota.Layers) > 1 {
			out.Layer = x.LayerName
		}
		if mine := x.Start.In(own); p.Mine != "" {
			out.Own = phrase.T("settings.rotation.preview.yours", mine.Format(shiftForm))
		}
		if !x.End.IsZero() {
			out.Until = x.End.In(own).Format(shiftForm)
		}
		return out
	}
	for _, x := range schedule.OnCall(now) {
		p.Now = append(p.Now, shift(x))
	}
	for _, x := range schedule.Next(now, previewed) {
		p.Next = append(p.Next, shift(x))
	}
	after := oncall.Final(schedule, overridesOf(o, rota.ID))
	if before := o.Schedule(rota.ID); before != nil {
		p.Compared = true
		p.Changes = comparison(o, oncall.Compare(before, after, now, now.Add(comparedFor)), own)
		p.Changes.Same = phrase.T("oncall_web.preview.same", int(comparedFor/(7*day)))
	}
	p.Clocks = clockNotes(o, after, rota.Zone, loc, now)
	return p
}

// comparedFor is how far ahead the preview adds up who gains and who loses.
const comparedFor = 28 * day

// clockNotes says what the next two changes of the clocks do to a rota.
func clockNotes(o *org.Org, plan oncall.Plan, zone string, loc *time.Location, now time.Time) []view.ClockNote {
	changes, err := oncall.ZoneChanges(zone, now, 2)
	if err != nil { // Compile has loaded the zone
		return nil
	}
	var all []view.ClockNote
	for _, c := range changes {
		note := view.ClockNote{Title: clockSentence(c, zone)}
		near := oncall.NearChange(plan, c)
		for _, s := range near.Shifts {
			if s.Lasts != s.Clock {
				note.Lines = append(note.Lines, phrase.T("oncall_web.clocks.shift", o.UserName(s.User), period(s.Start, s.End, loc), lasting(s.Lasts), lasting(s.Clock)))
			}
		}
		for _, h := range near.HandOvers {
			note.Lines = append(note.Lines, phrase.T("oncall_web.clocks.handover", h.At.In(loc).Format(shiftForm+" MST"), orNobody(o, h.From), orNobody(o, h.To)))
		}
		if len(note.Lines) == 0 {
			note.Lines = []string{phrase.T("oncall_web.clocks.nothing")}
		}
		all = append(all, note)
	}
	return all
}

func orNobody(o *org.Org, u id.User) string {
	if u == "" {
		return phrase.T("calendar.nobody")
	}
	return o.UserName(u)
}

// hoursForms are the restrictions of a layer as the page draws them.
func hoursForms(all []dutyHours) []view.HoursField {
	var forms []view.HoursField
	for i, h := range all {
		f := view.HoursField{Index: i, From: h.From, To: h.To, Until: []view.Option{{Value: "", Label: phrase.T("oncall_web.hours.until.none"), Selected: h.Until == ""}}}
		var days []string
		for _, d := range oncall.Weekdays() {
			name, on := phrase.T("oncall_web.day."+string(d)), slices.Contains(h.Days, d)
			f.Days = append(f.Days, view.Option{Value: string(d), Label: name, Hint: phrase.T("oncall_web.weekday." + string(d)), Selected: on})
			f.Until = append(f.Until, view.Option{Value: string(d), Label: phrase.T("oncall_web.weekday." + string(d)), Selected: h.Until == string(d)})
			if on {
				days = append(days, name)
			}
		}
		if len(days) == 0 || len(days) == len(f.Days) {
			days = []string{phrase.T("oncall_web.hours.every_day")}
		}
		f.Text = strings.Join(days, ", ") + " " + h.From + " – "
		if h.Until != "" {
			f.Text += phrase.T("oncall_web.day."+h.Until) + " "
		}
		f.Text += h.To
		forms = append(forms, f)
	}
	return forms
}
