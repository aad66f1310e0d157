package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// policyDraft is an escalation policy as it is being typed.
type policyDraft struct {
	ID, Name, Slug, Team, Repeat, RepeatAfter string
	Steps                                     []stepDraft
	Last                                      stepDraft // the last resort: its targets alone
	AckBy, RepageAfter, Urgency               string
	LowWaits, Ignore                          bool
	Hours                                     hoursDraft
}

type stepDraft struct {
	After    string
	Targets  []escalation.Target
	Add      string // chosen in the list, not added yet
	TellKind string // "email", "room", and what was typed beside it, not added yet
	TellTo   string

	Notify     string
	Severities []alert.Type
	LowWaits   bool
	Hours      hoursDraft
}

// hoursDraft is times of the week.
type hoursDraft struct {
	Zone    string
	Windows []people.PagingWindow
}

// maxTargets bounds what one step of a form can ask for.
const maxTargets = 50

func draftOfPolicy(p escalation.Policy) policyDraft {
	d := policyDraft{
		ID: string(p.ID), Name: p.Name, Slug: p.Slug, Team: string(p.Team),
		Repeat: strconv.Itoa(p.Repeat), RepeatAfter: p.RepeatAfter.String(),
		AckBy: string(p.AckBy), Urgency: string(p.Urgency), LowWaits: p.LowWaits, Ignore: p.IgnorePagingPolicies,
		Hours: draftOfHours(p.Hours), Last: stepDraft{Targets: slices.Clone(p.LastResort)},
	}
	if p.RepageAfter > 0 {
		d.RepageAfter = p.RepageAfter.String()
	}
	for _, step := range p.Steps {
		d.Steps = append(d.Steps, stepDraft{
			After: delay(step.After), Targets: slices.Clone(step.Targets), Notify: string(step.Notify),
			Severities: slices.Clone(step.When.Severities), LowWaits: step.LowWaits, Hours: draftOfHours(step.When.Hours),
		})
	}
	return d
}

func draftOfHours(h escalation.Hours) hoursDraft {
	return hoursDraft{Zone: h.Zone, Windows: slices.Clone(h.Windows)}
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
		AckBy: text(r, "ack_by"), RepageAfter: text(r, "repage_after"), Urgency: text(r, "urgency"),
		LowWaits: text(r, "low_waits") != "", Ignore: text(r, "ignore") != "", Hours: readHours(r, "hours."),
		Last: readStep(r, "last."),
	}
	n, _ := number(text(r, "steps"))
	for i := range min(n, escalation.MaxSteps) {
		d.Steps = append(d.Steps, readStep(r, strconv.Itoa(i)+"."))
	}
	return d
}

func readStep(r *http.Request, at string) stepDraft {
	step := stepDraft{
		After: text(r, at+"after"), Add: text(r, at+"add"), TellKind: text(r, at+"tell_kind"), TellTo: text(r, at+"tell_to"),
		Notify: text(r, at+"notify"), LowWaits: text(r, at+"low_waits") != "", Hours: readHours(r, at),
	}
	for _, value := range r.PostForm[at+"target"] {
		if t, ok := targetOf(value); ok && len(step.Targets) < maxTargets {
			step.Targets = append(step.Targets, t)
		}
	}
	for _, severity := range severities() {
		if slices.Contains(r.PostForm[at+"severity"], string(severity)) {
			step.Severities = append(step.Severities, severity)
		}
	}
	if len(step.Severities) == len(severities()) {
		step.Severities = nil // both are no condition
	}
	return step
}

// severities are those that open incidents.
func severities() []alert.Type { return []alert.Type{alert.Critical, alert.Warning} }

func readHours(r *http.Request, at string) hoursDraft {
	h := hoursDraft{Zone: text(r, at+"zone")}
	n, _ := number(text(r, at+"windows"))
	for i := range min(n, people.MaxPagingWindows) {
		h.Windows = append(h.Windows, readWindow(r, at+"w"+strconv.Itoa(i)+"."))
	}
	return h
}

func pagesRotation(r id.Rotation) func(escalation.Target) bool {
	return func(t escalation.Target) bool { return t.Rotation != "" && t.Rotation == r }
}

// reshape does what a button of the editor asks for.
func (d *policyDraft) reshape(do string) {
	what, at := command(do)
	switch what {
	case "add-step":
		if len(d.Steps) < escalation.MaxSteps {
			d.Steps = append(d.Steps, stepDraft{After: escalation.DefaultRepeatAfter.String()})
		}
		return
	case "add-last":
		d.Last.take()
		return
	case "add-hours":
		d.Hours.add()
		return
	}
	switch {
	case len(at) == 0:
	case what == "drop-last" && at[0] < len(d.Last.Targets):
		d.Last.Targets = slices.Delete(d.Last.Targets, at[0], at[0]+1)
	case what == "drop-hours":
		d.Hours.drop(at[0])
	case at[0] < len(d.Steps):
		d.reshapeStep(what, at)
	}
}

func (d *policyDraft) reshapeStep(what string, at []int) {
	step := &d.Steps[at[0]]
	switch {
	case what == "add":
		step.take()
	case what == "drop-target" && len(at) == 2 && at[1] < len(step.Targets):
		step.Targets = slices.Delete(step.Targets, at[1], at[1]+1)
	case what == "add-window":
		step.Hours.add()
	case what == "drop-window" && len(at) == 2:
		step.Hours.drop(at[1])
	case what == "drop" && len(d.Steps) == 1:
		// a policy without a step pages nobody
	case len(at) == 1:
		d.Steps = rearranged(d.Steps, what, at[0])
	}
}

func (h *hoursDraft) add() {
	if len(h.Windows) < people.MaxPagingWindows {
		h.Windows = append(h.Windows, people.PagingWindow{Days: weekdays()[:5], From: "09:00", To: "17:00"})
	}
}

func (h *hoursDraft) drop(i int) {
	if i < len(h.Windows) {
		h.Windows = slices.Delete(h.Windows, i, i+1)
	}
}

// take makes the chosen target one of the step's, unless it is one already,
// and so what was typed to be told.
func (s *stepDraft) take() {
	add := func(t escalation.Target, ok bool) {
		if ok && len(s.Targets) < maxTargets && !slices.Contains(s.Targets, t) {
			s.Targets = append(s.Targets, t)
		}
	}
	add(targetOf(s.Add))
	if s.TellTo != "" {
		add(targetOf(s.TellKind + ":" + s.TellTo))
	}
	s.Add, s.TellTo = "", ""
}

// policy is what the draft says, or what is wrong with it, by field.
func (d policyDraft) policy() (escalation.Policy, fields) {
	errs := fields{}
	p := escalation.Policy{
		ID: id.Policy(d.ID), Slug: d.Slug, Name: d.Name, Team: id.Team(d.Team), Urgency: people.Urgency(d.Urgency),
		LowWaits: d.LowWaits, IgnorePagingPolicies: d.Ignore, Hours: d.Hours.hours("hours.", errs),
	}
	errs.name("name", d.Name)
	errs.slug("slug", d.Slug, d.Name)
	if d.AckBy == string(escalation.AckByAll) {
		p.AckBy = escalation.AckByAll
	}
	var ok bool
	if p.Repeat, ok = number(d.Repeat); !ok || p.Repeat < 0 || p.Repeat > escalation.MaxRepeat {
		errs["repeat"] = phrase.T("settings.error.range", 0, escalation.MaxRepeat)
	}
	p.RepeatAfter = errs.delay("repeat_after", d.RepeatAfter, escalation.MinRepeatAfter, escalation.MaxAfter)
	if d.RepageAfter != "" {
		p.RepageAfter = errs.delay("repage_after", d.RepageAfter, escalation.MinRepageAfter, escalation.MaxRepageAfter)
	}
	waits := d.LowWaits
	for i, step := range d.Steps {
		p.Steps = append(p.Steps, step.step(strconv.Itoa(i)+".", errs))
		waits = waits || step.LowWaits
	}
	if len(d.Steps) == 0 {
		errs["name"] = phrase.T("settings.error.step")
	}
	if waits && len(d.Hours.Windows) == 0 {
		errs["hours.windows"] = phrase.T("settings.error.hours")
	}
	d.Last.Targets = slices.Clone(d.Last.Targets)
	d.Last.take()
	errs.told("last.", d.Last)
	p.LastResort = d.Last.Targets
	return p, errs
}

func (s stepDraft) step(at string, errs fields) escalation.Step {
	s.Targets = slices.Clone(s.Targets)
	s.take() // chosen, and then saved without pressing "add"
	errs.told(at, s)
	if len(s.Targets) == 0 && errs[at+"target"] == "" {
		errs[at+"target"] = phrase.T("settings.error.target")
	}
	step := escalation.Step{
		After: errs.delay(at+"after", s.After, 0, escalation.MaxAfter), Targets: s.Targets, LowWaits: s.LowWaits,
		When: escalation.When{Severities: s.Severities, Hours: s.Hours.hours(at, errs)},
	}
	if s.Notify == string(escalation.RoundRobin) {
		step.Notify = escalation.RoundRobin
	}
	return step
}

// told says what is wrong with the addresses that a step tells.
func (f fields) told(at string, s stepDraft) {
	for _, t := range s.Targets {
		if t.Email != "" {
			f.email(at+"target", t.Email)
		}
	}
}

func (h hoursDraft) hours(at string, errs fields) escalation.Hours {
	if len(h.Windows) == 0 {
		return escalation.Hours{}
	}
	errs.zone(at+"zone", h.Zone)
	for i, w := range h.Windows {
		errs.window(at+"w"+strconv.Itoa(i)+".", w)
	}
	return escalation.Hours{Zone: h.Zone, Windows: h.Windows}
}

// delay reads "5m", "90s", "1h30m", or a bare number of minutes.
func (f fields) delay(name, value string, least, most time.Duration) escalation.Duration {
	if n, ok := number(value); ok {
		value = strconv.Itoa(n) + "m"
	}
	d, err := time.ParseDuration(value)
	switch {
	case err != nil || d%time.Second != 0:
		f[name] = phrase.T("settings.error.delay")
	case d < least || d > most:
		f[name] = phrase.T("settings.error.delay.range", delay(escalation.Duration(least)), escalation.Duration(most).String())
	}
	return escalation.Duration(d)
}
