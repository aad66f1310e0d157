package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

// sse is one event as a browser reads it.
type sse struct {
	name, id, data string
}

func (e sse) seq() id.Seq {
	var d struct{ Seq id.Seq }
	if json.Unmarshal([]byte(e.data), &d) != nil {
		return 0
	}
	return d.Seq
}

// listener is an open stream.
type listener struct {
	tb    testing.TB
	lines *bufio.Scanner
	close func()
}

// listen opens the stream; last is the Last-Event-ID header.
func (h *watch) listen(as, query, last string) *listener {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.url+"/timeline/stream?"+query, http.NoBody)
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.AddCookie(&http.Cookie{Name: "watchroom", Value: "cookie-" + as})
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	answer, err := noRedirects().Do(req)
	if err != nil {
		h.Fatal(err)
	}
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		h.Fatalf("stream: %s %s", answer.Status, kind)
	}
	stop := sync.OnceFunc(func() { cancel(); _ = answer.Body.Close() })
	h.Cleanup(stop)
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	return &listener{tb: h, lines: lines, close: stop}
}

// next is the next event; ok is false when the stream has ended.
func (l *listener) next() (e sse, ok bool) {
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			return e, true
		}
	}
	return e, false
}

// until reads to the next event of a name that fits.
func (l *listener) until(name string, fits func(sse) bool) sse {
	l.tb.Helper()
	for {
		e, ok := l.next()
		if !ok {
			l.tb.Fatalf("the stream ended before %s came", name)
		}
		if e.name == name && (fits == nil || fits(e)) {
			return e
		}
	}
}

func saying(text string) func(sse) bool {
	return func(e sse) bool { return strings.Contains(e.data, text) }
}

func TestTwoReadersSeeTheSameInOrder(t *testing.T) {
	h := newWatch(t)
	a, b := h.listen("kim", "", ""), h.listen("olga", "", "")
	const lines = 40
	for i := range lines {
		h.say("kim", fmt.Sprintf("line-%d.", i))
	}
	read := func(l *listener) []id.Seq {
		var seen []id.Seq
		for len(seen) < lines {
			e := l.until("entry", nil)
			if e.id != strconv.FormatInt(int64(e.seq()), 10) || !strings.Contains(e.data, fmt.Sprintf("line-%d.", len(seen))) {
				t.Fatalf("event %s is not line %d: %s", e.id, len(seen), e.data)
			}
			seen = append(seen, e.seq())
		}
		return seen
	}
	one, two := read(a), read(b)
	if diff := cmp.Diff(one, two); diff != "" {
		t.Errorf("two readers differ:\n%s", diff)
	}
	for i := 1; i < len(one); i++ {
		if one[i] != one[i-1]+1 {
			t.Errorf("after entry %d came %d", one[i-1], one[i])
		}
	}
}

// A reader that is cut again and again while entries are written misses none
// and gets none twice.
func TestResumeWhileEntriesAreWritten(t *testing.T) {
	h := newWatch(t)
	head, err := h.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const lines = 300
	kim := h.actor("kim")
	written := make(chan error, 1)
	go func() {
		for i := range lines {
			if err := h.dispatch.Post(h.Context(), kim, 0, fmt.Sprintf("line %d", i)); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	last := head.Seq
	for turn := 0; last < head.Seq+lines; turn++ {
		text := strconv.FormatInt(int64(last), 10)
		query, header := "after="+text, ""
		if turn%2 == 1 { // as a browser that reconnects by itself: the address is old
			query, header = "after="+strconv.FormatInt(int64(head.Seq), 10), text
		}
		l := h.listen("kim", query, header)
		for range 37 {
			e := l.until("entry", nil)
			if e.seq() != last+1 {
				t.Fatalf("after entry %d came %d", last, e.seq())
			}
			if last = e.seq(); last == head.Seq+lines {
				break
			}
		}
		l.close()
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
}

func TestStreamIsNarrowed(t *testing.T) {
	h := newWatch(t)
	l := h.listen("kim", "kind=chat&q=needle", "")
	h.say("kim", "hay")
	n := h.alert("disk/needle")
	h.say("kim", "a Needle, found")
	if e := l.until("entry", nil); !strings.Contains(e.data, "a Needle, found") {
		t.Errorf("a narrowed stream sent %s", e.data)
	}
	// Cards come whatever the filter.
	l2 := h.listen("kim", "kind=chat", "")
	if _, err := h.dispatch.Acknowledge(t.Context(), h.actor("ada"), n); err != nil {
		t.Fatal(err)
	}
	l2.until("card", saying(`"state":"acknowledged"`))
}

func TestCardsGoToWhoCanUseThem(t *testing.T) {
	h := newWatch(t)
	member, observer := h.listen("kim", "", ""), h.listen("olga", "", "")
	n := h.alert("disk/db01")
	type card struct {
		Number id.Incident
		State  string
		Seq    id.Seq
		HTML   string
		Counts struct{ Triggered, Acknowledged int }
	}
	read := func(l *listener, state string) card {
		t.Helper()
		var c card
		if err := json.Unmarshal([]byte(l.until("card", saying(`"state":"`+state+`"`)).data), &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	ours, theirs := read(member, "triggered"), read(observer, "triggered")
	if ours.Number != n || ours.Counts.Triggered != 1 || ours.Seq == 0 {
		t.Errorf("card = %+v, want incident %d, one triggered", ours, n)
	}
	h.has(ours.HTML, "/incidents/1/ack", "Kim") // whom it pages
	h.lacks(theirs.HTML, "/incidents/1/ack")
	if _, err := h.dispatch.Acknowledge(t.Context(), h.actor("ada"), n); err != nil {
		t.Fatal(err)
	}
	if c := read(member, "acknowledged"); c.Counts.Triggered != 0 || c.Counts.Acknowledged != 1 || !strings.Contains(c.HTML, "Ada") {
		t.Errorf("card after the acknowledgement = %+v", c)
	}
}

// Who comes back gets the cards of what happened meanwhile, too.
func TestResumeBringsCards(t *testing.T) {
	h := newWatch(t)
	head, err := h.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := h.alert("disk/db01")
	if _, err := h.dispatch.Resolve(t.Context(), h.actor("kim"), n); err != nil {
		t.Fatal(err)
	}
	l := h.listen("kim", "after="+strconv.FormatInt(int64(head.Seq), 10), "")
	l.until("card", saying(`"state":"resolved"`))
}

func TestStreamOfAnotherHistoryIsReset(t *testing.T) {
	h := newWatch(t)
	l := h.listen("kim", "after=100000", "")
	l.until("reset", nil)
	if e, ok := l.next(); ok {
		t.Errorf("after reset came %v, want the end", e)
	}
}

func TestDrainingEndsStreams(t *testing.T) {
	h := newWatch(t)
	streams := []*listener{h.listen("kim", "", ""), h.listen("olga", "", "")}
	began := time.Now()
	h.drain()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("draining took %s", took)
	}
	for _, l := range streams {
		for ok := true; ok; {
			_, ok = l.next()
		}
	}
}

func TestStreamWantsASession(t *testing.T) {
	h := newWatch(t)
	answer, _ := h.ask(request{path: "/timeline/stream", header: http.Header{"Accept": {"text/event-stream"}}})
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("stream without a session: %s, want 401", answer.Status)
	}
}

// A beat looks whether the reader may still read.
func TestBeatEndsTheStreamOfWhoMayNotReadAnyMore(t *testing.T) {
	h := newWatch(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/timeline/stream", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "watchroom", Value: "cookie-kim"})
	out := &reader{s: h.web, w: io.Discard, r: req, actor: h.actor("kim")}
	if err := out.beat(t.Context()); err != nil {
		t.Fatalf("beat of a good session: %v", err)
	}
	_, err = h.dispatch.ChangeOrg(t.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
		kim := o.Users["u-kim"]
		kim.Disabled = true
		return []org.Change{org.Put(kim)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := out.beat(t.Context()); err != nil {
		t.Errorf("beat within a minute: %v, want nil", err)
	}
	out.checked = time.Time{}
	if err := out.beat(t.Context()); err == nil {
		t.Error("the stream of somebody who was disabled goes on")
	}
}

func TestPresenceLingers(t *testing.T) {
	s, log := storetest.Open(t), slog.New(slog.DiscardHandler)
	var p presence
	ada := p.arrive(t.Context(), s, log, store.Presence{Session: "0", Person: "ada", Active: true}, func() {})
	defer ada()
	one := p.arrive(t.Context(), s, log, store.Presence{Session: "1", Person: "kim", Active: true}, func() {})
	two := p.arrive(t.Context(), s, log, store.Presence{Session: "2", Person: "kim"}, func() {})
	if got := p.states()["kim"]; got != "online" {
		t.Errorf("kim with a page in use is %q, want online", got)
	}
	one()
	two()
	if got := p.states()["kim"]; got == "" {
		t.Error("kim left although it may be for the next page only")
	}
	pages, err := s.Present(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if left := time.Until(page.Until); page.Person == "kim" && left > linger+5*time.Second {
			t.Errorf("kim is to be there for %s after leaving, want %s", left, linger)
		}
	}
}

func TestManyReaders(t *testing.T) {
	h := newWatch(t)
	const readers = 3 * maxStreams
	streams := make([]*listener, readers)
	for i := range streams {
		streams[i] = h.listen([]string{"ada", "kim", "olga"}[i%3], "", "")
	}
	h.say("kim", "to everybody")
	h.alert("disk/db01")
	var all sync.WaitGroup
	for _, l := range streams {
		all.Go(func() {
			for heard := 0; heard < 2; {
				e, ok := l.next()
				if !ok {
					t.Error("a stream ended")
					return
				}
				if strings.Contains(e.data, "to everybody") || e.name == "card" {
					heard++
				}
			}
		})
	}
	all.Wait()
}
