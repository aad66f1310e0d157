// Package retention removes what is old, class by class, for as many days as the
// organisation wants each kept; without such a setting nothing goes.
//
// What may go is decided by functions of values (Limits): never an incident that
// is open or that somebody wrote about lately, never a message that is pinned or
// part of the record of an incident that stays, nor one of a thread with younger
// answers, never a command that is not over, a page that is still to arrive. The
// audit of commands loses its first events alone, and says so in an event of its
// own, with which what is left can still be followed.
//
// A Keeper removes in small transactions with pauses between them, so that the
// intake never waits for long; each decides again with what it finds. A run that
// was cut short is gone on with by the next: nothing is half removed but an
// incident, whose row goes last. At its end one entry tells how much went. The
// content of files is removed by package upload, which finds it shown by nothing.
//
// Numbers are never given out again. Whoever reads lives with gaps at the old end.
package retention

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Limits are the instants before which each class may go; zero: it stays.
type Limits struct {
	Messages, Incidents, Entries, Deliveries, Outputs, Commands time.Time
}

// LimitsAt are the limits of a setting at an instant.
func LimitsAt(r org.Retention, now time.Time) Limits {
	before := func(days int) time.Time {
		if days <= 0 {
			return time.Time{}
		}
		return now.AddDate(0, 0, -days)
	}
	return Limits{before(r.Messages), before(r.Incidents), before(r.Entries), before(r.Deliveries), before(r.Outputs), before(r.Commands)}
}

func past(limit time.Time, at ...time.Time) bool {
	return !limit.IsZero() && slices.MaxFunc(at, time.Time.Compare).Before(limit)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// talk are the kinds of what people say wherever it stands.
var talk = []timeline.Kind{
	timeline.MessagePosted, timeline.MessageEdited, timeline.MessageDeleted, timeline.MessagePinned, timeline.MessageUnpinned,
	timeline.ReactionAdded, timeline.ReactionRemoved,
}

// Entry reports whether an entry that belongs to no incident may go. A thread
// goes as a whole, when its last answer may.
func (l Limits) Entry(e store.OldEntry) bool {
	if e.Room == "" && !slices.Contains(talk, e.Kind) {
		return past(l.Entries, e.At)
	}
	return past(l.Messages, e.At, e.RepliedAt) && !e.Pinned && !e.Linked
}

// Incident reports whether an incident may go with all that belongs to it. It is
// as old as what was written about it last.
func (l Limits) Incident(i store.OldIncident) bool {
	return i.State == incident.Resolved && past(l.Incidents, i.ResolvedAt, i.LastAt) && !i.Pinned
}

// Alert reports whether an alert that opened nothing may go.
func (l Limits) Alert(a store.OldAlert) bool { return past(l.Entries, a.ReceivedAt) && !a.Muted }

// Delivery reports whether the record of a delivery may go.
func (l Limits) Delivery(d store.OldDelivery) bool {
	waits := d.State == store.Pending || d.State == store.Accepted
	return past(l.Deliveries, d.CreatedAt) && !waits && !d.Open
}

// Invocation reports whether the record of a command may go, or at least what it
// printed. The last one of all stays: the next number is counted from it.
func (l Limits) Invocation(inv invocation.Invocation, last int64) (record, output bool) {
	if !inv.State.Over() {
		return false, false
	}
	record = past(l.Commands, inv.AskedAt, inv.EndedAt) && inv.Number < last
	output = past(l.Outputs, inv.AskedAt, inv.EndedAt) && (inv.Output != "" || inv.Doc != nil)
	return record, output
}

// Events returns how many of the first events of the audit may go. One that tells
// of those before it does not go alone: in its place there would come another.
func (l Limits) Events(first []store.OldEvent) int {
	n := slices.IndexFunc(first, func(e store.OldEvent) bool { return !past(l.Commands, e.At) || e.Unfinished })
	if n < 0 {
		n = len(first)
	}
	if n == 1 && first[0].Kind == invocation.EventRemoved {
		return 0
	}
	return n
}
