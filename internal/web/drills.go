package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/web/view"
)

const drillsPath = "/settings/drills"

const drillsShown = 50

func (s *Server) drillRoutes() []Route {
	return []Route{
		{"GET /settings/drills", people.Read, s.showDrills},
		{"POST /settings/drills", people.Respond, s.planDrill},
		{"GET /settings/drills/{id}", people.Read, s.showDrill},
		{"POST /settings/drills/{id}/end", people.Respond, s.endDrill},
		{"GET /drill/{token}", "", secretPage(s.showDrillLink)},
		{"POST /drill/{token}", "", secretPage(s.answerDrillLink)},
	}
}

func (s *Server) showDrills(w http.ResponseWriter, r *http.Request) error {
	return s.drillsPage(w, r, http.StatusOK, view.DrillForm{})
}

func (s *Server) drillsPage(w http.ResponseWriter, r *http.Request, status int, f view.DrillForm) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("drills.title"))
	if err != nil {
		return err
	}
	l := view.DrillList{Page: page, Zone: zoneOf(o, r).String(), Form: f}
	for _, t := range sortedTeams(o) {
		if mayDrill(t, actorOf(r)) {
			l.Teams = append(l.Teams, view.Option{Value: string(t.ID), Label: t.Name, Selected: string(t.ID) == text(r, "team")})
		}
	}
	all := org.Sorted(o.Drills, func(d org.Drill) string { return string(d.ID) })
	slices.SortStableFunc(all, func(a, b org.Drill) int { return b.At.Compare(a.At) })
	for _, d := range all[:min(len(all), drillsShown)] {
		row, _, err := s.drillRow(r, o, d)
		if err != nil {
			return err
		}
		l.Rows = append(l.Rows, row)
	}
	unproven, err := s.Dispatch.UnprovenContacts(r.Context(), "")
	if err != nil {
		return err
	}
	for _, u := range unproven {
		l.Unproven = append(l.Unproven, view.UnprovenRow{
			Name: u.Name, Href: peoplePath + "/" + string(u.User), Method: u.Contact.Method.Words(), Shown: u.Contact.Shown(), LastAt: u.LastAt,
		})
	}
	return draw(w, r, status, view.DrillsPage(l))
}

// mayDrill is the rule of dispatch, so that nobody is offered what is refused.
func mayDrill(t people.Team, a people.Actor) bool {
	return a.May(people.Manage) || a.May(people.Respond) && slices.Contains(t.Members, a.User)
}

// drillRow is a drill in short, and its results.
func (s *Server) drillRow(r *http.Request, o *org.Org, d org.Drill) (view.DrillRow, []dispatch.DrillResult, error) {
	row := view.DrillRow{ID: string(d.ID), Name: dispatch.DrillName(o, d), Team: o.TeamName(d.Team), At: d.At, State: drillState(d)}
	if d.Started.IsZero() {
		return row, nil, nil
	}
	results, err := s.Dispatch.DrillResults(r.Context(), d)
	asked, answered := map[id.User]bool{}, map[id.User]bool{}
	for _, res := range results {
		asked[res.User] = true
		if res.Answered >= 0 {
			answered[res.User] = true
		}
	}
	row.Asked, row.Answered = len(asked), len(answered)
	return row, results, err
}

func drillState(d org.Drill) string {
	switch {
	case d.Started.IsZero():
		return "planned"
	case d.Ended.IsZero():
		return "running"
	}
	return "over"
}

func (s *Server) showDrill(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	d, ok := o.Drills[id.Drill(r.PathValue("id"))]
	if !ok {
		return fault.NotFound(phrase.T("drills.gone"))
	}
	page, err := s.settingsPage(w, r, o, dispatch.DrillName(o, d))
	if err != nil {
		return err
	}
	m := view.DrillPageModel{Page: page, Until: d.Until, MayEnd: d.Ended.IsZero() && mayDrill(o.Teams[d.Team], actorOf(r))}
	if d.By != "" {
		m.By = o.UserName(d.By)
	}
	row, results, err := s.drillRow(r, o, d)
	if err != nil {
		return err
	}
	m.Drill = row
	for _, res := range results {
		m.Results = append(m.Results, view.DrillResultRow{
			Name: res.Name, Method: res.Method.Words(), Shown: res.Shown, State: string(res.State), Detail: res.Detail,
			SentAt: res.SentAt, Arrived: tookText(res.Arrived), Answered: tookText(res.Answered),
		})
	}
	return draw(w, r, http.StatusOK, view.DrillPage(m))
}

// tookText is how long something took, to the second; "" when it has not happened.
func tookText(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Minute:
		return phrase.T("drills.seconds", int(d.Seconds()))
	}
	return phrase.T("drills.minutes", int(d/time.Minute), int(d%time.Minute/time.Second))
}

func (s *Server) planDrill(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	f, errs := view.DrillForm{Note: text(r, "note"), At: text(r, "at")}, fields{}
	d := org.Drill{Team: id.Team(text(r, "team")), Note: f.Note, At: errs.instant(r, "at", zoneOf(o, r), false)}
	errs.need("team", string(d.Team))
	if f.Errors = errs; len(errs) > 0 {
		return s.drillsPage(w, r, http.StatusUnprocessableEntity, f)
	}
	made, err := s.Dispatch.PlanDrill(r.Context(), actorOf(r), d)
	if status, _, ok := shown(err); ok {
		f.Errors, f.Error = place(err, "team")
		return s.drillsPage(w, r, status, f)
	}
	if err != nil {
		return err
	}
	message := phrase.T("drills.planned")
	if !made.Started.IsZero() {
		message = phrase.T("drills.started")
	}
	return s.done(w, r, drillsPath+"/"+string(made.ID), message)
}

func (s *Server) endDrill(w http.ResponseWriter, r *http.Request) error {
	err := s.Dispatch.EndDrill(r.Context(), actorOf(r), id.Drill(r.PathValue("id")))
	return s.did(w, r, err, drillsPath, drillsPath, phrase.T("drills.ended"))
}

// showDrillLink asks. It changes nothing: mail programs open links by themselves.
func (s *Server) showDrillLink(w http.ResponseWriter, r *http.Request) error {
	del, d, err := s.Dispatch.FindDrillPage(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	return s.drillLinkPage(w, r, del, d)
}

// answerDrillLink takes the answer; who has the link needs no sign-in.
func (s *Server) answerDrillLink(w http.ResponseWriter, r *http.Request) error {
	del, d, err := s.Dispatch.AnswerDrill(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	return s.drillLinkPage(w, r, del, d)
}

func (s *Server) drillLinkPage(w http.ResponseWriter, r *http.Request, del store.Delivery, d org.Drill) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	name := dispatch.DrillName(o, d)
	a := view.DrillAnswer{
		Page: s.publicPage(w, r, o, phrase.T("drills.link.title")), Token: r.PathValue("token"), Drill: name,
		Answered: del.State == store.Answered, Over: !d.Ended.IsZero() || d.ID == "",
	}
	return draw(w, r, http.StatusOK, view.DrillAnswerPage(a))
}
