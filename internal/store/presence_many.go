package store

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// SetPresence says that somebody is there, or what they do now. It wakes who
// follows Presences when news is true.
func (s *Store) SetPresence(ctx context.Context, p Presence, news bool) error {
	p.Until = time.Time{}
	return s.setPresences(ctx, []Presence{p}, news)
}

// SetPresences writes down many pages at once and wakes who follows Presences.
// A page that is being closed says until when it still counts; others count for
// PresenceLife.
func (s *Store) SetPresences(ctx context.Context, pages []Presence) error {
	return s.setPresences(ctx, pages, true)
}

func (s *Store) setPresences(ctx context.Context, pages []Presence, news bool) error {
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
		if news {
			tx.about |= Presences
		}
		return nil
	})
}
