package incident

import (
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The rules of escalation:
//
//   - A step pages everybody its targets resolve to at that moment, once each.
//   - A step with nobody to page is skipped at once and says so.
//   - Between rounds there is always a pause, even when every step is empty:
//     somebody may come on call meanwhile.
//   - When every page of the running step was given up, the next step of the
//     round starts at once.
//   - A pause after the last step of the last round, the policy is exhausted
//     and says so. The incident stays triggered.

func (d *decider) stepDue() {
	inc := &d.Incident
	if inc.State != Triggered || inc.NextAt.IsZero() || inc.NextAt.After(d.now) {
		d.because(ReasonNotDue)
		return
	}
	d.changed(ReasonEscalated)
	d.run(inc.Next)
}

// pageGivenUp moves on at once when nothing of the running step can arrive any
// more; a new round keeps its pause, or a dead mail server would burn all
// rounds in seconds.
func (d *decider) pageGivenUp() {
	inc := &d.Incident
	switch {
	case inc.State != Triggered || !inc.Started || inc.NextAt.IsZero():
		d.because(ReasonNotDue)
	case d.facts.PagesLeft > 0:
		d.because(ReasonPagesLeft)
	case inc.Next.Round != inc.Step.Round || d.end(inc.Next):
		d.because(ReasonWaitsForRound)
	default:
		d.changed(ReasonEscalated)
		d.run(inc.Next)
	}
}

// end reports whether pos is the pause after the last step.
func (d *decider) end(pos escalation.Position) bool { return pos.Step >= len(d.facts.Policy.Steps) }

// run starts the step at pos, or the first one after it that has somebody.
func (d *decider) run(pos escalation.Position) {
	policy := d.facts.Policy
	if d.end(pos) {
		d.exhausted("nobody_acknowledged")
		return
	}
	for {
		people, why := d.people(policy.Steps[pos.Step])
		if len(people) > 0 {
			d.page(pos, people, why)
			d.waitForNext(pos)
			return
		}
		d.entry(timeline.Self, timeline.Skipped{
			Step: pos.Step + 1, Round: pos.Round + 1, PolicyName: policy.Name, Why: why,
		})
		next, _, ok := policy.Next(pos)
		if !ok || next.Round != pos.Round {
			d.waitForNext(pos)
			return
		}
		pos = next
	}
}

// people resolves a step to those who can be reached, each once, in order; the
// second result says in words who cannot, or that there is nobody.
func (d *decider) people(step escalation.Step) (reachable []Person, missing string) {
	seen := map[id.User]bool{}
	for _, t := range step.Targets {
		for _, p := range d.facts.Whom(t) {
			if seen[p.User] {
				continue
			}
			seen[p.User] = true
			if p.Reachable {
				reachable = append(reachable, p)
				continue
			}
			if missing != "" {
				missing += "; "
			}
			missing += phrase.T("escalation.unreachable", p.Name)
		}
	}
	if len(seen) == 0 {
		missing = phrase.T("escalation.nobody_on_call")
	}
	return reachable, missing
}

func (d *decider) page(pos escalation.Position, people []Person, missing string) {
	inc := &d.Incident
	inc.Step, inc.Started = pos, true
	told := timeline.Step{Step: pos.Step + 1, Round: pos.Round + 1, PolicyName: d.facts.Policy.Name}
	for _, p := range people {
		told.Users, told.Names, told.Why = append(told.Users, p.User), append(told.Names, p.Name), append(told.Why, p.Why)
	}
	if missing != "" {
		told.Why = append(told.Why, missing)
	}
	inc.Paged = addUsers(inc.Paged, told.Users...)
	d.about(timeline.Self, told.Users[0], told)
}

func (d *decider) waitForNext(pos escalation.Position) {
	if next, after, ok := d.facts.Policy.Next(pos); ok {
		d.wait(next, after)
		return
	}
	pause := max(d.facts.Policy.RepeatAfter.D(), escalation.MinRepeatAfter)
	d.wait(escalation.Position{Step: len(d.facts.Policy.Steps), Round: pos.Round}, pause)
}

func (d *decider) wait(next escalation.Position, after time.Duration) {
	d.Incident.Next, d.Incident.NextAt = next, d.now.Add(after)
	d.timer(EscalateTimer, d.Incident.NextAt)
}

func (d *decider) exhausted(why string) {
	d.quiet()
	d.entry(timeline.Self, timeline.Exhausted{PolicyName: d.facts.Policy.Name, Why: why})
}
