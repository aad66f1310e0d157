package webpush_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/webpush"
	"github.com/watchroom/watchroom/internal/notify/webpush/webpushtest"
)

// phone is one browser that has subscribed with our key.
type phone struct {
	service *webpushtest.Service
	client  *webpush.Client
	sub     webpushtest.Subscription
	to      string
	secret  string
}

func newPhone(t *testing.T, change func(*webpush.Config)) phone {
	t.Helper()
	private, public, err := webpush.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	cfg := webpush.Config{Private: private, Subject: "https://watch.example.org", AllowInsecure: true}
	if change != nil {
		change(&cfg)
	}
	p := phone{service: webpushtest.New(t)}
	p.client = webpush.New(cfg, p.service.HTTPClient())
	if got := p.client.PublicKey(); got != public {
		t.Fatalf("PublicKey = %q, want %q", got, public)
	}
	p.sub = p.service.Subscribe(public)
	if p.to, p.secret, err = p.client.ParseSubscription(p.sub.JSON()); err != nil {
		t.Fatalf("ParseSubscription: %v", err)
	}
	return p
}

func (p phone) page(incidents ...notify.PageIncident) notify.Page {
	return notify.Page{Key: "delivery-1", To: p.to, Secret: p.secret, Token: "tok_abc-123", Incidents: incidents}
}

func (p phone) last(t *testing.T) (webpushtest.Message, webpush.Payload) {
	t.Helper()
	all := p.service.Messages()
	if len(all) == 0 {
		t.Fatalf("no message arrived; refused: %q", p.service.Refused())
	}
	m := all[len(all)-1]
	var pl webpush.Payload
	if err := json.Unmarshal(m.Plain, &pl); err != nil {
		t.Fatalf("payload %q: %v", m.Plain, err)
	}
	return m, pl
}

func disk(number id.Incident) notify.PageIncident {
	return notify.PageIncident{
		Number: number, Title: "Disk <full>", Severity: "critical", Message: "97 % of /var", Host: "db1",
		Reason: "You are on call in Databases.", URL: "https://watch.example.org/incidents/12",
	}
}

func TestSendOne(t *testing.T) {
	p := newPhone(t, nil)
	receipt, err := p.client.Send(t.Context(), p.page(disk(12)))
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	if receipt.RemoteID != p.service.URL+"/message/1" || receipt.State != "" {
		t.Errorf("receipt = %+v", receipt)
	}
	m, got := p.last(t)
	want := webpush.Payload{
		Title: "#12 Critical: Disk <full>", Body: "97 % of /var\ndb1\nYou are on call in Databases.", Tag: "incident-12",
		URL: "https://watch.example.org/incidents/12", Token: "tok_abc-123", Incident: 12, Actions: []string{"acknowledge"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	if m.TTL != 300 || m.Urgency != "high" || m.Topic != "incident-12" || m.Subject != "https://watch.example.org" {
		t.Errorf("message = %+v", m)
	}
}

func TestBundleNoticeAndDrill(t *testing.T) {
	p := newPhone(t, func(c *webpush.Config) { c.HomeURL = "https://watch.example.org/" })
	many := make([]notify.PageIncident, 7)
	for i := range many {
		many[i] = disk(id.Incident(i + 1))
	}
	if _, err := p.client.Send(t.Context(), p.page(many...)); err != nil {
		t.Fatal(err)
	}
	m, got := p.last(t)
	if got.Title != "7 new incidents" || strings.Count(got.Body, "\n") != 5 || !strings.HasSuffix(got.Body, "… and 2 more") ||
		got.URL != "https://watch.example.org/" || got.Incident != 0 || m.Topic != got.Tag {
		t.Errorf("bundle = %+v with topic %q", got, m.Topic)
	}
	next := p.page(many...)
	next.Key = "delivery-2"
	if _, err := p.client.Send(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if second, _ := p.last(t); second.Topic == m.Topic {
		t.Error("a second bundle would replace the first, whose incidents nobody would see")
	}

	notice := p.page()
	notice.Notice = &notify.Notice{Subject: "Your code", Lines: []string{"123456"}, URL: "https://watch.example.org/me"}
	if _, err := p.client.Send(t.Context(), notice); err != nil {
		t.Fatal(err)
	}
	m, got = p.last(t)
	if got.Title != "Your code" || got.Body != "123456" || got.Token != "" || got.Actions != nil || m.Urgency != "normal" {
		t.Errorf("notice = %+v, urgency %q", got, m.Urgency)
	}

	drill := p.page(disk(12))
	drill.Drill = true
	if _, err := p.client.Send(t.Context(), drill); err != nil {
		t.Fatal(err)
	}
	if _, got = p.last(t); !got.Drill || !strings.HasPrefix(got.Title, "[DRILL] #12") || !strings.Contains(got.Body, "This is a drill") {
		t.Errorf("drill = %+v", got)
	}
	if _, err := p.client.Send(t.Context(), p.page()); !notify.Permanent(err) {
		t.Errorf("a page about nothing: %v, want a permanent failure", err)
	}
}

func TestHugePageFits(t *testing.T) {
	p := newPhone(t, nil)
	for name, text := range map[string]string{
		"wide":     strings.Repeat("𝔻𝕚𝕤𝕜 ", 2000),
		"escaped":  strings.Repeat(`"\`, 5000),
		"invalid":  strings.Repeat("\xff\x00a\u202e", 5000),
		"newlines": strings.Repeat("\r\n\u2028x", 5000),
	} {
		inc := disk(9223372036854775807)
		inc.Title, inc.Message, inc.Host, inc.Reason, inc.URL = text, text, text, text, "https://x.example/"+strings.Repeat("a", 980)
		page := p.page(inc)
		page.Drill = true
		if _, err := p.client.Send(t.Context(), page); err != nil {
			t.Fatalf("%s: Send: %v", name, err)
		}
		m, got := p.last(t)
		if len(m.Plain) > 3000 || !utf8.Valid(m.Plain) || got.Body == "" || strings.ContainsRune(got.Title+got.Body, '\u202e') || strings.Contains(got.Title, "\n") {
			t.Errorf("%s: %d bytes, title %q", name, len(m.Plain), got.Title)
		}
	}
}

func TestVerdicts(t *testing.T) {
	type verdict struct {
		Permanent, Config bool
		RetryAfter        time.Duration
	}
	cases := map[string]struct {
		status     int
		retryAfter string
		want       verdict
	}{
		"unsubscribed":           {410, "", verdict{Permanent: true}},
		"unknown":                {404, "", verdict{Permanent: true}},
		"too large":              {413, "", verdict{Permanent: true}},
		"too many":               {429, "30", verdict{RetryAfter: 30 * time.Second}},
		"too many until a date":  {429, "Thu, 01 Jan 2026 00:01:00 GMT", verdict{RetryAfter: time.Minute}},
		"too many since a date":  {429, "Wed, 31 Dec 2025 00:01:00 GMT", verdict{}},
		"too many, no advice":    {429, "", verdict{}},
		"nonsense advice":        {503, "soon", verdict{}},
		"bad request":            {400, "", verdict{Config: true}},
		"not signed":             {401, "", verdict{Config: true}},
		"another key":            {403, "", verdict{Config: true}},
		"out of order":           {503, "7", verdict{RetryAfter: 7 * time.Second}},
		"redirect, not followed": {307, "", verdict{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := newPhone(t, func(c *webpush.Config) {
				c.Now = func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
			})
			p.service.Answer(1, tc.status, tc.retryAfter, "no: "+p.to)
			_, err := p.client.Send(t.Context(), p.page(disk(1)))
			f, ok := errors.AsType[*notify.Failure](err)
			if !ok {
				t.Fatalf("Send: %v, want a failure", err)
			}
			if diff := cmp.Diff(tc.want, verdict{f.Permanent, f.Config, f.RetryAfter}); diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if strings.Contains(err.Error(), strings.TrimPrefix(p.to, p.service.URL)) {
				t.Errorf("the error gives the endpoint away: %v", err)
			}
		})
	}
}

func TestGoneAndForeignSubscriptions(t *testing.T) {
	p := newPhone(t, nil)
	p.service.Unsubscribe(p.sub, http.StatusGone)
	if _, err := p.client.Send(t.Context(), p.page(disk(1))); !notify.Permanent(err) {
		t.Errorf("after unsubscribing: %v, want a permanent failure", err)
	}
	_, other, err := webpush.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	foreign := p.service.Subscribe(other)
	if p.to, p.secret, err = p.client.ParseSubscription(foreign.JSON()); err != nil {
		t.Fatal(err)
	}
	_, err = p.client.Send(t.Context(), p.page(disk(1)))
	if f, ok := errors.AsType[*notify.Failure](err); !ok || !f.Config {
		t.Errorf("a subscription made with another key: %v, want a configuration failure", err)
	}
}

func TestUnreachableKeepsTheEndpointSecret(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	p := newPhone(t, nil)
	page := p.page(disk(1))
	page.To = dead.URL + "/push/very-secret"
	_, err := p.client.Send(t.Context(), page)
	if f, ok := errors.AsType[*notify.Failure](err); !ok || f.Permanent || f.Config || strings.Contains(err.Error(), "very-secret") {
		t.Errorf("Send: %v, want a temporary failure without the endpoint", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err = p.client.Send(ctx, p.page(disk(1)))
	if notify.Permanent(err) || err == nil || !strings.Contains(err.Error(), "in time") {
		t.Errorf("Send without time: %v, want a temporary failure that says so", err)
	}
}

// TestTokenIsUsedAgain: Apple's service turns away senders that sign anew every time.
func TestTokenIsUsedAgain(t *testing.T) {
	now := time.Now()
	p := newPhone(t, func(c *webpush.Config) { c.Now = func() time.Time { return now } })
	var tokens []string
	for _, step := range []time.Duration{0, 5 * time.Hour, 2 * time.Hour, -9 * time.Hour} {
		now = now.Add(step)
		if _, err := p.client.Send(t.Context(), p.page(disk(1))); err != nil {
			t.Fatalf("Send: %v", err)
		}
		m, _ := p.last(t)
		tokens = append(tokens, m.JWT)
	}
	if tokens[0] != tokens[1] || tokens[1] == tokens[2] || tokens[2] == tokens[3] {
		t.Error("want one token for the first two messages and new ones after 7 hours and after the clock was set back")
	}
}

func TestParseSubscription(t *testing.T) {
	p := newPhone(t, nil)
	strict := webpush.New(webpush.Config{}, http.DefaultClient)
	good := p.sub
	good.Endpoint = "https://push.example.org/abc"
	change := func(f func(*webpushtest.Subscription)) []byte {
		sub := good
		f(&sub)
		return sub.JSON()
	}
	padded := change(func(s *webpushtest.Subscription) { s.P256dh += "="; s.Auth += "==" })
	for name, data := range map[string][]byte{"plain": good.JSON(), "padded": padded} {
		if to, secret, err := strict.ParseSubscription(data); err != nil || to != good.Endpoint || !strings.Contains(secret, `"auth":"`+good.Auth) {
			t.Errorf("%s: %q, %q, %v", name, to, secret, err)
		}
	}
	for name, data := range map[string][]byte{
		"empty":       nil,
		"not JSON":    []byte("endpoint"),
		"http":        p.sub.JSON(),
		"no endpoint": change(func(s *webpushtest.Subscription) { s.Endpoint = "" }),
		"relative":    change(func(s *webpushtest.Subscription) { s.Endpoint = "/push" }),
		"file":        change(func(s *webpushtest.Subscription) { s.Endpoint = "file:///etc/passwd" }),
		"password":    change(func(s *webpushtest.Subscription) { s.Endpoint = "https://a:b@push.example.org/" }),
		"long":        change(func(s *webpushtest.Subscription) { s.Endpoint += strings.Repeat("a", 2000) }),
		"short auth":  change(func(s *webpushtest.Subscription) { s.Auth = s.Auth[:10] }),
		"no point":    change(func(s *webpushtest.Subscription) { s.P256dh = s.Auth }),
		"off curve":   change(func(s *webpushtest.Subscription) { s.P256dh = s.P256dh[:80] + "AAAAAAA" }),
	} {
		if to, _, err := strict.ParseSubscription(data); err == nil {
			t.Errorf("%s: accepted as %q", name, to)
		}
	}
	page := p.page(disk(1))
	page.Secret = "{"
	if _, err := p.client.Send(t.Context(), page); !notify.Permanent(err) {
		t.Errorf("Send with damaged keys: %v, want a permanent failure", err)
	}
}

func TestConfigSentences(t *testing.T) {
	private, _, err := webpush.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		cfg  webpush.Config
		want string // "" for valid
	}{
		"mail":         {webpush.Config{Private: private, Subject: "mailto:ops@example.org"}, ""},
		"https":        {webpush.Config{Private: private, Subject: "https://watch.example.org"}, ""},
		"no key":       {webpush.Config{Subject: "https://watch.example.org"}, "needs a VAPID key"},
		"bad key":      {webpush.Config{Private: "hunter2", Subject: "https://watch.example.org"}, "32 bytes"},
		"zero key":     {webpush.Config{Private: strings.Repeat("A", 43), Subject: "https://watch.example.org"}, "32 bytes"},
		"http":         {webpush.Config{Private: private, Subject: "http://watch.example.org"}, "mailto:"},
		"address":      {webpush.Config{Private: private, Subject: "ops@example.org"}, "mailto:"},
		"no subject":   {webpush.Config{Private: private}, "mailto:"},
		"TTL for ever": {webpush.Config{Private: private, Subject: "mailto:o@example.org", TTL: 1000 * time.Hour}, "four weeks"},
	}
	for name, tc := range cases {
		err := tc.cfg.Validate()
		if (err == nil) != (tc.want == "") || err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: Validate = %v, want %q", name, err, tc.want)
		}
		_, err = webpush.New(tc.cfg, http.DefaultClient).Send(t.Context(), notify.Page{To: "https://push.invalid/", Secret: "{}", Incidents: []notify.PageIncident{disk(1)}})
		if f, ok := errors.AsType[*notify.Failure](err); !ok || f.Config != (tc.want != "") {
			t.Errorf("%s: Send: %v, want a configuration failure: %v", name, err, tc.want != "")
		}
	}
}

func FuzzParseSubscription(f *testing.F) {
	f.Add([]byte(`{"endpoint":"https://push.example.org/x","keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`))
	f.Add([]byte(`{"endpoint":"https://","keys":{}}`))
	c := webpush.New(webpush.Config{}, http.DefaultClient)
	f.Fuzz(func(t *testing.T, data []byte) {
		to, secret, err := c.ParseSubscription(data)
		if err == nil && (!strings.HasPrefix(strings.ToLower(to), "https://") || !json.Valid([]byte(secret))) {
			t.Errorf("ParseSubscription = %q, %q", to, secret)
		}
	})
}
