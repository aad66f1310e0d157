package email_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jhillyerd/enmime/v2"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notifytest"
)

var update = flag.Bool("update", false, "write the golden files")

// TestGolden sends each page through a real conversation with the strict
// server and compares what a mail program would show.
func TestGolden(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	cases := map[string]func(p *notify.Page){
		"critical": func(p *notify.Page) { p.Zone = berlin },
		"drill-warning": func(p *notify.Page) {
			p.Drill, p.Incidents[0].Severity, p.Zone = true, "warning", zone(t, "Asia/Kolkata")
		},
		"bare": func(p *notify.Page) {
			p.UserName, p.Zone = "", nil
			p.Incidents[0] = notify.PageIncident{Number: 7, URL: "https://watch.example.org/incidents/7"}
		},
		"hostile": func(p *notify.Page) {
			p.UserName = "Kim\r\nBcc: all@example.org"
			inc := &p.Incidents[0]
			inc.Title = "down\r\nBcc: evil@example.org\r\n\r\n=?utf-8?q?hidden?= <b>bold</b> \u202egnp.exe\x00\u2028 日本語 " + strings.Repeat("lang ", 80)
			inc.Severity = "<blink>"
			inc.EntityID = `"><script>alert(1)</script>`
			inc.Message = "<script>alert(1)</script>\r\n.\r\njavascript:alert(1)\n(https://a.example/x(1)) http://a.example/\"onclick=\"x\n\xff\xfe\x1b[31mred"
			inc.Reason = "</p><img src=x>"
			inc.AckURL = "javascript:alert(1)"
		},
		"bundle": func(p *notify.Page) {
			second, third := incident(), incident()
			second.Number, second.Title, second.Severity, second.ThreadKey = 43, "Latency of web above 2 s", "warning", "incident-43"
			third.Number, third.Title, third.ThreadKey, third.AckURL = 44, "Zürich link <down>", "incident-44", ""
			p.Incidents = append(p.Incidents, second, third)
		},
		"storm": func(p *notify.Page) {
			p.Incidents = nil
			for i := range 60 {
				inc := incident()
				inc.Number, inc.ThreadKey = id.Incident(100+i), fmt.Sprint("incident-", 100+i)
				inc.Title = fmt.Sprintf("Host web%02d is down", i)
				p.Incidents = append(p.Incidents, inc)
			}
		},
		"reset": func(p *notify.Page) {
			p.Incidents = nil
			p.Notice = &notify.Notice{
				Subject: "Choose a new password", Action: "Choose a password", URL: "https://watch.example.org/reset/abc?d=1&e=2",
				Lines: []string{"Somebody asked for a new password for your account.", "The link works once, until 04:00."},
			}
		},
		"test": func(p *notify.Page) {
			p.Incidents = nil
			p.Notice = &notify.Notice{Subject: "Test: this mail works", Lines: []string{"You can be paged at this address."}}
		},
	}
	server := notifytest.NewSMTP(t, notifytest.InMemory())
	sender := newSender(t, server, nil)
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			p := page("delivery-" + name)
			p.To = name + "@example.org"
			change(&p)
			if _, err := sender.Send(t.Context(), p); err != nil {
				t.Fatalf("Send: %v", err)
			}
			env, err := enmime.ReadEnvelope(bytes.NewReader(server.Next(p.To).Raw))
			if err != nil {
				t.Fatalf("ReadEnvelope: %v", err)
			}
			for _, e := range env.Errors {
				t.Errorf("the mail has a flaw: %v", e)
			}
			var head strings.Builder
			for _, key := range []string{
				"Date", "Message-Id", "In-Reply-To", "References", "From", "To", "Subject",
				"Auto-Submitted", "X-Auto-Response-Suppress", "Bcc",
			} {
				if value := env.GetHeader(key); value != "" {
					fmt.Fprintf(&head, "%s: %s\n", key, value)
				}
			}
			golden(t, name+".txt", head.String()+"\n"+strings.ReplaceAll(env.Text, "\r\n", "\n"))
			golden(t, name+".html", strings.ReplaceAll(env.HTML, "\r\n", "\n"))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make it with -update)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func TestThreading(t *testing.T) {
	server := notifytest.NewSMTP(t, notifytest.InMemory())
	sender := newSender(t, server, nil)
	send := func(key, to, thread string) (id, root string) {
		t.Helper()
		p := page(key)
		p.To, p.Incidents[0].ThreadKey = to, thread
		receipt, err := sender.Send(t.Context(), p)
		if err != nil {
			t.Fatalf("Send: %v", err)
		}
		h := server.Messages()[0].Header
		if h.Get("In-Reply-To") != h.Get("References") {
			t.Errorf("In-Reply-To %q, References %q", h.Get("In-Reply-To"), h.Get("References"))
		}
		if h.Get("Message-Id") != receipt.RemoteID {
			t.Errorf("RemoteID %q, the mail says %q", receipt.RemoteID, h.Get("Message-Id"))
		}
		return receipt.RemoteID, h.Get("References")
	}
	first, root := send("a", "kim@example.org", "one")
	again, _ := send("a", "kim@example.org", "one")
	second, sameRoot := send("b", "lee@example.org", "one")
	_, otherRoot := send("c", "kim@example.org", "two")
	_, noRoot := send("d", "kim@example.org", "")
	if first != again || first == second {
		t.Errorf("Message-IDs of a page, the same page, another page: %s %s %s", first, again, second)
	}
	if !strings.HasSuffix(first, "@example.org>") {
		t.Errorf("Message-ID %s is not of the sender's domain", first)
	}
	if root == "" || root != sameRoot || root == otherRoot || noRoot != "" {
		t.Errorf("roots of an incident, the same, another, none: %q %q %q %q", root, sameRoot, otherRoot, noRoot)
	}
}
