package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/room"
)

// badge waits until a room's mark shows a number; "": there is no mark.
func (tb *tab) badge(room, want string) {
	tb.Helper()
	tb.until(fmt.Sprintf(`(() => {
		const badge = document.querySelector('[data-rooms] a[href="/rooms/%s"] [data-badge]');
		return (badge.hidden ? "" : badge.querySelector("[data-badge-count]").textContent) === %s;
	})()`, room, quote(want)))
}

// chatBack: two people come back to a room in which much was said. Each has
// their own count, is led to where they stopped, and can make it unread again
// from a line on, for themselves alone. What floats over the stream does not
// change its height, and a storm is not read out line by line.
func chatBack(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	r := h.room("ada", room.Public, "ops", "kim", "noor")
	h.tell("ada", r.ID, "the beginning")
	kim, noor := h.enter(chromium, "kim"), h.enter(chromium, "noor")
	read := func(user id.User) {
		t.Helper()
		kim.waitFor(string(user)+" has read the room", func() bool {
			unread, err := h.app.Store.Unread(t.Context(), user, []id.Room{r.ID})
			return err == nil && unread[r.ID].Count == 0
		})
	}
	for _, tb := range []*tab{kim, noor} {
		tb.open("/rooms/ops")
		tb.live()
	}
	read("kim")
	read("noor")
	kim.open("/incidents")
	for i := range 70 { // more than a page brings
		h.tell("ada", r.ID, fmt.Sprintf("meanwhile %d %s", i, strings.Repeat("owl ", i%5)))
	}
	noor.until(`/new entries$/.test(document.querySelector("[data-announce]").textContent)`)
	read("noor") // who looked on
	noor.badge("ops", "")
	kim.open("/")
	kim.live()
	kim.badge("ops", "70")
	kim.open("/rooms/ops")
	kim.live()
	kim.sees("[data-first-unread]", "70 messages you have not read")
	kim.click("[data-first-unread]", "")
	kim.until(`document.querySelector("[data-new-mark]")?.nextElementSibling.textContent.includes("meanwhile 0")`)
	kim.until(`(() => { const a = document.querySelector("[data-new-mark]").getBoundingClientRect(), s = document.querySelector("[data-stream]").getBoundingClientRect(); return a.top >= s.top && a.bottom <= s.bottom; })()`)
	kim.misses("[data-first-unread]", "")
	kim.sees("[data-present]", "")
	height := value[int](kim, `document.querySelector("[data-stream]").clientHeight`)
	kim.click("[data-present]", "")
	kim.sees("[data-message]", "meanwhile 69")
	kim.misses("[data-present]", "")
	if got := value[int](kim, `document.querySelector("[data-stream]").clientHeight`); got != height {
		t.Errorf("the stream is %d pixels high, and %d under the way back to the present", got, height)
	}
	read("kim")
	kim.badge("ops", "")

	kim.until(`(() => { const m = all("[data-message]", "meanwhile 66").at(-1); m?.focus(); return m && document.activeElement === m; })()`)
	kim.press("u")
	kim.badge("ops", "4")
	kim.until(`document.querySelector("[data-new-mark]")?.nextElementSibling.textContent.includes("meanwhile 66")`)
	kim.open("/") // it stays so wherever one goes
	kim.live()
	kim.badge("ops", "4")
	noor.badge("ops", "")
	kim.open("/rooms/ops")
	kim.until(`document.querySelector("[data-new-mark]")?.nextElementSibling.textContent.includes("meanwhile 66")`)
	read("kim")
	kim.badge("ops", "")
	kim.calm()
	noor.calm()
}

// chatThreadTyping: that somebody types in a thread is said to who has it open,
// and not in the room.
func chatThreadTyping(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	r := h.room("ada", room.Public, "ops", "kim", "noor")
	root := h.tell("ada", r.ID, "shall we move on Tuesday?")
	ada, kim, noor := h.enter(chromium, "ada"), h.enter(chromium, "kim"), h.enter(chromium, "noor")
	for _, tb := range []*tab{ada, kim} {
		tb.open(fmt.Sprintf("/threads/%d", root))
		tb.live()
	}
	noor.open("/rooms/ops")
	noor.live()
	kim.fill("#composer-thread", "I think")
	ada.sees("[data-side-panel] [data-typing]", "Kim Okafor is typing")
	ada.until(`[...document.querySelectorAll(".pane-timeline [data-typing]")].filter((e) => !e.closest("[data-side-panel]")).every((e) => e.textContent === "")`)
	noor.fill("#composer", "lunch?")
	ada.sees(".composer [data-typing]", "Noor Haddad is typing")
	ada.until(`!document.querySelector("[data-side-panel] [data-typing]").textContent.includes("Noor")`)
	noor.misses("[data-typing]", "Kim Okafor")
	kim.press("\r")
	ada.sees("[data-side-panel] [data-message]", "I think")
	ada.misses("[data-side-panel] [data-typing]", "typing")

	// What one types into a message stays when somebody else touches it.
	h.tell("ada", r.ID, "the cache was cold")
	ada.open("/rooms/ops")
	ada.live()
	ada.click("#composer", "")
	call(ada, keyCommand, keyEvent("ArrowUp"))
	ada.sees("[data-edit-text]", "")
	ada.press(" and slow")
	noor.tools("the cache was cold")
	noor.click("[data-tools] [data-tool=react]", "")
	noor.click(".emoji-one", "👍")
	ada.until(`document.querySelector(".is-editing .react .num")?.textContent === "1"`)
	ada.press(" today\r")
	noor.sees("[data-message]", "the cache was cold and slow today")
	ada.misses(".is-editing, [data-edit-text]", "")
	ada.calm()
	kim.calm()
	noor.calm()
}

// chatFinds: what was said is found from the room in which it was said, by its
// words alone, and one is led to it; what follows a slash is offered with its
// arguments; a button that was pressed stays pressed.
func chatFinds(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.page("CRITICAL", "db07/disk")
	r := h.room("ada", room.Public, "ops", "kim")
	wanted := h.tell("ada", r.ID, "the **xylophone** is in `/srv/music`")
	for i := range 60 {
		h.tell("ada", r.ID, fmt.Sprintf("meanwhile %d", i))
	}
	kim := h.enter(chromium, "kim")
	kim.open("/rooms/ops")
	kim.live()
	kim.click(".pane-head a[href^='/search?room=']", "")
	kim.at("/search")
	kim.fill("main [name=q]", "xylo")
	kim.press("\r")
	kim.sees(".hit-text", "the xylophone is in /srv/music")
	kim.sees(".hit mark", "xylo")
	kim.click(".hit", "")
	kim.until(`document.querySelector("[data-entries] .is-found")?.textContent.includes("xylophone")`)
	kim.until(fmt.Sprintf(`(() => { const e = document.querySelector('[data-entries] [data-seq="%d"]').getBoundingClientRect(), s = document.querySelector("[data-stream]").getBoundingClientRect(); return e.top >= s.top && e.bottom <= s.bottom; })()`, wanted))

	kim.live()
	kim.fill("#composer", "/inc")
	kim.sees(".candidate", "incident")
	kim.fill("#composer", "/ack ")
	kim.sees(".candidate", "1")
	kim.press("\t")
	kim.until(`/^\/ack #?1 ?$/.test(document.querySelector("#composer").value)`)
	kim.press("\r")
	kim.sees("[data-message]", "/ack")
	for _, address := range []string{"@victor ", "victor: ", "victor, "} { // by its name as after the sign
		kim.fill("#composer", address+"unack --")
		kim.sees(".candidate", "--dry-run")
	}
	kim.fill("#composer", "")
	kim.until(`document.querySelector('[data-card="1"]')?.dataset.state === "acknowledged"`)

	kim.open("/search?q=acknowledged")
	kim.sees(".hit .avatar-bot", "") // its picture, and not its letter

	kim.open("/rooms/@victor")
	kim.live()
	kim.presses("What can you do?")
	kim.sees(".by-bot .doc-used", "What can you do?")
	kim.sees(".by-bot .doc-used", "Kim Okafor")
	kim.open(kim.where())
	kim.sees(".by-bot .doc-used", "What can you do?")
	kim.until(`all(".doc-actions button", "What can you do?").length === 0`)
	kim.sees(".doc-actions button", "Show me around") // what is beside it still works
	newAuditor(kim, "chat").look("pressed")
	kim.calm()
}
