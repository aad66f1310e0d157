package permit

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/people"
)

// Rules are on the clocks of their zone, also when those are put forward or back.
func TestZone(t *testing.T) {
	const berlin = "zone \"Europe/Berlin\"\n"
	tests := []struct {
		text, at string
		allowed  bool
	}{
		{`deny deploy.run when hour < 8`, "2026-07-01T06:30:00Z", false}, // without a zone: UTC
		{berlin + `deny deploy.run when hour < 8`, "2026-07-01T06:30:00Z", true},
		{berlin + `deny deploy.run when hour < 8`, "2026-07-01T05:59:59Z", false},
		{berlin + `deny deploy.run when hour < 8`, "2026-03-29T05:59:59Z", false}, // the clocks have been put forward
		{berlin + `deny deploy.run when hour < 8`, "2026-03-29T06:00:00Z", true},
		{berlin + `deny deploy.run when hour < 8`, "2026-10-25T06:00:00Z", false}, // and back
		{berlin + `deny deploy.run when hour < 8`, "2026-10-25T07:00:00Z", true},
		{berlin + `deny deploy.run when weekday == "saturday"`, "2026-07-03T22:00:00Z", false},
		{berlin + `deny deploy.run when weekday == "saturday"`, "2026-07-04T22:00:00Z", true},
		{berlin + `deny deploy.run when date == "2026-12-24"`, "2026-12-23T23:00:00Z", false},
		{`deny deploy.run when hour < 8` + "\n" + `zone Europe/Berlin`, "2026-07-01T06:30:00Z", true}, // wherever it stands
	}
	for _, tt := range tests {
		p, err := Compile(tt.text)
		if err != nil {
			t.Fatalf("%q: %v", tt.text, err)
		}
		f := kim(people.Admin)
		if f.Now, err = time.Parse(time.RFC3339, tt.at); err != nil {
			t.Fatal(err)
		}
		if got := p.Decide(deploy, f); got.Allowed != tt.allowed {
			t.Errorf("%q at %s: %+v", tt.text, tt.at, got)
		}
	}
}

// The time at which a limit lets the next one through is said on the same clocks.
func TestZoneOfALimit(t *testing.T) {
	f := kim(people.Admin)
	f.Now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	f.Recent = []Run{{Command: deploy.ID, Permission: deploy.Needs(), User: f.User, At: f.Now.Add(-time.Minute)}}
	got := policy(t, "zone \"Europe/Berlin\"\nlimit deploy.run 1/hour").Decide(deploy, f)
	if !strings.Contains(got.Why, "14:59") {
		t.Errorf("Decide() = %+v", got)
	}
}

// A calendar of the rules has hours, on the clocks of their zone.
func TestCalendarsWithHours(t *testing.T) {
	tests := []struct {
		intent, calendar, at string
		in                   bool
	}{
		{"before it begins", `calendar "Freeze" from 2026-12-18 18:00 until 2027-01-04 08:00`, "2026-12-18T16:59:59Z", false},
		{"when it begins", `calendar "Freeze" from 2026-12-18 18:00 until 2027-01-04 08:00`, "2026-12-18T17:00:00Z", true},
		{"before it ends", `calendar "Freeze" from 2026-12-18 18:00 until 2027-01-04 08:00`, "2027-01-04T06:59:59Z", true},
		{"when it ends", `calendar "Freeze" from 2026-12-18 18:00 until 2027-01-04 08:00`, "2027-01-04T07:00:00Z", false},
		{"whole days: the last one, too", `calendar "freeze" from 2026-12-24 until 2026-12-26`, "2026-12-26T22:59:59Z", true},
		{"and not the next", `calendar "freeze" from 2026-12-24 until 2026-12-26`, "2026-12-26T23:00:00Z", false},
		{"a day of 23 hours", `calendar "freeze" from 2026-03-29 until 2026-03-29`, "2026-03-29T21:59:59Z", true},
		{"is over after them", `calendar "freeze" from 2026-03-29 until 2026-03-29`, "2026-03-29T22:00:00Z", false},
		{"a day of 25 hours", `calendar "freeze" from 2026-10-25 until 2026-10-25`, "2026-10-25T22:59:59Z", true},
		{"is over after them", `calendar "freeze" from 2026-10-25 until 2026-10-25`, "2026-10-25T23:00:00Z", false},
		{"an hour that there is not", `calendar "freeze" from 2026-03-29 02:30 until 2026-03-29 04:00`, "2026-03-29T01:00:00Z", true},
		{"an hour that comes twice: from the first", `calendar "freeze" from 2026-10-25 02:30 until 2026-10-25 04:00`, "2026-10-25T00:30:00Z", true},
		{"a second line adds up", "calendar \"freeze\" from 2026-01-01 until 2026-01-01\ncalendar \"freeze\" from 2026-02-01 until 2026-02-01", "2026-02-01T12:00:00Z", true},
	}
	for _, tt := range tests {
		f := kim(people.Admin)
		var err error
		if f.Now, err = time.Parse(time.RFC3339, tt.at); err != nil {
			t.Fatal(err)
		}
		p := policy(t, "zone \"Europe/Berlin\"\n"+tt.calendar+"\ndeny deploy.run when calendar(\"freeze\")")
		if got := p.Decide(deploy, f); got.Allowed == tt.in {
			t.Errorf("%s: %+v", tt.intent, got)
		}
		if wrong := p.Missing(nil); len(wrong) != 0 {
			t.Errorf("%s: %v", tt.intent, wrong)
		}
		f.Calendars = map[string]bool{"freeze": true} // a public holiday of the same name
		if got := p.Decide(deploy, f); got.Allowed {
			t.Errorf("%s, on a holiday: %+v", tt.intent, got)
		}
	}
}

func TestWrongZonesAndCalendars(t *testing.T) {
	for text, want := range map[string]string{
		`zone`:                "give a zone",
		`zone "Middle/Earth"`: "give a zone",
		`zone "Local"`:        "give a zone",
		"zone UTC\nzone UTC":  "a zone already",
		`calendar freeze`:     "give a name",
		`calendar "freeze" from 2026-02-30 until 2026-03-01`:                            "give a name",
		`calendar "freeze" from 2026-01-01 25:00 until 2026-03-01`:                      "give a name",
		`calendar "freeze" from 2026-01-02 until 2026-01-01`:                            "ends before",
		`calendar "freeze" from 2026-01-02 10:00 until 2026-01-02 10:00`:                "ends before",
		strings.Repeat("calendar \"x\" from 2026-01-01 until 2026-01-01\n", MaxSpans+1): "more than",
	} {
		if _, err := Compile(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Compile(%.60q) = %v, want %q", text, err, want)
		}
	}
}

// The three lines by which the design of commands shows what rules are for.
func TestTheLinesOfTheDesign(t *testing.T) {
	p := policy(t, "calendar \"freeze\" from 2026-12-18 until 2027-01-04",
		`allow role:oncall(service) incident.*`,
		`deny deploy.run when env == "prod" and calendar("freeze")`,
		`require approval(release-managers, peer) for deploy.run when env == "prod"`,
		`require step_up for vm.delete`, `limit vm.start 5/hour per user`)
	ack := declare("incident.ack", command.Changes)
	on, off := kim(people.Observer), kim(people.Observer)
	on.OnCall = []Duty{{command.Service, "database"}}
	on.Cases, off.Cases = []map[string]string{{"service": "database"}}, []map[string]string{{"service": "database"}}
	if got := p.Decide(ack, on); !got.Allowed || !strings.Contains(got.Rule, "role:oncall(service)") {
		t.Errorf("who is on call for the service: %+v", got)
	}
	if got := p.Decide(ack, off); got.Allowed {
		t.Errorf("who is not: %+v", got)
	}
	on.Cases = []map[string]string{{"service": "web"}}
	if got := p.Decide(ack, on); got.Allowed {
		t.Errorf("another service: %+v", got)
	}
	ships := func(env string, at time.Time) Decision {
		f := kim(people.Admin)
		f.Now, f.Cases = at, []map[string]string{{"service": "shop", "env": env}}
		return p.Decide(deploy, f)
	}
	autumn, christmas := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 12, 24, 12, 0, 0, 0, time.UTC)
	if got := ships("prod", christmas); got.Allowed || !strings.Contains(got.Rule, "freeze") {
		t.Errorf("in the freeze: %+v", got)
	}
	if got := ships("staging", christmas); !got.Allowed || got.Approval.Count != 0 {
		t.Errorf("staging in the freeze: %+v", got)
	}
	if got := ships("prod", autumn); !got.Allowed || got.Approval.Count != 1 || got.Approval.Group != "release-managers" || !got.Approval.Peer {
		t.Errorf("prod: %+v", got)
	}
}

// What the documentation shows as rules can be saved as it stands.
func TestTheRulesOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i, block := range strings.Split(string(text), "```") {
		rules := strings.TrimLeft(block, "\n")
		if i%2 == 0 || !strings.Contains("\n"+rules, "\nallow ") {
			continue
		}
		found++
		p, err := Compile(rules)
		if err != nil {
			t.Errorf("%v in\n%s", err, rules)
			continue
		}
		if wrong := p.Missing(nil); len(wrong) > 0 {
			t.Errorf("%v in\n%s", wrong, rules)
		}
	}
	if found < 2 {
		t.Errorf("%d blocks of rules were found", found)
	}
}
