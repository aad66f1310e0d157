package victorops

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
)

// ledger is an Acceptor that knows testKey and remembers what it took.
type ledger struct {
	lookup, accept error // what to fail with
	taken          []alert.Alert
}

func (l *ledger) Integration(_ context.Context, key string) (id.Integration, bool, error) {
	return "rest", key == testKey, l.lookup
}

func (l *ledger) Accept(_ context.Context, a alert.Alert) (alert.Alert, error) {
	if l.accept != nil {
		return alert.Alert{}, l.accept
	}
	l.taken = append(l.taken, a)
	a.ID = id.Alert(len(l.taken))
	return a, nil
}

// post is one request; zero fields take their usual value.
type post struct {
	method, path, body string
	header             http.Header
}

func (p post) to(t testing.TB, h http.Handler) *http.Response {
	t.Helper()
	if p.method == "" {
		p.method = http.MethodPost
	}
	if p.path == "" {
		p.path = "20131114/alert/" + testKey + "/database"
	}
	r := httptest.NewRequestWithContext(t.Context(), p.method, Prefix+p.path, strings.NewReader(p.body))
	maps.Copy(r.Header, p.header)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func newTestHandler(l *ledger) (*Handler, *bytes.Buffer) {
	var log bytes.Buffer
	return New(l, HandlerOptions{
		MaxBody:      1000,
		NewEntityID:  func() string { return "made-up" },
		NewRequestID: func() string { return "request-1" },
		Log:          slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}), &log
}

func gzipped(s string) string {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, s)
	_ = z.Close()
	return b.String()
}

func TestAnswers(t *testing.T) {
	const minimal = `{"message_type":"critical"}`
	const ok = `{"result":"success","entity_id":"made-up"}`
	fails := func(message string) string { return `{"result":"failure","message":"` + message + `"}` }
	noSuchPath := fails("There is nothing at this address. Alerts go to /integrations/generic/20131114/alert/<API key>/<routing key>.")
	unknownKey := fails("The API key in the address is unknown.")
	tooLarge := fails("The body is larger than 1000 bytes.")
	unavailable := fails("The alert could not be stored at the moment. It was not accepted; send it again.")
	encoding := func(name string) http.Header { return http.Header{"Content-Encoding": {name}} }

	tests := []struct {
		name   string
		post   post
		ledger ledger
		status int
		body   string
		header map[string]string
	}{
		{name: "least alert, no content type", post: post{body: minimal}, status: 200, body: ok},
		{name: "a form's content type", post: post{body: minimal, header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}, status: 200, body: ok},
		{
			name: "the entity id comes back as it was sent", status: 200,
			post: post{body: `{"message_type":"critical","entity_id":"a&b <\"ü\">"}`},
			body: `{"result":"success","entity_id":"a&b <\"ü\">"}`,
		},
		{name: "gzip", post: post{body: gzipped(minimal), header: encoding("gzip")}, status: 200, body: ok},
		{name: "identity", post: post{body: minimal, header: encoding("identity")}, status: 200, body: ok},
		{name: "unknown message type", post: post{body: `{"message_type":"banana"}`}, status: 200, body: ok},
		{name: "any version", post: post{path: "00000000/alert/" + testKey, body: minimal}, status: 200, body: ok},

		{name: "no message type", post: post{body: `{}`}, status: 400, body: fails("Missing fields: message_type")},
		{name: "not an object", post: post{body: `[]`}, status: 400, body: fails("The body is valid JSON but not an object. Send one alert at a time, as one JSON object.")},
		{name: "not JSON", post: post{body: `{`}, status: 400, body: fails("The body is not valid JSON: at byte 1, unexpected end of JSON input.")},
		{name: "empty", status: 400, body: fails("The body is empty. Expected one JSON object with at least a message_type.")},
		{name: "gzip in name only", post: post{body: minimal, header: encoding("gzip")}, status: 400, body: fails("The body is not valid gzip, although its content encoding says so.")},
		{name: "gzip cut off", post: post{body: gzipped(minimal)[:20], header: encoding("gzip")}, status: 400, body: fails("The body is not valid gzip, although its content encoding says so.")},
		{
			name: "other encodings", post: post{body: minimal, header: encoding("br")}, status: 415,
			body:   fails(`The content encoding \"br\" is not supported. Send the body plain or as gzip.`),
			header: map[string]string{"Accept-Encoding": "gzip"},
		},

		{name: "full body", post: post{body: minimal + strings.Repeat(" ", 1000-len(minimal))}, status: 200, body: ok},
		{name: "too large", post: post{body: minimal + strings.Repeat(" ", 1001-len(minimal))}, status: 413, body: tooLarge},
		{name: "too large when unpacked", post: post{body: gzipped(minimal + strings.Repeat(" ", 1<<20)), header: encoding("gzip")}, status: 413, body: tooLarge},

		{name: "unknown key", post: post{path: "20131114/alert/nobody/database", body: minimal}, status: 404, body: unknownKey},
		{name: "a key no database takes", post: post{path: "20131114/alert/%00%FF/database", body: minimal}, status: 404, body: unknownKey, ledger: ledger{lookup: errors.New("must not be asked")}},
		{name: "unknown key in the body", post: post{path: "20131114/alert", body: `{"VO_ORGANIZATION_KEY":"nobody"}`}, status: 404, body: unknownKey},
		{name: "no key anywhere", post: post{path: "20131114/alert", body: minimal}, status: 400, body: fails("Missing fields: VO_ORGANIZATION_KEY")},
		{name: "null as key", post: post{path: "20131114/alert", body: `{"VO_ORGANIZATION_KEY":null}`}, status: 400, body: fails("Missing fields: VO_ORGANIZATION_KEY")},
		{name: "version is a number", post: post{path: "v2/alert/" + testKey, body: minimal}, status: 404, body: noSuchPath},
		{name: "not alerts", post: post{path: "20131114/alerts/" + testKey, body: minimal}, status: 404, body: noSuchPath},
		{name: "nothing", post: post{path: "", method: http.MethodGet}, status: 405, body: fails("Alerts are sent with POST."), header: map[string]string{"Allow": "POST"}},
		{name: "put", post: post{method: http.MethodPut, body: minimal}, status: 405, body: fails("Alerts are sent with POST."), header: map[string]string{"Allow": "POST"}},

		{name: "cannot tell whose key", post: post{body: minimal}, ledger: ledger{lookup: errors.New("database " + testKey + " is away")}, status: 503, body: unavailable, header: map[string]string{"Retry-After": "5"}},
		{name: "cannot store", post: post{body: minimal}, ledger: ledger{accept: errors.New("disk full")}, status: 503, body: unavailable, header: map[string]string{"Retry-After": "5"}},
		{
			name: "busy", post: post{body: minimal}, ledger: ledger{accept: fmt.Errorf("queue: %w", ErrBusy)}, status: 503,
			body:   fails("More alerts are arriving than can be stored at the moment. The alert was not accepted; send it again."),
			header: map[string]string{"Retry-After": "5"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, log := newTestHandler(&tt.ledger)
			res := tt.post.to(t, h)
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.status || string(body) != tt.body {
				t.Errorf("answer %d %s\nwant   %d %s", res.StatusCode, body, tt.status, tt.body)
			}
			want := map[string]string{"Content-Type": "application/json", "X-Request-Id": "request-1"}
			maps.Copy(want, tt.header)
			for name, value := range want {
				if got := res.Header.Get(name); got != value {
					t.Errorf("header %s = %q, want %q", name, got, value)
				}
			}
			if stored := len(tt.ledger.taken) == 1; stored != (tt.status == 200) {
				t.Errorf("status %d, %d alerts taken", tt.status, len(tt.ledger.taken))
			}
			if strings.Contains(log.String(), testKey) || strings.Contains(fmt.Sprint(res.Header, string(body)), testKey) {
				t.Errorf("the key is in the log or the answer:\n%s", log)
			}
			if failed := strings.Contains(log.String(), "level=ERROR"); failed != (tt.status == 503 && tt.name != "busy") {
				t.Errorf("status %d, log:\n%s", tt.status, log)
			}
		})
	}
}

// Every way to write the address, and the routing key it means.
func TestTargets(t *testing.T) {
	inBody := `{"message_type":"critical","VO_ORGANIZATION_KEY":"` + testKey + `","VO_ROUTING_KEY":"web"}`
	const plain = `{"message_type":"critical"}`
	tests := []struct{ path, body, want string }{
		{"20131114/alert/" + testKey + "/database", plain, "database"},
		{"20131114/alert/" + testKey + "/DataBase", plain, "DataBase"},
		{"20131114/alert/" + testKey + "/data%20b%C3%A4se", plain, "data bäse"},
		{"20131114/alert/" + testKey + "/database/", plain, "database"},
		{"20131114/alert/" + testKey + "/a/b", plain, "a/b"},
		{"20131114/alert/" + testKey + "/a%2Fb", plain, "a/b"},
		{"20131114/alert/" + testKey + "/$routing_key", plain, ""},
		{"20131114/alert/" + testKey + "/%24routing_key", plain, ""},
		{"20131114/alert/" + testKey, plain, ""},
		{"20131114/alert/" + testKey + "/", plain, ""},
		{"20131114/alert//" + testKey + "//database", plain, "database"},
		{"7/alert/" + testKey + "/database?source=x", plain, "database"},
		{"20131114/alert/" + testKey, inBody, "web"},
		{"20131114/alert", inBody, "web"},
		{"20131114/alert/", inBody, "web"},
	}
	for _, tt := range tests {
		var l ledger
		h, _ := newTestHandler(&l)
		res := post{path: tt.path, body: tt.body}.to(t, h)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || len(l.taken) != 1 {
			t.Errorf("%s: status %d, %d alerts", tt.path, res.StatusCode, len(l.taken))
			continue
		}
		a := l.taken[0]
		if a.RoutingKey != tt.want || a.Integration != "rest" {
			t.Errorf("%s: routing key %q, integration %q; want %q, rest", tt.path, a.RoutingKey, a.Integration, tt.want)
		}
		if err := fits(a); err != nil {
			t.Errorf("%s: %v", tt.path, err)
		}
	}
}

// The zero options are what a server runs with.
func TestDefaultOptions(t *testing.T) {
	var l ledger
	h := New(&l, HandlerOptions{})
	body := `{"message_type":"PROBLEM","check":{"output":"` + strings.Repeat("x", 60<<10) + `"}}`
	res := post{body: body}.to(t, h)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("X-Request-Id") == "" {
		t.Fatalf("status %d, header %v", res.StatusCode, res.Header)
	}
	if a := l.taken[0]; len(a.EntityID) != 26 || a.Type != alert.Critical {
		t.Errorf("entity id %q, type %q", a.EntityID, a.Type)
	}
	res = post{body: strings.Repeat(" ", 1<<20+1)}.to(t, h)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("1 MiB and one byte: status %d", res.StatusCode)
	}
}

func TestStrictHandler(t *testing.T) {
	var l ledger
	res := post{body: `{"message_type":"PROBLEM"}`}.to(t, New(&l, HandlerOptions{Strict: true, RetryAfter: time.Minute}))
	_ = res.Body.Close()
	if l.taken[0].Type != alert.Info {
		t.Errorf("type %q, want info", l.taken[0].Type)
	}
}

// A request id that a server around the handler has set is the one the sender sees.
func TestRequestIDFromOutside(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("X-Request-Id", "outer")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Prefix, nil)
	New(&ledger{}, HandlerOptions{}).ServeHTTP(w, r)
	if got := w.Header().Values("X-Request-Id"); !cmp.Equal(got, []string{"outer"}) {
		t.Errorf("X-Request-Id = %q", got)
	}
}

// A sender that gave up is no fault of the server.
func TestSenderGoesAway(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h, log := newTestHandler(&ledger{accept: context.Canceled})
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, Prefix+"1/alert/"+testKey, strings.NewReader(`{"message_type":"ok"}`))
	h.ServeHTTP(httptest.NewRecorder(), r)
	if s := log.String(); !strings.Contains(s, "level=DEBUG") || strings.Contains(s, "level=ERROR") {
		t.Errorf("log:\n%s", s)
	}
}

// The bodies of the golden tests, through a real connection.
func TestOverTheWire(t *testing.T) {
	var l ledger
	server := httptest.NewServer(New(&l, HandlerOptions{}))
	defer server.Close()
	for _, name := range []string{"alertmanager", "grafana", "sensu_go", "uptime_kuma_down"} {
		body, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+Prefix+"20131114/alert/"+testKey+"/database", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		a := l.taken[len(l.taken)-1]
		if want := fmt.Sprintf(`{"result":"success","entity_id":%q}`, a.EntityID); err != nil || string(answer) != want {
			t.Errorf("%s: %d %s, err %v; want %s", name, res.StatusCode, answer, err, want)
		}
		if a.Raw != strings.TrimSpace(string(body)) {
			t.Errorf("%s: Raw = %s", name, a.Raw)
		}
	}
}
