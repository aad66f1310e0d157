package victorops

import (
	"bufio"
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/room"
)

// TestConversations plays what clients of the field say, line by line:
//
//	> the client sends this frame; ↵ is a newline, KEY the robot's key
//	< MESSAGE the server's next frame has at least these members
//	kim: somebody says this
//	= the robot has said this in the room (\n is a newline)
//	! an alert: type, entity, message, tool
//	# a comment
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			eachEngine(t, func(h *house) { h.play(path) })
		})
	}
}

func (h *house) play(path string) {
	h.Helper()
	file, err := os.Open(path)
	if err != nil {
		h.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	c := h.dial()
	spoken := 0
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.ReplaceAll(lines.Text(), "KEY-OF-THE-ROBOT", h.key)
		mark, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "", mark == "#":
		case mark == ">":
			c.send(strings.ReplaceAll(rest, "↵", "\n"))
		case mark == "<":
			message, part, _ := strings.Cut(rest, " ")
			if part == "" {
				part = "{}"
			}
			c.want(message, part)
		case mark == "=":
			spoken++
			want := strings.ReplaceAll(rest, `\n`, "\n")
			h.until(path+": the robot says "+want, func() bool {
				all := h.lines(room.Main)
				return len(all) >= spoken && all[spoken-1] == want
			})
		case mark == "!":
			f := strings.SplitN(rest, " ", 4)
			h.alert(alert.Alert{Type: alert.Type(f[0]), EntityID: f[1], Tool: f[2], Message: strings.ReplaceAll(f[3], `\n`, "\n"), RoutingKey: "database"})
		case strings.HasSuffix(mark, ":"):
			h.says(person(idUser(mark)).User, dispatch.Line{Text: rest})
		default:
			h.Fatalf("%s:%d: what is %q?", path, n, line)
		}
		if h.Failed() {
			h.Fatalf("%s:%d: %s", path, n, line)
		}
	}
	if err := lines.Err(); err != nil {
		h.Fatal(err)
	}
	if all := h.lines(room.Main); len(all) != spoken {
		h.Errorf("%s: the robot has said %q, %d lines are expected", path, all, spoken)
	}
}

func TestWrongKeyMayTryAgain(t *testing.T) {
	h := newHouse(t)
	c := h.dial()
	c.send(loginFrame("Hubot", "nonsense"))
	c.want(loginReply, `{"TRANSACTION_ID":"login","PAYLOAD":{"STATUS":"401","DESCRIPTION":"No robot has this key. Look at the settings page Robots."}}`)
	c.says("t", "nobody hears this")
	c.send(`{"MESSAGE":"PING","TRANSACTION_ID":"p"}`)
	c.want(pong, `{"TRANSACTION_ID":"p"}`)
	c.send(`{"MESSAGE":"LOGIN_REQUEST_MESSAGE","TRANSACTION_ID":"u","PAYLOAD":{"USER_ID":"kim","PASSWORD":"x"}}`)
	c.want(loginReply, `{"TRANSACTION_ID":"u","PAYLOAD":{"STATUS":"401"}}`)
	c.login(h.key)
	if got := h.lines(room.Main); len(got) > 0 {
		t.Errorf("before the login %q was said", got)
	}
	other := h.dial()
	for range maxRefusals {
		other.send(loginFrame("Hubot", ""))
		other.want(loginReply, `{"PAYLOAD":{"STATUS":"401"}}`)
	}
	if code := other.end(); code != websocket.StatusPolicyViolation {
		t.Errorf("after %d refusals the connection ends with %v", maxRefusals, code)
	}
	h.stop()
	if log := h.log.String(); strings.Contains(log, h.key) {
		t.Errorf("the key is in the log:\n%s", log)
	}
}

func TestLoginHasADeadline(t *testing.T) {
	h := furnish(t, newStore(t))
	h.pace.login = 1
	h.start()
	defer h.stop()
	if code := h.dial().end(); code != websocket.StatusPolicyViolation {
		t.Errorf("a client that does not sign in is ended with %v", code)
	}
}

// A robot that is gone before it was told yes leaves nothing behind.
func TestLoginThatBreaksOff(t *testing.T) {
	h := furnish(t, newStore(t))
	h.pace.write = 1
	h.start()
	defer h.stop()
	for range 2 { // the second does not wait for the first
		c := h.dial()
		c.send(loginFrame("Hubot", h.key))
		c.end()
	}
	h.until("nobody follows", func() bool { return h.server.Live.Readers() == 0 && len(h.server.Connections()) == 0 })
}

func TestLoginTakesOver(t *testing.T) {
	h := newHouse(t)
	first := h.dial()
	first.login(h.key)
	h.says("kim", dispatch.Line{Text: "one"})
	first.want(chatNotify, `{"PAYLOAD":{"CHAT":{"TEXT":"one"}}}`)
	second := h.dial()
	second.login(h.key)
	if code := first.end(); code != websocket.StatusPolicyViolation {
		t.Errorf("the first connection ends with %v", code)
	}
	h.says("kim", dispatch.Line{Text: "two"})
	second.want(chatNotify, `{"PAYLOAD":{"CHAT":{"TEXT":"two"}}}`)
	second.quiet()
	if got := h.server.Connections(); len(got) != 1 || got[h.robot.ID].Name != "Hubot" || got[h.robot.ID].HeardAt.IsZero() {
		t.Errorf("Connections() = %+v", got)
	}
}

// The same robot on two nodes: the one that signed in last is served.
func TestLoginTakesOverFromAnotherNode(t *testing.T) {
	s := newPostgres(t)
	one := furnish(t, s)
	two := *one
	two.log = &bytes.Buffer{}
	two.dispatch = dispatch.New(s, two.box, slog.New(slog.DiscardHandler)) // a node has its own
	one.start()
	two.start()
	t.Cleanup(func() { one.stop(); two.stop() })
	first := one.dial()
	first.login(one.key)
	second := two.dial()
	second.login(one.key)
	one.says("kim", dispatch.Line{Text: "one"})
	second.want(chatNotify, `{"PAYLOAD":{"CHAT":{"TEXT":"one"}}}`)
	if code := first.end(); code != websocket.StatusPolicyViolation {
		t.Errorf("the first connection ends with %v", code)
	}
}

func TestTransactionIsPostedOnce(t *testing.T) {
	h := newHouse(t)
	c := h.dial()
	c.login(h.key)
	long := strings.Repeat("0123456789\n", 2000)
	for range 2 {
		c.says("same", "once")
		c.says("long", long)
	}
	c.says("other", "  ")
	c.says("", "no id")
	c.quiet()
	again := h.dial()
	again.login(h.key)
	again.says("same", "once")
	again.says("last", "last")
	again.quiet()
	got := h.lines(room.Main)
	if len(got) != 6 || got[0] != "once" || got[4] != "no id" || got[5] != "last" || strings.Join(got[1:4], "\n") != strings.TrimSpace(long) {
		t.Errorf("%d lines were posted, the first %.40q", len(got), got)
	}
}

func TestHostileFrames(t *testing.T) {
	h := newHouse(t)
	c := h.dial()
	c.login(h.key)
	c.sendKind(websocket.MessageBinary, []byte(`{"MESSAGE":"PING","TRANSACTION_ID":"binary"}`))
	c.send(`{"MESSAGE":"PING"}{"MESSAGE":"PING"}`)
	c.send("VO-MESSAGE:3\n{\"MESSAGE\":\"\xff\"}")
	c.send(`{"MESSAGE":"CHAT_ACTION_MESSAGE","TRANSACTION_ID":"x","PAYLOAD":{"CHAT":{"TEXT":7}}}`)
	c.send(`{"MESSAGE":"CHAT_ACTION_MESSAGE","TRANSACTION_ID":"y","PAYLOAD":[]}`)
	c.send(`{"MESSAGE":"CHAT_ACTION_MESSAGE","TRANSACTION_ID":"z"}`)
	c.send(`{"MESSAGE":"SOMETHING_NEW","PAYLOAD":{"ENTITY_IDS":[1]}}`)
	c.quiet() // one bad frame ends nothing
	c.says("ok", "still here\x00")
	c.quiet()
	if got := h.lines(room.Main); !slices.Equal(got, []string{"still here"}) {
		t.Errorf("said %q", got)
	}
	for range maxNonsense - 6 { // so many there were
		c.send("nonsense")
	}
	if code := c.end(); code != websocket.StatusPolicyViolation {
		t.Errorf("after much nonsense the connection ends with %v", code)
	}
	huge, early := h.dial(), h.dial()
	huge.login(h.key)
	frame := `{"MESSAGE":"CHAT_ACTION_MESSAGE","TRANSACTION_ID":"huge","PAYLOAD":{"CHAT":{"TEXT":"` + strings.Repeat("x", maxFrame) + `"}}}`
	for c, frame := range map[*client]string{huge: frame, early: loginFrame(strings.Repeat("x", maxLogin), h.key)} {
		// the server closes while this is still on its way, so both the write and the goodbye may be lost
		_ = c.conn.Write(t.Context(), websocket.MessageText, []byte(frame))
		if code := c.end(); code != websocket.StatusMessageTooBig && code != -1 {
			t.Errorf("a huge frame ends the connection with %v", code)
		}
	}
	if got := h.lines(room.Main); len(got) != 1 {
		t.Errorf("said %.80q", got)
	}
}

func TestKeyIsWithdrawn(t *testing.T) {
	for what, withdraw := range map[string]func(h *house) error{
		"another key": func(h *house) error { _, _, err := h.dispatch.NewRobotKey(t.Context(), ada(), h.robot.ID); return err },
		"removed":     func(h *house) error { return h.dispatch.RemoveRobot(t.Context(), ada(), h.robot.ID) },
	} {
		h := newHouse(t)
		c := h.dial()
		c.login(h.key)
		if err := withdraw(h); err != nil {
			t.Fatal(err)
		}
		if code := c.end(); code != websocket.StatusPolicyViolation {
			t.Errorf("%s: the connection ends with %v", what, code)
		}
		again := h.dial()
		again.send(loginFrame("Hubot", h.key))
		again.want(loginReply, `{"PAYLOAD":{"STATUS":"401"}}`)
	}
}

func TestSilentClientIsDropped(t *testing.T) {
	h := furnish(t, newStore(t))
	h.pace.pong = 100 * time.Millisecond
	h.start()
	t.Cleanup(func() { h.stop() })
	dead := h.dialDead()
	h.until("the session begins", func() bool { return len(h.server.Connections()) == 1 })
	h.until("and ends", func() bool { return len(h.server.Connections()) == 0 })
	_ = dead.Close()
}
