// Package orgfile is the organisation as text: the YAML that "watchroom apply"
// makes true and "watchroom export" writes. People refer to things by username,
// slug or name; identifiers do not appear.
//
//	Parse: files ──▶ Document ──Changes──▶ []org.Change    (dispatch.ChangeOrg saves them)
//	Export: Org ──▶ Document ──Encode──▶ YAML              Diff: two Orgs ──▶ text for people
//
// A file manages the sections that stand in it, and of those everything: what
// is not listed is deleted, except that a user is disabled instead (see
// Options). A section that is absent is left alone. In the settings, and only
// there, a line that is absent is left alone too.
//
// Contact methods whose address is itself a secret (push, ntfy, Gotify, Pushover,
// Telegram) are their owners' alone: files neither show nor change them. So are
// the keys for web push, and maintenance that has begun. Private rooms and
// groups are their members': files make them, and neither show nor change them
// for anybody else.
//
// It promises: applying an export changes nothing; applying twice changes
// nothing the second time; a mistake is reported with file and line, all
// mistakes together, and then there are no changes at all. Nothing here reads
// a clock, a file, the environment or a database: where secrets come from and
// how they are sealed is passed in.
package orgfile

import (
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/strictyaml"
)

// Position is where something stands, for messages; zero in an export.
type Position = strictyaml.Position

// Document is what one or several files say.
type Document struct {
	Settings     *Settings // nil: not managed
	Users        Section[User]
	Rooms        Section[Room]
	Robots       Section[Robot]
	Teams        Section[Team]
	Rotations    Section[Rotation]
	Holidays     Section[Holidays]
	Policies     Section[Policy]
	RoutingKeys  Section[RoutingKey]
	Integrations Section[Integration]
	Heartbeats   Section[Heartbeat]
	Maintenance  Section[Maintenance]
	Providers    Section[Provider]
}

// Section is all things of one kind.
type Section[T any] struct {
	At     Position // of the first one, when several files have it
	Listed bool     // the section stands in a file, perhaps as []
	Items  []T
}

// Ref refers to something by its username, slug or name; the zero value to nothing.
type Ref struct {
	At   Position
	Name string
}

// Settings are org.Settings; nil is left as it is.
type Settings struct {
	At              Position
	Name            *string
	DefaultPolicy   *Ref // with an empty name: none
	WarningsOpen    *bool
	SnoozeMorningAt *string
	BotName         *string
	BotSigil        *string // "off": none
	Rules           *string // who may run which command; see package permit
	Retention       *org.Retention
	SecondFactor    *people.RoleSet // those who have to have one
}

// User is a people.User.
type User struct {
	At        Position
	Username  string
	Name      string // default: the username
	Email     string
	Role      people.Role // default: member
	Zone      string      // default: UTC
	Contacts  *[]Contact  // nil: as they are; for a new user the e-mail address
	Paging    *[]Rule     // nil: as it is; empty: every contact method at once
	Reminders *[]people.Reminder
	Disabled  bool
}

// Contact is a people.Contact whose address is no secret: e-mail, SMS or voice.
type Contact struct {
	At      Position
	Method  people.Method
	Address string
	Label   string
	Off     bool
	// Unproven is an e-mail address whose owner has yet to type its code; for
	// any other the file answers.
	Unproven bool
}

// Team is a people.Team.
type Team struct {
	At      Position
	Slug    string
	Name    string // default: the slug
	Members []Ref  // users
}

// Rotation is an oncall.Rotation; it is referred to by its name or the slug of it.
type Rotation struct {
	At     Position
	Name   string
	Team   Ref
	Zone   string // default: UTC
	Layers []Layer
}

// Layer is an oncall.Layer.
type Layer struct {
	At        Position
	Name      string
	Members   []Ref // users
	Every     int
	Unit      oncall.Unit
	HandoffAt string
	Start     string
	End       string

	Restrictions []oncall.Restriction // on duty only then; none for always
	Count        oncall.Count
}

// Policy is an escalation.Policy.
type Policy struct {
	At          Position
	Slug        string
	Name        string // default: the slug
	Team        Ref
	Steps       []Step
	Repeat      int
	RepeatAfter escalation.Duration // default: escalation.DefaultRepeatAfter

	AckBy       escalation.AckBy // default: one
	LastResort  []Target
	RepageAfter escalation.Duration // 0: never
	EveryMethod bool                // whatever people chose for themselves
	Urgency     people.Urgency      // default: as the severity says
	LowWaits    bool
	Hours       escalation.Hours
}

// Step is an escalation.Step.
type Step struct {
	At       Position
	After    escalation.Duration
	Page     []Target
	Notify   escalation.Notify // default: all
	When     escalation.When
	LowWaits bool
}

// Target is an escalation.Target: one word for what it is, and a name.
type Target struct {
	Kind string // one of targetKinds
	Ref  Ref
}

// targetKinds are the words for what a target is.
var targetKinds = []string{"rotation", "next", "previous", "user", "team", "policy", "webhook", "email", "room"}

// RoutingKey is a routing.Key.
type RoutingKey struct {
	At     Position
	Name   string
	Policy Ref
	Note   string
}

// Integration is a routing.Integration.
type Integration struct {
	At   Position
	Name string
	Kind routing.Kind // default: rest
	Key  Secret       // "": as it is; for a new integration a fresh one
	Off  bool
}

// Secret is a text that does not show when it is printed.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(hidden)"
}

// GoString hides the secret.
func (s Secret) GoString() string { return `"` + s.String() + `"` }
