package escalation

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const minute = Duration(time.Minute)

func valid() Policy {
	return Policy{
		ID: "p1", Slug: "database", Name: "Database", Repeat: 1, RepeatAfter: 5 * minute,
		Steps: []Step{{Targets: []Target{{Rotation: "r1"}}}, {After: 10 * minute, Targets: []Target{{User: "kim"}, {Team: "dba"}}}},
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		intent string
		change func(*Policy)
		want   string // part of the sentence; "" when it is fine
	}{
		{"as it should be", func(*Policy) {}, ""},
		{"no steps: allowed, the timeline will say so", func(p *Policy) { p.Steps = nil }, ""},
		{"a step without targets: allowed, it is skipped", func(p *Policy) { p.Steps[0].Targets = nil }, ""},
		{"the limits themselves are fine", func(p *Policy) {
			p.Repeat, p.RepeatAfter, p.Steps = MaxRepeat, Duration(MaxAfter), make([]Step, MaxSteps)
		}, ""},
		{"slug with a capital", func(p *Policy) { p.Slug = "Database" }, `policy "Database": slug`},
		{"no name", func(p *Policy) { p.Name = "" }, "policy database: name"},
		{"a very long name", func(p *Policy) { p.Name = strings.Repeat("x", 201) }, "policy database: name"},
		{"too many steps", func(p *Policy) { p.Steps = make([]Step, MaxSteps+1) }, "21 steps are more than 20"},
		{"negative repeat", func(p *Policy) { p.Repeat = -1 }, "repeat -1 is not between 0 and 50"},
		{"too many rounds", func(p *Policy) { p.Repeat = 51 }, "repeat 51"},
		{"rounds too close", func(p *Policy) { p.RepeatAfter = Duration(59 * time.Second) }, "repeat after 59s is not between 1m and 24h"},
		{"rounds too far apart", func(p *Policy) { p.RepeatAfter = Duration(25 * time.Hour) }, "repeat after 25h"},
		{"a pause finer than a timer", func(p *Policy) { p.RepeatAfter = minute + 1 }, "is finer than 1ms"},
		{"negative delay", func(p *Policy) { p.Steps[1].After = -minute }, "step 2: delay -1m0s is not between 0 and 24h"},
		{"delay too long", func(p *Policy) { p.Steps[1].After = Duration(MaxAfter) + minute }, "step 2: delay 24h1m"},
		{"a delay finer than a timer", func(p *Policy) { p.Steps[0].After = 1 }, "step 1: delay 1ns is finer than 1ms"},
		{"a target of nothing", func(p *Policy) { p.Steps[1].Targets[0] = Target{} }, "step 2: a target is exactly one of"},
		{"a target of two things", func(p *Policy) { p.Steps[0].Targets[0].User = "kim" }, "step 1: a target is exactly one of"},
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

func TestNext(t *testing.T) {
	two := valid()
	one := Policy{Steps: []Step{{After: 3 * minute}}, Repeat: 2, RepeatAfter: Duration(time.Second)}
	type next struct {
		Next  Position
		After time.Duration
		OK    bool
	}
	tests := []struct {
		intent string
		policy Policy
		pos    Position
		want   next
	}{
		{"the next step of the round after its own delay", two, Position{0, 0}, next{Position{1, 0}, 10 * time.Minute, true}},
		{"after the last step the next round, after the pause", two, Position{1, 0}, next{Position{0, 1}, 5 * time.Minute, true}},
		{"the second round has the same steps", two, Position{0, 1}, next{Position{1, 1}, 10 * time.Minute, true}},
		{"after the last round nothing", two, Position{1, 1}, next{}},
		{"a pause is never shorter than the least", one, Position{0, 0}, next{Position{0, 1}, time.Minute, true}},
		{"one step has its rounds too", one, Position{0, 2}, next{}},
		{"no steps, no next", Policy{Repeat: 3}, Position{}, next{}},
	}
	for _, tt := range tests {
		var got next
		got.Next, got.After, got.OK = tt.policy.Next(tt.pos)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: Next(%+v) (-want +got):\n%s", tt.intent, tt.pos, diff)
		}
	}
}

// Every place of a policy is visited once, and then it ends.
func TestNextEnds(t *testing.T) {
	p := valid()
	p.Repeat = MaxRepeat
	seen := map[Position]bool{}
	for pos, ok := (Position{}), true; ok; pos, _, ok = p.Next(pos) {
		if seen[pos] {
			t.Fatalf("Next comes to %+v twice", pos)
		}
		seen[pos] = true
	}
	if want := len(p.Steps) * (MaxRepeat + 1); len(seen) != want {
		t.Errorf("Next visits %d places, want %d", len(seen), want)
	}
}

func TestDirect(t *testing.T) {
	p := Direct("kim", "Kim")
	if p.ID != "" || len(p.Steps) != 1 || p.Steps[0].After != 0 || p.Steps[0].Targets[0].User != "kim" {
		t.Errorf("Direct() = %+v, want one step that pages kim at once", p)
	}
}

func TestDuration(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"},
		{time.Second, "1s"},
		{90 * time.Second, "1m30s"},
		{5 * time.Minute, "5m"},
		{time.Hour, "1h"},
		{90 * time.Minute, "1h30m"},
		{time.Hour + time.Second, "1h1s"},
		{1500 * time.Millisecond, "1.5s"},
		{time.Millisecond, "1ms"},
		{24 * time.Hour, "24h"},
		{-time.Minute, "-1m0s"},
	}
	for _, tt := range tests {
		if got := Duration(tt.d).String(); got != tt.want {
			t.Errorf("Duration(%d).String() = %s, want %s", tt.d, got, tt.want)
		}
		var back Duration
		if err := back.UnmarshalText([]byte(tt.want)); err != nil || back.D() != tt.d {
			t.Errorf("UnmarshalText(%s) = %v, %v, want %v", tt.want, back, err, tt.d)
		}
	}
}

func TestDurationInJSON(t *testing.T) {
	for text, want := range map[string]string{`"0"`: `"0s"`, `"90s"`: `"1m30s"`, `"1h0m0s"`: `"1h"`, `"300000ms"`: `"5m"`} {
		var d Duration
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Errorf("reading %s: %v", text, err)
			continue
		}
		if got, err := json.Marshal(d); err != nil || string(got) != want {
			t.Errorf("%s is written as %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{`""`, `"5"`, `"five minutes"`, `"5 m"`, `5`, `"1d"`} {
		var d Duration
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("reading %s = %s, want an error", text, d)
		}
	}
}

func FuzzDuration(f *testing.F) {
	for _, text := range []string{"0", "90s", "5m", "1h30m", "-5m", "1.5s", "2562047h47m16.854775807s", "-2562047h47m16.854775808s", "1ns", "", "m"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d, back Duration
		if err := d.UnmarshalText([]byte(text)); err != nil {
			if !strings.Contains(err.Error(), "is not a duration") {
				t.Fatalf("UnmarshalText(%q) = %v, want a sentence", text, err)
			}
			return
		}
		written, err := d.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := back.UnmarshalText(written); err != nil || back != d {
			t.Fatalf("%q is written as %q and read back as %s, %v", text, written, back, err)
		}
	})
}
