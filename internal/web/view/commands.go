package view

import (
	"time"
	"unicode"

	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/phrase"
)

// cmt reads the catalogue's "commands_web" area.
func cmt(key string, args ...any) string { return phrase.T("commands_web."+key, args...) }

// CommandList is every command there is, and a line that is tried.
type CommandList struct {
	Page   Page
	Groups []CommandGroup
	Trial  Trial
	People []Option // as whom it is tried
	Rooms  []Option // and where
	// Services are those whose commands are ours, for who manages.
	Services []ServiceRow
	Unusable []FieldValue // files, and what is wrong with them; for who manages
}

// ServiceRow is a ChatOps RPC service, and how it is doing.
type ServiceRow struct {
	Prefix, URL    string
	ReadAt, NextAt time.Time
	ETag, Err      string
	Methods        int
	Rejected       []FieldValue
}

func (r ServiceRow) tone() string {
	switch {
	case r.Err != "":
		return "critical"
	case r.ReadAt.IsZero():
		return "muted"
	case len(r.Rejected) > 0:
		return "warning"
	}
	return "ok"
}

func (r ServiceRow) state() string {
	switch {
	case r.Err != "":
		return cmt("service.failed")
	case r.ReadAt.IsZero():
		return cmt("service.waiting")
	}
	return cmt("service.read")
}

// CommandGroup is the commands of one origin.
type CommandGroup struct {
	Title string
	Rows  []CommandRow
}

// CommandRow is one command.
type CommandRow struct {
	Name, Usage, Summary string
	Risk                 string // read, change, danger
	Needs                string // the permission
	Approval             string // in words; "" for none
	Confirm              bool
	Example              string
	Secrets              []FieldValue // with what is wrong with each; only for those who may set them
}

func (r CommandRow) tone() string {
	switch r.Risk {
	case "danger":
		return "critical"
	case "change":
		return "warning"
	}
	return "muted"
}

// Trial is what a line would be, if somebody gave it somewhere.
type Trial struct {
	Line   string // as typed
	Asked  bool
	As     string
	Broken string // why it is not understood
	Means  string // as it was understood
	Given  []FieldValue
	Allow  bool
	Answer string // in words
	Rule   string
	Rules  []TrialRule
	Who    []TrialPerson // who may run it
	More   int           // people who are not looked at
}

// FieldValue is a name and its value.
type FieldValue struct{ Name, Value string }

// TrialRule is a rule that was looked at.
type TrialRule struct {
	Rule, Why string
	Counts    bool
}

// TrialPerson is somebody who may run it.
type TrialPerson struct{ Name, How string }

// JobList is commands that were given.
type JobList struct {
	Page  Page
	Tabs  []Tab
	Rows  []JobRow
	Older string
	Locks []LockRow
	Audit string // where the record can be had; "": not for this person
}

// JobRow is one of them.
type JobRow struct {
	Number        int64
	Line, By      string
	State, Status string // stable, and in words
	At            time.Time
	Took          string
}

func (r JobRow) href() string { return "/jobs/" + itoa(r.Number) }

func (r JobRow) tone() string {
	switch r.State {
	case "succeeded":
		return "ok"
	case "failed", "timed_out", "unknown", "denied", "rejected":
		return "critical"
	case "running", "queued":
		return "accent"
	}
	if invocation.State(r.State).Asks() {
		return "warning"
	}
	return "muted"
}

// LockRow is a thing that somebody keeps others from.
type LockRow struct {
	Name, Owner, Reason string
	Since, Until        time.Time
	Run                 bool // it ends with a run
}

// Job is one job with all that is known of it.
type Job struct {
	Page    Page
	Row     JobRow
	Why     string
	Rule    string
	Reason  string
	Room    string
	Fields  []FieldValue
	Output  string
	Events  []JobEvent
	Actions []JobAction
}

// JobEvent is one line of its record.
type JobEvent struct {
	At       time.Time
	What, By string
	Detail   string
	Hash     string // its beginning
}

// JobAction is something that the viewer can do about it.
type JobAction struct {
	Name, Label, Look, Confirm string
}

// title is what became of it, as a heading.
func (j Job) title() string {
	status := []rune(j.Row.Status)
	for i := range status[:min(1, len(status))] {
		status[i] = unicode.ToUpper(status[i])
	}
	return string(status)
}

func (j Job) action(name string) string { return j.Row.href() + "/" + name }
