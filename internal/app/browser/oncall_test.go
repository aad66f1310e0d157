package browser

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"

	"github.com/watchroom/watchroom/internal/oncall"
)

// calendar opens the calendar and waits until it hears of changes.
func (tb *tab) calendar(path string) {
	tb.Helper()
	tb.open(path)
	tb.until(`"follows" in document.body.dataset`)
}

// onCallTaken: a colleague takes the duty with one click and hands it back, and
// everybody with the page open sees it.
func onCallTaken(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	noor, kim := h.enter(chromium, "noor"), h.enter(chromium, "kim")
	noor.calendar("/oncall")
	kim.calendar("/oncall")
	noor.click("a.bar", "Kim")
	noor.sees("#dialogue-title", "Kim Okafor in Primary")
	noor.click("#dialogue button", "Take on-call now")
	noor.sees(".toast", "You are on call in Primary")
	kim.until(`document.querySelector(".bar-override")?.ariaLabel.includes("Noor Haddad instead of Kim Okafor")`)
	if on := h.org().OnCall("primary", time.Now()); len(on) != 1 || on[0].User != "noor" {
		t.Errorf("on call are %+v, want Noor", on)
	}
	kim.click(".bar-override", "")
	kim.click("#dialogue button", "Hand back")
	kim.sees(".toast", "Handed back")
	if on := h.org().OnCall("primary", time.Now().Add(time.Second)); len(on) != 1 || on[0].User != "kim" {
		t.Errorf("on call are %+v, want Kim again", on)
	}
	noor.calm()
	kim.calm()
}

// onCallDragged: a drag across a row asks for an override with its preview; the
// keyboard does the same by the button.
func onCallDragged(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	ada := h.enter(chromium, "ada")
	ada.calendar("/oncall?from=" + time.Now().AddDate(0, 0, 7).Format(time.DateOnly))
	ada.sees("[data-cal-track] a.bar", "Kim")
	row := value[[]float64](ada, `(() => { const r = document.querySelector("[data-cal-track]").getBoundingClientRect(); return [r.left, r.top + r.height / 2, r.width]; })()`)
	mouse := func(kind input.DispatchMouseEventType, share float64) {
		call(ada, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: row[0] + share*row[2], Y: row[1], Button: input.MouseButtonLeft, Buttons: 1, ClickCount: 1})
	}
	mouse(input.DispatchMouseEventTypeMousePressed, 2.0/7)
	mouse(input.DispatchMouseEventTypeMouseMoved, 2.5/7)
	mouse(input.DispatchMouseEventTypeMouseMoved, 3.0/7)
	ada.sees(".cal-pick", "Wed")
	mouse(input.DispatchMouseEventTypeMouseReleased, 3.0/7)
	ada.sees("#change-preview", "Ada Winter")
	ada.sees("#change-preview", "24 hours")
	ada.fill("#f-user", "Noor Haddad")
	ada.sees("#change-preview", "Noor Haddad")
	ada.click("#dialogue button", "Save override")
	ada.sees(".toast", "Noor Haddad stands in for Primary")
	ada.sees(".bar-override", "Noor Haddad")
	for _, v := range h.org().Overrides {
		if v.User != "noor" || v.Kind != oncall.Planned || v.End.Sub(v.Start) != 24*time.Hour {
			t.Errorf("the override is %+v", v)
		}
	}
	ada.calm()

	value[bool](ada, `(document.querySelector("a[href='/oncall/override']").focus(), true)`)
	ada.press("\r")
	ada.sees("#dialogue-title", "Add override")
	ada.press("\x1b")
	ada.misses("#dialogue", "")
	ada.calm()
}
