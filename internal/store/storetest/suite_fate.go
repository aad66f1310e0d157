package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/store"
)

// whatIsOut is what those ask for who follow messages after they have left.
func whatIsOut(t *testing.T, s *store.Store) {
	keys := func(list []store.Delivery, err error) []string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all := []string{}
		for _, d := range list {
			all = append(all, d.Key)
		}
		return all
	}
	expect := func(what string, got []string, want ...string) {
		t.Helper()
		if want == nil {
			want = []string{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	var open, over id.Incident
	do(t, s, func(tx *store.Tx) { open, over = newIncident(tx, "open"), newIncident(tx, "over") })
	do(t, s, func(tx *store.Tx) {
		inc := opened(over, "over")
		inc.State = incident.Acknowledged
		save(tx, inc)
	})
	due := must[time.Time](t)(s.Now(t.Context()))
	do(t, s, func(tx *store.Tx) {
		add := func(key, method, remote string, state store.DeliveryState, n id.Incident) {
			due = due.Add(-time.Second) // the later it is written, the earlier it should have arrived
			d := tx.AddDelivery(store.Delivery{
				Key: key, Kind: store.StepPage, DueAt: due, ExpiresAt: at(0), Incident: n, Person: "u1", Contact: "c1", Body: store.DeliveryBody{Method: method},
			})
			d.State, d.Provider, d.Remote = state, "p1", remote
			tx.PutDelivery(d)
		}
		add("sms under way", "sms", "m1", store.Accepted, open)
		add("sms late", "sms", "m2", store.Late, open)
		add("sms arrived", "sms", "m3", store.Delivered, over)
		add("mail", "email", "", store.Sent, open)
		add("push arrived", "pushover", "m4", store.Delivered, open)
		add("push over", "pushover", "m5", store.Delivered, over)
		add("push of both 1", "pushover", "m6", store.Accepted, over)
		add("push of both 2", "pushover", "m6", store.Accepted, open)
		add("answered", "pushover", "m7", store.Answered, over)
	})
	expect("in flight", keys(s.InFlight(t.Context(), nil, 10)), "push of both 2", "push of both 1", "sms late", "sms under way")
	expect("in flight, with what can be answered", keys(s.InFlight(t.Context(), []string{"pushover"}, 10)),
		"push of both 2", "push of both 1", "push over", "push arrived", "sms late", "sms under way")
	expect("at most two", keys(s.InFlight(t.Context(), nil, 2)), "push of both 2", "push of both 1")
	expect("noise about what nobody need be told of", keys(s.Noisy(t.Context(), "pushover", 10)), "push over")
	expect("to a contact method, newest first", keys(s.DeliveriesTo(t.Context(), "c1", 2)), "answered", "push of both 2")
	do(t, s, func(tx *store.Tx) {
		expect("in one message", keys(tx.DeliveriesByRemote("p1", "m6")), "push of both 1", "push of both 2")
		expect("whoever carried it", keys(tx.DeliveriesByRemote("", "m6")), "push of both 1", "push of both 2")
		expect("of another provider", keys(tx.DeliveriesByRemote("p2", "m6")))
		expect("without an id", keys(tx.DeliveriesByRemote("", "")))
		expect("overdue", keys(tx.OverdueDeliveries(10)), "push of both 2", "push of both 1", "sms under way")
	})
}
