package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/mailbox"
	"github.com/watchroom/watchroom/internal/notify/email"
	"github.com/watchroom/watchroom/internal/notifytest"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// world is a node under fake time with a small organisation, a mail server in
// memory, and a monitoring system that posts over HTTP.
type world struct {
	*testing.T
	app  *App
	mail *notifytest.SMTP
	key  string
	sent []string // entities of accepted alerts
	dir  string
	http *http.Client // reaches the providers of pages; nil: nothing does
	stop func()
}

// story runs a scenario under fake time and checks the invariants at its end.
func story(t *testing.T, tell func(w *world), options ...notifytest.Option) {
	t.Helper()
	storyOver(t, nil, tell, options...)
}

// storyOver is a story in which providers are reached through client.
func storyOver(t *testing.T, client *http.Client, tell func(w *world), options ...notifytest.Option) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, dir: dir, http: client, mail: notifytest.NewSMTP(t, append(options, notifytest.InMemory())...)}
		w.start()
		defer func() { w.stop() }() // also when the story fails: nothing may outlive it
		w.furnish()
		tell(w)
		synctest.Wait()
		w.checkInvariants()
	})
}

func (w *world) start() {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cfg := config.Default()
	cfg.MessageRate = 0 // stories are told faster than people write
	cfg.Data, cfg.PublicURL = w.dir, "https://watch.example.org"
	cfg.SMTPURL, cfg.MailFrom = w.mail.URL(), "Watchroom <pager@watch.example.org>"
	app, err := New(ctx, Options{
		Config: cfg, Log: slog.New(slog.DiscardHandler), Stdout: &bytes.Buffer{}, Look: time.Minute, HTTP: w.http,
		Mail: func(c email.Config) email.Config {
			c.Dial, c.AllowPlain = w.mail.Dial, true
			return c
		},
	})
	if err != nil {
		w.Fatalf("New: %v", err)
	}
	w.app = app
	wait := app.Start(ctx)
	w.stop = func() {
		cancel()
		if err := wait(); err != nil {
			w.Errorf("a part failed: %v", err)
		}
		if err := app.Close(); err != nil {
			w.Errorf("Close: %v", err)
		}
	}
}

// restart is a clean stop and a new start on the same folder.
func (w *world) restart() {
	w.Helper()
	w.stop()
	w.start()
}

// furnish makes ada, kim and noor; kim is on call for database, then noor
// after five minutes, then ada after ten more; ada alone has the default route.
func (w *world) furnish() {
	w.Helper()
	w.key = "0123456789abcdef0123456789abcdef"
	door := w.app.Dispatch.NewIntegration(routing.REST, "monitoring", w.key)
	var changes []org.Change
	for _, name := range []string{"ada", "kim", "noor", "olga"} {
		role := map[string]people.Role{"ada": people.Admin, "olga": people.Observer}[name]
		if role == "" {
			role = people.Member
		}
		changes = append(changes, org.Put(people.User{
			ID: id.User(name), Username: name, Name: strings.ToUpper(name[:1]) + name[1:], Email: name + "@example.org", Role: role, Zone: "Europe/Berlin",
			Contacts: []people.Contact{{ID: id.Contact("mail-" + name), Method: people.Email, Address: name + "@example.org"}},
		}))
	}
	changes = append(changes,
		org.Put(people.Team{ID: "db", Slug: "database", Name: "Database", Members: []id.User{"kim", "noor"}}),
		org.Put(oncall.Rotation{ID: "primary", Name: "Primary", Team: "db", Zone: "Europe/Berlin", Layers: []oncall.Layer{
			{Members: []id.User{"kim"}, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "1999-12-27"},
		}}),
		org.Put(escalation.Policy{ID: "database", Slug: "database", Name: "Database", Team: "db", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{
			{Targets: []escalation.Target{{Rotation: "primary"}}},
			{After: escalation.Duration(5 * time.Minute), Targets: []escalation.Target{{User: "noor"}}},
			{After: escalation.Duration(10 * time.Minute), Targets: []escalation.Target{{User: "ada"}}},
		}}),
		org.Put(escalation.Policy{ID: "default", Slug: "default", Name: "Default", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{
			{Targets: []escalation.Target{{User: "ada"}}},
		}}),
		org.Put(routing.Key{ID: "database", Name: "Database", Policy: "database"}),
		org.Put(door), org.Put(org.Settings{Name: "Example", DefaultPolicy: "default", WarningsOpen: true, SnoozeMorningAt: "09:00"}),
	)
	w.change(changes...)
}

func (w *world) change(changes ...org.Change) {
	w.Helper()
	_, err := w.app.Dispatch.ChangeOrg(w.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil })
	if err != nil {
		w.Fatalf("ChangeOrg: %v", err)
	}
}

// post sends an alert as monitoring does and settles what follows at once.
func (w *world) post(kind, entity string, more ...string) {
	w.Helper()
	w.postTo("database", kind, entity, more...)
}

func (w *world) postTo(routingKey, kind, entity string, more ...string) {
	w.Helper()
	body := map[string]string{"message_type": kind, "entity_id": entity, "state_message": strings.Join(more, " ")}
	data, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	rec := w.do(httptest.NewRequest(http.MethodPost, "/integrations/generic/20131114/alert/"+w.key+"/"+routingKey, bytes.NewReader(data)))
	if rec.Code != http.StatusOK {
		w.Fatalf("post %s %s: status %d: %s", kind, entity, rec.Code, rec.Body)
	}
	w.sent = append(w.sent, entity)
	w.settle()
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	w.Helper()
	rec := httptest.NewRecorder()
	w.app.Handler.ServeHTTP(rec, r)
	return rec
}

// settle lets happen what follows at once. Wakes are rationed, so that it takes
// a moment when much was written.
func (w *world) settle() { w.later(100 * time.Millisecond) }

// later lets time pass and settles what follows.
func (w *world) later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// mailTo returns the mails a person has got, oldest first.
func (w *world) mailTo(name string) []mailbox.Message {
	var found []mailbox.Message
	for _, m := range w.mail.Messages() {
		if m.IsTo(name + "@example.org") {
			found = append(found, m)
		}
	}
	slices.Reverse(found)
	return found
}

// wantMails fails unless exactly these people have got exactly so many mails.
func (w *world) wantMails(want map[string]int) {
	w.Helper()
	got := map[string]int{}
	for _, name := range []string{"ada", "kim", "noor", "olga"} {
		if n := len(w.mailTo(name)); n > 0 {
			got[name] = n
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Fatalf("mails at %s (-want +got):\n%s", time.Now().UTC().Format(time.TimeOnly), diff)
	}
}

func (w *world) incident(n id.Incident) incident.Incident {
	w.Helper()
	inc, err := w.app.Store.Incident(w.Context(), n)
	if err != nil {
		w.Fatalf("incident %d: %v", n, err)
	}
	return inc
}

func (w *world) wantState(n id.Incident, want incident.State) {
	w.Helper()
	if got := w.incident(n).State; got != want {
		w.Fatalf("incident %d is %s, want %s", n, got, want)
	}
}

// click opens a link of a mail and presses its one button.
func (w *world) click(m mailbox.Message, action string) *httptest.ResponseRecorder {
	w.Helper()
	link := w.actionLink(m, action)
	if rec := w.do(httptest.NewRequest(http.MethodGet, link, nil)); rec.Code != http.StatusOK {
		w.Fatalf("GET %s: status %d: %s", link, rec.Code, rec.Body)
	}
	return w.press(link)
}

func (w *world) press(link string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, link, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	rec := w.do(r)
	w.settle()
	return rec
}

// actionLink finds the link in a mail whose page offers the action.
func (w *world) actionLink(m mailbox.Message, action string) string {
	w.Helper()
	for _, l := range m.Links {
		u, err := url.Parse(l)
		if err != nil || !strings.HasPrefix(u.Path, "/a/") {
			continue
		}
		link, err := w.app.box.Signer().Verify(strings.TrimPrefix(u.Path, "/a/"), time.Now())
		if err == nil && link.Action == action {
			return l
		}
	}
	w.Fatalf("mail %q has no link to %s: %v", m.Subject, action, m.Links)
	return ""
}

func (w *world) as(name string) people.Actor {
	o, err := w.app.Store.Org(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	u := o.Users[id.User(name)]
	return people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Origin: timeline.Browser}
}

func (w *world) kinds(n id.Incident) []timeline.Kind {
	w.Helper()
	var kinds []timeline.Kind
	for _, e := range w.entries() {
		if e.Incident == n {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func (w *world) entries() []timeline.Entry {
	w.Helper()
	all, err := allEntries(w.Context(), w.app.Store)
	if err != nil {
		w.Fatalf("read timeline: %v", err)
	}
	return all
}

func allEntries(ctx context.Context, s *store.Store) ([]timeline.Entry, error) {
	var all []timeline.Entry
	for {
		f := store.EntryFilter{AllRooms: true, FromStart: true, Limit: 1000}
		if n := len(all); n > 0 {
			f.After = all[n-1].Seq
		}
		more, err := s.Entries(ctx, f)
		if err != nil || len(more) == 0 {
			return all, err
		}
		all = append(all, more...)
	}
}

// checkInvariants holds what must be true after every story.
func (w *world) checkInvariants() {
	w.Helper()
	if err := checkInvariants(w.Context(), w.app.Store); err != nil {
		w.Error(err)
	}
	alerts, err := w.app.Store.Alerts(w.Context(), store.AlertFilter{Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	if len(alerts) != len(w.sent)-w.takenAway() {
		w.Errorf("%d alerts were accepted, %d are stored", len(w.sent), len(alerts))
	}
}

// takenAway is how many alerts retention has removed.
func (w *world) takenAway() (n int) {
	w.Helper()
	for _, e := range w.entries() {
		if p, ok := e.Payload.(timeline.Removal); ok {
			n += p.Alerts
		}
	}
	return n
}

// checkInvariants: numbers are dense, but for what retention has removed before it says so; replaying the entries gives the stored
// state; nobody was paged after an acknowledgement; every alert belongs to an
// incident or has an entry; every triggered incident paged somebody, or says
// why not.
func checkInvariants(ctx context.Context, s *store.Store) error {
	entries, err := allEntries(ctx, s)
	if err != nil {
		return err
	}
	replayed := map[id.Incident]incident.Incident{}
	told := map[id.Alert]bool{}
	asked := map[id.Incident]bool{}
	removed := id.Seq(0) // gaps before this one are retention's
	for _, e := range entries {
		if e.Kind == timeline.RecordsRemoved {
			removed = e.Seq
		}
	}
	last := id.Seq(0)
	for i, e := range entries {
		if e.Seq != last+1 && e.Seq > removed || e.Seq <= last {
			return fmt.Errorf("entry %d follows entry %d", e.Seq, last)
		}
		last = e.Seq
		if i > 0 && e.At.Before(entries[i-1].At) {
			return fmt.Errorf("entry %d is earlier than the one in front of it", e.Seq)
		}
		switch p := e.Payload.(type) {
		case timeline.AlertBody:
			told[p.Alert] = true
		case timeline.Step:
			asked[e.Incident] = true
		case timeline.Skipped, timeline.Exhausted:
			asked[e.Incident] = true
		case timeline.PageState:
			if inc := replayed[e.Incident]; inc.State == incident.Acknowledged && e.At.After(inc.AckedAt.Add(time.Second)) && len(inc.Responders) == 0 {
				return fmt.Errorf("entry %d: paged %s for incident %d after its acknowledgement", e.Seq, p.Name, e.Incident)
			}
		}
		if e.Incident != 0 {
			replayed[e.Incident] = incident.Replay(replayed[e.Incident], e)
		}
	}
	for n, want := range replayed {
		got, err := s.Incident(ctx, n)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(tellable(want), tellable(got)); diff != "" {
			return fmt.Errorf("incident %d: replay and store differ (-replay +store):\n%s", n, diff)
		}
		if !asked[n] && (got.NextAt.IsZero() || got.Started) && got.State == incident.Triggered {
			return fmt.Errorf("incident %d is triggered, paged nobody and does not say why", n)
		}
	}
	return checkAlerts(ctx, s, told)
}

func checkAlerts(ctx context.Context, s *store.Store, told map[id.Alert]bool) error {
	f := store.AlertFilter{Limit: 1000}
	for {
		alerts, err := s.Alerts(ctx, f)
		if err != nil || len(alerts) == 0 {
			return err
		}
		for _, a := range alerts {
			if a.Incident == 0 && !told[a.ID] {
				return fmt.Errorf("alert %d has neither an incident nor an entry", a.ID)
			}
		}
		f.Before = alerts[len(alerts)-1].ID
	}
}

// tellable leaves out what entries do not tell.
func tellable(inc incident.Incident) incident.Incident {
	inc.AlertCount, inc.LastAlert, inc.LastAlertAt = 0, 0, time.Time{}
	inc.Next, inc.NextAt, inc.Integration = escalation.Position{}, time.Time{}, ""
	inc.TriggeredAt, inc.AckedAt, inc.ResolvedAt, inc.SnoozedUntil = inc.TriggeredAt.UTC(), inc.AckedAt.UTC(), inc.ResolvedAt.UTC(), inc.SnoozedUntil.UTC()
	if len(inc.Paged) == 0 {
		inc.Paged = nil
	}
	if len(inc.Responders) == 0 {
		inc.Responders = nil
	}
	return inc
}
