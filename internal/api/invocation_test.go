package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// court lets members run everything, and nobody else anything. It understands
// every line as the same command.
type court struct{}

func restart() command.Parsed {
	d := command.Declaration{ID: "host.restart", Words: []string{"host", "restart"}, Risk: command.Changes}
	return command.Parsed{Declaration: d, Args: map[string]string{"host": "db1"}, Canonical: "host restart db1", Masked: "host restart db1"}
}

// Judge implements runner.Judge.
func (court) Judge(_ *store.Tx, _ invocation.Invocation, _ string, as people.Actor) (runner.Judgement, error) {
	v := invocation.Verdict{Allow: as.Role != people.Observer, Rule: "allow role:member change", Why: "Observers look.", Approval: command.Approval{Count: 1, Peer: true}}
	return runner.Judgement{Parsed: restart(), Verdict: v}, nil
}

// Find implements runner.Programs: nothing runs here.
func (court) Find(string) (command.Declaration, program.Program, bool) {
	return command.Declaration{}, nil, false
}

func newDesk(tb testing.TB, s *store.Store) *runner.Desk {
	tb.Helper()
	box := secrettest.Box(tb)
	return runner.NewDesk(s, court{}, court{}, box, slog.New(slog.DiscardHandler))
}

// ask is somebody giving a command in a room.
func (h *house) ask(name string, in id.Room, v invocation.Verdict, change func(*runner.Ask)) invocation.Invocation {
	h.t.Helper()
	inv, err := store.InTx(h.t.Context(), h.store, func(tx *store.Tx) (invocation.Invocation, error) {
		u := tx.Org.Users[id.User("u-"+name)]
		a := runner.Ask{
			Parsed: restart(), Raw: "!host restart db1", Actor: people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Origin: timeline.Chat}, Username: u.Username, Room: in,
		}
		if change != nil {
			change(&a)
		}
		return newDesk(h.t, h.store).Accept(tx, a, v)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return inv
}

func TestJobs(t *testing.T) {
	h := newHouse(t)
	approval := invocation.Verdict{Allow: true, Rule: "r", Approval: command.Approval{Count: 1, Peer: true}}
	confirm := invocation.Verdict{Allow: true, Rule: "r", Confirm: true}
	first := h.ask("max", "", approval, nil)
	second := h.ask("max", "", confirm, nil)
	private := h.ask("max", "", invocation.Verdict{Allow: true}, func(a *runner.Ask) { a.Parsed.Options.Private = true })
	elsewhere := h.ask("max", "dm-bot-u-max", invocation.Verdict{Allow: true}, nil)

	numbers := func(who, query string) string {
		t.Helper()
		got := h.want(h.do(who, http.MethodGet, "/api/v1/jobs"+query, ""), http.StatusOK)
		var all []string
		items, _ := got.at("items").([]any)
		for i := range items {
			all = append(all, fmt.Sprint(got.at("items", i, "number")))
		}
		return strings.Join(all, " ")
	}
	for _, c := range []struct{ who, query, want string }{
		{"max", "", "4 3 2 1"},
		{"olga", "", "2 1"},
		{"ada", "", "2 1"},
		{"max", "?state=awaiting_approval", "1"},
		{"max", "?state=open&limit=3", "4 3 2"},
		{"olga", "?person=max&command=host.restart", "2 1"},
		{"max", "?person=ada", ""},
	} {
		if got := numbers(c.who, c.query); got != c.want {
			t.Errorf("jobs%s for %s: %q, want %q", c.query, c.who, got, c.want)
		}
	}
	h.want(h.do("max", http.MethodGet, "/api/v1/jobs?person=nobody", ""), http.StatusBadRequest)

	shown := h.want(h.do("olga", http.MethodGet, "/api/v1/jobs/1", ""), http.StatusOK)
	if shown.at("state") != "awaiting_approval" || shown.at("short") != first.Short || shown.at("events", 1, "kind") != "decided" || shown.at("room") != "main" {
		t.Errorf("job 1: %s", shown.Text)
	}
	for _, inv := range []invocation.Invocation{private, elsewhere} {
		path := fmt.Sprintf("/api/v1/jobs/%d", inv.Number)
		h.want(h.do("max", http.MethodGet, path, ""), http.StatusOK)
		for _, act := range []string{"", "/approve", "/cancel", "/again", "/confirm"} {
			method := http.MethodPost
			if act == "" {
				method = http.MethodGet
			}
			h.want(h.do("ada", method, path+act, ""), http.StatusNotFound)
		}
	}

	pending := func(who string) int {
		items, _ := h.want(h.do(who, http.MethodGet, "/api/v1/approvals", ""), http.StatusOK).at("items").([]any)
		return len(items)
	}
	if pending("max") != 0 || pending("olga") != 0 || pending("ada") != 1 {
		t.Errorf("approvals: max %d, olga %d, ada %d", pending("max"), pending("olga"), pending("ada"))
	}
	h.want(h.do("max", http.MethodPost, "/api/v1/jobs/1/approve", ""), http.StatusForbidden)
	h.want(h.do("olga", http.MethodPost, "/api/v1/jobs/1/approve", ""), http.StatusForbidden)
	if got := h.want(h.do("ada", http.MethodPost, "/api/v1/jobs/"+first.Short+"/approve", ""), http.StatusOK); got.at("state") != "queued" || got.at("approvals", 0, "user") != "u-ada" {
		t.Errorf("approved: %s", got.Text)
	}
	h.want(h.do("ada", http.MethodPost, "/api/v1/jobs/2/confirm", ""), http.StatusForbidden)
	if got := h.want(h.do("max", http.MethodPost, "/api/v1/jobs/2/confirm", ""), http.StatusOK); got.at("state") != "queued" {
		t.Errorf("confirmed: %s", got.Text)
	}
	h.want(h.do("ada", http.MethodPost, "/api/v1/jobs/2/cancel", ""), http.StatusOK)
	h.want(h.do("max", http.MethodPost, "/api/v1/jobs/2/cancel", ""), http.StatusConflict)
	again := h.want(h.do("ada", http.MethodPost, "/api/v1/jobs/2/again", ""), http.StatusCreated)
	if again.at("by", "user") != "u-ada" || again.at("from") != string(second.ID) || again.at("state") != "awaiting_approval" {
		t.Errorf("again: %s", again.Text)
	}
	denied := h.want(h.do("max", http.MethodPost, "/api/v1/jobs/5/deny", `{"reason":"no"}`), http.StatusOK)
	if denied.at("state") != "rejected" || denied.at("why") != "no" {
		t.Errorf("denied: %s", denied.Text)
	}
}

func TestLocksAndTheRecord(t *testing.T) {
	h := newHouse(t)
	h.want(h.do("olga", http.MethodPost, "/api/v1/locks", `{"name":"deploy/shop"}`), http.StatusForbidden)
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	h.want(h.do("max", http.MethodPost, "/api/v1/locks", `{"name":"deploy/shop","reason":"migration","until":"`+until+`"}`), http.StatusCreated)
	h.want(h.do("ada", http.MethodPost, "/api/v1/locks", `{"name":"deploy/shop"}`), http.StatusConflict)
	if got := h.want(h.do("olga", http.MethodGet, "/api/v1/locks", ""), http.StatusOK); got.at("items", 0, "owner", "user") != "u-max" || got.at("items", 0, "until") != until {
		t.Errorf("locks: %s", got.Text)
	}
	h.want(h.do("ada", http.MethodDelete, "/api/v1/locks?name=deploy/shop", ""), http.StatusNoContent)
	h.want(h.do("ada", http.MethodDelete, "/api/v1/locks?name=deploy/shop", ""), http.StatusNotFound)

	const n = 700 // more than are read together
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		for range n {
			tx.AppendEvent(invocation.Event{Invocation: "i", Kind: invocation.EventReceived, Line: "host restart db1"})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.want(h.do("max", http.MethodGet, "/api/v1/audit", ""), http.StatusForbidden)
	h.want(h.do("ada", http.MethodGet, "/api/v1/audit?before=3", ""), http.StatusBadRequest)
	got := h.do("ada", http.MethodGet, "/api/v1/audit?after=10", "")
	if got.Status != http.StatusOK || got.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("audit: %d %v", got.Status, got.Header)
	}
	lines, seq := bufio.NewScanner(strings.NewReader(got.Text)), int64(10)
	for lines.Scan() {
		var line struct {
			Seq  int64
			Hash string
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Seq != seq+1 || line.Hash == "" {
			t.Fatalf("after line %d: %s, %v", seq, lines.Text(), err)
		}
		seq = line.Seq
	}
	if seq != n {
		t.Errorf("the record ends at %d, want %d", seq, n)
	}
}
