// Package watch looks at the rotas while nobody else does. On one node at a
// time, under a lease, it
//
//   - writes an entry when somebody else is on call (shift_changed), at the
//     instant of the hand-over or of the edit that changed who it is;
//   - reminds people of their own shifts, as each has chosen, and mails swap
//     requests and their answers;
//   - looks two weeks ahead for what will leave an alert without a person, says
//     on the timeline when such a problem comes up and when it is gone, and mails
//     those who administer the team concerned ahead of time.
//
// Each of these happens exactly once, whatever crashes: what was done and how
// far it has come are one commit, and memory is only a cache of that.
//
//	cursor "watch"               the instant up to which hand-overs were looked at, in microseconds
//	cursor "watch/duty/…"        who was last told to be on call in a layer (see mark)
//	cursor "watch/news"          the last entry whose mails were planned
//	cursor "watch/coverage"      an entry before the oldest problem that is still there
//	cursor "watch/digest"        when the last digest was planned, in microseconds
//	cursor "watch/mailed"        the last entry that was in a digest
//	cursor "watch/urgent/…"      which beginning of a gap was mailed at once, in seconds
//
// An entry has the time at which it was written: after the server was down it
// is later than the hand-over. Sending the mails is left to the outbox.
package watch

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/lease"
	"github.com/watchroom/watchroom/internal/store"
)

const (
	// leaseFor is how long another node waits when this one is gone.
	leaseFor = 30 * time.Second
	// saveEvery is how often the cursor is written when nothing happens, which
	// bounds how far back an edit could seem to have made hand-overs.
	saveEvery = time.Minute
	// farBack bounds how long a time without a server is looked through.
	farBack = 14 * 24 * time.Hour
)

// Sealer encrypts notices, as for all deliveries.
type Sealer interface{ Seal(plain string) string }

// Options is what the mails need.
type Options struct {
	PublicURL string // where their links lead
	Mail      bool   // whether mail goes out at all; without it there are only entries
}

// Watch is the loop.
type Watch struct {
	store    *store.Store
	box      Sealer
	opts     Options
	log      *slog.Logger
	holder   string
	interval time.Duration
}

// New returns a Watch that looks every interval, as the holder of the lease.
func New(s *store.Store, box Sealer, o Options, log *slog.Logger, holder string, interval time.Duration) *Watch {
	return &Watch{store: s, box: box, opts: o, log: log, holder: holder, interval: interval}
}

// Run watches until ctx ends, whenever this node has the lease.
func (w *Watch) Run(ctx context.Context) error {
	return lease.Run(ctx, w.store, "watch", w.holder, leaseFor, w.follow)
}

// memory is what the rows say, read once; it is thrown away after any error.
type memory struct {
	epoch   string
	cursors map[string]id.Seq

	dutyRev int64     // the organisation for which next holds
	next    time.Time // when somebody is on call, or reminded, next
	saved   time.Time // when the cursor was written

	seenRev   int64     // the organisation that was seen last
	seenAt    time.Time // since when
	checkRev  int64     // the organisation whose coverage was looked at
	checkedAt time.Time
	coverage  coverage
}

// errMoved says that the rows are not as we remember them: another node has
// worked on them, or a backup was restored.
var errMoved = errors.New("somebody else has gone on; look again")

func (w *Watch) follow(ctx context.Context) error {
	var m *memory
	for {
		err := w.look(ctx, &m)
		if err != nil {
			m = nil
			if ctx.Err() == nil && !errors.Is(err, errMoved) {
				w.log.ErrorContext(ctx, "watch the rotas", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.interval):
		}
	}
}

func (w *Watch) look(ctx context.Context, m **memory) (err error) {
	defer fault.Recover(&err)
	if *m == nil {
		if *m, err = w.remember(ctx); err != nil {
			return err
		}
	}
	return w.runOnce(ctx, *m)
}

func (w *Watch) remember(ctx context.Context) (*memory, error) {
	head, err := w.store.Head(ctx)
	if err != nil {
		return nil, err
	}
	cursors, err := w.store.Cursors(ctx)
	if err != nil {
		return nil, err
	}
	return &memory{epoch: head.Epoch, cursors: cursors}, nil
}

// runOnce does everything that is due, each part in a transaction of its own.
func (w *Watch) runOnce(ctx context.Context, m *memory) error {
	o, err := w.store.Org(ctx)
	if err != nil {
		return err
	}
	now, err := w.store.Now(ctx)
	if err != nil {
		return err
	}
	if err := w.duty(ctx, m, o, now); err != nil {
		return err
	}
	if err := w.news(ctx, m); err != nil {
		return err
	}
	return w.cover(ctx, m, o, now)
}

// begin makes sure in a transaction that nobody else has gone on meanwhile.
func (m *memory) begin(tx *store.Tx, cursors ...string) error {
	for _, name := range cursors {
		seq, err := tx.Cursor(name)
		if err != nil {
			return err
		}
		if seq != m.cursors[name] {
			return errMoved
		}
	}
	if tx.Epoch() != m.epoch {
		return errMoved
	}
	return nil
}

// set buffers cursors; call keep when they are committed.
func set(tx *store.Tx, cursors map[string]id.Seq) {
	for name, seq := range cursors {
		tx.SetCursor(name, seq)
	}
}

func (m *memory) keep(cursors map[string]id.Seq) {
	maps.Copy(m.cursors, cursors)
}

func micros(at time.Time) id.Seq { return id.Seq(at.UnixMicro()) }

func instant(seq id.Seq) time.Time { return time.UnixMicro(int64(seq)).UTC() }
