package gateway

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
)

// FuzzVerdict: whatever a gateway answers, and wherever its id is looked for,
// our secrets do not come back.
func FuzzVerdict(f *testing.F) {
	f.Add(200, "messages.0.id", []byte(`{"messages":[{"id":7}]}`))
	f.Add(200, "a.-1", []byte(`{"a":[1]}`))
	f.Add(400, "..", []byte(`Bearer hunter2hunter2 was refused`))
	f.Fuzz(func(t *testing.T, status int, path string, body []byte) {
		const secret = "hunter2hunter2"
		c := &Client{cfg: Config{URL: "https://sms.example/send", Secret: secret, Headers: map[string]string{"Authorization": "Bearer " + secret}, IDPath: path}}
		receipt, err := c.verdict(rest.Answer{Status: status, Header: http.Header{}, Body: body})
		said := receipt.Detail
		if err != nil {
			failure, ok := errors.AsType[*notify.Failure](err)
			if !ok || failure.Reason == "" {
				t.Fatalf("%d %q: %#v", status, body, err)
			}
			said = failure.Reason
		}
		if strings.Contains(said, secret) || strings.ContainsAny(said+receipt.RemoteID, "\r\n") {
			t.Errorf("%d %q: %q, %q", status, body, receipt.RemoteID, said)
		}
	})
}
