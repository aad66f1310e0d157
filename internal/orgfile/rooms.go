package orgfile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/strictyaml"
)

// Room is a room.Room that is kept. Private rooms and groups belong to their
// members: a file makes them, and shows or changes them for members alone.
type Room struct {
	At      Position
	Slug    string    // none for a group
	Name    string    // by which a group is recognised
	Kind    room.Kind // default: public
	Topic   string
	Members *[]Ref // users; nil: as they are
	Sigil   string
	Closed  bool
}

// Robot is an org.Robot with its user, by whose username it is recognised.
type Robot struct {
	At                 Position
	Username           string // default: made from the name
	Name               string
	Room               *Ref // nil: as it is; for a new one the timeline
	CommandAnnotations bool
	Key                Secret // "": as it is; a new one can sign in when its page has made a key
}

func (r Room) key() string {
	if r.Kind == room.Group {
		return "group " + r.Name
	}
	return r.Slug
}

func (p *parser) room(n strictyaml.Node) Room {
	f := p.fields(n, "a room", "slug", "name", "kind", "topic", "members", "sigil", "closed")
	r := Room{At: n.At, Kind: room.Kind(f.textOr("kind", string(room.Public))), Name: f.text("name"), Topic: f.text("topic"), Sigil: f.text("sigil"), Closed: f.yes("closed")}
	switch r.Kind {
	case room.Group:
		r.Name = f.needed("group", "name")
		if f.has("slug") {
			p.say(n.At, "group %s: a group has no slug", r.Name)
		}
	case room.Direct:
		p.say(n.At, "room %s: rooms of two people come about when one of them writes", f.text("slug"))
	default:
		r.Slug = f.needed("room", "slug")
	}
	if f.has("members") {
		members := f.refs("members")
		r.Members = &members
	}
	return r
}

func (p *parser) robot(n strictyaml.Node) Robot {
	f := p.fields(n, "a robot", "username", "name", "room", "command_annotations", "key")
	r := Robot{At: n.At, Name: f.needed("robot", "name"), CommandAnnotations: f.yes("command_annotations"), Key: f.secret("key")}
	r.Username = f.textOr("username", id.Slug(r.Name))
	if f.has("room") {
		in := f.ref("room")
		r.Room = &in
	}
	return r
}

// talk is rooms and robots on their way into changes: both change who is in a room.
type talk struct {
	*changer
	rooms map[id.Room]room.Room
	at    map[id.Room]Position
	slugs map[string]id.Room
}

func (c *changer) talk() {
	t := &talk{c, map[id.Room]room.Room{}, map[id.Room]Position{}, map[string]id.Room{}}
	c.calls = map[string]string{}
	for n, r := range c.o.Rooms {
		t.rooms[n] = r
		if r.CanRead(c.opts.Reader) {
			t.call(r)
		}
	}
	for n, r := range c.o.Rooms {
		if r.Slug != "" {
			t.slugs[r.Slug] = n
			delete(c.calls, r.Slug)
		}
	}
	if c.doc.Rooms.Listed {
		t.listed()
	}
	if c.doc.Robots.Listed {
		t.robots()
	}
	for _, r := range org.Sorted(t.rooms, func(r room.Room) string { return cmp.Or(r.Slug, r.Name, string(r.ID)) }) {
		if was, ok := c.o.Rooms[r.ID]; !ok || !same(was, r) {
			c.put(t.at[r.ID], org.RoomKind, string(r.ID), r)
		}
	}
}

// call lets a file call a private room that it has made by the name it knows.
func (t *talk) call(r room.Room) {
	if r.Kind == room.Private && r.Filed != "" {
		t.slugs[r.Filed], t.calls[r.Filed] = r.ID, r.Slug
	}
}

// place is by what a room that is there is found again. Private rooms are a
// space of their own, or to look for one by the name of a public room would
// tell whether there is one.
func place(kind room.Kind, name string) string { return string(kind) + " " + name }

// found are the rooms by what a file may mean them by: the name that a reader
// sees, else the name that a file gave them. No other name finds a room that the
// reader does not see.
func (t *talk) found() map[string]room.Room {
	have := map[string]room.Room{}
	find := func(r room.Room, name string) {
		if _, taken := have[place(r.Kind, name)]; name != "" && !taken {
			have[place(r.Kind, name)] = r
		}
	}
	mineFirst := org.Sorted(t.o.Rooms, func(r room.Room) string { return fmt.Sprint(!r.CanRead(t.opts.Reader), r.ID) })
	for _, r := range mineFirst {
		if r.CanRead(t.opts.Reader) {
			find(r, cmp.Or(r.Slug, r.Name))
		}
	}
	for _, r := range mineFirst {
		find(r, r.Filed)
	}
	return have
}

func (t *talk) listed() {
	have := t.found()
	for _, r := range t.doc.Rooms.Items {
		was, known := have[place(r.Kind, cmp.Or(r.Slug, r.Name))]
		if known {
			maps.DeleteFunc(have, func(_ string, other room.Room) bool { return other.ID == was.ID })
		}
		if other, ok := t.o.Rooms[t.slugs[r.Slug]]; !known && ok && other.Kind != r.Kind && other.Slug == r.Slug && other.CanRead(t.opts.Reader) {
			t.say(r.At, "room %s: there is one of that name, and it is not %s; rooms stay what they are", r.Slug, r.Kind)
			continue
		}
		if known && was.Filed == r.Slug {
			t.call(was)
		}
		if known && !was.CanRead(t.opts.Reader) {
			continue // its members' own
		}
		is := was
		is.Kind, is.Name, is.Topic, is.Sigil, is.Closed = r.Kind, r.Name, r.Topic, r.Sigil, r.Closed
		if !known {
			is.ID, is.Slug = id.Room(t.maker.NewID()), r.Slug
			switch r.Kind {
			case room.Private:
				is.Slug, is.Wished, is.Filed = t.maker.RoomSlug(r.Slug), r.Slug, r.Slug
			case room.Group:
				is.Filed = r.Name
			}
			t.slugs[is.Slug] = is.ID
			t.call(is)
		}
		if r.Members != nil {
			is.Members = t.members(was.Members, *r.Members)
		}
		t.rooms[is.ID], t.at[is.ID] = is, r.At
	}
	for _, r := range have { // nothing that was said is deleted
		if r.Kind == room.Public && !r.Closed {
			r.Closed = true
			t.rooms[r.ID] = r
		}
	}
}

// members are those who are listed, and the robots that are there: see Robots.
func (t *talk) members(were []id.User, listed []Ref) []id.User {
	var are []id.User
	for _, r := range listed {
		if u := t.user(r); !slices.Contains(are, u) {
			are = append(are, u)
		}
	}
	for _, u := range were {
		if t.o.Users[u].Robot && !slices.Contains(are, u) {
			are = append(are, u)
		}
	}
	if slices.Equal(slices.Sorted(slices.Values(are)), slices.Sorted(slices.Values(were))) {
		return were // in whatever order
	}
	return are
}

func (t *talk) robots() {
	have := map[string]org.Robot{}
	for _, r := range t.o.Robots {
		have[t.o.Users[r.User].Username] = r
	}
	for _, r := range t.doc.Robots.Items {
		is, known := have[r.Username]
		delete(have, r.Username)
		u := t.o.Users[is.User]
		if !known {
			is = org.Robot{ID: id.Robot(t.maker.NewID()), User: id.User(t.maker.NewID()), CreatedAt: t.maker.Now}
			u = is.Speaker(r.Username)
		}
		u.Name, is.Name, is.CommandAnnotations = r.Name, r.Name, r.CommandAnnotations
		if !known || r.Key != "" && secret.Hash(string(r.Key)) != is.KeyHash {
			if known && !t.o.MayHoldKey(t.opts.Reader, u.ID) {
				t.say(r.At, "robot %s: key: %s", r.Username, phrase.T("hubot.not_your_rooms"))
			}
			is.KeyHash = t.maker.NewIntegration(routing.REST, r.Name, string(r.Key)).KeyHash
		}
		was := is.Room
		if r.Room != nil {
			is.Room = t.bind(*r.Room, was)
		}
		if !known || is.Room != was {
			t.edit(was, func(in room.Room) room.Room { return in.Without(u.ID) })
			t.edit(is.Room, func(in room.Room) room.Room { return in.With(u.ID) })
		}
		t.put(r.At, org.UserKind, string(u.ID), u)
		t.put(r.At, org.RobotKind, string(is.ID), is)
	}
	for _, r := range org.Sorted(have, func(r org.Robot) string { return string(r.ID) }) {
		t.remove(org.RobotKind, string(r.ID))
		t.remove(org.UserKind, string(r.User))
		for n := range t.rooms {
			t.edit(n, func(in room.Room) room.Room { return in.Without(r.User) })
		}
	}
}

// bind is the room of a robot: one that the file describes, the one where it is,
// or one that whoever applies may bring it into.
func (t *talk) bind(r Ref, was id.Room) id.Room {
	if r.Name == "timeline" {
		return room.Main
	}
	n, ok := t.slugs[r.Name]
	_, described := t.at[n]
	if !ok || r.Name == "" || n != was && !described && !t.rooms[n].MayBind(t.opts.Reader) {
		t.say(r.At, "there is no open room %q", r.Name)
	}
	return n
}

func (t *talk) edit(n id.Room, how func(room.Room) room.Room) {
	if r, ok := t.rooms[n]; ok {
		t.rooms[n] = how(r)
	}
}

func (x exporter) rooms() Section[Room] {
	s, named := Section[Room]{Listed: true}, map[string]bool{}
	for _, r := range org.Sorted(x.o.Rooms, func(r room.Room) string { return cmp.Or(r.Slug, r.Name) + string(r.ID) }) {
		out := Room{Slug: x.called(r), Name: r.Name, Kind: r.Kind, Topic: r.Topic, Members: &[]Ref{}, Sigil: r.Sigil, Closed: r.Closed}
		if !r.CanRead(x.reader) || r.Kind == room.Group && (r.Name == "" || named[r.Name]) {
			continue // a conversation without a name of its own cannot be told from another
		}
		named[r.Name] = named[r.Name] || r.Kind == room.Group
		for _, u := range r.Members {
			if user, ok := x.o.Users[u]; ok && !user.Robot {
				*out.Members = append(*out.Members, x.userRef(u))
			}
		}
		s.Items = append(s.Items, out)
	}
	return s
}

// called is what a file calls a room: what the one that made it called it, unless
// a room of everybody is called so by now.
func (x exporter) called(r room.Room) string {
	if _, taken := x.o.RoomNamed(r.Filed); r.Kind != room.Private || r.Filed == "" || taken {
		return r.Slug
	}
	return r.Filed
}

// roomCalled is called for the slug of a room, wherever it stands.
func (x exporter) roomCalled(slug string) string {
	if r, ok := x.o.RoomNamed(slug); ok && r.Slug == slug && r.CanRead(x.reader) {
		return x.called(r)
	}
	return slug
}

func (x exporter) robots() Section[Robot] {
	s := Section[Robot]{Listed: true}
	for _, r := range org.Sorted(x.o.Robots, func(r org.Robot) string { return x.o.Users[r.User].Username }) {
		out := Robot{Username: x.o.Users[r.User].Username, Name: r.Name, CommandAnnotations: r.CommandAnnotations}
		switch in, ok := x.o.Rooms[r.Room]; {
		case !ok:
			out.Room = &Ref{Name: "timeline"}
		case in.Slug != "" && in.CanRead(x.reader):
			out.Room = &Ref{Name: x.called(in)}
		}
		s.Items = append(s.Items, out)
	}
	return s
}

func (r Room) fields() object {
	var members any
	if r.Members != nil {
		members = refList(*r.Members)
	}
	return without(
		field{"slug", some(r.Slug)}, field{"name", some(r.Name)}, field{"kind", other(r.Kind, room.Public)}, field{"topic", some(r.Topic)},
		field{"members", members}, field{"sigil", some(r.Sigil)}, field{"closed", yes(r.Closed)},
	)
}

func (r Robot) fields() object {
	var in any
	if r.Room != nil {
		in = text(r.Room.Name)
	}
	return without(
		field{"username", text(r.Username)}, field{"name", text(r.Name)}, field{"room", in},
		field{"command_annotations", yes(r.CommandAnnotations)}, field{"key", some(string(r.Key))},
	)
}

// robotKeys are the hashes of the keys of robots, by username.
func robotKeys(o *org.Org) map[string]string {
	all := map[string]string{}
	for _, r := range o.Robots {
		all[o.Users[r.User].Username] = r.KeyHash
	}
	return all
}
