package incident

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

// maxEntryMessage is how much of an alert's text an entry repeats; the whole
// text is with the alert.
const maxEntryMessage = 500

// Decide says what in does to inc at now. It is the only place that knows the
// states. An incident that does not exist yet is one with State "" and the ID
// it will have; it stays so when in opens nothing.
func Decide(inc Incident, in Input, facts Facts, now time.Time) Decision {
	d := &decider{Decision: Decision{Incident: inc}, facts: facts, now: now}
	if _, arrived := in.(Arrived); inc.State == "" && !arrived {
		d.because(ReasonNothingOpen)
		return d.Decision
	}
	switch in := in.(type) {
	case Arrived:
		d.arrived(in.Alert)
	case Acknowledge:
		d.acknowledge(in.By, in.Message)
	case Unacknowledge:
		d.unacknowledge(in.By)
	case Resolve:
		d.resolve(in.By, in.Message)
	case Snooze:
		d.snooze(in.By, in.Until)
	case Reroute:
		d.reroute(in)
	case AddResponder:
		d.addResponder(in)
	case AddNote:
		d.because(ReasonNoted)
		d.entry(in.By, timeline.Noted{Text: in.Text})
	case StepDue:
		d.stepDue()
	case SnoozeDue:
		d.snoozeDue()
	case AckDue:
		d.ackDue()
	case PageGivenUp:
		d.pageGivenUp()
	}
	return d.Decision
}

// decider collects one decision. Its methods are the branches.
type decider struct {
	Decision
	facts Facts
	now   time.Time
}

func (d *decider) because(r Reason) { d.Reason = r }

func (d *decider) changed(r Reason) { d.Reason, d.Changed = r, true }

func (d *decider) entry(by timeline.Actor, p timeline.Payload) {
	d.about(by, by.User, p)
}

func (d *decider) about(by timeline.Actor, person id.User, p timeline.Payload) {
	d.Entries = append(d.Entries, timeline.Entry{
		At: d.now, Kind: p.Kind(), Actor: by, Incident: d.Incident.ID, Team: d.Incident.Team, Person: person, Payload: p,
	})
}

func (d *decider) timer(kind TimerKind, due time.Time) {
	d.Timers = append(d.Timers, Timer{Kind: kind, Incident: d.Incident.ID, DueAt: due})
}

func (d *decider) arrived(a alert.Alert) {
	opens := a.Type == alert.Critical || a.Type == alert.Warning && d.facts.WarningOpens
	switch {
	case d.Incident.State == "" && opens && !d.facts.Muted.Until.IsZero():
		d.muted(a)
	case d.Incident.State == "" && opens:
		d.open(a)
	case d.Incident.State == "" || d.Incident.State == Resolved:
		d.homeless(a)
	case a.Type == alert.Critical || a.Type == alert.Warning:
		d.rollUp(a)
	case a.Type == alert.Acknowledgement && d.Incident.State == Triggered:
		d.acknowledge(monitoring(a), a.AckMessage)
	case a.Type == alert.Recovery:
		d.resolve(monitoring(a), alert.Cut(a.Message, maxEntryMessage))
	case a.Type == alert.Acknowledgement:
		d.because(ReasonAlreadyAcknowledged)
		d.entry(monitoring(a), body(a, ReasonAlreadyAcknowledged))
	default:
		d.because(ReasonInfo)
		d.entry(monitoring(a), body(a, ReasonInfo))
	}
}

// homeless is an alert that neither finds nor opens an incident.
func (d *decider) homeless(a alert.Alert) {
	why := ReasonNothingOpen
	switch {
	case a.Type == alert.Warning && !d.facts.WarningOpens:
		why = ReasonWarningOff
	case a.Type == alert.Info:
		why = ReasonInfo
	}
	d.because(why)
	d.Entries = append(d.Entries, timeline.Entry{At: d.now, Kind: timeline.AlertReceived, Actor: monitoring(a), Payload: body(a, why)})
}

// muted is an alert that would open an incident but for a maintenance window.
func (d *decider) muted(a alert.Alert) {
	d.because(ReasonMuted)
	told := body(a, ReasonMuted)
	told.Window, told.Until = d.facts.Muted.Window, d.facts.Muted.Until
	d.Entries = append(d.Entries, timeline.Entry{
		At: d.now, Kind: timeline.AlertReceived, Actor: monitoring(a), Team: d.facts.Policy.Team, Payload: told,
	})
}

func body(a alert.Alert, why Reason) timeline.AlertBody {
	return timeline.AlertBody{
		Alert: a.ID, Type: string(a.Type), EntityID: a.EntityID, Title: a.Title, Tool: a.Tool, RoutingKey: a.RoutingKey,
		Message: alert.Cut(a.Message, maxEntryMessage), Why: string(why),
	}
}

// monitoring is the sender as an actor: the author it names, else the tool.
func monitoring(a alert.Alert) timeline.Actor {
	name := a.AckAuthor
	if name == "" {
		name = a.Tool
	}
	return timeline.Actor{Name: name, Origin: timeline.Monitoring}
}

func (d *decider) open(a alert.Alert) {
	d.changed(ReasonOpened)
	d.Incident = Incident{
		ID: d.Incident.ID, State: Triggered, EntityID: a.EntityID, RoutingKey: a.RoutingKey, Integration: a.Integration,
		Title: a.Title, Message: alert.Cut(a.Message, maxEntryMessage), Severity: a.Type, Host: a.Host, Tool: a.Tool,
		AlertCount: 1, LastAlert: a.ID, LastAlertAt: d.now, TriggeredAt: d.now,
	}
	d.take(d.facts.Policy)
	d.entry(monitoring(a), timeline.Triggered{
		Alert: a.ID, Severity: string(a.Type), EntityID: a.EntityID, Title: a.Title, Message: d.Incident.Message,
		Tool: a.Tool, Host: a.Host, RoutingKey: a.RoutingKey, Default: d.facts.DefaultRoute,
		Policy: d.facts.Policy.ID, Version: d.facts.Policy.Version, PolicyName: d.facts.Policy.Name,
		Urgency: string(d.Incident.Urgency), Turn: d.Incident.Turn,
	})
	d.startPolicy()
}

// rollUp is a further alert of an open incident: counted always, told only
// when it says something new. It pages again only when an acknowledged warning
// has become critical.
func (d *decider) rollUp(a alert.Alert) {
	inc := &d.Incident
	worse := inc.State == Acknowledged && inc.Severity == alert.Warning && a.Type == alert.Critical
	low := inc.HowUrgent() == people.Low
	message := alert.Cut(a.Message, maxEntryMessage)
	same := inc.Severity == a.Type && inc.Title == a.Title && inc.Message == message
	inc.AlertCount++
	inc.LastAlert, inc.LastAlertAt = a.ID, d.now
	inc.Severity, inc.Title, inc.Message = a.Type, a.Title, message
	switch {
	case worse:
		d.changed(ReasonRetriggered)
		d.entry(monitoring(a), timeline.Retriggered{Alert: a.ID, Severity: string(a.Type), Title: a.Title, Message: message, Count: inc.AlertCount})
		d.trigger()
	case same:
		d.changed(ReasonRolledUp)
	default:
		d.changed(ReasonUpdated)
		d.entry(monitoring(a), timeline.Updated{Alert: a.ID, Severity: string(a.Type), Title: a.Title, Message: message, Count: inc.AlertCount})
		if inc.Waiting && low && inc.HowUrgent() == people.High {
			d.changed(ReasonWorse)
			d.run(inc.Next)
		}
	}
}

func (d *decider) unacknowledge(by timeline.Actor) {
	switch d.Incident.State {
	case Triggered:
		d.because(ReasonNotAcknowledged)
	case Resolved:
		d.because(ReasonAlreadyResolved)
	case Acknowledged:
		d.changed(ReasonUnacknowledged)
		d.entry(by, timeline.Unacknowledged{})
		d.trigger()
	}
}

func (d *decider) resolve(by timeline.Actor, message string) {
	if d.Incident.State == Resolved {
		d.because(ReasonAlreadyResolved)
		return
	}
	d.changed(ReasonResolved)
	d.quiet()
	d.endSnooze()
	d.endAck()
	d.Incident.State, d.Incident.ResolvedBy, d.Incident.ResolvedAt = Resolved, by, d.now
	d.entry(by, timeline.Resolved{Message: message})
}

// snooze acknowledges for whoever asks, also when somebody else had it.
func (d *decider) snooze(by timeline.Actor, until time.Time) {
	if d.Incident.State == Resolved {
		d.because(ReasonAlreadyResolved)
		return
	}
	d.changed(ReasonSnoozed)
	d.quiet()
	d.endAck()
	d.Incident.State, d.Incident.AckedBy, d.Incident.AckedAt = Acknowledged, by, d.now
	d.Incident.SnoozedUntil = until
	d.timer(UnsnoozeTimer, until)
	d.entry(by, timeline.Snoozed{Until: until})
}

func (d *decider) snoozeDue() {
	if d.Incident.State != Acknowledged || d.Incident.SnoozedUntil.IsZero() {
		d.because(ReasonNotSnoozed)
		return
	}
	if d.Incident.SnoozedUntil.After(d.now) {
		d.because(ReasonNotDue)
		return
	}
	d.changed(ReasonSnoozeOver)
	d.entry(timeline.Self, timeline.SnoozeOver{})
	d.trigger()
}

func (d *decider) reroute(in Reroute) {
	if d.Incident.State == Resolved {
		d.because(ReasonAlreadyResolved)
		return
	}
	d.changed(ReasonRerouted)
	d.take(in.Policy)
	d.facts.HasPolicy = true
	d.Incident.Direct, d.Incident.Moves = in.Direct, 0
	told := timeline.Rerouted{
		Policy: in.Policy.ID, Version: in.Policy.Version, User: in.Direct, UserName: in.DirectName,
		Urgency: string(d.Incident.Urgency), Turn: d.Incident.Turn,
	}
	if in.Direct == "" {
		told.PolicyName = in.Policy.Name
	}
	d.entry(in.By, told)
	d.trigger()
}

func (d *decider) addResponder(in AddResponder) {
	if d.Incident.State == Resolved {
		d.because(ReasonAlreadyResolved)
		return
	}
	d.changed(ReasonResponderAdded)
	told := timeline.Responder{PolicyName: in.PolicyName}
	for _, p := range in.Users {
		if !slices.Contains(told.Users, p.User) {
			told.Users, told.Names = append(told.Users, p.User), append(told.Names, p.Name)
		}
	}
	d.Incident.Responders = addUsers(d.Incident.Responders, told.Users...)
	d.Incident.Paged = addUsers(d.Incident.Paged, told.Users...)
	d.Incident.Asked = alsoAsked(d.Incident, told.Users)
	d.entry(in.By, told)
}

// alsoAsked is who must acknowledge when further people are asked: where all
// must, they must too.
func alsoAsked(inc Incident, users []id.User) []id.User {
	if inc.State != Triggered || len(inc.Asked) == 0 {
		return inc.Asked
	}
	return addUsers(inc.Asked, users...)
}

// trigger makes an open incident need somebody again, from the first step.
func (d *decider) trigger() {
	d.Incident.State = Triggered
	d.Incident.AckedBy, d.Incident.AckedAt = timeline.Actor{}, time.Time{}
	d.Incident.Acks, d.Incident.Asked = nil, nil
	d.endSnooze()
	d.endAck()
	d.startPolicy()
}

// take makes the incident run p, in the version it has now.
func (d *decider) take(p escalation.Policy) {
	inc := &d.Incident
	d.facts.Policy = p
	inc.Policy, inc.PolicyVersion, inc.Urgency, inc.Turn = p.ID, p.Version, p.Urgency, 0
	if p.Team != "" {
		inc.Team = p.Team
	}
	switch {
	case !p.GoesRound():
	case d.facts.Turn != nil:
		inc.Turn = d.facts.Turn(p.ID)
	default:
		inc.Turn = int(inc.ID)
	}
}

func (d *decider) endSnooze() {
	if !d.Incident.SnoozedUntil.IsZero() {
		d.Incident.SnoozedUntil = time.Time{}
		d.timer(UnsnoozeTimer, time.Time{})
	}
}

func (d *decider) endAck() {
	if !d.Incident.AckUntil.IsZero() {
		d.Incident.AckUntil = time.Time{}
		d.timer(AckTimer, time.Time{})
	}
}

// quiet stops the escalation.
func (d *decider) quiet() {
	d.Incident.Waiting = false
	if !d.Incident.NextAt.IsZero() {
		d.Incident.NextAt = time.Time{}
		d.timer(EscalateTimer, time.Time{})
	}
}

func (d *decider) startPolicy() {
	d.quiet()
	d.Incident.Started, d.Incident.ToldOnly = false, false
	d.Incident.Step, d.Incident.Next = escalation.Position{}, escalation.Position{}
	steps := d.facts.Policy.Steps
	switch {
	case !d.facts.HasPolicy:
		d.exhausted("no_policy")
	case len(steps) == 0 && len(d.facts.Policy.LastResort) == 0:
		d.exhausted("no_steps")
	case len(steps) > 0 && steps[0].After > 0:
		d.wait(escalation.Position{}, steps[0].After.D())
	default:
		d.run(escalation.Position{})
	}
}
