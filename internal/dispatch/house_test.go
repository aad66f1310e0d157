package dispatch

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// clock is the time of a test; it passes when it is told to, and by tick
// whenever it is read, which a transaction does once.
type clock struct {
	mu   sync.Mutex
	now  time.Time     // guarded by mu
	tick time.Duration // set before the test begins
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(c.tick)
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// house is a dispatcher on a real database with a small organisation: alerts
// of the key "database" page Kim at once and Lee after five minutes, and the
// policy ends ten minutes later.
type house struct {
	*Dispatcher
	store *store.Store
	other *Dispatcher // a second node; on SQLite there is one, so it is the same
	clock *clock
}

// eachEngine runs a test on both databases and looks at the invariants afterwards.
func eachEngine(t *testing.T, test func(t *testing.T, h *house)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			h := newHouse(t, engine)
			test(t, h)
			h.audit(t)
		})
	}
}

func newHouse(t *testing.T, engine string) *house {
	t.Helper()
	h := &house{clock: &clock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}}
	cfg := store.Config{Path: filepath.Join(t.TempDir(), "watchroom.db"), Clock: h.clock.read}
	if engine == "postgres" {
		cfg.Database = pgtest.URL(t)
	}
	box := secrettest.Box(t)
	open := func() *store.Store {
		s := storetest.OpenAt(t, cfg)
		return s
	}
	h.store = open()
	h.Dispatcher = New(h.store, box, slog.New(slog.DiscardHandler))
	h.other = h.Dispatcher
	if engine == "postgres" {
		h.other = New(open(), box, slog.New(slog.DiscardHandler))
	}
	h.change(t, objects()...)
	return h
}

func objects() []org.Change {
	person := func(u id.User, name string, role people.Role) people.User {
		address := string(u) + "@example.org"
		return people.User{
			ID: u, Username: string(u), Name: name, Email: address, Role: role, Zone: "UTC",
			Contacts: []people.Contact{{ID: id.Contact("c-" + u), Method: people.Email, Address: address}},
		}
	}
	silent, gone := person("ann", "Ann", people.Member), person("max", "Max", people.Member)
	silent.Contacts = nil
	gone.Disabled = true
	at := func(after time.Duration, u id.User) escalation.Step {
		return escalation.Step{After: escalation.Duration(after), Targets: []escalation.Target{{User: u}}}
	}
	return []org.Change{
		org.Put(person("ada", "Ada", people.Admin)), org.Put(person("kim", "Kim", people.Member)), org.Put(person("lee", "Lee", people.Member)),
		org.Put(person("obi", "Obi", people.Observer)), org.Put(silent), org.Put(gone),
		org.Put(people.Team{ID: "dba", Slug: "dba", Name: "Databases", Members: []id.User{"kim"}}),
		org.Put(escalation.Policy{
			ID: "p1", Slug: "database", Name: "Database", Team: "dba", RepeatAfter: escalation.Duration(10 * time.Minute),
			Steps: []escalation.Step{at(0, "kim"), at(5*time.Minute, "lee")},
		}),
		org.Put(escalation.Policy{
			ID: "p2", Slug: "network", Name: "Network", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{at(0, "lee")},
		}),
		org.Put(routing.Key{ID: "k1", Name: "database", Policy: "p1"}),
		org.Put(org.Settings{Name: "Example", DefaultPolicy: "p2", WarningsOpen: true, SnoozeMorningAt: "09:00"}),
	}
}

func (h *house) change(t *testing.T, changes ...org.Change) {
	t.Helper()
	if _, err := h.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil }); err != nil {
		t.Fatal(err)
	}
}

// run accepts alerts until the test ends.
func (h *house) run(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Run() = %v", err)
		}
	})
}

func critical(entity string) alert.Alert {
	return alert.Alert{Type: alert.Critical, EntityID: entity, Title: entity, Message: "it is down", Tool: "nagios", RoutingKey: "database", Raw: "{}"}
}

// open makes an incident, as the first alert of an entity does.
func (h *house) open(t *testing.T, entity string) incident.Incident {
	t.Helper()
	got := h.group(t, critical(entity))
	if got[0].err != nil {
		t.Fatal(got[0].err)
	}
	return h.incident(t, got[0].alert.Incident)
}

func (h *house) incident(t *testing.T, n id.Incident) incident.Incident {
	t.Helper()
	inc, err := h.store.Incident(t.Context(), n)
	if err != nil {
		t.Fatalf("load incident %d: %v", n, err)
	}
	return inc
}

type answer struct {
	alert alert.Alert
	err   error
}

// group commits alerts as one group: they wait together before the writer looks.
func (h *house) group(t *testing.T, alerts ...alert.Alert) []answer {
	t.Helper()
	var requests []*request
	for _, a := range alerts {
		r := &request{alert: a, done: make(chan error, 1)}
		requests = append(requests, r)
		if !h.enqueue(r) {
			t.Fatal("too many alerts wait")
		}
	}
	over, stop := context.WithCancel(t.Context())
	stop()
	if err := h.Run(over); err != nil { // what waits when the server stops is still committed
		t.Fatalf("Run() = %v", err)
	}
	var all []answer
	for _, r := range requests {
		err := <-r.done
		all = append(all, answer{r.alert, err})
	}
	return all
}

func (h *house) head(t *testing.T) store.Head {
	t.Helper()
	head, err := h.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func (h *house) entries(t *testing.T, f store.EntryFilter) []timeline.Entry {
	t.Helper()
	f.Limit, f.FromStart = 1000, true
	found, err := h.store.Entries(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// kinds tells what stands in the timeline after a number.
func (h *house) kinds(t *testing.T, after id.Seq) []timeline.Kind {
	t.Helper()
	var all []timeline.Kind
	for _, e := range h.entries(t, store.EntryFilter{After: after}) {
		all = append(all, e.Kind)
	}
	return all
}

func actor(u id.User, name string, role people.Role) people.Actor {
	return people.Actor{User: u, Name: name, Role: role, Origin: timeline.Browser}
}

func kim() people.Actor { return actor("kim", "Kim", people.Member) }
func lee() people.Actor { return actor("lee", "Lee", people.Member) }

// audit looks at what must be true whatever happened: entries are numbered
// without a gap and never go back in time, replaying them gives the stored
// incidents, and each waiting step and snooze has its timer and no other.
func (h *house) audit(t *testing.T) {
	t.Helper()
	head := h.head(t)
	replayed := map[id.Incident]incident.Incident{}
	var last timeline.Entry
	for last.Seq < head.Seq {
		some := h.entries(t, store.EntryFilter{AllRooms: true, After: last.Seq})
		if len(some) == 0 {
			t.Fatalf("entries end at %d, the head says %d", last.Seq, head.Seq)
		}
		for _, e := range some {
			if e.Seq != last.Seq+1 || e.At.Before(last.At) {
				t.Fatalf("entry %d at %s follows %d at %s", e.Seq, e.At, last.Seq, last.At)
			}
			if e.Incident != 0 {
				replayed[e.Incident] = incident.Replay(replayed[e.Incident], e)
			}
			last = e
		}
	}
	waiting := map[incident.Timer]bool{}
	for n, inc := range replayed {
		stored := h.incident(t, n)
		if stored.State != inc.State || !cmp.Equal(stored.AckedBy, inc.AckedBy) || !stored.AckedAt.Equal(inc.AckedAt) ||
			!stored.ResolvedAt.Equal(inc.ResolvedAt) || !stored.SnoozedUntil.Equal(inc.SnoozedUntil) || stored.Step != inc.Step ||
			!cmp.Equal(stored.Paged, inc.Paged) || stored.Title != inc.Title || stored.Policy != inc.Policy {
			t.Errorf("replaying the entries of incident %d gives another (-stored +replayed):\n%s", n, cmp.Diff(stored, inc))
		}
		if !stored.NextAt.IsZero() {
			waiting[incident.Timer{Kind: incident.EscalateTimer, Incident: n, DueAt: stored.NextAt}] = true
		}
		if !stored.SnoozedUntil.IsZero() {
			waiting[incident.Timer{Kind: incident.UnsnoozeTimer, Incident: n, DueAt: stored.SnoozedUntil}] = true
		}
		if !stored.AckUntil.IsZero() {
			waiting[incident.Timer{Kind: incident.AckTimer, Incident: n, DueAt: stored.AckUntil}] = true
		}
	}
	timers, err := h.store.Timers(t.Context(), 10_000)
	if err != nil {
		t.Fatal(err)
	}
	set := map[incident.Timer]bool{}
	for _, x := range timers {
		set[x] = true
	}
	if diff := cmp.Diff(waiting, set); diff != "" {
		t.Errorf("timers (-incidents say +are set):\n%s", diff)
	}
}
