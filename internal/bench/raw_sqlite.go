package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqlite is one connection that keeps its statements prepared.
type sqlite struct {
	db       *sql.DB
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

func openSQLite(ctx context.Context, path string) (*sqlite, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"+
		"&_pragma=synchronous(FULL)&_pragma=cache_size(-16000)&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), db.Close())
	}
	return &sqlite{db: db, conn: conn, prepared: map[string]*sql.Stmt{}}, nil
}

func (e *sqlite) exec(ctx context.Context, query string, args ...any) error {
	if _, err := e.conn.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("%.60s: %w", query, err)
	}
	return nil
}

func (e *sqlite) number(ctx context.Context, query string, args ...any) (int64, error) {
	var n int64
	if err := e.conn.QueryRowContext(ctx, query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("%.60s: %w", query, err)
	}
	return n, nil
}

func (e *sqlite) rows(ctx context.Context, query string, args ...any) (columns []string, values [][]any, err error) {
	rows, err := e.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("%.60s: %w", query, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, fmt.Errorf("%.60s: %w", query, err)
	}
	for rows.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, nil, fmt.Errorf("%.60s: %w", query, err)
		}
		values = append(values, row)
	}
	return columns, values, rows.Err()
}

// placeholder has no name: SQLite looks names up by walking over all of them.
func (e *sqlite) placeholder(int) string { return "?" }

func (e *sqlite) run(ctx context.Context, query string, args []any) error {
	st, ok := e.prepared[query]
	if !ok {
		var err error
		if st, err = e.conn.PrepareContext(ctx, query); err != nil {
			return fmt.Errorf("%.60s: %w", query, err)
		}
		e.prepared[query] = st
	}
	if _, err := st.ExecContext(ctx, args...); err != nil {
		return fmt.Errorf("%.60s: %w", query, err)
	}
	return nil
}

func (e *sqlite) group(ctx context.Context, all []statement) error {
	if err := e.run(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	for _, s := range all {
		if err := e.run(ctx, s.query, s.args); err != nil {
			return errors.Join(err, e.run(ctx, "ROLLBACK", nil))
		}
	}
	return e.run(ctx, "COMMIT", nil)
}

// fillAtOnce is how many rows of a fill share a transaction.
const fillAtOnce = 50_000

func (e *sqlite) fill(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error {
	if err := e.exec(ctx, "PRAGMA synchronous = OFF"); err != nil {
		return err
	}
	for begin := 0; begin < n; begin += fillAtOnce {
		if err := e.run(ctx, "BEGIN IMMEDIATE", nil); err != nil {
			return err
		}
		end := min(n, begin+fillAtOnce)
		for i := begin; i < end; i += widest {
			rows := make([][]any, 0, widest)
			for j := i; j < min(end, i+widest); j++ {
				rows = append(rows, row(j))
			}
			for _, s := range inserts(e, table, columns, rows, "") {
				if err := e.run(ctx, s.query, s.args); err != nil {
					return errors.Join(err, e.run(ctx, "ROLLBACK", nil))
				}
			}
		}
		if err := e.run(ctx, "COMMIT", nil); err != nil {
			return err
		}
	}
	return nil
}

func (e *sqlite) fillWords(ctx context.Context, n int, row func(i int) (int64, string)) error {
	return e.fill(ctx, "entry_text", []string{"rowid", "words"}, n, func(i int) []any {
		seq, words := row(i)
		return []any{seq, words}
	})
}

func (e *sqlite) indexes(ctx context.Context, table string) (names, makers []string, err error) {
	_, values, err := e.rows(ctx, "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = $1 AND sql IS NOT NULL", table)
	return textColumn(values, 0), textColumn(values, 1), err
}

// settle moves the log into the file, as the node would have done meanwhile.
func (e *sqlite) settle(ctx context.Context) error {
	return e.exec(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
}

func (e *sqlite) close(context.Context) error {
	return errors.Join(e.conn.Close(), e.db.Close())
}

func textColumn(values [][]any, column int) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i], _ = v[column].(string)
	}
	return all
}
