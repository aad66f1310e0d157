package incident

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
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
	gone     map[id.User]bool   // who is disabled
	turn     int
	last     Decision
}

func drawPolicy(t *rapid.T, name id.Policy) escalation.Policy {
	p := escalation.Policy{
		ID: name, Name: string(name), Version: 1, RepeatAfter: minutes(rapid.IntRange(1, 10).Draw(t, "repeat after")),
		Repeat: rapid.IntRange(0, 2).Draw(t, "repeat"), Team: rapid.SampledFrom([]id.Team{"", "dba", "net"}).Draw(t, "team"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "steps") {
		s := step(rapid.SampledFrom([]int{0, 0, 1, 5}).Draw(t, "delay"))
		s.Targets = drawTargets(t)
		if rapid.IntRange(0, 4).Draw(t, "is conditional") == 0 {
			s.When = escalation.When{Severities: []alert.Type{alert.Critical}, Hours: rapid.SampledFrom([]escalation.Hours{{}, office}).Draw(t, "hours")}
		}
		s.Notify = rapid.SampledFrom([]escalation.Notify{"", "", escalation.RoundRobin}).Draw(t, "notify")
		s.LowWaits = rapid.IntRange(0, 4).Draw(t, "waits") == 0
		p.Steps = append(p.Steps, s)
	}
	p.Hours = office
	p.AckBy = rapid.SampledFrom([]escalation.AckBy{"", escalation.AckByAll}).Draw(t, "ack by")
	p.RepageAfter = rapid.SampledFrom([]escalation.Duration{0, 0, minutes(20)}).Draw(t, "repage after")
	p.Urgency = rapid.SampledFrom([]people.Urgency{"", "", people.High, people.Low}).Draw(t, "urgency")
	if rapid.IntRange(0, 2).Draw(t, "has a last resort") == 0 {
		p.LastResort = drawTargets(t)
	}
	return p
}

// drawTargets draws also policies that lead back to themselves: rules of
// different times may, and must come to an end.
func drawTargets(t *rapid.T) []escalation.Target {
	all := []escalation.Target{
		user("kim"), user("lee"), user("ann"), user("gone"), user("kim"), user("lee"), to("p1"), to("p2"), to("p3"), {Room: "#ops"}, {Webhook: "status"},
	}
	return rapid.SliceOfN(rapid.SampledFrom(all), 0, 3).Draw(t, "targets")
}

func newLife(t *rapid.T) *life {
	l := &life{inc: Incident{ID: number}, now: start, gone: map[id.User]bool{}, timers: map[TimerKind]time.Time{}, policies: map[id.Policy]escalation.Policy{}}
	for _, name := range []id.Policy{"p1", "p2"} {
		l.policies[name] = drawPolicy(t, name)
	}
	return l
}

// facts are those of the organisation for the incident as it is.
func (l *life) facts(t *rapid.T) Facts {
	f := l.known()
	f.WarningOpens, f.PagesLeft = rapid.Bool().Draw(t, "warnings open"), rapid.IntRange(0, 1).Draw(t, "pages left")
	if l.inc.State == "" && rapid.IntRange(0, 9).Draw(t, "has a route") == 0 {
		f.Policy, f.HasPolicy = escalation.Policy{}, false
	}
	return f
}

// known is what follows from l alone.
func (l *life) known() Facts {
	f := Facts{
		Find: func(p id.Policy) (escalation.Policy, bool) { q, ok := l.policies[p]; return q, ok },
		Gone: func(u id.User) bool { return l.gone[u] },
		Turn: func(id.Policy) int { l.turn++; return l.turn },
	}
	f.Whom = func(target escalation.Target) []Person {
		if p, ok := l.there[target.User]; ok && !l.gone[target.User] {
			return []Person{p}
		}
		return nil
	}
	switch {
	case l.inc.State == "":
		f.Policy, f.HasPolicy = l.policies["p1"], true
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
	if u := rapid.SampledFrom([]id.User{"", "", "", "", "kim", "lee"}).Draw(t, "goes or comes back"); u != "" {
		l.gone[u] = !l.gone[u]
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
	l.pagesWhoIsAsked(t)
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

// pagesWhoIsAsked checks that the last decision paged nobody who has
// acknowledged already, and nobody for what is acknowledged.
func (l *life) pagesWhoIsAsked(t *rapid.T) {
	for _, e := range l.last.Entries {
		p, ok := e.Payload.(timeline.Step)
		if !ok {
			continue
		}
		if l.inc.State != Triggered {
			t.Fatalf("%s are paged in state %q", p.Users, l.inc.State)
		}
		for _, u := range p.Users {
			if !l.inc.Wants(u) {
				t.Fatalf("%s is paged and has acknowledged", u)
			}
		}
	}
}

// fire deals with what is due, as the timer does: away with the row, then decide.
func (l *life) fire(t *rapid.T) {
	for _, kind := range TimerKinds() {
		due, ok := l.timers[kind]
		if !ok || due.After(l.now) {
			continue
		}
		delete(l.timers, kind)
		l.decide(t, kind.Due())
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
	switch rapid.IntRange(0, 15).Draw(t, "input") {
	case 0, 1, 2, 3:
		kind := rapid.SampledFrom([]alert.Type{alert.Critical, alert.Critical, alert.Warning, alert.Info, alert.Acknowledgement}).Draw(t, "type")
		if rapid.IntRange(0, 9).Draw(t, "is over") == 0 {
			kind = alert.Recovery
		}
		return arrives(kind, rapid.SampledFrom([]string{"93% full", "99% full"}).Draw(t, "message"))
	case 4, 14, 15:
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
		return rapid.SampledFrom([]Input{StepDue{}, SnoozeDue{}, AckDue{}}).Draw(t, "stray timer")
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
	if !inc.AckUntil.IsZero() && inc.State != Acknowledged {
		t.Fatalf("an acknowledgement expires in state %q", inc.State)
	}
	if got := l.timers[AckTimer]; !got.Equal(inc.AckUntil) {
		t.Fatalf("the timer of the acknowledgement is due at %s, the incident says %s", got, inc.AckUntil)
	}
	if inc.Waiting && inc.NextAt.IsZero() {
		t.Fatal("a step waits for the morning, and no timer does")
	}
	l.canBeAcknowledged(t)
	if inc.State == Triggered && inc.NextAt.IsZero() && !l.exhausted() {
		t.Fatalf("the escalation stopped without a word: %q", tell(l.entries))
	}
	if diff := cmp.Diff(told(inc), told(l.replay())); diff != "" {
		t.Fatalf("replaying the entries gives another incident (-stored +replayed):\n%s", diff)
	}
}

// canBeAcknowledged checks that those who are asked and still there can always
// end the paging, whoever has gone meanwhile.
func (l *life) canBeAcknowledged(t *rapid.T) {
	inc := l.inc
	if inc.State != Triggered {
		return
	}
	f := l.known()
	for _, u := range append([]id.User{"somebody else"}, inc.Asked...) {
		if !l.gone[u] && inc.State == Triggered {
			inc = Decide(inc, Acknowledge{By: timeline.Actor{User: u, Origin: timeline.API}}, f, l.now).Incident
		}
	}
	if inc.State != Acknowledged {
		t.Fatalf("of %s all who are there acknowledged, and it is still %s", inc.Asked, inc.State)
	}
}

// exhausted reports whether the policy said that it ended, since it last started.
func (l *life) exhausted() bool {
	ended := false
	for _, e := range l.entries {
		switch e.Payload.(type) {
		case timeline.Triggered, timeline.Retriggered, timeline.Unacknowledged, timeline.SnoozeOver, timeline.Rerouted,
			timeline.AckLapsed, timeline.HandedOver:
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
	for range 1000 {
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
	steps, moves, highest := 0, 0, 0
	for _, e := range l.entries[from:] {
		switch p := e.Payload.(type) {
		case timeline.Step:
			steps++
			highest = max(highest, p.Round)
		case timeline.HandedOver:
			moves++
		case timeline.AckLapsed, timeline.SnoozeOver:
			moves++ // that, too, starts a policy
		}
	}
	// Three steps in three rounds and a last resort, or one person in twelve rounds.
	if most := 12 * (moves + 1); steps > most || highest > 12 || moves > maxMoves+1 {
		t.Fatalf("%d steps in %d rounds and %d moves were started", steps, highest, moves)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
