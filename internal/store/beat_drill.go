package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// DrillKey is the idempotency key of the n-th page of a drill, from 0; pages of
// a drill are numbered without a gap.
func DrillKey(drill id.Drill, n int) string { return "drill:" + string(drill) + ":" + strconv.Itoa(n) }

// drillAtOnce is how many keys one query looks up.
const drillAtOnce = 64

// DrillDeliveries returns the pages of a drill in the order of their numbers.
func (s *Store) DrillDeliveries(ctx context.Context, drill id.Drill) ([]Delivery, error) {
	return drillDeliveries(ctx, s.read, drill)
}

// DrillDeliveries is that of Store, in the transaction.
func (tx *Tx) DrillDeliveries(drill id.Drill) ([]Delivery, error) {
	return drillDeliveries(tx.ctx, tx.tx, drill)
}

func drillDeliveries(ctx context.Context, q querier, drill id.Drill) ([]Delivery, error) {
	var found []Delivery
	for n := 0; ; n += drillAtOnce {
		keys := make([]any, drillAtOnce)
		for i := range keys {
			keys[i] = DrillKey(drill, n+i)
		}
		some, err := all(ctx, q, scanDelivery, selectDelivery+` WHERE key IN `+in(1, len(keys))+` ORDER BY id`, keys...)
		if err != nil {
			return nil, fmt.Errorf("load pages of drill: %w", err)
		}
		if found = append(found, some...); len(some) < drillAtOnce {
			return found, nil
		}
	}
}

// Proof is the last time that a contact method is known to have worked.
type Proof struct {
	DeliveredAt time.Time // a page arrived there; zero: none that we know of
	AnsweredAt  time.Time // somebody answered one there; zero: nobody
}

// At is the last of the two.
func (p Proof) At() time.Time {
	if p.AnsweredAt.After(p.DeliveredAt) {
		return p.AnsweredAt
	}
	return p.DeliveredAt
}

// Proofs returns the proofs of contact methods, of those that have any.
func (s *Store) Proofs(ctx context.Context, contacts []id.Contact) (map[id.Contact]Proof, error) {
	found := map[id.Contact]Proof{}
	for chunk := range slices.Chunk(contacts, 128) {
		args := textsOf(chunk)
		// For each contact method and state the newest: what it says is in its life.
		list, err := all(ctx, s.read, scanDelivery, selectDelivery+` WHERE id IN (SELECT MAX(id) FROM delivery WHERE contact <> '' AND contact IN `+in(1, len(args))+`
			AND state IN ('delivered', 'seen', 'answered') GROUP BY contact, state)`, args...)
		if err != nil {
			return nil, fmt.Errorf("load proofs of contact methods: %w", err)
		}
		for _, d := range list {
			found[d.Contact] = proofOf(found[d.Contact], d)
		}
	}
	return found, nil
}

func proofOf(p Proof, d Delivery) Proof {
	for _, m := range d.Body.Life {
		switch m.State {
		case Delivered, Seen:
			p.DeliveredAt = later(p.DeliveredAt, m.At)
		case Answered:
			p.AnsweredAt = later(p.AnsweredAt, m.At)
		}
	}
	return p
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// DeliveryOfKey returns the delivery with an idempotency key; ErrNotFound when
// there is none.
func (s *Store) DeliveryOfKey(ctx context.Context, key string) (Delivery, error) {
	return one(ctx, s.read, scanDelivery, selectDelivery+` WHERE key = $1`, key)
}

// DropDelivery removes the delivery with a key, unless somebody works on it.
// It is for those that were made to try the machinery and that nobody will ask for.
func (tx *Tx) DropDelivery(key string) {
	tx.exec(`DELETE FROM delivery WHERE key = $1 AND (state <> 'pending' OR claimed_until <= $2)`, key, micros(tx.Now))
}
