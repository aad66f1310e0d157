package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// objects is for each kind a body to create it, one to replace it, and a bad one with its field.
var objects = []struct {
	path           string
	create, change string
	at             string // the member that change changes
	want           any
	bad, field     string
}{
	{
		"/api/v1/teams", `{"slug":"web","name":"Web","members":["ada"]}`, `{"slug":"web","name":"Web team"}`, "name", "Web team",
		`{"slug":"Web!","name":"Web"}`, "slug",
	},
	{
		"/api/v1/rotations",
		`{"name":"Web","team":"ops","zone":"Europe/Berlin","layers":[{"members":["max","ada"],"every":1,"unit":"weeks","handoff_at":"09:00","start":"2026-01-05"}]}`,
		`{"name":"Web","zone":"Europe/London","layers":[]}`, "zone", "Europe/London",
		`{"name":"Web","zone":"Europe/London","layers":[{"members":["nobody"],"every":1,"unit":"weeks","handoff_at":"09:00","start":"2026-01-05"}]}`, "layers[0].members[0]",
	},
	{
		"/api/v1/policies", `{"slug":"web","name":"Web","team":"ops","steps":[{"targets":[{"rotation":"primary"}]},{"after":"5m","targets":[{"user":"ada"},{"team":"ops"}]}]}`,
		`{"slug":"web","name":"Web","steps":[],"repeat":3,"repeat_after":"10m"}`, "repeat_after", "10m",
		`{"slug":"web","name":"Web","steps":[{"after":"soon","targets":[]}]}`, "steps[0].after",
	},
	{
		"/api/v1/policies", `{"slug":"night","name":"Night","steps":[{"notify":"round_robin","targets":[{"rotation":"primary","pick":"next"},{"policy":"network"}],
			"when":{"severities":["critical"],"hours":{"zone":"Europe/Berlin","windows":[{"days":["mon"],"from":"09:00","to":"17:00"}]}}},{"targets":[{"email":"noc@example.org"},{"webhook":"chat"},{"room":"ops"}]}],
			"ack_by":"all","last_resort":[{"team":"ops"}],"repage_after":"4h","low_waits":true,"hours":{"zone":"UTC","windows":[{"from":"08:00","to":"18:00"}]}}`,
		`{"slug":"night","name":"Night","steps":[],"ack_by":"all","urgency":"low"}`, "urgency", "low",
		`{"slug":"night","name":"Night","steps":[{"targets":[{"user":"ada","pick":"next"}]}]}`, "steps[0].targets[0].pick",
	},
	{
		"/api/v1/routing-keys", `{"name":"Web","policy":"network"}`, `{"name":"Web","policy":"database","note":"by hand"}`, "policy", "p-database",
		`{"name":"Web","policy":"nothing"}`, "policy",
	},
	{
		"/api/v1/integrations", `{"name":"Prometheus"}`, `{"name":"Prometheus","off":true}`, "off", true,
		`{"name":"Prometheus","kind":"smoke"}`, "kind",
	},
}

func TestObjectsFromCradleToGrave(t *testing.T) {
	for _, o := range objects {
		t.Run(o.path, func(t *testing.T) {
			h := newHouse(t)
			h.change(org.Put(org.Provider{ID: "chat", Kind: org.Webhook, Name: "chat", Settings: map[string]string{}, Secrets: map[string]string{"url": "sealed"}}))
			if bad := h.do("ada", http.MethodPost, o.path, o.bad); bad.Status != http.StatusBadRequest || bad.JSON["field"] != o.field {
				t.Errorf("bad: %d, field %v, want %q\n%s", bad.Status, bad.JSON["field"], o.field, bad.Text)
			}
			made := h.want(h.do("ada", http.MethodPost, o.path, o.create), http.StatusCreated)
			at := made.Header.Get("Location")
			tag := made.Header.Get("ETag")
			if at != fmt.Sprintf("%s/%v", o.path, made.JSON["id"]) {
				t.Errorf("Location is %q", at)
			}
			if twice := h.do("ada", http.MethodPost, o.path, o.create); twice.Status != http.StatusBadRequest {
				t.Errorf("the same name twice: %d %s", twice.Status, twice.Text)
			}
			shown := h.want(h.do("olga", http.MethodGet, at, ""), http.StatusOK)
			if got := shown.Header.Get("ETag"); got != tag {
				t.Errorf("ETag is %s, was %s when it was made", got, tag)
			}
			changed := h.want(h.do("ada", http.MethodPut, at, o.change, "If-Match", "W/"+tag), http.StatusOK)
			if changed.JSON[o.at] != o.want || changed.JSON["id"] != made.JSON["id"] {
				t.Errorf("%s is %v, want %v", o.at, changed.JSON[o.at], o.want)
			}
			stale := h.want(h.do("ada", http.MethodPut, at, o.create, "If-Match", tag), http.StatusPreconditionFailed)
			if stale.JSON["code"] != "precondition_failed" || stale.JSON["etag"] != changed.Header.Get("ETag") {
				t.Errorf("stale: %s", stale.Text)
			}
			h.want(h.do("ada", http.MethodDelete, at, "", "If-Match", tag), http.StatusPreconditionFailed)
			if got := h.want(h.do("olga", http.MethodGet, at, ""), http.StatusOK); got.JSON[o.at] != o.want {
				t.Errorf("a refused change has changed it: %s", got.Text)
			}
			h.want(h.do("ada", http.MethodDelete, at, "", "If-Match", changed.Header.Get("ETag")), http.StatusNoContent)
			for _, method := range []string{http.MethodGet, http.MethodDelete} {
				if got := h.do("ada", method, at, ""); got.Status != http.StatusNotFound || got.JSON["code"] != "not_found" {
					t.Errorf("%s after the end: %d %s", method, got.Status, got.Text)
				}
			}
			h.want(h.do("ada", http.MethodPut, at, o.change), http.StatusNotFound)
		})
	}
}

func TestObjectsByName(t *testing.T) {
	h := newHouse(t)
	for path, want := range map[string]string{
		"users/max": "u-max", "users/u-max": "u-max", "users/max@example.org": "u-max", "teams/ops": "t-ops", "rotations/primary": "r-primary",
		"policies/database": "p-database", "routing-keys/DATABASE": "k-database", "integrations/nagios": "i-nagios",
	} {
		if got := h.want(h.do("olga", http.MethodGet, "/api/v1/"+path, ""), http.StatusOK); got.JSON["id"] != want {
			t.Errorf("%s is %v, want %s", path, got.JSON["id"], want)
		}
	}
}

// What an editor reads can be sent back as it is.
func TestPolicyIsReadAsItWasWritten(t *testing.T) {
	h := newHouse(t)
	h.change(org.Put(org.Provider{ID: "chat", Kind: org.Webhook, Name: "chat", Settings: map[string]string{}, Secrets: map[string]string{"url": "sealed"}}))
	for _, o := range objects {
		if !strings.Contains(o.create, `"ack_by":"all"`) {
			continue
		}
		at := h.want(h.do("ada", http.MethodPost, o.path, o.create), http.StatusCreated).Header.Get("Location")
		var body map[string]any
		shown := h.do("ada", http.MethodGet, at, "")
		if err := json.Unmarshal([]byte(shown.Text), &body); err != nil {
			t.Fatal(err)
		}
		delete(body, "id")
		again, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.want(h.do("ada", http.MethodPut, at, string(again)), http.StatusOK); got.Header.Get("ETag") != shown.Header.Get("ETag") {
			t.Errorf("sent back it is another: %s\n%s", shown.Text, got.Text)
		}
	}
}

func TestUnknownWebhook(t *testing.T) {
	h := newHouse(t)
	got := h.do("ada", http.MethodPost, "/api/v1/policies", `{"slug":"p","name":"P","steps":[{"targets":[{"webhook":"board"}]}]}`)
	if got.Status != http.StatusBadRequest || got.JSON["field"] != "steps[0].targets[0].webhook" || !strings.Contains(got.Text, "there is none yet") {
		t.Errorf("a webhook that is not there: %d %s", got.Status, got.Text)
	}
}

func TestWhatIsNeededCannotBeDeleted(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"users/ada", "teams/ops", "rotations/primary", "policies/network"} {
		got := h.do("ada", http.MethodDelete, "/api/v1/"+path, "")
		if got.Status != http.StatusConflict || got.JSON["detail"] == nil {
			t.Errorf("%s: %d %s", path, got.Status, got.Text)
		}
	}
}

func TestListsOfObjectsNeitherSkipNorRepeat(t *testing.T) {
	h := newHouse(t)
	var want []string
	for i := range 11 {
		// The same name many times: only the id tells them apart.
		team := people.Team{ID: id.Team(fmt.Sprintf("t-%02d", i)), Slug: fmt.Sprintf("same-%d", i), Name: "Same"}
		h.change(org.Put(team))
		want = append(want, string(team.ID))
	}
	want = append([]string{"t-ops"}, want...) // Operations
	for _, limit := range []int{1, 4, 12, 100} {
		if got := walk(h, fmt.Sprintf("/api/v1/teams?limit=%d", limit), "id"); !slices.Equal(got, want) {
			t.Errorf("by %d: %v, want %v", limit, got, want)
		}
	}
	for list, first := range map[string]string{
		"users": "u-ada", "rotations": "r-primary", "policies": "p-database", "routing-keys": "k-database", "integrations": "i-nagios",
	} {
		if got := walk(h, "/api/v1/"+list+"?limit=1", "id"); len(got) == 0 || got[0] != first {
			t.Errorf("%s: %v", list, got)
		}
	}
}

func TestUsers(t *testing.T) {
	h := newHouse(t)
	got := h.want(h.do("ada", http.MethodPost, "/api/v1/users", `{"name":"Kim","email":"kim@example.org","username":"kim","role":"member","zone":"Asia/Tokyo","teams":["ops"]}`), http.StatusCreated)
	if link, _ := got.JSON["invitation_link"].(string); !strings.HasPrefix(link, "https://watch.example.org/") {
		t.Errorf("the link is %q", link)
	}
	kim := got.Header.Get("Location")
	shown := h.want(h.do("olga", http.MethodGet, kim, ""), http.StatusOK)
	if shown.JSON["zone"] != "Asia/Tokyo" || shown.Header.Get("ETag") != got.Header.Get("ETag") {
		t.Errorf("Kim is %s", shown.Text)
	}
	contact := shown.at("contacts", 0, "id")
	changed := h.want(h.do("ada", http.MethodPut, kim,
		`{"username":"kim","name":"Kim Lee","email":"kim@example.org","role":"observer","zone":"UTC","contacts":[{"method":"email","address":"kim@example.org"},{"method":"email","address":"k@example.net","off":true}]}`),
		http.StatusOK)
	if changed.at("contacts", 0, "id") != contact || changed.at("contacts", 1, "off") != true || changed.JSON["role"] != "observer" {
		t.Errorf("Kim is %s", changed.Text)
	}
	if changed.at("contacts", 1, "proof") != "admin" || changed.at("contacts", 1, "vouched_by") != "u-ada" {
		t.Errorf("the address that an administrator has written: %s", changed.Text)
	}
	own := h.want(h.do("ada", http.MethodPost, "/api/v1/users/me/contacts", `{"method":"email","address":"night@example.net"}`), http.StatusCreated)
	if own.at("verified") != false || own.at("proof") != nil {
		t.Errorf("an own address: %s, want it to be proven first", own.Text)
	}
	for body, field := range map[string]string{
		`{"name":"X","email":"nowhere"}`:                                     "email",
		`{"name":"X","email":"x@example.org","zone":"Mars"}`:                 "zone",
		`{"name":"X","email":"x@example.org","role":"king"}`:                 "role",
		`{"name":"X","email":"x@example.org","teams":["ops","nobody"]}`:      "teams[1]",
		`{"name":"X","email":"x@example.org","username":"Not allowed"}`:      "username",
		`{"name":"X","email":"x@example.org","username":"x","password":"y"}`: "password",
	} {
		if got := h.do("ada", http.MethodPost, "/api/v1/users", body); got.Status != http.StatusBadRequest || got.JSON["field"] != field {
			t.Errorf("%s: %d, field %v, want %s\n%s", body, got.Status, got.JSON["field"], field, got.Text)
		}
	}
	last := h.do("ada", http.MethodPut, "/api/v1/users/ada", `{"username":"ada","name":"Ada","email":"ada@example.org","role":"member","zone":"UTC"}`)
	if last.Status != http.StatusBadRequest {
		t.Errorf("the last administrator stepped down: %d %s", last.Status, last.Text)
	}
}

func TestIntegrationKeyIsForThoseWhoMaySeeIt(t *testing.T) {
	h := newHouse(t)
	shown := h.want(h.do("ada", http.MethodGet, "/api/v1/integrations/nagios", ""), http.StatusOK)
	key, _ := shown.JSON["key"].(string)
	if url, _ := shown.JSON["url"].(string); key == "" || url != "https://watch.example.org/integrations/generic/20131114/alert/"+key {
		t.Errorf("shown to an administrator: %s", shown.Text)
	}
	if got, ok, err := h.dispatch.Integration(t.Context(), key); err != nil || !ok || got != "i-nagios" {
		t.Errorf("the key opens %s, %v, %v", got, ok, err)
	}
	h.tokens["ada reading"] = h.token("ada", people.Read, people.Manage)
	for _, who := range []string{"max", "olga", "ada reading"} {
		for _, path := range []string{"/api/v1/integrations/nagios", "/api/v1/integrations"} {
			got := h.want(h.do(who, http.MethodGet, path, ""), http.StatusOK)
			if strings.Contains(got.Text, key) || strings.Contains(got.Text, "sealed") || strings.Contains(got.Text, "hash") {
				t.Errorf("shown to %s: %s", who, got.Text)
			}
		}
	}
	changed := h.want(h.do("ada", http.MethodPut, "/api/v1/integrations/nagios", `{"name":"Nagios 2"}`), http.StatusOK)
	if changed.JSON["key"] != key {
		t.Errorf("replacing it changed the key: %s", changed.Text)
	}
}

func TestTestAlert(t *testing.T) {
	h := newHouse(t)
	got := h.want(h.do("ada", http.MethodPost, "/api/v1/integrations/nagios/test", ""), http.StatusCreated)
	if got.JSON["type"] != "info" || got.JSON["integration"] != "i-nagios" || got.JSON["incident"] != nil {
		t.Errorf("the alert is %s", got.Text)
	}
	last := h.want(h.do("ada", http.MethodGet, "/api/v1/integrations/nagios", ""), http.StatusOK)
	if last.at("last_alert", "id") != got.JSON["id"] {
		t.Errorf("last received: %s", last.Text)
	}
	h.want(h.do("ada", http.MethodPut, "/api/v1/integrations/nagios", `{"name":"Nagios","off":true}`), http.StatusOK)
	h.want(h.do("ada", http.MethodPost, "/api/v1/integrations/nagios/test", ""), http.StatusConflict)
	h.want(h.do("ada", http.MethodPost, "/api/v1/integrations/nothing/test", ""), http.StatusNotFound)
}

func TestSettings(t *testing.T) {
	h := newHouse(t)
	shown := h.want(h.do("olga", http.MethodGet, "/api/v1/settings", ""), http.StatusOK)
	if shown.JSON["name"] != "Example" || shown.JSON["default_policy"] != "p-network" {
		t.Errorf("settings are %s", shown.Text)
	}
	body := `{"name":"Example","default_policy":"database","warnings_open":false,"snooze_morning_at":"08:30"}`
	changed := h.want(h.do("ada", http.MethodPut, "/api/v1/settings", body, "If-Match", shown.Header.Get("ETag")), http.StatusOK)
	if changed.JSON["default_policy"] != "p-database" || changed.JSON["snooze_morning_at"] != "08:30" {
		t.Errorf("settings are %s", changed.Text)
	}
	h.want(h.do("ada", http.MethodPut, "/api/v1/settings", body, "If-Match", shown.Header.Get("ETag")), http.StatusPreconditionFailed)
	bad := h.do("ada", http.MethodPut, "/api/v1/settings", strings.Replace(body, "08:30", "8.30", 1))
	if bad.Status != http.StatusBadRequest || bad.JSON["field"] != "snooze_morning_at" {
		t.Errorf("bad time: %s", bad.Text)
	}
}

// A picture is a file that whoever gives it has uploaded: see
// dispatch.SetBotPicture.
func TestSettingsLeaveThePictureOfTheBot(t *testing.T) {
	h := newHouse(t)
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	settings := o.Settings
	settings.Bot.Picture = "f-ours"
	h.change(org.Put(settings))
	const body = `{"name":"Example","warnings_open":true,"snooze_morning_at":"09:00","bot":%s}`
	h.do("ada", http.MethodPut, "/api/v1/settings", fmt.Sprintf(body, `{"name":"hal","picture":"f-of-somebody"}`))
	shown := h.want(h.do("ada", http.MethodPut, "/api/v1/settings", fmt.Sprintf(body, `{"name":"hal"}`)), http.StatusOK)
	if shown.at("bot", "name") != "hal" || shown.at("bot", "picture") != "f-ours" {
		t.Errorf("settings are %s", shown.Text)
	}
}

// TestSettingsSayWhatHolds: also what nobody has chosen, and to send back what
// was read chooses nothing.
func TestSettingsSayWhatHolds(t *testing.T) {
	h := newHouse(t)
	show := func() reply { return h.want(h.do("olga", http.MethodGet, "/api/v1/settings", ""), http.StatusOK) }
	put := func(more string) {
		h.want(h.do("ada", http.MethodPut, "/api/v1/settings", `{"name":"Example","warnings_open":true,"snooze_morning_at":"09:00",`+more+`}`), http.StatusOK)
	}
	shown := show()
	if shown.at("bot", "name") != "victor" || shown.at("bot", "sigil") != "!" || shown.JSON["rules"] != "" {
		t.Errorf("settings that nobody has touched: %s", shown.Text)
	}
	if in := fmt.Sprint(shown.JSON["rules_in_force"]); !strings.Contains(in, `allow everyone * when risk == "read"`) {
		t.Errorf("rules in force: %s", in)
	}
	put(`"bot":{"name":"victor","sigil":"!"},"rules":""`)
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if o.Settings.Bot != (org.Bot{}) {
		t.Errorf("what was read and sent back is kept as a choice: %+v", o.Settings.Bot)
	}
	put(`"bot":{"name":"hal","sigil":"off"},"rules":"without defaults\nallow role:admin *"`)
	shown = show()
	if shown.at("bot", "name") != "hal" || shown.at("bot", "sigil") != "off" || fmt.Sprint(shown.JSON["rules_in_force"]) != "[allow role:admin *]" {
		t.Errorf("settings: %s", shown.Text)
	}
}

func TestTokens(t *testing.T) {
	h := newHouse(t)
	made := h.want(h.do("max", http.MethodPost, "/api/v1/tokens", `{"name":"script","scopes":["read","respond"]}`), http.StatusCreated)
	secret, _ := made.JSON["secret"].(string)
	if !strings.HasPrefix(secret, "wr_") || made.at("user", "username") != "max" {
		t.Fatalf("made: %s", made.Text)
	}
	h.tokens["script"] = secret
	me := h.want(h.do("script", http.MethodGet, "/api/v1/me", ""), http.StatusOK)
	if fmt.Sprint(me.JSON["permissions"]) != "[read respond]" || me.at("user", "username") != "max" {
		t.Errorf("me: %s", me.Text)
	}
	h.want(h.do("script", http.MethodPost, "/api/v1/tokens", `{"name":"more"}`), http.StatusForbidden)
	list := h.want(h.do("max", http.MethodGet, "/api/v1/tokens", ""), http.StatusOK)
	if strings.Contains(list.Text, secret) || len(list.items()) != 2 {
		t.Errorf("the list: %s", list.Text)
	}
	at := fmt.Sprintf("/api/v1/tokens/%v", made.JSON["id"])
	h.want(h.do("olga", http.MethodDelete, at, ""), http.StatusNotFound) // another's does not exist for her
	h.want(h.do("max", http.MethodDelete, at, ""), http.StatusNoContent)
	h.want(h.do("script", http.MethodGet, "/api/v1/me", ""), http.StatusUnauthorized)
	bad := h.do("max", http.MethodPost, "/api/v1/tokens", `{"name":"script","scopes":["everything"]}`)
	if bad.Status != http.StatusBadRequest || bad.JSON["field"] != "scopes[0]" {
		t.Errorf("bad scope: %s", bad.Text)
	}
	if others := h.do("max", http.MethodPost, "/api/v1/tokens", `{"name":"script","user":"ada"}`); others.Status != http.StatusForbidden {
		t.Errorf("a token for somebody else: %d %s", others.Status, others.Text)
	}
	if got := walk(h, "/api/v1/tokens?limit=1", "name"); len(got) != 1 {
		t.Errorf("an observer sees %v", got)
	}
}

func TestOnCall(t *testing.T) {
	h := newHouse(t)
	got := h.want(h.do("olga", http.MethodGet, "/api/v1/oncall?at=2026-01-06T12:00:00Z", ""), http.StatusOK)
	for _, c := range []struct {
		at   []any
		want any
	}{
		{[]any{"rotations", 0, "slug"}, "primary"},
		{[]any{"rotations", 0, "now", 0, "person", "username"}, "max"},
		{[]any{"rotations", 0, "now", 0, "since"}, "2026-01-05T08:00:00Z"},
		{[]any{"rotations", 0, "now", 0, "until"}, "2026-01-12T08:00:00Z"},
		{[]any{"rotations", 0, "next", 0, "person", "username"}, "ada"},
		{[]any{"rotations", 0, "next", 4, "since"}, "2026-02-09T08:00:00Z"},
		{[]any{"policies", 0, "slug"}, "database"},
		{[]any{"policies", 0, "step"}, 1.0},
		{[]any{"policies", 0, "people", 0, "username"}, "max"},
		{[]any{"policies", 1, "people", 0, "username"}, "ada"},
	} {
		if g := got.at(c.at...); g != c.want {
			t.Errorf("%v is %v, want %v", c.at, g, c.want)
		}
	}
	on, off := 0, 0
	for _, who := range []string{"ada", "max"} {
		mine := h.want(h.do(who, http.MethodGet, "/api/v1/oncall/me", ""), http.StatusOK)
		if mine.at("now", 0, "rotation") == "r-primary" {
			on++
		} else {
			off++
		}
		if mine.at("next", 0, "person", "username") != who {
			t.Errorf("%s: %s", who, mine.Text)
		}
	}
	if on != 1 || off != 1 {
		t.Errorf("%d on call and %d not, want one each", on, off)
	}
}
