package health

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/retention"
)

// Kept is since when what is written down is kept.
type Kept struct {
	Since time.Time `json:"since,omitzero"`  // the oldest line of the timeline
	RanAt time.Time `json:"ran_at,omitzero"` // when what is old was looked for last
	Limit bool      `json:"limited"`         // something is kept for some days only
}

// missed is how long ago what is old may have been looked for last: two runs
// may be slow or fall into a restart.
const missed = 3 * retention.Every

// kept says when what should be gone by now may still be there.
func (c *check) kept(ctx context.Context) error {
	k := &c.r.Kept
	k.RanAt, k.Limit = retention.RanAt(c.cursors), c.org.Settings.Retention.On()
	var err error
	if _, k.Since, err = c.s.FirstEntry(ctx); err != nil {
		return err
	}
	if by := c.now.Sub(k.RanAt); k.Limit && !k.RanAt.IsZero() && by > missed {
		c.say(Organisation, phrase.T("cli.health.retention"), "cli.health.retention_late", by.Truncate(time.Minute))
	}
	return nil
}
