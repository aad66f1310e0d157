// Package store is the database: SQLite in a folder, or PostgreSQL. It is the
// only package that speaks SQL; the text is the same for both engines.
//
// Writing goes through InTx. There is one writer at a time, on SQLite because
// it has one, on PostgreSQL because every writing transaction locks the head
// row first. What follows from it: numbers of entries, incidents and alerts
// are dense and follow commit order; a reader with a cursor misses nothing;
// there are no deadlocks, and rows need no further locks. A transaction is
// short: it reads what it decides on, buffers what it writes, and sends all of
// it with the commit. Nothing leaves the process from inside one.
//
// Reading goes through the methods of Store; on SQLite readers never wait for
// the writer.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
)

//go:embed migrations
var migrations embed.FS

// Config says where the data is.
type Config struct {
	Path     string           // SQLite file; used when Database is empty
	Database string           // postgres:// URL
	Clock    func() time.Time // nil: time.Now on SQLite, the server's clock on PostgreSQL
	Alone    bool             // no other server opens this database, which the caller sees to; see Store.Alone
	Log      *slog.Logger     // told when the database goes away and when it is back; nil: nobody is
}

// Store is an open database.
type Store struct {
	engine  engine
	write   *sql.DB
	read    *reader
	clock   func() time.Time
	org     atomic.Pointer[snapshot]
	reading chan struct{} // holds one: whoever reads the organisation
	behind  chan struct{} // holds one: whoever queues with the writers for those in DoBehind
	taken   atomic.Int64  // when alerts were last committed, in nanoseconds since 1970
	wakes   *wakes
	recent  recentEntries
	ahead   atomic.Pointer[func(*Tx) error] // see BeforeCommit
	memory  memory
	outages outages
	alone   bool
}

// engine is what differs between the two databases.
type engine interface {
	name() string
	// begin opens the writing transaction and returns the head, locked. When
	// ahead is not nil, it is asked in the transaction on the same way.
	begin(ctx context.Context, ahead *question) (tx, head, error)
	// aside opens a transaction that takes no numbers and keeps nobody from
	// writing, where the engine can.
	aside(ctx context.Context) (tx, error)
	clock() string // its clock in SQL, in microseconds; 0 when decisions use ours
	// follow calls wake whenever another node has committed, until ctx ends.
	follow(ctx context.Context, wake func(Topics)) error
	// search is how entries are found by words; arg adds an argument to the query.
	search(ctx context.Context, q querier, a asked, arg func(any) string) (found, error)
	few(ctx context.Context, q querier, kinds []any) (bool, error) // whether entries of these kinds are rare
	forgetWords(seqs []id.Seq) statement                           // few at once
	indexWords(seqs []int64, words []string) []statement           // rows of entry_text
	forUpdate() string                                             // ends a query whose rows are locked
	close() error
}

// tx is the open writing transaction of an engine.
type tx interface {
	querier
	// commit sends all statements and the COMMIT, and tells other nodes what it
	// is about; on an error nothing happened. Once it has happened, done is
	// called before anybody else may write.
	commit(ctx context.Context, all []statement, about Topics, done func()) error
	rollback()
}

// question is a query whose answer is wanted first of all in a transaction.
type question struct {
	query string
	args  []any
	take  func(row) error // for each row

	// guess is asked while it is our turn: the head to go on with and whether
	// the answer is known. An engine that needs no trip for asking does not use it.
	guess   func() (head, bool)
	guessed bool
}

// row is what both drivers scan from.
type row interface{ Scan(dest ...any) error }

// Open opens the database and brings its tables up to date.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s, err := connect(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.Migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func connect(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{clock: cfg.Clock, alone: cfg.Alone, wakes: newWakes(), reading: make(chan struct{}, 1), behind: make(chan struct{}, 1)}
	s.outages.settle = settle
	if s.outages.log = cfg.Log; cfg.Log == nil {
		s.outages.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if cfg.Database != "" {
		err = s.openPostgres(ctx, cfg.Database)
	} else {
		err = s.openSQLite(ctx, cfg.Path)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// begin gives a new database its epoch.
func (s *Store) begin(ctx context.Context) error {
	return s.Do(ctx, func(tx *Tx) error {
		if tx.head.epoch == "" {
			tx.head.epoch, tx.dirty = id.New(), true
		}
		return nil
	})
}

// Engine is "sqlite" or "postgres".
func (s *Store) Engine() string { return s.engine.name() }

// Close waits for running statements and closes the database.
func (s *Store) Close() error {
	err := s.engine.close()
	if s.read.DB != s.write {
		err = errors.Join(err, s.read.Close())
	}
	return errors.Join(err, s.write.Close())
}

// Alone reports that no other server has this database open, so that nothing
// need be agreed on with others. What a command beside it writes is still found.
func (s *Store) Alone() bool { return s.alone }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	_, err := one(ctx, s.read, value[int64], `SELECT seq FROM head`)
	return err
}

// Migrate brings the tables up to date; several nodes may try at once.
func (s *Store) Migrate(ctx context.Context) error {
	p, err := s.migrator()
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// Version returns the number of the newest migration that was applied and the
// number of the newest there is.
func (s *Store) Version(ctx context.Context) (applied, newest int64, err error) {
	p, err := s.migrator()
	if err != nil {
		return 0, 0, err
	}
	applied, newest, err = p.GetVersions(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("read schema version: %w", s.outages.failed(ctx, reading, err))
	}
	return applied, newest, nil
}

// newestSchema is the version of the tables that the migrations here lead to,
// which is the same for both engines.
func newestSchema() (int64, error) {
	files, err := fs.ReadDir(migrations, "migrations/sqlite") // sorted
	if err != nil {
		return 0, fmt.Errorf("read migrations: %w", err)
	}
	return goose.NumericComponent(files[len(files)-1].Name())
}

func (s *Store) migrator() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations/"+s.engine.name())
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if s.engine.name() == "postgres" {
		dialect = goose.DialectPostgres
		others, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600)) // seconds, tries
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		options = append(options, goose.WithSessionLocker(others))
	}
	p, err := goose.NewProvider(dialect, s.write, dir, options...)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return p, nil
}

// Follow passes on the commits of other nodes as wakes until ctx ends. On
// SQLite there are none.
func (s *Store) Follow(ctx context.Context) error { return s.engine.follow(ctx, s.wake) }

// now is our own clock.
func (s *Store) now() time.Time {
	if s.clock != nil {
		return s.clock().UTC().Truncate(time.Microsecond)
	}
	return time.Now().UTC().Truncate(time.Microsecond)
}

// takingFor is how long after alerts were committed more are expected.
const takingFor = 50 * time.Millisecond

// Taking reports whether alerts are coming in: what can wait gives way to them.
func (s *Store) Taking() bool { return time.Since(time.Unix(0, s.taken.Load())) < takingFor }

// Now is the instant that a transaction would have: what is due by our own
// clock alone is not due, and the other way round.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	h, err := one(ctx, s.read, scanHead, selectHeadAt(s.engine.clock()))
	return s.instantOf(h), err
}

// instantOf is by the clock that decisions use, and never before an earlier entry.
func (s *Store) instantOf(h head) time.Time {
	now := s.now()
	if h.now != 0 {
		now = instant(h.now)
	}
	if now.Before(h.at) {
		now = h.at
	}
	return now
}

type snapshot struct {
	epoch string
	org   *org.Org
}

// Org returns the organisation as of now. The value is shared and never changes.
func (s *Store) Org(ctx context.Context) (*org.Org, error) {
	h, err := one(ctx, s.read, scanHead, selectHead)
	for err == nil {
		if o := s.cachedOrg(h); o != nil {
			return o, nil
		}
		var o *org.Org
		if o, h, err = s.readOrgInTurn(ctx); o != nil {
			return o, nil
		}
	}
	return nil, fmt.Errorf("load organisation: %w", err)
}

// readOrgInTurn reads the organisation unless somebody has just done so: after
// a change everybody comes at once.
func (s *Store) readOrgInTurn(ctx context.Context) (*org.Org, head, error) {
	select {
	case s.reading <- struct{}{}:
		defer func() { <-s.reading }()
	case <-ctx.Done():
		return nil, head{}, context.Cause(ctx)
	}
	h, err := one(ctx, s.read, scanHead, selectHead)
	if err != nil {
		return nil, h, err
	}
	if o := s.cachedOrg(h); o != nil {
		return o, h, nil
	}
	return s.readOrg(ctx, h)
}

// readOrg reads the organisation as of a head; none, and the head that it is of
// now, when it changed meanwhile.
func (s *Store) readOrg(ctx context.Context, h head) (*org.Org, head, error) {
	o, err := loadOrg(ctx, s.read, h)
	if err != nil {
		return nil, h, err
	}
	// A commit between the two reads would leave out what it changed.
	again, err := one(ctx, s.read, scanHead, selectHead)
	if err != nil || again.epoch != h.epoch || again.config != h.config {
		return nil, again, err
	}
	s.org.Store(&snapshot{h.epoch, o})
	return o, h, nil
}

// orgAt is Org for a transaction, where nothing happens between two reads.
func (s *Store) orgAt(ctx context.Context, q querier, h head) (*org.Org, error) {
	if o := s.cachedOrg(h); o != nil {
		return o, nil
	}
	o, err := loadOrg(ctx, q, h)
	if err != nil {
		return nil, fmt.Errorf("load organisation: %w", err)
	}
	s.org.Store(&snapshot{h.epoch, o})
	return o, nil
}

func (s *Store) cachedOrg(h head) *org.Org {
	if have := s.org.Load(); have != nil && have.epoch == h.epoch && have.org.Rev == h.config {
		return have.org
	}
	return nil
}

func loadOrg(ctx context.Context, q querier, h head) (*org.Org, error) {
	defs, err := all(ctx, q, scanDefinition, `SELECT kind, id, rev, current, body FROM definition
		WHERE (current OR kind = 'policy') AND rev <= $1`, h.config)
	if err != nil {
		return nil, err
	}
	return org.Build(h.config, defs)
}

func scanDefinition(rows *sql.Rows) (org.Definition, error) {
	var d org.Definition
	var body string
	err := rows.Scan(&d.Kind, &d.ID, &d.Rev, &d.Current, &body)
	d.Body = []byte(body)
	return d, err
}

// head is the one row that every writer locks.
type head struct {
	epoch    string
	seq      id.Seq
	incident id.Incident
	alert    id.Alert
	delivery id.Delivery
	rev      int64
	config   int64
	at       time.Time
	now      int64 // the engine's clock in microseconds, 0 when it has none
}

const selectHead = `SELECT epoch, seq, incident, alert, delivery, rev, config, at, 0 FROM head WHERE id = 1`

func selectHeadAt(clock string) string {
	return `SELECT epoch, seq, incident, alert, delivery, rev, config, at, ` + clock + ` FROM head WHERE id = 1`
}

func scanHead(rows *sql.Rows) (head, error) {
	var h head
	var at int64
	err := rows.Scan(&h.epoch, &h.seq, &h.incident, &h.alert, &h.delivery, &h.rev, &h.config, &at, &h.now)
	h.at = instant(at)
	return h, err
}

// maxWord is how much of a word searching compares, in bytes; PostgreSQL takes
// no word above 2046.
const maxWord = 200

// Words folds text into the words that searching compares: lower case letters
// and digits, everything else separates, and of very long words the beginning.
func Words(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	for i, w := range words {
		if len(w) > maxWord {
			words[i] = strings.ToValidUTF8(w[:maxWord], "")
		}
	}
	return words
}
