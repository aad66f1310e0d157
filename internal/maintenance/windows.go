package maintenance

import (
	"cmp"
	"slices"
	"time"
)

// Active returns the windows that are on at an instant, those that end first in front.
func Active(windows []Window, at time.Time) []Window {
	var on []Window
	for _, w := range windows {
		if w.ActiveAt(at) {
			on = append(on, w)
		}
	}
	slices.SortStableFunc(on, func(a, b Window) int { return cmp.Or(a.Over().Compare(b.Over()), cmp.Compare(a.ID, b.ID)) })
	return on
}

// Muting returns the window that mutes a at an instant: of several the one that
// ends last.
func Muting(windows []Window, a Alert, at time.Time) (w Window, muted bool) {
	for _, on := range Active(windows, at) {
		if on.Covers(a) {
			w, muted = on, true
		}
	}
	return w, muted
}

// MutedUntil returns when a pages again after an instant at which it is muted:
// windows that follow one another without a gap count as one. ok is false when
// it is not muted.
func MutedUntil(windows []Window, a Alert, at time.Time) (until time.Time, ok bool) {
	for range len(windows) {
		w, muted := Muting(windows, a, at)
		if !muted {
			break
		}
		at, until, ok = w.Over(), w.Over(), true
	}
	return until, ok
}
