package httpd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
)

var quiet = slog.New(slog.DiscardHandler)

// page is a Renderer that is recognised in tests.
func page(w http.ResponseWriter, _ *http.Request, p Problem) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	_, _ = fmt.Fprintf(w, "<h1>%s</h1><p>%s</p>", p.Title(), p.Detail)
}

func decode(t *testing.T, body io.Reader) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.NewDecoder(body).Decode(&m); err != nil {
		t.Fatalf("answer is no JSON: %v", err)
	}
	return m
}

func TestAdapterAnswersErrors(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name   string
		err    error
		ctx    context.Context
		status int
		want   map[string]any // nil: nothing is answered
		header map[string]string
		logged bool
	}{
		{"invalid", fault.Invalid("name", "A name is needed."), t.Context(), 400,
			map[string]any{"code": "invalid", "detail": "A name is needed.", "field": "name", "title": "Bad Request"}, nil, false},
		{"wrapped", fmt.Errorf("load: %w", fault.NotFound("No such team.")), t.Context(), 404,
			map[string]any{"code": "not_found", "detail": "No such team.", "title": "Not Found"}, nil, false},
		{"a general sentence for a fault without one", fault.Forbidden(""), t.Context(), 403,
			map[string]any{"code": "forbidden", "detail": "You are not allowed to do this.", "title": "Forbidden"}, nil, false},
		{"conflict with members", fault.Conflict("Ada was first.").With("by", "ada").With("status", "mine"), t.Context(), 409,
			map[string]any{"code": "conflict", "detail": "Ada was first.", "by": "ada", "title": "Conflict"}, nil, false},
		{"unauthenticated", fault.Unauthenticated(""), t.Context(), 401,
			map[string]any{"code": "unauthenticated", "detail": "Please sign in first.", "title": "Unauthorized"},
			map[string]string{"WWW-Authenticate": `Bearer realm="watchroom"`}, false},
		{"too many, the wait rounded up", fault.TooMany("Slow down.", 1200*time.Millisecond), t.Context(), 429,
			map[string]any{"code": "too_many", "detail": "Slow down.", "title": "Too Many Requests"},
			map[string]string{"Retry-After": "2"}, false},
		{"too large", fmt.Errorf("read: %w", &http.MaxBytesError{Limit: 7}), t.Context(), 413,
			map[string]any{"code": "too_large", "detail": "The request is too large: at most 7 bytes are taken.", "title": "Request Entity Too Large"}, nil, false},
		{"unavailable is ours to look into", fault.Unavailable("Later.", time.Minute).Because(errors.New("disk full")), t.Context(), 503,
			map[string]any{"code": "unavailable", "detail": "Later.", "title": "Service Unavailable"},
			map[string]string{"Retry-After": "60"}, true},
		{"a deadline of ours", fmt.Errorf("query: %w", context.DeadlineExceeded), t.Context(), 503,
			map[string]any{"code": "unavailable", "detail": "This cannot be done right now. Please try again.", "title": "Service Unavailable"}, nil, true},
		{"an unknown error shows nothing", errors.New("password is hunter2"), t.Context(), 500,
			map[string]any{"code": "internal", "title": "Internal Server Error"}, nil, true},
		{"nor does one that is marked internal", &fault.Error{Code: fault.CodeInternal, Message: "hunter2", Extra: map[string]any{"x": "hunter2"}}, t.Context(), 500,
			map[string]any{"code": "internal", "title": "Internal Server Error"}, nil, true},
		{"nor one with a code nobody knows", &fault.Error{Code: "odd", Message: "hunter2"}, t.Context(), 500,
			map[string]any{"code": "internal", "title": "Internal Server Error"}, nil, true},
		{"members that are no JSON", fault.Conflict("Taken.").With("by", func() {}), t.Context(), 409,
			map[string]any{"code": "conflict", "detail": "Taken.", "title": "Conflict"}, nil, false},
		{"the client has left", fmt.Errorf("query: %w", context.Canceled), gone, 200, nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			a := Adapter{Log: slog.New(slog.NewTextHandler(&log, nil)), Render: WriteProblem}
			h := Observe(a.Log, nil)(a.Handle(func(w http.ResponseWriter, _ *http.Request) error {
				w.Header().Set("Content-Length", "99999")
				return c.err
			}))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x", http.NoBody).WithContext(c.ctx))

			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if got := strings.Contains(log.String(), "level=ERROR"); got != c.logged {
				t.Errorf("logged %v, want %v: %s", got, c.logged, log.String())
			}
			if c.logged && !strings.Contains(log.String(), "request="+w.Header().Get(RequestHeader)) {
				t.Errorf("the log does not name the request: %s", log.String())
			}
			if c.want == nil {
				if w.Body.Len() > 0 {
					t.Errorf("answered %q", w.Body)
				}
				return
			}
			if strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("the answer leaks: %s", w.Body)
			}
			got := decode(t, w.Body)
			if got["request"] != w.Header().Get(RequestHeader) || got["status"] != float64(c.status) {
				t.Errorf("request %v, status %v", got["request"], got["status"])
			}
			delete(got, "request")
			delete(got, "status")
			if c.status == http.StatusInternalServerError {
				delete(got, "detail") // it quotes the request's number
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("problem (-want +got):\n%s", diff)
			}
			for name, want := range c.header {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if kind := w.Header().Get("Content-Type"); kind != "application/problem+json" {
				t.Errorf("Content-Type %q", kind)
			}
		})
	}
}

func TestAdapterRecovers(t *testing.T) {
	var log bytes.Buffer
	a := Adapter{Log: slog.New(slog.NewTextHandler(&log, nil)), Render: page}
	w := httptest.NewRecorder()
	a.Handle(func(http.ResponseWriter, *http.Request) error { panic("the secret bug") }).
		ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") || !strings.HasPrefix(w.Body.String(), "<h1>") {
		t.Errorf("answered %d %q", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "the secret bug") || !strings.Contains(log.String(), "httpd_test.go") {
		t.Errorf("the log has neither the panic nor its place: %s", log.String())
	}
}

func TestAdapterCutsAHalfAnswer(t *testing.T) {
	for _, c := range []struct {
		name string
		h    HandlerFunc
	}{
		{"an error after the first byte", func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "half")
			return errors.New("broken")
		}},
		{"a panic after the header", func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusOK)
			panic("broken")
		}},
		{"a handler that cuts by itself", func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
					t.Errorf("recovered %v, want ErrAbortHandler", err)
				}
			}()
			Adapter{Log: quiet}.Handle(c.h).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", http.NoBody))
			t.Error("the connection was kept")
		})
	}
}

// shell is the whole of it around a few routes, as app builds it.
func shell(t *testing.T, o Options, routes map[string]HandlerFunc) http.Handler {
	t.Helper()
	if o.Log == nil {
		o.Log = quiet
	}
	if o.Render == nil {
		o.Render = ProblemsUnder(page, "/api/")
	}
	mux := http.NewServeMux()
	for pattern, h := range routes {
		mux.Handle(pattern, Adapter{Log: o.Log, Render: o.Render}.Handle(h))
	}
	h, err := Handler(mux, o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func hello(w http.ResponseWriter, _ *http.Request) error {
	_, err := io.WriteString(w, "hello")
	return err
}

func TestRoutes(t *testing.T) {
	h := shell(t, Options{}, map[string]HandlerFunc{
		"GET /page/{name}": func(w http.ResponseWriter, r *http.Request) error {
			_, err := io.WriteString(w, r.PathValue("name"))
			return err
		},
		"POST /api/v1/things": hello,
		"GET /dir/":           hello,
	})
	for _, c := range []struct {
		method, path string
		status       int
		kind, body   string
		allow        string
	}{
		{"GET", "/page/x", 200, "text/plain; charset=utf-8", "x", ""},
		{"GET", "/nothing", 404, "text/html; charset=utf-8", "There is nothing here.", ""},
		{"GET", "/api/v1/nothing", 404, "application/problem+json", "There is nothing here.", ""},
		{"GET", "/api/v1/things", 405, "application/problem+json", "does not take GET", "POST"},
		{"DELETE", "/page/x", 405, "text/html; charset=utf-8", "does not take DELETE", "GET, HEAD"},
		{"GET", "/dir", 307, "text/html; charset=utf-8", "", ""},
		{"GET", "/page//x", 307, "text/html; charset=utf-8", "", ""},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, http.NoBody))
		if w.Code != c.status || w.Header().Get("Content-Type") != c.kind || !strings.Contains(w.Body.String(), c.body) || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s = %d %q %q Allow %q, want %+v", c.method, c.path, w.Code, w.Header().Get("Content-Type"), w.Body, w.Header().Get("Allow"), c)
		}
	}
}

func TestHandlerRecoversForOtherHandlers(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/x", func(http.ResponseWriter, *http.Request) { panic("bug") })
	h, err := Handler(mux, Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/x", http.NoBody))
	if got := decode(t, w.Body); w.Code != 500 || got["code"] != "internal" {
		t.Errorf("answered %d %v", w.Code, got)
	}
}

func TestAccessLogHoldsNoSecret(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h := shell(t, Options{Log: logger}, map[string]HandlerFunc{
		"POST /in/{key}": func(_ http.ResponseWriter, r *http.Request) error {
			if r.PathValue("key") == "hunter2" {
				return fault.NotFound("No such key.")
			}
			panic("bug")
		},
	})
	for _, path := range []string{"/in/hunter2", "/in/hunter22", "/hunter2", "/in/hunter2/more?token=hunter2"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}")))
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log holds the key: %s", log.String())
	}
	for _, want := range []string{`route="POST /in/{key}" status=404`, `route="POST /in/{key}" status=500`, "client=192.0.2.1"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
}

func TestHandlerRefusesABadPublicURL(t *testing.T) {
	if _, err := Handler(http.NewServeMux(), Options{Log: quiet, PublicURL: &url.URL{Path: "nowhere"}}); err == nil {
		t.Error("Handler took a public URL without a host")
	}
}

func TestMultipartFilesAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var kept string
	h := shell(t, Options{}, map[string]HandlerFunc{"POST /up": func(_ http.ResponseWriter, r *http.Request) error {
		if err := r.ParseMultipartForm(1); err != nil {
			return err
		}
		f, err := r.MultipartForm.File["f"][0].Open()
		if err != nil {
			return err
		}
		if named, ok := f.(interface{ Name() string }); ok {
			kept = named.Name()
		}
		return f.Close()
	}})
	body := "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" + strings.Repeat("x", 1<<16) + "\r\n--B--\r\n"
	r := httptest.NewRequest(http.MethodPost, "/up", strings.NewReader(body))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=B")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 || kept == "" {
		t.Fatalf("status %d, temporary file %q, want one: %s", w.Code, kept, w.Body)
	}
	if _, err := http.Dir("/").Open(kept); err == nil {
		t.Errorf("%s is left over", kept)
	}
}
