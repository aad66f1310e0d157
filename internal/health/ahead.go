package health

import (
	"context"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
)

const instantLayout = "Mon 2 Jan 2006 15:04 MST"

// ahead says what will be wrong until Ahead from now. What is wrong already has
// been said.
func (c *check) ahead(o *org.Org) {
	for _, r := range o.Risks(c.now, c.now.Add(Ahead)) {
		at := r.Start.In(zoneOf(o, r)).Format(instantLayout)
		switch {
		case r.Kind == org.HoursRisk:
			c.r.Notes = append(c.r.Notes, Finding{Organisation, r.Object, phrase.T("cli.health.hours", at)})
		case r.Kind == org.HolidayRisk: // somebody is on call, and may like it
			c.r.Notes = append(c.r.Notes, Finding{Organisation, r.Object, phrase.T("cli.health.holiday", at, r.Text)})
		case !r.Start.After(c.now): // so it is now, or always
		case r.Kind == org.GapRisk:
			c.say(Organisation, r.Object, "cli.health.gap", at)
		default:
			c.say(Organisation, r.Object, "cli.health.from", at, r.Text)
		}
	}
}

// zoneOf is the zone of the rotation that a risk is about; UTC when it is about none.
func zoneOf(o *org.Org, r org.Risk) *time.Location {
	for part := range strings.SplitSeq(r.ID, ":") {
		if rotation, ok := o.Rotations[id.Rotation(part)]; ok {
			if loc, err := time.LoadLocation(rotation.Zone); err == nil {
				return loc
			}
		}
	}
	return time.UTC
}

// heartbeats says which monitored jobs are silent, whether somebody has been
// told already or not.
func (c *check) heartbeats(ctx context.Context, o *org.Org) error {
	if len(o.Heartbeats) == 0 {
		return nil
	}
	beats, err := c.s.Beats(ctx)
	if err != nil {
		return err
	}
	for _, h := range org.Sorted(o.Heartbeats, func(h heartbeat.Heartbeat) string { return h.Name }) {
		last := beats[h.ID].At
		if h.Overdue(last, c.now) {
			due := h.Due(last, c.now)
			if loc, err := time.LoadLocation(h.Zone); err == nil { // UTC without one
				due = due.In(loc)
			}
			c.say(Organisation, phrase.T("cli.health.heartbeat", h.Name), "cli.health.overdue", due.Format(instantLayout))
		}
	}
	return nil
}
