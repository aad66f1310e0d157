package gotify

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
)

// FuzzVerdict: a page was taken only when Gotify has stored it.
func FuzzVerdict(f *testing.F) {
	f.Add(200, []byte(`{"id":25,"appid":5,"message":"x"}`))
	f.Add(401, []byte(`{"error":"Unauthorized","errorCode":401,"errorDescription":"token hunter2hunter2"}`))
	f.Add(200, []byte(`{"id":-1}`))
	const token = "hunter2hunter2"
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		receipt, err := verdict(rest.Answer{Status: status, Header: http.Header{}, Body: body}, "push.example", token)
		if err == nil {
			if status != http.StatusOK || receipt.RemoteID == "" || strings.HasPrefix(receipt.RemoteID, "-") {
				t.Errorf("%d %q is taken for success: %+v", status, body, receipt)
			}
			return
		}
		failure, ok := errors.AsType[*notify.Failure](err)
		if !ok || failure.Reason == "" || strings.Contains(failure.Reason, token) || strings.ContainsAny(failure.Reason, "\r\n") {
			t.Errorf("%d %q: %#v", status, body, err)
		}
	})
}
