package push_test

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
	"github.com/watchroom/watchroom/internal/notify/push"
	"github.com/watchroom/watchroom/internal/outbound"
)

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestExchangeFailures(t *testing.T) {
	const secret = "s3cr=t"
	cases := map[string]struct {
		err       error
		permanent bool
		want      string
	}{
		"refused by the guard": {fmt.Errorf("call 10.0.0.1: %w", outbound.ErrRefused), true, "not a public address"},
		"slow":                 {context.DeadlineExceeded, false, "did not answer in time"},
		"unknown host":         {&net.DNSError{Err: "no such host", Name: "x.example", IsNotFound: true}, false, "name service"},
		"quotes the secret":    {errors.New("bad gateway for " + secret + " and " + url.QueryEscape(secret)), false, "cannot be reached"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://x.example/bot"+secret+"/send?token="+secret, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			_, err = push.Exchange(push.Client(&http.Client{Transport: failing{tc.err}}), req, secret)
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
			if own, ok := errors.AsType[*notify.Failure](push.Ours(err)); !ok || own.Permanent || own.Config != tc.permanent {
				t.Errorf("Ours: %+v", own)
			}
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusMovedPermanently)
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := push.Exchange(push.Client(server.Client()), req)
	if err != nil || asked != 1 || !reply.Stray("x").Permanent {
		t.Errorf("%v, asked %d times, %+v", err, asked, reply)
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"99999":                         time.Hour,
		"soon":                          0,
		"Sun, 22 Nov 2026 10:00:30 GMT": 30 * time.Second,
		"Sun, 22 Nov 2026 09:00:00 GMT": 0,
	} {
		reply := push.Reply{Header: http.Header{"Retry-After": {header}, "Date": {"Sun, 22 Nov 2026 10:00:00 GMT"}}}
		if got := reply.RetryAfter(); got != want {
			t.Errorf("Retry-After: %s means %s, want %s", header, got, want)
		}
	}
}
