package permit

import (
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/people"
)

// The glass gives way to who is named for it, and to nobody else.
func TestBreakGlass(t *testing.T) {
	const rules = "allow role:member vm.*\nrequire approval(admins, peer) for vm.stop\ndeny vm.wipe\n"
	const mine = rules + "override user:kim vm.*"
	stop, wipe := declare("vm.stop", command.Changes), declare("vm.wipe", command.Danger)
	asked := stop
	asked.Approval = command.Approval{Count: 2}
	roomed := stop
	roomed.Rooms = []string{"elsewhere"}
	glass := func(change ...func(*Facts)) Facts {
		f := kim(people.Member)
		f.Glass = true
		for _, c := range change {
			c(&f)
		}
		return f
	}
	tests := []struct {
		intent, rules     string
		d                 command.Declaration
		f                 Facts
		allowed, glass    bool
		approvals, stepUp int
	}{
		{"a refusal gives way", mine, wipe, glass(), true, true, 0, 0},
		{"an approval gives way", mine, stop, glass(), true, true, 0, 0},
		{"one that is declared, too", mine, asked, glass(), true, true, 0, 0},
		{"a limit gives way", "allow everyone *\nlimit vm.stop 1/hour\noverride user:kim *", stop, glass(func(f *Facts) {
			f.Recent = []Run{{Command: "vm.stop", Permission: "vm.stop", User: "kim", At: noon.Add(-time.Minute)}}
		}), true, true, 0, 0},
		{"unless it is broken", mine, wipe, kim(people.Member), false, false, 0, 0},
		{"without it approval is asked for", mine, stop, kim(people.Member), true, false, 1, 0},
		{"what is allowed breaks none", "allow everyone *\noverride user:kim *", stop, glass(), true, false, 0, 0},
		{"others may not", mine, wipe, glass(func(f *Facts) { f.User = "lee" }), false, false, 0, 0},
		{"nor for other commands", rules + "override user:kim deploy.*", wipe, glass(), false, false, 0, 0},
		{"nor of other things", rules + "override user:kim * on env:test", wipe, glass(), false, false, 0, 0},
		{"in each of several cases", rules + "override user:kim * on env:prod", wipe, glass(func(f *Facts) {
			f.Cases = append(f.Cases, map[string]string{"env": "test"})
		}), false, false, 0, 0},
		{"nor a robot", rules + "override role:member vm.*", wipe, glass(func(f *Facts) { f.Robot = true }), false, false, 0, 0},
		{"a token stays within its scopes", mine, wipe, glass(func(f *Facts) { f.Limited = true }), false, false, 0, 0},
		{"the rooms of a command stay", mine, roomed, glass(), false, false, 0, 0},
		{"who one is stays to be shown", mine + "\nrequire step_up for vm.wipe", wipe, glass(), false, false, 0, 1},
		{"and then it gives way", mine + "\nrequire step_up for vm.wipe", wipe, glass(func(f *Facts) { f.StepUp = true }), true, true, 0, 0},
		{"a condition that cannot be decided overrides nothing", rules + "override user:kim * when nothing > 1", wipe, glass(), false, false, 0, 0},
	}
	for _, tt := range tests {
		d := policy(t, "without defaults", tt.rules).Decide(tt.d, tt.f)
		if d.Allowed != tt.allowed || d.Glass != tt.glass || d.Approval.Count != tt.approvals || d.StepUp != (tt.stepUp > 0) || d.Glass && !d.Confirm {
			t.Errorf("%s: Decide() = %+v", tt.intent, d)
		}
		if d.Rule == "" || !d.Allowed && d.Why == "" {
			t.Errorf("%s: nobody says why: %+v", tt.intent, d)
		}
	}
	if d := (*Policy)(nil).Decide(stop, glass()); d.Allowed {
		t.Error("rules that could not be loaded give way")
	}
}

// Nor does the page that explains a decision say that it did.
func TestAnOverrideThatCannotBeDecidedDoesNotCount(t *testing.T) {
	f := kim(people.Member)
	f.Glass = true
	for _, l := range policy(t, "override user:kim * when nothing > 1").Explain(deploy, f).Looked {
		if l.Rule.Kind == Override && (l.Counts || l.Reason != Undecidable) {
			t.Errorf("it counts %v because of %s", l.Counts, l.Reason)
		}
	}
}

func TestTimeForApproval(t *testing.T) {
	p := policy(t, "allow everyone *", "require approval(web) within 30m for deploy.run", "require approval(admins) within 2h for deploy.*")
	if d := p.Decide(deploy, kim(people.Member)); d.Approval.TTL != 30*time.Minute || d.Approval.Group != "admins,web" {
		t.Errorf("Decide() = %+v", d.Approval)
	}
}

func TestCalendarsThatThereAreNot(t *testing.T) {
	p := policy(t, `deny deploy.run when calendar("Code freeze") or calendar("holidays")`, `allow everyone *`)
	if got := p.Calendars(); len(got) != 2 || got[0] != "code-freeze" || got[1] != "holidays" {
		t.Errorf("Calendars() = %v", got)
	}
	if wrong := p.Missing(map[string]bool{"code-freeze": false}); len(wrong) != 1 || wrong[0].Line != 1 {
		t.Errorf("Missing() = %v", wrong)
	}
	if wrong := p.Missing(map[string]bool{"code-freeze": false, "holidays": true}); len(wrong) != 0 {
		t.Errorf("Missing() = %v", wrong)
	}
}
