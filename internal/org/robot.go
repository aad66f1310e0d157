package org

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/people"
)

// Robot is a program that talks in one room, such as a Hubot. It signs in to
// the chat endpoint with its key and speaks as its user.
type Robot struct {
	ID      id.Robot `json:"id"`
	Name    string   `json:"name"`
	User    id.User  `json:"user"`           // whose name its lines carry; people.User.Robot
	Room    id.Room  `json:"room,omitempty"` // all that it sees and where it speaks; "" is the organisation's timeline
	KeyHash string   `json:"key_hash"`       // SHA-256 of what it signs in with
	// CommandAnnotations hands it the annotations titled "HUBOT COMMAND" of
	// alerts, which its scripts may run: whoever can send an alert can then run
	// commands.
	CommandAnnotations bool      `json:"command_annotations,omitempty"`
	CreatedAt          time.Time `json:"created_at"`
}

// Validate says what is wrong with r in a sentence.
func (r Robot) Validate() error {
	switch {
	case strings.TrimSpace(r.Name) == "" || len(r.Name) > 200:
		return errors.New("robot: name: give 1 to 200 characters")
	case r.User == "":
		return fmt.Errorf("robot %s: it has no user to speak as", r.Name)
	case r.KeyHash == "":
		return fmt.Errorf("robot %s: it has no key", r.Name)
	}
	return nil
}

// Speaker is the user of a new robot.
func (r Robot) Speaker(username string) people.User {
	return people.User{ID: r.User, Username: username, Name: r.Name, Role: people.Member, Zone: "UTC", Robot: true}
}

// RobotByKey finds the robot whose key has the given hash.
func (o *Org) RobotByKey(keyHash string) (Robot, bool) {
	r, ok := o.Robots[o.robots[keyHash]]
	return r, ok
}

func (o *Org) indexRobots(claim func(what, name string) error) error {
	o.robots = make(map[string]id.Robot, len(o.Robots))
	for _, r := range o.Robots {
		if err := errors.Join(claim("robot key", r.KeyHash), claim("robot's user", string(r.User))); err != nil {
			return err
		}
		o.robots[r.KeyHash] = r.ID
	}
	return nil
}

// checkRobots says where a robot stands for a person: nobody hears a page that
// goes to one.
func (o *Org) checkRobots(was *Org) error {
	for _, r := range Sorted(o.Robots, func(r Robot) string { return r.Name }) {
		u, ok := o.Users[r.User]
		if !ok {
			return was.missing(UserKind, string(r.User), "the user of robot "+r.Name)
		}
		if !u.Robot {
			return fmt.Errorf("%s is a person and cannot be the user of robot %s", u.Name, r.Name)
		}
	}
	refuse := func(u id.User, as string) error {
		if user := o.Users[u]; user.Robot {
			return fmt.Errorf("%s is a robot and cannot be %s", user.Name, as)
		}
		return nil
	}
	for _, t := range Sorted(o.Teams, func(t people.Team) string { return t.Slug }) {
		for _, u := range t.Members {
			if err := refuse(u, "a member of team "+t.Name); err != nil {
				return err
			}
		}
	}
	for _, r := range Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name }) {
		for _, u := range members(r) {
			if err := refuse(u, "a member of rotation "+r.Name); err != nil {
				return err
			}
		}
	}
	for _, v := range o.Overrides {
		if err := refuse(v.User, "on call"); err != nil {
			return err
		}
	}
	for _, p := range Sorted(o.Policies, func(p escalation.Policy) string { return p.Name }) {
		targets := p.LastResort
		for _, s := range p.Steps {
			targets = append(targets[:len(targets):len(targets)], s.Targets...)
		}
		for _, t := range targets {
			if err := refuse(t.User, "paged by policy "+p.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Outside reports whether a robot was taken out of its room, where it then
// neither hears nor speaks.
func (o *Org) Outside(r Robot) bool {
	in, ok := o.Room(r.Room)
	return !ok || !in.CanRead(r.User)
}
