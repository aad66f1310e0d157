package permit

import (
	"testing"

	"github.com/watchroom/watchroom/internal/people"
)

func TestWantsStepUp(t *testing.T) {
	shown := kim(people.Member)
	shown.StepUp = true
	for _, c := range []struct {
		name  string
		rules string
		f     Facts
		want  bool
	}{
		{"no rule", "allow everyone *", kim(people.Member), false},
		{"of the command", "require step_up for deploy.*", kim(people.Member), true},
		{"whether shown or not", "require step_up for deploy.*", shown, true},
		{"of another", "require step_up for vm.*", kim(people.Member), false},
		{"of others", "require step_up for role:admin deploy.run", kim(people.Member), false},
		{"of them", "require step_up for role:admin deploy.run", kim(people.Admin), true},
		{"who may not run it", "deny deploy.run\nrequire step_up for deploy.run", kim(people.Observer), true},
		{"of another scope", "require step_up for deploy.run on env:dev", kim(people.Member), false},
		{"of this scope", "require step_up for deploy.run on env:prod", kim(people.Member), true},
		{"on a condition", `require step_up for deploy.run when env == "prod"`, kim(people.Member), true},
		{"where nothing can be said", `require step_up for deploy.run when calendar("gone")`, kim(people.Member), true},
		{"on the clocks of the rules", "zone \"Europe/Berlin\"\nrequire step_up for deploy.run when hour == 13", kim(people.Member), true},
		{"and on no others", "zone \"Europe/Berlin\"\nrequire step_up for deploy.run when hour == 12", kim(people.Member), false},
		{"outside a calendar of the text", `calendar "freeze" from 2026-12-18 until 2027-01-04` + "\n" + `require step_up for deploy.run when calendar("freeze")`, kim(people.Member), false},
		{"inside it", `calendar "freeze" from 2026-11-18 until 2027-01-04` + "\n" + `require step_up for deploy.run when calendar("freeze")`, kim(people.Member), true},
		{"without arguments", "require step_up for deploy.run", Facts{User: "kim", Role: people.Member, Now: noon}, true},
	} {
		if got := policy(t, c.rules).WantsStepUp(deploy, c.f); got != c.want {
			t.Errorf("%s: WantsStepUp = %v, want %v", c.name, got, c.want)
		}
	}
	if (*Policy)(nil).WantsStepUp(deploy, kim(people.Admin)) {
		t.Error("no rules want something")
	}
}
