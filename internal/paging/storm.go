package paging

import (
	"slices"
	"time"
)

// A person gets at most StormPages single messages about incidents by one
// contact method within a StormWindow. What comes after them is gathered for
// StormGather and leaves as one message ("7 new incidents"); from then on there
// is one message for each window, until a window has passed without any.
// Nothing is dropped, and nothing waits longer than a window.
const (
	StormPages  = 3
	StormWindow = time.Minute
	StormGather = 5 * time.Second
)

// Flow is what went to one contact method lately. The zero value is nothing.
type Flow struct {
	Singles []time.Time // when the latest single pages went out, oldest first
	Digest  time.Time   // when the latest digest goes or went out; zero: none
}

// Next says when a page that is wanted now goes out, and keeps that in mind.
// Held says that it waits for others; opened, that it is the first of its digest.
func (f *Flow) Next(now time.Time) (due time.Time, held, opened bool) {
	switch {
	case f.Digest.After(now): // it goes with the others
		f.Digest = earlier(f.Digest, now.Add(StormWindow)) // the clock was set back
		return f.Digest, true, false
	case !f.Digest.IsZero() && now.Sub(f.Digest) < StormWindow: // not quiet yet
		f.Digest = f.Digest.Add(StormWindow)
		return f.Digest, true, true
	}
	f.Singles = slices.DeleteFunc(f.Singles, func(at time.Time) bool { return now.Sub(at) >= StormWindow })
	if len(f.Singles) < StormPages {
		f.Singles = append(f.Singles, now)
		return now, false, false
	}
	f.Digest = now.Add(StormGather)
	return f.Digest, true, true
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
