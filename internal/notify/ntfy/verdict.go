package ntfy

import (
	"encoding/json"
	"net/http"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/push"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/phrase"
)

// answer is both of what ntfy writes: the stored message, or an error.
type answer struct {
	ID    string `json:"id"`
	Event string `json:"event"`

	Code  int    `json:"code"` // the status and two digits, as 40301
	HTTP  int    `json:"http"`
	Error string `json:"error"`
}

// verdict judges an answer:
//
//	200 with the stored message     done
//	ntfy's error 429                try again when it says
//	ntfy's error 5xx                try again
//	ntfy's error 4xx                never: topic, token or message
//	anything that is not ntfy's     try again, except a lasting redirect
func verdict(reply rest.Answer, host string, secrets []string) (notify.Receipt, error) {
	var a answer
	if json.Unmarshal(reply.Body, &a) != nil { // whatever it was, it is not ntfy's
		return notify.Receipt{}, reply.Stray(host)
	}
	if number := push.Line(a.ID, 64); reply.Status == http.StatusOK && number != "" && a.Event == "message" {
		return notify.Receipt{RemoteID: number, Detail: phrase.T("ntfy.done", host, number)}, nil
	}
	if a.HTTP == 0 || a.Error == "" {
		return notify.Receipt{}, reply.Stray(host)
	}
	f := &notify.Failure{Reason: phrase.T("ntfy.fail.answer", host, reply.Status, rest.Says(a.Error, secrets...))}
	switch {
	case reply.Status == http.StatusUnauthorized, reply.Status == http.StatusForbidden:
		f.Permanent, f.Reason = true, phrase.T("ntfy.fail.forbidden", host)
	case reply.Status == http.StatusTooManyRequests:
		f.RetryAfter = reply.RetryAfter()
	case reply.Status >= 400 && reply.Status < 500:
		f.Permanent = true
	}
	return notify.Receipt{}, f
}
