package paging

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func seconds(n float64) time.Time { return noon.Add(time.Duration(n * float64(time.Second))) }

func TestFlow(t *testing.T) {
	tests := []struct {
		intent string
		asked  []float64 // seconds
		due    []float64
	}{
		{"one by one while they are few", []float64{0, 30, 59}, []float64{0, 30, 59}},
		{"three within a minute again and again are no storm", []float64{0, 20, 40, 60, 80, 100}, []float64{0, 20, 40, 60, 80, 100}},
		{"the fourth waits a moment for others", []float64{0, 1, 2, 3, 4, 7.9}, []float64{0, 1, 2, 8, 8, 8}},
		{"then one message after twice the time", []float64{0, 0, 0, 0, 6, 14, 15, 34, 36, 74, 76, 134, 136}, []float64{0, 0, 0, 5, 15, 15, 35, 35, 75, 75, 135, 135, 195}},
		{"one incident after a short storm hardly waits", []float64{0, 0, 0, 0, 26}, []float64{0, 0, 0, 5, 31}},
		{"and with it whatever comes then", []float64{0, 0, 0, 0, 26, 27, 30.9}, []float64{0, 0, 0, 5, 31, 31, 31}},
		{"a new storm begins with the shortest pause", []float64{0, 20, 40, 41, 61, 107, 108, 109, 116}, []float64{0, 20, 40, 46, 61, 107, 108, 114, 124}},
		{"until a minute was quiet", []float64{0, 0, 0, 0, 65}, []float64{0, 0, 0, 5, 65}},
	}
	for _, tt := range tests {
		var f Flow
		var due []float64
		for _, at := range tt.asked {
			d, _, _ := f.Next(seconds(at))
			due = append(due, d.Sub(noon).Seconds())
		}
		if diff := cmp.Diff(tt.due, due); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.intent, diff)
		}
	}
}

// Whatever comes when: nothing is early, nothing waits for longer than a
// minute, messages are few, and the first of each digest says so once.
func TestFlowProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f Flow
		now := noon
		messages := map[time.Time]bool{}
		opened := map[time.Time]int{}
		var order []time.Time
		for range rapid.IntRange(1, 300).Draw(t, "pages") {
			now = now.Add(time.Duration(rapid.IntRange(0, rapid.SampledFrom([]int{50, 2000, 90_000}).Draw(t, "pace")).Draw(t, "gap")) * time.Millisecond)
			due, held, first := f.Next(now)
			if due.Before(now) || due.After(now.Add(StormWindow)) {
				t.Fatalf("a page wanted at %s goes out at %s", now, due)
			}
			if held != due.After(now) {
				t.Fatalf("held = %v for a page that goes out %s later", held, due.Sub(now))
			}
			if first {
				opened[due]++
			}
			if !messages[due] || !held {
				order = append(order, due)
			}
			messages[due] = true
			if held && opened[due] != 1 {
				t.Fatalf("the digest at %s was opened %d times", due, opened[due])
			}
			if f.Over(now) {
				t.Fatalf("over right after a page")
			}
		}
		for i := range order { // three single ones, then at most those gathered after 5, 10, 20 and 40 seconds
			if j := i + StormPages + 4; j < len(order) && order[j].Sub(order[i]) < StormWindow-StormGather {
				t.Fatalf("%d messages within %s", StormPages+5, order[j].Sub(order[i]))
			}
		}
		if !f.Over(now.Add(2*StormWindow + StormGather)) {
			t.Fatalf("a storm goes on without pages")
		}
	})
}

// What was sent is enough to go on with, in whatever order it is told.
func TestFlowIsToldAgain(t *testing.T) {
	var f Flow
	for _, at := range []float64{5, 35, 15, 35, 15} {
		f.Gathered(seconds(at))
	}
	if due, held, opened := f.Next(seconds(36)); due != seconds(75) || !held || !opened {
		t.Errorf("after digests at 5, 15 and 35 s the next is at %s (%v, %v), want 75 s", due.Sub(noon), held, opened)
	}
}

func TestFlowWithAClockSetBack(t *testing.T) {
	f := Flow{Digest: noon.Add(time.Hour)}
	if due, held, _ := f.Next(noon); !held || due.After(noon.Add(StormWindow)) {
		t.Errorf("after the clock was set back a page waits until %s", due)
	}
}
