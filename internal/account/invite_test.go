package account_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestInvitation(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		admin := h.actor(t, h.setUp(t))
		team := people.Team{ID: id.Team(id.New()), Slug: "db", Name: "Databases"}
		h.change(t, org.Put(team))
		user, link, err := h.Invite(ctx, admin, account.Invitation{Name: "Sam Roe", Email: "sam.roe@example.org", Teams: []id.Team{team.ID}})
		if err != nil {
			t.Fatalf("Invite: %v", err)
		}
		if user.Username != "sam-roe" || user.Role != people.Member || user.Zone != "Europe/Berlin" || !user.Reachable() {
			t.Errorf("invited %+v", user)
		}
		o, err := h.store.Org(ctx)
		if err != nil || !slices.Contains(o.Teams[team.ID].Members, user.ID) {
			t.Errorf("team = %+v, %v, want Sam in it", o.Teams[team.ID], err)
		}
		mails := h.notices(t)
		if len(mails) != 1 || mails[0].URL != link || !strings.Contains(mails[0].Subject, "Harbour") {
			t.Errorf("mails = %+v, want one with %s", mails, link)
		}
		_, err = h.SignIn(ctx, "sam.roe@example.org", "", from)
		wantCode(t, "signing in before a password was chosen", err, fault.CodeUnauthenticated)

		newer, err := h.Reinvite(ctx, admin, user.ID)
		if err != nil {
			t.Fatalf("Reinvite: %v", err)
		}
		_, err = h.InvitationFor(ctx, token(t, link, "/invite/"))
		wantCode(t, "the earlier link", err, fault.CodeNotFound)
		tok := token(t, newer, "/invite/")
		if got, err := h.InvitationFor(ctx, tok); err != nil || got.ID != user.ID {
			t.Errorf("InvitationFor = %+v, %v", got, err)
		}
		_, err = h.ResetFor(ctx, tok)
		wantCode(t, "an invitation used as a reset link", err, fault.CodeNotFound)
		_, err = h.AcceptInvitation(ctx, tok, "short", from)
		wantCode(t, "a short password", err, fault.CodeInvalid)
		_, err = h.Join(ctx, tok, account.Profile{Username: "kim"}, password, from)
		wantCode(t, "somebody else's username", err, fault.CodeInvalid)
		g, err := h.Join(ctx, tok, account.Profile{Name: "Samuel Roe", Zone: "UTC"}, password, from)
		if err != nil {
			t.Fatalf("Join: %v", err)
		}
		if a := h.actor(t, g); a.Name != "Samuel Roe" || a.User != user.ID {
			t.Errorf("actor = %+v", a)
		}
		_, err = h.AcceptInvitation(ctx, tok, password, from)
		wantCode(t, "a link that was used", err, fault.CodeNotFound)
		_, err = h.Reinvite(ctx, admin, user.ID)
		wantCode(t, "inviting who has joined", err, fault.CodeConflict)
	})
}

func TestInvitationRefusals(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		admin := h.actor(t, h.setUp(t))
		for what, c := range map[string]struct {
			f    account.Invitation
			want string
		}{
			"address taken":  {account.Invitation{Name: "K", Email: "KIM@example.org"}, "email"},
			"username taken": {account.Invitation{Name: "K", Username: "Kim", Email: "k@example.org"}, "username"},
			"the bot":        {account.Invitation{Name: "K", Username: "victor", Email: "k@example.org"}, "username"},
			"a mention":      {account.Invitation{Name: "K", Username: "here", Email: "k@example.org"}, "username"},
			"another person": {account.Invitation{Name: "Kim\u200b", Username: "k", Email: "k@example.org"}, "name"},
			"no name":        {account.Invitation{Email: "k@example.org"}, "name"},
			"no address":     {account.Invitation{Name: "K"}, "email"},
			"unknown role":   {account.Invitation{Name: "K", Email: "k@example.org", Role: "king"}, "role"},
			"unknown team":   {account.Invitation{Name: "K", Email: "k@example.org", Teams: []id.Team{"none"}}, "teams"},
		} {
			_, _, err := h.Invite(ctx, admin, c.f)
			if e, ok := err.(*fault.Error); !ok || e.Field != c.want { //nolint:errorlint // the very error is what a form shows
				t.Errorf("%s: error %v, want a fault of field %s", what, err, c.want)
			}
		}
		if n := len(h.notices(t)); n != 0 {
			t.Errorf("%d mails wait after refusals", n)
		}
		_, _, err := h.Invite(ctx, people.Actor{Role: people.Member}, account.Invitation{Name: "K", Email: "k@example.org"})
		wantCode(t, "a member invites", err, fault.CodeForbidden)
		_, link, err := h.Invite(ctx, admin, account.Invitation{Name: "Kim Park", Email: "kim@other.example.org"})
		if err != nil {
			t.Fatalf("Invite somebody whose username would be taken: %v", err)
		}
		h.later(account.InviteLife)
		_, err = h.InvitationFor(ctx, token(t, link, "/invite/"))
		wantCode(t, "a link that is too old", err, fault.CodeNotFound)
		if err := h.Clean(ctx); err != nil {
			t.Errorf("Clean: %v", err)
		}
	})
}

func TestReset(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		g := h.setUp(t)
		if err := h.Forgot(ctx, "stranger@example.org", from); err != nil || len(h.notices(t)) != 0 {
			t.Fatalf("Forgot of a stranger = %v with %d mails", err, len(h.notices(t)))
		}
		if err := h.Forgot(ctx, " Kim@Example.org", from); err != nil {
			t.Fatalf("Forgot: %v", err)
		}
		mails := h.notices(t)
		if len(mails) != 1 {
			t.Fatalf("%d mails, want one", len(mails))
		}
		tok := token(t, mails[0].URL, "/reset/")
		if u, err := h.ResetFor(ctx, tok); err != nil || u.Username != "kim" {
			t.Errorf("ResetFor = %+v, %v", u, err)
		}
		fresh, err := h.Reset(ctx, tok, "a new beginning", from)
		if err != nil {
			t.Fatalf("Reset: %v", err)
		}
		h.actor(t, fresh)
		_, _, err = h.Authenticate(ctx, g.Cookie)
		wantCode(t, "the session from before", err, fault.CodeUnauthenticated)
		_, err = h.Reset(ctx, tok, "another beginning", from)
		wantCode(t, "a link that was used", err, fault.CodeNotFound)
		for range 2 {
			if err := h.Forgot(ctx, "kim@example.org", from); err != nil {
				t.Errorf("Forgot: %v", err)
			}
		}
		wantCode(t, "the fourth mail", h.Forgot(ctx, "kim@example.org", from), fault.CodeTooMany)
		h.later(account.ResetLife)
		_, err = h.ResetFor(ctx, token(t, h.notices(t)[2].URL, "/reset/"))
		wantCode(t, "a link that is too old", err, fault.CodeNotFound)
	})
}

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		admin := h.actor(t, h.setUp(t))
		sam, g := h.join(t, admin, "sam@example.org")
		member := h.actor(t, g)

		text, tok, err := h.CreateToken(ctx, member, sam.ID, " deploys ", []people.Permission{people.Talk, people.Read, people.Read})
		if err != nil || tok.Name != "deploys" || !strings.HasPrefix(text, "wr_") {
			t.Fatalf("CreateToken = %q, %+v, %v", text, tok, err)
		}
		a, err := h.AuthenticateToken(ctx, text)
		if err != nil || a.Origin != timeline.API || !a.May(people.Talk) || a.May(people.Respond) || a.User != sam.ID {
			t.Errorf("AuthenticateToken = %+v, %v", a, err)
		}
		_, err = h.AuthenticateToken(ctx, text+"x")
		wantCode(t, "an unknown token", err, fault.CodeUnauthenticated)
		_, _, err = h.CreateToken(ctx, member, admin.User, "theft", nil)
		wantCode(t, "a token for somebody else", err, fault.CodeForbidden)
		_, _, err = h.CreateToken(ctx, admin, sam.ID, "reading along", nil)
		wantCode(t, "an administrator's token for a person", err, fault.CodeForbidden)
		_, _, err = h.CreateToken(ctx, a, sam.ID, "wider", nil)
		wantCode(t, "a token that makes a wider one", err, fault.CodeForbidden)
		_, _, err = h.CreateToken(ctx, member, sam.ID, "odd", []people.Permission{"fly"})
		wantCode(t, "an unknown scope", err, fault.CodeInvalid)
		_, _, err = h.CreateToken(ctx, member, sam.ID, " ", nil)
		wantCode(t, "no name", err, fault.CodeInvalid)

		_, own, err := h.CreateToken(ctx, people.Operator(), admin.User, "cron", nil)
		if err != nil {
			t.Fatalf("CreateToken by the operator: %v", err)
		}
		for who, c := range map[string]struct {
			actor people.Actor
			want  int
		}{"member": {member, 1}, "admin": {admin, 2}} {
			list, err := h.Tokens(ctx, c.actor)
			if err != nil || len(list) != c.want {
				t.Errorf("Tokens of the %s = %+v, %v, want %d", who, list, err, c.want)
			}
		}
		list, err := h.Tokens(ctx, member)
		if err != nil || list[0].SeenAt.IsZero() || !slices.Equal(list[0].Scopes, []people.Permission{people.Read, people.Talk}) {
			t.Errorf("Tokens = %+v, %v, want it used, with its scopes", list, err)
		}
		wantCode(t, "revoke somebody else's", h.RevokeToken(ctx, member, own.ID), fault.CodeNotFound)
		wantCode(t, "revoke with too few scopes", h.RevokeToken(ctx, a, tok.ID), fault.CodeForbidden)
		if err := h.RevokeToken(ctx, admin, tok.ID); err != nil {
			t.Errorf("RevokeToken: %v", err)
		}
		_, err = h.AuthenticateToken(ctx, text)
		wantCode(t, "a revoked token", err, fault.CodeUnauthenticated)
	})
}
