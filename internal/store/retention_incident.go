package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
)

// OldIncident is what retention needs to know of an incident.
type OldIncident struct {
	ID          id.Incident
	State       incident.State
	TriggeredAt time.Time
	ResolvedAt  time.Time
	LastAt      time.Time // of the last entry that belongs to it
	Pinned      bool      // one of its messages is
}

func scanOldIncident(rows *sql.Rows) (OldIncident, error) {
	var old OldIncident
	var body []byte
	var last int64
	if err := rows.Scan(&old.ID, &old.State, &body, &last, &old.Pinned); err != nil {
		return old, err
	}
	inc, err := readJSON[incident.Incident](body)
	old.TriggeredAt, old.ResolvedAt, old.LastAt = inc.TriggeredAt, inc.ResolvedAt, instant(last)
	return old, err
}

const selectOldIncident = `SELECT id, state, body,
	COALESCE((SELECT at FROM entry WHERE entry.incident > 0 AND entry.incident = incident.id ORDER BY entry.seq DESC LIMIT 1), 0),
	EXISTS (SELECT 1 FROM message JOIN entry ON entry.seq = message.seq WHERE message.room = '' AND message.pinned > 0 AND entry.incident = incident.id)
	FROM incident`

// OldIncidents returns up to limit incidents after a number that are over, in
// the order in which they were opened.
func (s *Store) OldIncidents(ctx context.Context, after id.Incident, limit int) ([]OldIncident, error) {
	found, err := all(ctx, s.read, scanOldIncident, selectOldIncident+` WHERE id > $1 AND state = 'resolved' ORDER BY id LIMIT $2`, int64(after), limit)
	if err != nil {
		return nil, fmt.Errorf("load old incidents: %w", err)
	}
	return found, nil
}

// OldIncident returns one incident as it is now; ErrNotFound when there is none.
func (tx *Tx) OldIncident(n id.Incident) (OldIncident, error) {
	return one(tx.ctx, tx.tx, scanOldIncident, selectOldIncident+` WHERE id = $1`, int64(n))
}

// Belongings counts what would be removed with incidents.
func (s *Store) Belongings(ctx context.Context, incidents []id.Incident) (Removed, error) {
	total := Removed{Incidents: len(incidents)}
	for chunk := range slices.Chunk(incidents, 256) {
		args := numbersOf(chunk)
		within := in(1, len(args))
		r, err := filesOf(ctx, s.read, ` WHERE room = '' AND seq > 0 AND seq IN
			(SELECT seq FROM entry WHERE incident > 0 AND incident IN `+within+`)`, args...)
		if err != nil {
			return total, err
		}
		_, err = all(ctx, s.read, func(rows *sql.Rows) (struct{}, error) {
			return struct{}{}, rows.Scan(&r.Messages, &r.Entries, &r.Alerts, &r.Deliveries)
		}, `SELECT (SELECT COUNT(*) FROM entry WHERE incident > 0 AND incident IN `+within+` AND kind = 'message_posted'),
			(SELECT COUNT(*) FROM entry WHERE incident > 0 AND incident IN `+within+` AND kind <> 'message_posted'),
			(SELECT COUNT(*) FROM alert WHERE incident > 0 AND incident IN `+within+`),
			(SELECT COUNT(*) FROM delivery WHERE incident > 0 AND incident IN `+within+`)`, args...)
		if err != nil {
			return total, fmt.Errorf("count what belongs to incidents: %w", err)
		}
		total = total.Add(r)
	}
	return total, nil
}

// RemoveIncident removes up to limit rows of what belongs to an incident, its
// alerts first, and the incident itself when nothing else is left; done says so.
// Only one that is over may be removed: no more comes to it.
func (tx *Tx) RemoveIncident(n id.Incident, limit int) (r Removed, done bool, err error) {
	left := func() int { return limit - r.Rows() }
	r.Alerts, err = tx.removeOf("alert", n, left())
	if err != nil || left() <= 0 {
		return r, false, err
	}
	entries, err := all(tx.ctx, tx.tx, scanOldEntry, `SELECT seq, at, kind, room, thread FROM entry
		WHERE incident > 0 AND incident = $1 ORDER BY seq LIMIT $2`, int64(n), left())
	if err != nil {
		return r, false, fmt.Errorf("remove incident %d: %w", n, err)
	}
	told, err := tx.RemoveEntries(entries)
	if r = r.Add(told); err != nil || left() <= 0 {
		return r, false, err
	}
	r.Deliveries, err = tx.removeOf("delivery", n, left())
	if err != nil || left() <= 0 {
		return r, false, err
	}
	tx.exec(`DELETE FROM timer WHERE incident = $1`, int64(n))
	tx.exec(`DELETE FROM incident WHERE id = $1`, int64(n))
	r.Incidents = 1
	return r, true, nil
}

// removeOf removes up to limit rows of a table that belong to an incident.
func (tx *Tx) removeOf(table string, n id.Incident, limit int) (int, error) {
	numbers, err := all(tx.ctx, tx.tx, value[int64], `SELECT id FROM `+table+` WHERE incident > 0 AND incident = $1 ORDER BY id LIMIT $2`, int64(n), limit)
	if err != nil {
		return 0, fmt.Errorf("remove what belongs to incident %d: %w", n, err)
	}
	tx.removeNumbers(table, numbers)
	return len(numbers), nil
}

func (tx *Tx) removeNumbers(table string, numbers []int64) {
	for chunk := range slices.Chunk(numbers, 256) {
		args := numbersOf(chunk)
		tx.exec(`DELETE FROM `+table+` WHERE id IN `+in(1, len(args)), args...)
	}
}

// OldAlert is what retention needs to know of an alert that opened nothing.
type OldAlert struct {
	ID         id.Alert
	ReceivedAt time.Time
	Muted      bool // it is decided again when a maintenance window ends
}

// OldAlerts returns up to limit alerts after a number that belong to no
// incident, and how far it has looked; the end is reached when that is the
// number of the last alert.
func (s *Store) OldAlerts(ctx context.Context, after id.Alert, limit int) ([]OldAlert, id.Alert, error) {
	last, err := one(ctx, s.read, value[id.Alert], `SELECT alert FROM head`)
	if err != nil {
		return nil, after, fmt.Errorf("load old alerts: %w", err)
	}
	reached := min(last, after+removalSpan)
	found, err := all(ctx, s.read, func(rows *sql.Rows) (OldAlert, error) {
		var a OldAlert
		var received int64
		err := rows.Scan(&a.ID, &received, &a.Muted)
		a.ReceivedAt = instant(received)
		return a, err
	}, `SELECT id, received_at, EXISTS (SELECT 1 FROM muted WHERE muted.alert = alert.id) FROM alert
		WHERE id > $1 AND id <= $2 AND incident = 0 ORDER BY id LIMIT $3`, int64(after), int64(reached), limit)
	if err != nil {
		return nil, after, fmt.Errorf("load old alerts: %w", err)
	}
	if len(found) == limit {
		reached = found[limit-1].ID
	}
	return found, reached, nil
}

// RemoveAlerts removes alerts that belong to no incident and that nothing is to
// be decided about.
func (tx *Tx) RemoveAlerts(alerts []id.Alert) (r Removed, err error) {
	for chunk := range slices.Chunk(alerts, 256) {
		args := numbersOf(chunk)
		may, err := all(tx.ctx, tx.tx, value[int64], `SELECT id FROM alert WHERE incident = 0 AND NOT EXISTS (SELECT 1 FROM muted WHERE muted.alert = alert.id)
			AND id IN `+in(1, len(args)), args...)
		if err != nil {
			return r, fmt.Errorf("remove alerts: %w", err)
		}
		tx.removeNumbers("alert", may)
		r.Alerts += len(may)
	}
	return r, nil
}

// OldDelivery is what retention needs to know of a delivery.
type OldDelivery struct {
	ID        id.Delivery
	CreatedAt time.Time
	State     DeliveryState
	Incident  id.Incident
	Open      bool // its incident is
}

// OldDeliveries returns up to limit deliveries after a number.
func (s *Store) OldDeliveries(ctx context.Context, after id.Delivery, limit int) ([]OldDelivery, error) {
	found, err := all(ctx, s.read, func(rows *sql.Rows) (OldDelivery, error) {
		var d OldDelivery
		var created int64
		err := rows.Scan(&d.ID, &created, &d.State, &d.Incident, &d.Open)
		d.CreatedAt = instant(created)
		return d, err
	}, `SELECT id, created_at, state, incident, `+openIncident+`
		FROM delivery WHERE id > $1 ORDER BY id LIMIT $2`, int64(after), limit)
	if err != nil {
		return nil, fmt.Errorf("load old deliveries: %w", err)
	}
	return found, nil
}

// openIncident is whether the incident of a delivery is open.
const openIncident = `EXISTS (SELECT 1 FROM incident WHERE incident.id = delivery.incident AND incident.state <> 'resolved')`

// RemoveDeliveries removes the records of deliveries of which nothing more can
// become, and that belong to nothing that is open.
func (tx *Tx) RemoveDeliveries(deliveries []id.Delivery) (r Removed, err error) {
	for chunk := range slices.Chunk(deliveries, 256) {
		args := numbersOf(chunk)
		may, err := all(tx.ctx, tx.tx, value[int64], `SELECT id FROM delivery WHERE state NOT IN ('pending', 'accepted') AND NOT `+openIncident+`
			AND id IN `+in(1, len(args)), args...)
		if err != nil {
			return r, fmt.Errorf("remove deliveries: %w", err)
		}
		tx.removeNumbers("delivery", may)
		r.Deliveries += len(may)
	}
	return r, nil
}

// Sweep forgets what is of no use to anybody: buttons that work no more, and
// timers of what is over or is not there.
func (tx *Tx) Sweep() {
	tx.exec(`DELETE FROM action WHERE expires_at < $1`, micros(tx.Now.Add(-24*time.Hour)))
	tx.exec(`DELETE FROM timer WHERE NOT EXISTS (SELECT 1 FROM incident WHERE incident.id = timer.incident AND incident.state <> 'resolved')`)
}

// Oldest returns the instant of the oldest row of a class that is there; zero
// when there is none.
func (s *Store) oldest(ctx context.Context, query string) (time.Time, error) {
	us, err := one(ctx, s.read, value[int64], query)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	return instant(us), err
}

// Oldest is since when something of each kind is kept; zero: there is nothing of it.
type Oldest struct {
	Message, Incident, Entry, Delivery, Command time.Time
}

// Oldest returns since when what there is is kept.
func (s *Store) Oldest(ctx context.Context) (Oldest, error) {
	var o Oldest
	for into, query := range map[*time.Time]string{
		&o.Message:  `SELECT at FROM entry WHERE kind = 'message_posted' ORDER BY kind, seq LIMIT 1`,
		&o.Incident: `SELECT COALESCE((SELECT at FROM entry WHERE entry.incident > 0 AND entry.incident = incident.id ORDER BY entry.seq LIMIT 1), 0) FROM incident ORDER BY id LIMIT 1`,
		&o.Entry:    `SELECT at FROM entry ORDER BY seq LIMIT 1`,
		&o.Delivery: `SELECT created_at FROM delivery ORDER BY id LIMIT 1`,
		&o.Command:  `SELECT asked_at FROM invocation ORDER BY number LIMIT 1`,
	} {
		at, err := s.oldest(ctx, query)
		if err != nil {
			return o, fmt.Errorf("load the oldest: %w", err)
		}
		*into = at
	}
	return o, nil
}
