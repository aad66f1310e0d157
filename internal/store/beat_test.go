package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

func write(t *testing.T, s *store.Store, fn func(tx *store.Tx)) {
	t.Helper()
	if err := s.Do(t.Context(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestBeats(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		at := time.Date(2026, 11, 22, 9, 0, 0, 123456000, time.UTC)
		want := map[heartbeat.ID]store.Beat{
			"called":  {Heartbeat: "called", At: at, Called: true},
			"awaited": {Heartbeat: "awaited", At: at},
			"silent":  {Heartbeat: "silent", At: at, Called: true, Missed: at.Add(time.Hour)},
			"never":   {Heartbeat: "never", At: at, Missed: at.Add(time.Hour)},
			"paused":  {Heartbeat: "paused", At: at, Called: true, Paused: true},
		}
		write(t, s, func(tx *store.Tx) {
			for n, b := range want {
				tx.PutBeat(store.Beat{Heartbeat: n, At: at.Add(time.Minute)})
				tx.PutBeat(b)
			}
			tx.PutBeat(store.Beat{Heartbeat: "gone", At: at})
		})
		write(t, s, func(tx *store.Tx) { tx.DropBeat("gone") })
		got, err := s.Beats(t.Context())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Beats (-want +got), %v:\n%s", err, diff)
		}
		write(t, s, func(tx *store.Tx) {
			if b, ok, err := tx.Beat("never"); err != nil || !ok || b != want["never"] || !b.LastAt().IsZero() {
				t.Errorf("Beat = %+v, %t, %v", b, ok, err)
			}
			if _, ok, err := tx.Beat("gone"); err != nil || ok {
				t.Errorf("Beat of none = %t, %v", ok, err)
			}
		})
	})
}

func TestMuted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		if next, err := s.NextMuted(t.Context()); err != nil || !next.IsZero() {
			t.Errorf("NextMuted of nothing = %v, %v", next, err)
		}
		var now time.Time
		write(t, s, func(tx *store.Tx) {
			now = tx.Now
			for _, entity := range []string{"a", "b", "c"} {
				a := alert.Alert{ID: tx.NewAlert(), ReceivedAt: tx.Now, Type: alert.Critical, EntityID: entity, RoutingKey: "Key", Raw: "{}"}
				tx.PutAlert(a)
				tx.Mute(entity, a.ID, tx.Now.Add(time.Hour))
			}
			tx.Unmute("b")
			tx.RemuteUntil("a", tx.Now.Add(-time.Second))
		})
		if next, err := s.NextMuted(t.Context()); err != nil || !next.Equal(now.Add(-time.Second)) {
			t.Errorf("NextMuted = %v, %v", next, err)
		}
		muted, err := s.Muted(t.Context(), 10)
		if diff := cmp.Diff([]store.Muted{{Alert: 1, Entity: "a", RoutingKey: "Key"}, {Alert: 3, Entity: "c", RoutingKey: "Key"}}, muted); err != nil || diff != "" {
			t.Errorf("Muted (-want +got), %v:\n%s", err, diff)
		}
		due := func(want ...string) {
			t.Helper()
			write(t, s, func(tx *store.Tx) {
				list, err := tx.MutedDue(10)
				var got []string
				for _, a := range list {
					got = append(got, a.EntityID)
				}
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("MutedDue (-want +got), %v:\n%s", err, diff)
				}
			})
		}
		due("a")
		write(t, s, func(tx *store.Tx) { tx.LookAtMuted(); tx.LinkAlert(3, 7) })
		due("a", "c")
		if a, err := s.Alert(t.Context(), 3); err != nil || a.Incident != 7 {
			t.Errorf("the linked alert is %+v, %v", a, err)
		}
	})
}

func TestDrillPagesAndProofs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const pages = 150 // more than one query's worth
		at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
		write(t, s, func(tx *store.Tx) {
			for n := range pages {
				tx.AddDelivery(store.Delivery{Key: store.DrillKey("d1", n), Kind: store.DrillPage, DueAt: tx.Now, Contact: id.Contact("c" + string(rune('a'+n%3)))})
			}
			tx.AddDelivery(store.Delivery{Key: store.DrillKey("d2", 0), Kind: store.DrillPage, DueAt: tx.Now, Contact: "ca"})
		})
		list, err := s.DrillDeliveries(t.Context(), "d1")
		if err != nil || len(list) != pages || list[0].ID != 1 || list[pages-1].ID != pages {
			t.Fatalf("DrillDeliveries gave %d, %v", len(list), err)
		}
		life := func(n int, moments ...store.Moment) {
			d := list[n]
			d.Body.Life, d.State = moments, moments[len(moments)-1].State
			write(t, s, func(tx *store.Tx) { tx.PutDelivery(d) })
		}
		life(0, store.Moment{State: store.Delivered, At: at}, store.Moment{State: store.Answered, At: at.Add(time.Minute)})
		life(3, store.Moment{State: store.Accepted, At: at}, store.Moment{State: store.Delivered, At: at.Add(time.Hour)})
		life(1, store.Moment{State: store.Accepted, At: at}, store.Moment{State: store.Failed, At: at.Add(time.Hour)})
		proofs, err := s.Proofs(t.Context(), []id.Contact{"ca", "cb", "cc", "nobody's"})
		want := map[id.Contact]store.Proof{"ca": {DeliveredAt: at.Add(time.Hour), AnsweredAt: at.Add(time.Minute)}}
		if diff := cmp.Diff(want, proofs); err != nil || diff != "" {
			t.Errorf("Proofs (-want +got), %v:\n%s", err, diff)
		}
		if got := proofs["ca"].At(); !got.Equal(at.Add(time.Hour)) {
			t.Errorf("At = %v", got)
		}
	})
}

func TestDropDelivery(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		write(t, s, func(tx *store.Tx) {
			tx.AddDelivery(store.Delivery{Key: "k1", Kind: store.NoticeMail, DueAt: tx.Now})
			tx.AddDelivery(store.Delivery{Key: "k2", Kind: store.NoticeMail, DueAt: tx.Now.Add(time.Hour)})
		})
		write(t, s, func(tx *store.Tx) {
			if _, err := tx.ClaimDeliveries("n", tx.Now.Add(time.Hour), 10); err != nil {
				t.Error(err)
			}
		})
		write(t, s, func(tx *store.Tx) { tx.DropDelivery("k1"); tx.DropDelivery("k2"); tx.DropDelivery("k3") })
		if d, err := s.DeliveryOfKey(t.Context(), "k1"); err != nil || d.ID != 1 {
			t.Errorf("somebody works on k1: %+v, %v", d, err)
		}
		if _, err := s.DeliveryOfKey(t.Context(), "k2"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("k2 is still there: %v", err)
		}
	})
}
