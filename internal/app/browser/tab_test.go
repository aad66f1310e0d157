package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/id"
)

// patience is how long anything may take on a slow machine.
const patience = 40 * time.Second

// newChromium starts the one browser of all tests.
func newChromium(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is missing: install Debian's package chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(wide.width, wide.height), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(patience))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, quit := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until it is gone, so that its folder can be removed
		quit()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// size is a window's.
type size struct {
	name          string
	width, height int
}

var (
	wide   = size{"wide", 1440, 900}
	narrow = size{"narrow", 390, 844}
)

// tab is one page of a browser of its own: no other tab shares its cookies.
type tab struct {
	*testing.T
	house    *house
	url      string
	ctx      context.Context
	mu       sync.Mutex
	troubles []string // what the console said; guarded by mu
}

// newTab opens a tab in which nobody is signed in.
func newTab(t *testing.T, chromium context.Context, address string) *tab {
	t.Helper()
	tb := &tab{T: t, url: address}
	ctx, leave := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext(), chromedp.WithListener(tb.hear))
	t.Cleanup(leave)
	tb.ctx = ctx
	// The first action opens the tab, which lives as long as that action's context.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(int64(wide.width), int64(wide.height))); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	call(tb, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return tb
}

// visit opens a tab on the house in which nobody is signed in.
func (h *house) visit(chromium context.Context) *tab {
	h.Helper()
	tb := newTab(h.T, chromium, h.url)
	tb.house = h
	return tb
}

// enter opens a tab in which user is signed in.
func (h *house) enter(chromium context.Context, user id.User) *tab {
	h.Helper()
	tb := h.visit(chromium)
	tb.signIn(h.session(user))
	return tb
}

func (tb *tab) signIn(session string) {
	tb.Helper()
	httpOnly := true
	call(tb, network.SetCookie, network.SetCookieParams{
		Name: auth.Cookies{}.Name(), Value: session, URL: tb.url, HTTPOnly: &httpOnly, SameSite: network.CookieSameSiteLax,
	})
}

// hear keeps what went wrong on a page. It must not block.
func (tb *tab) hear(ev any) {
	var trouble string
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		trouble = ev.ExceptionDetails.Text
		if e := ev.ExceptionDetails.Exception; e != nil {
			trouble += " " + e.Description
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type != runtime.ConsoleAPICalledTypeError && ev.Type != runtime.ConsoleAPICalledTypeWarning {
			return
		}
		for _, arg := range ev.Args {
			trouble += " " + string(arg.Value) + arg.Description
		}
	case *cdplog.EventEntryAdded:
		if ev.Entry.Level != cdplog.EntryLevelError && ev.Entry.Level != cdplog.EntryLevelWarning {
			return
		}
		trouble = ev.Entry.Text + " " + ev.Entry.URL
	default:
		return
	}
	tb.mu.Lock()
	tb.troubles = append(tb.troubles, trouble)
	tb.mu.Unlock()
}

// complaints is what the console has said since calm was called last.
func (tb *tab) complaints() []string {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	return slices.Clone(tb.troubles)
}

// calm fails when the console has complained since the last call, other than
// about what the test did on purpose.
func (tb *tab) calm(expected ...string) {
	tb.Helper()
	tb.mu.Lock()
	troubles := tb.troubles
	tb.troubles = nil
	tb.mu.Unlock()
next:
	for _, trouble := range troubles {
		for _, e := range expected {
			if strings.Contains(trouble, e) {
				continue next
			}
		}
		tb.Errorf("the console says at %s: %s", tb.where(), trouble)
	}
}

// call sends a command of the browser's protocol.
func call[P, R any](tb *tab, command cdp.Command[P, R], params P) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, command, params); err != nil {
		tb.Fatalf("%s: %v", command.Method, err)
	}
}

func (tb *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tb.Fatalf("%s: %v", what, err)
	}
}

// open goes to a path or an address and waits until the page has loaded.
func (tb *tab) open(path string) {
	tb.Helper()
	if strings.HasPrefix(path, "/") {
		path = tb.url + path
	}
	tb.do("open "+path, chromedp.Navigate(path))
}

func (tb *tab) where() string {
	tb.Helper()
	at, _ := eval[string](tb, `location.pathname + location.search`)
	return at
}

// text is the end of what the page says, to find out why a test waits.
func (tb *tab) text() string {
	tb.Helper()
	text, _ := eval[string](tb, `squeeze((document.querySelector("main") ?? document.body).innerText).slice(-1500)`)
	return text
}

// tools are what the tests look with: they are there in each evaluation.
const tools = `
const visible = (e) => e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) && e.getClientRects().length > 0;
const squeeze = (s) => s.replace(/\s+/g, " ").trim();
const all = (sel, text = "") => [...document.querySelectorAll(sel)].filter((e) => visible(e) && squeeze(e.textContent).includes(text));
const texts = (sel) => all(sel).map((e) => squeeze(e.textContent)).join(" | ");
`

// eval runs an expression in the page.
func eval[T any](tb *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](`(() => {`+tools+`return `+expression+`})()`))
}

// value is eval that must succeed.
func value[T any](tb *tab, expression string) T {
	tb.Helper()
	v, err := eval[T](tb, expression)
	if err != nil {
		tb.Fatalf("evaluate %s: %v", expression, err)
	}
	return v
}

// until looks every few milliseconds whether an expression has become true. A
// page that goes away while it is looked at is just not there yet.
func (tb *tab) until(expression string) {
	tb.Helper()
	tb.waitFor(expression, func() bool {
		ok, err := eval[bool](tb, `Boolean(`+expression+`)`)
		return err == nil && ok
	})
}

func (tb *tab) waitFor(what string, happened func() bool) {
	tb.Helper()
	deadline := time.After(patience)
	for !happened() {
		select {
		case <-deadline:
			tb.Fatalf("waited %s at %s until %s; the page says: %s; the console: %q", patience, tb.where(), what, tb.text(), tb.complaints())
		case <-tb.ctx.Done():
			tb.Fatalf("the tab has closed: %v", tb.ctx.Err())
		case <-time.After(15 * time.Millisecond):
		}
	}
}

// sees waits until something that matches sel, with text in it, is visible.
func (tb *tab) sees(sel, text string) {
	tb.Helper()
	tb.until(fmt.Sprintf(`all(%s, %s).length`, quote(sel), quote(text)))
}

// misses waits until nothing visible matches sel with text in it.
func (tb *tab) misses(sel, text string) {
	tb.Helper()
	tb.until(fmt.Sprintf(`all(%s, %s).length === 0`, quote(sel), quote(text)))
}

// at waits until the address is path.
func (tb *tab) at(path string) {
	tb.Helper()
	tb.until(fmt.Sprintf(`location.pathname === %s && document.readyState === "complete"`, quote(path)))
}

// click presses the mouse on the first visible element that matches sel and
// has text in it, once it is enabled and nothing covers it.
func (tb *tab) click(sel, text string) {
	tb.Helper()
	tb.clickAt(sel, text, 0)
}

// clickLast is click on the last of them.
func (tb *tab) clickLast(sel, text string) {
	tb.Helper()
	tb.clickAt(sel, text, -1)
}

func (tb *tab) clickAt(sel, text string, which int) {
	tb.Helper()
	aim := fmt.Sprintf(`(() => {
		const e = all(%s, %s).at(%d);
		if (!e || e.disabled || document.readyState === "loading") return null;
		e.scrollIntoView({block: "nearest", behavior: "instant"});
		const r = e.getBoundingClientRect();
		const [x, y] = [r.x + r.width / 2, r.y + r.height / 2];
		return e.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
	})()`, quote(sel), quote(text), which)
	var point []float64
	tb.waitFor("click "+sel+" "+text, func() bool { // twice in the same place: a list that scrolls has come to rest
		before := point
		now, err := eval[[]float64](tb, aim)
		point = now
		return err == nil && len(now) == 2 && slices.Equal(before, now)
	})
	tb.do("click "+sel, chromedp.MouseClickXY(point[0], point[1]))
}

// fill replaces what stands in a field, with the keyboard where that is how it is done.
func (tb *tab) fill(sel, text string) {
	tb.Helper()
	tb.sees(sel, "")
	kind := value[string](tb, fmt.Sprintf(`(() => { const e = all(%s)[0]; e.focus(); e.select?.(); return e.localName + ":" + e.type; })()`, quote(sel)))
	if strings.HasPrefix(kind, "select:") || kind == "input:date" || kind == "input:time" {
		value[bool](tb, fmt.Sprintf(`(() => {
			const e = all(%s)[0], want = %s;
			e.value = e.localName === "select" ? [...e.options].find((o) => o.value === want || squeeze(o.label).startsWith(want))?.value : want;
			for (const type of ["input", "change"]) e.dispatchEvent(new Event(type, {bubbles: true}));
			return true;
		})()`, quote(sel), quote(text)))
		return
	}
	tb.press(text)
}

// press types into whatever has the focus. Each key is one event to the
// browser, so that a page that takes the key for itself keeps its letter out.
func (tb *tab) press(keys string) {
	tb.Helper()
	for _, r := range keys {
		for _, k := range kb.Encode(r) {
			switch k.Type {
			case kb.KeyChar:
				continue
			case kb.KeyDown:
				if unicode.IsPrint(r) || r == '\r' {
					k.Text, k.UnmodifiedText = string(r), string(r)
				}
			}
			call(tb, input.DispatchKeyEvent, *k)
		}
	}
}

// live waits for the connection that brings news.
func (tb *tab) live() {
	tb.Helper()
	tb.until(`document.querySelector("[data-live]")?.dataset.liveState === "on"`)
}

// media chooses the colours and the size of the window.
func (tb *tab) media(scheme string, s size) {
	tb.Helper()
	tb.do("size the window", chromedp.EmulateViewport(int64(s.width), int64(s.height)))
	tb.colours(scheme)
}

func (tb *tab) colours(scheme string) {
	tb.Helper()
	call(tb, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

func quote(s string) string {
	b, _ := json.Marshal(s) // strings always encode
	return string(b)
}
