package pushover

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/phrase"
)

// verdict judges an answer:
//
//	status 1                      done
//	429, quota used up            try again, tell the operator
//	429 otherwise                 try again when it says
//	"token": "invalid"            try again, tell the operator
//	4xx with status 0 otherwise   never: user key or message
//	5xx                           try again
//	anything not Pushover's       try again
func (c *Client) verdict(reply rest.Answer) (answer, error) {
	var a answer
	if json.Unmarshal(reply.Body, &a) != nil { // whatever it was, it is not Pushover's
		return answer{}, rest.Ours(reply.Stray(c.host))
	}
	if reply.Status == http.StatusOK && a.Status == 1 {
		return a, nil
	}
	said := rest.Says(strings.Join(complaints(a.Errors), "; "), c.cfg.Token)
	f := &notify.Failure{Reason: phrase.T("pushover.fail.answer", c.host, reply.Status, said)}
	switch {
	case reply.Status == http.StatusTooManyRequests:
		f.RetryAfter = reply.RetryAfter()
		f.Config = reply.Header.Get("X-Limit-App-Remaining") == "0" || strings.Contains(said, "quota")
	case a.Token != "", reply.Status == http.StatusUnauthorized:
		f.Config, f.Reason = true, phrase.T("pushover.fail.token", c.host)
	case a.User != "":
		f.Permanent, f.Reason = true, phrase.T("pushover.fail.user", c.host, said)
	case reply.Status >= 400 && reply.Status < 500 && said != "":
		f.Permanent = true
	case said == "":
		return answer{}, rest.Ours(reply.Stray(c.host))
	}
	return answer{}, f
}

// complaints reads the list of errors, which some answers write as an object of lists.
func complaints(raw json.RawMessage) []string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var byField map[string][]string
	if json.Unmarshal(raw, &byField) != nil {
		return nil
	}
	for field, all := range byField {
		for _, one := range all {
			list = append(list, field+" "+one)
		}
	}
	return list
}
