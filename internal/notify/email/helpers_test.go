package email_test

import (
	"testing"
	"time"
	_ "time/tzdata" // the golden files name zones

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/email"
	"github.com/watchroom/watchroom/internal/notifytest"
)

var fixed = time.Date(2026, 3, 29, 0, 59, 30, 0, time.UTC) // half a minute before Berlin's clocks change

// newSender sends to server as if it stood at mail.example.org; change may adapt the settings.
func newSender(t *testing.T, server *notifytest.SMTP, change func(*email.Config)) *email.Sender {
	t.Helper()
	cfg := email.Config{
		URL:       server.URL(),
		From:      "Watchroom <pager@example.org>",
		Hello:     "watchroom.example.org",
		HomeURL:   "https://watch.example.org/incidents",
		Dial:      server.Dial,
		TLSConfig: server.ClientTLS(),
		Now:       func() time.Time { return fixed },
	}
	if change != nil {
		change(&cfg)
	}
	s, err := email.New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func page(key string) notify.Page {
	return notify.Page{
		Key: key, To: "kim@example.org", UserName: "Kim Öst", Zone: time.UTC, At: fixed,
		Incidents: []notify.PageIncident{incident()},
	}
}

func incident() notify.PageIncident {
	return notify.PageIncident{
		Number: 42, Title: "Disk 93% full on db01", Message: "93% full\nsee https://graphs.example.org/d/disk?host=db01&from=-1h.",
		Severity: "critical", EntityID: "disk/db01", Host: "db01", Tool: "Prometheus", RoutingKey: "database", Team: "Database",
		AlertCount: 2, TriggeredAt: fixed.Add(-30 * time.Second),
		Reason:    "You are on call for Database (step 1 of Database standard).",
		ThreadKey: "incident-42", URL: "https://watch.example.org/incidents/42",
		AckURL:     "https://watch.example.org/a/0123abcd?do=ack&x=1",
		ResolveURL: "https://watch.example.org/a/0123abcd?do=resolve&x=1",
	}
}
