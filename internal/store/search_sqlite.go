package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/id"
)

// search walks the index itself, newest first, so that a common word costs no
// more than a rare one. Who wrote an entry, or that it is of a kind of which
// there are few, is looked up in the index of that: its rows lie together,
// those of the entries far from one another.
func (e *sqlite) search(ctx context.Context, q querier, a asked, arg func(any) string) (found, error) {
	most := maxTerms
	if a.few {
		most = maxTermsEach
	}
	term, whole, err := e.searchTerm(ctx, q, a.words, most)
	for _, w := range a.author() {
		term += ` AND "` + w + `"`
	}
	if a.named() {
		rooms := make([]string, len(a.rooms))
		for i, r := range a.rooms {
			rooms[i] = RoomWord(r)
		}
		term += ` AND ("` + strings.Join(rooms, `" OR "`) + `")`
	}
	if a.few && !whole { // would be collected for each of them
		return found{from: `entry`, where: `entry.seq IN (SELECT rowid FROM entry_text WHERE entry_text MATCH ` + arg(term) + `)`, order: `entry.seq`}, err
	}
	if a.few { // whatever else is asked, those few are looked at one by one
		return found{from: `entry`, where: `EXISTS (SELECT 1 FROM entry_text WHERE entry_text MATCH ` + arg(term) + ` AND entry_text.rowid = entry.seq)`, order: `entry.seq`}, err
	}
	where := `entry_text MATCH ` + arg(term)
	if a.person != "" && !a.named() {
		where += ` AND EXISTS (SELECT 1 FROM entry AS theirs INDEXED BY entry_person WHERE theirs.person <> '' AND theirs.person = ` + arg(string(a.person)) + ` AND theirs.seq = entry_text.rowid)`
	}
	if a.kind != "" {
		where += ` AND EXISTS (SELECT 1 FROM entry AS such INDEXED BY entry_kind WHERE such.kind = ` + arg(string(a.kind)) + ` AND such.seq = entry_text.rowid)`
	}
	return found{from: `entry_text CROSS JOIN entry ON entry.seq = entry_text.rowid`, where: where, order: `entry_text.rowid`}, err
}

// How many words may begin like a given one before the index is asked for the
// beginning itself: of those that are walked along together, and of those that
// are looked for in one entry after the other.
const (
	maxTerms     = 500
	maxTermsEach = 50
)

// searchTerm names the words that begin like the given ones. The index walks
// along words newest first and stops when it has enough; for a beginning it
// would collect every entry there is before it gives the first. Whole says
// that there were no more than most for any of them.
func (e *sqlite) searchTerm(ctx context.Context, q querier, words []string, most int) (term string, whole bool, err error) {
	terms := make([]string, len(words))
	whole = true
	for i, w := range words {
		like, err := e.beginning(ctx, q, w, most)
		switch {
		case err != nil:
			return "", false, err
		case len(like) > most:
			terms[i], whole = `"`+w+`"*`, false
		default:
			terms[i] = `("` + strings.Join(append(like, w), `" OR "`) + `")`
		}
	}
	return strings.Join(terms, " AND "), whole, nil
}

// longerWords leads from one word of the index that is longer than $1 to the
// next. A character that stands in no word leads over to it.
const longerWords = `WITH RECURSIVE longer (term) AS (
		SELECT (SELECT term FROM entry_text_terms WHERE term >= $1 || char(1) LIMIT 1)
		UNION ALL
		SELECT (SELECT term FROM entry_text_terms WHERE term >= longer.term || char(1) LIMIT 1) FROM longer WHERE substr(longer.term, 1, length($1)) = $1
		LIMIT $2)
	SELECT term FROM longer WHERE substr(term, 1, length($1)) = $1`

// beginning returns the words of the index that begin with w and are longer,
// most and one more at most.
func (e *sqlite) beginning(ctx context.Context, q querier, w string, most int) ([]string, error) {
	longer, err := all(ctx, q, value[string], longerWords, w, most+1)
	if err != nil {
		return nil, fmt.Errorf("look up words: %w", err)
	}
	return longer, nil
}

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

func (e *sqlite) indexWords(seqs []int64, words []string) []statement {
	var all []statement
	for i, seq := range seqs {
		all = append(all, statement{`INSERT INTO entry_text (rowid, words) VALUES ($1, $2)`, []any{seq, words[i]}})
	}
	return all
}

func (e *sqlite) forgetWords(seqs []id.Seq) statement {
	args := numbersOf(seqs)
	return statement{`DELETE FROM entry_text WHERE rowid IN ` + in(1, len(args)), args}
}

func (e *sqlite) forUpdate() string { return `` }
