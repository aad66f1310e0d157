package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// The figures of sending.
const (
	claimFor     = 10 * time.Second // a dead worker's page is late by at most this
	sendTimeout  = 30 * time.Second
	claimAtOnce  = 512
	workers      = 8
	bundleAbove  = 3   // more waiting pages than this to one contact become one message
	claimRounds  = 8   // claims in a row, so that what was held back for one message becomes one
	recordAtOnce = 256 // bounds one transaction, and with it how long an alert may wait behind it
)

// Linker makes the links of a page: the incident room, and the pages that
// acknowledge and resolve after one confirming click.
type Linker interface {
	Incident(n id.Incident) string
	Action(action string, n id.Incident, u id.User, now time.Time) string
}

// Sender delivers.
type Sender struct {
	store     *store.Store
	dispatch  *dispatch.Dispatcher
	providers map[string]notify.Provider // by contact method
	box       dispatch.Sealer
	links     Linker
	log       *slog.Logger
	holder    string
	interval  time.Duration
	jobs      chan []store.Delivery
	// Observe is called after each try; for metrics. May be nil.
	Observe func(method string, state store.DeliveryState, took time.Duration)

	mu   sync.Mutex
	mine map[id.Delivery]bool // claimed and not done with; guarded by mu
}

// NewSender returns a Sender whose claims carry the name holder, which is
// different for every process that ever runs.
func NewSender(s *store.Store, d *dispatch.Dispatcher, providers map[string]notify.Provider, box dispatch.Sealer, links Linker, log *slog.Logger, holder string, interval time.Duration) *Sender {
	return &Sender{
		store: s, dispatch: d, providers: providers, box: box, links: links, log: log, holder: holder, interval: interval,
		jobs: make(chan []store.Delivery), mine: map[id.Delivery]bool{},
	}
}

// Run sends until ctx ends, then waits for what is on the wire, and for a
// while for the store to take down what became of it.
func (s *Sender) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	context.AfterFunc(ctx, func() {
		select {
		case <-work.Done():
		case <-time.After(sendTimeout + claimFor):
			cancel()
		}
	})
	for range workers {
		wg.Go(func() {
			for batch := range s.jobs {
				if ctx.Err() == nil { // else what was claimed and not begun is for whoever comes next
					s.deliver(work, batch)
				}
				s.done(batch)
			}
		})
	}
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		s.renew(work)
	}()
	s.claimLoop(ctx)
	close(s.jobs)
	wg.Wait()
	cancel()
	<-renewed
	return nil
}

func (s *Sender) claimLoop(ctx context.Context) {
	wake, stop := s.store.Wake(store.Deliveries)
	defer stop()
	for {
		claimed, err := s.claim(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "claim deliveries", "err", err)
		}
		s.hold(claimed)
		for _, batch := range Bundle(claimed) {
			s.jobs <- batch // the workers take it also when ctx has ended
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
	due, err := s.store.DeliveryDue(ctx) // costs no writer
	if err != nil || !due {
		return nil, err
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

// Bundle groups deliveries into messages. What was held back for one message
// becomes one; so do more than bundleAbove that have piled up for one contact
// method for another reason, such as a mail server that was away.
func Bundle(claimed []store.Delivery) [][]store.Delivery {
	type contact struct { // one that was changed meanwhile is another
		id              id.Contact
		method, address string
	}
	by := map[contact][]store.Delivery{}
	var order []contact
	var batches [][]store.Delivery
	for _, d := range claimed {
		if d.Kind == store.NoticeMail { // each has its own link
			batches = append(batches, []store.Delivery{d})
			continue
		}
		c := contact{d.Contact, d.Body.Method, d.Body.Address}
		if _, ok := by[c]; !ok {
			order = append(order, c)
		}
		by[c] = append(by[c], d)
	}
	for _, c := range order {
		group := by[c]
		if len(group) > bundleAbove || slices.ContainsFunc(group, isHeld) {
			batches = append(batches, group)
			continue
		}
		for _, d := range group {
			batches = append(batches, []store.Delivery{d})
		}
	}
	return batches
}

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

// prepare looks at the incidents right before sending: what is no longer
// wanted is cancelled, the rest becomes a page in its present state.
func (s *Sender) prepare(ctx context.Context, batch []store.Delivery) (wanted []store.Delivery, over []dispatch.Outcome, page notify.Page, err error) {
	o, err := s.store.Org(ctx)
	if err != nil {
		return nil, nil, page, err
	}
	first := batch[0]
	user := o.Users[first.Person]
	page = notify.Page{Key: first.Key, To: first.Body.Address, UserName: user.Name, Zone: user.Location(), At: first.CreatedAt}
	if first.Kind == store.NoticeMail {
		if page.Notice, err = s.notice(first); err != nil { // another key: it will not get better
			s.log.ErrorContext(ctx, "prepare notice", "delivery", first.ID, "err", err)
			return nil, []dispatch.Outcome{{Delivery: first, State: store.Failed, Detail: phrase.T("outbox.error")}}, page, nil
		}
		return batch, nil, page, nil
	}
	numbers := make([]id.Incident, len(batch))
	for i, d := range batch {
		numbers[i] = d.Incident
	}
	incs, err := s.store.IncidentsByID(ctx, numbers)
	if err != nil {
		return nil, nil, page, err
	}
	now := time.Now()
	for _, d := range batch {
		inc, ok := incs[d.Incident]
		if !ok || !inc.Open() || d.Kind == store.StepPage && inc.State != incident.Triggered {
			over = append(over, dispatch.Outcome{Delivery: d, State: store.Cancelled, Detail: phrase.T("outbox.not_wanted")})
			continue
		}
		wanted = append(wanted, d)
		page.Incidents = append(page.Incidents, notify.PageIncident{
			Number: inc.ID, Title: inc.Title, Message: inc.Message, Severity: string(inc.Severity), EntityID: inc.EntityID,
			Host: inc.Host, Tool: inc.Tool, RoutingKey: inc.RoutingKey, Team: o.Teams[inc.Team].Name,
			AlertCount: inc.AlertCount, TriggeredAt: inc.TriggeredAt, Reason: d.Body.Why,
			ThreadKey: fmt.Sprintf("incident:%d", inc.ID), URL: s.links.Incident(inc.ID),
			AckURL: s.links.Action("ack", inc.ID, d.Person, now), ResolveURL: s.links.Action("resolve", inc.ID, d.Person, now),
		})
	}
	if len(wanted) > 1 {
		page.Key = bundleKey(wanted)
	} else if len(wanted) == 1 {
		page.Key = wanted[0].Key
	}
	return wanted, over, page, nil
}

// bundleKey is the same whenever the same pages are sent together.
func bundleKey(batch []store.Delivery) string {
	keys := make([]string, len(batch))
	for i, d := range batch {
		keys[i] = d.Key
	}
	slices.Sort(keys)
	return "bundle:" + strings.Join(keys, ",")
}

func (s *Sender) notice(d store.Delivery) (*notify.Notice, error) {
	plain, err := s.box.Open(d.Body.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open notice %d: %w", d.ID, err)
	}
	var n notify.Notice
	if err := json.Unmarshal([]byte(plain), &n); err != nil {
		return nil, fmt.Errorf("read notice %d: %w", d.ID, err)
	}
	return &n, nil
}

func (s *Sender) send(ctx context.Context, batch []store.Delivery, page notify.Page) []dispatch.Outcome {
	method := batch[0].Body.Method
	began := time.Now()
	receipt, err := s.try(ctx, method, page)
	now := time.Now()
	if err != nil { // when to try again, and until when, is by the clock that said when it was due
		if at, away := s.store.Now(ctx); away == nil {
			now = at
		}
	}
	outcomes := make([]dispatch.Outcome, len(batch))
	for i, d := range batch {
		outcomes[i] = verdict(d, receipt, err, now)
		outcomes[i].Bundled = len(batch)
	}
	if err != nil {
		s.log.WarnContext(ctx, "page not delivered", "delivery", batch[0].ID, "incident", batch[0].Incident, "attempt", batch[0].Attempt, "err", err)
	}
	if s.Observe != nil {
		s.Observe(method, outcomes[0].State, time.Since(began))
	}
	return outcomes
}

func (s *Sender) try(ctx context.Context, method string, page notify.Page) (receipt notify.Receipt, err error) {
	provider, ok := s.providers[method]
	if !ok {
		return notify.Receipt{}, &notify.Failure{Config: true, Reason: phrase.T("outbox.no_provider", method)}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	defer fault.Recover(&err) // a bug, which may be one of this page alone
	return provider.Send(ctx, page)
}

// verdict turns a provider's answer into what is to be recorded.
func verdict(d store.Delivery, receipt notify.Receipt, err error, now time.Time) dispatch.Outcome {
	if err == nil {
		return dispatch.Outcome{Delivery: d, State: store.Sent, Detail: receipt.Detail}
	}
	out := dispatch.Outcome{Delivery: d, State: store.Pending, Detail: reason(err)}
	asked := time.Duration(0)
	if f, ok := errors.AsType[*notify.Failure](err); ok {
		asked = f.RetryAfter
	}
	out.RetryAt = now.Add(max(backoff(d.Attempt, rand.Float64()), min(asked, time.Minute)))
	if notify.Permanent(err) || out.RetryAt.After(d.ExpiresAt) {
		out.State = store.Failed
	}
	return out
}

func reason(err error) string {
	if f, ok := errors.AsType[*notify.Failure](err); ok {
		return f.Reason
	}
	return phrase.T("outbox.error")
}

// backoff is how long to wait after the n-th failed try: one second, doubling
// to at most thirty, of which the upper half is drawn by chance (jitter in 0…1).
func backoff(attempt int, jitter float64) time.Duration {
	full := 30 * time.Second
	if attempt < 6 {
		full = min(full, time.Second<<max(attempt-1, 0))
	}
	return full/2 + time.Duration(jitter*float64(full/2))
}
