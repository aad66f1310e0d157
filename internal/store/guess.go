package store

import (
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgconn"
	driver "modernc.org/sqlite"

	"github.com/watchroom/watchroom/internal/incident"
)

// A node that is alone finds the head as it left it, and knows the incidents
// that it wrote. So the intake need not ask before it decides: it takes what it
// remembers. On PostgreSQL everything goes to the server on one way, behind
// a statement that refuses the rest when the head is another. Whatever is
// written changes the head, so the same head means that nothing else was
// written. SQLite says in the transaction whether anybody has changed the file,
// which takes less than two queries. That an entity has no open incident is not remembered but assumed;
// the index of open incidents refuses a second one, and an assumption that no
// such row tests does not count. After a refusal the same is done by asking.

const (
	rememberedOpen = 4096 // how many open incidents are remembered
	aloneFor       = 32   // so often the head must be as we left it before it is guessed
)

// errUnproven says that a decision hangs on something that was only assumed.
var errUnproven = errors.New("a guess that nothing tests")

// memory is what this node knows of the database when nobody else has written;
// guarded by the turn of its writers, but for alone.
type memory struct {
	head  head
	open  map[string]incident.Incident
	alone atomic.Int32
}

// meet compares with what was found.
func (m *memory) meet(found head) {
	found.now = 0
	if at := m.head.at; at.Equal(found.at) {
		found.at = at
	}
	if found == m.head {
		m.alone.Add(1)
		return
	}
	m.alone.Store(0)
	m.head, m.open = found, nil
}

// keep remembers what tx has written.
func (m *memory) keep(tx *Tx) {
	m.head = tx.head
	m.head.now = 0
	if tx.restored {
		m.open = nil
	}
	for _, inc := range tx.incidents {
		m.add(inc)
	}
}

func (m *memory) add(inc incident.Incident) {
	if !inc.Open() {
		delete(m.open, inc.EntityID)
		return
	}
	if len(m.open) >= rememberedOpen {
		clear(m.open)
	}
	if m.open == nil {
		m.open = map[string]incident.Incident{}
	}
	m.open[inc.EntityID] = inc
}

// sure reports whether the head may be guessed.
func (m *memory) sure() bool { return m.alone.Load() >= aloneFor }

// proven reports whether the commit of tx tests that these entities had no open
// incident: each of them gets one.
func proven(tx *Tx, absent []string) bool {
	opened := make(map[string]bool, len(absent))
	for n, inc := range tx.incidents {
		if n > tx.began.incident && inc.Open() {
			opened[inc.EntityID] = true
		}
	}
	for _, e := range absent {
		if !opened[e] {
			return false
		}
	}
	return true
}

// refused reports whether the engine has refused what was sent, which it then
// has not done.
func refused(err error) bool {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code()&0xff == sqliteConstraint
	}
	_, ok := errors.AsType[*pgconn.PgError](err)
	return ok
}

const sqliteConstraint = 19 // what is above the lowest byte says which
