package bench

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// postgres is one connection.
type postgres struct{ conn *pgx.Conn }

func openPostgres(ctx context.Context, url string) (*postgres, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &postgres{conn}, nil
}

func (e *postgres) exec(ctx context.Context, query string, args ...any) error {
	if _, err := e.conn.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("%.60s: %w", query, err)
	}
	return nil
}

func (e *postgres) number(ctx context.Context, query string, args ...any) (int64, error) {
	var n int64
	if err := e.conn.QueryRow(ctx, query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("%.60s: %w", query, err)
	}
	return n, nil
}

func (e *postgres) rows(ctx context.Context, query string, args ...any) (columns []string, values [][]any, err error) {
	rows, err := e.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("%.60s: %w", query, err)
	}
	defer rows.Close()
	for _, f := range rows.FieldDescriptions() {
		columns = append(columns, f.Name)
	}
	for rows.Next() {
		row, err := rows.Values()
		if err != nil {
			return nil, nil, fmt.Errorf("%.60s: %w", query, err)
		}
		values = append(values, row)
	}
	return columns, values, rows.Err()
}

func (e *postgres) placeholder(n int) string { return "$" + strconv.Itoa(n) }

// group is one trip: nothing is read, so nothing has to be waited for.
func (e *postgres) group(ctx context.Context, all []statement) error {
	b := &pgx.Batch{}
	b.Queue("BEGIN")
	b.Queue("SELECT seq FROM head WHERE id = 1 FOR UPDATE")
	for _, s := range all {
		b.Queue(s.query, s.args...)
	}
	b.Queue("COMMIT")
	if err := e.conn.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("write a group: %w", err)
	}
	return nil
}

func (e *postgres) fill(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error {
	i := 0
	_, err := e.conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) {
		if i == n {
			return nil, nil
		}
		i++
		return row(i - 1), nil
	}))
	if err != nil {
		return fmt.Errorf("fill %s: %w", table, err)
	}
	return nil
}

func (e *postgres) fillWords(ctx context.Context, n int, row func(i int) (int64, string)) error {
	if err := e.exec(ctx, "CREATE TEMP TABLE fill_words (seq BIGINT, words TEXT)"); err != nil {
		return err
	}
	err := e.fill(ctx, "fill_words", []string{"seq", "words"}, n, func(i int) []any {
		seq, words := row(i)
		return []any{seq, words}
	})
	if err != nil {
		return err
	}
	return withoutIndexes(ctx, e, "entry_text", func() error {
		return e.exec(ctx, "INSERT INTO entry_text (seq, words) SELECT seq, ' ' || words FROM fill_words")
	})
}

func (e *postgres) indexes(ctx context.Context, table string) (names, makers []string, err error) {
	_, values, err := e.rows(ctx, `SELECT indexname::text, indexdef FROM pg_indexes WHERE tablename = $1 AND indexname NOT LIKE '%\_pkey'`, table)
	return textColumn(values, 0), textColumn(values, 1), err
}

// settle counts the rows for the planner, as autovacuum would have done meanwhile.
func (e *postgres) settle(ctx context.Context) error {
	if err := e.exec(ctx, "VACUUM ANALYZE"); err != nil {
		return err
	}
	return e.exec(ctx, "CHECKPOINT")
}

func (e *postgres) close(ctx context.Context) error { return e.conn.Close(ctx) }
