package web

import (
	"net/http"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const awayPath = onCallPath + "/away"

// showAway is who is away and what that leaves uncovered, and who asks whom to swap.
func (s *Server) showAway(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("oncall_web.tab.away"), "oncall")
	if err != nil {
		return err
	}
	actor, now, loc := actorOf(r), s.Now(), page.Viewer.Zone
	v := view.Away{Page: page, Tabs: onCallTabs(o, actor, now, "away"), CanAct: actor.May(people.Respond), Self: awayPath}
	found := conflicts(o, now)
	for _, a := range sortedAbsences(o) {
		if !a.End.After(now) {
			continue
		}
		row := view.AbsenceRow{
			ID: string(a.ID), Name: o.UserName(a.User), Note: a.Note, When: period(a.Start, a.End, loc), Now: !a.Start.After(now),
			CanRemove: v.CanAct && (a.User == actor.User || actor.May(people.Manage)),
		}
		for _, c := range found {
			if c.absence.ID != a.ID {
				continue
			}
			x := view.ConflictRow{Rotation: c.rotation.Name, When: period(c.from, c.to, loc)}
			if v.CanAct {
				x.Href = coverHref(c.rotation.ID, a.User, c.from, c.to, awayPath)
			}
			row.Conflicts = append(row.Conflicts, x)
		}
		v.Absences = append(v.Absences, row)
	}
	for _, x := range swapsFor(o, actor.User, now) {
		v.ForMe = append(v.ForMe, swapRow(o, x, loc))
	}
	for _, x := range sortedSwaps(o) {
		switch {
		case x.State == oncall.SwapAsked && x.From == actor.User && x.End.After(now):
			v.Mine = append(v.Mine, swapRow(o, x, loc))
		case x.State != oncall.SwapAsked && x.At.After(now.Add(-recently)):
			v.Recent = append(v.Recent, swapRow(o, x, loc))
		}
	}
	return draw(w, r, http.StatusOK, view.AwayPage(v))
}

// recently is how long an answered request is still shown.
const recently = 30 * day

// sortedAbsences lists all absences by their beginning.
func sortedAbsences(o *org.Org) []oncall.Absence {
	return org.Sorted(o.Absences, func(a oncall.Absence) string { return a.Start.UTC().Format(time.RFC3339) + string(a.ID) })
}

func (s *Server) showNewAbsence(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	actor := actorOf(r)
	loc := o.Users[actor.User].Location()
	tomorrow := midnight(dateOf(s.Now(), loc), 1, loc)
	return s.absencePage(w, r, http.StatusOK, o, oncall.Absence{User: actor.User, Start: tomorrow, End: tomorrow.Add(7 * day)}, nil, "")
}

func (s *Server) absencePage(w http.ResponseWriter, r *http.Request, status int, o *org.Org, a oncall.Absence, errs fields, wrong string) error {
	d, err := s.dialog(w, r, o, phrase.T("oncall_web.away.title"))
	if err != nil {
		return err
	}
	loc := d.Page.Viewer.Zone
	f := view.AbsenceForm{Dialogue: d, From: typed(a.Start, loc), Until: typed(a.End, loc), Note: a.Note, Zone: loc.String(), Errors: errs, Error: wrong}
	for name, field := range map[string]*string{"from": &f.From, "until": &f.Until} {
		if errs[name] != "" {
			*field = text(r, name)
		}
	}
	if actorOf(r).May(people.Manage) {
		f.People = peopleOptions(o, string(a.User))
	}
	return draw(w, r, status, view.AbsencePage(f))
}

func (s *Server) addAbsence(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	actor := actorOf(r)
	loc := o.Users[actor.User].Location()
	errs := fields{}
	a := oncall.Absence{User: id.User(text(r, "user")), Start: errs.instant(r, "from", loc, true), End: errs.instant(r, "until", loc, true), Note: text(r, "note")}
	if a.User == "" {
		a.User = actor.User
	}
	if errs["from"] == "" && errs["until"] == "" && !a.End.After(a.Start) {
		errs["until"] = phrase.T("oncall_web.until.before")
	}
	if len(errs) > 0 {
		return s.absencePage(w, r, http.StatusUnprocessableEntity, o, a, errs, "")
	}
	made, err := s.Dispatch.AddAbsence(r.Context(), actor, a)
	if sentence, ok := refusal(err); ok {
		return s.absencePage(w, r, http.StatusUnprocessableEntity, o, a, nil, sentence)
	}
	if err != nil {
		return err
	}
	message := view.Flash{Tone: "ok", Text: phrase.T("oncall_web.away.added")}
	if o, err = s.organisation(r.Context()); err == nil {
		uncovered := 0
		for _, c := range conflicts(o, s.Now()) {
			if c.absence.ID == made.ID {
				uncovered++
			}
		}
		if uncovered > 0 {
			message = view.Flash{Tone: "warning", Text: phrase.N("oncall_web.away.uncovered", uncovered)}
		}
	}
	s.flash(w, message)
	return redirect(w, r, awayPath)
}

func (s *Server) removeAbsence(w http.ResponseWriter, r *http.Request) error {
	err := s.Dispatch.RemoveAbsence(r.Context(), actorOf(r), id.Absence(r.PathValue("id")))
	return s.acted(w, r, err, phrase.T("oncall_web.away.removed"))
}
