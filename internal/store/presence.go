package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// Presence is one open page or program of somebody. Rows are renewed while it
// is open, so that those of a node that died go by themselves.
type Presence struct {
	Session string // random, made where the page is open
	Person  id.User
	Device  string // "browser", "phone" or "robot"
	Active  bool   // false: it is open, and nobody has touched it for a while
	Room    id.Room
	Thread  id.Seq    // in Room; 0: in none
	Typing  time.Time // until when they are typing there; zero: they are not
	Until   time.Time // unless it is renewed
}

// WhoIsThere says of everybody who has a page whether they are "online", or
// "away" when all of their pages rest.
func WhoIsThere(pages []Presence) map[id.User]string {
	there := map[id.User]string{}
	for _, p := range pages {
		if p.Active {
			there[p.Person] = "online"
		} else if there[p.Person] == "" {
			there[p.Person] = "away"
		}
	}
	return there
}

// PresenceLife is for how long a row counts without being renewed.
const PresenceLife = 75 * time.Second

// SetPresences writes down many pages at once and wakes who follows Presences.
// A page that is being closed says until when it still counts; others count for
// PresenceLife.
func (s *Store) SetPresences(ctx context.Context, pages []Presence) error {
	if len(pages) == 0 {
		return nil
	}
	pages = slices.SortedFunc(slices.Values(pages), func(a, b Presence) int { return cmp.Compare(a.Session, b.Session) })
	return s.Do(ctx, func(tx *Tx) error {
		rows := make([][]any, len(pages))
		for i, p := range pages {
			if p.Until.IsZero() {
				p.Until = tx.Now.Add(PresenceLife)
			}
			rows[i] = []any{p.Session, string(p.Person), p.Device, p.Active, string(p.Room), int64(p.Thread), micros(p.Typing), micros(p.Until)}
		}
		tx.more = append(tx.more, insertRows(`INSERT INTO presence (session, person, device, active, room, thread, typing, until)`, rows,
			` ON CONFLICT (session) DO UPDATE SET active = excluded.active, room = excluded.room, thread = excluded.thread, typing = excluded.typing, until = excluded.until`)...)
		tx.exec(`DELETE FROM presence WHERE until < $1`, micros(tx.Now))
		tx.about |= Presences
		return nil
	})
}

// DropPresence says that a page was closed.
func (s *Store) DropPresence(ctx context.Context, session string) error {
	return s.Do(ctx, func(tx *Tx) error {
		tx.exec(`DELETE FROM presence WHERE session = $1`, session)
		tx.about |= Presences
		return nil
	})
}

// Present lists who is there now.
func (s *Store) Present(ctx context.Context) ([]Presence, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return nil, err
	}
	found, err := all(ctx, s.read, func(rows *sql.Rows) (Presence, error) {
		var p Presence
		var typing, until int64
		err := rows.Scan(&p.Session, &p.Person, &p.Device, &p.Active, &p.Room, &p.Thread, &typing, &until)
		p.Typing, p.Until = instant(typing), instant(until)
		return p, err
	}, `SELECT session, person, device, active, room, thread, typing, until FROM presence WHERE until >= $1 ORDER BY session`, micros(now))
	if err != nil {
		return nil, fmt.Errorf("load presence: %w", err)
	}
	return found, nil
}
