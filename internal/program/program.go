// Package program is what the server and whatever runs a command say to each
// other: what is to be run for whom, what is reported while it runs, and how it
// ended. Built-in commands, executables, ChatOps RPC services and webhooks all
// implement Program; it promises nothing about who may run what, which was
// decided before.
package program

import (
	"context"
	"io"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Program runs one command.
type Program interface {
	// Run does it and returns how it ended. It ends soon after ctx does. An
	// error means that we do not know: whatever it changed is unknown.
	Run(ctx context.Context, r Request, out Reporter) (Result, error)
}

// Request is one run.
type Request struct {
	ID       id.Invocation
	Command  string       // the declaration's id
	Actor    people.Actor // who asked; a decision about them has been made
	Username string
	Room     id.Room
	RoomName string // as people type it: "ops", "timeline"
	Thread   id.Seq // 0: none
	Message  id.Seq // that asked; 0: a button, a schedule, the API
	Incident id.Incident
	Reason   string
	// Args are the resolved values by name: ids of people, teams and rooms,
	// numbers of incidents, instants as RFC 3339, durations as Go writes them.
	Args map[string]string
	// Given is Args as people said them, in the order of the declaration.
	Given    []Given
	Line     string            // canonical, secrets masked
	Secrets  map[string]string // of this command, by name; and arguments of type secret
	Deadline time.Time
	DryRun   bool
	Private  bool           // the answer is read by who asked alone
	JSON     bool           // the answer is for a program
	Zone     *time.Location // of who asked
	Now      time.Time
}

// Given is one argument as it was given, or its default.
type Given struct{ Name, Value string }

// Reporter takes what a run says before it ends. Its methods never block for
// long, and may be called from one goroutine at a time.
type Reporter interface {
	Progress(percent int, text string)       // the living message; percent -1: unknown
	Say(text string, doc *timeline.Document) // a further message in the thread
	File(name string, content io.Reader) error
}

// Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	Succeeded Outcome = "succeeded"
	Failed    Outcome = "failed"
	Usage     Outcome = "usage" // it was called wrongly: help is shown
	Later     Outcome = "later" // it could not now; nothing was changed
	// Refused says that it may or can not be done, and nothing was: an answer for
	// who asked alone.
	Refused   Outcome = "refused"
	TimedOut  Outcome = "timed_out"
	Cancelled Outcome = "cancelled"
)

// Result is the end of a run.
type Result struct {
	Outcome Outcome
	Text    string             // what to say, Markdown; complete by itself
	Doc     *timeline.Document // the same with structure; nil: Text alone
	Why     string             // of a failure, for the one who asked
	Exit    int                // of an executable
	Private bool               // say it to the asker alone
}

// MaxOutput is how much a run may say, in bytes.
const MaxOutput = 1 << 20
