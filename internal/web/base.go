package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/web/view"
)

// page fills what every page has: who looks at it, how many incidents wait,
// and what was just done. It takes the flash messages out of their cookie, so
// it is called before anything is written.
func (s *Server) page(w http.ResponseWriter, r *http.Request, o *org.Org, title, nav string) (view.Page, error) {
	counts, err := s.Store.Counts(r.Context())
	if err != nil {
		return view.Page{}, err
	}
	return view.Page{
		Title: title, Now: time.Now(), Nav: nav, Viewer: s.viewer(o, actorOf(r)),
		Triggered: counts.Triggered, Flash: s.takeFlash(w, r),
	}, nil
}

// viewer is actor as the pages know a person.
func (s *Server) viewer(o *org.Org, actor people.Actor) view.Viewer {
	v := view.Viewer{OrgName: o.Settings.Name, Bot: o.Settings.Bot.Called(), Demo: s.Demo}
	user, ok := o.Users[actor.User]
	if !ok {
		return v
	}
	v.ID, v.Name, v.Username, v.Role, v.Zone = string(user.ID), user.Name, user.Username, string(user.Role), user.Location()
	v.Can = func(action string) bool { return actor.May(people.Permission(action)) }
	return v
}

// draw renders c completely before anything is written, so that a page that
// fails half-way is an error and not half a page.
func draw(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	var body bytes.Buffer
	if err := c.Render(r.Context(), &body); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // a browser that has left is no error of ours
	return nil
}

// redirect sends the browser on after a form: a plain form by 303, htmx by its
// own header, because it would follow a 303 and put the page into the page.
func redirect(w http.ResponseWriter, r *http.Request, to string) error {
	if isFragment(r) {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// done is redirect with a message about what happened.
func (s *Server) done(w http.ResponseWriter, r *http.Request, to, text string) error {
	s.flash(w, view.Flash{Tone: "ok", Text: text})
	return redirect(w, r, to)
}

// flash messages wait in a cookie for the next page, which follows at once.
const flashFor = time.Minute

// maxFlash keeps the cookie below what browsers accept.
const maxFlash = 2048

func (s *Server) flashName() string { return s.cookies.Name() + "-flash" }

func (s *Server) flash(w http.ResponseWriter, messages ...view.Flash) {
	data, err := json.Marshal(messages)
	if err != nil || len(data) > maxFlash {
		return // the page itself shows what was done
	}
	http.SetCookie(w, s.flashCookie(base64.RawURLEncoding.EncodeToString(data), int(flashFor/time.Second)))
}

// takeFlash reads the messages and removes the cookie. What does not parse is
// nobody's message.
func (s *Server) takeFlash(w http.ResponseWriter, r *http.Request) []view.Flash {
	cookie, err := r.Cookie(s.flashName())
	if err != nil {
		return nil
	}
	http.SetCookie(w, s.flashCookie("", -1))
	data, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(data) > maxFlash {
		return nil
	}
	var messages []view.Flash
	if json.Unmarshal(data, &messages) != nil {
		return nil
	}
	return messages
}

func (s *Server) flashCookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: s.flashName(), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.cookies.Secure, SameSite: http.SameSiteLaxMode,
	}
}
