package twilio

import (
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/notify/rest"
)

// FuzzRefusal: an answer that is no success always has a reason, and our token is not in it.
func FuzzRefusal(f *testing.F) {
	f.Add(400, []byte(`{"code":21211,"message":"Invalid 'To' hunter2hunter2","status":400}`))
	f.Add(429, []byte(`{"code":20429}`))
	f.Add(502, []byte(`<html>`))
	c := &Client{cfg: Config{AuthToken: "hunter2hunter2"}}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		got := c.refusal(rest.Answer{Status: status, Body: body})
		if got == nil || got.Reason == "" || got.RetryAfter < 0 || strings.Contains(got.Reason, c.cfg.AuthToken) || strings.ContainsAny(got.Reason, "\r\n") {
			t.Errorf("%d %q: %+v", status, body, got)
		}
	})
}
