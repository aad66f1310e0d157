//nolint:bodyclose // watch.do reads and closes every body
package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

const missing = id.Incident(99)

// link is the path of a mailed link that is good for a while.
func (h *watch) link(action string, n id.Incident, u id.User, life time.Duration) string {
	var opened time.Time
	if n != missing {
		opened = h.incident(n).TriggeredAt
	}
	return h.linkTo(action, n, opened, u, life)
}

func (h *watch) linkTo(action string, n id.Incident, opened time.Time, u id.User, life time.Duration) string {
	return strings.TrimPrefix(ActionURL("http://watch.example", h.signer, action, n, opened, u, time.Now().Add(life)), "http://watch.example")
}

// click sends the form of a mailed link's page.
func (h *watch) click(path string) (status int, page string) {
	h.Helper()
	answer, page := h.do(request{method: http.MethodPost, path: path, plain: true})
	return answer.StatusCode, page
}

func TestOpeningALinkChangesNothing(t *testing.T) {
	h := newWatch(t)
	n := h.alert("disk/db01")
	before := h.incident(n)
	path := h.link(AckLink, n, "u-kim", time.Hour)
	answer, page := h.do(request{path: path})
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Referrer-Policy") != "no-referrer" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("GET: %s %v", answer.Status, answer.Header)
	}
	h.has(page, "disk/db01", "You act as Kim", `method="post"`)
	h.do(request{path: path, method: http.MethodHead})
	if after := h.incident(n); after.State != before.State {
		t.Errorf("opening the link made it %s", after.State)
	}
}

func TestOneClickActsOnce(t *testing.T) {
	h := newWatch(t)
	n := h.alert("disk/db01")
	kims, adas := h.link(AckLink, n, "u-kim", time.Hour), h.link(AckLink, n, "u-ada", time.Hour)
	status, page := h.click(kims)
	if status != http.StatusOK || !strings.Contains(page, "Acknowledged") {
		t.Fatalf("POST: %d\n%s", status, page)
	}
	by := h.incident(n).AckedBy
	if want := (timeline.Actor{User: "u-kim", Name: "Kim", Origin: timeline.Mail}); by != want {
		t.Errorf("acknowledged by %+v, want %+v", by, want)
	}
	if status, page := h.click(adas); status != http.StatusConflict || !strings.Contains(page, "by Kim") {
		t.Errorf("POST of somebody else: %d, want 409 and who did it\n%s", status, page)
	}
	if status, page := h.click(kims); status != http.StatusOK || !strings.Contains(page, phrase.T("web.confirm.done.ack")) {
		t.Errorf("second POST: %d, want 200 and that it is done\n%s", status, page)
	}
	h.has(h.get("", adas), "by Kim")

	resolve := h.link(ResolveLink, n, "u-ada", time.Hour)
	if status, page := h.click(resolve); status != http.StatusOK {
		t.Errorf("resolve: %d\n%s", status, page)
	}
	if state := h.incident(n).State; state != incident.Resolved {
		t.Errorf("incident is %s", state)
	}
	h.has(h.get("", kims), "resolved", "by Ada")
	if status, page := h.click(kims); status != http.StatusConflict {
		t.Errorf("acknowledging what is resolved: %d, want 409\n%s", status, page)
	}
	if status, page := h.click(resolve); status != http.StatusOK || !strings.Contains(page, phrase.T("web.confirm.done.resolve")) {
		t.Errorf("resolving twice: %d, want 200\n%s", status, page)
	}
}

func TestLinksThatDoNothing(t *testing.T) {
	h := newWatch(t)
	n := h.alert("disk/db01")
	for _, c := range []struct {
		why, path string
		want      int
	}{
		{"too old", h.link(AckLink, n, "u-kim", -time.Second), http.StatusGone},
		{"made up", "/a/nonsense", http.StatusNotFound},
		{"another purpose", h.link("reset", n, "u-kim", time.Hour), http.StatusNotFound},
		{"nobody", h.link(AckLink, n, "u-gone", time.Hour), http.StatusNotFound},
		{"no incident", h.link(AckLink, missing, "u-kim", time.Hour), http.StatusNotFound},
		{"of an incident that had this number before a restore", h.linkTo(AckLink, n, time.Now().Add(-time.Hour), "u-kim", time.Hour), http.StatusNotFound},
		{"may not", h.link(AckLink, n, "u-olga", time.Hour), http.StatusForbidden},
	} {
		if status, page := h.click(c.path); status != c.want {
			t.Errorf("%s: %d, want %d\n%s", c.why, status, c.want, page)
		}
		if state := h.incident(n).State; state != incident.Triggered {
			t.Fatalf("%s: the incident is %s", c.why, state)
		}
	}
}

// A page that sends no referrer makes a browser on plain HTTP say that its
// form comes from nowhere.
func TestLinksWorkWithoutTLS(t *testing.T) {
	h := newWatch(t)
	n := h.alert("disk/db01")
	answer, _ := h.do(request{method: http.MethodPost, path: h.link(AckLink, n, "u-kim", time.Hour), plain: true, header: http.Header{"Origin": {"null"}}})
	if answer.StatusCode != http.StatusOK {
		t.Errorf("POST with Origin null: %s, want 200", answer.Status)
	}
	// but where the cookie counts, that is another site
	answer, _ = h.do(request{as: "kim", method: http.MethodPost, path: "/incidents/1/resolve", header: http.Header{"Origin": {"null"}}})
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("POST of a page with Origin null: %s, want 403", answer.Status)
	}
}

func TestMailboxShowsWhatWasMailed(t *testing.T) {
	h := newWatch(t)
	h.mails = []Mail{
		{ID: 2, At: time.Now(), From: "watchroom@example.org", To: []string{"kim@example.org"}, Subject: "Second", Text: "plain", HTML: "<!doctype html><HEAD></HEAD><p style='color:red'>rich"},
		{ID: 1, At: time.Now(), From: "watchroom@example.org", To: []string{"ada@example.org"}, Subject: "First", Text: "only text"},
	}
	h.has(h.get("kim", "/mailbox"), "Second", "First", "/mailbox/2")
	h.has(h.get("kim", "/mailbox/1"), "only text")
	answer, page := h.do(request{as: "kim", path: "/mailbox/2"})
	h.has(page, `src="/mailbox/2/html"`, "sandbox=")
	h.has(answer.Header.Get("Content-Security-Policy"), "frame-src 'self'", "script-src 'self'")
	answer, page = h.do(request{as: "kim", path: "/mailbox/2/html"})
	h.has(page, `<base target="_top">`, "rich")
	h.has(answer.Header.Get("Content-Security-Policy"), "default-src 'none'", "sandbox")
	if answer, _ := h.do(request{as: "kim", path: "/mailbox/3"}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("no such mail: %s, want 404", answer.Status)
	}
	without := New(Deps{})
	if got := without.mailboxRoutes(); got != nil {
		t.Errorf("a server without a mailbox shows %v", got)
	}
}
