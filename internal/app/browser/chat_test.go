package browser

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/timeline"
)

// room makes a room past the browsers.
func (h *house) room(by id.User, kind room.Kind, slug string, members ...id.User) room.Room {
	h.Helper()
	r, err := h.app.Dispatch.OpenRoom(h.Context(), h.actor(by), room.Room{Kind: kind, Slug: slug, Members: members})
	if err != nil {
		h.Fatalf("OpenRoom: %v", err)
	}
	return r
}

// tell says a line in a room past the browsers.
func (h *house) tell(by id.User, in id.Room, text string) id.Seq {
	h.Helper()
	seq, err := h.app.Dispatch.Say(h.Context(), h.actor(by), dispatch.Line{Room: in, Text: text})
	if err != nil {
		h.Fatalf("Say: %v", err)
	}
	return seq
}

// write sends a line with the keyboard.
func (tb *tab) write(box, text string) {
	tb.Helper()
	tb.fill(box, text)
	tb.press("\r")
}

// tools moves the pointer over the message with this text and waits for its buttons.
func (tb *tab) tools(text string) {
	tb.Helper()
	tb.until(fmt.Sprintf(`(() => {
		const m = all("[data-message]", %s).at(-1);
		if (!m) return false;
		m.dispatchEvent(new PointerEvent("pointerover", {bubbles: true, pointerType: "mouse"}));
		return Boolean(m.querySelector("[data-tools]"));
	})()`, quote(text)))
}

// chatTogether: two people in a room of their own; everything that one does to a
// message the other sees at once.
func chatTogether(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.page("CRITICAL", "db07/disk")
	ada, kim := h.enter(chromium, "ada"), h.enter(chromium, "kim")
	kim.open("/")
	kim.live()
	ada.open("/rooms/new")
	ada.fill("[name=name]", "ops")
	ada.fill("[name=topic]", "What breaks")
	ada.click("label.check", "Kim Okafor")
	ada.click("form button", "Make the room")
	ada.at("/rooms/ops")
	ada.live()
	kim.sees("[data-rooms] .room-link", "ops")

	ada.write("#composer", "**hello** @kim see #1")
	ada.sees("[data-message] strong", "hello")
	kim.until(`document.querySelector('[data-rooms] a[href="/rooms/ops"]').dataset.mentions === "1"`)
	kim.until(`Number(document.title.match(/^\((\d+)\)/)?.[1]) >= 2`) // the incident and the call; the bot may have written, too
	kim.click("[data-rooms] .room-link", "ops")
	kim.at("/rooms/ops")
	kim.live()
	kim.sees(".calls-me .mention-me", "@kim")
	kim.sees(".incident-ref[data-state=triggered]", "#1")
	kim.until(`document.querySelector('[data-rooms] a[href="/rooms/ops"]').dataset.unread === "0"`)

	kim.fill("#composer", "on it")
	ada.sees("[data-typing]", "Kim Okafor is typing")
	kim.press("\r")
	ada.sees("[data-message]", "on it")
	ada.misses("[data-typing]", "typing")
	kim.until(`!document.querySelector("[data-pending]")`)

	// The arrow takes back the last own line; its history stays.
	kim.click("#composer", "")
	call(kim, keyCommand, keyEvent("ArrowUp"))
	kim.sees("[data-edit-text]", "")
	kim.press(" now")
	kim.press("\r")
	ada.sees("[data-message]", "on it now")
	ada.click("[data-history]", "edited")
	ada.sees("#history", "on it")
	ada.press("\x1b")

	ada.tools("on it now")
	ada.click("[data-tools] [data-tool=react]", "")
	ada.click(".emoji-one", "👍")
	kim.sees(".react", "👍")
	ada.until(`document.querySelector(".react[data-users]")?.getAttribute("aria-pressed") === "true"`)
	kim.click(".react", "👍")
	ada.sees(".react", "2")
	kim.until(`document.querySelector(".react[data-users]").getAttribute("aria-pressed") === "true"`)
	kim.click(".react", "👍")
	ada.until(`document.querySelector(".react[data-users] .num").textContent === "1"`)

	ada.tools("on it now")
	ada.click("[data-tools] summary", "")
	ada.click("[data-tool=pin]", "")
	kim.sees(".msg.is-pinned", "on it now")
	kim.open("/rooms/ops/about?tab=pins")
	kim.sees(".panel-pins", "on it now")

	h.tell("kim", h.slug("ops"), "a mistake")
	for _, undone := range []bool{true, false} {
		kim.tools("a mistake")
		kim.click("[data-tools] summary", "")
		kim.click("[data-tool=delete]", "")
		if undone {
			kim.click(".toast-act", "Undo")
			kim.until(`!document.querySelector(".is-leaving")`)
		}
	}
	ada.sees(".msg.is-deleted", "deleted")
	ada.misses(".msg", "a mistake")
	ada.calm()
	kim.calm()
}

// slug is the id of a room by its name.
func (h *house) slug(name string) id.Room {
	h.Helper()
	r, ok := h.org().RoomNamed(name)
	if !ok {
		h.Fatalf("there is no room %s", name)
	}
	return r.ID
}

// chatThread: an answer stands in its thread and not in the room, which says how
// many there are.
func chatThread(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	r := h.room("ada", room.Public, "ops", "kim")
	root := h.tell("ada", r.ID, "shall we move on Tuesday?")
	ada, kim := h.enter(chromium, "ada"), h.enter(chromium, "kim")
	ada.open("/rooms/ops")
	ada.live()
	kim.open("/rooms/ops")
	kim.live()
	kim.tools("Tuesday")
	kim.click("[data-tools] [data-tool=thread]", "")
	kim.sees("[data-side-panel] .thread-root", "Tuesday")
	kim.at(fmt.Sprintf("/threads/%d", root))
	kim.write("#composer-thread", "Wednesday is better")
	kim.sees("[data-side-panel] [data-message]", "Wednesday")
	ada.sees(".thread-foot", "1 reply")
	ada.misses(".pane-timeline [data-message]", "Wednesday")
	ada.click(".thread-foot", "1 reply")
	ada.sees("[data-side-panel] [data-message]", "Wednesday")
	kim.write("#composer-thread", "or Thursday")
	ada.sees("[data-side-panel] [data-message]", "Thursday")
	ada.sees(".thread-foot", "2 replies")
	ada.click("[data-panel-close]", "")
	ada.at("/rooms/ops")
	ada.misses("[data-side-panel]", "")

	ada.open(fmt.Sprintf("/threads/%d", root)) // its own address
	ada.sees("[data-side-panel] [data-message]", "Thursday")
	ada.calm()
	kim.calm()
}

// chatPaste: a screenshot that is pasted is uploaded, sent, and seen by the other.
func chatPaste(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	r := h.room("ada", room.Private, "ops", "kim")
	ada, kim := h.enter(chromium, "ada"), h.enter(chromium, "kim")
	for _, tb := range []*tab{ada, kim} {
		tb.open("/rooms/" + r.Slug)
		tb.live()
	}
	ada.click("#composer", "")
	value[bool](ada, `(() => {
		const canvas = document.createElement("canvas");
		canvas.width = 640; canvas.height = 360;
		canvas.getContext("2d").fillRect(20, 20, 300, 200);
		canvas.toBlob((blob) => {
			const data = new DataTransfer();
			data.items.add(new File([blob], "image.png", {type: "image/png"}));
			document.querySelector("#composer").dispatchEvent(new ClipboardEvent("paste", {bubbles: true, cancelable: true, clipboardData: data}));
		});
		return true;
	})()`)
	ada.sees(".upload.is-ready", "screenshot-")
	ada.write("#composer", "look at this")
	kim.sees("[data-message]", "look at this")
	kim.until(`all(".msg-image img").some((i) => i.complete && i.naturalWidth > 0)`)
	kim.open("/rooms/" + r.Slug + "/about?tab=files")
	kim.sees(".file-list", "screenshot-")

	files, err := h.app.Store.RoomFiles(t.Context(), r.ID, 10)
	if err != nil || len(files) != 1 {
		t.Fatalf("RoomFiles = %v, %v, want the screenshot", files, err)
	}
	noor := h.enter(chromium, "noor")
	noor.open("/files/" + string(files[0].ID)) // not in the room
	noor.calm("404")
	if status := value[int](kim, `performance.getEntriesByType("resource").filter((e) => e.name.includes("/files/")).at(-1)?.responseStatus ?? 200`); status != http.StatusOK {
		t.Errorf("a member gets %d for the file", status)
	}
	ada.calm()
	kim.calm()
}

// chatUnread: who comes back sees where they stopped, and reading takes the mark away.
func chatUnread(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	r := h.room("ada", room.Public, "ops", "kim")
	h.tell("ada", r.ID, "the first line")
	kim := h.enter(chromium, "kim")
	kim.open("/rooms/ops")
	kim.live()
	kim.sees("[data-message]", "the first line")
	kim.waitFor("the room is read", func() bool {
		marks, err := h.app.Store.Marks(t.Context(), "kim")
		return err == nil && marks[r.ID] > 0
	})
	kim.open("/incidents")
	for i := range 3 {
		h.tell("ada", r.ID, fmt.Sprintf("meanwhile %d", i))
	}
	kim.open("/")
	kim.until(`document.querySelector('[data-rooms] a[href="/rooms/ops"] [data-badge-count]').textContent === "3"`)
	kim.open("/rooms/ops")
	kim.sees("[data-new-mark]", "New")
	kim.until(`document.querySelector("[data-new-mark]").nextElementSibling.textContent.includes("meanwhile 0")`)
	kim.waitFor("the room is read", func() bool {
		unread, err := h.app.Store.Unread(t.Context(), "kim", []id.Room{r.ID})
		return err == nil && unread[r.ID].Count == 0
	})
	kim.until(`document.querySelector('[data-rooms] a[href="/rooms/ops"]').dataset.unread === "0"`)
	kim.open("/rooms/ops")
	kim.sees("[data-message]", "meanwhile 2")
	kim.misses("[data-new-mark]", "")
	kim.calm()
}

// chatDraft: what is not sent yet survives a reload, each room's its own.
func chatDraft(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.room("ada", room.Public, "ops")
	h.room("ada", room.Public, "shop")
	ada := h.enter(chromium, "ada")
	ada.open("/rooms/ops")
	ada.fill("#composer", "half a thought")
	ada.open("/rooms/shop")
	ada.until(`document.querySelector("#composer").value === ""`)
	ada.open("/rooms/ops")
	ada.until(`document.querySelector("#composer").value === "half a thought"`)
	ada.live()
	ada.click("#composer", "")
	ada.press("\r")
	ada.sees("[data-message]", "half a thought")
	ada.open("/rooms/ops")
	ada.until(`document.querySelector("#composer").value === ""`)

	// Completion: a name, and a jump to another room.
	ada.fill("#composer", "ask @ki")
	ada.sees(".candidate", "@kim")
	ada.press("\t")
	ada.until(`document.querySelector("#composer").value === "ask @kim "`)
	ada.fill("#composer", "!wh")
	ada.sees(".candidate", "whoami")
	ada.press("oami\r") // faster than what is offered: the line goes as it was typed
	ada.sees("[data-message]", "!whoami")
	ada.until(`all("[data-message]", "!whoami").every((m) => squeeze(m.querySelector("[data-text]").textContent) === "!whoami")`)
	value[bool](ada, `(document.dispatchEvent(new KeyboardEvent("keydown", {key: "k", ctrlKey: true, bubbles: true, cancelable: true})), true)`)
	ada.sees("#jump", "")
	ada.press("sho")
	ada.sees(".jump-item[aria-selected=true]", "shop")
	ada.press("\r")
	ada.at("/rooms/shop")
	ada.calm()
}

// chatPrivate: to everybody else a private room is not there: not by its
// address, not in a list, not in a search, not in a stream, not for an
// administrator.
func chatPrivate(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	r := h.room("kim", room.Private, "plans", "noor")
	seq := h.tell("kim", r.ID, "the xylophone plan")
	direct := h.tell("kim", room.DirectOf("kim", "noor"), "psst xylophone")
	noor, ada := h.enter(chromium, "noor"), h.enter(chromium, "ada")
	noor.open("/search?q=xylophone")
	noor.sees(".hit mark", "xylophone")
	noor.until(`all(".hit").length === 2`)
	noor.calm()

	for _, path := range []string{"/rooms/plans", "/rooms/" + string(r.ID), "/rooms/plans/about", fmt.Sprintf("/threads/%d", seq), fmt.Sprintf("/messages/%d", seq), fmt.Sprintf("/messages/%d/source", direct), "/rooms/" + string(room.DirectOf("kim", "noor"))} {
		ada.open(path)
		ada.misses("body", "xylophone")
		ada.calm("404")
	}
	ada.open("/search?q=xylophone")
	ada.sees(".empty", "Nothing found")
	ada.open("/rooms")
	ada.misses("main", "plans")
	ada.open("/")
	ada.live()
	value[bool](ada, `(window.heard = [], new EventSource("/timeline/stream?room=`+string(r.ID)+`"), window.source = new EventSource("/timeline/stream"), ["entry", "message", "unread", "rooms"].forEach((n) => source.addEventListener(n, (e) => heard.push(n + e.data))), true)`)
	ada.until(`window.source.readyState === 1`)
	h.tell("kim", r.ID, "more about the xylophone")
	h.say("kim", "an open word")
	ada.until(`heard.some((e) => e.includes("an open word"))`)
	if all := value[string](ada, `heard.join()`); strings.Contains(all, "xylophone") || strings.Contains(all, string(r.ID)) {
		t.Errorf("the stream of somebody else carries a private room: %s", all)
	}
	ada.calm("404")
	for _, e := range h.entries() {
		if e.Kind == timeline.MessagePosted && strings.Contains(fmt.Sprint(e.Payload), "xylophone") {
			t.Error("a private line stands in the organisation's timeline")
		}
	}
}

// chatPages: axe and the phone on everything that is new.
func chatPages(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.page("CRITICAL", "db07/disk")
	r := h.room("ada", room.Public, "ops", "kim", "noor")
	h.room("ada", room.Private, "post-mortems", "kim")
	root := h.tell("ada", r.ID, "Tonight **22:00**:\n\n- [x] snapshot\n- [ ] DNS\n\n| host | p99 |\n|---|--:|\n| edge01 | 80 ms |\n\n```go\nfmt.Println(\"hello\")\n```")
	h.tell("ada", r.ID, "and #1, @kim")
	h.tell("kim", r.ID, "> tonight\n\nI am there :tada:")
	h.tell("kim", room.DirectOf("kim", "ada"), "do you have a minute?")
	if err := h.app.Dispatch.React(t.Context(), h.actor("kim"), root, "👍", true); err != nil {
		t.Fatal(err)
	}
	if err := h.app.Dispatch.Pin(t.Context(), h.actor("kim"), root, true); err != nil {
		t.Fatal(err)
	}
	if _, err := h.app.Dispatch.Say(t.Context(), h.actor("noor"), dispatch.Line{Room: r.ID, Thread: root, Text: "who does the DNS?"}); err != nil {
		t.Fatal(err)
	}
	h.tell("ada", r.ID, "!incident note 1 "+strings.Repeat("unbreakable", 15))
	a := newAuditor(h.enter(chromium, "ada"), "chat")
	a.waitFor("the note is written", func() bool { return h.last("incident.note").State.Over() })
	a.page("job-long", fmt.Sprintf("/jobs/%d", h.last("incident.note").Number))
	a.page("jobs-long", "/jobs")
	a.page("room", "/rooms/ops")
	a.page("thread", fmt.Sprintf("/threads/%d", root))
	a.page("about", "/rooms/ops/about")
	a.page("pins", "/rooms/ops/about?tab=pins")
	a.page("files", "/rooms/ops/about?tab=files")
	a.page("direct", "/rooms/@kim")
	a.page("bot", "/rooms/@victor")
	a.page("list", "/?pane=people")
	a.page("browse", "/rooms")
	a.page("new", "/rooms/new")
	a.page("new-direct", "/rooms/new?kind=direct")
	a.page("message", fmt.Sprintf("/messages/%d", root))
	a.page("search", "/search")
	a.page("search-found", "/search?q=tonight")
	a.page("search-none", "/search?q=nothinglikethis")
	a.page("incident", "/incidents/1")

	a.media("light", wide)
	a.open("/rooms/ops")
	a.live()
	a.tools("I am there")
	a.look("tools")
	a.media("light", wide)
	a.open("/rooms/ops")
	a.live()
	a.click("[data-emoji]", "")
	a.sees(".emoji-one", "")
	a.look("emoji")
	a.media("light", wide)
	a.open("/rooms/ops")
	a.click("[data-format-help]", "")
	a.look("format")
	a.media("light", wide)
	a.open("/rooms/ops")
	a.live()
	a.fill("#composer", "@")
	a.sees(".candidate", "")
	a.look("candidates")
	a.media("light", wide)
	a.open("/rooms/ops")
	a.click("[data-jump-open]", "")
	a.sees(".jump-item", "")
	a.look("jump")
}
