package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/api"
)

// FuzzRequest sends anything to every route but the stream. Whatever a client
// says, the server answers, and never that it is broken.
func FuzzRequest(f *testing.F) {
	h := newHouse(f)
	h.alert("db01")
	var ops []api.Operation
	for _, op := range api.Operations {
		if !strings.HasSuffix(op.Path, "/stream") {
			ops = append(ops, op)
		}
	}
	bodies := []string{
		`{"text":"hello","until":"2026-01-01T00:00:00Z","for":"10m"}`,
		`{"name":"X","zone":"Europe/Berlin","layers":[{"members":["max"],"every":1,"unit":"weeks","handoff_at":"09:00","start":"2026-01-05"}]}`,
		`{"name":"X","steps":[{"after":"5m","targets":[{"user":"max"}]}],"repeat":1,"repeat_after":"1h"}`,
		`{"name":"X","username":"x","email":"x@example.org","role":"member","zone":"UTC"}`,
		`[]`, ``,
	}
	for i := range ops {
		f.Add(uint(i), "1", "limit=5&cursor=aTo3&kinds=x&at=2026-01-01T00:00:00Z", bodies[i%len(bodies)], `"1"`)
	}
	admin, handler := h.tokens["ada"], h.handler
	f.Fuzz(func(t *testing.T, op uint, part, query, body, match string) {
		do := ops[op%uint(len(ops))]
		path := do.Path
		for strings.Contains(path, "{") {
			i, j := strings.IndexByte(path, '{'), strings.IndexByte(path, '}')
			path = path[:i] + url.PathEscape(strings.NewReplacer("{", "", "}", "").Replace(part)) + path[j+1:]
		}
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = query
		r := httptest.NewRequestWithContext(t.Context(), do.Method, "/", strings.NewReader(body))
		r.URL = u
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+admin)
		r.Header.Set("If-Match", match)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s?%s %q = %d\n%s", do.Method, path, query, body, w.Code, w.Body)
		}
	})
}
