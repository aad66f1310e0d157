package org

import (
	"slices"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
)

// TestTakeOver: the same person once more is nobody else.
func TestTakeOver(t *testing.T) {
	begin := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	week := func(n int) time.Time { return begin.AddDate(0, 0, 7*n) }
	weeks := func(users ...id.User) []oncall.Shift {
		var all []oncall.Shift
		for n, u := range users {
			all = append(all, oncall.Shift{User: u, Start: week(n), End: week(n + 1)})
		}
		return all
	}
	for _, c := range []struct {
		why  string
		all  []oncall.Shift // the first is now
		at   time.Time
		next []id.User
	}{
		{"another next week", weeks("kim", "lee", "kim"), week(1), []id.User{"lee"}},
		{"the same person for three weeks", weeks("kim", "kim", "kim", "lee"), week(3), []id.User{"lee"}},
		{"nobody afterwards", weeks("kim", "kim"), week(2), nil},
		{"another after a gap", append(weeks("kim"), oncall.Shift{User: "lee", Start: week(2), End: week(3)}), week(1), nil},
		{"one without an end", []oncall.Shift{{User: "kim", Start: week(0)}}, time.Time{}, nil},
	} {
		on := func(at time.Time) []oncall.Shift {
			return slices.DeleteFunc(slices.Clone(c.all), func(s oncall.Shift) bool {
				return at.Before(s.Start) || !s.End.IsZero() && !at.Before(s.End)
			})
		}
		at, next := takeOver(c.all[:1], c.all[1:], on)
		if !at.Equal(c.at) || !slices.Equal(next, c.next) {
			t.Errorf("%s: takeOver = %s %v, want %s %v", c.why, at, next, c.at, c.next)
		}
	}
}
