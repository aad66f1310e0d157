package orgfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/secret"
)

const talking = `
users:
  - {username: kim, email: kim@example.org, role: admin}
  - {username: lee, email: lee@example.org}
rooms:
  - {slug: ops, name: Operations, topic: What breaks, members: [kim, lee], sigil: "."}
  - {slug: plans, kind: private, members: [lee]}
  - {name: Night crew, kind: group, members: [kim, lee]}
robots:
  - {name: Hubot, room: ops, command_annotations: true, key: "7b9e4a52-1111-4222-8333-abcdefabcdef"}
  - {name: Ticker}
`

func roomBySlug(t *testing.T, o *org.Org, slug string) room.Room {
	t.Helper()
	r, ok := o.RoomNamed(slug)
	if !ok {
		t.Fatalf("there is no room %s", slug)
	}
	return r
}

// filed is the private room that a file calls by a name.
func filed(t *testing.T, o *org.Org, name string) room.Room {
	t.Helper()
	for _, r := range o.Rooms {
		if r.Filed == name {
			return r
		}
	}
	t.Fatalf("no file has made a room %s", name)
	return room.Room{}
}

func TestRoomsAndRobots(t *testing.T) {
	doc := parse(t, talking)
	plan := apply(t, emptyOrg(t), doc, Options{})
	o := plan.After
	kim, _ := o.UserByName("kim")
	lee, _ := o.UserByName("lee")
	hubot, ok := o.RobotByKey(secret.Hash("7b9e4a52-1111-4222-8333-abcdefabcdef"))
	ops := roomBySlug(t, o, "ops")
	if want := (org.Robot{ID: hubot.ID, Name: "Hubot", User: hubot.User, Room: ops.ID, KeyHash: hubot.KeyHash, CommandAnnotations: true}); !ok || !cmp.Equal(hubot, want) {
		t.Errorf("the robot is %+v, want %+v", hubot, want)
	}
	if want := (room.Room{ID: ops.ID, Kind: room.Public, Slug: "ops", Name: "Operations", Topic: "What breaks", Members: []id.User{kim.ID, lee.ID, hubot.User}, Sigil: "."}); !cmp.Equal(ops, want) {
		t.Errorf("#ops is %+v, want %+v", ops, want)
	}
	if u := o.Users[hubot.User]; !u.Robot || u.Username != "hubot" || u.Role != people.Member {
		t.Errorf("it speaks as %+v", u)
	}
	if strings.Contains(plan.Diff, "plans") || !strings.Contains(plan.Diff, "+ room ops") || !strings.Contains(plan.Diff, "+ robot ticker") {
		t.Errorf("the operator is told:\n%s", plan.Diff)
	}
	for _, reader := range []id.User{"", kim.ID, lee.ID} {
		if again := apply(t, o, doc, Options{Reader: reader}); len(again.Changes) != 0 {
			t.Errorf("applied again by %q: %s", reader, again.Diff)
		}
		exported := parse(t, string(ExportFor(o, reader).Encode()))
		if again := apply(t, o, exported, Options{Reader: reader}); len(again.Changes) != 0 {
			t.Errorf("the export for %q changes: %s", reader, again.Diff)
		}
		if got, want := strings.Contains(string(ExportFor(o, reader).Encode()), "plans"), reader == lee.ID; got != want {
			t.Errorf("the export for %q shows a private room of Lee's: %t", reader, got)
		}
	}
}

// What exists and is private is changed for those in it; what is public and not
// listed is closed; a robot that is not listed goes.
func TestRoomsOfOthers(t *testing.T) {
	o := apply(t, emptyOrg(t), parse(t, talking), Options{}).After
	kim, _ := o.UserByName("kim")
	lee, _ := o.UserByName("lee")
	wanted := parse(t, "rooms:\n  - {slug: plans, kind: private, topic: mine, members: [kim]}\nrobots:\n  - {name: Ticker, room: plans}\n")
	_, err := wanted.Plan(o, Options{Reader: kim.ID}, testMaker())
	if err == nil || !strings.Contains(err.Error(), `there is no open room "plans"`) {
		t.Errorf("a robot in a private room of others: %v", err)
	}
	wanted.Robots.Items[0].Room = nil
	for _, reader := range []id.User{"", kim.ID} {
		if got := filed(t, apply(t, o, wanted, Options{Reader: reader}).After, "plans"); got.Topic != "" || !cmp.Equal(got.Members, []id.User{lee.ID}) {
			t.Errorf("%q has made of a room of others: %+v", reader, got)
		}
	}
	after := apply(t, o, wanted, Options{Reader: lee.ID}).After
	if got := filed(t, after, "plans"); got.Topic != "mine" || !cmp.Equal(got.Members, []id.User{kim.ID}) {
		t.Errorf("Lee's room is %+v", got)
	}
	if got := roomBySlug(t, after, "ops"); !got.Closed || len(got.Members) != 2 {
		t.Errorf("#ops is not listed and is %+v, want it closed and without the robot", got)
	}
	if _, ok := after.UserByName("hubot"); ok || len(after.Robots) != 1 {
		t.Errorf("robots: %+v", after.Robots)
	}
}

// TestNamesOfPrivateRoomsTellNothing: whoever tries the name that a file has for
// a private room gets a room of that name, as if there were none; the file and
// its members find theirs all the same.
func TestNamesOfPrivateRoomsTellNothing(t *testing.T) {
	doc := parse(t, talking+`
policies:
  - {slug: all, name: All, steps: [{page: [{user: kim}, {room: plans}]}]}
`)
	o := apply(t, emptyOrg(t), doc, Options{}).After
	lee, _ := o.UserByName("lee")
	mine := filed(t, o, "plans")
	if mine.Slug == "plans" || !strings.HasPrefix(mine.Slug, "plans-") {
		t.Errorf("the room is called %q", mine.Slug)
	}
	all, _ := o.PolicyBySlug("all")
	if got := all.Steps[0].Targets[1].Room; got != mine.Slug {
		t.Errorf("the step tells the room %q, want %q", got, mine.Slug)
	}
	for _, reader := range []id.User{"", lee.ID} {
		if again := apply(t, o, doc, Options{Reader: reader}); len(again.Changes) != 0 {
			t.Errorf("applied again by %q: %s", reader, again.Diff)
		}
	}
	if exported := string(ExportFor(o, lee.ID).Encode()); !strings.Contains(exported, "slug: plans\n") || strings.Contains(exported, mine.Slug) {
		t.Errorf("exported for Lee:\n%s", exported)
	}
	probe := parse(t, "rooms: [{slug: plans, topic: of everybody}]")
	with := apply(t, o, probe, Options{}).After
	if got := roomBySlug(t, with, "plans"); got.Kind != room.Public || got.Topic != "of everybody" {
		t.Errorf("a public room of that name is %+v", got)
	}
	if got := filed(t, with, "plans"); !cmp.Equal(got, mine) {
		t.Errorf("the private one has become %+v", got)
	}
	for _, reader := range []id.User{"", lee.ID} { // now a file has to call it by its slug
		exported := parse(t, string(ExportFor(with, reader).Encode()))
		if again := apply(t, with, exported, Options{Reader: reader}); len(again.Changes) != 0 {
			t.Errorf("the export for %q changes: %s", reader, again.Diff)
		}
	}
}

// Whoever has the key of a robot reads what it reads.
func TestKeysOfRobotsInRoomsOfOthers(t *testing.T) {
	const ours = "7b9e4a52-1111-4222-8333-abcdefabcdef"
	o := apply(t, emptyOrg(t), parse(t, talking+"  - {name: Planner, room: plans, key: "+ours[:35]+"0}\n"), Options{}).After
	kim, _ := o.UserByName("kim")
	lee, _ := o.UserByName("lee")
	rekeyed := parse(t, "robots: [{name: Planner, key: "+ours[:35]+"1}]")
	if _, err := rekeyed.Plan(o, Options{Reader: kim.ID}, testMaker()); err == nil || !strings.Contains(err.Error(), "org.yaml:1: robot planner: key: This robot hears a private room that you are not in") {
		t.Errorf("the key of a robot in a room of others: %v", err)
	}
	same := parse(t, "robots: [{name: Hubot, command_annotations: true, key: "+ours+"}, {name: Ticker}, {name: Planner, key: "+ours[:35]+"0}]")
	if again := apply(t, o, same, Options{Reader: kim.ID}); len(again.Changes) != 0 {
		t.Errorf("the keys that they have: %s", again.Diff)
	}
	for _, reader := range []id.User{"", lee.ID} {
		apply(t, o, rekeyed, Options{Reader: reader})
	}
	apply(t, o, parse(t, "robots: [{name: Hubot, key: "+ours[:35]+"1}]"), Options{Reader: kim.ID}) // in a room of everybody
}

// What a file says of a robot among the members of a room is so at once.
func TestRobotsAmongMembers(t *testing.T) {
	o := apply(t, emptyOrg(t), parse(t, talking), Options{}).After
	doc := parse(t, "rooms: [{slug: ops, members: [kim, hubot]}]")
	o = apply(t, o, doc, Options{}).After
	if got := roomBySlug(t, o, "ops").Members; len(got) != 2 {
		t.Errorf("in #ops are %v", got)
	}
	if again := apply(t, o, doc, Options{}); len(again.Changes) != 0 {
		t.Errorf("applied again: %s", again.Diff)
	}
}

// A name finds a group for those in it, or for the file that made it.
func TestGroupsOfOneName(t *testing.T) {
	o := apply(t, emptyOrg(t), parse(t, talking), Options{}).After
	kim, _ := o.UserByName("kim")
	lee, _ := o.UserByName("lee")
	groups := []org.Change{
		org.Put(room.Room{ID: "g1", Kind: room.Group, Name: "Lunch", Members: []id.User{lee.ID}}),
		org.Put(room.Room{ID: "g2", Kind: room.Group, Name: "Lunch", Members: []id.User{lee.ID}}),
	}
	o, _, err := o.Apply(groups...)
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, "rooms: [{slug: ops}, {name: Lunch, kind: group, members: [kim]}]")
	with := apply(t, o, doc, Options{Reader: kim.ID})
	if len(with.Changes) != 2 || !strings.Contains(with.Diff, "+ room group Lunch") { // and what #ops is called
		t.Errorf("a group that others have too: %+v", with.Changes)
	}
	if again := apply(t, with.After, doc, Options{}); len(again.Changes) != 0 {
		t.Errorf("the file of Kim's group, by the operator: %s", again.Diff)
	}
	text := ExportFor(o, lee.ID).Encode()
	if n := strings.Count(string(text), "name: Lunch"); n != 1 {
		t.Errorf("the export has %d groups of one name:\n%s", n, text)
	}
	if again := apply(t, o, parse(t, string(text)), Options{Reader: lee.ID}); len(again.Changes) != 0 {
		t.Errorf("the export changes: %s", again.Diff)
	}
}

// What a plan shows does not name a private room to who is not in it.
func TestPlansShowNoRoomsOfOthers(t *testing.T) {
	o := apply(t, emptyOrg(t), parse(t, talking+"  - {name: Planner, room: plans}\n"), Options{}).After
	kim, _ := o.UserByName("kim")
	lee, _ := o.UserByName("lee")
	for reader, want := range map[id.User]bool{"": false, kim.ID: false, lee.ID: true} {
		plan, shown := apply(t, o, parse(t, "robots: []"), Options{Reader: reader}), false
		for _, a := range plan.Applied {
			shown = shown || plan.Shows(a) && a.Kind == org.RoomKind && strings.Contains(a.Name, "plans")
		}
		if shown != want {
			t.Errorf("%q is shown that a robot leaves a room of Lee's: %t", reader, shown)
		}
	}
}

func TestWrongRooms(t *testing.T) {
	o := apply(t, emptyOrg(t), parse(t, strings.Replace(talking, "robots:", "  - {slug: closed, closed: true}\nrobots:", 1)), Options{}).After
	for text, want := range map[string]string{
		"rooms: [{slug: ops, kind: private, members: [kim]}]": "org.yaml:1: room ops: there is one of that name, and it is not private",
		"rooms: [{slug: ops, members: [nobody]}]":             `there is no user "nobody"`,
		"rooms: [{slug: new, kind: private}]":                 "a private room needs members",
		"rooms: [{slug: Wrong Name}]":                         "lower-case letters",
		"robots: [{name: Hubot, room: closed}]":               `there is no open room "closed"`,
		"robots: [{name: Hubot, room: nowhere}]":              `there is no open room "nowhere"`,
	} {
		_, err := parse(t, text).Plan(o, Options{}, testMaker())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{"rooms: [{kind: group, members: [kim]}]", "rooms: [{kind: direct, slug: x}]", "rooms: [{slug: a}, {slug: a}]", "robots: [{room: ops}]", "users: [{username: kim, email: kim@example.org}]\nrobots: [{name: kim}]"} {
		if _, err := Parse([]File{{"org.yaml", []byte(text)}}, Secrets{}); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}
