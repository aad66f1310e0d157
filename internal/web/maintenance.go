package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const maintenancePath = "/settings/maintenance"

const (
	pastShown    = 20
	mutedCounted = 1000
)

func (s *Server) maintenanceRoutes() []Route {
	return []Route{
		{"GET /settings/maintenance", people.Read, s.showMaintenance},
		{"POST /settings/maintenance", people.Manage, s.startMaintenance},
		{"POST /settings/maintenance/{id}/end", people.Manage, s.endMaintenance},
	}
}

func (s *Server) showMaintenance(w http.ResponseWriter, r *http.Request) error {
	return s.maintenancePage(w, r, http.StatusOK, view.MaintenanceForm{}, nil)
}

// maintenancePage draws the windows and the form, as typed when it comes back.
func (s *Server) maintenancePage(w http.ResponseWriter, r *http.Request, status int, f view.MaintenanceForm, teams []string) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("maintenance_web.title"))
	if err != nil {
		return err
	}
	now, err := s.Store.Now(r.Context())
	if err != nil {
		return err
	}
	muted, err := s.Store.Muted(r.Context(), mutedCounted)
	if err != nil {
		return err
	}
	l := view.MaintenanceList{Page: page, Muted: len(muted), Zone: zoneOf(o, r).String(), Form: f}
	for _, t := range sortedTeams(o) {
		l.Form.Teams = append(l.Form.Teams, view.Option{Value: string(t.ID), Label: t.Name, Selected: slices.Contains(teams, string(t.ID))})
	}
	for _, m := range windowsByStart(o) {
		row := view.MaintenanceRow{
			ID: string(m.ID), Name: m.Name, Scope: m.Scope(o.TeamName), Note: m.Note, Start: m.Start, End: m.Over(), Early: m.Over().Before(m.End),
		}
		if m.By != "" {
			row.By = o.UserName(m.By)
		}
		switch {
		case m.ActiveAt(now):
			l.Running = append(l.Running, row)
		case now.Before(m.Start):
			l.Planned = append(l.Planned, row)
		case len(l.Past) < pastShown:
			l.Past = append(l.Past, row)
		}
	}
	slices.Reverse(l.Planned) // the next one first
	return draw(w, r, status, view.MaintenancePage(l))
}

// windowsByStart are all windows, the latest first.
func windowsByStart(o *org.Org) []maintenance.Window {
	all := org.Sorted(o.Maintenance, func(m maintenance.Window) string { return string(m.ID) })
	slices.SortStableFunc(all, func(a, b maintenance.Window) int { return b.Start.Compare(a.Start) })
	return all
}

// zoneOf is where whoever asks lives.
func zoneOf(o *org.Org, r *http.Request) *time.Location { return o.Users[actorOf(r).User].Location() }

func (s *Server) startMaintenance(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	f := view.MaintenanceForm{
		Name: text(r, "name"), Keys: text(r, "keys"), Entities: text(r, "entities"), Start: text(r, "start"), End: text(r, "end"), Note: text(r, "note"),
	}
	errs := fields{}
	errs.name("name", f.Name)
	m := maintenance.Window{
		Name: f.Name, Note: f.Note, RoutingKeys: patterns(f.Keys), Entities: patterns(f.Entities),
		Start: errs.instant(r, "start", zoneOf(o, r), false), End: errs.instant(r, "end", zoneOf(o, r), true),
	}
	teams := r.PostForm["team"]
	for _, t := range teams {
		m.Teams = append(m.Teams, id.Team(t))
	}
	if len(m.RoutingKeys)+len(m.Entities)+len(m.Teams) == 0 {
		errs["keys"] = phrase.T("maintenance_web.for_what")
	}
	if f.Errors = errs; len(errs) > 0 {
		return s.maintenancePage(w, r, http.StatusUnprocessableEntity, f, teams)
	}
	made, err := s.Dispatch.StartMaintenance(r.Context(), actorOf(r), m)
	if status, _, ok := shown(err); ok {
		f.Errors, f.Error = place(err, "end", "teams")
		return s.maintenancePage(w, r, status, f, teams)
	}
	if err != nil {
		return err
	}
	message := phrase.T("maintenance_web.started", made.Name)
	if made.Started.IsZero() {
		message = phrase.T("maintenance_web.planned_done", made.Name)
	}
	return s.done(w, r, maintenancePath, message)
}

// patterns are what stands between commas.
func patterns(text string) []string {
	var all []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

func (s *Server) endMaintenance(w http.ResponseWriter, r *http.Request) error {
	err := s.Dispatch.EndMaintenance(r.Context(), actorOf(r), maintenance.ID(r.PathValue("id")))
	return s.did(w, r, err, maintenancePath, maintenancePath, phrase.T("maintenance_web.ended"))
}
