package view

import (
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// bt reads the catalogue's "hubot" area.
func bt(key string, args ...any) string { return phrase.T("hubot."+key, args...) }

// RobotList is every robot, and the form for another.
type RobotList struct {
	Page  Page
	Rows  []RobotRow
	Form  RobotForm
	Fresh FreshRobot
}

// RobotRow is one robot.
type RobotRow struct {
	ID, Name, Username, Room string
	Outside                  bool      // it cannot speak in its room any more
	Since                    time.Time // it has been connected; zero: it is not
	HeardAt                  time.Time
	Called                   string    // how it calls itself
	TokenAt                  time.Time // when it last used the API; zero: never
	Last                     string    // what it said last; "" when the viewer may not know
	LastAt                   time.Time
}

func (r RobotRow) action(what string) string { return "/settings/robots/" + r.ID + what }

func (r RobotRow) state() string {
	if r.Since.IsZero() {
		return "away"
	}
	return "connected"
}

func (r RobotRow) tone() string {
	if r.Since.IsZero() {
		return "muted"
	}
	return "ok"
}

func (r RobotRow) icon() string {
	if r.Since.IsZero() {
		return ""
	}
	return "check"
}

// RobotForm is a robot as typed.
type RobotForm struct {
	Action         string
	Name, Username string
	Rooms          []Option
	Commands       bool
	Errors         map[string]string
	Error          string
}

// FreshRobot is a secret of a robot, shown once; Name is "" when there is none.
type FreshRobot struct {
	Name  string
	Key   string // of the chat endpoint; or
	Token string // of the API
	Lines string // what starts the program
}

// RobotPageModel is one robot.
type RobotPageModel struct {
	Page  Page
	Robot RobotRow
	Form  RobotForm
	Fresh FreshRobot
}
