//nolint:bodyclose // watch.do reads and closes every body
package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (h *watch) post(as, path string, form url.Values) (*http.Response, string) {
	h.Helper()
	return h.do(request{as: as, method: http.MethodPost, path: path, form: form})
}

func (h *watch) incident(n id.Incident) incident.Incident {
	h.Helper()
	inc, err := h.store.Incident(h.Context(), n)
	if err != nil {
		h.Fatal(err)
	}
	return inc
}

func TestActionsAnswerWithTheCard(t *testing.T) {
	h := newWatch(t)
	n := h.alert("disk/db01")
	for _, c := range []struct {
		action string
		form   url.Values
		state  incident.State
		says   string
	}{
		{"ack", nil, incident.Acknowledged, "Kim"},
		{"unack", nil, incident.Triggered, "Paging"},
		{"snooze", url.Values{"for": {"30m"}}, incident.Acknowledged, "snooz"},
		{"snooze", url.Values{"for": {"morning"}}, incident.Acknowledged, "snooz"},
		{"snooze", url.Values{"until": {time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)}}, incident.Acknowledged, "snooz"},
		{"reroute", url.Values{"to": {"policy:p-all"}}, incident.Triggered, "Ada"},
		{"reroute", url.Values{"to": {"user:u-kim"}}, incident.Triggered, "Kim"},
		{"responders", url.Values{"user": {"u-ada"}}, incident.Triggered, `data-card="1"`},
		{"responders", url.Values{"policy": {"p-db"}}, incident.Triggered, `data-card="1"`},
		{"resolve", nil, incident.Resolved, "Kim"},
	} {
		answer, body := h.post("kim", "/incidents/1/"+c.action, c.form)
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s", c.action, answer.Status, body)
		}
		h.has(body, `data-card="1"`, `data-state="`+string(c.state)+`"`, c.says)
		if got := h.incident(n).State; got != c.state {
			t.Errorf("%s: incident is %s, want %s", c.action, got, c.state)
		}
	}
	if answer, _ := h.post("kim", "/incidents/1/notes", url.Values{"text": {"after the end"}}); answer.StatusCode != http.StatusNoContent {
		t.Errorf("note after the end: %s, want 204", answer.Status)
	}
	h.has(h.get("kim", "/incidents/1"), "after the end")
}

func TestActionsRefuse(t *testing.T) {
	h := newWatch(t)
	h.alert("disk/db01")
	for _, c := range []struct {
		path string
		form url.Values
		want int
	}{
		{"/incidents/99/ack", nil, http.StatusNotFound},
		{"/incidents/nonsense/ack", nil, http.StatusNotFound},
		{"/incidents/1/unack", nil, http.StatusConflict},
		{"/incidents/1/snooze", nil, http.StatusBadRequest},
		{"/incidents/1/snooze", url.Values{"for": {"900h"}}, http.StatusBadRequest},
		{"/incidents/1/snooze", url.Values{"until": {"tomorrow"}}, http.StatusBadRequest},
		{"/incidents/1/reroute", url.Values{"to": {"p-all"}}, http.StatusBadRequest},
		{"/incidents/1/reroute", url.Values{"to": {"policy:none"}}, http.StatusBadRequest},
		{"/incidents/1/responders", nil, http.StatusBadRequest},
		{"/incidents/1/responders", url.Values{"policy": {"none"}}, http.StatusBadRequest},
		{"/incidents/1/notes", url.Values{"text": {""}}, http.StatusBadRequest},
	} {
		answer, body := h.post("kim", c.path, c.form)
		if answer.StatusCode != c.want || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/plain") || body == "" {
			t.Errorf("%s %v: %s %q, want %d and a sentence", c.path, c.form, answer.Status, body, c.want)
		}
	}
}

// Two people at once: one wins, the other is told who did.
func TestTheLoserIsToldWhoWon(t *testing.T) {
	h := newWatch(t)
	n := h.alert("disk/db01")
	type outcome struct {
		status int
		body   string
	}
	answers := map[string]outcome{}
	var mu sync.Mutex
	var both sync.WaitGroup
	for _, who := range []string{"ada", "kim"} {
		both.Go(func() {
			a, body := h.post(who, "/incidents/1/ack", nil)
			mu.Lock()
			defer mu.Unlock()
			answers[who] = outcome{a.StatusCode, body}
		})
	}
	both.Wait()
	winner := h.incident(n).AckedBy.Name
	loser := map[string]string{"Ada": "kim", "Kim": "ada"}[winner]
	if a := answers[strings.ToLower(winner)]; a.status != http.StatusOK {
		t.Errorf("%s won and got %d", winner, a.status)
	}
	if a := answers[loser]; a.status != http.StatusConflict || !strings.Contains(a.body, winner) {
		t.Errorf("%s lost and got %d %q, want 409 and %s", loser, a.status, a.body, winner)
	}
}

func TestPlainFormsComeBack(t *testing.T) {
	h := newWatch(t)
	h.alert("disk/db01")
	for _, want := range []string{"#1 acknowledged", "not acknowledged"} { // what was done; then what was not, and why
		action := map[string]string{"#1 acknowledged": "ack", "not acknowledged": "unack"}[want]
		if action == "unack" {
			h.post("kim", "/incidents/1/unack", nil)
		}
		answer, _ := h.do(request{as: "kim", method: http.MethodPost, path: "/incidents/1/" + action, plain: true, header: http.Header{"Referer": {h.url + "/?pane=incidents"}}})
		if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/?pane=incidents" {
			t.Fatalf("%s: %s to %q", action, answer.Status, answer.Header.Get("Location"))
		}
		header := http.Header{}
		for _, c := range answer.Cookies() {
			header.Add("Cookie", c.Name+"="+c.Value)
		}
		_, page := h.do(request{as: "kim", path: "/", header: header})
		h.has(page, want)
	}
}

func TestRoomTellsEverything(t *testing.T) {
	h := newWatch(t)
	n := h.alert("disk/db01")
	if _, err := h.dispatch.AddNote(t.Context(), h.actor("kim"), n, "it is the WAL"); err != nil {
		t.Fatal(err)
	}
	page := h.get("kim", "/incidents/1")
	h.has(page, "disk/db01", "93% full", "Runbook", "https://wiki.example/disk", "it is the WAL", "Storage days", "Kim paged", "step-current", "step-waiting",
		`data-room="1"`, `data-incident="1"`, "&#34;a&#34;: 1", "Everything")
	h.lacks(h.get("olga", "/incidents/1"), `/incidents/1/resolve"`, `id="composer"`)
	if answer, _ := h.do(request{as: "kim", path: "/incidents/7"}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("room of nothing: %s, want 404", answer.Status)
	}
}

func TestAnnotationsOfSeveralAlertsAreMerged(t *testing.T) {
	got := annotations([]alert.Alert{ // newest first
		{Annotations: []alert.Annotation{{Kind: alert.Link, Title: "Graph", Value: "new"}, {Kind: alert.Note, Title: "Graph", Value: "a note"}}},
		{Annotations: []alert.Annotation{{Kind: alert.Link, Title: "Graph", Value: "old"}, {Kind: alert.Link, Title: "Runbook", Value: "r"}}},
	})
	want := []view.Annotation{{Kind: "link", Title: "Graph", Value: "new"}, {Kind: "note", Title: "Graph", Value: "a note"}, {Kind: "link", Title: "Runbook", Value: "r"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

func TestIncidentListPages(t *testing.T) {
	h := newWatch(t)
	const all = 2*entriesAtOnce + 7
	for i := range all {
		h.alert(fmt.Sprintf("disk/db%03d", i))
	}
	if _, err := h.dispatch.Resolve(t.Context(), h.actor("kim"), 1); err != nil {
		t.Fatal(err)
	}
	count := func(page string) int { return strings.Count(page, "data-row") }
	first := h.get("kim", "/incidents")
	if count(first) != entriesAtOnce {
		t.Errorf("first page has %d rows, want %d", count(first), entriesAtOnce)
	}
	for query, want := range map[string]int{"state=resolved": 1, "state=all&before=8": 7, "state=open&before=8": 6, "team=t-db&before=4": 2, "team=none": 0} {
		if got := count(h.get("kim", "/incidents?"+query)); got != want {
			t.Errorf("incidents?%s: %d rows, want %d", query, got, want)
		}
	}
	if answer, _ := h.do(request{as: "kim", path: "/incidents?q=%2342"}); answer.Header.Get("Location") != "/incidents/42" {
		t.Errorf("looking for #42: %s to %q", answer.Status, answer.Header.Get("Location"))
	}
}

func TestNeighboursLeadThereAndBack(t *testing.T) {
	found := make([]incident.Incident, entriesAtOnce+1)
	for i := range found {
		found[i].ID = id.Incident(1000 - i)
	}
	query := url.Values{"state": {"all"}}
	var way []string
	for range 3 { // forwards
		newer, older := neighbours(query, found)
		way = append(way, newer)
		u, err := url.Parse(older)
		if err != nil {
			t.Fatal(err)
		}
		query = u.Query()
		for i := range found {
			found[i].ID -= entriesAtOnce
		}
	}
	if diff := cmp.Diff([]string{"", "/incidents?state=all", "/incidents?before=951&newer=0&state=all"}, way); diff != "" {
		t.Errorf("the way back (-want +got):\n%s", diff)
	}
	if _, older := neighbours(query, found[:3]); older != "" {
		t.Errorf("after the last page comes %q", older)
	}
}

func TestSnoozeUntil(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct{ why, how, until, now, want string }{
		{"later today", "morning", "", "2026-11-22 03:00", "2026-11-22 09:00"},
		{"tomorrow", "morning", "", "2026-11-22 20:00", "2026-11-23 09:00"},
		{"not in a moment", "morning", "", "2026-11-22 09:00", "2026-11-23 09:00"},
		{"a day of 25 hours", "morning", "", "2026-10-24 09:10", "2026-10-25 09:00"},
		{"over the weekend", "monday", "", "2026-11-20 17:30", "2026-11-23 09:00"},
		{"on Sunday night", "monday", "", "2026-11-22 23:30", "2026-11-23 09:00"},
		{"before the morning of a Monday", "monday", "", "2026-11-23 03:00", "2026-11-23 09:00"},
		{"later on a Monday", "monday", "", "2026-11-23 09:10", "2026-11-30 09:00"},
		{"never longer than a snooze may be, in a week with an hour more", "monday", "", "2026-10-19 09:00", "2026-10-26 08:00"},
		{"for a while", "4h", "", "2026-11-22 20:00", "2026-11-23 00:00"},
		{"the local clock", "", "2026-11-22T21:30", "2026-11-22 20:00", "2026-11-22 21:30"},
		{"an instant", "", "2026-11-22T20:30:00Z", "2026-11-22 20:00", "2026-11-22 21:30"},
	} {
		got, err := snoozeUntil(c.how, c.until, "09:00", at(c.now))
		if err != nil || !got.Equal(at(c.want)) {
			t.Errorf("%s: %s %v, want %s", c.why, got, err, c.want)
		}
	}
}

func TestStepRows(t *testing.T) {
	o := &org.Org{}
	policy := escalation.Policy{Name: "p", Repeat: 1, RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{
		{}, {After: escalation.Duration(5 * time.Minute)}, {After: escalation.Duration(10 * time.Minute)},
	}}
	t0 := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }
	entry := func(minutes int, p timeline.Payload) timeline.Entry {
		return timeline.Entry{At: at(minutes), Kind: p.Kind(), Payload: p}
	}
	step := func(n, round int) timeline.Payload {
		return timeline.Step{Step: n, Round: round, Users: []id.User{"k"}, Names: []string{"Kim"}}
	}
	pos := func(step, round int) escalation.Position { return escalation.Position{Step: step, Round: round} }
	for _, c := range []struct {
		why  string
		inc  incident.Incident
		told []timeline.Entry
		want string
	}{
		{
			"the first step runs, the others are foreseen",
			incident.Incident{State: incident.Triggered, Started: true, Next: pos(1, 0), NextAt: at(5)},
			[]timeline.Entry{entry(0, timeline.Triggered{}), entry(0, step(1, 1))},
			"1 current 0, 2 waiting 5, 3 waiting 15",
		},
		{
			"a step had nobody",
			incident.Incident{State: incident.Triggered, Started: true, Step: pos(1, 0), Next: pos(2, 0), NextAt: at(10)},
			[]timeline.Entry{entry(0, timeline.Triggered{}), entry(0, timeline.Skipped{Step: 1, Round: 1}), entry(0, step(2, 1))},
			"1 skipped 0, 2 current 0, 3 waiting 10",
		},
		{
			"acknowledged: nothing waits any more",
			incident.Incident{State: incident.Acknowledged, Started: true},
			[]timeline.Entry{entry(0, timeline.Triggered{}), entry(0, step(1, 1))},
			"1 done 0, 2 waiting -, 3 waiting -",
		},
		{
			"the second round begins anew",
			incident.Incident{State: incident.Triggered, Started: true, Step: pos(0, 1), Next: pos(1, 1), NextAt: at(25)},
			[]timeline.Entry{entry(0, step(1, 1)), entry(5, step(2, 1)), entry(15, step(3, 1)), entry(20, step(1, 2))},
			"1 current 20, 2 waiting 25, 3 waiting 35",
		},
		{
			"the pause before the second round",
			incident.Incident{State: incident.Triggered, Started: true, Step: pos(2, 0), Next: pos(0, 1), NextAt: at(20)},
			[]timeline.Entry{entry(0, step(1, 1)), entry(5, step(2, 1)), entry(15, step(3, 1))},
			"1 done 0, 2 done 5, 3 current 15",
		},
		{
			"given back: from the first step",
			incident.Incident{State: incident.Triggered, Started: true, Next: pos(1, 0), NextAt: at(35)},
			[]timeline.Entry{entry(0, step(1, 1)), entry(5, step(2, 1)), entry(30, timeline.Unacknowledged{}), entry(30, step(1, 1))},
			"1 current 30, 2 waiting 35, 3 waiting 45",
		},
	} {
		var got []string
		for _, r := range stepRows(o, c.inc, policy, c.told) {
			when := "-"
			if !r.At.IsZero() {
				when = fmt.Sprint(int(r.At.Sub(t0).Minutes()))
			}
			got = append(got, fmt.Sprint(r.Number, " ", r.State, " ", when))
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s, want %s", c.why, text, c.want)
		}
	}
}
