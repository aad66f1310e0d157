package incident

import (
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The rules of escalation:
//
//   - A step pages everybody its targets resolve to at that moment, once each,
//     or one of them when it goes round. What it only tells is told then, too.
//   - A step with nobody to page and nothing to tell, or whose condition does
//     not hold, is skipped at once and says so.
//   - Between rounds there is always a pause, even when every step is empty:
//     somebody may come on call meanwhile.
//   - When every page of the running step was given up, the next step of the
//     round starts at once.
//   - A pause after the last step of the last round the last resort is paged,
//     once. A pause after that, the policy is exhausted and says so. The
//     incident stays triggered.
//   - A step that hands over moves the incident into another policy, in the
//     version that one has now, from its first step.
//   - Of low urgency, a step that waits starts when the working hours begin;
//     when the incident becomes urgent meanwhile, at once.

// maxMoves bounds how often an incident moves by steps of policies. Policies
// that are checked together never lead back to themselves; versions of
// different times may.
const maxMoves = 10

func (d *decider) stepDue() {
	inc := &d.Incident
	if inc.State != Triggered || inc.NextAt.IsZero() || inc.NextAt.After(d.now) {
		d.because(ReasonNotDue)
		return
	}
	if d.settled() {
		return
	}
	d.changed(ReasonEscalated)
	d.run(inc.Next)
}

// pageGivenUp moves on at once when nothing of the running step can arrive any
// more; a new round keeps its pause, or a dead mail server would burn all
// rounds in seconds. A step that pages nobody has no page to be given up.
func (d *decider) pageGivenUp() {
	inc := &d.Incident
	switch {
	case inc.State != Triggered || !inc.Started || inc.NextAt.IsZero() || inc.ToldOnly || inc.Waiting:
		d.because(ReasonNotDue)
	case d.facts.PagesLeft > 0:
		d.because(ReasonPagesLeft)
	case inc.Next.Round != inc.Step.Round || d.end(inc.Next):
		d.because(ReasonWaitsForRound)
	case d.settled():
	default:
		d.changed(ReasonEscalated)
		d.run(inc.Next)
	}
}

// end reports whether pos is the pause after the last step.
func (d *decider) end(pos escalation.Position) bool {
	_, ok := d.facts.Policy.StepAt(pos)
	return !ok
}

// run starts the step at pos, or the first one after it that has somebody.
func (d *decider) run(pos escalation.Position) {
	d.Incident.Waiting = false
	for {
		policy := d.facts.Policy
		step, ok := policy.StepAt(pos)
		if !ok {
			d.exhausted("nobody_acknowledged")
			return
		}
		why, done := d.start(pos, step)
		if done {
			return
		}
		d.entry(timeline.Self, timeline.Skipped{
			Step: pos.Step + 1, Round: pos.Round + 1, PolicyName: policy.Name, Why: why, LastResort: policy.IsLastResort(pos),
		})
		next, _, ok := policy.Next(pos)
		if !ok || next.Round != pos.Round {
			d.waitForNext(pos)
			return
		}
		pos = next
	}
}

// start does what the step at pos says, and sets what follows; when it can do
// nothing, it says why.
func (d *decider) start(pos escalation.Position, step escalation.Step) (why string, done bool) {
	if why := step.When.Unmet(d.Incident.Severity, d.now, d.zone(step.When.Hours)); why != "" {
		return why, false
	}
	if d.waitsForHours(pos, step) {
		return "", true
	}
	if to, ok := d.facts.Policy.HandsOver(pos); ok {
		return d.handOver(pos, to)
	}
	r := d.reachOf(step, pos.Round)
	if len(r.people) == 0 && !r.tells() {
		return r.missing(), false
	}
	if len(r.people) > 0 {
		d.page(pos, r)
	}
	if r.tells() {
		d.tell(pos, r)
	}
	d.waitForNext(pos)
	return "", true
}

func (d *decider) zone(h escalation.Hours) *time.Location {
	if h.Always() || d.facts.Zone == nil {
		return time.UTC
	}
	if loc := d.facts.Zone(h.Zone); loc != nil {
		return loc
	}
	return time.UTC
}

// waitsForHours delays a step of low urgency until the working hours begin.
func (d *decider) waitsForHours(pos escalation.Position, step escalation.Step) bool {
	policy := d.facts.Policy
	if !policy.LowWaits && !step.LowWaits || d.Incident.HowUrgent() != people.Low {
		return false
	}
	open, ok := policy.Hours.NextOpen(d.now, d.zone(policy.Hours))
	if !ok || !open.After(d.now) {
		return false
	}
	d.entry(timeline.Self, timeline.Waits{Step: pos.Step + 1, Round: pos.Round + 1, PolicyName: policy.Name, Until: open})
	d.wait(pos, open.Sub(d.now))
	d.Incident.Waiting = true
	return true
}

// handOver moves the incident into another policy.
func (d *decider) handOver(pos escalation.Position, to id.Policy) (why string, done bool) {
	if d.Incident.Moves >= maxMoves {
		return phrase.T("escalation.moved_too_often", maxMoves), false
	}
	next, ok := d.find(to)
	if !ok {
		return phrase.T("escalation.policy_gone"), false
	}
	from := d.facts.Policy.Name
	d.take(next)
	d.Incident.Moves++
	d.entry(timeline.Self, timeline.HandedOver{
		Step: pos.Step + 1, Round: pos.Round + 1, From: from, Policy: next.ID, Version: next.Version, PolicyName: next.Name,
		Urgency: string(d.Incident.Urgency), Turn: d.Incident.Turn,
	})
	d.startPolicy()
	return "", true
}

func (d *decider) find(p id.Policy) (escalation.Policy, bool) {
	if d.facts.Find == nil {
		return escalation.Policy{}, false
	}
	return d.facts.Find(p)
}

func (d *decider) page(pos escalation.Position, r *reach) {
	inc, policy := &d.Incident, d.facts.Policy
	inc.Step, inc.Started, inc.ToldOnly = pos, true, false
	told := timeline.Step{
		Step: pos.Step + 1, Round: pos.Round + 1, PolicyName: policy.Name, LastResort: policy.IsLastResort(pos),
		AckAll: policy.AckBy == escalation.AckByAll, EveryMethod: policy.IgnorePagingPolicies,
	}
	if inc.HowUrgent() == people.Low {
		told.Urgency = string(people.Low)
	}
	for _, p := range r.people {
		told.Users, told.Names, told.Why = append(told.Users, p.User), append(told.Names, p.Name), append(told.Why, p.Why)
	}
	if why := r.words(); why != "" {
		told.Why = append(told.Why, why)
	}
	inc.Paged = addUsers(inc.Paged, told.Users...)
	inc.Asked = nil
	if told.AckAll {
		inc.Asked = told.Users
	}
	d.about(timeline.Self, told.Users[0], told)
}

// tell records what is told; a step that pages nobody leaves those who must
// acknowledge as they are.
func (d *decider) tell(pos escalation.Position, r *reach) {
	inc, policy := &d.Incident, d.facts.Policy
	told := timeline.Told{
		Step: pos.Step + 1, Round: pos.Round + 1, PolicyName: policy.Name, LastResort: policy.IsLastResort(pos),
		Webhooks: r.webhooks, Emails: r.emails, Rooms: r.rooms, Alone: len(r.people) == 0,
	}
	if told.Alone {
		inc.Step, inc.Started, inc.ToldOnly = pos, true, true
		told.Why = r.words()
	}
	d.entry(timeline.Self, told)
}

func (d *decider) waitForNext(pos escalation.Position) {
	policy := d.facts.Policy
	if next, after, ok := policy.Next(pos); ok {
		d.wait(next, after)
		return
	}
	d.wait(policy.End(pos.Round), max(policy.RepeatAfter.D(), escalation.MinRepeatAfter))
}

func (d *decider) wait(next escalation.Position, after time.Duration) {
	d.Incident.Next, d.Incident.NextAt = next, d.now.Add(after)
	d.timer(EscalateTimer, d.Incident.NextAt)
}

func (d *decider) exhausted(why string) {
	d.quiet()
	d.entry(timeline.Self, timeline.Exhausted{PolicyName: d.facts.Policy.Name, Why: why})
}
