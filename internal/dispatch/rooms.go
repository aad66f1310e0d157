package dispatch

import (
	"context"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// What changes in a room is told in that room and nowhere else: the names of
// private rooms are nobody else's business.

// OpenRoom makes a room. Who makes it is a member.
func (d *Dispatcher) OpenRoom(ctx context.Context, actor people.Actor, r room.Room) (room.Room, error) {
	if !actor.May(people.Talk) || actor.User == "" {
		return r, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (room.Room, error) {
		r.ID, r.Closed = id.Room(id.New()), false
		r.Slug, r.Name, r.Topic = strings.TrimPrefix(strings.TrimSpace(r.Slug), "#"), strings.TrimSpace(r.Name), strings.TrimSpace(r.Topic)
		members, err := active(tx.Org, append([]id.User{actor.User}, r.Members...))
		if err != nil {
			return r, err
		}
		r.Members = members
		if r.Kind == room.Group {
			r.Slug = ""
			if len(members) < 3 {
				return r, fault.Invalid("members", phrase.T("room.small_group"))
			}
		}
		if r.Kind == room.Private {
			r.Wished, r.Slug = r.Slug, OwnSlug(r.Slug)
		}
		return r, changeRoom(tx, actor.Who(), room.Room{}, r)
	})
}

// ChangeRoom lets somebody who may write in a room change its title, topic,
// sigil or members. What they may not change stays as it is.
func (d *Dispatcher) ChangeRoom(ctx context.Context, actor people.Actor, n id.Room, edit func(room.Room) room.Room) (room.Room, error) {
	if !actor.May(people.Talk) {
		return room.Room{}, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (room.Room, error) {
		was, err := kept(tx.Org, actor.User, n)
		if err != nil {
			return was, err
		}
		is := was
		is.Members = slices.Clone(was.Members)
		is = edit(is)
		is.ID, is.Kind, is.Closed = was.ID, was.Kind, was.Closed
		if is.Kind == room.Private && is.Slug != was.Slug {
			is.Wished, is.Slug = is.Slug, OwnSlug(is.Slug)
		}
		if is.Members, err = active(tx.Org, is.Members); err != nil {
			return is, err
		}
		return is, changeRoom(tx, actor.Who(), was, is)
	})
}

// JoinRoom puts a public room into somebody's list, LeaveRoom takes a room out
// of it. Who leaves a private room does not come back by themselves.
func (d *Dispatcher) JoinRoom(ctx context.Context, actor people.Actor, n id.Room) error {
	return d.member(ctx, actor, n, func(was room.Room) []id.User { return append(slices.Clone(was.Members), actor.User) })
}

// LeaveRoom: see JoinRoom.
func (d *Dispatcher) LeaveRoom(ctx context.Context, actor people.Actor, n id.Room) error {
	return d.member(ctx, actor, n, func(was room.Room) []id.User {
		return slices.DeleteFunc(slices.Clone(was.Members), func(u id.User) bool { return u == actor.User })
	})
}

func (d *Dispatcher) member(ctx context.Context, actor people.Actor, n id.Room, members func(room.Room) []id.User) error {
	if actor.User == "" {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		was, err := kept(tx.Org, actor.User, n)
		if err != nil {
			return err
		}
		is := was
		if is.Members, err = active(tx.Org, members(was)); err != nil {
			return err
		}
		person := func(u id.User) bool { return !tx.Org.Users[u].Robot }
		if is.Kind != room.Public && !slices.ContainsFunc(is.Members, person) { // nobody is left who could read it
			is.Members, is.Closed = was.Members, true
		}
		return changeRoom(tx, actor.Who(), was, is)
	})
}

// CloseRoom keeps a room to be read; with closed false it opens it again. Those
// of a private room may, and who manages a public one.
func (d *Dispatcher) CloseRoom(ctx context.Context, actor people.Actor, n id.Room, closed bool) error {
	if !actor.May(people.Talk) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		was, err := kept(tx.Org, actor.User, n)
		switch {
		case err != nil:
			return err
		case was.Kind == room.Public && !actor.May(people.Manage):
			return forbidden()
		}
		is := was
		is.Closed = closed
		return changeRoom(tx, actor.Who(), was, is)
	})
}

// OwnSlug gives the name of a private room an end that nobody guesses: else "is
// taken already" would tell strangers which private rooms there are.
func OwnSlug(wish string) string {
	if !people.ValidSlug(wish) { // which is refused as it was typed
		return wish
	}
	end := "-" + id.Secret(3)
	return strings.TrimRight(wish[:min(len(wish), people.MaxSlug-len(end))], "-") + end
}

func changeRoom(tx *store.Tx, by timeline.Actor, was, is room.Room) error {
	_, done, err := tx.Org.Apply(org.Put(is))
	if err != nil {
		return fault.Invalid("", err.Error())
	}
	if len(done) == 0 {
		return nil
	}
	tx.PutDefinition(done...)
	tellRoom(tx, tx.Org, by, was, is, done[0].Fields)
	return nil
}

// tellRoom says in a room what changed; that there is a new public one, also in
// the timeline. was is the zero value for a new room; o knows who is in it.
func tellRoom(tx *store.Tx, o *org.Org, by timeline.Actor, was, is room.Room, fields []string) {
	e := timeline.Entry{Actor: by, Person: by.User, Room: is.ID}
	switch {
	case was.ID == "", !is.Closed && was.Closed:
		e.Payload = timeline.RoomMade{Room: is.ID, Name: is.Slug, What: string(is.Kind)}
	case is.Closed && !was.Closed:
		e.Payload = timeline.RoomEnd{Room: is.ID, Name: is.Slug, What: string(is.Kind)}
	default:
		p := timeline.RoomChange{Room: is.ID, Name: is.Slug, Fields: fields}
		if is.Topic != was.Topic {
			p.Topic = is.Topic
		}
		p.Joined, p.Left = namesWithout(o, is.Members, was.Members), namesWithout(o, was.Members, is.Members)
		e.Payload = p
	}
	e.Kind = e.Payload.Kind()
	tx.Append(e)
	if was.ID == "" && is.Kind == room.Public {
		e.Room = room.Main
		tx.Append(e)
	}
}

func namesWithout(o *org.Org, all, others []id.User) []string {
	var names []string
	for _, u := range all {
		if !slices.Contains(others, u) {
			names = append(names, o.UserName(u))
		}
	}
	return names
}

// kept is a room with a definition of its own that somebody may see.
func kept(o *org.Org, u id.User, n id.Room) (room.Room, error) {
	r, ok := o.Rooms[n]
	if !ok || !r.CanRead(u) {
		return r, noRoom()
	}
	return r, nil
}

// active are the people of a list who exist, each once.
func active(o *org.Org, users []id.User) ([]id.User, error) {
	var all []id.User
	for _, u := range users {
		user, ok := o.Users[u]
		if !ok {
			return nil, fault.Invalid("members", phrase.T("dispatch.no_such_user"))
		}
		if !user.Disabled && !slices.Contains(all, u) {
			all = append(all, u)
		}
	}
	return all, nil
}
