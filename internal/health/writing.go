package health

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// writing says that nothing can be written, for as long as that lasts: every
// alert is refused then, and nothing else may be late yet. Nothing that is a
// secret is told; what the driver said is in the log.
func (c *check) writing(context.Context) error {
	if out, away := c.s.Outage(); away && out.Readable() { // it was just read
		c.say(Machine, phrase.T("cli.health.database"), "cli.health.cannot_write",
			out.Since.UTC().Format(time.RFC3339), phrase.T("cli.health.why."+string(out.Why)))
	}
	return nil
}
