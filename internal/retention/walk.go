package retention

import (
	"context"
	"slices"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/store"
)

// batch is how many rows are looked at, or removed, at once.
const batch = 500

// found does something with what may go; each call gets at most batch of it.
type found interface {
	entries(context.Context, []store.OldEntry) error
	incidents(context.Context, []store.OldIncident) error
	alerts(context.Context, []store.OldAlert) error
	deliveries(context.Context, []store.OldDelivery) error
	invocations(ctx context.Context, records, outputs []invocation.Invocation) error
	events(context.Context, []store.OldEvent) error
}

// walk looks at everything old and gives what may go to f.
func walk(ctx context.Context, s *store.Store, l Limits, f found) error {
	for _, of := range []func(context.Context, *store.Store, Limits, found) error{
		walkIncidents, walkEntries, walkAlerts, walkDeliveries, walkInvocations, walkEvents,
	} {
		if err := of(ctx, s, l, f); err != nil {
			return err
		}
	}
	return nil
}

func walkIncidents(ctx context.Context, s *store.Store, l Limits, f found) error {
	for after := id.Incident(0); !l.Incidents.IsZero(); {
		some, err := s.OldIncidents(ctx, after, batch)
		if err != nil || len(some) == 0 {
			return err
		}
		last := some[len(some)-1]
		may := slices.DeleteFunc(some, func(i store.OldIncident) bool { return !l.Incident(i) })
		if len(may) > 0 {
			if err := f.incidents(ctx, may); err != nil {
				return err
			}
		}
		if !last.TriggeredAt.Before(l.Incidents) { // what was opened later is not over for longer
			return nil
		}
		after = last.ID
	}
	return nil
}

func walkEntries(ctx context.Context, s *store.Store, l Limits, f found) error {
	if l.Messages.IsZero() && l.Entries.IsZero() {
		return nil
	}
	after, _, err := s.FirstEntry(ctx)
	if err != nil {
		return err
	}
	upto, err := s.SeqAt(ctx, later(l.Messages, l.Entries))
	if err != nil {
		return err
	}
	for after--; after < upto; {
		some, reached, err := s.OldEntries(ctx, after, upto, batch)
		if err != nil {
			return err
		}
		after = reached
		old := slices.DeleteFunc(some, func(e store.OldEntry) bool { return !l.Entry(e) })
		if err := s.Threads(ctx, old); err != nil {
			return err
		}
		if may := slices.DeleteFunc(old, func(e store.OldEntry) bool { return !l.Entry(e) }); len(may) > 0 {
			if err := f.entries(ctx, may); err != nil {
				return err
			}
		}
	}
	return nil
}

func walkAlerts(ctx context.Context, s *store.Store, l Limits, f found) error {
	for after := id.Alert(0); !l.Entries.IsZero(); {
		some, reached, err := s.OldAlerts(ctx, after, batch)
		if err != nil || reached == after {
			return err
		}
		after = reached
		young := len(some) > 0 && !some[len(some)-1].ReceivedAt.Before(l.Entries)
		if may := slices.DeleteFunc(some, func(a store.OldAlert) bool { return !l.Alert(a) }); len(may) > 0 {
			if err := f.alerts(ctx, may); err != nil {
				return err
			}
		}
		if young {
			return nil
		}
	}
	return nil
}

func walkDeliveries(ctx context.Context, s *store.Store, l Limits, f found) error {
	for after := id.Delivery(0); !l.Deliveries.IsZero(); {
		some, err := s.OldDeliveries(ctx, after, batch)
		if err != nil || len(some) == 0 {
			return err
		}
		last := some[len(some)-1]
		if may := slices.DeleteFunc(some, func(d store.OldDelivery) bool { return !l.Delivery(d) }); len(may) > 0 {
			if err := f.deliveries(ctx, may); err != nil {
				return err
			}
		}
		if !last.CreatedAt.Before(l.Deliveries) {
			return nil
		}
		after = last.ID
	}
	return nil
}

// invocationsAtOnce is less than batch: each may bring much that it printed.
const invocationsAtOnce = 100

func walkInvocations(ctx context.Context, s *store.Store, l Limits, f found) error {
	before := later(l.Outputs, l.Commands)
	if before.IsZero() {
		return nil
	}
	last, err := s.LastInvocation(ctx)
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		some, err := s.OldInvocations(ctx, after, before, l.Commands.IsZero(), invocationsAtOnce)
		if err != nil || len(some) == 0 {
			return err
		}
		after = some[len(some)-1].Number
		var records, outputs []invocation.Invocation
		for _, inv := range some {
			switch record, output := l.Invocation(inv, last); {
			case record:
				records = append(records, inv)
			case output:
				outputs = append(outputs, inv)
			}
		}
		if len(records)+len(outputs) > 0 {
			if err := f.invocations(ctx, records, outputs); err != nil {
				return err
			}
		}
	}
}

func walkEvents(ctx context.Context, s *store.Store, l Limits, f found) error {
	for after := int64(0); !l.Commands.IsZero(); {
		some, err := s.OldEvents(ctx, after, batch)
		if err != nil {
			return err
		}
		n := l.Events(some)
		if n == 0 {
			return nil
		}
		if err := f.events(ctx, some[:n]); err != nil {
			return err
		}
		if n < batch {
			return nil
		}
		after = some[n-1].Seq
	}
	return nil
}
