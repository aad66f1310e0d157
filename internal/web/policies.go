package web

import (
	"net/http"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/web/view"
)

const policiesPath = "/settings/policies"

func (s *Server) policyRoutes() []Route {
	return []Route{
		{"GET /settings/policies", people.Read, s.showPolicies},
		{"POST /settings/policies", people.Manage, s.savePolicy},
		{"GET /settings/policies/new", people.Manage, s.showNewPolicy},
		{"POST /settings/policies/preview", people.Manage, s.previewPolicy},
		{"GET /settings/policies/{id}", people.Read, s.showPolicy},
		{"POST /settings/policies/{id}", people.Manage, s.savePolicy},
		{"POST /settings/policies/{id}/delete", people.Manage, s.deletePolicy},
	}
}

func (s *Server) showPolicies(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("settings.nav.policies"))
	if err != nil {
		return err
	}
	v := view.PolicyList{Page: page}
	for _, p := range sortedPolicies(o) {
		v.Rows = append(v.Rows, view.PolicyRow{
			Name: p.Name, Slug: p.Slug, Href: policiesPath + "/" + string(p.ID), Team: o.Teams[p.Team].Name, Steps: len(p.Steps),
			Keys: keysTo(o, p.ID), Default: o.Settings.DefaultPolicy == p.ID, First: firstPaged(o, p, s.Now()),
		})
	}
	return draw(w, r, http.StatusOK, view.PoliciesPage(v))
}

// keysTo lists the routing keys that lead to a policy.
func keysTo(o *org.Org, p id.Policy) []string {
	var names []string
	for _, k := range org.Sorted(o.Keys, func(k routing.Key) string { return k.Name }) {
		if k.Policy == p {
			names = append(names, k.Name)
		}
	}
	return names
}

// firstPaged names whom a policy would page first: steps without anybody are
// passed over.
func firstPaged(o *org.Org, p escalation.Policy, at time.Time) []string {
	for _, step := range p.Steps {
		var names []string
		for _, person := range paged(o, step, at) {
			names = append(names, person.Name)
		}
		if len(names) > 0 {
			return names
		}
	}
	return nil
}

// paged is whom a step would page, each once. Why is said from outside: those
// who look are not those who are paged.
func paged(o *org.Org, step escalation.Step, at time.Time) []incident.Person {
	var all []incident.Person
	seen := map[id.User]bool{}
	for _, t := range step.Targets {
		for _, person := range o.Whom(at)(t) {
			if !seen[person.User] {
				seen[person.User] = true
				person.Why = whyPaged(o, t)
				all = append(all, person)
			}
		}
	}
	return all
}

func whyPaged(o *org.Org, t escalation.Target) string {
	switch {
	case t.Rotation != "" && t.Pick == escalation.PickNext:
		return phrase.T("settings.policy.why.next", o.Rotations[t.Rotation].Name)
	case t.Rotation != "" && t.Pick == escalation.PickPrevious:
		return phrase.T("settings.policy.why.previous", o.Rotations[t.Rotation].Name)
	case t.Rotation != "":
		return phrase.T("settings.policy.why.rotation", o.Rotations[t.Rotation].Name)
	case t.Team != "":
		return phrase.T("settings.policy.why.team", o.Teams[t.Team].Name)
	case t.Policy != "":
		return phrase.T("settings.policy.why.policy", o.Policies[t.Policy].Name)
	}
	return phrase.T("settings.policy.why.user")
}

func (s *Server) showNewPolicy(w http.ResponseWriter, r *http.Request) error {
	return s.policyPage(w, r, http.StatusOK, policyDraft{
		Repeat: "3", RepeatAfter: escalation.DefaultRepeatAfter.String(), Steps: []stepDraft{{After: "0m"}},
	}, nil)
}

func (s *Server) showPolicy(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	p, ok := o.Policies[id.Policy(r.PathValue("id"))]
	if !ok {
		return fault.NotFound(phrase.T("settings.policy.gone"))
	}
	return s.policyPage(w, r, http.StatusOK, draftOfPolicy(p), nil)
}

func (s *Server) policyPage(w http.ResponseWriter, r *http.Request, status int, d policyDraft, problem error) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	title := phrase.T("settings.policy.new")
	if d.ID != "" {
		title = o.Policies[id.Policy(d.ID)].Name
	}
	f := d.form(o, o.Users[actorOf(r).User].Zone)
	if f.Page, err = s.settingsPage(w, r, o, title); err != nil {
		return err
	}
	f.Preview = s.policyPreview(o, d)
	if problem != nil {
		_, f.Errors = d.policy()
		if len(f.Errors) == 0 {
			f.Errors, f.Error = place(problem, "name", "slug", "team")
		}
	}
	return draw(w, r, status, view.PolicyPage(f))
}

// savePolicy answers every button of the editor, as saveRotation does.
func (s *Server) savePolicy(w http.ResponseWriter, r *http.Request) error {
	d := readPolicy(r)
	d.ID = r.PathValue("id")
	if do := text(r, "do"); do != "" {
		d.reshape(do)
		return s.policyPage(w, r, http.StatusOK, d, nil)
	}
	p, errs := d.policy()
	if len(errs) > 0 {
		return s.policyPage(w, r, http.StatusUnprocessableEntity, d, fault.Invalid("", ""))
	}
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		put := p
		if put.Slug == "" {
			put.Slug = id.Slug(put.Name)
		}
		if other, taken := o.PolicyBySlug(put.Slug); taken && other.ID != put.ID {
			return nil, fault.Invalid("slug", phrase.T("settings.error.taken", put.Slug))
		}
		if put.ID == "" {
			put.ID = id.Policy(id.New())
		} else if _, ok := o.Policies[put.ID]; !ok {
			return nil, fault.NotFound(phrase.T("settings.policy.gone"))
		}
		return []org.Change{org.Put(put)}, nil
	})
	if status, _, ok := shown(err); ok {
		return s.policyPage(w, r, status, d, err)
	}
	if err != nil {
		return err
	}
	message := phrase.T("settings.saved")
	if d.ID == "" {
		message = phrase.T("settings.policy.created", p.Name)
	}
	return s.done(w, r, policiesPath, message)
}

func (s *Server) deletePolicy(w http.ResponseWriter, r *http.Request) error {
	err := s.remove(r, org.PolicyKind)
	return s.did(w, r, err, policiesPath, policiesPath+"/"+r.PathValue("id"), phrase.T("settings.deleted"))
}

func (s *Server) previewPolicy(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	return draw(w, r, http.StatusOK, view.PolicyPreviewBox(s.policyPreview(o, readPolicy(r))))
}

// policyPreview is who would be paged and when, if an incident opened now. A
// step without anybody is passed over at once, so it takes no time.
func (s *Server) policyPreview(o *org.Org, d policyDraft) view.PolicyPreview {
	if d.Name == "" {
		d.Name = phrase.T("settings.policy.new")
	}
	p, errs := d.policy()
	delete(errs, "name")
	delete(errs, "slug")
	if len(errs) > 0 {
		return view.PolicyPreview{Problem: phrase.T("settings.policy.preview.wait")}
	}
	var v view.PolicyPreview
	var at time.Duration
	reached := false
	row := func(step escalation.Step, when time.Duration) view.PreviewStep {
		row := view.PreviewStep{When: since(when)}
		for _, person := range paged(o, step, s.Now().Add(when)) { // whoever is on call then
			row.People = append(row.People, view.PreviewPerson{Name: person.Name, Why: person.Why, Unreachable: !person.Reachable})
			reached = reached || person.Reachable
		}
		for _, t := range step.Targets {
			if t.Told() {
				row.Told = append(row.Told, t.Webhook+t.Email+t.Room) // one of them is set
			}
		}
		row.Skipped = len(row.People) == 0 && len(row.Told) == 0
		return row
	}
	for i, step := range p.Steps {
		when := at + step.After.D()
		next := row(step, when)
		next.Number, next.Conditions = i+1, d.Steps[i].conditions()
		if !next.Skipped {
			at = when
		}
		v.Steps = append(v.Steps, next)
	}
	if len(p.LastResort) > 0 {
		last := row(escalation.Step{Targets: p.LastResort}, at+p.RepeatAfter.D())
		last.Last, last.When = true, phrase.T("settings.policy.preview.last")
		v.Steps = append(v.Steps, last)
	}
	if !reached {
		v.Problem = phrase.T("settings.policy.preview.nobody")
	}
	switch p.Repeat {
	case 0:
		v.Repeat = phrase.T("settings.policy.preview.once")
	default:
		v.Repeat = phrase.N("settings.policy.preview.repeat", p.Repeat, p.RepeatAfter.String())
	}
	return v
}

// since says how long after the incident something happens.
func since(d time.Duration) string {
	if d == 0 {
		return phrase.T("settings.policy.preview.now")
	}
	return phrase.T("settings.policy.preview.after", escalation.Duration(d).String())
}
