package browser

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// shown is the numbers of the entries on the page.
const shown = `[...document.querySelectorAll("[data-entries] [data-seq]")].map((e) => Number(e.dataset.seq))`

// past: five hundred entries can be scrolled through both ways, jumped about
// in, and narrowed.
func past(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.page("CRITICAL", "db07/disk")
	for i := range 500 {
		user := id.User("ada")
		if i%50 == 7 {
			user = "noor"
		}
		h.say(user, fmt.Sprintf("line %d of the night %s", i, strings.Repeat("owl ", i%3)))
	}
	h.mailed("kim", "/a/")
	all := h.entries()
	tb := h.enter(chromium, "ada")
	call(tb, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Pacific/Pago_Pago"}) // days are those of her profile
	tb.open("/")
	tb.live()
	newest := all[len(all)-1].Seq
	unbroken := func(from, to string) {
		t.Helper()
		var numbers []string // those between them stand in other rooms
		for _, e := range h.entries() {
			numbers = append(numbers, strconv.FormatInt(int64(e.Seq), 10))
		}
		tb.until(`(() => {
			const s = ` + shown + `, all = [` + strings.Join(numbers, ",") + `];
			const at = all.indexOf(s[0]);
			return at >= 0 && s.every((n, i) => n === all[at + i]) && ` + from + ` && ` + to + `;
		})()`)
	}
	// To the beginning, screen by screen.
	for first := value[int](tb, shown+`[0]`); first > 1; first = value[int](tb, shown+`[0]`) {
		tb.until(`(document.querySelector("[data-stream]").scrollTop = 0, ` + shown + `[0] < ` + strconv.Itoa(first) + `)`)
	}
	unbroken(`s[0] === 1`, fmt.Sprintf(`s.at(-1) >= %d`, newest))
	tb.sees("[data-beginning]", "")

	// Into the middle by its instant, then both ways.
	middle := all[len(all)/2]
	tb.open("/?at=" + url.QueryEscape(middle.At.UTC().Format(time.RFC3339Nano)))
	unbroken(`s.includes(`+strconv.Itoa(int(middle.Seq))+`)`, `s.length < 200`)
	tb.until(`(document.querySelector("[data-stream]").scrollTop = 0, ` + shown + `[0] < ` + strconv.Itoa(int(middle.Seq)-60) + `)`)
	tb.until(`(document.querySelector("[data-stream]").scrollTop = 1e6, ` + shown + `.at(-1) >= ` + strconv.Itoa(int(newest)) + `)`)
	unbroken(`true`, `true`)
	tb.live()
	h.say("noor", "news of today")
	tb.sees("[data-entries]", "news of today")

	// The day of the calendar, and back to the present.
	tb.click("[data-toggle-filters]", "")
	tb.fill("[data-jump]", middle.At.In(h.org().Users["ada"].Location()).Format(time.DateOnly))
	tb.until(shown + `[0] === 1`)
	tb.click("[data-present]", "")
	tb.sees("[data-entries]", "news of today")
	unbroken(`true`, fmt.Sprintf(`s.at(-1) > %d`, newest))

	narrowed(tb)
	tb.calm()
}

// narrowed compares every filter with the store.
func narrowed(tb *tab) {
	tb.Helper()
	h := tb.house
	want := func(what string, keep func(timeline.Entry) bool) {
		tb.Helper()
		var got string
		tb.waitFor("the timeline is narrowed to "+what, func() bool {
			var numbers []string
			for _, e := range h.entries() {
				if keep(e) {
					numbers = append(numbers, strconv.FormatInt(int64(e.Seq), 10))
				}
			}
			numbers = numbers[max(0, len(numbers)-50):]
			got = value[string](tb, shown+`.slice(-50).join()`)
			return len(numbers) > 0 && got == strings.Join(numbers, ",")
		})
	}
	text := func(e timeline.Entry) string {
		m, _ := e.Payload.(timeline.Message)
		return m.Text
	}
	widen := func() {
		tb.click("[data-clear-filters]", "")
		tb.until(`location.search === ""`)
	}
	tb.click(".filter-kinds .toggle", "Chat")
	want("chat", func(e timeline.Entry) bool { return e.Kind == timeline.MessagePosted })
	tb.fill("[data-filters] [name=person]", "Noor Haddad")
	want("Noor's chat", func(e timeline.Entry) bool { return e.Kind == timeline.MessagePosted && e.Person == "noor" })
	h.say("ada", "not for this filter")
	h.say("noor", "for this filter")
	want("Noor's chat, live", func(e timeline.Entry) bool { return e.Kind == timeline.MessagePosted && e.Person == "noor" })
	widen()
	tb.fill("[data-filters] [name=incident]", "#1")
	want("incident 1", func(e timeline.Entry) bool { return e.Incident == 1 })
	widen()
	tb.fill("[data-filters] [name=team]", "Database")
	want("the team", func(e timeline.Entry) bool { return e.Team == "db" })
	widen()
	tb.fill("[data-filters] [name=q]", "night 499")
	want("words", func(e timeline.Entry) bool { return strings.Contains(text(e), "line 499 of") })
	tb.open(tb.where()) // a narrowed timeline has an address
	want("words, again", func(e timeline.Entry) bool { return strings.Contains(text(e), "line 499 of") })
}
