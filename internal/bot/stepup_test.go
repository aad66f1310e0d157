package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/timeline"
)

// ruled sets the rules of the house.
func (n *node) ruled(rules string) {
	n.Helper()
	_, err := n.rooms.ChangeOrg(n.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
		settings := o.Settings
		settings.Rules = rules
		return []org.Change{org.Put(settings)}, nil
	})
	if err != nil {
		n.Fatal(err)
	}
}

func (n *node) proven(name string) people.Actor {
	n.Helper()
	a := n.as("kim")
	if name != "kim" {
		a = n.as("lee")
	}
	a.ProvenAt = time.Now()
	return a
}

func TestWhoIsAskedForASecondFactor(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		a.ruled("allow robot:hal *\nrequire step_up for wipe")
		browser := func(person people.Actor) people.Actor {
			person.Origin = timeline.Browser
			return person
		}
		stale := a.as("kim")
		stale.ProvenAt = time.Now().Add(-people.StepUpFor)
		token := a.proven("kim")
		token.Origin = timeline.API
		scoped := token
		scoped.Scopes = people.Permissions
		robot := a.as("hal")
		robot.Origin = timeline.Robot
		for what, c := range map[string]struct {
			actor people.Actor
			want  invocation.State
			why   string
		}{
			"a person":                      {browser(a.as("kim")), invocation.Proving, ""},
			"one who showed it lately":      {browser(a.proven("kim")), invocation.Confirming, ""}, // as the command itself wants
			"one who showed it long ago":    {browser(stale), invocation.Proving, ""},
			"a token":                       {token, invocation.Denied, "program"},
			"a token with all scopes":       {scoped, invocation.Denied, "program"},
			"one who may not anyway":        {browser(a.as("hal")), invocation.Denied, "program"},
			"a robot that may":              {robot, invocation.Denied, "program"},
			"a token without a proof of it": {func() people.Actor { x := token; x.ProvenAt = time.Time{}; return x }(), invocation.Denied, "program"},
		} {
			inv, err := a.Give(t.Context(), c.actor, room.Main, 0, 0, "wipe")
			if err != nil || inv.State != c.want || !strings.Contains(inv.Why, c.why) {
				t.Errorf("%s: %s because %q, %v, want %s", what, inv.State, inv.Why, err, c.want)
			}
		}
		a.say(browser(a.as("lee")), dispatch.Line{Text: "!wipe"})
		a.say(browser(a.proven("lee")), dispatch.Line{Text: "!wipe"})
		byToken := a.as("lee")
		byToken.Origin = timeline.API
		a.say(byToken, dispatch.Line{Text: "!wipe"})
		a.listen()
		var got []invocation.State
		for _, found := range a.given() {
			for _, inv := range found {
				if inv.By.User == "lee" {
					got = append(got, inv.State)
				}
			}
		}
		counts := map[invocation.State]int{}
		for _, s := range got {
			counts[s]++
		}
		if counts[invocation.Proving] != 1 || counts[invocation.Confirming] != 1 || counts[invocation.Denied] != 1 {
			t.Errorf("typed without, with, and by a token: %v", got)
		}
	})
}

func TestASecondFactorIsShownAndTheRulesGoOn(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		a.ruled("require step_up for wipe\nrequire approval(admins) for wipe")
		inv, err := a.Give(t.Context(), a.as("kim"), room.Main, 0, 0, "wipe")
		if err != nil || inv.State != invocation.Proving {
			t.Fatalf("Give() = %s, %v", inv.State, err)
		}
		trial, err := a.Try(t.Context(), a.as("kim"), room.Main, "wipe")
		if err != nil || !trial.Explanation.Decision.StepUp || !strings.Contains(trial.Text(), "second factor") {
			t.Errorf("Try() = %s, %v", trial.Text(), err)
		}
		inv, err = a.desk.Prove(t.Context(), a.proven("kim"), string(inv.ID))
		if err != nil || inv.State != invocation.Awaiting {
			t.Fatalf("Prove() = %s, %v", inv.State, err)
		}
		ada := a.as("ada")
		_, err = a.desk.Approve(t.Context(), ada, inv.Short)
		if page, ok := runner.StepUpFor(err); !ok || !strings.HasPrefix(page, "/step-up?approve=") {
			t.Errorf("approved without the second factor: %v", err)
		}
		ada.ProvenAt = time.Now()
		inv, err = a.desk.Approve(t.Context(), ada, inv.Short)
		if err != nil || inv.State != invocation.Queued {
			t.Errorf("Approve() = %s, %v", inv.State, err)
		}
		a.ruled("deny wipe")
		other, err := a.Give(t.Context(), a.as("kim"), room.Main, 0, 0, "wipe")
		if err != nil || other.State != invocation.Denied {
			t.Errorf("Give() = %s, %v", other.State, err)
		}
		if _, err := a.desk.Prove(t.Context(), a.proven("kim"), string(other.ID)); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("a refused command is proven: %v", err)
		}
	})
}
