package ntfy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/ntfy"
	"github.com/watchroom/watchroom/internal/notify/ntfy/ntfytest"
)

var fixed = time.Date(2026, 3, 29, 0, 59, 30, 0, time.UTC)

func page(to string, incidents ...notify.PageIncident) notify.Page {
	return notify.Page{Key: "k", To: to, Token: "Tok_1-x", Zone: time.UTC, At: fixed, Incidents: incidents}
}

func incident(n int64) notify.PageIncident {
	return notify.PageIncident{
		Number: id.Incident(n), Title: "Disk full", Message: "93% \"full\"\n<b>", Severity: "critical", Team: "Database", TriggeredAt: fixed,
		Reason: "You are on call.", URL: fmt.Sprintf("https://watch.example.org/incidents/%d?a=1&b=2", n),
		AckURL: "https://watch.example.org/a/ack", ResolveURL: "https://watch.example.org/a/resolve",
	}
}

func client(cfg ntfy.Config) *ntfy.Client { return ntfy.New(cfg, nil) }

func answering(token string, action notify.Action) string {
	return "https://watch.example.org/x/" + token + "/" + string(action)
}

func TestSendOneIncident(t *testing.T) {
	server := ntfytest.New(t)
	server.Protect("kim", "Bearer tk_123")
	p := page(server.URL+"/kim", incident(42))
	p.Secret = "tk_123"
	receipt, err := client(ntfy.Config{AnswerURL: answering}).Send(t.Context(), p)
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	got := server.Messages()
	if len(got) != 1 || receipt.RemoteID != got[0].ID {
		t.Fatalf("receipt %+v, stored %+v", receipt, got)
	}
	want := ntfytest.Message{
		ID: got[0].ID, Topic: "kim", Title: "#42 Critical: Disk full", Priority: 5, Tags: []string{"rotating_light"},
		Message: "93% \"full\"\n<b>\nDatabase · since 00:59 UTC\nYou are on call.",
		Click:   "https://watch.example.org/incidents/42?a=1&b=2",
		Actions: []ntfytest.Action{
			{Action: "http", Label: "Acknowledge", URL: "https://watch.example.org/x/Tok_1-x/acknowledge", Method: "POST", Clear: true},
			{Action: "http", Label: "Resolve", URL: "https://watch.example.org/x/Tok_1-x/resolve", Method: "POST", Clear: true},
			{Action: "view", Label: "Open", URL: "https://watch.example.org/incidents/42?a=1&b=2"},
		},
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
}

func TestButtonsReachUs(t *testing.T) {
	called := make(chan string, 1)
	us := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { called <- r.Method + " " + r.URL.Path }))
	defer us.Close()
	server := ntfytest.New(t)
	c := client(ntfy.Config{AnswerURL: func(token string, a notify.Action) string { return us.URL + "/" + token + "/" + string(a) }})
	if _, err := c.Send(t.Context(), page(server.URL+"/kim", incident(1))); err != nil {
		t.Fatal(err)
	}
	resp, err := server.Press(t.Context(), us.Client(), server.Messages()[0].Actions[0])
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := <-called; got != "POST /Tok_1-x/acknowledge" {
		t.Errorf("the button calls %s", got)
	}
}

func TestButtonsWithoutAnswerURL(t *testing.T) {
	server := ntfytest.New(t)
	if _, err := client(ntfy.Config{}).Send(t.Context(), page(server.URL+"/kim", incident(1))); err != nil {
		t.Fatal(err)
	}
	for _, a := range server.Messages()[0].Actions {
		if a.Action != "view" || a.Label == "Acknowledge" && a.URL != "https://watch.example.org/a/ack" {
			t.Errorf("%+v", a)
		}
	}
}

func TestBundleNoticeDrill(t *testing.T) {
	server := ntfytest.New(t)
	c := client(ntfy.Config{AnswerURL: answering, HomeURL: "https://watch.example.org/"})
	var many []notify.PageIncident
	for n := range 500 {
		inc := incident(int64(n))
		inc.Severity, inc.Title = "warning", strings.Repeat("ü\"", 50)
		many = append(many, inc)
	}
	drill := page(server.URL+"/kim", incident(1))
	drill.Drill = true
	long := page(server.URL+"/kim", incident(1))
	long.Incidents[0].Message = strings.Repeat("\"\n🔥", 9000)
	notice := notify.Page{To: server.URL + "/kim", Notice: &notify.Notice{Subject: "Your code is 123456"}}
	for _, p := range []notify.Page{page(server.URL+"/kim", many...), drill, long, notice} {
		if _, err := c.Send(t.Context(), p); err != nil {
			t.Fatalf("Send: %v", err)
		}
	}
	got := server.Messages()
	if b := got[0]; b.Title != "500 new incidents" || b.Priority != 3 || !strings.Contains(b.Message, " more\nYou are on call.") ||
		b.Click != "https://watch.example.org/" || b.Actions[0].Label != "Acknowledge all" {
		t.Errorf("bundle: %+v", b)
	}
	if d := got[1]; !strings.HasPrefix(d.Title, "[DRILL] ") || !slices.Contains(d.Tags, "test_tube") || !strings.Contains(d.Message, "This is a drill") {
		t.Errorf("drill: %+v", d)
	}
	if l := got[2]; !utf8.ValidString(l.Message) || !strings.HasSuffix(l.Message, "You are on call.") || len(l.Message) < 2000 {
		t.Errorf("long: %d bytes, …%q", len(l.Message), l.Message[len(l.Message)-40:])
	}
	if n := got[3]; n.Message != "Your code is 123456" || len(n.Actions) != 0 || n.Priority != 3 {
		t.Errorf("notice: %+v", n)
	}
}

func TestVerdicts(t *testing.T) {
	cases := map[string]struct {
		prepare   func(*ntfytest.Server, *notify.Page)
		permanent bool
		after     time.Duration
		want      string
	}{
		"no token":       {func(s *ntfytest.Server, _ *notify.Page) { s.Protect("kim", "Bearer tk_1") }, true, 0, "check the access token"},
		"wrong token":    {func(s *ntfytest.Server, p *notify.Page) { s.Protect("kim", "Bearer tk_1"); p.Secret = "tk_hunter2" }, true, 0, "check the access token"},
		"too many":       {func(s *ntfytest.Server, _ *notify.Page) { s.LimitNext("7") }, false, 7 * time.Second, "too many requests"},
		"broken":         {func(s *ntfytest.Server, _ *notify.Page) { s.BreakNext() }, false, 0, "500"},
		"proxy":          {func(s *ntfytest.Server, _ *notify.Page) { s.ProxyNext(http.StatusForbidden, "") }, false, 0, "403 without saying why"},
		"proxy says 200": {func(s *ntfytest.Server, _ *notify.Page) { s.ProxyNext(http.StatusOK, "") }, false, 0, "200 without saying why"},
		"moved":          {func(s *ntfytest.Server, _ *notify.Page) { s.ProxyNext(http.StatusMovedPermanently, "/") }, true, 0, "has moved"},
		"below a path":   {func(s *ntfytest.Server, p *notify.Page) { p.To = s.URL + "/x/kim" }, true, 0, "page not found"},
		"no topic":       {func(s *ntfytest.Server, p *notify.Page) { p.To = s.URL }, true, 0, "name of a topic"},
		"bad topic":      {func(s *ntfytest.Server, p *notify.Page) { p.To = s.URL + "/ki%20m" }, true, 0, "name of a topic"},
		"no URL":         {func(_ *ntfytest.Server, p *notify.Page) { p.To = "kim" }, true, 0, "https://ntfy.example.org/topic"},
		"credentials":    {func(_ *ntfytest.Server, p *notify.Page) { p.To = "https://u:hunter2@ntfy.example/kim" }, true, 0, "without user name"},
		"secret":         {func(_ *ntfytest.Server, p *notify.Page) { p.Secret = "hunter2\r\n" }, true, 0, "characters that no token has"},
		"empty":          {func(_ *ntfytest.Server, p *notify.Page) { p.Incidents = nil }, true, 0, "about nothing"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := ntfytest.New(t)
			p := page(server.URL+"/kim", incident(1))
			tc.prepare(server, &p)
			_, err := client(ntfy.Config{AnswerURL: answering}).Send(t.Context(), p)
			f, ok := errors.AsType[*notify.Failure](err)
			if !ok || f.Permanent != tc.permanent || f.RetryAfter != tc.after || f.Config || !strings.Contains(f.Reason, tc.want) {
				t.Fatalf("%#v, want %q", err, tc.want)
			}
			for _, secret := range []string{"hunter2", "Tok_1-x", "/kim"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q is in %q", secret, err)
				}
			}
		})
	}
}

func TestBasicAuthentication(t *testing.T) {
	server := ntfytest.New(t)
	server.Protect("kim", "Basic a2ltOmh1bnRlcjI=")
	p := page(server.URL+"/kim", incident(1))
	p.Secret = "kim:hunter2"
	if _, err := client(ntfy.Config{}).Send(t.Context(), p); err != nil {
		t.Errorf("Send: %v", err)
	}
}

func TestUnreachableKeepsSecrets(t *testing.T) {
	server := ntfytest.Start()
	p := page(server.URL+"/kim-secret-topic", incident(1))
	server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := client(ntfy.Config{}).Send(ctx, p)
	if err == nil || notify.Permanent(err) || strings.Contains(err.Error(), "kim-secret-topic") {
		t.Errorf("Send: %v", err)
	}
}

func TestConfig(t *testing.T) {
	if err := (ntfy.Config{HomeURL: "watch.example.org"}).Validate(); err == nil {
		t.Error("a home without a scheme is valid")
	}
	if err := (ntfy.Config{HomeURL: "https://watch.example.org"}).Validate(); err != nil {
		t.Error(err)
	}
}

func FuzzCheckAddress(f *testing.F) {
	for _, s := range []string{"https://ntfy.sh/topic", "http://h/a/b/", "https://h/%2f", "https://[::1]:80/x", "//h/t", "https://h?x=/t"} {
		f.Add(s, "tk_1")
	}
	f.Fuzz(func(t *testing.T, to, secret string) {
		if ntfy.CheckAddress(to, secret) != nil {
			return
		}
		if !strings.HasPrefix(strings.ToLower(strings.TrimSpace(to)), "http") || strings.ContainsAny(to, "?#") {
			t.Errorf("%q is taken for a topic", to)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"id":"x","event":"message"}`))
	f.Add(429, []byte(`{"code":42901,"http":429,"error":"limit reached"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		status = 200 + max(0, status%400)
		server := &http.Client{Transport: canned{status, body}}
		receipt, err := ntfy.New(ntfy.Config{}, server).Send(t.Context(), page("https://ntfy.example/kim", incident(1)))
		var a struct {
			ID string `json:"id"`
		}
		stored := json.Unmarshal(body, &a) == nil && a.ID != ""
		if err == nil && (status != 200 || !stored || receipt.RemoteID == "") {
			t.Errorf("%d %q is taken for success", status, body)
		}
	})
}
