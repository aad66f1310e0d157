package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// gather is for how long those are collected who have read something. When a
// line is said all who look at the room read it within a moment, and one commit
// for thousands of them is as quick as one for one.
const gather = 100 * time.Millisecond

// marks are waiting to be written.
type marks struct {
	mu   sync.Mutex
	next *markBatch // guarded by mu; nil: nobody collects
}

type markBatch struct {
	seqs   map[markOf]id.Seq // guarded by marks.mu until it is written
	done   chan struct{}     // closed when it is written; then the rest may be read
	denied map[markOf]bool   // who may not read the room
	err    error
}

type markOf struct {
	user id.User
	room id.Room
}

// MarkRead says how far somebody has read a room. It returns when that is
// written, together with what others have read at the same time.
func (d *Dispatcher) MarkRead(ctx context.Context, actor people.Actor, r id.Room, seq id.Seq) error {
	if actor.User == "" {
		return forbidden()
	}
	of := markOf{actor.User, r}
	batch, first := d.marks.join(of, seq)
	if first {
		<-time.After(gather)
		d.writeMarks(context.WithoutCancel(ctx), batch) // it is for the others, too
	}
	select {
	case <-batch.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if batch.denied[of] {
		return noRoom()
	}
	return batch.err
}

// join adds a mark to the batch that is collected; whoever is first writes it.
func (m *marks) join(of markOf, seq id.Seq) (batch *markBatch, first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if first = m.next == nil; first {
		m.next = &markBatch{seqs: map[markOf]id.Seq{}, done: make(chan struct{})}
	}
	m.next.seqs[of] = max(seq, m.next.seqs[of])
	return m.next, first
}

func (d *Dispatcher) writeMarks(ctx context.Context, batch *markBatch) {
	d.marks.mu.Lock()
	d.marks.next = nil
	d.marks.mu.Unlock()
	defer close(batch.done)
	batch.err = d.store.Do(ctx, func(tx *store.Tx) error {
		batch.denied = map[markOf]bool{}
		for of, seq := range batch.seqs {
			if tx.Org.CanRead(of.user, of.room) {
				tx.SetMark(of.user, of.room, min(seq, tx.Seq()))
			} else {
				batch.denied[of] = true
			}
		}
		return nil
	})
}
