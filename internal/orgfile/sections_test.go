package orgfile

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret"
)

const everything = `
users:
  - username: kim
    email: kim@example.org
    role: admin
    contacts:
      - email: kim@example.org
      - {method: sms, address: "+49301234567", label: phone}
      - {method: voice, address: "+49301234567"}
    paging:
      - name: Nights
        urgency: high
        when: [{from: "22:00", to: "06:00"}]
        steps: [{methods: [push]}, {after: 2m, contacts: [phone]}, {after: 3m, contacts: [voice +49301234567]}]
        again: 10m
    reminders: [shift_start, hand_over]
teams:
  - {slug: ops, members: [kim]}
rotations:
  - name: Primary
    layers: [{members: [kim], every: 1 week, handoff_at: "09:00", start: 2026-01-05}]
policies:
  - slug: last
    steps: [{page: [{team: ops}, {email: noc@example.org}]}]
  - slug: all
    ack_by: all
    repage_after: 4h
    ignore_paging_policies: true
    urgency: low
    low_waits: true
    hours: {zone: Europe/Berlin, windows: [{days: [mon, tue], from: "08:00", to: "18:00"}]}
    last_resort: [{policy: last}]
    steps:
      - page: [{next: primary}, {previous: Primary}, {webhook: chat}, {room: "#ops"}]
        notify: round_robin
        when: {severities: [critical], hours: {zone: UTC, windows: [{days: [sun]}]}}
        low_waits: true
routing_keys:
  - {name: jobs, policy: all}
heartbeats:
  - {slug: backup, name: Nightly backup, team: ops, routing_key: jobs, cron: "0 3 * * *", zone: Europe/Berlin, grace: 30m, key: "0123456789abcdef0123"}
  - {slug: mail, routing_key: jobs, every: 5m, paused: true}
maintenance:
  - {name: Patches, start: "2036-03-28T22:00:00+02:00", end: "2036-03-28T23:00:00+02:00", entities: ["disk/*"], teams: [ops]}
providers:
  - name: Twilio
    kind: twilio
    settings: {account_sid: AC0, from: "+15005550006"}
    secrets: {auth_token: "${TOKEN}"}
    deadline: 90s
  - {name: chat, kind: webhook}
`

// A webhook that no section and no server has is told with its line.
func TestUnknownWebhook(t *testing.T) {
	const text = "policies:\n  - slug: p\n    steps: [{page: [{webhook: board}]}]\n"
	for _, more := range []string{"", "providers: []\n", "providers: [{name: board, kind: twilio}]\n"} {
		_, err := parse(t, text+more).Plan(emptyOrg(t), Options{}, testMaker())
		if err == nil || !strings.Contains(err.Error(), `org.yaml:3: there is no webhook "board"`) {
			t.Errorf("with %q: %v", more, err)
		}
	}
	if _, err := parse(t, text+"providers: [{name: board, kind: webhook}]\n").Plan(emptyOrg(t), Options{}, testMaker()); err != nil {
		t.Errorf("with the webhook: %v", err)
	}
}

func parseWith(t *testing.T, text string, variables map[string]string) Document {
	t.Helper()
	doc, err := Parse([]File{{"org.yaml", []byte(text)}}, Secrets{Env: func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}})
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return doc
}

func TestEverySection(t *testing.T) {
	doc := parseWith(t, everything, map[string]string{"TOKEN": "hunter2"})
	plan := apply(t, emptyOrg(t), doc, Options{})
	o := plan.After
	kim, _ := o.UserByName("kim")
	if len(kim.Contacts) != 3 || kim.Contacts[1].Method != people.SMS || kim.Contacts[1].Verified() || len(kim.Reminders) != 2 {
		t.Errorf("kim is %+v", kim)
	}
	steps := kim.Paging.Rules[0].Steps
	if steps[1].Contacts[0] != kim.Contacts[1].ID || steps[2].Contacts[0] != kim.Contacts[2].ID || kim.Paging.Rules[0].Again.D() != 10*time.Minute {
		t.Errorf("kim is paged by %+v", kim.Paging)
	}
	primary, _ := o.RotationBySlug("primary")
	last, _ := o.PolicyBySlug("last")
	all, _ := o.PolicyBySlug("all")
	want := []escalation.Target{
		{Rotation: primary.ID, Pick: escalation.PickNext}, {Rotation: primary.ID, Pick: escalation.PickPrevious}, {Webhook: "chat"}, {Room: "#ops"},
	}
	if diff := cmp.Diff(want, all.Steps[0].Targets); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if all.AckBy != escalation.AckByAll || all.RepageAfter.D() != 4*time.Hour || all.Hours.Zone != "Europe/Berlin" || all.LastResort[0].Policy != last.ID ||
		all.Steps[0].Notify != escalation.RoundRobin || len(all.Steps[0].When.Hours.Windows) != 1 {
		t.Errorf("the policy is %+v", all)
	}
	if h, ok := o.HeartbeatByKey(secret.Hash("0123456789abcdef0123")); !ok || h.Slug != "backup" || h.Grace.D() != 30*time.Minute {
		t.Errorf("the heartbeat is %+v, %v", h, ok)
	}
	for _, w := range o.Maintenance {
		if w.Name != "Patches" || w.Start.Format(time.RFC3339) != "2036-03-28T20:00:00Z" || len(w.Teams) != 1 {
			t.Errorf("the window is %+v", w)
		}
	}
	if again := apply(t, o, doc, Options{}); len(again.Changes) != 0 || again.Diff != "" {
		t.Errorf("applying it twice changes %v\n%s", again.Applied, again.Diff)
	}
	export := string(Export(o).Encode())
	for _, shown := range []string{export, plan.Diff, fmt.Sprintf("%v %+v %#v", doc, doc, doc)} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, "0123456789abcdef0123") || strings.Contains(shown, "sealed") {
			t.Errorf("a secret is shown:\n%s", shown)
		}
	}
	if !strings.Contains(export, `auth_token: "${WATCHROOM_TWILIO_AUTH_TOKEN}"`) {
		t.Errorf("the export names no variable:\n%s", export)
	}
	if again := apply(t, o, parseWith(t, export, nil), Options{}); len(again.Changes) != 0 {
		t.Errorf("applying the export changes %v\n%s", again.Applied, again.Diff)
	}
	if other := apply(t, o, parseWith(t, export, map[string]string{"WATCHROOM_TWILIO_AUTH_TOKEN": "hunter3"}), Options{}); !strings.Contains(other.Diff, "another one") || strings.Contains(other.Diff, "hunter3") {
		t.Errorf("another secret: %q", other.Diff)
	}
	if _, err := parseWith(t, export, nil).Plan(emptyOrg(t), Options{}, testMaker()); err == nil || !strings.Contains(err.Error(), "auth_token: the environment variable WATCHROOM_TWILIO_AUTH_TOKEN is not set") {
		t.Errorf("a new provider without its secret: %v", err)
	}
}

// What people have added for themselves, and proved, outlives the file.
func TestFilesLeaveWhatIsPeoplesOwn(t *testing.T) {
	o := apply(t, emptyOrg(t), parseWith(t, everything, map[string]string{"TOKEN": "hunter2"}), Options{}).After
	kim, _ := o.UserByName("kim")
	proven := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	kim.Contacts[1].VerifiedAt = proven
	kim.Contacts = append(kim.Contacts, people.Contact{ID: "own", Method: people.Ntfy, Address: "https://ntfy.example.org/kim", Secret: "sealed", VerifiedAt: proven})
	kim.Chat = people.ChatSettings{Mentions: people.HearPush, QuietFrom: "22:00", QuietTo: "07:00", Greeted: proven}
	push := org.Provider{ID: "push", Kind: org.WebPush, Name: "Push", Secrets: map[string]string{"private": "sealed"}}
	o, _, err := o.Apply(org.Put(kim), org.Put(push))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(everything, "label: phone", "label: mobile", 1)
	text = strings.Replace(text, "contacts: [phone]", "contacts: [mobile]", 1)
	plan := apply(t, o, parseWith(t, text, nil), Options{})
	is, _ := plan.After.UserByName("kim")
	if len(is.Contacts) != 4 || is.Contacts[1].Label != "mobile" || !is.Contacts[1].VerifiedAt.Equal(proven) || is.Contacts[1].ID != kim.Contacts[1].ID ||
		is.Contacts[3].Secret != "sealed" || !is.Contacts[3].Verified() {
		t.Errorf("contact methods are %+v", is.Contacts)
	}
	if is.Chat != kim.Chat {
		t.Errorf("how kim hears of the chat became %+v", is.Chat)
	}
	if _, ok := plan.After.Providers["push"]; !ok {
		t.Error("the keys for web push are gone")
	}
	export := string(Export(o).Encode())
	if strings.Contains(export, "ntfy.example.org") || strings.Contains(export, "Push") {
		t.Errorf("the export shows what is not its own:\n%s", export)
	}
	moved := apply(t, o, parseWith(t, strings.ReplaceAll(everything, "+49301234567", "+49307654321"), nil), Options{})
	if is, _ = moved.After.UserByName("kim"); is.Contacts[1].Verified() {
		t.Error("another number counts as proven")
	}
}

func TestFilesLeaveMaintenanceAloneThatHasBegun(t *testing.T) {
	o := apply(t, emptyOrg(t), parseWith(t, everything, map[string]string{"TOKEN": "hunter2"}), Options{}).After
	for _, w := range o.Maintenance {
		w.Started = w.Start
		var err error
		if o, _, err = o.Apply(org.Put(w)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"listed as it was": everything, "not listed": "maintenance: []"} {
		if plan := apply(t, o, parseWith(t, text, nil), Options{}); len(plan.Changes) != 0 {
			t.Errorf("%s: %+v", name, plan.Applied)
		}
	}
	if len(Export(o).Maintenance.Items) != 0 {
		t.Error("it is exported")
	}
	maker := testMaker()
	maker.Now = time.Date(2036, 4, 1, 0, 0, 0, 0, time.UTC)
	doc := parseWith(t, "maintenance:\n  - {name: Old, start: \"2036-03-28T22:00:00Z\", end: \"2036-03-28T23:00:00Z\", entities: [\"*\"]}", nil)
	if changes, err := doc.Changes(o, Options{}, maker); err != nil || len(changes) != 0 {
		t.Errorf("one that is over: %v, %v", changes, err)
	}
}

func TestSectionsRefuse(t *testing.T) {
	user := func(lines string) string {
		return "users:\n  - username: kim\n    email: kim@example.org\n    role: admin\n    " + lines
	}
	for _, c := range []struct{ name, text, want string }{
		{"a personal method", user("contacts: [{method: ntfy, address: x}]"), "other contact methods are added by their owner"},
		{"an address of two kinds", user("contacts: [{email: a@example.org, method: sms}]"), "give either email, or method and address"},
		{"no number", user("contacts: [{method: sms, address: 030}]"), "org.yaml:2: user kim: contact method: \"030\" is not a telephone number"},
		{"an unknown contact method", user("paging: [{name: x, steps: [{contacts: [phone]}]}]"), `org.yaml:5: there is no contact method "phone" of kim`},
		{"a paging rule without steps", user("paging: [{name: x}]"), "paging policy: rule 1: it has no steps"},
		{"an unknown reminder", user("reminders: [lunch]"), `reminder "lunch"`},
		{"an unknown acknowledgement", "policies: [{slug: x, ack_by: some}]", `acknowledged by "some"`},
		{"hours without a zone", "policies: [{slug: x, hours: {windows: []}}]", "org.yaml:1: hours: zone is missing"},
		{"an unknown policy to page", "policies: [{slug: x, steps: [{page: [{policy: y}]}]}]", `there is no policy "y"`},
		{"a heartbeat of both kinds", "heartbeats: [{slug: x, routing_key: y, every: 5m, cron: \"* * * * *\"}]", "heartbeat x: give either every"},
		{"a heartbeat twice", "heartbeats: [{slug: x, routing_key: y, every: 5m}, {slug: x, routing_key: y, every: 5m}]", "heartbeat x is already given"},
		{"no instant", "maintenance: [{name: x, start: tomorrow, end: \"2036-01-01T00:00:00Z\", entities: [x]}]", `start: "tomorrow" is not an instant such as`},
		{"maintenance without an end", "maintenance: [{name: x, start: \"2036-01-01T00:00:00Z\", entities: [x]}]", "maintenance window: end is missing"},
		{"an unknown kind of provider", "providers: [{name: x, kind: pigeon}]", `provider: kind: "pigeon" is not known`},
		{"keys for web push", "providers: [{name: x, kind: webpush}]", "are made by the server itself"},
		{"settings that are a list", "providers: [{name: x, kind: vonage, settings: [a]}]", "settings: a mapping of names to values is needed"},
		{"a secret that is a list", "providers: [{name: x, kind: vonage, secrets: {api_secret: [hunter2]}}]", "api_secret: write ${VARIABLE}, {file: NAME}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, err := Parse([]File{{"org.yaml", []byte(c.text)}}, Secrets{Env: func(string) (string, bool) { return "", false }})
			if err == nil {
				_, err = doc.Plan(emptyOrg(t), Options{}, testMaker())
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
	maker := testMaker()
	maker.CheckProvider = func(org.Provider) error { return errors.New("from is missing") }
	doc := parseWith(t, "providers: [{name: x, kind: vonage}]", nil)
	if _, err := doc.Plan(emptyOrg(t), Options{}, maker); err == nil || err.Error() != "org.yaml:1: provider x: from is missing" {
		t.Errorf("settings that do not work: %v", err)
	}
}

// Every example in the documentation is read as it stands.
func TestDocumentationIsRead(t *testing.T) {
	text, err := os.ReadFile("../../docs/org-yaml.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 10 {
		t.Errorf("%d examples", len(blocks))
	}
	for _, b := range blocks {
		_, err := Parse([]File{{"org-yaml.md", []byte(b[1])}}, Secrets{
			Env:  func(string) (string, bool) { return exampleKey, true },
			File: func(string, string) (string, error) { return exampleKey + "2", nil },
		})
		if err != nil {
			t.Errorf("%v\n%s", err, b[1])
		}
	}
}
