package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	modernc "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
)

// ErrAway says that the database is not there or takes nothing, and that
// nothing was changed: nothing was wrong with what was asked. The error is an
// *Away then.
var ErrAway = errors.New("the database is away")

// Why is the reason for which a database is away.
type Why string

// The reasons.
const (
	Unreachable Why = "unreachable" // it does not answer
	Full        Why = "full"        // there is no room on its disk
	ReadOnly    Why = "read_only"   // it is a copy, or its disk is
	Busy        Why = "busy"        // somebody else keeps it, or it has no place for us
	Broken      Why = "broken"      // its disk or its file is
)

// Away is an error of the database, and not of what was asked of it.
type Away struct {
	Why    Why
	Unsure bool // it was lost during a commit, which may have happened: then this is not ErrAway
	Err    error
}

// Error is one line: drivers tell every address they have tried in one of its own.
func (a *Away) Error() string { return ErrAway.Error() + ": " + oneLine(a.Err) }

// Is tells errors.Is whether nothing was changed.
func (a *Away) Is(target error) bool { return target == ErrAway && !a.Unsure }

// Unwrap gives what the driver said.
func (a *Away) Unwrap() error { return a.Err }

// IsAway reports whether an error is the database's and not of what was asked:
// also when it was lost in the middle, and what was asked may have happened.
func IsAway(err error) bool {
	_, is := errors.AsType[*Away](err)
	return is
}

// comeBack is what those are told who could try again.
const comeBack = 5 * time.Second

// Unavailable is what a person may read of it, and after how long it may be over.
func (a *Away) Unavailable() (sentence string, retryAfter time.Duration) {
	switch {
	case a.Unsure:
		return phrase.T("store.away_unsure"), comeBack
	case a.Why == Full:
		return phrase.T("store.away_full"), comeBack
	}
	return phrase.T("store.away"), comeBack
}

func oneLine(err error) string {
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return strings.Join(lines, " ")
}

// Outage is the time for which a database has been away.
type Outage struct {
	Since time.Time
	Why   Why
	Err   error

	over step      // what must work again
	last time.Time // when something failed last
}

// Readable reports whether it is writing alone that does not work.
func (o Outage) Readable() bool { return o.over > reading }

// settle is for how long nothing must have failed before an outage is over:
// while one connection is lost, another may still work.
const settle = time.Second

// step is how far the use of the database came that failed, or worked.
type step int

const (
	reading step = iota
	beginning
	committing
)

// outages remembers what nothing that worked has followed, and logs its
// beginning and its end: whoever fails meanwhile need not.
type outages struct {
	log    *slog.Logger
	settle time.Duration
	now    atomic.Pointer[Outage]
	mu     sync.Mutex // held while now is changed
}

// Outage is the one that lasts, as far as this process has noticed: the last
// read, beginning or commit failed for reasons of the database, and none has
// worked since.
func (s *Store) Outage() (Outage, bool) {
	if o := s.outages.now.Load(); o != nil {
		return *o, true
	}
	return Outage{}, false
}

// probe is the name of the lease that TryWrite writes, probeSize how long its
// holder is: about as much as an alert needs.
const (
	probe     = "write check"
	probeSize = 64 << 10
)

// TryWrite commits a little and takes it away again, to find out whether
// anything can be written. An outage is over when it works.
func (s *Store) TryWrite(ctx context.Context) error {
	err := s.Do(ctx, func(tx *Tx) error {
		tx.exec(`INSERT INTO lease (name, holder, until, term) VALUES ($1, $2, 0, 0) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder`,
			probe, strings.Repeat(id.New(), probeSize/len(id.New())))
		return nil
	})
	if err != nil {
		return err
	}
	return s.Do(ctx, func(tx *Tx) error {
		tx.exec(`DELETE FROM lease WHERE name = $1`, probe)
		return nil
	})
}

// seen is the outage that lasts before something is tried; give it to worked.
func (o *outages) seen() *Outage { return o.now.Load() }

// worked says that something that was tried during an outage has worked. What
// began before the outage did proves nothing, nor does a single one of many connections.
func (o *outages) worked(ctx context.Context, seen *Outage, at step) {
	if seen == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now.Load()
	if now == nil || !now.Since.Equal(seen.Since) || at < now.over || time.Since(now.last) < o.settle {
		return
	}
	o.now.Store(nil)
	o.log.InfoContext(ctx, "database back", "after", time.Since(now.Since).Round(time.Millisecond))
}

// failed notes an error and returns it as what it is: an *Away when it was the
// database's and not the caller's.
func (o *outages) failed(ctx context.Context, at step, err error) error {
	known, told := errors.AsType[*Away](err)
	if ctx.Err() != nil && !told { // whoever asked has left, or had little time: that tells nothing about the database
		if at == beginning {
			return &Away{Why: Unreachable, Err: err}
		}
		return err
	}
	why, ok := whyOf(err)
	switch {
	case told:
		why = known.Why
	case ok:
	default:
		return err
	}
	o.note(ctx, at, why, err)
	if told {
		return err
	}
	_, answered := errors.AsType[*pgconn.PgError](err)
	return &Away{Why: why, Unsure: at == committing && why == Unreachable && !answered && !pgconn.SafeToRetry(err), Err: err}
}

func (o *outages) note(ctx context.Context, at step, why Why, err error) {
	switch why {
	case Full, ReadOnly: // reading goes on all the while
		at = committing
	case Unreachable:
		at = reading
	case Busy, Broken:
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	lasts := o.now.Load()
	if lasts == nil {
		o.now.Store(&Outage{Since: now, Why: why, Err: err, over: at, last: now})
		o.log.ErrorContext(ctx, "database away", "why", string(why), "err", oneLine(err))
		return
	}
	is := *lasts
	is.last = now
	if at > is.over {
		is.Why, is.Err, is.over = why, err, at
	}
	o.now.Store(&is)
}

// whyOf tells errors of the database from errors of what was asked of it.
func whyOf(err error) (Why, bool) {
	if e, ok := errors.AsType[*modernc.Error](err); ok {
		switch e.Code() & 0xff { // without what extends it
		case codes.SQLITE_FULL:
			return Full, true
		case codes.SQLITE_READONLY:
			return ReadOnly, true
		case codes.SQLITE_BUSY:
			return Busy, true
		case codes.SQLITE_IOERR, codes.SQLITE_CANTOPEN, codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB, codes.SQLITE_NOMEM, codes.SQLITE_PERM, codes.SQLITE_PROTOCOL:
			return Broken, true
		}
		return "", false
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		if why, ok := whyOfState(e.Code); ok {
			return why, true
		}
		_, connecting := errors.AsType[*pgconn.ConnectError](err)
		return Unreachable, connecting
	}
	_, network := errors.AsType[net.Error](err)
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	for _, lost := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn, sql.ErrConnDone, context.DeadlineExceeded} {
		network = network || errors.Is(err, lost)
	}
	return Unreachable, network || connecting || pgconn.SafeToRetry(err)
}

// whyOfState knows the classes of PostgreSQL's SQLSTATE that are about the server.
func whyOfState(state string) (Why, bool) {
	switch {
	case state == "53100":
		return Full, true
	case state == "25006":
		return ReadOnly, true
	case strings.HasPrefix(state, "53"):
		return Busy, true
	case strings.HasPrefix(state, "57P"), strings.HasPrefix(state, "08"), state == "25P03":
		return Unreachable, true
	case strings.HasPrefix(state, "58"), state == "XX001", state == "XX002":
		return Broken, true
	}
	return "", false
}
