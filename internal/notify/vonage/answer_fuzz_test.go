package vonage

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
)

// FuzzVerdict: a text was taken only when the answer says so of every part of it.
func FuzzVerdict(f *testing.F) {
	f.Add(200, []byte(`{"message-count":"2","messages":[{"message-id":"a","status":"0"},{"message-id":"b","status":"0"}]}`))
	f.Add(200, []byte(`{"messages":[{"status":"0"},{"status":"1","error-text":"Throttled hunter2hunter2"}]}`))
	f.Add(401, []byte(`{"messages":null}`))
	c := &Client{cfg: Config{APISecret: "hunter2hunter2"}}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		receipt, err := c.verdict(rest.Answer{Status: status, Header: http.Header{}, Body: body})
		if err == nil {
			if !strings.Contains(strings.ToLower(string(body)), `"status"`) || receipt.Detail == "" {
				t.Errorf("%d %q is taken for success", status, body)
			}
			return
		}
		failure, ok := errors.AsType[*notify.Failure](err)
		if !ok || failure.Reason == "" || strings.Contains(failure.Reason, c.cfg.APISecret) || strings.ContainsAny(failure.Reason, "\r\n") {
			t.Errorf("%d %q: %#v", status, body, err)
		}
	})
}
