package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/otp"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// phone is what somebody's application knows.
type phone struct {
	h      *house
	secret string
}

// code is what it shows now; one that was used is worth nothing, so that the
// next one is waited for.
func (p phone) code(t *testing.T) string {
	t.Helper()
	p.h.later(otp.Step)
	c, err := otp.Code(p.secret, otp.At(p.h.clock()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// enrol sets a second factor up for who has this session.
func (h *house) enrol(t *testing.T, g account.Grant) (phone, []string) {
	t.Helper()
	a, n, err := h.Authenticate(t.Context(), g.Cookie)
	if err != nil {
		t.Fatal(err)
	}
	offer, err := h.OfferFactor(t.Context(), a)
	if err != nil {
		t.Fatalf("OfferFactor: %v", err)
	}
	p := phone{h, offer.Secret}
	codes, err := h.SetFactor(t.Context(), a, n, offer.Sealed, p.code(t), from)
	if err != nil {
		t.Fatalf("SetFactor: %v", err)
	}
	return p, codes
}

// changes are what the timeline says was done with second factors.
func (h *house) changes(t *testing.T) (said []string) {
	t.Helper()
	entries, err := h.store.Entries(t.Context(), store.EntryFilter{Kinds: []timeline.Kind{timeline.OrgChanged}, Limit: 100, FromStart: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if p, ok := e.Payload.(timeline.Change); ok && p.Object == "second_factor" {
			said = append(said, e.Actor.Name+" "+p.Action+" "+p.Name)
		}
	}
	return said
}

func TestSignInWithASecondFactor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		first := h.setUp(t)
		other, err := h.SignIn(ctx, "kim", password, from)
		if err != nil || other.Half {
			t.Fatalf("SignIn without a second factor = %+v, %v", other, err)
		}
		p, codes := h.enrol(t, first)
		if len(codes) != otp.Recoveries {
			t.Errorf("recovery codes %v", codes)
		}
		if a := h.actor(t, first); !a.Proven(h.clock()) {
			t.Error("the browser in which it was set up is not proven")
		}
		_, _, err = h.Authenticate(ctx, other.Cookie)
		wantCode(t, "a session from before", err, fault.CodeUnauthenticated)

		half, err := h.SignIn(ctx, "kim", password, from)
		if err != nil || !half.Half {
			t.Fatalf("SignIn = %+v, %v, want half of it", half, err)
		}
		_, _, err = h.Authenticate(ctx, half.Cookie)
		wantCode(t, "half of a sign-in", err, fault.CodeUnauthenticated)
		_, err = h.FinishSignIn(ctx, half.Cookie, "000000", from)
		wantCode(t, "a wrong code", err, fault.CodeInvalid)
		code := p.code(t)
		g, err := h.FinishSignIn(ctx, half.Cookie, code[:3]+" "+code[3:], from)
		if err != nil || g.Half {
			t.Fatalf("FinishSignIn = %+v, %v", g, err)
		}
		if a := h.actor(t, g); !a.Proven(h.clock()) {
			t.Error("who has just signed in with it is not proven")
		}
		_, err = h.FinishSignIn(ctx, half.Cookie, p.code(t), from)
		wantCode(t, "the same half a second time", err, fault.CodeUnauthenticated)

		again, err := h.SignIn(ctx, "kim", password, from)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.FinishSignIn(ctx, again.Cookie, code, from)
		wantCode(t, "a code that was used", err, fault.CodeInvalid)
		h.later(account.HalfLife)
		_, err = h.FinishSignIn(ctx, again.Cookie, p.code(t), from)
		wantCode(t, "too late", err, fault.CodeUnauthenticated)
	})
}

func TestRecoveryCodesWorkOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		g := h.setUp(t)
		_, codes := h.enrol(t, g)
		for i := range 2 {
			half, err := h.SignIn(ctx, "kim", password, from)
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.FinishSignIn(ctx, half.Cookie, " "+strings.ToUpper(codes[3])+" ", from)
			if i == 0 && err != nil {
				t.Fatalf("FinishSignIn with a recovery code: %v", err)
			}
			if i == 1 {
				wantCode(t, "a recovery code a second time", err, fault.CodeInvalid)
			}
		}
		a, n, err := h.Authenticate(ctx, g.Cookie)
		if err != nil {
			t.Fatal(err)
		}
		if f, ok, err := h.OwnFactor(ctx, a); err != nil || !ok || f.Recoveries != otp.Recoveries-1 {
			t.Errorf("OwnFactor = %+v, %v, %v", f, ok, err)
		}
		fresh, err := h.RenewRecovery(ctx, a, n, codes[4], from)
		if err != nil || len(fresh) != otp.Recoveries {
			t.Fatalf("RenewRecovery = %v, %v", fresh, err)
		}
		_, err = h.StepUp(ctx, a, n, codes[5], from)
		wantCode(t, "a recovery code of before", err, fault.CodeInvalid)
		if _, err := h.StepUp(ctx, a, n, fresh[0], from); err != nil {
			t.Errorf("StepUp with a new recovery code: %v", err)
		}
		mails := h.notices(t)
		if last := mails[len(mails)-1]; !strings.Contains(strings.Join(last.Lines, " "), "recovery code was used") {
			t.Errorf("the last mail is %+v", last)
		}
	})
}

func TestASecondFactorIsNotGotAround(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		p, _ := h.enrol(t, h.setUp(t))
		if err := h.Forgot(ctx, "kim@example.org", from); err != nil {
			t.Fatal(err)
		}
		mails := h.notices(t)
		g, err := h.Reset(ctx, token(t, mails[len(mails)-1].URL, "/reset/"), "another good password", from)
		if err != nil || !g.Half {
			t.Fatalf("Reset = %+v, %v, want half of a session", g, err)
		}
		if _, err := h.FinishSignIn(ctx, g.Cookie, p.code(t), from); err != nil {
			t.Errorf("FinishSignIn after a reset: %v", err)
		}
		half, err := h.SignIn(ctx, "kim", "another good password", from)
		if err != nil {
			t.Fatal(err)
		}
		kim := h.actor(t, must(h.FinishSignIn(ctx, half.Cookie, p.code(t), from))(t)).User
		waiting, err := h.SignIn(ctx, "kim", "another good password", from)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.SetPassword(ctx, people.Operator(), kim, "yet another password"); err != nil {
			t.Fatal(err)
		}
		_, err = h.FinishSignIn(ctx, waiting.Cookie, p.code(t), from)
		wantCode(t, "half a sign-in with a password of before", err, fault.CodeUnauthenticated)
	})
}

func must(g account.Grant, err error) func(t *testing.T) account.Grant {
	return func(t *testing.T) account.Grant {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
}

func TestGuessingCodesIsBraked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		p, _ := h.enrol(t, h.setUp(t))
		half, err := h.SignIn(ctx, "kim", password, from)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			_, err = h.FinishSignIn(ctx, half.Cookie, "123 45", from)
			wantCode(t, "a wrong code", err, fault.CodeInvalid)
		}
		right := p.code(t) // half a minute gives one more try
		_, err = h.FinishSignIn(ctx, half.Cookie, "12345", from)
		wantCode(t, "a wrong code after half a minute", err, fault.CodeInvalid)
		_, err = h.FinishSignIn(ctx, half.Cookie, right, from)
		wantCode(t, "the right one, too fast", err, fault.CodeTooMany)
		if _, err := h.FinishSignIn(ctx, half.Cookie, right, account.Client{Address: "198.51.100.9"}); err != nil {
			t.Errorf("the right one from elsewhere: %v", err)
		}
	})
}

func TestStepUpIsOfOneSessionAndTenMinutes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		first := h.setUp(t)
		p, _ := h.enrol(t, first)
		half, err := h.SignIn(ctx, "kim", password, from)
		if err != nil {
			t.Fatal(err)
		}
		second := must(h.FinishSignIn(ctx, half.Cookie, p.code(t), from))(t)
		h.later(people.StepUpFor)
		a, n, err := h.Authenticate(ctx, first.Cookie)
		if err != nil || a.Proven(h.clock()) {
			t.Fatalf("after ten minutes: %+v, %v", a, err)
		}
		_, err = h.StepUp(ctx, a, n, "000000", from)
		wantCode(t, "a wrong code", err, fault.CodeInvalid)
		stepped, err := h.StepUp(ctx, a, n, p.code(t), from)
		if err != nil || !stepped.Proven(h.clock()) {
			t.Fatalf("StepUp = %+v, %v", stepped, err)
		}
		h.later(9 * time.Minute)
		if !h.actor(t, first).Proven(h.clock()) {
			t.Error("after nine minutes it is not proven any more")
		}
		if h.actor(t, second).Proven(h.clock()) {
			t.Error("another browser is proven, too")
		}
		h.later(2 * time.Minute)
		if h.actor(t, first).Proven(h.clock()) {
			t.Error("after eleven minutes it still is")
		}
		byToken := a
		byToken.Origin = timeline.API
		_, err = h.StepUp(ctx, byToken, n, p.code(t), from)
		wantCode(t, "a program", err, fault.CodeForbidden)
		_, err = h.StepUp(ctx, a, "", p.code(t), from)
		wantCode(t, "no session", err, fault.CodeForbidden)
	})
}

func TestSettingUpAndRemoving(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		g := h.setUp(t)
		a, n, err := h.Authenticate(ctx, g.Cookie)
		if err != nil {
			t.Fatal(err)
		}
		offer, err := h.OfferFactor(ctx, a)
		if err != nil || !strings.Contains(offer.URI, offer.Secret) || !strings.Contains(offer.URI, "Harbour:kim@example.org") || strings.Contains(offer.Sealed, offer.Secret) {
			t.Fatalf("OfferFactor = %+v, %v", offer, err)
		}
		if same, err := h.ReadOffer(ctx, a, offer.Sealed); err != nil || same.Secret != offer.Secret {
			t.Errorf("ReadOffer = %+v, %v", same, err)
		}
		stranger := a
		stranger.User = "somebody"
		_, err = h.ReadOffer(ctx, stranger, offer.Sealed)
		wantCode(t, "an offer to somebody else", err, fault.CodeConflict)
		_, err = h.SetFactor(ctx, a, n, offer.Sealed, "000000", from)
		wantCode(t, "a wrong code", err, fault.CodeInvalid)
		if has, err := h.HasFactor(ctx, a.User); has || err != nil {
			t.Errorf("HasFactor = %v, %v, and nothing was confirmed", has, err)
		}
		_, err = h.StepUp(ctx, a, n, "000000", from)
		wantCode(t, "stepping up without one", err, fault.CodeConflict)
		p := phone{h, offer.Secret}
		h.later(account.OfferLife)
		_, err = h.SetFactor(ctx, a, n, offer.Sealed, p.code(t), from)
		wantCode(t, "an offer of long ago", err, fault.CodeConflict)

		p, _ = h.enrol(t, g)
		_, err = h.OfferFactor(ctx, a)
		wantCode(t, "a second one", err, fault.CodeConflict)
		wantCode(t, "removing with a wrong code", h.RemoveFactor(ctx, a, n, "000000", from), fault.CodeInvalid)
		if err := h.RemoveFactor(ctx, a, n, p.code(t), from); err != nil {
			t.Fatalf("RemoveFactor: %v", err)
		}
		if now, err := h.SignIn(ctx, "kim", password, from); err != nil || now.Half {
			t.Errorf("SignIn afterwards = %+v, %v", now, err)
		}
		if h.actor(t, g).Proven(h.clock()) {
			t.Error("proven by a second factor that is no more")
		}
		if said := strings.Join(h.changes(t), "; "); said != "Kim Doe created Kim Doe; Kim Doe deleted Kim Doe" {
			t.Errorf("the timeline says %q", said)
		}
	})
}

func TestAnAdministratorResetsIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		admin := h.actor(t, h.setUp(t))
		sam, link, err := h.Invite(ctx, admin, account.Invitation{Name: "Sam", Email: "sam@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		joined := must(h.AcceptInvitation(ctx, token(t, link, "/invite/"), password, from))(t)
		wantCode(t, "resetting none", h.ResetFactor(ctx, admin, sam.ID), fault.CodeConflict)
		h.enrol(t, joined)
		own := h.actor(t, joined)
		wantCode(t, "resetting one's own", h.ResetFactor(ctx, own, sam.ID), fault.CodeForbidden)
		wantCode(t, "resetting nobody's", h.ResetFactor(ctx, admin, "nobody"), fault.CodeNotFound)
		if err := h.ResetFactor(ctx, admin, sam.ID); err != nil {
			t.Fatalf("ResetFactor: %v", err)
		}
		if g, err := h.SignIn(ctx, "sam", password, from); err != nil || g.Half {
			t.Errorf("SignIn afterwards = %+v, %v", g, err)
		}
		mails := h.notices(t)
		if last := mails[len(mails)-1]; !strings.Contains(last.Lines[0], "Kim Doe has removed") {
			t.Errorf("the last mail is %+v", last)
		}
		if said := h.changes(t); len(said) != 2 || said[1] != "Kim Doe deleted Sam" {
			t.Errorf("the timeline says %q", said)
		}
	})
}

func TestWhoLacksIt(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		g := h.setUp(t)
		lacks := func(want bool) {
			t.Helper()
			if got := h.actor(t, g).LacksFactor; got != want {
				t.Errorf("LacksFactor = %v, want %v", got, want)
			}
		}
		wanted := func(roles ...people.Role) {
			o, err := h.store.Org(ctx)
			if err != nil {
				t.Fatal(err)
			}
			settings := o.Settings
			settings.SecondFactor = people.RolesOf(roles...)
			h.change(t, org.Put(settings))
		}
		lacks(false)
		wanted(people.Member)
		lacks(false)
		wanted(people.Member, people.Admin)
		lacks(true)
		h.enrol(t, g)
		lacks(false)
	})
}

func TestSecretsOfSecondFactorsAreNotReadable(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		g := h.setUp(t)
		p, codes := h.enrol(t, g)
		f, err := h.store.Factor(t.Context(), h.actor(t, g).User)
		if err != nil || strings.Contains(f.Sealed, p.secret) {
			t.Errorf("stored %+v, %v", f, err)
		}
		err = h.store.Do(t.Context(), func(tx *store.Tx) error {
			for _, c := range codes {
				if has, err := tx.HasRecovery(f.Person, c); has || err != nil {
					t.Errorf("the recovery code %s is stored as it is (%v)", c, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
