package web

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) showNewContact(w http.ResponseWriter, r *http.Request) error {
	method := people.Method(text(r, "method"))
	if !slices.Contains(people.Methods, method) {
		return fault.NotFound("")
	}
	return s.newContactPage(w, r, http.StatusOK, method, nil)
}

func (s *Server) newContactPage(w http.ResponseWriter, r *http.Request, status int, m people.Method, edit func(*view.NewContact)) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, p.org, phrase.T("contacts_web.new", capital(m.Words())))
	if err != nil {
		return err
	}
	v := view.NewContact{Page: page, Whose: p.whose, Kind: s.contactKind(p, m), MayManage: page.Viewer.May(string(people.Manage))}
	for _, push := range p.org.ProvidersOf(people.WebPush) {
		v.PushKey = cmp.Or(v.PushKey, push.Settings["public"])
	}
	if edit != nil {
		edit(&v)
	}
	return draw(w, r, status, view.NewContactPage(v))
}

// maxTyped bounds an address before it is looked at, in bytes.
const maxTyped = 4096

// readContact is the contact method that was typed, and its secret in plain.
// What is wrong is said by field.
func readContact(r *http.Request) (c people.Contact, secret string, errs fields) {
	errs = fields{}
	c = people.Contact{ID: id.Contact(id.New()), Method: people.Method(text(r, "method")), Label: text(r, "label"), Address: text(r, "address")}
	secret = text(r, "secret")
	switch c.Method {
	case people.SMS, people.Voice:
		c.Address = number164(c.Address)
	case people.Gotify, people.Ntfy:
		c.Address = strings.TrimSuffix(c.Address, "/")
	case people.WebPush:
		var ok bool
		if c.Address, secret, ok = subscription(r.FormValue("subscription")); !ok {
			errs[""] = phrase.T("contacts_web.push.broken")
			return c, "", errs
		}
	case "":
		c.Method = people.Email
	}
	switch {
	case c.Method == people.Email:
		errs.email("address", c.Address)
	case c.Address == "":
		errs.need("address", c.Address)
	case c.Method == people.Gotify && secret == "":
		errs.need("secret", secret)
	}
	if utf8.RuneCountInString(c.Label) > people.MaxLabel {
		errs["label"] = phrase.T("settings.error.long", people.MaxLabel)
	}
	if len(errs) == 0 {
		if err := c.Validate(); err != nil {
			errs["address"] = strings.TrimPrefix(err.Error(), "contact method: ")
		}
	}
	return c, secret, errs
}

// number164 takes a telephone number as people write it: with spaces, dashes,
// dots and brackets, and 00 for the plus.
func number164(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()\u00a0", r) {
			return -1
		}
		return r
	}, s)
	if rest, ok := strings.CutPrefix(s, "00"); ok {
		return "+" + rest
	}
	return s
}

// subscription reads what a browser calls its PushSubscription as JSON: where
// to send, and with which keys to encrypt.
func subscription(typed string) (endpoint, keys string, ok bool) {
	var sub struct {
		Endpoint string `json:"endpoint"`
		Keys     struct {
			P256dh string `json:"p256dh"`
			Auth   string `json:"auth"`
		} `json:"keys"`
	}
	if len(typed) > maxTyped || json.Unmarshal([]byte(typed), &sub) != nil || sub.Endpoint == "" || sub.Keys.P256dh == "" || sub.Keys.Auth == "" {
		return "", "", false
	}
	both, err := json.Marshal(sub.Keys)
	return sub.Endpoint, string(both), err == nil
}

func (s *Server) addContact(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	c, secret, errs := readContact(r)
	if !slices.Contains(people.Methods, c.Method) {
		return fault.Invalid("method", phrase.T("settings.error.choose"))
	}
	if c.Method == people.Telegram {
		return s.linkTelegram(w, r, p)
	}
	if !s.contactKind(p, c.Method).Available {
		return s.newContactPage(w, r, http.StatusUnprocessableEntity, c.Method, nil)
	}
	if has(p.user, c) {
		errs["address"] = phrase.T("settings.contact.twice")
	}
	if len(p.user.Contacts) >= people.MaxContacts {
		errs["address"] = phrase.T("settings.contact.many", people.MaxContacts)
	}
	again := func(status int, problem string) error {
		return s.newContactPage(w, r, status, c.Method, func(v *view.NewContact) {
			v.Label, v.Errors, v.Error = c.Label, errs, problem
			if c.Method != people.WebPush {
				v.Address = text(r, "address")
			}
		})
	}
	if len(errs) == 0 {
		if err := carrier.CheckContact(c.Method, c.Address, secret); err != nil {
			errs = map[string]string{"address": err.Error()}
		}
	}
	if len(errs) > 0 {
		problem := errs[""]
		if c.Method == people.WebPush { // its address has no field
			problem = cmp.Or(problem, errs["address"])
		}
		return again(http.StatusUnprocessableEntity, problem)
	}
	made, err := s.Dispatch.AddContact(r.Context(), actorOf(r), p.user.ID, c, secret)
	if status, _, ok := shown(err); ok {
		var rest string
		errs, rest = place(err, "address", "label", "secret")
		return again(status, rest)
	}
	if err != nil {
		return err
	}
	if made.Verified() {
		return s.done(w, r, p.contacts(), phrase.T("settings.contact.added", made.Shown()))
	}
	here := p.contacts() + "/" + string(made.ID)
	if !s.carried(p.org, made.Method) { // an e-mail address before there is mail
		s.flash(w, view.Flash{Tone: "warning", Text: phrase.T("contacts_web.unavailable.text")})
		return redirect(w, r, here)
	}
	return s.done(w, r, here, phrase.T("contacts_web.code.sent", made.Shown()))
}

// has reports whether u has a contact method already.
func has(u people.User, c people.Contact) bool {
	return slices.ContainsFunc(u.Contacts, func(have people.Contact) bool {
		if c.Method == people.Email {
			return have.Method == c.Method && strings.EqualFold(have.Address, c.Address)
		}
		return have.Method == c.Method && have.Address == c.Address
	})
}

// linkTelegram makes the link that opens the chat with the bot and hands it a
// code; the contact method is there when the bot has got it.
func (s *Server) linkTelegram(w http.ResponseWriter, r *http.Request, p reached) error {
	if s.Carriers == nil || !s.carried(p.org, people.Telegram) {
		return s.newContactPage(w, r, http.StatusUnprocessableEntity, people.Telegram, nil)
	}
	if err := s.pace(r); err != nil {
		return err
	}
	code, err := s.Dispatch.LinkTelegram(r.Context(), actorOf(r), p.user.ID)
	if err != nil {
		return err
	}
	link, err := s.Carriers.TelegramLink(r.Context(), p.org, code)
	if err != nil || link == "" {
		s.Log.WarnContext(r.Context(), "make telegram link", "err", err)
		return s.newContactPage(w, r, http.StatusBadGateway, people.Telegram, func(v *view.NewContact) {
			v.Error = phrase.T("contacts_web.telegram.nobot")
		})
	}
	return s.newContactPage(w, r, http.StatusOK, people.Telegram, func(v *view.NewContact) { v.Telegram = link })
}
