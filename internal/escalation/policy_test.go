package escalation

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

func TestValidateOptions(t *testing.T) {
	office := hours("Europe/Berlin", weekdays, "09:00", "17:00")
	target := func(t Target) func(*Policy) { return func(p *Policy) { p.Steps[0].Targets = []Target{t} } }
	window := func(w people.PagingWindow) func(*Policy) {
		return func(p *Policy) { p.Hours = Hours{Zone: "UTC", Windows: []people.PagingWindow{w}} }
	}
	tests := []struct {
		intent string
		change func(*Policy)
		want   string // part of the sentence; "" when it is fine
	}{
		{"everything at once", func(p *Policy) {
			p.AckBy, p.RepageAfter, p.IgnorePagingPolicies, p.Urgency, p.LowWaits, p.Hours = AckByAll, 30*minute, true, people.Low, true, office
			p.LastResort = []Target{{Policy: "p2"}}
			p.Steps[0].Notify, p.Steps[0].When, p.Steps[0].LowWaits = RoundRobin, When{Severities: []alert.Type{alert.Warning}, Hours: office}, true
			p.Steps[0].Targets = []Target{{Rotation: "r1", Pick: PickNext}, {Rotation: "r1", Pick: PickPrevious}, {Policy: "p2"}, {Webhook: "status page"},
				{Email: "noc@example.org"}, {Room: "#ops"}}
		}, ""},
		{"a way to acknowledge that is none", func(p *Policy) { p.AckBy = "two" }, `acknowledged by "two"`},
		{"pages again at once", func(p *Policy) { p.RepageAfter = Duration(time.Second) }, "page again after 1s is not between 1m and 168h"},
		{"pages again before", func(p *Policy) { p.RepageAfter = -minute }, "page again after -1m0s"},
		{"pages again too late", func(p *Policy) { p.RepageAfter = Duration(MaxRepageAfter) + minute }, "page again after 168h1m"},
		{"finer than a timer", func(p *Policy) { p.RepageAfter = minute + 1 }, "is finer than 1ms"},
		{"an urgency that is none", func(p *Policy) { p.Urgency = "medium" }, `urgency "medium"`},
		{"waits for hours that are not there", func(p *Policy) { p.LowWaits = true }, "waits for working hours, and the policy has none"},
		{"so does a step", func(p *Policy) { p.Steps[1].LowWaits = true }, "step 2: low urgency waits for working hours"},
		{"hours without a zone", func(p *Policy) { p.Hours = Hours{Windows: office.Windows} }, `working hours: time zone ""`},
		{"hours of the machine", func(p *Policy) { p.Hours = Hours{Zone: "Local", Windows: office.Windows} }, `time zone "Local"`},
		{"a zone that is none", func(p *Policy) { p.Hours = Hours{Zone: "Europe/Atlantis", Windows: office.Windows} }, `time zone "Europe/Atlantis"`},
		{"too many times", func(p *Policy) {
			p.Hours = Hours{Zone: "UTC", Windows: make([]people.PagingWindow, people.MaxPagingWindows+1)}
		}, "21 times are more than 20"},
		{"a day that is none", window(people.PagingWindow{Days: []people.Day{"monday"}}), `time 1: day "monday"`},
		{"a day twice", window(people.PagingWindow{Days: []people.Day{"mon", "mon"}}), "day mon is there twice"},
		{"half a time", window(people.PagingWindow{From: "09:00"}), `"" is not a time`},
		{"no time at all", window(people.PagingWindow{From: "09:00", To: "09:00"}), "is no time at all"},
		{"notify that is none", func(p *Policy) { p.Steps[0].Notify = "some" }, `step 1: notify "some"`},
		{"a severity that opens nothing", func(p *Policy) { p.Steps[0].When.Severities = []alert.Type{alert.Info} }, `severity "info"`},
		{"a severity twice", func(p *Policy) { p.Steps[0].When.Severities = []alert.Type{alert.Critical, alert.Critical} }, "severity critical is there twice"},
		{"hours of a step", func(p *Policy) { p.Steps[0].When.Hours = Hours{Zone: "x", Windows: office.Windows} }, "step 1: only at some hours: time zone"},
		{"a pick that is none", target(Target{Rotation: "r1", Pick: "last"}), `pick "last"`},
		{"a pick of a person", target(Target{User: "kim", Pick: PickNext}), "only of a rotation"},
		{"no address", target(Target{Email: "noc"}), `"noc" is not an e-mail address`},
		{"an address with a name", target(Target{Email: "NOC <noc@example.org>"}), "is not an e-mail address"},
		{"a room of nothing", target(Target{Room: " "}), "room"},
		{"a webhook with a line break", target(Target{Webhook: "a\nb"}), "webhook"},
		{"a policy and a person", target(Target{Policy: "p2", User: "kim"}), "exactly one of"},
		{"a last resort of nothing", func(p *Policy) { p.LastResort = []Target{{}} }, "last resort: a target is exactly one of"},
		{"too many targets", func(p *Policy) { p.LastResort = make([]Target, MaxTargets+1) }, "201 targets are more than 200"},
		{"rounds that would never come", func(p *Policy) { p.Steps[1].Targets = []Target{{Policy: "p2"}} }, "step 2 moves the incident into another policy"},
		{"no rounds: fine", func(p *Policy) { p.Steps[1].Targets, p.Repeat = []Target{{Policy: "p2"}}, 0 }, ""},
		{"with a last resort it is a step like any other", func(p *Policy) {
			p.Steps[1].Targets, p.LastResort = []Target{{Policy: "p2"}}, []Target{{User: "kim"}}
		}, ""},
	}
	for _, tt := range tests {
		p := valid()
		tt.change(&p)
		switch err := p.Validate(); {
		case tt.want == "" && err != nil:
			t.Errorf("%s: Validate() = %v, want nil", tt.intent, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: Validate() = %v, want … %s …", tt.intent, err, tt.want)
		}
	}
}

func TestLastResort(t *testing.T) {
	p := valid()
	p.LastResort = []Target{{User: "boss"}}
	var got []Position
	for pos, ok := (Position{}), true; ok; pos, _, ok = p.Next(pos) {
		got = append(got, pos)
	}
	if diff := cmp.Diff([]Position{{0, 0}, {1, 0}, {0, 1}, {1, 1}, {2, 1}}, got); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if _, after, _ := p.Next(Position{1, 1}); after != 5*time.Minute {
		t.Errorf("the last resort comes after %s, want the pause between rounds", after)
	}
	if s, ok := p.StepAt(Position{2, 1}); !ok || s.Targets[0].User != "boss" {
		t.Errorf("StepAt(last resort) = %+v, %t", s, ok)
	}
	for _, end := range []Position{{3, 1}, p.End(1)} {
		if _, ok := p.StepAt(end); ok {
			t.Errorf("there is a step at %+v, behind the end", end)
		}
	}
	if end := valid().End(1); end != (Position{2, 1}) {
		t.Errorf("End of a policy without a last resort = %+v, want behind its steps", end)
	}
}

func TestHandsOver(t *testing.T) {
	moving := []Target{{Policy: "p2"}}
	tests := []struct {
		intent string
		change func(*Policy)
		at     Position
		want   id.Policy
	}{
		{"the only target of the last step", func(p *Policy) { p.Steps[1].Targets = moving }, Position{1, 0}, "p2"},
		{"also in a later round", func(p *Policy) { p.Steps[1].Targets = moving }, Position{1, 1}, "p2"},
		{"not of a step before", func(p *Policy) { p.Steps[0].Targets = moving }, Position{0, 0}, ""},
		{"not beside a person", func(p *Policy) { p.Steps[1].Targets = []Target{{Policy: "p2"}, {User: "kim"}} }, Position{1, 0}, ""},
		{"not before a last resort", func(p *Policy) { p.Steps[1].Targets, p.LastResort = moving, []Target{{User: "kim"}} }, Position{1, 0}, ""},
		{"the last resort", func(p *Policy) { p.LastResort = moving }, Position{2, 1}, "p2"},
		{"not behind the end", func(p *Policy) { p.LastResort = moving }, Position{3, 1}, ""},
		{"a policy without steps", func(p *Policy) { p.Steps = nil }, Position{}, ""},
	}
	for _, tt := range tests {
		p := valid()
		tt.change(&p)
		if got, ok := p.HandsOver(tt.at); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: HandsOver(%+v) = %q, %t, want %q", tt.intent, tt.at, got, ok, tt.want)
		}
	}
}

// What was stored before there were options is the plain case, and is written
// as it was.
func TestPolicyInJSON(t *testing.T) {
	old := `{"id":"p1","slug":"database","name":"Database","steps":[{"after":"0s","targets":[{"rotation":"r1"}]}],"repeat":1,"repeat_after":"5m"}`
	var p Policy
	if err := json.Unmarshal([]byte(old), &p); err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil {
		t.Errorf("Validate() = %v", err)
	}
	if text, err := json.Marshal(p); err != nil || string(text) != old {
		t.Errorf("it is written as %s, %v, want %s", text, err, old)
	}
}
