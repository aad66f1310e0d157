package victorops

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// receive returns the next message that can be read. What cannot is logged and
// left out, unless there is too much of it.
func (c *session) receive(ctx context.Context) (envelope, error) {
	for {
		kind, data, err := c.conn.Read(context.WithoutCancel(ctx)) // it ends when the connection is closed
		if err != nil {
			_ = c.conn.CloseNow() // nobody would see the answer to a ping
			return envelope{}, err
		}
		c.heard.Store(time.Now().UnixMilli())
		err = errNoText
		if kind == websocket.MessageText {
			var e envelope
			if e, err = parse(data); err == nil {
				return e, nil
			}
		}
		if err := c.refuse(ctx, err); err != nil {
			return envelope{}, err
		}
	}
}

// refuse counts a frame that makes no sense.
func (c *session) refuse(ctx context.Context, why error) error {
	c.log.WarnContext(ctx, "chat endpoint: a frame that cannot be read", "err", why)
	if c.nonsense++; c.nonsense >= maxNonsense {
		return errNonsense
	}
	return nil
}

// ignore is for messages that we do not know: clients in the field may say
// more than anybody wrote down.
func (c *session) ignore(ctx context.Context, message string) {
	if c.unknown++; c.unknown <= maxUnknown {
		c.log.InfoContext(ctx, "chat endpoint: a message that is not known", "message", alert.Cut(message, maxName))
	}
}

// read hears what the robot says until the connection ends.
func (c *session) read(ctx context.Context) error {
	for {
		e, err := c.receive(ctx)
		if err != nil {
			return err
		}
		switch e.Message {
		case ping:
			err = c.answer(ctx, outgoing{Message: pong, Transaction: cut(e.Transaction)})
		case chatAction:
			err = c.say(ctx, e)
		case robotLogin:
			err = c.again(ctx, e)
		default:
			c.ignore(ctx, e.Message)
		}
		if err != nil {
			return err
		}
	}
}

// again answers a second login on the same connection: yes to the same key.
func (c *session) again(ctx context.Context, e envelope) error {
	was, name, key := c.id, c.name, c.keyHash
	why, err := c.recognise(ctx, e)
	if err != nil {
		return err
	}
	if same := why == "" && c.id == was; !same {
		c.id, c.name, c.keyHash = was, name, key
		return c.answerLogin(ctx, e, statusRefused, why)
	}
	if err := c.answerLogin(ctx, e, statusOK, "Ok"); err != nil {
		return err
	}
	_, duty, here, err := c.state(ctx)
	if err != nil {
		return err
	}
	return c.answer(ctx, stateOf(duty, here))
}

// say posts what the robot says in its room, once for each transaction.
func (c *session) say(ctx context.Context, e envelope) error {
	var p said
	if json.Unmarshal(e.Payload, &p) != nil {
		return c.refuse(ctx, errNoJSON)
	}
	if e.Transaction != "" && c.spoken.has(e.Transaction) {
		return nil
	}
	o, err := c.server.Store.Org(ctx)
	if err != nil {
		return err
	}
	robot, ok := c.robot(o)
	if !ok {
		return errWithdrawn
	}
	by := people.Actor{
		User: robot.User, Name: o.UserName(robot.User), Role: people.Member, Scopes: []people.Permission{people.Read, people.Talk},
		Origin: timeline.Robot,
	}
	for i, text := range parts(p.Chat.Text, dispatch.MaxText) {
		once := e.Transaction + " " + strconv.Itoa(i)
		if e.Transaction != "" && c.spoken.has(once) {
			continue
		}
		if err := c.rate.Wait(ctx); err != nil {
			return err
		}
		err := c.post(ctx, by, dispatch.Line{Room: robot.Room, Text: text})
		if fault.Is(err, fault.CodeNotFound) || fault.Is(err, fault.CodeForbidden) { // the page of robots says so
			if !c.outside {
				c.log.InfoContext(ctx, "a robot cannot speak in its room any more", "robot", robot.Name)
			}
			c.outside = true
			return nil
		}
		if err != nil {
			c.log.ErrorContext(ctx, "post a line of a robot", "err", err)
			return nil // the robot cannot be told
		}
		if e.Transaction != "" {
			c.spoken.add(once)
		}
	}
	if e.Transaction != "" {
		c.spoken.add(e.Transaction)
	}
	return nil
}

// tries is how often a line is tried to be posted while the database is away.
const tries = 5

// post tries again only when surely nothing has happened, and waits when the
// robot talks too fast, for nobody could tell it.
func (c *session) post(ctx context.Context, by people.Actor, l dispatch.Line) error {
	wait := c.server.pace.retry
	for n := 1; ; n++ {
		_, err := c.server.Dispatch.Say(ctx, by, l)
		if slow, ok := errors.AsType[*fault.Error](err); ok && slow.Code == fault.CodeTooMany {
			wait = slow.RetryAfter
		} else if !errors.Is(err, store.ErrAway) {
			return err
		}
		if n == tries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-c.server.life.Done():
			return err
		case <-time.After(wait):
		}
		wait *= 2
	}
}

// parts cuts text into lines of at most limit characters, at the ends of its
// own lines where it can; what is beyond the last part is left out. Nothing but
// blanks is no part.
func parts(text string, limit int) []string {
	var all []string
	for text = strings.TrimSpace(text); text != "" && len(all) < maxParts; text = strings.TrimSpace(text) {
		if utf8.RuneCountInString(text) <= limit {
			return append(all, text)
		}
		part := alert.Cut(text, limit)
		if at := strings.LastIndexByte(part, '\n'); at > 0 {
			part = part[:at]
		}
		all = append(all, strings.TrimSpace(part))
		text = text[len(part):]
	}
	return all
}
