package outbox

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
)

// The rule of storms. The first pages to a contact method within a minute go
// out one by one. What comes after them is gathered for a moment and goes out
// as one message, and from then on there is a message a minute until a minute
// was quiet. Nothing is dropped, and nothing waits longer than a minute.
const (
	stormAbove  = 3
	stormWindow = time.Minute
	stormGather = 5 * time.Second
)

// flow is what went to one contact method lately.
type flow struct {
	singles []time.Time // when the latest single pages went out, oldest first
	digest  time.Time   // when the latest bundle goes or went out; zero: none
}

// next says when a page that is wanted now goes out, and whether it is held
// back for that.
func (f *flow) next(now time.Time) (due time.Time, held bool) {
	switch {
	case f.digest.After(now): // it goes with the others
		return f.digest, true
	case !f.digest.IsZero() && now.Sub(f.digest) < stormWindow: // not quiet yet
		f.digest = f.digest.Add(stormWindow)
		return f.digest, true
	}
	f.singles = slices.DeleteFunc(f.singles, func(at time.Time) bool { return now.Sub(at) >= stormWindow })
	if len(f.singles) < stormAbove {
		f.singles = append(f.singles, now)
		return now, false
	}
	f.digest = now.Add(stormGather)
	return f.digest, true
}

// over reports whether f says nothing more about pages from now on.
func (f *flow) over(now time.Time) bool {
	return now.Sub(f.digest) >= stormWindow &&
		!slices.ContainsFunc(f.singles, func(at time.Time) bool { return now.Sub(at) < stormWindow })
}

// flows are those of everybody, as they follow from the deliveries up to one
// position of the planner.
type flows map[id.Contact]*flow

// flowsOf reads them from the latest deliveries, oldest first.
func flowsOf(latest []store.Delivery) flows {
	all := flows{}
	for _, d := range latest {
		if d.Contact == "" || d.Kind == store.NoticeMail {
			continue
		}
		f := all.of(d.Contact)
		switch {
		case d.Body.HeldUntil.IsZero():
			f.singles = append(f.singles, d.CreatedAt)
		case d.Body.HeldUntil.After(f.digest):
			f.digest = d.Body.HeldUntil
		}
	}
	return all
}

func (all flows) of(c id.Contact) *flow {
	f, ok := all[c]
	if !ok {
		f = &flow{}
		all[c] = f
	}
	return f
}

// hold moves a planned delivery to when it may go out.
func (all flows) hold(d *store.Delivery, now time.Time) {
	due, held := all.of(d.Contact).next(now)
	if held {
		d.ExpiresAt = d.ExpiresAt.Add(due.Sub(d.DueAt))
		d.DueAt, d.Body.HeldUntil = due, due
	}
}

// forget drops what has no effect any more.
func (all flows) forget(now time.Time) {
	for c, f := range all {
		if f.over(now) {
			delete(all, c)
		}
	}
}
