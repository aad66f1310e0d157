package dispatch

import (
	"regexp"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func admin() people.Actor { return actor("ada", "Ada", people.Admin) }

func (h *house) org(t *testing.T) *org.Org {
	t.Helper()
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRobotLife(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ops, err := h.OpenRoom(t.Context(), admin(), room.Room{Kind: room.Public, Slug: "ops"})
		if err != nil {
			t.Fatal(err)
		}
		secretRoom, err := h.OpenRoom(t.Context(), admin(), room.Room{Kind: room.Private, Slug: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		key, r, err := h.AddRobot(t.Context(), admin(), RobotSpec{Name: " Deploy Bot ", Room: ops.ID})
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(key) {
			t.Errorf("key %q is no UUID", key)
		}
		o := h.org(t)
		u := o.Users[r.User]
		if found, ok := o.RobotByKey(secret.Hash(key)); !ok || found.ID != r.ID || u.Username != "deploy-bot" || !u.Robot || u.Reachable() || !o.Rooms[ops.ID].Has(u.ID) {
			t.Errorf("robot %+v, user %+v, members %v", found, u, o.Rooms[ops.ID].Members)
		}
		if _, ok := o.UserByEmail(""); ok {
			t.Error("somebody without an address is found by it")
		}
		// into a private room, of which only the room itself tells
		before := h.head(t).Seq
		if r, err = h.ChangeRobot(t.Context(), admin(), r.ID, RobotSpec{Name: "Marvin", Room: secretRoom.ID, CommandAnnotations: true}); err != nil {
			t.Fatal(err)
		}
		o = h.org(t)
		if u = o.Users[r.User]; u.Name != "Marvin" || u.Username != "deploy-bot" || o.Rooms[ops.ID].Has(u.ID) || !o.Rooms[secretRoom.ID].Has(u.ID) || !r.CommandAnnotations {
			t.Errorf("changed: %+v, %+v", r, u)
		}
		for _, e := range h.entries(t, store.EntryFilter{After: before}) {
			if c, ok := e.Payload.(timeline.RoomChange); ok && c.Room == secretRoom.ID {
				t.Errorf("the timeline tells of the private room: %+v", e)
			}
		}
		if told := h.entries(t, store.EntryFilter{After: before, Rooms: []id.Room{secretRoom.ID}}); len(told) != 1 {
			t.Errorf("the private room tells %+v", told)
		}
		renewed, _, err := h.NewRobotKey(t.Context(), admin(), r.ID)
		if _, ok := h.org(t).RobotByKey(secret.Hash(key)); err != nil || ok || renewed == key {
			t.Errorf("the old key still works (%v)", err)
		}
		if err := h.RemoveRobot(t.Context(), admin(), r.ID); err != nil {
			t.Fatal(err)
		}
		o = h.org(t)
		if _, ok := o.Users[r.User]; ok || len(o.Robots) > 0 || o.Rooms[secretRoom.ID].Has(r.User) {
			t.Error("something of the robot is left")
		}
		if err := h.RemoveRobot(t.Context(), admin(), r.ID); err == nil {
			t.Error("removing it twice works")
		}
		if _, _, err := h.AddRobot(t.Context(), admin(), RobotSpec{Name: "Deploy Bot"}); err != nil {
			t.Errorf("its name is not free again: %v", err)
		}
	})
}

func TestWhoMakesRobots(t *testing.T) {
	h := newHouse(t, "sqlite")
	_, r, err := h.AddRobot(t.Context(), admin(), RobotSpec{Name: "Hubot"})
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"add":    second(h.AddRobot(t.Context(), kim(), RobotSpec{Name: "x"})),
		"change": first(h.ChangeRobot(t.Context(), kim(), r.ID, RobotSpec{Name: "x"})),
		"key":    second(h.NewRobotKey(t.Context(), kim(), r.ID)),
		"remove": h.RemoveRobot(t.Context(), kim(), r.ID),
	} {
		if err == nil {
			t.Errorf("%s: a member may", what)
		}
	}
	for what, spec := range map[string]RobotSpec{
		"no name": {}, "somebody's username": {Name: "x", Username: "kim"}, "no such room": {Name: "x", Room: "nowhere"},
		"a direct room": {Name: "x", Room: room.DirectOf("ada", "kim")},
	} {
		if _, _, err := h.AddRobot(t.Context(), admin(), spec); err == nil {
			t.Errorf("%s: it is made", what)
		}
	}
}

func second[A, B any](_ A, _ B, err error) error { return err }
func first[A any](_ A, err error) error          { return err }

// Nobody hears a page that goes to a robot, so nothing may send one there.
func TestRobotsAreNotOnCall(t *testing.T) {
	h := newHouse(t, "sqlite")
	_, r, err := h.AddRobot(t.Context(), admin(), RobotSpec{Name: "Hubot"})
	if err != nil {
		t.Fatal(err)
	}
	user := h.org(t).Users[r.User]
	mailed, plain := user, user
	mailed.Email = "hubot@example.org"
	plain.Robot, plain.Email = false, "hubot@example.org"
	for what, change := range map[string]org.Change{
		"a member of team": org.Put(people.Team{ID: "dba", Slug: "dba", Name: "Databases", Members: []id.User{r.User}}),
		"a member of rotation": org.Put(oncall.Rotation{ID: "r", Name: "Primary", Zone: "UTC", Layers: []oncall.Layer{{
			Members: []id.User{r.User}, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2026-01-05",
		}}}),
		"paged by policy": org.Put(escalation.Policy{
			ID: "p9", Slug: "x", Name: "x", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{{Targets: []escalation.Target{{User: r.User}}}},
		}),
		"without e-mail address":   org.Put(mailed),
		"is a person and cannot":   org.Put(plain),
		"is still the user of rob": org.Remove(org.UserKind, string(r.User)),
	} {
		_, err := h.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return []org.Change{change}, nil })
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A private room in which only a robot is left has nobody who could read it.
func TestTheLastPersonClosesTheRoom(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		r := h.room(t, admin(), room.Room{Kind: room.Private, Slug: "racks", Members: []id.User{"kim"}})
		if _, _, err := h.AddRobot(ctx, admin(), RobotSpec{Name: "Hubot", Room: r.ID}); err != nil {
			t.Fatal(err)
		}
		for _, leaving := range []struct {
			who    people.Actor
			closed bool
		}{{admin(), false}, {kim(), true}} {
			if err := h.LeaveRoom(ctx, leaving.who, r.ID); err != nil {
				t.Fatal(err)
			}
			if got := h.org(t).Rooms[r.ID].Closed; got != leaving.closed {
				t.Errorf("after %s has left it is closed: %t", leaving.who.Name, got)
			}
		}
	})
}
