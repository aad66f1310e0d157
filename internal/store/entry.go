package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

const entryColumns = `entry.seq, entry.at, entry.kind, entry.incident, entry.team, entry.person, entry.room, entry.thread, entry.actor, entry.payload,
	entry.quotes, COALESCE((SELECT raw FROM alert WHERE alert.id = entry.quotes), '')`

const selectEntry = `SELECT ` + entryColumns + ` FROM entry`

func scanEntry(rows *sql.Rows) (timeline.Entry, error) {
	var e timeline.Entry
	var at int64
	var actor, payload []byte
	var in id.Alert
	var raw string
	if err := rows.Scan(&e.Seq, &at, &e.Kind, &e.Incident, &e.Team, &e.Person, &e.Room, &e.Thread, &actor, &payload, &in, &raw); err != nil {
		return e, err
	}
	e.At = instant(at)
	if len(actor) == 0 {
		e.Actor = timeline.Self
	} else if err := json.Unmarshal(packedEntry.unpack(actor), &e.Actor); err != nil {
		return e, fmt.Errorf("read entry %d: %w", e.Seq, err)
	}
	q, err := placeIn(payload, in, raw)
	if err == nil {
		e.Payload, err = timeline.Decode(e.Kind, packedEntry.unpack(payload))
	}
	if err != nil {
		return e, fmt.Errorf("read entry %d: %w", e.Seq, err)
	}
	if q.in != 0 {
		e.Payload = saying(e.Payload, q.text)
	}
	return e, nil
}

// EntryFilter chooses entries; the zero value means all of the organisation's
// timeline. What stands in other rooms has to be asked for by who may read it.
type EntryFilter struct {
	Rooms     []id.Room // in any of these; nil: the organisation's timeline alone
	AllRooms  bool      // for those who act for nobody in particular
	Thread    id.Seq    // only the answers in this thread
	NoReplies bool      // without answers in threads
	Lines     bool      // without what only changes a message that stands elsewhere
	After     id.Seq    // only later ones, the nearest first; 0: the newest
	FromStart bool      // the oldest instead of the newest, also where both ends are named
	Before    id.Seq    // only earlier ones, the nearest first
	Kinds     []timeline.Kind
	Team      id.Team
	Incident  id.Incident
	Person    id.User
	Words     []string // every word begins a word of the entry; see Words
	Limit     int      // 0: 50
}

// Entries returns the newest entries that f chooses, or those next to Before
// or After, always in the order of their numbers.
func (s *Store) Entries(ctx context.Context, f EntryFilter) ([]timeline.Entry, error) {
	var q query
	q.limit(f.Limit)
	from, order := `entry`, `entry.seq`
	kinds := make([]any, len(f.Kinds))
	for i, k := range f.Kinds {
		kinds[i] = string(k)
	}
	team, person := `entry.team <> '' AND entry.team = `, `entry.person <> '' AND entry.person = `
	few, along := false, false
	if len(kinds) > 0 && (f.Team != "" || f.Person != "" || len(f.Words) > 0) {
		var err error
		if few, err = s.engine.few(ctx, s.read, kinds); err != nil {
			return nil, fmt.Errorf("load timeline: %w", err)
		}
		if few { // keeps the indexes of these out of it
			team, person = `COALESCE(entry.team, '') = `, `COALESCE(entry.person, '') = `
		}
	}
	if len(f.Words) > 0 {
		by, err := s.engine.search(ctx, s.read, f.asked(few), q.arg)
		if err != nil {
			return nil, fmt.Errorf("load timeline: %w", err)
		}
		from, order, along = by.from, by.order, by.along
		q.and(by.where)
	}
	if f.After > 0 {
		q.where(order+` > `, int64(f.After))
	}
	if f.Before > 0 {
		q.where(order+` < `, int64(f.Before))
	}
	if !f.AllRooms {
		q.inRooms(f.Rooms)
	}
	if f.Thread > 0 {
		q.where(`entry.thread > 0 AND entry.thread = `, int64(f.Thread))
	}
	if f.NoReplies {
		q.and(`entry.thread = 0`)
	}
	if f.Lines {
		q.and(`entry.kind NOT IN ` + bookkeeping)
	}
	if f.Incident > 0 {
		q.where(`entry.incident > 0 AND entry.incident = `, int64(f.Incident))
	}
	switch {
	case f.Team == "":
	case along:
		q.and(among(`entry.team`, q.arg([]string{string(f.Team)})))
	default:
		q.where(team, string(f.Team))
	}
	if f.Person != "" {
		q.where(person, string(f.Person))
	}
	switch {
	case len(kinds) == 0:
	case along:
		q.and(among(`entry.kind`, q.arg(f.Kinds)))
	default:
		q.whereIn(`entry.kind`, kinds)
	}
	direction := ` DESC`
	if f.After > 0 && f.Before == 0 || f.FromStart {
		direction = ` ASC`
	}
	found, err := all(ctx, s.read, scanEntry,
		`SELECT `+entryColumns+` FROM `+from+q.text()+` ORDER BY `+order+direction+` LIMIT `+q.max(), q.args...)
	if err != nil {
		return nil, fmt.Errorf("load timeline: %w", err)
	}
	if direction == ` DESC` {
		for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
			found[i], found[j] = found[j], found[i]
		}
	}
	return found, s.overlay(ctx, s.read, found)
}

// bookkeeping are the kinds of entries that show on the message they are about.
const bookkeeping = `('message_edited', 'message_deleted', 'message_unpinned', 'reaction_added', 'reaction_removed')`

// inRooms lets through what stands in any of rooms; nil is the organisation's
// timeline alone. The index of rooms leaves that one out.
func (q *query) inRooms(rooms []id.Room) {
	switch {
	case rooms == nil, len(rooms) == 1 && rooms[0] == "":
		q.and(`entry.room = ''`)
	case len(rooms) == 0:
		q.and(`1 = 0`)
	case slices.Contains(rooms, ""):
		q.and(`entry.room IN ` + q.list(rooms))
	default:
		q.and(`entry.room <> '' AND entry.room IN ` + q.list(rooms))
	}
}

func (q *query) list(rooms []id.Room) string {
	args := textsOf(rooms)
	first := len(q.args) + 1
	q.args = append(q.args, args...)
	return in(first, len(args))
}

// Entry returns one entry; ErrNotFound when there is none. Whether somebody may
// read it is for the caller to say.
func (s *Store) Entry(ctx context.Context, seq id.Seq) (timeline.Entry, error) {
	e, err := one(ctx, s.read, scanEntry, selectEntry+` WHERE seq = $1`, int64(seq))
	if err != nil {
		return e, fmt.Errorf("load entry %d: %w", seq, err)
	}
	found := []timeline.Entry{e}
	err = s.overlay(ctx, s.read, found)
	return found[0], err
}

// Head says how far everything has come.
type Head struct {
	Epoch string // changes when a backup is restored: all numbers start anew
	Seq   id.Seq // the last entry
	Rev   int64  // the last change of an incident
	Org   int64  // the last change of the organisation
	At    time.Time
}

// Head returns how far everything has come.
func (s *Store) Head(ctx context.Context) (Head, error) {
	h, err := one(ctx, s.read, scanHead, selectHead)
	return Head{h.epoch, h.seq, h.rev, h.config, h.at}, err
}

// EntriesTo returns up to limit entries after seq, none after head.
func (s *Store) EntriesTo(ctx context.Context, head Head, seq id.Seq, limit int) ([]timeline.Entry, error) {
	upto := min(head.Seq, seq+id.Seq(limit))
	if found, ok := s.recent.between(head.Epoch, seq, upto); ok {
		return found, nil
	}
	found, err := all(ctx, s.read, scanEntry, selectEntry+` WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3`, int64(seq), int64(head.Seq), limit)
	if err != nil {
		return nil, fmt.Errorf("load timeline: %w", err)
	}
	return found, nil
}

// SeqAt returns the number of the last entry at or before an instant; 0 when
// there is none. Entries never go back in time, so halving finds it.
func (s *Store) SeqAt(ctx context.Context, at time.Time) (id.Seq, error) {
	h, err := s.Head(ctx)
	if err != nil {
		return 0, err
	}
	lo, hi := id.Seq(0), h.Seq
	for lo < hi {
		mid := lo + (hi-lo+1)/2
		us, err := one(ctx, s.read, value[int64], `SELECT at FROM entry WHERE seq >= $1 ORDER BY seq LIMIT 1`, int64(mid))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return 0, fmt.Errorf("find entry by time: %w", err)
		}
		if err == nil && us <= micros(at) {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo, nil
}

// Index adds the words of entries to the search index and moves its cursor.
func (tx *Tx) Index(seq id.Seq, words string) {
	tx.more = append(tx.more, tx.s.engine.indexWords([]int64{int64(seq)}, []string{words})...)
}
