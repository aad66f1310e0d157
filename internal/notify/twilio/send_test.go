package twilio_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/twilio"
	"github.com/watchroom/watchroom/internal/notify/twilio/twiliotest"
)

const (
	kim    = "+4915112345678"
	public = "https://oncall.example"
)

func start(t *testing.T, change ...func(*twilio.Config)) (*twiliotest.Server, *twilio.Client) {
	t.Helper()
	server := twiliotest.New(t)
	cfg := twilio.Config{BaseURL: server.URL, AccountSID: twiliotest.AccountSID, AuthToken: twiliotest.AuthToken, From: twiliotest.Number}
	for _, f := range change {
		f(&cfg)
	}
	return server, twilio.New(cfg, http.DefaultClient)
}

func hooks(c *twilio.Config) { c.CallbackURL = public + "/" }

func page() notify.Page {
	return notify.Page{
		Key: "d-1", To: kim, Token: "tok_-1", UserName: "Kim",
		Incidents: []notify.PageIncident{{Number: 42, Title: "db-7.prod: disk 93% full, see https://wiki.example/db", Severity: "critical", URL: public + "/i/42"}},
	}
}

func TestSendSMS(t *testing.T) {
	server, client := start(t, hooks)
	got, err := client.SMS().Send(t.Context(), page())
	if err != nil {
		t.Fatal(err)
	}
	sent := server.Messages()
	if len(sent) != 1 || got.RemoteID != sent[0].SID || got.State != "" {
		t.Fatalf("receipt %+v for %+v", got, sent)
	}
	want := twiliotest.Message{
		SID: sent[0].SID, Status: "queued", Direction: "outbound-api", To: kim, From: twiliotest.Number,
		Body:           "#42 critical: db-7.prod: disk 93% full, see https://wiki.example/db. Reply ACK 42 or RES 42 https://oncall.example/i/42",
		StatusCallback: public + "/hooks/twilio/status", Validity: 600, At: sent[0].At,
	}
	if diff := cmp.Diff(want, sent[0]); diff != "" {
		t.Error(diff)
	}
}

func TestSendWithKeyServiceAndNoHooks(t *testing.T) {
	server, client := start(t, func(c *twilio.Config) {
		c.AuthToken, c.KeySID, c.KeySecret = "", twiliotest.KeySID, twiliotest.KeySecret
		c.From, c.MessagingServiceSID, c.Validity = "", twiliotest.ServiceSID, time.Minute
	})
	if _, err := client.SMS().Send(t.Context(), page()); err != nil {
		t.Fatal(err)
	}
	if m := server.Messages()[0]; m.Service != twiliotest.ServiceSID || m.From != "" || m.StatusCallback != "" || m.Validity != 60 {
		t.Errorf("sent %+v", m)
	}
	_, err := client.Voice().Send(t.Context(), page())
	if f, ok := errors.AsType[*notify.Failure](err); !ok || !f.Config || len(server.Calls()) != 0 {
		t.Errorf("a call without a number: %v", err)
	}
}

func TestANameCannotBeAnswered(t *testing.T) {
	server := twiliotest.New(t)
	cfg := twilio.Config{BaseURL: server.URL, AccountSID: twiliotest.AccountSID, AuthToken: twiliotest.AuthToken, From: "Watchroom"}
	_, err := twilio.New(cfg, nil).SMS().Send(t.Context(), page())
	// The account has no such name: 21606 is for the operator.
	if f, ok := errors.AsType[*notify.Failure](err); !ok || !f.Config || f.Permanent || !strings.Contains(f.Reason, "21606") {
		t.Errorf("Send() = %v", err)
	}
}

func TestVerdicts(t *testing.T) {
	const again, never, config = "again", "never", "config"
	cases := []struct {
		what    string
		prepare func(*twiliotest.Server)
		page    func(*notify.Page)
		want    string
		after   time.Duration
		says    string
	}{
		{"opted out", func(s *twiliotest.Server) { s.RefuseNumber(kim, 21610) }, nil, never, 0, "21610"},
		{"invalid number", func(s *twiliotest.Server) { s.RefuseNumber(kim, 21211) }, nil, never, 0, "21211"},
		{"not a mobile", func(s *twiliotest.Server) { s.RefuseNumber(kim, 21614) }, nil, never, 0, "21614"},
		{"country not allowed", func(s *twiliotest.Server) { s.RefuseNumber(kim, 21408) }, nil, config, 0, "21408"},
		{"an error of 400 that nobody knows", func(s *twiliotest.Server) { s.FailNext(400, 29999, "") }, nil, never, 0, "29999"},
		{"wrong password", func(s *twiliotest.Server) { s.FailNext(401, 20003, "") }, nil, config, 0, "20003"},
		{"wrong password without a code", func(s *twiliotest.Server) { s.FailNext(403, 0, "") }, nil, config, 0, "403"},
		{"too many", func(s *twiliotest.Server) { s.FailNext(429, 20429, "7") }, nil, again, 7 * time.Second, "20429"},
		{"their trouble", func(s *twiliotest.Server) { s.FailNext(500, 20500, "") }, nil, again, 0, "20500"},
		{"their gateway's trouble", func(s *twiliotest.Server) { s.FailNext(503, 0, "2") }, nil, again, 2 * time.Second, "503"},
		{"no such account", func(s *twiliotest.Server) { s.FailNext(404, 20404, "") }, nil, config, 0, "404"},
		{"a redirect", func(s *twiliotest.Server) { s.FailNext(302, 0, "") }, nil, config, 0, "redirect"},
		{"success without a message", func(s *twiliotest.Server) { s.FailNext(200, 0, "") }, nil, again, 0, "200"},
		{"not a number", nil, func(p *notify.Page) { p.To = "kim@example.org" }, never, 0, "kim@example.org"},
		{"about nothing", nil, func(p *notify.Page) { p.Incidents = nil }, never, 0, "nothing"},
	}
	for _, c := range cases {
		for _, kind := range []string{"SMS", "Voice"} {
			server, client := start(t)
			if c.prepare != nil {
				c.prepare(server)
			}
			p := page()
			if c.page != nil {
				c.page(&p)
			}
			var provider notify.Provider = client.SMS()
			if kind == "Voice" {
				provider = client.Voice()
			}
			_, err := provider.Send(t.Context(), p)
			f, ok := errors.AsType[*notify.Failure](err)
			if !ok {
				t.Errorf("%s, %s: Send() = %v, want a Failure", kind, c.what, err)
				continue
			}
			got := again
			switch {
			case f.Permanent && f.Config:
				got = "never and config"
			case f.Permanent:
				got = never
			case f.Config:
				got = config
			}
			if got != c.want || f.RetryAfter != c.after || !strings.Contains(f.Error(), c.says) {
				t.Errorf("%s, %s: %s after %v: %v; want %s after %v, with %q", kind, c.what, got, f.RetryAfter, f, c.want, c.after, c.says)
			}
			if strings.Contains(f.Error(), twiliotest.AuthToken) {
				t.Errorf("%s, %s: the token is in %v", kind, c.what, f)
			}
		}
	}
}

func TestWrongTokenIsForTheOperator(t *testing.T) {
	_, client := start(t, func(c *twilio.Config) { c.AuthToken = "another" })
	_, err := client.SMS().Send(t.Context(), page())
	if f, ok := errors.AsType[*notify.Failure](err); !ok || !f.Config {
		t.Errorf("Send() = %v, want Config", err)
	}
}

func TestTrack(t *testing.T) {
	server, client := start(t)
	message, err := client.SMS().Send(t.Context(), page())
	if err != nil {
		t.Fatal(err)
	}
	call, err := client.Voice().Send(t.Context(), page())
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		tracker   notify.Tracker
		sid       string
		status    string
		code      int
		state     notify.State
		permanent bool
		says      string
	}{
		{client.SMS(), message.RemoteID, "queued", 0, "", false, ""},
		{client.SMS(), message.RemoteID, "sending", 0, "", false, ""},
		{client.SMS(), message.RemoteID, "sent", 0, notify.Accepted, false, "carrier"},
		{client.SMS(), message.RemoteID, "delivered", 0, notify.Delivered, false, "delivered"},
		{client.SMS(), message.RemoteID, "read", 0, notify.Seen, false, "read"},
		{client.SMS(), message.RemoteID, "undelivered", 30003, notify.Undelivered, false, "30003 what went wrong"},
		{client.SMS(), message.RemoteID, "undelivered", 30005, notify.Undelivered, true, "30005"},
		{client.SMS(), message.RemoteID, "failed", 21610, notify.Undelivered, true, "21610"},
		{client.SMS(), message.RemoteID, "canceled", 0, notify.Undelivered, false, "cancelled"},
		{client.Voice(), call.RemoteID, "ringing", 0, "", false, ""},
		{client.Voice(), call.RemoteID, "in-progress", 0, notify.Delivered, false, "answered"},
		{client.Voice(), call.RemoteID, "completed", 0, notify.Delivered, false, "answered"},
		{client.Voice(), call.RemoteID, "busy", 0, notify.Undelivered, false, "busy"},
		{client.Voice(), call.RemoteID, "no-answer", 0, notify.Undelivered, false, "nobody"},
		{client.Voice(), call.RemoteID, "failed", 0, notify.Undelivered, false, "could not"},
		{client.Voice(), call.RemoteID, "canceled", 0, notify.Undelivered, false, "cancelled"},
	}
	for _, c := range cases {
		server.SetStatus(c.sid, c.status, c.code)
		got, err := c.tracker.Track(t.Context(), c.sid)
		if err != nil || got.State != c.state || got.RemoteID != c.sid || got.Permanent != c.permanent || !strings.Contains(got.Detail, c.says) {
			t.Errorf("Track() at %s %d = %+v, %v; want %q, permanent %v, with %q", c.status, c.code, got, err, c.state, c.permanent, c.says)
		}
	}
	if _, err := client.SMS().Track(t.Context(), "SM404"); err == nil {
		t.Error("Track() of an unknown message succeeded")
	}
}
