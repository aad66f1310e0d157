package browser

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"

	"github.com/watchroom/watchroom/internal/incident"
)

// together: two people see what the other does at once, and who was slower is told.
func together(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.page("CRITICAL", "db07/disk")
	h.page("CRITICAL", "db08/disk")
	ada, kim := h.enter(chromium, "ada"), h.enter(chromium, "kim")
	for _, tb := range []*tab{ada, kim} {
		tb.open("/")
		tb.live()
		tb.sees("#i-1", "db07/disk")
		tb.sees("#i-2", "db08/disk")
	}
	ada.fill("#composer", "I have an eye on db07")
	ada.press("\r")
	kim.sees("[data-entries] .entry-chat", "I have an eye on db07")
	ada.until(`!document.querySelector("[data-pending]")`)
	ada.sees("[data-entries] .entry-chat[data-seq]", "I have an eye on db07")
	ada.click("#i-1 [data-act=ack] button", "")
	kim.until(`document.querySelector("#i-1").dataset.state === "acknowledged"`)
	kim.until(`document.querySelector("[data-count=triggered]").textContent === "1"`)
	kim.click("[data-tab-link=acknowledged]", "")
	kim.sees("#i-1", "Ada Winter")
	kim.calm()

	// Kim's news is late, as on a bad link; the second incident still looks untouched.
	call(kim, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{
		{URLPattern: h.url + "/timeline/stream*", Offline: true, DownloadThroughput: -1, UploadThroughput: -1},
	}})
	kim.open("/")
	kim.sees("#i-2 [data-act=ack] button", "")
	ada.click("#i-2 [data-act=ack] button", "")
	ada.until(`document.querySelector("#i-2").dataset.state === "acknowledged"`)
	kim.click("#i-2 [data-act=ack] button", "")
	kim.sees(".toast", "Ada Winter")
	if inc := h.incident(2); inc.State != incident.Acknowledged || inc.AckedBy.Name != "Ada Winter" {
		t.Errorf("incident 2 is %s by %q, want acknowledged by the first", inc.State, inc.AckedBy.Name)
	}
	sameTimeline(ada)
	ada.calm()
	kim.calm("ERR_INTERNET_DISCONNECTED", "409")
}

// offline: a link that breaks loses and doubles nothing.
func offline(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.page("CRITICAL", "db07/disk")
	h.page("CRITICAL", "db08/disk")
	kim := h.enter(chromium, "kim")
	kim.open("/")
	kim.live()
	kim.sees("#i-2", "db08/disk")
	h.say("ada", "before")
	kim.sees("[data-entries]", "before")

	h.line.cut()
	for i := range 30 {
		h.say("ada", fmt.Sprintf("meanwhile %d", i))
	}
	if _, err := h.app.Dispatch.Acknowledge(t.Context(), h.actor("ada"), 1); err != nil {
		t.Fatal(err)
	}
	h.page("CRITICAL", "db09/disk")
	h.page("RECOVERY", "db08/disk")
	kim.fill("#composer", "can you hear me")
	kim.press("\r")
	kim.sees("[data-pending] [data-retry]", "")
	kim.sees("[data-connection]", "")
	h.line.mend()
	kim.click("[data-reconnect]", "")
	kim.live()
	kim.misses("[data-connection]", "")
	sameTimeline(kim)
	kim.until(`document.querySelector("#i-1").dataset.state === "acknowledged"`)
	kim.until(`document.querySelector("#i-2").dataset.state === "resolved"`)
	kim.sees("#i-3", "db09/disk")
	kim.until(`[...document.querySelectorAll("[data-count]")].map((e) => e.textContent).slice(0, 2).join() === "1,1"`)
	kim.click("[data-pending] [data-retry]", "")
	kim.until(`!document.querySelector("[data-pending]")`)
	sameTimeline(kim)
	said := 0
	for _, e := range h.entries() {
		if data := fmt.Sprint(e.Payload); strings.Contains(data, "can you hear me") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("the line written on a broken link is in the timeline %d times", said)
	}
	kim.calm("Failed to load resource", "ERR_")
}
