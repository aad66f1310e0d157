package outbox

import (
	"context"
	"slices"
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

// Carrier is one way out for pages of a method.
type Carrier struct {
	ID       id.Provider // "" where there is only one
	Provider notify.Provider
	Tracked  bool // it will say what became of a message, by itself or when asked
}

// Carriers are the ways out for a page by a method to an address, in the order in which they
// are to be used; none when it is not set up.
type Carriers func(o *org.Org, method, address string) []Carrier

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
