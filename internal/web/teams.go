package web

import (
	"net/http"
	"slices"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const teamsPath = "/settings/teams"

func (s *Server) teamRoutes() []Route {
	return []Route{
		{"GET /settings/teams", people.Read, s.showTeams},
		{"POST /settings/teams", people.Manage, s.saveTeam},
		{"GET /settings/teams/new", people.Manage, s.showNewTeam},
		{"GET /settings/teams/{id}", people.Read, s.showTeam},
		{"POST /settings/teams/{id}", people.Manage, s.saveTeam},
		{"POST /settings/teams/{id}/delete", people.Manage, s.deleteTeam},
	}
}

func sortedTeams(o *org.Org) []people.Team {
	return org.Sorted(o.Teams, func(t people.Team) string { return t.Name })
}

func sortedRotations(o *org.Org) []oncall.Rotation {
	return org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name })
}

func sortedPolicies(o *org.Org) []escalation.Policy {
	return org.Sorted(o.Policies, func(p escalation.Policy) string { return p.Name })
}

// teamOptions offers the teams as owners; the first choice is none.
func teamOptions(o *org.Org, chosen string) []view.Option {
	options := []view.Option{{Value: "", Label: phrase.T("settings.no_team"), Selected: chosen == ""}}
	for _, t := range sortedTeams(o) {
		options = append(options, view.Option{Value: string(t.ID), Label: t.Name, Selected: string(t.ID) == chosen})
	}
	return options
}

// teamHas lists what a team owns.
func teamHas(o *org.Org, t id.Team) (rotations, policies []view.Link) {
	for _, r := range sortedRotations(o) {
		if r.Team == t {
			rotations = append(rotations, view.Link{Label: r.Name, Href: rotationsPath + "/" + string(r.ID)})
		}
	}
	for _, p := range sortedPolicies(o) {
		if p.Team == t {
			policies = append(policies, view.Link{Label: p.Name, Href: policiesPath + "/" + string(p.ID)})
		}
	}
	return rotations, policies
}

func (s *Server) showTeams(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("settings.nav.teams"))
	if err != nil {
		return err
	}
	v := view.TeamList{Page: page}
	for _, t := range sortedTeams(o) {
		rotations, policies := teamHas(o, t.ID)
		row := view.TeamRow{Name: t.Name, Slug: t.Slug, Href: teamsPath + "/" + string(t.ID), Rotations: len(rotations), Policies: len(policies)}
		for _, u := range t.Members {
			row.Members = append(row.Members, o.UserName(u))
		}
		v.Rows = append(v.Rows, row)
	}
	return draw(w, r, http.StatusOK, view.TeamsPage(v))
}

func (s *Server) showNewTeam(w http.ResponseWriter, r *http.Request) error {
	return s.teamPage(w, r, http.StatusOK, people.Team{}, view.TeamForm{})
}

func (s *Server) showTeam(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	t, ok := o.Teams[id.Team(r.PathValue("id"))]
	if !ok {
		return fault.NotFound(phrase.T("settings.team.gone"))
	}
	return s.teamPage(w, r, http.StatusOK, t, view.TeamForm{})
}

// teamPage draws t, which is as typed when the form comes back.
func (s *Server) teamPage(w http.ResponseWriter, r *http.Request, status int, t people.Team, f view.TeamForm) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	title := phrase.T("settings.team.new")
	if t.ID != "" {
		title = o.Teams[t.ID].Name
	}
	if f.Page, err = s.settingsPage(w, r, o, title); err != nil {
		return err
	}
	f.ID, f.Name, f.Slug = string(t.ID), t.Name, t.Slug
	for _, u := range org.Sorted(o.Users, byName) {
		member := slices.Contains(t.Members, u.ID)
		if member {
			f.Members = append(f.Members, view.UserRow{Name: u.Name, Href: peoplePath + "/" + string(u.ID)})
		}
		if member || !u.Disabled && !u.Robot {
			f.People = append(f.People, view.Option{Value: string(u.ID), Label: u.Name, Selected: member})
		}
	}
	f.Rotations, f.Policies = teamHas(o, t.ID)
	return draw(w, r, status, view.TeamPage(f))
}

// saveTeam makes a team, or changes the one in the address.
func (s *Server) saveTeam(w http.ResponseWriter, r *http.Request) error {
	t := people.Team{ID: id.Team(r.PathValue("id")), Name: text(r, "name"), Slug: text(r, "slug")}
	for _, u := range r.PostForm["member"] {
		t.Members = append(t.Members, id.User(u))
	}
	errs := fields{}
	errs.name("name", t.Name)
	errs.slug("slug", t.Slug, t.Name)
	if len(errs) > 0 {
		return s.teamPage(w, r, http.StatusUnprocessableEntity, t, view.TeamForm{Errors: errs})
	}
	saved, err := s.putTeam(r, t)
	if status, _, ok := shown(err); ok {
		var f view.TeamForm
		f.Errors, f.Error = place(err, "name", "slug")
		return s.teamPage(w, r, status, t, f)
	}
	if err != nil {
		return err
	}
	message := phrase.T("settings.saved")
	if t.ID == "" {
		message = phrase.T("settings.team.created", saved.Name)
	}
	return s.done(w, r, teamsPath, message)
}

func (s *Server) putTeam(r *http.Request, t people.Team) (people.Team, error) {
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		if t.Slug == "" {
			t.Slug = id.Slug(t.Name)
		}
		if other, taken := o.TeamBySlug(t.Slug); taken && other.ID != t.ID {
			return nil, fault.Invalid("slug", phrase.T("settings.error.taken", t.Slug))
		}
		put := t
		if t.ID == "" {
			put.ID = id.Team(id.New())
		} else if _, ok := o.Teams[t.ID]; !ok {
			return nil, fault.NotFound(phrase.T("settings.team.gone"))
		}
		return []org.Change{org.Put(put)}, nil
	})
	return t, err
}

func (s *Server) deleteTeam(w http.ResponseWriter, r *http.Request) error {
	err := s.remove(r, org.TeamKind)
	return s.did(w, r, err, teamsPath, teamsPath+"/"+r.PathValue("id"), phrase.T("settings.deleted"))
}

// remove deletes the object of a kind that the address names.
func (s *Server) remove(r *http.Request, kind org.Kind) error {
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		if _, ok := o.Get(kind, r.PathValue("id")); !ok {
			return nil, fault.NotFound(phrase.T("settings.gone"))
		}
		return []org.Change{org.Remove(kind, r.PathValue("id"))}, nil
	})
	return err
}
