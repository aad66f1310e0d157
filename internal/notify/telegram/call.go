package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/phrase"
)

// response is what every method answers.
type response struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	ErrorCode   int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int64 `json:"retry_after"` // seconds
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// refusal is a "no" of Telegram itself.
type refusal struct {
	code       int
	says       string // without our token
	retryAfter time.Duration
	migrateTo  int64 // the new id of a group, or 0
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s", r.code, r.says) }

// call asks for a method. The error is a *refusal, or a *notify.Failure when
// there was no answer of Telegram's; neither holds the token, which is part of
// every URL.
func (c *Client) call(ctx context.Context, via *http.Client, method string, params, result any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return &notify.Failure{Permanent: true, Reason: phrase.T("notify.fail.request", c.host), Err: err}
	}
	endpoint := c.cfg.BaseURL + "/bot" + c.cfg.Token + "/" + method
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil { // quotes the URL
		return &notify.Failure{Config: true, Reason: phrase.T("notify.fail.request", c.host)}
	}
	req.Header.Set("Content-Type", "application/json")
	reply, err := rest.Do(via, req, c.cfg.Token)
	if err != nil {
		return rest.Ours(err)
	}
	var r response
	if json.Unmarshal(reply.Body, &r) != nil { // whatever it was, it is not Telegram's
		return rest.Ours(reply.Stray(c.host))
	}
	switch {
	case r.OK:
		if json.Unmarshal(r.Result, result) != nil { // again not Telegram's
			return rest.Ours(reply.Stray(c.host))
		}
		return nil
	case r.ErrorCode == 0:
		return rest.Ours(reply.Stray(c.host))
	}
	return &refusal{
		code: r.ErrorCode, says: rest.Says(r.Description, c.cfg.Token),
		retryAfter: rest.Wait(time.Duration(min(r.Parameters.RetryAfter, 1<<20)) * time.Second), migrateTo: r.Parameters.MigrateTo,
	}
}

// badButton says whether Telegram dislikes the link of a button.
func (r *refusal) badButton() bool {
	says := strings.ToUpper(r.says)
	return r.code == http.StatusBadRequest &&
		(strings.Contains(says, "BUTTON_URL_INVALID") || strings.Contains(says, "BUTTON URL"))
}

// verdict turns a refusal into what the outbox and the operator need to know:
//
//	429                    try again when it says
//	5xx                    try again
//	401, 404               try again, tell the operator: the bot's token is wrong
//	409                    try again, tell the operator: somebody else reads the bot's updates
//	400 and 403            never: this chat, or this message
//
// Of the last, the descriptions for a chat that is gone ("bot was blocked by the
// user", "chat not found", …) get a sentence of their own.
func (c *Client) verdict(r *refusal) *notify.Failure {
	f := &notify.Failure{RetryAfter: r.retryAfter, Reason: phrase.T("telegram.fail.answer", c.host, r.code, r.says)}
	switch r.code {
	case http.StatusUnauthorized, http.StatusNotFound:
		f.Config, f.Reason = true, phrase.T("telegram.fail.token", c.host)
	case http.StatusConflict:
		f.Config, f.Reason = true, phrase.T("telegram.fail.conflict", c.host, r.says)
	case http.StatusBadRequest, http.StatusForbidden:
		f.Permanent = true
		if r.code == http.StatusForbidden || gone(r.says) {
			f.Reason = phrase.T("telegram.fail.gone", r.says)
		}
	}
	return f
}

func gone(says string) bool {
	for _, part := range []string{
		"bot was blocked by the user", "user is deactivated", "bot was kicked", "chat not found",
		"group chat was deleted", "peer_id_invalid", "have no rights to send", "not enough rights",
	} {
		if strings.Contains(strings.ToLower(says), part) {
			return true
		}
	}
	return false
}
