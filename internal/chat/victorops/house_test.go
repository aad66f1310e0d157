package victorops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func seq(n int) id.Seq { return id.Seq(n) }

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// house is a server with a small organisation: Kim is on call for the
// databases, and there is a robot in the first room.
type house struct {
	testing.TB
	store    *store.Store
	box      *secret.Box
	dispatch *dispatch.Dispatcher
	server   *Server
	web      *httptest.Server
	robot    org.Robot
	key      string
	ours     func(*org.Org, timeline.Entry) bool
	pace     pace
	log      *bytes.Buffer // may be read when the server has stopped

	stop func()
}

func quick() pace {
	return pace{
		login: patience, ping: 50 * time.Millisecond, pong: patience, look: 50 * time.Millisecond, presence: 100 * time.Millisecond,
		write: patience, linger: patience, retry: time.Millisecond,
	}
}

// eachEngine runs a test in a house on both databases.
func eachEngine(t *testing.T, test func(h *house)) {
	storetest.Each(t, func(t *testing.T, s *store.Store) { test(newHouseOn(t, s)) })
}

func newHouse(t *testing.T) *house { return newHouseOn(t, storetest.Open(t)) }

func newHouseOn(t *testing.T, s *store.Store) *house {
	t.Helper()
	h := furnish(t, s)
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

// furnish makes the organisation; nothing runs yet.
func furnish(t *testing.T, s *store.Store) *house {
	t.Helper()
	box := secrettest.Box(t)
	h := &house{TB: t, store: s, box: box, pace: quick(), log: &bytes.Buffer{}}
	h.dispatch = dispatch.New(s, box, slog.New(slog.DiscardHandler))
	person := func(u id.User, name string, role people.Role) org.Change {
		address := string(u) + "@example.org"
		return org.Put(people.User{
			ID: u, Username: string(u), Name: name, Email: address, Role: role, Zone: "UTC",
			Contacts: []people.Contact{{ID: id.Contact("c-" + u), Method: people.Email, Address: address}},
		})
	}
	rota := oncall.Rotation{ID: "r1", Name: "primary", Team: "dba", Zone: "UTC", Layers: []oncall.Layer{{
		Members: []id.User{"kim"}, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2020-01-06",
	}}}
	h.change(
		person("ada", "Ada", people.Admin), person("kim", "Kim", people.Member), person("lee", "Lee", people.Member),
		org.Put(people.Team{ID: "dba", Slug: "database", Name: "Databases", Members: []id.User{"kim"}}), org.Put(rota),
		org.Put(escalation.Policy{
			ID: "p1", Slug: "database", Name: "Database", Team: "dba", RepeatAfter: escalation.DefaultRepeatAfter,
			Steps: []escalation.Step{{Targets: []escalation.Target{{Rotation: "r1"}}}},
		}),
		org.Put(routing.Key{ID: "k1", Name: "database", Policy: "p1"}),
		org.Put(org.Settings{Name: "Acme", DefaultPolicy: "p1", WarningsOpen: true, SnoozeMorningAt: "09:00"}),
	)
	h.key, h.robot = h.addRobot(dispatch.RobotSpec{Name: "Hubot"})
	return h
}

func (h *house) addRobot(s dispatch.RobotSpec) (string, org.Robot) {
	h.Helper()
	key, r, err := h.dispatch.AddRobot(h.Context(), ada(), s)
	if err != nil {
		h.Fatal(err)
	}
	return key, r
}

// start runs a node of the house; h.stop ends it in good order.
func (h *house) start() {
	h.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	hub := live.New(h.store, slog.New(slog.DiscardHandler), 20*time.Millisecond)
	h.server = New(Deps{
		Store: h.store, Live: hub, Dispatch: h.dispatch, Ours: h.ours, PublicURL: "https://watch.example/",
		Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	h.server.pace = h.pace
	h.web = httptest.NewServer(h.server)
	var parts sync.WaitGroup
	for _, run := range []func(context.Context) error{hub.Run, h.dispatch.Run, h.server.Run} {
		parts.Go(func() {
			if err := run(ctx); err != nil {
				h.Errorf("Run: %v", err)
			}
		})
	}
	h.stop = sync.OnceFunc(func() {
		cancel()
		parts.Wait()
		h.web.Close()
	})
}

func (h *house) restart() {
	h.Helper()
	h.stop()
	h.start()
}

func (h *house) change(changes ...org.Change) {
	h.Helper()
	if _, err := h.dispatch.ChangeOrg(h.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil }); err != nil {
		h.Fatal(err)
	}
}

func ada() people.Actor {
	return people.Actor{User: "ada", Name: "Ada", Role: people.Admin, Origin: timeline.Browser}
}

func person(u id.User) people.Actor {
	return people.Actor{User: u, Name: string(u), Role: people.Member, Origin: timeline.Browser}
}

func (h *house) says(u id.User, l dispatch.Line) id.Seq {
	h.Helper()
	n, err := h.dispatch.Say(h.Context(), person(u), l)
	if err != nil {
		h.Fatal(err)
	}
	return n
}

// alert sends one as monitoring does.
func (h *house) alert(a alert.Alert) alert.Alert {
	h.Helper()
	if a.Raw == "" {
		a.Raw = "{}"
	}
	if a.Title == "" {
		a.Title = a.EntityID
	}
	stored, err := h.dispatch.Accept(h.Context(), a)
	if err != nil {
		h.Fatal(err)
	}
	return stored
}

// lines are what the robot has said, oldest first.
func (h *house) lines(in id.Room) []string {
	h.Helper()
	found, err := h.store.Entries(h.Context(), store.EntryFilter{
		Rooms: []id.Room{in}, Kinds: []timeline.Kind{timeline.MessagePosted}, FromStart: true, Limit: 1000,
	})
	if err != nil {
		h.Fatal(err)
	}
	var all []string
	for _, e := range found {
		if m, ok := e.Payload.(timeline.Message); ok && e.Actor.User == h.robot.User {
			all = append(all, m.Text)
		}
	}
	return all
}

// until waits for what will happen.
func (h *house) until(what string, is func() bool) {
	h.Helper()
	deadline := time.Now().Add(patience)
	for tick := time.NewTicker(2 * time.Millisecond); ; <-tick.C {
		if is() {
			tick.Stop()
			return
		}
		if time.Now().After(deadline) {
			h.Fatalf("%s: it does not happen\n%s", what, strings.Join(h.lines(room.Main), "\n"))
		}
	}
}

// client is a robot's side of a connection. Like the library that Hubot uses it
// answers pings while it reads.
type client struct {
	*house
	conn   *websocket.Conn
	frames chan string
	gone   error // set before frames is closed
}

func (h *house) dial() *client {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(h.web.URL, "http", "ws", 1)+Path, nil) //nolint:bodyclose // the library does
	if err != nil {
		h.Fatal(err)
	}
	conn.SetReadLimit(4 << 20)
	c := &client{house: h, conn: conn, frames: make(chan string, 1000)}
	go func() {
		defer close(c.frames)
		for {
			kind, data, err := conn.Read(context.Background())
			if err != nil {
				c.gone = err
				return
			}
			if kind != websocket.MessageText {
				h.Errorf("the server writes a %v frame", kind)
			}
			c.frames <- string(data)
		}
	}()
	h.Cleanup(func() { _ = conn.CloseNow() })
	return c
}

func (c *client) send(frame string) {
	c.Helper()
	c.sendKind(websocket.MessageText, []byte(frame))
}

func (c *client) sendKind(kind websocket.MessageType, frame []byte) {
	c.Helper()
	ctx, cancel := context.WithTimeout(c.Context(), patience)
	defer cancel()
	if err := c.conn.Write(ctx, kind, frame); err != nil {
		c.Fatalf("send %.80q: %v", frame, err)
	}
}

// next is the next message from the server that is not about who is here.
func (c *client) next() map[string]any {
	c.Helper()
	for {
		select {
		case text, ok := <-c.frames:
			if !ok {
				c.Fatalf("the connection is gone: %v", c.gone)
			}
			_, body := split(c, text)
			var m map[string]any
			if err := json.Unmarshal([]byte(body), &m); err != nil {
				c.Fatal(err)
			}
			return m
		case <-time.After(patience):
			c.Fatal("the server says nothing")
		}
	}
}

// end waits until the server has ended the connection and returns how.
func (c *client) end() websocket.StatusCode {
	c.Helper()
	timeout := time.After(patience)
	for {
		select {
		case _, ok := <-c.frames:
			if !ok {
				return websocket.CloseStatus(c.gone)
			}
		case <-timeout:
			c.Fatal("the connection goes on")
		}
	}
}

func (c *client) login(key string) {
	c.Helper()
	c.send(loginFrame("Hubot", key))
	c.want(loginReply, `{"TRANSACTION_ID":"login","PAYLOAD":{"STATUS":"200"}}`)
	c.want(stateNotify, `{"PAYLOAD":{"USER_STATUS_LIST":[],"ONCALL_LIST":[{"USER_ID":"kim"}]}}`)
}

func loginFrame(name, key string) string {
	return fmt.Sprintf("VO-MESSAGE:1\n"+`{"MESSAGE":"ROBOT_LOGIN_REQUEST_MESSAGE","TRANSACTION_ID":"login","PAYLOAD":{"PROTOCOL":"1.0","NAME":%q,"KEY":%q,"DEVICE_NAME":"hubot"}}`, name, key)
}

func (c *client) says(transaction, text string) {
	c.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		c.Fatal(err)
	}
	c.send(`VO-MESSAGE:1` + "\n" + `{"MESSAGE":"CHAT_ACTION_MESSAGE","TRANSACTION_ID":"` + transaction + `","PAYLOAD":{"CHAT":{"IS_ONCALL":false,"IS_ROBOT":true,"TEXT":` + string(quoted) + `,"ROOM_ID":"*"}}}`)
}

// want is the next message, which must be of a kind and have at least the
// members of part: "*" stands for anything, a list for its first elements.
func (c *client) want(message, part string) map[string]any {
	c.Helper()
	got := c.next()
	var want any
	if err := json.Unmarshal([]byte(part), &want); err != nil {
		c.Fatalf("%s: %v", part, err)
	}
	if got["MESSAGE"] != message {
		c.Fatalf("the server says %v, want %s", got, message)
	}
	if why := lacks(got, want, ""); why != "" {
		text, _ := json.Marshal(got)
		c.Errorf("%s: %s\n%s", message, why, text)
	}
	return got
}

// quiet makes sure that nothing was sent but what was wanted: a PING is
// answered after everything that came before.
func (c *client) quiet() {
	c.Helper()
	c.send(`{"MESSAGE":"PING","TRANSACTION_ID":"quiet"}`)
	c.want(pong, `{"TRANSACTION_ID":"quiet"}`)
}

// lacks says what of want is not in got.
func lacks(got, want any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			return at + " is no object"
		}
		for name, v := range want {
			value, there := m[name]
			if v == "-" && !there {
				continue
			}
			if !there {
				return at + "." + name + " is missing"
			}
			if why := lacks(value, v, at+"."+name); why != "" {
				return why
			}
		}
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) < len(want) {
			return fmt.Sprintf("%s = %v, want %v", at, got, want)
		}
		for i, v := range want {
			if why := lacks(list[i], v, fmt.Sprintf("%s[%d]", at, i)); why != "" {
				return why
			}
		}
	default:
		if want != "*" && got != want {
			return fmt.Sprintf("%s = %#v, want %#v", at, got, want)
		}
	}
	return ""
}
