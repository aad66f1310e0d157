package retention

import (
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func ago(days int) time.Time { return noon.AddDate(0, 0, -days) }

func TestEntries(t *testing.T) {
	message := func(days int) store.OldEntry { return store.OldEntry{Kind: timeline.MessagePosted, At: ago(days)} }
	with := func(e store.OldEntry, change func(*store.OldEntry)) store.OldEntry {
		change(&e)
		return e
	}
	both := LimitsAt(org.Retention{Messages: 30, Entries: 10}, noon)
	for _, c := range []struct {
		intent string
		limits Limits
		entry  store.OldEntry
		want   bool
	}{
		{"an old line goes", both, message(31), true},
		{"to the second", both, message(30), false},
		{"a young one stays", both, message(29), false},
		{"without a setting nothing goes", LimitsAt(org.Retention{}, noon), message(10_000), false},
		{"another class is none of its business", LimitsAt(org.Retention{Entries: 1, Commands: 1}, noon), message(31), false},
		{"a pinned one stays", both, with(message(31), func(e *store.OldEntry) { e.Pinned = true }), false},
		{"one of an incident's record stays", both, with(message(31), func(e *store.OldEntry) { e.Linked = true }), false},
		{"one that was answered lately stays", both, with(message(31), func(e *store.OldEntry) { e.RepliedAt = ago(2) }), false},
		{"and goes when the answer is old", both, with(message(51), func(e *store.OldEntry) { e.RepliedAt = ago(40) }), true},
		{"an edit is talk", both, store.OldEntry{Kind: timeline.MessageEdited, At: ago(20)}, false},
		{"whatever stands in a room is talk", both, store.OldEntry{Kind: timeline.CommandFinished, Room: "ops", At: ago(20)}, false},
		{"and goes with it", both, store.OldEntry{Kind: timeline.CommandFinished, Room: "ops", At: ago(31)}, true},
		{"another line of the timeline goes by its own days", both, store.OldEntry{Kind: timeline.ShiftChanged, At: ago(11)}, true},
		{"and stays till then", both, store.OldEntry{Kind: timeline.ShiftChanged, At: ago(9)}, false},
	} {
		if got := c.limits.Entry(c.entry); got != c.want {
			t.Errorf("%s: Entry() = %v", c.intent, got)
		}
	}
}

func TestIncidents(t *testing.T) {
	l := LimitsAt(org.Retention{Incidents: 90}, noon)
	old := store.OldIncident{State: incident.Resolved, TriggeredAt: ago(101), ResolvedAt: ago(100), LastAt: ago(100)}
	for intent, c := range map[string]struct {
		change func(*store.OldIncident)
		want   bool
	}{
		"one that is long over goes":               {func(*store.OldIncident) {}, true},
		"an open one stays, however old":           {func(i *store.OldIncident) { i.State = incident.Acknowledged }, false},
		"one that was closed lately stays":         {func(i *store.OldIncident) { i.ResolvedAt = ago(89) }, false},
		"one that is still written about stays":    {func(i *store.OldIncident) { i.LastAt = ago(3) }, false},
		"one with a pinned message in it stays":    {func(i *store.OldIncident) { i.Pinned = true }, false},
		"nothing written about it makes it no age": {func(i *store.OldIncident) { i.LastAt = time.Time{} }, true},
	} {
		i := old
		c.change(&i)
		if got := l.Incident(i); got != c.want {
			t.Errorf("%s: Incident() = %v", intent, got)
		}
	}
	if (Limits{}).Incident(old) {
		t.Error("without a setting an incident goes")
	}
}

func TestDeliveries(t *testing.T) {
	l := LimitsAt(org.Retention{Deliveries: 7}, noon)
	for _, state := range []store.DeliveryState{
		store.Pending, store.Sent, store.Accepted, store.Late, store.Delivered, store.Seen, store.Answered, store.Failed, store.Cancelled,
	} {
		want := state != store.Pending && state != store.Accepted
		if got := l.Delivery(store.OldDelivery{CreatedAt: ago(8), State: state}); got != want {
			t.Errorf("an old one that is %s: Delivery() = %v", state, got)
		}
	}
	if l.Delivery(store.OldDelivery{CreatedAt: ago(8), State: store.Sent, Open: true}) {
		t.Error("that of an open incident goes")
	}
	if l.Delivery(store.OldDelivery{CreatedAt: ago(6), State: store.Sent}) {
		t.Error("a young one goes")
	}
	alerts := LimitsAt(org.Retention{Entries: 7}, noon)
	if !alerts.Alert(store.OldAlert{ReceivedAt: ago(8)}) || alerts.Alert(store.OldAlert{ReceivedAt: ago(6)}) || alerts.Alert(store.OldAlert{ReceivedAt: ago(8), Muted: true}) {
		t.Error("of alerts that opened nothing, those go that are old and of which nothing is to be decided")
	}
}

func TestCommands(t *testing.T) {
	l := LimitsAt(org.Retention{Outputs: 10, Commands: 100}, noon)
	for _, c := range []struct {
		intent         string
		inv            invocation.Invocation
		record, output bool
	}{
		{"a young one stays", invocation.Invocation{Number: 1, State: invocation.Succeeded, AskedAt: ago(5), Output: "x"}, false, false},
		{"first goes what it printed", invocation.Invocation{Number: 1, State: invocation.Failed, AskedAt: ago(11), Output: "x"}, false, true},
		{"once", invocation.Invocation{Number: 1, State: invocation.Failed, AskedAt: ago(11)}, false, false},
		{"tables, too", invocation.Invocation{Number: 1, State: invocation.Succeeded, AskedAt: ago(11), Doc: &timeline.Document{}}, false, true},
		{"then its record", invocation.Invocation{Number: 1, State: invocation.Succeeded, AskedAt: ago(101)}, true, false},
		{"counted from its end", invocation.Invocation{Number: 1, State: invocation.Succeeded, AskedAt: ago(101), EndedAt: ago(99)}, false, false},
		{"what is not over stays", invocation.Invocation{Number: 1, State: invocation.Queued, AskedAt: ago(400), Output: "x"}, false, false},
		{"and so does the last", invocation.Invocation{Number: 9, State: invocation.Succeeded, AskedAt: ago(400)}, false, false},
	} {
		if record, output := l.Invocation(c.inv, 9); record != c.record || (output && !record) != c.output {
			t.Errorf("%s: Invocation() = %v, %v", c.intent, record, output)
		}
	}
	for _, c := range []struct {
		intent string
		first  []store.OldEvent
		want   int
	}{
		{"none", nil, 0},
		{"all that are old", []store.OldEvent{{At: ago(102)}, {At: ago(101)}}, 2},
		{"up to the first that is not", []store.OldEvent{{At: ago(102)}, {At: ago(99)}, {At: ago(98)}}, 1},
		{"what tells of those before it", []store.OldEvent{{At: ago(102), Kind: invocation.EventRemoved}, {At: ago(102)}}, 2},
		{"but not alone", []store.OldEvent{{At: ago(102), Kind: invocation.EventRemoved}, {At: ago(1)}}, 0},
		{"up to the first of a command that is not over", []store.OldEvent{{At: ago(102)}, {At: ago(102), Unfinished: true}, {At: ago(101)}}, 1},
	} {
		if got := l.Events(c.first); got != c.want {
			t.Errorf("%s: Events() = %d", c.intent, got)
		}
	}
}
