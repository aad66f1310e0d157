// Package room knows the places where people talk: which there are, who may
// read and write in them, and whom a line calls by name. It decides from
// values; messages themselves are entries of the timeline.
//
// There are five kinds. The organisation's timeline is the first room and has
// the empty id. Public and private rooms and groups are made by people and kept
// as definitions. A direct room is not kept anywhere: its id names its members.
// The room of an incident is the part of the first room that belongs to the
// incident.
package room

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Main is the organisation's timeline.
const Main id.Room = ""

// Bot stands for our own bot among the members of a direct room.
const Bot id.User = "bot"

// Kind is what a room is. Stable in storage.
type Kind string

// The kinds of rooms.
const (
	Public  Kind = "public"  // everybody reads and writes
	Private Kind = "private" // its members alone; somebody of them lets others in
	Group   Kind = "group"   // a conversation of several people; it has no name of its own
	Direct  Kind = "direct"  // of two people, or of a person and the bot
)

// Room is a place to talk.
type Room struct {
	ID      id.Room   `json:"id"`
	Kind    Kind      `json:"kind"`
	Slug    string    `json:"slug,omitempty"` // what people type after "#"; "" for groups and direct rooms
	Name    string    `json:"name,omitempty"`
	Wished  string    `json:"wished,omitempty"` // the slug of a private room as somebody chose it, without the end that nobody guesses
	Filed   string    `json:"filed,omitempty"`  // what a file calls a private room or a group that it has made
	Topic   string    `json:"topic,omitempty"`
	Members []id.User `json:"members,omitempty"` // of a public room: those who have it in their list
	Closed  bool      `json:"closed,omitempty"`  // can be read, not written in
	// Sigil begins a command in this room: "" is the organisation's, "off" none.
	Sigil string `json:"sigil,omitempty"`
}

// Limits of a room.
const (
	MaxName    = 80
	MaxTopic   = 500
	MaxMembers = 2000
	MaxGroup   = 12
)

const (
	directPrefix = "dm-"
	between      = "~" // in no id, and needs no escape in an address
)

// DirectOf is the id of the room of two people, the same whoever asks. Either
// may be Bot, and somebody may talk to themselves.
func DirectOf(a, b id.User) id.Room {
	if b < a {
		a, b = b, a
	}
	return id.Room(directPrefix + string(a) + between + string(b))
}

// DirectMembers are the two whom the id of a direct room names.
func DirectMembers(r id.Room) (a, b id.User, ok bool) {
	rest, ok := strings.CutPrefix(string(r), directPrefix)
	if !ok {
		return "", "", false
	}
	first, second, ok := strings.Cut(rest, between)
	if !ok || first == "" || second == "" || strings.Contains(second, between) || second < first {
		return "", "", false
	}
	return id.User(first), id.User(second), true
}

// Validate returns a sentence about the first thing that is wrong with r.
func (r Room) Validate() error {
	switch {
	case r.ID == Main || strings.HasPrefix(string(r.ID), directPrefix):
		return fmt.Errorf("room %q: this id stands for a room that is not kept", r.ID)
	case !slices.Contains([]Kind{Public, Private, Group}, r.Kind):
		return fmt.Errorf("room %s: kind %q: use public, private or group", r.Slug, r.Kind)
	case r.Kind != Group && !people.ValidSlug(r.Slug):
		return fmt.Errorf("room %q: name: use lower-case letters, digits and single dashes", r.Slug)
	case utf8.RuneCountInString(r.Name) > MaxName:
		return fmt.Errorf("room %s: title: at most %d characters", r.Slug, MaxName)
	case utf8.RuneCountInString(r.Topic) > MaxTopic:
		return fmt.Errorf("room %s: topic: at most %d characters", r.Slug, MaxTopic)
	case len(r.Members) > MaxMembers, r.Kind == Group && len(r.Members) > MaxGroup:
		return fmt.Errorf("room %s: too many members", r.Slug)
	case r.Kind != Public && len(r.Members) == 0:
		return fmt.Errorf("room %s: a %s room needs members", r.Slug, r.Kind)
	case !validSigil(r.Sigil):
		return fmt.Errorf("room %s: sigil %q: use one sign such as ! or ., or off", r.Slug, r.Sigil)
	}
	return nil
}

func validSigil(s string) bool {
	return s == "" || s == "off" || len(s) == 1 && strings.ContainsAny(s, "!.$%&?+~^")
}

// Has reports whether u is a member.
func (r Room) Has(u id.User) bool {
	if a, b, ok := DirectMembers(r.ID); ok {
		return u == a || u == b
	}
	return slices.Contains(r.Members, u)
}

// CanRead reports whether u may see what is written here. Nobody's role opens
// a private room.
func (r Room) CanRead(u id.User) bool {
	return r.ID == Main || r.Kind == Public || u != "" && r.Has(u)
}

// OpenTo reports whether everybody who reads in another room may read here, so
// that what stands here may be said there. The bot is nobody.
func (r Room) OpenTo(other Room) bool {
	if r.ID == other.ID || r.ID == Main || r.Kind == Public {
		return true
	}
	if other.ID == Main || other.Kind == Public {
		return false
	}
	readers := other.Members
	if a, b, ok := DirectMembers(other.ID); ok {
		readers = []id.User{a, b}
	}
	return !slices.ContainsFunc(readers, func(u id.User) bool { return u != Bot && !r.Has(u) })
}

// CanWrite reports whether u may write here, if their role lets them talk at all.
func (r Room) CanWrite(u id.User) bool { return !r.Closed && r.CanRead(u) }

// MayBind reports whether u may put a robot here: nobody brings one into a room
// that they cannot read themselves.
func (r Room) MayBind(u id.User) bool { return r.Kind != Direct && r.CanWrite(u) }

// With is r with u among its members.
func (r Room) With(u id.User) Room {
	if !r.Has(u) {
		r.Members = append(slices.Clone(r.Members), u)
	}
	return r
}

// Without is r without u, unless nobody would be left who could read it.
func (r Room) Without(u id.User) Room {
	if r.Has(u) && (r.Kind == Public || len(r.Members) > 1) {
		r.Members = slices.DeleteFunc(slices.Clone(r.Members), func(m id.User) bool { return m == u })
	}
	return r
}

// Speaks reports whether a may say something in a room, as far as their role
// goes. Who only reads talks with the bot, alone, and what the bot does for them
// is decided by their role again; a token without the scope is mute there too.
func Speaks(a people.Actor, in id.Room) bool {
	return a.May(people.Talk) || a.User != "" && a.Scopes == nil && a.May(people.Read) && in == DirectOf(a.User, Bot)
}

// Wish is the slug as somebody chose it: that of a private room has an end of
// its own, which is for addresses.
func (r Room) Wish() string { return cmp.Or(r.Wished, r.Slug) }

// Shown is what the room is called for u; name says what people are called.
func (r Room) Shown(u id.User, name func(id.User) string) string {
	switch {
	case r.ID == Main:
		return phrase.T("room.main")
	case r.Kind == Public, r.Kind == Private:
		return "#" + r.Wish()
	case r.Name != "":
		return r.Name
	}
	if a, b, ok := DirectMembers(r.ID); ok {
		if a == u {
			a = b
		}
		return name(a)
	}
	var others []string
	for _, m := range r.Members {
		if m != u {
			others = append(others, name(m))
		}
	}
	if len(others) == 0 {
		return name(u)
	}
	return strings.Join(others, ", ")
}
