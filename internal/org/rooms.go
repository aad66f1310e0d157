package org

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Bot is what our own bot is called and how it is addressed; the zero value is
// "victor", called by "!".
type Bot struct {
	Name    string  `json:"name,omitempty"`
	Sigil   string  `json:"sigil,omitempty"`   // "off": it is called by name alone
	Picture id.File `json:"picture,omitempty"` // "": ours
}

// The bot when nobody has said otherwise.
const (
	BotName  = "victor"
	BotSigil = "!"
)

// Called is the bot's name.
func (b Bot) Called() string { return cmp.Or(b.Name, BotName) }

// SigilIn is what begins a command in a room; "" is nothing.
func (b Bot) SigilIn(r room.Room) string {
	s := cmp.Or(r.Sigil, b.Sigil, BotSigil)
	if s == "off" {
		return ""
	}
	return s
}

// Actor is the bot as the timeline names it.
func (b Bot) Actor() timeline.Actor { return timeline.Actor{Name: b.Called(), Origin: timeline.Bot} }

func (b Bot) validate() error {
	if b.Name != "" && !people.ValidSlug(b.Name) {
		return fmt.Errorf("bot: name %q: use lower-case letters, digits and single dashes", b.Name)
	}
	return room.Room{ID: "x", Kind: room.Public, Slug: "x", Sigil: b.Sigil}.Validate()
}

// reserved are the names of rooms that mean something else in addresses.
var reserved = []string{"main", "timeline", "new", "browse", "here", "me", "thread"}

// Room returns a room by its id, also those that are not kept.
func (o *Org) Room(r id.Room) (room.Room, bool) {
	if r == room.Main {
		return room.Room{Kind: room.Public}, true
	}
	if a, b, ok := room.DirectMembers(r); ok {
		direct := room.Room{ID: r, Kind: room.Direct}
		for _, u := range []id.User{a, b} {
			if _, known := o.Users[u]; !known && u != room.Bot {
				return direct, false
			}
		}
		return direct, true
	}
	found, ok := o.Rooms[r]
	return found, ok
}

// RoomNamed finds a room by what people call it: "timeline" or "main", a name
// with or without "#", or an id. Whether somebody may know of it is for the
// caller to ask.
func (o *Org) RoomNamed(name string) (room.Room, bool) {
	name = strings.TrimPrefix(strings.TrimSpace(name), "#")
	switch strings.ToLower(name) {
	case "timeline", "main":
		return o.Room(room.Main)
	case "":
		return room.Room{}, false
	}
	if r, ok := o.rooms[strings.ToLower(name)]; ok {
		return o.Rooms[r], true
	}
	return o.Room(id.Room(name))
}

// TellableRoom finds the room that a step of a policy names and in which the bot
// can write. A direct room is none: people are paged by their own rules.
func (o *Org) TellableRoom(name string) (room.Room, bool) {
	r, ok := o.RoomNamed(name)
	return r, ok && !r.Closed && r.Kind != room.Direct
}

// RoomsOf lists the rooms that somebody has in their list: the timeline in
// front, then those they are a member of. Direct rooms are not among them.
func (o *Org) RoomsOf(u id.User) []room.Room {
	main, _ := o.Room(room.Main)
	all := []room.Room{main}
	for _, r := range Sorted(o.Rooms, func(r room.Room) string { return cmp.Or(r.Slug, string(r.ID)) }) {
		if r.Has(u) {
			all = append(all, r)
		}
	}
	return all
}

// ReadableRooms lists the kept rooms that somebody may read, and the timeline.
func (o *Org) ReadableRooms(u id.User) []room.Room {
	main, _ := o.Room(room.Main)
	all := []room.Room{main}
	for _, r := range Sorted(o.Rooms, func(r room.Room) string { return cmp.Or(r.Slug, string(r.ID)) }) {
		if r.CanRead(u) {
			all = append(all, r)
		}
	}
	return all
}

// CanRead reports whether somebody may see what stands in a room.
func (o *Org) CanRead(u id.User, r id.Room) bool {
	found, ok := o.Room(r)
	return ok && found.CanRead(u)
}

// MayHoldKey reports whether u may have what a robot signs in with: whoever has
// it reads what the robot reads, and nobody's role opens a private room. Direct
// rooms do not count: who writes to a robot writes to whoever runs it. "" is
// the operator, who may.
func (o *Org) MayHoldKey(u, robot id.User) bool {
	for _, r := range o.Rooms {
		if u != "" && r.CanRead(robot) && !r.CanRead(u) {
			return false
		}
	}
	return true
}

// OnCallOf lists who is on call now for a team, or for all of them when it is
// "", each once.
func (o *Org) OnCallOf(t id.Team, at time.Time) []id.User {
	var all []id.User
	for _, r := range o.Rotations {
		if t != "" && r.Team != t {
			continue
		}
		for _, s := range o.OnCall(r.ID, at) {
			if u := s.User; u != "" && !slices.Contains(all, u) {
				all = append(all, u)
			}
		}
	}
	slices.Sort(all)
	return all
}

// Called resolves whom a line calls: everybody it names who may read the room,
// once. Here says that it called all who are there.
func (o *Org) Called(text string, r room.Room, at time.Time) (users []id.User, here bool) {
	seen := map[id.User]bool{} // somebody may be in all of fifty large teams
	add := func(list ...id.User) {
		for _, u := range list {
			if seen[u] {
				continue
			}
			seen[u] = true
			if user, ok := o.Users[u]; ok && !user.Disabled && r.CanRead(u) {
				users = append(users, u)
			}
		}
	}
	for _, m := range room.Mentions(text) {
		switch m.Kind {
		case room.MentionHere:
			here = true
		case room.MentionOnCall:
			team, ok := o.TeamBySlug(m.Name)
			if m.Name == "" || ok {
				add(o.OnCallOf(team.ID, at)...)
			}
		case room.MentionTeam:
			if team, ok := o.TeamBySlug(m.Name); ok {
				add(team.Members...)
			}
		case room.MentionUser:
			if u, ok := o.UserByName(m.Name); ok {
				add(u.ID)
			}
		}
	}
	return users, here
}
