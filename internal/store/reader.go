package store

import (
	"context"
	"database/sql"
	"sync"
	"time"
)

// reader is the pool that reads. On SQLite it keeps its statements prepared:
// to prepare one takes longer than to run it. PostgreSQL's driver does that by itself.
type reader struct {
	*sql.DB
	keep     bool
	patience time.Duration // for the first and for the last row; 0: any
	outages  *outages

	mu   sync.RWMutex
	kept map[string]*sql.Stmt // guarded by mu
}

func (r *reader) silence() time.Duration { return r.patience }

func (r *reader) outage() *outages { return r.outages }

// QueryContext is that of sql.DB. What is asked when there are many texts
// already is prepared for itself alone; none is ever dropped, for somebody may
// be about to use it.
func (r *reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if !r.keep {
		return r.DB.QueryContext(ctx, query, args...)
	}
	r.mu.RLock()
	st, ok := r.kept[query]
	full := len(r.kept) >= maxPrepared
	r.mu.RUnlock()
	if !ok && full {
		return r.DB.QueryContext(ctx, query, args...)
	}
	if !ok {
		var err error
		if st, err = r.prepare(ctx, query); err != nil {
			return nil, err
		}
	}
	return st.QueryContext(ctx, args...)
}

func (r *reader) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if st, ok := r.kept[query]; ok {
		return st, nil
	}
	st, err := r.PrepareContext(ctx, query) //nolint:sqlclosecheck // kept until the pool is closed
	if err != nil {
		return nil, err
	}
	r.kept[query] = st
	return st, nil
}
