package vonage_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/vonage"
	"github.com/watchroom/watchroom/internal/notify/vonage/vonagetest"
)

const kim = "+4915112345678"

func config() vonage.Config {
	return vonage.Config{APIKey: vonagetest.APIKey, APISecret: vonagetest.APISecret, From: vonagetest.Number}
}

func hooked() vonage.Config {
	cfg := config()
	cfg.CallbackURL, cfg.SignatureSecret = "https://oncall.example/", vonagetest.SignatureSecret
	return cfg
}

func page() notify.Page {
	return notify.Page{Key: "d-1", To: kim, Incidents: []notify.PageIncident{{
		Number: 42, Title: "Disk full", Severity: "critical", AckURL: "https://oncall.example/a/xyz",
	}}}
}

func TestSend(t *testing.T) {
	server := vonagetest.New(t)
	cfg := config()
	cfg.BaseURL = server.URL
	got, err := vonage.New(cfg, nil).Send(t.Context(), page())
	if err != nil || got.RemoteID != "0000000000000001" {
		t.Fatalf("Send() = %+v, %v", got, err)
	}
	cfg = hooked()
	cfg.BaseURL, cfg.Validity = server.URL, time.Minute
	p := page()
	p.Incidents[0].Title = "Диск заполнен"
	if _, err := vonage.New(cfg, nil).Send(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	want := []url.Values{
		{
			"api_key": {"abcd1234"}, "from": {"15005550006"}, "to": {"4915112345678"}, "ttl": {"600000"}, "client-ref": {"d-1"},
			"text": {"#42 critical: Disk full https://oncall.example/a/xyz"},
		},
		{
			"api_key": {"abcd1234"}, "from": {"15005550006"}, "to": {"4915112345678"}, "ttl": {"60000"}, "client-ref": {"d-1"},
			"text": {"#42 critical: Диск заполнен. Reply ACK 42 or RES 42"}, "type": {"unicode"},
			"status-report-req": {"1"}, "callback": {"https://oncall.example/hooks/vonage/status"},
		},
	}
	if diff := cmp.Diff(want, server.Sent()); diff != "" {
		t.Error(diff)
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		status    string // of Vonage
		http      int
		permanent bool
		config    bool
		after     time.Duration
	}{
		{status: "1", after: time.Second},
		{status: "5"},
		{status: "10"},
		{status: "99"},
		{status: "3", permanent: true},
		{status: "6", permanent: true},
		{status: "7", permanent: true},
		{status: "4", config: true},
		{status: "9", config: true},
		{status: "15", config: true},
		{http: 429, after: 5 * time.Second},
		{http: 503, after: 5 * time.Second},
		{http: 401, config: true, after: 5 * time.Second},
		{http: 404, config: true},
		{http: 200},
	} {
		server := vonagetest.New(t)
		if c.http != 0 {
			server.Fail(c.http)
		} else {
			server.Refuse(c.status)
		}
		cfg := config()
		cfg.BaseURL = server.URL
		_, err := vonage.New(cfg, nil).Send(t.Context(), page())
		f, ok := errors.AsType[*notify.Failure](err)
		if !ok || f.Permanent != c.permanent || f.Config != c.config || f.RetryAfter != c.after {
			t.Errorf("status %q, HTTP %d: %+v, want %+v", c.status, c.http, f, c)
		}
		if err != nil && strings.Contains(err.Error(), vonagetest.APISecret) {
			t.Errorf("the secret is in %v", err)
		}
	}
	cfg := config()
	cfg.APISecret = "wrong"
	cfg.BaseURL = vonagetest.New(t).URL
	if _, err := vonage.New(cfg, nil).Send(t.Context(), page()); err == nil || !strings.Contains(err.Error(), "Bad Credentials") {
		t.Errorf("Send() with a wrong secret = %v", err)
	}
	if _, err := vonage.New(cfg, nil).Send(t.Context(), notify.Page{To: "kim"}); !notify.Permanent(err) {
		t.Errorf("Send() to nobody about nothing = %v", err)
	}
}

func TestReceipts(t *testing.T) {
	for _, shape := range []string{"get", "form", "json"} {
		for _, method := range []string{"md5hash", "sha256"} {
			cfg := hooked()
			cfg.SignatureMethod = vonage.SignatureMethod(method)
			client := vonage.New(cfg, nil)
			for _, c := range []struct {
				status, code string
				want         notify.Event
			}{
				{"delivered", "0", notify.Event{State: notify.Delivered, Detail: "delivered to the phone"}},
				{"buffered", "0", notify.Event{State: notify.Accepted, Detail: "waiting at the carrier"}},
				{"accepted", "0", notify.Event{State: notify.Accepted, Detail: "accepted by the carrier"}},
				{"failed", "9", notify.Event{State: notify.Undelivered, Permanent: true, Detail: "the carrier did not deliver it: 9 no such number"}},
				{"expired", "2", notify.Event{State: notify.Undelivered, Detail: "not delivered within its validity: 2 the phone is off or out of reach"}},
				{"unknown", "99", notify.Event{}},
			} {
				given := map[string]string{"messageId": "M1", "status": c.status, "err-code": c.code, "to": "1", "msisdn": "2", "client-ref": "a=b&c"}
				c.want.RemoteID = "M1"
				got, err := client.ParseReceipt(vonagetest.Callback(t.Context(), vonage.StatusPath, method, shape, given))
				if err != nil || got != c.want {
					t.Errorf("%s %s, %s %s: %+v, %v; want %+v", shape, method, c.status, c.code, got, err, c.want)
				}
			}
		}
	}
}

func TestInbound(t *testing.T) {
	client := vonage.New(hooked(), nil)
	for text, want := range map[string]notify.Event{
		"ack 12": {Answer: &notify.Answer{Action: notify.Acknowledge, Incident: 12, From: kim}},
		"STOP":   {},
		"hello":  {Detail: "Not understood. Reply ACK 123, RES 123 or ACK ALL."},
	} {
		given := map[string]string{"msisdn": strings.TrimPrefix(kim, "+"), "to": "15005550006", "messageId": "M2", "text": text, "type": "text"}
		got, err := client.ParseInbound(vonagetest.Callback(t.Context(), vonage.ReplyPath, "sha256", "form", given))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
}

func TestUnsignedIsForbidden(t *testing.T) {
	given := map[string]string{"msisdn": "1", "text": "ack 1"}
	signed := func() map[string]string { return map[string]string{"msisdn": "1", "text": "ack 1"} }
	r := vonagetest.Callback(t.Context(), vonage.ReplyPath, "sha256", "get", given)
	query := r.URL.Query()
	query.Set("text", "ack 2")
	changed := httptest.NewRequestWithContext(t.Context(), http.MethodGet, vonage.ReplyPath+"?"+query.Encode(), http.NoBody)
	query.Del("sig")
	for what, c := range map[string]struct {
		cfg  vonage.Config
		want fault.Code
		err  func(*vonage.Client) error
	}{
		"changed": {hooked(), fault.CodeForbidden, func(c *vonage.Client) error { _, err := c.ParseInbound(changed); return err }},
		"without": {hooked(), fault.CodeForbidden, func(c *vonage.Client) error {
			_, err := c.ParseInbound(httptest.NewRequestWithContext(t.Context(), http.MethodGet, vonage.ReplyPath+"?"+query.Encode(), http.NoBody))
			return err
		}},
		"another method": {hooked(), fault.CodeForbidden, func(c *vonage.Client) error {
			_, err := c.ParseInbound(vonagetest.Callback(t.Context(), vonage.ReplyPath, "md5hash", "get", signed()))
			return err
		}},
		"no secret configured": {config(), fault.CodeForbidden, func(c *vonage.Client) error {
			_, err := c.ParseReceipt(vonagetest.Callback(t.Context(), vonage.ReplyPath, "sha256", "get", signed()))
			return err
		}},
		"not JSON": {hooked(), fault.CodeInvalid, func(c *vonage.Client) error {
			_, err := c.ParseReceipt(httptest.NewRequestWithContext(t.Context(), http.MethodPost, vonage.ReplyPath, strings.NewReader("{")))
			return err
		}},
	} {
		if f, ok := errors.AsType[*fault.Error](c.err(vonage.New(c.cfg, nil))); !ok || f.Code != c.want {
			t.Errorf("%s: %v, want %s", what, f, c.want)
		}
	}
}

func TestConfigSentences(t *testing.T) {
	for want, change := range map[string]func(*vonage.Config){
		"":               func(*vonage.Config) {},
		"API's address":  func(c *vonage.Config) { c.BaseURL = "rest.example" },
		"key and secret": func(c *vonage.Config) { c.APISecret = "" },
		"sender":         func(c *vonage.Config) { c.From = "much too long a name" },
		"reaches":        func(c *vonage.Config) { c.CallbackURL = "oncall.example" },
		"signature":      func(c *vonage.Config) { c.CallbackURL, c.SignatureSecret = "https://oncall.example", "" },
		"md5hash":        func(c *vonage.Config) { c.SignatureMethod = "crc32" },
		"7 days":         func(c *vonage.Config) { c.Validity = time.Second },
	} {
		cfg := config()
		change(&cfg)
		err := cfg.Validate()
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), vonagetest.APISecret)) {
			t.Errorf("Validate() = %v, want … %s …", err, want)
		}
	}
}

func FuzzCallbacks(f *testing.F) {
	f.Add("POST", "status=delivered&messageId=1", false)
	f.Add("POST", `{"text":"ack 1","msisdn":1}`, false)
	f.Add("GET", "text=ack+1&msisdn=49", true)
	f.Fuzz(func(t *testing.T, method, text string, signed bool) {
		client := vonage.New(hooked(), nil)
		given := map[string]string{"text": text, "status": text, "msisdn": method}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, vonage.ReplyPath, strings.NewReader(text))
		if signed {
			r = vonagetest.Callback(t.Context(), vonage.ReplyPath, "sha256", "form", given)
		}
		ev, err := client.ParseInbound(r)
		if !signed && err == nil {
			t.Fatalf("%q passes without a signature: %+v", text, ev)
		}
		r = httptest.NewRequestWithContext(t.Context(), http.MethodPost, vonage.StatusPath, strings.NewReader(text))
		if ev, err := client.ParseReceipt(r); err == nil {
			t.Fatalf("%q passes without a signature: %+v", text, ev)
		}
		if signed && err != nil {
			t.Fatalf("%q is refused with a signature: %v", text, err)
		}
	})
}
