package api

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
)

// RobotView is a program that talks in a room, such as a Hubot.
type RobotView struct {
	ID                 id.Robot   `json:"id"`
	Name               string     `json:"name"`
	Username           string     `json:"username" doc:"What people mention it by."`
	User               id.User    `json:"user" doc:"Whose name its lines carry; tokens are made for it."`
	Room               string     `json:"room" doc:"Where it listens and speaks: main for the organisation's timeline, else the name of a room; its id when it has no name that you may know."`
	Outside            bool       `json:"outside" doc:"It can neither read nor write in its room any more: it was taken out of it. Give it another room, or let it in again."`
	CommandAnnotations bool       `json:"command_annotations" doc:"It gets the annotations titled HUBOT COMMAND of alerts, which its scripts may run."`
	CreatedAt          time.Time  `json:"created_at"`
	Connected          bool       `json:"connected" doc:"To the chat endpoint of the node that answers."`
	ConnectedAt        *time.Time `json:"connected_at,omitempty"`
	HeardAt            *time.Time `json:"heard_at,omitempty" doc:"The last sign of life of its connection."`
}

// RobotBody is all that is said about a robot.
type RobotBody struct {
	Name               string `json:"name" minLength:"1" maxLength:"200" example:"Hubot"`
	Username           string `json:"username,omitempty" pattern:"^[a-z0-9][a-z0-9._-]{0,39}$" patternDescription:"1 to 40 lower-case letters, digits, dots, dashes or underscores" example:"hubot" doc:"What people mention it by, unique; made from the name when absent."`
	Room               string `json:"room,omitempty" default:"main" maxLength:"100" doc:"Where it listens and speaks: main for the organisation's timeline, or the name or id of a room that you may read."`
	CommandAnnotations bool   `json:"command_annotations,omitempty" doc:"Hand it the annotations titled HUBOT COMMAND of alerts. Whoever can send an alert can then run its commands."`
}

// NewRobot is a robot with the key it signs in with.
type NewRobot struct {
	RobotView
	Key string `json:"key" doc:"HUBOT_VICTOROPS_KEY. Shown this once."`
	URL string `json:"url" doc:"HUBOT_VICTOROPS_URL, where it connects."`
}

type newRobotOutput struct {
	ETag     string `header:"ETag" doc:"Names the state it is in; for If-Match."`
	Location string `header:"Location" doc:"Its address."`
	Body     NewRobot
}

func (a *api) registerRobots() {
	r := resource[org.Robot, RobotView, RobotBody]{
		kind: org.RobotKind, name: "robot", path: prefix + "/robots",
		all:  func(o *org.Org) []org.Robot { return values(o.Robots) },
		find: findRobot, id: func(r org.Robot) string { return string(r.ID) },
		label: func(r org.Robot) string { return r.Name },
		view: func(_ context.Context, by people.Actor, o *org.Org, r org.Robot) (RobotView, error) {
			return a.robotView(o, by, r), nil
		},
	}
	handle(a, "list-robots", r.list(a))
	handle(a, "show-robot", r.show(a))
	handle(a, "create-robot", a.createRobot)
	handle(a, "replace-robot", a.replaceRobot)
	handle(a, "renew-robot-key", a.renewRobotKey)
	handle(a, "delete-robot", a.deleteRobot)
}

// findRobot takes an id, or the username that people mention the robot by.
func findRobot(o *org.Org, ref string) (org.Robot, bool) {
	if r, ok := o.Robots[id.Robot(ref)]; ok {
		return r, true
	}
	return byName(o.Robots, ref, func(r org.Robot) string { return o.Users[r.User].Username })
}

func (a *api) robotView(o *org.Org, by people.Actor, r org.Robot) RobotView {
	v := RobotView{
		ID: r.ID, Name: r.Name, Username: o.Users[r.User].Username, User: r.User, Room: string(r.Room), Outside: o.Outside(r),
		CommandAnnotations: r.CommandAnnotations, CreatedAt: r.CreatedAt,
	}
	if in, ok := o.Rooms[r.Room]; ok && in.CanRead(by.User) && in.Slug != "" {
		v.Room = in.Slug
	}
	if r.Room == room.Main {
		v.Room = "main"
	}
	if a.Robots != nil {
		link, ok := a.Robots()[r.ID]
		v.Connected, v.ConnectedAt, v.HeardAt = ok, instant(link.Since), instant(link.HeardAt)
	}
	return v
}

// robotSpec is what was sent, with the room it names.
func robotSpec(o *org.Org, by people.Actor, in RobotBody) (dispatch.RobotSpec, error) {
	s := dispatch.RobotSpec{Name: in.Name, Username: in.Username, CommandAnnotations: in.CommandAnnotations}
	if in.Room == "" {
		return s, nil
	}
	r, ok := o.RoomNamed(in.Room)
	if !ok || !r.CanRead(by.User) {
		return s, fault.Invalid("room", phrase.T("hubot.no_room"))
	}
	s.Room = r.ID
	return s, nil
}

func (a *api) createRobot(ctx context.Context, by people.Actor, in *createInput[RobotBody]) (*newRobotOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	spec, err := robotSpec(o, by, in.Body)
	if err != nil {
		return nil, err
	}
	key, r, err := a.Dispatch.AddRobot(ctx, by, spec)
	if err != nil {
		return nil, err
	}
	return a.newRobot(ctx, by, r, key)
}

func (a *api) newRobot(ctx context.Context, by people.Actor, r org.Robot, key string) (*newRobotOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	return &newRobotOutput{
		ETag: etag(r), Location: prefix + "/robots/" + string(r.ID),
		Body: NewRobot{RobotView: a.robotView(o, by, r), Key: key, URL: dispatch.RobotURL(a.address())},
	}, nil
}

func (a *api) replaceRobot(ctx context.Context, by people.Actor, in *putInput[RobotBody]) (*objectOutput[RobotView], error) {
	o, r, err := a.robot(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	spec, err := robotSpec(o, by, in.Body)
	if err != nil {
		return nil, err
	}
	if r, err = a.Dispatch.ChangeRobot(ctx, by, r.ID, spec); err != nil {
		return nil, err
	}
	if o, err = a.Store.Org(ctx); err != nil {
		return nil, err
	}
	return &objectOutput[RobotView]{ETag: etag(r), Body: a.robotView(o, by, r)}, nil
}

// renewRobotKey is for a key that was lost or that too many know.
func (a *api) renewRobotKey(ctx context.Context, by people.Actor, in *refInput) (*newRobotOutput, error) {
	_, r, err := a.robot(ctx, in.ID, "")
	if err != nil {
		return nil, err
	}
	key, r, err := a.Dispatch.NewRobotKey(ctx, by, r.ID)
	if err != nil {
		return nil, err
	}
	return a.newRobot(ctx, by, r, key)
}

func (a *api) deleteRobot(ctx context.Context, by people.Actor, in *removeInput) (*empty, error) {
	_, r, err := a.robot(ctx, in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	err = a.Dispatch.RemoveRobot(ctx, by, r.ID)
	if fault.Is(err, fault.CodeInvalid) { // nothing in the request is wrong: something still needs it
		return nil, fault.Conflict(fault.MessageOf(err)).Because(err)
	}
	return &empty{}, err
}

func (a *api) robot(ctx context.Context, ref, ifMatch string) (*org.Org, org.Robot, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, org.Robot{}, err
	}
	r, ok := findRobot(o, ref)
	if !ok {
		return o, r, noSuch(org.RobotKind, ref)
	}
	return o, r, unchanged(ifMatch, r)
}
