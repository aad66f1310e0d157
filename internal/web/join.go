package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

func setupToken(r *http.Request) string {
	if token := r.PathValue("token"); token != "" {
		return token
	}
	return r.URL.Query().Get("token")
}

func (s *Server) showSetup(w http.ResponseWriter, r *http.Request) error {
	if dead, err := s.setupDead(w, r); dead || err != nil {
		return err
	}
	return s.setupPage(w, r, http.StatusOK, view.Setup{OrgName: "", Errors: map[string]string{}})
}

// setupDead answers a set-up link that does not work: nothing is told about it
// but where a working one comes from, or that one can sign in already.
func (s *Server) setupDead(w http.ResponseWriter, r *http.Request) (bool, error) {
	err := s.Accounts.SetupValid(r.Context(), setupToken(r))
	if err == nil {
		return false, nil
	}
	if fault.Is(err, fault.CodeInternal) || fault.Is(err, fault.CodeUnavailable) {
		return true, err
	}
	o, err := s.organisation(r.Context())
	if err != nil {
		return true, err
	}
	if o.HasAdmin() {
		return true, redirect(w, r, "/login")
	}
	return true, s.notSetUp(w, r)
}

func (s *Server) setupPage(w http.ResponseWriter, r *http.Request, status int, v view.Setup) error {
	v.Page, v.Token, v.Zones = view.Page{Title: phrase.T("web.setup.title")}, setupToken(r), zoneOptions(v.Zone)
	return draw(w, r, status, view.SetupPage(v))
}

func (s *Server) setup(w http.ResponseWriter, r *http.Request) error {
	if dead, err := s.setupDead(w, r); dead || err != nil {
		return err
	}
	f := account.Setup{
		OrgName: text(r, "org"), Name: text(r, "name"), Username: strings.ToLower(text(r, "username")), Email: text(r, "email"),
		Zone: text(r, "zone"), Password: r.PostFormValue("password"),
	}
	v := view.Setup{OrgName: f.OrgName, Name: f.Name, Username: f.Username, Email: f.Email, Zone: f.Zone, Team: text(r, "team"), Errors: map[string]string{}}
	check := fields{}
	check.need("org", f.OrgName)
	check.name("name", f.Name)
	check.username("username", f.Username)
	check.email("email", f.Email)
	check.zone("zone", f.Zone)
	if len(check) > 0 {
		v.Errors = check
		return s.setupPage(w, r, http.StatusUnprocessableEntity, v)
	}
	grant, err := s.Accounts.Setup(r.Context(), setupToken(r), f, client(r))
	if status, _, ok := shown(err); ok {
		v.Errors, v.Error = place(err, "org", "name", "username", "email", "zone", "password")
		return s.setupPage(w, r, status, v)
	}
	if err != nil {
		return err
	}
	if v.Team != "" {
		if err := s.quickStart(r, grant, v.Team); err != nil {
			// The account exists by now; the rest can be done by hand.
			s.Log.WarnContext(r.Context(), "set up the first team", "err", err)
		}
	}
	s.flash(w, view.Flash{Tone: "ok", Text: phrase.T("settings.setup.done")})
	return s.welcome(w, r, grant, "/settings")
}

// quickStart makes what a first team needs to be paged.
func (s *Server) quickStart(r *http.Request, grant account.Grant, team string) error {
	actor, _, err := s.Accounts.Authenticate(r.Context(), grant.Cookie)
	if err != nil {
		return err
	}
	_, err = s.Dispatch.ChangeOrg(r.Context(), actor, func(o *org.Org) ([]org.Change, error) {
		user := o.Users[actor.User]
		// It began a week ago, so that somebody is on call from the first minute.
		began := s.Now().In(user.Location()).AddDate(0, 0, -7)
		return firstTeam(o, user, team, began.Format(time.DateOnly)), nil
	})
	return err
}

func (s *Server) showInvite(w http.ResponseWriter, r *http.Request) error {
	user, err := s.Accounts.InvitationFor(r.Context(), r.PathValue("token"))
	if err != nil {
		return s.inviteDead(w, r, err)
	}
	return s.invitePage(w, r, http.StatusOK, view.Invite{Name: user.Name, Email: user.Email, Username: user.Username, Zone: user.Zone})
}

func (s *Server) inviteDead(w http.ResponseWriter, r *http.Request, err error) error {
	if !deadLink(err) && !fault.Is(err, fault.CodeInvalid) {
		return err
	}
	return s.invitePage(w, r, http.StatusNotFound, view.Invite{Invalid: true})
}

func (s *Server) invitePage(w http.ResponseWriter, r *http.Request, status int, v view.Invite) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	v.Page, v.Token, v.Zones = s.publicPage(w, r, o, phrase.T("web.invite.title", o.Settings.Name)), r.PathValue("token"), zoneOptions(v.Zone)
	return draw(w, r, status, view.InvitePage(v))
}

func (s *Server) acceptInvite(w http.ResponseWriter, r *http.Request) error {
	user, err := s.Accounts.InvitationFor(r.Context(), r.PathValue("token"))
	if err != nil {
		return s.inviteDead(w, r, err)
	}
	v := view.Invite{Name: text(r, "name"), Email: user.Email, Username: strings.ToLower(text(r, "username")), Zone: text(r, "zone")}
	check := fields{}
	check.name("name", v.Name)
	check.username("username", v.Username)
	check.zone("zone", v.Zone)
	if len(check) > 0 {
		v.Errors = check
		return s.invitePage(w, r, http.StatusUnprocessableEntity, v)
	}
	profile := account.Profile{Name: v.Name, Username: v.Username, Zone: v.Zone}
	grant, err := s.Accounts.Join(r.Context(), r.PathValue("token"), profile, r.PostFormValue("password"), client(r))
	if deadLink(err) && !fault.Is(err, fault.CodeConflict) {
		return s.inviteDead(w, r, err)
	}
	if status, _, ok := shown(err); ok {
		var rest string
		if v.Errors, rest = place(err, "name", "username", "zone", "password"); rest != "" {
			v.Errors["password"] = rest
		}
		return s.invitePage(w, r, status, v)
	}
	if err != nil {
		return err
	}
	s.flash(w, view.Flash{Tone: "ok", Text: phrase.T("settings.joined", user.Email)})
	return s.welcome(w, r, grant, "/settings/profile")
}
