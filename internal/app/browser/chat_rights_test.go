package browser

import (
	"context"
	"fmt"
	"testing"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/room"
)

// refused sends requests as a script of the page would, with the session of
// who sits there, and wants each to be refused.
func (tb *tab) refused(want int, requests ...string) {
	tb.Helper()
	for _, r := range requests {
		var method, path, body string
		if _, err := fmt.Sscanf(r, "%s %s %s", &method, &path, &body); err != nil && path == "" {
			tb.Fatalf("%q: %v", r, err)
		}
		init := `{method: ` + quote(method) + `, headers: {"HX-Request": "true"}, redirect: "manual"}`
		if method == "POST" {
			init = `{method: "POST", headers: {"HX-Request": "true"}, body: new URLSearchParams(` + quote(body) + `)}`
		}
		status, err := promise[int](tb, `fetch(`+quote(path)+`, `+init+`).then((a) => a.status)`)
		if err != nil {
			tb.Fatalf("%s: %v", r, err)
		}
		if status != want {
			tb.Errorf("%s answers %d, want %d", r, status, want)
		}
	}
}

// chatOnlooker: who may only read sees no tool and no button of a room, and
// what the page does not offer the server does not do; who is not in a private
// room finds nothing of what was asked for there; what is an administrator's
// is closed to everybody else.
func chatOnlooker(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.rules("require approval(database, peer) for incident.resolve")
	h.page("CRITICAL", "db07/disk")
	r := h.room("kim", room.Public, "ops", "ada", "noor", "olga")
	plans := h.room("kim", room.Private, "plans", "ada")
	line := h.tell("kim", r.ID, "who looks at #1?")
	olga := h.enter(chromium, "olga")
	olga.open("/rooms/ops")
	olga.live()
	olga.sees("[data-message]", "who looks at")
	h.tell("kim", r.ID, "!resolve 1")
	olga.sees(".by-bot .doc-status", "Waiting")
	olga.misses(".doc-actions button", "")
	olga.misses("#composer", "")
	olga.sees(".read-only", "You can read here")
	value[bool](olga, `(all("[data-message]").at(-1).dispatchEvent(new PointerEvent("pointerover", {bubbles: true, pointerType: "mouse"})), true)`)
	olga.misses("[data-tools]", "")
	newAuditor(olga, "observer").look("chat")
	token := value[string](olga, `document.querySelector(".doc-actions form").getAttribute("action")`)
	job := h.last("resolve")
	olga.refused(403,
		"POST /rooms/ops/messages text=hello", fmt.Sprintf("POST /messages/%d/react emoji=👍", line), fmt.Sprintf("POST /messages/%d/pin x=1", line),
		fmt.Sprintf("POST /messages/%d/edit text=mine", line), fmt.Sprintf("POST /messages/%d/delete x=1", line), fmt.Sprintf("POST /messages/%d/link incident=1", line),
		"POST "+token+" x=1", fmt.Sprintf("POST /jobs/%d/approve x=1", job.Number), fmt.Sprintf("POST /jobs/%d/cancel x=1", job.Number),
		"POST /files x=1", "POST /rooms name=mine", "GET /settings/robots", "POST /settings/robots name=mine",
	)
	// Alone with the bot they are answered, and only what looks is done.
	olga.open("/rooms/@victor")
	olga.live()
	olga.misses("[data-attach]", "")
	olga.presses("Show me around")
	olga.sees(".by-bot", "who is on call")
	olga.write("#composer", "incident show 1")
	olga.sees(".by-bot .doc", "db07/disk")
	olga.misses(".by-bot .doc-actions button", "Acknowledge")
	olga.write("#composer", "resolve 1")
	olga.sees(".by-bot .doc-status", "Refused")
	newAuditor(olga, "observer").look("bot", "403")
	olga.open("/commands?line=resolve+1")
	olga.sees("main .notice", "")
	olga.misses("main select[name=as]", "")
	olga.open(fmt.Sprintf("/jobs/%d", job.Number))
	olga.sees("h1", "")
	olga.misses("main form[action*='/jobs/'] button", "")

	// What is asked for in a private room.
	h.tell("kim", plans.ID, "!incident note 1 the xylophone")
	noor := h.enter(chromium, "noor")
	noor.waitFor("the note is written", func() bool { return h.last("incident.note").State.Over() })
	secret := h.last("incident.note")
	noor.open("/jobs")
	noor.sees("main tr", "resolve")
	noor.misses("main", "xylophone")
	noor.refused(404, fmt.Sprintf("GET /jobs/%d", secret.Number), fmt.Sprintf("POST /jobs/%d/again x=1", secret.Number), fmt.Sprintf("POST /jobs/%d/cancel x=1", secret.Number))
	noor.refused(403, "GET /settings/robots", "GET /settings/tokens", "POST /settings/robots name=mine")
	noor.open("/commands")
	noor.misses("main select[name=as]", "")
	for _, e := range h.entries() {
		if e.Actor.User == "olga" && e.Room != room.DirectOf("olga", room.Bot) || e.Actor.User == "noor" {
			t.Errorf("entry %d is by %s: %s", e.Seq, e.Actor.Name, e.Kind)
		}
	}
	if got := h.incident(1).State; got != incident.Triggered {
		t.Errorf("the incident is %s", got)
	}
	m, err := h.app.Store.Message(t.Context(), line)
	if err != nil || !m.PinnedAt.IsZero() || !m.DeletedAt.IsZero() || len(m.Reactions) != 0 {
		t.Errorf("the line was touched: %+v, %v", m, err)
	}
	olga.calm("403")
	noor.calm("403", "404")
}

// chatRobot: an administrator makes the key of a robot, and gets the lines that
// start it; what the robot says is marked as a robot's, what it says is no
// command, and nobody can edit it.
func chatRobot(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.page("CRITICAL", "db07/disk")
	r := h.room("ada", room.Public, "ops", "kim")
	ada, kim := h.enter(chromium, "ada"), h.enter(chromium, "kim")
	kim.open("/rooms/ops")
	kim.live()
	ada.open("/settings/robots")
	ada.fill("main [name=name]", "Hubot")
	ada.fill("main [name=room]", string(r.ID))
	ada.click("main form button", "Create")
	ada.sees("main pre", "HUBOT_VICTOROPS_URL="+dispatch.RobotURL(h.url))
	ada.sees("main pre", "--adapter victorops")
	newAuditor(ada, "chat").look("robot-key")
	ada.media("light", wide)
	key := value[string](ada, `document.querySelector("#robot-key").value`)
	hubot := h.hubot(key)
	kim.write("#composer", "hubot ping")
	hubot.hears("hubot ping")
	hubot.says("PONG, **everybody**")
	kim.sees(".msg.by-robot", "PONG")
	kim.sees(".msg.by-robot .tag", "Robot")
	kim.sees(".msg.by-robot .entry-who", "Hubot")
	hubot.says("!ack 1")
	kim.sees(".msg.by-robot", "!ack 1")
	kim.write("#composer", "!oncall") // what the bot hears after it
	kim.sees(".msg.by-bot", "Kim Okafor")
	if got := h.incident(1).State; got != incident.Triggered {
		t.Errorf("a robot's line made the incident %s", got)
	}
	kim.tools("PONG")
	kim.misses("[data-tools] [data-tool=edit]", "")
	newAuditor(kim, "chat").look("robot")
	ada.open("/settings/robots")
	ada.sees("main tr", "connected")
	ada.sees("main tr", "!ack 1")
	newAuditor(ada, "chat").look("robots")
	ada.calm()
	kim.calm()
}
