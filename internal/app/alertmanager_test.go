package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/notifytest"
	"github.com/watchroom/watchroom/internal/store"
)

// TestRealAlertmanager lets Debian's Alertmanager fire and resolve an alert
// through its victorops_configs receiver.
func TestRealAlertmanager(t *testing.T) {
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Fatal("prometheus-alertmanager is missing: install Debian's package prometheus-alertmanager")
	}
	w := &world{T: t, dir: t.TempDir(), mail: notifytest.NewSMTP(t)}
	address := w.serve()
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(alertmanagerConfig(address, w.key)), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := reserve(t)
	cmd := exec.CommandContext(t.Context(), program, "--config.file="+file, "--storage.path="+dir, "--web.listen-address="+listen, "--cluster.listen-address=")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start Alertmanager: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Alertmanager said:\n%s", log.String())
		}
	})
	waitFor(t, "Alertmanager is ready", func() bool { return get(t, "http://"+listen+"/-/ready") == http.StatusOK })

	fire := func(endsAt time.Time) {
		alerts := []map[string]any{{
			"labels":      map[string]string{"alertname": "DiskFull", "instance": "db07", "severity": "critical"},
			"annotations": map[string]string{"summary": "97% used"},
			"startsAt":    time.Now().Add(-time.Minute).Format(time.RFC3339),
		}}
		if !endsAt.IsZero() {
			alerts[0]["endsAt"] = endsAt.Format(time.RFC3339)
		}
		postJSON(t, "http://"+listen+"/api/v2/alerts", alerts)
	}
	fire(time.Time{})
	waitFor(t, "the incident opens", func() bool { return w.stateOf(1) == incident.Triggered })
	inc := w.incident(1)
	if !strings.Contains(inc.Title, "DiskFull") || !strings.Contains(inc.Message, "97% used") || inc.Tool != "Alertmanager" {
		t.Errorf("incident from Alertmanager: title %q, message %q, tool %q", inc.Title, inc.Message, inc.Tool)
	}
	if mail := w.mail.Next("kim@example.org"); !strings.Contains(mail.Subject, "DiskFull") {
		t.Errorf("mail subject %q, want the alert's name", mail.Subject)
	}
	fire(time.Now().Add(-time.Second))
	waitFor(t, "the incident resolves", func() bool { return w.stateOf(1) == incident.Resolved })
}

func alertmanagerConfig(address, key string) string {
	return fmt.Sprintf(`
route:
  receiver: watchroom
  group_wait: 10ms
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: watchroom
    victorops_configs:
      - api_key: %s
        api_url: http://%s/integrations/generic/20131114/alert/
        routing_key: database
        send_resolved: true
`, key, address)
}

// serve runs the whole node in real time, HTTP server included, and returns its address.
func (w *world) serve() string {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.PublicURL = w.dir, "127.0.0.1:0", "http://127.0.0.1"
	cfg.SMTPURL, cfg.MailFrom = w.mail.URL(), "Watchroom <pager@watch.example.org>"
	ready := make(chan string, 1)
	app, err := New(ctx, Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Stdout: io.Discard, Ready: func(addr string) { ready <- addr }})
	if err != nil {
		w.Fatalf("New: %v", err)
	}
	w.app = app
	w.furnish()
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	w.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.Errorf("Run: %v", err)
		}
		if err := app.Close(); err != nil {
			w.Errorf("Close: %v", err)
		}
	})
	select {
	case addr := <-ready:
		return addr
	case err := <-ended:
		ended <- nil
		w.Fatalf("Run: %v", err)
		return ""
	}
}

func (w *world) stateOf(n int64) incident.State {
	found, err := w.app.Store.Incidents(w.Context(), store.IncidentFilter{})
	if err != nil {
		w.Fatal(err)
	}
	for _, inc := range found {
		if int64(inc.ID) == n {
			return inc.State
		}
	}
	return ""
}

func reserve(t *testing.T) string {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// waitFor looks every 20 ms whether something real has happened.
func waitFor(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !happened() {
		select {
		case <-deadline:
			t.Fatalf("waited 30 s until %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func get(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func postJSON(t *testing.T, url string, body any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("POST %s: %v", url, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("POST %s: status %d: %s", url, resp.StatusCode, text)
	}
}
