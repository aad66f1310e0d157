package store

import (
	"cmp"
	"context"
	"slices"
)

// SetPresences writes down many pages at once and wakes who follows Presences.
// A page that is being closed says until when it still counts; others count for
// PresenceLife.
func (s *Store) SetPresences(ctx context.Context, pages []Presence) error {
	if len(pages) == 0 {
		return nil
	}
	pages = slices.SortedFunc(slices.Values(pages), func(a, b Presence) int { return cmp.Compare(a.Session, b.Session) })
	return s.Do(ctx, func(tx *Tx) error {
		for _, p := range pages {
			if p.Until.IsZero() {
				p.Until = tx.Now.Add(PresenceLife)
			}
			tx.exec(`INSERT INTO presence (session, person, device, active, room, thread, typing, until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
				ON CONFLICT (session) DO UPDATE SET active = excluded.active, room = excluded.room, thread = excluded.thread, typing = excluded.typing, until = excluded.until`,
				p.Session, string(p.Person), p.Device, p.Active, string(p.Room), int64(p.Thread), micros(p.Typing), micros(p.Until))
		}
		tx.exec(`DELETE FROM presence WHERE until < $1`, micros(tx.Now))
		tx.about |= Presences
		return nil
	})
}
