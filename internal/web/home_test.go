//nolint:bodyclose // watch.do reads and closes every body
package web

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

// watch is a whole server on a real store, with three people: ada (admin),
// kim (member, on call) and olga (observer).
type watch struct {
	testing.TB
	store    *store.Store
	dispatch *dispatch.Dispatcher
	signer   *secret.Signer
	web      *Server
	url      string
	mails    []Mail
	drain    func() // stops the server as SIGTERM does, and waits
}

func newWatch(tb testing.TB) *watch {
	tb.Helper()
	log := slog.New(slog.DiscardHandler)
	s := storetest.Open(tb)
	box, err := secret.FromText(base64.StdEncoding.EncodeToString(make([]byte, secret.KeySize)))
	if err != nil {
		tb.Fatal(err)
	}
	d := dispatch.New(s, box, log)
	hub := live.New(s, log, time.Second)
	h := &watch{TB: tb, store: s, dispatch: d, signer: box.Signer()}
	deps := Deps{
		Store: s, Dispatch: d, Accounts: account.New(s, box, account.Options{Log: log}), Live: hub, Signer: box.Signer(),
		PublicURL: "http://watch.example", Demo: true, Log: log, Mailbox: func() []Mail { return h.mails },
	}
	employ(tb, &deps, box)
	h.web = New(deps)
	mux := http.NewServeMux()
	h.web.Register(mux)
	shell, err := httpd.Handler(mux, httpd.Options{Log: log, Render: h.web.ShowProblem, CrossSiteExempt: CrossSiteExempt()})
	if err != nil {
		tb.Fatal(err)
	}
	ln, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	h.url = "http://" + ln.Addr().String()

	parts, stopParts := context.WithCancel(context.WithoutCancel(tb.Context()))
	serving, stopServing := context.WithCancel(parts)
	var serve, rest sync.WaitGroup
	rest.Go(func() { _ = d.Run(parts) })
	rest.Go(func() { _ = hub.Run(parts) })
	serve.Go(func() { _ = httpd.NewServer(shell, time.Second, log).Run(serving, ln) })
	h.drain = sync.OnceFunc(func() { stopServing(); serve.Wait() })
	tb.Cleanup(func() { h.drain(); stopParts(); rest.Wait() })
	h.furnish()
	return h
}

func (h *watch) furnish() {
	h.Helper()
	user := func(name string, role people.Role) people.User {
		return people.User{
			ID: id.User("u-" + name), Username: name, Name: strings.ToUpper(name[:1]) + name[1:], Email: name + "@example.org", Role: role, Zone: "Europe/Berlin",
			Contacts: []people.Contact{{ID: id.Contact("c-" + name), Method: people.Email, Address: name + "@example.org"}},
		}
	}
	_, err := h.dispatch.ChangeOrg(h.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
		settings := o.Settings
		settings.Name, settings.DefaultPolicy = "Harbour Light", "p-all"
		return []org.Change{
			org.Put(user("ada", people.Admin)), org.Put(user("kim", people.Member)), org.Put(user("olga", people.Observer)),
			org.Put(people.Team{ID: "t-db", Slug: "storage", Name: "Storage", Members: []id.User{"u-kim"}}),
			org.Put(oncall.Rotation{ID: "r-db", Name: "Storage days", Team: "t-db", Zone: "Europe/Berlin", Layers: []oncall.Layer{{
				Members: []id.User{"u-kim", "u-ada"}, Every: 1000, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2024-01-01",
			}}}),
			org.Put(escalation.Policy{ID: "p-all", Slug: "all", Name: "Everything", Steps: []escalation.Step{
				{Targets: []escalation.Target{{User: "u-ada"}}},
			}, RepeatAfter: escalation.DefaultRepeatAfter}),
			org.Put(escalation.Policy{ID: "p-db", Slug: "database", Name: "Database", Team: "t-db", Steps: []escalation.Step{
				{Targets: []escalation.Target{{Rotation: "r-db"}}},
				{After: escalation.Duration(5 * time.Minute), Targets: []escalation.Target{{User: "u-ada"}}},
			}, RepeatAfter: escalation.DefaultRepeatAfter}),
			org.Put(routing.Key{ID: "k-db", Name: "database", Policy: "p-db"}),
			org.Put(settings),
		}, nil
	})
	if err != nil {
		h.Fatal(err)
	}
	for _, name := range []string{"ada", "kim", "olga"} {
		err := h.store.Do(h.Context(), func(tx *store.Tx) error {
			tx.AddSession(secret.Hash("cookie-"+name), store.Session{
				ID: id.Session("s-" + name), Person: id.User("u-" + name), CreatedAt: tx.Now, SeenAt: tx.Now, ExpiresAt: tx.Now.Add(24 * time.Hour),
			})
			return nil
		})
		if err != nil {
			h.Fatal(err)
		}
	}
}

// actor is one of the three, as a browser's request would have them.
func (h *watch) actor(name string) people.Actor {
	h.Helper()
	actor, _, err := h.web.Accounts.Authenticate(h.Context(), "cookie-"+name)
	if err != nil {
		h.Fatal(err)
	}
	return actor
}

// alert sends a critical alert of an entity with the database's routing key.
func (h *watch) alert(entity string) id.Incident {
	h.Helper()
	a, err := h.dispatch.Accept(h.Context(), alert.Alert{
		Type: alert.Critical, EntityID: entity, Title: entity, Message: "93% full", RoutingKey: "database", Tool: "prometheus", Raw: `{"a":1}`,
		Annotations: []alert.Annotation{{Kind: alert.Link, Title: "Runbook", Value: "https://wiki.example/disk"}},
	})
	if err != nil {
		h.Fatal(err)
	}
	return a.Incident
}

func (h *watch) say(name, text string) {
	h.Helper()
	if err := h.dispatch.Post(h.Context(), h.actor(name), 0, text); err != nil {
		h.Fatal(err)
	}
}

// request is one that a browser could send; as "" is nobody signed in.
type request struct {
	as, method, path string
	form             url.Values
	plain            bool // a form without a script: not htmx, redirects are answers
	header           http.Header
}

// do sends r and returns the answer, which is closed, and its body.
func (h *watch) do(r request) (*http.Response, string) {
	h.Helper()
	if r.method == "" {
		r.method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(h.Context(), r.method, h.url+r.path, strings.NewReader(r.form.Encode()))
	if err != nil {
		h.Fatal(err)
	}
	maps.Copy(req.Header, r.header)
	if r.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if !r.plain {
			req.Header.Set("HX-Request", "true")
		}
	}
	if r.as != "" {
		req.AddCookie(&http.Cookie{Name: "watchroom", Value: "cookie-" + r.as})
	}
	answer, err := noRedirects().Do(req)
	if err != nil {
		h.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		h.Fatal(err)
	}
	return answer, string(body)
}

func noRedirects() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// get is a page as somebody sees it; it must be there.
func (h *watch) get(as, path string) string {
	h.Helper()
	answer, body := h.do(request{as: as, path: path})
	if answer.StatusCode != http.StatusOK {
		h.Fatalf("GET %s as %s: %s\n%.2000s", path, as, answer.Status, body)
	}
	return body
}

// has checks that a page says all of these.
func (h *watch) has(page string, all ...string) {
	h.Helper()
	for _, text := range all {
		if !strings.Contains(page, text) {
			h.Errorf("page lacks %q:\n%.2000s", text, page)
		}
	}
}

func (h *watch) lacks(page string, all ...string) {
	h.Helper()
	for _, text := range all {
		if strings.Contains(page, text) {
			h.Errorf("page has %q", text)
		}
	}
}

func TestHomeShowsThreePanes(t *testing.T) {
	h := newWatch(t)
	h.alert("disk/db01")
	h.say("kim", "looking at db01")
	page := h.get("kim", "/")
	h.has(page, "Storage days", "looking at db01", "disk/db01", `data-card="1"`, `action="/incidents/1/ack"`, `id="composer"`, "Harbour Light")
	if page := h.get("olga", "/"); strings.Contains(page, `/incidents/1/ack"`) || strings.Contains(page, `id="composer"`) {
		t.Error("an observer is offered what is refused")
	}
}

func TestHomeKeepsItsFiltersWithoutAScript(t *testing.T) {
	h := newWatch(t)
	h.alert("disk/db01")
	h.say("kim", "looking at it")
	page := h.get("kim", "/?kind=chat&person=u-kim&pane=timeline")
	h.has(page, "looking at it", `value="chat" checked`, `<option value="u-kim" selected`)
	h.lacks(page, `data-group="alerts"`, `data-group="pages"`)
}

func TestPeopleFragment(t *testing.T) {
	h := newWatch(t)
	page := h.get("kim", "/people")
	h.has(page, "Storage days", "Kim", "(you)", "Olga")
	h.lacks(page, "<html")
}
