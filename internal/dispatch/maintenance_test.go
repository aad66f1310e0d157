package dispatch

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

// keep lets every duty do all that is due.
func (h *house) keep(t *testing.T) {
	t.Helper()
	for _, duty := range []func() (int, error){
		func() (int, error) { return h.KeepMaintenance(t.Context()) },
		func() (int, error) { return h.WatchHeartbeats(t.Context()) },
		func() (int, error) { return h.KeepDrills(t.Context()) },
	} {
		for n := 1; n > 0; {
			var err error
			if n, err = duty(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (h *house) window(t *testing.T, w maintenance.Window) maintenance.Window {
	t.Helper()
	if w.Name == "" {
		w.Name = "Upgrade"
	}
	made, err := h.StartMaintenance(t.Context(), ada(), w)
	if err != nil {
		t.Fatalf("StartMaintenance() = %v", err)
	}
	return made
}

func of(kind alert.Type, entity string) alert.Alert {
	a := critical(entity)
	a.Type = kind
	return a
}

func TestMaintenanceMutesAndForgetsNothing(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		before := h.open(t, "open-before").ID
		now := h.clock.read()
		w := h.window(t, maintenance.Window{RoutingKeys: []string{"data*"}, End: now.Add(time.Hour)})
		at := h.head(t).Seq
		other := critical("elsewhere")
		other.RoutingKey = "network"
		for _, a := range []alert.Alert{
			critical("still-broken"), of(alert.Warning, "warned"), critical("recovers"), critical("open-before"), other, of(alert.Info, "told"),
		} {
			h.group(t, a)
		}
		h.group(t, of(alert.Recovery, "recovers"))
		want := []timeline.Kind{
			timeline.AlertReceived, timeline.AlertReceived, timeline.AlertReceived, // three that are muted; the fourth only counts
			timeline.IncidentTriggered, timeline.StepStarted, // another key
			timeline.AlertReceived, timeline.AlertReceived,
		}
		if diff := cmp.Diff(want, h.kinds(t, at)); diff != "" {
			t.Fatalf("during the window (-want +got):\n%s", diff)
		}
		muted := h.entries(t, storeAfter(at))[0].Payload.(timeline.AlertBody)
		if muted.Why != "maintenance" || muted.Window != "Upgrade" || !muted.Until.Equal(w.End) {
			t.Errorf("the entry says %+v", muted)
		}
		if inc := h.incident(t, before); inc.State != incident.Triggered || inc.AlertCount != 2 {
			t.Errorf("the incident from before is %s with %d alerts: a window must not touch it", inc.State, inc.AlertCount)
		}

		at = h.head(t).Seq
		h.keep(t)
		if h.head(t).Seq != at {
			t.Error("something happened before the end")
		}
		h.clock.pass(time.Hour)
		h.keep(t)
		h.keep(t)
		want = []timeline.Kind{timeline.MaintenanceEnded, timeline.IncidentTriggered, timeline.StepStarted, timeline.IncidentTriggered, timeline.StepStarted}
		if diff := cmp.Diff(want, h.kinds(t, at)); diff != "" {
			t.Fatalf("after the end (-want +got):\n%s", diff)
		}
		told := h.entries(t, storeAfter(at))
		if over := told[0].Payload.(timeline.MaintenanceOver); over.Held != 2 || over.Maintenance != string(w.ID) {
			t.Errorf("the end says %+v, want 2 held", over)
		}
		for i, entity := range map[int]string{1: "still-broken", 3: "warned"} {
			p := told[i].Payload.(timeline.Triggered)
			stored, err := h.store.Alert(t.Context(), p.Alert)
			if err != nil || p.EntityID != entity || stored.Incident != told[i].Incident {
				t.Errorf("opened %s of alert %d, which belongs to %d, %v", p.EntityID, p.Alert, stored.Incident, err)
			}
		}
		if got := h.open(t, "later"); got.State != incident.Triggered {
			t.Error("an alert after the window opens nothing")
		}
	})
}

func TestMaintenanceEndsEarlyAndOverlaps(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		now := h.clock.read()
		first := h.window(t, maintenance.Window{Teams: []id.Team{"dba"}, End: now.Add(2 * time.Hour)})
		second := h.window(t, maintenance.Window{Name: "Disk", Entities: []string{"disk/*"}, End: now.Add(time.Hour)})
		h.group(t, critical("disk/a"), critical("host/b"))
		if err := h.EndMaintenance(t.Context(), ada(), first.ID); err != nil {
			t.Fatal(err)
		}
		h.keep(t)
		h.keep(t)
		open, err := h.store.Counts(t.Context())
		if err != nil || open.Triggered != 1 {
			t.Fatalf("%d are open, want host/b alone, %v", open.Triggered, err)
		}
		if err := h.EndMaintenance(t.Context(), ada(), first.ID); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("ending twice = %v, want a conflict", err)
		}
		h.change(t, org.Remove(org.MaintenanceKind, string(second.ID))) // by another way than ours
		h.keep(t)
		if open, err := h.store.Counts(t.Context()); err != nil || open.Triggered != 2 {
			t.Errorf("%d are open after the second window was deleted, want 2, %v", open.Triggered, err)
		}
	})
}

func TestMaintenanceBeginsAndEndsByItself(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		now := h.clock.read()
		planned := h.window(t, maintenance.Window{Entities: []string{"*"}, Start: now.Add(time.Hour), End: now.Add(2 * time.Hour)})
		taken := h.window(t, maintenance.Window{Name: "Never", Entities: []string{"*"}, Start: now.Add(time.Hour), End: now.Add(3 * time.Hour)})
		if err := h.EndMaintenance(t.Context(), ada(), taken.ID); err != nil {
			t.Fatal(err)
		}
		if h.open(t, "before").State != incident.Triggered {
			t.Error("a window that has not begun mutes")
		}
		at := h.head(t).Seq
		h.clock.pass(time.Hour)
		h.keep(t)
		h.group(t, critical("during"))
		h.clock.pass(time.Hour)
		h.group(t, critical("during")) // repeated in the moment before anybody has looked
		h.keep(t)
		want := []timeline.Kind{timeline.MaintenanceStarted, timeline.AlertReceived, timeline.IncidentTriggered, timeline.StepStarted, timeline.MaintenanceEnded}
		if diff := cmp.Diff(want, h.kinds(t, at)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		o, err := h.store.Org(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if w := o.Maintenance[planned.ID]; w.Started.IsZero() || !w.Ended.Equal(w.End) || len(o.Maintenance) != 1 {
			t.Errorf("stored is %+v of %d", w, len(o.Maintenance))
		}
	})
}

func TestMaintenanceRefuses(t *testing.T) {
	h := newHouse(t, "sqlite")
	now := h.clock.read()
	good := maintenance.Window{Name: "Upgrade", Entities: []string{"*"}, End: now.Add(time.Hour)}
	for name, tc := range map[string]struct {
		by     people.Actor
		change func(*maintenance.Window)
		want   fault.Code
	}{
		"by a member":  {kim(), func(*maintenance.Window) {}, fault.CodeForbidden},
		"in the past":  {ada(), func(w *maintenance.Window) { w.End = now.Add(-time.Hour) }, fault.CodeInvalid},
		"without end":  {ada(), func(w *maintenance.Window) { w.End = time.Time{} }, fault.CodeInvalid},
		"unknown team": {ada(), func(w *maintenance.Window) { w.Teams = []id.Team{"none"} }, fault.CodeInvalid},
		"for nothing":  {ada(), func(w *maintenance.Window) { w.Entities = nil }, fault.CodeInvalid},
	} {
		w := good
		w.Entities = slices.Clone(good.Entities)
		tc.change(&w)
		if _, err := h.StartMaintenance(t.Context(), tc.by, w); !fault.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if err := h.EndMaintenance(t.Context(), ada(), "none"); !fault.Is(err, fault.CodeNotFound) {
		t.Errorf("ending what is not there = %v", err)
	}
	if err := h.EndMaintenance(t.Context(), kim(), "none"); !fault.Is(err, fault.CodeForbidden) {
		t.Errorf("a member ends = %v", err)
	}
}
