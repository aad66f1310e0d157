package gateway_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/gateway"
	"github.com/watchroom/watchroom/internal/notify/gateway/gatewaytest"
)

const kim = "+4915112345678"

func config(server *gatewaytest.Server) gateway.Config {
	return gateway.Config{
		URL: server.URL + "/send?account=17secret", Headers: map[string]string{"authorization": gatewaytest.Authorization},
		Template: "to={to}&text={text}&class=0", IDPath: "messages.0.id",
	}
}

func page() notify.Page {
	return notify.Page{Key: "d-1", To: kim, Incidents: []notify.PageIncident{{
		Number: 42, Title: `Disk "full" & {to} <b>`, Severity: "critical", AckURL: "https://oncall.example/a/xyz",
	}}}
}

func TestSend(t *testing.T) {
	const text = `#42 critical: Disk "full" & {to} <b> https://oncall.example/a/xyz`
	for what, c := range map[string]struct {
		change func(*gateway.Config)
		want   gatewaytest.Message
	}{
		"form": {func(*gateway.Config) {}, gatewaytest.Message{Fields: map[string]any{"class": "0"}}},
		"query": {
			func(c *gateway.Config) { c.Method = "get" },
			gatewaytest.Message{Fields: map[string]any{"class": "0", "account": "17secret"}},
		},
		"JSON": {
			func(c *gateway.Config) {
				c.Format, c.Method = gateway.JSON, "PUT"
				c.Template = `{"to":"{to}","text":"{text}","more":{"ref":["wr-{key}"],"big":12345678901234567890}}`
			},
			gatewaytest.Message{Fields: map[string]any{"more": map[string]any{"ref": []any{"wr-d-1"}, "big": 12345678901234567890.}}},
		},
		"signed":       {func(c *gateway.Config) { c.Secret = gatewaytest.Secret }, gatewaytest.Message{Signed: true, Fields: map[string]any{"class": "0"}}},
		"signed query": {func(c *gateway.Config) { c.Secret, c.Method = gatewaytest.Secret, "GET" }, gatewaytest.Message{Signed: true, Fields: map[string]any{"class": "0", "account": "17secret"}}},
	} {
		server := gatewaytest.New(t)
		cfg := config(server)
		c.change(&cfg)
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		client := gateway.New(cfg, http.DefaultClient)
		for range 2 { // the same page twice is one message to a gateway that knows the key
			got, err := client.Send(t.Context(), page())
			if err != nil || got.RemoteID != "1" || got.State != "" {
				t.Fatalf("%s: Send() = %+v, %v", what, got, err)
			}
		}
		c.want.ID, c.want.To, c.want.Text, c.want.Key = 1, kim, text, "d-1"
		if diff := cmp.Diff([]gatewaytest.Message{c.want}, server.Sent()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for status, want := range map[int]notify.Failure{
		400: {Permanent: true}, 422: {Permanent: true},
		401: {Config: true, RetryAfter: 4 * time.Second}, 403: {Config: true, RetryAfter: 4 * time.Second},
		404: {Config: true}, 405: {Config: true}, 307: {Config: true, RetryAfter: 4 * time.Second},
		408: {RetryAfter: 4 * time.Second}, 429: {RetryAfter: 4 * time.Second}, 500: {RetryAfter: 4 * time.Second}, 503: {RetryAfter: 4 * time.Second},
	} {
		server := gatewaytest.New(t)
		server.Fail(status)
		_, err := gateway.New(config(server), nil).Send(t.Context(), page())
		f, ok := errors.AsType[*notify.Failure](err)
		if !ok || f.Permanent != want.Permanent || f.Config != want.Config || f.RetryAfter != want.RetryAfter {
			t.Errorf("%d: %+v, want %+v", status, f, want)
		}
		for _, secret := range []string{"gateway-token", "17secret"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%d: a secret is in %v", status, err)
			}
		}
	}
	server := gatewaytest.New(t)
	cfg := config(server)
	cfg.Secret = "another"
	if _, err := gateway.New(cfg, nil).Send(t.Context(), page()); err == nil || !strings.Contains(err.Error(), "signature") {
		t.Errorf("Send() with a wrong secret = %v", err)
	}
	if _, err := gateway.New(cfg, nil).Send(t.Context(), notify.Page{To: kim}); !notify.Permanent(err) {
		t.Errorf("Send() about nothing = %v", err)
	}
	p := page()
	p.To = "0151"
	if _, err := gateway.New(cfg, nil).Send(t.Context(), p); !notify.Permanent(err) {
		t.Errorf("Send() to a number without its country = %v", err)
	}
}

func TestAnIDThatIsNotThere(t *testing.T) {
	for _, path := range []string{"", "id", "messages.1.id", "messages.x", "messages", "messages.0.id.more", "..", "messages.-1"} {
		cfg := config(gatewaytest.New(t))
		cfg.IDPath = path
		if got, err := gateway.New(cfg, nil).Send(t.Context(), page()); err != nil || got.RemoteID != "" {
			t.Errorf("Send() with id at %q = %+v, %v", path, got, err)
		}
	}
}

func TestConfigSentences(t *testing.T) {
	for want, change := range map[string]func(*gateway.Config){
		"":                  func(*gateway.Config) {},
		"must be a URL":     func(c *gateway.Config) { c.URL = "gateway/17secret" },
		"POST, PUT or GET":  func(c *gateway.Config) { c.Method = "DELETE" },
		"form or json":      func(c *gateway.Config) { c.Format = "xml" },
		"with GET":          func(c *gateway.Config) { c.Method, c.Format, c.Template = "GET", gateway.JSON, `["{to}","{text}"]` },
		"{to} and {text}":   func(c *gateway.Config) { c.Template = "to={to}" },
		"has the form of":   func(c *gateway.Config) { c.Template = "{to}=1&x={text}" },
		"written as JSON":   func(c *gateway.Config) { c.Format, c.Template = gateway.JSON, `{"to":{to},"text":"{text}"}` },
		"cannot be sent":    func(c *gateway.Config) { c.Headers = map[string]string{"X y": "17secret"} },
		"Watchroom's to se": func(c *gateway.Config) { c.Headers = map[string]string{"content-type": "17secret"} },
	} {
		cfg := gateway.Config{URL: "https://gateway.example/send", Template: "to={to}&text={text}"}
		change(&cfg)
		err := cfg.Validate()
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "17secret")) {
			t.Errorf("Validate() = %v, want … %s …", err, want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	server := gatewaytest.New(f)
	f.Add("to={to}&text={text}", false)
	f.Add(`{"to":"{to}","text":"{text}"}`, true)
	f.Add(`{"to":"{to}","text":"{text}"} {}`, true)
	f.Add("{to}={text}", false)
	f.Fuzz(func(t *testing.T, template string, isJSON bool) {
		cfg := config(server)
		cfg.Template = template
		if isJSON {
			cfg.Format = gateway.JSON
		}
		if cfg.Validate() != nil {
			return
		}
		_, err := gateway.New(cfg, nil).Send(t.Context(), page())
		if f, ok := errors.AsType[*notify.Failure](err); ok && f.Config && utf8.ValidString(template) {
			t.Fatalf("the template %q is valid and cannot be filled: %v", template, err)
		}
	})
}
