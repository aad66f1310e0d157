package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/web/view"
)

// handOvers is how many future hand-overs a rotation shows.
const handOvers = 4

func (s *Server) onCallRoutes() []Route {
	return []Route{{"GET /oncall", people.Read, s.onCall}}
}

// onCall says who is on call now and next, and whom each policy would page now.
func (s *Server) onCall(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("web.oncall.title"), "oncall")
	if err != nil {
		return err
	}
	now := s.Now()
	p := view.OnCall{Page: page, At: now, CanEdit: page.Viewer.May(string(people.Manage))}
	viewer := actorOf(r).User
	for _, r := range org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		p.Rotations = append(p.Rotations, rotationNow(o, r, now, viewer))
	}
	for _, policy := range org.Sorted(o.Policies, func(p escalation.Policy) string { return p.Name }) {
		p.Policies = append(p.Policies, policyNow(o, policy, now, viewer))
	}
	return draw(w, r, http.StatusOK, view.OnCallPage(p))
}

func rotationNow(o *org.Org, r oncall.Rotation, now time.Time, viewer id.User) view.RotationNow {
	out := view.RotationNow{
		Name: r.Name, Team: o.Teams[r.Team].Name, Zone: r.Zone, Href: "/settings/rotations/" + string(r.ID),
	}
	shifts := o.OnCall(r.ID, now)
	var on []id.User
	for _, shift := range shifts {
		on = append(on, shift.User)
		if shift.Start.After(out.Since) {
			out.Since = shift.Start
		}
	}
	out.Now = personRows(o, on, viewer)
	// Several layers may hand over at the same instant; that is one hand-over.
	upcoming := o.Upcoming(r.ID, now, handOvers*max(1, len(r.Layers)))
	out.Until, _ = handOver(shifts, upcoming)
	for _, shift := range upcoming {
		last := len(out.Next) - 1
		if last >= 0 && out.Next[last].From.Equal(shift.Start) {
			out.Next[last].People = append(out.Next[last].People, personRows(o, []id.User{shift.User}, viewer)...)
			continue
		}
		if len(out.Next) == handOvers {
			break
		}
		out.Next = append(out.Next, view.ShiftRow{From: shift.Start, To: shift.End, People: personRows(o, []id.User{shift.User}, viewer)})
	}
	out.Problem = rotationProblem(o, shifts, out.Until)
	return out
}

// rotationProblem is a sentence about what is wrong now; "" when all is well.
func rotationProblem(o *org.Org, shifts []oncall.Shift, until time.Time) string {
	switch {
	case len(shifts) == 0 && until.IsZero():
		return phrase.T("webmain.oncall.never")
	case len(shifts) == 0:
		return phrase.T("webmain.oncall.gap")
	}
	for _, shift := range shifts {
		if user := o.Users[shift.User]; !user.Reachable() {
			return phrase.T("webmain.oncall.unreachable", o.UserName(shift.User))
		}
	}
	return ""
}

func personRows(o *org.Org, users []id.User, viewer id.User) []view.PersonRow {
	all := rows(o, users, nil, nil)
	for i, u := range users {
		all[i].You = u == viewer
	}
	return all
}

func policyNow(o *org.Org, p escalation.Policy, now time.Time, viewer id.User) view.PolicyNow {
	out := view.PolicyNow{Name: p.Name, Team: o.Teams[p.Team].Name, Href: "/settings/policies/" + string(p.ID)}
	for _, k := range org.Sorted(o.Keys, func(k routing.Key) string { return k.Name }) {
		if k.Policy == p.ID {
			out.Keys = append(out.Keys, k.Name)
		}
	}
	if o.Settings.DefaultPolicy == p.ID {
		out.Keys = append(out.Keys, phrase.T("webmain.oncall.default"))
	}
	for i, step := range p.Steps {
		users := slices.Clip(reachable(o, step, now))
		out.Steps = append(out.Steps, view.PolicyStepNow{
			Number: i + 1, Delay: stepDelay(i, step.After), Targets: targets(o, step), People: personRows(o, users, viewer),
		})
	}
	return out
}
