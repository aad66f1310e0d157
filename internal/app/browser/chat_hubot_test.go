package browser

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/coder/websocket"

	vochat "github.com/watchroom/watchroom/internal/chat/victorops"
)

// hubot is a robot as the official adapter of Hubot speaks.
type hubot struct {
	*testing.T
	conn  *websocket.Conn
	heard strings.Builder
	said  int // lines: each is a transaction
}

// hubot signs a robot in.
func (h *house) hubot(key string) *hubot {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+h.line.target()+vochat.Path, nil) //nolint:bodyclose // the library does
	if err != nil {
		h.Fatalf("dial as a robot: %v", err)
	}
	conn.SetReadLimit(4 << 20)
	h.Cleanup(func() { _ = conn.CloseNow() })
	r := &hubot{T: h.T, conn: conn}
	r.send(fmt.Sprintf(`{"MESSAGE":"ROBOT_LOGIN_REQUEST_MESSAGE","TRANSACTION_ID":"login","PAYLOAD":{"PROTOCOL":"1.0","NAME":"Hubot","KEY":%q,"DEVICE_NAME":"hubot"}}`, key))
	r.hears(`"STATUS":"200"`)
	return r
}

func (r *hubot) send(body string) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if err := r.conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, "VO-MESSAGE:%d\n%s", len(body), body)); err != nil {
		r.Fatalf("write as a robot: %v", err)
	}
}

// says a line in the robot's room.
func (r *hubot) says(text string) {
	r.Helper()
	r.said++
	r.send(`{"MESSAGE":"CHAT_ACTION_MESSAGE","TRANSACTION_ID":"say-` + strconv.Itoa(r.said) + `","PAYLOAD":{"CHAT":{"IS_ONCALL":false,"IS_ROBOT":true,"TEXT":` + quote(text) + `,"ROOM_ID":"*"}}}`)
}

// hears waits for a frame with text in it.
func (r *hubot) hears(text string) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	for !strings.Contains(r.heard.String(), text) {
		_, frame, err := r.conn.Read(ctx)
		if err != nil {
			r.Fatalf("the robot waits for %q and heard %s: %v", text, r.heard.String(), err)
		}
		r.heard.Write(frame)
	}
}
