package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// pagingDraft is a personal paging policy as it is being typed, and for which
// page it is tried out.
type pagingDraft struct {
	Rules       []ruleDraft
	At, Urgency string // of the preview
}

type ruleDraft struct {
	Name, Urgency, Again string
	Wait                 people.PagingWait // its days count with a time only
	Windows              []people.PagingWindow
	Steps                []pagingStepDraft
}

type pagingStepDraft struct {
	After string
	By    []string // "contact:…", "method:…"
}

// draftOfPaging leaves out contact methods that u does not have any more.
func draftOfPaging(u people.User) pagingDraft {
	var d pagingDraft
	p := u.Paging
	if p == nil {
		return d
	}
	for _, r := range p.Rules {
		rule := ruleDraft{Name: r.Name, Urgency: string(r.Urgency), Windows: slices.Clone(r.When), Wait: r.Wait}
		if r.Again > 0 {
			rule.Again = r.Again.String()
		}
		for _, s := range r.Steps {
			step := pagingStepDraft{After: pagingDelay(s.After)}
			for _, c := range s.Contacts {
				if slices.ContainsFunc(u.Contacts, func(have people.Contact) bool { return have.ID == c }) {
					step.By = append(step.By, "contact:"+string(c))
				}
			}
			for _, m := range s.Methods {
				step.By = append(step.By, "method:"+string(m))
			}
			rule.Steps = append(rule.Steps, step)
		}
		d.Rules = append(d.Rules, rule)
	}
	return d
}

func pagingDelay(d people.Duration) string {
	if d == 0 {
		return "0m"
	}
	return d.String()
}

func readPaging(r *http.Request) pagingDraft {
	d := pagingDraft{At: text(r, "at"), Urgency: text(r, "urgency")}
	n, _ := number(text(r, "rules"))
	for i := range min(n, people.MaxPagingRules) {
		at := strconv.Itoa(i) + "."
		rule := ruleDraft{Name: text(r, at+"name"), Urgency: text(r, at+"urgency"), Again: text(r, at+"again")}
		rule.Wait = people.PagingWait{At: text(r, at+"wait"), Days: readDays(r, at+"waitday")}
		windows, _ := number(text(r, at+"windows"))
		for j := range min(windows, people.MaxPagingWindows) {
			rule.Windows = append(rule.Windows, readWindow(r, at+"w"+strconv.Itoa(j)+"."))
		}
		steps, _ := number(text(r, at+"steps"))
		for j := range min(steps, people.MaxPagingSteps) {
			name := at + "s" + strconv.Itoa(j) + "."
			by := r.PostForm[name+"by"]
			rule.Steps = append(rule.Steps, pagingStepDraft{After: text(r, name+"after"), By: by[:min(len(by), people.MaxContacts)]})
		}
		d.Rules = append(d.Rules, rule)
	}
	return d
}

// readWindow is a time of the week; name is what its fields begin with. All
// days are no condition.
func readWindow(r *http.Request, name string) people.PagingWindow {
	return people.PagingWindow{From: text(r, name+"from"), To: text(r, name+"to"), Days: readDays(r, name+"day")}
}

// readDays are the days that were chosen; none when all were.
func readDays(r *http.Request, field string) []people.Day {
	var days []people.Day
	for _, d := range weekdays() {
		if slices.Contains(r.PostForm[field], string(d)) {
			days = append(days, d)
		}
	}
	if len(days) == len(people.Days) {
		return nil
	}
	return days
}

// weekdays begins with Monday.
func weekdays() []people.Day { return append(slices.Clone(people.Days[1:]), people.Days[0]) }

// windowForm is a time of the week as the page draws it.
func windowForm(i int, name string, w people.PagingWindow) view.PagingWindowForm {
	return view.PagingWindowForm{Index: i, Name: name, From: w.From, To: w.To, Days: dayOptions(w.Days)}
}

func dayOptions(chosen []people.Day) []view.Option {
	var all []view.Option
	for _, d := range weekdays() {
		all = append(all, view.Option{
			Value: string(d), Label: phrase.T("escalation.day." + string(d)), Selected: len(chosen) == 0 || slices.Contains(chosen, d),
		})
	}
	return all
}

// window adds what is wrong with a time of the week to f.
func (f fields) window(name string, w people.PagingWindow) {
	if err := w.Validate(); err != nil {
		f[name+"from"] = phrase.T("paging_web.error.window")
	}
}

// reshape does what a button of the editor asks for. What does not fit the
// form any more does nothing.
func (d *pagingDraft) reshape(do string, u people.User) {
	what, at := command(do)
	switch what {
	case "start":
		d.Rules = suggested(u)
		return
	case "add-rule":
		if len(d.Rules) < people.MaxPagingRules {
			d.Rules = append(d.Rules, ruleDraft{Steps: []pagingStepDraft{{After: "0m"}}})
		}
		return
	}
	if len(at) == 0 || at[0] >= len(d.Rules) {
		return
	}
	rule := &d.Rules[at[0]]
	switch {
	case what == "add-window" && len(rule.Windows) < people.MaxPagingWindows:
		rule.Windows = append(rule.Windows, people.PagingWindow{Days: weekdays()[:5], From: "09:00", To: "17:00"})
	case what == "drop-window" && len(at) == 2 && at[1] < len(rule.Windows):
		rule.Windows = slices.Delete(rule.Windows, at[1], at[1]+1)
	case what == "add-step" && len(rule.Steps) < people.MaxPagingSteps:
		rule.Steps = append(rule.Steps, pagingStepDraft{After: "5m"})
	case what == "drop-step" && len(at) == 2 && at[1] < len(rule.Steps) && len(rule.Steps) > 1:
		rule.Steps = slices.Delete(rule.Steps, at[1], at[1]+1)
	case len(at) == 1:
		d.Rules = rearranged(d.Rules, what, at[0])
	}
}

// suggested is what most people want of the methods that u has: the quiet ones
// first, a call at last, and nothing loud for what is not urgent.
func suggested(u people.User) []ruleDraft {
	waits := []struct {
		after   string
		methods []people.Method
	}{
		{"0m", []people.Method{people.WebPush, people.Ntfy, people.Gotify, people.Pushover, people.Telegram, people.Email}},
		{"2m", []people.Method{people.SMS}},
		{"3m", []people.Method{people.Voice}},
	}
	urgent := ruleDraft{Name: phrase.T("paging_web.suggest.urgent"), Urgency: string(people.High), Again: "10m"}
	for _, w := range waits {
		var by []string
		for _, c := range u.Usable() {
			if slices.Contains(w.methods, c.Method) {
				by = append(by, "contact:"+string(c.ID))
			}
		}
		if len(by) > 0 {
			urgent.Steps = append(urgent.Steps, pagingStepDraft{After: w.after, By: by})
		}
	}
	calm := ruleDraft{Name: phrase.T("paging_web.suggest.calm"), Urgency: string(people.Low), Steps: []pagingStepDraft{{After: "0m"}}}
	if len(urgent.Steps) == 0 {
		urgent.Steps = []pagingStepDraft{{After: "0m"}}
	} else {
		urgent.Steps[0].After = "0m"
		calm.Steps[0].By = urgent.Steps[0].By
	}
	return []ruleDraft{urgent, calm}
}

// policy is what the draft says, nil for no rules, or what is wrong with it, by field.
func (d pagingDraft) policy() (*people.PagingPolicy, fields) {
	errs := fields{}
	if len(d.Rules) == 0 {
		return nil, errs
	}
	p := &people.PagingPolicy{}
	for i, rule := range d.Rules {
		at := strconv.Itoa(i) + "."
		errs.name(at+"name", rule.Name)
		if slices.ContainsFunc(d.Rules[:i], func(o ruleDraft) bool { return o.Name == rule.Name }) {
			errs[at+"name"] = phrase.T("settings.error.taken", rule.Name)
		}
		r := people.PagingRule{Name: rule.Name, Urgency: people.Urgency(rule.Urgency), When: rule.Windows}
		for j, w := range rule.Windows {
			errs.window(at+"w"+strconv.Itoa(j)+".", w)
		}
		if rule.Wait.At != "" {
			r.Wait = rule.Wait
			if r.Urgency != people.Low || r.Wait.Validate() != nil {
				errs[at+"wait"] = phrase.T("paging_web.error.wait")
			}
		}
		if rule.Again != "" {
			r.Again = errs.within(at+"again", rule.Again, people.MinPagingAgain, people.MaxPagingAgain)
		}
		for j, s := range rule.Steps {
			name := at + "s" + strconv.Itoa(j) + "."
			r.Steps = append(r.Steps, s.step(name, errs))
		}
		if len(rule.Steps) == 0 {
			errs[at+"steps"] = phrase.T("settings.error.step")
		}
		p.Rules = append(p.Rules, r)
	}
	return p, errs
}

func (s pagingStepDraft) step(name string, errs fields) people.PagingStep {
	step := people.PagingStep{After: errs.within(name+"after", s.After, 0, people.MaxPagingAfter)}
	for _, by := range s.By {
		kind, what, _ := strings.Cut(by, ":")
		switch {
		case kind == "contact" && !slices.Contains(step.Contacts, id.Contact(what)):
			step.Contacts = append(step.Contacts, id.Contact(what))
		case kind == "method" && slices.Contains(people.Methods, people.Method(what)) && !slices.Contains(step.Methods, people.Method(what)):
			step.Methods = append(step.Methods, people.Method(what))
		}
	}
	if len(step.Contacts)+len(step.Methods) == 0 {
		errs[name+"by"] = phrase.T("paging_web.error.by")
	}
	return step
}

// within reads a delay as fields.delay does, between two limits.
func (f fields) within(name, value string, least, most time.Duration) people.Duration {
	if n, ok := number(value); ok {
		value = strconv.Itoa(n) + "m"
	}
	d, err := time.ParseDuration(value)
	switch {
	case err != nil || d%time.Second != 0:
		f[name] = phrase.T("settings.error.delay")
	case d < least || d > most:
		f[name] = phrase.T("settings.error.delay.range", pagingDelay(people.Duration(least)), people.Duration(most).String())
	}
	return people.Duration(d)
}

func (d pagingDraft) urgency() people.Urgency {
	if people.Urgency(d.Urgency) == people.Low {
		return people.Low
	}
	return people.High
}

// form is the draft as the page draws it.
func (d pagingDraft) form(u people.User) view.PagingForm {
	f := view.PagingForm{PreviewAt: d.At}
	for _, urgency := range []people.Urgency{people.High, people.Low} {
		f.Urgencies = append(f.Urgencies, view.Option{
			Value: string(urgency), Label: phrase.T("paging_web.urgency." + string(urgency)), Selected: d.urgency() == urgency,
		})
	}
	for i, rule := range d.Rules {
		at := strconv.Itoa(i) + "."
		form := view.PagingRuleForm{Index: i, Last: i == len(d.Rules)-1, Name: rule.Name, Again: rule.Again, Summary: rule.summary(u), Wait: rule.Wait.At, WaitDays: dayOptions(rule.Wait.Days)}
		for _, urgency := range []string{"", string(people.High), string(people.Low)} {
			label := phrase.T("paging_web.urgency.any")
			if urgency != "" {
				label = phrase.T("paging_web.urgency." + urgency)
			}
			form.Urgency = append(form.Urgency, view.Option{Value: urgency, Label: label, Selected: urgency == rule.Urgency})
		}
		for j, w := range rule.Windows {
			form.Windows = append(form.Windows, windowForm(j, at+"w"+strconv.Itoa(j)+".", w))
		}
		for j, s := range rule.Steps {
			form.Steps = append(form.Steps, view.PagingStepForm{
				Index: j, Name: at + "s" + strconv.Itoa(j) + ".", After: s.After, Choices: stepChoices(u, s),
			})
		}
		f.Rules = append(f.Rules, form)
	}
	return f
}

// stepChoices offers every contact method of u, and every kind of which there
// are some. What the step names and is gone is not offered, and so dropped.
func stepChoices(u people.User, s pagingStepDraft) []view.Option {
	var all []view.Option
	offer := func(value, label, hint string) {
		all = append(all, view.Option{Value: value, Label: label, Hint: hint, Selected: slices.Contains(s.By, value)})
	}
	several := map[people.Method]int{}
	for _, c := range u.Contacts {
		several[c.Method]++
		hint := ""
		switch {
		case c.Off:
			hint = phrase.T("paging.skipped.off")
		case !c.Verified():
			hint = phrase.T("contacts_web.state.unverified")
		}
		offer("contact:"+string(c.ID), capital(c.Method.Words())+" · "+c.Shown(), hint)
	}
	for _, m := range people.Methods {
		if several[m] > 1 || slices.Contains(s.By, "method:"+string(m)) {
			offer("method:"+string(m), phrase.T("paging_web.every", m.Words()), "")
		}
	}
	return all
}
