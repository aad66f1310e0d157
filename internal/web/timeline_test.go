//nolint:bodyclose // watch.do reads and closes every body
package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/watchroom/watchroom/internal/timeline"
)

var entryNumber = regexp.MustCompile(`id="e-(\d+)"`)

// numbers are the entries of a page, in order.
func numbers(page string) []string {
	var all []string
	for _, m := range entryNumber.FindAllStringSubmatch(page, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestEntriesInBothDirections(t *testing.T) {
	h := newWatch(t)
	for i := range 12 {
		h.say("kim", fmt.Sprintf("line %d", i))
	}
	all := numbers(h.get("kim", "/timeline/entries?limit=200&kind=chat"))
	if len(all) != 12 {
		t.Fatalf("%d lines of chat, want 12", len(all))
	}
	for _, c := range []struct {
		query        string
		want         []string
		older, newer string
	}{
		{"limit=5", all[7:], "true", "false"},
		{"limit=5&before=" + all[7], all[2:7], "true", "true"},
		{"limit=5&before=" + all[2], all[:2], "false", "true"},
		{"limit=5&after=" + all[3], all[4:9], "true", "true"},
		{"limit=5&after=" + all[8], all[9:], "true", "false"},
		{"limit=5&at=1999-01-01T00:00:00Z", all[:5], "false", "true"},
		{"limit=5&at=2999-01-01T00:00:00Z", all[7:], "true", "false"},
		{"limit=5&at=2999-01-01", all[7:], "true", "false"},
	} {
		answer, page := h.do(request{as: "kim", path: "/timeline/entries?kind=chat&" + c.query})
		if diff := cmp.Diff(c.want, numbers(page)); diff != "" {
			t.Errorf("entries %s (-want +got):\n%s", c.query, diff)
		}
		if older, newer := answer.Header.Get("Watchroom-Older"), answer.Header.Get("Watchroom-Newer"); older != c.older || newer != c.newer {
			t.Errorf("entries %s: older=%s newer=%s, want %s %s", c.query, older, newer, c.older, c.newer)
		}
	}
}

func TestEntriesRefuseNonsense(t *testing.T) {
	h := newWatch(t)
	for _, query := range []string{"before=x", "after=-1", "at=yesterday", "at=0001-01-01", "before=99999999999999999999"} {
		if answer, _ := h.do(request{as: "kim", path: "/timeline/entries?" + query}); answer.StatusCode != http.StatusBadRequest {
			t.Errorf("entries %s: %s, want 400", query, answer.Status)
		}
	}
}

// What the store finds and what the stream lets through is the same.
func TestFilterMatchesAsTheStoreDoes(t *testing.T) {
	h := newWatch(t)
	n := h.alert("disk/db01")
	h.alert("disk/db02")
	h.say("kim", "swapping the disk of db01")
	if _, err := h.dispatch.Acknowledge(t.Context(), h.actor("ada"), n); err != nil {
		t.Fatal(err)
	}
	all, err := h.store.Entries(t.Context(), filter{}.query(200))
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		"", "kind=chat", "kind=alerts&kind=pages", "kind=step_started", "kind=nonsense", "team=t-db", "person=u-ada", "incident=1", "incident=%231",
		"kind=incidents&person=u-ada", "team=nowhere",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		f := filterOf(q)
		found, err := h.store.Entries(t.Context(), f.query(200))
		if err != nil {
			t.Fatal(err)
		}
		matched := slices.DeleteFunc(slices.Clone(all), func(e timeline.Entry) bool { return !f.match(e) })
		if diff := cmp.Diff(found, matched, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q: store and stream differ (-store +stream):\n%s", query, diff)
		}
	}
	f := filterOf(url.Values{"q": {"DISK db01"}})
	var got []timeline.Kind
	for _, e := range all {
		if f.match(e) {
			got = append(got, e.Kind)
		}
	}
	if diff := cmp.Diff([]timeline.Kind{timeline.IncidentTriggered, timeline.MessagePosted}, got); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
}

func TestPostingALine(t *testing.T) {
	h := newWatch(t)
	post := func(form url.Values) *http.Response {
		got, _ := h.do(request{as: "kim", method: http.MethodPost, path: "/timeline/messages", form: form})
		return got
	}
	if answer := post(url.Values{"text": {"hello"}, "nonce": {"n1"}}); answer.StatusCode != http.StatusNoContent {
		t.Errorf("post: %s, want 204", answer.Status)
	}
	post(url.Values{"text": {"hello"}, "nonce": {"n1"}}) // its answer got lost
	if answer := post(url.Values{"text": {"  "}, "nonce": {"n2"}}); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("post nothing: %s, want 400", answer.Status)
	}
	if answer := post(url.Values{"text": {"again"}, "nonce": {"n2"}}); answer.StatusCode != http.StatusNoContent {
		t.Errorf("post after a mistake: %s, want 204", answer.Status)
	}
	page := h.get("olga", "/timeline/entries?kind=chat")
	if len(numbers(page)) != 2 {
		t.Errorf("%d lines, want hello and again, each once\n%s", len(numbers(page)), page)
	}
	answer, _ := h.do(request{as: "kim", method: http.MethodPost, path: "/timeline/messages", form: url.Values{"text": {"plain"}}, plain: true})
	if answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), "/") {
		t.Errorf("post without a script: %s to %q, want a redirect home", answer.Status, answer.Header.Get("Location"))
	}
}

func TestNoncesForget(t *testing.T) {
	var n nonces
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	count := 0
	write := func(context.Context) (id.Seq, error) { count++; return 7, nil }
	for _, at := range []time.Duration{0, time.Second, nonceLife + time.Second} {
		if seq, err := n.once(t.Context(), "u", "same", now.Add(at), write); err != nil || seq != 7 {
			t.Fatalf("once = %d, %v, want the number of the line", seq, err)
		}
	}
	if count != 2 {
		t.Errorf("written %d times, want once and once more much later", count)
	}
}
