package push_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/push"
)

var fixed = time.Date(2026, 3, 29, 0, 59, 30, 0, time.UTC)

func incident(n int) notify.PageIncident {
	return notify.PageIncident{
		Number: id.Incident(n), Title: "Disk 93% full on db01", Message: "93% full\n  since noon",
		Severity: "critical", EntityID: "disk/db01", Host: "db01", Team: "Database", AlertCount: 2, TriggeredAt: fixed,
		Reason: "You are on call for Database.",
		URL:    fmt.Sprintf("https://watch.example.org/incidents/%d", n), AckURL: "https://watch.example.org/a/x",
		ResolveURL: "https://watch.example.org/a/y",
	}
}

func words(t *testing.T, p notify.Page, home string) push.Words {
	t.Helper()
	w, err := push.New(p, home)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return w
}

func TestWordsOfOneIncident(t *testing.T) {
	w := words(t, notify.Page{Incidents: []notify.PageIncident{incident(42)}, Drill: true}, "")
	got := []string{w.Subject, w.Body(push.Markup{Limit: 1000}), w.Link, w.AckURL}
	want := []string{
		"[DRILL] #42 Critical: Disk 93% full on db01",
		"This is a drill. Nothing is broken; answer as if it were.\n93% full\n\u00a0\u00a0since noon\n" +
			"Database · host db01 · since 00:59 UTC · 2 alerts\nYou are on call for Database.",
		"https://watch.example.org/incidents/42", "https://watch.example.org/a/x",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !w.Urgent {
		t.Error("a critical incident is not urgent")
	}
}

func TestWordsOfABundle(t *testing.T) {
	var p notify.Page
	for n := range 7 {
		inc := incident(n + 1)
		inc.Severity = "warning"
		p.Incidents = append(p.Incidents, inc)
	}
	w := words(t, p, "https://watch.example.org/incidents")
	if w.Subject != "7 new incidents" || w.Link != "https://watch.example.org/incidents" || w.Urgent {
		t.Errorf("subject %q, link %q, urgent %t", w.Subject, w.Link, w.Urgent)
	}
	body := w.Body(push.Markup{Limit: 140})
	want := "#1 Warning: Disk 93% full on db01\n#2 Warning: Disk 93% full on db01\n… and 5 more\nYou are on call for Database."
	if body != want {
		t.Errorf("body %q, want %q", body, want)
	}
	p.Incidents[6].Severity = "critical"
	if !words(t, p, "").Urgent {
		t.Error("one critical incident does not make the bundle urgent")
	}
	if got := words(t, p, "").Link; got != p.Incidents[0].URL {
		t.Errorf("without a list the bundle leads to %q", got)
	}
}

func TestWordsOfANotice(t *testing.T) {
	w := words(t, notify.Page{Notice: &notify.Notice{Subject: "Your code", Lines: []string{"It is 123456.", "Keep it."}, URL: "https://w.example/v"}}, "")
	if w.Subject != "Your code" || w.Message != "It is 123456.\n\nKeep it." || w.LinkLabel != "Open" || w.Urgent {
		t.Errorf("%+v", w)
	}
	if _, err := push.New(notify.Page{}, ""); !notify.Permanent(err) {
		t.Errorf("a page about nothing: %v, want a permanent failure", err)
	}
}

func TestUnknownSeverityIsLoud(t *testing.T) {
	for severity, want := range map[string]bool{"critical": true, "": true, "page": true, "Warning": false, "info": false} {
		if got := push.Urgent(severity); got != want {
			t.Errorf("Urgent(%q) = %t, want %t", severity, got, want)
		}
	}
}

// Whatever an alert says, a body keeps the limit, is valid text, hides nothing,
// and the reason and the mark of a drill are still in it.
func TestBodyHolds(t *testing.T) {
	nasty := rapid.StringMatching(`[a-z&<>"\\*_\[\]()\n\t \x{202e}\x{1f525}\x{0}]{0,400}`)
	rapid.Check(t, func(rt *rapid.T) {
		p := notify.Page{Drill: true}
		for range rapid.IntRange(1, 60).Draw(rt, "incidents") {
			p.Incidents = append(p.Incidents, notify.PageIncident{
				Number: id.Incident(rapid.IntRange(1, 1<<40).Draw(rt, "number")), Title: nasty.Draw(rt, "title"), Severity: nasty.Draw(rt, "severity"),
				Message: strings.Repeat(nasty.Draw(rt, "message"), 5), Team: nasty.Draw(rt, "team"), Host: nasty.Draw(rt, "host"),
				Reason: "Because.", URL: "https://watch.example.org/incidents/1",
			})
		}
		w, err := push.New(p, "")
		if err != nil {
			rt.Fatal(err)
		}
		if n := utf8.RuneCountInString(w.Subject); n > push.MaxSubject || strings.ContainsAny(w.Subject, "\n\x00\u202e") {
			rt.Errorf("subject %q", w.Subject)
		}
		limit := rapid.IntRange(1000, 4096).Draw(rt, "limit")
		double := func(s string) string { return strings.ReplaceAll(s, "&", "&amp;") }
		body := w.Body(push.Markup{Limit: limit, Size: func(s string) int { return len(s) }, Escape: double})
		if len(body) > limit || !utf8.ValidString(body) || strings.ContainsAny(body, "\x00\u202e\t") {
			rt.Errorf("%d bytes for %d: %q", len(body), limit, body)
		}
		if !strings.HasPrefix(body, "This is a drill.") || !strings.HasSuffix(body, "Because.") {
			rt.Errorf("the drill or the reason is cut: %q", body)
		}
	})
}

func TestCutIsNotTooEager(t *testing.T) {
	inc := incident(1)
	inc.Message = strings.Repeat("ü", 5000)
	body := words(t, notify.Page{Incidents: []notify.PageIncident{inc}}, "").Body(push.Markup{Limit: 1024})
	if n := utf8.RuneCountInString(body); n != 1024 {
		t.Errorf("the body has %d characters of 1024", n)
	}
	if got := words(t, notify.Page{Incidents: []notify.PageIncident{inc}}, "").Body(push.Markup{Limit: 10}); got != "" {
		t.Errorf("nothing fits, and the body is %q", got)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a\u202eb\x00\r\nc\xff", 5)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 1 + max(0, limit%200)
		got := push.Line(s, limit)
		if utf8.RuneCountInString(got) > limit || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n\x00\u202e") {
			t.Errorf("Line(%q, %d) = %q", s, limit, got)
		}
	})
}
