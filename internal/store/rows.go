package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/incident"
)

// querier is what a read needs: the reading pool, or the writing connection.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	silence() time.Duration // for how long a query may take; 0: any time
	outage() *outages       // where it is noted that the database is away
}

// bounded ends after limit, unless there is none or ctx has one of its own.
func bounded(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok || limit == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, limit)
}

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// all runs a query and scans every row with scan.
func all[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	asked, seen := ctx, q.outage().seen()
	ctx, cancel := bounded(ctx, q.silence())
	defer cancel()
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", firstLine(query), q.outage().failed(asked, reading, err))
	}
	defer rows.Close()
	var found []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", firstLine(query), err)
		}
		found = append(found, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", firstLine(query), q.outage().failed(asked, reading, err))
	}
	q.outage().worked(ctx, seen, reading)
	return found, nil
}

// one runs a query for exactly one row; none is ErrNotFound.
func one[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any) (T, error) {
	found, err := all(ctx, q, scan, query, args...)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}

// value scans a single column.
func value[T any](rows *sql.Rows) (T, error) {
	var v T
	err := rows.Scan(&v)
	return v, err
}

func firstLine(query string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(query), "\n")
	if len(line) > 60 {
		line = line[:60]
	}
	return line
}

// statement is a text with its arguments, waiting for the commit.
type statement struct {
	query string
	args  []any
}

// insertRows makes statements that insert rows of equal width. The number of
// rows in one statement is a power of two, so that few different texts exist
// and both engines can keep them prepared.
func insertRows(into string, rows [][]any, suffix string) []statement {
	var all []statement
	for len(rows) > 0 {
		n := 64
		for n > len(rows) {
			n /= 2
		}
		args := make([]any, 0, n*len(rows[0]))
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		all = append(all, statement{into + " VALUES " + tuples(n, len(rows[0])) + suffix, args})
		rows = rows[n:]
	}
	return all
}

// putRows is insertRows for rows in the order of their numbers, of which those
// up to last may be there already and are changed then. The others are told
// apart because looking for something to change costs an eighth of an insert.
func putRows(into string, rows [][]any, last int64, change string) []statement {
	n := sort.Search(len(rows), func(i int) bool { return rows[i][0].(int64) > last })
	return append(insertRows(into, rows[:n], change), insertRows(into, rows[n:], ``)...)
}

// tuples is ($1,$2),($3,$4) for n=2, width=2.
func tuples(n, width int) string {
	var b strings.Builder
	b.Grow(n * width * 5)
	p := 1
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		for j := range width {
			if j == 0 {
				b.WriteByte('(')
			} else {
				b.WriteByte(',')
			}
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(p))
			p++
		}
		b.WriteByte(')')
	}
	return b.String()
}

// in is ($from,…) for n arguments.
func in(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i == 0 {
			b.WriteByte('(')
		} else {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
	}
	b.WriteByte(')')
	return b.String()
}

// padded repeats the last argument until their number is a power of two, for
// the same reason as in insertRows; a set with a repeated member is the same set.
func padded(args []any) []any {
	n := 1
	for n < len(args) {
		n *= 2
	}
	for len(args) > 0 && len(args) < n {
		args = append(args, args[len(args)-1])
	}
	return args
}

// numbersOf are numbers as the arguments of a set.
func numbersOf[N ~int64](numbers []N) []any {
	args := make([]any, len(numbers), 2*len(numbers))
	for i, n := range numbers {
		args[i] = int64(n)
	}
	return padded(args)
}

// textsOf is numbersOf for texts.
func textsOf[T ~string](texts []T) []any {
	args := make([]any, len(texts), 2*len(texts))
	for i, t := range texts {
		args[i] = string(t)
	}
	return padded(args)
}

// Instants are microseconds since 1970; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func readJSON[T any](data []byte) (T, error) {
	var v T
	switch any(v).(type) {
	case incident.Incident:
		data = packedIncident.unpack(data)
	case storedAlert:
		data = packedAlert.unpack(data)
	case DeliveryBody:
		data = packedPage.unpack(data)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, fmt.Errorf("read stored JSON: %w", err)
	}
	return v, nil
}

func writeJSON(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// prefixed puts a prefix before each of the columns of a list.
func prefixed(prefix, columns string) string {
	return prefix + strings.ReplaceAll(columns, ", ", ", "+prefix)
}
