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
	if err == nil || !strings.Contains(err.Error(), `there is no room "plans"`) {
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

func TestWrongRooms(t *testing.T) {
	o := apply(t, emptyOrg(t), parse(t, talking), Options{}).After
	for text, want := range map[string]string{
		"rooms: [{slug: ops, kind: private, members: [kim]}]": "org.yaml:1: room ops: there is one of that name, and it is not private",
		"rooms: [{slug: ops, members: [nobody]}]":             `there is no user "nobody"`,
		"rooms: [{slug: new, kind: private}]":                 "a private room needs members",
		"rooms: [{slug: Wrong Name}]":                         "lower-case letters",
		"robots: [{name: Hubot, room: nowhere}]":              `there is no room "nowhere"`,
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
