package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// policyDraft is an escalation policy as it is being typed.
type policyDraft struct {
	ID, Name, Slug, Team, Repeat, RepeatAfter string
	Steps                                     []stepDraft
}

type stepDraft struct {
	After   string
	Targets []escalation.Target
	Add     string // chosen in the list, not added yet
}

// maxTargets bounds what one step of a form can ask for.
const maxTargets = 50

func draftOfPolicy(p escalation.Policy) policyDraft {
	d := policyDraft{
		ID: string(p.ID), Name: p.Name, Slug: p.Slug, Team: string(p.Team),
		Repeat: strconv.Itoa(p.Repeat), RepeatAfter: p.RepeatAfter.String(),
	}
	for _, step := range p.Steps {
		d.Steps = append(d.Steps, stepDraft{After: delay(step.After), Targets: slices.Clone(step.Targets)})
	}
	return d
}

// delay writes "at once" in minutes, as the other delays are mostly written.
func delay(d escalation.Duration) string {
	if d == 0 {
		return "0m"
	}
	return d.String()
}

func readPolicy(r *http.Request) policyDraft {
	d := policyDraft{
		Name: text(r, "name"), Slug: text(r, "slug"), Team: text(r, "team"), Repeat: text(r, "repeat"), RepeatAfter: text(r, "repeat_after"),
	}
	n, _ := number(text(r, "steps"))
	for i := range min(n, escalation.MaxSteps) {
		at := strconv.Itoa(i) + "."
		step := stepDraft{After: text(r, at+"after"), Add: text(r, at+"add")}
		for _, value := range r.PostForm[at+"target"] {
			if t, ok := targetOf(value); ok && len(step.Targets) < maxTargets {
				step.Targets = append(step.Targets, t)
			}
		}
		d.Steps = append(d.Steps, step)
	}
	return d
}

// targetOf reads "rotation:…", "user:…" or "team:…".
func targetOf(value string) (escalation.Target, bool) {
	kind, object, ok := strings.Cut(value, ":")
	if !ok || object == "" {
		return escalation.Target{}, false
	}
	switch kind {
	case "rotation":
		return escalation.Target{Rotation: id.Rotation(object)}, true
	case "user":
		return escalation.Target{User: id.User(object)}, true
	case "team":
		return escalation.Target{Team: id.Team(object)}, true
	}
	return escalation.Target{}, false
}

// targetForm is a target as the page draws it.
func targetForm(o *org.Org, t escalation.Target) view.TargetForm {
	switch {
	case t.Rotation != "":
		return view.TargetForm{Value: "rotation:" + string(t.Rotation), Label: o.Rotations[t.Rotation].Name, Kind: "rotation"}
	case t.Team != "":
		return view.TargetForm{Value: "team:" + string(t.Team), Label: o.Teams[t.Team].Name, Kind: "team"}
	}
	return view.TargetForm{Value: "user:" + string(t.User), Label: o.UserName(t.User), Kind: "user"}
}

func pagesRotation(r id.Rotation) func(escalation.Target) bool {
	return func(t escalation.Target) bool { return t.Rotation != "" && t.Rotation == r }
}

// reshape does what a button of the editor asks for.
func (d *policyDraft) reshape(do string) {
	what, at := command(do)
	if what == "add-step" {
		if len(d.Steps) < escalation.MaxSteps {
			d.Steps = append(d.Steps, stepDraft{After: escalation.DefaultRepeatAfter.String()})
		}
		return
	}
	if len(at) == 0 || at[0] >= len(d.Steps) {
		return
	}
	step := &d.Steps[at[0]]
	switch {
	case what == "add":
		step.take()
	case what == "drop-target" && len(at) == 2 && at[1] < len(step.Targets):
		step.Targets = slices.Delete(step.Targets, at[1], at[1]+1)
	case what == "drop" && len(d.Steps) == 1:
		// a policy without a step pages nobody
	case len(at) == 1:
		d.Steps = rearranged(d.Steps, what, at[0])
	}
}

// take makes the chosen target one of the step's, unless it is one already.
func (s *stepDraft) take() {
	t, ok := targetOf(s.Add)
	if ok && len(s.Targets) < maxTargets && !slices.Contains(s.Targets, t) {
		s.Targets = append(s.Targets, t)
	}
	s.Add = ""
}

// policy is what the draft says, or what is wrong with it, by field.
func (d policyDraft) policy() (escalation.Policy, fields) {
	errs := fields{}
	p := escalation.Policy{ID: id.Policy(d.ID), Slug: d.Slug, Name: d.Name, Team: id.Team(d.Team)}
	errs.name("name", d.Name)
	errs.slug("slug", d.Slug, d.Name)
	var ok bool
	if p.Repeat, ok = number(d.Repeat); !ok || p.Repeat < 0 || p.Repeat > escalation.MaxRepeat {
		errs["repeat"] = phrase.T("settings.error.range", 0, escalation.MaxRepeat)
	}
	p.RepeatAfter = errs.delay("repeat_after", d.RepeatAfter, escalation.MinRepeatAfter)
	for i, step := range d.Steps {
		at := strconv.Itoa(i) + "."
		step.Targets = slices.Clone(step.Targets)
		step.take() // chosen, and then saved without pressing "add"
		if len(step.Targets) == 0 {
			errs[at+"target"] = phrase.T("settings.error.target")
		}
		p.Steps = append(p.Steps, escalation.Step{After: errs.delay(at+"after", step.After, 0), Targets: step.Targets})
	}
	if len(d.Steps) == 0 {
		errs["name"] = phrase.T("settings.error.step")
	}
	return p, errs
}

// delay reads "5m", "90s", "1h30m", or a bare number of minutes.
func (f fields) delay(name, value string, least time.Duration) escalation.Duration {
	if n, ok := number(value); ok {
		value = strconv.Itoa(n) + "m"
	}
	d, err := time.ParseDuration(value)
	switch {
	case err != nil || d%time.Second != 0:
		f[name] = phrase.T("settings.error.delay")
	case d < least || d > escalation.MaxAfter:
		f[name] = phrase.T("settings.error.delay.range", delay(escalation.Duration(least)), escalation.Duration(escalation.MaxAfter).String())
	}
	return escalation.Duration(d)
}

// form is the draft as the page draws it.
func (d policyDraft) form(o *org.Org) view.PolicyForm {
	f := view.PolicyForm{
		ID: d.ID, Name: d.Name, Slug: d.Slug, Team: teamName(o, d.Team), Teams: teamOptions(o, d.Team), Repeat: d.Repeat, RepeatAfter: d.RepeatAfter,
		Keys: keysTo(o, id.Policy(d.ID)), Default: d.ID != "" && o.Settings.DefaultPolicy == id.Policy(d.ID),
	}
	for i, step := range d.Steps {
		form := view.StepForm{Index: i, After: step.After, Choices: targetChoices(o, step)}
		for _, t := range step.Targets {
			form.Targets = append(form.Targets, targetForm(o, t))
		}
		f.Steps = append(f.Steps, form)
	}
	return f
}

// targetChoices offers everybody and everything that is not in the step yet.
func targetChoices(o *org.Org, step stepDraft) []view.Option {
	var options []view.Option
	offer := func(t escalation.Target, group string) {
		if slices.Contains(step.Targets, t) {
			return
		}
		form := targetForm(o, t)
		options = append(options, view.Option{Value: form.Value, Label: form.Label, Group: phrase.T(group), Selected: form.Value == step.Add})
	}
	for _, r := range sortedRotations(o) {
		offer(escalation.Target{Rotation: r.ID}, "settings.nav.rotations")
	}
	for _, u := range org.Sorted(o.Users, byName) {
		if !u.Disabled {
			offer(escalation.Target{User: u.ID}, "settings.nav.people")
		}
	}
	for _, t := range sortedTeams(o) {
		offer(escalation.Target{Team: t.ID}, "settings.nav.teams")
	}
	return options
}
