package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
)

// The figures of sending.
const (
	claimFor     = 10 * time.Second // a dead worker's page is late by at most this
	sendTimeout  = 30 * time.Second
	claimAtOnce  = 128 // bounds one transaction, and with it how late a timer may be beside it
	atOnce       = 8   // messages on their way by one method
	maxHeld      = 2 * claimRounds * claimAtOnce
	bundleAbove  = 3   // more waiting pages than this to one contact become one message
	claimRounds  = 32  // claims in a row, so that what was held back for one message becomes one
	recordAtOnce = 256 // bounds one transaction, and with it how long an alert may wait behind it
)

// Linker makes the links of a page: the incident room, and the pages that
// acknowledge and resolve after one confirming click.
type Linker interface {
	Incident(n id.Incident) string
	Action(action string, n id.Incident, opened time.Time, u id.User, now time.Time) string
	Drill(token string) string // where a test page is answered
}

// Sender delivers.
type Sender struct {
	store    *store.Store
	dispatch *dispatch.Dispatcher
	carriers Carriers
	box      dispatch.Sealer
	links    Linker
	log      *slog.Logger
	holder   string
	interval time.Duration
	busy     sync.WaitGroup
	// Observe is called after each try; for metrics. May be nil.
	Observe func(method string, state store.DeliveryState, took time.Duration)

	mu    sync.Mutex
	mine  map[id.Delivery]bool     // claimed and not done with; guarded by mu
	lanes map[string]chan struct{} // a token for each message on its way by a method; guarded by mu
}

// NewSender returns a Sender whose claims carry the name holder, which is
// different for every process that ever runs.
func NewSender(s *store.Store, d *dispatch.Dispatcher, carriers Carriers, box dispatch.Sealer, links Linker, log *slog.Logger, holder string, interval time.Duration) *Sender {
	return &Sender{
		store: s, dispatch: d, carriers: carriers, box: box, links: links, log: log, holder: holder, interval: interval,
		mine: map[id.Delivery]bool{}, lanes: map[string]chan struct{}{},
	}
}

// Run sends until ctx ends, then waits for what is on the wire, and for a
// while for the store to take down what became of it.
func (s *Sender) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	context.AfterFunc(ctx, func() {
		select {
		case <-work.Done():
		case <-time.After(sendTimeout + claimFor):
			cancel()
		}
	})
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		s.renew(work)
	}()
	s.claimLoop(ctx, work)
	s.busy.Wait()
	cancel()
	<-renewed
	return nil
}

// start sends a message when the lane of its method has room: a system that
// hangs keeps no other method waiting.
func (s *Sender) start(ctx, work context.Context, batch []store.Delivery) {
	lane := s.lane(batch[0].Body.Method)
	s.busy.Go(func() {
		defer s.done(batch)
		select {
		case lane <- struct{}{}:
			defer func() { <-lane }()
		case <-ctx.Done():
		}
		if ctx.Err() == nil { // else what was claimed and not begun is for whoever comes next
			s.deliver(work, batch)
		}
	})
}

func (s *Sender) lane(method string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.lanes[method]
	if !ok {
		l = make(chan struct{}, atOnce)
		s.lanes[method] = l
	}
	return l
}

// room reports whether more may be claimed: what waits here for a lane cannot
// be sent by another node.
func (s *Sender) room() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mine) < maxHeld
}

func (s *Sender) claimLoop(ctx, work context.Context) {
	wake, stop := s.store.Wake(store.Deliveries)
	defer stop()
	for {
		claimed, err := s.claim(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "claim deliveries", "err", err)
		}
		s.hold(claimed)
		for _, batch := range Bundle(claimed) {
			s.start(ctx, work, batch)
		}
		if len(claimed) == 0 {
			select {
			case <-ctx.Done():
			case <-wake:
			case <-time.After(s.pause(ctx)):
			}
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// pause is until the next delivery is due, at most the interval.
func (s *Sender) pause(ctx context.Context) time.Duration {
	wait, err := s.untilNext(ctx)
	if err != nil { // the next round meets it, too, and says so
		return s.interval
	}
	return min(max(wait, 2*time.Millisecond), s.interval)
}

func (s *Sender) untilNext(ctx context.Context) (wait time.Duration, err error) {
	defer fault.Recover(&err)
	next, err := s.store.NextDelivery(ctx)
	if err != nil || next.IsZero() {
		return s.interval, err
	}
	now, err := s.store.Now(ctx)
	return next.Sub(now), err
}

// Drain sends what is due, one message after the other, until nothing is.
func (s *Sender) Drain(ctx context.Context) error {
	for {
		claimed, err := s.claim(ctx)
		if err != nil || len(claimed) == 0 {
			return err
		}
		for _, batch := range Bundle(claimed) {
			s.deliver(ctx, batch)
		}
	}
}

func (s *Sender) claim(ctx context.Context) (claimed []store.Delivery, err error) {
	defer fault.Recover(&err)
	due, late, err := s.store.DeliveryDue(ctx) // costs no writer
	if err != nil {
		return nil, err
	}
	if late {
		if _, err := s.dispatch.MissDeadlines(ctx); err != nil {
			return nil, err
		}
		due = true // another method may be due now
	}
	if !due || !s.room() {
		return nil, nil
	}
	for range claimRounds {
		some, err := store.InTx(ctx, s.store, func(tx *store.Tx) ([]store.Delivery, error) {
			return tx.ClaimDeliveries(s.holder, tx.Now.Add(claimFor), claimAtOnce)
		})
		if err != nil {
			return claimed, err
		}
		claimed = append(claimed, some...)
		if len(some) < claimAtOnce || !slices.ContainsFunc(some, isHeld) {
			break
		}
	}
	return claimed, nil
}

func isHeld(d store.Delivery) bool { return !d.Body.HeldUntil.IsZero() }

func (s *Sender) hold(claimed []store.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range claimed {
		s.mine[d.ID] = true
	}
}

func (s *Sender) done(batch []store.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range batch {
		delete(s.mine, d.ID)
	}
}

func (s *Sender) held() []id.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.mine))
}

// renew keeps the claims on what this process works on from running out. What
// was claimed without our learning of it, or could not be dealt with, runs out
// and is claimed again.
func (s *Sender) renew(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(claimFor / 3):
		}
		if err := s.renewOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "renew claims", "err", err)
		}
	}
}

func (s *Sender) renewOnce(ctx context.Context) (err error) {
	defer fault.Recover(&err)
	held := s.held()
	if len(held) == 0 {
		return nil
	}
	return s.store.Do(ctx, func(tx *store.Tx) error {
		tx.RenewClaims(s.holder, tx.Now.Add(claimFor), held)
		return nil
	})
}

// deliver sends one message, for one or several deliveries to the same contact.
func (s *Sender) deliver(ctx context.Context, batch []store.Delivery) {
	defer func() {
		if p := recover(); p != nil { // the claim runs out and the page is tried again
			s.log.ErrorContext(ctx, "deliver: panic", "delivery", batch[0].ID, "err", fmt.Sprint(p))
		}
	}()
	wanted, outcomes, page, err := s.prepare(ctx, batch)
	if err != nil {
		s.log.ErrorContext(ctx, "prepare page", "delivery", batch[0].ID, "err", err)
		return
	}
	if len(wanted) > 0 {
		outcomes = append(outcomes, s.send(ctx, wanted, page)...)
	}
	for part := range slices.Chunk(outcomes, recordAtOnce) {
		s.record(ctx, part)
	}
}

// record takes down what became of deliveries.
func (s *Sender) record(ctx context.Context, outcomes []dispatch.Outcome) {
	for ctx.Err() == nil {
		err := s.dispatch.RecordDeliveries(ctx, outcomes)
		if err == nil {
			return
		}
		s.log.ErrorContext(ctx, "record deliveries", "delivery", outcomes[0].Delivery.ID, "err", err)
		select { // the database is away; what we know must not be forgotten
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}
