package app

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/notifytest"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/web"
)

// logged is a log that several write to.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

// Write implements io.Writer.
func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestWhatIsSaidWhileTheDatabaseIsAway: everything that answers says so, and
// when to come back; the log says once that it went and once that it is back.
func TestWhatIsSaidWhileTheDatabaseIsAway(t *testing.T) {
	database, log := pgtest.URL(t), &logged{}
	cfg := config.Default()
	cfg.Data, cfg.Database, cfg.PublicURL = t.TempDir(), database, "https://watch.example.org"
	mail := notifytest.NewSMTP(t)
	cfg.SMTPURL, cfg.MailFrom = mail.URL(), "pager@watch.example.org"
	app, err := New(t.Context(), Options{Config: cfg, Log: slog.New(slog.NewTextHandler(log, nil)), Stdout: &bytes.Buffer{}, Look: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	wait := app.Start(ctx)
	t.Cleanup(func() {
		stop()
		if err := wait(); err != nil {
			t.Errorf("a part failed: %v", err)
		}
		if err := app.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	w := &world{T: t, app: app, mail: mail}
	w.furnish()
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer wr_"+strings.Repeat("x", 40))
		r.Header.Set("Content-Type", "application/json")
		if !strings.HasPrefix(path, "/api/") {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.AddCookie(&http.Cookie{Name: "__Host-watchroom", Value: strings.Repeat("x", 40)})
		}
		return w.do(r)
	}
	link := web.ActionURL("", app.box.Signer(), web.AckLink, 1, time.Now(), "kim", time.Now().Add(time.Hour))
	admit := pgtest.Refuse(t, database)
	for _, c := range []struct{ what, method, path, body string }{
		{"a page", http.MethodGet, "/", ""},
		{"a page for everybody", http.MethodGet, "/login", ""},
		{"signing in", http.MethodPost, "/login", "login=kim&password=correct+horse+battery"},
		{"the link of a mail", http.MethodGet, link, ""},
		{"its button", http.MethodPost, link, ""},
		{"reading by API", http.MethodGet, "/api/v1/incidents", ""},
		{"writing by API", http.MethodPost, "/api/v1/incidents/1/acknowledge", "{}"},
		{"a calendar", http.MethodGet, "/calendar/" + strings.Repeat("x", 32) + ".ics", ""},
	} {
		answer := ask(c.method, c.path, c.body)
		if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" || !strings.Contains(answer.Body.String(), "The database is away; nothing was changed.") {
			t.Errorf("%s: status %d, Retry-After %q: %s", c.what, answer.Code, answer.Header().Get("Retry-After"), answer.Body)
		}
	}
	alert := ask(http.MethodPost, "/integrations/generic/20131114/alert/"+w.key+"/database", `{"message_type":"CRITICAL"}`)
	if alert.Code != http.StatusServiceUnavailable || alert.Header().Get("Retry-After") == "" {
		t.Errorf("an alert: status %d: %s", alert.Code, alert.Body)
	}
	if ready := ask(http.MethodGet, "/readyz", ""); ready.Code != http.StatusServiceUnavailable {
		t.Errorf("/readyz: status %d: %s", ready.Code, ready.Body)
	}
	admit()
	waitFor(t, "the database is back", func() bool { return strings.Contains(log.String(), "database back") })
	waitFor(t, "the node is ready", func() bool { return ask(http.MethodGet, "/readyz", "").Code == http.StatusOK })
	var told []string
	for line := range strings.Lines(log.String()) {
		if !strings.Contains(line, "request=") {
			told = append(told, line)
		}
	}
	away, back := strings.Count(log.String(), `level=ERROR msg="database away"`), strings.Count(log.String(), `level=INFO msg="database back"`)
	if away != 1 || back != 1 || strings.Contains(log.String(), "Too much to do") {
		t.Errorf("away %d times and back %d times:\n%s", away, back, strings.Join(told, ""))
	}
	for _, line := range told {
		if strings.Contains(line, "level=ERROR") && !strings.Contains(line, "database away") && !strings.Contains(line, "watches itself") {
			t.Errorf("logged by somebody else: %s", line)
		}
	}
}
