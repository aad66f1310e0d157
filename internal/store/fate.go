package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// What happens to a delivery after it has left.

// OverdueDeliveries returns up to limit deliveries that a provider has taken and
// that have not arrived in time.
func (tx *Tx) OverdueDeliveries(limit int) ([]Delivery, error) {
	found, err := all(tx.ctx, tx.tx, scanDelivery, selectDelivery+` WHERE state = 'accepted' AND due_at <= $1 ORDER BY due_at LIMIT $2`, micros(tx.Now), limit)
	if err != nil {
		return nil, fmt.Errorf("load overdue deliveries: %w", err)
	}
	return found, nil
}

// DeliveriesByRemote returns the deliveries that left in the message with an id
// at a provider, oldest first. With the provider "" it may be any: ids that
// are not unique between them belong to one installation all the same.
func (tx *Tx) DeliveriesByRemote(provider id.Provider, remote string) ([]Delivery, error) {
	if remote == "" {
		return nil, nil
	}
	found, err := all(tx.ctx, tx.tx, scanDelivery, selectDelivery+` WHERE remote <> '' AND remote = $1 AND ($2 = '' OR provider = $2) ORDER BY id LIMIT 10000`, remote, string(provider))
	if err != nil {
		return nil, fmt.Errorf("load deliveries of a message: %w", err)
	}
	return found, nil
}

// DeliveriesTo returns the latest deliveries to a contact method about
// incidents and drills, newest first.
func (tx *Tx) DeliveriesTo(contact id.Contact, limit int) ([]Delivery, error) {
	return all(tx.ctx, tx.tx, scanDelivery, selectDelivery+` WHERE contact <> '' AND contact = $1 ORDER BY id DESC LIMIT $2`, string(contact), limit)
}

// DeliveriesTo returns the latest deliveries to a contact method, newest first.
func (s *Store) DeliveriesTo(ctx context.Context, contact id.Contact, limit int) ([]Delivery, error) {
	return all(ctx, s.read, scanDelivery, selectDelivery+` WHERE contact <> '' AND contact = $1 ORDER BY id DESC LIMIT $2`, string(contact), limit)
}

// flightTime is how long somebody still asks what became of a message.
const flightTime = 3 * time.Hour

// InFlight returns deliveries of the last hours that a provider has taken and of
// which it may still have something to say, the next deadline first: those
// that have not arrived, and of the methods given, whose messages can be
// answered where they are, also those that have.
func (s *Store) InFlight(ctx context.Context, answerable []string, limit int) ([]Delivery, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return nil, err
	}
	var q query
	q.n = limit
	q.and(`remote <> ''`)
	q.where(`created_at > `, micros(now.Add(-flightTime)))
	var still strings.Builder
	still.WriteString(`state IN ('accepted', 'late')`)
	for _, m := range answerable {
		still.WriteString(` OR state IN ('delivered', 'seen') AND body LIKE ` + q.arg(bodyOf(m)))
	}
	q.and(`(` + still.String() + `)`)
	return all(ctx, s.read, scanDelivery, selectDelivery+q.text()+` ORDER BY due_at LIMIT `+q.max(), q.args...)
}

// bodyOf is a pattern of the JSON of deliveries by a method.
func bodyOf(method string) string { return `%"method":"` + method + `"%` }

// Noisy returns deliveries of a method that are out, make noise until they are
// told not to, and of whose message nobody need be told any more.
func (s *Store) Noisy(ctx context.Context, method string, limit int) ([]Delivery, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return nil, err
	}
	return all(ctx, s.read, scanDelivery, `SELECT `+prefixed("d.", deliveryColumns)+` FROM delivery AS d JOIN incident AS i ON i.id = d.incident
		WHERE d.remote <> '' AND d.created_at > $1 AND d.state IN ('accepted', 'late', 'delivered', 'seen') AND i.state <> 'triggered' AND d.body LIKE $2
		AND NOT EXISTS (SELECT 1 FROM delivery AS o JOIN incident AS j ON j.id = o.incident WHERE o.remote <> '' AND o.remote = d.remote AND j.state = 'triggered')
		ORDER BY d.id DESC LIMIT $3`,
		micros(now.Add(-flightTime)), bodyOf(method), limit)
}
