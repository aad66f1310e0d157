package victorops

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestRestartLosesAndDoublesNothing(t *testing.T) {
	eachEngine(t, func(h *house) {
		c := h.dial()
		c.login(h.key)
		h.says("kim", dispatch.Line{Text: "before"})
		c.want(chatNotify, `{"PAYLOAD":{"CHAT":{"TEXT":"before"}}}`)
		h.stop()
		if code := c.end(); code != websocket.StatusGoingAway {
			h.Errorf("a restart ends the connection with %v", code)
		}
		h.says("kim", dispatch.Line{Text: "while the server was down"})
		gone, err := h.store.Head(h.Context())
		if err != nil {
			h.Fatal(err)
		}
		h.start()
		c = h.dial()
		c.login(h.key)
		got := c.want(chatNotify, `{"PAYLOAD":{"CHAT":{"TEXT":"while the server was down"}}}`)
		if want := float64(gone.Seq); lacks(got, map[string]any{"PAYLOAD": map[string]any{"CHAT": map[string]any{"SEQUENCING": map[string]any{"SEQUENCE": want}}}}, "") != "" {
			h.Errorf("%v, want sequence %v", got, want)
		}
		c.quiet()
		h.restart()
		c = h.dial()
		c.login(h.key)
		c.quiet()
	})
}

// While somebody talks the server restarts and other connections take over; the
// robot hears every line once, in order.
func TestEveryLineOnce(t *testing.T) {
	const lines = 150
	h := newHouse(t)
	c, heard := h.dial(), 0
	c.login(h.key) // from here on the robot is owed everything
	var talking sync.WaitGroup
	talking.Go(func() {
		for n := range lines {
			if _, err := h.dispatch.Say(t.Context(), person("kim"), dispatch.Line{Text: fmt.Sprint("line ", n)}); err != nil {
				t.Errorf("say: %v", err)
			}
		}
	})
	for turn := 0; heard < lines; turn++ {
		for until := min(heard+10, lines); heard < until; heard++ {
			c.want(chatNotify, fmt.Sprintf(`{"PAYLOAD":{"CHAT":{"TEXT":"line %d"}}}`, heard))
		}
		if turn%2 == 0 {
			h.stop()
			heard += c.drain(heard)
			h.start()
			c = h.dial()
			c.login(h.key)
			continue
		}
		fresh := h.dial()
		fresh.send(loginFrame("Hubot", h.key))
		heard += c.drain(heard)
		fresh.want(loginReply, `{"PAYLOAD":{"STATUS":"200"}}`)
		fresh.want(stateNotify, `{}`)
		c = fresh
	}
	talking.Wait()
	c.quiet()
}

// drain reads what the server still sends until it ends the connection, and
// returns how many lines that were.
func (c *client) drain(heard int) int {
	c.Helper()
	n := 0
	for text := range c.frames {
		if strings.Contains(text, chatNotify) {
			if want := fmt.Sprintf(`"TEXT":"line %d"`, heard+n); !strings.Contains(text, want) {
				c.Errorf("%s, want %s", text, want)
			}
			n++
		}
	}
	return n
}

// What is older than two minutes a robot does not hear, nor any alert.
func TestOldLinesAreNotReplayed(t *testing.T) {
	var mu sync.Mutex
	now := time.Now().UTC()
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	s := storetest.Open(t, storetest.Clock(func() time.Time { mu.Lock(); defer mu.Unlock(); return now }))
	h := newHouseOn(t, s)
	h.says("kim", dispatch.Line{Text: "before the first login"})
	c := h.dial()
	c.login(h.key)
	c.quiet()
	h.stop()
	h.says("kim", dispatch.Line{Text: "old"})
	pass(resumable + time.Second)
	h.says("kim", dispatch.Line{Text: "young"})
	h.start()
	h.alert(critical("disk/db07"))
	pass(time.Minute)
	c = h.dial()
	c.login(h.key)
	c.want(chatNotify, `{"PAYLOAD":{"CHAT":{"TEXT":"young"}}}`)
	c.quiet()
}

func TestWhatARobotHears(t *testing.T) {
	h := furnish(t, newStore(t))
	h.ours = func(_ *org.Org, e timeline.Entry) bool {
		m, _ := e.Payload.(timeline.Message)
		return strings.HasPrefix(m.Text, "!")
	}
	h.start()
	t.Cleanup(func() { h.stop() })
	ops := h.openRoom(room.Room{Kind: room.Public, Slug: "ops"})
	secret := h.openRoom(room.Room{Kind: room.Private, Slug: "secret"})
	otherKey, other := h.addRobot(dispatch.RobotSpec{Name: "Marvin"})
	opsKey, _ := h.addRobot(dispatch.RobotSpec{Name: "Opsbot", Room: ops.ID})
	secretKey, in := h.addRobot(dispatch.RobotSpec{Name: "Spy", Room: secret.ID})
	main, marvin, opsbot, spy := h.dial(), h.dial(), h.dial(), h.dial()
	for c, key := range map[*client]string{main: h.key, marvin: otherKey, opsbot: opsKey, spy: secretKey} {
		c.login(key)
	}
	a := h.alert(critical("disk/db07"))
	for _, c := range []*client{main, marvin} {
		c.want(alertNotify, `{}`)
		c.want(phaseNotify, `{}`)
	}
	root := h.says("kim", dispatch.Line{Text: "in the incident", Incident: a.Incident})
	h.says("lee", dispatch.Line{Text: "in its thread", Thread: root})
	h.says("lee", dispatch.Line{Text: "!deploy"})
	gone := h.says("lee", dispatch.Line{Text: "in ops", Room: ops.ID})
	h.says("ada", dispatch.Line{Text: "between us", Room: secret.ID})
	if _, err := h.dispatch.Answer(t.Context(), dispatch.Line{Text: "said the bot"}); err != nil {
		t.Fatal(err)
	}
	main.says("t1", "I am Hubot")
	opsbot.says("t2", "I am Opsbot")
	for _, c := range []*client{main, marvin} {
		c.want(chatNotify, `{"PAYLOAD":{"CHAT":{"USER_ID":"kim","TEXT":"in the incident #1","IS_ONCALL":true}}}`)
		c.want(chatNotify, `{"PAYLOAD":{"CHAT":{"USER_ID":"lee","TEXT":"in its thread #1","IS_ONCALL":false}}}`)
		c.want(chatNotify, `{"PAYLOAD":{"CHAT":{"USER_ID":"victor","TEXT":"said the bot","IS_ROBOT":true}}}`)
	}
	marvin.want(chatNotify, `{"PAYLOAD":{"CHAT":{"USER_ID":"hubot","TEXT":"I am Hubot","IS_ROBOT":true}}}`)
	opsbot.want(chatNotify, `{"PAYLOAD":{"CHAT":{"TEXT":"in ops"}}}`)
	spy.want(chatNotify, `{"PAYLOAD":{"CHAT":{"TEXT":"between us"}}}`)
	// who is taken out of a private room hears no more of it
	if _, err := h.dispatch.ChangeRoom(t.Context(), ada(), secret.ID, func(r room.Room) room.Room {
		r.Members = slices.DeleteFunc(r.Members, func(u id.User) bool { return u == in.User })
		return r
	}); err != nil {
		t.Fatal(err)
	}
	h.says("ada", dispatch.Line{Text: "now we are alone", Room: secret.ID})
	// a robot that changes its room hears the other from now on
	if _, err := h.dispatch.ChangeRobot(t.Context(), ada(), other.ID, dispatch.RobotSpec{Name: "Marvin", Room: ops.ID}); err != nil {
		t.Fatal(err)
	}
	h.says("lee", dispatch.Line{Text: "welcome", Room: ops.ID})
	marvin.want(chatNotify, `{"PAYLOAD":{"CHAT":{"TEXT":"welcome"}}}`)
	opsbot.want(chatNotify, `{"PAYLOAD":{"CHAT":{"TEXT":"welcome"}}}`)
	if err := h.dispatch.Edit(t.Context(), person("lee"), gone, "edited"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client{main, marvin, opsbot, spy} {
		c.quiet()
	}
}

func TestDutyAndPresence(t *testing.T) {
	h := newHouse(t)
	c := h.dial()
	c.login(h.key)
	h.come("lee", "one", false)
	c.want(stateNotify, `{"PAYLOAD":{"USER_STATUS_LIST":[{"USER_ID":"lee","STATUS":"AWAY","LAST_ACTIVITY":"*"}],"ONCALL_LIST":[{"USER_ID":"kim"}]}}`)
	h.come("lee", "two", true)
	c.want(stateNotify, `{"PAYLOAD":{"USER_STATUS_LIST":[{"USER_ID":"lee","STATUS":"ONLINE"}]}}`)
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rota := o.Rotations["r1"]
	rota.Layers = slices.Clone(rota.Layers)
	rota.Layers[0].Members = []id.User{"lee"}
	h.change(org.Put(rota))
	c.want(stateNotify, `{"PAYLOAD":{"USER_STATUS_LIST":[{"USER_ID":"lee"}],"ONCALL_LIST":[{"USER_ID":"lee","TEAM":"database"}]}}`)
}

// come opens a page of somebody.
func (h *house) come(u id.User, session string, active bool) {
	h.Helper()
	if err := h.store.SetPresences(h.Context(), []store.Presence{{Session: session, Person: u, Device: "browser", Active: active}}); err != nil {
		h.Fatal(err)
	}
}

// Presence alone is told once in a while, however people come and go.
func TestPresenceIsRationed(t *testing.T) {
	h := furnish(t, newStore(t))
	h.pace.look, h.pace.presence = time.Millisecond, time.Hour
	h.start()
	t.Cleanup(func() { h.stop() })
	c := h.dial()
	c.login(h.key)
	h.come("lee", "one", true)
	h.change(org.Put(people.Team{ID: "dba", Slug: "dba", Name: "Databases"})) // looks again, and the duty has another name
	c.want(stateNotify, `{"PAYLOAD":{"USER_STATUS_LIST":[{"USER_ID":"lee"}],"ONCALL_LIST":[{"USER_ID":"kim","TEAM":"dba"}]}}`)
	h.come("ada", "two", true)
	c.quiet()
}

func (h *house) openRoom(r room.Room) room.Room {
	h.Helper()
	made, err := h.dispatch.OpenRoom(h.Context(), ada(), r)
	if err != nil {
		h.Fatal(err)
	}
	return made
}

// A private room opens to a robot only for somebody who is in it.
func TestNobodyBringsARobotWhereTheyAreNot(t *testing.T) {
	h := newHouse(t)
	secret := h.openRoom(room.Room{Kind: room.Private, Slug: "secret"})
	stranger := people.Actor{User: "lee", Name: "Lee", Role: people.Admin, Origin: timeline.Browser}
	if _, _, err := h.dispatch.AddRobot(t.Context(), stranger, dispatch.RobotSpec{Name: "Spy", Room: secret.ID}); err == nil {
		t.Error("an administrator who is not in a private room puts a robot into it")
	}
	if _, err := h.dispatch.ChangeRobot(t.Context(), stranger, h.robot.ID, dispatch.RobotSpec{Name: "Hubot", Room: secret.ID}); err == nil {
		t.Error("or moves one there")
	}
	if head, err := h.store.Entries(t.Context(), store.EntryFilter{Rooms: []id.Room{secret.ID}}); err != nil || len(head) != 1 {
		t.Errorf("the room tells %d things (%v), want its opening", len(head), err)
	}
}

// A robot that was taken out of its room is told of once, and stays connected.
func TestARobotOutsideItsRoom(t *testing.T) {
	h := newHouse(t)
	secret := h.openRoom(room.Room{Kind: room.Private, Slug: "secret"})
	by := people.Actor{User: secret.Members[0], Name: "Ada", Role: people.Admin, Origin: timeline.Browser}
	if _, err := h.dispatch.ChangeRobot(t.Context(), by, h.robot.ID, dispatch.RobotSpec{Name: "Hubot", Room: secret.ID}); err != nil {
		t.Fatal(err)
	}
	c := h.dial()
	c.login(h.key)
	if _, err := h.dispatch.ChangeRoom(t.Context(), by, secret.ID, func(r room.Room) room.Room {
		r.Members = secret.Members
		return r
	}); err != nil {
		t.Fatal(err)
	}
	c.says("one", "hello?")
	c.says("two", "anybody?")
	c.quiet() // an answer to a ping
	h.stop()
	if n := strings.Count(h.log.String(), "cannot speak in its room any more"); n != 1 {
		t.Errorf("it is told %d times:\n%s", n, h.log)
	}
}
