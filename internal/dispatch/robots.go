package dispatch

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// RobotLink is the connection of a robot to the chat endpoint of this node.
type RobotLink struct {
	Since   time.Time
	HeardAt time.Time // the last frame
	Name    string    // as the robot calls itself
}

// RobotURL is where a robot connects to a server that is seen at publicURL.
func RobotURL(publicURL string) string {
	scheme, rest, _ := strings.Cut(strings.TrimSuffix(publicURL, "/"), "://")
	if scheme == "http" {
		return "ws://" + rest + "/chat"
	}
	return "wss://" + rest + "/chat"
}

// RobotSpec is what somebody says about a robot.
type RobotSpec struct {
	Name               string
	Username           string // what people mention it by; "": made from the name
	Room               id.Room
	CommandAnnotations bool
}

// AddRobot makes a robot, the user it speaks as, and the key it signs in with,
// of which only a hash is kept: it is told once. The robot becomes a member of
// its room.
func (d *Dispatcher) AddRobot(ctx context.Context, by people.Actor, s RobotSpec) (key string, made org.Robot, err error) {
	if !by.May(people.Manage) {
		return "", made, forbidden()
	}
	key = newRobotKey()
	err = d.store.Do(ctx, func(tx *store.Tx) error {
		if err := mayBind(tx.Org, by, s.Room); err != nil {
			return err
		}
		made = org.Robot{
			ID: id.Robot(id.New()), Name: strings.TrimSpace(s.Name), User: id.User(id.New()), Room: s.Room, KeyHash: secret.Hash(key),
			CommandAnnotations: s.CommandAnnotations, CreatedAt: tx.Now,
		}
		return d.putRobot(tx, by, made, made.Speaker(cmp.Or(strings.ToLower(strings.TrimSpace(s.Username)), id.Slug(s.Name))))
	})
	return key, made, err
}

// putRobot saves a robot and its user, and makes it a member of its room and
// of no room that it leaves.
func (d *Dispatcher) putRobot(tx *store.Tx, by people.Actor, r org.Robot, u people.User) error {
	was := tx.Org.Robots[r.ID]
	changes := []org.Change{org.Put(u), org.Put(r)}
	if _, err := ApplyChanges(tx, by, changes); err != nil {
		return err
	}
	next, _, err := tx.Org.Apply(changes...)
	if err != nil {
		return fault.Invalid("", err.Error())
	}
	if was.Room != r.Room {
		if err := stepOut(tx, next, by, was.Room, u); err != nil {
			return err
		}
	}
	return stepIn(tx, next, by, r.Room, u)
}

// stepIn makes a robot a member of a room. o knows the robot, tx may not yet.
func stepIn(tx *store.Tx, o *org.Org, by people.Actor, n id.Room, u people.User) error {
	return putMembers(tx, o, by, o.Rooms[n].With(u.ID), timeline.RoomChange{Joined: []string{u.Name}})
}

// stepOut takes a robot out of a room in which others stay.
func stepOut(tx *store.Tx, o *org.Org, by people.Actor, n id.Room, u people.User) error {
	return putMembers(tx, o, by, o.Rooms[n].Without(u.ID), timeline.RoomChange{Left: []string{u.Name}})
}

func putMembers(tx *store.Tx, o *org.Org, by people.Actor, r room.Room, told timeline.RoomChange) error {
	if r.ID == room.Main {
		return nil // has none
	}
	_, done, err := o.Apply(org.Put(r))
	if err != nil {
		return fault.Invalid("room", err.Error())
	}
	if len(done) == 0 {
		return nil
	}
	tx.PutDefinition(done...)
	told.Room, told.Name, told.Fields = r.ID, r.Slug, []string{"members"}
	tx.Append(timeline.Entry{Kind: told.Kind(), Actor: by.Who(), Person: by.User, Room: r.ID, Payload: told})
	return nil
}

func mayBind(o *org.Org, by people.Actor, n id.Room) error {
	r, ok := o.Room(n)
	if !ok || !r.MayBind(by.User) {
		return fault.Invalid("room", phrase.T("hubot.no_room"))
	}
	return nil
}

// ChangeRobot gives a robot another name, room or setting; its key stays. A
// connection of it goes on, in the new room.
func (d *Dispatcher) ChangeRobot(ctx context.Context, by people.Actor, n id.Robot, s RobotSpec) (org.Robot, error) {
	return d.changeRobot(ctx, by, n, func(tx *store.Tx, r *org.Robot, u *people.User) error {
		if s.Room != r.Room {
			if err := mayBind(tx.Org, by, s.Room); err != nil {
				return err
			}
		}
		r.Name, r.Room, r.CommandAnnotations = strings.TrimSpace(s.Name), s.Room, s.CommandAnnotations
		u.Name, u.Username = r.Name, cmp.Or(strings.ToLower(strings.TrimSpace(s.Username)), u.Username)
		return nil
	})
}

// NewRobotKey gives a robot another key; the old one, and a connection that was
// made with it, end at once.
func (d *Dispatcher) NewRobotKey(ctx context.Context, by people.Actor, n id.Robot) (key string, r org.Robot, err error) {
	key = newRobotKey()
	r, err = d.changeRobot(ctx, by, n, func(tx *store.Tx, r *org.Robot, _ *people.User) error {
		if !tx.Org.MayHoldKey(by.User, r.User) {
			return fault.Forbidden(phrase.T("hubot.not_your_rooms"))
		}
		r.KeyHash = secret.Hash(key)
		return nil
	})
	return key, r, err
}

func (d *Dispatcher) changeRobot(ctx context.Context, by people.Actor, n id.Robot, change func(*store.Tx, *org.Robot, *people.User) error) (org.Robot, error) {
	if !by.May(people.Manage) {
		return org.Robot{}, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (org.Robot, error) {
		r, ok := tx.Org.Robots[n]
		if !ok {
			return r, noRobot()
		}
		u := tx.Org.Users[r.User]
		if err := change(tx, &r, &u); err != nil {
			return r, err
		}
		return r, d.putRobot(tx, by, r, u)
	})
}

// RemoveRobot ends a robot: its key and the tokens of its user are worthless,
// and what it said stays.
func (d *Dispatcher) RemoveRobot(ctx context.Context, by people.Actor, n id.Robot) error {
	if !by.May(people.Manage) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		r, ok := tx.Org.Robots[n]
		if !ok {
			return noRobot()
		}
		u := tx.Org.Users[r.User]
		changes := []org.Change{org.Remove(org.RobotKind, string(n)), org.Remove(org.UserKind, string(u.ID))}
		if _, err := ApplyChanges(tx, by, changes); err != nil {
			return err
		}
		next, _, err := tx.Org.Apply(changes...)
		if err != nil {
			return fault.Invalid("", err.Error())
		}
		for _, in := range org.Sorted(tx.Org.Rooms, func(r room.Room) string { return string(r.ID) }) {
			if err := stepOut(tx, next, by, in.ID, u); err != nil {
				return err
			}
		}
		return nil
	})
}

func noRobot() error { return fault.NotFound(phrase.T("hubot.gone")) }

// newRobotKey is a random UUID: programs that were written for such keys check
// that they look like one.
func newRobotKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
