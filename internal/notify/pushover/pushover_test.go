package pushover_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/pushover"
	"github.com/watchroom/watchroom/internal/notify/pushover/pushovertest"
)

var fixed = time.Date(2026, 3, 29, 0, 59, 30, 0, time.UTC)

func client(s *pushovertest.Server, change func(*pushover.Config)) *pushover.Client {
	cfg := pushover.Config{Token: pushovertest.Token, BaseURL: s.URL}
	if change != nil {
		change(&cfg)
	}
	return pushover.New(cfg, nil)
}

func page(incidents ...notify.PageIncident) notify.Page {
	return notify.Page{Key: "k", To: pushovertest.User, Token: "Tok_1-x", At: fixed, Incidents: incidents}
}

func incident(n int64, severity string) notify.PageIncident {
	return notify.PageIncident{
		Number: id.Incident(n), Title: "Disk full", Message: "93% full", Severity: severity, Team: "Database", TriggeredAt: fixed,
		Reason: "You are on call.", URL: fmt.Sprintf("https://watch.example.org/incidents/%d", n),
	}
}

func send(t *testing.T, c *pushover.Client, p notify.Page) notify.Receipt {
	t.Helper()
	r, err := c.Send(t.Context(), p)
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	return r
}

func TestSendUrgent(t *testing.T) {
	server := pushovertest.New(t)
	c := client(server, func(cfg *pushover.Config) {
		cfg.CallbackURL, cfg.Retry, cfg.Expire = "https://watch.example.org/hooks/p/x", 30*time.Second, 3*time.Hour
	})
	r := send(t, c, page(incident(42, "critical"), incident(43, "warning")))
	got := server.Messages()[0]
	if r.RemoteID == "" || r.RemoteID != got.Receipt {
		t.Errorf("receipt %+v, want %s", r, got.Receipt)
	}
	want := url.Values{
		"user": {pushovertest.User}, "title": {"2 new incidents"}, "priority": {"2"}, "retry": {"30"}, "expire": {"10800"},
		"message": {"#42 Critical: Disk full\n#43 Warning: Disk full\nYou are on call."}, "tags": {"incident=42,incident=43"},
		"callback": {"https://watch.example.org/hooks/p/x"}, "url": {"https://watch.example.org/incidents/42"}, "url_title": {"Open the first"},
	}
	if diff := cmp.Diff(want, got.Form); diff != "" {
		t.Error(diff)
	}
}

func TestSendQuietNoticeDrillLong(t *testing.T) {
	server := pushovertest.New(t)
	c := client(server, nil)
	drill := page(incident(1, "critical"))
	drill.Drill = true
	long := page(incident(1, "critical"))
	long.Incidents[0].Message, long.Incidents[0].Title = strings.Repeat("🔥", 9000), strings.Repeat("ü", 9000)
	long.Incidents[0].URL = "https://watch.example.org/" + strings.Repeat("x", 600)
	notice := notify.Page{To: pushovertest.User, Notice: &notify.Notice{Subject: "Your code is 123456"}}
	quiet := send(t, c, page(incident(1, "warning")))
	for _, p := range []notify.Page{drill, long, notice} {
		send(t, c, p)
	}
	got := server.Messages()
	if got[0].Priority() != 0 || quiet.RemoteID != "" || !strings.Contains(quiet.Detail, got[0].Request) {
		t.Errorf("a warning: %+v, %+v", got[0], quiet)
	}
	if d := got[1]; d.Priority() != 2 || !strings.HasPrefix(d.Form.Get("title"), "[DRILL] ") || !strings.HasPrefix(d.Form.Get("message"), "This is a drill") {
		t.Errorf("drill: %+v", d)
	}
	if d := got[1].Form; d.Get("retry") != "60" || d.Get("expire") != "3600" {
		t.Errorf("defaults: %v", d)
	}
	text := got[2].Form.Get("message")
	if n := utf8.RuneCountInString(text); n != 1024 || !strings.HasSuffix(text, "You are on call.") || got[2].Form.Has("url") {
		t.Errorf("long: %d characters, %v", n, got[2].Form["url"])
	}
	if n := got[3]; n.Priority() != 0 || n.Form.Get("message") != "Your code is 123456" {
		t.Errorf("notice: %+v", n)
	}
}

func TestTrack(t *testing.T) {
	server := pushovertest.New(t)
	c := client(server, nil)
	track := func(id string) notify.Event {
		t.Helper()
		e, err := c.Track(t.Context(), id)
		if err != nil {
			t.Fatalf("Track: %v", err)
		}
		return e
	}
	first, second := send(t, c, page(incident(1, "critical"))).RemoteID, send(t, c, page(incident(2, "critical"))).RemoteID
	if e := track(first); e.State != "" || e.RemoteID != first || e.Answer != nil {
		t.Errorf("nothing new: %+v", e)
	}
	server.Deliver(first)
	if e := track(first); e.State != notify.Delivered || e.Answer != nil {
		t.Errorf("delivered: %+v", e)
	}
	server.Acknowledge(first, pushovertest.User, "iphone")
	want := notify.Event{
		RemoteID: first, State: notify.Seen, Detail: "acknowledged in the Pushover app on iphone",
		Answer: &notify.Answer{Action: notify.Acknowledge, From: pushovertest.User},
	}
	if diff := cmp.Diff(want, track(first)); diff != "" {
		t.Error(diff)
	}
	server.Deliver(second)
	server.Expire(second)
	if e := track(second); e.State != notify.Undelivered || e.Permanent || e.Detail == "" {
		t.Errorf("expired: %+v", e)
	}
	server.Expire(first)
	if e := track(first); e.Answer == nil {
		t.Errorf("an acknowledgement is lost when its time is over: %+v", e)
	}
	if e := track(""); e != (notify.Event{}) {
		t.Errorf("a page without a receipt: %+v", e)
	}
	for _, id := range []string{"../messages", strings.Repeat("z", 30)} {
		if _, err := c.Track(t.Context(), id); !notify.Permanent(err) {
			t.Errorf("Track(%s): %v", id, err)
		}
	}
}

func TestCancel(t *testing.T) {
	server := pushovertest.New(t)
	c := client(server, nil)
	id := send(t, c, page(incident(1, "critical"))).RemoteID
	for range 2 {
		if err := c.Cancel(t.Context(), id); err != nil || !server.Cancelled(id) {
			t.Errorf("Cancel: %v", err)
		}
	}
	if err := c.Cancel(t.Context(), ""); err != nil {
		t.Errorf("a page that makes no noise: %v", err)
	}
	if err := c.Cancel(t.Context(), "../x"); !notify.Permanent(err) {
		t.Errorf("Cancel(../x): %v", err)
	}
}

func TestVerdicts(t *testing.T) {
	cases := map[string]struct {
		prepare           func(*pushovertest.Server, *pushover.Config, *notify.Page)
		permanent, config bool
		after             time.Duration
		want              string
	}{
		"unknown user": {func(_ *pushovertest.Server, _ *pushover.Config, p *notify.Page) { p.To = strings.Repeat("x", 30) }, true, false, 0, "does not accept the user key"},
		"not a key":    {func(_ *pushovertest.Server, _ *pushover.Config, p *notify.Page) { p.To = "kim" }, true, false, 0, "30 letters"},
		"wrong token":  {func(_ *pushovertest.Server, c *pushover.Config, _ *notify.Page) { c.Token = "hunter2" }, false, true, 0, "application token"},
		"quota":        {func(s *pushovertest.Server, _ *pushover.Config, _ *notify.Page) { s.QuotaNext() }, false, true, 0, "limit reached"},
		"too fast":     {func(s *pushovertest.Server, _ *pushover.Config, _ *notify.Page) { s.SlowDownNext("5") }, false, false, 5 * time.Second, "too many"},
		"broken":       {func(s *pushovertest.Server, _ *pushover.Config, _ *notify.Page) { s.BreakNext(502) }, false, false, 0, "502 without"},
		"moved":        {func(s *pushovertest.Server, _ *pushover.Config, _ *notify.Page) { s.BreakNext(301) }, false, true, 0, "has moved"},
		"bad retry":    {func(_ *pushovertest.Server, c *pushover.Config, _ *notify.Page) { c.Retry = time.Second }, true, false, 0, "at least 30 seconds"},
		"bad expire":   {func(_ *pushovertest.Server, c *pushover.Config, _ *notify.Page) { c.Expire = 4 * time.Hour }, true, false, 0, "10800"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := pushovertest.New(t)
			cfg, p := pushover.Config{Token: pushovertest.Token, BaseURL: server.URL}, page(incident(1, "critical"))
			tc.prepare(server, &cfg, &p)
			_, err := pushover.New(cfg, nil).Send(t.Context(), p)
			f, ok := errors.AsType[*notify.Failure](err)
			if !ok || f.Permanent != tc.permanent || f.Config != tc.config || f.RetryAfter != tc.after || !strings.Contains(f.Reason, tc.want) {
				t.Fatalf("%#v, want %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), pushovertest.Token) {
				t.Errorf("the token is in %q", err)
			}
		})
	}
}

func TestUnreachableKeepsTheToken(t *testing.T) {
	server := pushovertest.Start()
	c := client(server, nil)
	server.Close()
	_, err := c.Track(t.Context(), strings.Repeat("r", 30))
	if err == nil || notify.Permanent(err) || strings.Contains(err.Error(), pushovertest.Token) {
		t.Errorf("Track: %v", err)
	}
}

func TestConfig(t *testing.T) {
	good := pushover.Config{Token: pushovertest.Token}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*pushover.Config){
		"30 letters":       func(c *pushover.Config) { c.Token = "hunter2" },
		"http or https":    func(c *pushover.Config) { c.CallbackURL = "watch.example.org" },
		"sooner than":      func(c *pushover.Config) { c.Retry = 29 * time.Second },
		"longer than":      func(c *pushover.Config) { c.Expire = 3*time.Hour + 1 },
		"addresses for Pu": func(c *pushover.Config) { c.BaseURL = "://" },
	} {
		cfg := good
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Validate: %v, want %q", err, want)
		}
	}
}

func callback(body string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/hooks/p/x?receipt=query", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func TestParseCallback(t *testing.T) {
	server := pushovertest.New(t)
	id := send(t, client(server, nil), page(incident(1, "critical"))).RemoteID
	server.Acknowledge(id, pushovertest.User, "iphone\r\n")
	form := server.Callback(id)
	e, err := pushover.ParseCallback(callback(form.Encode()))
	if err != nil || e.RemoteID != id || e.State != notify.Seen || e.Detail != "acknowledged in the Pushover app on iphone" ||
		e.Answer.Action != notify.Acknowledge || e.Answer.From != pushovertest.User {
		t.Errorf("ParseCallback: %+v, %v", e, err)
	}
	for _, name := range []string{"receipt", "acknowledged", "acknowledged_by"} {
		broken := server.Callback(id)
		broken.Set(name, "0")
		if e, err := pushover.ParseCallback(callback(broken.Encode())); err == nil {
			t.Errorf("%s=0: %+v", name, e)
		}
	}
	if _, err := pushover.ParseCallback(callback(form.Encode() + "&x=" + strings.Repeat("x", 20000))); err == nil {
		t.Error("a huge callback is read")
	}
}

func FuzzParseCallback(f *testing.F) {
	f.Add("receipt=" + strings.Repeat("r", 30) + "&acknowledged=1&acknowledged_by=" + strings.Repeat("u", 30))
	f.Add("%zz;&=")
	f.Fuzz(func(t *testing.T, body string) {
		e, err := pushover.ParseCallback(callback(body))
		if err == nil && (len(e.RemoteID) != 30 || e.Answer == nil || len(e.Answer.From) != 30 || strings.ContainsAny(e.Detail, "\r\n\x00")) {
			t.Errorf("%q is %+v", body, e)
		}
	})
}
