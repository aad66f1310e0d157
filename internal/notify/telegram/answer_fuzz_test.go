package telegram

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
)

// says answers every request with the same bytes.
type says struct {
	status int
	body   []byte
}

func (s says) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(s.body)), Request: r}, nil
}

// FuzzAnswer: whatever stands in Telegram's place, its answer is understood or
// is a failure with a reason, and the bot's token is in neither.
func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"ok":true,"result":{"message_id":7}}`))
	f.Add(429, []byte(`{"ok":false,"error_code":429,"description":"Too Many Requests: 1:hunter2hunter2","parameters":{"retry_after":99999999999}}`))
	f.Add(400, []byte(`{"ok":false,"error_code":400,"parameters":{"migrate_to_chat_id":-100}}`))
	f.Add(502, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		const token = "1:hunter2hunter2"
		status = 200 + max(0, status%400)
		c := &Client{cfg: Config{BaseURL: "https://api.example", Token: token}, host: "api.example"}
		var result struct {
			ID int64 `json:"message_id"`
		}
		err := c.call(t.Context(), &http.Client{Transport: says{status, body}}, "sendMessage", map[string]string{"text": "x"}, &result)
		if r, ok := errors.AsType[*refusal](err); ok {
			if r.retryAfter < 0 || r.retryAfter > time.Hour {
				t.Errorf("%q makes us wait for %v", body, r.retryAfter)
			}
			err = c.verdict(r)
		}
		if err == nil {
			return
		}
		failure, ok := errors.AsType[*notify.Failure](err)
		if !ok || failure.Reason == "" || strings.Contains(failure.Reason, token) || strings.ContainsAny(failure.Reason, "\r\n") {
			t.Errorf("%d %q: %#v", status, body, err)
		}
	})
}
