package browser

import (
	"context"
	"fmt"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
)

// keys: a night can be got through without a mouse.
func keys(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	for i := range 3 {
		h.page("CRITICAL", fmt.Sprintf("db%02d/disk", i+1))
	}
	ada := h.enter(chromium, "ada")
	ada.open("/")
	ada.live()
	ada.sees("#i-3", "")
	focused := func(want string) {
		t.Helper()
		ada.until(`(document.activeElement?.dataset.card ?? document.activeElement?.name ?? "") === ` + quote(want))
	}
	state := func(n id.Incident, want incident.State) {
		t.Helper()
		ada.until(fmt.Sprintf(`document.querySelector("#i-%d").dataset.state === %q`, n, want))
		if got := h.incident(n).State; got != want {
			t.Errorf("incident %d is %s, want %s", n, got, want)
		}
	}
	cards := value[[]string](ada, `all("[data-list=triggered] [data-card]").map((e) => e.dataset.card)`)
	ada.press("j")
	focused(cards[0])
	ada.press("j")
	focused(cards[1])
	ada.press("k")
	focused(cards[0])
	ada.press("j")
	focused(cards[1])
	var second id.Incident
	if _, err := fmt.Sscan(cards[1], (*int64)(&second)); err != nil {
		t.Fatal(err)
	}
	ada.press("a")
	state(second, incident.Acknowledged)
	// No other card takes its place: the next key belongs to what was chosen.
	ada.until(`!document.activeElement.closest("[data-card]")`)
	ada.press("r")
	state(second, incident.Resolved)
	ada.press("j")
	focused(cards[2])
	ada.press("k")
	focused(cards[0])
	var first id.Incident
	if _, err := fmt.Sscan(cards[0], (*int64)(&first)); err != nil {
		t.Fatal(err)
	}
	state(first, incident.Triggered)
	ada.press("r")
	state(first, incident.Resolved)

	// Letters that are typed are letters.
	ada.press("n")
	focused("text")
	ada.press("gargj?n/")
	ada.until(`document.querySelector("#composer").value === "gargj?n/"`)
	ada.misses("#help", "")
	ada.press("\x1b")
	ada.until(`document.activeElement === document.body`)
	ada.press("/")
	focused("q")
	ada.press("ra?")
	ada.until(`document.activeElement.value === "ra?"`)
	ada.press("\x1b")
	ada.press("?")
	ada.sees("#help", "")
	ada.press("r") // not behind a dialog
	ada.press("\x1b")
	ada.misses("#help", "")
	var third id.Incident
	if _, err := fmt.Sscan(cards[2], (*int64)(&third)); err != nil {
		t.Fatal(err)
	}
	state(third, incident.Triggered)

	for _, p := range []struct{ keys, path string }{{"gi", "/incidents"}, {"go", "/oncall"}, {"gs", "/settings"}, {"gt", "/"}} {
		ada.press(p.keys)
		ada.at(p.path)
	}
	ada.open("/incidents/" + cards[2])
	ada.live()
	ada.press("a")
	ada.sees("#room-head", "Acknowledged")
	ada.press("r")
	ada.sees("#room-head", "Resolved")
	if got := h.incident(third).State; got != incident.Resolved {
		t.Errorf("the keys in the room made the incident %s", got)
	}
	ada.calm()
}
