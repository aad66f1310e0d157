package web

import (
	"html"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestRobotPages(t *testing.T) {
	h := newWatch(t)
	h.has(h.get("ada", robotsPath), "No robot yet")
	answer, page := h.send(robotsPath, http.StatusOK, "name", "Deploy bot", "room", "", "commands", "on")
	key := regexp.MustCompile(`export HUBOT_VICTOROPS_KEY=([0-9a-f-]{36})`).FindStringSubmatch(html.UnescapeString(page))
	if key == nil || answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("no key is shown, or it is kept: %v", answer.Header)
	}
	h.has(page, "export HUBOT_VICTOROPS_URL=ws://watch.example/chat", "bin/hubot --adapter victorops", "shown once")
	page = h.get("ada", robotsPath)
	h.has(page, "Deploy bot", "@deploy-bot", "not connected", "nothing yet")
	h.lacks(page, key[1])
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var robot id.Robot
	for n, r := range o.Robots {
		robot = n
		by := people.Actor{User: r.User, Name: r.Name, Role: people.Member, Scopes: robotScopes, Origin: timeline.Robot}
		if _, err := h.dispatch.Say(t.Context(), by, dispatch.Line{Text: "web is deployed"}); err != nil || !r.CommandAnnotations {
			t.Fatalf("robot %+v says: %v", r, err)
		}
	}
	at := robotsPath + "/" + string(robot)
	h.web.Robots = func() map[id.Robot]dispatch.RobotLink {
		return map[id.Robot]dispatch.RobotLink{robot: {Since: time.Now(), Name: "Marvin"}}
	}
	h.has(h.get("ada", robotsPath), "connected", "web is deployed")
	h.has(h.get("ada", at), "It calls itself Marvin.", "web is deployed", `value="deploy-bot"`, "New key")
	h.send(at, http.StatusSeeOther, "name", "Marvin", "username", "marvin", "room", "")
	h.has(h.get("ada", at), "Marvin", "@marvin")
	_, page = h.send(at+"/key", http.StatusOK)
	h.has(page, "HUBOT_VICTOROPS_KEY=")
	h.lacks(page, key[1])
	_, page = h.send(at+"/token", http.StatusOK)
	token := regexp.MustCompile(`HUBOT_WATCHROOM_TOKEN=(wr_[a-z0-9]+)`).FindStringSubmatch(page)
	if token == nil {
		t.Fatal("no token is shown")
	}
	if by, err := h.web.Accounts.AuthenticateToken(t.Context(), token[1]); err != nil || by.Origin != timeline.Robot || by.May(people.Manage) || !by.May(people.Talk) {
		t.Errorf("the token stands for %+v, %v", by, err)
	}
	h.lacks(h.get("ada", peoplePath), "Marvin") // robots are no people
	h.send(at+"/delete", http.StatusSeeOther)
	h.has(h.get("ada", robotsPath), "No robot yet")
	if _, err := h.web.Accounts.AuthenticateToken(t.Context(), token[1]); err == nil {
		t.Error("the token of a removed robot still works")
	}
}

func TestRobotFormComesBack(t *testing.T) {
	h := newWatch(t)
	for want, pairs := range map[string][]string{
		"This is needed.":                       {"name", "", "room", ""},
		"is taken already":                      {"name", "Hubot", "username", "kim", "room", ""},
		"Choose an open room that you can read": {"name", "Hubot", "room", "nowhere"},
	} {
		_, page := h.send(robotsPath, http.StatusUnprocessableEntity, pairs...)
		h.has(html.UnescapeString(page), want)
	}
	for _, who := range []string{"kim", "olga"} {
		if answer, _ := h.ask(request{as: who, method: http.MethodGet, path: robotsPath, plain: true}); !refused(answer) {
			t.Errorf("%s sees the robots: %s", who, answer.Status)
		}
	}
}

// An administrator does not see what a private room that they are not in is called.
func TestRobotInAHiddenRoom(t *testing.T) {
	h := newWatch(t)
	kim := people.Actor{User: "u-kim", Name: "Kim", Role: people.Admin, Origin: timeline.Browser}
	secret, err := h.dispatch.OpenRoom(t.Context(), kim, room.Room{Kind: room.Private, Slug: "surprise-party"})
	if err != nil {
		t.Fatal(err)
	}
	_, robot, err := h.dispatch.AddRobot(t.Context(), kim, dispatch.RobotSpec{Name: "Spy", Room: secret.ID})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{robotsPath, robotsPath + "/" + string(robot.ID)} {
		page := h.get("ada", path)
		h.has(page, "Spy", "a room you are not in")
		h.lacks(page, "surprise-party")
	}
	h.lacks(h.get("ada", robotsPath), "is not in its room any more")
	h.has(h.get("ada", "/integrations"), "Hubot and other robots", "HUBOT_VICTOROPS_URL=", "HUBOT_VICTOROPS_KEY=", "bin/hubot", robotsPath)
	out := func(r room.Room) room.Room { r.Members = []id.User{"u-kim"}; return r }
	if _, err := h.dispatch.ChangeRoom(t.Context(), kim, secret.ID, out); err != nil {
		t.Fatal(err)
	}
	h.has(h.get("ada", robotsPath), "is not in its room any more")
	h.send(robotsPath+"/"+string(robot.ID), http.StatusSeeOther, "name", "Agent", "username", "spy", "room", string(secret.ID)) // it may stay
}
