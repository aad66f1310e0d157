// Package storetest gives tests a fresh store, and holds the suite of
// promises that both engines keep. What is written once in the suite need not
// be tested again by those who use the store; what is special to one engine is
// tested beside it.
//
// PostgreSQL comes from pgtest: a package that calls Each or OpenPostgres has
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
// so that all its tests share one server.
package storetest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
)

// Option changes how a store is opened.
type Option func(*store.Config)

// Clock makes decisions use a clock of the test.
func Clock(now func() time.Time) Option {
	return func(c *store.Config) { c.Clock = now }
}

// Open returns an empty SQLite store in a directory of the test; it is closed
// when the test ends.
func Open(tb testing.TB, opts ...Option) *store.Store {
	tb.Helper()
	return OpenAt(tb, store.Config{Path: filepath.Join(tb.TempDir(), "watchroom.db")}, opts...)
}

// OpenPostgres returns a store on an empty PostgreSQL database.
func OpenPostgres(tb testing.TB, opts ...Option) *store.Store {
	tb.Helper()
	return OpenAt(tb, store.Config{Database: pgtest.URL(tb)}, opts...)
}

// OpenAt returns a store at a place of the test's own choice, for a second node
// or another beginning.
func OpenAt(tb testing.TB, cfg store.Config, opts ...Option) *store.Store {
	tb.Helper()
	for _, o := range opts {
		o(&cfg)
	}
	s, err := store.Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatalf("open store: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close store: %v", err)
		}
	})
	return s
}

// Each runs a test on an empty store of each engine.
func Each(t *testing.T, test func(t *testing.T, s *store.Store), opts ...Option) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, Open(t, opts...)) })
	t.Run("postgres", func(t *testing.T) { test(t, OpenPostgres(t, opts...)) })
}
