package httpd

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

var long = strings.Repeat("<p>the disk is full</p>", 100)

func gunzip(t *testing.T, body []byte) string {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("answer is not gzip: %v", err)
	}
	plain, err := io.ReadAll(zr)
	if err != nil {
		t.Fatalf("answer is not whole: %v", err)
	}
	return string(plain)
}

func TestCompress(t *testing.T) {
	write := func(kind string, parts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if kind != "" {
				w.Header().Set("Content-Type", kind)
			}
			for _, part := range parts {
				_, _ = io.WriteString(w, part)
			}
		}
	}
	set := func(name, value string, h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(name, value)
			h(w, r)
		}
	}
	for _, c := range []struct {
		name   string
		h      http.HandlerFunc
		method string
		accept string
		extra  string // another request header
		zipped bool
		body   string
		status int
	}{
		{"a long page", write("text/html; charset=utf-8", long), "GET", "gzip, deflate, br", "", true, long, 200},
		{"a page in pieces", write("text/html", strings.SplitAfter(long, ">")...), "GET", "gzip", "", true, long, 200},
		{"the type is guessed", write("", "<html>"+long), "GET", "gzip", "", true, "<html>" + long, 200},
		{"JSON", write("application/json", `"`+long+`"`), "GET", "gzip", "", true, `"` + long + `"`, 200},
		{"a short answer", write("application/json", "{}"), "GET", "gzip", "", false, "{}", 200},
		{"a short answer in pieces", write("application/json", "{", "}"), "GET", "gzip", "", false, "{}", 200},
		{"a short answer of known length", set("Content-Length", "2", write("text/html", "hi")), "GET", "gzip", "", false, "hi", 200},
		{"an error page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, long)
		}, "GET", "gzip", "", true, long, 404},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, "GET", "gzip", "", false, "", 200},
		{"only a status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }, "GET", "gzip", "", false, "", 202},
		{"no content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "GET", "gzip", "", false, "", 204},
		{"a picture", write("image/png", long), "GET", "gzip", "", false, long, 200},
		{"events", write("text/event-stream", long), "GET", "gzip", "", false, long, 200},
		{"compressed already", set("Content-Encoding", "br", write("text/html", long)), "GET", "gzip", "", false, long, 200},
		{"a client that does not take it", write("text/html", long), "GET", "", "", false, long, 200},
		{"a client that refuses it", write("text/html", long), "GET", "gzip;q=0, *", "", false, long, 200},
		{"a client that takes anything", write("text/html", long), "GET", "*;q=0.5", "", true, long, 200},
		{"a client that prefers it", write("text/html", long), "GET", "identity;q=0.1, GZIP; q=1.0", "", true, long, 200},
		{"a part", write("text/html", long), "GET", "gzip", "Range", false, long, 200},
		{"a socket", write("text/html", long), "GET", "gzip", "Upgrade", false, long, 200},
		{"flushed before anything", func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			write("", long)(w, r)
		}, "GET", "gzip", "", false, long, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, "/", http.NoBody)
			r.Header.Set("Accept-Encoding", c.accept)
			if c.extra != "" {
				r.Header.Set(c.extra, "x")
			}
			w := httptest.NewRecorder()
			Compress()(c.h).ServeHTTP(w, r)
			body, zipped := w.Body.String(), w.Header().Get("Content-Encoding") == "gzip"
			if zipped != c.zipped || w.Code != c.status {
				t.Fatalf("zipped %v, status %d, want %v, %d", zipped, w.Code, c.zipped, c.status)
			}
			if zipped {
				body = gunzip(t, w.Body.Bytes())
				if w.Header().Get("Content-Length") != "" {
					t.Error("the old length is still announced")
				}
			}
			if body != c.body {
				t.Errorf("body %.60q, want %.60q", body, c.body)
			}
			if w.Header().Get("Vary") != "Accept-Encoding" {
				t.Errorf("Vary: %q", w.Header().Get("Vary"))
			}
		})
	}
}

func TestCompressWeakensTheTag(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	Compress()(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"a"`)
		_, _ = io.WriteString(w, "<html>"+long)
	})).ServeHTTP(w, r)
	if got := w.Header().Get("ETag"); got != `W/"a"` {
		t.Errorf("ETag: %s", got)
	}
}

// What is flushed must arrive while the handler still runs, compressed or not.
func TestFlushPassesTheShell(t *testing.T) {
	for _, c := range []struct{ kind, accept string }{
		{"text/event-stream", "gzip"},
		{"text/html", "gzip"},
		{"text/html", "identity"},
	} {
		t.Run(c.kind+" "+c.accept, func(t *testing.T) {
			release := make(chan struct{})
			server := httptest.NewServer(shell(t, Options{}, map[string]HandlerFunc{
				"GET /x": func(w http.ResponseWriter, r *http.Request) error {
					w.Header().Set("Content-Type", c.kind)
					_, _ = io.WriteString(w, "first")
					if _, ok := w.(http.Flusher); !ok {
						t.Error("the writer is no http.Flusher")
					}
					if err := http.NewResponseController(w).Flush(); err != nil {
						return err
					}
					select {
					case <-release:
					case <-r.Context().Done():
					}
					_, err := io.WriteString(w, " second")
					return err
				},
			}))
			defer server.Close()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/x", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept-Encoding", c.accept)
			resp, err := server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			var body io.Reader = resp.Body
			if resp.Header.Get("Content-Encoding") == "gzip" {
				if c.kind == "text/event-stream" {
					t.Error("events are compressed")
				}
				if body, err = gzip.NewReader(resp.Body); err != nil {
					t.Fatal(err)
				}
			}
			first := make([]byte, 5)
			if _, err := io.ReadFull(body, first); err != nil || string(first) != "first" {
				t.Fatalf("while the handler runs: %q, %v", first, err)
			}
			close(release)
			rest, err := io.ReadAll(body)
			if err != nil || string(rest) != " second" {
				t.Errorf("the rest: %q, %v", rest, err)
			}
		})
	}
}

// A page that breaks in the middle must not look like a whole one.
func TestABrokenPageIsCut(t *testing.T) {
	server := httptest.NewServer(shell(t, Options{}, map[string]HandlerFunc{
		"GET /x": func(w http.ResponseWriter, _ *http.Request) error {
			_, _ = io.WriteString(w, "<html>"+long)
			_ = http.NewResponseController(w).Flush()
			panic("bug")
		},
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/x", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(req) // takes gzip by itself
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("read %d bytes and an end", len(body))
	}
}
