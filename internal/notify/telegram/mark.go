package telegram

import (
	"context"
	"encoding/json"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
)

// pressed deals with a button. What was decided is said only after it was
// recorded; recording takes a moment, so the button's spinner ends at once even so.
func (c *Client) pressed(ctx context.Context, q callbackQuery, take func(context.Context, notify.Event) error) error {
	action, token, ok := parseData(q.Data)
	if !ok {
		c.stopSpinner(ctx, q.ID, phrase.T("telegram.refused"))
		return nil
	}
	e := notify.Event{Answer: &notify.Answer{Action: action, Token: token, From: q.From.key()}}
	if q.Message != nil {
		e.RemoteID, e.State = remoteID(q.Message.Chat.ID, q.Message.MessageID), notify.Seen
	}
	err := take(ctx, e)
	switch {
	case err == nil:
		c.stopSpinner(ctx, q.ID, phrase.T("telegram.said."+string(action)))
		c.mark(ctx, q, action)
	case notify.Permanent(err):
		c.stopSpinner(ctx, q.ID, reason(err))
	default:
		c.stopSpinner(ctx, q.ID, phrase.T("telegram.later"))
		return err
	}
	return nil
}

// maxToast is how much text an answer to a button may carry, in characters.
const maxToast = 200

// stopSpinner answers the press of a button. Telegram refuses it for a press
// that is older than some seconds; then there is no spinner any more.
func (c *Client) stopSpinner(ctx context.Context, query, text string) {
	c.courtesy(ctx, "answerCallbackQuery", struct {
		ID   string `json:"callback_query_id"`
		Text string `json:"text"`
	}{query, cutTo(text, maxToast)})
}

// mark writes below the page who answered, and takes away the buttons that have
// nothing left to do. The formatting is handed back as Telegram described it.
func (c *Client) mark(ctx context.Context, q callbackQuery, action notify.Action) {
	m := q.Message
	if m == nil || m.Date == 0 || m.Text == "" {
		return // too old to be edited
	}
	by := phrase.T("telegram.by." + string(action) + ".you")
	if m.Chat.ID != q.From.ID {
		by = phrase.T("telegram.by."+string(action), q.From.name())
	}
	text := m.Text + "\n\n" + by
	if units(text) > maxText {
		return // the page was answered many times over already
	}
	c.courtesy(ctx, "editMessageText", struct {
		ChatID      int64           `json:"chat_id"`
		MessageID   int64           `json:"message_id"`
		Text        string          `json:"text"`
		Entities    json.RawMessage `json:"entities,omitempty"`
		Preview     preview         `json:"link_preview_options"`
		ReplyMarkup *keyboard       `json:"reply_markup,omitempty"`
	}{m.Chat.ID, m.MessageID, text, m.Entities, preview{true}, m.ReplyMarkup.without(func(b button) bool {
		does, _, answers := parseData(b.Data)
		return answers && (action == notify.Resolve || does == action)
	})})
}

// tell writes plain text into a chat.
func (c *Client) tell(ctx context.Context, chatID int64, text string) {
	if text == "" {
		return
	}
	c.courtesy(ctx, "sendMessage", outgoing{ChatID: chatID, Text: cutTo(text, maxText), Preview: preview{true}})
}

// courtesy is a call whose failure changes nothing: the answer it comments on is
// recorded, or is not, whatever becomes of the comment.
func (c *Client) courtesy(ctx context.Context, method string, params any) {
	var ignored json.RawMessage
	_ = c.call(ctx, c.http, method, params, &ignored)
}

// cutTo shortens s to at most limit UTF-16 units.
func cutTo(s string, limit int) string {
	n := 0
	for i, r := range s {
		if n += units(string(r)); n > limit {
			return s[:i]
		}
	}
	return s
}
