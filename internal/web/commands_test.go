package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/bot"
	commands "github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/store"
)

// employ gives pages a bot with two commands that nobody runs.
func employ(tb testing.TB, deps *Deps, box dispatch.Sealer) {
	tb.Helper()
	log := slog.New(slog.DiscardHandler)
	host := commands.Arg{Name: "host", Required: true, Summary: "Which"}
	catalogue, err := bot.NewCatalogue([]bot.Entry{
		{Declaration: commands.Declaration{ID: "host.show", Words: []string{"host", "show"}, Summary: "Shows a host", Risk: commands.Reads, Args: []commands.Arg{host}}},
		{Declaration: commands.Declaration{
			ID: "host.wipe", Words: []string{"host", "wipe"}, Summary: "Wipes a host", Risk: commands.Danger, Args: []commands.Arg{host}, Examples: []string{"host wipe db1"},
			Confirm: true, Approval: commands.Approval{Count: 1, Peer: true, Group: "admins"},
		}},
	})
	if err != nil {
		tb.Fatal(err)
	}
	judge := bot.NewJudge(catalogue, log)
	deps.Desk = runner.NewDesk(deps.Store, judge, catalogue, box, log)
	deps.SecretsOf = func(commandID string) []SecretState {
		if !strings.Contains(commandID, "wipe") {
			return nil
		}
		return []SecretState{{"WIPE_TOKEN", "The secret WIPE_TOKEN of host wipe is not set."}, {"HOST_KEY", ""}}
	}
	deps.Unusable = func() []bot.Problem {
		return []bot.Problem{{From: "disk.sh", Why: "everybody may write to it: chmod o-w"}, {From: "script deploy.sh", Why: "it is called as another"}}
	}
	deps.Declared = func() []commands.Declaration { return catalogue.Tree().All() }
	deps.Try = bot.New(deps.Store, deps.Dispatch, deps.Desk, judge, log, time.Hour).Try
}

// give is somebody giving a command with a verdict.
func (h *watch) give(name, line string, v invocation.Verdict) invocation.Invocation {
	h.Helper()
	trial, err := h.web.Try(h.Context(), h.actor("ada"), "", line)
	if err != nil || trial.Broken != "" {
		h.Fatalf("%s: %s, %v", line, trial.Broken, err)
	}
	inv, err := store.InTx(h.Context(), h.store, func(tx *store.Tx) (invocation.Invocation, error) {
		return h.web.Desk.Accept(tx, runner.Ask{
			Parsed: commands.Parsed{Declaration: trial.Declaration, Given: trial.Given, Masked: trial.Line, Canonical: trial.Line}, Actor: h.actor(name), Username: name,
		}, v)
	})
	if err != nil {
		h.Fatal(err)
	}
	return inv
}

func TestCommandsPage(t *testing.T) {
	h := newWatch(t)
	page := h.get("ada", "/commands")
	h.has(page, "host show", "Shows a host", "looks", "Wipes a host", "dangerous", "host wipe db1", "1 approval of admins", "Try a line")
	h.has(page, `name="as"`, "WIPE_TOKEN: not set", "The secret WIPE_TOKEN of host wipe is not set.", "HOST_KEY: set")
	h.lacks(h.get("olga", "/commands"), "WIPE_TOKEN") // she could not set it
	h.lacks(h.get("olga", "/commands"), `name="as"`)  // only who manages looks at the rights of others
	h.has(h.get("ada", "/commands"), "Cannot be used", "disk.sh", "chmod o-w", "script deploy.sh")
	h.lacks(h.get("olga", "/commands"), "Cannot be used", "disk.sh")
	try := func(who, as, line string) string {
		return h.get(who, "/commands?line="+strings.ReplaceAll(line, " ", "+")+"&as="+as)
	}
	h.has(try("ada", "", "host show db1"), "Ada may run it, and it would run at once.", "host show db1", "Who may run it")
	h.has(try("ada", "u-olga", "host wipe db1"), "Olga may not run it.")
	h.lacks(try("olga", "u-ada", "host wipe db1"), "Ada may")
	h.has(try("ada", "", "host fly"), "tone-critical")
	h.lacks(try("ada", "", "host fly"), "Who may run it")
	if found, err := h.store.Invocations(t.Context(), store.InvocationFilter{}); err != nil || len(found) != 0 {
		t.Errorf("trying has given %+v, %v", found, err)
	}
}

func TestJobsPages(t *testing.T) {
	h := newWatch(t)
	h.has(h.get("kim", "/jobs"), "No jobs")
	v := invocation.Verdict{Allow: true, Rule: "allow role:member change", Approval: commands.Approval{Count: 1, Peer: true, Group: "admins"}}
	inv := h.give("kim", "host wipe db1", v)
	at := fmt.Sprintf("/jobs/%d", inv.Number)
	h.has(h.get("olga", "/jobs"), "host wipe db1", "waits for approval")
	h.lacks(h.get("kim", "/jobs?show=approve"), "host wipe db1")
	h.has(h.get("ada", "/jobs?show=approve"), "host wipe db1")
	h.has(h.get("ada", "/jobs"), "/api/v1/audit")
	h.lacks(h.get("kim", "/jobs"), "/api/v1/audit")
	h.lacks(h.get("kim", at), at+"/approve")
	h.has(h.get("kim", at), at+"/cancel", "allow role:member change", "received", "decided")
	h.has(h.get("ada", at), at+"/approve", at+"/deny")
	h.lacks(h.get("olga", at), at+"/approve", at+"/cancel", at+"/again")
	h.send(at+"/approve", http.StatusSeeOther)
	h.has(h.get("ada", at), "approved", "Queued")
	h.send(at+"/approve", http.StatusSeeOther) // too late, and the page says so
	h.send(at+"/cancel", http.StatusSeeOther)
	h.has(h.get("kim", at), "cancelled", at+"/again")
	h.send(at+"/fly", http.StatusNotFound)
	h.send("/jobs/99/cancel", http.StatusNotFound)
	h.send(at+"/again", http.StatusSeeOther)
	h.has(h.get("ada", "/jobs/2"), "host wipe db1", "Waits for confirmation") // in her name, by the rules there are
}

func TestLocksAreReleasedOnThePage(t *testing.T) {
	h := newWatch(t)
	if _, err := h.web.Desk.Lock(t.Context(), people.Actor{User: "u-kim", Name: "Kim", Role: people.Member}, "deploy/shop", "a migration", "", time.Time{}); err != nil {
		t.Fatal(err)
	}
	h.has(h.get("ada", "/jobs"), "deploy/shop", "a migration", "/locks/release")
	h.lacks(h.get("olga", "/jobs"), "/locks/release")
	h.send("/locks/release", http.StatusSeeOther, "name", "deploy/shop")
	h.lacks(h.get("olga", "/jobs"), "a migration")
	h.send("/locks/release", http.StatusSeeOther, "name", "deploy/shop")
}
