package store

import (
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

func numbered(from, to id.Seq) []timeline.Entry {
	var all []timeline.Entry
	for n := from; n <= to; n++ {
		all = append(all, timeline.Entry{Seq: n})
	}
	return all
}

func TestRecentEntries(t *testing.T) {
	var r recentEntries
	expect := func(why, epoch string, seq, upto id.Seq, want int) {
		t.Helper()
		found, ok := r.between(epoch, seq, upto)
		if ok != (want > 0) || len(found) != want {
			t.Fatalf("%s: between(%d, %d) gave %d, %v, want %d", why, seq, upto, len(found), ok, want)
		}
		for i, e := range found {
			if e.Seq != seq+1+id.Seq(i) {
				t.Fatalf("%s: number %d at place %d after %d", why, e.Seq, i, seq)
			}
		}
	}
	expect("nothing yet", "a", 0, 1, 0)
	r.add("a", numbered(5, 7))
	r.add("a", numbered(8, 9))
	expect("all", "a", 4, 9, 5)
	expect("a part", "a", 6, 8, 2)
	expect("what came before is not here", "a", 3, 9, 0)
	expect("nor what comes later", "a", 6, 10, 0)
	expect("nothing lies between", "a", 9, 9, 0)
	expect("another history", "b", 4, 9, 0)
	r.add("a", numbered(12, 13)) // another node wrote 10 and 11
	expect("a gap is not bridged", "a", 8, 13, 0)
	expect("behind the gap", "a", 11, 13, 2)
	r.add("b", numbered(14, 14))
	expect("a restore begins anew", "b", 12, 14, 0)
	expect("and goes on", "b", 13, 14, 1)
	for n := id.Seq(15); n < 15+5*recentSize; n += 100 {
		r.add("b", numbered(n, n+99))
	}
	last := r.entries[len(r.entries)-1].Seq
	expect("the newest are kept", "b", last-recentSize, last, recentSize)
	if len(r.entries) > 2*recentSize {
		t.Errorf("%d entries are kept, want %d at most", len(r.entries), 2*recentSize)
	}
	r.add("b", numbered(last+1, last+3*recentSize))
	expect("one commit of more than all", "b", last+2*recentSize, last+3*recentSize, recentSize)
}

func TestNews(t *testing.T) {
	for about := range everything + 1 {
		if got := readNews("me", news("you", about)); got != about {
			t.Errorf("%b is read as %b", about, got)
		}
		if got := readNews("me", news("me", about)); got != 0 {
			t.Errorf("our own %b is read as %b, want nothing", about, got)
		}
	}
	if got := readNews("me", ""); got != everything {
		t.Errorf("what cannot be read is %b, want everything", got)
	}
}
