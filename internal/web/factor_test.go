package web

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	commands "github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/otp"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

var approvalOfAdmins = commands.Approval{Count: 1, Peer: true, Group: "admins"}

// phone knows a secret, and which codes of it were used.
type phone struct {
	secret string
	last   int64
}

// code is one that was not used: of now, of the next step, or of the one before.
func (p *phone) code(h *watch) string {
	h.Helper()
	step := max(p.last+1, otp.At(time.Now())-otp.Skew)
	if step > otp.At(time.Now())+otp.Skew {
		h.Fatal("more codes were used than there are in a minute and a half")
	}
	p.last = step
	code, err := otp.Code(p.secret, step)
	if err != nil {
		h.Fatal(err)
	}
	return code
}

var (
	offerField  = regexp.MustCompile(`name="offer" value="([^"]+)"`)
	secretField = regexp.MustCompile(`id="factor-secret"[^>]*>([A-Z2-7 ]+)<`)
	codeItem    = regexp.MustCompile(`<li><code>([a-z0-9]{5}-[a-z0-9]{5})</code>`)
)

// offered is what the page of setting up shows.
func (h *watch) offered(page string) (sealed string, p *phone) {
	h.Helper()
	offer, shown := offerField.FindStringSubmatch(page), secretField.FindStringSubmatch(page)
	if offer == nil || shown == nil {
		h.Fatalf("no offer on the page:\n%.3000s", page)
	}
	return html.UnescapeString(offer[1]), &phone{secret: strings.ReplaceAll(shown[1], " ", "")}
}

// equip sets a second factor up for ada.
func (h *watch) equip() (p *phone, codes []string) {
	h.Helper()
	sealed, p := h.offered(h.get("ada", "/settings/profile/factor"))
	_, page := h.send("/settings/profile/factor", http.StatusOK, "offer", sealed, "code", p.code(h))
	for _, m := range codeItem.FindAllStringSubmatch(page, -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != otp.Recoveries {
		h.Fatalf("recovery codes %v on\n%.3000s", codes, page)
	}
	return p, codes
}

// cookie is one that an answer sets.
func (r reply) cookie(name string) string {
	for _, c := range r.cookies {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// stale makes it long ago that somebody showed their second factor.
func (h *watch) stale(u id.User) {
	h.Helper()
	f, err := h.store.Factor(h.Context(), u)
	if err != nil {
		h.Fatal(err)
	}
	err = h.store.Do(h.Context(), func(tx *store.Tx) error {
		tx.DropFactor(u) // and that nothing was proven with it
		tx.PutFactor(f)
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
}

func TestSettingUpASecondFactor(t *testing.T) {
	h := newWatch(t)
	h.has(h.get("ada", "/settings/profile/security"), "Set up a second factor", `href="/settings/profile/factor"`)
	answer, page := h.ask(request{as: "ada", path: "/settings/profile/factor"})
	if answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page of a secret: %v", answer.Header)
	}
	sealed, p := h.offered(page)
	h.has(page, "<svg", "otpauth://totp/", "Scan the picture")
	_, page = h.send("/settings/profile/factor", http.StatusUnprocessableEntity, "offer", sealed, "code", "000000")
	h.has(page, "This code is not right", "Scan the picture")
	if again, same := h.offered(page); again != sealed || same.secret != p.secret {
		t.Error("after a wrong code there is another secret")
	}
	answer, _ = h.send("/settings/profile/factor", http.StatusSeeOther, "offer", "nonsense", "code", p.code(h))
	h.flashed(answer, "begin again")
	p.last = 0
	answer, page = h.send("/settings/profile/factor", http.StatusOK, "offer", sealed, "code", p.code(h), "next", "/oncall")
	codes := codeItem.FindAllStringSubmatch(page, -1)
	if len(codes) != otp.Recoveries || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d recovery codes, %v", len(codes), answer.Header)
	}
	h.has(page, `download="watchroom-recovery-codes.txt"`, "data:text/plain", `href="/oncall"`)
	page = h.get("ada", "/settings/profile/security")
	h.has(page, "10 recovery codes left", "Remove the second factor")
	h.lacks(page, p.secret, codes[0][1])
	if answer, _ := h.ask(request{as: "ada", path: "/settings/profile/factor"}); answer.Header.Get("Location") != "/settings/profile/security" {
		t.Errorf("setting up a second one: %s to %q", answer.Status, answer.Header.Get("Location"))
	}
	_, page = h.send("/settings/profile/factor/codes", http.StatusUnprocessableEntity, "code", "000000")
	h.has(page, "This code is not right")
	_, page = h.send("/settings/profile/factor/codes", http.StatusOK, "code", codes[0][1])
	if fresh := codeItem.FindAllStringSubmatch(page, -1); len(fresh) != otp.Recoveries || strings.Contains(page, codes[1][1]) {
		t.Errorf("new recovery codes: %v", fresh)
	}
	_, page = h.send("/settings/profile/factor/remove", http.StatusUnprocessableEntity, "remove", codes[1][1])
	h.has(page, "This code is not right")
	answer, _ = h.send("/settings/profile/factor/remove", http.StatusSeeOther, "remove", p.code(h))
	h.flashed(answer, "removed")
	h.has(h.get("ada", "/settings/profile/security"), "Set up a second factor")
}

func TestSignInAsksForTheSecondFactor(t *testing.T) {
	h := newBare(t)
	h.admin()
	p, codes := h.equip()
	half := func() string {
		answer, _ := h.submit("/login", http.StatusSeeOther, "email", "ada", "password", goodPassword, "next", "/oncall")
		if got := answer.Header.Get("Location"); got != "/login/code?next=%2Foncall" || h.signedIn(answer) || answer.cookie("watchroom-half") == "" {
			t.Fatalf("POST /login: to %q with %v", got, answer.cookies)
		}
		return "watchroom-half=" + answer.cookie("watchroom-half")
	}
	with := func(cookie, method string, pairs ...string) (reply, string) {
		form := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			form.Add(pairs[i], pairs[i+1])
		}
		return h.ask(request{method: method, path: "/login/code", form: form, plain: true, header: http.Header{"Cookie": {cookie}}})
	}
	first := half()
	if answer, page := with(first, http.MethodGet); answer.StatusCode != http.StatusOK || !strings.Contains(page, "the code that your phone shows") {
		t.Errorf("GET /login/code: %s", answer.Status)
	}
	if answer, page := with(first, http.MethodPost, "code", "000000", "next", "/oncall"); answer.StatusCode != http.StatusUnprocessableEntity ||
		!strings.Contains(page, "This code is not right") || !strings.Contains(page, `value="/oncall"`) || h.signedIn(answer) {
		t.Errorf("a wrong code: %s", answer.Status)
	}
	answer, _ := with(first, http.MethodPost, "code", p.code(h), "next", "/oncall")
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/oncall" || !h.signedIn(answer) {
		t.Errorf("the right one: %s to %q", answer.Status, answer.Header.Get("Location"))
	}
	if answer, _ := with(first, http.MethodPost, "code", p.code(h)); answer.Header.Get("Location") != "/login?next=%2F" || h.signedIn(answer) {
		t.Errorf("the half that was used: to %q", answer.Header.Get("Location"))
	}
	if answer, _ := with(half(), http.MethodPost, "code", codes[2], "next", "https://evil.example/"); answer.Header.Get("Location") != "/" || !h.signedIn(answer) {
		t.Errorf("a recovery code, and another site to go to: %q", answer.Header.Get("Location"))
	}
	if answer, _ := with("", http.MethodGet); answer.Header.Get("Location") != "/login?next=%2F" {
		t.Errorf("without a password: to %q", answer.Header.Get("Location"))
	}
	last := half()
	for range 5 {
		with(last, http.MethodPost, "code", "111111")
	}
	if answer, _ := with(last, http.MethodPost, "code", "111111"); answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "" {
		t.Errorf("guessing: %s, %v", answer.Status, answer.Header)
	}
}

func TestAResetDoesNotGetAroundIt(t *testing.T) {
	h := newBare(t)
	h.admin()
	h.equip()
	h.submit("/forgot", http.StatusOK, "email", "ada@example.org")
	answer, _ := h.submit(h.mailedLink("/reset/"), http.StatusSeeOther, "password", "another good password")
	if got := answer.Header.Get("Location"); got != "/login/code?next=%2F" || h.signedIn(answer) {
		t.Errorf("after a reset: to %q with %v", got, answer.cookies)
	}
}

func TestWhoHasToHaveASecondFactor(t *testing.T) {
	h := newWatch(t)
	h.send("/settings/organisation", http.StatusSeeOther, "name", "Harbour", "morning", "09:00", "second_factor", "member")
	if got := h.org().Settings.SecondFactor; got != people.RolesOf(people.Member) {
		t.Fatalf("the setting is %q", got)
	}
	h.has(h.get("ada", "/settings/organisation"), `value="member" checked`)
	h.get("ada", "/oncall")
	for path, want := range map[string]string{"/oncall": "%2Foncall", "/settings/profile/tokens": "%2Fsettings%2Fprofile%2Ftokens"} {
		answer, _ := h.ask(request{as: "kim", path: path})
		if got := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || got != "/settings/profile/factor?next="+want {
			t.Errorf("GET %s: %s to %q", path, answer.Status, got)
		}
	}
	if answer, _ := h.ask(request{as: "kim", method: http.MethodPost, path: "/settings/profile/tokens", form: url.Values{"name": {"x"}}}); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a fragment: %s", answer.Status)
	}
	page := h.get("kim", "/settings/profile/factor?next=%2Foncall")
	h.has(page, "asks you for a second factor", "Sign out")
	sealed, p := h.offered(page)
	answer, _ := h.ask(request{
		as: "kim", method: http.MethodPost, path: "/settings/profile/factor", plain: true,
		form: url.Values{"offer": {sealed}, "code": {p.code(h)}, "next": {"/oncall"}},
	})
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("setting it up: %s", answer.Status)
	}
	h.get("kim", "/oncall")
}

func TestAnAdministratorRemovesSomebodysSecondFactor(t *testing.T) {
	h := newWatch(t)
	h.has(h.get("ada", "/settings/people/u-kim"), "Kim has no second factor.")
	h.lacks(h.get("kim", "/settings/people/u-ada"), "second factor")
	answer, _ := h.send("/settings/people/u-kim/factor/reset", http.StatusSeeOther)
	h.flashed(answer, "Kim has no second factor.")
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		tx.PutFactor(store.Factor{Person: "u-kim", Sealed: "x", MadeAt: tx.Now})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	h.has(h.get("ada", "/settings/people/u-kim"), "Kim has a second factor.", "/settings/people/u-kim/factor/reset")
	answer, _ = h.send("/settings/people/u-kim/factor/reset", http.StatusSeeOther)
	h.flashed(answer, "was removed")
	if has, err := h.web.Accounts.HasFactor(t.Context(), "u-kim"); has || err != nil {
		t.Errorf("HasFactor = %v, %v", has, err)
	}
	h.has(h.get("olga", "/"), "removed the second factor of")
}

func TestSteppingUpForACommand(t *testing.T) {
	h := newWatch(t)
	h.put(org.Put(func() org.Settings {
		s := h.org().Settings
		s.Rules = "require step_up for host.wipe"
		return s
	}()))
	wants := invocation.Verdict{StepUp: true, Rule: "require step_up for host.wipe"}
	inv := h.give("ada", "host wipe db1", wants)
	at := fmt.Sprintf("/step-up?invocation=%d", inv.Number)
	h.has(h.get("ada", at), "host wipe db1", "You have no second factor yet", "/settings/profile/factor?next=%2Fstep-up")
	p, _ := h.equip()
	h.has(h.get("ada", at), "no code is needed")
	h.stale("u-ada")
	page := h.get("ada", at)
	h.has(page, "host wipe db1", `name="code"`, `name="invocation"`)
	h.lacks(page, "no code is needed")
	if answer, _ := h.ask(request{as: "kim", path: at}); answer.StatusCode != http.StatusForbidden {
		t.Errorf("somebody else: %s", answer.Status)
	}
	number := fmt.Sprint(inv.Number)
	_, page = h.send("/step-up", http.StatusUnprocessableEntity, "invocation", number, "code", "000000")
	h.has(page, "This code is not right")
	answer, _ := h.send("/step-up", http.StatusSeeOther, "invocation", number, "code", p.code(h), "next", "/oncall")
	if answer.Header.Get("Location") != "/oncall" {
		t.Errorf("then to %q", answer.Header.Get("Location"))
	}
	if now, err := h.store.Invocation(t.Context(), inv.ID); err != nil || now.State != invocation.Awaiting || now.ProvenAt.IsZero() {
		t.Errorf("the command is %s, %v", now.State, err)
	}
	_, page = h.send("/step-up", http.StatusConflict, "invocation", number)
	h.has(page, "It does not wait for this any more: it waits for approval.")
	h.has(h.get("ada", fmt.Sprintf("/jobs/%d", inv.Number)), "second factor shown")
	if answer, _ := h.send("/step-up", http.StatusSeeOther, "next", "//evil.example"); answer.Header.Get("Location") != "/" {
		t.Errorf("without a command: to %q", answer.Header.Get("Location"))
	}
	if answer, _ := h.ask(request{as: "ada", path: "/step-up?invocation=99"}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("no such command: %s", answer.Status)
	}
}

func TestSteppingUpToApprove(t *testing.T) {
	h := newWatch(t)
	h.put(org.Put(func() org.Settings {
		s := h.org().Settings
		s.Rules = "require step_up for host.wipe"
		return s
	}()))
	inv := h.give("kim", "host wipe db1", invocation.Verdict{Allow: true, Approval: approvalOfAdmins})
	job := fmt.Sprintf("/jobs/%d", inv.Number)
	p, _ := h.equip()
	h.stale("u-ada")
	answer, _ := h.ask(request{as: "ada", method: http.MethodPost, path: job + "/approve", plain: true, header: http.Header{"Referer": {h.url + job}}})
	page := fmt.Sprintf("/step-up?approve=%d&next=%s", inv.Number, url.QueryEscape(job))
	if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != page {
		t.Fatalf("approving: %s to %q, want %q", answer.Status, answer.Header.Get("Location"), page)
	}
	answer, _ = h.ask(request{as: "ada", method: http.MethodPost, path: job + "/approve", header: http.Header{"Referer": {h.url + job}}})
	if answer.Header.Get("HX-Redirect") != page {
		t.Errorf("by a script: %s to %q", answer.Status, answer.Header.Get("HX-Redirect"))
	}
	h.has(h.get("ada", page), "Kim asks for it", "host wipe db1", "Approve")
	answer, _ = h.send("/step-up", http.StatusSeeOther, "approve", fmt.Sprint(inv.Number), "code", p.code(h), "next", job)
	if answer.Header.Get("Location") != job {
		t.Errorf("then to %q", answer.Header.Get("Location"))
	}
	if now, err := h.store.Invocation(t.Context(), inv.ID); err != nil || now.State != invocation.Queued || !now.ApprovedBy("u-ada") {
		t.Errorf("the command is %s, %v", now.State, err)
	}
}
