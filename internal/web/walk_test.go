package web

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/upload"
)

// public are the routes that ask nobody to sign in, and why not.
var public = map[string]string{
	"GET /login":           "is where one signs in",
	"POST /login":          "signs in",
	"GET /login/code":      "asks those whose password was right for the second factor",
	"POST /login/code":     "takes their second factor",
	"POST /logout":         "forgets whoever it was",
	"GET /setup":           "says where the link to the first administrator is",
	"GET /setup/{token}":   "the secret of the address says who may",
	"POST /setup/{token}":  "the secret of the address says who may",
	"GET /forgot":          "is for those who cannot sign in",
	"POST /forgot":         "is for those who cannot sign in",
	"GET /reset/{token}":   "the secret of the address says who may",
	"POST /reset/{token}":  "the secret of the address says who may",
	"GET /invite/{token}":  "the secret of the address says who may",
	"POST /invite/{token}": "the secret of the address says who may",
	"GET /a/{token}":       "the secret of the address, which was mailed, says who may",
	"POST /a/{token}":      "the secret of the address, which was mailed, says who may",
	"GET /drill/{token}":   "the secret of the address, which was mailed, says who may",
	"POST /drill/{token}":  "the secret of the address, which was mailed, says who may",
	"GET /sw.js":           "is a script that browsers fetch by themselves",
}

// forReaders are the forms that are open to who may only read, and why.
var forReaders = map[string]string{
	"POST /rooms/{room}/messages":          "who only reads talks with the bot; dispatch refuses the other rooms",
	"POST /rooms/{room}/read":              "what one has read is one's own",
	"POST /rooms/{room}/typing":            "says nothing where one does not speak",
	"POST /chat/presence":                  "whether one is there is one's own",
	"POST /messages/{seq}/unread":          "what one has read is one's own",
	"POST /messages/{seq}/actions/{token}": "who only reads answers the bot; the handler refuses the other rooms",
}

// places are what stands in for the wildcards of addresses. What nothing is said
// about is a failure.
var places = strings.NewReplacer("{$}", "", "{n}", "1", "{seq}", "1", "{id}", "1", "{room}", "main",
	"{person}", "u-kim", "{job}", "1", "{act}", "cancel", "{file}", "nonsense", "{token}", "nonsense")

// walker is somebody who asks for every route.
type walker struct {
	name   string
	as     string // whose browser it is; "": nobody has signed in there
	role   people.Role
	lacks  bool // a second factor, which the house wants
	header http.Header
}

// TestWalk asks for every route as everybody. What is said about the empty form
// is not looked at: only who is let through, which must be what the route
// declares. Whatever is open to nobody in particular is named above.
func TestWalk(t *testing.T) {
	h := newWatch(t)
	h.alert("disk/db01")
	h.mails = []Mail{{ID: 1, Subject: "x", Text: "x", HTML: "<p>x"}}
	h.takeFiles()
	for what, part := range map[string][]Route{
		"files": h.web.fileRoutes(), "pictures": h.web.pictureRoutes(), "commands": h.web.commandRoutes(), "the mailbox": h.web.mailboxRoutes(),
	} {
		if len(part) == 0 {
			t.Errorf("there is no route of %s to walk", what)
		}
	}
	token := h.robotToken()
	walkers := []walker{
		{name: "nobody"},
		{name: "a script of nobody", header: http.Header{"Hx-Request": {"true"}}},
		{name: "a robot", header: http.Header{"Authorization": {"Bearer " + token}, "Cookie": {"watchroom=" + token}}}, // tokens are for the API
		{name: "an observer", as: "olga", role: people.Observer},
		{name: "a member", as: "kim", role: people.Member},
		{name: "an administrator", as: "ada", role: people.Admin},
	}
	h.declared()
	h.walk(walkers)

	_, err := h.dispatch.ChangeOrg(t.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
		settings := o.Settings
		settings.SecondFactor = people.RolesOf(people.Observer, people.Member, people.Admin)
		return []org.Change{org.Put(settings)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.walk([]walker{
		{name: "an observer without a second factor", as: "olga", role: people.Observer, lacks: true},
		{name: "a member without a second factor", as: "kim", role: people.Member, lacks: true},
		{name: "an administrator without a second factor", as: "ada", role: people.Admin, lacks: true},
	})
}

// declared holds the table of routes itself against what is named above.
func (h *watch) declared() {
	h.Helper()
	isPublic, isForReaders := map[string]bool{}, map[string]bool{}
	for _, route := range h.web.Routes() {
		method, path, _ := strings.Cut(route.Pattern, " ")
		isPublic[route.Pattern] = route.Permission == ""
		isForReaders[route.Pattern] = method != http.MethodGet && route.Permission == people.Read
		if route.Permission != "" && !slices.Contains(people.Permissions, route.Permission) {
			h.Errorf("%s needs %q, which nobody can have", route.Pattern, route.Permission)
		}
		if isPublic[route.Pattern] && public[route.Pattern] == "" {
			h.Errorf("%s asks nobody to sign in, and nothing says why", route.Pattern)
		}
		if isForReaders[route.Pattern] && forReaders[route.Pattern] == "" {
			h.Errorf("%s is open to who may only read, and nothing says why", route.Pattern)
		}
		if strings.Contains(places.Replace(path), "{") {
			h.Errorf("%s: what stands in for its wildcard?", route.Pattern)
		}
	}
	for pattern := range public {
		if !isPublic[pattern] {
			h.Errorf("%s is named as public and is no public route", pattern)
		}
	}
	for pattern := range forReaders {
		if !isForReaders[pattern] {
			h.Errorf("%s is named as open to who may only read and is no such route", pattern)
		}
	}
}

func (h *watch) walk(walkers []walker) {
	h.Helper()
	for _, route := range h.web.Routes() {
		for _, w := range walkers {
			h.judge(route, w)
		}
	}
}

// judge asks for a route as w.
func (h *watch) judge(route Route, w walker) {
	h.Helper()
	method, path, _ := strings.Cut(route.Pattern, " ")
	path = places.Replace(path)
	if route.Pattern == "POST /rooms/{room}/messages" {
		path = "/rooms/@victor/messages" // the one room that is open to everybody who may do this
	}
	back := path
	if method != http.MethodGet {
		back = "/" // a form that was sent is not sent again
	}
	back = "?next=" + url.QueryEscape(back)

	status, to := h.knock(w, method, path)
	var ok bool
	var want string
	switch {
	case route.Pattern == "POST /login": // no password is a wrong one, and too often so
		want, ok = "401 or 429", status == http.StatusUnauthorized || status == http.StatusTooManyRequests
	case route.Permission == "":
		want, ok = "anything but a refusal", status < http.StatusInternalServerError && status != http.StatusUnauthorized && status != http.StatusForbidden
	case w.role == "" && w.header.Get("Hx-Request") != "":
		want, ok = "401", status == http.StatusUnauthorized
	case w.role == "":
		want, ok = "303 to the sign-in", status == http.StatusSeeOther && to == "/login"+back
	case !w.role.May(route.Permission):
		want, ok = "403", status == http.StatusForbidden
	case w.lacks && path != factorPath:
		want, ok = "303 to setting one up", status == http.StatusSeeOther && to == factorPath+back
	default:
		want = "to be let through"
		ok = status < http.StatusInternalServerError && status != http.StatusUnauthorized && status != http.StatusForbidden &&
			!strings.HasPrefix(to, "/login?") && to != factorPath+back
	}
	if !ok {
		h.Errorf("%s as %s: %d %s, want %s", route.Pattern, w.name, status, to, want)
	}
	if w.as == "" {
		return
	}
	if _, _, err := h.web.Accounts.Authenticate(h.Context(), "cookie-"+w.as); err != nil { // they have signed out
		h.signInAgain(w.as)
	}
}

// knock asks as w and does not stay for the whole answer, which may never end.
func (h *watch) knock(w walker, method, path string) (status int, to string) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, h.url+path, http.NoBody)
	if err != nil {
		h.Fatal(err)
	}
	maps.Copy(r.Header, w.header)
	if w.as != "" {
		r.AddCookie(&http.Cookie{Name: "watchroom", Value: "cookie-" + w.as})
	}
	answer, err := noRedirects().Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode, answer.Header.Get("Location")
}

// takeFiles puts a server that takes files in the place of the one that does not.
func (h *watch) takeFiles() {
	h.Helper()
	bucket, err := blob.OpenFolder(h.TempDir())
	if err != nil {
		h.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	h.web.Uploads = upload.New(h.store, bucket, blob.Intake{Policy: blob.Policy{MaxBytes: 1 << 16}, Inspector: blob.NewInspector(1)}, log)
	mux := http.NewServeMux()
	h.web.Register(mux)
	shell, err := httpd.Handler(mux, httpd.Options{Log: log, Render: h.web.ShowProblem, CrossSiteExempt: CrossSiteExempt()})
	if err != nil {
		h.Fatal(err)
	}
	server := httptest.NewServer(shell)
	h.url = server.URL
	h.Cleanup(func() {
		server.Close()
		if err := bucket.Close(); err != nil {
			h.Error(err)
		}
	})
}

// robotToken is the API token of a robot.
func (h *watch) robotToken() string {
	h.Helper()
	_, robot, err := h.dispatch.AddRobot(h.Context(), h.actor("ada"), dispatch.RobotSpec{Name: "Marvin"})
	if err != nil {
		h.Fatal(err)
	}
	token, _, err := h.web.Accounts.CreateToken(h.Context(), h.actor("ada"), robot.User, "hubot", robotScopes)
	if err != nil {
		h.Fatal(err)
	}
	return token
}
