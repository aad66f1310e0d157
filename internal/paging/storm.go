package paging

import (
	"slices"
	"time"
)

// A person gets at most StormPages single messages about incidents by one
// contact method within a StormWindow. What comes after them is gathered for
// StormGather and leaves as one message ("7 new incidents"). While more comes,
// the time to the next message doubles, up to a window: 5 s, 10, 20, 40, 60, 60.
// Nothing is dropped, nothing waits longer than a window, and one incident after
// a short storm waits no longer than the storm has lasted.
const (
	StormPages  = 3
	StormWindow = time.Minute
	StormGather = 5 * time.Second
)

// Flow is what went to one contact method lately. The zero value is nothing.
type Flow struct {
	Singles []time.Time // when the latest single pages went out, oldest first
	Digest  time.Time   // when the latest digest goes or went out; zero: none
	Before  time.Time   // the same of the one before it
}

// Next says when a page that is wanted now goes out, and keeps that in mind.
// Held says that it waits for others; opened, that it is the first of its digest.
func (f *Flow) Next(now time.Time) (due time.Time, held, opened bool) {
	switch {
	case f.Digest.After(now): // it goes with the others
		f.Digest = earlier(f.Digest, now.Add(StormWindow)) // the clock was set back
		return f.Digest, true, false
	case now.Before(f.Digest.Add(f.pause())): // not quiet yet
		f.gather(f.Digest.Add(f.pause()))
		return f.Digest, true, true
	}
	f.Singles = slices.DeleteFunc(f.Singles, func(at time.Time) bool { return now.Sub(at) >= StormWindow })
	if len(f.Singles) < StormPages {
		f.Singles = append(f.Singles, now)
		return now, false, false
	}
	f.gather(now.Add(StormGather))
	return f.Digest, true, true
}

// Gathered keeps in mind that a digest goes out at an instant. Those of a
// method are told in any order.
func (f *Flow) Gathered(at time.Time) {
	if at.After(f.Digest) {
		f.gather(at)
	} else if at.After(f.Before) && at.Before(f.Digest) {
		f.Before = at
	}
}

func (f *Flow) gather(at time.Time) { f.Before, f.Digest = f.Digest, at }

// pause is what lies between the latest digest and the next one at least.
func (f *Flow) pause() time.Duration {
	if last := f.Digest.Sub(f.Before); !f.Before.IsZero() && last <= StormWindow {
		return min(2*last, StormWindow)
	}
	return 2 * StormGather
}

// Over reports whether f says nothing more about pages from now on.
func (f *Flow) Over(now time.Time) bool {
	return now.Sub(f.Digest) >= StormWindow &&
		!slices.ContainsFunc(f.Singles, func(at time.Time) bool { return now.Sub(at) < StormWindow })
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
