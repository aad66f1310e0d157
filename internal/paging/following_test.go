package paging

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFollowing(t *testing.T) {
	attempt := func(seq, minutes int) Attempt { return Attempt{Seq: seq, After: time.Duration(minutes) * time.Minute} }
	c := Chain{
		Attempts: []Attempt{attempt(1, 0), attempt(2, 0), attempt(3, 2)}, Reserve: []Attempt{attempt(4, 0)},
		Again: 10 * time.Minute, Repeat: []int{3},
	}
	seqs := func(list []Attempt) []int {
		all := []int{}
		for _, a := range list {
			all = append(all, a.Seq)
		}
		return all
	}
	for seq, want := range map[int][]int{1: {2}, 2: {3}, 3: {5}, 4: {5}, 5: {6}} {
		if diff := cmp.Diff(want, seqs(c.Following(seq))); diff != "" {
			t.Errorf("Following(%d) (-want +got):\n%s", seq, diff)
		}
	}
	c.Again = 0
	if got := c.Following(3); len(got) != 0 {
		t.Errorf("Following the last = %v", got)
	}
}

// Whoever goes from step to step meets every planned attempt once, in order.
func TestFollowingMeetsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Chain{}
		after := time.Duration(0)
		for i := range rapid.IntRange(1, 8).Draw(t, "attempts") {
			after += rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(t, "after")
			c.Attempts = append(c.Attempts, Attempt{Seq: i + 1, After: after})
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "reserve") {
			c.Reserve = append(c.Reserve, Attempt{Seq: len(c.Attempts) + i + 1})
		}
		if rapid.Bool().Draw(t, "again") {
			c.Again, c.Repeat = 5*time.Minute, []int{len(c.Attempts)}
		}
		want := c.Within(time.Hour, 30)
		got := []Attempt{c.Attempts[0]}
		for len(got) < len(want) {
			next := c.Following(got[len(got)-1].Seq)
			if len(next) == 0 {
				break
			}
			got = append(got, next...)
		}
		if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" {
			t.Fatalf("step by step (-want +got):\n%s", diff)
		}
	})
}

// Within returns the planned attempts with After up to limit, repetitions
// included, in the order of their instants; the reserve is not planned. At most
// n are returned.
func (c Chain) Within(limit time.Duration, n int) []Attempt {
	var all []Attempt
	for seq := 1; len(all) < n; seq++ {
		if !c.Planned(seq) {
			continue
		}
		a, ok := c.Attempt(seq)
		if !ok || a.After > limit {
			break // instants never decrease with the number
		}
		all = append(all, a)
	}
	return all
}
