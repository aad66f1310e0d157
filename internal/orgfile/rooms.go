package orgfile

import (
	"cmp"
	"slices"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/routing"
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
		if r.Filed != "" && seen(r, c.opts.Reader) {
			t.call(r.Filed, r)
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

// call lets a file call a private room by the name it knows.
func (t *talk) call(name string, r room.Room) {
	t.slugs[name], t.calls[name] = r.ID, r.Slug
}

// place is by what a room that is there is found again. Private rooms are a
// space of their own, or to look for one by the name of a public room would
// tell whether there is one.
func place(kind room.Kind, name string) string { return string(kind) + " " + name }

// seen reports whether a room may be shown to whoever applies or exports.
func seen(r room.Room, reader id.User) bool {
	return r.Kind == room.Public || reader != "" && r.Has(reader)
}

func (t *talk) listed() {
	have := map[string]room.Room{}
	for _, r := range org.Sorted(t.o.Rooms, func(r room.Room) string { return string(r.ID) }) {
		for _, name := range []string{cmp.Or(r.Slug, r.Name), r.Filed} {
			if was, ok := have[place(r.Kind, name)]; name != "" && (!ok || seen(r, t.opts.Reader) && !seen(was, t.opts.Reader)) {
				have[place(r.Kind, name)] = r
			}
		}
	}
	for _, r := range t.doc.Rooms.Items {
		at := place(r.Kind, cmp.Or(r.Slug, r.Name))
		was, known := have[at]
		delete(have, at)
		if other, ok := t.o.Rooms[t.slugs[r.Slug]]; !known && ok && other.Kind != r.Kind && other.Slug == r.Slug && seen(other, t.opts.Reader) {
			t.say(r.At, "room %s: there is one of that name, and it is not %s; rooms stay what they are", r.Slug, r.Kind)
			continue
		}
		if known && was.Filed == r.Slug && r.Slug != "" {
			t.call(r.Slug, was)
		}
		if known && !seen(was, t.opts.Reader) {
			continue // its members' own
		}
		is := was
		is.Kind, is.Name, is.Topic, is.Sigil, is.Closed = r.Kind, r.Name, r.Topic, r.Sigil, r.Closed
		if !known {
			is.ID, is.Slug = id.Room(t.maker.NewID()), r.Slug
			if r.Kind == room.Private {
				is.Slug, is.Filed = t.maker.RoomSlug(r.Slug), r.Slug
			}
			t.slugs[is.Slug] = is.ID
			if is.Filed != "" {
				t.call(is.Filed, is)
			}
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
		if t.o.Users[u].Robot {
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
			u = people.User{ID: id.User(t.maker.NewID()), Username: r.Username, Role: people.Member, Zone: "UTC", Robot: true}
			is = org.Robot{ID: id.Robot(t.maker.NewID()), User: u.ID, CreatedAt: t.maker.Now}
		}
		u.Name, is.Name, is.CommandAnnotations = r.Name, r.Name, r.CommandAnnotations
		if r.Key != "" || !known {
			is.KeyHash = t.maker.NewIntegration(routing.REST, r.Name, string(r.Key)).KeyHash
		}
		was := is.Room
		if r.Room != nil {
			is.Room = t.bind(*r.Room, was)
		}
		if !known || is.Room != was {
			t.leave(was, u.ID)
			t.enter(is.Room, u.ID)
		}
		t.put(r.At, org.UserKind, string(u.ID), u)
		t.put(r.At, org.RobotKind, string(is.ID), is)
	}
	for _, r := range org.Sorted(have, func(r org.Robot) string { return string(r.ID) }) {
		t.remove(org.RobotKind, string(r.ID))
		t.remove(org.UserKind, string(r.User))
		for n := range t.rooms {
			t.leave(n, r.User)
		}
	}
}

// bind is the room of a robot: nobody brings one into a room that they cannot
// read, and it may stay in the one where it is.
func (t *talk) bind(r Ref, was id.Room) id.Room {
	if r.Name == "timeline" {
		return room.Main
	}
	n, ok := t.slugs[r.Name]
	if in := t.rooms[n]; !ok || r.Name == "" || n != was && !seen(in, t.opts.Reader) && t.at[n] == (Position{}) {
		t.say(r.At, "there is no room %q", r.Name)
	}
	return n
}

func (t *talk) enter(n id.Room, u id.User) {
	if r, ok := t.rooms[n]; ok && !r.Has(u) {
		r.Members = append(slices.Clone(r.Members), u)
		t.rooms[n] = r
	}
}

// leave lets nobody go who is the last one in a room.
func (t *talk) leave(n id.Room, u id.User) {
	r, ok := t.rooms[n]
	if !ok || !r.Has(u) || r.Kind != room.Public && len(r.Members) == 1 {
		return
	}
	r.Members = slices.DeleteFunc(slices.Clone(r.Members), func(m id.User) bool { return m == u })
	t.rooms[n] = r
}

func (x exporter) rooms() Section[Room] {
	s := Section[Room]{Listed: true}
	for _, r := range org.Sorted(x.o.Rooms, func(r room.Room) string { return cmp.Or(r.Slug, r.Name) + string(r.ID) }) {
		out := Room{Slug: x.called(r), Name: r.Name, Kind: r.Kind, Topic: r.Topic, Members: &[]Ref{}, Sigil: r.Sigil, Closed: r.Closed}
		if !seen(r, x.reader) || r.Kind == room.Group && r.Name == "" {
			continue // a conversation without a name cannot be told from another
		}
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
	if _, taken := x.o.RoomNamed(r.Filed); r.Filed == "" || taken {
		return r.Slug
	}
	return r.Filed
}

// roomCalled is called for the slug of a room, wherever it stands.
func (x exporter) roomCalled(slug string) string {
	if r, ok := x.o.RoomNamed(slug); ok && r.Slug == slug && seen(r, x.reader) {
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
		case in.Slug != "" && seen(in, x.reader):
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
