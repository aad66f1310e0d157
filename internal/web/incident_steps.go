package web

import (
	"context"
	"strings"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

// escalationSteps tells what became of the steps of the policy that inc runs, in the
// round that runs or ran last.
func (s *Server) escalationSteps(ctx context.Context, o *org.Org, inc incident.Incident) ([]view.StepRow, error) {
	policy, ok := policyOf(o, inc)
	if !ok {
		return nil, nil
	}
	told, err := s.Store.Entries(ctx, store.EntryFilter{Incident: inc.ID, Limit: mostAtOnce, Kinds: stepKinds()})
	if err != nil {
		return nil, err
	}
	return stepRows(o, inc, policy, told), nil
}

// stepKinds are the kinds of entries that tell of steps, and those after which
// a policy begins anew.
func stepKinds() []timeline.Kind {
	return []timeline.Kind{
		timeline.StepStarted, timeline.StepSkipped, timeline.StepTold,
		timeline.IncidentTriggered, timeline.IncidentRetriggered, timeline.IncidentRerouted, timeline.IncidentUnacknowledged, timeline.SnoozeEnded,
		timeline.AckExpired, timeline.EscalationHandedOver,
	}
}

// stepRows is a function of the incident and what its entries tell, oldest first.
func stepRows(o *org.Org, inc incident.Incident, policy escalation.Policy, told []timeline.Entry) []view.StepRow {
	rows := make([]view.StepRow, len(policy.Steps))
	round := 1
	anew := func() {
		for i, step := range policy.Steps {
			rows[i] = view.StepRow{Number: i + 1, State: "waiting", Delay: stepDelay(i, step.After), Targets: targets(o, step)}
		}
	}
	anew()
	// became writes down a step of a round; the first of a new round clears the last one's.
	became := func(step, of int, row func(*view.StepRow)) {
		if of != round {
			anew()
			round = of
		}
		if step >= 1 && step <= len(rows) {
			row(&rows[step-1])
		}
	}
	for _, e := range told {
		switch p := e.Payload.(type) {
		case timeline.Step:
			became(p.Step, p.Round, func(r *view.StepRow) {
				r.State, r.At, r.Note = "done", e.At, phrase.T("webmain.step.paged", strings.Join(stepPeople(o, p), ", "))
			})
		case timeline.Told:
			if p.Alone {
				became(p.Step, p.Round, func(r *view.StepRow) { r.State, r.At, r.Note = "done", e.At, p.Why })
			}
		case timeline.Skipped:
			became(p.Step, p.Round, func(r *view.StepRow) { r.State, r.At, r.Note = "skipped", e.At, p.Why })
		default:
			anew()
			round = 1
		}
	}
	if inc.State != incident.Triggered {
		for i := range rows {
			if rows[i].State == "waiting" {
				rows[i].Note = phrase.T("webmain.step.not_needed")
			}
		}
		return rows
	}
	if current := inc.Step.Step; inc.Started && current < len(rows) && rows[current].State == "done" {
		rows[current].State = "current"
	}
	foresee(rows, inc, policy, round)
	return rows
}

// foresee adds when the steps that wait will start if nobody answers.
func foresee(rows []view.StepRow, inc incident.Incident, policy escalation.Policy, round int) {
	if inc.NextAt.IsZero() {
		return
	}
	at := inc.NextAt
	if next := inc.Next.Round + 1; inc.Next.Step < len(rows) && next > round && len(rows) > 0 {
		rows[0].Note = strings.TrimPrefix(rows[0].Note+" "+phrase.T("webmain.step.again", next), " ")
		return
	}
	for i := inc.Next.Step; i < len(rows); i++ {
		if i > inc.Next.Step {
			at = at.Add(policy.Steps[i].After.D())
		}
		rows[i].At = at
	}
}

// stepDelay is how long a step waits, in words.
func stepDelay(i int, after escalation.Duration) string {
	switch {
	case i == 0 && after == 0:
		return phrase.T("webmain.step.at_once")
	case i == 0:
		return phrase.T("webmain.step.first", after.String())
	case after == 0:
		return phrase.T("webmain.step.together")
	}
	return phrase.T("webmain.step.after", after.String())
}

// targets are whom a step is for, as it is configured.
func targets(o *org.Org, step escalation.Step) []string {
	var all []string
	for _, t := range step.Targets {
		switch {
		case t.Rotation != "" && t.Pick == escalation.PickNext:
			all = append(all, phrase.T("settings.policy.next", orGone(o.Rotations[t.Rotation].Name)))
		case t.Rotation != "" && t.Pick == escalation.PickPrevious:
			all = append(all, phrase.T("settings.policy.previous", orGone(o.Rotations[t.Rotation].Name)))
		case t.Rotation != "":
			all = append(all, orGone(o.Rotations[t.Rotation].Name))
		case t.User != "":
			all = append(all, orGone(o.Users[t.User].Name))
		case t.Team != "":
			all = append(all, phrase.T("webmain.step.team", orGone(o.Teams[t.Team].Name)))
		case t.Policy != "":
			all = append(all, orGone(o.Policies[t.Policy].Name))
		case t.Told():
			all = append(all, t.Webhook+t.Email+t.Room) // one of them is set
		}
	}
	return all
}

func orGone(name string) string {
	if name == "" {
		return phrase.T("webmain.step.gone")
	}
	return name
}
