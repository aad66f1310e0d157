package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// contactRoutes are there twice: for oneself, and for the person of the address.
func (s *Server) contactRoutes() []Route {
	var all []Route
	for _, of := range []struct {
		base string
		may  people.Permission
	}{{profilePath, people.OwnSelf}, {peoplePath + "/{person}", people.Manage}} {
		base, may := of.base, of.may
		all = append(all, []Route{
			{"GET " + base + "/contacts", may, s.showContacts},
			{"GET " + base + "/contacts/new", may, unkept(s.showNewContact)},
			{"POST " + base + "/contacts", may, unkept(s.addContact)},
			{"GET " + base + "/contacts/{id}", may, s.showContact},
			{"POST " + base + "/contacts/{id}/verify", may, s.verifyContact},
			{"POST " + base + "/contacts/{id}/code", may, s.sendCode},
			{"POST " + base + "/contacts/{id}/test", may, s.testContact},
			{"POST " + base + "/contacts/{id}/on", may, s.switchContact(false)},
			{"POST " + base + "/contacts/{id}/off", may, s.switchContact(true)},
			{"POST " + base + "/contacts/{id}/remove", may, s.removeContact},
		}...)
	}
	return all
}

// reached is the person whom a page about being reached is about.
type reached struct {
	org   *org.Org
	user  people.User
	whose view.Whose
}

func (p reached) base() string {
	if p.whose.Own {
		return profilePath
	}
	return peoplePath + "/" + string(p.user.ID)
}

func (p reached) contacts() string { return p.base() + "/contacts" }

// contact finds one of the person's contact methods.
func (p reached) contact(r *http.Request) (people.Contact, error) {
	i := slices.IndexFunc(p.user.Contacts, func(c people.Contact) bool { return string(c.ID) == r.PathValue("id") })
	if i < 0 {
		return people.Contact{}, fault.NotFound(phrase.T("settings.contact.gone"))
	}
	return p.user.Contacts[i], nil
}

// reached is the person of the address, or else who asks.
func (s *Server) reached(r *http.Request) (reached, error) {
	o, err := s.organisation(r.Context())
	if err != nil {
		return reached{}, err
	}
	p := reached{org: o, user: o.Users[actorOf(r).User], whose: view.Whose{Own: true}}
	if who := r.PathValue("person"); who != "" {
		var ok bool
		if p.user, ok = o.Users[id.User(who)]; !ok {
			return p, fault.NotFound(phrase.T("settings.people.gone"))
		}
		p.whose.Own = false
	}
	p.whose.ID, p.whose.Name, p.whose.Email = string(p.user.ID), p.user.Name, p.user.Email
	return p, nil
}

func (s *Server) showContacts(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, p.org, phrase.T("settings.profile.contacts"))
	if err != nil {
		return err
	}
	v := view.Contacts{Page: page, Whose: p.whose, Mail: s.MailConfigured, Rows: contactRows(p.base(), p.user.Contacts)}
	for _, m := range people.Methods {
		if m != people.WebPush || p.whose.Own { // nobody can subscribe another's browser
			v.Kinds = append(v.Kinds, s.contactKind(p, m))
		}
	}
	return draw(w, r, http.StatusOK, view.ContactsPage(v))
}

func contactRows(base string, contacts []people.Contact) []view.ContactRow {
	rows := make([]view.ContactRow, len(contacts))
	for i, c := range contacts {
		rows[i] = contactRow(base, c)
	}
	return rows
}

func contactRow(base string, c people.Contact) view.ContactRow {
	plain := c
	plain.Label = "" // Shown is then the address, as far as it may be shown
	return view.ContactRow{
		ID: string(c.ID), Href: base + "/contacts/" + string(c.ID), Method: string(c.Method), Kind: capital(c.Method.Words()),
		Label: c.Label, Address: plain.Shown(), Off: c.Off, Verified: c.Verified(), Proof: string(c.ProvenBy()), VerifiedAt: c.VerifiedAt,
	}
}

// capital begins a sentence with words of the catalogue.
func capital(words string) string {
	if words == "ntfy" { // a name that is written so
		return words
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// contactKind is a method as something that can be added.
func (s *Server) contactKind(p reached, m people.Method) view.ContactKind {
	return view.ContactKind{
		Method: string(m), Name: capital(m.Words()), Text: phrase.T("contacts_web.kind." + string(m)),
		Href:      p.contacts() + "/new?method=" + string(m),
		Available: m == people.Email || s.carried(p.org, m), // an address may be there before there is mail
	}
}

// carried reports whether somebody carries pages of a method.
func (s *Server) carried(o *org.Org, m people.Method) bool {
	switch m {
	case people.Email:
		return s.MailConfigured
	case people.Ntfy, people.Gotify:
		return true // the contact method has all that is needed
	}
	return len(o.ProvidersOf(m)) > 0
}

// edit changes the contact methods of the person of the address.
func (s *Server) edit(r *http.Request, p reached, change func(people.User) people.User) error {
	if p.whose.Own {
		return s.Dispatch.EditSelf(r.Context(), actorOf(r), change)
	}
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		u, ok := o.Users[p.user.ID]
		if !ok {
			return nil, fault.NotFound(phrase.T("settings.people.gone"))
		}
		return []org.Change{org.Put(change(u))}, nil
	})
	return err
}

func (s *Server) switchContact(off bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := s.reached(r)
		if err != nil {
			return err
		}
		c, err := p.contact(r)
		if err != nil {
			return err
		}
		err = s.edit(r, p, func(u people.User) people.User {
			u.Contacts = slices.Clone(u.Contacts)
			for i := range u.Contacts {
				if u.Contacts[i].ID == c.ID {
					u.Contacts[i].Off = off
				}
			}
			return u
		})
		message := phrase.T("settings.contact.on", c.Shown())
		if off {
			message = phrase.T("settings.contact.off", c.Shown())
		}
		return s.did(w, r, err, p.contacts(), p.contacts(), message)
	}
}

func (s *Server) removeContact(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	c, err := p.contact(r)
	if err != nil {
		return err
	}
	err = s.Dispatch.RemoveContact(r.Context(), actorOf(r), p.user.ID, c.ID)
	return s.did(w, r, err, p.contacts(), p.contacts(), phrase.T("settings.contact.removed", c.Shown()))
}

// testContact sends a test page, on the way that real pages take. The pace is
// limited for each person.
func (s *Server) testContact(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	c, err := p.contact(r)
	if err != nil {
		return err
	}
	here := p.contacts() + "/" + string(c.ID)
	if !s.carried(p.org, c.Method) {
		s.flash(w, view.Flash{Tone: "warning", Text: phrase.T("contacts_web.unavailable.text")})
		return redirect(w, r, here)
	}
	if err := s.pace(r); err != nil {
		return err
	}
	if p.whose.Own {
		_, err = s.Dispatch.SendTest(r.Context(), actorOf(r), c.ID, s.PublicURL+here)
	} else {
		err = s.Dispatch.TestContact(r.Context(), actorOf(r), p.user.ID, c.ID)
	}
	return s.did(w, r, err, here, here, phrase.T("settings.testpage.sent", c.Shown()))
}

// pace limits how many messages one person can have sent by buttons.
func (s *Server) pace(r *http.Request) error {
	if wait, ok := s.tests.Take(string(actorOf(r).User), s.Now()); !ok {
		return fault.TooMany(phrase.T("settings.testpage.slow"), wait)
	}
	return nil
}

func (s *Server) sendCode(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	c, err := p.contact(r)
	if err != nil {
		return err
	}
	if err := s.pace(r); err != nil {
		return err
	}
	here := p.contacts() + "/" + string(c.ID)
	if !s.carried(p.org, c.Method) {
		s.flash(w, view.Flash{Tone: "warning", Text: phrase.T("contacts_web.unavailable.text")})
		return redirect(w, r, here)
	}
	err = s.Dispatch.SendCode(r.Context(), actorOf(r), p.user.ID, c.ID)
	return s.did(w, r, err, here+"?code=sent", here+"?code=sent", phrase.T("contacts_web.code.sent", c.Shown()))
}

func (s *Server) verifyContact(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	c, err := p.contact(r)
	if err != nil {
		return err
	}
	code := strings.Map(func(c rune) rune { // people type it in groups
		if c == ' ' || c == '-' {
			return -1
		}
		return c
	}, text(r, "code"))
	if code == "" {
		return s.contactPage(w, r, http.StatusUnprocessableEntity, phrase.T("settings.error.needed"))
	}
	err = s.Dispatch.VerifyContact(r.Context(), actorOf(r), p.user.ID, c.ID, code)
	if status, message, ok := shown(err); ok {
		return s.contactPage(w, r, status, message)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, p.contacts(), phrase.T("contacts_web.code.right", c.Shown()))
}

func (s *Server) showContact(w http.ResponseWriter, r *http.Request) error {
	return s.contactPage(w, r, http.StatusOK, "")
}

func (s *Server) contactPage(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	c, err := p.contact(r)
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, p.org, c.Shown())
	if err != nil {
		return err
	}
	v := view.ContactPage{
		Page: page, Whose: p.whose, Contact: contactRow(p.base(), c), Error: problem, CanTest: s.carried(p.org, c.Method),
		Asks:      !c.Verified() || problem != "" || text(r, "code") != "",
		MayManage: page.Viewer.May(string(people.Manage)),
	}
	if c.VouchedBy != "" {
		v.VouchedBy = p.org.UserName(c.VouchedBy)
	}
	if v.Sent, err = s.sentTo(r.Context(), p, c.ID); err != nil {
		return err
	}
	return draw(w, r, status, view.ContactDetailPage(v))
}

// sentShown is how many messages the page of a contact method shows.
const sentShown = 50

func (s *Server) sentTo(ctx context.Context, p reached, c id.Contact) ([]view.Sent, error) {
	deliveries, err := s.Store.DeliveriesTo(ctx, c, sentShown)
	if err != nil {
		return nil, err
	}
	all := make([]view.Sent, 0, len(deliveries))
	for _, d := range deliveries {
		row := sentRow(p.org, d)
		row.Name, row.Contact = "", "" // the page says both
		if d.Incident != 0 {
			inc, err := s.incident(ctx, d.Incident)
			if err == nil {
				row.Subject = incidentTitle(inc.ID, inc.Title)
			} else if !fault.Is(err, fault.CodeNotFound) {
				return nil, err
			}
		}
		all = append(all, row)
	}
	return all, nil
}
