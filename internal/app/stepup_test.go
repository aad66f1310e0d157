package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/otp"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// browser is one in which somebody is signed in, and their phone.
type browser struct {
	*world
	cookie string
	secret string
	last   int64
}

var desk = account.Client{Address: "192.0.2.7", Agent: "Firefox"}

// signedIn gives somebody a password and signs them in.
func (w *world) signedIn(name string) *browser {
	w.Helper()
	const password = "correct horse battery"
	if err := w.app.Accounts.SetPassword(w.Context(), people.Operator(), id.User(name), password); err != nil {
		w.Fatal(err)
	}
	g, err := w.app.Accounts.SignIn(w.Context(), name, password, desk)
	if err != nil {
		w.Fatal(err)
	}
	return &browser{world: w, cookie: g.Cookie}
}

func (b *browser) visit() (people.Actor, id.Session) {
	b.Helper()
	a, n, err := b.app.Accounts.Authenticate(b.Context(), b.cookie)
	if err != nil {
		b.Fatal(err)
	}
	return a, n
}

func (b *browser) code() string {
	b.Helper()
	b.last = max(b.last+1, otp.At(time.Now())-otp.Skew)
	code, err := otp.Code(b.secret, b.last)
	if err != nil {
		b.Fatal(err)
	}
	return code
}

// equip sets a second factor up.
func (b *browser) equip() {
	b.Helper()
	a, n := b.visit()
	offer, err := b.app.Accounts.OfferFactor(b.Context(), a)
	if err != nil {
		b.Fatal(err)
	}
	b.secret = offer.Secret
	if _, err := b.app.Accounts.SetFactor(b.Context(), a, n, offer.Sealed, b.code(), desk); err != nil {
		b.Fatal(err)
	}
}

// says types into the timeline as this browser.
func (b *browser) says(text string) {
	b.Helper()
	a, _ := b.visit()
	if err := b.app.Dispatch.Post(b.Context(), a, 0, text); err != nil {
		b.Fatal(err)
	}
	b.settle()
}

// prove shows the second factor for a command.
func (b *browser) prove(n string) error {
	b.Helper()
	a, session := b.visit()
	a, err := b.app.Accounts.StepUp(b.Context(), a, session, b.code(), desk)
	if err != nil {
		b.Fatal(err)
	}
	_, err = b.app.talk.desk.Prove(b.Context(), a, n)
	b.settle()
	return err
}

func (w *world) latest() invocation.Invocation {
	w.Helper()
	found := w.invocations(store.InvocationFilter{Limit: 1})
	if len(found) != 1 {
		w.Fatal("no command was given")
	}
	return found[0]
}

func TestASecondFactorForACommand(t *testing.T) {
	story(t, func(w *world) {
		w.rules("require step_up for incident.resolve\nrequire approval(admins) for incident.resolve when severity == \"warning\"")
		kim := w.signedIn("kim")
		for _, entity := range []string{"one", "two", "three", "four"} {
			w.post("CRITICAL", entity)
		}
		w.post("WARNING", "five")
		state := func(want invocation.State) invocation.Invocation {
			t.Helper()
			inv := w.latest()
			if inv.State != want {
				t.Fatalf("command %d %q is %s, want %s", inv.Number, inv.Line, inv.State, want)
			}
			return inv
		}

		kim.says("!resolve 1") // without a second factor it waits, and is over after a while
		state(invocation.Proving)
		w.wantHeard(room.Main, "second factor of Kim", "/step-up?invocation=")
		w.later(invocation.ProveFor)
		state(invocation.Expired)
		w.wantState(1, incident.Triggered)

		kim.equip()
		kim.says("!resolve 1")
		state(invocation.Succeeded)
		w.wantState(1, incident.Resolved)

		w.later(9 * time.Minute)
		kim.says("!resolve 2")
		state(invocation.Succeeded)
		w.later(2 * time.Minute)
		kim.says("!resolve 3") // eleven minutes later
		inv := state(invocation.Proving)
		w.restart() // what waits goes on waiting
		if err := kim.prove(string(inv.ID)); err != nil {
			t.Fatalf("Prove: %v", err)
		}
		state(invocation.Succeeded)
		w.wantState(3, incident.Resolved)

		token := w.as("kim")
		token.Origin = timeline.API
		if err := w.app.Dispatch.Post(w.Context(), token, 0, "!resolve 4"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if inv := state(invocation.Denied); !strings.Contains(inv.Why, "a program cannot show one") {
			t.Errorf("a token is refused because %q", inv.Why)
		}

		kim.says("!resolve 5") // and whoever approves shows it, too
		inv = state(invocation.Awaiting)
		ada := w.signedIn("ada")
		admin, _ := ada.visit()
		if _, err := w.app.talk.desk.Approve(w.Context(), admin, inv.Short); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("approved without a second factor: %v", err)
		}
		ada.says("!approve " + inv.Short)
		w.wantState(5, incident.Triggered)
		w.wantHeard(withBot("ada"), "/step-up?approve=")
		ada.equip()
		ada.says("!approve " + inv.Short)
		w.wantState(5, incident.Resolved)
	})
}

// Whose second factor is wanted and not there does nothing but set it up: with
// the cookie, the API is no way around. A token is no sign-in.
func TestALackingSecondFactor(t *testing.T) {
	story(t, func(w *world) {
		ada := w.signedIn("ada")
		for path, want := range map[string]string{"/api/v1/tokens": `{"name":"mine"}`, "/settings/profile/tokens": "name=mine"} {
			if rec := w.send(asker{cookie: ada.cookie}, http.MethodPost, path, "application/json", want); rec.Code >= http.StatusBadRequest {
				t.Fatalf("POST %s: %d %s", path, rec.Code, rec.Body)
			}
		}
		_, err := w.app.Dispatch.ChangeOrg(w.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
			is := o.Settings
			is.SecondFactor = people.RolesOf(people.Admin)
			return []org.Change{org.Put(is)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			as           asker
			method, path string
			want         int
		}{
			{asker{cookie: ada.cookie}, http.MethodPost, "/api/v1/tokens", http.StatusForbidden},
			{asker{cookie: ada.cookie}, http.MethodGet, "/api/v1/me", http.StatusForbidden},
			{asker{cookie: ada.cookie}, http.MethodPost, "/settings/profile/tokens", http.StatusSeeOther}, // to setting it up
			{asker{cookie: ada.cookie}, http.MethodGet, "/settings/profile/factor", http.StatusOK},
			{asker{token: w.token("ada")}, http.MethodGet, "/api/v1/me", http.StatusOK},
		} {
			rec := w.send(c.as, c.method, c.path, "application/json", `{"name":"mine"}`)
			if to := rec.Header().Get("Location"); rec.Code != c.want || rec.Code == http.StatusSeeOther && !strings.HasPrefix(to, "/settings/profile/factor") {
				t.Errorf("%s %s: %d to %q: %s, want %d", c.method, c.path, rec.Code, to, rec.Body, c.want)
			}
		}
		ada.equip()
		if rec := w.send(asker{cookie: ada.cookie}, http.MethodGet, "/api/v1/me", "", ""); rec.Code != http.StatusOK {
			t.Errorf("with one: %d %s", rec.Code, rec.Body)
		}
	})
}
