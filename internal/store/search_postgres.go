package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/id"
)

// search either walks along the entries, newest first, until enough of them
// have the words, or collects all that have them. The planner cannot know
// which is better, for it takes all beginnings of words to be equally common;
// so we look at the latest entries first, and leave it no choice: the index is
// of another expression, and it does not look behind OFFSET.
func (e *postgres) search(ctx context.Context, q querier, a asked, arg func(any) string) (found, error) {
	common, along, err := e.common(ctx, q, a)
	if err != nil {
		return found{}, fmt.Errorf("look up words: %w", err)
	}
	if common {
		return found{from: `entry JOIN entry_text ON entry_text.seq = entry.seq`, where: has(a.words, arg), order: `entry.seq`, along: along}, nil
	}
	where := vector + ` @@ CAST(` + arg(searchQuery(a)) + ` AS TSQUERY)`
	if a.rooms != nil {
		where += ` AND ` + stands(a.rooms, arg)
	}
	return found{
		from:  `(SELECT seq FROM entry_text WHERE ` + where + ` ORDER BY seq DESC OFFSET 0) AS hit CROSS JOIN LATERAL (SELECT * FROM entry WHERE entry.seq = hit.seq OFFSET 0) AS entry`,
		where: `TRUE`, order: `hit.seq`,
	}, nil
}

const (
	// recent is how many of the newest entries tell whether words are common.
	recent = 5000
	// recentOf is how many of the newest of a room or of a person.
	recentOf = 500
)

// common reports whether words are so common where they are looked for that one
// soon has enough of them when one walks along the entries; along says so of
// whatever is asked for, among the entries of the person.
func (e *postgres) common(ctx context.Context, q querier, a asked) (common, along bool, err error) {
	if a.person != "" || a.oneRoom() {
		common, along, err = e.commonHere(ctx, q, a)
		if common || err != nil || a.named() { // of what is named the index gives no more than there is
			return common, along, err
		}
	}
	var args arguments
	hits, err := one(ctx, q, value[int64], `SELECT COUNT(*) FROM (SELECT words FROM entry_text WHERE seq > (SELECT seq FROM head) - `+args.add(recent)+` OFFSET 0) AS latest
		WHERE `+a.inText(args.add), args...)
	return hits >= recent/100, false, err
}

// commonHere asks the latest of one room, or of one person.
func (e *postgres) commonHere(ctx context.Context, q querier, a asked) (common, along bool, err error) {
	var args arguments
	var scope []string
	if a.oneRoom() {
		scope = append(scope, `room <> '' AND room = `+args.add(string(a.rooms[0])))
	}
	if a.person != "" {
		scope = append(scope, `person <> '' AND person = `+args.add(string(a.person)))
	}
	words := a.inText(args.add)
	fits := words
	if a.team != "" {
		fits += ` AND ` + among(`team`, args.add([]string{string(a.team)}))
	}
	if len(a.kinds) > 0 {
		fits += ` AND ` + among(`kind`, args.add(a.kinds))
	}
	type sample struct{ all, hits, fits int }
	latest, err := one(ctx, q, func(rows *sql.Rows) (s sample, err error) {
		err = rows.Scan(&s.all, &s.hits, &s.fits)
		return s, err
	},
		`SELECT COUNT(*), COUNT(CASE WHEN `+words+` THEN 1 END), COUNT(CASE WHEN `+fits+` THEN 1 END)
			FROM (SELECT seq, team, kind FROM entry WHERE `+strings.Join(scope, ` AND `)+` ORDER BY seq DESC LIMIT `+args.add(recentOf)+`) AS latest
			LEFT JOIN entry_text ON entry_text.seq = latest.seq`, args...)
	enough := func(n int) bool { return latest.all < recentOf || n >= recentOf/20 }
	return enough(latest.hits), a.person != "" && enough(latest.fits), err
}

// among is the condition that a column has one of the values, in words that no
// index is for; the planner takes a third of all for such.
func among(column, values string) string {
	return `array_position(CAST(` + values + ` AS TEXT[]), ` + column + `) > 0`
}

// oneRoom reports whether a room other than the organisation's timeline is all that is asked for.
func (a asked) oneRoom() bool { return len(a.rooms) == 1 && a.rooms[0] != "" }

// inText is the condition that words of an entry begin so, and that it stands
// where it is looked for, without the index.
func (a asked) inText(arg func(any) string) string {
	if a.rooms == nil {
		return has(a.words, arg)
	}
	return has(a.words, arg) + ` AND ` + stands(a.rooms, arg)
}

func has(words []string, arg func(any) string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = `strpos(words, ` + arg(" "+w) + `) > 0`
	}
	return strings.Join(all, ` AND `)
}

// stands is the condition that an entry stands in one of rooms; the first word
// with a sign names it, and what stands in the organisation's timeline has none.
func stands(rooms []id.Room, arg func(any) string) string {
	names := make([]string, len(rooms))
	for i, r := range rooms {
		names[i] = strings.TrimPrefix(RoomWord(r), roomSign)
	}
	return `split_part(words, ' ` + roomSign + `', 2) = ANY(` + arg(names) + `)`
}

// arguments of a query.
type arguments []any

func (a *arguments) add(v any) string {
	*a = append(*a, v)
	return "$" + strconv.Itoa(len(*a))
}

// vector is what is indexed of entry_text.
const vector = `array_to_tsvector(string_to_array(substr(words, 2), ' '))`

func searchQuery(a asked) string {
	var terms []string
	for _, w := range a.words {
		terms = append(terms, `'`+w+`':*`)
	}
	for _, w := range a.author() {
		terms = append(terms, `'`+w+`'`)
	}
	if a.named() {
		rooms := make([]string, len(a.rooms))
		for i, r := range a.rooms {
			rooms[i] = `'` + RoomWord(r) + `'`
		}
		terms = append(terms, `(`+strings.Join(rooms, ` | `)+`)`)
	}
	return strings.Join(terms, " & ")
}

// few is false: PostgreSQL keeps figures and knows by itself.
func (e *postgres) few(context.Context, querier, []any) (bool, error) { return false, nil }

func (e *postgres) indexWords(seqs []int64, words []string) []statement {
	return []statement{{`INSERT INTO entry_text (seq, words) SELECT seq, ' ' || words
		FROM unnest(CAST($1 AS BIGINT[]), CAST($2 AS TEXT[])) AS new (seq, words) ON CONFLICT (seq) DO NOTHING`, []any{seqs, words}}}
}

func (e *postgres) forgetWords(seqs []id.Seq) statement {
	args := numbersOf(seqs)
	return statement{`DELETE FROM entry_text WHERE seq IN ` + in(1, len(args)), args}
}

func (e *postgres) forUpdate() string { return ` FOR UPDATE` }
