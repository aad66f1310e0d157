package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const peoplePath = "/settings/people"

func (s *Server) peopleRoutes() []Route {
	return []Route{
		{"GET /settings/people", people.Read, s.showPeople},
		{"GET /settings/people/invite", people.Manage, s.showInvitePerson},
		{"POST /settings/people/invite", people.Manage, unkept(s.invitePerson)},
		{"GET /settings/people/{id}", people.Read, s.showPerson},
		{"POST /settings/people/{id}", people.Manage, s.savePerson},
		{"POST /settings/people/{id}/invite", people.Manage, unkept(s.reinvite)},
		{"POST /settings/people/{id}/disable", people.Manage, s.switchPerson(true)},
		{"POST /settings/people/{id}/enable", people.Manage, s.switchPerson(false)},
	}
}

func byName(u people.User) string { return u.Name }

func (s *Server) showPeople(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("settings.nav.people"))
	if err != nil {
		return err
	}
	v := view.PeopleList{Page: page, Text: text(r, "q"), Role: text(r, "role"), State: text(r, "state")}
	for _, u := range org.Sorted(o.Users, byName) {
		if u.Robot || v.Role != "" && v.Role != string(u.Role) || !mentions(u, v.Text) {
			continue
		}
		row, err := s.userRow(r.Context(), o, u, actorOf(r).User)
		if err != nil {
			return err
		}
		if v.State == "" || v.State == row.State {
			v.Rows = append(v.Rows, row)
		}
	}
	return draw(w, r, http.StatusOK, view.PeoplePage(v))
}

// mentions reports whether every word of a search is somewhere in what u is called.
func mentions(u people.User, search string) bool {
	called := strings.ToLower(u.Name + " " + u.Username + " " + u.Email)
	for word := range strings.FieldsSeq(strings.ToLower(search)) {
		if !strings.Contains(called, strings.TrimPrefix(word, "@")) {
			return false
		}
	}
	return true
}

func (s *Server) userRow(ctx context.Context, o *org.Org, u people.User, viewer id.User) (view.UserRow, error) {
	row := view.UserRow{
		Href: peoplePath + "/" + string(u.ID), Name: u.Name, Username: u.Username, Email: u.Email, Role: string(u.Role),
		State: "active", You: u.ID == viewer,
	}
	for _, t := range org.Sorted(o.Teams, func(t people.Team) string { return t.Name }) {
		if slices.Contains(t.Members, u.ID) {
			row.Teams = append(row.Teams, t.Name)
		}
	}
	if u.Disabled {
		row.State = "disabled"
		return row, nil
	}
	if !u.Reachable() {
		row.Warning = phrase.T("settings.people.unreachable")
	}
	joined, err := s.Accounts.HasPassword(ctx, u.ID)
	if err != nil {
		return row, err
	}
	if !joined {
		row.State = "invited"
	}
	return row, nil
}

func (s *Server) showInvitePerson(w http.ResponseWriter, r *http.Request) error {
	return s.inviteForm(w, r, http.StatusOK, view.PersonForm{Role: string(people.Member)}, nil)
}

func (s *Server) inviteForm(w http.ResponseWriter, r *http.Request, status int, f view.PersonForm, teams []string) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	if f.Page, err = s.settingsPage(w, r, o, phrase.T("settings.people.invite")); err != nil {
		return err
	}
	if f.Zone == "" {
		f.Zone = o.Users[actorOf(r).User].Zone
	}
	f.New, f.Mail, f.Zones = true, s.MailConfigured, zones()
	for _, t := range org.Sorted(o.Teams, func(t people.Team) string { return t.Name }) {
		f.Teams = append(f.Teams, view.Option{Value: string(t.ID), Label: t.Name, Selected: slices.Contains(teams, string(t.ID))})
	}
	return draw(w, r, status, view.InvitePersonPage(f))
}

// personForm reads what was typed about a person and checks it.
func personForm(r *http.Request) (view.PersonForm, fields) {
	f := view.PersonForm{
		Name: text(r, "name"), Username: strings.ToLower(text(r, "username")), Email: text(r, "email"),
		Role: text(r, "role"), Zone: text(r, "zone"),
	}
	errs := fields{}
	errs.name("name", f.Name)
	errs.email("email", f.Email)
	errs.zone("zone", f.Zone)
	if !slices.Contains(people.Roles, people.Role(f.Role)) {
		errs["role"] = phrase.T("settings.error.choose")
	}
	return f, errs
}

func (s *Server) invitePerson(w http.ResponseWriter, r *http.Request) error {
	f, errs := personForm(r)
	if f.Username != "" {
		errs.username("username", f.Username)
	}
	teams := r.PostForm["team"]
	if len(errs) > 0 {
		f.Errors = errs
		return s.inviteForm(w, r, http.StatusUnprocessableEntity, f, teams)
	}
	invitation := account.Invitation{Name: f.Name, Username: f.Username, Email: f.Email, Zone: f.Zone, Role: people.Role(f.Role)}
	for _, t := range teams {
		invitation.Teams = append(invitation.Teams, id.Team(t))
	}
	user, link, err := s.Accounts.Invite(r.Context(), actorOf(r), invitation)
	if status, _, ok := shown(err); ok {
		f.Errors, f.Error = place(err, "name", "username", "email", "zone", "role")
		return s.inviteForm(w, r, status, f, teams)
	}
	if err != nil {
		return err
	}
	return s.personPage(w, r, http.StatusOK, user.ID, func(v *view.Person) { v.Link = link })
}

func (s *Server) showPerson(w http.ResponseWriter, r *http.Request) error {
	return s.personPage(w, r, http.StatusOK, id.User(r.PathValue("id")), nil)
}

func (s *Server) personPage(w http.ResponseWriter, r *http.Request, status int, who id.User, edit func(*view.Person)) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	user, ok := o.Users[who]
	if !ok {
		return fault.NotFound(phrase.T("settings.people.gone"))
	}
	page, err := s.settingsPage(w, r, o, user.Name)
	if err != nil {
		return err
	}
	row, err := s.userRow(r.Context(), o, user, actorOf(r).User)
	if err != nil {
		return err
	}
	v := view.Person{
		Page: page, ID: string(user.ID), User: row, Zone: user.Zone, Contacts: contactRows(peoplePath+"/"+string(user.ID), user.Contacts), Mail: s.MailConfigured,
		Last: user.Role == people.Admin && admins(o) == 1,
		Form: view.PersonForm{Name: user.Name, Username: user.Username, Email: user.Email, Role: string(user.Role), Zone: user.Zone, Zones: zones()},
	}
	for _, t := range org.Sorted(o.Teams, func(t people.Team) string { return t.Name }) {
		if slices.Contains(t.Members, user.ID) {
			v.TeamList = append(v.TeamList, view.Link{Label: t.Name, Href: "/settings/teams/" + string(t.ID)})
		}
	}
	for _, rota := range org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		for _, l := range rota.Layers {
			if slices.Contains(l.Members, user.ID) {
				v.Rotas = append(v.Rotas, view.Link{Label: rota.Name, Href: "/settings/rotations/" + string(rota.ID)})
				break
			}
		}
	}
	if actorOf(r).May(people.Manage) {
		if v.Factor, err = s.Accounts.HasFactor(r.Context(), user.ID); err != nil {
			return err
		}
	}
	if edit != nil {
		edit(&v)
	}
	return draw(w, r, status, view.PersonPage(v))
}

func admins(o *org.Org) int {
	n := 0
	for _, u := range o.Users {
		if u.Role == people.Admin && !u.Disabled {
			n++
		}
	}
	return n
}

func (s *Server) savePerson(w http.ResponseWriter, r *http.Request) error {
	who := id.User(r.PathValue("id"))
	f, errs := personForm(r)
	errs.username("username", f.Username)
	again := func(status int) error {
		return s.personPage(w, r, status, who, func(v *view.Person) {
			f.Zones = v.Form.Zones
			v.Form = f
		})
	}
	if len(errs) > 0 {
		f.Errors = errs
		return again(http.StatusUnprocessableEntity)
	}
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		u, ok := o.Users[who]
		if !ok {
			return nil, fault.NotFound(phrase.T("settings.people.gone"))
		}
		u.Name, u.Username, u.Email, u.Role, u.Zone = f.Name, f.Username, f.Email, people.Role(f.Role), f.Zone
		return []org.Change{org.Put(u)}, nil
	})
	if status, _, ok := shown(err); ok {
		f.Errors, f.Error = place(err, "username", "email", "zone", "role")
		return again(status)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, peoplePath+"/"+string(who), phrase.T("settings.saved"))
}

func (s *Server) reinvite(w http.ResponseWriter, r *http.Request) error {
	who := id.User(r.PathValue("id"))
	link, err := s.Accounts.Reinvite(r.Context(), actorOf(r), who)
	if _, message, ok := shown(err); ok {
		s.flash(w, view.Flash{Tone: "critical", Text: message})
		return redirect(w, r, peoplePath+"/"+string(who))
	}
	if err != nil {
		return err
	}
	return s.personPage(w, r, http.StatusOK, who, func(v *view.Person) { v.Link = link })
}

func (s *Server) switchPerson(disabled bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		who := id.User(r.PathValue("id"))
		name := ""
		_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
			u, ok := o.Users[who]
			if !ok {
				return nil, fault.NotFound(phrase.T("settings.people.gone"))
			}
			u.Disabled, name = disabled, u.Name
			return []org.Change{org.Put(u)}, nil
		})
		message := phrase.T("settings.people.enabled", name)
		if disabled {
			message = phrase.T("settings.people.disabled", name)
		}
		here := peoplePath + "/" + string(who)
		return s.did(w, r, err, here, here, message)
	}
}
