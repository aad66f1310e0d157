package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	driver "modernc.org/sqlite" // "sqlite" to database/sql
)

// sqlite is the engine in a file: write-ahead log, every commit synced, one
// writing connection that keeps its statements prepared.
type sqlite struct {
	db       *sql.DB
	outages  *outages
	turn     chan struct{} // holds one token: whoever has it writes
	conn     *sql.Conn
	prepared map[string]*sql.Stmt // of conn; guarded by turn
	version  uint32               // what is in the file since our last commit; guarded by turn
}

// SQLite's own limits on what it keeps prepared are none; ours keeps memory small.
const maxPrepared = 200

func (s *Store) openSQLite(ctx context.Context, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if err := makePrivate(path); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	dsn := func(more string) string {
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
			"&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)" + more
	}
	var err error
	if s.write, err = sql.Open("sqlite", dsn("&_pragma=wal_autocheckpoint(4000)&_pragma=cache_size(-16000)")); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	// Readers have little memory each: what they look for once is not there anyway,
	// and a page that the system has is read in less time than memory for it is found.
	read, err := sql.Open("sqlite", dsn("&_pragma=query_only(ON)&_pragma=cache_size(-4000)"))
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	s.read = &reader{DB: read, outages: &s.outages, keep: true, kept: map[string]*sql.Stmt{}}
	s.write.SetMaxOpenConns(2) // one for transactions, one for migrations and single statements
	s.read.SetMaxOpenConns(8)
	s.read.SetMaxIdleConns(8)
	e := &sqlite{db: s.write, outages: &s.outages, turn: make(chan struct{}, 1), prepared: map[string]*sql.Stmt{}}
	s.engine = e
	if e.conn, err = s.write.Conn(ctx); err != nil {
		return fmt.Errorf("open database %s: %w", path, err)
	}
	e.turn <- struct{}{}
	return nil
}

// makePrivate makes the file when there is none, for its owner alone: it holds
// all that was said and the hashes of passwords. SQLite makes the files beside it alike.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func (e *sqlite) name() string { return "sqlite" }

func (e *sqlite) clock() string { return `0` }

func (e *sqlite) begin(ctx context.Context, ahead *question) (tx, head, error) {
	select {
	case <-e.turn:
	case <-ctx.Done():
		return nil, head{}, context.Cause(ctx)
	}
	t := &sqliteTx{e: e, knows: true}
	ctx = context.WithoutCancel(ctx) // a transaction is short; half of one is of no use
	if err := e.exec(ctx, `BEGIN IMMEDIATE`, nil); err != nil {
		t.release()
		return nil, head{}, fmt.Errorf("begin: %w", err)
	}
	begun := false
	defer func() { //nolint:contextcheck // never cancelled; after a panic, too
		if !begun {
			t.rollback()
		}
	}()
	if ahead != nil && ahead.guess != nil && e.asWeLeftIt() {
		h, ok := ahead.guess() // nobody can change it any more
		if ahead.guessed = ok; ok {
			begun = true
			return t, h, nil
		}
	}
	h, err := one(ctx, t, scanHead, selectHead)
	if err != nil {
		return nil, head{}, fmt.Errorf("begin: %w", err)
	}
	if ahead != nil {
		_, err := all(ctx, t, func(rows *sql.Rows) (struct{}, error) { return struct{}{}, ahead.take(rows) }, ahead.query, ahead.args...)
		if err != nil {
			return nil, head{}, err
		}
	}
	begun = true
	return t, h, nil
}

// asWeLeftIt reports whether nobody has changed the file since our last commit.
func (e *sqlite) asWeLeftIt() bool { return e.version != 0 && e.dataVersion() == e.version }

// dataVersion is another whenever anybody has changed the file; 0 when it cannot be told.
func (e *sqlite) dataVersion() (version uint32) {
	err := e.conn.Raw(func(dc any) (err error) {
		if c, ok := dc.(driver.FileControl); ok {
			version, err = c.FileControlDataVersion("main")
		}
		return err
	})
	if err != nil {
		return 0
	}
	return version
}

// aside is the one writer: there is no other.
func (e *sqlite) aside(ctx context.Context) (tx, error) {
	t, _, err := e.begin(ctx, nil)
	if err != nil {
		return nil, err
	}
	t.(*sqliteTx).knows = e.asWeLeftIt() // whoever called does not look at the head
	return t, nil
}

func (e *sqlite) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := e.prepared[query]; ok {
		return st, nil
	}
	if len(e.prepared) >= maxPrepared {
		for text, st := range e.prepared {
			_ = st.Close()
			delete(e.prepared, text)
		}
	}
	st, err := e.conn.PrepareContext(ctx, nameless(query))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", firstLine(query), err)
	}
	e.prepared[query] = st
	return st, nil
}

// nameless writes ? for $1, $2, $3 … where they stand in this order: SQLite
// finds the name of each by walking over all of them, which in a statement
// with many rows takes longer than the rows.
func nameless(query string) string {
	var b strings.Builder
	rest := query
	for n := 1; ; n++ {
		before, after, found := strings.Cut(rest, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		number := strconv.Itoa(n)
		after, ok := strings.CutPrefix(after, number)
		if !ok || after != "" && after[0] >= '0' && after[0] <= '9' {
			return query
		}
		b.WriteByte('?')
		rest = after
	}
}

func (e *sqlite) exec(ctx context.Context, query string, args []any) error {
	st, err := e.stmt(ctx, query) //nolint:sqlclosecheck // stays prepared
	if err != nil {
		return err
	}
	if _, err := st.ExecContext(ctx, args...); err != nil {
		return fmt.Errorf("%s: %w", firstLine(query), err)
	}
	return nil
}

func (e *sqlite) follow(ctx context.Context, _ func(Topics)) error {
	<-ctx.Done()
	return nil
}

func (e *sqlite) close() error {
	<-e.turn
	for _, st := range e.prepared {
		_ = st.Close()
	}
	return e.conn.Close()
}

type sqliteTx struct {
	e     *sqlite
	knows bool // whoever has it knows the head
}

func (t *sqliteTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := t.e.stmt(ctx, query) //nolint:sqlclosecheck // stays prepared
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

func (t *sqliteTx) silence() time.Duration { return 0 }

func (t *sqliteTx) outage() *outages { return t.e.outages }

func (t *sqliteTx) commit(ctx context.Context, all []statement, _ Topics, done func()) error {
	for _, s := range all {
		if err := t.e.exec(ctx, s.query, s.args); err != nil {
			t.rollback() //nolint:contextcheck // never cancelled
			return err
		}
	}
	if err := t.e.exec(ctx, `COMMIT`, nil); err != nil {
		t.rollback() //nolint:contextcheck // never cancelled
		return err
	}
	t.e.version = 0
	if t.knows {
		t.e.version = t.e.dataVersion()
	}
	defer t.release()
	done()
	return nil
}

func (t *sqliteTx) rollback() {
	// The error is of no use: either there is nothing to roll back, or the next BEGIN says what is wrong.
	_ = t.e.exec(context.Background(), `ROLLBACK`, nil)
	t.release()
}

func (t *sqliteTx) release() { t.e.turn <- struct{}{} }
