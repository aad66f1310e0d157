package browser

import (
	"context"
	"fmt"
	"testing"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// chatFlood: who writes faster than anybody can read is told so and keeps their
// words in the box, over a reload, too; a moment later they get through, once.
// Nobody else is held up.
func chatFlood(t *testing.T, chromium context.Context) {
	h := newHouseWith(t, func(c *config.Config) { c.MessageRate = 0.25 })
	h.furnish()
	r := h.room("kim", room.Public, "ops", "ada")
	ada, kim := h.enter(chromium, "ada"), h.enter(chromium, "kim")
	for _, tb := range []*tab{ada, kim} {
		tb.open("/rooms/ops")
		tb.live()
	}
	lines := 0
	for {
		_, err := h.app.Dispatch.Say(t.Context(), h.actor("ada"), dispatch.Line{Room: r.ID, Text: fmt.Sprintf("line %d", lines)})
		if fault.Is(err, fault.CodeTooMany) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		lines++
	}
	ada.write("#composer", "one too many")
	ada.sees(".toast", "faster than anybody can read")
	ada.until(`document.querySelector("#composer").value === "one too many" && !document.querySelector("[data-pending]")`)
	h.tell("kim", r.ID, "and I am not held up")
	ada.sees("[data-message]", "and I am not held up")
	ada.open("/rooms/ops")
	ada.live()
	ada.until(`document.querySelector("#composer").value === "one too many"`)
	ada.click("#composer", "")
	ada.waitFor("the line is taken", func() bool {
		ada.press("\r")
		taken, err := eval[bool](ada, `!document.querySelector("[data-pending]") && document.querySelector("#composer").value === "" && all("[data-message]", "one too many").length > 0`)
		return err == nil && taken
	})
	kim.sees("[data-message]", "one too many")

	entries, err := h.app.Store.Entries(t.Context(), store.EntryFilter{Rooms: []id.Room{r.ID}, FromStart: true, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]int{}
	for _, e := range entries {
		if m, ok := e.Payload.(timeline.Message); ok {
			said[m.Text]++
		}
	}
	for i := range lines {
		if text := fmt.Sprintf("line %d", i); said[text] != 1 {
			t.Errorf("%s is there %d times", text, said[text])
		}
	}
	if n := said["one too many"]; n != 1 {
		t.Errorf("the line that was refused is there %d times", n)
	}
	ada.calm("429")
	kim.calm()
}
