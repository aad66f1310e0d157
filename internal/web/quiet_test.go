package web

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/store"
)

var postForms = regexp.MustCompile(`<form[^>]*method="post"[^>]*action="([^"]+)"`)

// Observers are offered nothing on these pages; members a drill of their own team.
func TestQuietPagesOfferOnlyWhatIsAllowed(t *testing.T) {
	h := newWatch(t)
	h.announce("name", "Upgrade", "keys", "database", "end", soon(time.Hour))
	h.announce("name", "Later", "team", "t-db", "start", soon(time.Hour), "end", soon(2*time.Hour))
	h.send("/settings/heartbeats", http.StatusOK, "name", "Backup", "every", "1h", "key", "database")
	h.send("/settings/drills", http.StatusSeeOther, "team", "t-db", "note", "Friday")
	for who, want := range map[string]map[string]int{
		"olga": {maintenancePath: 0, heartbeatsPath: 0, drillsPath: 0},
		"kim":  {maintenancePath: 0, heartbeatsPath: 0, drillsPath: 1},
		"ada":  {maintenancePath: 3, heartbeatsPath: 4, drillsPath: 1},
	} {
		for path, forms := range want {
			found := 0
			for _, m := range postForms.FindAllStringSubmatch(h.get(who, path), -1) {
				if strings.HasPrefix(m[1], path) {
					found++
				}
			}
			if found != forms {
				t.Errorf("%s offers %s %d forms, want %d", path, who, found, forms)
			}
		}
	}
}

// soon is a time of the form, in the zone of the three.
func soon(d time.Duration) string {
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return time.Now().Add(d).In(loc).Format(typedForm)
}

func (h *watch) announce(pairs ...string) {
	h.Helper()
	h.send(maintenancePath, http.StatusSeeOther, pairs...)
}

func TestMaintenancePage(t *testing.T) {
	h := newWatch(t)
	h.has(h.get("olga", maintenancePath), "No maintenance yet")
	h.announce("name", "Upgrade <1>", "keys", "data*, other", "note", "tonight", "end", soon(time.Hour))
	if n := h.alert("disk/db01"); n != 0 {
		t.Fatalf("an alert opened incident %d during maintenance", n)
	}
	page := html.UnescapeString(h.get("kim", maintenancePath))
	h.has(page, "On now", "Upgrade <1>", "data*, other", "tonight", "Ada", "wait for the end of a window: 1")
	page = html.UnescapeString(h.get("kim", "/"))
	h.has(page, "opens no incident during the maintenance", "Upgrade <1>")

	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := range o.Maintenance {
		h.send(maintenancePath+"/"+string(n)+"/end", http.StatusSeeOther)
		_, page := h.ask(request{as: "ada", path: maintenancePath})
		h.has(page, "Over", "ended early")
		h.send(maintenancePath+"/"+string(n)+"/end", http.StatusSeeOther) // says that it is over, and does nothing
	}
	if _, err := h.dispatch.KeepMaintenance(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, err := h.store.Counts(t.Context()); err != nil || c.Triggered != 1 {
		t.Errorf("open after the end: %+v, %v", c, err)
	}
}

func TestMaintenanceFormComesBack(t *testing.T) {
	h := newWatch(t)
	_, page := h.send(maintenancePath, http.StatusUnprocessableEntity, "name", "", "start", "yesterday", "note", "kept as typed")
	h.has(page, "This is needed.", "kept as typed", "Say what it is for")
	_, page = h.send(maintenancePath, http.StatusUnprocessableEntity, "name", "Upgrade", "team", "t-db", "end", soon(-time.Hour))
	h.has(page, "Give an end that is still to come.", `value="t-db" checked`)
	_, page = h.send(maintenancePath, http.StatusUnprocessableEntity, "name", "Upgrade", "team", "t-db", "end", soon(100*24*time.Hour))
	h.has(page, "longer than 31 days")
}

func TestHeartbeatPage(t *testing.T) {
	h := newWatch(t)
	h.has(h.get("olga", heartbeatsPath), "No heartbeat yet")
	answer, page := h.send(heartbeatsPath, http.StatusOK, "name", "Nightly backup", "cron", "0 3 * * *", "zone", "Europe/Berlin", "grace", "10m", "key", "database", "team", "t-db")
	url := regexp.MustCompile(`http://watch\.example/heartbeat/([a-z0-9]+)`).FindStringSubmatch(page)
	if url == nil || answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("no address is shown, or it is kept: %v", answer.Header)
	}
	h.has(page, "curl -fsS", "shown once")
	page = h.get("olga", heartbeatsPath)
	h.has(page, "Nightly backup", "waits for the first call", "0 3 * * * (Europe/Berlin)")
	h.lacks(page, url[1])
	if _, err := h.dispatch.WatchHeartbeats(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.dispatch.Beat(t.Context(), url[1]); err != nil {
		t.Fatal(err)
	}
	h.has(h.get("kim", heartbeatsPath), "on time")

	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := range o.Heartbeats {
		h.send(heartbeatsPath+"/"+string(n)+"/pause", http.StatusSeeOther)
		h.has(h.get("kim", heartbeatsPath), "paused")
		h.send(heartbeatsPath+"/"+string(n)+"/resume", http.StatusSeeOther)
		_, page := h.send(heartbeatsPath+"/"+string(n)+"/renew", http.StatusOK)
		h.has(page, "http://watch.example/heartbeat/")
		h.lacks(page, url[1])
		h.send(heartbeatsPath+"/"+string(n)+"/delete", http.StatusSeeOther)
	}
	h.has(h.get("kim", heartbeatsPath), "No heartbeat yet")
}

func TestHeartbeatFormComesBack(t *testing.T) {
	h := newWatch(t)
	for want, pairs := range map[string][]string{
		"Give a length of time": {"name", "Backup", "every", "often", "key", "database"},
		"give either every":     {"name", "Backup", "key", "database"},
		"no such date":          {"name", "Backup", "cron", "0 0 30 2 *", "key", "database"},
		"This is needed.":       {"name", "", "every", "1h"},
		"IANA":                  {"name", "Backup", "cron", "0 0 * * *", "zone", "Middle/Earth", "key", "database"},
	} {
		_, page := h.send(heartbeatsPath, http.StatusUnprocessableEntity, pairs...)
		h.has(page, want)
	}
	h.send(heartbeatsPath, http.StatusOK, "name", "Backup", "every", "1h", "key", "database")
	_, page := h.send(heartbeatsPath, http.StatusUnprocessableEntity, "name", "Backup", "every", "1h", "key", "database")
	h.has(page, "taken already")
}

func TestDrillPages(t *testing.T) {
	h := newWatch(t)
	page := h.get("kim", drillsPath)
	h.has(page, "No drill yet", "Not proven for 90 days", "kim@example.org")
	answer, _ := h.ask(request{as: "kim", method: http.MethodPost, path: drillsPath, form: url.Values{"team": {"t-db"}, "note": {"Friday & more"}}, plain: true})
	to := answer.Header.Get("Location")
	if answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, drillsPath+"/") {
		t.Fatalf("planned: %s to %q", answer.Status, to)
	}
	h.has(h.get("olga", to), "Friday &amp; more", "kim@example.org", "waiting", "0 of 1")

	var sent store.Delivery
	waiting, err := h.store.Waiting(t.Context(), 10)
	if err != nil || len(waiting) != 1 {
		t.Fatalf("%d pages wait, %v", len(waiting), err)
	}
	sent = waiting[0]
	link := "/drill/" + h.dispatch.PageToken(sent)
	h.has(h.get("", link), "Did this page reach you?", `action="`+link+`"`)
	h.has(h.get("", link), "Did this page reach you?") // looking is no answer
	answer, body := h.ask(request{method: http.MethodPost, path: link, plain: true, header: http.Header{"Origin": {"null"}}})
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("answered: %s", answer.Status)
	}
	h.has(body, "Thank you")
	h.has(h.get("olga", to), "1 of 1", "answered")
	h.lacks(h.get("kim", drillsPath), "kim@example.org")

	if answer, _ := h.ask(request{path: link + "x"}); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a made-up link: %s", answer.Status)
	}
	h.send(to+"/end", http.StatusSeeOther)
	h.has(h.get("olga", to), "over")
	answer, _ = h.ask(request{as: "kim", method: http.MethodPost, path: drillsPath, form: url.Values{"team": {""}}, plain: true})
	if answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a drill for nobody: %s", answer.Status)
	}
}

// The alert of a silent job is an alert like others.
func TestTheSilenceOfAJobIsSeen(t *testing.T) {
	h := newWatch(t)
	_, page := h.send(heartbeatsPath, http.StatusOK, "name", "Backup", "every", "30s", "key", "database")
	key := regexp.MustCompile(`/heartbeat/([a-z0-9]+)`).FindStringSubmatch(page)[1]
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		beats, err := tx.Beats()
		for _, b := range beats {
			b.At, b.Missed = tx.Now.Add(-time.Hour), tx.Now.Add(-time.Minute)
			tx.PutBeat(b)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.has(h.get("olga", heartbeatsPath), "silent")
	if _, err := h.dispatch.Beat(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	h.has(h.get("olga", heartbeatsPath), "on time")
	got, err := h.store.Alerts(t.Context(), store.AlertFilter{Limit: 1})
	if err != nil || len(got) != 1 || got[0].Type != alert.Recovery || got[0].EntityID != "heartbeat/backup" {
		t.Errorf("the last alert is %+v, %v", got, err)
	}
}
