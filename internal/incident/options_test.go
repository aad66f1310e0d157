package incident

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

func to(p id.Policy) escalation.Target { return escalation.Target{Policy: p} }

// among are facts with policies that can lead to one another; an incident is
// opened with the first.
func among(policies ...escalation.Policy) Facts {
	f := Facts{WarningOpens: true, HasPolicy: true, Policy: policies[0], Whom: pages}
	f.Find = func(p id.Policy) (escalation.Policy, bool) {
		for _, found := range policies {
			if found.ID == p {
				return found, true
			}
		}
		return escalation.Policy{}, false
	}
	return f
}

func named(p id.Policy, steps ...escalation.Step) escalation.Policy {
	return escalation.Policy{ID: p, Name: string(p), Version: 1, Steps: steps, RepeatAfter: minutes(10)}
}

// follow opens an incident with an alert and fires its timers until none is
// left, each time with the facts of the policy that it then runs.
func follow(t *testing.T, f Facts, a alert.Type) (lines []string, inc Incident) {
	t.Helper()
	d := Decide(Incident{ID: number}, arrives(a, "93% full"), f, start)
	lines = tell(d.Entries)
	for range 1000 {
		if d.Incident.NextAt.IsZero() {
			return lines, d.Incident
		}
		g := f
		if p, ok := f.Policy, f.Find != nil; ok && d.Incident.Policy != p.ID {
			g.Policy, _ = f.Find(d.Incident.Policy)
		}
		d = Decide(d.Incident, StepDue{}, g, d.Incident.NextAt)
		lines = append(lines, tell(d.Entries)...)
	}
	t.Fatalf("the escalation has no end: %q …", lines[:10])
	return nil, inc
}

func TestStepOptions(t *testing.T) {
	told := func(w, e, r string) escalation.Target { return escalation.Target{Webhook: w, Email: e, Room: r} }
	with := func(p escalation.Policy, change func(*escalation.Policy)) escalation.Policy {
		change(&p)
		return p
	}
	only := func(s escalation.Step, w escalation.When) escalation.Step {
		s.When = w
		return s
	}
	round := func(s escalation.Step) escalation.Step {
		s.Notify = escalation.RoundRobin
		return s
	}
	waits := func(p *escalation.Policy) { p.LowWaits, p.Hours = true, office }
	critical := escalation.When{Severities: []alert.Type{alert.Critical}}
	tests := []struct {
		intent string
		facts  Facts
		alert  alert.Type
		want   []string
	}{
		{"who cannot answer is told, and the step counts", among(named("a", step(0, told("status", "", ""), told("", "noc@example.org", ""), told("", "", "#ops")), step(5, user("lee")))), alert.Critical, []string{
			"0: step 1 round 1 tells status noc@example.org #ops",
			"5: step 2 round 1 pages Lee",
			"15: exhausted, nobody_acknowledged",
		}},
		{"told beside a person", among(named("a", step(0, user("kim"), told("", "", "#ops"), told("", "", "#ops")))), alert.Critical, []string{
			"0: step 1 round 1 pages Kim",
			"0: step 1 round 1 tells #ops",
			"10: exhausted, nobody_acknowledged",
		}},
		{"a condition that holds", among(named("a", only(step(0, user("kim")), critical))), alert.Critical, []string{
			"0: step 1 round 1 pages Kim",
			"10: exhausted, nobody_acknowledged",
		}},
		{"a condition that does not is a reason to go on at once", among(named("a", only(step(0, user("kim")), critical), step(5, user("lee")))), alert.Warning, []string{
			"0: step 1 round 1 skipped, it is only for critical",
			"0: step 2 round 1 pages Lee",
			"10: exhausted, nobody_acknowledged",
		}},
		{"it is asked when the step is due", among(named("a", step(0, user("kim")), only(step(24*60-1, user("lee")), escalation.When{Hours: office}), only(step(1, user("lee")), escalation.When{Hours: office}))), alert.Critical, []string{
			"0: step 1 round 1 pages Kim",
			"1439: step 2 round 1 skipped, it is only at Mon Tue Wed Thu Fri 09:00–17:00 (UTC)",
			"1439: step 3 round 1 skipped, it is only at Mon Tue Wed Thu Fri 09:00–17:00 (UTC)",
			"1449: exhausted, nobody_acknowledged",
		}},
		{"one after another: in each round somebody else", among(with(named("a", round(step(0, user("kim"), user("lee")))), func(p *escalation.Policy) { p.Repeat = 2 })), alert.Critical, []string{
			"0: step 1 round 1 pages Kim",
			"10: step 1 round 2 pages Lee",
			"20: step 1 round 3 pages Kim",
			"30: exhausted, nobody_acknowledged",
		}},
		{"who cannot be reached has no turn", among(named("a", round(step(0, user("ann"), user("lee"))))), alert.Critical, []string{
			"0: step 1 round 1 pages Lee, Ann cannot be reached: no contact method that is on",
			"10: exhausted, nobody_acknowledged",
		}},
		{"whoever has no turn may be meant by another target", among(named("a", step(0, to("b"), user("lee"))), named("b", round(step(0, user("kim"), user("lee"))))), alert.Critical, []string{
			"0: step 1 round 1 pages Kim Lee",
			"10: exhausted, nobody_acknowledged",
		}},
		{"a last resort, once, a pause after the last round", among(with(named("a", step(0, user("kim"))), func(p *escalation.Policy) {
			p.Repeat, p.LastResort = 1, []escalation.Target{user("lee"), told("", "cto@example.org", "")}
		})), alert.Critical, []string{
			"0: step 1 round 1 pages Kim",
			"10: step 1 round 2 pages Kim",
			"20: step 2 round 2 pages Lee",
			"20: step 2 round 2 tells cto@example.org",
			"30: exhausted, nobody_acknowledged",
		}},
		{"a last resort of nobody says so", among(with(named("a", step(0, user("kim"))), func(p *escalation.Policy) { p.LastResort = []escalation.Target{user("ann")} })), alert.Critical, []string{
			"0: step 1 round 1 pages Kim",
			"10: step 2 round 1 skipped, Ann cannot be reached: no contact method that is on",
			"20: exhausted, nobody_acknowledged",
		}},
		{"nothing but a last resort", among(with(named("a"), func(p *escalation.Policy) { p.LastResort = []escalation.Target{user("lee")} })), alert.Critical, []string{
			"0: step 1 round 1 pages Lee",
			"10: exhausted, nobody_acknowledged",
		}},
		{"a warning on a Sunday waits for Monday", among(with(named("a", step(0, user("kim"))), waits)), alert.Warning, []string{
			"0: step 1 round 1 waits until Mon 09:00",
			"1440: step 1 round 1 pages Kim",
			"1450: exhausted, nobody_acknowledged",
		}},
		{"a critical incident does not", among(with(named("a", step(0, user("kim"))), waits)), alert.Critical, []string{
			"0: step 1 round 1 pages Kim",
			"10: exhausted, nobody_acknowledged",
		}},
		{"unless the policy is not urgent", among(with(named("a", step(0, user("kim"))), func(p *escalation.Policy) { waits(p); p.Urgency = people.Low })), alert.Critical, []string{
			"0: step 1 round 1 waits until Mon 09:00",
			"1440: step 1 round 1 pages Kim",
			"1450: exhausted, nobody_acknowledged",
		}},
		{"one step may wait alone", among(with(named("a", step(0, user("kim")), step(5, user("lee"))), func(p *escalation.Policy) { p.Hours, p.Steps[1].LowWaits = office, true })), alert.Warning, []string{
			"0: step 1 round 1 pages Kim",
			"5: step 2 round 1 waits until Mon 09:00",
			"1440: step 2 round 1 pages Lee",
			"1450: exhausted, nobody_acknowledged",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.intent, func(t *testing.T) {
			lines, _ := follow(t, tt.facts, tt.alert)
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Errorf("the escalation said (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPoliciesLeadToOneAnother(t *testing.T) {
	limited := named("c", step(0, user("lee")))
	limited.Steps[0].When.Severities = []alert.Type{alert.Warning}
	resort := named("a", step(0, user("kim")))
	resort.Repeat, resort.LastResort = 1, []escalation.Target{to("b")}
	tests := []struct {
		intent string
		facts  Facts
		want   []string
	}{
		{"a policy among others stands for its first step, without its delay", among(
			named("a", step(0, to("b"), user("kim")), step(5, user("kim"))), named("b", step(7, user("lee")), step(5, user("ann")))), []string{
			"0: step 1 round 1 pages Lee Kim",
			"5: step 2 round 1 pages Kim",
			"15: exhausted, nobody_acknowledged",
		}},
		{"and for what that step tells", among(named("a", step(0, to("b")), step(5, user("kim"))), named("b", step(0, escalation.Target{Room: "#net"}))), []string{
			"0: step 1 round 1 tells #net",
			"5: step 2 round 1 pages Kim",
			"15: exhausted, nobody_acknowledged",
		}},
		{"through several", among(named("a", step(0, to("b"), to("c")), step(5, user("kim"))), named("b", step(0, to("c"))), named("c", step(0, user("lee")))), []string{
			"0: step 1 round 1 pages Lee",
			"5: step 2 round 1 pages Kim",
			"15: exhausted, nobody_acknowledged",
		}},
		{"whose condition counts", among(named("a", step(0, to("c")), step(5, user("kim"))), limited), []string{
			"0: step 1 round 1 skipped, c pages nobody now: it is only for warning",
			"0: step 2 round 1 pages Kim",
			"10: exhausted, nobody_acknowledged",
		}},
		{"the last step moves the incident: a secondary", among(named("a", step(0, user("kim")), step(5, to("b"))), named("b", step(0, user("lee")), step(3, user("kim")))), []string{
			"0: step 1 round 1 pages Kim",
			"5: moves from a to b version 1",
			"5: step 1 round 1 pages Lee",
			"8: step 2 round 1 pages Kim",
			"18: exhausted, nobody_acknowledged",
		}},
		{"a waiting room: both delays count", among(named("a", step(5, to("b"))), named("b", step(2, user("lee")))), []string{
			"5: moves from a to b version 1",
			"7: step 1 round 1 pages Lee",
			"17: exhausted, nobody_acknowledged",
		}},
		{"the last resort moves it after the rounds", among(resort, named("b", step(0, user("lee")))), []string{
			"0: step 1 round 1 pages Kim",
			"10: step 1 round 2 pages Kim",
			"20: moves from a to b version 1",
			"20: step 1 round 1 pages Lee",
			"30: exhausted, nobody_acknowledged",
		}},
		{"into nothing: says so", among(named("a", step(0, to("b"))), named("b")), []string{
			"0: moves from a to b version 1",
			"0: exhausted, no_steps",
		}},
		{"a policy that is gone is skipped", among(named("a", step(0, to("x")), step(0, user("kim")), step(5, to("x")))), []string{
			"0: step 1 round 1 skipped, the policy it leads to is not there any more",
			"0: step 2 round 1 pages Kim",
			"5: step 3 round 1 skipped, the policy it leads to is not there any more",
			"15: exhausted, nobody_acknowledged",
		}},
		{"a loop in first steps ends", among(named("a", step(0, to("b")), step(5, user("kim"))), named("b", step(0, to("a"), user("lee")))), []string{
			"0: step 1 round 1 pages Lee",
			"5: step 2 round 1 pages Kim",
			"15: exhausted, nobody_acknowledged",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.intent, func(t *testing.T) {
			lines, _ := follow(t, tt.facts, alert.Critical)
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Errorf("the escalation said (-want +got):\n%s", diff)
			}
		})
	}
	// What checks refuse today may be left over from yesterday.
	lines, inc := follow(t, among(named("a", step(0, to("b"))), named("b", step(0, to("a")))), alert.Critical)
	if want := "0: step 1 round 1 skipped, it has moved from policy to policy 10 times already"; len(lines) != 12 || lines[10] != want || inc.Moves != 10 {
		t.Errorf("a loop of moves said %q, want ten moves, then %q and the end", lines, want)
	}
}

func TestTurns(t *testing.T) {
	p := named("a", step(0, user("kim"), user("lee")))
	p.Steps[0].Notify = escalation.RoundRobin
	other := named("b", step(0, user("kim"), user("lee")))
	asked := map[id.Policy]int{}
	f := among(p)
	f.Turn = func(p id.Policy) int { asked[p]++; return asked[p] - 1 }
	var got []string
	for n := range 4 {
		d := Decide(Incident{ID: id.Incident(100 + 2*n)}, arrives(alert.Critical, ""), f, start)
		got = append(got, tell(d.Entries)...)
		Decide(d.Incident, Reroute{By: byLee, Policy: other}, f, start)
	}
	want := []string{"0: step 1 round 1 pages Kim", "0: step 1 round 1 pages Lee", "0: step 1 round 1 pages Kim", "0: step 1 round 1 pages Lee"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("four incidents said (-want +got):\n%s", diff)
	}
	if asked["b"] != 0 {
		t.Error("a policy in which nothing goes round was asked for its turn")
	}
}

// Everybody whom the running step paged must acknowledge.
func TestAcknowledgedByAll(t *testing.T) {
	p := named("a", step(0, user("kim"), user("lee")), step(5, user("lee"), user("max")))
	p.AckBy = escalation.AckByAll
	gone := map[id.User]bool{}
	f := among(p)
	f.Gone = func(u id.User) bool { return gone[u] }
	f.Whom = func(t escalation.Target) []Person {
		if gone[t.User] {
			return nil
		}
		return []Person{{User: t.User, Name: string(t.User), Reachable: true}}
	}
	by := func(u id.User) timeline.Actor { return timeline.Actor{User: u, Name: string(u), Origin: timeline.API} }
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	type event struct {
		at int
		in Input
	}
	tests := []struct {
		intent string
		events []event
		gone   id.User // from the second event on
		want   []string
		state  State
	}{
		{"one, then the other", []event{{1, Acknowledge{By: by("kim")}}, {2, Acknowledge{By: by("lee")}}}, "", []string{
			"1: acknowledged 1 of 2, waiting for [lee]", "2: acknowledged 2 of 2"}, Acknowledged},
		{"whoever did is not paged again, a later step asks its own", []event{{1, Acknowledge{By: by("lee")}}, {5, StepDue{}}, {6, Acknowledge{By: by("max")}}}, "", []string{
			"1: acknowledged 1 of 2, waiting for [kim]", "5: step 2 round 1 pages max, lee has acknowledged already", "6: acknowledged 2 of 2"}, Acknowledged},
		{"who was not asked is recorded and counts for nobody else", []event{{1, Acknowledge{By: by("zoe")}}, {2, Acknowledge{By: by("kim")}}, {3, Acknowledge{By: by("lee")}}}, "", []string{
			"1: acknowledged 1 of 3, waiting for [kim lee]", "2: acknowledged 2 of 3, waiting for [lee]", "3: acknowledged 3 of 3"}, Acknowledged},
		{"an added responder must, too", []event{{1, AddResponder{By: by("kim"), Users: []Person{{User: "zoe", Name: "zoe"}}}}, {2, Acknowledge{By: by("kim")}},
			{3, Acknowledge{By: by("lee")}}, {4, Acknowledge{By: by("zoe")}}}, "", []string{
			"2: acknowledged 1 of 3, waiting for [lee zoe]", "3: acknowledged 2 of 3, waiting for [zoe]", "4: acknowledged 3 of 3"}, Acknowledged},
		{"who is gone is not waited for: again", []event{{1, Acknowledge{By: by("kim")}}, {2, Acknowledge{By: by("kim")}}}, "lee", []string{
			"1: acknowledged 1 of 2, waiting for [lee]", "2: acknowledged 1 of 1"}, Acknowledged},
		{"who is gone is not waited for: by itself", []event{{1, Acknowledge{By: by("kim")}}, {5, StepDue{}}}, "lee", []string{
			"1: acknowledged 1 of 2, waiting for [lee]", "5: acknowledged 1 of 1"}, Acknowledged},
		{"nor after the end of the policy", []event{{1, Acknowledge{By: by("kim")}}, {2, Acknowledge{By: by("zoe")}}}, "lee", []string{
			"1: acknowledged 1 of 2, waiting for [lee]", "2: acknowledged 2 of 2"}, Acknowledged},
		{"given up pages end it when nobody is left", []event{{1, Acknowledge{By: by("kim")}}, {2, PageGivenUp{}}}, "lee", []string{
			"1: acknowledged 1 of 2, waiting for [lee]", "2: acknowledged 1 of 1"}, Acknowledged},
		{"un-acknowledged: all anew", []event{{1, Acknowledge{By: by("kim")}}, {2, Acknowledge{By: by("lee")}}, {3, Unacknowledge{By: by("lee")}}, {4, Acknowledge{By: by("lee")}}}, "", []string{
			"1: acknowledged 1 of 2, waiting for [lee]", "2: acknowledged 2 of 2", "3: step 1 round 1 pages kim lee", "4: acknowledged 1 of 2, waiting for [kim]"}, Triggered},
	}
	for _, tt := range tests {
		t.Run(tt.intent, func(t *testing.T) {
			clear(gone)
			d := Decide(Incident{ID: number}, arrives(alert.Critical, ""), f, start)
			var lines []string
			for i, e := range tt.events {
				if i == 1 && tt.gone != "" {
					gone[tt.gone] = true
				}
				d = Decide(d.Incident, e.in, f, at(e.at))
				lines = append(lines, tell(d.Entries)...)
			}
			if diff := cmp.Diff(tt.want, lines); diff != "" {
				t.Errorf("it said (-want +got):\n%s", diff)
			}
			if d.Incident.State != tt.state {
				t.Errorf("it is %s, want %s", d.Incident.State, tt.state)
			}
		})
	}
	half := Decide(Decide(Incident{ID: number}, arrives(alert.Critical, ""), f, start).Incident, Acknowledge{By: by("kim")}, f, at(1)).Incident
	for u, want := range map[id.User]bool{"kim": false, "lee": true} {
		if got := half.Wants(u); got != want {
			t.Errorf("Wants(%s) after kim acknowledged = %t, want %t", u, got, want)
		}
	}
}

// What a step hands to those who page: how urgent it is, and whether people's
// own choices count.
func TestStepSaysHowToPage(t *testing.T) {
	p := named("a", step(0, user("kim")))
	p.IgnorePagingPolicies, p.AckBy = true, escalation.AckByAll
	d := Decide(Incident{ID: number}, arrives(alert.Warning, ""), among(p), start)
	got, ok := d.Entries[1].Payload.(timeline.Step)
	if !ok || got.Urgency != "low" || !got.EveryMethod || !got.AckAll {
		t.Errorf("the step is %+v, want low, every method, all", got)
	}
	p.IgnorePagingPolicies, p.AckBy, p.Urgency = false, "", people.High
	d = Decide(Incident{ID: number}, arrives(alert.Warning, ""), among(p), start)
	if got, ok := d.Entries[1].Payload.(timeline.Step); !ok || got.Urgency != "" || got.EveryMethod || got.AckAll || d.Incident.HowUrgent() != people.High {
		t.Errorf("the step is %+v, want as everywhere", got)
	}
}

// A running incident keeps the version it started with, and after it moved the
// version it moved into, whatever becomes of the policies.
func TestVersionsArePinned(t *testing.T) {
	a := named("a", step(0, user("kim")), step(5, to("b")))
	b := named("b", step(0, user("lee")), step(5, user("lee")))
	versions := map[string]escalation.Policy{}
	current := map[id.Policy]escalation.Policy{}
	put := func(p escalation.Policy) {
		current[p.ID] = p
		versions[fmt.Sprint(p.ID, p.Version)] = p
	}
	put(a)
	put(b)
	factsOf := func(inc Incident) Facts {
		f := Facts{Whom: pages, HasPolicy: true, Find: func(p id.Policy) (escalation.Policy, bool) { q, ok := current[p]; return q, ok }}
		if f.Policy = a; inc.State != "" {
			f.Policy, f.HasPolicy = versions[fmt.Sprint(inc.Policy, inc.PolicyVersion)]
		}
		return f
	}
	var lines []string
	inc := Incident{ID: number}
	decide := func(in Input, at time.Time) {
		d := Decide(inc, in, factsOf(inc), at)
		inc = d.Incident
		lines = append(lines, tell(d.Entries)...)
	}
	decide(arrives(alert.Critical, ""), start)
	// Both are changed while step 1 of the first runs: the incident keeps the
	// first as it was, and moves into the second as it is then.
	changedA := named("a", step(0, user("kim")), step(5, user("kim")))
	changedB := named("b", step(1, user("kim")), step(5, user("lee")))
	changedA.Version, changedB.Version = 2, 2
	put(changedA)
	put(changedB)
	decide(StepDue{}, inc.NextAt)
	// From now on it keeps that one, also when it is changed or deleted.
	again := named("b", step(0, user("lee")))
	again.Version = 3
	put(again)
	decide(StepDue{}, inc.NextAt)
	delete(current, "b")
	decide(StepDue{}, inc.NextAt)
	// Rerouted, it runs what it is given.
	decide(Reroute{By: byLee, Policy: changedA}, inc.NextAt.Add(-time.Minute))
	decide(StepDue{}, inc.NextAt)
	want := []string{
		"0: step 1 round 1 pages Kim",
		"5: moves from a to b version 2",
		"6: step 1 round 1 pages Kim",
		"11: step 2 round 1 pages Lee",
		"20: step 1 round 1 pages Kim",
		"25: step 2 round 1 pages Kim",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("the escalation said (-want +got):\n%s", diff)
	}
	if inc.Policy != "a" || inc.PolicyVersion != 2 || inc.Moves != 0 {
		t.Errorf("it runs %s version %d after %d moves, want a, 2, none", inc.Policy, inc.PolicyVersion, inc.Moves)
	}
}

// A late failure of an earlier step's page does not push a step that pages nobody.
func TestToldStepIsNotGivenUp(t *testing.T) {
	f := among(named("a", step(0, user("kim")), step(5, escalation.Target{Room: "#ops"}), step(5, user("lee"))))
	d := Decide(Incident{ID: number}, arrives(alert.Critical, ""), f, start)
	d = Decide(d.Incident, StepDue{}, f, d.Incident.NextAt)
	d = Decide(d.Incident, PageGivenUp{}, f, start.Add(6*time.Minute))
	if d.Reason != ReasonNotDue || len(d.Entries) > 0 {
		t.Errorf("Decide() = %s, %q, want nothing", d.Reason, tell(d.Entries))
	}
}

// Where one is enough, nobody in particular is asked, also after a policy that
// wanted all.
func TestMovedToAPolicyOfOne(t *testing.T) {
	all := named("a", step(0, user("kim"), user("lee")), step(5, to("b")))
	all.AckBy = escalation.AckByAll
	f := among(all, named("b", step(0, user("kim"), user("lee"))))
	d := Decide(Incident{ID: number}, arrives(alert.Critical, ""), f, start)
	d = Decide(d.Incident, StepDue{}, f, d.Incident.NextAt)
	if d.Incident.Policy != "b" || len(d.Incident.Asked) > 0 {
		t.Fatalf("it runs %s and asks %s, want b, nobody in particular", d.Incident.Policy, d.Incident.Asked)
	}
	f.Policy = named("b", step(0, user("kim"), user("lee")))
	if d = Decide(d.Incident, Acknowledge{By: byLee}, f, start.Add(6*time.Minute)); d.Incident.State != Acknowledged {
		t.Errorf("one acknowledged, and it is %s", d.Incident.State)
	}
}
