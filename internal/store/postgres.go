package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/watchroom/watchroom/internal/id"
)

// postgres is the engine for several nodes. A transaction takes three trips:
// lock the head, read, and everything that is written together with the COMMIT;
// two when all there is to read is known before, one when we know the answer: see guess.go.
type postgres struct {
	pool  *pgxpool.Pool
	db    *sql.DB
	away  *outages
	turn  chan struct{} // writers of this node queue here, not on the server
	local bool          // decisions use our clock
	node  string        // who we are among those who listen
	tell  *teller

	patience time.Duration

	told   int64     // what the server's clock said, in microseconds; guarded by turn
	toldAt time.Time // when we heard it, not earlier; guarded by turn
}

const (
	channel   = "watchroom"
	tellQuery = `SELECT pg_notify($1, $2)`
)

// A server that says nothing for this long is gone, also when the network has
// not noticed. Without a limit one lost connection would keep the writer, and
// everybody who follows, for a quarter of an hour.
const patience = 30 * time.Second

// clockFor is how long we reckon from what the server's clock said.
const clockFor = time.Second

func (s *Store) openPostgres(ctx context.Context, databaseURL string) error {
	cfg, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		return errors.New("open database: the postgres:// URL cannot be read") // the error of the library shows the password
	}
	cfg.MaxConns = 24
	// A hanging node must not keep the head from the others.
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "10000"
	cfg.ConnConfig.RuntimeParams["application_name"] = "watchroom"
	// Our queries are short: starting helpers or a compiler takes longer than they do.
	cfg.ConnConfig.RuntimeParams["max_parallel_workers_per_gather"] = "0"
	cfg.ConnConfig.RuntimeParams["jit"] = "off"
	cfg.ConnConfig.RuntimeParams["enable_seqscan"] = "off"    // made when a table was empty, such a plan would be kept when it is not
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "on" // whatever the server thinks: our 2xx means on disk
	cfg.ConnConfig.ConnectTimeout = 10 * time.Second
	cfg.PingTimeout = 5 * time.Second
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return fmt.Errorf("the database cannot be reached: %w", err)
	}
	s.write = stdlib.OpenDBFromPool(pool)
	s.read = &reader{DB: s.write, outages: &s.outages, patience: patience}
	s.write.SetMaxIdleConns(0) // the pool keeps them
	e := &postgres{
		pool: pool, db: s.write, away: &s.outages, turn: make(chan struct{}, 1), local: s.clock != nil, node: id.New(), tell: newTeller(), patience: patience,
	}
	e.turn <- struct{}{}
	s.engine = e
	return nil
}

func (e *postgres) name() string { return "postgres" }

func (e *postgres) clock() string {
	if e.local {
		return `CAST(0 AS BIGINT)`
	}
	return `CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)`
}

func (e *postgres) begin(ctx context.Context, ahead *question) (tx, head, error) {
	select {
	case <-e.turn:
	case <-ctx.Done():
		return nil, head{}, context.Cause(ctx)
	}
	connecting, cancel := bounded(ctx, e.patience)
	defer cancel()
	conn, err := e.db.Conn(connecting)
	if err != nil {
		e.turn <- struct{}{}
		return nil, head{}, fmt.Errorf("begin: %w", err)
	}
	t, begun := &postgresTx{e: e, conn: conn}, false
	defer func() { //nolint:contextcheck // never cancelled; after a panic, too
		if !begun {
			t.rollback()
		}
	}()
	if ahead != nil && ahead.guess != nil && (e.local || time.Since(e.toldAt) < clockFor) {
		h, ok := ahead.guess()
		if ahead.guessed = ok; ok {
			t.guess = &h
			if !e.local {
				h.now = e.told + time.Since(e.toldAt).Microseconds() // behind the server's clock by the way here, never before it
			}
			begun = true
			return t, h, nil
		}
	}
	ctx, cancel = bounded(context.WithoutCancel(ctx), e.patience)
	defer cancel()
	h, err := t.begin(ctx, ahead)
	if err != nil {
		return nil, head{}, fmt.Errorf("begin: %w", err)
	}
	begun = true
	return t, h, nil
}

func (e *postgres) aside(ctx context.Context) (tx, error) {
	ctx, cancel := bounded(ctx, e.patience)
	defer cancel()
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	t := &postgresTx{e: e, conn: conn, aside: true}
	err = t.raw(func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, `BEGIN`)
		return err
	})
	if err != nil {
		t.rollback() //nolint:contextcheck // never cancelled
		return nil, fmt.Errorf("begin: %w", err)
	}
	return t, nil
}

// follow listens for the commits of all nodes, and tells them what ours have
// not told. A lost connection is made again.
func (e *postgres) follow(ctx context.Context, wake func(Topics)) error {
	var telling sync.WaitGroup
	telling.Go(func() { e.tell.pay(ctx, func(about Topics) { e.tellOthers(ctx, about) }) })
	defer telling.Wait()
	for {
		err := e.listen(ctx, wake)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			continue
		}
		select { // whoever follows also looks every second by itself
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

// tellOthers is for what no commit has told. An error is passed over: whoever
// follows also looks by itself.
func (e *postgres) tellOthers(ctx context.Context, about Topics) {
	ctx, cancel := bounded(ctx, e.patience)
	defer cancel()
	_, _ = e.pool.Exec(ctx, tellQuery, channel, news(e.node, about))
}

func (e *postgres) listen(ctx context.Context, wake func(Topics)) error {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.patience)
		defer cancel()
		_, _ = conn.Exec(ctx, `UNLISTEN `+channel) // the connection may be gone
	}()
	for {
		n, err := conn.Conn().WaitForNotification(ctx)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		if about := readNews(e.node, n.Payload); about != 0 {
			wake(about)
		}
	}
}

func (e *postgres) close() error {
	<-e.turn
	e.pool.Close()
	return nil
}

type postgresTx struct {
	e     *postgres
	conn  *sql.Conn
	aside bool  // it has not queued with the writers
	guess *head // nothing was sent yet, and the head is to be this one
}

// sameHead refuses what comes behind it when the head is another.
const sameHead = `SELECT 1 / CASE WHEN epoch = $1 AND seq = $2 AND incident = $3 AND alert = $4 AND delivery = $5 AND rev = $6 AND config = $7
	THEN 1 ELSE 0 END FROM head WHERE id = 1 FOR UPDATE`

// queueGuess begins the transaction that was put off.
func (t *postgresTx) queueGuess(b *pgx.Batch) {
	if h := t.guess; h != nil {
		t.guess = nil
		b.Queue(`BEGIN`)
		b.Queue(sameHead, h.epoch, int64(h.seq), int64(h.incident), int64(h.alert), int64(h.delivery), h.rev, h.config)
	}
}

// open begins the transaction that was put off, because something is to be read after all.
func (t *postgresTx) open(ctx context.Context) error {
	if t.guess == nil {
		return nil
	}
	return t.raw(func(c *pgx.Conn) error {
		b := &pgx.Batch{}
		t.queueGuess(b)
		return c.SendBatch(ctx, b).Close()
	})
}

// raw runs f on the connection beneath; an error makes database/sql forget the
// connection when fatal says so.
func (t *postgresTx) raw(f func(*pgx.Conn) error) error {
	return t.conn.Raw(func(dc any) error {
		c, ok := dc.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("unexpected driver connection %T", dc)
		}
		return f(c.Conn())
	})
}

func (t *postgresTx) begin(ctx context.Context, ahead *question) (head, error) {
	var h head
	err := t.raw(func(c *pgx.Conn) error {
		b := &pgx.Batch{}
		b.Queue(`BEGIN`)
		var at int64
		b.Queue(selectHeadAt(t.e.clock()) + ` FOR UPDATE`).
			QueryRow(func(row pgx.Row) error {
				return row.Scan(&h.epoch, &h.seq, &h.incident, &h.alert, &h.delivery, &h.rev, &h.config, &at, &h.now)
			})
		if ahead != nil { // sees what the lock has waited for: each statement looks anew
			b.Queue(ahead.query, ahead.args...).Query(func(rows pgx.Rows) error {
				for rows.Next() {
					if err := ahead.take(rows); err != nil {
						return err
					}
				}
				return rows.Err()
			})
		}
		err := c.SendBatch(ctx, b).Close()
		h.at = instant(at)
		t.e.told, t.e.toldAt = h.now, time.Now()
		return err
	})
	return h, err
}

func (t *postgresTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := t.open(ctx); err != nil {
		return nil, err
	}
	return t.conn.QueryContext(ctx, query, args...)
}

func (t *postgresTx) silence() time.Duration { return t.e.patience }

func (t *postgresTx) outage() *outages { return t.e.away }

func (t *postgresTx) commit(ctx context.Context, all []statement, about Topics, done func()) error {
	ctx, cancel := bounded(ctx, t.e.patience)
	defer cancel()
	told := t.e.tell.with(about, time.Now())
	err := t.raw(func(c *pgx.Conn) error {
		b := &pgx.Batch{}
		t.queueGuess(b)
		for _, s := range all {
			b.Queue(s.query, s.args...)
		}
		if told != 0 {
			b.Queue(tellQuery, channel, news(t.e.node, told))
		}
		b.Queue(`COMMIT`)
		return c.SendBatch(ctx, b).Close()
	})
	if err != nil {
		t.e.tell.owe(told, time.Now())
		t.rollback() //nolint:contextcheck // never cancelled
		return fmt.Errorf("commit: %w", err)
	}
	if told == 0 {
		t.e.tell.owe(about, time.Now())
	}
	defer t.release()
	done()
	return nil
}

func (t *postgresTx) rollback() {
	if t.guess != nil { // nothing was sent
		t.release()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = t.conn.Raw(func(dc any) error {
		c, ok := dc.(*stdlib.Conn)
		if !ok {
			return driver.ErrBadConn
		}
		if _, err := c.Conn().Exec(ctx, `ROLLBACK`); err != nil {
			_ = c.Conn().Close(ctx)
			t.e.pool.Reset()         // what became of this one may have become of all
			return driver.ErrBadConn // closing the connection rolls back, too
		}
		return nil
	})
	t.release()
}

func (t *postgresTx) release() {
	_ = t.conn.Close() // back to the pool
	if !t.aside {
		t.e.turn <- struct{}{}
	}
}
