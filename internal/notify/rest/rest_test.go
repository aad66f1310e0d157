package rest_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/outbound"
)

func TestRetryAfter(t *testing.T) {
	const date = "Sun, 22 Nov 2026 09:00:00 GMT"
	for text, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "0.5": 500 * time.Millisecond, "-4": 0, "soon": 0, "NaN": 0, "+Inf": time.Hour,
		"99999999999": time.Hour, "Sun, 22 Nov 2026 09:01:30 GMT": 90 * time.Second, "Sun, 22 Nov 2026 08:00:00 GMT": 0,
	} {
		a := rest.Answer{Header: http.Header{"Retry-After": {text}, "Date": {date}}}
		if got := a.RetryAfter(); got != want {
			t.Errorf("RetryAfter(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestFailureByStatus(t *testing.T) {
	for status, want := range map[int]string{
		200: "none", 400: "none", 404: "none", 408: "again", 429: "again", 500: "again", 503: "again",
		401: "config", 403: "config", 302: "config", 307: "config",
	} {
		got := "none"
		if f := (rest.Answer{Status: status}).Failure("it", "x"); f != nil {
			got = "again"
			if f.Config {
				got = "config"
			}
			if f.Permanent || f.Reason == "" {
				t.Errorf("%d: %+v", status, f)
			}
		}
		if got != want {
			t.Errorf("Failure of %d = %s, want %s", status, got, want)
		}
	}
}

func TestDoKeepsSecretsAndFollowsNoRedirect(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	server := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer server.Close()
	answer, err := do(t, rest.Client(server.Client()), server.URL+"/?token=hunter2")
	if err != nil || answer.Status != http.StatusTemporaryRedirect || elsewhere != 0 {
		t.Errorf("Do() = %v, %v; %d calls elsewhere", answer.Status, err, elsewhere)
	}
	server.Close()
	_, err = do(t, rest.Client(nil), server.URL+"/?token=hunter2")
	if f, ok := errors.AsType[*notify.Failure](err); !ok || f.Permanent || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Do() of a closed server = %v", err)
	}
}

// A secret is in no error, and who must act depends on whose the address is.
func TestDoHidesSecrets(t *testing.T) {
	const secret = "s3cr=t"
	cases := map[string]struct {
		err       error
		permanent bool // where a person typed the address
		operator  bool // where it is a setting of ours
		want      string
	}{
		"refused by the guard": {fmt.Errorf("call 10.0.0.1: %w", outbound.ErrRefused), true, true, "not a public address"},
		"slow":                 {context.DeadlineExceeded, false, false, "did not answer in time"},
		"unknown host":         {&net.DNSError{Err: "no such host", Name: "x.example", IsNotFound: true}, false, true, "name service"},
		"quotes the secret":    {errors.New("bad gateway for " + secret + " and " + url.QueryEscape(secret)), false, false, "cannot be reached"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://x.example/bot"+secret+"/send?token="+secret, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			_, err = rest.Do(rest.Client(&http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, tc.err })}), req, secret)
			f, ok := errors.AsType[*notify.Failure](err)
			if !ok || f.Permanent != tc.permanent || !strings.Contains(f.Reason, tc.want) || !strings.Contains(f.Reason, "x.example") {
				t.Fatalf("%#v, want %q", err, tc.want)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), url.QueryEscape(secret)) {
				t.Errorf("the secret is in %q", err)
			}
			if !errors.Is(err, tc.err) {
				t.Errorf("%v has lost what it was", err)
			}
			if own, ok := errors.AsType[*notify.Failure](rest.Ours(err)); !ok || own.Permanent || own.Config != tc.operator {
				t.Errorf("Ours: %+v", own)
			}
		})
	}
}

func TestStray(t *testing.T) {
	for status, permanent := range map[int]bool{301: true, 308: true, 302: false, 200: false, 404: false, 503: false} {
		if f := (rest.Answer{Status: status}).Stray("x.example"); f.Permanent != permanent || !strings.Contains(f.Reason, "x.example") {
			t.Errorf("Stray of %d = %+v", status, f)
		}
	}
}

func TestDoSaysWhoMustAct(t *testing.T) {
	guarded := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, outbound.ErrRefused })}
	_, err := do(t, rest.Client(guarded), "http://10.0.0.1/")
	if f, ok := errors.AsType[*notify.Failure](rest.Ours(err)); !ok || !f.Config || f.Permanent {
		t.Errorf("Do() of a refused address = %#v, want Config", err)
	}
	slow := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, context.DeadlineExceeded })}
	_, err = do(t, rest.Client(slow), "http://example.org/")
	if f, ok := errors.AsType[*notify.Failure](rest.Ours(err)); !ok || f.Config || !strings.Contains(f.Reason, "in time") {
		t.Errorf("Do() of a slow server = %#v", err)
	}
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	defer tls.Close()
	_, err = do(t, rest.Client(nil), tls.URL)
	if f, ok := errors.AsType[*notify.Failure](rest.Ours(err)); !ok || !f.Config {
		t.Errorf("Do() of a server with an unknown certificate = %#v, want Config", err)
	}
}

func TestSays(t *testing.T) {
	if got := rest.Says("no\n such\x00 key s3cr%t/x or s3cr%25t%2Fx", "s3cr%t/x", ""); got != "no such key *** or ***" {
		t.Errorf("Says() = %q", got)
	}
	if got := rest.Says(strings.Repeat("ж", 400)); got != strings.Repeat("ж", 299)+"…" {
		t.Errorf("Says() of a long text = %q", got)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func do(t *testing.T, c *http.Client, url string) (rest.Answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return rest.Do(c, req)
}
