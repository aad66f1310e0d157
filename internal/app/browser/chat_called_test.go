package browser

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
)

// keepsNotifications keeps the real notifications that a page shows where they
// can be looked at and pressed.
func (tb *tab) keepsNotifications() {
	tb.Helper()
	call(tb, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.notified = [];
		window.Notification = class extends Notification {
			constructor(title, options) { super(title, options); notified.push(this); }
		};`})
}

// leaves looks at another tab of the same window; the page is hidden then.
func (tb *tab) leaves() {
	tb.Helper()
	call(tb, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: false})
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	mine := chromedp.FromContext(tb.ctx).BrowserContextID
	if _, err := chromedp.CallBrowser(ctx, target.CreateTarget, target.CreateTargetParams{URL: "about:blank", BrowserContextID: mine}); err != nil {
		tb.Fatalf("open another tab: %v", err)
	}
	tb.until(`document.hidden && !document.hasFocus()`)
}

// returns comes back to the page.
func (tb *tab) returns() {
	tb.Helper()
	call(tb, page.BringToFront, cdp.Empty{})
	call(tb, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	tb.until(`!document.hidden && document.hasFocus()`)
}

// chatCalled: who is called while they look elsewhere is notified by the
// browser, and the notification leads there; who wants to be paged by a call is
// paged, once for each message however it calls them; in quiet hours nothing
// but the mark comes.
func chatCalled(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	r := h.room("ada", room.Public, "ops", "kim", "noor")
	kim := h.enter(chromium, "kim")
	kim.allowNotifications()
	kim.keepsNotifications()
	kim.open("/settings/profile")
	kim.fill("main [name=mentions]", string(people.HearPage))
	kim.click("main form[action$='/chat'] button", "")
	kim.sees(".toast", "")
	kim.open("/")
	kim.live()
	kim.click(".pane-timeline details[data-menu] summary", "")
	kim.click("label.menu-check", "notif")
	kim.until(`document.querySelector("[data-setting=notify]").checked`)
	kim.leaves()
	h.tell("ada", r.ID, "a quiet word")
	h.tell("ada", r.ID, "@kim @@database look at **db07**")
	kim.until(`notified.length === 1 && notified[0].title.includes("Ada Winter") && notified[0].body.includes("look at db07")`)
	h.letter("kim", "look at")
	h.tell("ada", room.DirectOf("ada", "kim"), "psst")
	kim.until(`notified.length === 2 && notified[1].body.includes("psst")`)
	if n := h.letters("kim", "look at"); n != 1 {
		t.Errorf("a message that calls kim twice paged him %d times", n)
	}
	if n := h.letters("noor", "look at"); n != 0 {
		t.Errorf("noor, who asked for nothing, was paged %d times", n)
	}
	kim.returns()
	kim.until(`document.querySelector('[data-rooms] a[href="/rooms/ops"]').dataset.mentions === "1"`)
	value[bool](kim, `(notified[0].onclick(), true)`) // a finger on it
	kim.at("/rooms/ops")
	kim.sees(".calls-me", "look at db07")

	// Noor sleeps.
	u := h.org().Users["noor"]
	noor := h.enter(chromium, "noor")
	noor.allowNotifications()
	noor.keepsNotifications()
	noor.open("/settings/profile")
	noor.fill("main [name=mentions]", string(people.HearPage))
	noor.fill("main [name=quiet_from]", "00:00")
	noor.fill("main [name=quiet_to]", "23:59")
	noor.click("main form[action$='/chat'] button", "")
	noor.sees(".toast", "")
	newAuditor(noor, "chat").look("hearing")
	noor.media("light", wide)
	noor.open("/")
	noor.live()
	value[bool](noor, `(localStorage.setItem("watchroom.notify", "1"), true)`)
	noor.leaves()
	h.tell("ada", r.ID, "@noor are you awake?")
	noor.until(`document.querySelector('[data-rooms] a[href="/rooms/ops"]').dataset.mentions !== "0"`)
	h.tell("ada", r.ID, "@kim then you")
	h.letter("kim", "then you") // what comes later is there, so hers would be
	if n := h.letters("noor", "awake"); n != 0 {
		t.Errorf("%s was paged in quiet hours %d times", u.Name, n)
	}
	if n := value[int](noor, `notified.length`); n != 0 {
		t.Errorf("%s was notified in quiet hours %d times", u.Name, n)
	}
	kim.calm()
	noor.calm()
}

// chatPresence: who is there, who has gone to lunch, what time it is for them,
// and who is on call stand beside the people and change while one looks.
func chatPresence(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	u := h.org().Users["noor"]
	u.Zone = "America/New_York"
	h.change(org.Put(u))
	h.tell("noor", room.DirectOf("ada", "noor"), "hello")
	ada := h.enter(chromium, "ada")
	ada.open("/")
	ada.live()
	state := func(user id.User, want string) {
		t.Helper()
		ada.until(`[...document.querySelectorAll('[data-presence="` + string(user) + `"]')].every((d) => d.className === ` + quote(want) + `) && document.querySelectorAll('[data-presence="` + string(user) + `"]').length > 0`)
	}
	state("noor", "presence")
	noor := h.enter(chromium, "noor")
	call(noor, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.later = 0;
		const now = Date.now;
		Date.now = () => now() + later;
		const every = setInterval;
		window.setInterval = (f, ms) => every(f, ms === 15000 ? 50 : ms);`})
	noor.open("/")
	noor.live()
	state("noor", "presence presence-online")
	ada.sees(".people .person", "Kim Okafor")
	ada.until(`document.querySelector('.room-link [data-zone-clock="America/New_York"]').textContent === new Intl.DateTimeFormat("en-GB", {timeZone: "America/New_York", hour: "2-digit", minute: "2-digit", hourCycle: "h23"}).format(new Date())`)
	value[int](noor, `(window.later = 6 * 60_000)`) // nobody has touched it for so long
	state("noor", "presence presence-away")
	noor.press("x")
	state("noor", "presence presence-online")
	phone := h.enter(chromium, "noor")
	phone.media("light", narrow)
	phone.open("/rooms/@ada")
	phone.live()
	value[int](noor, `(window.later = 12 * 60_000)`) // the liveliest device counts
	phone.press("y")
	noor.waitFor("the first window is away", func() bool {
		there, err := h.app.Store.Present(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		away := 0
		for _, p := range there {
			if p.Person == "noor" && !p.Active {
				away++
			}
		}
		return away == 1
	})
	state("noor", "presence presence-online")
	newAuditor(ada, "chat").look("presence")
	ada.calm()
	noor.calm()
	phone.calm()
}
