package feed

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/ical"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// house is an organisation at an instant, whose feeds have their ids as keys.
type house struct {
	org *org.Org
	now time.Time
}

func (h *house) Org(context.Context) (*org.Org, error)  { return h.org, nil }
func (h *house) Now(context.Context) (time.Time, error) { return h.now, nil }
func (h *house) Feed(_ context.Context, key string) (org.Feed, error) {
	f, ok := h.org.Feeds[id.Feed(key)]
	if !ok {
		return f, fault.NotFound("There is no such calendar.")
	}
	return f, nil
}

func newHouse(t *testing.T) *house {
	t.Helper()
	person := func(u id.User, name string) org.Change {
		return org.Put(people.User{ID: u, Username: string(u), Name: name, Email: string(u) + "@example.org", Role: people.Admin, Zone: "Europe/Berlin"})
	}
	weekly := func(n id.Rotation, name, layer string, members ...id.User) org.Change {
		return org.Put(oncall.Rotation{ID: n, Name: name, Zone: "Europe/London", Layers: []oncall.Layer{
			{Name: layer, Members: members, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2026-01-05"},
		}})
	}
	bare, err := org.Build(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, _, err := bare.Apply(
		person("kim", "Kim"), person("lee", "Lee"), weekly("r1", "Primary", "", "lee", "kim"), weekly("r2", "Backup", "all", "lee"),
		org.Put(oncall.Override{ID: "o", Rotation: "r1", User: "lee", For: "kim", Start: noon.Add(time.Hour), End: noon.Add(2 * time.Hour), Kind: oncall.Planned}),
		org.Put(org.Feed{ID: "rotation", Rotation: "r1", Owner: "kim", KeyHash: "a"}), org.Put(org.Feed{ID: "person", User: "lee", Owner: "kim", KeyHash: "b"}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return &house{o, noon}
}

func (h *house) get(t *testing.T, path, ifNoneMatch string) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	adapter := httpd.Adapter{Log: slog.New(slog.DiscardHandler)}
	mux.Handle(Pattern, adapter.Handle(New(h, h, "https://watch.example.org").Serve))
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	if ifNoneMatch != "" {
		r.Header.Set("If-None-Match", ifNoneMatch)
	}
	mux.ServeHTTP(w, r)
	return w
}

// events reads a feed as another program would.
func events(t *testing.T, resp *httptest.ResponseRecorder, from, to time.Time) []string {
	t.Helper()

	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.Code != http.StatusOK {
		t.Fatalf("status %d, %v: %s", resp.Code, err, body)
	}
	found, err := ical.Parse(t.Context(), body, from, to, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, o := range found {
		all = append(all, o.Summary+" "+o.Start.Format("01-02 15:04")+"–"+o.End.Format("01-02 15:04"))
	}
	return all
}

func TestFeeds(t *testing.T) {
	h := newHouse(t)
	got := events(t, h.get(t, "/calendar/rotation.ics", ""), noon.Add(-time.Hour), noon.AddDate(0, 0, 3))
	want := []string{"Kim 11-16 09:00–11-22 13:00", "OVERRIDE: Lee 11-22 13:00–11-22 14:00", "Kim 11-22 14:00–11-23 09:00", "Lee 11-23 09:00–11-30 09:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("of a rotation (-want +got):\n%s", diff)
	}
	got = events(t, h.get(t, "/calendar/person.ics", ""), noon, noon.AddDate(0, 0, 3))
	want = []string{"On call: Backup (all) 01-05 09:00–11-22 00:00", "OVERRIDE: On call: Primary 11-22 13:00–11-22 14:00", "On call: Primary 11-23 09:00–11-30 09:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("of a person (-want +got):\n%s", diff)
	}
	all := events(t, h.get(t, "/calendar/rotation.ics", ""), noon.AddDate(-2, 0, 0), noon.AddDate(3, 0, 0))
	if first, last := all[0], all[len(all)-1]; !strings.Contains(first, " 10-19 ") || !strings.Contains(last, " 11-15 ") || len(all) < 50 {
		t.Errorf("%d events from %q to %q, want a month back and a year ahead", len(all), first, last)
	}
}

func TestFeedsAreSentOnce(t *testing.T) {
	h := newHouse(t)
	first := h.get(t, "/calendar/rotation.ics", "")

	tag := first.Header().Get("Etag")
	if got := first.Header().Get("Content-Type"); got != "text/calendar; charset=utf-8" || tag == "" || !strings.HasPrefix(first.Header().Get("Cache-Control"), "private") {
		t.Errorf("headers %v", first.Header())
	}
	h.now = noon.Add(11 * time.Hour)
	for _, have := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		again := h.get(t, "/calendar/rotation.ics", have)
		if again.Code != http.StatusNotModified {
			t.Errorf("with %s: status %d, want nothing sent again on the same day", have, again.Code)
		}
	}
	var err error
	if h.org, _, err = h.org.Apply(org.Remove(org.OverrideKind, "o")); err != nil {
		t.Fatal(err)
	}
	changed := h.get(t, "/calendar/rotation.ics", tag)
	if changed.Code != http.StatusOK || changed.Header().Get("Etag") == tag {
		t.Errorf("after a change: status %d, tag %s, want the new state", changed.Code, changed.Header().Get("Etag"))
	}
}

func TestUnknownFeeds(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/calendar/nothing.ics", "/calendar/rotation", "/calendar/.ics", "/calendar/rotation.ics.ics"} {
		resp := h.get(t, path, "")
		if resp.Code != http.StatusNotFound || resp.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, %q, want not found and not kept", path, resp.Code, resp.Header().Get("Cache-Control"))
		}
	}
}
