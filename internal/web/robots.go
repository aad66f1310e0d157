package web

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

const robotsPath = "/settings/robots"

// robotScopes are what the token of a robot may: talk, and act on incidents.
var robotScopes = []people.Permission{people.Read, people.Talk, people.Respond}

func (s *Server) robotRoutes() []Route {
	return []Route{
		{"GET /settings/robots", people.Manage, s.showRobots},
		{"POST /settings/robots", people.Manage, unkept(s.newRobot)},
		{"GET /settings/robots/{id}", people.Manage, s.showRobot},
		{"POST /settings/robots/{id}", people.Manage, s.changeRobot},
		{"POST /settings/robots/{id}/key", people.Manage, unkept(s.newRobotKey)},
		{"POST /settings/robots/{id}/token", people.Manage, unkept(s.newRobotToken)},
		{"POST /settings/robots/{id}/delete", people.Manage, s.deleteRobot},
	}
}

func (s *Server) showRobots(w http.ResponseWriter, r *http.Request) error {
	return s.robotsPage(w, r, http.StatusOK, view.RobotForm{}, view.FreshRobot{})
}

func (s *Server) robotsPage(w http.ResponseWriter, r *http.Request, status int, f view.RobotForm, fresh view.FreshRobot) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("hubot.title"))
	if err != nil {
		return err
	}
	l := view.RobotList{Page: page, Form: f, Fresh: fresh}
	for _, robot := range org.Sorted(o.Robots, func(r org.Robot) string { return r.Name }) {
		row, err := s.robotRow(r, o, robot)
		if err != nil {
			return err
		}
		l.Rows = append(l.Rows, row)
	}
	l.Form.Action = robotsPath
	l.Form.Rooms = robotRooms(o, actorOf(r).User, id.Room(text(r, "room")))
	return draw(w, r, status, view.RobotsPage(l))
}

// robotRooms are the rooms that somebody may put a robot into.
func robotRooms(o *org.Org, u id.User, chosen id.Room) []view.Option {
	var all []view.Option
	for _, in := range o.ReadableRooms(u) {
		if !in.Closed {
			all = append(all, view.Option{Value: string(in.ID), Label: in.Shown(u, o.UserName), Selected: in.ID == chosen})
		}
	}
	return all
}

// saidShown is how much of a robot's last words a list shows, in characters.
const saidShown = 120

func (s *Server) robotRow(r *http.Request, o *org.Org, robot org.Robot) (view.RobotRow, error) {
	viewer := actorOf(r)
	row := view.RobotRow{ID: string(robot.ID), Name: robot.Name, Username: o.Users[robot.User].Username, Room: phrase.T("hubot.room.hidden"), Outside: o.Outside(robot)}
	if s.Robots != nil {
		link := s.Robots()[robot.ID]
		row.Since, row.HeardAt, row.Called = link.Since, link.HeardAt, link.Name
	}
	tokens, err := s.Accounts.Tokens(r.Context(), viewer)
	if err != nil && !fault.Is(err, fault.CodeForbidden) {
		return row, err
	}
	for _, t := range tokens {
		if t.User == robot.User && t.SeenAt.After(row.TokenAt) {
			row.TokenAt = t.SeenAt
		}
	}
	in, ok := o.Room(robot.Room)
	if !ok || !in.CanRead(viewer.User) {
		return row, nil
	}
	row.Room = in.Shown(viewer.User, o.UserName)
	last, err := s.Store.Entries(r.Context(), store.EntryFilter{
		Rooms: []id.Room{robot.Room}, Person: robot.User, Kinds: []timeline.Kind{timeline.MessagePosted}, Limit: 1,
	})
	if err != nil {
		return row, err
	}
	for _, e := range last {
		m, _ := e.Payload.(timeline.Message)
		row.LastAt, row.Last = e.At, alert.Cut(m.Text, saidShown)
	}
	return row, nil
}

// robotSpec reads the form of a robot.
func robotSpec(r *http.Request) (view.RobotForm, dispatch.RobotSpec) {
	f := view.RobotForm{Name: text(r, "name"), Username: strings.ToLower(text(r, "username")), Commands: text(r, "commands") != ""}
	errs := fields{}
	errs.name("name", f.Name)
	errs.username("username", cmp.Or(f.Username, id.Slug(f.Name), "robot"))
	f.Errors = errs
	return f, dispatch.RobotSpec{
		Name: f.Name, Username: cmp.Or(f.Username, id.Slug(f.Name), "robot"), Room: id.Room(text(r, "room")), CommandAnnotations: f.Commands,
	}
}

// placeRobot puts a refusal beside its field.
func placeRobot(f *view.RobotForm, err error, message string) {
	wrong, _ := errors.AsType[*fault.Error](err)
	switch {
	case strings.HasPrefix(message, "the username"):
		f.Errors = fields{"username": message}
	case wrong != nil && wrong.Field == "room":
		f.Errors = fields{"room": message}
	default:
		f.Error = message
	}
}

func (s *Server) newRobot(w http.ResponseWriter, r *http.Request) error {
	f, spec := robotSpec(r)
	if len(f.Errors) > 0 {
		return s.robotsPage(w, r, http.StatusUnprocessableEntity, f, view.FreshRobot{})
	}
	key, made, err := s.Dispatch.AddRobot(r.Context(), actorOf(r), spec)
	if status, message, ok := shown(err); ok {
		placeRobot(&f, err, message)
		return s.robotsPage(w, r, status, f, view.FreshRobot{})
	}
	if err != nil {
		return err
	}
	return s.robotsPage(w, r, http.StatusOK, view.RobotForm{}, s.freshKey(made, key))
}

// freshKey is a key as it is shown once, with the lines that start a Hubot.
func (s *Server) freshKey(r org.Robot, key string) view.FreshRobot {
	return view.FreshRobot{Name: r.Name, Key: key, Lines: s.hubotLines(key)}
}

// hubotLines start a Hubot that has a key.
func (s *Server) hubotLines(key string) string {
	return "export HUBOT_VICTOROPS_URL=" + dispatch.RobotURL(s.PublicURL) + "\nexport HUBOT_VICTOROPS_KEY=" + key + "\nbin/hubot --adapter victorops"
}

func (s *Server) robot(r *http.Request) (*org.Org, org.Robot, error) {
	o, err := s.organisation(r.Context())
	if err != nil {
		return nil, org.Robot{}, err
	}
	robot, ok := o.Robots[id.Robot(r.PathValue("id"))]
	if !ok {
		return o, robot, fault.NotFound(phrase.T("hubot.gone"))
	}
	return o, robot, nil
}

func (s *Server) showRobot(w http.ResponseWriter, r *http.Request) error {
	return s.robotPage(w, r, http.StatusOK, nil, view.FreshRobot{})
}

// robotPage draws a robot; f is its form as typed, nil as it is.
func (s *Server) robotPage(w http.ResponseWriter, r *http.Request, status int, f *view.RobotForm, fresh view.FreshRobot) error {
	o, robot, err := s.robot(r)
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, robot.Name)
	if err != nil {
		return err
	}
	m := view.RobotPageModel{Page: page, Fresh: fresh}
	if m.Robot, err = s.robotRow(r, o, robot); err != nil {
		return err
	}
	chosen := robot.Room
	if f != nil {
		chosen = id.Room(text(r, "room"))
	} else {
		f = &view.RobotForm{Name: robot.Name, Username: m.Robot.Username, Commands: robot.CommandAnnotations}
	}
	m.Form = *f
	m.Form.Action, m.Form.Rooms = robotsPath+"/"+string(robot.ID), robotRooms(o, actorOf(r).User, chosen)
	if in, ok := o.Room(robot.Room); robot.Room != room.Main && (!ok || in.Closed || !in.CanRead(actorOf(r).User)) { // it may stay where it is
		m.Form.Rooms = append(m.Form.Rooms, view.Option{Value: string(robot.Room), Label: m.Robot.Room, Selected: chosen == robot.Room})
	}
	return draw(w, r, status, view.RobotPage(m))
}

func (s *Server) changeRobot(w http.ResponseWriter, r *http.Request) error {
	f, spec := robotSpec(r)
	if len(f.Errors) > 0 {
		return s.robotPage(w, r, http.StatusUnprocessableEntity, &f, view.FreshRobot{})
	}
	changed, err := s.Dispatch.ChangeRobot(r.Context(), actorOf(r), id.Robot(r.PathValue("id")), spec)
	if status, message, ok := shown(err); ok {
		placeRobot(&f, err, message)
		return s.robotPage(w, r, status, &f, view.FreshRobot{})
	}
	if err != nil {
		return err
	}
	return s.done(w, r, robotsPath+"/"+string(changed.ID), phrase.T("settings.saved"))
}

func (s *Server) newRobotKey(w http.ResponseWriter, r *http.Request) error {
	key, robot, err := s.Dispatch.NewRobotKey(r.Context(), actorOf(r), id.Robot(r.PathValue("id")))
	if err != nil {
		return err
	}
	return s.robotPage(w, r, http.StatusOK, nil, s.freshKey(robot, key))
}

// newRobotToken makes a token for the adapter that speaks our own API.
func (s *Server) newRobotToken(w http.ResponseWriter, r *http.Request) error {
	_, robot, err := s.robot(r)
	if err != nil {
		return err
	}
	name := phrase.T("hubot.token.name", robot.Name, s.Now().UTC().Format(time.DateOnly))
	token, _, err := s.Accounts.CreateToken(r.Context(), actorOf(r), robot.User, name, robotScopes)
	if _, message, ok := shown(err); ok {
		s.flash(w, view.Flash{Tone: "critical", Text: message})
		return redirect(w, r, robotsPath+"/"+string(robot.ID))
	}
	if err != nil {
		return err
	}
	return s.robotPage(w, r, http.StatusOK, nil, view.FreshRobot{Name: robot.Name, Token: token, Lines: "export HUBOT_WATCHROOM_URL=" + s.PublicURL +
		"\nexport HUBOT_WATCHROOM_TOKEN=" + token + "\nnpx hubot -a hubot-watchroom"})
}

func (s *Server) deleteRobot(w http.ResponseWriter, r *http.Request) error {
	err := s.Dispatch.RemoveRobot(r.Context(), actorOf(r), id.Robot(r.PathValue("id")))
	return s.did(w, r, err, robotsPath, robotsPath, phrase.T("settings.deleted"))
}
