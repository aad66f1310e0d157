package web

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) stepUpRoutes() []Route {
	return []Route{
		{"GET " + runner.StepUpPage, people.OwnSelf, s.showStepUp},
		{"POST " + runner.StepUpPage, people.OwnSelf, s.stepUp},
	}
}

// What a second factor is shown for, and the name of the field that says which.
const (
	forInvocation = "invocation" // who asked for it goes on
	forApproval   = "approve"    // somebody says yes to it
)

// askedStepUp is the command that a request is about; what is "" when it is
// about none.
func (s *Server) askedStepUp(r *http.Request) (inv invocation.Invocation, what string, err error) {
	for _, what := range []string{forInvocation, forApproval} {
		ref := text(r, what)
		if ref == "" {
			continue
		}
		if s.Desk == nil {
			return inv, "", fault.NotFound("")
		}
		inv, err := s.Desk.Find(r.Context(), actorOf(r), ref)
		if err == nil && what == forInvocation && inv.By.User != actorOf(r).User {
			err = fault.Forbidden(phrase.T("factor_web.stepup.others"))
		}
		return inv, what, err
	}
	return inv, "", nil
}

func (s *Server) showStepUp(w http.ResponseWriter, r *http.Request) error {
	return s.stepUpPage(w, r, http.StatusOK, "")
}

func (s *Server) stepUpPage(w http.ResponseWriter, r *http.Request, status int, wrong string) error {
	actor := actorOf(r)
	inv, what, err := s.askedStepUp(r)
	if err != nil {
		return err
	}
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	v := view.StepUp{What: what, Next: s.afterStepUp(r, o, actor, inv), Error: wrong, Fresh: actor.Proven(s.Now())}
	if what != "" {
		number := strconv.FormatInt(inv.Number, 10)
		v.Number, v.Line, v.By = number, inv.Line, inv.By.Name
		for _, g := range inv.Given {
			v.Fields = append(v.Fields, view.FieldValue{Name: g.Name, Value: g.Value})
		}
		if inv.State != awaited(what) {
			v.Over, v.OverURL = phrase.T("factor_web.stepup.over", inv.State.Shown()), "/jobs/"+number
		}
	}
	if v.Has, err = s.Accounts.HasFactor(r.Context(), actor.User); err != nil {
		return err
	}
	if v.Page, err = s.page(w, r, o, phrase.T("factor_web.stepup.title"), ""); err != nil {
		return err
	}
	return draw(w, r, status, view.StepUpPage(v))
}

// awaited is the state in which a command waits for a second factor.
func awaited(what string) invocation.State {
	if what == forApproval {
		return invocation.Awaiting
	}
	return invocation.Proving
}

// afterStepUp is where somebody goes on: where they came from, or where the
// command is talked of.
func (s *Server) afterStepUp(r *http.Request, o *org.Org, actor people.Actor, inv invocation.Invocation) string {
	switch in, ok := o.Room(inv.Room); {
	case text(r, "next") != "":
		return localPath(text(r, "next"))
	case inv.ID == "":
		return "/"
	case ok && in.CanRead(actor.User) && inv.Living != 0:
		return "/messages/" + seqText(inv.Living) + "?go"
	}
	return "/jobs/" + strconv.FormatInt(inv.Number, 10)
}

func (s *Server) stepUp(w http.ResponseWriter, r *http.Request) error {
	ctx, who := r.Context(), visitOf(r)
	inv, what, err := s.askedStepUp(r)
	if err != nil {
		return err
	}
	if what != "" && inv.State != awaited(what) {
		return s.stepUpPage(w, r, http.StatusConflict, "")
	}
	actor := who.actor
	if !actor.Proven(s.Now()) {
		actor, err = s.Accounts.StepUp(ctx, actor, who.session, r.PostFormValue("code"), client(r))
		if status, text, ok := shown(err); ok {
			retryAfter(w, err)
			return s.stepUpPage(w, r, status, text)
		}
		if err != nil {
			return err
		}
	}
	o, err := s.organisation(ctx)
	if err != nil {
		return err
	}
	to := s.afterStepUp(r, o, actor, inv)
	switch what {
	case forInvocation:
		inv, err = s.Desk.Prove(ctx, actor, string(inv.ID))
	case forApproval:
		inv, err = s.Desk.Approve(ctx, actor, string(inv.ID))
	default:
		return s.done(w, r, to, phrase.T("factor_web.stepup.done"))
	}
	if code := fault.CodeOf(err); code == fault.CodeConflict || code == fault.CodeForbidden {
		s.flash(w, view.Flash{Tone: "warning", Text: fault.MessageOf(err)})
		return redirect(w, r, to)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, to, phrase.T("factor_web.stepup.done_for", inv.Number, inv.State.Shown()))
}

// toStepUp sends somebody on to show their second factor, when that is what
// their command or their yes still needs: there, they come back to where they are.
func (s *Server) toStepUp(w http.ResponseWriter, r *http.Request, inv invocation.Invocation, err error) (bool, error) {
	page, wanted := runner.StepUpFor(err)
	if err == nil && inv.State == invocation.Proving && inv.By.User == actorOf(r).User {
		page, wanted = runner.StepUpPage+"?"+forInvocation+"="+strconv.FormatInt(inv.Number, 10), true
	}
	if !wanted {
		return false, nil
	}
	return true, redirect(w, r, page+"&next="+url.QueryEscape(cameFrom(r)))
}

// cameFrom is the page that a form or a script was on.
func cameFrom(r *http.Request) string {
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != r.Host || from.Path == "" {
		return "/"
	}
	return localPath(from.RequestURI())
}
