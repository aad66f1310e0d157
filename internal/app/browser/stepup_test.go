package browser

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/otp"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// telephone shows codes, each of them once.
type telephone struct {
	*testing.T
	secret string
	last   int64
}

func (p *telephone) code() string {
	p.Helper()
	p.last = max(p.last+1, otp.At(time.Now())-otp.Skew)
	code, err := otp.Code(p.secret, p.last)
	if err != nil {
		p.Fatal(err)
	}
	return code
}

// longAgo makes it long ago that somebody showed their second factor.
func (h *house) longAgo(u id.User) {
	h.Helper()
	f, err := h.app.Store.Factor(h.Context(), u)
	if err != nil {
		h.Fatal(err)
	}
	err = h.app.Store.Do(h.Context(), func(tx *store.Tx) error {
		tx.DropFactor(u)
		tx.PutFactor(f)
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
}

// stepUp: a second factor is set up from the picture's key, asked for when
// signing in, and shown for a command that needs it; who has none is told.
func stepUp(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.rules("require step_up for incident.resolve")
	if err := h.app.Accounts.SetPassword(t.Context(), people.Operator(), "ada", password); err != nil {
		t.Fatal(err)
	}
	ada := h.enter(chromium, "ada")
	ada.open("/settings/profile/security")
	newAuditor(ada, "stepup").look("security-none")
	ada.media("light", wide)
	ada.click("main a", "Set up a second factor")
	ada.at("/settings/profile/factor")
	phone := &telephone{T: t, secret: strings.ReplaceAll(value[string](ada, `document.querySelector("#factor-secret").textContent`), " ", "")}
	newAuditor(ada, "stepup").look("setup")
	ada.media("light", wide)
	ada.fill("[name=code]", "000000")
	ada.click("form button", "Turn it on")
	ada.sees(".auth-card", "This code is not right")
	newAuditor(ada, "stepup").look("setup-wrong", "422")
	ada.media("light", wide)
	ada.fill("[name=code]", phone.code())
	ada.click("form button", "Turn it on")
	ada.sees("h1", "Your second factor is on")
	if n := value[int](ada, `document.querySelectorAll(".factor-codes li").length`); n != otp.Recoveries {
		t.Errorf("%d recovery codes", n)
	}
	newAuditor(ada, "stepup").look("recovery")
	ada.media("light", wide)
	ada.click("main a", "I have kept them")
	ada.at("/settings/profile/security")
	ada.sees("main", "10 recovery codes left")
	newAuditor(ada, "stepup").look("security-on")
	ada.media("light", wide)

	ada = h.visit(chromium)
	ada.open("/oncall")
	ada.at("/login")
	ada.fill("[name=email]", "ada@example.org")
	ada.fill("[name=password]", password)
	ada.click("form button", "Sign in")
	ada.at("/login/code")
	ada.fill("[name=code]", "123456")
	ada.click("form button", "Sign in")
	ada.sees(".auth-card", "This code is not right")
	newAuditor(ada, "stepup").look("login-code", "422")
	ada.media("light", wide)
	ada.fill("[name=code]", phone.code())
	ada.click("form button", "Sign in")
	ada.at("/oncall") // where she wanted to go

	h.page("CRITICAL", "db07/disk")
	h.page("CRITICAL", "db08/disk")
	h.page("CRITICAL", "db09/disk")
	wantResolved := func(n id.Incident) {
		t.Helper()
		ada.waitFor("the incident is resolved", func() bool { return h.incident(n).State == incident.Resolved })
	}
	ada.open("/")
	ada.live()
	ada.write("#composer", "!resolve 1") // she has shown it a moment ago
	wantResolved(1)
	h.longAgo("ada")
	ada.write("#composer", "!resolve 2")
	ada.sees(".by-bot", "needs the second factor of Ada Winter")
	newAuditor(ada, "stepup").look("room")
	ada.media("light", wide)
	ada.click(".by-bot .doc-actions a", "Show my second factor")
	ada.at("/step-up")
	newAuditor(ada, "stepup").look("page")
	ada.media("light", wide)
	ada.fill("[name=code]", phone.code())
	ada.click("form button", "Yes, run it")
	ada.live() // back in the room
	wantResolved(2)
	ada.calm("404")

	kim := h.enter(chromium, "kim")
	kim.open("/")
	kim.live()
	kim.write("#composer", "!resolve 3")
	kim.click(".by-bot .doc-actions a", "Show my second factor")
	kim.at("/step-up")
	kim.sees(".auth-card", "You have no second factor yet")
	newAuditor(kim, "stepup").look("none")
	kim.media("light", wide)
	kim.click("main a", "Set up a second factor")
	kim.at("/settings/profile/factor")
	if h.incident(3).State == incident.Resolved {
		t.Error("it was resolved without a second factor")
	}
}
