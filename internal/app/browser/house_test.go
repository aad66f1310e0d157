package browser

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/app"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/mailbox"
	"github.com/watchroom/watchroom/internal/notifytest"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// password is everybody's.
const password = "correct horse battery"

// house is a server that runs as it does for people, and its mail server.
type house struct {
	*testing.T
	app    *app.App
	config config.Config
	url    string // as browsers see it
	line   *line
	mail   *notifytest.SMTP
	said   *speech          // what it printed
	log    *speech          // its warnings and errors
	stop   func()           // ends the server; may be called again
	used   map[string]bool  // links that were taken from mails
	joined map[id.User]bool // who has a password
	key    string           // of the integration, once furnished
}

// newHouse starts a server that nobody has set up.
func newHouse(t *testing.T) *house {
	t.Helper()
	return newHouseWith(t, func(*config.Config) {})
}

// newHouseWith is newHouse with other settings.
func newHouseWith(t *testing.T, change func(*config.Config)) *house {
	t.Helper()
	h := &house{T: t, line: newLine(t), mail: notifytest.NewSMTP(t), said: &speech{}, log: &speech{}, used: map[string]bool{}, joined: map[id.User]bool{}}
	h.url = "http://" + h.line.Addr().String()
	cfg := config.Default()
	cfg.MessageRate = 0 // stories are told faster than people write
	cfg.Data, cfg.Listen, cfg.PublicURL = t.TempDir(), "127.0.0.1:0", h.url
	cfg.SMTPURL, cfg.MailFrom = h.mail.URL(), "Watchroom <pager@watch.example.org>"
	change(&cfg)
	h.config = cfg
	t.Cleanup(func() {
		h.stop()
		if t.Failed() {
			t.Logf("the server said:\n%s", h.log.String())
		}
	})
	h.start()
	return h
}

// start runs a node in the house's folder; h.stop ends it in good order.
func (h *house) start() {
	h.Helper()
	h.stop = func() {}
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan string, 1)
	node, err := app.New(ctx, app.Options{
		Config: h.config, Stdout: h.said, Ready: func(addr string) { ready <- addr },
		Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		cancel()
		h.Fatalf("New: %v", err)
	}
	h.app = node
	ended := make(chan error, 1)
	go func() { ended <- node.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		h.line.cut()
		if err := <-ended; err != nil {
			h.Errorf("Run: %v", err)
		}
		if err := node.Close(); err != nil {
			h.Errorf("Close: %v", err)
		}
	})
	select {
	case addr := <-ready:
		h.line.connect(addr)
	case err := <-ended:
		ended <- nil
		h.Fatalf("Run: %v", err)
	}
}

// restart ends the server and runs it again in the same folder; for browsers
// it was away at the same address.
func (h *house) restart() {
	h.Helper()
	h.stop()
	h.start()
	h.line.mend()
}

// newFurnishedHouse has ada the administrator, kim and noor who are paged for
// database, and olga who looks on.
func newFurnishedHouse(t *testing.T) *house {
	t.Helper()
	h := newHouse(t)
	h.furnish()
	return h
}

// furnish moves the people of newFurnishedHouse in.
func (h *house) furnish() {
	h.Helper()
	h.key = "0123456789abcdef0123456789abcdef"
	var changes []org.Change
	for _, p := range []struct {
		name string
		role people.Role
	}{{"Ada Winter", people.Admin}, {"Kim Okafor", people.Member}, {"Noor Haddad", people.Member}, {"Olga Petrova", people.Observer}} {
		u := username(p.name)
		changes = append(changes, org.Put(people.User{
			ID: id.User(u), Username: u, Name: p.name, Email: u + "@example.org", Role: p.role, Zone: "Europe/Berlin",
			Contacts: []people.Contact{{ID: id.Contact("mail-" + u), Method: people.Email, Address: u + "@example.org"}},
		}))
	}
	changes = append(changes,
		org.Put(people.Team{ID: "db", Slug: "database", Name: "Database", Members: []id.User{"kim", "noor"}}),
		org.Put(oncall.Rotation{ID: "primary", Name: "Primary", Team: "db", Zone: "Europe/Berlin", Layers: []oncall.Layer{
			{Members: []id.User{"kim"}, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2020-01-06"},
		}}),
		org.Put(escalation.Policy{ID: "database", Slug: "database", Name: "Database", Team: "db", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{
			{Targets: []escalation.Target{{Rotation: "primary"}}},
			{After: escalation.Duration(time.Hour), Targets: []escalation.Target{{User: "noor"}}},
		}}),
		org.Put(escalation.Policy{ID: "default", Slug: "default", Name: "Default", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{
			{Targets: []escalation.Target{{User: "ada"}}},
		}}),
		org.Put(routing.Key{ID: "database", Name: "Database", Policy: "database"}),
		org.Put(h.app.Dispatch.NewIntegration(routing.REST, "Monitoring", h.key)),
		org.Put(org.Settings{Name: "Example", DefaultPolicy: "default", WarningsOpen: true, SnoozeMorningAt: "09:00"}),
	)
	h.change(changes...)
}

// change changes the organisation past the browsers.
func (h *house) change(changes ...org.Change) {
	h.Helper()
	_, err := h.app.Dispatch.ChangeOrg(h.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil })
	if err != nil {
		h.Fatalf("ChangeOrg: %v", err)
	}
}

func username(name string) string { return strings.ToLower(strings.Fields(name)[0]) }

// session signs a person in without a form and returns the cookie's value.
func (h *house) session(user id.User) string {
	h.Helper()
	if !h.joined[user] { // a new password ends the sessions that there are
		if err := h.app.Accounts.SetPassword(h.Context(), people.Operator(), user, password); err != nil {
			h.Fatalf("SetPassword: %v", err)
		}
		h.joined[user] = true
	}
	grant, err := h.app.Accounts.SignIn(h.Context(), h.org().Users[user].Email, password, account.Client{Address: "127.0.0.1"})
	if err != nil {
		h.Fatalf("SignIn: %v", err)
	}
	return grant.Cookie
}

func (h *house) org() *org.Org {
	h.Helper()
	o, err := h.app.Store.Org(h.Context())
	if err != nil {
		h.Fatalf("Org: %v", err)
	}
	return o
}

// actor is a person as a browser's requests have them.
func (h *house) actor(user id.User) people.Actor {
	h.Helper()
	u := h.org().Users[user]
	return people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Origin: timeline.Browser}
}

// postAlert posts to an integration's address as a monitoring system does.
func postAlert(t *testing.T, address, kind, entity, message string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"message_type": kind, "entity_id": entity, "state_message": message, "monitoring_tool": "Prometheus"})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("post alert: %v", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("post alert to %s: %s", address, resp.Status)
	}
}

// page posts an alert to the furnished house's database, past the line: the
// monitoring system does not sit where the browsers do.
func (h *house) page(kind, entity string) {
	h.Helper()
	postAlert(h.T, "http://"+h.line.target()+"/integrations/generic/20131114/alert/"+h.key+"/database", kind, entity, entity+" is in trouble")
}

// say posts a line to the timeline as user.
func (h *house) say(user id.User, text string) {
	h.Helper()
	if err := h.app.Dispatch.Post(h.Context(), h.actor(user), 0, text); err != nil {
		h.Fatalf("Post: %v", err)
	}
}

func (h *house) incident(n id.Incident) incident.Incident {
	h.Helper()
	inc, err := h.app.Store.Incident(h.Context(), n)
	if err != nil {
		h.Fatalf("incident %d: %v", n, err)
	}
	return inc
}

// entries is the whole timeline.
func (h *house) entries() []timeline.Entry {
	h.Helper()
	var all []timeline.Entry
	for {
		f := store.EntryFilter{FromStart: true, Limit: 1000}
		if n := len(all); n > 0 {
			f.After = all[n-1].Seq
		}
		more, err := h.app.Store.Entries(h.Context(), f)
		if err != nil {
			h.Fatalf("Entries: %v", err)
		}
		if len(more) == 0 {
			return all
		}
		all = append(all, more...)
	}
}

// kinds is what happened to an incident, in order.
func (h *house) kinds(n id.Incident) []timeline.Kind {
	h.Helper()
	var kinds []timeline.Kind
	for _, e := range h.entries() {
		if e.Incident == n {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

// mailed waits for a mail to a person with a link that was not asked for
// before, and returns that link.
func (h *house) mailed(user, part string) string {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	m, err := h.mail.Wait(ctx, func(m mailbox.Message) bool {
		link := m.Link(part)
		return m.IsTo(user+"@example.org") && link != "" && !h.used[link]
	})
	if err != nil {
		h.Fatalf("no mail to %s with a link to %s: %v", user, part, err)
	}
	link := m.Link(part)
	h.used[link] = true
	return link
}

var setupLink = regexp.MustCompile(`http://\S+/setup\?token=\S+`)

// setup is the link that the server printed.
func (h *house) setup() string {
	h.Helper()
	link := setupLink.FindString(h.said.String())
	if link == "" {
		h.Fatalf("no set-up link in %q", h.said.String())
	}
	return link
}

// speech collects what a server writes.
type speech struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (s *speech) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *speech) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// newDemo runs a made-up organisation with an eventful past and returns its address.
func newDemo(t *testing.T) string {
	t.Helper()
	l := newLine(t)
	cfg := config.Default()
	cfg.Listen, cfg.PublicURL = "127.0.0.1:0", "http://"+l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan string, 1)
	ended := make(chan error, 1)
	var log speech
	go func() {
		ended <- app.Run(ctx, app.Options{
			Config: cfg, Demo: true, Stdout: &log, Ready: func(addr string) { ready <- addr },
			Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
	}()
	t.Cleanup(func() {
		cancel()
		l.cut()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if t.Failed() {
			t.Logf("the server said:\n%s", log.String())
		}
	})
	select {
	case addr := <-ready:
		l.connect(addr)
	case err := <-ended:
		ended <- nil
		t.Fatalf("Run: %v", err)
	}
	return cfg.PublicURL
}
