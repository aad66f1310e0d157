package org

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/maintenance"
)

// indexQuiet prepares what is asked for every alert and every call of a job.
func (o *Org) indexQuiet(claim func(what, name string) error) error {
	o.jobs = make(map[string]heartbeat.ID, len(o.Heartbeats))
	o.windows = make([]maintenance.Window, 0, len(o.Maintenance))
	var errs []error
	for _, h := range o.Heartbeats {
		errs = append(errs, claim("heartbeat", h.Slug))
		if h.KeyHash != "" { // one that was written in a file has no address yet
			errs = append(errs, claim("heartbeat key", h.KeyHash))
			o.jobs[h.KeyHash] = h.ID
		}
	}
	for _, w := range o.Maintenance {
		o.windows = append(o.windows, w)
	}
	slices.SortFunc(o.windows, func(a, b maintenance.Window) int {
		return cmp.Or(b.Over().Compare(a.Over()), cmp.Compare(a.ID, b.ID))
	})
	return errors.Join(errs...)
}

// HeartbeatByKey finds the monitored job whose secret address has the given hash.
func (o *Org) HeartbeatByKey(keyHash string) (heartbeat.Heartbeat, bool) {
	h, ok := o.Heartbeats[o.jobs[keyHash]]
	return h, ok
}

// Muted returns what keeps an alert from opening an incident at an instant: the
// window that ends last, and when no window does so any more.
func (o *Org) Muted(a alert.Alert, at time.Time) incident.Muted {
	if !o.Quiet(at) {
		return incident.Muted{}
	}
	about := maintenance.Alert{RoutingKey: a.RoutingKey, EntityID: a.EntityID, Team: o.Route(a.RoutingKey).Policy.Team}
	w, ok := maintenance.Muting(o.windows, about, at)
	if !ok {
		return incident.Muted{}
	}
	until, _ := maintenance.MutedUntil(o.windows, about, at)
	return incident.Muted{Window: w.Name, Until: until}
}

// quietFor is for how long after a window something that it muted may not have
// been decided again.
const quietFor = 24 * time.Hour

// Quiet reports whether a window is on at an instant, or was not long before:
// whether anything may be muted.
func (o *Org) Quiet(at time.Time) bool {
	for _, w := range o.windows {
		if w.Over().Add(quietFor).Before(at) {
			return false
		}
		if !at.Before(w.Start) {
			return true
		}
	}
	return false
}

// TeamName is how people call t; the id when it is gone.
func (o *Org) TeamName(t id.Team) string {
	if team, ok := o.Teams[t]; ok {
		return team.Name
	}
	return string(t)
}
