package dispatch

import (
	"context"
	"errors"
	"slices"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// pictures are what browsers show as one.
var pictures = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

// SetBotPicture gives the bot a picture that somebody has uploaded and shown
// nowhere; "" gives it ours back.
func (d *Dispatcher) SetBotPicture(ctx context.Context, actor people.Actor, n id.File) error {
	if !actor.May(people.Manage) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		if n != "" {
			f, err := tx.File(n)
			switch {
			case errors.Is(err, store.ErrNotFound), err == nil && (f.Person != actor.User || f.Seq != 0):
				return fault.Invalid("file", phrase.T("room.no_file"))
			case err != nil:
				return err
			case !slices.Contains(pictures, f.Type):
				return fault.Invalid("file", phrase.T("room.no_picture"))
			}
		}
		settings := tx.Org.Settings
		settings.Bot.Picture = n
		_, err := ApplyChanges(tx, actor, []org.Change{org.Put(settings)})
		return err
	})
}
