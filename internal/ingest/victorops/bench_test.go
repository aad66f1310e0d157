package victorops

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
)

func BenchmarkParse(b *testing.B) {
	check := fmt.Sprintf(`{"message_type":"CRITICAL","entity_id":"web1/disk","check":{"output": %q}}`, strings.Repeat("disk full\n", 6<<10))
	bodies := map[string][]byte{"sensu60k": []byte(check)}
	for _, name := range []string{"minimal", "alertmanager", "grafana", "robusta"} {
		body, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			b.Fatal(err)
		}
		bodies[name] = body
	}
	for name, body := range bodies {
		b.Run(name, func(b *testing.B) {
			opts := Options{Key: testKey, RoutingKey: "database", NewEntityID: func() string { return "made" }}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(body, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// taker accepts everything at once.
type taker struct{}

func (taker) Integration(context.Context, string) (id.Integration, bool, error) {
	return "rest", true, nil
}
func (taker) Accept(_ context.Context, a alert.Alert) (alert.Alert, error) { return a, nil }

// sink is a ResponseWriter that costs nothing.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

func BenchmarkHandler(b *testing.B) {
	body, err := os.ReadFile("testdata/alertmanager.json")
	if err != nil {
		b.Fatal(err)
	}
	h := New(taker{}, HandlerOptions{})
	r := httptest.NewRequest(http.MethodPost, Prefix+"20131114/alert/"+testKey+"/database", nil)
	reader := bytes.NewReader(body)
	r.Body = io.NopCloser(reader)
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		w := &sink{header: http.Header{}}
		if h.ServeHTTP(w, r); w.status != http.StatusOK {
			b.Fatalf("status %d", w.status)
		}
	}
}
