package web

import (
	"net/http"
	"net/url"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) signInRoutes() []Route {
	return []Route{
		{"GET /login", "", s.showLogin},
		{"POST /login", "", s.login},
		{"POST /logout", "", s.logout},
		{"GET /setup", "", secretPage(s.showSetup)},
		{"GET /setup/{token}", "", secretPage(s.showSetup)},
		{"POST /setup/{token}", "", secretPage(s.setup)},
		{"GET /forgot", "", s.showForgot},
		{"POST /forgot", "", s.forgot},
		{"GET /reset/{token}", "", secretPage(s.showReset)},
		{"POST /reset/{token}", "", secretPage(s.reset)},
		{"GET /invite/{token}", "", secretPage(s.showInvite)},
		{"POST /invite/{token}", "", secretPage(s.acceptInvite)},
	}
}

// secretPage is for addresses that are secrets: they are named to nobody and
// kept nowhere.
func secretPage(h httpd.HandlerFunc) httpd.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		return h(w, r)
	}
}

// unkept is for answers that hold a secret: they are kept nowhere. Their address
// is none, and they have forms of somebody signed in, which need their origin.
func unkept(h httpd.HandlerFunc) httpd.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		return h(w, r)
	}
}

// publicPage is the page of somebody who is not signed in.
func (s *Server) publicPage(w http.ResponseWriter, r *http.Request, o *org.Org, title string) view.Page {
	return view.Page{Title: title, Viewer: view.Viewer{OrgName: o.Settings.Name, Demo: s.Demo}, Flash: s.takeFlash(w, r)}
}

func (s *Server) showLogin(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.FormValue("next"))
	if _, _, err := s.Accounts.Authenticate(r.Context(), s.cookies.Token(r)); err == nil {
		return redirect(w, r, next)
	}
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	if !o.HasAdmin() {
		return s.notSetUp(w, r)
	}
	return draw(w, r, http.StatusOK, view.LoginPage(view.Login{
		Page: s.publicPage(w, r, o, phrase.T("web.login.title")), Email: r.FormValue("email"), Next: next,
	}))
}

// notSetUp says where the link is with which everything begins.
func (s *Server) notSetUp(w http.ResponseWriter, r *http.Request) error {
	return draw(w, r, http.StatusOK, view.NotSetUpPage(view.Page{Title: phrase.T("web.setup.title")}))
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	email, next := r.PostFormValue("email"), localPath(r.PostFormValue("next"))
	grant, err := s.Accounts.SignIn(r.Context(), email, r.PostFormValue("password"), client(r))
	if status, text, ok := shown(err); ok {
		retryAfter(w, err)
		o, err := s.organisation(r.Context())
		if err != nil {
			return err
		}
		return draw(w, r, status, view.LoginPage(view.Login{
			Page: s.publicPage(w, r, o, phrase.T("web.login.title")), Email: email, Next: next, Error: text,
		}))
	}
	if err != nil {
		return err
	}
	return s.welcome(w, r, grant, next)
}

// shown says whether err is something to tell beside the form, and with which status.
func shown(err error) (status int, text string, ok bool) {
	switch fault.CodeOf(err) {
	case fault.CodeInvalid, fault.CodeConflict:
		return http.StatusUnprocessableEntity, fault.MessageOf(err), true
	case fault.CodeUnauthenticated:
		return http.StatusUnauthorized, fault.MessageOf(err), true
	case fault.CodeTooMany:
		return http.StatusTooManyRequests, fault.MessageOf(err), true
	}
	return 0, "", false
}

// welcome gives the browser its session and sends it on, by way of the second
// factor where there is one.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request, grant account.Grant, next string) error {
	if grant.Half {
		s.halfway().Set(w, grant.Cookie, grant.Expires)
		return redirect(w, r, "/login/code?next="+url.QueryEscape(next))
	}
	s.cookies.Set(w, grant.Cookie, grant.Expires)
	return redirect(w, r, next)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	if token := s.cookies.Token(r); token != "" {
		if err := s.Accounts.SignOut(r.Context(), token); err != nil && !fault.Is(err, fault.CodeUnauthenticated) {
			return err
		}
	}
	s.cookies.Clear(w)
	s.flash(w, view.Flash{Tone: "ok", Text: phrase.T("settings.signed_out")})
	return redirect(w, r, "/login")
}

func (s *Server) showForgot(w http.ResponseWriter, r *http.Request) error {
	return s.forgotPage(w, r, false)
}

func (s *Server) forgotPage(w http.ResponseWriter, r *http.Request, sent bool) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	return draw(w, r, http.StatusOK, view.ForgotPage(view.Forgot{
		Page: s.publicPage(w, r, o, phrase.T("web.forgot.title")), Email: r.FormValue("email"), Sent: sent,
	}))
}

// forgot answers the same whether there is such an account or not.
func (s *Server) forgot(w http.ResponseWriter, r *http.Request) error {
	err := s.Accounts.Forgot(r.Context(), r.PostFormValue("email"), client(r))
	if err != nil && !fault.Is(err, fault.CodeInvalid) && !fault.Is(err, fault.CodeNotFound) {
		return err
	}
	return s.forgotPage(w, r, true)
}

func (s *Server) showReset(w http.ResponseWriter, r *http.Request) error {
	_, err := s.Accounts.ResetFor(r.Context(), r.PathValue("token"))
	if err != nil && !deadLink(err) {
		return err
	}
	return s.resetPage(w, r, http.StatusOK, err != nil, "")
}

// deadLink reports whether err says that a link does not work (any more).
func deadLink(err error) bool {
	switch fault.CodeOf(err) {
	case fault.CodeNotFound, fault.CodeUnauthenticated, fault.CodeForbidden, fault.CodeConflict:
		return true
	}
	return false
}

func (s *Server) resetPage(w http.ResponseWriter, r *http.Request, status int, invalid bool, text string) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	if invalid {
		status = http.StatusNotFound
	}
	return draw(w, r, status, view.ResetPage(view.Reset{
		Page: s.publicPage(w, r, o, phrase.T("web.reset.title")), Token: r.PathValue("token"), Invalid: invalid, Error: text,
	}))
}

func (s *Server) reset(w http.ResponseWriter, r *http.Request) error {
	grant, err := s.Accounts.Reset(r.Context(), r.PathValue("token"), r.PostFormValue("password"), client(r))
	switch {
	case fault.Is(err, fault.CodeInvalid):
		// A link that is dead for other reasons is found out here, not by its password.
		if _, dead := s.Accounts.ResetFor(r.Context(), r.PathValue("token")); dead != nil {
			return s.resetPage(w, r, http.StatusNotFound, true, "")
		}
		return s.resetPage(w, r, http.StatusUnprocessableEntity, false, fault.MessageOf(err))
	case deadLink(err):
		return s.resetPage(w, r, http.StatusNotFound, true, "")
	case err != nil:
		return err
	}
	s.flash(w, view.Flash{Tone: "ok", Text: phrase.T("settings.password.changed")})
	return s.welcome(w, r, grant, "/")
}
