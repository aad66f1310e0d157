package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
)

const (
	saved   = http.StatusSeeOther
	refuses = http.StatusUnprocessableEntity
)

func TestProfileForms(t *testing.T) {
	h := newWatch(t)
	h.send("/settings/profile", saved, "name", "Ada L.", "zone", "Asia/Tokyo", "role", "observer", "email", "other@example.org")
	ada := h.org().Users["u-ada"]
	if ada.Name != "Ada L." || ada.Zone != "Asia/Tokyo" || ada.Role != people.Admin || ada.Email != "ada@example.org" {
		t.Errorf("ada is %+v", ada)
	}
	_, page := h.send("/settings/profile", refuses, "name", "", "zone", "Mars/Olympus")
	h.has(page, "This is needed.", "not a known time zone", `value="Mars/Olympus"`)

	h.send("/settings/profile/contacts", saved, "address", "night@example.org", "label", "gateway")
	_, page = h.send("/settings/profile/contacts", refuses, "address", "Night@example.org", "label", "again")
	h.has(page, "You have this address already.", `value="again"`)
	_, page = h.send("/settings/profile/contacts", refuses, "address", "nonsense")
	h.has(page, "This is not an e-mail address.", `value="nonsense"`)
	contacts := h.org().Users["u-ada"].Contacts
	at := "/settings/profile/contacts/" + string(contacts[1].ID)
	first := "/settings/profile/contacts/" + string(contacts[0].ID)
	h.send(first+"/off", saved)
	if c := h.org().Users["u-ada"].Contacts[0]; !c.Off {
		t.Errorf("contact is %+v, want off", c)
	}
	h.has(h.get("ada", "/settings/profile/contacts"), first+`/on"`)
	h.send(first+"/on", saved)
	h.send(at+"/remove", saved)
	if left := h.org().Users["u-ada"].Contacts; len(left) != 1 {
		t.Errorf("contacts are %+v", left)
	}
	h.send(at+"/remove", http.StatusNotFound)
}

func TestTestPage(t *testing.T) {
	h := newBare(t)
	h.admin()
	ada, _ := h.org().UserByName("ada")
	at := "/settings/profile/contacts/" + string(ada.Contacts[0].ID) + "/test"
	h.send(at, saved)
	notices := h.notices()
	if len(notices) != 1 || !strings.Contains(notices[0].Subject, "Test page") || notices[0].URL != "http://watch.example"+strings.TrimSuffix(at, "/test") {
		t.Errorf("mailed %+v", notices)
	}
	for range testBurst - 1 {
		h.send(at, saved)
	}
	h.send(at, http.StatusTooManyRequests)
	h.web.MailConfigured = false
	h.send(at, saved) // says that there is no mail
	if n := len(h.notices()); n != testBurst {
		t.Errorf("%d test pages wait, want %d", n, testBurst)
	}
}

func TestPasswordAndSessions(t *testing.T) {
	h := newBare(t)
	h.admin()
	other, _ := h.submit("/login", saved, "email", "ada@example.org", "password", goodPassword)
	_, page := h.send("/settings/profile/password", refuses, "old", "wrong", "password", "another good password")
	h.has(page, "not your present password")
	_, page = h.send("/settings/profile/password", refuses, "old", goodPassword, "password", "short")
	h.has(page, "at least")
	h.send("/settings/profile/password", saved, "old", goodPassword, "password", "another good password")
	if h.signedIn(other) {
		t.Error("the other browser is still signed in")
	}
	h.submit("/login", http.StatusUnauthorized, "email", "ada@example.org", "password", goodPassword)
	again, _ := h.submit("/login", saved, "email", "ada@example.org", "password", "another good password")
	h.has(h.get("ada", "/settings/profile/security"), "This browser", "/end")
	h.send("/settings/profile/sessions/end", saved)
	if h.signedIn(again) {
		t.Error("still signed in somewhere")
	}
}

func TestTokens(t *testing.T) {
	h := newWatch(t)
	_, page := h.send("/settings/profile/tokens", refuses, "name", "", "scope", "read")
	h.has(page, "This is needed.", `value="read" checked`)
	_, page = h.send("/settings/profile/tokens", http.StatusOK, "name", "deploy", "scope", "read", "scope", "talk")
	h.has(page, "deploy", `value="wr_`)
	_, secret, _ := strings.Cut(page, `value="wr_`)
	secret, _, _ = strings.Cut(secret, `"`)
	actor, err := h.web.Accounts.AuthenticateToken(t.Context(), "wr_"+secret)
	if err != nil || actor.User != "u-ada" || !actor.May(people.Read) || actor.May(people.Manage) {
		t.Errorf("the token stands for %+v, %v", actor, err)
	}
	h.lacks(h.get("ada", "/settings/profile/tokens"), secret)
	all := h.get("ada", "/settings/tokens")
	h.has(all, "deploy", "Ada")
	h.lacks(all, secret)
	tokens, err := h.web.Accounts.Tokens(t.Context(), h.actor("ada"))
	if err != nil || len(tokens) != 1 {
		t.Fatalf("tokens: %v, %v", tokens, err)
	}
	h.send("/settings/tokens/"+string(tokens[0].ID)+"/revoke", saved)
	if _, err := h.web.Accounts.AuthenticateToken(t.Context(), "wr_"+secret); err == nil {
		t.Error("a revoked token works")
	}
}

func TestPersonForms(t *testing.T) {
	h := newWatch(t)
	h.send("/settings/people/u-kim", saved, "name", "Kim B", "username", "kim", "email", "kim@example.org", "zone", "UTC", "role", "observer")
	if kim := h.org().Users["u-kim"]; kim.Role != people.Observer || len(kim.Contacts) != 1 {
		t.Errorf("kim is %+v", kim)
	}
	_, page := h.send("/settings/people/u-kim", refuses, "name", "Kim B", "username", "ada", "email", "kim@example.org", "zone", "UTC", "role", "member")
	h.has(page, `value="Kim B"`, "is taken already")
	_, page = h.send("/settings/people/u-ada", refuses, "name", "Ada", "username", "ada", "email", "ada@example.org", "zone", "UTC", "role", "member")
	h.has(page, "the last administrator cannot be removed")
	h.send("/settings/people/u-kim/disable", saved)
	if !h.org().Users["u-kim"].Disabled {
		t.Error("kim is not disabled")
	}
	h.has(h.get("ada", "/settings/people/u-kim"), "Enable")
	h.send("/settings/people/u-kim/enable", saved)
	h.send("/settings/people/u-ada/disable", saved) // refused, in a message
	if h.org().Users["u-ada"].Disabled {
		t.Error("the last administrator is disabled")
	}
	h.send("/settings/people/u-nobody/disable", http.StatusNotFound)
}

func TestTeamForms(t *testing.T) {
	h := newWatch(t)
	h.send("/settings/teams", saved, "name", "Night Watch", "slug", "", "member", "u-kim", "member", "u-ada")
	team, ok := h.org().TeamBySlug("night-watch")
	if want := []id.User{"u-kim", "u-ada"}; !ok || !cmp.Equal(team.Members, want) {
		t.Errorf("team is %+v", team)
	}
	_, page := h.send("/settings/teams", refuses, "name", "Storage", "slug", "storage", "member", "u-olga")
	h.has(page, "storage is taken already.", `value="u-olga" checked`)
	_, page = h.send("/settings/teams", refuses, "name", "", "slug", "Not A Slug")
	h.has(page, "This is needed.", "Lower-case letters, digits and single dashes only.", `value="Not A Slug"`)
	_, page = h.send("/settings/teams", refuses, "name", "夜", "slug", "")
	h.has(page, "give one, such as ops")
	h.send("/settings/teams/"+string(team.ID), saved, "name", "Day Watch", "slug", "night-watch")
	if is := h.org().Teams[team.ID]; is.Name != "Day Watch" || len(is.Members) != 0 {
		t.Errorf("team is %+v", is)
	}
	h.send("/settings/teams/"+string(team.ID)+"/delete", saved)
	if _, ok := h.org().Teams[team.ID]; ok {
		t.Error("the team is still there")
	}
	h.send("/settings/teams/t-db/delete", saved) // refused, in a message: a rotation is its
	if _, ok := h.org().Teams["t-db"]; !ok {
		t.Error("a team that is needed is gone")
	}
}

// rotationFields are a good rotation, as the form sends it.
func rotationFields(more ...string) []string {
	return append([]string{
		"name", "Nights", "team", "t-db", "zone", "America/New_York", "layers", "1",
		"0.name", "", "0.every", "2", "0.unit", "days", "0.handoff", "20:00", "0.start", "2026-10-01", "0.end", "",
		"0.member", "u-kim", "0.member", "u-ada",
	}, more...)
}

func TestRotationForms(t *testing.T) {
	h := newWatch(t)
	h.send("/settings/rotations", saved, rotationFields()...)
	made, ok := h.org().RotationBySlug("nights")
	want := oncall.Rotation{ID: made.ID, Name: "Nights", Team: "t-db", Zone: "America/New_York", Layers: []oncall.Layer{{
		Members: []id.User{"u-kim", "u-ada"}, Every: 2, Unit: oncall.Days, HandoffAt: "20:00", Start: "2026-10-01",
	}}}
	if !ok || !cmp.Equal(made, want) {
		t.Errorf("rotation: %s", cmp.Diff(want, made))
	}
	h.has(h.get("ada", "/settings/rotations"), "Nights", "America/New_York")
	_, page := h.send("/settings/rotations", refuses, rotationFields()...)
	h.has(page, "Nights is taken already.", `value="u-kim"`)
	_, page = h.send("/settings/rotations", refuses, "name", "", "zone", "Nowhere", "layers", "1", "0.every", "0", "0.unit", "days",
		"0.handoff", "late", "0.start", "2026-10-01", "0.end", "2026-09-01", "0.member", "u-kim")
	h.has(page, "This is needed.", "not a known time zone", "A whole number from 1 to 1000.", "Give a time such as 09:00.", "The end must come after", `value="late"`)
	h.send("/settings/rotations/"+string(made.ID)+"/delete", saved)
	h.send("/settings/rotations/r-db/delete", saved) // refused: a policy pages it
	if o := h.org(); len(o.Rotations) != 1 {
		t.Errorf("%d rotations are left, want the one that is needed", len(o.Rotations))
	}
}

// Every button of the editor works without a script, and saves nothing.
func TestRotationEditor(t *testing.T) {
	h := newWatch(t)
	for do, want := range map[string]string{
		"down:0:0": "ada kim", "up:0:1": "ada kim", "up:0:0": "kim ada", "drop:0:0": "ada", "add:0": "kim ada olga",
		"drop:0:9": "kim ada", "drop:7:0": "kim ada", "nonsense": "kim ada", "order": "kim ada", "add-layer": "kim ada",
	} {
		_, page := h.send("/settings/rotations", http.StatusOK, rotationFields("do", do, "0.add", "u-olga")...)
		order := strings.Join(values(page, "0.member"), " ")
		if got := strings.ReplaceAll(order, "u-", ""); got != want {
			t.Errorf("%s: members are %q, want %q", do, got, want)
		}
		if layers := strings.Count(page, `.handoff"`); layers < 1 || do == "add-layer" && values(page, "layers")[0] != "2" {
			t.Errorf("%s: layers %v", do, values(page, "layers"))
		}
	}
	if _, ok := h.org().RotationBySlug("nights"); ok {
		t.Error("a button of the editor has saved")
	}
}

// values are those of the hidden fields of a name, in order.
func values(page, name string) []string {
	var all []string
	for _, part := range strings.Split(page, `type="hidden" name="`+name+`" value="`)[1:] {
		value, _, _ := strings.Cut(part, `"`)
		all = append(all, value)
	}
	return all
}

// The preview shows both zones, over the end of summer time.
func TestRotationPreview(t *testing.T) {
	h := newWatch(t)
	h.web.Now = func() time.Time { return time.Date(2026, 10, 30, 12, 0, 0, 0, time.UTC) }
	_, page := h.send("/settings/rotations/preview", http.StatusOK, rotationFields()...)
	h.has(page, "America/New_York", "Europe/Berlin", "Sat 31 Oct 20:00 EDT", "Sun 1 Nov 01:00 for you", "Mon 2 Nov 20:00 EST", "Tue 3 Nov 02:00 for you")
	if n := strings.Count(page, "<time"); n != previewed {
		t.Errorf("%d hand-overs are shown, want %d", n, previewed)
	}
	_, page = h.send("/settings/rotations/preview", http.StatusOK, "name", "x", "zone", "Nowhere", "layers", "1")
	h.has(page, "Fill in the marked fields")
	_, page = h.send("/settings/rotations/preview", http.StatusOK, "zone", "UTC", "layers", "1", "0.every", "1", "0.unit", "weeks", "0.handoff", "09:00", "0.start", "2026-10-05")
	h.has(page, "Add the first member")
}

func policyFields(more ...string) []string {
	return append([]string{
		"name", "Nights", "slug", "", "team", "", "repeat", "2", "repeat_after", "10", "steps", "2",
		"0.after", "0", "0.target", "rotation:r-db", "1.after", "1h30m", "1.target", "user:u-olga", "1.target", "team:t-db",
	}, more...)
}

func TestPolicyForms(t *testing.T) {
	h := newWatch(t)
	_, page := h.send("/settings/policies", refuses, policyFields("0.target", "user:u-nobody")...)
	h.has(page, "no user u-nobody")
	h.send("/settings/policies", saved, policyFields()...)
	made, ok := h.org().PolicyBySlug("nights")
	want := escalation.Policy{ID: made.ID, Slug: "nights", Name: "Nights", Repeat: 2, RepeatAfter: escalation.Duration(10 * time.Minute), Version: made.Version, Steps: []escalation.Step{
		{Targets: []escalation.Target{{Rotation: "r-db"}}},
		{After: escalation.Duration(90 * time.Minute), Targets: []escalation.Target{{User: "u-olga"}, {Team: "t-db"}}},
	}}
	if !ok || !cmp.Equal(made, want) {
		t.Errorf("policy: %s", cmp.Diff(want, made))
	}
	_, page = h.send("/settings/policies", refuses, policyFields()...)
	h.has(page, "nights is taken already.")
	_, page = h.send("/settings/policies", refuses, "name", "", "repeat", "99", "repeat_after", "1s", "steps", "1", "0.after", "soon")
	h.has(page, "This is needed.", "A whole number from 0 to 50.", "Between 1m and 24h.", "Write a delay such as 5m", "Say who is paged", `value="soon"`)
	h.send("/settings/policies/p-db/delete", saved) // refused: a routing key leads to it
	h.send("/settings/policies/"+string(made.ID)+"/delete", saved)
	if o := h.org(); len(o.Policies) != 2 {
		t.Errorf("%d policies are left, want the two that are needed", len(o.Policies))
	}
}

func TestPolicyEditor(t *testing.T) {
	h := newWatch(t)
	for do, want := range map[string]string{
		"down:0": "user:u-olga team:t-db|rotation:r-db", "drop:1": "rotation:r-db", "drop-target:1:0": "rotation:r-db|team:t-db",
		"add:0": "rotation:r-db user:u-kim|user:u-olga team:t-db", "add-step": "rotation:r-db|user:u-olga team:t-db|",
	} {
		_, page := h.send("/settings/policies/p-db", http.StatusOK, policyFields("do", do, "0.add", "user:u-kim")...)
		var steps []string
		for i := range values(page, "steps")[0][0] - '0' {
			steps = append(steps, strings.Join(values(page, string('0'+i)+".target"), " "))
		}
		if got := strings.Join(steps, "|"); got != want {
			t.Errorf("%s: steps are %q, want %q", do, got, want)
		}
	}
}

func TestPolicyPreview(t *testing.T) {
	h := newWatch(t)
	_, page := h.send("/settings/policies/preview", http.StatusOK, policyFields()...)
	h.has(page, "At once", "Kim", "on call in Storage days", "After 1h30m", "Olga", "named here", "in team Storage", "10m after the last step it begins again, 2 times")
	h.send("/settings/people/u-kim/disable", saved)
	_, page = h.send("/settings/policies/preview", http.StatusOK, "repeat", "0", "repeat_after", "5m", "steps", "1", "0.after", "3", "0.target", "user:u-kim")
	h.has(page, "passed over at once", "This policy reaches nobody.", "paging stops")
}

func TestRoutingForms(t *testing.T) {
	h := newWatch(t)
	h.send("/settings/routing/keys", saved, "name", "Web", "policy", "p-all", "note", "front")
	k, ok := h.org().KeyByName("web")
	if want := (routing.Key{ID: k.ID, Name: "Web", Policy: "p-all", Note: "front"}); !ok || k != want {
		t.Errorf("key is %+v", k)
	}
	_, page := h.send("/settings/routing/keys", refuses, "name", "DATABASE", "policy", "p-db", "note", "again")
	h.has(page, "DATABASE is taken already.", `value="again"`, `value="p-db" selected`)
	_, page = h.send("/settings/routing/keys", refuses, "name", "two words", "policy", "")
	h.has(page, "1 to 80 letters", "Choose one of these.", `value="two words"`)
	h.send("/settings/routing/keys/"+string(k.ID), saved, "name", "frontend", "policy", "p-db")
	_, page = h.send("/settings/routing/keys/"+string(k.ID), refuses, "name", "database", "policy", "p-db")
	h.has(page, "database is taken already.")
	h.send("/settings/routing/keys/"+string(k.ID)+"/delete", saved)

	h.send("/settings/routing", saved, "default", "p-db")
	if s := h.org().Settings; s.DefaultPolicy != "p-db" || s.WarningsOpen || s.Name != "Harbour Light" {
		t.Errorf("settings are %+v", s)
	}
	h.send("/settings/routing", saved, "default", "p-all", "warnings", "on")
	h.send("/settings/routing", refuses, "default", "p-gone")

	h.has(h.get("kim", "/settings/routing?test=dataBASE"), "This key leads to", "Database", "Kim")
	h.has(h.get("kim", "/settings/routing?test=what"), "No such key, so the default route", "Everything")
	h.send("/settings/routing", saved, "default", "")
	h.has(h.get("kim", "/settings/routing?test=what"), "there is no default route")
}

func TestIntegrations(t *testing.T) {
	h := newWatch(t)
	_, page := h.send("/integrations", refuses, "name", "")
	h.has(page, "This is needed.")
	answer, _ := h.send("/integrations", saved, "name", "Prometheus")
	at := answer.Header.Get("Location")
	_, page = h.send("/integrations", refuses, "name", "Prometheus")
	h.has(page, "Prometheus is taken already.")

	answer, page = h.ask(request{as: "ada", path: at})
	h.has(page, "http://watch.example/integrations/generic/20131114/alert/", `/database"`, "victorops_configs", "Nothing has arrived yet")
	if answer.Header.Get("Cache-Control") != "no-store" {
		t.Error("a page with a key is kept")
	}
	h.lacks(h.get("ada", at+"?key="), `/database"`)

	h.send(at+"/test", refuses, "type", "nonsense")
	answer, _ = h.send(at+"/test", saved, "type", "info")
	h.has(h.get("ada", answer.Header.Get("Location")), "belongs to no incident")
	answer, _ = h.send(at+"/test", saved, "type", "critical", "key", "database")
	h.has(h.get("ada", answer.Header.Get("Location")), "The test alert arrived.", "/incidents/1", "Ada pressed the test button")
	h.send(at+"/test", saved, "type", "recovery")
	if state := h.incident(1).State; state != "resolved" {
		t.Errorf("the test is %s, want resolved", state)
	}

	before := h.org().Integrations[id.Integration(strings.TrimPrefix(at, "/integrations/"))]
	h.send(at+"/rotate", saved)
	after := h.org().Integrations[before.ID]
	if after.KeyHash == before.KeyHash || after.Name != "Prometheus" {
		t.Errorf("after changing the key: %+v", after)
	}
	h.send(at+"/off", saved)
	h.has(h.get("ada", at), "is refused", at+`/on"`)
	h.send(at+"/test", saved, "type", "critical")
	h.send(at+"/on", saved)
	h.send(at, saved, "name", "Prom")
	_, page = h.send(at, refuses, "name", "")
	h.has(page, "This is needed.")
	h.send(at+"/delete", saved)
	h.send(at, http.StatusNotFound, "name", "gone")
	if answer, _ := h.ask(request{as: "ada", path: "/settings/integrations"}); answer.Header.Get("Location") != "/integrations" {
		t.Errorf("the address in the settings: %s", answer.Status)
	}
}

// The secret key of the server is lost: the page still leads out of it.
func TestIntegrationWithoutItsKey(t *testing.T) {
	h := newWatch(t)
	i := h.integrate()
	i.Sealed = "v1.nonsense"
	if err := h.web.putIntegration((&http.Request{}).WithContext(asAda(h)), i); err != nil {
		t.Fatal(err)
	}
	h.has(h.get("ada", "/integrations/"+string(i.ID)), "cannot be shown any more", "/rotate")
}

func TestHowOneHearsOfConversation(t *testing.T) {
	h := newWatch(t)
	h.send("/settings/profile/chat", http.StatusUnprocessableEntity, "mentions", "push", "quiet_from", "22:00")
	h.send("/settings/profile/chat", http.StatusSeeOther, "mentions", "push", "direct", "page", "quiet_from", "22:00", "quiet_to", "07:00")
	h.has(h.get("ada", "/settings/profile"), `value="push" selected`, `value="page" selected`, `value="22:00"`)
}
