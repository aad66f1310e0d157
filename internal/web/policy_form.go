package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// targetOf reads a target as targetValue writes it: "rotation:…", "next:…",
// "previous:…", "user:…", "team:…", "policy:…", "webhook:…", "email:…", "room:…".
func targetOf(value string) (escalation.Target, bool) {
	kind, object, ok := strings.Cut(value, ":")
	if !ok || object == "" {
		return escalation.Target{}, false
	}
	switch kind {
	case "rotation":
		return escalation.Target{Rotation: id.Rotation(object)}, true
	case "next":
		return escalation.Target{Rotation: id.Rotation(object), Pick: escalation.PickNext}, true
	case "previous":
		return escalation.Target{Rotation: id.Rotation(object), Pick: escalation.PickPrevious}, true
	case "user":
		return escalation.Target{User: id.User(object)}, true
	case "team":
		return escalation.Target{Team: id.Team(object)}, true
	case "policy":
		return escalation.Target{Policy: id.Policy(object)}, true
	case "webhook":
		return escalation.Target{Webhook: object}, true
	case "email":
		return escalation.Target{Email: object}, true
	case "room":
		return escalation.Target{Room: object}, true
	}
	return escalation.Target{}, false
}

// targetForm is a target as the page draws it.
func targetForm(o *org.Org, t escalation.Target) view.TargetForm {
	as := func(kind, object, label string) view.TargetForm {
		return view.TargetForm{Value: kind + ":" + object, Label: label, Kind: kind}
	}
	switch {
	case t.Rotation != "":
		return as(cmp.Or(string(t.Pick), "rotation"), string(t.Rotation), o.Rotations[t.Rotation].Name)
	case t.Team != "":
		return as("team", string(t.Team), o.Teams[t.Team].Name)
	case t.Policy != "":
		return as("policy", string(t.Policy), o.Policies[t.Policy].Name)
	case t.Webhook != "":
		return as("webhook", t.Webhook, t.Webhook)
	case t.Email != "":
		return as("email", t.Email, t.Email)
	case t.Room != "":
		return as("room", t.Room, t.Room)
	}
	return as("user", string(t.User), o.UserName(t.User))
}

// form is the draft as the page draws it; zone is offered where none is chosen.
func (d policyDraft) form(o *org.Org, zone string) view.PolicyForm {
	f := view.PolicyForm{
		ID: d.ID, Name: d.Name, Slug: d.Slug, Team: teamName(o, d.Team), Teams: teamOptions(o, d.Team), Repeat: d.Repeat, RepeatAfter: d.RepeatAfter,
		Keys: keysTo(o, id.Policy(d.ID)), Default: d.ID != "" && o.Settings.DefaultPolicy == id.Policy(d.ID), Zones: zones(),
		RepageAfter: d.RepageAfter, LowWaits: d.LowWaits, Ignore: d.Ignore,
		AckBy:   chosen("settings.policy.ack_by.", cmp.Or(d.AckBy, string(escalation.AckByOne)), string(escalation.AckByOne), string(escalation.AckByAll)),
		Urgency: append([]view.Option{{Label: phrase.T("settings.policy.urgency.severity")}}, chosen("settings.policy.urgency.", d.Urgency, string(people.High), string(people.Low))...),
		Hours:   d.Hours.form("hours.", zone),
		Last:    d.Last.form(o, d.ID, "last.", zone),
	}
	f.Advanced = d.AckBy == string(escalation.AckByAll) || d.RepageAfter != "" || d.Urgency != "" || d.LowWaits || d.Ignore || len(d.Hours.Windows) > 0
	for i, step := range d.Steps {
		form := step.form(o, d.ID, strconv.Itoa(i)+".", zone)
		form.Index = i
		f.Steps = append(f.Steps, form)
	}
	return f
}

// chosen are options whose texts are in an area of the catalogue.
func chosen(area, is string, values ...string) []view.Option {
	options := make([]view.Option, len(values))
	for i, v := range values {
		options[i] = view.Option{Value: v, Label: phrase.T(area + v), Selected: v == is}
	}
	return options
}

func (s stepDraft) form(o *org.Org, policy, at, zone string) view.StepForm {
	form := view.StepForm{
		Prefix: at, After: s.After, Choices: targetChoices(o, policy, s), TellTo: s.TellTo, LowWaits: s.LowWaits,
		TellKinds: chosen("settings.policy.tell.", cmp.Or(s.TellKind, "email"), "email", "room"),
		Notify:    chosen("settings.policy.notify.", cmp.Or(s.Notify, string(escalation.NotifyAll)), string(escalation.NotifyAll), string(escalation.RoundRobin)),
		Hours:     s.Hours.form(at, zone),
	}
	for _, t := range s.Targets {
		form.Targets = append(form.Targets, targetForm(o, t))
	}
	for _, severity := range severities() {
		form.Severities = append(form.Severities, view.Option{
			Value: string(severity), Label: phrase.T("web.severity." + string(severity)),
			Selected: len(s.Severities) == 0 || slices.Contains(s.Severities, severity),
		})
	}
	form.Conditions = s.conditions()
	return form
}

// conditions says in words what is special about a step.
func (s stepDraft) conditions() []string {
	var all []string
	if s.Notify == string(escalation.RoundRobin) {
		all = append(all, phrase.T("settings.policy.cond.round_robin"))
	}
	if len(s.Severities) == 1 {
		all = append(all, phrase.T("settings.policy.cond.severity", phrase.T("web.severity."+string(s.Severities[0]))))
	}
	if len(s.Hours.Windows) > 0 {
		all = append(all, phrase.T("settings.policy.cond.hours", windowsWords(s.Hours.Windows)))
	}
	if s.LowWaits {
		all = append(all, phrase.T("settings.policy.cond.low_waits"))
	}
	return all
}

func (h hoursDraft) form(at, zone string) view.HoursForm {
	f := view.HoursForm{Prefix: at, Zone: cmp.Or(h.Zone, zone)}
	for i, w := range h.Windows {
		f.Windows = append(f.Windows, windowForm(i, at+"w"+strconv.Itoa(i)+".", w))
	}
	return f
}

// targetChoices offers everybody and everything that is not in the step yet.
func targetChoices(o *org.Org, policy string, step stepDraft) []view.Option {
	var options []view.Option
	offer := func(t escalation.Target, group, label string) {
		if slices.Contains(step.Targets, t) {
			return
		}
		form := targetForm(o, t)
		options = append(options, view.Option{Value: form.Value, Label: cmp.Or(label, form.Label), Group: phrase.T(group), Selected: form.Value == step.Add})
	}
	for _, r := range sortedRotations(o) {
		offer(escalation.Target{Rotation: r.ID}, "settings.policy.group.oncall", "")
	}
	for _, u := range org.Sorted(o.Users, byName) {
		if !u.Disabled && !u.Robot {
			offer(escalation.Target{User: u.ID}, "settings.nav.people", "")
		}
	}
	for _, t := range sortedTeams(o) {
		offer(escalation.Target{Team: t.ID}, "settings.nav.teams", "")
	}
	for _, r := range sortedRotations(o) {
		offer(escalation.Target{Rotation: r.ID, Pick: escalation.PickNext}, "settings.policy.group.neighbours", phrase.T("settings.policy.next", r.Name))
		offer(escalation.Target{Rotation: r.ID, Pick: escalation.PickPrevious}, "settings.policy.group.neighbours", phrase.T("settings.policy.previous", r.Name))
	}
	for _, p := range sortedPolicies(o) {
		if string(p.ID) != policy {
			offer(escalation.Target{Policy: p.ID}, "settings.nav.policies", "")
		}
	}
	for _, name := range o.Webhooks() {
		offer(escalation.Target{Webhook: name}, "settings.policy.group.webhooks", "")
	}
	return options
}
