package web

import (
	"math"
	"net/http"
	"net/url"
	"strconv"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/otp"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const (
	factorPath   = "/settings/profile/factor"
	securityPath = "/settings/profile/security"
)

func (s *Server) factorRoutes() []Route {
	return []Route{
		{"GET /login/code", "", s.showLoginCode},
		{"POST /login/code", "", s.loginCode},
		{"GET " + factorPath, people.OwnSelf, unkept(s.showFactorSetup)},
		{"POST " + factorPath, people.OwnSelf, unkept(s.setFactor)},
		{"POST " + factorPath + "/codes", people.OwnSelf, unkept(s.renewRecovery)},
		{"POST " + factorPath + "/remove", people.OwnSelf, s.removeFactor},
		{"POST /settings/people/{id}/factor/reset", people.Manage, s.resetFactor},
	}
}

// halfway are the cookies of those whose password was right and whose second
// factor is still to come.
func (s *Server) halfway() auth.Cookies { return auth.Cookies{Secure: s.cookies.Secure, Of: "half"} }

func (s *Server) showLoginCode(w http.ResponseWriter, r *http.Request) error {
	return s.loginCodePage(w, r, http.StatusOK, "")
}

func (s *Server) loginCodePage(w http.ResponseWriter, r *http.Request, status int, wrong string) error {
	next := localPath(r.FormValue("next"))
	user, err := s.Accounts.HalfSignedIn(r.Context(), s.halfway().Token(r))
	if fault.Is(err, fault.CodeUnauthenticated) {
		return s.signInAnew(w, r, next, err)
	}
	if err != nil {
		return err
	}
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return draw(w, r, status, view.LoginCodePage(view.LoginCode{
		Page: s.publicPage(w, r, o, phrase.T("factor_web.login.title")), Email: user.Email, Next: next, Error: wrong,
	}))
}

// signInAnew sends somebody back to the beginning, and says why when they came
// from there.
func (s *Server) signInAnew(w http.ResponseWriter, r *http.Request, next string, why error) error {
	if s.halfway().Token(r) != "" {
		s.halfway().Clear(w)
		s.flash(w, view.Flash{Tone: "warning", Text: fault.MessageOf(why)})
	}
	return redirect(w, r, "/login?next="+url.QueryEscape(next))
}

func (s *Server) loginCode(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.PostFormValue("next"))
	grant, err := s.Accounts.FinishSignIn(r.Context(), s.halfway().Token(r), r.PostFormValue("code"), client(r))
	if fault.Is(err, fault.CodeUnauthenticated) {
		return s.signInAnew(w, r, next, err)
	}
	if status, text, ok := shown(err); ok {
		retryAfter(w, err)
		return s.loginCodePage(w, r, status, text)
	}
	if err != nil {
		return err
	}
	s.halfway().Clear(w)
	return s.welcome(w, r, grant, next)
}

// retryAfter tells when to come back to who was too fast.
func retryAfter(w http.ResponseWriter, err error) {
	if f, ok := faultOf(err); ok && f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
}

// askForFactor leads somebody who has to have a second factor, and has none, to
// setting it up: they can do that, and leave.
func (s *Server) askForFactor(w http.ResponseWriter, r *http.Request) error {
	if isFragment(r) {
		return fault.Forbidden(phrase.T("factor_web.setup.forced"))
	}
	http.Redirect(w, r, factorPath+"?next="+url.QueryEscape(returnTo(r)), http.StatusSeeOther)
	return nil
}

func (s *Server) showFactorSetup(w http.ResponseWriter, r *http.Request) error {
	offer, err := s.Accounts.OfferFactor(r.Context(), actorOf(r))
	if fault.Is(err, fault.CodeConflict) { // they have one
		return redirect(w, r, securityPath)
	}
	if err != nil {
		return err
	}
	return s.factorSetupPage(w, r, http.StatusOK, view.FactorSetup{Sealed: offer.Sealed}, offer.Secret, offer.URI)
}

func (s *Server) factorSetupPage(w http.ResponseWriter, r *http.Request, status int, v view.FactorSetup, secret, uri string) error {
	actor := actorOf(r)
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	picture, err := otp.Draw(uri)
	if err != nil {
		return err
	}
	if v.Page, err = s.settingsPage(w, r, o, phrase.T("factor_web.setup.title")); err != nil {
		return err
	}
	v.Forced = actor.LacksFactor
	v.URI, v.Secret, v.Path, v.Size = uri, otp.Grouped(secret), picture.Path, picture.Size
	v.Account, v.Next = o.Users[actor.User].Email, afterFactor(r)
	return draw(w, r, status, view.FactorSetupPage(v))
}

// afterFactor is where somebody wanted to go when they were led to their second factor.
func afterFactor(r *http.Request) string {
	if r.FormValue("next") == "" {
		return securityPath
	}
	return localPath(r.FormValue("next"))
}

// setFactor answers with the page of the recovery codes: they are in this one
// answer and nowhere else.
func (s *Server) setFactor(w http.ResponseWriter, r *http.Request) error {
	ctx, who, sealed := r.Context(), visitOf(r), r.PostFormValue("offer")
	codes, err := s.Accounts.SetFactor(ctx, who.actor, who.session, sealed, r.PostFormValue("code"), client(r))
	if status, text, ok := shown(err); ok {
		retryAfter(w, err)
		offer, lost := s.Accounts.ReadOffer(ctx, who.actor, sealed)
		if lost != nil || fault.Is(err, fault.CodeConflict) {
			s.flash(w, view.Flash{Tone: "warning", Text: text})
			return redirect(w, r, factorPath+"?next="+url.QueryEscape(afterFactor(r)))
		}
		return s.factorSetupPage(w, r, status, view.FactorSetup{Sealed: sealed, Error: text}, offer.Secret, offer.URI)
	}
	if err != nil {
		return err
	}
	return s.recoveryPage(w, r, codes, true)
}

func (s *Server) recoveryPage(w http.ResponseWriter, r *http.Request, codes []string, fresh bool) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("factor_web.codes"))
	if err != nil {
		return err
	}
	return draw(w, r, http.StatusOK, view.RecoveryCodesPage(view.RecoveryCodes{Page: page, Codes: codes, New: fresh, Next: afterFactor(r)}))
}

func (s *Server) renewRecovery(w http.ResponseWriter, r *http.Request) error {
	who := visitOf(r)
	codes, err := s.Accounts.RenewRecovery(r.Context(), who.actor, who.session, r.PostFormValue("code"), client(r))
	if status, text, ok := shown(err); ok {
		retryAfter(w, err)
		return s.securityPage(w, r, status, map[string]string{"factor": "codes", "code": text})
	}
	if err != nil {
		return err
	}
	return s.recoveryPage(w, r, codes, false)
}

func (s *Server) removeFactor(w http.ResponseWriter, r *http.Request) error {
	who := visitOf(r)
	err := s.Accounts.RemoveFactor(r.Context(), who.actor, who.session, r.PostFormValue("remove"), client(r))
	if status, text, ok := shown(err); ok {
		retryAfter(w, err)
		return s.securityPage(w, r, status, map[string]string{"factor": "remove", "code": text})
	}
	if err != nil {
		return err
	}
	return s.done(w, r, securityPath, phrase.T("factor_web.removed"))
}

// ownFactor is what the page of one's security says about it; errs may be of
// one of its forms.
func (s *Server) ownFactor(r *http.Request, errs map[string]string) (view.OwnFactor, error) {
	f, has, err := s.Accounts.OwnFactor(r.Context(), actorOf(r))
	v := view.OwnFactor{Has: has, Since: f.Since, Recoveries: f.Recoveries}
	if errs["factor"] != "" {
		v.Act, v.Error = errs["factor"], errs["code"]
	}
	return v, err
}

func (s *Server) resetFactor(w http.ResponseWriter, r *http.Request) error {
	who := id.User(r.PathValue("id"))
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	here := peoplePath + "/" + string(who)
	err = s.Accounts.ResetFactor(r.Context(), actorOf(r), who)
	return s.did(w, r, err, here, here, phrase.T("factor_web.person.done", o.Users[who].Name))
}

// roleOptions are the roles for a list to tick.
func roleOptions(chosen people.RoleSet) []view.Option {
	var all []view.Option
	for _, r := range people.Roles {
		all = append(all, view.Option{Value: string(r), Label: phrase.T("web.role." + string(r)), Selected: chosen.Has(r)})
	}
	return all
}

// rolesFrom are those that were ticked.
func rolesFrom(r *http.Request, name string) people.RoleSet {
	var roles []people.Role
	for _, v := range r.PostForm[name] {
		roles = append(roles, people.Role(v))
	}
	return people.RolesOf(roles...)
}
