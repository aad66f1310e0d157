// Package people knows persons, teams and what each may do. Permissions are a
// function of role and scope; nobody else decides them.
package people

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Role is what a person is in the organisation.
type Role string

// The roles, from most to least.
const (
	Admin    Role = "admin"    // may change everything
	Member   Role = "member"   // works on incidents, goes on call, talks
	Observer Role = "observer" // reads
)

// Roles lists every role.
var Roles = []Role{Admin, Member, Observer}

// User is a person who can sign in, be on call and be paged.
type User struct {
	ID       id.User   `json:"id"`
	Username string    `json:"username"` // the mention handle, unique, lower case
	Name     string    `json:"name"`     // as people say it
	Email    string    `json:"email"`    // signs in with it, unique
	Role     Role      `json:"role"`
	Zone     string    `json:"zone"` // IANA name
	Contacts []Contact `json:"contacts,omitempty"`
	Disabled bool      `json:"disabled,omitempty"` // may not sign in, is not paged
	// Robot is not a person but a program's name in a room: it may not sign in,
	// has no address and no contact methods, and is never on call.
	Robot bool `json:"robot,omitempty"`
	// Paging is how the person wants to be paged; nil: every usable contact
	// method at once.
	Paging *PagingPolicy `json:"paging,omitempty"`
	// Reminders are those the person chose; none unless chosen.
	Reminders []Reminder `json:"reminders,omitempty"`
	// Chat is how the person hears of conversation.
	Chat ChatSettings `json:"chat,omitzero"`
}

// Reminder is a message about one's own rota, ahead of time. Stable in storage.
type Reminder string

// The reminders a person may choose.
const (
	ShiftStart Reminder = "shift_start" // my shift begins soon
	ShiftEnd   Reminder = "shift_end"   // my shift ends soon
	HandOver   Reminder = "hand_over"   // the duty passed to me or from me, at that instant
)

// Reminders lists every reminder.
var Reminders = []Reminder{ShiftStart, ShiftEnd, HandOver}

// Team owns rotations and policies.
type Team struct {
	ID      id.Team   `json:"id"`
	Slug    string    `json:"slug"` // unique, lower case
	Name    string    `json:"name"`
	Members []id.User `json:"members,omitempty"`
}

var handle = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,39}$`)

// Validate returns a sentence about the first thing that is wrong with u.
func (u User) Validate() error {
	switch {
	case !handle.MatchString(u.Username):
		return fmt.Errorf("username %q: use 1 to 40 lower-case letters, digits, dots, dashes or underscores, starting with a letter or digit", u.Username)
	case u.Name == "" || len(u.Name) > 200:
		return fmt.Errorf("user %s: name: give 1 to 200 characters", u.Username)
	case !slices.Contains(Roles, u.Role):
		return fmt.Errorf("user %s: role %q: use admin, member or observer", u.Username, u.Role)
	}
	if err := u.validAddresses(); err != nil {
		return err
	}
	if _, err := time.LoadLocation(u.Zone); err != nil || u.Zone == "" || u.Zone == "Local" {
		return fmt.Errorf("user %s: time zone %q is not a known IANA name such as Europe/Berlin", u.Username, u.Zone)
	}
	if err := u.Chat.Validate(); err != nil {
		return fmt.Errorf("user %s: %w", u.Username, err)
	}
	if u.Paging != nil {
		if err := u.Paging.Validate(); err != nil {
			return fmt.Errorf("user %s: paging policy: %w", u.Username, err)
		}
	}
	for i, r := range u.Reminders {
		if !slices.Contains(Reminders, r) {
			return fmt.Errorf("user %s: reminder %q: use shift_start, shift_end or hand_over", u.Username, r)
		}
		if slices.Contains(u.Reminders[:i], r) {
			return fmt.Errorf("user %s: reminder %s is there twice", u.Username, r)
		}
	}
	return nil
}

// validAddresses looks at how u can be reached: a robot cannot.
func (u User) validAddresses() error {
	if u.Robot {
		if u.Role != Member || u.Email != "" || len(u.Contacts) > 0 || u.Paging != nil || len(u.Reminders) > 0 {
			return fmt.Errorf("user %s: a robot is a member without e-mail address, contact methods, paging policy and reminders", u.Username)
		}
		return nil
	}
	if err := validEmail(u.Email); err != nil {
		return fmt.Errorf("user %s: email: %w", u.Username, err)
	}
	if err := validContacts(u.Contacts); err != nil {
		return fmt.Errorf("user %s: %w", u.Username, err)
	}
	return nil
}

// Location is the person's time zone; UTC when it cannot be loaded.
func (u User) Location() *time.Location {
	loc, err := time.LoadLocation(u.Zone)
	if err != nil {
		return time.UTC
	}
	return loc
}

var slug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// MaxSlug is how long a slug may be.
const MaxSlug = 80

// ValidSlug reports whether s can name a team, rotation or policy in YAML and URLs.
func ValidSlug(s string) bool { return len(s) <= MaxSlug && slug.MatchString(s) }

// Validate returns a sentence about the first thing that is wrong with t.
func (t Team) Validate() error {
	switch {
	case !ValidSlug(t.Slug):
		return fmt.Errorf("team %q: slug: use lower-case letters, digits and single dashes", t.Slug)
	case t.Name == "" || len(t.Name) > 200:
		return fmt.Errorf("team %s: name: give 1 to 200 characters", t.Slug)
	}
	return nil
}

// Permission is one thing a person may do. Token scopes have the same names.
type Permission string

// The permissions.
const (
	Read    Permission = "read"      // see everything that is not a secret
	Talk    Permission = "talk"      // post to the timeline
	Respond Permission = "respond"   // act on incidents
	Manage  Permission = "manage"    // change people, teams, rotas, routing, integrations
	OwnSelf Permission = "own_self"  // one's own profile, contact methods, password, sessions, tokens
	Ingest  Permission = "integrate" // see integration keys and send test alerts
)

// Permissions lists every permission.
var Permissions = []Permission{Read, Talk, Respond, Manage, OwnSelf, Ingest}

// May reports whether role has permission p.
func (r Role) May(p Permission) bool {
	switch p {
	case Read, OwnSelf:
		return r == Admin || r == Member || r == Observer
	case Talk, Respond:
		return r == Admin || r == Member
	case Manage, Ingest:
		return r == Admin
	}
	return false
}

// Actor is somebody acting now: who, with which rights, from where.
type Actor struct {
	User   id.User
	Name   string
	Role   Role
	Scopes []Permission // nil: all that the role has; else only these
	Origin timeline.Origin
	// ProvenAt is when the second factor was last shown in this browser; zero: never.
	ProvenAt time.Time
	// LacksFactor says that the house wants a second factor of them: they may do
	// nothing but set one up.
	LacksFactor bool
}

// May reports whether a has permission p by role and by scope.
func (a Actor) May(p Permission) bool {
	return a.Role.May(p) && (a.Scopes == nil || slices.Contains(a.Scopes, p))
}

// Who is a as the timeline records it.
func (a Actor) Who() timeline.Actor {
	return timeline.Actor{User: a.User, Name: a.Name, Origin: a.Origin}
}

// Operator is the person at the machine itself, through the command line.
func Operator() Actor {
	return Actor{Name: "operator", Role: Admin, Origin: timeline.Command}
}
