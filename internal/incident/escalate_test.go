package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/timeline"
)

// tell writes down what the escalation said, with minutes since start.
func tell(entries []timeline.Entry) []string {
	var lines []string
	for _, e := range entries {
		at := fmt.Sprintf("%g: ", e.At.Sub(start).Minutes())
		switch p := e.Payload.(type) {
		case timeline.Told:
			lines = append(lines, fmt.Sprintf("%sstep %d round %d tells %s", at, p.Step, p.Round, strings.Join(slices.Concat(p.Webhooks, p.Emails, p.Rooms), " ")))
		case timeline.Waits:
			lines = append(lines, fmt.Sprintf("%sstep %d round %d waits until %s", at, p.Step, p.Round, p.Until.Format("Mon 15:04")))
		case timeline.HandedOver:
			lines = append(lines, fmt.Sprintf("%smoves from %s to %s version %d", at, p.From, p.PolicyName, p.Version))
		case timeline.AckLapsed:
			lines = append(lines, at+"acknowledgement of "+p.Name+" expired")
		case timeline.Acknowledged:
			lines = append(lines, fmt.Sprintf("%sacknowledged %d of %d", at, p.Acked, p.Of))
		case timeline.PartAcknowledged:
			lines = append(lines, fmt.Sprintf("%sacknowledged %d of %d, waiting for %s", at, p.Acked, p.Of, p.Waiting))
		case timeline.Step:
			line := []string{fmt.Sprintf("%sstep %d round %d pages %s", at, p.Step, p.Round, strings.Join(p.Names, " "))}
			lines = append(lines, strings.Join(append(line, p.Why[len(p.Users):]...), ", "))
		case timeline.Skipped:
			lines = append(lines, fmt.Sprintf("%sstep %d round %d skipped, %s", at, p.Step, p.Round, p.Why))
		case timeline.Exhausted:
			lines = append(lines, at+"exhausted, "+p.Why)
		}
	}
	return lines
}

// watch opens an incident at start and fires its timers until none is left.
func watch(t *testing.T, f Facts) []string {
	t.Helper()
	d := Decide(Incident{ID: number}, arrives(alert.Critical, "93% full"), f, start)
	lines := tell(d.Entries)
	for range 1000 {
		if d.Incident.NextAt.IsZero() {
			return lines
		}
		d = Decide(d.Incident, StepDue{}, f, d.Incident.NextAt)
		lines = append(lines, tell(d.Entries)...)
	}
	t.Fatalf("the escalation has no end: %q …", lines[:10])
	return nil
}

func TestEscalation(t *testing.T) {
	policy := func(repeat int, steps ...escalation.Step) Facts {
		return Facts{HasPolicy: true, Whom: pages, Policy: escalation.Policy{
			ID: "p1", Name: "Database", Steps: steps, Repeat: repeat, RepeatAfter: minutes(10),
		}}
	}
	gone := user("somebody who left") // resolves to nobody, as a disabled user does
	tests := []struct {
		intent string
		facts  Facts
		want   []string
	}{
		{"each step waits for its delay; a pause after the last", policy(0, step(2, user("kim")), step(5, user("lee"))), []string{
			"2: step 1 round 1 pages Kim",
			"7: step 2 round 1 pages Lee",
			"17: exhausted, nobody_acknowledged",
		}},
		{"the first step may be at once", policy(0, step(0, user("kim"))), []string{
			"0: step 1 round 1 pages Kim",
			"10: exhausted, nobody_acknowledged",
		}},
		{"rounds have a pause between them, not a step's delay", policy(2, step(0, user("kim")), step(5, user("lee"))), []string{
			"0: step 1 round 1 pages Kim",
			"5: step 2 round 1 pages Lee",
			"15: step 1 round 2 pages Kim",
			"20: step 2 round 2 pages Lee",
			"30: step 1 round 3 pages Kim",
			"35: step 2 round 3 pages Lee",
			"45: exhausted, nobody_acknowledged",
		}},
		{"a step pages all its targets together, each person once", policy(0, step(0, user("kim"), user("lee"), user("kim"))), []string{
			"0: step 1 round 1 pages Kim Lee",
			"10: exhausted, nobody_acknowledged",
		}},
		{"a step with nobody is skipped at once and says so", policy(0, step(0, gone), step(5, user("lee"))), []string{
			"0: step 1 round 1 skipped, nobody is on call",
			"0: step 2 round 1 pages Lee",
			"10: exhausted, nobody_acknowledged",
		}},
		{"an empty team is no duty without anybody", policy(0, step(0, escalation.Target{Team: "dba"}, escalation.Target{Team: "web"}), step(5, escalation.Target{Team: "dba"}, gone), step(5, escalation.Target{Team: "dba"}, user("lee"))), []string{
			"0: step 1 round 1 skipped, the team has nobody who could be paged",
			"0: step 2 round 1 skipped, the team has nobody who could be paged; nobody is on call",
			"0: step 3 round 1 pages Lee",
			"10: exhausted, nobody_acknowledged",
		}},
		{"a step without targets is one with nobody", policy(0, step(0), step(5, user("lee"))), []string{
			"0: step 1 round 1 skipped, nobody is on call",
			"0: step 2 round 1 pages Lee",
			"10: exhausted, nobody_acknowledged",
		}},
		{"a step in the middle is skipped when it is due", policy(0, step(0, user("kim")), step(5, gone), step(5, user("lee"))), []string{
			"0: step 1 round 1 pages Kim",
			"5: step 2 round 1 skipped, nobody is on call",
			"5: step 3 round 1 pages Lee",
			"15: exhausted, nobody_acknowledged",
		}},
		{"who cannot be reached is named and leads on at once", policy(0, step(0, user("ann")), step(5, user("lee"))), []string{
			"0: step 1 round 1 skipped, Ann cannot be reached: no contact method that is on",
			"0: step 2 round 1 pages Lee",
			"10: exhausted, nobody_acknowledged",
		}},
		{"who cannot be reached is named beside who can", policy(0, step(0, user("ann"), user("kim"))), []string{
			"0: step 1 round 1 pages Kim, Ann cannot be reached: no contact method that is on",
			"10: exhausted, nobody_acknowledged",
		}},
		{"all steps empty: the rounds keep their pauses, somebody may come on call", policy(1, step(0, gone), step(5, user("ann"))), []string{
			"0: step 1 round 1 skipped, nobody is on call",
			"0: step 2 round 1 skipped, Ann cannot be reached: no contact method that is on",
			"10: step 1 round 2 skipped, nobody is on call",
			"10: step 2 round 2 skipped, Ann cannot be reached: no contact method that is on",
			"20: exhausted, nobody_acknowledged",
		}},
		{"no policy: says so at once", Facts{Whom: pages}, []string{"0: exhausted, no_policy"}},
		{"a policy without steps: says so at once", policy(3), []string{"0: exhausted, no_steps"}},
		{"a person is paged every five minutes for an hour", Facts{HasPolicy: true, Whom: pages, Policy: escalation.Direct("kim", "Kim")}, []string{
			"0: step 1 round 1 pages Kim", "5: step 1 round 2 pages Kim", "10: step 1 round 3 pages Kim", "15: step 1 round 4 pages Kim",
			"20: step 1 round 5 pages Kim", "25: step 1 round 6 pages Kim", "30: step 1 round 7 pages Kim", "35: step 1 round 8 pages Kim",
			"40: step 1 round 9 pages Kim", "45: step 1 round 10 pages Kim", "50: step 1 round 11 pages Kim", "55: step 1 round 12 pages Kim",
			"60: exhausted, nobody_acknowledged",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.intent, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, watch(t, tt.facts)); diff != "" {
				t.Errorf("the escalation said (-want +got):\n%s", diff)
			}
		})
	}
}

// Whoever comes on call during a pause is paged in the next round.
func TestEscalationAsksAgainWhoIsThere(t *testing.T) {
	f := facts()
	f.Whom = func(escalation.Target) []Person { return nil }
	d := Decide(Incident{ID: number}, arrives(alert.Critical, ""), f, start)
	d = Decide(d.Incident, StepDue{}, facts(), d.Incident.NextAt)
	if got, want := tell(d.Entries), []string{"10: step 1 round 2 pages Kim"}; !cmp.Equal(got, want) {
		t.Errorf("after the pause = %q, want %q", got, want)
	}
}

// A dead mail server fails every page at once: the steps of a round follow one
// another, the rounds do not.
func TestPagesGivenUp(t *testing.T) {
	f := facts()
	d := Decide(Incident{ID: number}, arrives(alert.Critical, ""), f, start)
	var lines []string
	for minute := range 40 {
		now := start.Add(time.Duration(minute) * time.Minute)
		if !d.Incident.NextAt.IsZero() && !d.Incident.NextAt.After(now) {
			d = Decide(d.Incident, StepDue{}, f, now)
			lines = append(lines, tell(d.Entries)...)
		}
		d = Decide(d.Incident, PageGivenUp{}, f, now)
		lines = append(lines, tell(d.Entries)...)
	}
	want := []string{
		"0: step 2 round 1 pages Lee",
		"10: step 1 round 2 pages Kim",
		"10: step 2 round 2 pages Lee",
		"20: exhausted, nobody_acknowledged",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("the escalation said (-want +got):\n%s", diff)
	}
}

// A page of an earlier run that fails late does not push the new run.
func TestPageGivenUpBeforeTheFirstStep(t *testing.T) {
	f := facts()
	f.Policy.Steps[0].After = minutes(3)
	d := Decide(Incident{ID: number}, arrives(alert.Critical, ""), f, start)
	d = Decide(d.Incident, PageGivenUp{}, f, start.Add(time.Minute))
	if d.Reason != ReasonNotDue || len(d.Entries) > 0 {
		t.Errorf("Decide() = %s, %q, want nothing before the first step", d.Reason, tell(d.Entries))
	}
}

// Whatever makes an incident need somebody again starts at step 1 of round 1.
func TestEscalationStartsAgain(t *testing.T) {
	f := facts()
	d := Decide(Incident{ID: number}, arrives(alert.Warning, ""), f, start)
	for range 3 { // into round 2
		d = Decide(d.Incident, StepDue{}, f, d.Incident.NextAt)
	}
	running := d.Incident
	if running.Step != (escalation.Position{Step: 1, Round: 1}) {
		t.Fatalf("the incident runs %+v, want the second step of the second round", running.Step)
	}
	now := running.NextAt.Add(-time.Minute)
	acked := Decide(running, Acknowledge{By: byLee}, f, now).Incident
	asleep := Decide(running, Snooze{By: byLee, Until: now.Add(time.Minute)}, f, now).Incident
	tests := []struct {
		intent string
		inc    Incident
		in     Input
	}{
		{"given back", acked, Unacknowledge{By: byLee}},
		{"acknowledged, then worse", acked, arrives(alert.Critical, "")},
		{"snooze over", asleep, SnoozeDue{}},
		{"rerouted", running, Reroute{By: byLee, Policy: f.Policy}},
		{"rerouted after acknowledgement", acked, Reroute{By: byLee, Policy: f.Policy}},
	}
	for _, tt := range tests {
		at := now.Add(time.Minute)
		d := Decide(tt.inc, tt.in, f, at)
		want := []string{fmt.Sprintf("%g: step 1 round 1 pages Kim", at.Sub(start).Minutes())}
		if diff := cmp.Diff(want, tell(d.Entries)); diff != "" {
			t.Errorf("%s: the escalation said (-want +got):\n%s", tt.intent, diff)
		}
		if want := (escalation.Position{Step: 1}); d.Incident.Next != want || !d.Incident.NextAt.Equal(at.Add(5*time.Minute)) {
			t.Errorf("%s: next is %+v at %s, want %+v in five minutes", tt.intent, d.Incident.Next, d.Incident.NextAt, want)
		}
	}
}
