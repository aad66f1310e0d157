package storetest_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"; store brings "sqlite"

	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestSQLite(t *testing.T) {
	storetest.Suite(t, func(tb testing.TB) *store.Store { return storetest.Open(tb) })
}

func TestPostgres(t *testing.T) {
	storetest.Suite(t, func(tb testing.TB) *store.Store { return storetest.OpenPostgres(tb) })
}

func open(t *testing.T, cfg store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

func post(s *store.Store, text string) error {
	return s.Do(context.Background(), func(tx *store.Tx) error {
		tx.Append(timeline.Entry{Kind: timeline.MessagePosted, Actor: timeline.Self, Payload: timeline.Message{Text: text}})
		return nil
	})
}

func TestDecisionsUseTheClockOfTheTest(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := now
		for range 2 {
			got, err := store.InTx(t.Context(), s, func(tx *store.Tx) (time.Time, error) {
				tx.Append(timeline.Entry{Kind: timeline.MessagePosted, Actor: timeline.Self, Payload: timeline.Message{Text: "x"}})
				return tx.Now, nil
			})
			if err != nil || !got.Equal(want) {
				t.Errorf("now = %v, %v, want %v", got, err, want)
			}
			now = now.Add(-time.Hour) // the machine's clock was set back
		}
		now = want
	}, storetest.Clock(func() time.Time { return now }))
}

func TestAStoreOpensAgain(t *testing.T) {
	dir := t.TempDir()
	for _, cfg := range []store.Config{{Path: filepath.Join(dir, "a b%20c?d#e", "watchroom.db")}, {Database: pgtest.URL(t)}} {
		var epoch string
		for round := range 2 {
			s, err := store.Open(t.Context(), cfg)
			if err != nil {
				t.Fatalf("open: %v", err)
			}
			if err := post(s, "hello"); err != nil {
				t.Fatal(err)
			}
			h, err := s.Head(t.Context())
			if err != nil || int(h.Seq) != round+1 || round > 0 && h.Epoch != epoch || h.Epoch == "" {
				t.Errorf("%s, round %d: head %+v, %v, epoch before %q", s.Engine(), round, h, err, epoch)
			}
			epoch = h.Epoch
			if applied, newest, err := s.Version(t.Context()); err != nil || applied != newest || newest == 0 {
				t.Errorf("%s: Version = %d, %d, %v", s.Engine(), applied, newest, err)
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("%s: Ping: %v", s.Engine(), err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("%s: close: %v", s.Engine(), err)
			}
		}
	}
}

// Two nodes on one PostgreSQL: numbers stay dense, and a commit of one wakes
// the other.
func TestTwoNodes(t *testing.T) {
	url := pgtest.URL(t)
	var nodes [2]*store.Store
	var opening sync.WaitGroup
	for i := range nodes {
		opening.Go(func() { nodes[i] = open(t, store.Config{Database: url}) }) // migrations at the same time
	}
	opening.Wait()
	if t.Failed() {
		return
	}
	ctx, stop := context.WithCancel(t.Context())
	following := make(chan error, 1)
	go func() { following <- nodes[1].Follow(ctx) }()
	wake, end := nodes[1].Wake(store.Entries)
	defer end()
	deadline := time.After(20 * time.Second)
	for woken := false; !woken; { // until the other has begun to listen
		if err := post(nodes[0], "hello"); err != nil {
			t.Fatal(err)
		}
		select {
		case <-wake:
			woken = true
		case <-deadline:
			t.Fatal("a commit of one node did not wake the other")
		case <-time.After(20 * time.Millisecond):
		}
	}
	stop()
	if err := <-following; err != nil {
		t.Errorf("Follow = %v", err)
	}

	before, err := nodes[0].Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	for w := range 6 {
		writers.Go(func() {
			for range 15 {
				if err := post(nodes[w%2], "hello"); err != nil {
					t.Errorf("write on node %d: %v", w%2, err)
				}
			}
		})
	}
	writers.Wait()
	all, err := nodes[1].Entries(t.Context(), store.EntryFilter{After: before.Seq, Limit: 1000})
	if err != nil || len(all) != 90 {
		t.Fatalf("%d entries, %v, want 90", len(all), err)
	}
	for i, e := range all {
		if int(e.Seq) != int(before.Seq)+1+i {
			t.Errorf("entry %d has number %d", i, e.Seq)
		}
	}
}

func TestBackupMovesBetweenEngines(t *testing.T) {
	file, server := storetest.Open(t), storetest.OpenPostgres(t)
	storetest.Fill(t, file)
	want := storetest.Read(t, file)
	for _, to := range []struct{ from, into *store.Store }{{file, server}, {server, storetest.Open(t)}} {
		var b bytes.Buffer
		if err := to.from.Backup(t.Context(), &b); err != nil {
			t.Fatalf("Backup of %s: %v", to.from.Engine(), err)
		}
		if err := to.into.Restore(t.Context(), &b); err != nil {
			t.Fatalf("Restore into %s: %v", to.into.Engine(), err)
		}
		if d := cmp.Diff(want, storetest.Read(t, to.into)); d != "" {
			t.Errorf("%s from %s: (-want +got)\n%s", to.into.Engine(), to.from.Engine(), d)
		}
	}
}

// columns reads "table.column type" from the catalogue of a database.
func columns(t *testing.T, driver, source, query string) []string {
	t.Helper()
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	kinds := map[string]string{"bigint": "number", "integer": "number", "text": "text", "boolean": "flag"}
	var all []string
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			t.Fatal(err)
		}
		all = append(all, table+"."+column+" "+kinds[kind])
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

const sqliteColumns = `SELECT m.name, c.name, lower(c.type) FROM sqlite_master m JOIN pragma_table_info(m.name) c
	WHERE m.type = 'table' AND m.name NOT LIKE 'entry_text%' AND m.name NOT LIKE 'goose%' AND m.name NOT LIKE 'sqlite%'`

func TestBothEnginesHaveTheSameColumns(t *testing.T) {
	path, url := filepath.Join(t.TempDir(), "watchroom.db"), pgtest.URL(t)
	open(t, store.Config{Path: path})
	open(t, store.Config{Database: url})
	lite := columns(t, "sqlite", path, sqliteColumns)
	post := columns(t, "pgx", url, `SELECT table_name, column_name, data_type FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name <> 'entry_text' AND table_name NOT LIKE 'goose%'`)
	if len(lite) < 60 {
		t.Errorf("only %d columns were found", len(lite))
	}
	if d := cmp.Diff(lite, post); d != "" {
		t.Errorf("(-sqlite +postgres)\n%s", d)
	}
}

// A column that a later migration adds must not be forgotten by backups.
func TestABackupHasEveryColumn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "watchroom.db")
	s := open(t, store.Config{Path: path})
	var b bytes.Buffer
	if err := s.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	var saved []string
	for lines := bufio.NewScanner(zip); lines.Scan(); {
		var of struct {
			Table   string
			Columns []string
		}
		if lines.Bytes()[0] != '{' {
			continue // a row
		}
		if err := json.Unmarshal(lines.Bytes(), &of); err != nil {
			t.Fatal(err)
		}
		for _, c := range of.Columns {
			saved = append(saved, of.Table+"."+c)
		}
	}
	for _, have := range columns(t, "sqlite", path, sqliteColumns) {
		column, _, _ := strings.Cut(have, " ")
		if !strings.HasPrefix(column, "lease.") && !strings.HasPrefix(column, "presence.") /* of running nodes */ && column != "head.id" /* always 1 */ && !slices.Contains(saved, column) {
			t.Errorf("column %s is not in backups: add it in backup.go", column)
		}
	}
}

// The writer is free again, whatever has panicked before its transaction began.
func TestAPanicOfTheClockFreesTheWriter(t *testing.T) {
	var broken atomic.Bool
	clock := func() time.Time {
		if broken.Load() {
			panic("a bug")
		}
		return time.Now()
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		broken.Store(true)
		func() {
			defer func() { _ = recover() }()
			_ = post(s, "lost")
			t.Error("the panic did not come through")
		}()
		broken.Store(false)
		done := make(chan error, 1)
		go func() { done <- post(s, "kept") }()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the writer is kept")
		}
	}, storetest.Clock(clock))
}
