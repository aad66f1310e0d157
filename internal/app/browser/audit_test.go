package browser

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

//go:embed testdata/axe.min.js
var axe string

// auditor looks at pages: axe-core finds nothing, the console is silent, and
// nothing is wider than a phone.
type auditor struct {
	*tab
	shots string // where pictures go; "": nowhere
	who   string
}

func newAuditor(tb *tab, who string) *auditor {
	return &auditor{tab: tb, shots: os.Getenv("WATCHROOM_SHOTS"), who: who}
}

// page goes to a path and looks at it.
func (a *auditor) page(name, path string, expected ...string) {
	a.Helper()
	a.media("light", wide)
	a.open(path)
	a.look(name, expected...)
}

// look looks at the page as it is now, whatever was opened in it.
func (a *auditor) look(name string, expected ...string) {
	a.Helper()
	name = a.who + "-" + name
	a.arm()
	a.note()
	for _, s := range []size{wide, narrow} {
		a.media("light", s)
		a.check(name, s.name+" light", "{}")
		a.shoot(name, s.name, "light")
		a.colours("dark")
		a.check(name, s.name+" dark", `{"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}`)
		a.shoot(name, s.name, "dark")
	}
	if touching := value[string](a.tab, touchingTimes); touching != "" {
		a.Errorf("%s: a time without a space beside it: %s", name, touching)
	}
	if over := value[int](a.tab, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		a.Errorf("%s: %d pixels wider than a phone: %s", name, over, value[string](a.tab, wideParts))
	}
	a.calm(expected...)
}

// wideParts names what stands out on the right.
const wideParts = `all("body *").filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((e) => e.localName + "." + e.className).join(", ")`

// touchingTimes names times that run into the word before or after them.
const touchingTimes = `all("time").filter((e) => /[\p{L}\p{N}·]$/u.test(e.previousSibling?.nodeValue ?? "") || /^[\p{L}\p{N}·]/u.test(e.nextSibling?.nodeValue ?? "")).map((e) => squeeze(e.parentElement.textContent)).slice(0, 3).join(" | ")`

// arm puts axe-core into the page; scripts of the tests are not held to the
// page's own policy.
func (a *auditor) arm() {
	a.Helper()
	a.until(`document.readyState === "complete"`)
	ctx, cancel := context.WithTimeout(a.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`typeof axe === "object" || (() => {`+axe+`})() || true`)); err != nil {
		a.Fatalf("load axe-core: %v", err)
	}
}

func (a *auditor) check(name, how, options string) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.ctx, patience)
	defer cancel()
	const run = `(async (options) => {
		await new Promise(requestAnimationFrame); // the colours have just been changed
		const found = await axe.run(document, {...options, resultTypes: ["violations"], preload: false, elementRef: false});
		return found.violations.map((v) => v.id + ": " + v.nodes.slice(0, 4).map((n) => n.target.join(" ") + " (" + (n.any[0] ?? n.all[0] ?? n.none[0])?.message + ")").join("; "));
	})`
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](run+`(`+options+`)`, chromedp.EvalAwaitPromise))
	if err != nil {
		a.Fatalf("%s %s: run axe-core: %v", name, how, err)
	}
	for _, f := range found {
		a.Errorf("%s %s: %s", name, how, f)
	}
}

func (a *auditor) shoot(name, size, scheme string) {
	a.Helper()
	if a.shots == "" {
		return
	}
	ctx, cancel := context.WithTimeout(a.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(a.shots, fmt.Sprintf("%s-%s-%s.png", name, size, scheme)), picture, 0o600)
	}
	if err != nil {
		a.Errorf("take a picture of %s: %v", name, err)
	}
}

// everyPage walks through a house with a past as administrator.
func everyPage(t *testing.T, chromium context.Context) {
	tb := newTab(t, chromium, newDemo(t))
	tb.open("/demo")
	tb.live()
	a := newAuditor(tb, "admin")
	tb.open(a.first("/integrations", ".row-link"))
	endpoint := value[string](tb, `document.querySelector("#integration-url").value`)
	postAlert(t, strings.ReplaceAll(endpoint, "$routing_key", "platform"), "CRITICAL", "audit/disk", "Somebody looks at every page")
	a.page("home", "/")
	for _, p := range []string{"timeline", "people", "incidents"} {
		a.page("pane-"+p, "/?pane="+p)
	}
	a.page("incidents", "/incidents")
	a.page("incidents-none", "/incidents?q=nothing+is+called+this")
	for _, state := range []string{"triggered", "acknowledged", "resolved"} {
		a.page("room-"+state, a.first("/incidents?state="+state, "tr[data-card] .row-link"))
	}
	a.page("oncall", "/oncall")
	a.page("oncall-fortnight", "/oncall?view=fortnight")
	a.page("oncall-month", "/oncall?view=month")
	for _, p := range []string{"now", "away", "away/new", "feeds", "holidays", "override"} {
		a.page("oncall-"+strings.ReplaceAll(p, "/", "-"), "/oncall/"+p)
	}
	shift := a.first("/oncall", "a.bar-shift, a.agenda-item[href^='/oncall/shift']")
	a.page("oncall-shift", shift)
	a.page("oncall-swap", strings.Replace(shift, "/shift", "/swap", 1))
	a.page("rotation-import", a.first("/settings/rotations", ".row-link")+"/import")
	a.page("explain", "/explain?severity=critical&ahead=300")
	for _, p := range []string{"maintenance", "heartbeats", "drills", "providers", "providers/new?kind=twilio", "profile/contacts", "profile/contacts/new?method=sms", "profile/paging"} {
		a.page("settings-"+strings.NewReplacer("/", "-", "?", "-", "=", "-").Replace(p), "/settings/"+p)
	}
	a.page("settings", "/settings")
	for _, p := range []string{"profile", "profile/security", "profile/tokens", "people", "people/invite", "organisation", "tokens", "routing"} {
		a.page("settings-"+strings.ReplaceAll(p, "/", "-"), "/settings/"+p)
	}
	a.page("settings-routing-test", "/settings/routing?test=database")
	a.page("settings-key", a.first("/settings/routing", "td.actions a"))
	for _, p := range []string{"people", "teams", "rotations", "policies"} {
		list := "/settings/" + p
		a.page("settings-"+p, list)
		a.page("settings-"+p+"-one", a.first(list, ".row-link"))
		if p != "people" {
			a.page("settings-"+p+"-new", list+"/new")
		}
	}
	a.reachPages()
	a.commandPages()
	a.page("integrations", "/integrations")
	a.page("integration", a.first("/integrations", ".row-link"))
	a.page("mailbox", "/mailbox")
	a.page("mail", a.first("/mailbox", ".mail-row"))
	a.page("api", "/docs/api")
	a.page("not-found", "/no/such/page", "404")

	a.open("/")
	a.live()
	a.press("?")
	a.sees("#help", "")
	a.look("help")
	a.open("/")
	a.click("header [data-menu] summary", "")
	a.look("menu")
	a.open("/")
	a.click("[data-card] [popovertarget]", "")
	a.look("card-menu")
	a.click("[data-open='#dialog-reroute']", "")
	a.until(`document.activeElement?.closest("#dialog-reroute .dialog-body")`) // its first field, not the cross
	a.look("reroute")
	a.press("\x1b")
	a.until(`document.activeElement?.matches("[data-card] [popovertarget]")`)
}

// reachPages are those about how people are reached, one by one, and drills.
func (a *auditor) reachPages() {
	a.Helper()
	a.page("provider", a.first("/settings/providers", "main a.reach-name"))
	a.page("profile-contact", a.first("/settings/profile/contacts", "main a.reach-name"))
	person := a.first("/settings/people", ".row-link")
	a.page("person-contacts", person+"/contacts")
	a.page("person-contact", a.first(person+"/contacts", "main a.reach-name"))
	a.page("person-contact-new", person+"/contacts/new?method=sms")
	a.page("person-paging", person+"/paging")
	a.page("drill", a.first("/settings/drills", "tr:last-child .row-link")) // the oldest has results
}

// commandPages are those about commands, and for how long what is said is kept.
func (a *auditor) commandPages() {
	a.Helper()
	a.page("commands", "/commands")
	a.page("commands-try", "/commands?line=resolve+1")
	a.page("jobs", "/jobs")
	a.page("job-waits", a.first("/jobs?show=approve", "main .row-link"))
	a.page("robots", "/settings/robots")
	a.media("light", wide)
	a.fill("main [name=name]", "Hubot")
	a.click("main form button", "Create")
	a.sees("#robot-key", "")
	a.page("robot", a.first("/settings/robots", "main .row-link"))
	a.page("retention", "/settings/retention")
	a.media("light", wide)
	a.fill("main [name=messages]", "1")
	a.click("main form button", "What would this remove?")
	a.sees("main .notice", "")
	a.look("retention-would")
	a.page("search", "/search?q=deploy")
	a.media("light", wide)
	a.open(a.first("/search?q=replicas+failover+measured", ".hit-go"))
	a.click("[data-history]", "")
	a.sees("#history .history", "")
	a.look("message-history")
}

// first is where the first link on a page leads that matches sel.
func (a *auditor) first(path, sel string) string {
	a.Helper()
	a.open(path)
	a.sees(sel, "")
	return value[string](a.tab, `(() => { const a = all(`+quote(sel)+`)[0]; return a.pathname + a.search; })()`)
}

// onlooker walks through the same house as somebody who may only read.
func onlooker(t *testing.T, chromium context.Context) {
	tb := newTab(t, chromium, newDemo(t))
	tb.open("/login")
	tb.fill("[name=email]", "olga@harbour-lights.example")
	tb.fill("[name=password]", "watchroom-demo")
	tb.click("form button", "")
	tb.at("/")
	a := newAuditor(tb, "observer")
	a.page("home", "/")
	a.page("incidents", "/incidents")
	a.page("room", a.first("/incidents", "tr[data-card] .row-link"))
	for _, p := range []string{"/oncall", "/oncall/now", "/oncall/away", "/oncall/feeds", "/settings", "/settings/profile", "/settings/organisation", "/settings/routing"} {
		a.page(strings.ReplaceAll(p[1:], "/", "-"), p)
	}
	for _, p := range []string{"people", "teams", "rotations", "policies"} {
		a.page("settings-"+p, "/settings/"+p)
		a.page("settings-"+p+"-one", a.first("/settings/"+p, ".row-link"))
	}
	a.page("forbidden", "/settings/tokens", "403")
}

// publicPages walks through what is seen by those who are not signed in, or
// not yet.
func publicPages(t *testing.T, chromium context.Context) {
	bare := newHouse(t)
	a := newAuditor(bare.visit(chromium), "public")
	a.page("not-set-up", "/", "503")
	a.page("setup", bare.setup())
	a.click("form button", "") // the browser itself holds back an empty form
	a.page("setup-dead", "/setup?token=nothing", "404", "410")

	h := newFurnishedHouse(t)
	a = newAuditor(h.visit(chromium), "public")
	a.page("login", "/login")
	a.fill("[name=email]", "kim@example.org")
	a.fill("[name=password]", "not the password")
	a.click("form button", "Sign in")
	a.sees("[role=alert], .notice", "")
	a.look("login-refused", "401", "422")
	a.page("forgot", "/forgot")
	a.fill("[name=email]", "kim@example.org")
	h.session("kim") // only who has joined can have forgotten
	a.click("form button", "")
	a.misses("[name=email]", "")
	a.look("forgot-sent")
	a.page("reset", h.mailed("kim", "/reset/"))
	a.page("reset-dead", "/reset/nothing", "404", "410")
	_, link, err := h.app.Accounts.Invite(t.Context(), h.actor("ada"), account.Invitation{Name: "Mei Tanaka", Email: "mei@example.org", Zone: "Asia/Tokyo", Role: people.Member})
	if err != nil {
		t.Fatal(err)
	}
	a.page("invite", link)
	a.page("invite-dead", "/invite/nothing", "404", "410")

	h.page("CRITICAL", "db07/disk")
	ack := h.mailed("kim", "/a/")
	a.page("confirm", ack)
	a.click(".confirm form button", "")
	a.sees(".confirm .tone-ok", "")
	a.look("confirm-done")
	a.page("confirm-already", ack)
	a.page("confirm-invalid", ack+"x", "404")
	a.page("confirm-expired", h.expired("kim", 1), "410")
	a.page("not-found", "/no/such/page", "404")

	if _, err := h.app.Dispatch.PlanDrill(t.Context(), h.actor("ada"), org.Drill{Team: "db"}); err != nil {
		t.Fatal(err)
	}
	a.page("drill", h.mailed("kim", "/drill/"))
	a.media("light", wide)
	a.click(".confirm form button", "")
	a.sees(".confirm .tone-ok", "")
	a.look("drill-answered")
	a.page("drill-dead", "/drill/nothing", "404", "410")
}
