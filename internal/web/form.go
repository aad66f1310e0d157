package web

import (
	"errors"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// text is a field of the form as people mean it: without white space around it.
func text(r *http.Request, name string) string { return strings.TrimSpace(r.FormValue(name)) }

// fields are sentences about wrong fields, by field name. The field's packages
// check everything again; this is so that a person sees all that is wrong, and where.
type fields map[string]string

func (f fields) need(name, value string) {
	if value == "" {
		f[name] = phrase.T("settings.error.needed")
	}
}

func (f fields) name(name, value string) {
	switch {
	case value == "":
		f[name] = phrase.T("settings.error.needed")
	case len(value) > 200:
		f[name] = phrase.T("settings.error.long", 200)
	}
}

func (f fields) username(name, value string) {
	ok := len(value) > 0 && len(value) <= 40 && !strings.ContainsAny(value[:1], "._-")
	for _, c := range value {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c))
	}
	if !ok {
		f[name] = phrase.T("settings.error.username")
	}
}

func (f fields) email(name, value string) {
	a, err := mail.ParseAddress(value)
	if err != nil || a.Address != value || len(value) > 254 {
		f[name] = phrase.T("settings.error.email")
	}
}

func (f fields) zone(name, value string) {
	if _, err := time.LoadLocation(value); err != nil || value == "" || value == "Local" {
		f[name] = phrase.T("settings.error.zone")
	}
}

func (f fields) clock(name, value string) {
	if _, err := time.Parse("15:04", value); err != nil || len(value) != len("15:04") {
		f[name] = phrase.T("settings.error.clock")
	}
}

func (f fields) date(name, value string) {
	if _, err := time.Parse(time.DateOnly, value); err != nil || len(value) != len(time.DateOnly) {
		f[name] = phrase.T("settings.error.date")
	}
}

// slug may be empty, then it is made from another field, which must allow that.
func (f fields) slug(name, value, from string) {
	switch {
	case value == "" && from != "" && !people.ValidSlug(id.Slug(from)):
		f[name] = phrase.T("settings.error.slug.needed")
	case value != "" && !people.ValidSlug(value):
		f[name] = phrase.T("settings.error.slug")
	}
}

// place says beside which field an error belongs: the one it names, or the
// one whose name its sentence holds. What belongs to none is returned as rest.
func place(err error, names ...string) (errs map[string]string, rest string) {
	errs = map[string]string{}
	message := fault.MessageOf(err)
	field := ""
	if f, ok := faultOf(err); ok {
		field = f.Field
	}
	if slices.Contains(names, field) {
		errs[field] = message
		return errs, ""
	}
	low := strings.ToLower(message)
	for _, hint := range []struct{ word, field string }{
		{"password", "password"}, {"time zone", "zone"}, {"username", "username"}, {"e-mail", "email"}, {"email", "email"}, {"slug", "slug"},
		{"rotation name", "name"}, {"integration name", "name"}, {"routing key", "name"}, {"name:", "name"},
	} {
		if strings.Contains(low, hint.word) && slices.Contains(names, hint.field) {
			errs[hint.field] = message
			return errs, ""
		}
	}
	return errs, message
}

// number reads a whole number; ok is false for anything else.
func number(value string) (n int, ok bool) {
	n, err := strconv.Atoi(value)
	return n, err == nil
}

func faultOf(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }

// did answers a form of one button: what happened, or in a sentence why it did not.
func (s *Server) did(w http.ResponseWriter, r *http.Request, err error, to, back, message string) error {
	if _, text, ok := shown(err); ok {
		s.flash(w, view.Flash{Tone: "critical", Text: text})
		return redirect(w, r, back)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, to, message)
}
