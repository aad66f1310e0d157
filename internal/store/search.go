package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// How each engine finds entries by words: every given word begins a word of
// the entry.

// found are the parts of a query for entries with words.
type found struct{ from, where, order string }

// search walks the index itself, newest first, so that a common word costs no
// more than a rare one.
func (e *sqlite) search(ctx context.Context, q querier, words, rooms []string, few bool, arg func(any) string) (found, error) {
	term, err := e.searchTerm(ctx, q, words)
	if len(rooms) > 0 {
		term += ` AND ("` + strings.Join(rooms, `" OR "`) + `")`
	}
	if few { // whatever else is asked, those few are looked at one by one
		return found{`entry`, `EXISTS (SELECT 1 FROM entry_text WHERE entry_text MATCH ` + arg(term) + ` AND entry_text.rowid = entry.seq)`, `entry.seq`}, err
	}
	return found{
		`entry_text CROSS JOIN entry ON entry.seq = entry_text.rowid`, `entry_text MATCH ` + arg(term), `entry_text.rowid`,
	}, err
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
		if err != nil {
			return false, fmt.Errorf("index timeline: %w", err)
		}
	}
	found, todo := newWordsOf(entries, words), []statement{}
	for _, seq := range found.gone {
		todo = append(todo, s.engine.forgetWords(seq))
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

func (e *sqlite) forUpdate() string   { return `` }
func (e *postgres) forUpdate() string { return ` FOR UPDATE` }

// rare is how many entries can be looked at one by one.
const rare = 500

// few reports whether there are so few entries of these kinds that they should
// be walked along, whatever else is asked for. SQLite keeps no figures and
// would rather walk along a team's or a person's entries to find none.
func (e *sqlite) few(ctx context.Context, q querier, kinds []any) (bool, error) {
	args := append(slices.Clip(kinds), rare)
	n, err := one(ctx, q, value[int64], `SELECT COUNT(*) FROM (SELECT 1 FROM entry WHERE kind IN `+in(1, len(kinds))+` LIMIT $`+strconv.Itoa(len(args))+`)`, args...)
	return n < rare, err
}

// few is false: PostgreSQL keeps figures and knows by itself.
func (e *postgres) few(context.Context, querier, []any) (bool, error) { return false, nil }

func (e *sqlite) indexWords(seqs []int64, words []string) []statement {
	var all []statement
	for i, seq := range seqs {
		all = append(all, statement{`INSERT INTO entry_text (rowid, words) VALUES ($1, $2)`, []any{seq, words[i]}})
	}
	return all
}

func (e *sqlite) forgetWords(seq id.Seq) statement {
	return statement{`DELETE FROM entry_text WHERE rowid = $1`, []any{int64(seq)}}
}

func (e *postgres) forgetWords(seq id.Seq) statement {
	return statement{`DELETE FROM entry_text WHERE seq = $1`, []any{int64(seq)}}
}

// maxTerms is how many words may begin like a given one before the index is
// asked for the beginning itself.
const maxTerms = 24

// searchTerm names the words that begin like the given ones. The index walks
// along words newest first and stops when it has enough; for a beginning it
// would collect every entry there is before it gives the first.
func (e *sqlite) searchTerm(ctx context.Context, q querier, words []string) (string, error) {
	terms := make([]string, len(words))
	for i, w := range words {
		like, err := e.beginning(ctx, q, w)
		switch {
		case err != nil:
			return "", err
		case len(like) > maxTerms:
			terms[i] = `"` + w + `"*`
		default:
			terms[i] = `("` + strings.Join(append(like, w), `" OR "`) + `")`
		}
	}
	return strings.Join(terms, " AND "), nil
}

// beginning returns the words of the index that begin with w and are longer,
// maxTerms and one more at most.
func (e *sqlite) beginning(ctx context.Context, q querier, w string) ([]string, error) {
	var longer []string
	for after := w; len(longer) <= maxTerms; {
		// A character that stands in no word leads over to the next one.
		next, err := all(ctx, q, value[string], `SELECT term FROM entry_text_terms WHERE term >= $1 LIMIT 1`, after+"\x01")
		if err != nil {
			return nil, fmt.Errorf("look up words: %w", err)
		}
		if len(next) == 0 || !strings.HasPrefix(next[0], w) {
			break
		}
		after = next[0]
		longer = append(longer, after)
	}
	return slices.Clip(longer), nil
}

// recent is how many of the newest entries tell whether words are common.
const recent = 5000

// search either walks along the entries, newest first, until enough of them
// have the words, or collects all that have them. The planner cannot know
// which is better, for it takes all beginnings of words to be equally common;
// so we look at the latest entries first, and leave it no choice: the index is
// of another expression, and it does not look behind OFFSET.
func (e *postgres) search(ctx context.Context, q querier, words, rooms []string, _ bool, arg func(any) string) (found, error) {
	args := []any{recent}
	among := has(words, rooms, func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	})
	common, err := one(ctx, q, value[int64], `SELECT COUNT(*) FROM (SELECT words FROM entry_text WHERE seq > (SELECT seq FROM head) - $1 OFFSET 0) AS latest
		WHERE `+among, args...)
	if err != nil {
		return found{}, fmt.Errorf("look up words: %w", err)
	}
	if common >= recent/100 {
		return found{`entry JOIN entry_text ON entry_text.seq = entry.seq`, has(words, rooms, arg), `entry.seq`}, nil
	}
	return found{
		`(SELECT seq FROM entry_text WHERE ` + vector + ` @@ CAST(` + arg(searchQuery(words, rooms)) + ` AS TSQUERY) ORDER BY seq DESC OFFSET 0) AS hit CROSS JOIN LATERAL (SELECT * FROM entry WHERE entry.seq = hit.seq OFFSET 0) AS entry`,
		`TRUE`, `hit.seq`,
	}, nil
}

func (e *postgres) indexWords(seqs []int64, words []string) []statement {
	return []statement{{`INSERT INTO entry_text (seq, words) SELECT seq, ' ' || words
		FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[])) AS new (seq, words) ON CONFLICT (seq) DO NOTHING`, []any{seqs, words}}}
}

// vector is what is indexed of entry_text.
const vector = `array_to_tsvector(string_to_array(substr(words, 2), ' '))`

// has is the condition that words of an entry begin so, and that it stands in
// one of rooms, without the index.
func has(words, rooms []string, arg func(any) string) string {
	all := make([]string, len(words), len(words)+1)
	for i, w := range words {
		all[i] = `strpos(words, ` + arg(" "+w) + `) > 0`
	}
	if len(rooms) > 0 {
		in := make([]string, len(rooms))
		for i, r := range rooms {
			in[i] = `strpos(words, ` + arg(" "+r) + `) > 0`
		}
		all = append(all, `(`+strings.Join(in, ` OR `)+`)`)
	}
	return strings.Join(all, ` AND `)
}

func searchQuery(words, rooms []string) string {
	terms := make([]string, len(words), len(words)+1)
	for i, w := range words {
		terms[i] = `'` + w + `':*`
	}
	if len(rooms) > 0 {
		terms = append(terms, `('`+strings.Join(rooms, `' | '`)+`')`)
	}
	return strings.Join(terms, " & ")
}

// RoomWord is the word by which everything in a room is found, so that few
// lines in a room are not looked for among millions elsewhere. Nobody can type
// it. It need not tell all rooms apart: whoever searches names them, too.
func RoomWord(r id.Room) string { return "=" + strings.Join(Words(string(r)), "") }

// AuthorWord is RoomWord for whoever wrote something in a room.
func AuthorWord(u id.User) string { return "==" + strings.Join(Words(string(u)), "") }

// maxRoomWords is from how many rooms on a search does not name them to the index.
const maxRoomWords = 16

// roomWords are the words of the rooms that are searched, when they cut.
func roomWords(f EntryFilter) []string {
	if f.AllRooms || len(f.Rooms) == 0 || len(f.Rooms) > maxRoomWords || slices.Contains(f.Rooms, "") {
		return nil
	}
	words := make([]string, len(f.Rooms))
	for i, r := range f.Rooms {
		words[i] = RoomWord(r)
	}
	return words
}
