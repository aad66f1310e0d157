package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
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

// onCallPath is where the area begins: the calendar.
const onCallPath = "/oncall"

func (s *Server) onCallRoutes() []Route {
	return []Route{
		{"GET /oncall", people.Read, s.showCalendar},
		{"GET /oncall/now", people.Read, s.onCall},
		{"GET /oncall/shift", people.Read, s.showShift},
		{"POST /oncall/take", people.Respond, s.takeOnCall},
		{"GET /oncall/override", people.Respond, s.showOverride},
		{"POST /oncall/override/preview", people.Respond, s.previewOverride},
		{"POST /oncall/overrides", people.Respond, s.addOverride},
		{"POST /oncall/overrides/{id}/back", people.Respond, s.handBack},
		{"POST /oncall/overrides/{id}/remove", people.Respond, s.removeOverride},
		{"GET /oncall/away", people.Read, s.showAway},
		{"GET /oncall/away/new", people.Respond, s.showNewAbsence},
		{"POST /oncall/away", people.Respond, s.addAbsence},
		{"POST /oncall/away/{id}/remove", people.Respond, s.removeAbsence},
		{"GET /oncall/holidays", people.Read, s.showHolidays},
		{"POST /oncall/holidays", people.Manage, s.addHolidays},
		{"POST /oncall/holidays/{id}/remove", people.Manage, s.removeHolidays},
		{"GET /oncall/swap", people.Respond, s.showNewSwap},
		{"POST /oncall/swaps", people.Respond, s.askSwap},
		{"POST /oncall/swaps/{id}/accept", people.Respond, s.answerSwap(true)},
		{"POST /oncall/swaps/{id}/decline", people.Respond, s.answerSwap(false)},
		{"POST /oncall/swaps/{id}/withdraw", people.Respond, s.withdrawSwap},
		{"GET /oncall/feeds", people.Read, s.showFeeds},
		{"POST /oncall/feeds", people.OwnSelf, s.addFeed},
		{"POST /oncall/feeds/{id}/revoke", people.OwnSelf, s.revokeFeed},
	}
}

// onCallTabs lead through the area; the count is what waits for the viewer.
func onCallTabs(o *org.Org, actor people.Actor, now time.Time, current string) []view.Tab {
	tab := func(name, path string) view.Tab {
		return view.Tab{Label: phrase.T("oncall_web.tab." + name), Href: path, Current: name == current}
	}
	tabs := []view.Tab{tab("calendar", onCallPath), tab("now", onCallPath+"/now"), tab("away", onCallPath+"/away"), tab("holidays", holidaysPath), tab("feeds", onCallPath+"/feeds")}
	if waiting := len(swapsFor(o, actor.User, now)); waiting > 0 {
		tabs[2].Counted, tabs[2].Count, tabs[2].Tone = true, waiting, "critical"
	}
	return tabs
}

// back is the page of the area that a form was sent from.
func back(r *http.Request) string {
	if path := localPath(text(r, "back")); path == onCallPath || strings.HasPrefix(path, onCallPath+"?") || strings.HasPrefix(path, onCallPath+"/") {
		return path
	}
	return onCallPath
}

// refusal is what a person is told about an error that is theirs to mend:
// package dispatch refuses what only administrators may, too, and the form it
// came from is where to read that.
func refusal(err error) (string, bool) {
	if _, sentence, ok := shown(err); ok {
		return sentence, true
	}
	if fault.Is(err, fault.CodeForbidden) {
		return fault.MessageOf(err), true
	}
	return "", false
}

// acted answers a button of the area: what happened, or why it did not.
func (s *Server) acted(w http.ResponseWriter, r *http.Request, err error, message string) error {
	if sentence, ok := refusal(err); ok {
		s.flash(w, view.Flash{Tone: "critical", Text: sentence})
		return redirect(w, r, back(r))
	}
	if err != nil {
		return err
	}
	return s.done(w, r, back(r), message)
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
	p := view.OnCall{Page: page, Tabs: onCallTabs(o, actorOf(r), now, "now"), At: now, CanEdit: page.Viewer.May(string(people.Manage))}
	viewer := actorOf(r).User
	for _, r := range sortedRotations(o) {
		p.Rotations = append(p.Rotations, rotationNow(o, r, now, viewer))
	}
	for _, policy := range sortedPolicies(o) {
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
	out.Until, _ = o.TakeOver(r.ID, now)
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
