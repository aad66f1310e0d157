package incident

import (
	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
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
		}
	case timeline.Updated:
		inc.Severity, inc.Title, inc.Message = alert.Type(p.Severity), p.Title, p.Message
	case timeline.Retriggered:
		inc.Severity, inc.Title, inc.Message = alert.Type(p.Severity), p.Title, p.Message
		inc = again(inc)
	case timeline.Acknowledged:
		inc.State, inc.AckedBy, inc.AckedAt = Acknowledged, e.Actor, e.At
	case timeline.Snoozed:
		inc.State, inc.AckedBy, inc.AckedAt, inc.SnoozedUntil = Acknowledged, e.Actor, e.At, p.Until
	case timeline.Unacknowledged, timeline.SnoozeOver:
		inc = again(inc)
	case timeline.Rerouted:
		inc.Policy, inc.PolicyVersion, inc.Direct = p.Policy, p.Version, p.User
		inc.Team = e.Team
		inc = again(inc)
	case timeline.Resolved:
		inc.State, inc.ResolvedBy, inc.ResolvedAt = Resolved, e.Actor, e.At
		inc.SnoozedUntil = Incident{}.SnoozedUntil
	case timeline.Step:
		inc.Step, inc.Started = escalation.Position{Step: p.Step - 1, Round: p.Round - 1}, true
		inc.Paged = addUsers(inc.Paged, p.Users...)
	case timeline.Responder:
		inc.Responders = addUsers(inc.Responders, p.Users...)
		inc.Paged = addUsers(inc.Paged, p.Users...)
	}
	return inc
}

func again(inc Incident) Incident {
	inc.State, inc.Started, inc.Step = Triggered, false, escalation.Position{}
	inc.AckedBy, inc.AckedAt, inc.SnoozedUntil = timeline.Actor{}, Incident{}.AckedAt, Incident{}.SnoozedUntil
	return inc
}
