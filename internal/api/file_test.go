package api_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
)

// upload sends a file as the body itself.
func (h *house) upload(who, name, content string) reply {
	h.t.Helper()
	return h.do(who, http.MethodPost, "/api/v1/files?name="+name, content, "Content-Type", "application/octet-stream")
}

// TestFiles: what a program has uploaded is its own until a message shows it,
// and then of whoever reads the room.
func TestFiles(t *testing.T) {
	h := newHouse(t)
	made := h.want(h.upload("max", "notes.txt", "disk is full\n"), http.StatusCreated)
	path := made.Header.Get("Location")
	if made.JSON["name"] != "notes.txt" || path != "/api/v1/files/"+made.JSON["id"].(string) {
		t.Fatalf("upload: %s at %s", made.Text, path)
	}
	own := h.want(h.do("max", http.MethodGet, path, ""), http.StatusOK)
	if own.Text != "disk is full\n" || own.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(own.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("download: %q %v", own.Text, own.Header)
	}
	h.want(h.do("ada", http.MethodGet, path, ""), http.StatusNotFound)
	h.want(h.do("ada", http.MethodPost, "/api/v1/rooms/timeline/messages", `{"files":["`+made.JSON["id"].(string)+`"]}`), http.StatusBadRequest)

	secret, err := h.dispatch.OpenRoom(t.Context(), member("max"), room.Room{Kind: room.Private, Slug: "us", Members: nil})
	if err != nil {
		t.Fatal(err)
	}
	h.want(h.do("max", http.MethodPost, "/api/v1/rooms/"+secret.Slug+"/messages", `{"files":["`+made.JSON["id"].(string)+`"]}`), http.StatusCreated)
	h.want(h.do("max", http.MethodGet, path, ""), http.StatusOK)
	h.want(h.do("ada", http.MethodGet, path, ""), http.StatusNotFound)

	shown := h.want(h.upload("max", "a.txt", "for all"), http.StatusCreated)
	h.want(h.do("max", http.MethodPost, "/api/v1/rooms/timeline/messages", `{"text":"look","files":["`+shown.JSON["id"].(string)+`"]}`), http.StatusCreated)
	if got := h.want(h.do("olga", http.MethodGet, shown.Header.Get("Location"), ""), http.StatusOK); got.Text != "for all" {
		t.Errorf("a reader gets %q", got.Text)
	}
}

func TestFilesRefused(t *testing.T) {
	h := newHouse(t)
	h.want(h.do("max", http.MethodPost, "/api/v1/files", "no name", "Content-Type", "text/plain"), http.StatusBadRequest)
	h.want(h.upload("max", "run.bin", "\x7fELF\x02\x01\x01"+strings.Repeat("\x00", 64)), http.StatusBadRequest)
	h.want(h.upload("max", "long.txt", strings.Repeat("x", 1<<16+1)), http.StatusRequestEntityTooLarge)
	h.want(h.upload("olga", "a.txt", "observers only look"), http.StatusForbidden)
	h.want(h.do("max", http.MethodPost, "/api/v1/files", "--x\r\n", "Content-Type", "multipart/form-data; boundary=x"), http.StatusBadRequest)
	h.want(h.do("max", http.MethodGet, "/api/v1/files/nosuchfile", ""), http.StatusNotFound)
}

func TestFileInAForm(t *testing.T) {
	h := newHouse(t)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("why", "because"); err != nil {
		t.Fatal(err)
	}
	part, err := form.CreateFormFile("file", "../graph.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte("12 13 14")); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/files", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+h.tokens["max"])
	made := h.want(send(t, h.handler, r), http.StatusCreated)
	if made.JSON["name"] != "graph.txt" {
		t.Errorf("the file is called %v", made.JSON["name"])
	}
}

func TestPresence(t *testing.T) {
	h := newHouse(t)
	pages := []store.Presence{
		{Session: "1", Person: "u-max", Device: "browser"}, {Session: "2", Person: "u-max", Device: "phone", Active: true},
		{Session: "3", Person: "u-ada", Device: "browser"},
	}
	if err := h.store.SetPresences(t.Context(), pages); err != nil {
		t.Fatal(err)
	}
	got := h.want(h.do("olga", http.MethodGet, "/api/v1/presence", ""), http.StatusOK).items()
	if len(got) != 3 || got[0]["state"] != "away" || got[1]["state"] != "online" || got[2]["state"] != "offline" {
		t.Fatalf("presence is %v", got)
	}
	if on := []any{got[0]["on_call"], got[1]["on_call"]}; (on[0] == true) == (on[1] == true) {
		t.Errorf("one of the two is on call: %v", on)
	}
	if at, err := time.Parse(time.RFC3339, got[1]["local_time"].(string)); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("local time %v: %v", got[1]["local_time"], err)
	}
	if only := h.want(h.do("olga", http.MethodGet, "/api/v1/presence?state=online", ""), http.StatusOK).items(); len(only) != 1 || only[0]["username"] != "max" {
		t.Errorf("online are %v", only)
	}
	h.want(h.do("", http.MethodGet, "/api/v1/presence", ""), http.StatusUnauthorized)
}

// TestNarrowSearch: a search may be for a room, a kind, a person or a time.
func TestNarrowSearch(t *testing.T) {
	h := newHouse(t)
	secret, err := h.dispatch.OpenRoom(t.Context(), member("max"), room.Room{Kind: room.Private, Slug: "us"})
	if err != nil {
		t.Fatal(err)
	}
	first := h.say("max", dispatch.Line{Text: "one in the timeline"})
	second := h.say("max", dispatch.Line{Room: secret.ID, Text: "two in private"})
	third := h.say("ada", dispatch.Line{Text: "three in the timeline"})
	at := func(seq id.Seq) string {
		return h.want(h.do("max", http.MethodGet, "/api/v1/messages/"+digits(seq), ""), http.StatusOK).JSON["at"].(string)
	}
	for _, c := range []struct {
		who, query string
		want       []int64
	}{
		{"max", "room=" + secret.Slug + "&kinds=message_posted", []int64{int64(second)}},
		{"max", "person=max&kinds=message_posted", []int64{int64(first), int64(second)}},
		{"ada", "person=max&kinds=message_posted", []int64{int64(first)}},
		{"max", "kinds=message_posted&from=" + at(third), []int64{int64(third)}},
		{"max", "kinds=message_posted&to=" + at(second), []int64{int64(first)}},
		{"max", "kinds=message_posted&from=2999-01-01T00:00:00Z", nil},
		{"max", "kinds=message_posted&to=1999-01-01T00:00:00Z", nil},
	} {
		for _, path := range []string{"/api/v1/search?", "/api/v1/timeline?rooms=timeline,"} {
			if strings.Contains(path, "timeline") {
				if strings.Contains(c.query, "room=") || c.who != "max" {
					continue
				}
				path += secret.Slug + "&"
			}
			got := h.want(h.do(c.who, http.MethodGet, path+c.query, ""), http.StatusOK)
			list, _ := got.JSON["entries"].([]any)
			if list == nil {
				list, _ = got.JSON["items"].([]any)
			}
			var seqs []int64
			for _, e := range list {
				seqs = append(seqs, int64(e.(map[string]any)["seq"].(float64)))
			}
			if len(seqs) != len(c.want) || len(seqs) > 0 && seqs[0] != c.want[0] {
				t.Errorf("%s: %s%s finds %v, want %v", c.who, path, c.query, seqs, c.want)
			}
		}
	}
	h.want(h.do("ada", http.MethodGet, "/api/v1/search?room="+secret.Slug, ""), http.StatusNotFound)
	h.want(h.do("ada", http.MethodGet, "/api/v1/search", ""), http.StatusBadRequest)
	h.want(h.do("ada", http.MethodGet, "/api/v1/timeline?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", ""), http.StatusBadRequest)
	// Forward, a page has the oldest of the time.
	page := h.want(h.do("max", http.MethodGet, "/api/v1/timeline?after=0&limit=1&kinds=message_posted&to="+at(third), ""), http.StatusOK)
	if items := page.items(); len(items) != 1 || int64(items[0]["seq"].(float64)) != int64(first) {
		t.Errorf("the first of the time is %v", items)
	}
}
