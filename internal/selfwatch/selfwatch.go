// Package selfwatch watches the server itself: a pager that has stopped must not
// be silent about it.
//
//   - Outward heartbeat: while this node is healthy it calls an URL of a service
//     that raises an alarm when the calls stop. It is the only part that notices
//     a node that is gone altogether.
//   - Looks: every fifteen seconds each node looks at its queues (health.Machinery),
//     at the database, at its clocks. When something could not be written, it tries
//     to write until that works again. A wall clock that moved by more than
//     ClockSlack against the one that only counts, or is that far from the
//     database's, is a jump.
//   - Synthetic page: on one node at a time, every few minutes, a page to nobody
//     takes the way of all pages through store, sender and provider, and must
//     have arrived within SyntheticDeadline.
//
// What is wrong is told on a second path that needs neither queue nor sender:
// a mail given directly to the mail server and a call of a webhook. The first
// word comes at once, then one an hour while it lasts, and one when it is over;
// more than maxAlarms an hour are not sent but logged. One that could not be
// told by any path is tried again every minute. The timeline has an entry of
// each, as long as it can be written.
//
// With several nodes each tells what it sees, so one trouble may be told by each.
//
// Keeper is beside it: the loop of what is planned for an instant.
package selfwatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/watchroom/watchroom/internal/lease"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// The figures.
const (
	ClockSlack        = 5 * time.Second
	SyntheticDeadline = time.Minute

	lookEvery   = 15 * time.Second
	lookTimeout = 10 * time.Second
	callTimeout = 15 * time.Second
	leaseFor    = 30 * time.Second
	leaseName   = "selfwatch"
	leaseKey    = "lease" // of the problem that it was lost
	troubledFor = time.Minute
	beatTries   = 5 // outward calls that fail in a row before somebody is told
)

// Config says what is watched and who is told. The zero value looks and logs.
type Config struct {
	BeatURL        string        // called while this node is healthy; "": nothing is
	BeatEvery      time.Duration // 0: DefaultBeatEvery
	SyntheticEvery time.Duration // 0: no synthetic pages
	AlarmTo        []string      // e-mail addresses of the operator
	AlarmURL       string        // gets a POST with JSON; see Alarm
}

// Defaults and limits.
const (
	DefaultBeatEvery      = time.Minute
	DefaultSyntheticEvery = 5 * time.Minute
	minEvery              = 5 * time.Second
	minSynthetic          = time.Minute
)

// Validate returns a sentence about the first thing that is wrong with c. It
// does not repeat URLs: they may be secrets.
func (c Config) Validate() error {
	for name, text := range map[string]string{"heartbeat-url": c.BeatURL, "alarm-url": c.AlarmURL} {
		if text == "" {
			continue
		}
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return errors.New(phrase.T("selfwatch.config.url", name))
		}
	}
	if c.BeatEvery != 0 && c.BeatEvery < minEvery {
		return errors.New(phrase.T("selfwatch.config.every", "heartbeat-every", minEvery))
	}
	if c.SyntheticEvery != 0 && c.SyntheticEvery < minSynthetic {
		return errors.New(phrase.T("selfwatch.config.every", "synthetic-every", minSynthetic))
	}
	for _, to := range c.AlarmTo {
		if a, err := mail.ParseAddress(to); err != nil || a.Address != to {
			return errors.New(phrase.T("selfwatch.config.address", to))
		}
	}
	return nil
}

// Sealer encrypts what a delivery holds.
type Sealer interface {
	Seal(plain string) string
}

// Deps is what a Watch needs.
type Deps struct {
	Store  *store.Store
	Box    Sealer
	Client *http.Client    // for the two URLs, which the operator gave
	Mail   notify.Provider // nil: no outgoing mail
	Log    *slog.Logger
	Node   string // different for every process
	Host   string // the machine as people call it
}

// Watch watches one node.
type Watch struct {
	cfg    Config
	d      Deps
	clocks clocks
	wait   time.Duration // for the database, at each step of a look

	alarms   alarms    // of the loop alone, as the next two
	found    []Problem // by the last look that could read the database
	troubled time.Time // when the database was last seen away

	seen      atomic.Pointer[seen]
	leads     atomic.Bool
	synthetic atomic.Pointer[Problem] // nil: the last synthetic page arrived
	took      atomic.Int64            // nanoseconds the last one needed
	unheard   atomic.Int64            // outward calls that have failed in a row

	mu     sync.Mutex
	events []Problem // what happened once and was not told yet; guarded by mu
}

// seen is the result of a look.
type seen struct {
	at      time.Time
	healthy bool
}

// New returns a Watch; cfg is valid.
func New(cfg Config, d Deps) *Watch {
	if cfg.BeatEvery == 0 {
		cfg.BeatEvery = DefaultBeatEvery
	}
	return &Watch{cfg: cfg, d: d, clocks: newClocks(), wait: lookTimeout, alarms: newAlarms()}
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { w.beatLoop(ctx) })
	wg.Go(func() { w.leadLoop(ctx) })
	w.lookLoop(ctx)
	wg.Wait()
	return nil
}

// Took is how long the last synthetic page needed; 0 when none arrived yet on
// this node.
func (w *Watch) Took() time.Duration { return time.Duration(w.took.Load()) }

// Healthy reports whether the last look found nothing wrong, a moment ago.
func (w *Watch) Healthy() bool {
	s := w.seen.Load()
	return s != nil && s.healthy && time.Since(s.at) < 3*lookEvery
}

func (w *Watch) lookLoop(ctx context.Context) {
	for {
		w.lookOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}

func (w *Watch) lookOnce(ctx context.Context) {
	found := w.look(ctx)
	if ctx.Err() != nil {
		return // what was found then is our own end
	}
	w.seen.Store(&seen{time.Now(), len(found) == 0})
	if w.unheard.Load() >= beatTries { // is no reason to stop calling
		found = append(found, Problem{Key: "outward", Object: phrase.T("selfwatch.object.outward"), Text: phrase.T("selfwatch.unheard")})
	}
	w.mu.Lock()
	found = append(found, slices.DeleteFunc(w.events, w.explained)...)
	w.events = nil
	w.mu.Unlock()
	for _, a := range w.alarms.update(time.Now(), found) {
		told := w.tell(ctx, a)
		w.record(ctx, a)
		w.alarms.told(a, time.Now(), told)
	}
}

// explained reports whether a lease was lost because the database is or was
// away, of which the operator is told already.
func (w *Watch) explained(p Problem) bool {
	return p.Key == leaseKey && time.Since(w.troubled) < troubledFor
}

func (w *Watch) happened(p Problem) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.Once = true
	w.events = append(w.events, p)
}

// beatLoop calls the outside while all is well here.
func (w *Watch) beatLoop(ctx context.Context) {
	if w.cfg.BeatURL == "" {
		return
	}
	for {
		if w.Healthy() {
			if err := w.beat(ctx); err == nil {
				w.unheard.Store(0)
			} else if ctx.Err() == nil {
				w.unheard.Add(1)
				w.d.Log.WarnContext(ctx, "call the outward heartbeat", "err", err)
			}
		}
		wait := w.cfg.BeatEvery
		if w.seen.Load() == nil {
			wait = time.Second // the first look is about to end
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (w *Watch) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.cfg.BeatURL, http.NoBody)
	if err != nil {
		return errors.New(phrase.T("selfwatch.config.url", "heartbeat-url"))
	}
	return w.call(req)
}

// leadLoop does on one node what one is enough for. A lease that is lost while
// we run says that this node could not write for longer than it lasts.
func (w *Watch) leadLoop(ctx context.Context) {
	err := lease.Run(ctx, w.d.Store, leaseName, w.d.Node, leaseFor, func(inner context.Context) error {
		w.leads.Store(true)
		defer w.leads.Store(false)
		w.syntheticLoop(inner)
		if ctx.Err() == nil {
			w.happened(Problem{Key: leaseKey, Object: phrase.T("selfwatch.object.lease"), Text: phrase.T("selfwatch.lease_lost", leaseFor)})
		}
		return nil
	})
	if err != nil {
		w.d.Log.ErrorContext(ctx, "hold the lease of the watch", "err", err)
	}
}

// call sends req and throws away the answer. Errors name neither URL nor body.
func (w *Watch) call(req *http.Request) error {
	answer, err := w.d.Client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the URL, which may be a secret
		}
		return fmt.Errorf("%s: %w", req.URL.Hostname(), err)
	}
	if err := answer.Body.Close(); err != nil {
		return fmt.Errorf("%s: %w", req.URL.Hostname(), err)
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", req.URL.Hostname(), answer.Status)
	}
	return nil
}
