package api_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/store"
)

func path(n any, action ...string) string {
	return strings.Join(append([]string{"/api/v1/incidents", fmt.Sprint(n)}, action...), "/")
}

func TestShowIncident(t *testing.T) {
	h := newHouse(t)
	h.alert("disk/db01")
	h.alert("disk/db01")
	got := h.want(h.do("olga", http.MethodGet, path(1), ""), http.StatusOK)
	for _, c := range []struct {
		at   []any
		want any
	}{
		{[]any{"id"}, 1.0},
		{[]any{"state"}, "triggered"},
		{[]any{"url"}, "https://watch.example.org/incidents/1"},
		{[]any{"alert_count"}, 2.0},
		{[]any{"team"}, "t-ops"},
		{[]any{"escalation", "policy_name"}, "Database"},
		{[]any{"escalation", "step"}, 1.0},
		{[]any{"escalation", "next_step"}, 2.0},
		{[]any{"annotations", 0, "title"}, "Runbook"},
		{[]any{"annotations", 1}, nil}, // each once
		{[]any{"alerts", 0, "id"}, 2.0},
	} {
		if g := got.at(c.at...); g != c.want {
			t.Errorf("%v is %v, want %v", c.at, g, c.want)
		}
	}
	if _, ok := got.at("escalation", "next_at").(string); !ok {
		t.Errorf("when the next step comes is not said: %s", got.Text)
	}
}

func TestPagesOfAnIncident(t *testing.T) {
	h := newHouse(t)
	n := h.alert("disk/db01")
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		tx.AddDelivery(store.Delivery{
			Key: "k", Kind: store.StepPage, Incident: n, Person: "u-max", DueAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour),
			Body: store.DeliveryBody{Method: "email", Address: "max@example.org", Why: "on call", Sealed: "secret"},
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got := h.want(h.do("olga", http.MethodGet, path(n), ""), http.StatusOK)
	if got.at("pages", 0, "person", "username") != "max" || got.at("pages", 0, "state") != "pending" {
		t.Errorf("pages are %v", got.at("pages"))
	}
	if strings.Contains(got.Text, "secret") {
		t.Error("a sealed message is shown")
	}
}

// TestActions does each action once, in an order in which each is possible.
func TestActions(t *testing.T) {
	h := newHouse(t)
	h.alert("disk/db01")
	for _, c := range []struct {
		action, body string
		at           []any
		want         any
	}{
		{"acknowledge", "", []any{"state"}, "acknowledged"},
		{"unacknowledge", "", []any{"state"}, "triggered"},
		{"snooze", `{"for":"2h"}`, []any{"state"}, "acknowledged"},
		{"snooze", fmt.Sprintf(`{"until":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339)), []any{"acknowledged_by", "name"}, "Max"},
		{"reroute", `{"policy":"network"}`, []any{"escalation", "policy"}, "p-network"},
		{"reroute", `{"user":"ada"}`, []any{"escalation", "direct", "name"}, "Ada"},
		{"responders", `{"users":["max","ada@example.org"]}`, []any{"responders", 1, "username"}, "ada"},
		{"notes", `{"text":"The disk was full of logs."}`, []any{"state"}, "triggered"},
		{"resolve", "", []any{"resolved_by", "origin"}, "api"},
	} {
		got := h.do("max", http.MethodPost, path(1, c.action), c.body)
		if got.Status != http.StatusOK || got.at(c.at...) != c.want {
			t.Errorf("%s %s: %d, %v is %v, want %v\n%s", c.action, c.body, got.Status, c.at, got.at(c.at...), c.want, got.Text)
		}
	}
}

func TestTheSecondIsToldWhoWasFirst(t *testing.T) {
	h := newHouse(t)
	h.alert("disk/db01")
	h.want(h.do("max", http.MethodPost, path(1, "acknowledge"), ""), http.StatusOK)
	h.want(h.do("max", http.MethodPost, path(1, "acknowledge"), ""), http.StatusOK)
	got := h.want(h.do("ada", http.MethodPost, path(1, "acknowledge"), ""), http.StatusConflict)
	if got.JSON["code"] != "conflict" || got.JSON["by"] != "Max" || got.JSON["state"] != "acknowledged" {
		t.Errorf("the conflict is %s", got.Text)
	}
	if at, _ := got.JSON["at"].(string); at == "" {
		t.Errorf("the conflict does not say when: %s", got.Text)
	}
	if ct := got.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("Content-Type is %q", ct)
	}
}

func TestBadInputNamesTheField(t *testing.T) {
	h := newHouse(t)
	h.alert("disk/db01")
	for _, c := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"POST", path(1, "snooze"), `{}`, 400, "until"},
		{"POST", path(1, "snooze"), `{"for":"2h","until":"2026-01-01T00:00:00Z"}`, 400, "until"},
		{"POST", path(1, "snooze"), `{"for":"soon"}`, 400, "for"},
		{"POST", path(1, "snooze"), `{"for":"169h"}`, 400, "for"},
		{"POST", path(1, "snooze"), `{"until":"tomorrow"}`, 400, "until"},
		{"POST", path(1, "snooze"), `{"until":"2001-01-01T00:00:00Z"}`, 400, "until"},
		{"POST", path(1, "reroute"), `{}`, 400, "policy"},
		{"POST", path(1, "reroute"), `{"policy":"nobody"}`, 400, "policy"},
		{"POST", path(1, "reroute"), `{"user":"nobody"}`, 400, "user"},
		{"POST", path(1, "responders"), `{"users":["ada","nobody"]}`, 400, "users[1]"},
		{"POST", path(1, "responders"), `{"users":[]}`, 400, "users"},
		{"POST", path(1, "notes"), `{"text":"   "}`, 400, "text"},
		{"POST", path(1, "notes"), `{"texts":"x"}`, 400, "text"},
		{"POST", path(1, "notes"), `{"text":7}`, 400, "text"},
		{"POST", path(1, "notes"), `{"text":`, 400, ""},
		{"POST", path(1, "notes"), ``, 400, ""},
		{"POST", path(1, "notes"), "{\"text\":\"caf\xe9\"}", 400, ""},
		{"POST", path("one", "acknowledge"), ``, 400, "id"},
		{"POST", path(7, "acknowledge"), ``, 404, ""},
		{"GET", path(7), ``, 404, ""},
		{"GET", "/api/v1/alerts/7", ``, 404, ""},
		{"GET", "/api/v1/incidents?limit=0", ``, 400, "limit"},
		{"GET", "/api/v1/incidents?limit=501", ``, 400, "limit"},
		{"GET", "/api/v1/incidents?state=open", ``, 400, "state[0]"},
		{"GET", "/api/v1/incidents?team=nobody", ``, 400, "team"},
		{"GET", "/api/v1/incidents?colour=red", ``, 400, "colour"},
		{"GET", "/api/v1/incidents?cursor=x", ``, 400, "cursor"},
		{"GET", "/api/v1/alerts?cursor=" + base64.RawURLEncoding.EncodeToString([]byte("i:7")), ``, 400, "cursor"},
		{"GET", "/api/v1/alerts?integration=nobody", ``, 400, "integration"},
		{"GET", "/api/v1/timeline?kinds=surprise", ``, 400, "kinds[0]"},
		{"GET", "/api/v1/timeline?person=nobody", ``, 400, "person"},
		{"GET", "/api/v1/timeline?after=1&before=3", ``, 400, "cursor"},
		{"GET", "/api/v1/timeline?at=noon", ``, 400, "at"},
		{"GET", "/api/v1/timeline/stream?after=x", ``, 400, "after"},
		{"GET", "/api/v1/timeline/stream?colour=red", ``, 400, "colour"},
		{"GET", "/api/v1/search", ``, 400, "q"},
		{"POST", "/api/v1/timeline", `{"text":"x","incident":7}`, 404, ""},
		{"POST", "/api/v1/incidents", `{"title":""}`, 400, "title"},
	} {
		got := h.do("max", c.method, c.path, c.body)
		field, _ := got.JSON["field"].(string)
		if got.Status != c.status || field != c.field {
			t.Errorf("%s %s %s: %d, field %q, want %d, %q\n%s", c.method, c.path, c.body, got.Status, field, c.status, c.field, got.Text)
		}
	}
}

func TestBodiesThatAreNoJSON(t *testing.T) {
	h := newHouse(t)
	h.alert("disk/db01")
	got := h.do("max", http.MethodPost, path(1, "notes"), "text=x", "Content-Type", "application/x-www-form-urlencoded")
	if got.Status != http.StatusUnsupportedMediaType || got.JSON["code"] != "unsupported_media_type" {
		t.Errorf("a form: %d %s", got.Status, got.Text)
	}
	got = h.do("max", http.MethodPost, path(1, "notes"), `{"text":"`+strings.Repeat("x", 1<<20)+`"}`)
	if got.Status != http.StatusRequestEntityTooLarge || got.JSON["code"] != "too_large" {
		t.Errorf("a long body: %d %s", got.Status, got.Text)
	}
}

func TestOpenByHand(t *testing.T) {
	h := newHouse(t)
	got := h.want(h.do("max", http.MethodPost, "/api/v1/incidents", `{"title":"The site is down","routing_key":"database","entity_id":"site"}`), http.StatusCreated)
	if got.Header.Get("Location") != path(1) || got.at("alerts", 0, "fields", "opened_by") != "Max" || got.at("escalation", "policy") != "p-database" {
		t.Errorf("%v %s", got.Header, got.Text)
	}
	again := h.want(h.do("ada", http.MethodPost, "/api/v1/incidents", `{"title":"The site is down","entity_id":"site"}`), http.StatusOK)
	if again.at("id") != 1.0 {
		t.Errorf("the same entity opened another incident: %s", again.Text)
	}
}

// walk follows next_cursor to the end and returns what key gives for each item.
func walk(h *house, start, key string) []string {
	h.t.Helper()
	var all []string
	for next := start; next != ""; {
		got := h.want(h.do("olga", http.MethodGet, next, ""), http.StatusOK)
		for _, item := range got.items() {
			all = append(all, fmt.Sprint(item[key]))
		}
		next = ""
		if c, ok := got.JSON["next_cursor"].(string); ok {
			next = start + "&cursor=" + c
		}
		if len(all) > 1000 {
			h.t.Fatalf("%s does not end", start)
		}
	}
	return all
}

func TestCursorsNeitherSkipNorRepeat(t *testing.T) {
	h := newHouse(t)
	const n = 23
	for i := range n {
		h.alert(fmt.Sprintf("disk/%d", i))
	}
	count := func(down bool, to int) []string {
		var all []string
		for i := range to {
			if down {
				i = to - 1 - i
			}
			all = append(all, fmt.Sprint(i+1))
		}
		return all
	}
	for _, limit := range []int{1, 5, 23, 50} {
		for _, c := range []struct {
			path string
			want []string
		}{
			{"/api/v1/incidents?team=ops", count(true, n)},
			{"/api/v1/incidents?state=triggered,acknowledged", count(true, n)},
			{"/api/v1/alerts?integration=nagios", count(true, n)},
		} {
			if got := walk(h, fmt.Sprintf("%s&limit=%d", c.path, limit), "id"); !slices.Equal(got, c.want) {
				t.Errorf("%s by %d: %v, want %v", c.path, limit, got, c.want)
			}
		}
	}
}

func TestAlerts(t *testing.T) {
	h := newHouse(t)
	h.alert("disk/db01")
	h.alert("disk/db02")
	got := h.want(h.do("olga", http.MethodGet, "/api/v1/alerts?incident=2", ""), http.StatusOK)
	if items := got.items(); len(items) != 1 || items[0]["entity_id"] != "disk/db02" || items[0]["raw"] != nil {
		t.Errorf("alerts of #2: %s", got.Text)
	}
	one := h.want(h.do("olga", http.MethodGet, "/api/v1/alerts/1", ""), http.StatusOK)
	if one.at("raw") != `{"message_type":"CRITICAL"}` || one.at("type") != "critical" {
		t.Errorf("alert 1: %s", one.Text)
	}
}
