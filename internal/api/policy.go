package api

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// PolicyView is an escalation policy.
type PolicyView struct {
	ID                   id.Policy    `json:"id"`
	Slug                 string       `json:"slug"`
	Name                 string       `json:"name"`
	Team                 id.Team      `json:"team,omitempty"`
	Steps                []StepView   `json:"steps" nullable:"false"`
	Repeat               int          `json:"repeat" doc:"Further rounds after the first."`
	RepeatAfter          string       `json:"repeat_after" doc:"The pause before each of them."`
	AckBy                string       `json:"ack_by" enum:"one,all" doc:"Whose acknowledgement stops the paging: that of whoever is first, or of everybody whom the running step paged."`
	LastResort           []TargetView `json:"last_resort,omitempty" nullable:"false" doc:"Paged once, a pause after the last round."`
	RepageAfter          string       `json:"repage_after,omitempty" doc:"Acknowledged for so long and not resolved, it pages again; absent for never."`
	IgnorePagingPolicies bool         `json:"ignore_paging_policies,omitempty" doc:"Pages at once by every contact method, whatever people chose."`
	Urgency              string       `json:"urgency,omitempty" enum:"high,low" doc:"Absent: it follows the severity, critical high, warning low."`
	LowWaits             bool         `json:"low_waits,omitempty" doc:"Of low urgency, every step waits for hours."`
	Hours                *Hours       `json:"hours,omitempty" doc:"The working hours that low urgency waits for."`
}

// StepView pages its targets together.
type StepView struct {
	After    string       `json:"after" doc:"Since the step before; the first: since the incident."`
	Targets  []TargetView `json:"targets" nullable:"false"`
	Notify   string       `json:"notify" enum:"all,round_robin" doc:"All of them, or one, who changes from incident to incident."`
	When     *When        `json:"when,omitempty" doc:"Else the step is skipped at once."`
	LowWaits bool         `json:"low_waits,omitempty" doc:"Of low urgency, this step waits for the hours of the policy."`
}

// TargetView is exactly one of the things it names.
type TargetView struct {
	Rotation id.Rotation `json:"rotation,omitempty"`
	Pick     string      `json:"pick,omitempty" enum:"next,previous" doc:"Of the rotation: who follows or precedes whoever is on call; absent: who is on call."`
	User     id.User     `json:"user,omitempty"`
	Team     id.Team     `json:"team,omitempty" doc:"Every member."`
	Policy   id.Policy   `json:"policy,omitempty" doc:"Those of its first step; as the only target of the last thing of a policy: the incident moves into it."`
	Webhook  string      `json:"webhook,omitempty" doc:"An outgoing webhook, which is told."`
	Email    string      `json:"email,omitempty" doc:"An address, which is told."`
	Room     string      `json:"room,omitempty" doc:"A chat room, which is told."`
}

// PolicyBody is all that is said about an escalation policy.
type PolicyBody struct {
	Slug                 string       `json:"slug" pattern:"^[a-z0-9]+(-[a-z0-9]+)*$" patternDescription:"lower-case letters, digits and single dashes" maxLength:"80" example:"web" doc:"Unique."`
	Name                 string       `json:"name" minLength:"1" maxLength:"200" example:"Web"`
	Team                 string       `json:"team,omitempty" maxLength:"100" doc:"The team it belongs to, and with it its incidents: id or slug."`
	Steps                []StepBody   `json:"steps" maxItems:"20" nullable:"false"`
	Repeat               int          `json:"repeat,omitempty" minimum:"0" maximum:"50" doc:"Further rounds after the first."`
	RepeatAfter          string       `json:"repeat_after,omitempty" example:"5m" default:"5m" doc:"The pause before each of them: a duration from 1m to 24h."`
	AckBy                string       `json:"ack_by,omitempty" enum:"one,all" default:"one" doc:"Whose acknowledgement stops the paging: that of whoever is first, or of everybody whom the running step paged."`
	LastResort           []TargetBody `json:"last_resort,omitempty" maxItems:"200" doc:"Paged once, a pause after the last round."`
	RepageAfter          string       `json:"repage_after,omitempty" doc:"Acknowledged for so long and not resolved, it pages again: a duration from 1m to 168h; absent for never."`
	IgnorePagingPolicies bool         `json:"ignore_paging_policies,omitempty" doc:"Page at once by every contact method, whatever people chose."`
	Urgency              string       `json:"urgency,omitempty" enum:"high,low" doc:"Absent: it follows the severity, critical high, warning low."`
	LowWaits             bool         `json:"low_waits,omitempty" doc:"Of low urgency, every step waits for hours."`
	Hours                *Hours       `json:"hours,omitempty" doc:"The working hours that low urgency waits for."`
}

// StepBody pages its targets together.
type StepBody struct {
	After    string       `json:"after,omitempty" example:"10m" default:"0s" doc:"Since the step before; the first: since the incident. A duration up to 24h."`
	Targets  []TargetBody `json:"targets" maxItems:"200" nullable:"false"`
	Notify   string       `json:"notify,omitempty" enum:"all,round_robin" default:"all" doc:"All of them, or one, who changes from incident to incident."`
	When     *When        `json:"when,omitempty" doc:"Else the step is skipped at once."`
	LowWaits bool         `json:"low_waits,omitempty" doc:"Of low urgency, this step waits for the hours of the policy."`
}

// TargetBody is exactly one of the things it names; pick goes with a rotation.
type TargetBody struct {
	Rotation string `json:"rotation,omitempty" maxLength:"254" example:"primary" doc:"Whoever is on call in it: id or slug."`
	Pick     string `json:"pick,omitempty" enum:"next,previous" doc:"Of the rotation: who follows or precedes whoever is on call."`
	User     string `json:"user,omitempty" maxLength:"254" doc:"A person: id, username or e-mail address."`
	Team     string `json:"team,omitempty" maxLength:"254" doc:"Every member: id or slug."`
	Policy   string `json:"policy,omitempty" maxLength:"254" doc:"Those of its first step: id or slug. As the only target of the last thing of a policy: the incident moves into it."`
	Webhook  string `json:"webhook,omitempty" maxLength:"200" doc:"An outgoing webhook, by the name of its provider, which is told."`
	Email    string `json:"email,omitempty" maxLength:"254" doc:"An address, which is told."`
	Room     string `json:"room,omitempty" maxLength:"200" doc:"A chat room, which is told."`
}

// Hours are times of the week by the clocks of a zone.
type Hours struct {
	Zone    string   `json:"zone" maxLength:"100" example:"Europe/Berlin" doc:"IANA name of the time zone."`
	Windows []Window `json:"windows" maxItems:"50" nullable:"false" doc:"Any of them."`
}

// Window is a time of the week, by what a clock on the wall shows.
type Window struct {
	Days []string `json:"days,omitempty" enum:"mon,tue,wed,thu,fri,sat,sun" maxItems:"7" doc:"Absent for every day."`
	From string   `json:"from,omitempty" maxLength:"5" example:"09:00" doc:"With to absent as well: the whole day."`
	To   string   `json:"to,omitempty" maxLength:"5" example:"17:00" doc:"Exclusive; one before from is on the next day."`
}

// When is the condition of a step.
type When struct {
	Severities []string `json:"severities,omitempty" enum:"critical,warning" maxItems:"2" doc:"Only of these."`
	Hours      *Hours   `json:"hours,omitempty" doc:"Only then."`
}

func (a *api) registerPolicies() {
	r := resource[escalation.Policy, PolicyView, PolicyBody]{
		kind: org.PolicyKind, name: "policy", path: prefix + "/policies",
		all:  func(o *org.Org) []escalation.Policy { return values(o.Policies) },
		find: findPolicy, id: func(p escalation.Policy) string { return string(p.ID) },
		label: func(p escalation.Policy) string { return p.Name },
		view: func(_ context.Context, _ people.Actor, _ *org.Org, p escalation.Policy) (PolicyView, error) {
			return policyView(p), nil
		},
		build: buildPolicy,
	}
	r.register(a)
	handle(a, "create-policy", r.create(a))
}

func policyView(p escalation.Policy) PolicyView {
	v := PolicyView{
		ID: p.ID, Slug: p.Slug, Name: p.Name, Team: p.Team, Steps: []StepView{}, Repeat: p.Repeat, RepeatAfter: p.RepeatAfter.String(),
		AckBy: cmp.Or(string(p.AckBy), string(escalation.AckByOne)), LastResort: targetViews(p.LastResort),
		IgnorePagingPolicies: p.IgnorePagingPolicies, Urgency: string(p.Urgency), LowWaits: p.LowWaits, Hours: hoursView(p.Hours),
	}
	if p.RepageAfter != 0 {
		v.RepageAfter = p.RepageAfter.String()
	}
	for _, s := range p.Steps {
		step := StepView{
			After: s.After.String(), Targets: targetViews(s.Targets), Notify: cmp.Or(string(s.Notify), string(escalation.NotifyAll)), LowWaits: s.LowWaits,
		}
		if len(s.When.Severities) > 0 || !s.When.Hours.Always() {
			step.When = &When{Severities: refs(s.When.Severities), Hours: hoursView(s.When.Hours)}
		}
		v.Steps = append(v.Steps, step)
	}
	return v
}

func targetViews(targets []escalation.Target) []TargetView {
	all := []TargetView{}
	for _, t := range targets {
		all = append(all, TargetView{
			Rotation: t.Rotation, Pick: string(t.Pick), User: t.User, Team: t.Team, Policy: t.Policy, Webhook: t.Webhook, Email: t.Email, Room: t.Room,
		})
	}
	return all
}

func hoursView(h escalation.Hours) *Hours {
	if h.Always() {
		return nil
	}
	v := &Hours{Zone: h.Zone, Windows: []Window{}}
	for _, w := range h.Windows {
		v.Windows = append(v.Windows, windowView(w))
	}
	return v
}

func windowView(w people.PagingWindow) Window {
	return Window{Days: refs(w.Days), From: w.From, To: w.To}
}

func buildPolicy(o *org.Org, was escalation.Policy, in PolicyBody) (escalation.Policy, error) {
	p := escalation.Policy{
		ID: newID(was.ID), Slug: in.Slug, Name: in.Name, Repeat: in.Repeat, IgnorePagingPolicies: in.IgnorePagingPolicies,
		Urgency: people.Urgency(in.Urgency), LowWaits: in.LowWaits,
	}
	if in.AckBy == string(escalation.AckByAll) { // the other is what nothing means
		p.AckBy = escalation.AckByAll
	}
	var err error
	if p.Team, err = teamRef(o, "team", in.Team); err != nil {
		return p, err
	}
	if p.RepeatAfter, err = duration("repeat_after", in.RepeatAfter, escalation.MinRepeatAfter, escalation.MaxAfter); err != nil {
		return p, err
	}
	if in.RepageAfter != "" {
		if p.RepageAfter, err = duration("repage_after", in.RepageAfter, escalation.MinRepageAfter, escalation.MaxRepageAfter); err != nil {
			return p, err
		}
	}
	if p.Hours, err = buildHours("hours", in.Hours); err != nil {
		return p, err
	}
	for i, s := range in.Steps {
		step, err := buildStep(o, fmt.Sprintf("steps[%d]", i), s)
		if err != nil {
			return p, err
		}
		p.Steps = append(p.Steps, step)
	}
	p.LastResort, err = buildTargets(o, "last_resort", in.LastResort)
	return p, err
}

func buildStep(o *org.Org, field string, in StepBody) (step escalation.Step, err error) {
	step.LowWaits = in.LowWaits
	if in.Notify == string(escalation.RoundRobin) {
		step.Notify = escalation.RoundRobin
	}
	if step.After, err = duration(field+".after", in.After, 0, escalation.MaxAfter); err != nil {
		return step, err
	}
	if in.When != nil {
		for _, s := range in.When.Severities {
			step.When.Severities = append(step.When.Severities, alert.Type(s))
		}
		if step.When.Hours, err = buildHours(field+".when.hours", in.When.Hours); err != nil {
			return step, err
		}
	}
	step.Targets, err = buildTargets(o, field+".targets", in.Targets)
	return step, err
}

func buildHours(field string, in *Hours) (escalation.Hours, error) {
	if in == nil {
		return escalation.Hours{}, nil
	}
	h := escalation.Hours{Zone: in.Zone}
	if err := checkZone(field+".zone", in.Zone); err != nil {
		return h, err
	}
	for _, w := range in.Windows {
		h.Windows = append(h.Windows, buildWindow(w))
	}
	if err := h.Validate(); err != nil {
		return h, fault.Invalid(field, err.Error())
	}
	return h, nil
}

func buildWindow(in Window) people.PagingWindow {
	w := people.PagingWindow{From: in.From, To: in.To}
	for _, d := range in.Days {
		w.Days = append(w.Days, people.Day(d))
	}
	return w
}

func buildTargets(o *org.Org, field string, in []TargetBody) ([]escalation.Target, error) {
	var all []escalation.Target
	for i, t := range in {
		target, err := buildTarget(o, fmt.Sprintf("%s[%d]", field, i), t)
		if err != nil {
			return nil, err
		}
		all = append(all, target)
	}
	return all, nil
}

func buildTarget(o *org.Org, field string, in TargetBody) (escalation.Target, error) {
	t := escalation.Target{Webhook: in.Webhook, Email: in.Email, Room: in.Room}
	named := 0
	for _, ref := range []string{in.Rotation, in.User, in.Team, in.Policy, in.Webhook, in.Email, in.Room} {
		if ref != "" {
			named++
		}
	}
	if named != 1 {
		return t, fault.Invalid(field, phrase.T("api.one_target"))
	}
	if in.Pick != "" && in.Rotation == "" {
		return t, fault.Invalid(field+".pick", phrase.T("api.pick"))
	}
	t.Pick = escalation.Pick(in.Pick)
	var err error
	switch {
	case in.Rotation != "":
		t.Rotation, err = rotationRef(o, field+".rotation", in.Rotation)
	case in.User != "":
		t.User, err = userRef(o, field+".user", in.User)
	case in.Team != "":
		t.Team, err = teamRef(o, field+".team", in.Team)
	case in.Policy != "":
		t.Policy, err = policyRef(o, field+".policy", in.Policy)
	case in.Webhook != "" && !o.KnowsWebhook(in.Webhook):
		err = fault.Invalid(field+".webhook", phrase.T("api.no_such.webhook", in.Webhook, o.WebhookHint()))
	}
	return t, err
}

// duration reads one of a policy's durations.
func duration(field, text string, least, most time.Duration) (escalation.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fault.Invalid(field, phrase.T("api.bad_duration", text))
	}
	if d < least || d > most {
		return 0, fault.Invalid(field, phrase.T("api.duration_range", escalation.Duration(least), escalation.Duration(most)))
	}
	return escalation.Duration(d), nil
}
