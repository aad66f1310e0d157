package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const profilePath = "/settings/profile"

func (s *Server) profileRoutes() []Route {
	return append([]Route{
		{"GET /settings/profile", people.OwnSelf, s.showProfile},
		{"POST /settings/profile", people.OwnSelf, s.saveProfile},
		{"POST /settings/profile/contacts", people.OwnSelf, s.addContact},
		{"POST /settings/profile/contacts/{id}/test", people.OwnSelf, s.testContact},
		{"POST /settings/profile/contacts/{id}/on", people.OwnSelf, s.switchContact(false)},
		{"POST /settings/profile/contacts/{id}/off", people.OwnSelf, s.switchContact(true)},
		{"POST /settings/profile/contacts/{id}/remove", people.OwnSelf, s.removeContact},
	}, s.securityRoutes()...)
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
		Zones: zones(), Mail: s.MailConfigured, Contacts: contactRows(user.Contacts),
	}
	if edit != nil {
		edit(&v)
	}
	return draw(w, r, status, view.ProfilePage(v))
}

func contactRows(contacts []people.Contact) []view.ContactRow {
	rows := make([]view.ContactRow, len(contacts))
	for i, c := range contacts {
		rows[i] = view.ContactRow{ID: string(c.ID), Label: c.Label, Address: c.Address, Off: c.Off}
	}
	return rows
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

func (s *Server) addContact(w http.ResponseWriter, r *http.Request) error {
	c := people.Contact{ID: id.Contact(id.New()), Method: people.Email, Label: text(r, "label"), Address: text(r, "address")}
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	errs := fields{}
	errs.email("address", c.Address)
	if len(c.Label) > 100 {
		errs["label"] = phrase.T("settings.error.long", 100)
	}
	mine := o.Users[actorOf(r).User].Contacts
	if slices.ContainsFunc(mine, func(have people.Contact) bool { return strings.EqualFold(have.Address, c.Address) }) {
		errs["address"] = phrase.T("settings.contact.twice")
	}
	if len(mine) >= maxContacts {
		errs["address"] = phrase.T("settings.contact.many", maxContacts)
	}
	if len(errs) > 0 {
		return s.profilePage(w, r, http.StatusUnprocessableEntity, func(v *view.Profile) {
			v.NewAddress, v.NewLabel, v.AddErrors = c.Address, c.Label, errs
		})
	}
	err = s.Dispatch.EditSelf(r.Context(), actorOf(r), func(u people.User) people.User {
		u.Contacts = append(slices.Clone(u.Contacts), c)
		return u
	})
	if err != nil {
		return err
	}
	return s.done(w, r, profilePath, phrase.T("settings.contact.added", c.Address))
}

// maxContacts bounds to how many addresses one person's pages go.
const maxContacts = 10

// changeContact edits one of the actor's contact methods and returns it as it was.
func (s *Server) changeContact(r *http.Request, edit func(all []people.Contact, i int) []people.Contact) (people.Contact, error) {
	var was people.Contact
	found := false
	err := s.Dispatch.EditSelf(r.Context(), actorOf(r), func(u people.User) people.User {
		i := slices.IndexFunc(u.Contacts, func(c people.Contact) bool { return string(c.ID) == r.PathValue("id") })
		if found = i >= 0; found {
			was = u.Contacts[i]
			u.Contacts = edit(slices.Clone(u.Contacts), i)
		}
		return u
	})
	if err == nil && !found {
		err = fault.NotFound(phrase.T("settings.contact.gone"))
	}
	return was, err
}

func (s *Server) switchContact(off bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, err := s.changeContact(r, func(all []people.Contact, i int) []people.Contact {
			all[i].Off = off
			return all
		})
		if err != nil {
			return err
		}
		if off {
			return s.done(w, r, profilePath, phrase.T("settings.contact.off", c.Address))
		}
		return s.done(w, r, profilePath, phrase.T("settings.contact.on", c.Address))
	}
}

func (s *Server) removeContact(w http.ResponseWriter, r *http.Request) error {
	c, err := s.changeContact(r, func(all []people.Contact, i int) []people.Contact { return slices.Delete(all, i, i+1) })
	if err != nil {
		return err
	}
	return s.done(w, r, profilePath, phrase.T("settings.contact.removed", c.Address))
}

// testContact sends a test page. Anybody can put down any address, so the pace
// is limited for each person.
func (s *Server) testContact(w http.ResponseWriter, r *http.Request) error {
	actor := actorOf(r)
	if !s.MailConfigured {
		s.flash(w, view.Flash{Tone: "warning", Text: phrase.T("settings.profile.no_mail")})
		return redirect(w, r, profilePath)
	}
	if wait, ok := s.tests.Take(string(actor.User), s.Now()); !ok {
		return fault.TooMany(phrase.T("settings.testpage.slow"), wait)
	}
	address, err := s.Dispatch.SendTest(r.Context(), actor, id.Contact(r.PathValue("id")), s.PublicURL+profilePath)
	if err != nil {
		return err
	}
	return s.done(w, r, profilePath, phrase.T("settings.testpage.sent", address))
}
