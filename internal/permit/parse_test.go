package permit

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/people"
)

func TestCompileNamesWhatIsWrong(t *testing.T) {
	tests := []struct{ line, at, want string }{ // at: the words that are wrong
		{"alow everyone *", "alow", "no rule"},
		{"Allow everyone *", "Allow", "no rule"},
		{"allow", "", "is nobody"},
		{"allow *", "*", "is nobody"},
		{"allow kim *", "kim", "is nobody"},
		{"allow role:boss *", "role:boss", "is nobody"},
		{"allow role:oncall( *", "role:oncall(", "is nobody"},
		{"allow role:oncall(Service) *", "role:oncall(Service)", "is nobody"},
		{"allow team:Web *", "team:Web", "is nobody"},
		{"allow user: *", "user:", "is nobody"},
		{"allow everyone", "", "is no permission"},
		{"allow everyone Deploy", "Deploy", "is no permission"},
		{"allow everyone deploy..run", "deploy..run", "is no permission"},
		{"allow everyone deploy.run here", "here", "not expected"},
		{"allow everyone * on", "", "after on come"},
		{"allow everyone * on env", "env", "after on come"},
		{"allow everyone * on env:a,,b", "env:a,,b", "after on come"},
		{"allow everyone * on env:a here", "here", "after on come"},
		{"deny", "", "is no permission"},
		{"deny team:x,y *", "team:x,y", "is nobody"},
		{"require", "", "cannot be required"},
		{"require money for *", "money", "cannot be required"},
		{"require approval for *", "approval", "cannot be required"},
		{"require approval() for *", "approval()", "give a team"},
		{"require approval( web , peer ) for *", "", ""},
		{"require approval(web peer) for *", "approval(web peer)", "give a team"},
		{"require approval(web, friends) for *", "approval(web, friends)", "give a team"},
		{"require approval(web, 0) for *", "approval(web, 0)", "give a team"},
		{"require approval(web, 1, 2) for *", "approval(web, 1, 2)", "give a team"},
		{"require approval(web, peer, peer) for *", "approval(web, peer, peer)", "give a team"},
		{"require step_up *", "*", "stands where for"},
		{"require step_up for", "", "is no permission"},
		{"require approval(web) within for *", "for", "from 1m to 7d"},
		{"require approval(web) within 8d for *", "8d", "from 1m to 7d"},
		{"require approval(web) within 30m *", "*", "stands where for"},
		{"require approval(web) within 30m for *", "", ""},
		{"require step_up within 30m for *", "within", "stands where for"},
		{"override vm.start", "vm.start", "is nobody"},
		{"override role:admin vm.*", "", ""},
		{"limit vm.start 1001/week", "1001/week", "at most 1000"},
		{"limit vm.start", "", "is no limit"},
		{"limit vm.start 5", "5", "is no limit"},
		{"limit vm.start 0/hour", "0/hour", "is no limit"},
		{"limit vm.start 5/year", "5/year", "is no limit"},
		{"limit vm.start 5/hour per team", "team", "a limit is per"},
		{"allow everyone * when", "", "what has to be true"},
		{"allow everyone * when ", "", "what has to be true"},
		{"allow everyone * when env ==", "env ==", "condition is wrong"},
		{"allow everyone * when 1", "1", "condition is wrong"},
		{"allow everyone * when role == 3", "role == 3", "condition is wrong"},
		{"allow everyone * when calendar(3)", "calendar(3)", "in quotes"},
		{"allow everyone * when calendar(user)", "calendar(user)", "in quotes"},
		{"allow everyone * when calender(\"x\")", "calender(\"x\")", "no functions but"},
		{"allow everyone * when team == \"web\"", "team == \"web\"", "args.team"},
		{"allow everyone * when user.name == \"web\"", "user.name == \"web\"", "look into args alone"},
		{"allow everyone * when all(teams, # == \"a\")", "all(teams, # == \"a\")", "no variables, loops"},
		{"allow everyone * when let a = \"x\"; a == \"x\"", "let a = \"x\"; a == \"x\"", "no variables"},
		{"allow everyone * when hour in 1..1000000000", "hour in 1..1000000000", "interval"},
		{"allow everyone * when hour in 1..count", "hour in 1..count", "interval"},
		{"allow everyone * when reason matches env", "reason matches env", "written out"},
		{"allow everyone * when reason matches \"(\"", "reason matches \"(\"", "condition is wrong"},
		{"allow everyone * when 2 ** 100 > 1", "2 ** 100 > 1", "cannot use"},
		{"allow everyone * when len({\"a\": 1}) == 1", "len({\"a\": 1}) == 1", "compares and combines"},
		{"allow everyone * when " + strings.Repeat("robot or ", 100) + "robot", "", "condition is wrong"},
		{"allow everyone " + strings.Repeat("x", 2000), "", "longer than"},
	}
	for _, tt := range tests {
		_, err := Compile("# first\n" + tt.line + "\nallow everyone *")
		var all Problems
		switch {
		case tt.want == "" && err == nil:
			continue
		case !errors.As(err, &all) || len(all) != 1 || all[0].Line != 2 || !strings.Contains(all[0].Sentence, tt.want) || tt.want == "":
			t.Errorf("Compile(%q) = %v, want line 2: … %s …", tt.line, err, tt.want)
			continue
		}
		p := all[0]
		if p.Start < 0 || p.Start > p.End || p.End > len(tt.line) {
			t.Errorf("Compile(%q): %d to %d", tt.line, p.Start, p.End)
		} else if got := tt.line[p.Start:p.End]; tt.at != "" && strings.TrimSpace(got) != tt.at {
			t.Errorf("Compile(%q) points at %q, want %q", tt.line, got, tt.at)
		}
		if strings.Contains(p.Sentence, "%!") || strings.HasPrefix(p.Sentence, "permit.") || strings.Contains(p.Sentence, "\n") {
			t.Errorf("Compile(%q): %s", tt.line, p.Sentence)
		}
	}
	_, err := Compile("alow x\ndeny")
	if err == nil || !strings.HasPrefix(err.Error(), "line 1: ") || !strings.Contains(err.Error(), "\nline 2: ") {
		t.Errorf("Compile() = %v, want both mistakes", err)
	}
	if _, err := Compile(strings.Repeat("deny x\n", MaxRules+1)); err == nil {
		t.Error("too many rules are taken")
	}
	if _, err := Compile(strings.Repeat("#", MaxText+1)); err == nil {
		t.Error("too much text is taken")
	}
}

func TestCheck(t *testing.T) {
	commands := []command.Declaration{deploy, ack}
	exists := func(kind SubjectKind, name string) bool {
		return kind == Team && name == "web" || kind == User && name == "kim"
	}
	for line, want := range map[string]string{
		"allow team:web deploy.run":                               "",
		"allow team:wep deploy.run":                               "There is no team:wep.",
		"allow user:lee *":                                        "There is no user:lee.",
		"allow robot:kim *":                                       "There is no robot:kim.",
		"require approval(web) for *":                             "",
		"require approval(admins) for *":                          "",
		"require approval(dba) for *":                             "There is no team dba",
		"deny deploi.*":                                           "There is no command that needs deploi.*",
		"deny deploy.run when environment == \"prod\"":            "argument environment",
		"deny deploy.run when env == \"prod\" and has(\"count\")": "",
		"deny deploy.run when args.where == \"prod\"":             "argument where",
		"deny deploy.run on region:eu":                            "argument region",
		"deny role:oncall(service) deploy.run":                    "",
		"deny role:oncall(team) incident.*":                       "",
		"deny role:oncall(squad) incident.*":                      "argument squad",
	} {
		got := policy(t, line).Check(commands, exists)
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || got[0].Line != 1 || !strings.Contains(got[0].Sentence, want)) {
			t.Errorf("Check(%q) = %v, want %q", line, got, want)
		}
	}
}

// FuzzCompile feeds any text, and decides with what comes out.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		Default, "without defaults\nallow role:oncall(service) incident.*", `deny deploy.run when env == "prod" and calendar("freeze")`,
		`require approval(release-managers, peer, 2) for team:web deploy.run on service:shop env:a,b when env == "prod"`,
		"limit vm.start 5/hour per user", "zone \"Europe/Berlin\"\ncalendar \"freeze\" from 2026-10-25 02:30 until 2026-10-26\ndeny deploy.run when calendar(\"freeze\")", "require step_up for vm.delete", `allow everyone * when args["a"] in [1, 2] and count > 3 ? true : has("x")`,
		`allow everyone * when len(reason + reason) > 3 and hour in 1..9 and reason[0] == "x"`, "allow everyone * when has()", "deny * when -(-count) > 1 or env?.x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Compile(text)
		if err != nil {
			var all Problems
			if !errors.As(err, &all) || len(all) == 0 {
				t.Fatalf("Compile(%q) = %v", text, err)
			}
			lines := strings.Split(text, "\n")
			for _, w := range all {
				if w.Line < 1 || w.Line > len(lines) || w.Sentence == "" || w.Start < 0 || w.Start > w.End || w.End > len(lines[w.Line-1]) {
					t.Errorf("Compile(%q): %+v", text, w)
				}
			}
			return
		}
		began := time.Now()
		for _, role := range people.Roles {
			fact := kim(role)
			fact.Teams, fact.OnCall, fact.Reason = []string{"web"}, []Duty{{command.Service, "shop"}}, "because"
			e := p.Explain(deploy, fact)
			if d := p.Decide(deploy, fact); d != e.Decision {
				t.Errorf("%q: Decide() = %+v, Explain() = %+v", text, d, e.Decision)
			}
			p.Might(deploy, fact)
			// A refusal beats everything, and a robot gets nothing by itself.
			no, err := Compile(text + "\ndeny deploy.run")
			if err == nil && no.Decide(deploy, fact).Allowed {
				t.Errorf("%q: allowed although it is forbidden", text)
			}
			fact.User, fact.Robot = "r2", true
			if d := p.Decide(deploy, fact); d.Allowed && !strings.Contains(text, "robot:r2") {
				t.Errorf("%q: a robot may: %+v", text, d)
			}
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%q takes %v", text, took)
		}
	})
}
