package orgfile

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret"
)

const exampleKey = "0123456789abcdef0123"

func exampleSecrets() Secrets {
	return Secrets{
		Env: func(name string) (string, bool) { return exampleKey, name == "ALERTMANAGER_KEY" },
		File: func(_, name string) (string, error) {
			if name == "key" {
				return exampleKey + "\n", nil
			}
			return "", errors.New("no such file")
		},
	}
}

func parse(t *testing.T, text string) Document {
	t.Helper()
	doc, err := Parse([]File{{"org.yaml", []byte(text)}}, exampleSecrets())
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return doc
}

func example(t *testing.T) Document {
	t.Helper()
	text, err := os.ReadFile("../../examples/org.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}

func apply(t *testing.T, o *org.Org, doc Document, opts Options) Plan {
	t.Helper()
	plan, err := doc.Plan(o, opts, testMaker())
	if err != nil {
		t.Fatalf("Plan: %v", err)
	}
	return plan
}

func TestTheExample(t *testing.T) {
	plan := apply(t, emptyOrg(t), example(t), Options{})
	if len(plan.Applied) != 4+2+2+3+2+2+1 {
		t.Errorf("applied %d things:\n%s", len(plan.Applied), plan.Diff)
	}
	o := plan.After
	if i, ok := o.Integration(secret.Hash(exampleKey)); !ok || i.Name != "Alertmanager" {
		t.Errorf("the integration with the key from the environment is %+v, %v", i, ok)
	}
	if r := o.Route("WEB"); !r.Found || r.Default || r.Policy.Slug != "web" {
		t.Errorf("the routing key WEB leads to %+v", r)
	}
	if problems := o.Problems(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)); len(problems) > 0 {
		t.Errorf("the example has problems: %v", problems)
	}
	if again := apply(t, o, example(t), Options{}); len(again.Changes) != 0 {
		t.Errorf("applying it twice changes %v", again.Applied)
	}
	if strings.Contains(plan.Diff, exampleKey) || strings.Contains(fmt.Sprintf("%v %+v %#v", example(t), example(t), example(t)), exampleKey) {
		t.Error("the key is shown")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an unknown section", "user: []", `org.yaml:1: a file has no "user"; it may have settings, users`},
		{"an unknown line of a user", "users:\n  - username: kim\n    email: k@example.org\n    mail: x", `org.yaml:4: a user has no "mail"; it may have username, name`},
		{"a user who is a word", "users: [kim]", "org.yaml:1: a user is a mapping with username"},
		{"an empty section", "users:\n", "org.yaml:1: users: nothing is listed; write [] for none"},
		{"a section that is no list", "users: {kim: {}}", "org.yaml:1: users: a list is needed"},
		{"a user without a name", "users:\n  - email: k@example.org", "org.yaml:2: user: username is missing"},
		{"an empty line", "users:\n  - username: kim\n    email:", `org.yaml:3: email: nothing is written after it`},
		{"a list for a word", "users:\n  - username: kim\n    email: [a]", "org.yaml:3: email: write one plain value"},
		{"no truth value", "users:\n  - username: kim\n    email: k@example.org\n    disabled: yes", `org.yaml:4: disabled: "yes" is neither true nor false`},
		{"a username twice", "users:\n  - {username: kim, email: a@example.org}\n  - {username: kim, email: b@example.org}", "org.yaml:3: username kim is already given at org.yaml:2"},
		{"an address twice", "users:\n  - {username: kim, email: a@example.org}\n  - {username: lee, email: A@example.org}", "org.yaml:3: e-mail address A@example.org is already given at org.yaml:2"},
		{"rotations with one slug", "rotations:\n  - name: A b\n  - name: a-b", "org.yaml:3: rotation a-b is already given at org.yaml:2"},
		{"routing keys alike", "routing_keys:\n  - {name: db, policy: x}\n  - {name: DB, policy: x}", "org.yaml:3: routing key DB is already given"},
		{"no unit", layer("every: 7"), "org.yaml:4: every: write a number and a unit"},
		{"an unknown unit", layer("every: 1 fortnight"), "org.yaml:4: every: write a number and a unit"},
		{"no number", layer("every: one week"), `org.yaml:4: every: "one" is not a whole number`},
		{"a bad delay", "policies:\n  - slug: x\n    steps:\n      - after: soon", `org.yaml:4: after: "soon" is not a duration such as`},
		{"a target of two kinds", "policies:\n  - slug: x\n    steps:\n      - page: [{user: kim, team: x}]", "org.yaml:4: a target is exactly one of"},
		{"an empty target", "policies:\n  - slug: x\n    steps:\n      - page: [{}]", "org.yaml:4: a target is exactly one of"},
		{"an unknown target", "policies:\n  - slug: x\n    steps:\n      - page: [{schedule: x}]", `a target has no "schedule"`},
		{"a variable that is not set", "integrations:\n  - name: x\n    key: ${NOT_THERE}", "org.yaml:3: key: the environment variable NOT_THERE is not set"},
		{"a file that is not there", "integrations:\n  - name: x\n    key: {file: none}", "org.yaml:3: key: no such file"},
		{"a short key", "integrations:\n  - name: x\n    key: hunter2", "org.yaml:3: key: use 16 to 200 letters"},
		{"a key of another form", "integrations:\n  - name: x\n    key: {env: X}", "org.yaml:3: key: write ${VARIABLE}, {file: NAME}"},
		{"settings that are a list", "settings: []", "org.yaml:1: settings is a mapping with"},
		{"days of no number", "settings:\n  retention:\n    messages: long", `org.yaml:3: retention: messages: "long" is not a number of days`},
		{"days below none", "settings:\n  retention: {messages: -1}", `org.yaml:2: retention: messages: "-1" is not a number of days`},
		{"a role that is none", "settings: {second_factor: [admin, king]}", `org.yaml:1: second_factor: "king" is no role: use admin, member or observer`},
		{"days of nothing there is", "settings:\n  retention: {mails: 3}", `retention: there is no "mails"; there are messages, incidents`},
		{"an anchor", "users: &x []", "org.yaml:1: anchors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]File{{"org.yaml", []byte(c.text)}}, exampleSecrets())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("Parse: %v\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "%!") {
				t.Errorf("Parse: %v: shows a secret or is badly formatted", err)
			}
		})
	}
}

func layer(line string) string {
	return "rotations:\n  - name: x\n    layers:\n      - {" + line + ", handoff_at: \"09:00\", start: 2026-01-05}"
}

// The hours of a layer go through the file as people write them.
func TestRestrictions(t *testing.T) {
	o := emptyOrg(t)
	doc := parse(t, `rotations:
  - name: Nights
    layers:
      - every: 5 days
        handoff_at: "09:00"
        start: 2026-01-05
        count: shifts
        restrictions:
          - {from: "18:00", to: "08:00", days: [monday, tuesday]}
          - {from: "18:00", to: "08:00", days: [friday], until: monday}
`)
	plan, err := doc.Plan(o, Options{}, testMaker())
	if err != nil {
		t.Fatal(err)
	}
	next, _, err := o.Apply(plan.Changes...)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := next.RotationBySlug("nights")
	want := []oncall.Restriction{
		{Days: []oncall.Weekday{oncall.Monday, oncall.Tuesday}, From: "18:00", To: "08:00"},
		{Days: []oncall.Weekday{oncall.Friday}, From: "18:00", Until: oncall.Monday, To: "08:00"},
	}
	if got := r.Layers[0]; got.Count != oncall.CountShifts || !cmp.Equal(got.Restrictions, want) {
		t.Errorf("the layer has %+v and counts %q", got.Restrictions, got.Count)
	}
}

func TestParseTellsEverything(t *testing.T) {
	_, err := Parse([]File{
		{"a.yaml", []byte("users:\n  - {username: kim, email: k@example.org}\nsettings: {name: A}\n")},
		{"b.yaml", []byte("users:\n  - {username: kim, email: l@example.org, nme: x}\nsettings: {name: B}\n")},
		{"c.yaml", []byte("a: [")},
	}, Secrets{})
	const want = `b.yaml:2: a user has no "nme"; it may have username, name, email, role, zone, contacts, paging, reminders, disabled
b.yaml:2: username kim is already given at a.yaml:2
b.yaml:3: settings are already given at a.yaml:3
c.yaml:1: `
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Parse: %v", err)
	}
}

func TestServersReadNoSecretsOfTheirOwn(t *testing.T) {
	for _, key := range []string{"${HOME}", "{file: /etc/passwd}"} {
		_, err := Parse([]File{{"org.yaml", []byte("integrations:\n  - name: x\n    key: " + key)}}, Secrets{})
		if err == nil || !strings.Contains(err.Error(), "not by the server") {
			t.Errorf("key %s: %v", key, err)
		}
	}
}

func TestChangesRefuse(t *testing.T) {
	o := apply(t, emptyOrg(t), example(t), Options{}).After
	for _, c := range []struct{ name, text, want string }{
		{"an unknown user in a team", "teams:\n  - slug: x\n    members:\n      - kim\n      - nobody", `org.yaml:5: there is no user "nobody"`},
		{"a user who is not listed", "users:\n  - {username: kim, email: k@example.org, role: admin}\nteams:\n  - {slug: x, members: [alex]}", `org.yaml:4: there is no user "alex": it is not among the users that are listed`},
		{"an unknown policy", "routing_keys:\n  - {name: x, policy: nothing}", `org.yaml:2: there is no policy "nothing"`},
		{"a policy that is not listed", "policies: []\nrouting_keys:\n  - {name: x, policy: web}", `org.yaml:3: there is no policy "web": it is not among the policies that are listed`},
		{"an unknown rotation", "policies:\n  - slug: x\n    steps:\n      - page: [{rotation: Nights}]", `org.yaml:4: there is no rotation "Nights"`},
		{"an unknown team", "rotations:\n  - name: x\n    team: y", `org.yaml:3: there is no team "y"`},
		{"an unknown default", "settings:\n  default_policy: x", `org.yaml:2: there is no policy "x"`},
		{"a bad zone", "users:\n  - {username: kim, email: k@example.org, zone: Mars/Base}", `org.yaml:2: user kim: time zone "Mars/Base"`},
		{"a bad role", "users:\n  - {username: kim, email: k@example.org, role: root}", `org.yaml:2: user kim: role "root"`},
		{"a bad hand-off", "rotations:\n  - name: x\n    layers:\n      - {every: 1 day, handoff_at: 9am, start: 2026-01-05}", `org.yaml:2: rotation x: layer 1: handoff_at: "9am"`},
		{"a bad restriction", "rotations:\n  - name: x\n    layers:\n      - {every: 1 day, handoff_at: \"09:00\", start: 2026-01-05, restrictions: [{from: 9am, to: \"17:00\"}]}", `org.yaml:2: rotation x: layer 1: restrictions: restriction 1: from: "9am"`},
		{"a bad count", "rotations:\n  - name: x\n    layers:\n      - {every: 1 day, handoff_at: \"09:00\", start: 2026-01-05, count: nights}", `org.yaml:2: rotation x: layer 1: count: "nights"`},
		{"a bad routing key", "routing_keys:\n  - {name: a b, policy: web}", `org.yaml:2: routing key "a b"`},
		{"an unknown kind of integration", "integrations:\n  - {name: x, kind: fax}", `org.yaml:2: integration x: kind "fax"`},
		{"a policy in use", "policies: []", "the policy everybody"}, // by the settings and routing keys, which are not listed
		{"the default policy", "teams: []\npolicies:\n  - slug: web\n", "org.yaml:3: policy everybody is still the default policy: set settings.default_policy to another policy, or keep this one in the file"},
		{"the last administrator", "users: []", "the last administrator cannot be removed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(t, c.text).Plan(o, Options{}, testMaker())
			if err == nil || !strings.Contains(err.Error(), c.want) && c.name != "a policy in use" {
				t.Fatalf("Plan: %v\nwant %s", err, c.want)
			}
			if strings.Contains(err.Error(), "id00") {
				t.Errorf("Plan: %v: shows an identifier", err)
			}
		})
	}
}

func TestChanges(t *testing.T) {
	for _, c := range []struct {
		name, text string
		opts       Options
		want       string
	}{
		{"nothing", "", Options{}, ""},
		{"one setting", "settings: {warnings_open: false}", Options{}, "~ settings\n    warnings_open: true → false\n"},
		{"for how long things are kept", "settings: {retention: {messages: 30, commands: 400}}", Options{}, "~ settings\n    retention: (none) → {messages: 30, commands: 400}\n"},
		{"who has to have a second factor", "settings: {second_factor: [member, admin]}", Options{}, "~ settings\n    second_factor: (none) → [admin, member]\n"},
		{"nobody, as it is", "settings: {second_factor: []}", Options{}, ""},
		{"for ever, as it is", "settings: {retention: {messages: 0}}", Options{}, ""},
		{"no default", `settings: {default_policy: ""}`, Options{}, "~ settings\n    default_policy: everybody → \"\"\n"},
		{"a new name", users("kim, name: Kim L, email: kim@example.org, role: admin, zone: Europe/Copenhagen"), Options{}, `~ user alex
    disabled: (none) → true
~ user ines
    disabled: (none) → true
~ user kim
    name: Kim Larsen → Kim L
~ user sam
    disabled: (none) → true
`},
		{"contacts", users(
			"kim, name: Kim Larsen, email: kim@example.org, role: admin, zone: Europe/Copenhagen, contacts: []", "alex, name: Alex Moreau, email: alex@example.org, zone: Europe/Paris",
			"sam, name: Sam Okafor, email: sam@example.org, zone: Europe/London, contacts: [{email: sam@example.org, off: true}]", "ines, name: Inês Duarte, email: ines@example.org, role: observer, zone: Europe/Lisbon",
		), Options{}, `~ user kim
    contacts: [{email: kim@example.org}] → []
~ user sam
    contacts: [{email: sam@example.org}] → [{email: sam@example.org, off: true}]
`},
		{"teams and everything that refers to them", "teams:\n  - {slug: web, name: Web, members: [kim]}\n  - slug: ops\nrotations: []\npolicies:\n  - slug: everybody\nrouting_keys: []", Options{}, `+ team ops
    name: ops
    members: []
~ team web
    members: [sam, kim] → [kim]
- team database
- rotation database-primary
- rotation web
~ policy everybody
    name: Everybody → everybody
    steps: [{after: 0s, page: [{team: database}, {team: web}]}] → []
- policy database
- policy web
- routing key database
- routing key web
`},
		{"integrations", "integrations:\n  - {name: Alertmanager, key: {file: key}}\n  - {name: Scripts, key: another-key-0123456789, off: true}\n", Options{}, `~ integration Scripts
    key: (none) → another one
    off: (none) → true
`},
		{"pruned users", users("kim, name: Kim Larsen, email: kim@example.org, role: admin, zone: Europe/Copenhagen") + "\nteams: []\nrotations: []\npolicies: []\nrouting_keys: []\nsettings: {default_policy: \"\"}", Options{Prune: true}, `~ settings
    default_policy: everybody → ""
- user alex
- user ines
- user sam
- team database
- team web
- rotation database-primary
- rotation web
- policy database
- policy everybody
- policy web
- routing key database
- routing key web
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := apply(t, emptyOrg(t), example(t), Options{}).After
			plan := apply(t, o, parse(t, c.text), c.opts)
			if diff := cmp.Diff(c.want, plan.Diff); diff != "" {
				t.Errorf("the difference (-want +got):\n%s", diff)
			}
			if again := apply(t, plan.After, parse(t, c.text), c.opts); len(again.Changes) > 0 {
				t.Errorf("applied again it changes %+v", again.Applied)
			}
		})
	}
}

func users(all ...string) string {
	return "users:\n  - {username: " + strings.Join(all, "}\n  - {username: ") + "}"
}

func TestANewUserIsPagedByMail(t *testing.T) {
	o := apply(t, emptyOrg(t), parse(t, users("kim, email: kim@example.org")), Options{}).After
	u, _ := o.UserByName("kim")
	want := people.User{
		ID: u.ID, Username: "kim", Name: "kim", Email: "kim@example.org", Role: people.Member, Zone: "UTC",
		Contacts: []people.Contact{{ID: "id0002", Method: people.Email, Address: "kim@example.org", Proof: people.ByAdmin}},
	}
	if diff := cmp.Diff(want, u); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A file answers for e-mail addresses, unless it says that one is unproven; an
// address whose code is wanted is exported as such.
func TestAFileAnswersForAddresses(t *testing.T) {
	const two = "kim, email: kim@example.org, contacts: [{email: kim@example.org}, {email: night@example.org, proven: false}]"
	o := apply(t, emptyOrg(t), parse(t, users(two)), Options{}).After
	kim, _ := o.UserByName("kim")
	if a, b := kim.Contacts[0], kim.Contacts[1]; a.ProvenBy() != people.ByAdmin || b.Verified() || len(kim.Usable()) != 1 {
		t.Fatalf("the addresses are %+v and %+v, want only the first to count", a, b)
	}
	text := string(Export(o).Encode())
	if !strings.Contains(text, "email: night@example.org\n        proven: false\n") || strings.Count(text, "proven") != 1 {
		t.Errorf("the export says\n%s", text)
	}
	if again := apply(t, o, parse(t, text), Options{}); len(again.Applied) > 0 {
		t.Errorf("applying the export changes %+v", again.Applied)
	}
	vouched := apply(t, o, parse(t, users(strings.Replace(two, ", proven: false", "", 1))), Options{})
	kim, _ = vouched.After.UserByName("kim")
	if c := kim.Contacts[1]; c.ProvenBy() != people.ByAdmin || !strings.Contains(vouched.Diff, "proven: false") {
		t.Errorf("without the word the address is %+v; the difference is\n%s", c, vouched.Diff)
	}
	kim.Contacts[1] = kim.Contacts[1].Proven(people.ByCode, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	o, _, err := vouched.After.Apply(org.Put(kim))
	if err != nil {
		t.Fatal(err)
	}
	if later := apply(t, o, parse(t, users(two)), Options{}); len(later.Applied) > 0 {
		t.Errorf("a file that is behind takes the proof away: %+v", later.Applied)
	}
	_, err = Parse([]File{{"x", []byte(users(`kim, email: k@example.org, contacts: [{method: sms, address: "+49301234567", proven: true}]`))}}, Secrets{})
	if err == nil || !strings.Contains(err.Error(), "with the code that is sent there") {
		t.Errorf("a number that is said to be proven: %v", err)
	}
}

// What goes to a server over the network has the keys in it.
func TestEncodeKeepsKeys(t *testing.T) {
	doc := example(t)
	again, err := Parse([]File{{"sent", doc.Encode()}}, Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(doc, again, withoutPositions); diff != "" {
		t.Errorf("(-parsed +sent):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	text, err := os.ReadFile("../../examples/org.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("users: [{username: kim, email: k@example.org, contacts: [{email: x@y.z, off: true}]}]"))
	f.Add([]byte("policies:\n  - slug: x\n    steps:\n      - {after: 5m, page: [{user: kim}]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, err := Parse([]File{{"f", text}}, exampleSecrets())
		if err != nil {
			return
		}
		again, err := Parse([]File{{"again", doc.Encode()}}, Secrets{})
		if err != nil {
			t.Fatalf("Parse of what Encode wrote: %v\n%s", err, doc.Encode())
		}
		if diff := cmp.Diff(doc, again, withoutPositions); diff != "" {
			t.Fatalf("read back differently:\n%s", diff)
		}
		plan, err := doc.Plan(emptyOrg(t), Options{}, testMaker())
		if err != nil {
			return
		}
		if again, err := doc.Plan(plan.After, Options{}, testMaker()); err != nil || len(again.Changes) > 0 {
			t.Fatalf("applied twice: %+v, %v", again.Changes, err)
		}
	})
}
