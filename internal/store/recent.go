package store

import (
	"slices"
	"sync"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

// recentSize is how many entries of its own a node remembers.
const recentSize = 4096

// recentEntries are the newest entries without a gap, as this node has written
// them. Everybody who follows the timeline comes for them within milliseconds,
// and need not have them read and decoded again. When another node has written
// in between, it begins anew: what is not here is read from the tables. After a
// restore the epoch is another, and nothing of the old history is given out.
type recentEntries struct {
	mu      sync.Mutex
	epoch   string           // guarded by mu
	entries []timeline.Entry // at most 2*recentSize, so that moving them is rare; guarded by mu
}

// add takes entries that were committed.
func (r *recentEntries) add(epoch string, entries []timeline.Entry) {
	if len(entries) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.entries); r.epoch != epoch || n > 0 && r.entries[n-1].Seq+1 != entries[0].Seq {
		r.epoch = epoch
		r.entries = r.entries[:0]
	}
	if len(r.entries)+len(entries) > 2*recentSize {
		keep := max(0, recentSize-len(entries))
		r.entries = slices.Delete(r.entries, 0, len(r.entries)-keep)
	}
	r.entries = append(r.entries, entries...)
}

// forget begins anew: some of them may have been removed.
func (r *recentEntries) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = r.entries[:0]
}

// between returns the entries after seq up to upto; ok is false when not all of
// them are here. The caller must not change them.
func (r *recentEntries) between(epoch string, seq, upto id.Seq) (found []timeline.Entry, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.epoch != epoch || len(r.entries) == 0 {
		return nil, false
	}
	first, last := r.entries[0].Seq, r.entries[len(r.entries)-1].Seq
	if seq+1 < first || upto > last || upto <= seq {
		return nil, false
	}
	return slices.Clone(r.entries[seq+1-first : upto+1-first]), true
}
