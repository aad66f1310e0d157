package web

import (
	"context"
	"encoding/base64"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

const goodPassword = "correct horse battery"

// newBare is a server on its first day: nobody and nothing is there.
func newBare(tb testing.TB) *watch {
	tb.Helper()
	log := slog.New(slog.DiscardHandler)
	s := storetest.Open(tb)
	box, err := secret.FromText(base64.StdEncoding.EncodeToString(make([]byte, secret.KeySize)))
	if err != nil {
		tb.Fatal(err)
	}
	h := &watch{TB: tb, store: s, dispatch: dispatch.New(s, box, log), signer: box.Signer()}
	passwords := auth.NewPasswords(auth.Params{Memory: 64, Time: 1, Threads: 1})
	h.web = New(Deps{
		Store: s, Dispatch: h.dispatch, Signer: box.Signer(), PublicURL: "http://watch.example", MailConfigured: true, Log: log,
		Accounts: account.New(s, box, account.Options{PublicURL: "http://watch.example", MailConfigured: true, Passwords: passwords, Log: log}),
	})
	mux := http.NewServeMux()
	h.web.Register(mux)
	shell, err := httpd.Handler(mux, httpd.Options{Log: log, Render: h.web.ShowProblem, CrossSiteExempt: CrossSiteExempt()})
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(shell)
	h.url = server.URL
	parts, stop := context.WithCancel(context.WithoutCancel(tb.Context()))
	var rest sync.WaitGroup
	rest.Go(func() { _ = h.dispatch.Run(parts) })
	tb.Cleanup(func() { server.Close(); stop(); rest.Wait() })
	return h
}

// admin sets the server up; its administrator is ada.
func (h *watch) admin() {
	h.Helper()
	token, _, err := h.web.Accounts.SetupToken(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	_, err = h.web.Accounts.Setup(h.Context(), token, account.Setup{
		OrgName: "Harbour Light", Name: "Ada", Username: "ada", Email: "ada@example.org", Zone: "Europe/Berlin", Password: goodPassword,
	}, account.Client{})
	if err != nil {
		h.Fatal(err)
	}
	ada, ok := h.org().UserByName("ada")
	if !ok {
		h.Fatal("nobody was made")
	}
	h.session(string(ada.ID))
}

// submit sends a plain form as nobody.
func (h *watch) submit(path string, want int, pairs ...string) (reply, string) {
	h.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	answer, body := h.ask(request{method: http.MethodPost, path: path, form: form, plain: true})
	if answer.StatusCode != want {
		h.Fatalf("POST %s %v: %s, want %d\n%.3000s", path, form, answer.Status, want, body)
	}
	return answer, html.UnescapeString(body)
}

// signedIn reports whether an answer carries a session that works.
func (h *watch) signedIn(answer reply) bool {
	h.Helper()
	for _, c := range answer.cookies {
		if c.Name != "watchroom" || c.Value == "" {
			continue
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			h.Errorf("session cookie is %v", c)
		}
		_, _, err := h.web.Accounts.Authenticate(h.Context(), c.Value)
		return err == nil
	}
	return false
}

func TestFirstDay(t *testing.T) {
	h := newBare(t)
	for _, path := range []string{"/", "/login", "/settings", "/setup?token=wrong"} {
		h.has(h.get("", path), "Watchroom is not set up yet")
	}
	token, _, err := h.web.Accounts.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer, page := h.ask(request{path: "/setup?token=" + token})
	h.has(page, `action="/setup/`+token+`"`, "Europe/Berlin")
	if answer.Header.Get("Referrer-Policy") != "no-referrer" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("set-up page: %v", answer.Header)
	}

	_, page = h.submit("/setup/"+token, http.StatusUnprocessableEntity, "org", "Harbour", "name", "Ada", "username", "A d a", "email", "nonsense", "zone", "Mars/Olympus", "password", goodPassword)
	h.has(page, "This is not an e-mail address.", "not a known time zone", "lower-case letters", `value="Harbour"`, `value="nonsense"`)
	_, page = h.submit("/setup/"+token, http.StatusUnprocessableEntity, "org", "Harbour", "name", "Ada", "username", "ada", "email", "ada@example.org", "zone", "Europe/Berlin", "password", "short")
	h.has(page, "at least", `value="ada@example.org"`)
	h.lacks(page, `value="short"`)

	answer, _ = h.submit("/setup/"+token, http.StatusSeeOther, "org", "Harbour", "name", "Ada", "username", "Ada", "email", "ada@example.org",
		"zone", "Europe/Berlin", "password", goodPassword, "team", "Night Watch")
	if !h.signedIn(answer) {
		t.Error("whoever sets up is not signed in")
	}
	o := h.org()
	route := o.Route("night-watch")
	if route.Default || len(route.Policy.Steps) != 1 || route.Policy.Steps[0].Targets[0].Rotation == "" {
		t.Errorf("the first team's key leads to %+v", route)
	}
	if on := o.OnCall(route.Policy.Steps[0].Targets[0].Rotation, h.web.Now()); len(on) != 1 {
		t.Errorf("on call in the first rotation: %v", on)
	}
	if answer, _ := h.ask(request{path: "/setup/" + token}); answer.Header.Get("Location") != "/login" {
		t.Errorf("a used set-up link: %s", answer.Status)
	}
}

func TestSignIn(t *testing.T) {
	h := newBare(t)
	h.admin()
	h.has(h.get("", "/login?next=/settings"), `value="/settings"`)
	answer, page := h.submit("/login", http.StatusUnauthorized, "email", "ada@example.org", "password", "wrong", "next", "/settings")
	h.has(page, "do not belong together", `value="ada@example.org"`, `value="/settings"`)
	_, stranger := h.submit("/login", http.StatusUnauthorized, "email", "nobody@example.org", "password", "wrong")
	h.has(stranger, "do not belong together") // the same sentence
	if h.signedIn(answer) {
		t.Error("signed in with a wrong password")
	}
	answer, _ = h.submit("/login", http.StatusSeeOther, "email", "ada@example.org", "password", goodPassword, "next", "/settings")
	if !h.signedIn(answer) || answer.Header.Get("Location") != "/settings" {
		t.Errorf("signed in: %v to %q", h.signedIn(answer), answer.Header.Get("Location"))
	}
	answer, _ = h.submit("/login", http.StatusSeeOther, "email", "ada@example.org", "password", goodPassword, "next", "https://evil.example/")
	if got := answer.Header.Get("Location"); got != "/" {
		t.Errorf("the sign-in sends people to %q", got)
	}
	if answer, _ := h.ask(request{as: "ada", path: "/login?next=/oncall"}); answer.Header.Get("Location") != "/oncall" {
		t.Errorf("somebody signed in is asked again: %s", answer.Status)
	}
	answer, _ = h.ask(request{as: "ada", method: http.MethodPost, path: "/logout", plain: true})
	if answer.Header.Get("Location") != "/login" {
		t.Errorf("signed out: %s", answer.Status)
	}
	if answer, _ := h.ask(request{as: "ada", path: "/settings"}); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the session goes on: %s", answer.Status)
	}
}

func TestSignInFromAnotherSiteIsRefused(t *testing.T) {
	h := newBare(t)
	h.admin()
	answer, _ := h.ask(request{method: http.MethodPost, path: "/login", plain: true, header: http.Header{"Origin": {"https://evil.example"}}})
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("POST from another site: %s, want 403", answer.Status)
	}
}

func TestForgottenPassword(t *testing.T) {
	h := newBare(t)
	h.admin()
	h.has(h.get("", "/forgot"), "Forgot your password?")
	_, known := h.submit("/forgot", http.StatusOK, "email", "ada@example.org")
	_, unknown := h.submit("/forgot", http.StatusOK, "email", "nobody@example.org")
	if known != unknown {
		t.Error("the answer tells whether there is an account")
	}
	link := h.mailedLink("/reset/")
	h.has(h.get("", link), "New password")
	_, page := h.submit(link, http.StatusUnprocessableEntity, "password", "short")
	h.has(page, "at least")
	answer, _ := h.submit(link, http.StatusSeeOther, "password", "another good password")
	if !h.signedIn(answer) {
		t.Error("not signed in after the reset")
	}
	_, page = h.submit(link, http.StatusNotFound, "password", "another good password")
	h.has(page, "This link does not work")
	if answer, _ := h.ask(request{path: "/reset/nonsense"}); answer.StatusCode != http.StatusNotFound || answer.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("a link that never was one: %s", answer.Status)
	}
}

func TestInvitation(t *testing.T) {
	h := newBare(t)
	h.admin()
	_, page := h.send("/settings/people/invite", http.StatusUnprocessableEntity, "name", "Kim", "email", "nonsense", "zone", "UTC", "role", "king")
	h.has(page, "This is not an e-mail address.", "Choose one of these.", `value="Kim"`)
	_, page = h.send("/settings/people/invite", http.StatusUnprocessableEntity, "name", "Kim", "email", "ADA@example.org", "zone", "UTC", "role", "member")
	h.has(page, "Somebody else has this e-mail address.", `value="ADA@example.org"`)
	answer, page := h.send("/settings/people/invite", http.StatusOK, "name", "Kim", "email", "kim@example.org", "zone", "UTC", "role", "member")
	h.has(page, "Kim can join now", "http://watch.example/invite/")
	if answer.Header.Get("Cache-Control") != "no-store" {
		t.Error("a page with a secret is kept")
	}
	kim, _ := h.org().UserByEmail("kim@example.org")
	h.has(h.get("ada", "/settings/people?state=invited"), "Kim")
	_, page = h.send("/settings/people/"+string(kim.ID)+"/invite", http.StatusOK)
	_, link, _ := strings.Cut(page, "http://watch.example")
	link, _, _ = strings.Cut(link, `"`)

	h.has(h.get("", link), "Join Harbour Light", `value="kim"`)
	_, page = h.submit(link, http.StatusUnprocessableEntity, "name", "Kim B", "username", "ada", "zone", "Asia/Tokyo", "password", goodPassword)
	h.has(page, "Somebody else has this username.", `value="Kim B"`)
	_, page = h.submit(link, http.StatusUnprocessableEntity, "name", "", "username", "Kim!", "zone", "Asia/Tokyo", "password", goodPassword)
	h.has(page, "This is needed.", "lower-case letters")
	_, page = h.submit(link, http.StatusUnprocessableEntity, "name", "Kim B", "username", "kim", "zone", "Asia/Tokyo", "password", "short")
	h.has(page, "at least")
	answer, _ = h.submit(link, http.StatusSeeOther, "name", "Kim B", "username", "kb", "zone", "Asia/Tokyo", "password", goodPassword)
	if !h.signedIn(answer) {
		t.Error("not signed in after joining")
	}
	if joined := h.org().Users[kim.ID]; joined.Name != "Kim B" || joined.Username != "kb" || joined.Zone != "Asia/Tokyo" || joined.Role != people.Member {
		t.Errorf("joined as %+v", joined)
	}
	if answer, _ := h.ask(request{path: link}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a used invitation: %s, want 404", answer.Status)
	}
	h.send("/settings/people/"+string(kim.ID)+"/invite", http.StatusSeeOther) // says that Kim has joined
}

func TestOnlyLocalPathsAreReturnedTo(t *testing.T) {
	for next, want := range map[string]string{
		"/": "/", "/settings?x=1": "/settings?x=1", "": "/", "//evil.example": "/", "https://evil.example/": "/", `/\evil.example`: "/",
		"/\t/evil.example": "/", "javascript:alert(1)": "/", "settings": "/", "/a\nb": "/",
	} {
		if got := localPath(next); got != want {
			t.Errorf("localPath(%q) = %q, want %q", next, got, want)
		}
	}
}
