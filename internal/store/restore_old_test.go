package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The backups in testdata were made by the programs of their time, of a made-up
// organisation at work; the number is that of the last migration they knew.

// places are where a database can be, for each engine.
func places(t *testing.T, test func(t *testing.T, cfg Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, Config{Path: filepath.Join(t.TempDir(), "watchroom.db")}) })
	t.Run("postgres", func(t *testing.T) { test(t, Config{Database: pgtest.URL(t)}) })
}

func closedAtEnd(t *testing.T, s *Store) *Store {
	t.Helper()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// tablesOf are the tables of a backup of a version.
func tablesOf(t *testing.T, version int64) []tableOf {
	t.Helper()
	s, err := connect(t.Context(), Config{Path: filepath.Join(t.TempDir(), "old.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	migrateTo(t, s, version)
	tables, err := s.tablesThere(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func migrateTo(t *testing.T, s *Store, version int64) {
	t.Helper()
	p, err := s.migrator()
	if err == nil {
		_, err = p.UpTo(t.Context(), version)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func oldBackup(t *testing.T, version int64) *os.File {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("testdata/backup-%d.jsonl.gz", version))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // it was only read
	return f
}

// oldRow is a row by the names of its columns.
type oldRow map[string]any

// rowsIn are the rows of an old backup, by table.
func rowsIn(t *testing.T, file *os.File, tables []tableOf) map[string][]oldRow {
	t.Helper()
	found := map[string][]oldRow{}
	err := readBackup(file, tables, func(table tableOf, values []any) error {
		row := oldRow{}
		for i, name := range table.names() {
			row[name] = values[i]
		}
		found[table.name] = append(found[table.name], row)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// timelineOf is all of it.
func timelineOf(t *testing.T, s *Store) []timeline.Entry {
	t.Helper()
	var all []timeline.Entry
	for {
		after := id.Seq(0)
		if len(all) > 0 {
			after = all[len(all)-1].Seq
		}
		some, err := s.Entries(t.Context(), EntryFilter{AllRooms: true, After: after, FromStart: true, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if len(some) == 0 {
			return all
		}
		all = append(all, some...)
	}
}

// isThere compares what is read now with the rows of then.
func isThere(t *testing.T, s *Store, then map[string][]oldRow) {
	t.Helper()
	entries := timelineOf(t, s)
	if len(entries) != len(then["entry"]) {
		t.Fatalf("%d entries are there, and were %d", len(entries), len(then["entry"]))
	}
	for i, e := range entries {
		was := then["entry"][i]
		if int64(e.Seq) != was["seq"] || string(e.Kind) != was["kind"] || micros(e.At) != was["at"] || int64(e.Incident) != was["incident"] || string(e.Person) != was["person"] {
			t.Fatalf("entry %d is %+v, and was %v", e.Seq, e, was)
		}
		if _, packed := was["quotes"]; !packed {
			saysWhatItSaid(t, e, was["payload"].(string))
		}
	}
	for _, was := range then["incident"] {
		inc, err := s.Incident(t.Context(), id.Incident(was["id"].(int64)))
		if err != nil || string(inc.State) != was["state"] || inc.EntityID != was["entity_id"] || inc.Title == "" {
			t.Errorf("incident %v is %+v (%v), and was %v", was["id"], inc, err, was)
		}
	}
	for _, table := range []string{"alert", "delivery", "definition", "credential", "mark"} {
		n, err := one(t.Context(), s.read, value[int64], `SELECT COUNT(*) FROM `+table)
		if err != nil || n != int64(len(then[table])) {
			t.Errorf("%d rows of %s are there (%v), and were %d", n, table, err, len(then[table]))
		}
	}
	if o, err := s.Org(t.Context()); err != nil || len(o.Users) == 0 || len(o.Policies) == 0 {
		t.Errorf("the organisation cannot be read: %v", err)
	}
	alerts, err := s.Alerts(t.Context(), AlertFilter{Limit: 5})
	if err != nil || len(alerts) != 5 || alerts[0].Title == "" {
		t.Errorf("alerts: %+v (%v)", alerts, err)
	}
}

// saysWhatItSaid is that nothing of a payload was lost. What has got more
// members since may have more.
func saysWhatItSaid(t *testing.T, e timeline.Entry, then string) {
	t.Helper()
	now, err := json.Marshal(e.Payload)
	if err != nil {
		t.Fatal(err)
	}
	var was, is map[string]any
	if err := errors.Join(json.Unmarshal([]byte(then), &was), json.Unmarshal(now, &is)); err != nil {
		t.Fatal(err)
	}
	for name, v := range was {
		if !reflect.DeepEqual(is[name], v) {
			t.Errorf("entry %d says %s, and said %s", e.Seq, now, then)
			return
		}
	}
}

func TestOldBackupsAreRestored(t *testing.T) {
	for _, version := range []int64{1, 3, 6, 8} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			then := rowsIn(t, oldBackup(t, version), tablesOf(t, version))
			if len(then["entry"]) < 100 || len(then["incident"]) == 0 {
				t.Fatalf("the backup has %d entries", len(then["entry"]))
			}
			places(t, func(t *testing.T, cfg Config) {
				s, err := Open(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				closedAtEnd(t, s)
				if err := s.Restore(t.Context(), oldBackup(t, version)); err != nil {
					t.Fatal(err)
				}
				isThere(t, s, then)
			})
		})
	}
}

// TestADatabaseAtWorkIsMigrated: what was written before rows were short, and
// before deleted messages were told apart, is read as it was.
func TestADatabaseAtWorkIsMigrated(t *testing.T) {
	const filledWith, version = 6, 7 // 7 has brought indexes alone
	tables := tablesOf(t, version)
	then := rowsIn(t, oldBackup(t, filledWith), tables)
	places(t, func(t *testing.T, cfg Config) {
		old, err := connect(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		migrateTo(t, old, version)
		err = old.fill(t.Context(), tables, oldBackup(t, filledWith))
		var said []int64
		for i, e := range then["entry"] {
			if e["kind"] == string(timeline.MessagePosted) && len(said) < 2 {
				if said = append(said, e["seq"].(int64)); len(said) == 1 {
					then["entry"][i]["payload"] = `{"text":"","deleted":true}`
				}
			}
		}
		if err != nil || len(said) != 2 {
			t.Fatalf("fill: %v; messages %v", err, said)
		}
		for _, q := range []string{
			`INSERT INTO message (seq, room, pinned, body) VALUES ($1, '', 0, '{"deleted_at":"2026-11-23T01:00:00Z"}')`,
			`INSERT INTO mention (person, seq, room) VALUES ('kim', $1, '')`,
		} {
			if _, err := old.write.ExecContext(t.Context(), q, said[0]); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := old.write.ExecContext(t.Context(), `INSERT INTO mention (person, seq, room) VALUES ('kim', $1, '')`, said[1]); err != nil {
			t.Fatal(err)
		}
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		closedAtEnd(t, s)
		isThere(t, s, then)
		if applied, newest, err := s.Version(t.Context()); applied != newest || err != nil {
			t.Errorf("the tables are of version %d of %d (%v)", applied, newest, err)
		}
		left, err := all(t.Context(), s.read, value[int64], `SELECT seq FROM mention WHERE person = 'kim'`)
		if err != nil || !slices.Equal(left, said[1:]) {
			t.Errorf("mentions are left of %v (%v), want of %v", left, err, said[1:])
		}
		gone, err := all(t.Context(), s.read, value[int64], `SELECT seq FROM message WHERE gone`)
		if err != nil || !slices.Equal(gone, said[:1]) {
			t.Errorf("deleted messages are %v (%v), want %v", gone, err, said[:1])
		}
		var again bytes.Buffer // and what it is now can be moved on
		if err := s.Backup(t.Context(), &again); err != nil {
			t.Fatal(err)
		}
		if err := s.Restore(t.Context(), &again); err != nil {
			t.Fatal(err)
		}
		isThere(t, s, then)
	})
}

// TestAnOldBackupThatIsNone changes nothing and leaves nothing behind.
func TestAnOldBackupThatIsNone(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "watchroom.db")})
	if err != nil {
		t.Fatal(err)
	}
	closedAtEnd(t, s)
	whole, err := os.ReadFile("testdata/backup-3.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	damaged := slices.Clone(whole)
	damaged[len(damaged)/2] ^= 4
	for name, data := range map[string][]byte{"cut off": whole[:len(whole)-30], "damaged": damaged} {
		if err := s.Restore(t.Context(), bytes.NewReader(data)); !errors.Is(err, ErrBackup) {
			t.Errorf("%s: Restore = %v, want ErrBackup", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Restore(ctx, bytes.NewReader(whole)); !errors.Is(err, context.Canceled) {
		t.Errorf("Restore that was cancelled = %v", err)
	}
	after, err := s.Head(t.Context())
	if err != nil || after != before {
		t.Errorf("the head is %+v (%v), and was %+v", after, err, before)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}
