package store

import (
	"database/sql"
	"errors"
	"fmt"
	"time"
)

type leaseRow struct {
	holder string
	until  time.Time
	term   int64
}

func scanLease(rows *sql.Rows) (leaseRow, error) {
	var l leaseRow
	var until int64
	err := rows.Scan(&l.holder, &until, &l.term)
	l.until = instant(until)
	return l, err
}

func (tx *Tx) lease(name string) (leaseRow, error) {
	l, err := one(tx.ctx, tx.tx, scanLease, `SELECT holder, until, term FROM lease WHERE name = $1`, name)
	if errors.Is(err, ErrNotFound) {
		return leaseRow{}, nil
	}
	return l, err
}

// Acquire takes or keeps a lease for ttl from now. It is held when nobody else
// has it, or their time has run out. The term is that of whoever has it: it
// grows each time the lease begins anew, also with the same holder, so that
// somebody who has slept through the end of their term can be told apart.
func (tx *Tx) Acquire(name, holder string, ttl time.Duration) (term int64, held bool, err error) {
	l, err := tx.lease(name)
	if err != nil {
		return 0, false, fmt.Errorf("acquire lease %s: %w", name, err)
	}
	running := tx.Now.Before(l.until)
	if running && l.holder != holder {
		return l.term, false, nil
	}
	if !running {
		l.term++
	}
	tx.exec(`INSERT INTO lease (name, holder, until, term) VALUES ($1, $2, $3, $4)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until, term = excluded.term`,
		name, holder, micros(tx.Now.Add(ttl)), l.term)
	return l.term, true, nil
}

// Release ends a lease, so that another need not wait for its end; nothing
// happens when holder does not have it.
func (tx *Tx) Release(name, holder string) {
	tx.exec(`UPDATE lease SET until = 0 WHERE name = $1 AND holder = $2`, name, holder)
}
