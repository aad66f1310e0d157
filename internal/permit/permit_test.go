package permit

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/people"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) // a Wednesday

func policy(t testing.TB, lines ...string) *Policy {
	t.Helper()
	p, err := Compile(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func declare(commandID string, risk command.Risk, args ...command.Arg) command.Declaration {
	return command.Declaration{ID: commandID, Words: strings.Split(commandID, "."), Summary: "x", Risk: risk, Args: args}
}

var (
	deploy = declare("deploy.run", command.Changes,
		command.Arg{Name: "service", Type: command.Service}, command.Arg{Name: "env", Type: command.Enum},
		command.Arg{Name: "count", Type: command.Int}, command.Arg{Name: "force", Type: command.Bool}, command.Arg{Name: "for", Type: command.Duration},
	)
	ack = declare("incident.ack", command.Changes, command.Arg{Name: "incidents", Type: command.Incident, Many: true})
)

func kim(role people.Role) Facts {
	return Facts{User: "kim", Role: role, Room: "ops", Now: noon, Cases: []map[string]string{{"service": "shop", "env": "prod", "count": "3", "for": "1h30m"}}}
}

// TestRolesAndRisks goes through everybody, every risk and every kind of rule.
func TestRolesAndRisks(t *testing.T) {
	asks := map[string]Facts{
		"admin": kim(people.Admin), "member": kim(people.Member), "observer": kim(people.Observer), "robot": kim(people.Member), "nobody": {Now: noon, Room: "ops"},
	}
	robot := asks["robot"]
	robot.User, robot.Robot = "hubot", true
	asks["robot"] = robot
	rules := map[string]string{
		"nothing":             "",
		"allow everyone":      "allow everyone x.y",
		"allow observer":      "allow role:observer x.*",
		"allow robot":         "allow robot:hubot x.y",
		"allow kim":           "allow user:kim *",
		"deny":                "deny x.y",
		"deny member":         "deny role:member x.?",
		"deny another":        "deny z.*",
		"deny robot":          "allow robot:hubot *\ndeny robot:hubot x.y",
		"deny beats":          "allow user:kim x.y\nallow robot:hubot x.y\ndeny *",
		"without defaults":    "without defaults",
		"without, allow some": "without  defaults\nallow role:member x.y",
		"confirm":             "require confirmation for x.y",
		"approve":             "require approval(admins, peer, 2) for role:member x.y",
		"step up":             "require step_up for x.y",
		"limit":               "limit x.y 5/hour per user",
	}
	// What each may, risk by risk: yes, no, c(onfirm), a(pprove).
	want := map[string]map[string]string{ // rule, who, "read change danger"
		"nothing":             {"admin": "y y c", "member": "y y n", "observer": "y n n", "robot": "n n n", "nobody": "n n n"},
		"allow everyone":      {"admin": "y y c", "member": "y y c", "observer": "y y c", "robot": "n n n", "nobody": "n n n"},
		"allow observer":      {"admin": "y y c", "member": "y y n", "observer": "y y c", "robot": "n n n", "nobody": "n n n"},
		"allow robot":         {"admin": "y y c", "member": "y y n", "observer": "y n n", "robot": "y y c", "nobody": "n n n"},
		"allow kim":           {"admin": "y y c", "member": "y y c", "observer": "y y c", "robot": "n n n", "nobody": "n n n"},
		"deny":                {"admin": "n n n", "member": "n n n", "observer": "n n n", "robot": "n n n", "nobody": "n n n"},
		"deny member":         {"admin": "y y c", "member": "n n n", "observer": "y n n", "robot": "n n n", "nobody": "n n n"},
		"deny another":        {"admin": "y y c", "member": "y y n", "observer": "y n n", "robot": "n n n", "nobody": "n n n"},
		"deny robot":          {"admin": "y y c", "member": "y y n", "observer": "y n n", "robot": "n n n", "nobody": "n n n"},
		"deny beats":          {"admin": "n n n", "member": "n n n", "observer": "n n n", "robot": "n n n", "nobody": "n n n"},
		"without defaults":    {"admin": "n n n", "member": "n n n", "observer": "n n n", "robot": "n n n", "nobody": "n n n"},
		"without, allow some": {"admin": "n n n", "member": "y y y", "observer": "n n n", "robot": "n n n", "nobody": "n n n"},
		"confirm":             {"admin": "c c c", "member": "c c n", "observer": "c n n", "robot": "n n n", "nobody": "n n n"},
		"approve":             {"admin": "y y c", "member": "a a n", "observer": "y n n", "robot": "n n n", "nobody": "n n n"},
		"step up":             {"admin": "s s s", "member": "s s n", "observer": "s n n", "robot": "n n n", "nobody": "n n n"},
		"limit":               {"admin": "y y c", "member": "y y n", "observer": "y n n", "robot": "n n n", "nobody": "n n n"},
	}
	for name, text := range rules {
		p := policy(t, text)
		for who, f := range asks {
			var got []string
			for _, risk := range []command.Risk{command.Reads, command.Changes, command.Danger} {
				d := p.Decide(declare("x.y", risk), f)
				got = append(got, short(d))
				if d.Rule == "" || !d.Allowed && d.Why == "" || d.Allowed && d.Why != "" {
					t.Errorf("%s, %s, %s: %+v", name, who, risk, d)
				}
			}
			if g := strings.Join(got, " "); g != want[name][who] {
				t.Errorf("%s: %s may %q, want %q", name, who, g, want[name][who])
			}
		}
	}
	if none := (*Policy)(nil).Decide(declare("x.y", command.Reads), kim(people.Admin)); none.Allowed {
		t.Error("rules that could not be loaded allow something")
	}
	if d := policy(t).Decide(declare("x.y", ""), kim(people.Admin)); d.Allowed {
		t.Error("a command of unknown risk is allowed")
	}
}

func short(d Decision) string {
	switch {
	case d.StepUp:
		return "s"
	case !d.Allowed:
		return "n"
	case d.Approval.Count > 0:
		return "a"
	case d.Confirm:
		return "c"
	}
	return "y"
}

func TestRules(t *testing.T) {
	with := func(change func(*Facts)) Facts {
		f := kim(people.Observer)
		change(&f)
		return f
	}
	onCall := func(kind command.Type, name string) Facts {
		return with(func(f *Facts) { f.OnCall = []Duty{{kind, name}} })
	}
	args := func(pairs ...string) Facts {
		return with(func(f *Facts) {
			f.Cases = []map[string]string{{}}
			for i := 0; i < len(pairs); i += 2 {
				f.Cases[0][pairs[i]] = pairs[i+1]
			}
		})
	}
	plain := kim(people.Observer)
	tests := []struct {
		intent string
		rule   string
		f      Facts
		want   string
	}{
		{"a team", "allow team:database deploy.run", with(func(f *Facts) { f.Teams = []string{"web", "database"} }), "y"},
		{"another team", "allow team:database deploy.run", with(func(f *Facts) { f.Teams = []string{"web"} }), "n"},
		{"another user", "allow user:lee deploy.run", plain, "n"},
		{"a person is no robot", "allow robot:kim deploy.run", plain, "n"},
		{"a robot is no person", "allow user:hubot deploy.run", with(func(f *Facts) { f.User, f.Robot = "hubot", true }), "n"},
		{"on call for anything", "allow role:oncall deploy.run", onCall(command.Team, "web"), "y"},
		{"not on call", "allow role:oncall deploy.run", plain, "n"},
		{"on call for the service", "allow role:oncall(service) deploy.run", onCall(command.Service, "Shop"), "y"},
		{"on call for another", "allow role:oncall(service) deploy.run", onCall(command.Service, "db"), "n"},
		{"on call for a team of that name", "allow role:oncall(service) deploy.run", onCall(command.Team, "shop"), "n"},
		{"on call for nothing given", "allow role:oncall(team) deploy.run", onCall(command.Team, "shop"), "n"},
		{"a pattern inside", "allow everyone d*.r?n", plain, "y"},
		{"the pattern is the whole", "allow everyone deploy", plain, "n"},
		{"on", "allow everyone deploy.run on service:shop", plain, "y"},
		{"on one of several", "allow everyone deploy.run on env:staging,PROD", plain, "y"},
		{"on a pattern", "allow everyone deploy.run on service:sh*", plain, "y"},
		{"on all of them", "allow everyone deploy.run on service:shop env:staging", plain, "n"},
		{"on what was not given", "allow everyone deploy.run on host:*", plain, "n"},
		{"when", `allow everyone deploy.run when env == "prod"`, plain, "y"},
		{"when not", `allow everyone deploy.run when env != "prod"`, plain, "n"},
		{"numbers are numbers", `allow everyone deploy.run when count > 2 and count < 10`, plain, "y"},
		{"durations are durations", `allow everyone deploy.run when args["for"] <= duration("2h")`, plain, "y"},
		{"what cannot be computed does not allow", `allow everyone deploy.run when count > 2`, args("service", "shop"), "n"},
		{"asked before", `allow everyone deploy.run when not has("count") or count > 2`, args("service", "shop"), "y"},
		{"what cannot be computed refuses", "allow everyone *\ndeny deploy.run when count > 2", args("service", "shop"), "n"},
		{"what cannot be computed requires", "allow everyone *\nrequire confirmation for deploy.run when count > 2", args("service", "shop"), "c"},
		{"an argument that is missing is not prod", "allow everyone *\ndeny deploy.run when env == \"prod\"", args("service", "shop"), "y"},
		{"a calendar", "allow everyone *\ndeny deploy.run when env == \"prod\" and calendar(\"freeze\")", with(func(f *Facts) { f.Calendars = map[string]bool{"freeze": true} }), "n"},
		{"another day", "allow everyone *\ndeny deploy.run when env == \"prod\" and calendar(\"Freeze\")", with(func(f *Facts) { f.Calendars = map[string]bool{"freeze": false} }), "y"},
		{"no such calendar refuses", "allow everyone *\ndeny deploy.run when env == \"prod\" and calendar(\"freeze\")", plain, "n"},
		{"no such calendar allows nothing", "allow everyone * when not calendar(\"freeze\")", plain, "n"},
		{"hours", "allow everyone * when hour in 9..17 and weekday not in [\"saturday\", \"sunday\"] and time < \"12:01\" and date == \"2026-11-25\"", plain, "y"},
		{"who", `allow everyone * when user == "kim" and role == "observer" and not robot and not team("web") and room == "ops"`, plain, "y"},
		{"on call in a condition", `allow everyone * when oncall("shop")`, onCall(command.Rotation, "shop"), "y"},
		{"a reason", `allow everyone * when reason matches "^INC-[0-9]+"`, with(func(f *Facts) { f.Reason = "INC-7 burns" }), "y"},
		{"the command", `allow everyone * when command == "deploy.run" and permission startsWith "deploy." and risk != "danger"`, plain, "y"},
		{"lists", `allow everyone * when env in ["prod", "test"] and len(teams) == 0 and lower(env) == "prod"`, plain, "y"},
		{"the strictest approval", "allow everyone *\nrequire approval(database, 2) for *\nrequire approval(admins, peer) for deploy.*", plain, "a"},
		{"approval when", "allow everyone *\nrequire approval(admins) for deploy.* when env == \"test\"", plain, "y"},
		{"refused before approval", "require approval(admins) for deploy.*", plain, "n"},
		{"step up is done", "allow everyone *\nrequire step_up for deploy.run", with(func(f *Facts) { f.StepUp = true }), "y"},
		{"comments and empty lines", "# allow nobody\n\n  allow everyone *  \r\n", plain, "y"},
	}
	for _, tt := range tests {
		p := policy(t, tt.rule)
		d := p.Decide(deploy, tt.f)
		if short(d) != tt.want {
			e := p.Explain(deploy, tt.f)
			t.Errorf("%s: %q: %s (%s), want %s\n%+v", tt.intent, tt.rule, short(d), d.Rule, tt.want, e.Looked)
		}
	}
}

func TestTheMostSpecificRuleIsNamed(t *testing.T) {
	p := policy(t,
		"allow everyone deploy.run", "allow role:member deploy.*", "allow role:member deploy.run", "allow team:web *",
		`deny * when env == "none"`, `deny deploy.* when env == "none"`, "deny user:kim * when env == \"none\"",
	)
	f := kim(people.Member)
	if d := p.Decide(deploy, f); !d.Allowed || d.Line != 3 || d.Rule != "rule 3: allow role:member deploy.run" {
		t.Errorf("Decide() = %+v", d)
	}
	f.Teams = []string{"web"}
	if d := p.Decide(deploy, f); d.Line != 4 {
		t.Errorf("Decide() of a member of web = %+v", d)
	}
	f.Cases[0]["env"] = "none"
	if d := p.Decide(deploy, f); d.Allowed || d.Line != 7 {
		t.Errorf("Decide() = %+v", d)
	}
	f.User = "lee"
	if d := p.Decide(deploy, f); d.Allowed || d.Line != 6 {
		t.Errorf("Decide() = %+v", d)
	}
	if d := policy(t).Decide(declare("x.y", command.Changes), kim(people.Member)); d.Rule != `built-in rule 2: allow role:member * when risk == "change"` {
		t.Errorf("Decide() = %+v", d)
	}
}

func TestApprovalsAdd(t *testing.T) {
	p := policy(t, "require approval(database, 2) for *", "require approval(admins, peer) for deploy.*", "require approval(admins) for *")
	d := deploy
	d.Approval = command.Approval{Group: "web", Count: 1, TTL: time.Minute}
	got := p.Decide(d, kim(people.Member)).Approval
	if want := (command.Approval{Group: "admins,database,web", Count: 2, Peer: true, TTL: time.Minute}); got != want {
		t.Errorf("Approval = %+v, want %+v", got, want)
	}
}

func TestLimits(t *testing.T) {
	ago := func(minutes int, user, room string) Run {
		return Run{Command: "vm.start", Permission: "vm.start", User: user, Room: room, At: noon.Add(-time.Duration(minutes) * time.Minute)}
	}
	p := policy(t, "limit vm.start 2/hour per user", "limit vm.start 3/day per room", "limit vm.* 5/week per all")
	start := declare("vm.start", command.Changes)
	if limits := p.Limits(start); len(limits) != 3 || !limits[2].About(declare("vm.stop", command.Changes)) || limits[0].About(declare("vm.stop", command.Changes)) {
		t.Errorf("Limits() = %v", limits)
	}
	if limits := p.Limits(deploy); len(limits) != 0 {
		t.Errorf("Limits() of what no limit is about = %v", limits)
	}
	tests := []struct {
		intent string
		recent []Run
		line   int // that refuses; 0: none
		retry  time.Duration
	}{
		{"the first", nil, 0, 0},
		{"the second", []Run{ago(10, "kim", "a")}, 0, 0},
		{"the third", []Run{ago(10, "kim", "a"), ago(50, "kim", "b")}, 1, 10 * time.Minute},
		{"the fourth", []Run{ago(50, "kim", "a"), ago(10, "kim", "b"), ago(40, "kim", "b")}, 1, 20 * time.Minute},
		{"long ago", []Run{ago(60, "kim", "a"), ago(10, "kim", "a")}, 0, 0},
		{"others", []Run{ago(1, "lee", "a"), ago(2, "lee", "a")}, 0, 0},
		{"in the room", []Run{ago(100, "lee", "ops"), ago(200, "lee", "ops"), ago(3, "kim", "ops")}, 2, 24*time.Hour - 200*time.Minute},
		{"all", slices.Repeat([]Run{ago(7*24*60-1, "lee", "a")}, 5), 3, time.Minute},
		{"something else", slices.Repeat([]Run{{Command: "db.start", Permission: "db.start", User: "kim", At: noon}}, 9), 0, 0},
	}
	for _, tt := range tests {
		f := kim(people.Member)
		f.Recent = tt.recent
		d := p.Decide(start, f)
		if d.Allowed != (tt.line == 0) || !d.Allowed && (d.Line != tt.line || !d.Retry.Equal(noon.Add(tt.retry))) {
			t.Errorf("%s: %+v, want rule %d, again in %v", tt.intent, d, tt.line, tt.retry)
		}
	}
}

func TestCases(t *testing.T) {
	p := policy(t, "without defaults", "allow role:oncall(service) incident.*", "require confirmation for incident.* on service:shop")
	f := kim(people.Member)
	f.OnCall = []Duty{{command.Service, "db"}, {command.Service, "shop"}}
	tree, err := command.New([]command.Declaration{ack})
	if err != nil {
		t.Fatal(err)
	}
	services := map[string]string{"17": "db", "18": "shop", "19": "web"}
	for line, want := range map[string]string{
		"incident ack 17": "y", "incident ack 18": "c", "incident ack 17 18": "c", "incident ack 17 19": "n", "incident ack 19": "n", "incident ack 20": "n",
	} {
		parsed, err := tree.Parse(line, numbers{})
		if err != nil {
			t.Fatal(err)
		}
		f.Cases = Cases(parsed, func(kind command.Type, value string) map[string]string {
			if s, ok := services[value]; ok && kind == command.Incident {
				return map[string]string{"service": s, "incidents": "never"}
			}
			return nil
		})
		if len(f.Cases) != strings.Count(line, " ")-1 || f.Cases[0]["incidents"] != line[13:15] {
			t.Errorf("Cases(%q) = %v", line, f.Cases)
		}
		if d := p.Decide(ack, f); short(d) != want {
			t.Errorf("%q: %s, want %s", line, short(d), want)
		}
	}
}

// numbers finds every incident.
type numbers struct{}

func (numbers) Now() time.Time       { return noon }
func (numbers) Zone() *time.Location { return time.UTC }
func (numbers) Find(_ command.Type, text string) command.Found {
	return command.Found{OK: true, ID: text, Shown: "#" + strings.TrimLeft(text, "#@")}
}

func TestCasesOfEverything(t *testing.T) {
	d := declare("x.y", command.Changes,
		command.Arg{Name: "who", Type: command.User}, command.Arg{Name: "key", Type: command.Secret},
		command.Arg{Name: "tag", Option: true, Many: true}, command.Arg{Name: "teams", Type: command.Team, Many: true},
	)
	tree, err := command.New([]command.Declaration{d})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := tree.Parse("x y kim hunter2 a b c --tag=1 --tag=2", numbers{})
	if err != nil {
		t.Fatal(err)
	}
	want := []map[string]string{
		{"who": "kim", "key": "", "tag": "1", "teams": "a"}, {"who": "kim", "key": "", "tag": "2", "teams": "b"}, {"who": "kim", "key": "", "tag": "1", "teams": "c"},
	}
	if diff := cmp.Diff(want, Cases(parsed, nil)); diff != "" {
		t.Error(diff)
	}
	f := kim(people.Member)
	f.Cases = Cases(parsed, nil)
	for rule, allowed := range map[string]bool{
		"deny x.y on teams:c": false, "deny x.y on teams:d": true, `deny x.y when tag == "2"`: false, `deny x.y when has("key") and key == "hunter2"`: true,
	} {
		if got := policy(t, rule).Decide(d, f); got.Allowed != allowed {
			t.Errorf("%q: %+v", rule, got)
		}
	}
}

func TestTokens(t *testing.T) {
	p := policy(t, "allow user:kim *")
	for _, tt := range []struct {
		role   people.Role
		scopes []people.Permission
		want   string // read, change, danger
	}{
		{people.Admin, nil, "y y c"},
		{people.Observer, nil, "y y c"},
		{people.Admin, people.Permissions, "y y c"},
		{people.Admin, []people.Permission{people.Read, people.Respond}, "y y n"},
		{people.Admin, []people.Permission{people.Read}, "y n n"},
		{people.Admin, []people.Permission{people.Ingest}, "n n n"},
		{people.Observer, []people.Permission{people.Manage, people.Read}, "y n n"},
	} {
		f := kim(people.Admin).Of(people.Actor{User: "u1", Role: tt.role, Scopes: tt.scopes})
		var got []string
		for _, risk := range []command.Risk{command.Reads, command.Changes, command.Danger} {
			got = append(got, short(p.Decide(declare("x.y", risk), f)))
		}
		if g := strings.Join(got, " "); g != tt.want {
			t.Errorf("%s with %v may %q, want %q", tt.role, tt.scopes, g, tt.want)
		}
	}
}

func TestRooms(t *testing.T) {
	d := deploy
	d.Rooms = []string{"deploys", "ops"}
	f := kim(people.Admin)
	if got := policy(t).Decide(d, f); !got.Allowed {
		t.Errorf("Decide() = %+v", got)
	}
	f.Room = "timeline"
	if got := policy(t).Decide(d, f); got.Allowed || !strings.Contains(got.Why, "#deploys, #ops") {
		t.Errorf("Decide() = %+v", got)
	}
	if !policy(t).Might(d, f) {
		t.Error("help in another room does not tell")
	}
}

func TestPublic(t *testing.T) {
	nobody := Facts{Room: "ops", Now: noon}
	d := declare("oncall", command.Reads)
	d.Public = true
	for rule, want := range map[string]string{
		"": "y", "without defaults": "y", "deny oncall": "n", "deny role:member *": "y", `deny * when user == ""`: "n", "limit oncall 1/hour per all": "n",
	} {
		nobody.Recent = []Run{{Command: "oncall", At: noon.Add(-time.Minute)}}
		if got := policy(t, rule).Decide(d, nobody); short(got) != want {
			t.Errorf("%q: %+v", rule, got)
		}
	}
	d.Risk = command.Changes
	if got := policy(t, "allow everyone *").Decide(d, nobody); got.Allowed || !strings.Contains(got.Why, "Link") {
		t.Errorf("a change by nobody: %+v", got)
	}
}

func TestMight(t *testing.T) {
	onCall := kim(people.Observer)
	onCall.OnCall = []Duty{{command.Service, "shop"}}
	tests := []struct {
		rule string
		f    Facts
		want bool
	}{
		{"", kim(people.Member), true},
		{"", kim(people.Observer), false},
		{"allow role:oncall(service) deploy.*", onCall, true},
		{"allow role:oncall(service) deploy.*", kim(people.Observer), false},
		{"allow role:oncall(service) vm.*", onCall, false},
		{"allow everyone deploy.run on env:staging", kim(people.Observer), true},
		{`allow everyone deploy.run when env == "staging"`, kim(people.Observer), true},
		{`allow everyone deploy.run when user == "lee"`, kim(people.Observer), false},
		{`deny deploy.run when env == "prod"`, kim(people.Member), true},
		{`deny deploy.run on env:prod`, kim(people.Member), true},
		{`deny deploy.run when hour == 12`, kim(people.Member), false},
		{`deny deploy.run`, kim(people.Admin), false},
		{`require step_up for *`, kim(people.Member), true},
		{`limit * 1/hour`, kim(people.Member), true},
	}
	for _, tt := range tests {
		tt.f.Recent = []Run{{Command: "deploy.run", User: "kim", At: noon}}
		if got := policy(t, tt.rule).Might(deploy, tt.f); got != tt.want {
			t.Errorf("%q: Might() = %t", tt.rule, got)
		}
	}
}

func TestExplain(t *testing.T) {
	p := policy(t, "# ours", "allow team:web vm.*", "allow role:oncall(service) deploy.*", `deny deploy.run on env:test when count > 1`, "deny deploy.run when nothing > 3", "limit deploy.run 5/day")
	e := p.Explain(deploy, kim(people.Member))
	var got []string
	for _, l := range e.Looked {
		got = append(got, fmt.Sprintf("%v %t %s", l.Rule.Line, l.Counts, l.Reason))
		if l.Why == "" || strings.HasPrefix(l.Why, "permit.") || strings.Contains(l.Why, "%!") {
			t.Errorf("rule %d: why = %q", l.Rule.Line, l.Why)
		}
	}
	want := []string{
		"1 false not_when", "2 true matches", "3 false not_subject", "4 false not_when",
		"2 false not_command", "3 false not_oncall", "4 false not_scope", "5 true undecidable", "6 false below_limit",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Explain() =\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if e.Decision.Allowed || e.Decision.Line != 5 || e.Decision != p.Decide(deploy, kim(people.Member)) {
		t.Errorf("Decision = %+v", e.Decision)
	}
}

// What a use case asks of people no rule gives them, and nobody is told that they
// might.
func TestRightsAreAboveRules(t *testing.T) {
	token := func(as people.Role, scopes ...people.Permission) Facts {
		return kim("").Of(people.Actor{Role: as, Scopes: scopes})
	}
	tests := []struct {
		intent string
		right  people.Permission
		asks   Facts
		want   bool
	}{
		{"an administrator", people.Manage, kim(people.Admin), true},
		{"a member, whom the rules allow it", people.Manage, kim(people.Member), false},
		{"a member", people.Respond, kim(people.Member), true},
		{"an observer, whom the rules allow it", people.Respond, kim(people.Observer), false},
		{"an observer's own account", people.OwnSelf, kim(people.Observer), true},
		{"nobody's account", people.OwnSelf, Facts{User: "x"}, false},
		{"a token for it", people.Manage, token(people.Admin, people.Read, people.Manage), true},
		{"a token for something else", people.OwnSelf, token(people.Admin, people.Read, people.Respond), false},
		{"a token that goes further than its person", people.Manage, token(people.Member, people.Manage, people.Respond, people.Read), false},
	}
	p := policy(t, "allow everyone x.y", "override everyone x.y")
	for _, tt := range tests {
		d := declare("x.y", command.Changes)
		d.Right = tt.right
		got := p.Decide(d, tt.asks)
		if might := p.Might(d, tt.asks); got.Allowed != tt.want || might != tt.want {
			t.Errorf("%s: allowed %t, might %t, want %t: %s", tt.intent, got.Allowed, might, tt.want, got.Why)
		}
		tt.asks.Glass, tt.asks.Reason = true, "it burns"
		if got := p.Decide(d, tt.asks); got.Allowed != tt.want {
			t.Errorf("%s, breaking the glass: %+v", tt.intent, got)
		}
	}
}
