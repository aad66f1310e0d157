package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// visit is who sent a request.
type visit struct {
	actor   people.Actor
	session id.Session
}

type visitKey struct{}

// actorOf is the person behind a request that passed the guard; the zero Actor,
// who may do nothing, on public pages.
func actorOf(r *http.Request) people.Actor { return visitOf(r).actor }

func visitOf(r *http.Request) visit {
	v, _ := r.Context().Value(visitKey{}).(visit)
	return v
}

// guard lets a request through to its route when the person behind it may.
func (s *Server) guard(route Route) httpd.HandlerFunc {
	if route.Permission == "" {
		return route.Handler
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		actor, session, err := s.Accounts.Authenticate(r.Context(), s.cookies.Token(r))
		switch {
		case fault.Is(err, fault.CodeUnauthenticated):
			return s.askToSignIn(w, r, err)
		case err != nil:
			return err
		}
		r = r.WithContext(context.WithValue(r.Context(), visitKey{}, visit{actor, session}))
		if !actor.May(route.Permission) {
			return fault.Forbidden(phrase.T("settings.forbidden"))
		}
		if actor.LacksFactor && !strings.HasSuffix(route.Pattern, " "+factorPath) {
			return s.askForFactor(w, r)
		}
		return route.Handler(w, r)
	}
}

// askToSignIn sends a page to the sign-in and refuses a fragment, which has
// nowhere to show one. A house without an administrator says where to begin.
func (s *Server) askToSignIn(w http.ResponseWriter, r *http.Request, cause error) error {
	if isFragment(r) {
		return fault.Unauthenticated(phrase.T("settings.signin_again")).Because(cause)
	}
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	if !o.HasAdmin() {
		return s.notSetUp(w, r)
	}
	http.Redirect(w, r, "/login?next="+url.QueryEscape(returnTo(r)), http.StatusSeeOther)
	return nil
}

// returnTo is the page to come back to after signing in; a form that was sent
// cannot be sent again, so its page is.
func returnTo(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return localPath(r.URL.RequestURI())
	}
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != r.Host {
		return "/"
	}
	return localPath(from.RequestURI())
}

// localPath returns next if it is an address on this server, else "/": the
// sign-in page must not send anybody elsewhere.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.Opaque != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// isFragment reports whether a script asks, for a part of a page or for the
// stream, and has no use for a whole one.
func isFragment(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" || r.Header.Get("Accept") == "text/event-stream"
}

// client is where a sign-in comes from.
func client(r *http.Request) account.Client {
	address := ""
	if addr := httpd.ClientAddr(r); addr.IsValid() {
		address = addr.String()
	}
	return account.Client{Address: address, Agent: r.UserAgent()}
}

// ShowProblem is the Renderer of pages: a page that says what went wrong, or
// the sentence alone for a fragment.
func (s *Server) ShowProblem(w http.ResponseWriter, r *http.Request, p httpd.Problem) {
	if isFragment(r) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(p.Status)
		_, _ = w.Write([]byte(p.Detail))
		return
	}
	page := view.Problem{
		Page:   view.Page{Title: p.Title(), Viewer: view.Viewer{Demo: s.Demo}},
		Status: p.Status, Text: p.Detail, ID: p.Request,
	}
	if err := draw(w, r, p.Status, view.ProblemPage(page)); err != nil {
		s.Log.ErrorContext(r.Context(), "draw problem page", "err", err)
		w.WriteHeader(p.Status)
	}
}
