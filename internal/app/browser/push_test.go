package browser

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/watchroom/watchroom/internal/app"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/notify/webpush"
	"github.com/watchroom/watchroom/internal/notify/webpush/webpushtest"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// push: a person lets this browser notify them, proves that it arrives, is
// paged there with no tab in front, and acknowledges with the notification's
// button. Only the browser vendor's service between us and the browser is not
// the real one: what it decrypts is handed to the real service worker.
func push(t *testing.T, chromium context.Context) {
	vendor := newPushService(t)
	h := newPushHouse(t)
	kim := h.enter(chromium, "kim")
	kim.allowNotifications()
	kim.subscribesAt(vendor)
	kim.open("/settings/profile/contacts/new?method=push")
	kim.click("[data-push-button]", "")
	kim.sees("main form[action$='/verify']", "")
	code := regexp.MustCompile(`\d{4,}`).FindString(vendor.payload(kim, 1).Title)
	if code == "" {
		t.Fatalf("there is no code in %+v", vendor.payload(kim, 1))
	}
	worker := kim.worker()
	worker.push(vendor.plain(kim, 1))
	worker.shows(code)
	kim.fill("[name=code]", code)
	kim.click("main form[action$='/verify'] button", "")
	kim.misses("main form[action$='/verify']", "")
	if c := h.org().Users["kim"].Contacts; len(c) != 1 || !c[0].Verified() || c[0].Method != people.WebPush || strings.Contains(c[0].Secret, "p256dh") {
		t.Fatalf("the contact methods are %+v, want this browser, verified, with its keys sealed", c)
	}

	kim.open("/")
	kim.live()
	h.page("CRITICAL", "db07/disk")
	kim.sees("#i-1", "db07/disk")
	paged := vendor.payload(kim, 2)
	if paged.Incident != 1 || paged.Token == "" || !slices.Contains(paged.Actions, "acknowledge") {
		t.Fatalf("the page is %+v, want #1 with a button", paged)
	}
	if h.pageState() == store.Delivered {
		t.Errorf("the page is %s before it has arrived", h.pageState())
	}
	worker.push(vendor.plain(kim, 2))
	worker.shows("db07/disk")
	kim.waitFor("the record says that the page has arrived", func() bool { return h.pageState() == store.Delivered })

	worker.press("db07/disk", "acknowledge")
	for _, line := range []string{"Kim Okafor was paged by push for #1", "by push for #1 has arrived", "Kim Okafor answered by push", "Kim Okafor acknowledged #1"} {
		kim.sees("[data-entries] .entry", line)
	}
	kim.until(`document.querySelector("#i-1").dataset.state === "acknowledged"`)
	worker.shows("Acknowledged")
	inc := h.incident(1)
	if inc.State != incident.Acknowledged || inc.AckedBy.User != "kim" || inc.AckedBy.Origin != timeline.Page {
		t.Errorf("after the button the incident is %s by %q from %s", inc.State, inc.AckedBy.Name, inc.AckedBy.Origin)
	}
	if h.pageState() != store.Answered {
		t.Errorf("the page is %s, want answered", h.pageState())
	}
	if refused := vendor.Refused(); len(refused) != 0 {
		t.Errorf("the push service refused %v", refused)
	}
	kim.calm()
	worker.calm()
}

// pushService is the vendor's, over https as they all are.
type pushService struct{ *webpushtest.Service }

// newPushService has to be called before the process checks its first
// certificate: it becomes one of those that the process trusts.
func newPushService(t *testing.T) pushService {
	t.Helper()
	far := webpushtest.New(t)
	behind, err := url.Parse(far.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }})
	t.Cleanup(front.Close)
	trusted := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", trusted)
	far.URL = front.URL
	return pushService{far}
}

// plain waits for the n-th message, from 1, and returns what the browser decrypts.
func (s pushService) plain(tb *tab, n int) string {
	tb.Helper()
	tb.waitFor(fmt.Sprintf("push %d is there; refused were %v", n, s.Refused()), func() bool { return len(s.Messages()) >= n })
	return string(s.Messages()[n-1].Plain)
}

func (s pushService) payload(tb *tab, n int) (p webpush.Payload) {
	tb.Helper()
	if err := json.Unmarshal([]byte(s.plain(tb, n)), &p); err != nil {
		tb.Fatalf("read push %d: %v", n, err)
	}
	return p
}

// newPushHouse is a house in which Kim, who has no contact method yet, is paged
// for database, and which may send to this machine.
func newPushHouse(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, line: newLine(t), said: &speech{}, joined: map[id.User]bool{}, key: "0123456789abcdef0123456789abcdef"}
	h.url = "http://" + h.line.Addr().String()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.PublicURL, cfg.AllowPrivateTargets = t.TempDir(), "127.0.0.1:0", h.url, true
	h.config = cfg
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan string, 1)
	node, err := app.New(ctx, app.Options{
		Config: cfg, Stdout: h.said, Ready: func(addr string) { ready <- addr },
		Log: slog.New(slog.NewTextHandler(h.said, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		cancel()
		t.Fatalf("New: %v", err)
	}
	h.app = node
	ended := make(chan error, 1)
	go func() { ended <- node.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		h.line.cut()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := node.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if t.Failed() {
			t.Logf("the server said:\n%s", h.said)
		}
	})
	select {
	case addr := <-ready:
		h.line.connect(addr)
	case err := <-ended:
		ended <- nil
		t.Fatalf("Run: %v", err)
	}
	_, err = node.Dispatch.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
		return []org.Change{
			org.Put(people.User{ID: "kim", Username: "kim", Name: "Kim Okafor", Email: "kim@example.org", Role: people.Admin, Zone: "Europe/Berlin"}),
			org.Put(escalation.Policy{ID: "database", Slug: "database", Name: "Database", RepeatAfter: escalation.DefaultRepeatAfter,
				Steps: []escalation.Step{{Targets: []escalation.Target{{User: "kim"}}}}}),
			org.Put(routing.Key{ID: "database", Name: "Database", Policy: "database"}),
			org.Put(node.Dispatch.NewIntegration(routing.REST, "Monitoring", h.key)),
			org.Put(org.Settings{Name: "Example", DefaultPolicy: "database", WarningsOpen: true, SnoozeMorningAt: "09:00"}),
		}, nil
	})
	if err != nil {
		t.Fatalf("ChangeOrg: %v", err)
	}
	return h
}

// pageState is how far the one page about incident 1 is.
func (h *house) pageState() store.DeliveryState {
	h.Helper()
	all, err := h.app.Store.Deliveries(h.Context(), 1)
	if err != nil || len(all) != 1 {
		h.Fatalf("the pages are %+v, %v, want one", all, err)
	}
	return all[0].State
}

// serverKey is what browsers subscribe with.
func (h *house) serverKey() string {
	h.Helper()
	o := h.org()
	for _, p := range o.ProvidersOf(people.WebPush) {
		return p.Settings["public"]
	}
	h.Fatal("the server has no key for web push")
	return ""
}

// allowNotifications is what the person answers when the browser asks.
func (tb *tab) allowNotifications() {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	_, err := chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: browser.PermissionSettingGranted, Origin: tb.url,
		BrowserContextID: chromedp.FromContext(tb.ctx).BrowserContextID,
	})
	if err != nil {
		tb.Fatalf("allow notifications: %v", err)
	}
}

// subscribesAt puts the vendor in the place of the one that the browser has
// built in. It is as strict about what the page asks for.
func (tb *tab) subscribesAt(vendor pushService) {
	tb.Helper()
	key := tb.house.serverKey()
	call(tb, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fmt.Sprintf(`
		PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
			const key = btoa(String.fromCharCode(...applicationServerKey)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
			if (!userVisibleOnly || key !== %s) throw new Error("the push service refuses " + key);
			return { toJSON: () => (%s) };
		};`, quote(key), vendor.Subscribe(key).JSON())})
}

// shows waits until the browser has shown a notification with text in it. The
// browser itself is asked only then: who asks it while it shows one may make it
// forget that one.
func (w *worker) shows(text string) {
	w.Helper()
	w.until(fmt.Sprintf(`self.shown.some((said) => said.includes(%s))`, quote(text)))
	said, err := promise[[]string](w.tab, `self.registration.getNotifications().then((all) => all.map((n) => n.title + "\n" + n.body))`)
	if err != nil || !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, text) }) {
		w.Fatalf("the notifications are %q, %v, want one that says %s", said, err, text)
	}
}

// promise is what the promise of an expression comes to.
func promise[T any](tb *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// worker is the service worker of a tab's browser.
type worker struct {
	*tab
	registration serviceworker.RegistrationID
	client       *tab // which it works for
}

// worker waits until the tab's service worker runs, and listens to it.
func (tb *tab) worker() *worker {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.ctx, patience)
	defer cancel()
	enable := func(ctx context.Context, t *chromedp.Target) (cdp.Empty, error) {
		return cdp.Call(ctx, t, serviceworker.Enable, cdp.Empty{})
	}
	found := func(e serviceworker.EventWorkerRegistrationUpdated) bool {
		return slices.ContainsFunc(e.Registrations, func(r *serviceworker.Registration) bool { return r.ScopeURL == tb.url+"/" })
	}
	e, err := chromedp.Run(ctx, chromedp.WaitEvent(serviceworker.WorkerRegistrationUpdated, found, enable))
	if err != nil {
		tb.Fatalf("wait for the service worker's registration: %v", err)
	}
	w := &worker{tab: &tab{T: tb.T, house: tb.house, url: tb.url}, client: tb}
	for _, r := range e.Registrations {
		if r.ScopeURL == tb.url+"/" {
			w.registration = r.RegistrationID
		}
	}
	var at target.ID
	tb.waitFor("the service worker runs", func() bool {
		all, err := chromedp.Targets(ctx)
		for _, info := range all {
			if info.Type == "service_worker" && strings.HasPrefix(info.URL, tb.url+"/") {
				at = info.TargetID
			}
		}
		return err == nil && at != ""
	})
	inside, leave := chromedp.NewContext(tb.ctx, chromedp.WithTargetID(at), chromedp.WithListener(w.hear))
	tb.Cleanup(leave)
	w.ctx = inside
	// The first action attaches, for as long as that action's context lives.
	if _, err := chromedp.Run(inside, chromedp.Evaluate[bool](`(() => {
		const show = ServiceWorkerRegistration.prototype.showNotification;
		self.shown = [];
		ServiceWorkerRegistration.prototype.showNotification = async function (title, options) {
			await show.call(this, title, options);
			self.shown.push(title + "\n" + options.body);
		};
		return true;
	})()`)); err != nil {
		tb.Fatalf("attach to the service worker: %v", err)
	}
	return w
}

// push hands the worker what came for it, as the browser does.
func (w *worker) push(data string) {
	w.Helper()
	call(w.client, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{Origin: w.url, RegistrationID: w.registration, Data: data})
}

// press is a finger on a button of the notification that has text in its
// title. An event that a script makes refuses to be waited for, so this one
// keeps what the worker is busy with.
func (w *worker) press(title, action string) {
	w.Helper()
	_, err := promise[bool](w.tab, fmt.Sprintf(`(async () => {
		const notification = (await self.registration.getNotifications()).find((n) => n.title.includes(%s));
		if (!notification.actions.some((a) => a.action === %[2]s)) throw new Error("the notification has no such button");
		const event = new NotificationEvent("notificationclick", { notification, action: %[2]s });
		const busy = [];
		event.waitUntil = (p) => busy.push(p);
		self.dispatchEvent(event);
		await Promise.all(busy);
		return busy.length > 0;
	})()`, quote(title), quote(action)))
	if err != nil {
		w.Fatalf("press %s on %q: %v", action, title, err)
	}
}
