package incident

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Replay adds to inc what e says. Replaying all entries of an incident in
// order, from the zero Incident, gives what is stored, but for what entries do
// not tell: the count of repeated alerts and what is due next. Tests hold us
// to it; reviews and repairs may rely on it.
func Replay(inc Incident, e timeline.Entry) Incident {
	switch p := e.Payload.(type) {
	case timeline.Triggered:
		inc = Incident{
			ID: e.Incident, State: Triggered, EntityID: p.EntityID, Title: p.Title, Message: p.Message,
			Severity: alert.Type(p.Severity), Host: p.Host, Tool: p.Tool, RoutingKey: p.RoutingKey,
			Team: e.Team, Policy: p.Policy, PolicyVersion: p.Version, TriggeredAt: e.At,
			Urgency: people.Urgency(p.Urgency), Turn: p.Turn,
		}
	case timeline.Updated:
		inc.Severity, inc.Title, inc.Message = alert.Type(p.Severity), p.Title, p.Message
	case timeline.Retriggered:
		inc.Severity, inc.Title, inc.Message = alert.Type(p.Severity), p.Title, p.Message
		inc = again(inc)
	case timeline.Acknowledged:
		inc.State, inc.AckedBy, inc.AckedAt, inc.AckUntil, inc.Waiting = Acknowledged, e.Actor, e.At, p.Until, false
		if p.Of > 0 && !inc.acked(e.Actor.User) {
			inc.Acks = append(slices.Clip(inc.Acks), e.Actor)
		}
	case timeline.PartAcknowledged:
		inc.Acks = append(slices.Clip(inc.Acks), e.Actor)
	case timeline.Snoozed:
		inc.State, inc.AckedBy, inc.AckedAt, inc.SnoozedUntil = Acknowledged, e.Actor, e.At, p.Until
		inc.AckUntil, inc.Waiting = time.Time{}, false
	case timeline.Unacknowledged, timeline.SnoozeOver, timeline.AckLapsed:
		inc = again(inc)
	case timeline.Rerouted:
		inc.Policy, inc.PolicyVersion, inc.Direct = p.Policy, p.Version, p.User
		inc.Team, inc.Urgency, inc.Turn, inc.Moves = e.Team, people.Urgency(p.Urgency), p.Turn, 0
		inc = again(inc)
	case timeline.Resolved:
		inc.State, inc.ResolvedBy, inc.ResolvedAt = Resolved, e.Actor, e.At
		inc.SnoozedUntil, inc.AckUntil, inc.Waiting = time.Time{}, time.Time{}, false
	case timeline.Responder:
		inc.Responders = addUsers(inc.Responders, p.Users...)
		inc.Paged = addUsers(inc.Paged, p.Users...)
		inc.Asked = alsoAsked(inc, p.Users)
	default:
		inc = replayStep(inc, e)
	}
	return inc
}

// replayStep is Replay for what the policy does.
func replayStep(inc Incident, e timeline.Entry) Incident {
	switch p := e.Payload.(type) {
	case timeline.Step:
		inc.Step, inc.Started, inc.ToldOnly, inc.Waiting = position(p.Step, p.Round), true, false, false
		inc.Paged = addUsers(inc.Paged, p.Users...)
		inc.Asked = nil
		if p.AckAll {
			inc.Asked = p.Users
		}
	case timeline.Told:
		inc.Waiting = false
		if p.Alone {
			inc.Step, inc.Started, inc.ToldOnly = position(p.Step, p.Round), true, true
		}
	case timeline.Waits:
		inc.Waiting = true
	case timeline.HandedOver:
		inc.Policy, inc.PolicyVersion, inc.Team = p.Policy, p.Version, e.Team
		inc.Urgency, inc.Turn, inc.Moves = people.Urgency(p.Urgency), p.Turn, inc.Moves+1
		inc.Step, inc.Started, inc.ToldOnly, inc.Waiting = escalation.Position{}, false, false, false
	case timeline.Skipped, timeline.Exhausted:
		inc.Waiting = false
	}
	return inc
}

// position is where a step is that entries count from 1.
func position(step, round int) escalation.Position {
	return escalation.Position{Step: step - 1, Round: round - 1}
}

func again(inc Incident) Incident {
	inc.State, inc.Started, inc.Step = Triggered, false, escalation.Position{}
	inc.ToldOnly, inc.Waiting, inc.Asked, inc.Acks = false, false, nil, nil
	inc.AckedBy, inc.AckedAt, inc.SnoozedUntil, inc.AckUntil = timeline.Actor{}, time.Time{}, time.Time{}, time.Time{}
	return inc
}
