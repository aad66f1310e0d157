package dispatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/permit"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// ChangeOrg applies changes of the organisation together, or none of them. The
// function computes them from the organisation as it is inside the
// transaction, so that nothing that somebody else changes meanwhile is lost.
func (d *Dispatcher) ChangeOrg(ctx context.Context, actor people.Actor, changes func(*org.Org) ([]org.Change, error)) ([]org.Applied, error) {
	if !actor.May(people.Manage) {
		return nil, forbidden()
	}
	return d.changeOrg(ctx, actor, changes)
}

// EditSelf lets a person change what is their own: name, time zone, contact
// methods. What they may not change stays as it is.
func (d *Dispatcher) EditSelf(ctx context.Context, actor people.Actor, edit func(people.User) people.User) error {
	if !actor.May(people.OwnSelf) || actor.User == "" {
		return forbidden()
	}
	_, err := d.changeOrg(ctx, actor, func(o *org.Org) ([]org.Change, error) {
		was, ok := o.Users[actor.User]
		if !ok {
			return nil, forbidden()
		}
		is := edit(was)
		is.Contacts = people.KeepProofs(was.Contacts, is.Contacts) // nobody proves a contact method by saying so
		is.ID, is.Username, is.Role, is.Disabled, is.Email = was.ID, was.Username, was.Role, was.Disabled, was.Email
		return []org.Change{org.Put(is)}, nil
	})
	return err
}

func (d *Dispatcher) changeOrg(ctx context.Context, actor people.Actor, changes func(*org.Org) ([]org.Change, error)) ([]org.Applied, error) {
	defer d.known.Store(nil) // a key that is revoked here stops working at once
	return store.InTx(ctx, d.store, func(tx *store.Tx) ([]org.Applied, error) {
		list, err := changes(tx.Org)
		if err != nil {
			return nil, err
		}
		return ApplyChanges(tx, actor, list)
	})
}

// ApplyChanges checks changes against the organisation of tx, saves them and
// tells the timeline. What hangs on something that is changed follows: see fit.
// The actor answers for the e-mail addresses that are declared in changes.
func ApplyChanges(tx *store.Tx, actor people.Actor, changes []org.Change) ([]org.Applied, error) {
	changes = slices.Clone(changes)
	for i, c := range changes {
		if u, ok := c.Put.(people.User); ok {
			u.Contacts = people.Vouched(u.Contacts, actor, tx.Now)
			changes[i] = org.Put(u)
			if was, known := tx.Org.Users[u.ID]; known && was.Email != u.Email { // links went to the address before
				tx.RemoveLinks(store.ResetLink, u.ID)
				tx.RemoveLinks(store.InviteLink, u.ID)
			}
		}
	}
	next, done, err := tx.Org.Apply(changes...)
	if err != nil {
		return nil, fault.Invalid("", err.Error())
	}
	if next.Settings.Rules != tx.Org.Settings.Rules || slices.ContainsFunc(done, func(a org.Applied) bool { return a.Kind == org.HolidayKind }) {
		if err := CheckRules(next, next.Settings.Rules); err != nil { // else they would allow nothing to anybody
			return nil, err
		}
	}
	for _, a := range done {
		if a.Kind == org.RoomKind { // what changes in a room is told there and nowhere else
			tellRoom(tx, next, actor.Who(), tx.Org.Rooms[id.Room(a.ID)], next.Rooms[id.Room(a.ID)], a.Fields)
			continue
		}
		tx.Append(timeline.Entry{
			Kind: timeline.OrgChanged, Actor: actor.Who(), Person: actor.User,
			Payload: timeline.Change{Object: string(a.Kind), ID: a.ID, Name: a.Name, Action: a.Action, Fields: a.Fields},
		})
	}
	more, told := fit(tx.Org, next, tx.Now)
	if len(more) > 0 {
		if _, done, err = tx.Org.Apply(append(slices.Clone(changes), more...)...); err != nil {
			return nil, fault.Invalid("", err.Error())
		}
	}
	tx.PutDefinition(done...)
	lookAgain(tx, done)
	for _, p := range told {
		tell(tx, actor, tx.Org.Rotations[p.Rotation].Team, p.By, p)
	}
	return done, nil
}

// CheckRules says what is wrong with rules of commands in an organisation, if
// anything is: what cannot be read, and calendars that there are not.
func CheckRules(o *org.Org, text string) error {
	policy, err := permit.Compile(text)
	if err != nil {
		return fault.Invalid("rules", err.Error())
	}
	calendars := map[string]bool{}
	for _, c := range o.Holidays {
		calendars[permit.CalendarName(c.Name)] = true
	}
	if missing := policy.Missing(calendars); len(missing) > 0 {
		return fault.Invalid("rules", missing.Error())
	}
	return nil
}

// NewIntegration makes an integration with a fresh key, or with the given one;
// it is not saved yet.
func (d *Dispatcher) NewIntegration(kind routing.Kind, label, key string) routing.Integration {
	if key == "" {
		key = id.Secret(20)
	}
	return routing.Integration{ID: id.Integration(id.New()), Kind: kind, Name: label, KeyHash: secret.Hash(key), Sealed: d.box.Seal(key)}
}

// IntegrationKey returns the key of an integration for somebody who may see it.
func (d *Dispatcher) IntegrationKey(actor people.Actor, i routing.Integration) (string, error) {
	if !actor.May(people.Ingest) {
		return "", forbidden()
	}
	key, err := d.box.Open(i.Sealed)
	if err != nil {
		return "", fmt.Errorf("open the key of integration %s: %w", i.Name, err)
	}
	return key, nil
}

// known is an organisation that was current at an instant.
type known struct {
	org *org.Org
	at  time.Time
}

// knownFor bounds for how long a key that was revoked on another node still works.
const knownFor = time.Second

// Integration finds the integration that owns a key; false when the key is
// unknown or its integration is switched off. It is asked for every alert, so
// a key that was known a moment ago is not looked up in the store again.
func (d *Dispatcher) Integration(ctx context.Context, key string) (id.Integration, bool, error) {
	hash := secret.Hash(key)
	if k := d.known.Load(); k != nil && time.Since(k.at) < knownFor {
		if i, ok := k.org.Integration(hash); ok {
			return i.ID, !i.Off, nil
		}
	}
	o, err := d.store.Org(ctx)
	if err != nil {
		return "", false, fmt.Errorf("look up the key of an integration: %w", err)
	}
	d.known.Store(&known{o, time.Now()})
	i, ok := o.Integration(hash)
	return i.ID, ok && !i.Off, nil
}
