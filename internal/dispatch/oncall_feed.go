package dispatch

import (
	"context"
	"fmt"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// maxFeeds is how many calendar feeds one person may have made.
const maxFeeds = 50

// NewFeed makes a calendar feed of a person or a rotation. The key, which is
// the secret of its address, is returned once and never stored. Rotas are open
// to everybody who may read, so everybody may make a feed of any.
func (d *Dispatcher) NewFeed(ctx context.Context, by people.Actor, f org.Feed) (key string, made org.Feed, err error) {
	if !by.May(people.OwnSelf) || by.User == "" {
		return "", f, forbidden()
	}
	key = id.Secret(20)
	made, err = store.InTx(ctx, d.store, func(tx *store.Tx) (org.Feed, error) {
		f := f
		f.ID, f.Owner, f.KeyHash, f.At = id.Feed(id.New()), by.User, secret.Hash(key), tx.Now
		if f.User != "" {
			if _, err := activeUser(tx, f.User); err != nil {
				return f, err
			}
		}
		if _, ok := tx.Org.Rotations[f.Rotation]; f.Rotation != "" && !ok {
			return f, fault.Invalid("rotation", phrase.T("dispatch.no_such_rotation"))
		}
		mine := 0
		for _, other := range tx.Org.Feeds {
			if other.Owner == by.User {
				mine++
			}
		}
		if mine >= maxFeeds {
			return f, fault.Conflict(phrase.T("dispatch.many_feeds", maxFeeds))
		}
		_, err := ApplyChanges(tx, by, []org.Change{org.Put(f)})
		return f, err
	})
	if err != nil {
		return "", made, err
	}
	return key, made, nil
}

// RevokeFeed makes the address of a feed worthless: for who made it, for whose
// duties it shows, and for who may manage.
func (d *Dispatcher) RevokeFeed(ctx context.Context, by people.Actor, n id.Feed) error {
	return d.store.Do(ctx, func(tx *store.Tx) error {
		f, ok := tx.Org.Feeds[n]
		own := by.May(people.OwnSelf) && by.User != "" && (f.Owner == by.User || f.User == by.User)
		switch {
		case !ok && by.May(people.OwnSelf):
			return fault.NotFound(phrase.T("dispatch.no_such_feed"))
		case !ok || !own && !by.May(people.Manage):
			return forbidden()
		}
		_, err := ApplyChanges(tx, by, []org.Change{org.Remove(org.FeedKind, string(n))})
		return err
	})
}

// Feed finds the feed that a key opens; fault.CodeNotFound when there is none,
// or when who made it or whom it is about has left.
func (d *Dispatcher) Feed(ctx context.Context, key string) (org.Feed, error) {
	o, err := d.store.Org(ctx)
	if err != nil {
		return org.Feed{}, fmt.Errorf("look up the key of a calendar feed: %w", err)
	}
	hash := secret.Hash(key)
	active := func(u id.User) bool { user, ok := o.Users[u]; return ok && !user.Disabled }
	for _, f := range o.Feeds {
		if f.KeyHash == hash && active(f.Owner) && (f.User == "" || active(f.User)) {
			return f, nil
		}
	}
	return org.Feed{}, fault.NotFound(phrase.T("dispatch.no_such_feed"))
}
