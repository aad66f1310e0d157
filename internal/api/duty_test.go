package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/people"
)

func TestSchedule(t *testing.T) {
	h := newHouse(t)
	h.want(h.do("max", http.MethodPost, "/api/v1/overrides",
		`{"rotation":"primary","for":"ada","start":"2036-01-15T10:00:00Z","end":"2036-01-15T12:00:00Z","note":"dentist"}`), http.StatusCreated)
	got := h.want(h.do("olga", http.MethodGet, "/api/v1/rotations/primary/schedule?from=2036-01-14T12:00:00Z&to=2036-01-16T12:00:00Z", ""), http.StatusOK)
	var final []string
	list, _ := got.at("final").([]any)
	for i := range list {
		final = append(final, fmt.Sprint(got.at("final", i, "person", "username"), " ", got.at("final", i, "start"), " ", got.at("final", i, "instead", "username")))
	}
	// 2036-01-14 is a Monday of Ada's or Max's, whichever: the override takes Ada's duty only.
	want := 3
	if got.at("layers", 0, "shifts", 0, "person", "username") != "ada" {
		want = 1
	}
	if len(final) != want || len(got.at("gaps").([]any)) != 0 || got.at("zone") != "Europe/Berlin" {
		t.Errorf("final is %v, want %d shifts\n%s", final, want, got.Text)
	}
	if got.at("overrides", 0, "note") != "dentist" {
		t.Errorf("overrides: %s", got.Text)
	}
	for query, field := range map[string]string{
		"from=2036-01-14T12:00:00Z&to=2036-01-14T12:00:00Z": "to", "from=2036-01-01T00:00:00Z&to=2039-01-01T00:00:00Z": "to", "from=monday": "from",
	} {
		if bad := h.do("olga", http.MethodGet, "/api/v1/rotations/primary/schedule?"+query, ""); bad.Status != http.StatusBadRequest || bad.JSON["field"] != field {
			t.Errorf("%s: %d, field %v, want %s", query, bad.Status, bad.JSON["field"], field)
		}
	}
}

// The edit is compared, and nothing of it is kept.
func TestPreview(t *testing.T) {
	h := newHouse(t)
	edit := `{"name":"Other","zone":"Europe/Berlin","layers":[{"members":["max"],"every":1,"unit":"weeks","handoff_at":"09:00","start":"2026-01-05",
		"restrictions":[{"days":["monday","tuesday"],"from":"22:00","to":"06:00"}]}]}`
	got := h.want(h.do("ada", http.MethodPost, "/api/v1/rotations/primary/preview?from=2027-03-22T00:00:00Z&to=2027-03-29T00:00:00Z", edit), http.StatusOK)
	const week = 7 * 24 * 3600.0
	for i := range 2 {
		was := got.at("totals", i, "before_seconds").(float64)
		is := got.at("totals", i, "after_seconds").(float64)
		if who := got.at("totals", i, "person", "username"); who == "ada" && is != 0 || who == "max" && is != 16*3600 || was > week {
			t.Errorf("%v: before %v, after %v", who, was, is)
		}
	}
	if got.at("zone_changes", 0, "at") != "2027-03-28T01:00:00Z" || got.at("zone_changes", 0, "jump") != "1h0m0s" || got.at("zone_changes", 1, "after_name") != "CET" {
		t.Errorf("changes of the clocks: %s", got.Text)
	}
	if len(got.at("gaps").([]any)) != 3 || len(got.at("changes").([]any)) == 0 {
		t.Errorf("gaps: %s", got.Text)
	}
	if shown := h.do("ada", http.MethodGet, "/api/v1/rotations/primary", ""); shown.at("name") != "Primary" || shown.at("layers", 0, "restrictions") != nil {
		t.Errorf("it was kept: %s", shown.Text)
	}
	h.want(h.do("ada", http.MethodPut, "/api/v1/rotations/primary", edit), http.StatusOK)
	shown := h.do("ada", http.MethodGet, "/api/v1/rotations/other", "")
	if shown.at("layers", 0, "restrictions", 0, "from") != "22:00" || shown.at("layers", 0, "restrictions", 0, "days", 1) != "tuesday" {
		t.Errorf("saved: %s", shown.Text)
	}
}

func TestTakeAndHandBack(t *testing.T) {
	h := newHouse(t)
	now := h.do("max", http.MethodGet, "/api/v1/oncall", "")
	has := fmt.Sprint(now.at("rotations", 0, "now", 0, "person", "username"))
	other := map[string]string{"ada": "max", "max": "ada"}[has]
	if again := h.do(has, http.MethodPost, "/api/v1/oncall/take", `{"rotation":"primary"}`); again.Status != http.StatusConflict {
		t.Errorf("taking what one has: %d %s", again.Status, again.Text)
	}
	made := h.want(h.do(other, http.MethodPost, "/api/v1/oncall/take", `{"rotation":"primary","for":"2h","note":"lunch"}`), http.StatusCreated)
	if made.at("kind") != "take" || made.at("person", "username") != other || made.at("for", "username") != has {
		t.Errorf("taken: %s", made.Text)
	}
	if on := h.do("olga", http.MethodGet, "/api/v1/oncall", ""); on.at("rotations", 0, "now", 0, "person", "username") != other {
		t.Errorf("on call: %s", on.Text)
	}
	if list := h.do("olga", http.MethodGet, "/api/v1/overrides?user="+other, ""); len(list.items()) != 1 {
		t.Errorf("overrides: %s", list.Text)
	}
	h.want(h.do("olga", http.MethodGet, made.Header.Get("Location"), ""), http.StatusOK)
	back := h.want(h.do(other, http.MethodPost, "/api/v1/oncall/handback", `{"rotation":"primary"}`), http.StatusOK)
	if back.at("overrides", 0, "id") != made.at("id") && len(back.at("overrides").([]any)) != 0 { // handed back within the second it is gone
		t.Errorf("handed back: %s", back.Text)
	}
	if on := h.do("olga", http.MethodGet, "/api/v1/oncall", ""); on.at("rotations", 0, "now", 0, "person", "username") != has {
		t.Errorf("on call after handing back: %s", on.Text)
	}
	for body, status := range map[string]int{
		`{}`: http.StatusBadRequest, `{"rotation":"primary"}`: http.StatusConflict, `{"override":"nothing"}`: http.StatusNotFound, `{"rotation":"nothing"}`: http.StatusBadRequest,
	} {
		if got := h.do(other, http.MethodPost, "/api/v1/oncall/handback", body); got.Status != status {
			t.Errorf("hand back %s: %d, want %d\n%s", body, got.Status, status, got.Text)
		}
	}
	both := h.do(other, http.MethodPost, "/api/v1/oncall/take", `{"rotation":"primary","for":"2h","until":"2036-01-01T00:00:00Z"}`)
	if both.Status != http.StatusBadRequest || both.JSON["field"] != "until" {
		t.Errorf("both until and for: %s", both.Text)
	}
}

func TestSwapsAbsencesFeeds(t *testing.T) {
	h := newHouse(t)
	// A week in which it is Ada's turn; the answer says whose it is.
	from := time.Date(2036, 1, 7, 12, 0, 0, 0, time.UTC)
	on := h.do("ada", http.MethodGet, "/api/v1/oncall?at="+from.Format(time.RFC3339), "")
	has := fmt.Sprint(on.at("rotations", 0, "now", 0, "person", "username"))
	other := map[string]string{"ada": "max", "max": "ada"}[has]
	ask := fmt.Sprintf(`{"rotation":"primary","to":%q,"start":%q,"end":%q}`, other, from.Format(time.RFC3339), from.Add(3*time.Hour).Format(time.RFC3339))
	asked := h.want(h.do(has, http.MethodPost, "/api/v1/swaps", ask), http.StatusCreated)
	at := asked.Header.Get("Location")
	if got := h.do(has, http.MethodPost, at+"/accept", ""); got.Status < http.StatusBadRequest {
		t.Errorf("the asker has accepted: %s", got.Text)
	}
	accepted := h.want(h.do(other, http.MethodPost, at+"/accept", ""), http.StatusOK)
	if accepted.at("state") != "accepted" || accepted.at("made", 0) == nil {
		t.Errorf("accepted: %s", accepted.Text)
	}
	if on := h.do("olga", http.MethodGet, "/api/v1/oncall?at="+from.Add(time.Hour).Format(time.RFC3339), ""); on.at("rotations", 0, "now", 0, "person", "username") != other {
		t.Errorf("on call then: %s", on.Text)
	}
	if list := h.do("olga", http.MethodGet, "/api/v1/swaps?state=accepted&user=ada", ""); len(list.items()) != 1 {
		t.Errorf("swaps: %s", list.Text)
	}
	if got := h.do(other, http.MethodPost, at+"/decline", ""); got.Status != http.StatusConflict {
		t.Errorf("declined after that: %d %s", got.Status, got.Text)
	}

	away := h.want(h.do("max", http.MethodPost, "/api/v1/absences", `{"start":"2036-02-01T00:00:00Z","end":"2036-02-08T00:00:00Z","note":"skiing"}`), http.StatusCreated)
	if list := h.do("olga", http.MethodGet, "/api/v1/absences?user=max", ""); len(list.items()) != 1 || list.at("items", 0, "note") != "skiing" {
		t.Errorf("absences: %s", list.Text)
	}
	h.want(h.do("max", http.MethodDelete, fmt.Sprintf("/api/v1/absences/%v", away.at("id")), ""), http.StatusNoContent)

	feed := h.want(h.do("olga", http.MethodPost, "/api/v1/feeds", `{"rotation":"primary"}`), http.StatusCreated)
	url, _ := feed.at("url").(string)
	if !strings.HasPrefix(url, "https://watch.example.org/calendar/") || !strings.HasSuffix(url, ".ics") {
		t.Errorf("the address is %q", url)
	}
	if list := h.do("olga", http.MethodGet, "/api/v1/feeds", ""); len(list.items()) != 1 || strings.Contains(list.Text, "hash") {
		t.Errorf("feeds: %s", list.Text)
	}
	if list := h.do("max", http.MethodGet, "/api/v1/feeds", ""); len(list.items()) != 0 {
		t.Errorf("another's feeds: %s", list.Text)
	}
	h.want(h.do("olga", http.MethodDelete, fmt.Sprintf("/api/v1/feeds/%v", feed.at("id")), ""), http.StatusNoContent)
}

func TestImportCalendar(t *testing.T) {
	h := newHouse(t)
	start := time.Now().UTC().Add(48 * time.Hour).Truncate(time.Hour)
	event := fmt.Sprintf("BEGIN:VCALENDAR\\r\\nVERSION:2.0\\r\\nPRODID:-//x//EN\\r\\nBEGIN:VEVENT\\r\\nUID:1\\r\\nSUMMARY:Nobody we know\\r\\nDTSTART:%s\\r\\nDTEND:%s\\r\\nEND:VEVENT\\r\\nEND:VCALENDAR\\r\\n",
		start.Format("20060102T150405Z"), start.Add(time.Hour).Format("20060102T150405Z"))
	got := h.want(h.do("ada", http.MethodPost, "/api/v1/rotations/primary/import", `{"dry_run":true,"calendar":"`+event+`"}`), http.StatusOK)
	if got.at("unmatched", 0, "summary") != "Nobody we know" || len(got.at("made").([]any)) != 0 {
		t.Errorf("imported: %s", got.Text)
	}
	if bad := h.do("ada", http.MethodPost, "/api/v1/rotations/primary/import", `{"calendar":"no calendar"}`); bad.Status != http.StatusBadRequest || bad.JSON["field"] != "calendar" {
		t.Errorf("no calendar: %d %s", bad.Status, bad.Text)
	}
}

// What people prove and choose for themselves outlives an administrator's edit.
func TestReplacingAPersonKeepsProofs(t *testing.T) {
	h := newHouse(t)
	body := `{"username":"max","name":"Max","email":"max@example.org","role":"member","zone":"UTC","contacts":[%s]}`
	pager := h.want(h.do("max", http.MethodPost, "/api/v1/users/me/contacts", `{"method":"ntfy","address":"https://ntfy.example.org/max-secret-topic","secret":"tk_hidden"}`), http.StatusCreated)
	if pager.at("verified") != false || strings.Contains(pager.Text, "tk_hidden") || pager.at("address") != "https://ntfy.example.org/max-secret-topic" {
		t.Errorf("made: %s", pager.Text)
	}
	h.want(h.do("max", http.MethodPut, "/api/v1/users/me/paging", `{"rules":[{"name":"Nights","urgency":"high","when":[{"from":"22:00","to":"06:00"}],"steps":[{"methods":["email"]}],"again":"10m"}]}`), http.StatusOK)
	if seen := h.do("olga", http.MethodGet, "/api/v1/users/max", ""); strings.Contains(seen.Text, "max-secret-topic") || seen.at("contacts", 1, "shown") != "ntfy.example.org" {
		t.Errorf("shown to others: %s", seen.Text)
	}
	h.want(h.do("ada", http.MethodPut, "/api/v1/users/max", fmt.Sprintf(body, `{"method":"email","address":"max@example.org"},{"method":"ntfy","address":"https://ntfy.example.org/max-secret-topic","label":"phone"}`)), http.StatusOK)
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u := o.Users["u-max"]
	if len(u.Contacts) != 2 || string(u.Contacts[1].ID) != pager.at("id") || u.Contacts[1].Secret == "" || u.Contacts[1].Label != "phone" {
		t.Errorf("contact methods: %+v", u.Contacts)
	}
	if u.Paging == nil || len(u.Paging.Rules) != 1 {
		t.Errorf("the paging policy is gone: %+v", u.Paging)
	}
	at := fmt.Sprintf("/api/v1/users/max/contacts/%s", u.Contacts[1].ID)
	if wrong := h.do("max", http.MethodPost, at+"/verify", `{"code":"000000"}`); wrong.Status < http.StatusBadRequest || wrong.Status >= http.StatusInternalServerError {
		t.Errorf("a wrong code: %d %s", wrong.Status, wrong.Text)
	}
	if sent := h.want(h.do("max", http.MethodGet, at+"/deliveries", ""), http.StatusOK); strings.Contains(sent.Text, "max-secret-topic") {
		t.Errorf("deliveries: %s", sent.Text)
	}
	h.want(h.do("olga", http.MethodGet, at+"/deliveries", ""), http.StatusForbidden)
	h.want(h.do("olga", http.MethodDelete, at, ""), http.StatusForbidden)
	h.want(h.do("max", http.MethodDelete, at, ""), http.StatusNoContent)
	h.want(h.do("max", http.MethodDelete, "/api/v1/users/me/paging", ""), http.StatusNoContent)
	h.want(h.do("ada", http.MethodPut, "/api/v1/users/max/paging", `{"rules":[]}`), http.StatusOK)
	calm := `{"rules":[{"name":"Calm","urgency":"low","steps":[{"after":"0s","methods":["email"]}],"wait_until":{"at":"08:00","days":["mon","fri"]}}]}`
	if got := h.want(h.do("max", http.MethodPut, "/api/v1/users/me/paging", calm), http.StatusOK); strings.TrimSpace(got.Text) != calm {
		t.Errorf("a rule that waits is answered with %s", got.Text)
	}
	urgent := h.do("max", http.MethodPut, "/api/v1/users/me/paging", strings.Replace(calm, `"low"`, `"high"`, 1))
	if urgent.Status != http.StatusBadRequest || !strings.Contains(urgent.Text, "what is urgent does not wait") {
		t.Errorf("what is urgent and waits: %d %s", urgent.Status, urgent.Text)
	}
	bad := h.do("max", http.MethodPut, "/api/v1/users/me/paging", `{"rules":[{"name":"x","steps":[{"after":"9h","methods":["email"]}]}]}`)
	if bad.Status != http.StatusBadRequest || bad.JSON["field"] != "rules[0].steps[0].after" {
		t.Errorf("a long delay: %s", bad.Text)
	}
}

func TestExplain(t *testing.T) {
	h := newHouse(t)
	got := h.want(h.do("olga", http.MethodGet, "/api/v1/explain?routing_key=database&at=2027-03-28T02:30:00%2B01:00&zone=Europe/Berlin", ""), http.StatusOK)
	if got.at("paths", 0, "policy_name") != "Database" || got.at("paths", 0, "events", 0, "at") != "2027-03-28T03:30:00+02:00" ||
		got.at("paths", 0, "events", 0, "people", 0, "attempts", 0, "method") != "email" || got.at("paths", 0, "events", 1, "after") != "5m" {
		t.Errorf("explained: %s", got.Text)
	}
	if team := h.do("olga", http.MethodGet, "/api/v1/explain?team=ops&severity=warning", ""); team.at("paths", 0, "urgency") != "low" {
		t.Errorf("of a team: %s", team.Text)
	}
	for query, field := range map[string]string{"severity=loud": "severity", "team=nothing": "team", "zone=Mars": "zone", "at=now": "at"} {
		if bad := h.do("olga", http.MethodGet, "/api/v1/explain?"+query, ""); bad.Status != http.StatusBadRequest || bad.JSON["field"] != field {
			t.Errorf("%s: %d, field %v", query, bad.Status, bad.JSON["field"])
		}
	}
	n := h.alert("db1")
	why := h.want(h.do("olga", http.MethodGet, fmt.Sprintf("/api/v1/incidents/%d/why?user=max", n), ""), http.StatusOK)
	if why.at("lines", 0, "kind") != "verdict" || why.at("person", "username") != "max" || why.at("lines", 1) == nil {
		t.Errorf("why: %s", why.Text)
	}
	if mine := h.do("ada", http.MethodGet, fmt.Sprintf("/api/v1/incidents/%d/why", n), ""); mine.at("person", "username") != "ada" {
		t.Errorf("why me: %s", mine.Text)
	}
	h.want(h.do("olga", http.MethodGet, "/api/v1/incidents/4711/why?user=max", ""), http.StatusNotFound)
	h.want(h.do("olga", http.MethodGet, "/api/v1/incidents/4711/deliveries", ""), http.StatusNotFound)
	h.want(h.do("olga", http.MethodGet, fmt.Sprintf("/api/v1/incidents/%d/deliveries", n), ""), http.StatusOK)
}

func TestQuiet(t *testing.T) {
	h := newHouse(t)
	window := h.want(h.do("ada", http.MethodPost, "/api/v1/maintenance", `{"name":"Disks","entities":["disk/*"],"teams":["ops"],"for":"2h"}`), http.StatusCreated)
	if window.at("state") != "active" || window.at("teams", 0) != "t-ops" || window.at("by", "username") != "ada" {
		t.Errorf("window: %s", window.Text)
	}
	at := window.Header.Get("Location")
	h.want(h.do("max", http.MethodPost, at+"/end", ""), http.StatusForbidden)
	h.want(h.do("ada", http.MethodPost, at+"/end", ""), http.StatusNoContent)
	if ended := h.do("olga", http.MethodGet, at, ""); ended.at("state") != "over" {
		t.Errorf("ended: %s", ended.Text)
	}
	if list := h.do("olga", http.MethodGet, "/api/v1/maintenance", ""); len(list.items()) != 0 {
		t.Errorf("list: %s", list.Text)
	}
	if list := h.do("olga", http.MethodGet, "/api/v1/maintenance?state=over", ""); len(list.items()) != 1 {
		t.Errorf("list of those that are over: %s", list.Text)
	}

	beat := h.want(h.do("ada", http.MethodPost, "/api/v1/heartbeats", `{"slug":"backup","name":"Backup","routing_key":"database","cron":"0 3 * * *","zone":"Europe/Berlin"}`), http.StatusCreated)
	url, _ := beat.at("url").(string)
	if !strings.HasPrefix(url, "https://watch.example.org/heartbeat/") || beat.at("every") != nil {
		t.Errorf("heartbeat: %s", beat.Text)
	}
	key := url[strings.LastIndex(url, "/")+1:]
	if _, err := h.dispatch.Beat(t.Context(), key); err != nil {
		t.Errorf("its key opens nothing: %v", err)
	}
	shown := h.do("olga", http.MethodGet, "/api/v1/heartbeats/backup", "")
	if shown.at("last_at") == nil || shown.at("overdue") != false || strings.Contains(shown.Text, key) || strings.Contains(shown.Text, "hash") {
		t.Errorf("shown: %s", shown.Text)
	}
	h.want(h.do("ada", http.MethodPut, "/api/v1/heartbeats/backup", `{"slug":"backup","name":"Backup","routing_key":"database","every":"5m"}`), http.StatusOK)
	if _, err := h.dispatch.Beat(t.Context(), key); err != nil {
		t.Errorf("replacing it has taken its key: %v", err)
	}
	renewed := h.want(h.do("ada", http.MethodPost, "/api/v1/heartbeats/backup/key", ""), http.StatusCreated)
	if renewed.at("url") == url {
		t.Error("the address is the old one")
	}
	h.want(h.do("ada", http.MethodDelete, "/api/v1/heartbeats/backup", "", "If-Match", beat.Header.Get("ETag")), http.StatusPreconditionFailed)
	h.want(h.do("ada", http.MethodDelete, "/api/v1/heartbeats/backup", ""), http.StatusNoContent)
	for body, field := range map[string]string{
		`{"slug":"x","name":"X","routing_key":"nothing"}`:                      "routing_key",
		`{"slug":"x","name":"X","routing_key":"database","cron":"99 * * * *"}`: "cron",
		`{"slug":"x","name":"X","routing_key":"database","every":"1s"}`:        "every",
	} {
		if bad := h.do("ada", http.MethodPost, "/api/v1/heartbeats", body); bad.Status != http.StatusBadRequest || bad.JSON["field"] != field {
			t.Errorf("%s: %d, field %v", body, bad.Status, bad.JSON["field"])
		}
	}

	drill := h.want(h.do("max", http.MethodPost, "/api/v1/drills", `{"team":"ops","for":"10m"}`), http.StatusCreated)
	if results := h.want(h.do("olga", http.MethodGet, drill.Header.Get("Location"), ""), http.StatusOK); results.at("started") == nil || len(results.at("pages").([]any)) != 2 {
		t.Errorf("drill: %s", results.Text)
	}
	h.want(h.do("max", http.MethodPost, drill.Header.Get("Location")+"/end", ""), http.StatusNoContent)
}

func TestProviderSecretsAreWrittenAndNeverRead(t *testing.T) {
	h := newHouse(t)
	made := h.want(h.do("ada", http.MethodPost, "/api/v1/providers",
		`{"kind":"twilio","name":"Twilio","settings":{"account_sid":"AC1","from":"+15005550006"},"secrets":{"auth_token":"hunter2hunter2"}}`), http.StatusCreated)
	at := made.Header.Get("Location")
	if fmt.Sprint(made.JSON["secrets"]) != "[auth_token]" || fmt.Sprint(made.JSON["methods"]) != "[sms voice]" || strings.Contains(made.Text, "hunter2") {
		t.Errorf("made: %s", made.Text)
	}
	stored := func() string {
		o, err := h.store.Org(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range o.Providers {
			return p.Secrets["auth_token"]
		}
		return ""
	}
	sealed := stored()
	if sealed == "" || strings.Contains(sealed, "hunter2") {
		t.Errorf("stored as %q", sealed)
	}
	const kept = `{"kind":"twilio","name":"Twilio 2","off":true}`
	h.want(h.do("ada", http.MethodPut, at, kept), http.StatusOK)
	h.want(h.do("ada", http.MethodPut, at, `{"kind":"twilio","name":"Twilio 2","secrets":{"auth_token":"hunter2hunter2"}}`), http.StatusOK)
	if stored() != sealed {
		t.Error("leaving it out, or saying it again, has changed the secret")
	}
	gone := h.want(h.do("ada", http.MethodPut, at, `{"kind":"twilio","name":"Twilio","secrets":{"auth_token":""}}`), http.StatusOK)
	if fmt.Sprint(gone.JSON["secrets"]) != "[]" {
		t.Errorf("taken away: %s", gone.Text)
	}
	hook := h.want(h.do("ada", http.MethodPost, "/api/v1/providers", `{"kind":"webhook","name":"Bus","secrets":{"url":"https://bus.example.org","signing_key":"hunter2hunter2"}}`), http.StatusCreated)
	if fmt.Sprint(hook.JSON["methods"], hook.JSON["secrets"]) != "[webhook] [signing_key url]" {
		t.Errorf("a webhook: %s", hook.Text)
	}
	for body, field := range map[string]string{
		`{"kind":"webpush","name":"Push"}`:                             "kind",
		`{"kind":"telegram","name":"Twilio"}`:                          "name",
		`{"kind":"pigeon","name":"Pigeon"}`:                            "kind",
		`{"kind":"vonage","name":"V","secrets":{"Not A Name":"x"}}`:    "secrets",
		`{"kind":"vonage","name":"V","deadline":"soon","settings":{}}`: "deadline",
	} {
		if bad := h.do("ada", http.MethodPost, "/api/v1/providers", body); bad.Status != http.StatusBadRequest || bad.JSON["field"] != field {
			t.Errorf("%s: %d, field %v\n%s", body, bad.Status, bad.JSON["field"], bad.Text)
		}
	}
	if other := h.do("ada", http.MethodPut, at, `{"kind":"vonage","name":"Twilio"}`); other.Status != http.StatusBadRequest {
		t.Errorf("another kind: %d", other.Status)
	}
	h.tokens["reader"] = h.token("ada", people.Read)
	h.want(h.do("reader", http.MethodGet, at, ""), http.StatusForbidden)
	h.want(h.do("ada", http.MethodDelete, at, ""), http.StatusNoContent)
}
