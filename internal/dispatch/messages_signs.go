package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/markdown"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// What others do to a message, which leaves its words as they are.

// React puts a sign under a message, or takes one's own away.
func (d *Dispatcher) React(ctx context.Context, actor people.Actor, seq id.Seq, emoji string, on bool) error {
	if !actor.May(people.Talk) || actor.User == "" {
		return forbidden()
	}
	if sign, ok := markdown.Reaction(emoji); ok {
		emoji = sign
	} else if on { // what was put there when nobody looked can still be taken away
		return fault.Invalid("emoji", phrase.T("room.no_emoji"))
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		e, m, err := heard(tx, actor, seq)
		if err != nil {
			return err
		}
		var changed, many bool
		m.Reactions, changed, many = reacted(m.Reactions, emoji, actor.User, on)
		if many {
			return fault.Invalid("emoji", phrase.T("room.many_emoji", maxReactions))
		}
		if !changed {
			return nil
		}
		if p := (timeline.Reaction{Of: seq, Emoji: emoji}); on {
			return about(tx, e, m, actor.Who(), p)
		}
		return about(tx, e, m, actor.Who(), timeline.ReactionGone{Of: seq, Emoji: emoji})
	})
}

// maxReactions is how many different signs one message has.
const maxReactions = 20

func reacted(all []timeline.ReactionSum, emoji string, u id.User, on bool) (now []timeline.ReactionSum, changed, many bool) {
	all = slices.Clone(all)
	i := slices.IndexFunc(all, func(r timeline.ReactionSum) bool { return r.Emoji == emoji })
	switch {
	case i < 0 && !on, i >= 0 && on == slices.Contains(all[i].Users, u):
		return all, false, false
	case i < 0 && len(all) >= maxReactions:
		return all, false, true
	case i < 0:
		return append(all, timeline.ReactionSum{Emoji: emoji, Users: []id.User{u}}), true, false
	case on:
		all[i].Users = append(slices.Clone(all[i].Users), u)
		return all, true, false
	}
	all[i].Users = slices.DeleteFunc(slices.Clone(all[i].Users), func(o id.User) bool { return o == u })
	if len(all[i].Users) == 0 {
		all = slices.Delete(all, i, i+1)
	}
	return all, true, false
}

// Pin keeps a message at hand in its room, or no longer.
func (d *Dispatcher) Pin(ctx context.Context, actor people.Actor, seq id.Seq, on bool) error {
	if !actor.May(people.Talk) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		e, m, err := heard(tx, actor, seq)
		if err != nil || on == !m.PinnedAt.IsZero() {
			return err
		}
		p := timeline.Pin{Of: seq, Text: alert.Cut(m.Over(e.Payload.(timeline.Message)).Text, 120)}
		if on {
			m.PinnedAt = tx.Now
			return about(tx, e, m, actor.Who(), p)
		}
		m.PinnedAt = time.Time{}
		return about(tx, e, m, actor.Who(), timeline.Unpin(p))
	})
}

// LinkMessage makes a message part of an incident's record, where everybody who
// reads the incident reads it, too.
func (d *Dispatcher) LinkMessage(ctx context.Context, actor people.Actor, seq id.Seq, n id.Incident) error {
	if !actor.May(people.Talk) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		e, m, err := heard(tx, actor, seq)
		if err != nil {
			return err
		}
		inc, err := load(tx, n)
		if err != nil {
			return err
		}
		if e.Incident == n || slices.Contains(m.Incidents, n) {
			return nil
		}
		m.Incidents = append(slices.Clone(m.Incidents), n)
		if err := tx.PutMessage(m); err != nil {
			return err
		}
		tx.Append(timeline.Entry{
			Kind: timeline.MessageLinked, Actor: actor.Who(), Person: actor.User, Incident: n, Team: inc.Team,
			Payload: timeline.Link{Of: seq, Text: m.Over(e.Payload.(timeline.Message)).Text, Author: e.Actor.Name, Room: e.Room},
		})
		return nil
	})
}

// MarkUnread makes a room unread from a message on: somebody wants to come back to it.
func (d *Dispatcher) MarkUnread(ctx context.Context, actor people.Actor, seq id.Seq) error {
	if actor.User == "" {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		e, m, err := message(tx, seq)
		if err != nil {
			return err
		}
		if !tx.Org.CanRead(actor.User, e.Room) || !m.DeletedAt.IsZero() {
			return noMessage()
		}
		tx.MoveMark(actor.User, e.Room, seq-1)
		return nil
	})
}
