package web

import (
	"net/http"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/web/view"
)

const jobsShown = 50

func (s *Server) showJobs(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("commands_web.jobs"))
	if err != nil {
		return err
	}
	by, tab := actorOf(r), text(r, "show")
	waiting, err := s.Desk.Pending(r.Context(), by)
	if err != nil {
		return err
	}
	l := view.JobList{Page: page}
	for _, name := range []string{"all", "open", "mine", "approve"} {
		t := view.Tab{Label: phrase.T("commands_web.jobs." + name), Href: "/jobs?show=" + name, Current: name == tab || name == "all" && tab == ""}
		if name == "approve" {
			t.Count, t.Counted, t.Tone = len(waiting), len(waiting) > 0, "warning"
		}
		l.Tabs = append(l.Tabs, t)
	}
	found, next := waiting, int64(0)
	if tab != "approve" {
		f := store.InvocationFilter{Open: tab == "open", Limit: jobsShown}
		if f.Before, err = strconv.ParseInt(text(r, "before"), 10, 64); err != nil {
			f.Before = 0 // from the beginning
		}
		if tab == "mine" {
			f.Person = by.User
		}
		if found, next, err = s.Desk.List(r.Context(), by, f); err != nil {
			return err
		}
	}
	for _, inv := range found {
		l.Rows = append(l.Rows, jobRow(inv))
	}
	if next > 0 {
		l.Older = "/jobs?show=" + tab + "&before=" + strconv.FormatInt(next, 10)
	}
	if by.May(people.Manage) {
		l.Audit = "/api/v1/audit"
	}
	locks, err := s.Desk.Locks(r.Context(), by)
	if err != nil {
		return err
	}
	for _, k := range locks {
		l.Locks = append(l.Locks, view.LockRow{
			Name: k.Name, Owner: k.Owner.Name, Reason: k.Reason, Since: k.Since, Until: k.Until, Run: k.Kind == invocation.ForRun,
		})
	}
	return draw(w, r, http.StatusOK, view.JobsPage(l))
}

func jobRow(inv invocation.Invocation) view.JobRow {
	row := view.JobRow{Number: inv.Number, Line: inv.Line, By: inv.By.Name, State: string(inv.State), Status: inv.State.Shown(), At: inv.AskedAt}
	if took := inv.Took().Round(100 * time.Millisecond); took > 0 {
		row.Took = took.String()
	}
	return row
}

func (s *Server) showJob(w http.ResponseWriter, r *http.Request) error {
	by := actorOf(r)
	inv, events, err := s.Desk.Events(r.Context(), by, r.PathValue("job"))
	if err != nil {
		return err
	}
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("commands_web.job", inv.Number))
	if err != nil {
		return err
	}
	j := view.Job{Page: page, Row: jobRow(inv), Why: inv.Why, Rule: inv.Rule, Reason: inv.Reason, Room: roomOf(o, by, inv.Room), Output: inv.Output}
	if inv.OutputRemoved {
		j.Output = phrase.T("retention.output_gone")
	}
	if j.Why == "" && inv.Cause != "" {
		j.Why = inv.Cause.Sentence()
	}
	for _, g := range inv.Given {
		j.Fields = append(j.Fields, view.FieldValue{Name: g.Name, Value: g.Value})
	}
	for _, e := range events {
		j.Events = append(j.Events, view.JobEvent{At: e.At, What: phrase.T("commands_web.event." + string(e.Kind)), By: e.By.Name, Detail: detail(e), Hash: e.Hash[:min(12, len(e.Hash))]})
	}
	waiting, err := s.Desk.Pending(r.Context(), by)
	if err != nil {
		return err
	}
	j.Actions = jobActions(inv, by, waiting)
	return draw(w, r, http.StatusOK, view.JobPage(j))
}

// roomOf is what a room is called for somebody; not everybody who may know of a
// command may know of the room.
func roomOf(o *org.Org, by people.Actor, in id.Room) string {
	r, ok := o.Room(in)
	if !ok || !r.CanRead(by.User) {
		return phrase.T("commands_web.elsewhere")
	}
	return r.Shown(by.User, nameIn(o))
}

// detail is what an event says beyond its kind.
func detail(e invocation.Event) string {
	switch {
	case e.Why != "":
		return e.Why
	case e.Rule != "":
		return e.Rule
	case len(e.Names) > 0:
		return e.Names[0]
	case e.Host != "":
		return e.Host
	}
	return e.Line
}

// jobActions are what somebody can do about a command now.
func jobActions(inv invocation.Invocation, by people.Actor, waiting []invocation.Invocation) []view.JobAction {
	var all []view.JobAction
	add := func(name, look, sure string) {
		all = append(all, view.JobAction{Name: name, Label: phrase.T("commands_web.act." + name), Look: look, Confirm: sure})
	}
	own := inv.By.User == by.User && by.User != ""
	if own && inv.State == invocation.Confirming {
		add("confirm", "primary", "")
	}
	if own && inv.State == invocation.Proving {
		add("prove", "primary", "")
	}
	for _, w := range waiting {
		if w.ID == inv.ID {
			add("approve", "primary", "")
			add("deny", "danger", "")
		}
	}
	if !inv.State.Over() && (own || by.May(people.Manage)) {
		add("cancel", "danger", phrase.T("commands_web.sure.cancel", inv.Number))
	}
	if inv.State.Over() && !inv.HadSecrets && by.May(people.Talk) {
		add("again", "", phrase.T("commands_web.sure.again"))
	}
	return all
}

func (s *Server) actOnJob(w http.ResponseWriter, r *http.Request) error {
	ctx, by, ref := r.Context(), actorOf(r), r.PathValue("job")
	inv, err := s.Desk.Find(ctx, by, ref)
	if err != nil {
		return err
	}
	exact := string(inv.ID)
	switch r.PathValue("act") {
	case "prove": // nothing is done here: see toStepUp
	case "confirm":
		inv, err = s.Desk.Confirm(ctx, by, inv.Room, exact)
	case "approve":
		inv, err = s.Desk.Approve(ctx, by, exact)
	case "deny":
		inv, err = s.Desk.Deny(ctx, by, exact, text(r, "reason"))
	case "cancel":
		inv, err = s.Desk.Cancel(ctx, by, exact)
	case "again":
		var o *org.Org
		if o, err = s.organisation(ctx); err != nil {
			return err
		}
		ask := runner.Ask{Actor: by, Username: o.Users[by.User].Username, Room: inv.Room, RoomName: inv.RoomName, Thread: inv.Thread}
		inv, err = s.Desk.Again(ctx, ask, exact)
	default:
		return fault.NotFound("")
	}
	if sent, err := s.toStepUp(w, r, inv, err); sent || err != nil {
		return err
	}
	if fault.Is(err, fault.CodeConflict) { // somebody was first: the page shows what became of it
		s.flash(w, view.Flash{Tone: "warning", Text: fault.MessageOf(err)})
		return redirect(w, r, "/jobs/"+ref)
	}
	if err != nil {
		return err
	}
	number := strconv.FormatInt(inv.Number, 10)
	return s.done(w, r, "/jobs/"+number, phrase.T("commands_web.done", inv.Number, inv.State.Shown()))
}

func (s *Server) releaseLock(w http.ResponseWriter, r *http.Request) error {
	l, err := s.Desk.Unlock(r.Context(), actorOf(r), text(r, "name"))
	if code := fault.CodeOf(err); code == fault.CodeConflict || code == fault.CodeNotFound {
		s.flash(w, view.Flash{Tone: "warning", Text: fault.MessageOf(err)})
		return redirect(w, r, "/jobs")
	}
	if err != nil {
		return err
	}
	return s.done(w, r, "/jobs", phrase.T("commands_web.released", l.Name))
}
