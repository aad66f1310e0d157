package victorops

import (
	"context"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/org"
)

// state is who is on call and who is here.
func (c *session) state(ctx context.Context) (*org.Org, []onCall, []status, error) {
	o, err := c.server.Store.Org(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	now, err := c.server.Store.Now(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	here, err := c.server.Store.Present(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	return o, onCallNow(o, now), statusNow(o, here), nil
}

// watchState tells again who is on call and who is here, when that changes. It
// also sees when the key is withdrawn, and when another node has the robot.
func (c *session) watchState(ctx context.Context) error {
	duty, here := c.toldDuty, c.toldHere
	tick := time.NewTicker(c.server.pace.look)
	defer tick.Stop()
	quietUntil := time.Now().Add(c.server.pace.presence)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-c.duty:
		}
		o, dutyNow, hereNow, err := c.state(ctx)
		if err != nil {
			if ctx.Err() == nil {
				c.log.ErrorContext(ctx, "look who is on call", "err", err)
			}
			continue
		}
		if _, ok := c.robot(o); !ok {
			return errWithdrawn
		}
		if all, err := c.server.Store.Cursors(ctx); err == nil && all[loginsOf(c.id)] != c.number {
			return errTakenOver // on another node
		}
		now := time.Now()
		if slices.Equal(duty, dutyNow) && (same(here, hereNow) || now.Before(quietUntil)) {
			continue
		}
		if err := c.answer(ctx, stateOf(dutyNow, hereNow)); err != nil {
			return err
		}
		duty, here, quietUntil = dutyNow, hereNow, now.Add(c.server.pace.presence)
	}
}

// same reports whether the same people are here; when they were last active is
// no news.
func same(a, b []status) bool {
	return slices.EqualFunc(a, b, func(a, b status) bool { return a.User == b.User && a.Status == b.Status })
}
