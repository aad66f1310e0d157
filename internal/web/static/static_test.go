package static

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Files under the present hash are kept for ever; under any other address they
// are asked for again, which costs little when nothing has changed.
func TestHandler(t *testing.T) {
	const forever, again = "public, max-age=31536000, immutable", "no-cache"
	tag := `"` + version() + `"`
	for _, c := range []struct {
		name, path, match string
		status            int
		kind, cache       string
	}{
		{"a style sheet", URL("app.css"), "", 200, "text/css; charset=utf-8", forever},
		{"an icon", URL("favicon.svg"), "", 200, "image/svg+xml", forever},
		{"a manifest", URL("app.webmanifest"), "", 200, "application/manifest+json", forever},
		{"a page of another version asks", Prefix + strings.Repeat("0", len(version())) + "/app.css", "", 200, "text/css; charset=utf-8", again},
		{"without a hash", Prefix + "app.css", "", 200, "text/css; charset=utf-8", again},
		{"unchanged", Prefix + "app.css", tag, 304, "", again},
		{"unchanged, as it was compressed", Prefix + "app.css", "W/" + tag, 304, "", again},
		{"changed", Prefix + "app.css", `"0"`, 200, "text/css; charset=utf-8", again},
		{"no such file", URL("nothing.css"), "", 404, "text/plain; charset=utf-8", ""},
		{"a folder", URL("js/"), "", 404, "text/plain; charset=utf-8", ""},
		{"nothing", Prefix, "", 404, "text/plain; charset=utf-8", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.path, http.NoBody)
			r.Header.Set("If-None-Match", c.match)
			w := httptest.NewRecorder()
			Handler().ServeHTTP(w, r)
			got := w.Header()
			if w.Code != c.status || got.Get("Content-Type") != c.kind {
				t.Errorf("GET %s = %d %q, want %d %q", c.path, w.Code, got.Get("Content-Type"), c.status, c.kind)
			}
			if c.cache != "" && got.Get("Cache-Control") != c.cache {
				t.Errorf("GET %s: Cache-Control %q, want %q", c.path, got.Get("Cache-Control"), c.cache)
			}
			if c.status == 404 && strings.Contains(got.Get("Cache-Control"), "immutable") {
				t.Errorf("GET %s: an error may be kept for ever", c.path)
			}
		})
	}
}
