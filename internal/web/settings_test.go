package web

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// signInAgain gives somebody a session under the cookie the tests use.
func (h *watch) signInAgain(name string) {
	h.Helper()
	err := h.store.Do(h.Context(), func(tx *store.Tx) error {
		tx.AddSession(secret.Hash("cookie-"+name), store.Session{
			ID: id.Session(id.New()), Person: id.User("u-" + name), CreatedAt: tx.Now, SeenAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour),
		})
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
}

// integrate makes an integration called Prometheus.
func (h *watch) integrate() routing.Integration {
	h.Helper()
	i := h.dispatch.NewIntegration(routing.REST, "Prometheus", "the-key-of-prometheus")
	_, err := h.dispatch.ChangeOrg(h.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return []org.Change{org.Put(i)}, nil })
	if err != nil {
		h.Fatal(err)
	}
	return i
}

func (h *watch) org() *org.Org {
	h.Helper()
	o, err := h.store.Org(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return o
}

// send sends a plain form as ada and wants a status.
func (h *watch) send(path string, want int, pairs ...string) (reply, string) {
	h.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	answer, body := h.ask(request{as: "ada", method: http.MethodPost, path: path, form: form, plain: true})
	if answer.StatusCode != want {
		h.Fatalf("POST %s %v: %s, want %d\n%.3000s", path, form, answer.Status, want, body)
	}
	return answer, html.UnescapeString(body)
}

// refused reports whether an answer says that one may not, or not yet.
func refused(answer reply) bool {
	return answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized ||
		answer.StatusCode == http.StatusSeeOther && strings.HasPrefix(answer.Header.Get("Location"), "/login?")
}

var everybody = map[string]people.Role{"": "", "olga": people.Observer, "kim": people.Member, "ada": people.Admin}

func TestFragmentsAreRefusedAndPagesSentToTheSignIn(t *testing.T) {
	h := newWatch(t)
	answer, _ := h.ask(request{path: "/settings/people?q=x"})
	if got := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || got != "/login?next=%2Fsettings%2Fpeople%3Fq%3Dx" {
		t.Errorf("page: %s to %q", answer.Status, got)
	}
	answer, _ = h.ask(request{path: "/settings/people", header: http.Header{"Hx-Request": {"true"}}})
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("fragment: %s, want 401", answer.Status)
	}
}

// settingsPages is every page of the settings, with things that exist.
func settingsPages(i routing.Integration) []string {
	return []string{
		"/settings", "/settings/profile", "/settings/profile/security", "/settings/profile/tokens", "/settings/people",
		"/settings/people?q=kim&role=member", "/settings/people/invite", "/settings/people/u-kim", "/settings/people/u-ada",
		"/settings/teams", "/settings/teams/new", "/settings/teams/t-db", "/settings/rotations", "/settings/rotations/new",
		"/settings/rotations/r-db", "/settings/policies", "/settings/policies/new", "/settings/policies/p-db",
		"/settings/routing", "/settings/routing?test=database", "/settings/routing/keys/k-db", "/settings/organisation",
		"/settings/tokens", "/settings/retention", "/integrations", "/integrations/" + string(i.ID),
		"/settings/profile/contacts", "/settings/profile/contacts/new?method=sms", "/settings/profile/paging", "/explain",
		"/settings/people/u-kim/contacts", "/settings/people/u-kim/paging", "/settings/providers", "/settings/providers/new?kind=twilio",
	}
}

var (
	sends = regexp.MustCompile(`(?:<form[^>]*method="post"[^>]*action|hx-post|formaction)="([^"]+)"`)
	leads = regexp.MustCompile(`(?:<form[^>]*method="get"[^>]*action|hx-get|href)="(/(?:settings|integrations)[^"]*)"`)
)

// No page shows anybody a form or a link that would be refused.
func TestPagesOfferOnlyWhatIsAllowed(t *testing.T) {
	h := newWatch(t)
	i := h.integrate()
	mux, may := http.NewServeMux(), map[string]people.Permission{}
	for _, route := range h.web.Routes() {
		mux.HandleFunc(route.Pattern, func(http.ResponseWriter, *http.Request) {})
		may[route.Pattern] = route.Permission
	}
	for _, who := range []string{"olga", "kim", "ada"} {
		shown := 0
		for _, page := range settingsPages(i) {
			answer, body := h.ask(request{as: who, path: page})
			if refused(answer) {
				continue
			}
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%s as %s: %s", page, who, answer.Status)
				continue
			}
			shown++
			for method, links := range map[string][][]string{http.MethodPost: sends.FindAllStringSubmatch(body, -1), http.MethodGet: leads.FindAllStringSubmatch(body, -1)} {
				for _, link := range links {
					target := html.UnescapeString(link[1])
					_, pattern := mux.Handler(httptest.NewRequest(method, target, http.NoBody))
					need, known := may[pattern]
					if !known {
						t.Errorf("%s as %s offers %s %s, which does not exist", page, who, method, target)
					}
					if need != "" && !everybody[who].May(need) {
						t.Errorf("%s as %s offers %s %s, which needs %s", page, who, method, target, need)
					}
				}
			}
		}
		if want := map[string]int{"olga": 21, "kim": 21, "ada": 34}[who]; shown != want {
			t.Errorf("%s sees %d pages, want %d", who, shown, want)
		}
	}
}

func TestEmptyListsSayWhatToDo(t *testing.T) {
	h := newBare(t)
	h.admin()
	for page, want := range map[string]string{
		"/settings/teams": "No team yet", "/settings/rotations": "No rotation yet", "/settings/routing": "No routing key yet",
		"/settings/profile/tokens": "No API token yet", "/settings/people?q=nobody": "Nobody matches",
		"/settings": "Getting ready",
	} {
		h.has(h.get("ada", page), want)
	}
}

func TestOrganisation(t *testing.T) {
	h := newWatch(t)
	h.send("/settings/organisation", http.StatusSeeOther, "name", "Lighthouse", "morning", "07:30")
	if s := h.org().Settings; s.Name != "Lighthouse" || s.SnoozeMorningAt != "07:30" || s.DefaultPolicy != "p-all" {
		t.Errorf("settings are %+v", s)
	}
	_, page := h.send("/settings/organisation", http.StatusUnprocessableEntity, "name", "", "morning", "25:00")
	h.has(page, "This is needed.", "Give a time such as 09:00.", `value="25:00"`)
	if answer, _ := h.ask(request{as: "ada", path: "/settings/organisation/export"}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("export without an exporter: %s, want 404", answer.Status)
	}
	h.web.Export = func(o *org.Org) ([]byte, error) { return []byte("name: " + o.Settings.Name), nil }
	h.has(h.get("ada", "/settings/organisation/export"), "name: Lighthouse")
}

// What was just done is told on the next page, and only there.
func TestFlash(t *testing.T) {
	h := newWatch(t)
	answer, _ := h.send("/settings/organisation", http.StatusSeeOther, "name", "Lighthouse", "morning", "07:30")
	cookie := answer.cookies[0]
	answer, page := h.ask(request{as: "ada", path: "/settings/organisation", header: http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}}})
	h.has(page, `<div>Saved.</div>`)
	if gone := answer.cookies; len(gone) != 1 || gone[0].MaxAge >= 0 {
		t.Errorf("the message stays: %v", gone)
	}
	h.lacks(h.get("ada", "/settings/organisation"), `<div>Saved.</div>`)
	h.has(mustPage(h.ask(request{as: "ada", path: "/settings", header: http.Header{"Cookie": {cookie.Name + "=nonsense"}}})), "Settings")
}

func mustPage(_ reply, body string) string { return body }

func TestZonesExist(t *testing.T) {
	for _, name := range zones() {
		if _, err := time.LoadLocation(name); err != nil {
			t.Errorf("zone %s: %v", name, err)
		}
	}
	if options := zoneOptions("US/Pacific"); !options[0].Selected || options[0].Value != "US/Pacific" {
		t.Errorf("an older zone is lost: %+v", options[0])
	}
}

func TestBrowserInWords(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                              "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0":           "Edge on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19 Safari/6": "Safari on iPhone",
		"curl/8.5.0": "curl",
		"":           "A browser or program",
	} {
		if got := browser(agent); got != want {
			t.Errorf("browser(%q) = %q, want %q", agent, got, want)
		}
	}
}
