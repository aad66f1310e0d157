package dispatch

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func pages(after time.Duration, targets ...escalation.Target) escalation.Step {
	return escalation.Step{After: escalation.Duration(after), Targets: targets}
}

// An acknowledgement that expires is a timer like any other.
func TestAcknowledgementExpires(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.change(t, org.Put(escalation.Policy{
			ID: "p1", Slug: "database", Name: "Database", RepeatAfter: escalation.DefaultRepeatAfter,
			RepageAfter: escalation.Duration(30 * time.Minute), Steps: []escalation.Step{pages(0, escalation.Target{User: "kim"})},
		}))
		n := h.open(t, "disk").ID
		if _, err := h.Acknowledge(t.Context(), kim(), n); err != nil {
			t.Fatal(err)
		}
		seq := h.head(t).Seq
		h.clock.pass(20 * time.Minute)
		if _, err := h.Acknowledge(t.Context(), lee(), n); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("Acknowledge() by somebody else = %v, want a conflict", err)
		}
		if _, err := h.Acknowledge(t.Context(), kim(), n); err != nil { // the time starts anew
			t.Fatal(err)
		}
		h.clock.pass(29 * time.Minute)
		h.fire(t, 0)
		h.clock.pass(time.Minute)
		h.fire(t, 1)
		want := []timeline.Kind{timeline.IncidentAcknowledged, timeline.AckExpired, timeline.StepStarted}
		if diff := cmp.Diff(want, h.kinds(t, seq)); diff != "" {
			t.Errorf("the timeline (-want +got):\n%s", diff)
		}
		if inc := h.incident(t, n); inc.State != incident.Triggered {
			t.Errorf("the incident is %s, want triggered again", inc.State)
		}
	})
}

// Two who must both acknowledge; who says it twice is not refused.
func TestBothAcknowledge(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.change(t, org.Put(escalation.Policy{
			ID: "p1", Slug: "database", Name: "Database", RepeatAfter: escalation.DefaultRepeatAfter, AckBy: escalation.AckByAll,
			Steps: []escalation.Step{pages(0, escalation.Target{User: "kim"}, escalation.Target{User: "lee"})},
		}))
		n := h.open(t, "disk").ID
		for range 2 {
			if inc, err := h.Acknowledge(t.Context(), kim(), n); err != nil || inc.State != incident.Triggered || inc.Wants("kim") || !inc.Wants("lee") {
				t.Errorf("Acknowledge() by one = %s, %v, want triggered for the other", inc.State, err)
			}
		}
		if inc, err := h.Acknowledge(t.Context(), lee(), n); err != nil || inc.State != incident.Acknowledged {
			t.Errorf("Acknowledge() by both = %s, %v", inc.State, err)
		}
	})
}

// The versions of policies come from the store: a running incident keeps its
// own, and the one it moved into, when they are changed, deleted, or left by hand.
func TestIncidentsKeepTheirVersions(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		to := func(p id.Policy) escalation.Target { return escalation.Target{Policy: p} }
		user := func(u id.User) escalation.Target { return escalation.Target{User: u} }
		first := escalation.Policy{
			ID: "p1", Slug: "database", Name: "Database", RepeatAfter: escalation.DefaultRepeatAfter,
			Steps: []escalation.Step{pages(0, user("kim")), pages(5*time.Minute, to("p3"))},
		}
		second := escalation.Policy{
			ID: "p3", Slug: "second", Name: "Second", RepeatAfter: escalation.DefaultRepeatAfter,
			Steps: []escalation.Step{pages(0, user("lee")), pages(5*time.Minute, user("lee"))},
		}
		h.change(t, org.Put(first), org.Put(second))
		n := h.open(t, "disk").ID
		// Nobody moves on from the first any more, and the second pages somebody else.
		first.Steps[1] = pages(time.Minute, user("kim"))
		second.Steps = []escalation.Step{pages(0, user("kim")), pages(5*time.Minute, user("lee"))}
		h.change(t, org.Put(first), org.Put(second))
		h.clock.pass(5 * time.Minute)
		h.fire(t, 1) // moves: as it was in the first, into the second as it is
		h.change(t, org.Remove(org.PolicyKind, "p3"))
		h.clock.pass(5 * time.Minute)
		h.fire(t, 1)
		// By hand it goes to what is there now.
		if _, err := h.RerouteToPolicy(t.Context(), kim(), n, "p1"); err != nil {
			t.Fatal(err)
		}
		h.clock.pass(time.Minute)
		h.fire(t, 1)
		var said []string
		for _, e := range h.entries(t, store.EntryFilter{Incident: n}) {
			switch p := e.Payload.(type) {
			case timeline.Step:
				said = append(said, p.PolicyName+" pages "+p.Names[0])
			case timeline.HandedOver:
				said = append(said, p.From+" to "+p.PolicyName)
			}
		}
		want := []string{"Database pages Kim", "Database to Second", "Second pages Kim", "Second pages Lee", "Database pages Kim", "Database pages Kim"}
		if diff := cmp.Diff(want, said); diff != "" {
			t.Errorf("the escalation said (-want +got):\n%s", diff)
		}
	})
}
