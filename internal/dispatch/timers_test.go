package dispatch

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// stepTwo is when the second step of the policy is due.
const stepTwo = 5 * time.Minute

// fire fires what is due, and checks how much that was.
func (h *house) fire(t *testing.T, want int) {
	t.Helper()
	total := 0
	for {
		n, err := h.FireTimers(t.Context())
		if err != nil {
			t.Fatalf("FireTimers() = %v", err)
		}
		if n == 0 {
			break
		}
		total += n
	}
	if total != want {
		t.Errorf("FireTimers() fired %d timers, want %d", total, want)
	}
}

func TestEscalationByTimers(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		seq := h.head(t).Seq
		h.clock.pass(stepTwo - time.Microsecond)
		h.fire(t, 0)
		h.clock.pass(time.Microsecond)
		h.fire(t, 1)
		h.fire(t, 0)
		h.clock.pass(10 * time.Minute)
		h.fire(t, 1)
		h.clock.pass(24 * time.Hour)
		h.fire(t, 0)
		if diff := cmp.Diff([]timeline.Kind{timeline.StepStarted, timeline.EscalationExhausted}, h.kinds(t, seq)); diff != "" {
			t.Errorf("the timeline (-want +got):\n%s", diff)
		}
		if inc := h.incident(t, n); inc.State != incident.Triggered || !inc.NextAt.IsZero() {
			t.Errorf("the incident is %s and goes on at %s, want triggered for good", inc.State, inc.NextAt)
		}
	})
}

func TestAcknowledgedIsQuiet(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		if _, err := h.Acknowledge(t.Context(), kim(), n); err != nil {
			t.Fatal(err)
		}
		h.clock.pass(24 * time.Hour)
		h.fire(t, 0)
	})
}

// Two nodes look at the same time: every timer fires once.
func TestTimersFireOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		const incidents = timersAtOnce + 44
		var alerts []alert.Alert
		for i := range incidents {
			alerts = append(alerts, critical(fmt.Sprintf("host%03d", i)))
		}
		h.group(t, alerts...)
		h.clock.pass(stepTwo)
		fired := make([]int, 4)
		var wg sync.WaitGroup
		for i := range fired {
			d := []*Dispatcher{h.Dispatcher, h.other}[i%2]
			wg.Go(func() {
				for {
					n, err := d.FireTimers(t.Context())
					if err != nil {
						t.Errorf("FireTimers() = %v", err)
					}
					if n == 0 || err != nil {
						return
					}
					fired[i] += n
				}
			})
		}
		wg.Wait()
		if total := fired[0] + fired[1] + fired[2] + fired[3]; total != incidents {
			t.Errorf("%v timers fired, together %d, want %d", fired, total, incidents)
		}
		steps := map[id.Incident]int{}
		for _, e := range h.entries(t, store.EntryFilter{Kinds: []timeline.Kind{timeline.StepStarted}}) {
			steps[e.Incident]++
		}
		for n, got := range steps {
			if got != 2 {
				t.Errorf("incident %d has %d steps, want 2", n, got)
			}
		}
	})
}

// A time that is finer than what a timer keeps must not let the timer come
// early, find nothing to do and be gone.
func TestSnoozeEnds(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		seq := h.head(t).Seq
		until := h.clock.read().Add(time.Hour + 789*time.Nanosecond)
		if _, err := h.Snooze(t.Context(), kim(), n, until); err != nil {
			t.Fatal(err)
		}
		h.clock.pass(time.Hour - time.Microsecond)
		h.fire(t, 0)
		h.clock.pass(time.Microsecond)
		h.fire(t, 1)
		want := []timeline.Kind{timeline.IncidentSnoozed, timeline.SnoozeEnded, timeline.StepStarted}
		if diff := cmp.Diff(want, h.kinds(t, seq)); diff != "" {
			t.Errorf("the timeline (-want +got):\n%s", diff)
		}
	})
}

// A timer that has nothing to do any more is gone after its time, or it would
// be due for ever.
func TestStrayTimersGo(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		n := h.open(t, "disk").ID
		if _, err := h.Resolve(t.Context(), kim(), n); err != nil {
			t.Fatal(err)
		}
		seq, due := h.head(t).Seq, h.clock.read()
		err := h.store.Do(t.Context(), func(tx *store.Tx) error {
			tx.Save(incident.Decision{Timers: []incident.Timer{
				{Kind: incident.EscalateTimer, Incident: n, DueAt: due}, {Kind: incident.UnsnoozeTimer, Incident: n, DueAt: due},
				{Kind: incident.EscalateTimer, Incident: 99, DueAt: due},
			}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := h.FireTimers(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if left, err := h.store.Timers(t.Context(), 10); err != nil || len(left) > 0 {
			t.Errorf("timers that are left: %v, %v", left, err)
		}
		if told := h.kinds(t, seq); len(told) > 0 {
			t.Errorf("stray timers told %v", told)
		}
	})
}
