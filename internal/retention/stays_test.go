package retention

import (
	"errors"
	"testing"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// TestWhatAMessageSaidIsNotFoundAgain: of a message that stays the edits go, and
// the index of words, made anew, has it as it reads.
func TestWhatAMessageSaidIsNotFoundAgain(t *testing.T) {
	each(t, func(a *attic) {
		pinned := a.say("ops", 0, "password", func(m *store.Message) {
			m.PinnedAt, m.Edits, m.Now = noon, 1, &store.Version{Text: "removed", At: noon}
		})
		gone := a.say("ops", 0, "secret", func(m *store.Message) { m.DeletedAt = noon })
		a.do(func(tx *store.Tx) {
			tx.Append(timeline.Entry{Kind: timeline.MessageEdited, Room: "ops", Payload: timeline.Edit{Of: pinned, Text: "removed"}})
			tx.Append(timeline.Entry{Kind: timeline.MessageDeleted, Room: "ops", Payload: timeline.Deletion{Of: gone}})
		})
		held := a.say("ops", gone, "answer", func(m *store.Message) { m.PinnedAt = noon })
		a.keep(org.Retention{Messages: 30})
		a.at(31)
		a.run()
		a.want("kept", a.numbers(store.EntryFilter{Rooms: []id.Room{"ops"}}), []id.Seq{pinned, gone, held})
		for more := true; more; {
			var err error
			if more, err = a.IndexNext(a.Context(), "search", 100, words); err != nil {
				a.Fatal(err)
			}
		}
		for word, want := range map[string][]id.Seq{"password": {}, "secret": {}, "removed": {pinned}, "answer": {held}} {
			a.want(word, a.numbers(store.EntryFilter{AllRooms: true, Words: []string{word}}), want)
		}
	})
}

// TestNoticesBreedNone: that something was removed is removed one day, too, and
// nothing is told of that.
func TestNoticesBreedNone(t *testing.T) {
	each(t, func(a *attic) {
		a.do(func(tx *store.Tx) {
			tx.Append(timeline.Entry{Kind: timeline.OrgChanged, Payload: timeline.Change{Object: "team", Action: "created"}})
			for _, n := range []id.Invocation{"a", "b"} {
				if _, err := tx.AddInvocation(invocation.Invocation{ID: n, State: invocation.Succeeded, Command: "oncall", AskedAt: tx.Now}); err != nil {
					a.Fatal(err)
				}
				tx.AppendEvent(invocation.Event{Invocation: n, Kind: invocation.EventFinished})
			}
		})
		a.keep(org.Retention{Entries: 30, Commands: 30})
		a.at(31)
		a.run()
		a.want("told", a.removed(), timeline.Removal{Entries: 1, Commands: 1, Events: 2})
		a.at(62)
		forecast, err := Preview(a.Context(), a.Store, org.Retention{Entries: 30, Commands: 30})
		if err != nil || forecast != (Forecast{}) {
			a.Errorf("Preview() = %+v, %v", forecast, err)
		}
		a.run()
		a.want("told of that", a.numbers(store.EntryFilter{AllRooms: true}), []id.Seq{})
		if good, broken, err := a.CheckAudit(a.Context()); good != 1 || broken != 0 || err != nil {
			a.Errorf("CheckAudit() = %d, %d, %v", good, broken, err)
		}
	})
}

// TestOutputsGoAlone: commands are kept for ever, and what they printed is not.
func TestOutputsGoAlone(t *testing.T) {
	each(t, func(a *attic) {
		a.do(func(tx *store.Tx) {
			for n, doc := range map[id.Invocation]*timeline.Document{"silent": nil, "table": {Status: timeline.StatusGood}, "text": nil} {
				inv := invocation.Invocation{ID: n, State: invocation.Succeeded, Command: "oncall", AskedAt: tx.Now, Doc: doc}
				if n == "text" {
					inv.Output = "Kim"
				}
				if _, err := tx.AddInvocation(inv); err != nil {
					a.Fatal(err)
				}
			}
		})
		a.at(31)
		found, err := a.OldInvocations(a.Context(), 0, *a.now.Load(), true, 10)
		if err != nil || len(found) != 2 {
			a.Errorf("looks at %d commands (%v), want those that printed something", len(found), err)
		}
		a.keep(org.Retention{Outputs: 30})
		a.run()
		a.want("told", a.removed(), timeline.Removal{Outputs: 2})
	})
}

// TestOnlyWhatGoesIsCounted: what has changed since it was looked at stays.
func TestOnlyWhatGoesIsCounted(t *testing.T) {
	each(t, func(a *attic) {
		a.disturb("open", 0, false)
		a.do(func(tx *store.Tx) {
			ds, err := tx.Deliveries([]id.Delivery{1})
			if err != nil || len(ds) != 1 {
				a.Fatal(ds, err)
			}
			ds[0].State = store.Sent
			tx.PutDelivery(ds[0])
			tx.PutAlert(alert.Alert{ID: tx.NewAlert(), Type: alert.Info, EntityID: "held", ReceivedAt: tx.Now, Raw: "{}"})
			tx.Mute("held", 1, noon.AddDate(1, 0, 0))
			if _, err := tx.AddInvocation(invocation.Invocation{ID: "last", State: invocation.Succeeded, Command: "oncall", AskedAt: tx.Now}); err != nil {
				a.Fatal(err)
			}
		})
		a.do(func(tx *store.Tx) {
			alerts, err := tx.RemoveAlerts([]id.Alert{1})
			a.want("alerts", alerts, store.Removed{})
			deliveries, err2 := tx.RemoveDeliveries([]id.Delivery{1})
			a.want("deliveries", deliveries, store.Removed{})
			commands, err3 := tx.RemoveInvocations([]id.Invocation{"last"})
			a.want("commands", commands, store.Removed{})
			if err := errors.Join(err, err2, err3); err != nil {
				a.Fatal(err)
			}
		})
		if left, err := a.OldDeliveries(a.Context(), 0, 10); err != nil || len(left) != 1 || !left[0].Open {
			a.Errorf("deliveries left: %+v (%v)", left, err)
		}
	})
}
