package incident

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// life is one incident with what the store would keep of it: the entries, the
// timers, and the policies in the versions that were used.
type life struct {
	inc      Incident
	now      time.Time
	entries  []timeline.Entry
	timers   map[TimerKind]time.Time
	policies map[id.Policy]escalation.Policy
	there    map[id.User]Person // who could be paged at this moment
	last     Decision
}

func drawPolicy(t *rapid.T, name id.Policy) escalation.Policy {
	p := escalation.Policy{
		ID: name, Name: string(name), Version: 1, RepeatAfter: minutes(rapid.IntRange(1, 10).Draw(t, "repeat after")),
		Repeat: rapid.IntRange(0, 2).Draw(t, "repeat"), Team: rapid.SampledFrom([]id.Team{"", "dba", "net"}).Draw(t, "team"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "steps") {
		s := step(rapid.SampledFrom([]int{0, 0, 1, 5}).Draw(t, "delay"))
		for _, u := range rapid.SliceOfN(rapid.SampledFrom([]id.User{"kim", "lee", "ann", "gone"}), 0, 3).Draw(t, "targets") {
			s.Targets = append(s.Targets, user(u))
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

func newLife(t *rapid.T) *life {
	l := &life{inc: Incident{ID: number}, now: start, timers: map[TimerKind]time.Time{}, policies: map[id.Policy]escalation.Policy{}}
	for _, name := range []id.Policy{"p1", "p2"} {
		l.policies[name] = drawPolicy(t, name)
	}
	return l
}

// facts are those of the organisation for the incident as it is.
func (l *life) facts(t *rapid.T) Facts {
	f := Facts{WarningOpens: rapid.Bool().Draw(t, "warnings open"), PagesLeft: rapid.IntRange(0, 1).Draw(t, "pages left")}
	f.Whom = func(target escalation.Target) []Person {
		if p, ok := l.there[target.User]; ok {
			return []Person{p}
		}
		return nil
	}
	switch {
	case l.inc.State == "":
		f.Policy, f.HasPolicy = l.policies["p1"], rapid.IntRange(0, 9).Draw(t, "has a route") > 0
		if !f.HasPolicy {
			f.Policy = escalation.Policy{}
		}
	case l.inc.Direct != "":
		f.Policy, f.HasPolicy = escalation.Direct(l.inc.Direct, string(l.inc.Direct)), true
	default:
		f.Policy, f.HasPolicy = l.policies[l.inc.Policy]
	}
	return f
}

func (l *life) decide(t *rapid.T, in Input) {
	l.there = map[id.User]Person{}
	for _, p := range []Person{kim, lee, ann} {
		if rapid.IntRange(0, 3).Draw(t, "is there") > 0 {
			l.there[p.User] = p
		}
	}
	was := l.inc
	l.last = Decide(l.inc, in, l.facts(t), l.now)
	if l.last.Reason == "" {
		t.Fatalf("%T in state %q has no reason", in, was.State)
	}
	if !l.last.Changed && !cmp.Equal(was, l.last.Incident) {
		t.Fatalf("%T changed the incident and says it did not: %s", in, cmp.Diff(was, l.last.Incident))
	}
	l.inc = l.last.Incident
	for _, x := range l.last.Timers {
		if x.DueAt.IsZero() {
			delete(l.timers, x.Kind)
		} else {
			l.timers[x.Kind] = x.DueAt
		}
	}
	for _, e := range l.last.Entries {
		if e.Incident != 0 {
			l.entries = append(l.entries, e)
		}
	}
}

// fire deals with what is due, as the timer does: away with the row, then decide.
func (l *life) fire(t *rapid.T) {
	for _, kind := range []TimerKind{EscalateTimer, UnsnoozeTimer} {
		due, ok := l.timers[kind]
		if !ok || due.After(l.now) {
			continue
		}
		delete(l.timers, kind)
		if kind == EscalateTimer {
			l.decide(t, StepDue{})
		} else {
			l.decide(t, SnoozeDue{})
		}
	}
}

func (l *life) next() time.Time {
	var next time.Time
	for _, due := range l.timers {
		if next.IsZero() || due.Before(next) {
			next = due
		}
	}
	return next
}

func drawInput(t *rapid.T, l *life) Input {
	by := timeline.Actor{User: rapid.SampledFrom([]id.User{"kim", "lee"}).Draw(t, "by"), Origin: timeline.Browser}
	switch rapid.IntRange(0, 13).Draw(t, "input") {
	case 0, 1, 2, 3:
		kind := rapid.SampledFrom([]alert.Type{alert.Critical, alert.Critical, alert.Warning, alert.Info, alert.Acknowledgement}).Draw(t, "type")
		if rapid.IntRange(0, 9).Draw(t, "is over") == 0 {
			kind = alert.Recovery
		}
		return arrives(kind, rapid.SampledFrom([]string{"93% full", "99% full"}).Draw(t, "message"))
	case 4:
		return Acknowledge{By: by}
	case 5:
		return Unacknowledge{By: by}
	case 6:
		if rapid.Bool().Draw(t, "really") {
			return Resolve{By: by}
		}
		return AddNote{By: by, Text: "looking"}
	case 7, 8:
		return Snooze{By: by, Until: l.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "snooze")) * time.Minute)}
	case 9:
		return Reroute{By: by, Policy: l.policies[rapid.SampledFrom([]id.Policy{"p1", "p2"}).Draw(t, "policy")]}
	case 10:
		return Reroute{By: by, Policy: escalation.Direct("lee", "lee"), Direct: "lee", DirectName: "lee"}
	case 11:
		return AddResponder{By: by, Users: []Person{{User: rapid.SampledFrom([]id.User{"kim", "lee", "ann"}).Draw(t, "responder"), Name: "R"}}}
	case 12:
		return rapid.SampledFrom([]Input{StepDue{}, SnoozeDue{}}).Draw(t, "stray timer")
	default:
		return PageGivenUp{}
	}
}

// Whatever happens to an incident, in whatever order.
func TestLives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := newLife(t)
		for range rapid.IntRange(1, 40).Draw(t, "length") {
			pass := rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute, 7 * time.Minute}).Draw(t, "pass")
			if next := l.next(); !next.IsZero() && rapid.Bool().Draw(t, "until the timer") {
				pass = max(next.Sub(l.now), 0)
			}
			l.now = l.now.Add(pass)
			was := l.inc
			l.fire(t)
			l.hold(t, was)
			was = l.inc
			l.decide(t, drawInput(t, l))
			l.hold(t, was)
		}
		l.runOut(t)
	})
}

// hold checks what is true at every moment.
func (l *life) hold(t *rapid.T, was Incident) {
	inc := l.inc
	if was.State == Resolved && inc.State != Resolved {
		t.Fatalf("a resolved incident became %s", inc.State)
	}
	if !inc.NextAt.IsZero() && inc.State != Triggered {
		t.Fatalf("a step is waiting in state %q", inc.State)
	}
	if !inc.SnoozedUntil.IsZero() && inc.State != Acknowledged {
		t.Fatalf("it is snoozed in state %q", inc.State)
	}
	if got := l.timers[EscalateTimer]; !got.Equal(inc.NextAt) {
		t.Fatalf("the escalation timer is due at %s, the incident says %s", got, inc.NextAt)
	}
	if got := l.timers[UnsnoozeTimer]; !got.Equal(inc.SnoozedUntil) {
		t.Fatalf("the snooze timer is due at %s, the incident says %s", got, inc.SnoozedUntil)
	}
	if inc.State == Triggered && inc.NextAt.IsZero() && !l.exhausted() {
		t.Fatalf("the escalation stopped without a word: %q", tell(l.entries))
	}
	if diff := cmp.Diff(told(inc), told(l.replay())); diff != "" {
		t.Fatalf("replaying the entries gives another incident (-stored +replayed):\n%s", diff)
	}
}

// exhausted reports whether the policy said that it ended, since it last started.
func (l *life) exhausted() bool {
	ended := false
	for _, e := range l.entries {
		switch e.Payload.(type) {
		case timeline.Triggered, timeline.Retriggered, timeline.Unacknowledged, timeline.SnoozeOver, timeline.Rerouted:
			ended = false
		case timeline.Exhausted:
			ended = true
		}
	}
	return ended
}

func (l *life) replay() Incident {
	var inc Incident
	for _, e := range l.entries {
		inc = Replay(inc, e)
	}
	return inc
}

// told leaves of inc what entries tell.
func told(inc Incident) Incident {
	inc.AlertCount, inc.LastAlert, inc.LastAlertAt, inc.Integration = 0, 0, time.Time{}, ""
	inc.Next, inc.NextAt = escalation.Position{}, time.Time{}
	if inc.State == "" {
		inc.ID = 0
	}
	return inc
}

// runOut lets nobody touch the incident any more: a snooze ends, the policy
// comes to its end, with a bounded number of pages.
func (l *life) runOut(t *rapid.T) {
	from := len(l.entries)
	for range 200 {
		next := l.next()
		if next.IsZero() {
			break
		}
		l.now = later(l.now, next)
		was := l.inc
		l.fire(t)
		l.hold(t, was)
	}
	if len(l.timers) > 0 {
		t.Fatalf("the escalation has no end: %v after %q", l.timers, tell(l.entries))
	}
	steps := 0
	for _, e := range l.entries[from:] {
		if e.Kind == timeline.StepStarted {
			steps++
		}
	}
	if most := 12; steps > most { // three steps in three rounds, or one person in twelve
		t.Fatalf("%d steps were started, more than %d", steps, most)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
