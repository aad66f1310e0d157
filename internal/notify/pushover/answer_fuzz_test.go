package pushover

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
)

// FuzzVerdict: a page was taken only when Pushover says so.
func FuzzVerdict(f *testing.F) {
	f.Add(200, []byte(`{"status":1,"request":"r","receipt":"rrr"}`))
	f.Add(400, []byte(`{"user":"invalid","errors":["user key hunter2hunter2 is invalid"],"status":0}`))
	f.Add(400, []byte(`{"errors":{"token":["is invalid"]},"status":0}`))
	f.Add(429, []byte(`null`))
	c := &Client{cfg: Config{Token: "hunter2hunter2"}, host: "api.example"}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		a, err := c.verdict(rest.Answer{Status: status, Header: http.Header{}, Body: body})
		if err == nil {
			if status != http.StatusOK || a.Status != 1 {
				t.Errorf("%d %q is taken for success", status, body)
			}
			return
		}
		failure, ok := errors.AsType[*notify.Failure](err)
		if !ok || failure.Reason == "" || strings.Contains(failure.Reason, c.cfg.Token) || strings.ContainsAny(failure.Reason, "\r\n") {
			t.Errorf("%d %q: %#v", status, body, err)
		}
	})
}
