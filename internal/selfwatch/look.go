package selfwatch

import (
	"context"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/health"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Problem is one thing that is wrong with the server.
type Problem struct {
	Key    string // the same for as long as it is the same problem
	Object string // what it is about, for people
	Text   string // a sentence
	Once   bool   // it happened; there is no end of it to wait for
}

// databaseKey is of the problem that the database cannot be read.
const databaseKey = "database"

// look returns what is wrong now. While the database cannot be read nobody
// knows what has become of what was wrong before: it is taken to last.
func (w *Watch) look(ctx context.Context) []Problem {
	var found []Problem
	if by := w.clocks.jump(); by.Abs() > ClockSlack {
		w.happened(Problem{Key: "clock", Object: phrase.T("selfwatch.object.clock"), Text: phrase.T("selfwatch.clock_jumped", by.Round(time.Millisecond))})
	}
	w.tryWrite(ctx)
	looking, cancel := context.WithTimeout(ctx, w.wait)
	defer cancel()
	report, away, err := w.machinery(looking)
	if ctx.Err() != nil { // the server stops: whatever failed, failed of that
		return w.found
	}
	if err != nil {
		w.d.Log.ErrorContext(ctx, "look at ourselves", "err", err)
		w.troubled = time.Now()
		return append(slices.Clone(w.found), Problem{Key: databaseKey, Object: phrase.T("selfwatch.object.database"), Text: phrase.T("selfwatch.database")})
	}
	if away.Abs() > ClockSlack {
		found = append(found, Problem{Key: "database clock", Object: phrase.T("selfwatch.object.clock"), Text: phrase.T("selfwatch.clock_apart", away.Round(time.Second))})
	}
	for _, f := range report.Findings {
		if f.Area == health.Machine {
			found = append(found, Problem{Key: f.Object, Object: f.Object, Text: f.Text})
		}
	}
	if p := w.synthetic.Load(); p != nil {
		found = append(found, *p)
	}
	if _, away := w.d.Store.Outage(); away {
		w.troubled = time.Now()
	}
	w.found = found
	return found
}

// tryWrite tries to write when that did not work before: nobody else may have
// anything to write. It has a time of its own, for SQLite waits long for whoever
// keeps the file, which may be read all the while.
func (w *Watch) tryWrite(ctx context.Context) {
	if _, lasts := w.d.Store.Outage(); !lasts {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, w.wait)
	defer cancel()
	if err := w.d.Store.TryWrite(ctx); err != nil {
		w.d.Log.DebugContext(ctx, "try to write", "err", err)
	}
}

// machinery looks at the database. away is how far its clock is ahead of ours.
func (w *Watch) machinery(ctx context.Context) (report health.Report, away time.Duration, err error) {
	defer fault.Recover(&err)
	now, err := w.d.Store.Now(ctx)
	if err != nil {
		return report, 0, err
	}
	if w.d.Store.Engine() == "postgres" { // with SQLite it is our own
		away = now.Sub(w.clocks.wall())
	}
	report, err = health.Machinery(ctx, w.d.Store, now)
	return report, away, err
}

// clocks notices when the clock on the wall moves otherwise than time passes:
// it was set, or the machine slept.
type clocks struct {
	wall func() time.Time     // what time it is
	mono func() time.Duration // how much has passed since some instant

	began    bool
	lastWall time.Time
	lastMono time.Duration
}

func newClocks() clocks {
	start := time.Now()
	return clocks{
		wall: func() time.Time { return time.Now().Round(0) }, // without the reading that only counts
		mono: func() time.Duration { return time.Since(start) },
	}
}

// jump returns by how much the clock has moved beside what has passed since the
// last time this was asked.
func (c *clocks) jump() time.Duration {
	wall, mono := c.wall(), c.mono()
	by := wall.Sub(c.lastWall) - (mono - c.lastMono)
	if !c.began {
		by = 0
	}
	c.began, c.lastWall, c.lastMono = true, wall, mono
	return by
}
