package watch

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const (
	// Ahead is how far ahead coverage is looked at.
	Ahead = 14 * 24 * time.Hour
	// coverEvery is how often it is looked at when nobody changes anything.
	coverEvery = 5 * time.Minute
	// settleFor is how long the organisation must stay as it is before a change
	// counts: whoever edits a rota makes gaps on the way, which are no problems.
	settleFor = 20 * time.Second

	coverCursor = "watch/coverage"
	readAtOnce  = 1000
)

// coverage is what the timeline says about problems up to an entry.
type coverage struct {
	seq  id.Seq
	open map[string]openProblem // by Risk.ID
}

type openProblem struct {
	seq  id.Seq // the entry that told it
	team id.Team
	told timeline.Uncovered
}

// cover compares the risks of the coming weeks with the problems that are told.
func (w *Watch) cover(ctx context.Context, m *memory, o *org.Org, now time.Time) error {
	if o.Rev != m.seenRev || m.seenAt.IsZero() {
		m.seenRev, m.seenAt = o.Rev, now
	}
	if now.Sub(m.seenAt) < settleFor || o.Rev == m.checkRev && now.Sub(m.checkedAt) < coverEvery {
		return nil
	}
	risks := o.Risks(now, now.Add(Ahead)) // before the transaction: it may take a while
	var cursors map[string]id.Seq
	err := w.store.Do(ctx, func(tx *store.Tx) error {
		if err := m.begin(tx, coverCursor, digestCursor); err != nil {
			return err
		}
		if tx.Org.Rev != o.Rev {
			return errMoved
		}
		if err := m.coverage.read(tx, m.cursors[coverCursor]); err != nil {
			return err
		}
		p := pass{tx: tx, m: m, risks: risks, open: m.coverage.open, cursors: map[string]id.Seq{}, since: map[string]id.Seq{}}
		p.compare()
		if w.opts.Mail {
			if err := w.tellAdmins(&p); err != nil {
				return err
			}
		}
		cursors = p.cursors
		set(tx, cursors)
		return nil
	})
	if err != nil {
		return err
	}
	m.keep(cursors)
	m.checkRev, m.checkedAt = o.Rev, now
	return nil
}

// read goes on through the timeline to what is known in tx, from floor at least.
func (c *coverage) read(tx *store.Tx, floor id.Seq) error {
	if c.open == nil {
		c.open = map[string]openProblem{}
	}
	c.seq = max(c.seq, floor)
	for c.seq < tx.Seq() {
		entries, upto, err := tx.EntriesAfter(c.seq, readAtOnce, timeline.CoverageProblem, timeline.CoverageRestored)
		if err != nil {
			return err
		}
		for _, e := range entries {
			switch p := e.Payload.(type) {
			case timeline.Uncovered:
				c.open[p.Problem] = openProblem{e.Seq, e.Team, p}
			case timeline.Covered:
				delete(c.open, p.Problem)
			}
		}
		c.seq = max(upto, c.seq+1) // upto is always further
	}
	return nil
}

// pass is one comparison, in its transaction. The timeline is the only memory
// of what was told, so open is not changed here but read again the next time.
type pass struct {
	tx      *store.Tx
	m       *memory
	risks   []org.Risk
	open    map[string]openProblem
	cursors map[string]id.Seq // to be set

	last  id.Seq            // the last entry of this transaction
	since map[string]id.Seq // the entry that told each of risks
}

func (p *pass) compare() {
	p.last = p.tx.Seq()
	floor := p.last
	for _, r := range p.risks {
		if was, ok := p.open[r.ID]; ok {
			p.since[r.ID] = was.seq
			floor = min(floor, was.seq-1)
			continue
		}
		p.append(r.Team, r.Person, timeline.Uncovered{Problem: r.ID, Object: r.Object, Text: r.Text, Start: r.Start, End: r.End})
		p.since[r.ID] = p.last
	}
	gone := make([]openProblem, 0, len(p.open))
	for problem, was := range p.open {
		if _, there := p.since[problem]; !there {
			gone = append(gone, was)
		}
	}
	slices.SortFunc(gone, func(a, b openProblem) int { return int(a.seq - b.seq) })
	for _, was := range gone {
		kind, _, _ := strings.Cut(was.told.Problem, ":")
		p.append(was.team, "", timeline.Covered{Problem: was.told.Problem, Object: was.told.Object, Text: phrase.T("watch.over." + kind)})
	}
	if floor != p.m.cursors[coverCursor] && (p.last > p.tx.Seq() || floor-p.m.cursors[coverCursor] > readAtOnce) {
		p.cursors[coverCursor] = floor
	}
}

// append writes an entry. Numbers are dense, and this transaction has no others.
func (p *pass) append(team id.Team, about id.User, payload timeline.Payload) {
	p.last++
	p.tx.Append(timeline.Entry{Kind: payload.Kind(), Actor: timeline.Self, Team: team, Person: about, Payload: payload})
}

// isNew reports whether a risk was told in this transaction.
func (p *pass) isNew(r org.Risk) bool { return p.since[r.ID] > p.tx.Seq() }
