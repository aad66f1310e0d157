package browser

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/timeline"
)

// firstIncident is the first quarter of an hour of a new house.
func firstIncident(t *testing.T, chromium context.Context) {
	h := newHouse(t)
	tb := h.visit(chromium)
	tb.open("/")
	tb.sees("h1", "") // says where to find the link
	tb.open(h.setup())
	tb.fill("[name=org]", "Harbour Lights")
	tb.fill("[name=name]", "Ada Winter")
	tb.fill("[name=username]", "ada")
	tb.fill("[name=email]", "ada@example.org")
	tb.fill("[name=password]", password)
	tb.fill("[name=zone]", "Europe/Berlin")
	tb.click("button", "")
	tb.at("/settings") // says what is left to do
	tb.sees(".brand-org", "Harbour Lights")
	tb.open("/")
	tb.live()
	tb.sees("[data-cards-empty]", "")
	tb.calm("404", "503")

	tb.open("/integrations")
	tb.click(".row-link", "REST endpoint")
	address := "#integration-url"
	tb.sees(address, "")
	endpoint := value[string](tb, `document.querySelector("`+address+`").value`)
	if !strings.HasPrefix(endpoint, h.url+"/integrations/generic/20131114/alert/") {
		t.Fatalf("the integration's address is %q", endpoint)
	}
	tb.open("/")
	tb.live()
	postAlert(t, strings.ReplaceAll(endpoint, "$routing_key", "web"), "CRITICAL", "web-1/http", "HTTP does not answer")
	tb.sees("[data-card='1']", "HTTP does not answer")
	tb.sees("[data-entries]", "HTTP does not answer")
	tb.until(`/^\([12]\) /.test(document.title)`) // the incident, and a word of the bot's when it was quick
	tb.click("[data-card='1'] [data-act=ack] button", "Acknowledge")
	tb.sees(".toast", "")
	tb.until(`document.querySelector("#i-1").dataset.state === "acknowledged"`)
	if got := h.incident(1).State; got != incident.Acknowledged {
		t.Errorf("after the click the incident is %s", got)
	}
	tb.click("[data-tab-link=acknowledged]", "")
	tb.sees("[data-card='1']", "Ada Winter")
	tb.press("j")
	tb.press("r")
	tb.until(`document.querySelector("#i-1").dataset.state === "resolved"`)
	tb.sees("[data-entries]", "resolved")
	inc := h.incident(1)
	if inc.State != incident.Resolved || inc.ResolvedBy.Name != "Ada Winter" {
		t.Errorf("after the key the incident is %s by %q", inc.State, inc.ResolvedBy.Name)
	}
	sameTimeline(tb)
	kinds := h.kinds(1)
	for _, want := range []timeline.Kind{timeline.IncidentTriggered, timeline.IncidentAcknowledged, timeline.IncidentResolved} {
		if !slices.Contains(kinds, want) {
			t.Errorf("the timeline has %v, without %s", kinds, want)
		}
	}
	tb.calm()
}

// sameTimeline waits until the page shows the store's entries, each once and in
// order, from the first that it shows to the very last.
func sameTimeline(tb *tab) {
	tb.Helper()
	var got, want string
	tb.waitFor("the page shows the store's timeline", func() bool {
		got = value[string](tb, `[...document.querySelectorAll("[data-entries] [data-seq]")].map((e) => e.dataset.seq).join()`)
		first, _, _ := strings.Cut(got, ",")
		from, err := strconv.Atoi(first)
		if err != nil {
			return false
		}
		var numbers []string
		for _, e := range tb.house.entries() {
			if e.Seq >= id.Seq(from) {
				numbers = append(numbers, strconv.FormatInt(int64(e.Seq), 10))
			}
		}
		want = strings.Join(numbers, ",")
		return got == want
	})
}
