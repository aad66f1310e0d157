package web

import (
	"net/http"
	"slices"

	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const profilePath = "/settings/profile"

func (s *Server) profileRoutes() []Route {
	return slices.Concat([]Route{
		{"GET /settings/profile", people.OwnSelf, s.showProfile},
		{"POST /settings/profile", people.OwnSelf, s.saveProfile},
	}, s.contactRoutes(), s.pagingRoutes(), s.securityRoutes())
}

func (s *Server) showProfile(w http.ResponseWriter, r *http.Request) error {
	return s.profilePage(w, r, http.StatusOK, nil)
}

// profilePage draws the actor's profile as it is; edit puts in what was typed.
func (s *Server) profilePage(w http.ResponseWriter, r *http.Request, status int, edit func(*view.Profile)) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("settings.nav.profile"))
	if err != nil {
		return err
	}
	user := o.Users[actorOf(r).User]
	v := view.Profile{
		Page: page, Name: user.Name, Username: user.Username, Email: user.Email, Role: string(user.Role), Zone: user.Zone,
		Zones: zones(), Mail: s.MailConfigured,
	}
	if edit != nil {
		edit(&v)
	}
	return draw(w, r, status, view.ProfilePage(v))
}

func (s *Server) saveProfile(w http.ResponseWriter, r *http.Request) error {
	name, zone := text(r, "name"), text(r, "zone")
	errs := fields{}
	errs.name("name", name)
	errs.zone("zone", zone)
	if len(errs) > 0 {
		return s.profilePage(w, r, http.StatusUnprocessableEntity, func(v *view.Profile) { v.Name, v.Zone, v.Errors = name, zone, errs })
	}
	err := s.Dispatch.EditSelf(r.Context(), actorOf(r), func(u people.User) people.User {
		u.Name, u.Zone = name, zone
		return u
	})
	if err != nil {
		return err
	}
	return s.done(w, r, profilePath, phrase.T("settings.saved"))
}
