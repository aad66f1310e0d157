package dispatch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func storeAfter(n id.Seq) store.EntryFilter { return store.EntryFilter{After: n} }

func backup() heartbeat.Heartbeat {
	return heartbeat.Heartbeat{Name: "Backup", Slug: "backup", RoutingKey: "database", Every: escalation.Duration(5 * time.Minute), Grace: escalation.Duration(time.Minute)}
}

// passing lets time go by as a running server does: somebody looks all the while.
func (h *house) passing(t *testing.T, d time.Duration) {
	t.Helper()
	for ; d > 0; d -= 30 * time.Second {
		h.clock.pass(min(d, 30*time.Second))
		h.keep(t)
	}
}

func (h *house) heartbeat(t *testing.T) (string, heartbeat.Heartbeat) {
	t.Helper()
	key, made, err := h.NewHeartbeat(t.Context(), ada(), backup())
	if err != nil {
		t.Fatal(err)
	}
	h.keep(t)
	return key, made
}

func TestSilenceIsOneIncident(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		key, made := h.heartbeat(t)
		if made.KeyHash == "" || made.KeyHash == key {
			t.Fatal("the key is not kept as a hash")
		}
		at := h.head(t).Seq
		for range 5 {
			h.passing(t, 4*time.Minute)
			next, err := h.Beat(t.Context(), key)
			if want := h.clock.read().Add(6 * time.Minute); err != nil || !next.Equal(want) {
				t.Fatalf("Beat() = %v, %v, want %v", next, err, want)
			}
		}
		if n := h.head(t).Seq; n != at {
			t.Fatalf("%d entries while all was well", n-at)
		}
		last := h.clock.read()
		h.passing(t, 20*time.Minute)
		told := h.entries(t, storeAfter(at))
		var silence timeline.Silence
		var n id.Incident
		for _, e := range told {
			if p, ok := e.Payload.(timeline.Silence); ok {
				silence, n = p, e.Incident
			}
		}
		want := timeline.Silence{Heartbeat: string(made.ID), Name: "Backup", LastAt: last, DueAt: last.Add(6 * time.Minute)}
		if diff := cmp.Diff(want, silence); diff != "" {
			t.Errorf("the silence (-want +got):\n%s", diff)
		}
		if inc := h.incident(t, n); inc.EntityID != "heartbeat/backup" || inc.State != incident.Triggered || inc.AlertCount != 1 || inc.Team != "dba" {
			t.Errorf("the incident is %+v", inc)
		}
		at = h.head(t).Seq
		for range 2 {
			if _, err := h.other.Beat(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]timeline.Kind{timeline.IncidentResolved, timeline.HeartbeatResumed}, h.kinds(t, at)); diff != "" {
			t.Errorf("after the call (-want +got):\n%s", diff)
		}
		h.passing(t, 10*time.Minute)
		if c, err := h.store.Counts(t.Context()); err != nil || c.Triggered != 1 {
			t.Errorf("a second silence: %+v, %v, want another incident", c, err)
		}
	})
}

func TestTheFirstCallIsAwaited(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.heartbeat(t)
		h.passing(t, 5*time.Minute)
		if c, _ := h.store.Counts(t.Context()); c.Triggered != 0 {
			t.Fatal("alarmed before the first call was due")
		}
		at := h.head(t).Seq
		h.passing(t, 2*time.Minute)
		for _, e := range h.entries(t, storeAfter(at)) {
			if p, ok := e.Payload.(timeline.Silence); ok && p.LastAt.IsZero() {
				return
			}
		}
		t.Errorf("no silence that never called among %v", h.kinds(t, at))
	})
}

func TestPausedJobsMayBeSilent(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		key, made := h.heartbeat(t)
		h.passing(t, 10*time.Minute)
		if err := h.PauseHeartbeat(t.Context(), ada(), made.ID, true); err != nil {
			t.Fatal(err)
		}
		if c, _ := h.store.Counts(t.Context()); c.Triggered != 0 {
			t.Error("the incident of a paused job stays open")
		}
		h.passing(t, time.Hour)
		if next, err := h.Beat(t.Context(), key); err != nil || !next.IsZero() {
			t.Errorf("Beat() of a paused job = %v, %v", next, err)
		}
		h.passing(t, time.Hour)
		if err := h.PauseHeartbeat(t.Context(), ada(), made.ID, false); err != nil {
			t.Fatal(err)
		}
		h.passing(t, 5*time.Minute)
		if c, _ := h.store.Counts(t.Context()); c.Triggered != 0 {
			t.Error("a job that was resumed is not given its time")
		}
		h.passing(t, 2*time.Minute)
		if c, _ := h.store.Counts(t.Context()); c.Triggered != 1 {
			t.Error("nobody waits for a job that was resumed")
		}
		if err := h.DeleteHeartbeat(t.Context(), ada(), made.ID); err != nil {
			t.Fatal(err)
		}
		beats, err := h.store.Beats(t.Context())
		if _, kept := beats[made.ID]; err != nil || kept {
			t.Errorf("a deleted job is remembered, %v", err)
		}
		if c, _ := h.store.Counts(t.Context()); c.Triggered != 0 {
			t.Error("the incident of a deleted job stays open")
		}
		if _, err := h.Beat(t.Context(), key); !fault.Is(err, fault.CodeNotFound) {
			t.Errorf("Beat() of a deleted job = %v", err)
		}
	})
}

// While no server ran nobody could call: that is not the job's silence.
func TestABreakOfOursIsNoSilence(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		key, _ := h.heartbeat(t)
		if _, err := h.Beat(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		h.clock.pass(8 * time.Hour)
		h.keep(t)
		h.passing(t, 5*time.Minute)
		if c, _ := h.store.Counts(t.Context()); c.Triggered != 0 {
			t.Fatal("a server that comes back takes its own absence for a silence")
		}
		h.passing(t, 2*time.Minute)
		if c, _ := h.store.Counts(t.Context()); c.Triggered != 1 {
			t.Error("after a break nobody is waited for")
		}
	})
}

func TestHeartbeatsRefuse(t *testing.T) {
	h := newHouse(t, "sqlite")
	key, made := h.heartbeat(t)
	if _, _, err := h.NewHeartbeat(t.Context(), kim(), backup()); !fault.Is(err, fault.CodeForbidden) {
		t.Errorf("a member makes one: %v", err)
	}
	if _, _, err := h.NewHeartbeat(t.Context(), ada(), backup()); !fault.Is(err, fault.CodeInvalid) {
		t.Errorf("a second of that slug: %v", err)
	}
	renewed, _, err := h.RenewHeartbeat(t.Context(), ada(), made.ID)
	if err != nil || renewed == key {
		t.Fatalf("RenewHeartbeat() = %v", err)
	}
	if _, err := h.Beat(t.Context(), key); !fault.Is(err, fault.CodeNotFound) {
		t.Errorf("the old address still works: %v", err)
	}
	if _, err := h.Beat(t.Context(), renewed); err != nil {
		t.Errorf("the new address does not: %v", err)
	}
	if err := h.PauseHeartbeat(t.Context(), kim(), made.ID, true); !fault.Is(err, fault.CodeForbidden) {
		t.Errorf("a member pauses: %v", err)
	}
	if err := h.DeleteHeartbeat(t.Context(), kim(), made.ID); !fault.Is(err, fault.CodeForbidden) {
		t.Errorf("a member deletes: %v", err)
	}
	if err := h.DeleteHeartbeat(t.Context(), ada(), "none"); !fault.Is(err, fault.CodeNotFound) {
		t.Errorf("deleting what is not there: %v", err)
	}
}
