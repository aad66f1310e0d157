package incident

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

// start is when every incident of these tests opened.
var start = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const number = id.Incident(42)

var (
	kim = Person{User: "kim", Name: "Kim", Why: "You are on call.", Reachable: true}
	lee = Person{User: "lee", Name: "Lee", Why: "You are in the team.", Reachable: true}
	ann = Person{User: "ann", Name: "Ann", Why: "The policy names you."} // without a contact method

	byLee    = timeline.Actor{User: "lee", Name: "Lee", Origin: timeline.Browser}
	everyone = map[id.User]Person{"kim": kim, "lee": lee, "ann": ann}
)

func user(u id.User) escalation.Target { return escalation.Target{User: u} }

func minutes(n int) escalation.Duration { return escalation.Duration(time.Duration(n) * time.Minute) }

func step(after int, targets ...escalation.Target) escalation.Step {
	return escalation.Step{After: minutes(after), Targets: targets}
}

// pages resolves each person to themselves.
func pages(t escalation.Target) []Person {
	if p, ok := everyone[t.User]; ok {
		return []Person{p}
	}
	return nil
}

// database pages Kim at once, Lee after five minutes, and all again after ten more.
func database() escalation.Policy {
	return escalation.Policy{
		ID: "p1", Slug: "database", Name: "Database", Team: "dba", Version: 7,
		Steps: []escalation.Step{step(0, user("kim")), step(5, user("lee"))}, Repeat: 1, RepeatAfter: minutes(10),
	}
}

func facts() Facts {
	return Facts{WarningOpens: true, Policy: database(), HasPolicy: true, Whom: pages}
}

// factsIn are the facts of a state whose policy has options.
func factsIn(state string) Facts {
	f := facts()
	switch state {
	case "half acknowledged": // by Lee, who was not asked; Kim was
		f.Policy.AckBy = escalation.AckByAll
	case "two asked":
		f.Policy.AckBy = escalation.AckByAll
		f.Policy.Steps[0].Targets = []escalation.Target{user("kim"), user("lee")}
	case "acknowledged for a while":
		f.Policy.RepageAfter = minutes(60)
	case "waiting for the morning": // it opens on a Sunday
		f.Policy.LowWaits, f.Policy.Hours = true, office
	}
	return f
}

// office are the working hours, in UTC; start is on a Sunday.
var office = escalation.Hours{Zone: "UTC", Windows: []people.PagingWindow{
	{Days: []people.Day{"mon", "tue", "wed", "thu", "fri"}, From: "09:00", To: "17:00"},
}}

func arrives(t alert.Type, message string) Arrived {
	return Arrived{Alert: alert.Alert{ID: 9, Type: t, EntityID: "disk/db01", Title: "Disk of db01", Message: message, Tool: "nagios", RoutingKey: "database"}}
}

// state makes an incident in the named state, at start.
func state(t *testing.T, name string) Incident {
	t.Helper()
	decide := func(inc Incident, in Input, at time.Time) Incident {
		f := facts()
		return Decide(inc, in, f, at).Incident
	}
	none := Incident{ID: number}
	open := decide(none, arrives(alert.Critical, "93% full"), start)
	switch name {
	case "none":
		return none
	case "triggered":
		return open
	case "last step":
		return decide(open, PageGivenUp{}, start)
	case "acknowledged":
		return decide(open, Acknowledge{By: byLee}, start)
	case "acknowledged warning":
		return decide(decide(none, arrives(alert.Warning, "93% full"), start), Acknowledge{By: byLee}, start)
	case "snoozed":
		return decide(open, Snooze{By: byLee, Until: start.Add(30 * time.Minute)}, start)
	case "resolved":
		return decide(open, Resolve{By: byLee}, start)
	case "two asked":
		return Decide(none, arrives(alert.Critical, "93% full"), factsIn(name), start).Incident
	case "half acknowledged":
		return Decide(Decide(none, arrives(alert.Critical, "93% full"), factsIn(name), start).Incident, Acknowledge{By: byLee}, factsIn(name), start).Incident
	case "acknowledged for a while":
		return Decide(Decide(none, arrives(alert.Critical, "93% full"), factsIn(name), start).Incident, Acknowledge{By: byLee}, factsIn(name), start).Incident
	case "waiting for the morning":
		return Decide(none, arrives(alert.Warning, "93% full"), factsIn(name), start).Incident
	}
	t.Fatalf("there is no state %q", name)
	return none
}

// given is an input with the moment it comes, after start, and what it changes in the facts.
type given struct {
	input Input
	after time.Duration
	facts func(*Facts)
}

func inputs() map[string]given {
	other := escalation.Policy{ID: "p2", Name: "Network", Version: 3, Steps: []escalation.Step{step(0, user("lee"))}, RepeatAfter: minutes(5)}
	byKim := timeline.Actor{User: "kim", Name: "Kim", Origin: timeline.API}
	const soon = time.Minute
	return map[string]given{
		"critical":  {input: arrives(alert.Critical, "93% full"), after: soon},
		"new words": {input: arrives(alert.Critical, "99% full"), after: soon},
		"warning":   {input: arrives(alert.Warning, "93% full"), after: soon},
		"muted": {input: arrives(alert.Critical, "93% full"), after: soon, facts: func(f *Facts) {
			f.Muted = Muted{Window: "Upgrade", Until: start.Add(time.Hour)}
		}},
		"warning, off":    {input: arrives(alert.Warning, "93% full"), after: soon, facts: func(f *Facts) { f.WarningOpens = false }},
		"info":            {input: arrives(alert.Info, "checked"), after: soon},
		"acknowledgement": {input: arrives(alert.Acknowledgement, ""), after: soon},
		"recovery":        {input: arrives(alert.Recovery, "12% full"), after: soon},

		"acknowledge":       {input: Acknowledge{By: byKim}, after: soon},
		"un-acknowledge":    {input: Unacknowledge{By: byKim}, after: soon},
		"resolve":           {input: Resolve{By: byKim}, after: soon},
		"snooze":            {input: Snooze{By: byKim, Until: start.Add(40 * time.Minute)}, after: soon},
		"reroute":           {input: Reroute{By: byKim, Policy: other}, after: soon},
		"reroute to person": {input: Reroute{By: byKim, Policy: escalation.Direct("lee", "Lee"), Direct: "lee", DirectName: "Lee"}, after: soon},
		"add responder":     {input: AddResponder{By: byKim, Users: []Person{lee}}, after: soon},
		"note":              {input: AddNote{By: byKim, Text: "looking"}, after: soon},

		"step due":     {input: StepDue{}, after: 5 * time.Minute},
		"step early":   {input: StepDue{}, after: soon},
		"snooze due":   {input: SnoozeDue{}, after: 30 * time.Minute},
		"snooze early": {input: SnoozeDue{}, after: soon},
		"ack due":      {input: AckDue{}, after: time.Hour},
		"ack early":    {input: AckDue{}, after: soon},
		"ack by Lee":   {input: Acknowledge{By: byLee}, after: soon},
		"given up":     {input: PageGivenUp{}, after: soon},
		"others left":  {input: PageGivenUp{}, after: soon, facts: func(f *Facts) { f.PagesLeft = 1 }},
	}
}

// Every state meets every input. The rule is the intent.
var cases = []struct {
	intent, state, input string
	reason               Reason
	want                 State
	kinds                string // of the entries
	timers               string // what is set (minutes after start) or cleared, in order
}{
	{"the first CRITICAL opens and pages", "none", "critical", ReasonOpened, Triggered, "incident_triggered step_started", "escalate=6"},
	{"its words do not matter", "none", "new words", ReasonOpened, Triggered, "incident_triggered step_started", "escalate=6"},
	{"a WARNING opens when the organisation wants it", "none", "warning", ReasonOpened, Triggered, "incident_triggered step_started", "escalate=6"},
	{"a maintenance window keeps it from opening", "none", "muted", ReasonMuted, "", "alert_received", ""},
	{"else it is only told", "none", "warning, off", ReasonWarningOff, "", "alert_received", ""},
	{"INFO never opens", "none", "info", ReasonInfo, "", "alert_received", ""},
	{"nothing is there to acknowledge", "none", "acknowledgement", ReasonNothingOpen, "", "alert_received", ""},
	{"nothing is there to recover", "none", "recovery", ReasonNothingOpen, "", "alert_received", ""},
	{"a request needs an incident", "none", "acknowledge", ReasonNothingOpen, "", "", ""},
	{"a request needs an incident", "none", "un-acknowledge", ReasonNothingOpen, "", "", ""},
	{"resolving nothing makes no resolved incident", "none", "resolve", ReasonNothingOpen, "", "", ""},
	{"snoozing nothing makes no incident", "none", "snooze", ReasonNothingOpen, "", "", ""},
	{"rerouting nothing pages nobody", "none", "reroute", ReasonNothingOpen, "", "", ""},
	{"rerouting nothing pages nobody", "none", "reroute to person", ReasonNothingOpen, "", "", ""},
	{"nobody is asked to help with nothing", "none", "add responder", ReasonNothingOpen, "", "", ""},
	{"a note needs an incident", "none", "note", ReasonNothingOpen, "", "", ""},
	{"a timer needs an incident", "none", "step due", ReasonNothingOpen, "", "", ""},
	{"a timer needs an incident", "none", "step early", ReasonNothingOpen, "", "", ""},
	{"a timer needs an incident", "none", "snooze due", ReasonNothingOpen, "", "", ""},
	{"a timer needs an incident", "none", "snooze early", ReasonNothingOpen, "", "", ""},
	{"a page needs an incident", "none", "given up", ReasonNothingOpen, "", "", ""},
	{"a page needs an incident", "none", "others left", ReasonNothingOpen, "", "", ""},
	{"no acknowledgement expires", "none", "ack due", ReasonNothingOpen, "", "", ""},
	{"no acknowledgement expires", "none", "ack early", ReasonNothingOpen, "", "", ""},
	{"a request needs an incident", "none", "ack by Lee", ReasonNothingOpen, "", "", ""},

	{"the same again is counted, not told", "triggered", "critical", ReasonRolledUp, Triggered, "", ""},
	{"a window is about opening only", "triggered", "muted", ReasonRolledUp, Triggered, "", ""},
	{"news are told, nobody is paged again", "triggered", "new words", ReasonUpdated, Triggered, "incident_updated", ""},
	{"it got milder: told", "triggered", "warning", ReasonUpdated, Triggered, "incident_updated", ""},
	{"the setting is about opening only", "triggered", "warning, off", ReasonUpdated, Triggered, "incident_updated", ""},
	{"INFO is told and changes nothing", "triggered", "info", ReasonInfo, Triggered, "alert_received", ""},
	{"acknowledged at the sender stops the paging", "triggered", "acknowledgement", ReasonAcknowledged, Acknowledged, "incident_acknowledged", "escalate=off"},
	{"RECOVERY ends it", "triggered", "recovery", ReasonResolved, Resolved, "incident_resolved", "escalate=off"},
	{"acknowledging stops the paging", "triggered", "acknowledge", ReasonAcknowledged, Acknowledged, "incident_acknowledged", "escalate=off"},
	{"there is nothing to give back", "triggered", "un-acknowledge", ReasonNotAcknowledged, Triggered, "", ""},
	{"resolving stops the paging", "triggered", "resolve", ReasonResolved, Resolved, "incident_resolved", "escalate=off"},
	{"a snooze is an acknowledgement with an end", "triggered", "snooze", ReasonSnoozed, Acknowledged, "incident_snoozed", "escalate=off unsnooze=40"},
	{"another policy starts at its first step", "triggered", "reroute", ReasonRerouted, Triggered, "incident_rerouted step_started", "escalate=off escalate=6"},
	{"a person is paged at once and again", "triggered", "reroute to person", ReasonRerouted, Triggered, "incident_rerouted step_started", "escalate=off escalate=6"},
	{"a responder changes nothing of the policy", "triggered", "add responder", ReasonResponderAdded, Triggered, "responder_added", ""},
	{"a note changes nothing", "triggered", "note", ReasonNoted, Triggered, "note_added", ""},
	{"the next step is due", "triggered", "step due", ReasonEscalated, Triggered, "step_started", "escalate=15"},
	{"a timer of an earlier life is ignored", "triggered", "step early", ReasonNotDue, Triggered, "", ""},
	{"it is not snoozed", "triggered", "snooze due", ReasonNotSnoozed, Triggered, "", ""},
	{"it is not snoozed", "triggered", "snooze early", ReasonNotSnoozed, Triggered, "", ""},
	{"nothing of the step can arrive: on at once", "triggered", "given up", ReasonEscalated, Triggered, "step_started", "escalate=11"},
	{"another page of the step may arrive: wait", "triggered", "others left", ReasonPagesLeft, Triggered, "", ""},
	{"a new round keeps its pause", "last step", "given up", ReasonWaitsForRound, Triggered, "", ""},
	{"no acknowledgement expires", "triggered", "ack due", ReasonNotDue, Triggered, "", ""},
	{"no acknowledgement expires", "triggered", "ack early", ReasonNotDue, Triggered, "", ""},
	{"anybody may acknowledge", "triggered", "ack by Lee", ReasonAcknowledged, Acknowledged, "incident_acknowledged", "escalate=off"},

	{"somebody looks at it already", "acknowledged", "critical", ReasonRolledUp, Acknowledged, "", ""},
	{"a window is about opening only", "acknowledged", "muted", ReasonRolledUp, Acknowledged, "", ""},
	{"news do not page who looks already", "acknowledged", "new words", ReasonUpdated, Acknowledged, "incident_updated", ""},
	{"it got milder: told", "acknowledged", "warning", ReasonUpdated, Acknowledged, "incident_updated", ""},
	{"an acknowledged warning became critical: page again", "acknowledged warning", "critical", ReasonRetriggered, Triggered, "incident_retriggered step_started", "escalate=6"},
	{"an acknowledged warning is still one: quiet", "acknowledged warning", "warning", ReasonRolledUp, Acknowledged, "", ""},
	{"INFO is told and changes nothing", "acknowledged", "info", ReasonInfo, Acknowledged, "alert_received", ""},
	{"whoever was first has it; the alert is told", "acknowledged", "acknowledgement", ReasonAlreadyAcknowledged, Acknowledged, "alert_received", ""},
	{"RECOVERY ends it", "acknowledged", "recovery", ReasonResolved, Resolved, "incident_resolved", ""},
	{"whoever was first has it", "acknowledged", "acknowledge", ReasonAlreadyAcknowledged, Acknowledged, "", ""},
	{"given back: the policy starts again", "acknowledged", "un-acknowledge", ReasonUnacknowledged, Triggered, "incident_unacknowledged step_started", "escalate=6"},
	{"resolved by anybody", "acknowledged", "resolve", ReasonResolved, Resolved, "incident_resolved", ""},
	{"a snooze takes over", "acknowledged", "snooze", ReasonSnoozed, Acknowledged, "incident_snoozed", "unsnooze=40"},
	{"another policy makes it need somebody again", "acknowledged", "reroute", ReasonRerouted, Triggered, "incident_rerouted step_started", "escalate=6"},
	{"so does another person", "acknowledged", "reroute to person", ReasonRerouted, Triggered, "incident_rerouted step_started", "escalate=6"},
	{"help can be asked for", "acknowledged", "add responder", ReasonResponderAdded, Acknowledged, "responder_added", ""},
	{"a note changes nothing", "acknowledged", "note", ReasonNoted, Acknowledged, "note_added", ""},
	{"nothing escalates", "acknowledged", "step due", ReasonNotDue, Acknowledged, "", ""},
	{"nothing escalates", "acknowledged", "step early", ReasonNotDue, Acknowledged, "", ""},
	{"it is not snoozed", "acknowledged", "snooze due", ReasonNotSnoozed, Acknowledged, "", ""},
	{"it is not snoozed", "acknowledged", "snooze early", ReasonNotSnoozed, Acknowledged, "", ""},
	{"a late failure matters no more", "acknowledged", "given up", ReasonNotDue, Acknowledged, "", ""},
	{"a late failure matters no more", "acknowledged", "others left", ReasonNotDue, Acknowledged, "", ""},
	{"no acknowledgement expires", "acknowledged", "ack due", ReasonNotDue, Acknowledged, "", ""},
	{"no acknowledgement expires", "acknowledged", "ack early", ReasonNotDue, Acknowledged, "", ""},
	{"Lee has it already", "acknowledged", "ack by Lee", ReasonAlreadyAcknowledged, Acknowledged, "", ""},

	{"asleep is quiet", "snoozed", "critical", ReasonRolledUp, Acknowledged, "", ""},
	{"a window is about opening only", "snoozed", "muted", ReasonRolledUp, Acknowledged, "", ""},
	{"news do not wake", "snoozed", "new words", ReasonUpdated, Acknowledged, "incident_updated", ""},
	{"it got milder: told", "snoozed", "warning", ReasonUpdated, Acknowledged, "incident_updated", ""},
	{"INFO is told and changes nothing", "snoozed", "info", ReasonInfo, Acknowledged, "alert_received", ""},
	{"whoever snoozed has it", "snoozed", "acknowledgement", ReasonAlreadyAcknowledged, Acknowledged, "alert_received", ""},
	{"RECOVERY ends it and the snooze", "snoozed", "recovery", ReasonResolved, Resolved, "incident_resolved", "unsnooze=off"},
	{"whoever snoozed has it", "snoozed", "acknowledge", ReasonAlreadyAcknowledged, Acknowledged, "", ""},
	{"given back: the snooze ends", "snoozed", "un-acknowledge", ReasonUnacknowledged, Triggered, "incident_unacknowledged step_started", "unsnooze=off escalate=6"},
	{"resolved: the snooze ends", "snoozed", "resolve", ReasonResolved, Resolved, "incident_resolved", "unsnooze=off"},
	{"a snooze can be changed", "snoozed", "snooze", ReasonSnoozed, Acknowledged, "incident_snoozed", "unsnooze=40"},
	{"rerouted: the snooze ends", "snoozed", "reroute", ReasonRerouted, Triggered, "incident_rerouted step_started", "unsnooze=off escalate=6"},
	{"rerouted: the snooze ends", "snoozed", "reroute to person", ReasonRerouted, Triggered, "incident_rerouted step_started", "unsnooze=off escalate=6"},
	{"help can be asked for", "snoozed", "add responder", ReasonResponderAdded, Acknowledged, "responder_added", ""},
	{"a note changes nothing", "snoozed", "note", ReasonNoted, Acknowledged, "note_added", ""},
	{"nothing escalates", "snoozed", "step due", ReasonNotDue, Acknowledged, "", ""},
	{"nothing escalates", "snoozed", "step early", ReasonNotDue, Acknowledged, "", ""},
	{"the snooze is over: the policy starts again", "snoozed", "snooze due", ReasonSnoozeOver, Triggered, "snooze_ended step_started", "unsnooze=off escalate=35"},
	{"a timer of an earlier snooze is ignored", "snoozed", "snooze early", ReasonNotDue, Acknowledged, "", ""},
	{"a late failure matters no more", "snoozed", "given up", ReasonNotDue, Acknowledged, "", ""},
	{"a late failure matters no more", "snoozed", "others left", ReasonNotDue, Acknowledged, "", ""},
	{"no acknowledgement expires", "snoozed", "ack due", ReasonNotDue, Acknowledged, "", ""},
	{"no acknowledgement expires", "snoozed", "ack early", ReasonNotDue, Acknowledged, "", ""},
	{"Lee has it already", "snoozed", "ack by Lee", ReasonAlreadyAcknowledged, Acknowledged, "", ""},

	{"over is over: a new alert needs a new incident", "resolved", "critical", ReasonNothingOpen, Resolved, "alert_received", ""},
	{"a window is about opening only", "resolved", "muted", ReasonNothingOpen, Resolved, "alert_received", ""},
	{"over is over", "resolved", "new words", ReasonNothingOpen, Resolved, "alert_received", ""},
	{"over is over", "resolved", "warning", ReasonNothingOpen, Resolved, "alert_received", ""},
	{"the setting comes first", "resolved", "warning, off", ReasonWarningOff, Resolved, "alert_received", ""},
	{"INFO is told", "resolved", "info", ReasonInfo, Resolved, "alert_received", ""},
	{"nothing is open", "resolved", "acknowledgement", ReasonNothingOpen, Resolved, "alert_received", ""},
	{"nothing is open", "resolved", "recovery", ReasonNothingOpen, Resolved, "alert_received", ""},
	{"too late", "resolved", "acknowledge", ReasonAlreadyResolved, Resolved, "", ""},
	{"too late", "resolved", "un-acknowledge", ReasonAlreadyResolved, Resolved, "", ""},
	{"whoever was first resolved it", "resolved", "resolve", ReasonAlreadyResolved, Resolved, "", ""},
	{"too late", "resolved", "snooze", ReasonAlreadyResolved, Resolved, "", ""},
	{"too late", "resolved", "reroute", ReasonAlreadyResolved, Resolved, "", ""},
	{"too late", "resolved", "reroute to person", ReasonAlreadyResolved, Resolved, "", ""},
	{"nobody is paged for what is over", "resolved", "add responder", ReasonAlreadyResolved, Resolved, "", ""},
	{"the review may add notes", "resolved", "note", ReasonNoted, Resolved, "note_added", ""},
	{"nothing escalates", "resolved", "step due", ReasonNotDue, Resolved, "", ""},
	{"nothing escalates", "resolved", "step early", ReasonNotDue, Resolved, "", ""},
	{"it is not snoozed", "resolved", "snooze due", ReasonNotSnoozed, Resolved, "", ""},
	{"it is not snoozed", "resolved", "snooze early", ReasonNotSnoozed, Resolved, "", ""},
	{"a late failure matters no more", "resolved", "given up", ReasonNotDue, Resolved, "", ""},
	{"a late failure matters no more", "resolved", "others left", ReasonNotDue, Resolved, "", ""},
	{"no acknowledgement expires", "resolved", "ack due", ReasonNotDue, Resolved, "", ""},
	{"no acknowledgement expires", "resolved", "ack early", ReasonNotDue, Resolved, "", ""},
	{"too late", "resolved", "ack by Lee", ReasonAlreadyResolved, Resolved, "", ""},

	{"all must acknowledge: the others are asked on", "half acknowledged", "step due", ReasonEscalated, Triggered, "step_skipped", "escalate=15"},
	{"who did need not again", "half acknowledged", "ack by Lee", ReasonAskedAlready, Triggered, "", ""},
	{"the last one ends the paging", "half acknowledged", "acknowledge", ReasonAcknowledged, Acknowledged, "incident_acknowledged", "escalate=off"},
	{"the sender names nobody and counts for all", "half acknowledged", "acknowledgement", ReasonAcknowledged, Acknowledged, "incident_acknowledged", "escalate=off"},
	{"so does a snooze", "half acknowledged", "snooze", ReasonSnoozed, Acknowledged, "incident_snoozed", "escalate=off unsnooze=40"},
	{"resolving needs nobody else", "half acknowledged", "resolve", ReasonResolved, Resolved, "incident_resolved", "escalate=off"},
	{"one of several did: it is for the others", "two asked", "acknowledge", ReasonAcknowledgedInPart, Triggered, "responder_acknowledged", ""},

	{"it expires and pages again", "acknowledged for a while", "ack due", ReasonAckExpired, Triggered, "ack_expired step_started", "ack=off escalate=65"},
	{"not before its time", "acknowledged for a while", "ack early", ReasonNotDue, Acknowledged, "", ""},
	{"who has it may say so again", "acknowledged for a while", "ack by Lee", ReasonAckRestarted, Acknowledged, "incident_acknowledged", "ack=61"},
	{"nobody else can", "acknowledged for a while", "acknowledge", ReasonAlreadyAcknowledged, Acknowledged, "", ""},
	{"given back: nothing to expire", "acknowledged for a while", "un-acknowledge", ReasonUnacknowledged, Triggered, "incident_unacknowledged step_started", "ack=off escalate=6"},
	{"resolved: nothing to expire", "acknowledged for a while", "resolve", ReasonResolved, Resolved, "incident_resolved", "ack=off"},
	{"a snooze has its own end", "acknowledged for a while", "snooze", ReasonSnoozed, Acknowledged, "incident_snoozed", "ack=off unsnooze=40"},
	{"rerouted: nothing to expire", "acknowledged for a while", "reroute", ReasonRerouted, Triggered, "incident_rerouted step_started", "ack=off escalate=6"},

	{"it got worse: it waits no more", "waiting for the morning", "critical", ReasonWorse, Triggered, "incident_updated step_started", "escalate=6"},
	{"it is still a warning: it waits on", "waiting for the morning", "warning", ReasonRolledUp, Triggered, "", ""},
	{"a failed page pushes nothing that waits", "waiting for the morning", "given up", ReasonNotDue, Triggered, "", ""},
	{"somebody is up: no need to wait", "waiting for the morning", "acknowledge", ReasonAcknowledged, Acknowledged, "incident_acknowledged", "escalate=off"},
	{"rerouted to a policy that does not wait", "waiting for the morning", "reroute", ReasonRerouted, Triggered, "incident_rerouted step_started", "escalate=off escalate=6"},
}

func TestDecide(t *testing.T) {
	all := inputs()
	for _, tt := range cases {
		t.Run(tt.state+"/"+tt.input, func(t *testing.T) {
			was := state(t, tt.state)
			in := all[tt.input]
			f := factsIn(tt.state)
			if in.facts != nil {
				in.facts(&f)
			}
			now := start.Add(in.after)
			d := Decide(was, in.input, f, now)
			if d.Reason != tt.reason || d.Incident.State != tt.want {
				t.Errorf("%s: Decide() = %s, %q, want %s, %q", tt.intent, d.Reason, d.Incident.State, tt.reason, tt.want)
			}
			if got := kinds(d.Entries); got != tt.kinds {
				t.Errorf("%s: entries = %q, want %q", tt.intent, got, tt.kinds)
			}
			if got := timers(d.Timers); got != tt.timers {
				t.Errorf("%s: timers = %q, want %q", tt.intent, got, tt.timers)
			}
			if differs := !cmp.Equal(was, d.Incident); differs != d.Changed {
				t.Errorf("%s: Changed = %t, but the incident differs = %t: %s", tt.intent, d.Changed, differs, cmp.Diff(was, d.Incident))
			}
			for _, e := range d.Entries {
				if !e.At.Equal(now) || e.Kind != e.Payload.Kind() || e.Actor.Origin == "" {
					t.Errorf("%s: entry %+v has a wrong time, kind or actor", tt.intent, e)
				}
			}
		})
	}
}

func kinds(entries []timeline.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, string(e.Kind))
	}
	return strings.Join(all, " ")
}

func timers(list []Timer) string {
	var all []string
	for _, x := range list {
		due := "off"
		if !x.DueAt.IsZero() {
			due = fmt.Sprint(x.DueAt.Sub(start).Minutes())
		}
		all = append(all, string(x.Kind)+"="+due)
	}
	return strings.Join(all, " ")
}

func TestEveryStateMeetsEveryInput(t *testing.T) {
	told := map[string]bool{}
	for _, tt := range cases {
		told[tt.state+"/"+tt.input] = true
	}
	for _, s := range []string{"none", "triggered", "acknowledged", "snoozed", "resolved"} {
		for in := range inputs() {
			if in != "warning, off" && !told[s+"/"+in] {
				t.Errorf("no case for %s in state %s", in, s)
			}
		}
	}
}

func TestEveryReasonIsGiven(t *testing.T) {
	given := map[Reason]bool{}
	for _, tt := range cases {
		given[tt.reason] = true
	}
	file, err := parser.ParseFile(token.NewFileSet(), "incident.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != "Reason" {
			return true
		}
		found++
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if !given[Reason(text)] {
			t.Errorf("no case has the reason %s", spec.Names[0].Name)
		}
		return true
	})
	if found < 20 {
		t.Errorf("found %d reasons in incident.go; has the list moved?", found)
	}
}

// What an incident says after each kind of change, beside its state.
func TestDecideKeeps(t *testing.T) {
	now := start.Add(time.Minute)
	apply := func(s string, in Input) Incident { return Decide(state(t, s), in, facts(), now).Incident }
	byKim := timeline.Actor{User: "kim", Name: "Kim", Origin: timeline.Mail}
	tests := []struct {
		intent    string
		got, want any
	}{
		{"it remembers where it came from", state(t, "triggered"), Incident{
			ID: number, State: Triggered, EntityID: "disk/db01", RoutingKey: "database", Title: "Disk of db01", Message: "93% full",
			Severity: alert.Critical, Tool: "nagios", AlertCount: 1, LastAlert: 9, LastAlertAt: start, TriggeredAt: start,
			Team: "dba", Policy: "p1", PolicyVersion: 7, Started: true, Next: escalation.Position{Step: 1}, NextAt: start.Add(5 * time.Minute),
			Paged: []id.User{"kim"},
		}},
		{"repeated alerts are counted", apply("acknowledged", arrives(alert.Critical, "93% full")).AlertCount, 2},
		{"and the last one is remembered", apply("triggered", arrives(alert.Critical, "93% full")).LastAlertAt, now},
		{"a retriggered incident belongs to nobody", apply("acknowledged warning", arrives(alert.Critical, "93% full")).AckedBy, timeline.Actor{}},
		{"a given back incident belongs to nobody", apply("acknowledged", Unacknowledge{By: byKim}).AckedAt, time.Time{}},
		{"a snooze takes the incident over", apply("acknowledged", Snooze{By: byKim, Until: now.Add(time.Hour)}).AckedBy, byKim},
		{"a resolved incident is not asleep", apply("snoozed", Resolve{By: byKim}).SnoozedUntil, time.Time{}},
		{"who had it stays known after the end", apply("acknowledged", Resolve{By: byKim}).AckedBy, byLee},
		{"the sender's author acknowledged", apply("triggered", Arrived{Alert: alert.Alert{
			Type: alert.Acknowledgement, Tool: "nagios", AckAuthor: "ops desk"}}).AckedBy, timeline.Actor{Name: "ops desk", Origin: timeline.Monitoring}},
		{"without a name it was the tool", apply("triggered", arrives(alert.Recovery, "")).ResolvedBy, timeline.Actor{Name: "nagios", Origin: timeline.Monitoring}},
		{"another policy's team takes over", apply("triggered", Reroute{By: byKim, Policy: escalation.Policy{ID: "p2", Team: "net"}}).Team, id.Team("net")},
		{"a policy without a team leaves it", apply("triggered", Reroute{By: byKim, Policy: escalation.Policy{ID: "p2"}}).Team, id.Team("dba")},
		{"handed to a person: no policy", apply("triggered", Reroute{By: byKim, Policy: escalation.Direct("lee", "Lee"), Direct: "lee"}).Policy, id.Policy("")},
		{"a responder is asked once", apply("triggered", AddResponder{By: byKim, Users: []Person{kim, lee, lee}}).Paged, []id.User{"kim", "lee"}},
		{"a long message is cut", len(apply("triggered", arrives(alert.Critical, strings.Repeat("x", 900))).Message), 500},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.intent, diff)
		}
	}
}

// A decision never writes into what it was given: another node may hold the same value.
func TestDecideLeavesItsArgument(t *testing.T) {
	was := state(t, "triggered")
	was.Paged = append(make([]id.User, 0, 8), was.Paged...)
	was.Responders = make([]id.User, 0, 8)
	Decide(was, AddResponder{By: byLee, Users: []Person{lee, ann}}, facts(), start)
	if got := was.Paged[:2]; got[1] != "" {
		t.Errorf("the list of the old incident was written over: %v", got)
	}
}
