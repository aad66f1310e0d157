package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func seqs(r reply) []int {
	var all []int
	for _, e := range r.items() {
		n, _ := e["seq"].(float64)
		all = append(all, int(n))
	}
	return all
}

// upTo is from, from+1, …, to.
func upTo(from, to int) []int {
	var all []int
	for i := from; i <= to; i++ {
		all = append(all, i)
	}
	return all
}

func (h *house) head() int {
	h.t.Helper()
	head, err := h.store.Head(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return int(head.Seq)
}

func TestTimelineGoesBothWays(t *testing.T) {
	h := newHouse(t)
	for i := range 10 {
		h.want(h.do("max", http.MethodPost, "/api/v1/timeline", fmt.Sprintf(`{"text":"line %d"}`, i)), http.StatusCreated)
	}
	last := h.head()
	for _, limit := range []int{1, 3, 500} {
		for _, start := range []string{"/api/v1/timeline?", "/api/v1/timeline?after=0&", fmt.Sprintf("/api/v1/timeline?before=%d&", last+1)} {
			var all []int
			forward := strings.Contains(start, "after")
			for next := fmt.Sprintf("%slimit=%d", start, limit); next != ""; {
				got := h.want(h.do("olga", http.MethodGet, next, ""), http.StatusOK)
				page := seqs(got)
				if !slices.IsSorted(page) {
					t.Errorf("%s: page is not in order: %v", next, page)
				}
				if forward {
					all = append(all, page...)
				} else {
					all = append(page, all...)
				}
				next = ""
				if c, ok := got.JSON["next_cursor"].(string); ok {
					next = fmt.Sprintf("/api/v1/timeline?limit=%d&cursor=%s", limit, c)
				}
			}
			if want := upTo(1, last); !slices.Equal(all, want) {
				t.Errorf("%s by %d: %v, want %v", start, limit, all, want)
			}
		}
	}
}

func TestTimelineFilters(t *testing.T) {
	h := newHouse(t)
	h.alert("disk/db01")
	h.want(h.do("max", http.MethodPost, path(1, "acknowledge"), ""), http.StatusOK)
	posted := h.want(h.do("ada", http.MethodPost, "/api/v1/timeline", `{"text":"I am looking","incident":1}`), http.StatusCreated)
	if at := posted.Header.Get("Location"); posted.at("payload", "text") != "I am looking" || posted.at("actor", "name") != "Ada" || h.want(h.do("ada", http.MethodGet, at, ""), http.StatusOK).at("seq") != posted.at("seq") {
		t.Errorf("what was posted, at %q: %s", at, posted.Text)
	}
	index(t, h)
	for query, want := range map[string][]string{
		"incident=1":                        {"incident_triggered", "step_started", "incident_acknowledged", "message_posted"},
		"kinds=message_posted":              {"message_posted"},
		"kinds=message_posted,step_started": {"step_started", "message_posted"},
		"team=ops&person=max&kinds=incident_acknowledged,incident_triggered": {"incident_acknowledged"},
		"incident=1&after=0&limit=1":                                         {"incident_triggered"},
		"incident=1&at=2001-01-01T00:00:00Z":                                 nil,
		"kinds=org_changed&incident=1":                                       nil,
		"q=look&kinds=message_posted&limit=5":                                {"message_posted"},
		"q=nothing":                                                          nil,
	} {
		got := h.want(h.do("olga", http.MethodGet, "/api/v1/timeline?"+query, ""), http.StatusOK)
		var kinds []string
		for _, e := range got.items() {
			kinds = append(kinds, fmt.Sprint(e["kind"]))
		}
		if !slices.Equal(kinds, want) {
			t.Errorf("%s: %v, want %v", query, kinds, want)
		}
	}
	at := url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339))
	got := h.want(h.do("olga", http.MethodGet, "/api/v1/timeline?limit=1&at="+at, ""), http.StatusOK)
	if s := seqs(got); len(s) != 1 || s[0] != h.head() {
		t.Errorf("up to now: %v, want the last", s)
	}
}

// index makes entries findable by words, as the follower of the search index does.
func index(t *testing.T, h *house) {
	t.Helper()
	all, err := h.store.Entries(t.Context(), store.EntryFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	err = h.store.Do(t.Context(), func(tx *store.Tx) error {
		for _, e := range all {
			switch p := e.Payload.(type) {
			case timeline.Message:
				tx.Index(e.Seq, p.Text)
			case timeline.Triggered:
				tx.Index(e.Seq, p.Title)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEntriesTellTheStory(t *testing.T) {
	h := newHouse(t)
	h.alert("disk/db01")
	h.want(h.do("max", http.MethodPost, path(1, "acknowledge"), ""), http.StatusOK)
	got := h.want(h.do("olga", http.MethodGet, "/api/v1/timeline?limit=1", ""), http.StatusOK)
	e := got.items()[0]
	if s, _ := e["sentence"].(string); !strings.Contains(s, "Max") || !strings.Contains(s, "#1") {
		t.Errorf("sentence is %q", s)
	}
	if got.at("items", 0, "actor", "origin") != "api" || e["team"] != "t-ops" || e["incident"] != 1.0 {
		t.Errorf("entry is %v", e)
	}
	if _, ok := e["payload"].(map[string]any); !ok {
		t.Errorf("payload is %v", e["payload"])
	}
}

func TestSearch(t *testing.T) {
	h := newHouse(t)
	h.alert("disk/db01")
	index(t, h)
	got := h.want(h.do("olga", http.MethodGet, "/api/v1/search?q=disk", ""), http.StatusOK)
	if got.at("incidents", 0, "id") != 1.0 || got.at("entries", 0, "kind") != "incident_triggered" {
		t.Errorf("disk: %s", got.Text)
	}
	got = h.want(h.do("olga", http.MethodGet, "/api/v1/search?q=data", ""), http.StatusOK)
	if got.at("objects", 0, "name") != "Database" || got.at("objects", 1, "name") != "Database" || got.at("objects", 2) != nil {
		t.Errorf("data: %s", got.Text)
	}
	h.want(h.do("olga", http.MethodGet, "/api/v1/search?q=%21", ""), http.StatusOK)
}

// reader is somebody who follows the timeline over a real connection.
type reader struct {
	t     *testing.T
	lines *bufio.Scanner
	hang  context.CancelFunc
	body  interface{ Close() error }
}

func (h *house) follow(t *testing.T, server *httptest.Server, query, lastID string) *reader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/timeline/stream?"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.tokens["olga"])
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(r) //nolint:bodyclose // leave does
	if err != nil {
		t.Fatal(err)
	}
	if ct := resp.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Fatalf("Content-Type is %q", ct)
	}
	f := &reader{t: t, lines: bufio.NewScanner(resp.Body), hang: cancel, body: resp.Body}
	if !f.lines.Scan() || !strings.HasPrefix(f.lines.Text(), "retry: ") {
		t.Fatalf("the stream begins %q", f.lines.Text())
	}
	return f
}

func (f *reader) leave() {
	f.hang()
	_ = f.body.Close()
}

// next reads n entries.
func (f *reader) next(n int) []int {
	f.t.Helper()
	var all []int
	for len(all) < n && f.lines.Scan() {
		data, ok := strings.CutPrefix(f.lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e struct{ Seq int }
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			f.t.Fatal(err)
		}
		all = append(all, e.Seq)
	}
	if len(all) < n {
		f.t.Fatalf("the stream ended after %v: %v", all, f.lines.Err())
	}
	return all
}

func TestStreamResumesWithoutLossOrRepetition(t *testing.T) {
	h := newHouse(t)
	server := httptest.NewServer(h.handler)
	defer server.Close()
	post := func(n int) {
		t.Helper()
		for range n {
			if err := h.dispatch.Post(t.Context(), people.Actor{User: "u-max", Name: "Max", Role: people.Member}, 0, "hello"); err != nil {
				t.Fatal(err)
			}
		}
	}
	start := h.head()
	first := h.follow(t, server, "after=0", "")
	if got := first.next(start); !slices.Equal(got, upTo(1, start)) {
		t.Errorf("what was there: %v", got)
	}
	post(5)
	got := first.next(3) // two are lost on the way
	first.leave()
	post(5)
	// The address still says after=0; the number the reader has goes before it.
	second := h.follow(t, server, "after=0", strconv.Itoa(got[2]))
	if got := second.next(7); !slices.Equal(got, upTo(start+4, start+10)) {
		t.Errorf("after coming back: %v, want %v", got, upTo(start+4, start+10))
	}
	post(1)
	if got := second.next(1); got[0] != start+11 {
		t.Errorf("live: %v", got)
	}
	second.leave()

	now := h.follow(t, server, "", "")
	beyond := h.follow(t, server, "after=1000000", "") // from before a restored backup
	post(1)
	if got := now.next(1); got[0] != start+12 {
		t.Errorf("from now on: %v, want %d", got, start+12)
	}
	if got := beyond.next(2); !slices.Equal(got, upTo(start+11, start+12)) { // where it goes on, and the new one
		t.Errorf("beyond the end: %v, want %v", got, upTo(start+11, start+12))
	}
	now.leave()
	beyond.leave()
}

func TestStreamFilters(t *testing.T) {
	h := newHouse(t)
	server := httptest.NewServer(h.handler)
	defer server.Close()
	f := h.follow(t, server, "after=0&incident=1&kinds=incident_triggered,incident_resolved&team=ops", "")
	defer f.leave()
	h.alert("disk/db01")
	h.alert("disk/db02")
	h.want(h.do("max", http.MethodPost, path(1, "acknowledge"), ""), http.StatusOK)
	h.want(h.do("max", http.MethodPost, path(1, "resolve"), ""), http.StatusOK)
	got := f.next(2)
	entries, err := h.store.Entries(t.Context(), store.EntryFilter{Incident: 1, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	first, last := entries[0], entries[len(entries)-1]
	if id.Seq(got[0]) != first.Seq || id.Seq(got[1]) != last.Seq || last.Kind != timeline.IncidentResolved {
		t.Errorf("got %v, want %d and %d", got, first.Seq, last.Seq)
	}
}

func TestStreamEndsWhenTheServerDrains(t *testing.T) {
	h := newHouse(t)
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	const drain = 10 * time.Second
	over := make(chan error, 1)
	go func() { over <- httpd.NewServer(h.handler, drain, slog.New(slog.DiscardHandler)).Run(ctx, ln) }()
	server := &httptest.Server{URL: "http://" + ln.Addr().String(), Listener: ln}
	f := h.follow(t, server, "", "")
	defer f.leave()
	start := time.Now()
	stop()
	for f.lines.Scan() {
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took >= drain {
		t.Errorf("the server waited %v for the stream", took)
	}
}
