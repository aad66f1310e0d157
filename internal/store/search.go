package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// How each engine finds entries by words: every given word begins a word of
// the entry.

// asked is for which entries an engine is asked. Where it can, it leaves out
// what stands elsewhere or is another's before it looks at the entries; the
// query that it becomes part of has these conditions, too.
type asked struct {
	words  []string
	rooms  []id.Room // nil: wherever it stands
	person id.User
	kind   timeline.Kind // these are few among all; "" for any
	few    bool          // those of the kinds that the query asks for
	team   id.Team       // what else the query asks for
	kinds  []timeline.Kind
}

// found are the parts of a query for entries with words.
type found struct {
	from, where, order string
	along              bool // the entries of the person, newest first: one soon has enough of them
}

// maxRoomWords is from how many rooms on a search does not name them to the index.
const maxRoomWords = 16

// named reports whether the index is told the rooms, and then also the person.
// What stands in the organisation's timeline names neither.
func (a asked) named() bool {
	return len(a.rooms) > 0 && len(a.rooms) <= maxRoomWords && !slices.Contains(a.rooms, "")
}

// author is the word of the person, where the index knows it.
func (a asked) author() []string {
	if a.person == "" || !a.named() {
		return nil
	}
	return []string{AuthorWord(a.person)}
}

func (f EntryFilter) asked(few bool) asked {
	a := asked{words: f.Words, rooms: f.Rooms, person: f.Person, few: few, team: f.Team, kinds: f.Kinds}
	switch {
	case f.AllRooms:
		a.rooms = nil
	case f.Rooms == nil:
		a.rooms = []id.Room{""}
	}
	return a
}

// IndexNext adds the words of the next entries after a cursor to the search
// index, of up to limit entries, and moves the cursor. It keeps no writer
// waiting where the engine can. More says that further entries were there.
func (s *Store) IndexNext(ctx context.Context, cursor string, limit int, words func(timeline.Entry) string) (more bool, err error) {
	seen := s.outages.seen()
	t, err := s.engine.aside(ctx)
	if err != nil {
		return false, s.outages.failed(ctx, beginning, err)
	}
	open := true
	defer func() { // a panic in words must not keep the writer
		if open {
			t.rollback()
		}
	}()
	ctx = context.WithoutCancel(ctx)
	// The lock on its row keeps other nodes from indexing the same, and a
	// restore from happening meanwhile.
	at, err := one(ctx, t, value[id.Seq], `SELECT seq FROM cursor WHERE name = $1`+s.engine.forUpdate(), cursor)
	first := errors.Is(err, ErrNotFound)
	if err != nil && !first {
		return false, fmt.Errorf("index timeline: %w", err)
	}
	h, err := one(ctx, t, scanHead, selectHead)
	if err != nil {
		return false, fmt.Errorf("index timeline: %w", err)
	}
	upto := min(h.seq, at+id.Seq(limit))
	if upto <= at {
		return false, nil
	}
	entries, ok := s.recent.between(h.epoch, at, upto)
	if !ok {
		entries, err = all(ctx, t, scanEntry, selectEntry+` WHERE seq > $1 AND seq <= $2 ORDER BY seq`, int64(at), int64(upto))
		if err == nil { // when this is done anew, what has changed them may have been removed
			err = s.overlay(ctx, t, entries)
		}
		if err != nil {
			return false, fmt.Errorf("index timeline: %w", err)
		}
	}
	found, todo := newWordsOf(entries, words), []statement{}
	for chunk := range slices.Chunk(found.gone, 256) {
		todo = append(todo, s.engine.forgetWords(chunk))
	}
	todo = append(todo, s.engine.indexWords(found.seqs, found.texts)...)
	todo = append(todo, insertRows(`INSERT INTO cursor (name, seq)`, [][]any{{cursor, int64(upto)}}, upsertCursor)...)
	open = false
	if err := t.commit(ctx, todo, 0, func() {}); err != nil {
		return false, fmt.Errorf("index timeline: %w", s.outages.failed(ctx, committing, err))
	}
	s.outages.worked(ctx, seen, committing)
	return upto < h.seq, nil
}

// newWords is what is to be found anew, and what is not to be found any more as
// it was.
type newWords struct {
	seqs  []int64
	texts []string
	gone  []id.Seq
}

func newWordsOf(entries []timeline.Entry, words func(timeline.Entry) string) newWords {
	var n newWords
	for _, e := range entries {
		switch p := e.Payload.(type) {
		case timeline.Message:
			if !p.Deleted {
				n.add(e, words)
			}
		case timeline.Edit: // its words are the message's
			said := e
			said.Seq, said.Kind, said.Payload = p.Of, timeline.MessagePosted, timeline.Message{Text: p.Text}
			n.forget(p.Of)
			n.add(said, words)
		case timeline.Deletion:
			n.forget(p.Of)
		case timeline.Pin, timeline.Unpin, timeline.Reaction, timeline.ReactionGone: // nothing that its message is not found by
		default:
			n.add(e, words)
		}
	}
	return n
}

// placeWords are the words of the room that an entry stands in, and of its author.
func placeWords(e timeline.Entry) []string {
	words := []string{RoomWord(e.Room)}
	if e.Person != "" {
		words = append(words, AuthorWord(e.Person))
	}
	return words
}

// add takes the words of an entry, and in a room those of the room.
func (n *newWords) add(e timeline.Entry, words func(timeline.Entry) string) {
	text := words(e)
	if e.Room != "" {
		text = strings.TrimLeft(text+" "+strings.Join(placeWords(e), " "), " ")
	}
	n.seqs, n.texts = append(n.seqs, int64(e.Seq)), append(n.texts, text)
}

// forget takes back what was found of a message among these entries or before.
func (n *newWords) forget(seq id.Seq) {
	if i := slices.Index(n.seqs, int64(seq)); i >= 0 {
		n.seqs, n.texts = slices.Delete(n.seqs, i, i+1), slices.Delete(n.texts, i, i+1)
		return
	}
	if !slices.Contains(n.gone, seq) {
		n.gone = append(n.gone, seq)
	}
}

// roomSign begins the names of rooms among words, and twice those of authors.
const roomSign = "="

// RoomWord is the word by which everything in a room is found, so that few
// lines in a room are not looked for among millions elsewhere. Nobody can type
// it. It need not tell all rooms apart: whoever searches names them, too.
func RoomWord(r id.Room) string { return roomSign + strings.Join(Words(string(r)), "") }

// AuthorWord is RoomWord for whoever wrote something in a room.
func AuthorWord(u id.User) string { return roomSign + roomSign + strings.Join(Words(string(u)), "") }
