package bench

import (
	"context"
	"strings"
)

// raw is an engine through its bare driver: the reference for our own store,
// and the quick way to fill a database.
type raw interface {
	exec(ctx context.Context, query string, args ...any) error
	// number returns the only value of a query.
	number(ctx context.Context, query string, args ...any) (int64, error)
	// rows returns columns and values of a query.
	rows(ctx context.Context, query string, args ...any) (columns []string, values [][]any, err error)
	// placeholder of the n-th argument, in the way that costs the engine least.
	placeholder(n int) string
	// group writes one durable transaction, in as few trips as the engine allows.
	group(ctx context.Context, all []statement) error
	// fill inserts n rows without care for a crash.
	fill(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error
	// fillWords fills the search index.
	fillWords(ctx context.Context, n int, row func(i int) (seq int64, words string)) error
	// indexes returns the statements that make the indexes of a table anew.
	indexes(ctx context.Context, table string) (names, makers []string, err error)
	// settle does what the engine itself does after a while in the background.
	settle(ctx context.Context) error
	close(ctx context.Context) error
}

// statement is a text with its arguments.
type statement struct {
	query string
	args  []any
}

// widest is how many rows one statement inserts at most, as in the store.
const widest = 64

// inserts makes statements that insert rows; the number of rows in each is a
// power of two, so that few texts exist and both engines keep them prepared.
func inserts(db raw, table string, columns []string, rows [][]any, suffix string) []statement {
	var all []statement
	for len(rows) > 0 {
		n := widest
		for n > len(rows) {
			n /= 2
		}
		args := make([]any, 0, n*len(columns))
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		all = append(all, statement{insertText(db, table, columns, n) + suffix, args})
		rows = rows[n:]
	}
	return all
}

func insertText(db raw, table string, columns []string, n int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES ")
	p := 0
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		for j := range columns {
			b.WriteByte("(,"[min(j, 1)])
			p++
			b.WriteString(db.placeholder(p))
		}
		b.WriteByte(')')
	}
	return b.String()
}

// withoutIndexes fills a table while its indexes are away, which is much
// faster than keeping them up to date with a million rows.
func withoutIndexes(ctx context.Context, db raw, table string, fill func() error) error {
	names, makers, err := db.indexes(ctx, table)
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := db.exec(ctx, "DROP INDEX "+n); err != nil {
			return err
		}
	}
	if err := fill(); err != nil {
		return err
	}
	for _, m := range makers {
		if err := db.exec(ctx, m); err != nil {
			return err
		}
	}
	return nil
}
