package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/timeline"
)

// DeliveryState is the fate of a delivery. Stable in storage.
type DeliveryState string

// The states of a delivery:
//
//	pending ──▶ sent                                  nothing more will be told
//	   │  └───▶ accepted ──▶ delivered ──▶ seen ──▶ answered
//	   │           │  └────▶ late ─────┘ (any of the states to the right)
//	   │           └───────▶ failed, or pending again with another provider
//	   └──▶ failed, cancelled
//
// An answer may come in any state but failed and cancelled.
const (
	Pending   DeliveryState = "pending"   // to be sent when due
	Sent      DeliveryState = "sent"      // the provider took it, and will tell no more
	Accepted  DeliveryState = "accepted"  // the provider took it; it should have arrived by DueAt
	Late      DeliveryState = "late"      // it has not arrived in time, and still may
	Delivered DeliveryState = "delivered" // it is on the device
	Seen      DeliveryState = "seen"      // somebody has looked at it
	Answered  DeliveryState = "answered"  // somebody has answered it
	Failed    DeliveryState = "failed"    // given up
	Cancelled DeliveryState = "cancelled" // no longer wanted when its turn came
)

// Out reports whether the message has left and has not failed.
func (s DeliveryState) Out() bool {
	switch s {
	case Sent, Accepted, Late, Delivered, Seen, Answered:
		return true
	}
	return false
}

// DeliveryKind says what a delivery is about.
type DeliveryKind string

// The kinds of delivery.
const (
	StepPage      DeliveryKind = "step"      // wanted while the incident is triggered
	ResponderPage DeliveryKind = "responder" // wanted while the incident is open
	NoticeMail    DeliveryKind = "notice"    // wanted always
	ToldPage      DeliveryKind = "told"      // to a webhook or address of a step; wanted while the incident is triggered
	DrillPage     DeliveryKind = "drill"     // a test page; wanted until the drill ends
)

// Delivery is one message that is to leave the process, or has left.
type Delivery struct {
	ID           id.Delivery
	Key          string // idempotency key, unique for ever
	Kind         DeliveryKind
	State        DeliveryState
	CreatedAt    time.Time
	DueAt        time.Time // when pending: not before; when accepted: it should have arrived by then
	ExpiresAt    time.Time // after it a further try is of no use
	ClaimedBy    string
	ClaimedUntil time.Time
	Attempt      int // tries that were begun
	Incident     id.Incident
	Entry        id.Seq // the entry that asked for it
	Person       id.User
	Contact      id.Contact  // deliveries to one contact may be sent as one
	Provider     id.Provider // who carries it; "" before it is sent, and where there is only one way
	Remote       string      // its id there, shared by all that left in one message; "" when nothing can come back
	Body         DeliveryBody
}

// DeliveryBody is what need not be queried.
type DeliveryBody struct {
	Method  string    `json:"method"`
	Address string    `json:"address"`
	Why     string    `json:"why,omitempty"`
	Sealed  string    `json:"sealed,omitempty"` // a notice, encrypted: it holds a link that is a key
	Detail  string    `json:"detail,omitempty"` // the provider's last words
	DoneAt  time.Time `json:"done_at,omitzero"`
	Bundled int       `json:"bundled,omitempty"` // how many shared the message
	Chain   *Chain    `json:"chain,omitempty"`   // of a page to a person
	Life    []Moment  `json:"life,omitempty"`    // what became of it, in order
	Tried   []string  `json:"tried,omitempty"`   // providers that were used before
	FirstAt time.Time `json:"first_at,omitzero"` // when the first try was made
	Drill   id.Drill  `json:"drill,omitempty"`
	// HeldUntil is when it goes out with others, because many came at once; zero: alone.
	HeldUntil time.Time `json:"held_until,omitzero"`
}

// Chain is the place of a page in the personal paging policy of whom it goes to.
type Chain struct {
	Seq         int       `json:"seq"`                    // which attempt, from 1
	Since       time.Time `json:"since"`                  // when the page was asked for: the rules are those of then
	Low         bool      `json:"low,omitempty"`          // of low urgency
	EveryMethod bool      `json:"every_method,omitempty"` // whatever the person chose
	Repeat      bool      `json:"repeat,omitempty"`       // the last step once more
	MovedOn     bool      `json:"moved_on,omitempty"`     // the next method was brought forward for it
}

// Moment is a point in the life of a delivery.
type Moment struct {
	State  DeliveryState `json:"state"`
	At     time.Time     `json:"at"`
	Detail string        `json:"detail,omitempty"`
}

const deliveryColumns = `id, key, kind, state, created_at, due_at, expires_at, claimed_by, claimed_until, attempt, incident, entry, person, contact, provider, remote, body`

const insertDelivery = `INSERT INTO delivery (` + deliveryColumns + `)`

const upsertDelivery = ` ON CONFLICT (id) DO UPDATE SET state = excluded.state, due_at = excluded.due_at, expires_at = excluded.expires_at, claimed_by = excluded.claimed_by,
	claimed_until = excluded.claimed_until, attempt = excluded.attempt, provider = excluded.provider, remote = excluded.remote, body = excluded.body`

const selectDelivery = `SELECT ` + deliveryColumns + ` FROM delivery`

func scanDelivery(rows *sql.Rows) (Delivery, error) {
	var d Delivery
	var created, due, expires, claimed int64
	var body []byte
	err := rows.Scan(&d.ID, &d.Key, &d.Kind, &d.State, &created, &due, &expires, &d.ClaimedBy, &claimed, &d.Attempt, &d.Incident, &d.Entry, &d.Person, &d.Contact, &d.Provider, &d.Remote, &body)
	if err != nil {
		return d, err
	}
	d.CreatedAt, d.DueAt, d.ExpiresAt, d.ClaimedUntil = instant(created), instant(due), instant(expires), instant(claimed)
	d.Body, err = readJSON[DeliveryBody](body)
	return d, err
}

// AddDelivery buffers a new delivery and returns it: pending, with the next number.
// The caller makes sure that its key is new, by taking it from an entry that
// the cursor has not passed or from something random.
func (tx *Tx) AddDelivery(d Delivery) Delivery {
	tx.head.delivery++
	tx.dirty = true
	d.ID, d.State, d.CreatedAt = tx.head.delivery, Pending, tx.Now
	tx.deliveries[d.ID] = d
	return d
}

// PutDelivery buffers a changed delivery.
func (tx *Tx) PutDelivery(d Delivery) { tx.deliveries[d.ID] = d }

func (tx *Tx) deliveryRows() ([][]any, error) {
	rows := make([][]any, 0, len(tx.deliveries))
	for _, n := range sortedKeys(tx.deliveries) {
		d := tx.deliveries[n]
		body, err := json.Marshal(d.Body)
		if err != nil {
			return nil, fmt.Errorf("write delivery %d: %w", d.ID, err)
		}
		rows = append(rows, []any{
			int64(d.ID), d.Key, string(d.Kind), string(d.State), micros(d.CreatedAt), micros(d.DueAt), micros(d.ExpiresAt),
			d.ClaimedBy, micros(d.ClaimedUntil), int64(d.Attempt), int64(d.Incident), int64(d.Entry), string(d.Person), string(d.Contact), string(d.Provider), d.Remote, string(packedPage.pack(body)),
		})
	}
	return rows, nil
}

// ClaimDeliveries gives up to limit due deliveries to a holder until an
// instant and counts the attempt. What somebody else has claimed is left alone
// until that claim has run out.
func (tx *Tx) ClaimDeliveries(holder string, until time.Time, limit int) ([]Delivery, error) {
	due, err := all(tx.ctx, tx.tx, scanDelivery, selectDelivery+
		` WHERE state = 'pending' AND due_at <= $1 AND claimed_until <= $1 ORDER BY due_at LIMIT $2`, micros(tx.Now), limit)
	if err != nil {
		return nil, fmt.Errorf("claim deliveries: %w", err)
	}
	for chunk := range slices.Chunk(due, 256) {
		numbers := make([]id.Delivery, len(chunk))
		for i := range chunk {
			chunk[i].ClaimedBy, chunk[i].ClaimedUntil = holder, until
			chunk[i].Attempt++
			numbers[i] = chunk[i].ID
		}
		args := append([]any{holder, micros(until)}, numbersOf(numbers)...)
		tx.exec(`UPDATE delivery SET claimed_by = $1, claimed_until = $2, attempt = attempt + 1 WHERE id IN `+in(3, len(args)-2), args...)
	}
	return due, nil
}

// RenewClaims keeps those of the given deliveries that holder has claimed
// until an instant.
func (tx *Tx) RenewClaims(holder string, until time.Time, numbers []id.Delivery) {
	for chunk := range slices.Chunk(numbers, 256) {
		args := append([]any{micros(until), holder}, numbersOf(chunk)...)
		tx.exec(`UPDATE delivery SET claimed_until = $1 WHERE state = 'pending' AND claimed_by = $2 AND id IN `+in(3, len(args)-2), args...)
	}
}

// DropClaims frees everything that is claimed by anybody. Only the single node
// of a SQLite file may call it, when it starts: whoever claimed is dead.
func (tx *Tx) DropClaims() {
	tx.exec(`UPDATE delivery SET claimed_by = '', claimed_until = 0 WHERE state = 'pending' AND claimed_until > 0`)
	tx.dropRuns()
}

// Deliveries returns the deliveries with the given numbers.
func (tx *Tx) Deliveries(numbers []id.Delivery) ([]Delivery, error) {
	var found []Delivery
	for chunk := range slices.Chunk(numbers, 256) {
		args := numbersOf(chunk)
		some, err := all(tx.ctx, tx.tx, scanDelivery, selectDelivery+` WHERE id IN `+in(1, len(args)), args...)
		if err != nil {
			return nil, fmt.Errorf("load deliveries: %w", err)
		}
		found = append(found, some...)
	}
	return found, nil
}

// latestDeliveries bounds how far back LatestDeliveries looks.
const latestDeliveries = 4096

// LatestDeliveries returns the deliveries after a number that were planned since
// an instant and before this transaction, oldest first; of very many the latest.
func (tx *Tx) LatestDeliveries(after id.Delivery, since time.Time) ([]Delivery, error) {
	return all(tx.ctx, tx.tx, scanDelivery, selectDelivery+` WHERE id > $1 AND created_at > $2 ORDER BY id`,
		max(int64(after), int64(tx.began.delivery)-latestDeliveries), micros(since))
}

// NewDeliveries returns what this transaction has added so far, in order.
func (tx *Tx) NewDeliveries() []Delivery {
	var added []Delivery
	for n := tx.began.delivery + 1; n <= tx.head.delivery; n++ {
		if d, ok := tx.deliveries[n]; ok { // a restore moves the numbers
			added = append(added, d)
		}
	}
	return added
}

// LastDelivery is the number of the last delivery, of this transaction or before it.
func (tx *Tx) LastDelivery() id.Delivery { return tx.head.delivery }

// DeliveriesOf returns the deliveries that an entry of an incident asked for.
func (tx *Tx) DeliveriesOf(inc id.Incident, entry id.Seq) ([]Delivery, error) {
	return all(tx.ctx, tx.tx, scanDelivery, selectDelivery+` WHERE incident > 0 AND incident = $1 AND entry = $2`, int64(inc), int64(entry))
}

// LastEntry returns the number of the last entry of a kind with an incident; 0 when there is none.
func (tx *Tx) LastEntry(inc id.Incident, kind timeline.Kind) (id.Seq, error) {
	seq, err := one(tx.ctx, tx.tx, value[id.Seq], `SELECT seq FROM entry WHERE incident > 0 AND incident = $1 AND kind = $2 ORDER BY seq DESC LIMIT 1`, int64(inc), string(kind))
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	return seq, err
}

// Deliveries returns what was sent about an incident, oldest first.
func (s *Store) Deliveries(ctx context.Context, inc id.Incident) ([]Delivery, error) {
	return all(ctx, s.read, scanDelivery, selectDelivery+` WHERE incident > 0 AND incident = $1 ORDER BY id LIMIT 1000`, int64(inc))
}

// NextDelivery returns when the next delivery can be claimed or should have
// arrived, which may be past; the zero time when none waits.
func (s *Store) NextDelivery(ctx context.Context) (time.Time, error) {
	now, err := s.Now(ctx)
	if err != nil {
		return time.Time{}, err
	}
	// What is due is little and looked through; what waits for later may be
	// much, and only its first is looked at.
	us, err := one(ctx, s.read, value[int64], `SELECT MIN(at) FROM (
		SELECT MIN(due_at) AS at FROM delivery WHERE state = 'accepted'
		UNION ALL SELECT MIN(CASE WHEN claimed_until > due_at THEN claimed_until ELSE due_at END) FROM delivery WHERE state = 'pending' AND due_at <= $1
		UNION ALL SELECT MIN(due_at) FROM delivery WHERE state = 'pending' AND due_at > $1) AS next WHERE at IS NOT NULL HAVING COUNT(*) > 0`, micros(now))
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	return instant(us), err
}

// NextTimer returns when the next timer is due; the zero time when none waits.
func (s *Store) NextTimer(ctx context.Context) (time.Time, error) {
	us, err := one(ctx, s.read, value[int64], `SELECT COALESCE(MIN(due_at), 0) FROM timer`)
	return instant(us), err
}

// Timers returns the next timers that are or will be due.
func (s *Store) Timers(ctx context.Context, limit int) ([]incident.Timer, error) {
	return all(ctx, s.read, scanTimer, `SELECT kind, incident, due_at FROM timer ORDER BY due_at LIMIT $1`, limit)
}

// Waiting returns pending deliveries, the next due first.
func (s *Store) Waiting(ctx context.Context, limit int) ([]Delivery, error) {
	return all(ctx, s.read, scanDelivery, selectDelivery+` WHERE state = 'pending' ORDER BY due_at LIMIT $1`, limit)
}

// Cursors returns how far each follower has come.
func (s *Store) Cursors(ctx context.Context) (map[string]id.Seq, error) {
	found := map[string]id.Seq{}
	_, err := all(ctx, s.read, func(rows *sql.Rows) (struct{}, error) {
		var name string
		var seq id.Seq
		err := rows.Scan(&name, &seq)
		found[name] = seq
		return struct{}{}, err
	}, `SELECT name, seq FROM cursor`)
	return found, err
}

// Behind reports whether entries of the given kinds (none: any) wait for a follower.
func (s *Store) Behind(ctx context.Context, cursor string, kinds ...timeline.Kind) (bool, error) {
	return behind(ctx, s.read, cursor, kinds)
}

// Behind is that of Store, in the transaction: what it has appended itself does not count.
func (tx *Tx) Behind(cursor string, kinds ...timeline.Kind) (bool, error) {
	return behind(tx.ctx, tx.tx, cursor, kinds)
}

// EntriesFor returns the first entries of the given kinds that wait for a follower,
// up to limit. Whoever finds none of its concern among them needs no transaction.
func (s *Store) EntriesFor(ctx context.Context, cursor string, limit int, kinds ...timeline.Kind) ([]timeline.Entry, error) {
	args := []any{cursor, limit}
	each := make([]string, len(kinds))
	for i, k := range kinds { // for each by itself, as behind does
		args = append(args, string(k))
		each[i] = `SELECT * FROM (` + selectEntry + ` WHERE kind = $` + strconv.Itoa(i+3) + ` AND seq > ` + atCursor + ` ORDER BY kind, seq LIMIT $2) AS k` + strconv.Itoa(i)
	}
	return all(ctx, s.read, scanEntry, `SELECT * FROM (`+strings.Join(each, ` UNION ALL `)+`) AS waiting ORDER BY seq LIMIT $2`, args...)
}

// atCursor is how far the follower has come that is the first argument.
const atCursor = `COALESCE((SELECT seq FROM cursor WHERE name = $1), 0)`

// behind asks for one row of each kind, or of the head: whoever looks for any of
// several kinds walks along the whole timeline when they are rare, or were once.
func behind(ctx context.Context, q querier, cursor string, kinds []timeline.Kind) (bool, error) {
	if len(kinds) == 0 {
		seq, err := one(ctx, q, value[int64], `SELECT seq - `+atCursor+` FROM head WHERE id = 1`, cursor)
		return seq > 0, err
	}
	args := []any{cursor}
	first := make([]string, len(kinds))
	for i, k := range kinds {
		args = append(args, string(k))
		first[i] = `(SELECT seq FROM entry WHERE kind = $` + strconv.Itoa(i+2) + ` AND seq > ` + atCursor + ` ORDER BY kind, seq LIMIT 1)`
	}
	seq, err := one(ctx, q, value[int64], `SELECT COALESCE(`+strings.Join(append(first, `0`), `, `)+`)`, args...)
	return seq > 0, err
}

// DeliveryDue reports whether a delivery could be claimed now, and whether one
// that has left should have arrived by now.
func (s *Store) DeliveryDue(ctx context.Context) (due, late bool, err error) {
	now, err := s.Now(ctx)
	if err != nil {
		return false, false, err
	}
	states, err := all(ctx, s.read, value[string], `SELECT 'pending' WHERE EXISTS (SELECT 1 FROM delivery WHERE state = 'pending' AND due_at <= $1 AND claimed_until <= $1)
		UNION ALL SELECT 'accepted' WHERE EXISTS (SELECT 1 FROM delivery WHERE state = 'accepted' AND due_at <= $1)`, micros(now))
	return slices.Contains(states, string(Pending)), slices.Contains(states, string(Accepted)), err
}

// TimerDue reports whether a timer is due now.
func (s *Store) TimerDue(ctx context.Context) (bool, error) {
	next, err := s.NextTimer(ctx)
	if err != nil || next.IsZero() {
		return false, err
	}
	now, err := s.Now(ctx)
	return err == nil && !next.After(now), err
}
