package telegram

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/push"
	"github.com/watchroom/watchroom/internal/notify/reply"
	"github.com/watchroom/watchroom/internal/phrase"
)

// slack is how much longer than PollFor the answer to a poll may take.
const slack = 15 * time.Second

// Listen asks for updates until ctx ends, which is no error, or a question
// fails. Each answer is handed to take and its author told what became of it:
//
//	take returned     confirmed  the person sees
//	nil               yes        "Acknowledged by you"
//	a permanent error yes        its reason
//	any other error   no         that it will be tried again; Listen ends with the error
//
// A permanent error is for an answer that can never count, as one from an
// account that nobody has linked; without it such an update would come back for ever.
func (c *Client) Listen(ctx context.Context, take func(context.Context, notify.Event) error) error {
	for {
		updates, err := c.updates(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // told to stop, and has
		}
		if err != nil {
			return err
		}
		for _, raw := range updates {
			u, ok := parseUpdate(raw)
			if !ok { // without its number it cannot be confirmed, and would come back at once
				return &notify.Failure{Reason: phrase.T("telegram.fail.update", c.host)}
			}
			if err := c.handle(ctx, u, take); err != nil {
				return fmt.Errorf("telegram update %d: %w", u.ID, err)
			}
			c.confirm(u.ID)
		}
	}
}

// updates waits for the next updates. Asking from an offset confirms all before it.
func (c *Client) updates(ctx context.Context) ([]json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.PollFor+slack)
	defer cancel()
	c.mu.Lock()
	question := struct {
		Offset  int64    `json:"offset,omitempty"`
		Timeout int64    `json:"timeout"`
		Allowed []string `json:"allowed_updates"`
	}{c.offset, int64(c.cfg.PollFor / time.Second), []string{"message", "callback_query"}}
	c.mu.Unlock()
	var found []json.RawMessage
	err := c.call(ctx, c.poll, "getUpdates", question, &found)
	if no, refused := errors.AsType[*refusal](err); refused {
		return nil, c.verdict(no)
	}
	return found, err
}

func (c *Client) confirm(update int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = max(c.offset, update+1)
}

// update is as much of Telegram's Update as is used.
type update struct {
	ID       int64          `json:"update_id"`
	Message  *message       `json:"message"`
	Callback *callbackQuery `json:"callback_query"`
}

type message struct {
	MessageID   int64           `json:"message_id"`
	Date        int64           `json:"date"` // 0: too old to be edited
	From        *user           `json:"from"`
	Chat        chat            `json:"chat"`
	Text        string          `json:"text"`
	Entities    json.RawMessage `json:"entities"`
	ReplyMarkup *keyboard       `json:"reply_markup"`
	ReplyTo     *message        `json:"reply_to_message"`
}

type callbackQuery struct {
	ID      string   `json:"id"`
	From    user     `json:"from"`
	Message *message `json:"message"`
	Data    string   `json:"data"`
}

type user struct {
	ID        int64  `json:"id"`
	IsBot     bool   `json:"is_bot"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
}

type chat struct {
	ID   int64  `json:"id"`
	Type string `json:"type"`
}

func (u user) key() string { return strconv.FormatInt(u.ID, 10) }

// name is what a person calls themselves; for display alone.
func (u user) name() string {
	return push.Line(cmp.Or(strings.TrimSpace(u.FirstName+" "+u.LastName), u.Username, u.key()), 60)
}

// botID is the bot's own number, which is how its token begins.
func (c *Client) botID() string {
	number, _, _ := strings.Cut(c.cfg.Token, ":")
	return number
}

// parseUpdate reads one update. One that has a number but else cannot be
// understood is of no kind that is handled; it is confirmed like any other.
func parseUpdate(raw json.RawMessage) (update, bool) {
	var u update
	if json.Unmarshal(raw, &u) == nil && u.ID > 0 {
		return u, true
	}
	var number struct {
		ID int64 `json:"update_id"`
	}
	if json.Unmarshal(raw, &number) != nil || number.ID <= 0 {
		return update{}, false
	}
	return update{ID: number.ID}, true
}

// handle deals with one update. An error means that it must come again.
func (c *Client) handle(ctx context.Context, u update, take func(context.Context, notify.Event) error) error {
	switch {
	case u.Callback != nil:
		return c.pressed(ctx, *u.Callback, take)
	case u.Message != nil && u.Message.From != nil && !u.Message.From.IsBot:
		return c.said(ctx, *u.Message, take)
	}
	return nil
}

// said deals with a message: a link code, or an answer in words.
func (c *Client) said(ctx context.Context, m message, take func(context.Context, notify.Event) error) error {
	text := uncommand(m.Text)
	private := m.Chat.Type == "private"
	if code, ok := startCode(text); ok {
		if private { // in a group the code would link everybody
			return c.start(ctx, m, code)
		}
		return nil
	}
	action, inc, all, ok := reply.Parse(text)
	if !ok {
		if private && m.Text != "" {
			c.tell(ctx, m.Chat.ID, phrase.T("telegram.help"))
		}
		return nil
	}
	e := notify.Event{Answer: &notify.Answer{Action: action, Incident: inc, All: all, From: m.From.key()}}
	if to := m.ReplyTo; to != nil && to.From != nil && to.From.key() == c.botID() {
		e.RemoteID, e.State = remoteID(m.Chat.ID, m.ReplyTo.MessageID), notify.Seen
	}
	err := take(ctx, e)
	switch {
	case err == nil && inc != 0:
		c.tell(ctx, m.Chat.ID, phrase.T("telegram.said."+string(action)+".one", int64(inc)))
	case err == nil:
		c.tell(ctx, m.Chat.ID, phrase.T("telegram.said."+string(action)))
	case notify.Permanent(err):
		c.tell(ctx, m.Chat.ID, reason(err))
	default:
		return err
	}
	return nil
}

// start deals with /start: with a code it links the chat.
func (c *Client) start(ctx context.Context, m message, code string) error {
	if !isCode(code) || c.cfg.OnStart == nil {
		c.tell(ctx, m.Chat.ID, phrase.T("telegram.start"))
		return nil
	}
	answer, err := c.cfg.OnStart(ctx, code, strconv.FormatInt(m.Chat.ID, 10), m.From.name())
	switch {
	case notify.Permanent(err):
		answer = reason(err)
	case err != nil:
		return fmt.Errorf("link chat: %w", err)
	}
	c.tell(ctx, m.Chat.ID, answer)
	return nil
}

// startCode reads "/start CODE"; the slash is gone already. The code may be "".
func startCode(text string) (code string, ok bool) {
	word, rest, _ := strings.Cut(text, " ")
	return strings.TrimSpace(rest), strings.EqualFold(word, "start")
}

// uncommand turns "/ack@our_bot 12" into "ack 12".
func uncommand(text string) string {
	text, command := strings.CutPrefix(strings.TrimSpace(text), "/")
	if !command {
		return text
	}
	word, rest, _ := strings.Cut(text, " ")
	word, _, _ = strings.Cut(word, "@")
	return strings.TrimSpace(word + " " + rest)
}

// reason is what a permanent error says to a person.
func reason(err error) string {
	if f, ok := errors.AsType[*notify.Failure](err); ok && f.Reason != "" {
		return f.Reason
	}
	return phrase.T("telegram.refused")
}
