package account_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestSessionsSlideAndEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		g := h.setUp(t)
		h.later(20 * 24 * time.Hour)
		h.actor(t, g) // used: good for another 30 days
		h.later(20 * 24 * time.Hour)
		if a := h.actor(t, g); a.Origin != timeline.Browser || a.Scopes != nil {
			t.Errorf("actor = %+v", a)
		}
		h.later(account.SessionLife)
		_, _, err := h.Authenticate(ctx, g.Cookie)
		wantCode(t, "30 days after the last use", err, fault.CodeUnauthenticated)
		_, _, err = h.Authenticate(ctx, "")
		wantCode(t, "without a cookie", err, fault.CodeUnauthenticated)
	})
}

func TestSeenIsWrittenAtMostOnceAMinute(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		g := h.setUp(t)
		seen := func() time.Time {
			t.Helper()
			h.actor(t, g)
			v, err := h.store.Session(t.Context(), secret.Hash(g.Cookie))
			if err != nil {
				t.Fatal(err)
			}
			return v.SeenAt
		}
		first := seen()
		h.later(59 * time.Second)
		if got := seen(); !got.Equal(first) {
			t.Errorf("seen at %v after 59 s, want %v as before", got, first)
		}
		h.later(time.Second)
		if got, want := seen(), h.clock(); !got.Equal(want) {
			t.Errorf("seen at %v after 60 s, want %v", got, want)
		}
	})
}

func TestSigningOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		first := h.setUp(t)
		var more [2]account.Grant
		for i := range more {
			g, err := h.SignIn(ctx, "kim", password, account.Client{Address: "2001:db8::1", Agent: "Phone"})
			if err != nil {
				t.Fatalf("SignIn: %v", err)
			}
			more[i] = g
			h.later(time.Second)
		}
		a := h.actor(t, first)
		list, err := h.Sessions(ctx, a, first.Cookie)
		if err != nil || len(list) != 3 || !list[2].Current || list[0].Current || list[0].Agent != "Phone" || list[2].Address != "192.0.2.7" {
			t.Fatalf("Sessions = %+v, %v, want three with the first current", list, err)
		}
		if err := h.RevokeSession(ctx, a, list[0].ID); err != nil {
			t.Errorf("RevokeSession: %v", err)
		}
		wantCode(t, "revoke it again", h.RevokeSession(ctx, a, list[0].ID), fault.CodeNotFound)
		_, _, err = h.Authenticate(ctx, more[1].Cookie)
		wantCode(t, "the revoked session", err, fault.CodeUnauthenticated)
		if err := h.SignOutElsewhere(ctx, a, first.Cookie); err != nil {
			t.Errorf("SignOutElsewhere: %v", err)
		}
		_, _, err = h.Authenticate(ctx, more[0].Cookie)
		wantCode(t, "the other session", err, fault.CodeUnauthenticated)
		h.actor(t, first)
		if err := h.SignOut(ctx, first.Cookie); err != nil {
			t.Errorf("SignOut: %v", err)
		}
		_, _, err = h.Authenticate(ctx, first.Cookie)
		wantCode(t, "after signing out", err, fault.CodeUnauthenticated)

		g, err := h.SignIn(ctx, "kim", password, from)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.SignOutEverywhere(ctx, a); err != nil {
			t.Errorf("SignOutEverywhere: %v", err)
		}
		_, _, err = h.Authenticate(ctx, g.Cookie)
		wantCode(t, "after signing out everywhere", err, fault.CodeUnauthenticated)
	})
}

// change applies one change of the organisation as the operator.
func (h *house) change(t *testing.T, c ...org.Change) {
	t.Helper()
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		_, err := dispatch.ApplyChanges(tx, people.Operator(), c)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// join makes a member who can sign in.
func (h *house) join(t *testing.T, by people.Actor, email string) (people.User, account.Grant) {
	t.Helper()
	user, link, err := h.Invite(t.Context(), by, account.Invitation{Name: "Sam", Email: email})
	if err != nil {
		t.Fatalf("Invite: %v", err)
	}
	g, err := h.AcceptInvitation(t.Context(), token(t, link, "/invite/"), password, from)
	if err != nil {
		t.Fatalf("AcceptInvitation: %v", err)
	}
	return user, g
}

func TestDisabledPeopleAreOutForGood(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		admin := h.actor(t, h.setUp(t))
		user, g := h.join(t, admin, "sam@example.org")
		api, _, err := h.CreateToken(ctx, h.actor(t, g), user.ID, "script", nil)
		if err != nil {
			t.Fatal(err)
		}
		user.Disabled = true
		h.change(t, org.Put(user))
		_, _, err = h.Authenticate(ctx, g.Cookie)
		wantCode(t, "session of a disabled person", err, fault.CodeUnauthenticated)
		_, err = h.AuthenticateToken(ctx, api)
		wantCode(t, "token of a disabled person", err, fault.CodeUnauthenticated)
		_, err = h.SignIn(ctx, "sam@example.org", password, from)
		wantCode(t, "signing in", err, fault.CodeUnauthenticated)
		if err := h.Forgot(ctx, "sam@example.org", from); err != nil || len(h.notices(t)) != 1 {
			t.Errorf("Forgot = %v with %d mails, want the invitation only", err, len(h.notices(t)))
		}

		user.Disabled = false
		h.change(t, org.Put(user))
		_, _, err = h.Authenticate(ctx, g.Cookie)
		wantCode(t, "the old session when enabled again", err, fault.CodeUnauthenticated)

		h.change(t, org.Remove(org.UserKind, string(user.ID)))
		if err := h.Clean(ctx); err != nil {
			t.Fatal(err)
		}
		if has, err := h.HasPassword(ctx, user.ID); has || err != nil {
			t.Errorf("HasPassword of a deleted person = %v, %v", has, err)
		}
	})
}

func TestGuessingIsSlowed(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.setUp(t)
		for range 5 {
			_, err := h.SignIn(ctx, "kim@example.org", "wrong", from)
			wantCode(t, "a wrong password", err, fault.CodeUnauthenticated)
		}
		_, err := h.SignIn(ctx, "kim@example.org", password, from)
		wantCode(t, "the sixth attempt", err, fault.CodeTooMany)
		if _, err := h.SignIn(ctx, "kim@example.org", password, account.Client{Address: "198.51.100.1"}); err != nil {
			t.Errorf("SignIn from elsewhere: %v", err)
		}
		h.later(time.Minute)
		if _, err := h.SignIn(ctx, "kim@example.org", password, from); err != nil {
			t.Errorf("SignIn a minute later: %v", err)
		}
	})
}

func TestChangePassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		a := h.actor(t, h.setUp(t))
		wantCode(t, "a wrong old password", h.ChangePassword(ctx, a, "wrong", "another good one"), fault.CodeInvalid)
		wantCode(t, "a bad new password", h.ChangePassword(ctx, a, password, "kim"), fault.CodeInvalid)
		if err := h.ChangePassword(ctx, a, password, "another good one"); err != nil {
			t.Fatalf("ChangePassword: %v", err)
		}
		_, err := h.SignIn(ctx, "kim", password, from)
		wantCode(t, "the old password", err, fault.CodeUnauthenticated)
		if _, err := h.SignIn(ctx, "kim", "another good one", from); err != nil {
			t.Errorf("the new password: %v", err)
		}
		for range 5 {
			wantCode(t, "a wrong old password", h.ChangePassword(ctx, a, "wrong", "x"), fault.CodeInvalid)
		}
		wantCode(t, "the sixth", h.ChangePassword(ctx, a, "wrong", "x"), fault.CodeTooMany)
		wantCode(t, "nobody", h.ChangePassword(ctx, people.Operator(), password, "x"), fault.CodeForbidden)
	})
}

func TestSetPassword(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		g := h.setUp(t)
		a := h.actor(t, g)
		if err := h.SetPassword(ctx, people.Operator(), a.User, "given by hand"); err != nil {
			t.Fatalf("SetPassword: %v", err)
		}
		_, _, err := h.Authenticate(ctx, g.Cookie)
		wantCode(t, "the session from before", err, fault.CodeUnauthenticated)
		if _, err := h.SignIn(ctx, "kim", "given by hand", from); err != nil {
			t.Errorf("SignIn: %v", err)
		}
		wantCode(t, "a member", h.SetPassword(ctx, people.Actor{Role: people.Member}, a.User, password), fault.CodeForbidden)
		wantCode(t, "nobody", h.SetPassword(ctx, people.Operator(), "nobody", password), fault.CodeNotFound)
	})
}

// TestForgottenWithoutMail: whoever asks a server that sends no mail is told so,
// no faster than anybody else may ask, and the log says it once.
func TestForgottenWithoutMail(t *testing.T) {
	box := secrettest.Box(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	var log strings.Builder
	s := account.New(storetest.Open(t), box, account.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Clock: func() time.Time { return now }})
	for n := range 3 {
		wantCode(t, "asking", s.Forgot(t.Context(), "kim@example.org", from), fault.CodeConflict)
		if got := strings.Count(log.String(), "no mail server"); got != 1 {
			t.Errorf("after %d questions the log says it %d times", n+1, got)
		}
	}
	wantCode(t, "asking too often", s.Forgot(t.Context(), "kim@example.org", from), fault.CodeTooMany)
	if strings.Contains(log.String(), "ERROR") {
		t.Errorf("the log has an error: %s", log.String())
	}
}
