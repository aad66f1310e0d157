package dispatch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Many senders at once, some about the same entity.
func TestAcceptManyAtOnce(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.clock.tick = time.Microsecond
		h.run(t)
		const senders, each, entities = 16, 20, 12
		accepted := make(chan alert.Alert, senders*each)
		var wg sync.WaitGroup
		for s := range senders {
			wg.Go(func() {
				for i := range each {
					a, err := h.Accept(t.Context(), critical(fmt.Sprintf("host%02d", (s+i)%entities)))
					if err != nil {
						t.Errorf("Accept() = %v", err)
					}
					accepted <- a
				}
			})
		}
		wg.Wait()
		close(accepted)
		var numbers []id.Alert
		commits := map[time.Time]bool{}
		of := map[string]id.Incident{}
		for a := range accepted {
			numbers = append(numbers, a.ID)
			if known, ok := of[a.EntityID]; ok && known != a.Incident {
				t.Errorf("%s has the incidents %d and %d", a.EntityID, known, a.Incident)
			}
			of[a.EntityID] = a.Incident
			commits[a.ReceivedAt] = true
			stored, err := h.store.Alert(t.Context(), a.ID)
			if err != nil || stored.EntityID != a.EntityID || stored.Incident != a.Incident {
				t.Errorf("alert %d is stored as %+v, %v", a.ID, stored, err)
			}
		}
		slices.Sort(numbers)
		for i, n := range numbers {
			if n != id.Alert(i+1) {
				t.Fatalf("alert numbers have a gap or a double before %d: %v", n, numbers)
			}
		}
		total := 0
		for n := range id.Incident(entities) {
			total += h.incident(t, n+1).AlertCount
		}
		if total != senders*each || len(of) != entities {
			t.Errorf("%d alerts of %d entities were counted, want %d of %d", total, len(of), senders*each, entities)
		}
		if c, err := h.store.Counts(t.Context()); err != nil || c.Triggered != entities {
			t.Errorf("Counts() = %+v, %v, want %d triggered", c, err, entities)
		}
		if len(commits) >= senders*each {
			t.Errorf("%d commits for %d alerts: nothing was written together", len(commits), senders*each)
		}
	})
}

func TestAcceptGroupIsOneCommit(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.clock.tick = time.Microsecond
		commits := map[time.Time]bool{}
		var alerts []alert.Alert
		for i := range 300 {
			alerts = append(alerts, critical(fmt.Sprintf("host%02d", i%30)))
		}
		for i, got := range h.group(t, alerts...) {
			if got.err != nil || got.alert.ID != id.Alert(i+1) || got.alert.Incident != id.Incident(i%30+1) {
				t.Fatalf("alert %d = number %d of incident %d, %v", i, got.alert.ID, got.alert.Incident, got.err)
			}
			commits[got.alert.ReceivedAt] = true
		}
		if len(commits) != 1 {
			t.Errorf("300 alerts that waited together took %d commits, want 1", len(commits))
		}
	})
}

// Whoever brings an alert while another is being written waits with all others
// who do, and then they are one commit.
func TestAlertsWaitForWhoeverWrites(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.clock.tick = time.Microsecond
		h.run(t)
		<-h.turn // somebody writes
		const senders = 20
		var mu sync.Mutex
		commits := map[time.Time]bool{}
		var wg sync.WaitGroup
		for i := range senders {
			wg.Go(func() {
				a, err := h.Accept(t.Context(), critical(fmt.Sprint("host", i)))
				if err != nil {
					t.Errorf("Accept() = %v", err)
				}
				mu.Lock()
				defer mu.Unlock()
				commits[a.ReceivedAt] = true
			})
		}
		for h.waiting.Load() < senders*int64(len(critical("").Raw)) || len(h.queue) == senders {
			runtime.Gosched()
		}
		h.pass()
		wg.Wait()
		if len(commits) != 1 {
			t.Errorf("%d alerts that waited for one writer took %d commits, want 1", senders, len(commits))
		}
		if a, err := h.Accept(t.Context(), critical("host1")); err != nil || a.Incident == 0 {
			t.Errorf("Accept() when nobody writes = %+v, %v", a, err)
		}
		h.audit(t)
	})
}

// Within a group each alert meets what the one before it left.
func TestAcceptGroupKeepsOrder(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		like := func(kind alert.Type) alert.Alert {
			a := critical("disk")
			a.Type = kind
			return a
		}
		unknown := critical("link")
		unknown.RoutingKey = "no such key"
		got := h.group(t, like(alert.Recovery), like(alert.Critical), like(alert.Info), like(alert.Acknowledgement), like(alert.Recovery), like(alert.Critical), unknown)
		want := []id.Incident{0, 1, 1, 1, 1, 2, 3}
		for i, a := range got {
			if a.err != nil || a.alert.Incident != want[i] {
				t.Errorf("alert %d (%s) belongs to incident %d, %v, want %d", i, a.alert.Type, a.alert.Incident, a.err, want[i])
			}
		}
		for n, want := range map[id.Incident]incident.State{1: incident.Resolved, 2: incident.Triggered, 3: incident.Triggered} {
			if inc := h.incident(t, n); inc.State != want {
				t.Errorf("incident %d is %s, want %s", n, inc.State, want)
			}
		}
		if inc := h.incident(t, 3); inc.Policy != "p2" {
			t.Errorf("an unknown routing key leads to policy %q, want the default p2", inc.Policy)
		}
		wantKinds := []timeline.Kind{
			timeline.IncidentTriggered, timeline.StepStarted, timeline.AlertReceived, timeline.IncidentAcknowledged, timeline.IncidentResolved,
		}
		var kinds []timeline.Kind
		for _, e := range h.entries(t, store.EntryFilter{Incident: 1}) {
			kinds = append(kinds, e.Kind)
		}
		if diff := cmp.Diff(wantKinds, kinds); diff != "" {
			t.Errorf("the timeline of incident 1 (-want +got):\n%s", diff)
		}
	})
}

// PostgreSQL takes no NUL byte. Who sends one is told; the neighbours in the
// same group never notice.
func TestOneBadAlertFailsAlone(t *testing.T) {
	h := newHouse(t, "postgres")
	bad := critical("host\x00")
	got := h.group(t, critical("one"), bad, critical("two"))
	if got[0].err != nil || got[2].err != nil {
		t.Errorf("the neighbours of a bad alert got %v and %v", got[0].err, got[2].err)
	}
	if got[1].err == nil || got[1].alert.ID != 0 {
		t.Errorf("a bad alert became number %d, %v, want an error", got[1].alert.ID, got[1].err)
	}
	if one, two := got[0].alert, got[2].alert; one.ID != 1 || two.ID != 2 || two.Incident != 2 {
		t.Errorf("the neighbours are %d and %d (incident %d), want 1 and 2: numbers have no gap", one.ID, two.ID, two.Incident)
	}
	h.audit(t)
}

func TestAcceptIsBusy(t *testing.T) {
	h := newHouse(t, "sqlite")
	for range maxWaiting {
		h.queue <- &request{alert: critical("disk"), done: make(chan error, 1)}
	}
	_, err := h.Accept(t.Context(), critical("disk"))
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != fault.CodeUnavailable || f.RetryAfter != 5*time.Second {
		t.Fatalf("Accept() with a full queue = %v, want unavailable, come back in 5s", err)
	}
	h.group(t) // all that was accepted is committed, in groups
	if got := h.incident(t, 1).AlertCount; got != maxWaiting {
		t.Errorf("%d alerts were counted, want %d", got, maxWaiting)
	}
	h.audit(t)
}

// Who does not wait for the answer does not take the alert back.
func TestAcceptWithoutPatience(t *testing.T) {
	h := newHouse(t, "sqlite")
	ctx, leave := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	leave(gone)
	if _, err := h.Accept(ctx, critical("disk")); !errors.Is(err, gone) {
		t.Errorf("Accept() = %v, want %v", err, gone)
	}
	h.group(t)
	if inc := h.incident(t, 1); inc.AlertCount != 1 {
		t.Errorf("the alert was counted %d times, want once", inc.AlertCount)
	}
}

// Long bodies make smaller groups, and fewer of them may wait.
func TestLongAlertsAreBounded(t *testing.T) {
	h := newHouse(t, "sqlite")
	h.clock.tick = time.Microsecond
	long := critical("disk")
	long.Raw = strings.Repeat("x", 1<<20)
	var alerts []alert.Alert
	for range 40 {
		alerts = append(alerts, long)
	}
	commits := map[time.Time]bool{}
	for _, a := range h.group(t, alerts...) {
		if a.err != nil {
			t.Fatal(a.err)
		}
		commits[a.alert.ReceivedAt] = true
	}
	if len(commits) != 3 {
		t.Errorf("40 MiB were committed in %d groups, want 3", len(commits))
	}
	if left := h.waiting.Load(); left != 0 {
		t.Errorf("%d bytes wait for ever", left)
	}
	ctx, leave := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	leave(gone)
	for i := range maxWaitingBytes >> 20 {
		if _, err := h.Accept(ctx, long); !errors.Is(err, gone) {
			t.Fatalf("Accept() of the alert number %d = %v, want it to wait", i, err)
		}
	}
	if _, err := h.Accept(ctx, long); !fault.Is(err, fault.CodeUnavailable) {
		t.Errorf("Accept() above the bound = %v, want unavailable", err)
	}
}

// An alert that says nothing is called after where it came from.
func TestAlertsWithoutATitle(t *testing.T) {
	o := &org.Org{Integrations: map[id.Integration]routing.Integration{"i": {ID: "i", Name: "Nagios"}}}
	for _, tt := range []struct {
		in   alert.Alert
		want string
	}{
		{alert.Alert{Integration: "i", RoutingKey: "database"}, "Alert for database, from Nagios"},
		{alert.Alert{Integration: "i"}, "Alert from Nagios"},
		{alert.Alert{Integration: "gone", RoutingKey: "database"}, "Alert without a title"},
	} {
		if got := untitled(o, tt.in); got != tt.want {
			t.Errorf("%+v is called %q, want %q", tt.in, got, tt.want)
		}
	}
	eachEngine(t, func(t *testing.T, h *house) {
		h.run(t)
		a := critical("made-up")
		a.Title = ""
		a, err := h.Accept(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := h.store.Alert(t.Context(), a.ID)
		if err != nil || stored.Title == "" || stored.Title == a.EntityID || h.incident(t, a.Incident).Title != stored.Title {
			t.Errorf("it is called %q, %v; the incident %q", stored.Title, err, h.incident(t, a.Incident).Title)
		}
	})
}
