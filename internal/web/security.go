package web

import (
	"net/http"
	"strings"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) securityRoutes() []Route {
	return []Route{
		{"GET /settings/profile/security", people.OwnSelf, s.showSecurity},
		{"POST /settings/profile/password", people.OwnSelf, s.changePassword},
		{"POST /settings/profile/sessions/end", people.OwnSelf, s.endAllSessions},
		{"POST /settings/profile/sessions/{id}/end", people.OwnSelf, s.endSession},
		{"GET /settings/profile/tokens", people.OwnSelf, s.showOwnTokens},
		{"POST /settings/profile/tokens", people.OwnSelf, unkept(s.createToken)},
		{"POST /settings/profile/tokens/{id}/revoke", people.OwnSelf, s.revokeToken("/settings/profile/tokens")},
	}
}

func (s *Server) showSecurity(w http.ResponseWriter, r *http.Request) error {
	return s.securityPage(w, r, http.StatusOK, nil)
}

func (s *Server) securityPage(w http.ResponseWriter, r *http.Request, status int, errs map[string]string) error {
	ctx, actor := r.Context(), actorOf(r)
	o, err := s.organisation(ctx)
	if err != nil {
		return err
	}
	has, err := s.Accounts.HasPassword(ctx, actor.User)
	if err != nil {
		return err
	}
	sessions, err := s.Accounts.Sessions(ctx, actor, s.cookies.Token(r))
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("settings.profile.tab.security"))
	if err != nil {
		return err
	}
	v := view.Security{Page: page, Username: o.Users[actor.User].Email, HasPassword: has, Errors: errs}
	if v.Factor, err = s.ownFactor(r, errs); err != nil {
		return err
	}
	for _, x := range sessions {
		v.Sessions = append(v.Sessions, view.SessionRow{
			ID: string(x.ID), Agent: browser(x.Agent), Address: x.Address, CreatedAt: x.CreatedAt, SeenAt: x.SeenAt, Current: x.Current,
		})
	}
	return draw(w, r, status, view.SecurityPage(v))
}

// browser says in words what a User-Agent header claims: enough to recognise
// one's own devices, and nothing more.
func browser(agent string) string {
	pick := func(names ...string) string {
		for i := 0; i+1 < len(names); i += 2 {
			if strings.Contains(agent, names[i]) {
				return names[i+1]
			}
		}
		return ""
	}
	// The order matters: Edge and Opera call themselves Chrome, Chrome calls itself Safari.
	program := pick("Edg", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari", "curl/", "curl")
	system := pick("iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "Mac OS X", "macOS", "Linux", "Linux")
	switch {
	case program != "" && system != "":
		return phrase.T("settings.security.agent", program, system)
	case program != "":
		return program
	}
	return phrase.T("settings.security.agent.unknown")
}

// changePassword also ends the other sessions: whoever changes a password may
// do so because somebody else knows it.
func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	ctx, actor := r.Context(), actorOf(r)
	err := s.Accounts.ChangePassword(ctx, actor, r.PostFormValue("old"), r.PostFormValue("password"))
	if status, message, ok := shown(err); ok {
		field := "password"
		if f, ok := faultOf(err); ok && f.Field == "old_password" || fault.Is(err, fault.CodeTooMany) {
			field = "old"
		}
		return s.securityPage(w, r, status, map[string]string{field: message})
	}
	if err != nil {
		return err
	}
	if err := s.Accounts.SignOutElsewhere(ctx, actor, s.cookies.Token(r)); err != nil {
		return err
	}
	return s.done(w, r, "/settings/profile/security", phrase.T("settings.password.changed"))
}

func (s *Server) endAllSessions(w http.ResponseWriter, r *http.Request) error {
	if err := s.Accounts.SignOutEverywhere(r.Context(), actorOf(r)); err != nil {
		return err
	}
	s.cookies.Clear(w)
	return s.done(w, r, "/login", phrase.T("settings.signed_out.everywhere"))
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request) error {
	if err := s.Accounts.RevokeSession(r.Context(), actorOf(r), id.Session(r.PathValue("id"))); err != nil {
		return err
	}
	return s.done(w, r, "/settings/profile/security", phrase.T("settings.session.ended"))
}

func (s *Server) showOwnTokens(w http.ResponseWriter, r *http.Request) error {
	return s.tokensPage(w, r, http.StatusOK, view.OwnTokens{})
}

func (s *Server) tokensPage(w http.ResponseWriter, r *http.Request, status int, v view.OwnTokens) error {
	ctx, actor := r.Context(), actorOf(r)
	o, err := s.organisation(ctx)
	if err != nil {
		return err
	}
	all, err := s.Accounts.Tokens(ctx, actor)
	if err != nil {
		return err
	}
	var own []account.Token
	for _, t := range all {
		if t.User == actor.User {
			own = append(own, t)
		}
	}
	if v.Page, err = s.settingsPage(w, r, o, phrase.T("settings.profile.tab.tokens")); err != nil {
		return err
	}
	v.Tokens = tokenRows(o, own)
	chosen := r.PostForm["scope"]
	if v.Secret != "" {
		chosen = nil
	}
	v.Scopes = scopeOptions(actor, chosen)
	return draw(w, r, status, view.OwnTokensPage(v))
}

func tokenRows(o *org.Org, tokens []account.Token) []view.TokenRow {
	rows := make([]view.TokenRow, len(tokens))
	for i, t := range tokens {
		rows[i] = view.TokenRow{ID: string(t.ID), Name: t.Name, Owner: o.UserName(t.User), CreatedAt: t.CreatedAt, SeenAt: t.SeenAt}
		for _, p := range t.Scopes {
			rows[i].Scopes = append(rows[i].Scopes, phrase.T("settings.scope."+string(p)))
		}
	}
	return rows
}

// scopeOptions offers what the actor may do; a token can do no more.
func scopeOptions(actor people.Actor, chosen []string) []view.Option {
	var options []view.Option
	for _, p := range people.Permissions {
		if !actor.May(p) {
			continue
		}
		name := string(p)
		on := false
		for _, c := range chosen {
			on = on || c == name
		}
		options = append(options, view.Option{Value: name, Label: phrase.T("settings.scope." + name), Hint: phrase.T("settings.scope." + name + ".text"), Selected: on})
	}
	return options
}

// createToken answers with the page itself instead of sending the browser on:
// the secret is in this one answer and nowhere else.
func (s *Server) createToken(w http.ResponseWriter, r *http.Request) error {
	actor, name := actorOf(r), text(r, "name")
	var scopes []people.Permission
	for _, value := range r.PostForm["scope"] {
		scopes = append(scopes, people.Permission(value))
	}
	errs := fields{}
	errs.name("name", name)
	if len(errs) > 0 {
		return s.tokensPage(w, r, http.StatusUnprocessableEntity, view.OwnTokens{Name: name, Errors: errs})
	}
	secret, token, err := s.Accounts.CreateToken(r.Context(), actor, actor.User, name, scopes)
	if status, message, ok := shown(err); ok {
		errs["name"] = message
		if f, ok := faultOf(err); ok && f.Field == "scopes" {
			errs = fields{"scope": message}
		}
		return s.tokensPage(w, r, status, view.OwnTokens{Name: name, Errors: errs})
	}
	if err != nil {
		return err
	}
	return s.tokensPage(w, r, http.StatusOK, view.OwnTokens{Secret: secret, Created: token.Name})
}

func (s *Server) revokeToken(back string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.Accounts.RevokeToken(r.Context(), actorOf(r), id.Token(r.PathValue("id"))); err != nil {
			return err
		}
		return s.done(w, r, back, phrase.T("settings.token.revoked"))
	}
}
