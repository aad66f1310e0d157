package beat

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
)

// book is a Taker that knows one key and counts.
type book struct {
	calls int
	err   error
}

func (b *book) Beat(_ context.Context, key string) (time.Time, error) {
	b.calls++
	switch {
	case b.err != nil:
		return time.Time{}, b.err
	case key == "paused":
		return time.Time{}, nil
	case key != "good":
		return time.Time{}, fault.NotFound("no such thing")
	}
	return time.Date(2026, 11, 22, 3, 10, 0, 0, time.UTC), nil
}

func call1(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(`{"ignored":`)))
	return w
}

func TestAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		method, path string
		err          error
		status       int
		body         string
	}{
		"get":             {http.MethodGet, "/heartbeat/good", nil, 200, `{"ok":true,"next_by":"2026-11-22T03:10:00Z"}`},
		"post":            {http.MethodPost, "/heartbeat/good", nil, 200, `{"ok":true,"next_by":"2026-11-22T03:10:00Z"}`},
		"head":            {http.MethodHead, "/heartbeat/good", nil, 200, ""},
		"paused":          {http.MethodGet, "/heartbeat/paused", nil, 200, `{"ok":true}`},
		"unknown":         {http.MethodGet, "/heartbeat/bad", nil, 404, `{"ok":false,"error":"No heartbeat has this address."}`},
		"none":            {http.MethodGet, "/heartbeat/", nil, 404, ""},
		"below":           {http.MethodGet, "/heartbeat/good/more", nil, 404, ""},
		"far too long":    {http.MethodGet, "/heartbeat/" + strings.Repeat("x", 5000), nil, 404, ""},
		"another method":  {http.MethodDelete, "/heartbeat/good", nil, 405, ""},
		"nothing written": {http.MethodGet, "/heartbeat/good", errors.New("disk full"), 503, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := call1(New(&book{err: tc.err}, slog.New(slog.DiscardHandler)), tc.method, tc.path)
			if w.Code != tc.status || tc.body != "" && strings.TrimSpace(w.Body.String()) != tc.body {
				t.Errorf("%s %.40s: %d %s, want %d %s", tc.method, tc.path, w.Code, w.Body, tc.status, tc.body)
			}
			if !json.Valid(w.Body.Bytes()) || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("answer %q with %v", w.Body, w.Header())
			}
			if tc.status == 503 && (w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "disk")) {
				t.Errorf("answer %q with %v", w.Body, w.Header())
			}
		})
	}
}

func TestAHurryCostsOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		h := New(b, slog.New(slog.DiscardHandler))
		for range 50 {
			if w := call1(h, http.MethodGet, "/heartbeat/good"); w.Code != 200 || !strings.Contains(w.Body.String(), "next_by") {
				t.Fatalf("answer %d %s", w.Code, w.Body)
			}
		}
		if b.calls != 1 {
			t.Errorf("50 calls at once were written %d times, want once", b.calls)
		}
		time.Sleep(repeatWithin)
		call1(h, http.MethodGet, "/heartbeat/good")
		if b.calls != 2 {
			t.Errorf("a call a second later: %d writes, want 2", b.calls)
		}
		for range 3 {
			call1(h, http.MethodGet, "/heartbeat/bad")
		}
		if b.calls != 5 || len(h.last) != 1 {
			t.Errorf("%d asked, %d remembered: what is unknown must not be remembered", b.calls, len(h.last))
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, p := range []string{"good", "", "a/b", "%2f", "..", "\x00"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest(http.MethodGet, Prefix, http.NoBody)
		r.URL.Path = Prefix + path
		w := httptest.NewRecorder()
		New(&book{}, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
		if (w.Code == 200) != (path == "good" || path == "paused") {
			t.Errorf("%q is answered with %d", path, w.Code)
		}
	})
}
