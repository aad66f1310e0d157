// Package command knows what a command is: how it is declared, how a typed line
// is recognised and understood, and how help is made of it. It is a function of
// values: it looks nothing up and runs nothing. Who may run a command is decided
// in package permit, what becomes of it in package invocation.
package command

import (
	"time"

	"github.com/watchroom/watchroom/internal/people"
)

// Risk is what a command can do to the world.
type Risk string

// The risks, from least to most.
const (
	Reads   Risk = "read"   // looks
	Changes Risk = "change" // changes something that can be changed back
	Danger  Risk = "danger" // may destroy, or costs
)

// Declaration is all that is known about a command beforehand, built in or from
// a manifest. Help, completion, the page of commands and its preview of who may
// run it come from here.
type Declaration struct {
	ID       string   `json:"id"`                // unique, stable: "incident.ack"
	Words    []string `json:"words"`             // as typed: ["incident", "ack"]
	Aliases  []string `json:"aliases,omitempty"` // whole lines that stand for Words: "ack"
	Summary  string   `json:"summary"`
	Details  string   `json:"details,omitempty"` // Markdown
	Args     []Arg    `json:"args,omitempty"`
	Examples []string `json:"examples,omitempty"` // lines without sigil

	Risk Risk `json:"risk"`
	// Permission is what somebody needs to run it: "incident.ack". Empty is the ID.
	Permission string `json:"permission,omitempty"`
	// Right is what a person needs besides, whatever rules say: that of the use
	// case which it calls. Empty: none.
	Right    people.Permission `json:"right,omitempty"`
	Public   bool              `json:"public,omitempty"` // also for people of a bridge who are linked to nobody
	Rooms    []string          `json:"rooms,omitempty"`  // slugs; none: everywhere
	Scope    string            `json:"scope,omitempty"`  // the argument that names what it acts on: "service"
	Confirm  bool              `json:"confirm,omitempty"`
	Approval Approval          `json:"approval,omitzero"`
	// Lock is a template such as "deploy/{app}/{env}": one run at a time has it.
	Lock string `json:"lock,omitempty"`
	// Timeout of one run; 0 is DefaultTimeout.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Concurrency is how many runs there may be at once; 0 is no limit.
	Concurrency int `json:"concurrency,omitempty"`
	// Private says that the answer goes to the asker alone.
	Private bool `json:"private,omitempty"`
	// Origin says where it comes from: "" built in, else "script NAME", "rpc NAME", "webhook NAME".
	Origin string `json:"origin,omitempty"`
	// Version changes when what it runs changes: the hash of a script, say.
	Version string `json:"version,omitempty"`
	Hidden  bool   `json:"hidden,omitempty"` // not in lists, for buttons of ours
}

// DefaultTimeout is how long a run may take when its declaration says nothing.
const DefaultTimeout = time.Minute

// Approval is what a run needs from others before it starts.
type Approval struct {
	Group string        `json:"group,omitempty"` // team slug, or "admins"; "": whoever may run it
	Count int           `json:"count,omitempty"` // how many; 0: no approval is needed
	Peer  bool          `json:"peer,omitempty"`  // oneself does not count
	TTL   time.Duration `json:"ttl,omitempty"`   // 0 is 15 minutes
}

// Type is what an argument takes.
type Type string

// The types of arguments. Names of people, teams, rooms and incidents are
// resolved before anything is confirmed.
const (
	String   Type = "string"
	Int      Type = "int"
	Bool     Type = "bool"
	Duration Type = "duration" // 90s, 5m, 1h30m, 2d
	Time     Type = "time"     // 14:30, tomorrow 9:00, 2026-12-24 18:00, in 2h; in the asker's zone
	Enum     Type = "enum"
	User     Type = "user" // @kim, kim, me
	Team     Type = "team" // @@database, database
	Room     Type = "room" // #ops, here
	Incident Type = "incident"
	Policy   Type = "policy"
	Rotation Type = "rotation"
	Service  Type = "service" // a routing key
	Secret   Type = "secret"  // never stored or shown
	Rest     Type = "rest"    // the rest of the line as it is
)

// Arg is one argument.
type Arg struct {
	Name     string   `json:"name"`
	Shown    string   `json:"shown,omitempty"` // what people read in its place; "" is its name, see Words
	Type     Type     `json:"type,omitempty"`  // "" is String
	Summary  string   `json:"summary,omitempty"`
	Required bool     `json:"required,omitempty"`
	Option   bool     `json:"option,omitempty"` // only as --name, never by position
	Many     bool     `json:"many,omitempty"`   // the last by position takes all that follow
	Default  string   `json:"default,omitempty"`
	Values   []string `json:"values,omitempty"`  // of an Enum
	Asks     bool     `json:"asks,omitempty"`    // of a String: what runs the command is asked which there are
	Pattern  string   `json:"pattern,omitempty"` // of a String: a regular expression for the whole
	Min      *int64   `json:"min,omitempty"`
	Max      *int64   `json:"max,omitempty"`
}
