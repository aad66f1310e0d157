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
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// The figures of sending.
const (
	claimFor     = 10 * time.Second // a dead worker's page is late by at most this
	sendTimeout  = 30 * time.Second
	claimAtOnce  = 512
	atOnce       = 8 // messages on their way by one method
	maxHeld      = 2 * claimRounds * claimAtOnce
	bundleAbove  = 3   // more waiting pages than this to one contact become one message
	claimRounds  = 8   // claims in a row, so that what was held back for one message becomes one
	recordAtOnce = 256 // bounds one transaction, and with it how long an alert may wait behind it
)

// Linker makes the links of a page: the incident room, and the pages that
// acknowledge and resolve after one confirming click.
type Linker interface {
	Incident(n id.Incident) string
	Action(action string, n id.Incident, u id.User, now time.Time) string
	Drill(token string) string // where a test page is answered
}

// Carrier is one way out for pages of a method.
type Carrier struct {
	ID       id.Provider // "" where there is only one
	Provider notify.Provider
	Tracked  bool // it will say what became of a message, by itself or when asked
}

// Carriers are the ways out for a page by a method to an address, in the order in which they
// are to be used; none when it is not set up.
type Carriers func(o *org.Org, method, address string) []Carrier

// Fixed are carriers that never change, one for a method.
func Fixed(providers map[string]notify.Provider) Carriers {
	return func(_ *org.Org, method, _ string) []Carrier {
		if p, ok := providers[method]; ok {
			return []Carrier{{Provider: p}}
		}
		return nil
	}
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
		if d.Kind == store.NoticeMail || d.Contact == "" { // each has its own link, or is for a program
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
	if page.Secret, err = s.secretOf(user, first); err != nil {
		s.log.ErrorContext(ctx, "open secret of contact method", "delivery", first.ID, "err", err)
		return nil, []dispatch.Outcome{{Delivery: first, State: store.Failed, Detail: phrase.T("outbox.error")}}, page, nil
	}
	if first.Kind == store.DrillPage {
		if dr, ok := o.Drills[first.Body.Drill]; !ok || !dr.Ended.IsZero() {
			return nil, []dispatch.Outcome{{Delivery: first, State: store.Cancelled, Detail: phrase.T("outbox.drill.over")}}, page, nil
		}
		page.Token, page.Drill = s.dispatch.PageToken(first), true
		page.Notice = s.drill(o, first, page.Token)
		return batch, nil, page, nil
	}
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
		if !ok || !dispatch.Wanted(inc, d) {
			over = append(over, dispatch.Outcome{Delivery: d, State: store.Cancelled, Detail: dispatch.CancelledWhy(inc)})
			continue
		}
		newer, err := s.superseded(ctx, d)
		if err != nil {
			return nil, nil, page, err
		}
		if newer {
			over = append(over, dispatch.Outcome{Delivery: d, State: store.Cancelled, Detail: phrase.T("outbox.superseded")})
			continue
		}
		wanted = append(wanted, d)
		page.Incidents = append(page.Incidents, s.linked(notify.PageIncident{
			Number: inc.ID, Title: inc.Title, Message: inc.Message, Severity: string(inc.Severity), EntityID: inc.EntityID,
			Host: inc.Host, Tool: inc.Tool, RoutingKey: inc.RoutingKey, Team: o.Teams[inc.Team].Name,
			AlertCount: inc.AlertCount, TriggeredAt: inc.TriggeredAt, Reason: d.Body.Why,
			ThreadKey: fmt.Sprintf("incident:%d", inc.ID), URL: s.links.Incident(inc.ID),
		}, d.Person, now))
	}
	if len(wanted) > 0 && wanted[0].Person != "" {
		page.Token = s.dispatch.PageToken(wanted[0])
	}
	if len(wanted) > 1 {
		page.Key = bundleKey(wanted)
	} else if len(wanted) == 1 {
		page.Key = wanted[0].Key
	}
	return wanted, over, page, nil
}

// linked adds the links with which a person acts on an incident; who is nobody
// gets none.
func (s *Sender) linked(p notify.PageIncident, u id.User, now time.Time) notify.PageIncident {
	if u != "" {
		p.AckURL, p.ResolveURL = s.links.Action("ack", p.Number, u, now), s.links.Action("resolve", p.Number, u, now)
	}
	return p
}

// secretOf is what the contact method of a page needs beside its address.
func (s *Sender) secretOf(u people.User, d store.Delivery) (string, error) {
	for _, c := range u.Contacts {
		if string(c.Method) == d.Body.Method && c.Address == d.Body.Address && c.Secret != "" {
			return s.box.Open(c.Secret)
		}
	}
	return "", nil
}

// superseded reports whether the same person was asked anew about the same
// incident since: what is left of an earlier asking would only double it.
func (s *Sender) superseded(ctx context.Context, d store.Delivery) (bool, error) {
	if d.Body.Chain == nil || d.Body.Chain.Seq == 1 || d.Attempt > 1 {
		return false, nil
	}
	all, err := s.store.Deliveries(ctx, d.Incident)
	return slices.ContainsFunc(all, func(other store.Delivery) bool {
		return other.Person == d.Person && other.Entry > d.Entry && other.Kind == d.Kind
	}), err
}

// drill is the text of a test page.
func (s *Sender) drill(o *org.Org, d store.Delivery, token string) *notify.Notice {
	lines := []string{phrase.T("outbox.drill.line", o.Teams[o.Drills[d.Body.Drill].Team].Name)}
	if note := o.Drills[d.Body.Drill].Note; note != "" {
		lines = append(lines, note)
	}
	return &notify.Notice{
		Subject: phrase.T("outbox.drill.subject"), Lines: append(lines, phrase.T("outbox.drill.answer")),
		Action: phrase.T("drills.link.button"), URL: s.links.Drill(token),
	}
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
	carrier, receipt, err := s.try(ctx, batch[0], page)
	now := time.Now()
	if err != nil { // when to try again, and until when, is by the clock that said when it was due
		if at, away := s.store.Now(ctx); away == nil {
			now = at
		}
	}
	outcomes := make([]dispatch.Outcome, len(batch))
	for i, d := range batch {
		outcomes[i] = verdict(d, carrier, receipt, err, now)
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

func (s *Sender) try(ctx context.Context, first store.Delivery, page notify.Page) (carrier Carrier, receipt notify.Receipt, err error) {
	o, err := s.store.Org(ctx)
	if err != nil {
		return carrier, receipt, err
	}
	ways := s.carriers(o, first.Body.Method, first.Body.Address)
	if len(ways) == 0 {
		return carrier, receipt, &notify.Failure{Config: true, Reason: phrase.T("outbox.no_provider", people.Method(first.Body.Method).Words())}
	}
	carrier = ways[0]
	for _, way := range ways {
		if !slices.Contains(first.Body.Tried, string(way.ID)) {
			carrier = way
			break
		}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	defer fault.Recover(&err) // a bug, which may be one of this page alone
	receipt, err = carrier.Provider.Send(ctx, page)
	return carrier, receipt, err
}

// verdict turns a provider's answer into what is to be recorded.
func verdict(d store.Delivery, by Carrier, receipt notify.Receipt, err error, now time.Time) dispatch.Outcome {
	if err == nil {
		out := dispatch.Outcome{Delivery: d, State: store.Sent, Detail: receipt.Detail, Provider: by.ID, Remote: receipt.RemoteID}
		switch {
		case receipt.State == notify.Delivered:
			out.State = store.Delivered
		case by.Tracked && receipt.RemoteID != "":
			out.State = store.Accepted
		case d.Body.Method == string(people.Email):
			out.Remote = "" // nothing ever comes back by it
		}
		return out
	}
	out := dispatch.Outcome{Delivery: d, State: store.Pending, Detail: reason(err), Provider: by.ID}
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
