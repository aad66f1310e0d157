package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
)

// RoomView is a place to talk.
type RoomView struct {
	ID      id.Room   `json:"id" doc:"Empty for the organisation's timeline, which is called \"timeline\" in addresses."`
	Kind    string    `json:"kind" enum:"public,private,group,direct"`
	Slug    string    `json:"slug,omitempty" doc:"What people type after \"#\"; absent for groups and direct rooms."`
	Name    string    `json:"name" doc:"What it is called for you."`
	Topic   string    `json:"topic,omitempty"`
	Members []id.User `json:"members,omitempty" nullable:"false"`
	Closed  bool      `json:"closed" doc:"It can be read, not written in."`
	Sigil   string    `json:"sigil,omitempty" doc:"What begins a command here; absent for the organisation's."`
	Joined  bool      `json:"joined" doc:"It is in your list."`
}

// UnreadView is what you have not read of a room.
type UnreadView struct {
	Room id.Room `json:"room"`
	store.Unread
}

// RoomBody is a new room.
type RoomBody struct {
	Kind    string   `json:"kind,omitempty" enum:"public,private,group" default:"public"`
	Slug    string   `json:"slug" maxLength:"80" example:"ops" doc:"What people type after \"#\"; empty for a group."`
	Name    string   `json:"name,omitempty" maxLength:"80" example:"Operations"`
	Topic   string   `json:"topic,omitempty" maxLength:"500"`
	Members []string `json:"members,omitempty" maxItems:"500" doc:"Beside yourself: ids, usernames or e-mail addresses."`
}

// RoomChange is what is to change of a room; what is absent stays.
type RoomChange struct {
	Slug   *string  `json:"slug,omitempty" maxLength:"80"`
	Name   *string  `json:"name,omitempty" maxLength:"80"`
	Topic  *string  `json:"topic,omitempty" maxLength:"500"`
	Sigil  *string  `json:"sigil,omitempty" maxLength:"3" doc:"One sign, or \"off\"; empty for the organisation's."`
	Add    []string `json:"add,omitempty" maxItems:"500" doc:"New members."`
	Remove []string `json:"remove,omitempty" maxItems:"500" doc:"Members who go."`
}

// RoomRef names a room in an address.
type RoomRef struct {
	Room string `path:"room" maxLength:"100" example:"ops" doc:"Its id or name; \"timeline\"; or \"@kim\", the direct room with somebody."`
}

type (
	listRoomsInput struct {
		Paging
		Joined bool   `query:"joined" doc:"Only those in your list, direct rooms among them."`
		Query  string `query:"q" maxLength:"80" doc:"Only those whose name or topic has this in it."`
	}
	changeRoomInput struct {
		RoomRef
		Body RoomChange
	}
	markRoomInput struct {
		RoomRef
		Body struct {
			Seq id.Seq `json:"seq" minimum:"1" doc:"You have read up to here. It never goes back."`
		}
	}
	roomOutput     struct{ Body RoomView }
	madeRoomOutput struct {
		Location string `header:"Location" doc:"Its address."`
		Body     RoomView
	}
	unreadOutput struct{ Body List[UnreadView] }
)

func (a *api) registerRooms() {
	handle(a, "list-rooms", a.listRooms)
	handle(a, "open-room", a.openRoom)
	handle(a, "show-room", a.showRoom)
	handle(a, "change-room", a.changeRoom)
	handle(a, "mark-room-read", func(ctx context.Context, by people.Actor, in *markRoomInput) (*empty, error) {
		_, r, err := a.roomOf(ctx, by, in.Room)
		if err != nil {
			return nil, err
		}
		return &empty{}, a.Dispatch.MarkRead(ctx, by, r.ID, in.Body.Seq)
	})
	for op, do := range map[string]func(context.Context, people.Actor, id.Room) error{
		"join-room": a.Dispatch.JoinRoom, "leave-room": a.Dispatch.LeaveRoom,
		"close-room": func(ctx context.Context, by people.Actor, r id.Room) error {
			return a.Dispatch.CloseRoom(ctx, by, r, true)
		},
		"reopen-room": func(ctx context.Context, by people.Actor, r id.Room) error {
			return a.Dispatch.CloseRoom(ctx, by, r, false)
		},
	} {
		handle(a, op, func(ctx context.Context, by people.Actor, in *RoomRef) (*empty, error) {
			_, r, err := a.roomOf(ctx, by, in.Room)
			if err != nil {
				return nil, err
			}
			return &empty{}, do(ctx, by, r.ID)
		})
	}
	handle(a, "list-unread", a.listUnread)
	handle(a, "list-presence", a.listPresence)
	a.registerFiles()
	a.registerMessages()
}

// roomOf is the room that somebody names and may read; nobody learns of another.
func (a *api) roomOf(ctx context.Context, by people.Actor, ref string) (*org.Org, room.Room, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, room.Room{}, err
	}
	r, err := findRoom(o, by.User, ref)
	return o, r, err
}

func findRoom(o *org.Org, u id.User, ref string) (room.Room, error) {
	r, ok := o.RoomNamed(ref)
	if name, direct := strings.CutPrefix(ref, "@"); direct {
		other, found := findUser(o, name)
		switch {
		case name == o.Settings.Bot.Called():
			other.ID, found = room.Bot, true
		case u == "":
			found = false
		}
		if found {
			r, ok = o.Room(room.DirectOf(u, other.ID))
		}
	}
	if !ok || !r.CanRead(u) {
		return r, fault.NotFound(phrase.T("room.none"))
	}
	return r, nil
}

func roomView(o *org.Org, u id.User, r room.Room) RoomView {
	v := RoomView{
		ID: r.ID, Kind: string(r.Kind), Slug: r.Slug, Topic: r.Topic, Members: r.Members, Closed: r.Closed, Sigil: r.Sigil,
		Joined: r.ID == room.Main || r.Has(u), Name: r.Name,
	}
	if v.Name == "" {
		v.Name = r.Shown(u, func(x id.User) string { return calledIn(o, x) })
	}
	if x, y, ok := room.DirectMembers(r.ID); ok {
		v.Members = []id.User{x, y}
	}
	return v
}

// calledIn is the name of a member of a room, of whom one may be the bot.
func calledIn(o *org.Org, u id.User) string {
	if u == room.Bot {
		return o.Settings.Bot.Called()
	}
	return o.UserName(u)
}

const roomCursor cursorOf = "room"

func (a *api) listRooms(ctx context.Context, by people.Actor, in *listRoomsInput) (*listOutput[RoomView], error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	found := o.ReadableRooms(by.User)
	if in.Joined {
		found = o.RoomsOf(by.User)
	}
	direct, err := a.directRooms(ctx, o, by.User)
	if err != nil {
		return nil, err
	}
	found = append(found, direct...)
	view := func(o *org.Org, r room.Room) RoomView { return roomView(o, by.User, r) }
	q := strings.ToLower(in.Query)
	found = slices.DeleteFunc(found, func(r room.Room) bool {
		return !strings.Contains(strings.ToLower(r.Slug+" "+view(o, r).Name+" "+r.Topic), q)
	})
	key := func(r room.Room) string { return cmp.Or(r.Slug, "~"+string(r.ID)) }
	slices.SortFunc(found, func(x, y room.Room) int { return cmp.Compare(key(x), key(y)) })
	return listed(o, found, in.Paging, roomCursor, key, view)
}

// maxDirect is how many conversations with single people are listed.
const maxDirect = 200

func (a *api) directRooms(ctx context.Context, o *org.Org, u id.User) ([]room.Room, error) {
	ids, err := a.Store.DirectRooms(ctx, u, maxDirect)
	if err != nil {
		return nil, err
	}
	var found []room.Room
	for _, n := range ids {
		if r, ok := o.Room(n); ok && r.CanRead(u) {
			found = append(found, r)
		}
	}
	return found, nil
}

func (a *api) openRoom(ctx context.Context, by people.Actor, in *createInput[RoomBody]) (*madeRoomOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	b := in.Body
	r := room.Room{Kind: room.Kind(b.Kind), Slug: b.Slug, Name: b.Name, Topic: b.Topic}
	if r.Members, err = usersOf(o, "members", b.Members); err != nil {
		return nil, err
	}
	if r, err = a.Dispatch.OpenRoom(ctx, by, r); err != nil {
		return nil, err
	}
	return &madeRoomOutput{Location: prefix + "/rooms/" + string(r.ID), Body: roomView(o, by.User, r)}, nil
}

func usersOf(o *org.Org, field string, refs []string) ([]id.User, error) {
	var all []id.User
	for _, ref := range refs {
		u, ok := findUser(o, ref)
		if err := missing(ok, field, org.UserKind, ref); err != nil {
			return nil, err
		}
		all = append(all, u.ID)
	}
	return all, nil
}

func (a *api) showRoom(ctx context.Context, by people.Actor, in *RoomRef) (*roomOutput, error) {
	o, r, err := a.roomOf(ctx, by, in.Room)
	if err != nil {
		return nil, err
	}
	return &roomOutput{Body: roomView(o, by.User, r)}, nil
}

func (a *api) changeRoom(ctx context.Context, by people.Actor, in *changeRoomInput) (*roomOutput, error) {
	o, r, err := a.roomOf(ctx, by, in.Room)
	if err != nil {
		return nil, err
	}
	add, err := usersOf(o, "add", in.Body.Add)
	if err != nil {
		return nil, err
	}
	remove, err := usersOf(o, "remove", in.Body.Remove)
	if err != nil {
		return nil, err
	}
	r, err = a.Dispatch.ChangeRoom(ctx, by, r.ID, func(r room.Room) room.Room {
		for field, text := range map[*string]*string{&r.Slug: in.Body.Slug, &r.Name: in.Body.Name, &r.Topic: in.Body.Topic, &r.Sigil: in.Body.Sigil} {
			if text != nil {
				*field = strings.TrimSpace(*text)
			}
		}
		r.Members = slices.DeleteFunc(append(r.Members, add...), func(u id.User) bool { return slices.Contains(remove, u) })
		return r
	})
	if err != nil {
		return nil, err
	}
	return &roomOutput{Body: roomView(o, by.User, r)}, nil
}

func (a *api) listUnread(ctx context.Context, by people.Actor, _ *struct{}) (*unreadOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	rooms := o.RoomsOf(by.User)
	direct, err := a.directRooms(ctx, o, by.User)
	if err != nil {
		return nil, err
	}
	var ids []id.Room
	for _, r := range append(rooms, direct...) {
		ids = append(ids, r.ID)
	}
	unread, err := a.Store.Unread(ctx, by.User, ids)
	if err != nil {
		return nil, err
	}
	out := &unreadOutput{Body: List[UnreadView]{Items: []UnreadView{}}}
	for _, n := range ids {
		if u := unread[n]; u.Count > 0 {
			out.Body.Items = append(out.Body.Items, UnreadView{Room: n, Unread: u})
		}
	}
	return out, nil
}

// MessageView is a message with all that became of it.
type MessageView struct {
	Entry
	Versions []MessageVersion `json:"versions" nullable:"false" doc:"How it read before, the first in front."`
}

// MessageVersion is how a message read at a time.
type MessageVersion struct {
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}
