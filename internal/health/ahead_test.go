package health

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

func change(t *testing.T, s *store.Store, changes ...org.Change) {
	t.Helper()
	err := s.Do(t.Context(), func(tx *store.Tx) error {
		_, err := dispatch.ApplyChanges(tx, people.Operator(), changes)
		tx.SetCursor("search", 100)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An override fills the gap that the rota has by itself.
func TestWhatAnOverrideFillsIsNoGap(t *testing.T) {
	s := storetest.Open(t, clock())
	furnish(t, s, func(_ *people.User, r *oncall.Rotation) { r.Layers[1].End = "2026-11-27" })
	friday := time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)
	change(t, s, org.Put(oncall.Override{ID: "o", Rotation: "r", User: "kim", Start: friday.Add(-time.Hour), Kind: oncall.Planned}))
	if got := found(run(t, s, noon)); len(got) > 0 {
		t.Errorf("findings %v", got)
	}
}

func TestAwayWhileOnCall(t *testing.T) {
	s := storetest.Open(t, clock())
	furnish(t, s, nil)
	monday := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	change(t, s, org.Put(oncall.Absence{ID: "a", User: "kim", Start: monday, End: monday.Add(48 * time.Hour)}))
	want := []string{"organisation: Rotation Primary: From Mon 30 Nov 2026 01:00 CET Kim is on call, but away."}
	if diff := cmp.Diff(want, found(run(t, s, noon))); diff != "" {
		t.Errorf("before (-want +got):\n%s", diff)
	}
	want = []string{"organisation: Rotation Primary: Kim is on call right now, but away."}
	if diff := cmp.Diff(want, found(run(t, s, monday.Add(time.Hour)))); diff != "" {
		t.Errorf("then (-want +got):\n%s", diff)
	}
}

// Nobody on call outside the hours of a layer may be meant: it is told, and
// nothing is wrong.
func TestHoursOfALayerAreWorthALook(t *testing.T) {
	s := storetest.Open(t, clock())
	furnish(t, s, func(_ *people.User, r *oncall.Rotation) {
		r.Layers[1].Restrictions = []oncall.Restriction{{From: "08:00", To: "20:00"}} // it is 13:00 in Berlin
	})
	r := run(t, s, noon)
	if !r.OK || len(r.Notes) != 1 || r.Notes[0].Text != "From Sun 22 Nov 2026 20:00 CET nobody is on call outside the hours of its layers." {
		t.Errorf("OK = %v, findings %v, notes %v", r.OK, found(r), r.Notes)
	}
}

func TestSilentHeartbeat(t *testing.T) {
	s := storetest.Open(t, clock())
	furnish(t, s, nil)
	change(t, s, org.Put(heartbeat.Heartbeat{
		ID: "h", Slug: "backup", Name: "Backup", RoutingKey: "x", Every: escalation.Duration(time.Hour), Grace: escalation.Duration(10 * time.Minute),
	}))
	err := s.Do(t.Context(), func(tx *store.Tx) error {
		tx.PutBeat(store.Beat{Heartbeat: "h", At: noon, Called: true})
		tx.SetCursor("search", 100)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration][]string{
		69 * time.Minute: {}, 70 * time.Minute: {"organisation: Heartbeat Backup: It should have called by Sun 22 Nov 2026 13:10 UTC."},
	} {
		if diff := cmp.Diff(want, found(run(t, s, noon.Add(after)))); diff != "" {
			t.Errorf("after %v (-want +got):\n%s", after, diff)
		}
	}
}
