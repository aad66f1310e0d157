package explain

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
)

const minute = escalation.Duration(time.Minute)

// night is in the hour before the clocks of Berlin jump from 02:00 to 03:00.
var night = time.Date(2027, 3, 28, 0, 58, 0, 0, time.UTC)

func person(u id.User, name string) people.User {
	return people.User{
		ID: u, Username: string(u), Name: name, Email: string(u) + "@example.org", Role: people.Admin, Zone: "Europe/Berlin",
		Contacts: []people.Contact{
			{ID: id.Contact(u + "-mail"), Method: people.Email, Address: string(u) + "@example.org"},
			{ID: id.Contact(u + "-push"), Method: people.WebPush, Label: "phone", Address: "https://push.example/s3cret-" + string(u), Secret: "k3ys", VerifiedAt: night},
			{ID: id.Contact(u + "-sms"), Method: people.SMS, Address: "+4930123456" + string(u[len(u)-1]%10+'0')},
		},
	}
}

func objects() []any {
	kim := person("kim", "Kim")
	kim.Paging = &people.PagingPolicy{Rules: []people.PagingRule{{
		Name: "Nights", When: []people.PagingWindow{{From: "22:00", To: "07:00"}}, Again: people.Duration(10 * time.Minute),
		Steps: []people.PagingStep{
			{Methods: []people.Method{people.WebPush}},
			{After: people.Duration(2 * time.Minute), Methods: []people.Method{people.SMS}},
			{After: people.Duration(3 * time.Minute), Methods: []people.Method{people.Email}},
		},
	}}}
	return []any{
		kim, person("lee", "Lee"), person("ada", "Ada"),
		people.Team{ID: "dba", Slug: "dba", Name: "Databases", Members: []id.User{"kim", "lee"}},
		people.Team{ID: "net", Slug: "net", Name: "Network"},
		org.Provider{ID: "hook", Kind: org.Webhook, Name: "status"},
		oncall.Rotation{ID: "primary", Name: "Primary", Team: "dba", Zone: "Europe/Berlin", Layers: []oncall.Layer{{
			Members: []id.User{"kim", "lee"}, Every: 1, Unit: oncall.Days, HandoffAt: "03:00", Start: "2027-03-01",
		}}},
		oncall.Rotation{ID: "later", Name: "Later", Team: "dba", Zone: "UTC", Layers: []oncall.Layer{{
			Members: []id.User{"lee"}, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2028-01-03",
		}}},
		escalation.Policy{ID: "database", Slug: "database", Name: "Database", Team: "dba", Repeat: 1, RepeatAfter: 5 * minute, Steps: []escalation.Step{
			{Targets: []escalation.Target{{Rotation: "primary"}}},
			{After: 1 * minute, Targets: []escalation.Target{{Rotation: "later"}}},
			{After: 3 * minute, Targets: []escalation.Target{{User: "ada"}}},
		}},
		escalation.Policy{ID: "fallback", Slug: "fallback", Name: "Fallback", RepeatAfter: 5 * minute, Steps: []escalation.Step{{Targets: []escalation.Target{{User: "ada"}}}}},
		escalation.Policy{ID: "empty", Slug: "empty", Name: "Empty", Team: "dba", RepeatAfter: 5 * minute},
		routing.Key{ID: "k1", Name: "DataBase", Policy: "database"},
		org.Settings{Name: "Example", DefaultPolicy: "fallback", WarningsOpen: true, SnoozeMorningAt: "09:00"},
	}
}

func example(t *testing.T, more ...any) *org.Org {
	t.Helper()
	o, err := org.Build(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	var puts []org.Change
	for _, x := range append(objects(), more...) {
		puts = append(puts, org.Put(x))
	}
	o, _, err = o.Apply(puts...)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// told is a path in short, with times of day in UTC.
func told(p Path) []string {
	var all []string
	for _, e := range p.Events {
		var line strings.Builder
		line.WriteString(e.At.UTC().Format("15:04") + " " + e.Text)
		for _, who := range e.People {
			for _, a := range who.Attempts {
				line.WriteString(" | " + string(a.Method) + " " + a.At.UTC().Format("15:04"))
			}
		}
		all = append(all, line.String())
	}
	return all
}

// Around the jump of the clocks: Kim until 03:00 local time, which is 01:00 UTC,
// then Lee; the second round finds Lee.
func TestExplain(t *testing.T) {
	a := Explain(example(t), Question{RoutingKey: "database", Severity: alert.Critical, At: night})
	if want := "The routing key “database” leads to the policy Database."; a.Route != want || len(a.Paths) != 1 {
		t.Fatalf("route %q with %d paths, want %q", a.Route, len(a.Paths), want)
	}
	p := a.Paths[0]
	want := []string{
		"00:58 Step 1 pages Kim | push 00:58 | email 01:00",
		"00:59 Step 2 is skipped: nobody is on call",
		"00:59 Step 3 pages Ada | email 00:59 | push 00:59",
		"01:04 Step 1, round 2 pages Lee | email 01:04 | push 01:04",
	}
	if diff := cmp.Diff(want[:2], told(p)[:2]); diff != "" {
		t.Errorf("Explain() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[2:], told(p)[2:4]); diff != "" {
		t.Errorf("Explain() (-want +got):\n%s", diff)
	}
	last := p.Events[len(p.Events)-1]
	if last.Text != "The policy ends. Nobody has acknowledged, and nobody else is paged." || p.Paged != 3 || p.Cut {
		t.Errorf("it ends with %q, %d paged, cut %t", last.Text, p.Paged, p.Cut)
	}
	kim := p.Events[0].People[0]
	if kim.Why != "You are on call in Primary." || kim.Rule != "Nights" || kim.Again != people.Duration(10*time.Minute) {
		t.Errorf("Kim: %+v", kim)
	}
	if len(kim.Skipped) != 1 || kim.Skipped[0].Why != "it was never proven to reach the person" {
		t.Errorf("Kim's skipped methods: %+v", kim.Skipped)
	}
}

func TestRoutes(t *testing.T) {
	silent := person("ada", "Ada")
	silent.Contacts = nil
	off := objects()[len(objects())-1].(org.Settings)
	off.WarningsOpen, off.DefaultPolicy = false, ""
	many := escalation.Policy{ID: "fallback", Slug: "fallback", Name: "Fallback", Repeat: 50, RepeatAfter: minute}
	for range 20 {
		many.Steps = append(many.Steps, escalation.Step{After: minute, Targets: []escalation.Target{{User: "ada"}}})
	}
	tests := []struct {
		intent string
		org    *org.Org
		q      Question
		route  string
		paths  int
		first  string // event of the first path
		paged  int
	}{
		{"an unknown key", example(t), Question{RoutingKey: "x", Severity: alert.Critical}, "“x” is not known", 1, "Step 1 pages Ada", 1},
		{"no key", example(t), Question{Severity: alert.Critical}, "Without a routing key", 1, "Step 1 pages Ada", 1},
		{"a key of another team", example(t), Question{RoutingKey: "database", Team: "net", Severity: alert.Critical}, "It does not belong to the team Network.", 1, "Step 1 pages Kim", 3},
		{"a team", example(t), Question{Team: "dba", Severity: alert.Critical}, "Databases has 2 policies", 2, "Step 1 pages Kim", 3},
		{"a team without any", example(t), Question{Team: "net", Severity: alert.Critical}, "Network has 0 policies", 0, "", 0},
		{"info opens nothing", example(t), Question{Severity: alert.Info}, "", 1, "No incident: an info alert is only recorded.", 0},
		{"warnings that open nothing", example(t, off), Question{RoutingKey: "database", Severity: alert.Warning}, "leads to", 1, "No incident: warnings open none.", 0},
		{"no home", example(t, off), Question{Severity: alert.Critical}, "No policy", 1, "Nobody is paged: there is no policy.", 0},
		{"nobody to reach", example(t, silent), Question{Severity: alert.Critical}, "", 1, "Step 1 is skipped: Ada cannot be reached", 0},
		{"without end", example(t, many), Question{Severity: alert.Critical}, "", 1, "Step 1 pages Ada", 1},
	}
	for _, tt := range tests {
		tt.q.At = night
		if err := tt.q.Validate(); err != nil {
			t.Errorf("%s: Validate() = %v", tt.intent, err)
		}
		a := Explain(tt.org, tt.q)
		if !strings.Contains(a.Route, tt.route) || len(a.Paths) != tt.paths {
			t.Errorf("%s: %d paths, %q, want %d, … %s …", tt.intent, len(a.Paths), a.Route, tt.paths, tt.route)
			continue
		}
		if tt.paths == 0 {
			continue
		}
		p := a.Paths[0]
		if p.Paged != tt.paged || !strings.HasPrefix(p.Events[0].Text, tt.first) {
			t.Errorf("%s: %d paged, first %q, want %d, %q", tt.intent, p.Paged, p.Events[0].Text, tt.paged, tt.first)
		}
		if p.Cut != (tt.intent == "without end") || len(p.Events) > MaxDecisions+1 {
			t.Errorf("%s: %d events, cut %t", tt.intent, len(p.Events), p.Cut)
		}
		if got := strings.Contains(a.Text(), "Nobody would be paged."); tt.paths == 1 && got != (tt.paged == 0 && p.Urgency != "") {
			t.Errorf("%s: Text() is\n%s", tt.intent, a.Text())
		}
	}
}

func TestMuted(t *testing.T) {
	windows := []maintenance.Window{
		{ID: "a", Name: "Racks", Teams: []id.Team{"dba"}, Start: night.Add(-time.Hour), End: night.Add(2 * time.Hour)},
		{ID: "b", Name: "Switch", Teams: []id.Team{"net"}, Start: night.Add(-time.Hour), End: night.Add(2 * time.Hour)},
		{ID: "c", Name: "Disks", Entities: []string{"disk/*"}, Start: night.Add(-time.Hour), End: night.Add(4 * time.Hour)},
	}
	q := Question{RoutingKey: "database", Severity: alert.Critical, At: night, Windows: windows[:1]}
	p := Explain(example(t), q).Paths[0]
	if p.Mute == nil || p.Mute.Name != "Racks" || !p.Mute.Until.Equal(night.Add(2*time.Hour)) {
		t.Fatalf("the window of the team mutes: %+v", p.Mute)
	}
	want := "Muted by the maintenance window “Racks”. Its incident opens at " + p.Mute.Until.Format(layout) + ", unless it recovers.\n"
	if got := Explain(example(t), q).Text(); !strings.Contains(got, want) {
		t.Errorf("Text() = %s\nwant in it: %s", got, want)
	}
	// Kim's duty has ended when the window does.
	if got, want := told(p)[0], "02:58 Step 1 pages Lee"; !strings.HasPrefix(got, want) {
		t.Errorf("after the window: %q, want %q", got, want)
	}
	q.Windows = windows[1:]
	p = Explain(example(t), q).Paths[0]
	if diff := cmp.Diff([]string{"Disks"}, p.MayMute); diff != "" || p.Mute != nil {
		t.Errorf("a window for some entities may mute (-want +got):\n%s", diff)
	}
	q.EntityID = "disk/db01"
	if p = Explain(example(t), q).Paths[0]; p.Mute == nil || p.Mute.Name != "Disks" || p.MayMute != nil {
		t.Errorf("with the entity it is certain: %+v, %v", p.Mute, p.MayMute)
	}
	q.EntityID = "cpu/db01"
	if p = Explain(example(t), q).Paths[0]; p.Mute != nil || p.MayMute != nil {
		t.Errorf("another entity is not muted: %+v, %v", p.Mute, p.MayMute)
	}
}

func TestText(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	a := Explain(example(t), Question{RoutingKey: "database", Severity: alert.Critical, At: night, Zone: berlin})
	want := `A critical alert at 2027-03-28 01:58:00 +01:00, if nobody answers:
The routing key “database” leads to the policy Database.

Policy Database (version 0) of team Databases
  2027-03-28 01:58:00 +01:00  Step 1 pages Kim
    Kim: You are on call in Primary. The rule “Nights” fits high urgency at 01:58 (Europe/Berlin).
      2027-03-28 01:58:00 +01:00  push to the web app to phone
      2027-03-28 03:00:00 +02:00  e-mail to kim@example.org
      the last again every 10m until acknowledged
      not used: +49301234569, because it was never proven to reach the person
`
	if got := a.Text(); !strings.HasPrefix(got, want) {
		t.Errorf("Text() (-want +got):\n%s", cmp.Diff(want, got))
	}
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"s3cret", "k3ys"} {
		if strings.Contains(string(data)+a.Text(), secret) {
			t.Errorf("the answer contains %s: %s", secret, data)
		}
	}
}

func TestQuestionValidate(t *testing.T) {
	for _, q := range []Question{
		{Severity: "fatal", At: night}, {Severity: alert.Recovery, At: night}, {Severity: alert.Critical},
		{Severity: alert.Critical, At: night.AddDate(2000, 0, 0)}, {Severity: alert.Critical, At: night, RoutingKey: strings.Repeat("k", 201)},
	} {
		if q.Validate() == nil {
			t.Errorf("Validate() takes %+v", q)
		}
	}
}

// Everything a policy can do beside paging people from step to step.
func TestKinds(t *testing.T) {
	work := escalation.Hours{Zone: "Europe/Berlin", Windows: []people.PagingWindow{{From: "08:00", To: "18:00"}}}
	tests := []struct {
		intent   string
		policy   escalation.Policy
		severity alert.Type
		want     []string
	}{
		{"it tells and has a last resort", escalation.Policy{
			Steps:      []escalation.Step{{Targets: []escalation.Target{{Email: "noc@example.org"}, {Webhook: "status"}, {User: "kim"}}}},
			LastResort: []escalation.Target{{User: "ada"}},
		}, alert.Critical, []string{
			"00:58 Step 1 pages Kim | push 00:58 | email 01:00", "00:58 Step 1 tells status, noc@example.org",
			"01:03 The last resort pages Ada | email 01:03 | push 01:03", "01:08 The policy ends. Nobody has acknowledged, and nobody else is paged.",
		}},
		{"it hands over", escalation.Policy{
			Steps: []escalation.Step{{Targets: []escalation.Target{{User: "kim"}}}, {After: minute, Targets: []escalation.Target{{Policy: "fallback"}}}},
		}, alert.Critical, []string{
			"00:58 Step 1 pages Kim | push 00:58 | email 01:00", "00:59 Step 2 hands the incident over to the policy Fallback",
			"00:59 Step 1 pages Ada | email 00:59 | push 00:59", "01:04 The policy ends. Nobody has acknowledged, and nobody else is paged.",
		}},
		{"a warning waits for the morning, which in Berlin is 06:00 UTC", escalation.Policy{
			Steps: []escalation.Step{{Targets: []escalation.Target{{User: "ada"}}}}, LowWaits: true, Hours: work,
		}, alert.Warning, []string{
			"00:58 Step 1 waits for working hours until 2027-03-28 08:00:00 +02:00",
			"06:00 Step 1 pages Ada | email 06:00 | push 06:00", "06:05 The policy ends. Nobody has acknowledged, and nobody else is paged.",
		}},
		{"it ignores what people chose", escalation.Policy{
			Steps: []escalation.Step{{Targets: []escalation.Target{{User: "kim"}}}}, IgnorePagingPolicies: true,
		}, alert.Critical, []string{
			"00:58 Step 1 pages Kim | email 00:58 | push 00:58", "01:03 The policy ends. Nobody has acknowledged, and nobody else is paged.",
		}},
		{"a step that is not for this severity", escalation.Policy{
			Steps: []escalation.Step{{Targets: []escalation.Target{{User: "kim"}}, When: escalation.When{Severities: []alert.Type{alert.Critical}}}, {Targets: []escalation.Target{{User: "ada"}}}},
		}, alert.Warning, []string{
			"00:58 Step 1 is skipped: ", "00:58 Step 2 pages Ada | email 00:58 | push 00:58", "01:03 The policy ends. Nobody has acknowledged, and nobody else is paged.",
		}},
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		tt.policy.ID, tt.policy.Slug, tt.policy.Name, tt.policy.Team, tt.policy.RepeatAfter = "database", "database", "Database", "dba", 5*minute
		p := Explain(example(t, tt.policy), Question{RoutingKey: "database", Severity: tt.severity, At: night, Zone: berlin}).Paths[0]
		got := told(p)
		for i := range got {
			if i < len(tt.want) && strings.HasSuffix(tt.want[i], ": ") && strings.HasPrefix(got[i], tt.want[i]) {
				got[i] = tt.want[i] // the rest is worded elsewhere
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: Explain() (-want +got):\n%s", tt.intent, diff)
		}
	}
}
