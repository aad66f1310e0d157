package storetest

import (
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func deliveries(t *testing.T, s *store.Store) {
	if next, err := s.NextDelivery(t.Context()); err != nil || !next.IsZero() {
		t.Errorf("NextDelivery of none = %v, %v", next, err)
	}
	want := store.Delivery{
		Key: "9:u1:c1", Kind: store.StepPage, DueAt: at(1), ExpiresAt: at(61), Incident: 4, Entry: 9, Person: "u1", Contact: "c1",
		Body: store.DeliveryBody{Method: "email", Address: "kim@example.org", Why: "on call", Sealed: "v1.x"},
	}
	do(t, s, func(tx *store.Tx) {
		tx.AddDelivery(want)
		tx.AddDelivery(store.Delivery{Key: "later", Kind: store.NoticeMail, DueAt: at(60 * 24 * 365 * 100), ExpiresAt: at(0)})
		want.ID, want.State, want.CreatedAt = 1, store.Pending, tx.Now
	})
	do(t, s, func(tx *store.Tx) {
		same(t, "delivery", must[[]store.Delivery](t)(tx.Deliveries([]id.Delivery{1, 77})), []store.Delivery{want})
	})
	if next, err := s.NextDelivery(t.Context()); err != nil || !next.Equal(at(1)) {
		t.Errorf("NextDelivery = %v, %v, want %v", next, err, at(1))
	}
	waiting := must[[]store.Delivery](t)(s.Waiting(t.Context(), 10))
	if len(waiting) != 2 || waiting[0].ID != 1 || waiting[1].Key != "later" {
		t.Errorf("waiting: %+v", waiting)
	}
	want.State, want.Body.Detail, want.Body.DoneAt, want.Body.Bundled = store.Sent, "250 OK", at(2), 2
	do(t, s, func(tx *store.Tx) { tx.PutDelivery(want) })
	same(t, "deliveries of the incident", must[[]store.Delivery](t)(s.Deliveries(t.Context(), 4)), []store.Delivery{want})
	if due, late, err := s.DeliveryDue(t.Context()); err != nil || due || late {
		t.Errorf("DeliveryDue = %v, %v, %v when all that is due was sent", due, late, err)
	}
}

// claim takes what is due and returns the numbers.
func claim(t *testing.T, s *store.Store, holder string, lasts time.Duration, limit int) []id.Delivery {
	t.Helper()
	return inTx(t, s, func(tx *store.Tx) ([]id.Delivery, error) {
		list, err := tx.ClaimDeliveries(holder, tx.Now.Add(lasts), limit)
		found := []id.Delivery{}
		for _, d := range list {
			found = append(found, d.ID)
		}
		return found, err
	})
}

func attempts(t *testing.T, s *store.Store, n id.Delivery) int {
	t.Helper()
	return inTx(t, s, func(tx *store.Tx) (int, error) {
		list, err := tx.Deliveries([]id.Delivery{n})
		return list[0].Attempt, err
	})
}

func claims(t *testing.T, s *store.Store) {
	do(t, s, func(tx *store.Tx) {
		for i, key := range []string{"c", "a", "b"} {
			tx.AddDelivery(store.Delivery{Key: key, Kind: store.StepPage, DueAt: at(-i), ExpiresAt: at(60)})
		}
		tx.AddDelivery(store.Delivery{Key: "future", Kind: store.StepPage, DueAt: tx.Now.Add(time.Hour)})
	})
	same(t, "the earliest due", claim(t, s, "x", time.Minute, 1), []id.Delivery{3})
	same(t, "by another", claim(t, s, "y", 0, 10), []id.Delivery{2, 1}) // lasts no time at all
	same(t, "what has run out", claim(t, s, "x", time.Minute, 10), []id.Delivery{2, 1})
	if n := attempts(t, s, 1); n != 2 {
		t.Errorf("attempts = %d, want one for each claim", n)
	}
	same(t, "nothing is left", claim(t, s, "y", time.Minute, 10), []id.Delivery{})
	do(t, s, func(tx *store.Tx) { tx.RenewClaims("x", tx.Now, []id.Delivery{3, 2}) }) // ends them, and touches no others
	do(t, s, func(tx *store.Tx) { tx.RenewClaims("y", tx.Now.Add(time.Hour), []id.Delivery{1, 2, 3}) })
	same(t, "after they ran out", claim(t, s, "y", time.Minute, 3), []id.Delivery{3, 2})
	do(t, s, func(tx *store.Tx) { tx.DropClaims() })
	same(t, "after all were dropped", claim(t, s, "z", time.Minute, 10), []id.Delivery{3, 2, 1})
	do(t, s, func(tx *store.Tx) {
		done := must[[]store.Delivery](t)(tx.Deliveries([]id.Delivery{1, 2}))
		done[0].State, done[1].State = store.Failed, store.Cancelled
		tx.PutDelivery(done[0])
		tx.PutDelivery(done[1])
		tx.DropClaims()
	})
	same(t, "what is over is not claimed", claim(t, s, "x", 0, 10), []id.Delivery{3})
}

func deliveriesOfIncident(t *testing.T, s *store.Store) {
	do(t, s, func(tx *store.Tx) {
		newIncident(tx, "e")
		for range 2 {
			tx.Append(timeline.Entry{Kind: timeline.StepStarted, Actor: timeline.Self, Incident: 1, Payload: timeline.Step{Step: 1}})
		}
		for i, entry := range []id.Seq{2, 3, 3} {
			tx.AddDelivery(store.Delivery{Key: string(rune('a' + i)), Kind: store.StepPage, DueAt: at(0), Incident: 1, Entry: entry})
		}
	})
	do(t, s, func(tx *store.Tx) {
		if seq := must[id.Seq](t)(tx.LastEntry(1, timeline.StepStarted)); seq != 3 {
			t.Errorf("LastEntry = %d, want 3", seq)
		}
		if seq := must[id.Seq](t)(tx.LastEntry(1, timeline.PageSent)); seq != 0 {
			t.Errorf("LastEntry of none = %d", seq)
		}
		if list := must[[]store.Delivery](t)(tx.DeliveriesOf(1, 3)); len(list) != 2 {
			t.Errorf("DeliveriesOf(1, 3) = %+v, want two", list)
		}
	})
	if list := must[[]store.Delivery](t)(s.Deliveries(t.Context(), 1)); len(list) != 3 || list[0].ID != 1 {
		t.Errorf("Deliveries = %+v, want three", list)
	}
}
