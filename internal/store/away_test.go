package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/pgtest"
)

// openLogging is a store and what it logs.
func openLogging(t *testing.T, cfg Config) (*Store, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.outages.settle = 0
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, &log
}

func writeSomething(ctx context.Context, s *Store, size int) error {
	return s.Do(ctx, func(tx *Tx) error {
		tx.SetCursor("test "+strings.Repeat("x", size), id.Seq(1))
		return nil
	})
}

// SQLite itself says that its disk is full once the file may not grow.
func TestAFullDiskIsAnOutageOfWriting(t *testing.T) {
	s, log := openLogging(t, Config{Path: filepath.Join(t.TempDir(), "watchroom.db")})
	e, ok := s.engine.(*sqlite)
	if !ok {
		t.Fatalf("the engine is %T", s.engine)
	}
	limit := func(pages int) {
		t.Helper()
		if _, err := e.conn.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	if _, away := s.Outage(); away {
		t.Fatal("an outage before anything failed")
	}
	limit(1) // SQLite takes what there is
	for range 3 {
		err := writeSomething(t.Context(), s, 1<<20)
		away, told := errors.AsType[*Away](err)
		if !told || !errors.Is(err, ErrAway) || away.Why != Full || away.Unsure {
			t.Fatalf("written on a full disk: %v, want ErrAway because it is full", err)
		}
		if said, after := away.Unavailable(); !strings.Contains(said, "full; nothing was changed") || after <= 0 {
			t.Errorf("people are told %q, after %s", said, after)
		}
	}
	if err := s.TryWrite(t.Context()); !errors.Is(err, ErrAway) {
		t.Errorf("TryWrite on a full disk = %v", err)
	}
	if _, err := s.Head(t.Context()); err != nil {
		t.Errorf("a full disk can be read: %v", err)
	}
	out, lasts := s.Outage()
	if !lasts || out.Why != Full || time.Since(out.Since) > time.Minute {
		t.Errorf("Outage() = %+v, %t: reading does not end it", out, lasts)
	}
	limit(1 << 20)
	if err := s.TryWrite(t.Context()); err != nil {
		t.Errorf("TryWrite = %v", err)
	}
	if out, lasts := s.Outage(); lasts {
		t.Errorf("Outage() = %+v after something was written", out)
	}
	if n, err := one(t.Context(), s.read, value[int], `SELECT COUNT(*) FROM lease`); err != nil || n != 0 {
		t.Errorf("%d rows are left of trying, %v", n, err)
	}
	if said := log.String(); strings.Count(said, "\n") != 2 || !strings.Contains(said, `level=ERROR msg="database away" why=full`) || !strings.Contains(said, `level=INFO msg="database back" after=`) {
		t.Errorf("logged:\n%s", said)
	}
}

// One line when PostgreSQL goes and one when it is back, whoever asks and how
// often; and no line of it is two.
func TestAnOutageIsLoggedOnce(t *testing.T) {
	address, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(t, address.Host)
	address.Host = l.Addr().String()
	s, log := openLogging(t, Config{Database: address.String()})
	l.cut()
	for range 5 {
		_, err := s.Head(t.Context())
		for _, err := range []error{err, writeSomething(t.Context(), s, 1)} {
			away, told := errors.AsType[*Away](err)
			if !told || away.Why != Unreachable || strings.Contains(err.Error(), "\n") {
				t.Errorf("asked a server that is gone: %v", err)
			}
		}
	}
	if err := writeSomething(t.Context(), s, 1); !errors.Is(err, ErrAway) {
		t.Errorf("what could not begin has changed nothing: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Head(gone); errors.Is(err, ErrAway) || !errors.Is(err, context.Canceled) {
		t.Errorf("asked by somebody who left: %v", err)
	}
	l.mend()
	if _, err := s.Head(t.Context()); err != nil {
		t.Errorf("back: %v", err)
	}
	if out, lasts := s.Outage(); lasts {
		t.Errorf("Outage() = %+v", out)
	}
	if said := log.String(); strings.Count(said, "\n") != 2 || strings.Count(said, "database away") != 1 || strings.Count(said, "database back") != 1 {
		t.Errorf("logged:\n%s", said)
	}
}

func TestWhatIsAnOutage(t *testing.T) {
	pg := func(state string) error { return fmt.Errorf("commit: %w", &pgconn.PgError{Code: state}) }
	for _, c := range []struct {
		name   string
		at     step
		err    error
		want   Why // "" is none
		unsure bool
	}{
		{"no room", committing, pg("53100"), Full, false},
		{"a replica", beginning, pg("25006"), ReadOnly, false},
		{"too many connections", beginning, pg("53300"), Busy, false},
		{"shutting down", reading, pg("57P01"), Unreachable, false},
		{"starting", committing, pg("57P03"), Unreachable, false},
		{"a bad disk", committing, pg("58030"), Broken, false},
		{"twice the same", committing, pg("23505"), "", false},
		{"a guess that was refused", committing, pg("22012"), "", false},
		{"a query that is wrong", reading, pg("42P01"), "", false},
		{"lost while reading", reading, io.ErrUnexpectedEOF, Unreachable, false},
		{"lost at the commit", committing, io.ErrUnexpectedEOF, Unreachable, true},
		{"refused", beginning, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, Unreachable, false},
		{"silent", reading, context.DeadlineExceeded, Unreachable, false},
		{"no agreement on how to connect", beginning, fmt.Errorf("begin: %w", &pgconn.ConnectError{Config: &pgconn.Config{}}), Unreachable, false},
		{"a connection that is closed", beginning, fmt.Errorf("begin: %w", sql.ErrConnDone), Unreachable, false},
		{"a row that cannot be read", beginning, errors.New("read stored JSON: unexpected end of JSON input"), "", false},
		{"a bug", reading, errors.New("index out of range"), "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &outages{log: slog.New(slog.DiscardHandler)}
			got := o.failed(t.Context(), c.at, c.err)
			away, told := errors.AsType[*Away](got)
			if told != (c.want != "") || told && (away.Why != c.want || away.Unsure != c.unsure) || !errors.Is(got, c.err) {
				t.Errorf("failed() = %#v, want %q, unsure %t", got, c.want, c.unsure)
			}
			if errors.Is(got, ErrAway) != (told && !c.unsure) {
				t.Errorf("ErrAway: %t", errors.Is(got, ErrAway))
			}
			if (o.seen() != nil) != told {
				t.Errorf("an outage: %t, want %t", o.seen() != nil, told)
			}
		})
	}
}

func TestAnOutageSettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		o := &outages{log: slog.New(slog.NewTextHandler(&log, nil)), settle: settle}
		before := o.seen()
		for range 5 {
			_ = o.failed(t.Context(), reading, io.EOF)
			o.worked(t.Context(), before, committing) // began when all was well
			o.worked(t.Context(), o.seen(), committing)
			time.Sleep(settle / 2)
		}
		if o.seen() == nil {
			t.Fatal("it was over between two failures")
		}
		time.Sleep(settle)
		o.worked(t.Context(), before, committing)
		if o.seen() == nil {
			t.Fatal("it was ended by something that began before it")
		}
		o.worked(t.Context(), o.seen(), reading)
		if o.seen() != nil || strings.Count(log.String(), "\n") != 2 || !strings.Contains(log.String(), "after=3.5s") {
			t.Errorf("lasts: %v, logged:\n%s", o.seen(), log.String())
		}
	})
}

func TestTheFileIsItsOwnersAlone(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil { //nolint:gosec // a folder that others may look into is what is tested
		t.Fatal(err)
	}
	s, _ := openLogging(t, Config{Path: filepath.Join(folder, "watchroom.db")})
	if err := writeSomething(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) < 3 {
		t.Fatalf("files: %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
}
