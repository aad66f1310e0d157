package web

import (
	"cmp"
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
		{"POST /settings/profile/chat", people.OwnSelf, s.saveHearing},
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
		Mentions: hearings(user.Chat.Mentions), Direct: hearings(user.Chat.Direct), QuietFrom: user.Chat.QuietFrom, QuietTo: user.Chat.QuietTo,
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

// hearings are the ways to hear of a message.
func hearings(chosen people.Hearing) []view.Option {
	var all []view.Option
	for _, h := range people.Hearings {
		all = append(all, view.Option{Value: string(h), Label: phrase.T("settings.profile.hear." + cmp.Or(string(h), "mark")), Selected: h == chosen})
	}
	return all
}

// saveHearing is how somebody wants to hear of conversation.
func (s *Server) saveHearing(w http.ResponseWriter, r *http.Request) error {
	chat := people.ChatSettings{
		Mentions: people.Hearing(text(r, "mentions")), Direct: people.Hearing(text(r, "direct")), QuietFrom: text(r, "quiet_from"), QuietTo: text(r, "quiet_to"),
	}
	if err := chat.Validate(); err != nil {
		return s.profilePage(w, r, http.StatusUnprocessableEntity, func(v *view.Profile) {
			v.Mentions, v.Direct, v.QuietFrom, v.QuietTo = hearings(chat.Mentions), hearings(chat.Direct), chat.QuietFrom, chat.QuietTo
			v.Errors = fields{"quiet": err.Error()}
		})
	}
	err := s.Dispatch.EditSelf(r.Context(), actorOf(r), func(u people.User) people.User {
		chat.Greeted = u.Chat.Greeted
		u.Chat = chat
		return u
	})
	if err != nil {
		return err
	}
	return s.done(w, r, profilePath, phrase.T("settings.saved"))
}
