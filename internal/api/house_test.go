package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/api"
	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/upload"
)

// house is the API on a real store, with three people, a team, a rotation, two
// policies, a routing key and an integration.
type house struct {
	files    *upload.Service
	t        testing.TB
	store    *store.Store
	dispatch *dispatch.Dispatcher
	accounts *account.Service
	handler  http.Handler
	tokens   map[string]string // by username: a token that may all that the person may
}

// door lets a browser in: the cookie "who" holds a username.
func door(s *store.Store) func(*http.Request) (people.Actor, error) {
	return func(r *http.Request) (people.Actor, error) {
		c, err := r.Cookie("who")
		if err != nil {
			return people.Actor{}, fault.Unauthenticated("Please sign in.")
		}
		o, err := s.Org(r.Context())
		if err != nil {
			return people.Actor{}, err
		}
		u, ok := o.UserByName(c.Value)
		if !ok {
			return people.Actor{}, fault.Unauthenticated("Please sign in.")
		}
		return people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Origin: timeline.Browser}, nil
	}
}

func newHouse(t testing.TB) *house {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "watchroom.db")})
	if err != nil {
		t.Fatal(err)
	}
	box := secrettest.Box(t)
	log := slog.New(slog.DiscardHandler)
	h := &house{t: t, store: s, tokens: map[string]string{}}
	h.dispatch = dispatch.New(s, box, log)
	h.accounts = account.New(s, box, account.Options{PublicURL: "https://watch.example.org", Log: log})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = h.dispatch.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	bucket, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	scanner, err := blob.NewScanner("")
	if err != nil {
		t.Fatal(err)
	}
	h.files = upload.New(s, bucket, blob.Intake{Policy: blob.Policy{MaxBytes: 1 << 16, Refuse: blob.Executables()}, Inspector: blob.NewInspector(1), Scanner: scanner}, log)
	t.Cleanup(func() {
		if err := bucket.Close(); err != nil {
			t.Error(err)
		}
	})
	h.furnish()
	h.handler = h.serve(feed{s})
	return h
}

func (h *house) serve(stream api.Stream) http.Handler {
	h.t.Helper()
	mux := http.NewServeMux()
	err := api.Register(mux, api.Deps{
		Store: h.store, Dispatch: h.dispatch, Files: h.files, Desk: newDesk(h.t, h.store), Accounts: h.accounts, Stream: stream, Authenticate: door(h.store),
		Log: slog.New(slog.DiscardHandler), PublicURL: &url.URL{Scheme: "https", Host: "watch.example.org"},
		AssetURL: func(name string) string { return "/static/" + name },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return mux
}

func (h *house) furnish() {
	h.t.Helper()
	person := func(name string, role people.Role) people.User {
		return people.User{
			ID: id.User("u-" + name), Username: name, Name: strings.ToUpper(name[:1]) + name[1:], Email: name + "@example.org", Role: role, Zone: "Europe/Berlin",
			Contacts: []people.Contact{{ID: id.Contact("c-" + name), Method: people.Email, Address: name + "@example.org"}},
		}
	}
	policy := escalation.Policy{
		ID: "p-database", Slug: "database", Name: "Database", Team: "t-ops", RepeatAfter: escalation.DefaultRepeatAfter,
		Steps: []escalation.Step{
			{Targets: []escalation.Target{{Rotation: "r-primary"}}},
			{After: escalation.Duration(5 * time.Minute), Targets: []escalation.Target{{User: "u-ada"}}},
		},
	}
	other := escalation.Policy{
		ID: "p-network", Slug: "network", Name: "Network", RepeatAfter: escalation.DefaultRepeatAfter,
		Steps: []escalation.Step{{Targets: []escalation.Target{{User: "u-ada"}}}},
	}
	h.change(
		org.Put(person("ada", people.Admin)), org.Put(person("max", people.Member)), org.Put(person("olga", people.Observer)),
		org.Put(people.Team{ID: "t-ops", Slug: "ops", Name: "Operations", Members: []id.User{"u-ada", "u-max"}}),
		org.Put(oncall.Rotation{ID: "r-primary", Name: "Primary", Team: "t-ops", Zone: "Europe/Berlin", Layers: []oncall.Layer{{
			Members: []id.User{"u-max", "u-ada"}, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2026-01-05",
		}}}),
		org.Put(policy), org.Put(other),
		org.Put(routing.Key{ID: "k-database", Name: "Database", Policy: policy.ID}),
		org.Put(org.Settings{Name: "Example", DefaultPolicy: other.ID, WarningsOpen: true, SnoozeMorningAt: "09:00"}),
	)
	door := h.dispatch.NewIntegration(routing.REST, "Nagios", "")
	door.ID = "i-nagios"
	h.change(org.Put(door))
	for _, name := range []string{"ada", "max", "olga"} {
		h.tokens[name] = h.token(name)
	}
}

func (h *house) change(changes ...org.Change) {
	h.t.Helper()
	_, err := h.dispatch.ChangeOrg(h.t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil })
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) token(name string, scopes ...people.Permission) string {
	h.t.Helper()
	text, _, err := h.accounts.CreateToken(h.t.Context(), people.Operator(), id.User("u-"+name), "test", scopes)
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

// alert takes an alert in and returns its incident.
func (h *house) alert(entity string) id.Incident {
	h.t.Helper()
	a, err := h.dispatch.Accept(h.t.Context(), alert.Alert{
		Integration: "i-nagios", RoutingKey: "database", Type: alert.Critical, EntityID: entity, Title: "Disk of " + entity, Message: "93% full",
		Annotations: []alert.Annotation{{Kind: alert.Link, Title: "Runbook", Value: "https://wiki.example.org/disk"}}, Raw: `{"message_type":"CRITICAL"}`,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return a.Incident
}

// reply is what came back.
type reply struct {
	Status int
	Header http.Header
	Text   string
	JSON   map[string]any
}

func (r reply) items() []map[string]any {
	list, _ := r.JSON["items"].([]any)
	var items []map[string]any
	for _, x := range list {
		m, _ := x.(map[string]any)
		items = append(items, m)
	}
	return items
}

// at follows a path such as "errors", 0, "field".
func (r reply) at(path ...any) any {
	var v any = r.JSON
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// do sends a request as somebody ("" for nobody); header are pairs.
func (h *house) do(who, method, path, body string, header ...string) reply {
	h.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, in)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+h.tokens[who])
	}
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	return send(h.t, h.handler, r)
}

func send(t testing.TB, handler http.Handler, r *http.Request) reply {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	out := reply{Status: w.Code, Header: w.Header(), Text: w.Body.String()}
	if ct := w.Header().Get("Content-Type"); strings.Contains(ct, "json") && ct != "application/x-ndjson" {
		d := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
		if err := d.Decode(&out.JSON); err != nil {
			t.Fatalf("%s %s: body is no JSON: %v\n%s", r.Method, r.URL, err, w.Body)
		}
	}
	return out
}

// want fails when the status is another.
func (h *house) want(r reply, status int) reply {
	h.t.Helper()
	if r.Status != status {
		h.t.Fatalf("status %d, want %d\n%s", r.Status, status, r.Text)
	}
	return r
}

// feed is a Stream that reads the store after every wake.
type feed struct{ store *store.Store }

type feedReader struct {
	store *store.Store
	after id.Seq
	wake  <-chan struct{}
	end   func()
}

func (f feed) Subscribe(_ context.Context, after id.Seq) (api.Subscription, error) {
	wake, end := f.store.Wake(store.Entries)
	return &feedReader{f.store, after, wake, end}, nil
}

func (f *feedReader) Next(ctx context.Context) ([]live.Event, error) {
	for {
		all, err := f.store.Entries(ctx, store.EntryFilter{Limit: 1000})
		if err != nil {
			return nil, errors.Join(err, ctx.Err())
		}
		all = slices.DeleteFunc(all, func(e timeline.Entry) bool { return e.Seq <= f.after })
		if len(all) > 0 {
			f.after = all[len(all)-1].Seq
			events := make([]live.Event, len(all))
			for i, e := range all {
				events[i] = live.OfEntry(e)
			}
			return events, nil
		}
		select {
		case <-f.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (f *feedReader) Close() { f.end() }
