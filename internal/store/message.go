package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Message is what became of a message after it was posted; the zero value with
// its number and room is one to which nothing happened. How it was written is
// in its entry.
type Message struct {
	Seq        id.Seq                 `json:"-"`
	Room       id.Room                `json:"-"`
	PinnedAt   time.Time              `json:"-"`
	Versions   []Version              `json:"versions,omitempty"` // how it was before, the first in front
	Now        *Version               `json:"now,omitempty"`      // how it is; nil: as it was posted
	Edits      int                    `json:"edits,omitempty"`    // by its author; a bot's living message keeps no versions
	Called     []id.User              `json:"called,omitempty"`   // by any of its edits, whatever it says now
	CalledHere bool                   `json:"called_here,omitempty"`
	DeletedAt  time.Time              `json:"deleted_at,omitzero"`
	DeletedBy  timeline.Actor         `json:"deleted_by,omitzero"`
	Reactions  []timeline.ReactionSum `json:"reactions,omitempty"`
	Replies    int                    `json:"replies,omitempty"`
	RepliedAt  time.Time              `json:"replied_at,omitzero"`
	Repliers   []id.User              `json:"repliers,omitempty"`
	Incidents  []id.Incident          `json:"incidents,omitempty"`
}

// Version is how a message read at a time.
type Version struct {
	Text      string             `json:"text"`
	At        time.Time          `json:"at"`
	Mentions  []id.User          `json:"mentions,omitempty"`
	Everybody bool               `json:"everybody,omitempty"`
	Doc       *timeline.Document `json:"doc,omitempty"`
}

// MaxVersions is how many earlier forms of a message are kept beside its
// entries; the entries have them all.
const MaxVersions = 50

// Over puts what became of a message over what was posted.
func (m Message) Over(p timeline.Message) timeline.Message {
	if m.Now != nil {
		p.Text, p.Mentions, p.Everybody = m.Now.Text, m.Now.Mentions, m.Now.Everybody
		if m.Now.Doc != nil {
			p.Doc = m.Now.Doc
		}
		if m.Edits > 0 {
			p.EditedAt = m.Now.At
		}
	}
	p.Edits, p.Reactions, p.PinnedAt, p.Replies, p.RepliedAt, p.Incidents = m.Edits, m.Reactions, m.PinnedAt, m.Replies, m.RepliedAt, m.Incidents
	if !m.DeletedAt.IsZero() {
		return timeline.Message{Deleted: true, Replies: m.Replies, RepliedAt: m.RepliedAt, Incidents: m.Incidents}
	}
	return p
}

func scanMessage(rows *sql.Rows) (Message, error) {
	var seq, pinned int64
	var room string
	var body []byte
	if err := rows.Scan(&seq, &room, &pinned, &body); err != nil {
		return Message{}, err
	}
	m, err := readJSON[Message](body)
	m.Seq, m.Room, m.PinnedAt = id.Seq(seq), id.Room(room), instant(pinned)
	return m, err
}

const selectMessage = `SELECT seq, room, pinned, body FROM message`

// overlay puts what became of messages over their entries, and takes the words
// of deleted ones out of the entries that repeat them.
func (s *Store) overlay(ctx context.Context, q querier, entries []timeline.Entry) error {
	at := map[id.Seq][]int{} // by message
	for i, e := range entries {
		of := e.Seq
		if e.Kind != timeline.MessagePosted {
			of = repeats(e.Payload)
		}
		if of != 0 {
			at[of] = append(at[of], i)
		}
	}
	for chunk := range slices.Chunk(sortedKeys(at), 256) {
		args := numbersOf(chunk)
		found, err := all(ctx, q, scanMessage, selectMessage+` WHERE seq IN `+in(1, len(args)), args...)
		if err != nil {
			return fmt.Errorf("load messages: %w", err)
		}
		for _, m := range found {
			for _, i := range at[m.Seq] {
				entries[i].Payload = m.in(entries[i].Payload)
			}
		}
	}
	return nil
}

// repeats is the message whose words a payload repeats; 0: none. What was linked
// to an incident is a copy, and stays.
func repeats(p timeline.Payload) id.Seq {
	switch p := p.(type) {
	case timeline.Edit:
		return p.Of
	case timeline.Pin:
		return p.Of
	case timeline.Unpin:
		return p.Of
	}
	return 0
}

// in is a payload that is, or repeats, the message that m is about.
func (m Message) in(p timeline.Payload) timeline.Payload {
	gone := !m.DeletedAt.IsZero()
	switch p := p.(type) {
	case timeline.Message:
		return m.Over(p)
	case timeline.Edit:
		if gone {
			return timeline.Edit{Of: p.Of}
		}
	case timeline.Pin:
		if gone {
			return timeline.Pin{Of: p.Of}
		}
	case timeline.Unpin:
		if gone {
			return timeline.Unpin{Of: p.Of}
		}
	}
	return p
}

// Message returns what became of a message.
func (s *Store) Message(ctx context.Context, seq id.Seq) (Message, error) {
	m, err := one(ctx, s.read, scanMessage, selectMessage+` WHERE seq = $1`, int64(seq))
	if errors.Is(err, ErrNotFound) {
		return Message{Seq: seq}, nil
	}
	return m, err
}

// Pinned returns the numbers of the pinned messages of a room, the latest pin first.
func (s *Store) Pinned(ctx context.Context, room id.Room, limit int) ([]id.Seq, error) {
	return all(ctx, s.read, value[id.Seq], `SELECT seq FROM message WHERE room = $1 AND pinned > 0 ORDER BY pinned DESC LIMIT $2`, string(room), limit)
}

// EntriesBySeq returns the entries with the given numbers, those that exist, in
// the order of their numbers. Whether somebody may read them is for the caller to say.
func (s *Store) EntriesBySeq(ctx context.Context, numbers []id.Seq) ([]timeline.Entry, error) {
	var entries []timeline.Entry
	numbers = slices.Compact(slices.Sorted(slices.Values(numbers)))
	for chunk := range slices.Chunk(numbers, 256) {
		args := numbersOf(chunk)
		found, err := all(ctx, s.read, scanEntry, selectEntry+` WHERE seq IN `+in(1, len(args))+` ORDER BY seq`, args...)
		if err != nil {
			return nil, fmt.Errorf("load entries: %w", err)
		}
		entries = append(entries, found...)
	}
	return entries, s.overlay(ctx, s.read, entries)
}

// Entry returns one entry as it was written; ErrNotFound when there is none.
func (tx *Tx) Entry(seq id.Seq) (timeline.Entry, error) {
	return one(tx.ctx, tx.tx, scanEntry, selectEntry+` WHERE seq = $1`, int64(seq))
}

// Message returns what became of a message.
func (tx *Tx) Message(seq id.Seq) (Message, error) {
	m, err := one(tx.ctx, tx.tx, scanMessage, selectMessage+` WHERE seq = $1`, int64(seq))
	if errors.Is(err, ErrNotFound) {
		return Message{Seq: seq}, nil
	}
	return m, err
}

// PutMessage writes down what became of a message.
func (tx *Tx) PutMessage(m Message) error {
	body, err := writeJSON(m)
	if err != nil {
		return fmt.Errorf("write message %d: %w", m.Seq, err)
	}
	gone := !m.DeletedAt.IsZero()
	tx.exec(`INSERT INTO message (seq, room, pinned, gone, body) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (seq) DO UPDATE SET pinned = excluded.pinned, gone = excluded.gone, body = excluded.body`,
		int64(m.Seq), string(m.Room), micros(m.PinnedAt), gone, body)
	return nil
}

// SetMark says how far somebody has read a room. It never goes back.
func (tx *Tx) SetMark(u id.User, room id.Room, seq id.Seq) {
	tx.exec(`INSERT INTO mark (person, room, seq) VALUES ($1, $2, $3)
		ON CONFLICT (person, room) DO UPDATE SET seq = CASE WHEN excluded.seq > mark.seq THEN excluded.seq ELSE mark.seq END`,
		string(u), string(room), int64(seq))
}

// MoveMark says from where on a room is to be read, also if that was read
// before: somebody wants to come back to it.
func (tx *Tx) MoveMark(u id.User, room id.Room, seq id.Seq) {
	tx.exec(`INSERT INTO mark (person, room, seq) VALUES ($1, $2, $3) ON CONFLICT (person, room) DO UPDATE SET seq = excluded.seq`,
		string(u), string(room), int64(seq))
}

// AddMention says that a message called somebody.
func (tx *Tx) AddMention(u id.User, room id.Room, seq id.Seq) {
	tx.exec(`INSERT INTO mention (person, seq, room) VALUES ($1, $2, $3) ON CONFLICT (person, seq) DO NOTHING`, string(u), int64(seq), string(room))
}

// DropMention says that a message calls somebody no more.
func (tx *Tx) DropMention(u id.User, seq id.Seq) {
	tx.exec(`DELETE FROM mention WHERE person = $1 AND seq = $2`, string(u), int64(seq))
}

// DropMentions says that a message calls nobody any more.
func (tx *Tx) DropMentions(seq id.Seq) {
	tx.exec(`DELETE FROM mention WHERE seq = $1`, int64(seq))
}

// Unread is what somebody has not read of a room.
type Unread struct {
	Mark     id.Seq `json:"mark"`     // they have read up to here; 0: never
	Last     id.Seq `json:"last"`     // the newest message; 0: none
	Count    int    `json:"count"`    // messages of others after the mark that are still there, at most MaxUnread
	Mentions int    `json:"mentions"` // of those that called them
}

// MaxUnread is where counting ends.
const MaxUnread = 100

// Unread returns what somebody has not read of each of rooms, with one question
// for all of them. What was deleted is nothing to be read. That each message is
// asked for by itself and in order keeps PostgreSQL from collecting, for each
// room, what became of all messages there are, or all that are unread.
func (s *Store) Unread(ctx context.Context, u id.User, rooms []id.Room) (map[id.Room]Unread, error) {
	out := make(map[id.Room]Unread, len(rooms))
	for chunk := range slices.Chunk(rooms, 512) {
		args := append([]any{string(u)}, textsOf(chunk)...)
		_, err := all(ctx, s.read, func(rows *sql.Rows) (struct{}, error) {
			var room id.Room
			var n Unread
			err := rows.Scan(&room, &n.Mark, &n.Last, &n.Count, &n.Mentions)
			out[room] = n
			return struct{}{}, err
		}, `WITH asked (room) AS (VALUES `+texts(2, len(args)-1)+`)
			SELECT asked.room, COALESCE(mark.seq, 0),
				COALESCE((SELECT MAX(seq) FROM entry WHERE kind = 'message_posted' AND room = asked.room), 0),
				(SELECT COUNT(*) FROM (SELECT 1 FROM entry WHERE kind = 'message_posted' AND room = asked.room AND seq > COALESCE(mark.seq, 0) AND person <> $1
					AND NOT COALESCE((SELECT gone FROM message WHERE message.seq = entry.seq), FALSE) ORDER BY seq LIMIT `+strconv.Itoa(MaxUnread)+`) AS unread),
				(SELECT COUNT(*) FROM mention WHERE person = $1 AND room = asked.room AND seq > COALESCE(mark.seq, 0))
			FROM asked LEFT JOIN mark ON mark.person = $1 AND mark.room = asked.room`, args...)
		if err != nil {
			return nil, fmt.Errorf("count unread messages: %w", err)
		}
	}
	return out, nil
}

// texts are n rows of one text each, of the arguments from the given one on.
func texts(from, n int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = "(CAST($" + strconv.Itoa(from+i) + " AS TEXT))"
	}
	return strings.Join(rows, ",")
}

// Marks says how far somebody has read each room.
func (s *Store) Marks(ctx context.Context, u id.User) (map[id.Room]id.Seq, error) {
	marks := map[id.Room]id.Seq{}
	_, err := all(ctx, s.read, func(rows *sql.Rows) (struct{}, error) {
		var room string
		var seq int64
		err := rows.Scan(&room, &seq)
		marks[id.Room(room)] = id.Seq(seq)
		return struct{}{}, err
	}, `SELECT room, seq FROM mark WHERE person = $1`, string(u))
	if err != nil {
		return nil, fmt.Errorf("load read marks: %w", err)
	}
	return marks, nil
}

// DirectRooms returns the direct rooms of somebody in which something was
// written, those with the newest message first.
func (s *Store) DirectRooms(ctx context.Context, u id.User, limit int) ([]id.Room, error) {
	return all(ctx, s.read, value[id.Room], `SELECT room FROM mark WHERE person = $1 AND room LIKE 'dm-%' ORDER BY seq DESC LIMIT $2`, string(u), limit)
}

// Mentioned returns the numbers of the newest messages that called somebody.
func (s *Store) Mentioned(ctx context.Context, u id.User, before id.Seq, limit int) ([]id.Seq, error) {
	if before == 0 {
		before = 1<<62 - 1
	}
	return all(ctx, s.read, value[id.Seq], `SELECT seq FROM mention WHERE person = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3`, string(u), int64(before), limit)
}
