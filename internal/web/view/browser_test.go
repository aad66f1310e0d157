package view

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/chromedp/chromedp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/static"
)

// stage is a server with nothing behind it: it keeps a list of entries and
// speaks the contract of our scripts, so that they are tried in a real browser.
type stage struct {
	http.Handler
	mu      sync.Mutex
	entries []Entry         // guarded by mu
	wake    chan struct{}   // closed and renewed with each entry; guarded by mu
	cut     chan struct{}   // closed to end all streams; guarded by mu
	down    bool            // guarded by mu
	afters  []string        // with which numbers browsers resumed; guarded by mu
	acks    map[string]bool // guarded by mu
	clock   time.Duration   // of the server, ahead of the browser's; set before anybody comes
}

const stageCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; manifest-src 'self'"

func newStage(t *testing.T, count int) (*stage, *httptest.Server) {
	t.Helper()
	s := &stage{entries: sampleEntries(count), wake: make(chan struct{}), cut: make(chan struct{}), acks: map[string]bool{}}
	mux := http.NewServeMux()
	mux.Handle("GET "+static.Prefix, static.Handler())
	mux.HandleFunc("GET /{$}", s.home)
	mux.HandleFunc("GET /timeline/entries", s.list)
	mux.HandleFunc("GET /timeline/stream", s.stream)
	mux.HandleFunc("POST /rooms/main/messages", s.message)
	mux.HandleFunc("POST /incidents/{n}/ack", s.ack)
	s.Handler = mux
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", stageCSP)
		s.mu.Lock()
		down := s.down
		s.mu.Unlock()
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { s.disconnect(true) })
	return s, server
}

func (s *stage) home(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	all := s.entries
	s.mu.Unlock()
	h := Home{Page: samplePage("Timeline", "timeline"), People: samplePeople(), Incidents: sampleIncidents()}
	h.Page.Now = time.Now().Add(s.clock)
	h.Timeline = sampleTimeline(1)
	h.Timeline.Entries, h.Timeline.Older, h.Timeline.Head = all[max(0, len(all)-50):], len(all) > 50, id.Seq(len(all))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = HomePage(h).Render(r.Context(), w)
}

func (s *stage) list(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	all := s.entries
	s.mu.Unlock()
	from, to := max(0, len(all)-50), len(all)
	if before, err := strconv.Atoi(r.FormValue("before")); err == nil {
		from, to = max(0, before-51), max(0, before-1)
	}
	if after, err := strconv.Atoi(r.FormValue("after")); err == nil {
		from, to = min(after, len(all)), min(after+50, len(all))
	}
	if r.FormValue("at") != "" {
		from, to = 0, min(50, len(all))
	}
	w.Header().Set("Watchroom-Older", yes(from > 0))
	w.Header().Set("Watchroom-Newer", yes(to < len(all)))
	_ = EntryList(all[from:to], sampleViewer()).Render(r.Context(), w)
}

func (s *stage) stream(w http.ResponseWriter, r *http.Request) {
	at, _ := strconv.Atoi(r.FormValue("after"))
	w.Header().Set("Content-Type", "text/event-stream")
	s.mu.Lock()
	s.afters = append(s.afters, r.FormValue("after"))
	cut := s.cut
	s.mu.Unlock()
	fmt.Fprint(w, "event: ping\ndata: {}\n\n")
	for {
		s.mu.Lock()
		fresh, wake := s.entries[min(at, len(s.entries)):], s.wake
		s.mu.Unlock()
		for _, e := range fresh {
			data, _ := json.Marshal(map[string]any{"seq": e.Seq, "html": markup(EntryItem(e, sampleViewer())), "incident": e.Incident})
			for range 2 { // at least once: a browser must not show it twice
				fmt.Fprintf(w, "event: entry\nid: %d\ndata: %s\n\n", e.Seq, data)
			}
			at = int(e.Seq)
		}
		w.(http.Flusher).Flush()
		select {
		case <-wake:
		case <-cut:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *stage) message(w http.ResponseWriter, r *http.Request) {
	seq := s.post(sampleViewer().Name, r.FormValue("text"))
	w.Header().Set("Watchroom-Seq", itoa(seq))
	w.WriteHeader(http.StatusNoContent)
}

func (s *stage) ack(w http.ResponseWriter, r *http.Request) {
	n := r.PathValue("n")
	s.mu.Lock()
	again := s.acks[n]
	s.acks[n] = true
	s.mu.Unlock()
	if again || n == "141" {
		http.Error(w, "Already acknowledged by Kim 2 min ago", http.StatusConflict)
		return
	}
	c := sampleIncidents().Triggered[0]
	c.State, c.AckedBy, c.AckedAt, c.Seq = "acknowledged", "Kim Sørensen", time.Now(), 2000
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = IncidentCard(c, sampleViewer()).Render(r.Context(), w)
}

// post adds what somebody wrote to the timeline and wakes all streams.
func (s *stage) post(name, text string) id.Seq { return s.say(name, timeline.Message{Text: text}) }

func (s *stage) say(name string, m timeline.Message) id.Seq {
	s.mu.Lock()
	defer s.mu.Unlock()
	seq := id.Seq(len(s.entries) + 1)
	s.entries = append(s.entries, Describe(timeline.Entry{
		Seq: seq, At: time.Now(), Kind: timeline.MessagePosted, Payload: m,
		Actor: timeline.Actor{Name: name, User: "u-kim", Origin: timeline.Browser},
	}, sampleNames()))
	close(s.wake)
	s.wake = make(chan struct{})
	return seq
}

// disconnect ends all streams; down also refuses new requests.
func (s *stage) disconnect(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
	close(s.cut)
	s.cut = make(chan struct{})
}

func markup(c templ.Component) string {
	var b bytes.Buffer
	_ = c.Render(context.Background(), &b) // into memory
	return b.String()
}

// browser opens address in a browser of its own and returns what runs scripts in it.
func browser(t *testing.T, address string) func(script, want string) {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1440, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, leave := chromedp.NewContext(ctx)
	t.Cleanup(leave)
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		t.Fatalf("open the page: %v", err)
	}
	return func(script, want string) {
		t.Helper()
		limited, done := context.WithTimeout(ctx, 15*time.Second)
		defer done()
		wait := `new Promise(async done => { let got; const end = Date.now() + 8000; do { got = String(` + script +
			`); if (got === ` + strconv.Quote(want) + `) break; await new Promise(r => setTimeout(r, 50)); } while (Date.now() < end); done(got); })`
		got, err := chromedp.Run(limited, chromedp.Evaluate[string](wait, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatalf("run %s: %v", script, err)
		}
		if got != want {
			t.Errorf("%s = %q, want %q", script, got, want)
		}
	}
}

const (
	shown   = `[...document.querySelectorAll("[data-entries] [data-seq]")].map(e => Number(e.dataset.seq))`
	isDense = `(() => { const s = ` + shown + `; return s.every((n, i) => i === 0 || n === s[i - 1] + 1) + " " + s[s.length - 1]; })()`
)

func TestLiveTimelineLosesAndDoublesNothing(t *testing.T) {
	s, server := newStage(t, 120)
	eval := browser(t, server.URL)
	eval(`document.querySelector("[data-live]").dataset.liveState`, "on")
	s.post("Ana Ruiz", "first")
	eval(isDense, "true 121")
	s.disconnect(true)
	for i := range 30 {
		s.post("Ana Ruiz", "while you were away "+strconv.Itoa(i))
	}
	eval(`document.querySelector("[data-connection]").hidden`, "false")
	s.disconnect(false)
	eval(`(document.querySelector("[data-reconnect]").click(), true)`, "true")
	eval(isDense, "true 151")
	eval(`document.querySelector("[data-connection]").hidden`, "true")
	s.mu.Lock()
	last := s.afters[len(s.afters)-1]
	s.mu.Unlock()
	if last != "121" {
		t.Errorf("the browser resumed after %s, want 121", last)
	}
}

func TestScrollingAndJumpingKeepOneUnbrokenPiece(t *testing.T) {
	s, server := newStage(t, 230)
	eval := browser(t, server.URL)
	eval(`document.querySelector("[data-live]").dataset.liveState`, "on")
	eval(`(document.querySelector("[data-stream]").scrollTop = 0, `+shown+`[0] < 100)`, "true")
	eval(isDense, "true 230")
	// In the past, news waits; back at the present, it is all there.
	eval(`(document.querySelector("[data-jump]").value = "2026-01-01", document.querySelector("[data-jump]").dispatchEvent(new Event("input", {bubbles: true})), true)`, "true")
	eval(shown+`[0]`, "1")
	s.post("Ana Ruiz", "news")
	eval(`document.querySelector("[data-new-count]").textContent`, "1 new")
	eval(`(document.querySelector("[data-present]").click(), true)`, "true")
	eval(isDense, "true 231")
}

func TestAButtonIsOverWhenItsTimeIs(t *testing.T) {
	const row = `document.querySelector(".doc-actions")`
	const live = `[...(` + row + `?.querySelectorAll("button") ?? [])].map(b => b.textContent.trim()).join()`
	for _, clock := range []time.Duration{0, -10 * time.Minute} { // the browser's may be wrong
		s, server := newStage(t, 20)
		s.clock = clock
		now := time.Now().Add(clock)
		eval := browser(t, server.URL)
		eval(`document.querySelector("[data-live]").dataset.liveState`, "on")
		s.say("victor", timeline.Message{Text: "Deployed.", Doc: &timeline.Document{Blocks: []timeline.Block{{Actions: []timeline.Action{
			{Label: "Old", Token: "a", Until: now.Add(-time.Minute)},
			{Label: "New", Token: "b", Until: now.Add(2 * time.Minute)},
			{Label: "Always", Token: "c"},
		}}}}})
		eval(live, "New,Always")
		eval(row+`.querySelector(".doc-used").textContent.trim()`, "Old no longer works")
		eval(`(`+row+`.querySelector("form[data-until]").dataset.until = "2026-01-01T00:00:00Z", document.dispatchEvent(new Event("visibilitychange")), `+live+`)`, "Always")
	}
}

func TestWritingALine(t *testing.T) {
	_, server := newStage(t, 20)
	eval := browser(t, server.URL)
	eval(`document.querySelector("[data-live]").dataset.liveState`, "on")
	eval(`(document.querySelector("#composer").value = "hello watch", document.querySelector("[data-composer]").requestSubmit(), true)`, "true")
	eval(isDense, "true 21")
	eval(`document.querySelectorAll("[data-pending]").length`, "0")
	eval(`document.querySelector("[data-entries]").lastElementChild.querySelector("[data-text]").textContent.trim()`, "hello watch")
}

func TestKeysAndActions(t *testing.T) {
	_, server := newStage(t, 20)
	eval := browser(t, server.URL)
	key := func(k string) string {
		return `(document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "` + k + `", bubbles: true, cancelable: true})), true)`
	}
	eval(`document.title`, "(2) Timeline · Watchroom")
	eval(key("j"), "true")
	eval(`document.activeElement.dataset.card`, "142")
	eval(key("a"), "true")
	eval(`document.querySelector("#i-142").dataset.state`, "acknowledged")
	eval(`document.activeElement.closest("[data-card]") === null`, "true") // nobody has chosen the next one
	eval(`document.querySelector('[data-count="acknowledged"]').textContent`, "3")
	eval(key("j"), "true")
	eval(`document.activeElement.dataset.card`, "141")
	eval(key("a"), "true")
	eval(`[...document.querySelectorAll(".toast")].some(t => t.textContent.includes("Already acknowledged by Kim"))`, "true")
	eval(key("?"), "true")
	eval(`document.querySelector("#help").open`, "true")
}
