package browser

import (
	"context"
	"testing"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/incident"
)

// byHand: an administrator makes everything that a page needs in
// the settings, and the new colleague is paged, locked out and let in again.
func byHand(t *testing.T, chromium context.Context) {
	h := newHouse(t)
	made, err := h.app.Accounts.CreateAdmin(t.Context(), account.Setup{Name: "Ada Winter", Username: "ada", Email: "ada@example.org", Zone: "Europe/Berlin", Password: password})
	if err != nil || !made {
		t.Fatalf("CreateAdmin: %v", err)
	}
	ada := h.visit(chromium)
	ada.open("/settings/people")
	ada.at("/login")
	ada.fill("[name=email]", "ada@example.org")
	ada.fill("[name=password]", "not the password")
	ada.click("form button", "Sign in")
	ada.sees("[role=alert], .notice", "")
	ada.fill("[name=password]", password)
	ada.click("form button", "Sign in")
	ada.at("/settings/people") // where she wanted to go
	ada.calm("401", "422")

	ada.click("a", "Invite")
	ada.at("/settings/people/invite")
	ada.fill("main [name=name]", "Kim Okafor")
	ada.fill("main [name=email]", "kim@example.org")
	ada.fill("main [name=zone]", "Europe/London")
	ada.click("main form button", "Invite")
	ada.sees("#invitation", "")
	kim := h.visit(chromium)
	kim.open(h.mailed("kim", "/invite/"))
	kim.fill("[name=name]", "Kim Okafor")
	kim.fill("[name=username]", "kim")
	kim.fill("[name=password]", password)
	kim.click("form button", "")
	kim.until(`document.querySelector("[data-user]")?.dataset.user`)
	kim.open("/")
	kim.live()

	ada.open("/settings/teams")
	ada.click("main a", "team")
	ada.fill("main [name=name]", "Database")
	ada.click("main label.check", "Kim Okafor")
	ada.click("main button", "Add the team")
	ada.sees(".toast", "")

	ada.open("/settings/rotations/new")
	ada.fill("main [name=name]", "Primary")
	ada.fill("main [name=team]", "Database")
	ada.fill("main [name='0.add']", "Kim Okafor")
	ada.click("main .settings-add button", "Add")
	ada.sees(".settings-member", "Kim Okafor")
	ada.sees("#preview", "Kim Okafor")
	ada.click("main .settings-save button", "Add the rotation")
	ada.sees(".toast", "")

	ada.open("/settings/policies/new")
	ada.fill("main [name=name]", "Database on call")
	ada.fill("main [name='0.add']", "Primary")
	ada.click("main .settings-add button", "Add")
	ada.sees(".settings-member", "Primary")
	ada.sees("#preview", "Kim Okafor")
	ada.click("main .settings-save button", "Add the policy")
	ada.sees(".toast", "")

	ada.open("/settings/routing")
	ada.fill("main form[action*=keys] [name=name]", "database")
	ada.fill("main form[action*=keys] [name=policy]", "Database on call")
	ada.click("main form[action*=keys] button", "Add")
	ada.sees("main .key", "database")

	ada.open("/integrations")
	ada.click("main .row-link", "")
	ada.fill("[name=type]", "Critical")
	ada.fill("#f-test-key", "database")
	ada.click("form[action$='/test'] button", "")
	ada.sees("main [role=status]", "1")
	kim.sees("#i-1", "")
	answer := h.mailed("kim", "/a/")
	kim.open(answer)
	kim.click(".confirm form button", "")
	kim.sees(".confirm .tone-ok", "")
	if got := h.incident(1).State; got != incident.Acknowledged {
		t.Errorf("the incident of the test alert is %s", got)
	}
	ada.calm()
	kim.calm()
	inAndOut(h, kim, chromium)
}

// inAndOut: signing out here, everywhere, and back in with a forgotten password.
func inAndOut(h *house, kim *tab, chromium context.Context) {
	h.Helper()
	kim.open("/")
	kim.click("header [data-menu] summary", "")
	kim.click("header form[action='/logout'] button", "")
	kim.at("/login")
	kim.open("/")
	kim.at("/login")

	kim.click("a[href='/forgot']", "")
	kim.fill("[name=email]", "kim@example.org")
	kim.click("form button", "")
	kim.sees("h1", "")
	kim.open(h.mailed("kim", "/reset/"))
	const fresh = "a wholly new password"
	kim.fill("[name=password]", fresh)
	kim.click("form button", "")
	kim.until(`document.querySelector("[data-user]")?.dataset.user`)

	other := h.visit(chromium)
	other.open("/login")
	other.fill("[name=email]", "kim@example.org")
	other.fill("[name=password]", password)
	other.click("form button", "Sign in")
	other.sees("[role=alert], .notice", "")
	other.fill("[name=password]", fresh)
	other.click("form button", "Sign in")
	other.at("/")
	other.live()

	kim.open("/settings/profile/security")
	kim.click("form[action$='/sessions/end'] button", "")
	kim.click("#confirm [data-confirm-yes]", "")
	kim.at("/login")
	other.open("/")
	other.at("/login")
	kim.calm()
	other.calm("401", "422")
}
