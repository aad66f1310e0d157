package incident

import (
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
)

// reach is what a step comes to at one moment.
type reach struct {
	people                  []Person // to be paged, each once, in order
	webhooks, emails, rooms []string // to be told, each once, in order
	without                 []string // in words: who is left out, and why
	nobody                  []string // in words: targets behind which there is nobody
	seen                    map[id.User]bool
	opened                  []id.Policy // policies whose first step is in it
}

func (r *reach) tells() bool { return len(r.webhooks)+len(r.emails)+len(r.rooms) > 0 }

// words says who is left out; "" when nobody is.
func (r *reach) words() string { return strings.Join(r.without, "; ") }

// missing says why there is nobody at all.
func (r *reach) missing() string {
	switch {
	case len(r.without) > 0:
		return r.words()
	case len(r.nobody) > 0:
		return strings.Join(r.nobody, "; ")
	}
	return phrase.T("escalation.nobody_on_call")
}

// reachOf finds whom a step pages and what it tells. Who has acknowledged
// already is not asked again.
func (d *decider) reachOf(step escalation.Step, round int) *reach {
	r := &reach{seen: map[id.User]bool{}}
	d.gather(r, step, round)
	return r
}

// gather adds what a step comes to.
func (d *decider) gather(r *reach, step escalation.Step, round int) {
	first := len(r.people)
	for _, t := range step.Targets {
		switch {
		case t.Webhook != "":
			r.webhooks = addText(r.webhooks, t.Webhook)
		case t.Email != "":
			r.emails = addText(r.emails, t.Email)
		case t.Room != "":
			r.rooms = addText(r.rooms, t.Room)
		case t.Policy != "":
			d.firstStepOf(r, t.Policy, round)
		default:
			found := d.facts.Whom(t)
			for _, p := range found {
				d.reachPerson(r, p)
			}
			if len(found) == 0 {
				r.nobody = addText(r.nobody, nobodyIn(t))
			}
		}
	}
	// Only one of those whom this step brought, and somebody else next time.
	if mine := r.people[first:]; step.Notify == escalation.RoundRobin && len(mine) > 1 {
		one := mine[(d.Incident.Turn+round)%len(mine)]
		for _, p := range mine {
			r.seen[p.User] = p.User == one.User // another target may still mean them
		}
		r.people = append(r.people[:first:first], one)
	}
}

// firstStepOf adds what the first step of a policy comes to, once: nobody is
// paged twice, and policies that lead to one another come to an end.
func (d *decider) firstStepOf(r *reach, p id.Policy, round int) {
	policy, ok := d.find(p)
	if !ok {
		r.without = addText(r.without, phrase.T("escalation.policy_gone"))
		return
	}
	if len(policy.Steps) == 0 || slices.Contains(r.opened, p) {
		return
	}
	r.opened = append(r.opened, p)
	step := policy.Steps[0]
	if why := step.When.Unmet(d.Incident.Severity, d.now, d.zone(step.When.Hours)); why != "" {
		r.without = addText(r.without, phrase.T("escalation.policy_not_now", policy.Name, why))
		return
	}
	d.gather(r, step, round)
}

func (d *decider) reachPerson(r *reach, p Person) {
	switch {
	case r.seen[p.User]:
		return
	case !p.Reachable:
		r.without = addText(r.without, phrase.T("escalation.unreachable", p.Name))
	case d.Incident.acked(p.User):
		r.without = addText(r.without, phrase.T("escalation.has_acknowledged", p.Name))
	default:
		r.people = append(r.people, p)
	}
	r.seen[p.User] = true
}

func nobodyIn(t escalation.Target) string {
	if t.Team != "" {
		return phrase.T("escalation.empty_team")
	}
	return phrase.T("escalation.nobody_on_call")
}

// addText appends s when it is not in list yet.
func addText(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
