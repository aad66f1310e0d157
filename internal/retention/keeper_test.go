package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// attic is a store whose clock the test sets, with a keeper.
type attic struct {
	*testing.T
	*store.Store
	keeper *Keeper
	now    *atomic.Pointer[time.Time]
}

func each(t *testing.T, test func(a *attic)) {
	t.Helper()
	var now atomic.Pointer[time.Time]
	now.Store(&noon)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := &attic{T: t, Store: s, keeper: New(s, slog.New(slog.DiscardHandler)), now: &now}
		a.at(0)
		test(a)
	}, storetest.Clock(func() time.Time { return *now.Load() }))
}

// at moves the clock to so many days after the beginning.
func (a *attic) at(days int) {
	t := noon.AddDate(0, 0, days)
	a.now.Store(&t)
}

func (a *attic) do(fn func(tx *store.Tx)) {
	a.Helper()
	if err := a.Do(a.Context(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		a.Fatal(err)
	}
}

func (a *attic) keep(r org.Retention) {
	a.Helper()
	_, done, err := (&org.Org{}).Apply(org.Put(org.Settings{Name: "Example", SnoozeMorningAt: "09:00", Retention: r}))
	if err != nil {
		a.Fatal(err)
	}
	a.do(func(tx *store.Tx) { tx.PutDefinition(done...) })
}

func (a *attic) run() {
	a.Helper()
	if err := a.keeper.runOnce(a.Context()); err != nil {
		a.Fatal(err)
	}
}

// say appends a line of u1 and returns its number.
func (a *attic) say(room id.Room, thread id.Seq, text string, became func(*store.Message)) (seq id.Seq) {
	a.Helper()
	a.do(func(tx *store.Tx) {
		seq = tx.NextSeq()
		tx.Append(timeline.Entry{Kind: timeline.MessagePosted, Room: room, Thread: thread, Person: "u1", Payload: timeline.Message{Text: text}})
		if became != nil {
			m := store.Message{Seq: seq, Room: room}
			became(&m)
			if err := tx.PutMessage(m); err != nil {
				a.Fatal(err)
			}
		}
	})
	return seq
}

// disturb opens an incident with so many alerts, and ends it when over.
func (a *attic) disturb(entity string, alerts int, over bool) (n id.Incident) {
	a.Helper()
	a.do(func(tx *store.Tx) {
		n = tx.NewIncident()
		inc := incident.Incident{ID: n, State: incident.Triggered, EntityID: entity, TriggeredAt: tx.Now}
		if over {
			inc.State, inc.ResolvedAt = incident.Resolved, tx.Now
		}
		tx.Save(incident.Decision{Incident: inc, Changed: true})
		for range alerts {
			tx.PutAlert(alert.Alert{ID: tx.NewAlert(), Incident: n, Type: alert.Critical, EntityID: entity, ReceivedAt: tx.Now, Raw: "{}"})
			tx.Append(timeline.Entry{Kind: timeline.NoteAdded, Incident: n, Payload: timeline.Noted{Text: "note"}})
		}
		tx.AddDelivery(store.Delivery{Key: fmt.Sprint("page ", n), Kind: store.StepPage, Incident: n, DueAt: tx.Now, ExpiresAt: tx.Now})
	})
	return n
}

func (a *attic) numbers(f store.EntryFilter) []id.Seq {
	a.Helper()
	f.Limit = 1000
	found, err := a.Entries(a.Context(), f)
	if err != nil {
		a.Fatal(err)
	}
	all := []id.Seq{}
	for _, e := range found {
		all = append(all, e.Seq)
	}
	return all
}

// removed is what the last entry about it says.
func (a *attic) removed() timeline.Removal {
	a.Helper()
	found, err := a.Entries(a.Context(), store.EntryFilter{Kinds: []timeline.Kind{timeline.RecordsRemoved}, Limit: 1})
	if err != nil || len(found) == 0 {
		a.Fatalf("no entry tells of it (%v)", err)
	}
	return found[0].Payload.(timeline.Removal)
}

func (a *attic) want(what string, got, want any) {
	a.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		a.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func words(e timeline.Entry) string {
	m, _ := e.Payload.(timeline.Message)
	return strings.Join(store.Words(m.Text), " ")
}

func TestMessagesGo(t *testing.T) {
	each(t, func(a *attic) {
		open, over := a.disturb("db01", 0, false), a.disturb("db02", 0, true)
		plain := a.say("ops", 0, "plain", nil)
		pinned := a.say("ops", 0, "pinned", func(m *store.Message) { m.PinnedAt = *a.now.Load() })
		linked := a.say("ops", 0, "linked", func(m *store.Message) { m.Incidents = []id.Incident{open} })
		loose := a.say("ops", 0, "loose", func(m *store.Message) { m.Incidents = []id.Incident{over} })
		root := a.say("ops", 0, "root", func(m *store.Message) { m.Replies, m.RepliedAt = 2, noon.AddDate(0, 0, 20) })
		answer := a.say("ops", root, "answer", nil)
		held := a.say("ops", 0, "held", func(m *store.Message) { m.Replies, m.RepliedAt = 1, noon })
		pinnedAnswer := a.say("ops", held, "pinned answer", func(m *store.Message) { m.PinnedAt = noon })
		main := a.say("", 0, "main", nil)
		a.do(func(tx *store.Tx) {
			tx.AddMention("u2", "ops", plain)
			f := store.File{File: timeline.File{ID: "f1", Size: 700}, Key: "k1", Person: "u1", Room: "ops", Seq: plain, At: tx.Now}
			if err := tx.PutFile(f); err != nil {
				a.Fatal(err)
			}
			tx.Append(timeline.Entry{Kind: timeline.OrgChanged, Payload: timeline.Change{Object: "team", Action: "created"}})
			tx.Append(timeline.Entry{Kind: timeline.ReactionAdded, Room: "ops", Payload: timeline.Reaction{Of: plain, Emoji: "👍"}})
		})
		for more := true; more; {
			var err error
			if more, err = a.IndexNext(a.Context(), "search", 100, words); err != nil {
				a.Fatal(err)
			}
		}
		a.at(20)
		late := a.say("ops", root, "late answer", nil)
		a.keep(org.Retention{Messages: 30, Incidents: 30})
		a.run()
		a.at(31)
		forecast, err := Preview(a.Context(), a.Store, org.Retention{Messages: 30, Incidents: 30})
		if err != nil {
			a.Fatal(err)
		}
		a.run()
		a.want("in the room", a.numbers(store.EntryFilter{Rooms: []id.Room{"ops"}}), []id.Seq{pinned, linked, root, answer, held, pinnedAnswer, late})
		removal := a.removed()
		a.want("told", removal, timeline.Removal{Messages: 3, Entries: 1, Files: 1, Bytes: 700, Incidents: 1, Deliveries: 1})
		// The forecast does not see that the incident goes which still holds a message back.
		a.want("forecast", forecast, Forecast{Removed: store.Removed{Messages: 2, Entries: 1, Files: 1, Bytes: 700, Incidents: 1, Deliveries: 1}})
		a.want("found by its words", a.numbers(store.EntryFilter{AllRooms: true, Words: []string{"plain"}}), []id.Seq{})
		a.want("found by the words of what stays", a.numbers(store.EntryFilter{AllRooms: true, Words: []string{"pinned"}}), []id.Seq{pinned, pinnedAnswer})
		if mentioned, err := a.Mentioned(a.Context(), "u2", 0, 10); err != nil || len(mentioned) != 0 {
			a.Errorf("still mentioned by %v (%v)", mentioned, err)
		}
		if files, err := a.LooseFiles(a.Context(), *a.now.Load(), 10); err != nil || len(files) != 1 || files[0].Person != "" || files[0].Key != "k1" {
			a.Errorf("files that nothing shows: %+v (%v)", files, err)
		}
		for _, c := range []struct {
			seq  id.Seq
			want bool
		}{{plain, true}, {loose, true}, {main, true}, {pinned, false}, {1 << 40, false}, {0, false}} {
			if gone, err := a.Gone(a.Context(), c.seq); err != nil || gone != c.want {
				a.Errorf("Gone(%d) = %v, %v", c.seq, gone, err)
			}
		}
		// The answer is old now; the pinned one is pinned no more, and its thread goes with it.
		a.at(51)
		a.do(func(tx *store.Tx) {
			m, err := tx.Message(pinnedAnswer)
			if err != nil {
				a.Fatal(err)
			}
			m.PinnedAt = time.Time{}
			if err := tx.PutMessage(m); err != nil {
				a.Fatal(err)
			}
		})
		a.run()
		a.want("later in the room", a.numbers(store.EntryFilter{Rooms: []id.Room{"ops"}}), []id.Seq{pinned, linked})
		next := a.say("ops", 0, "new", nil)
		if next <= late {
			a.Errorf("the next line has number %d, as %d had before", next, late)
		}
		if resumed, err := a.EntriesTo(a.Context(), store.Head{Seq: next}, 1, 100); err != nil || len(resumed) == 0 || resumed[0].Seq != pinned {
			a.Errorf("a reader that resumes from a removed number gets %v (%v)", resumed, err)
		}
	})
}

func TestIncidentsGoWithTheirThings(t *testing.T) {
	each(t, func(a *attic) {
		long := a.disturb("storm", 700, true) // more than go at once
		short := a.disturb("short", 1, true)
		open := a.disturb("open", 2, false)
		a.at(10)
		late := a.disturb("late", 1, true)
		a.at(31)
		a.keep(org.Retention{Incidents: 30})
		a.run()
		for n, want := range map[id.Incident]bool{long: true, short: true, open: false, late: false, 99: false} {
			if gone, err := a.IncidentGone(a.Context(), n); err != nil || gone != want {
				a.Errorf("IncidentGone(%d) = %v, %v, want %v", n, gone, err, want)
			}
		}
		a.want("told", a.removed(), timeline.Removal{Incidents: 2, Alerts: 701, Entries: 701, Deliveries: 2})
		for n, want := range map[id.Incident]int{long: 0, open: 2, late: 1} {
			alerts, err := a.Alerts(a.Context(), store.AlertFilter{Incident: n})
			if err != nil || len(alerts) != want {
				a.Errorf("incident %d has %d alerts (%v), want %d", n, len(alerts), err, want)
			}
		}
		if next := a.disturb("next", 1, false); next != late+1 {
			a.Errorf("the next incident is %d, want %d", next, late+1)
		}
	})
}

func TestOtherLinesAlertsAndPagesGo(t *testing.T) {
	each(t, func(a *attic) {
		a.do(func(tx *store.Tx) {
			tx.Append(timeline.Entry{Kind: timeline.OrgChanged, Payload: timeline.Change{Object: "team", Action: "created"}})
			for i := range 3 {
				tx.PutAlert(alert.Alert{ID: tx.NewAlert(), Type: alert.Info, EntityID: fmt.Sprint(i), ReceivedAt: tx.Now, Raw: "{}"})
			}
			tx.Mute("2", 3, noon.AddDate(1, 0, 0))
			for i, state := range []store.DeliveryState{store.Sent, store.Accepted, store.Pending, store.Failed} {
				d := tx.AddDelivery(store.Delivery{Key: fmt.Sprint(i), Kind: store.NoticeMail, DueAt: tx.Now, ExpiresAt: tx.Now})
				d.State = state
				tx.PutDelivery(d)
			}
		})
		said := a.say("", 0, "hello", nil)
		a.at(31)
		a.keep(org.Retention{Entries: 30, Deliveries: 30})
		a.run()
		a.want("told", a.removed(), timeline.Removal{Entries: 1, Alerts: 2, Deliveries: 2})
		left, err := a.Alerts(a.Context(), store.AlertFilter{})
		if err != nil || len(left) != 1 || left[0].ID != 3 {
			a.Errorf("alerts left: %+v (%v)", left, err)
		}
		if kept := a.numbers(store.EntryFilter{}); len(kept) != 2 || kept[0] != said {
			a.Errorf("entries left: %v, want %d and the one that tells of it", kept, said)
		}
	})
}

func TestCommandsGo(t *testing.T) {
	each(t, func(a *attic) {
		add := func(n id.Invocation, state invocation.State) {
			a.do(func(tx *store.Tx) {
				inv := invocation.Invocation{ID: n, State: state, Command: "oncall", AskedAt: tx.Now, Output: "Kim", Words: "oncall"}
				if !state.Over() {
					inv.DueAt = tx.Now.AddDate(1, 0, 0)
				}
				if _, err := tx.AddInvocation(inv); err != nil {
					a.Fatal(err)
				}
				tx.AppendEvent(invocation.Event{Invocation: n, Kind: invocation.EventReceived, State: state})
				tx.AppendEvent(invocation.Event{Invocation: n, Kind: invocation.EventFinished, State: state})
			})
		}
		add("a", invocation.Succeeded)
		add("b", invocation.Failed)
		add("c", invocation.Awaiting)
		add("d", invocation.Succeeded)
		a.at(20)
		add("e", invocation.Succeeded)
		a.at(31)
		a.keep(org.Retention{Commands: 30, Outputs: 10})
		a.run()
		// The audit is kept from the first event of what is not over on.
		a.want("told", a.removed(), timeline.Removal{Commands: 3, Outputs: 1, Events: 4})
		left, err := a.Invocations(a.Context(), store.InvocationFilter{Limit: 10})
		if err != nil || len(left) != 2 || left[0].ID != "e" || left[1].ID != "c" {
			a.Errorf("left: %+v (%v)", left, err)
		}
		a.do(func(tx *store.Tx) {
			for number, want := range map[int64]bool{0: false, 1: true, 2: true, 3: false, 4: true, 5: false, 6: false} {
				if gone, err := tx.InvocationGone(number); err != nil || gone != want {
					a.Errorf("InvocationGone(%d) = %v, %v, want %v", number, gone, err, want)
				}
			}
		})
		check := func(want int64) {
			a.Helper()
			if good, broken, err := a.CheckAudit(a.Context()); good != want || broken != 0 || err != nil {
				a.Errorf("CheckAudit() = %d, %d, %v, want %d good", good, broken, err, want)
			}
		}
		check(7)
		a.do(func(tx *store.Tx) { tx.AppendEvent(invocation.Event{Invocation: "f", Kind: invocation.EventReceived}) })
		check(8)
		a.at(100)
		a.run()
		if left, err = a.Invocations(a.Context(), store.InvocationFilter{Limit: 10}); err != nil || len(left) != 2 { // the last one gives the next its number
			a.Errorf("left at last: %+v (%v)", left, err)
		}
		add("g", invocation.Succeeded)
		if got, err := a.InvocationByNumber(a.Context(), 6); err != nil || got.ID != "g" {
			a.Errorf("the next command has another number than 6: %+v (%v)", got, err)
		}
	})
}

func TestNothingGoesWithoutASetting(t *testing.T) {
	each(t, func(a *attic) {
		a.say("ops", 0, "hello", nil)
		a.disturb("db01", 1, true)
		a.keep(org.Retention{})
		a.at(3650)
		a.run()
		if n := len(a.numbers(store.EntryFilter{AllRooms: true})); n != 2 {
			a.Errorf("%d entries are left, want 2 and nothing told", n)
		}
		cursors, err := a.Cursors(a.Context())
		if err != nil || !RanAt(cursors).Equal(*a.now.Load()) {
			a.Errorf("RanAt() = %v (%v)", RanAt(cursors), err)
		}
	})
}

// TestCutShort: a run that ends in the middle leaves nothing half removed that
// the next does not finish, and the entry tells of both.
func TestCutShort(t *testing.T) {
	each(t, func(a *attic) {
		for range 3 {
			a.disturb("storm", 400, true)
		}
		for range 3 {
			a.say("ops", 0, "hello", nil)
		}
		a.at(31)
		a.keep(org.Retention{Incidents: 30, Messages: 30})
		ctx, cancel := context.WithCancel(a.Context())
		commits := 0
		a.keeper.Observe = func(store.Removed) {
			if commits++; commits == 3 {
				cancel()
			}
		}
		if err := a.keeper.runOnce(ctx); !errors.Is(err, context.Canceled) {
			a.Fatalf("runOnce() = %v, want that it was ended", err)
		}
		if n := len(a.numbers(store.EntryFilter{Kinds: []timeline.Kind{timeline.RecordsRemoved}})); n != 0 {
			a.Error("a run that was cut short tells of itself")
		}
		a.keeper = New(a.Store, slog.New(slog.DiscardHandler)) // another process
		a.run()
		a.want("told", a.removed(), timeline.Removal{Incidents: 3, Alerts: 1200, Entries: 1200, Deliveries: 3, Messages: 3})
		if left := a.numbers(store.EntryFilter{AllRooms: true}); len(left) != 1 {
			a.Errorf("entries left: %v", left)
		}
		a.at(32)
		a.run()
		if n := len(a.numbers(store.EntryFilter{Kinds: []timeline.Kind{timeline.RecordsRemoved}})); n != 1 {
			a.Errorf("%d entries tell of what was removed, want 1: the second run found nothing", n)
		}
	})
}

// TestWhenItRuns: by itself every six hours, and when the setting is changed.
func TestWhenItRuns(t *testing.T) {
	each(t, func(a *attic) {
		a.keep(org.Retention{})
		a.say("ops", 0, "hello", nil)
		a.at(2)
		a.run()
		a.keep(org.Retention{Messages: 1})
		a.run()
		a.want("told", a.removed(), timeline.Removal{Messages: 1})
		a.say("ops", 0, "again", nil)
		a.say("ops", 0, "and again", nil)
		a.at(4)
		a.keep(org.Retention{Messages: 3})
		a.run()
		a.keep(org.Retention{Messages: 1})
		ctx, cancel := context.WithCancel(a.Context())
		a.keeper.Observe = func(store.Removed) { cancel() }
		if err := a.keeper.runOnce(ctx); !errors.Is(err, context.Canceled) {
			a.Fatalf("runOnce() = %v, want that it was ended", err)
		}
		a.run()
		a.want("told by the next look after a run that failed", a.removed(), timeline.Removal{Messages: 2})
		a.say("ops", 0, "once more", nil)
		late := a.now.Load().Add(24*time.Hour + time.Minute)
		a.now.Store(&late)
		a.run()
		if left := a.numbers(store.EntryFilter{Rooms: []id.Room{"ops"}}); len(left) != 0 {
			a.Errorf("left after a day: %v", left)
		}
	})
}
