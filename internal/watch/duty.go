package watch

import (
	"cmp"
	"context"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const (
	dutyCursor = "watch"
	dutyPrefix = "watch/duty/"
)

// duty writes what changed about who is on call, with the reminders that are due.
func (w *Watch) duty(ctx context.Context, m *memory, o *org.Org, now time.Time) error {
	if len(o.Rotations) == 0 {
		return nil
	}
	if o.Rev == m.dutyRev && now.Before(m.next) && now.Sub(m.saved) < saveEvery {
		return nil
	}
	var cursors map[string]id.Seq
	err := w.store.Do(ctx, func(tx *store.Tx) error {
		if err := m.begin(tx, dutyCursor); err != nil {
			return err
		}
		o, now = tx.Org, tx.Now
		from := now
		if seq := m.cursors[dutyCursor]; seq > 0 {
			from = instant(seq)
		}
		if longAgo := now.Add(-farBack); from.Before(longAgo) {
			from = longAgo
		}
		cursors = map[string]id.Seq{dutyCursor: micros(now)}
		if o.Rev == m.dutyRev && now.Before(m.next) { // nothing is due: only how far we have come is written
			set(tx, cursors)
			return nil
		}
		var all []handOver
		for _, r := range org.Sorted(o.Rotations, func(r oncall.Rotation) string { return string(r.ID) }) {
			x := newRota(o, r, m.cursors)
			all = append(all, x.handOvers(from, now)...)
			for name, seq := range x.marks {
				if m.cursors[name] != seq {
					cursors[name] = seq
				}
			}
			if err := w.remind(tx, x, from); err != nil {
				return err
			}
		}
		slices.SortStableFunc(all, func(a, b handOver) int { return a.at.Compare(b.at) })
		for _, h := range all {
			tx.Append(timeline.Entry{
				Kind: timeline.ShiftChanged, Actor: timeline.Self, Team: o.Rotations[h.told.Rotation].Team, Person: cmp.Or(h.told.To, h.told.From), Payload: h.told,
			})
		}
		set(tx, cursors)
		return nil
	})
	if err != nil {
		return err
	}
	m.keep(cursors)
	m.saved = now
	if o.Rev != m.dutyRev || !now.Before(m.next) {
		m.dutyRev, m.next = o.Rev, nextDue(o, now)
	}
	return nil
}

// nextDue is the next instant at which somebody else is on call, or somebody is
// to be reminded; an hour ahead at most.
func nextDue(o *org.Org, now time.Time) time.Time {
	next := now.Add(time.Hour)
	for r := range o.Rotations {
		plan := o.Schedule(r)
		for _, lead := range []time.Duration{0, remindAhead} {
			at := now.Add(lead)
			for _, s := range plan.OnCall(at) {
				if due := s.End.Add(-lead); !s.End.IsZero() && due.Before(next) {
					next = due
				}
			}
			for _, s := range plan.Next(at, 1) {
				if due := s.Start.Add(-lead); due.Before(next) {
					next = due
				}
			}
		}
	}
	return next
}

// handOver is a change of duty that is to be told.
type handOver struct {
	at   time.Time
	told timeline.Shift
}

// rota is a rotation with who was last told to be on duty in it.
type rota struct {
	o     *org.Org
	r     oncall.Rotation
	plan  oncall.Plan
	told  map[string]id.Seq // as stored
	marks map[string]id.Seq // as they are to be
	users map[id.Seq]id.User

	before, after []id.User // on duty as was told, and now
	fresh         bool      // it is seen for the first time: nothing is told
}

func newRota(o *org.Org, r oncall.Rotation, told map[string]id.Seq) *rota {
	return &rota{o: o, r: r, plan: o.Schedule(r.ID), told: told, marks: map[string]id.Seq{}}
}

// key names the cursor of a layer, which keeps its name when others come and go.
func (x *rota) key(layer int) string {
	if layer == oncall.NoLayer {
		return dutyPrefix + string(x.r.ID) + "/gap"
	}
	return dutyPrefix + string(x.r.ID) + "/layer/" + x.r.Layers[layer].Name
}

// nobody is the mark of a layer in which nobody is on duty; 0 is not known yet.
const nobody id.Seq = 1

// mark stands for a person in a row that holds a number.
func mark(u id.User) id.Seq {
	if u == "" {
		return nobody
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(u)) // never fails
	return max(id.Seq(h.Sum64()&math.MaxInt64), nobody+1)
}

// user is whom a mark stands for; "" when the person is gone.
func (x *rota) user(m id.Seq) id.User {
	if x.users == nil {
		x.users = make(map[id.Seq]id.User, len(x.o.Users))
		for u := range x.o.Users {
			x.users[mark(u)] = u
		}
	}
	return x.users[m]
}

// handOvers walks from what was told through the hand-overs since then to who is
// on duty now. So an edit is told as well as a shift that ends, and what was told
// already is not told again, however often it is looked at.
func (x *rota) handOvers(from, now time.Time) []handOver {
	events := oncall.HandOvers(x.plan, from, now.Add(1))
	var all []handOver
	x.fresh = true
	for layer := oncall.NoLayer; layer < len(x.r.Layers); layer++ {
		key := x.key(layer)
		current, known := inLayer(x.plan, now, layer)
		at := x.told[key]
		if at != 0 { // of a new layer the definition tells who is on duty
			x.fresh = false
			if was := x.user(at); was != "" {
				x.before = append(x.before, was)
			}
			for _, e := range events {
				if e.Layer == layer && mark(e.To) != at {
					shift, _ := inLayer(x.plan, e.At, layer)
					all = append(all, x.handOver(e.At, layer, at, shift))
					at = mark(e.To)
				}
			}
			if mark(current.User) != at {
				all = append(all, x.handOver(now, layer, at, current))
			}
		}
		x.marks[key] = mark(current.User)
		if known {
			x.after = append(x.after, current.User)
		}
	}
	slices.SortStableFunc(all, func(a, b handOver) int { return a.at.Compare(b.at) })
	return joined(all)
}

func inLayer(p oncall.Plan, at time.Time, layer int) (oncall.Shift, bool) {
	on := p.OnCall(at)
	if i := slices.IndexFunc(on, func(s oncall.Shift) bool { return s.Layer == layer }); i >= 0 {
		return on[i], true
	}
	return oncall.Shift{Layer: layer}, false
}

func (x *rota) handOver(at time.Time, layer int, from id.Seq, to oncall.Shift) handOver {
	h := handOver{at, timeline.Shift{
		Rotation: x.r.ID, RotationName: x.r.Name, Layer: layer, LayerName: to.LayerName,
		From: x.user(from), To: to.User, Override: to.Override != "", Until: to.End,
	}}
	if layer != oncall.NoLayer {
		h.told.LayerName = x.r.Layers[layer].Name
	}
	if h.told.From != "" {
		h.told.FromName = x.o.UserName(h.told.From)
	}
	if h.told.To != "" {
		h.told.ToName = x.o.UserName(h.told.To)
	}
	return h
}

// joined makes one of two where a layer ends at the instant at which another
// begins, as days and nights do: somebody follows somebody.
func joined(all []handOver) []handOver {
	for i := 0; i < len(all); i++ {
		for j := i + 1; j < len(all) && all[j].at.Equal(all[i].at); j++ {
			ends, begins := all[i], all[j]
			if ends.told.To != "" {
				ends, begins = begins, ends
			}
			if ends.told.To != "" || begins.told.From != "" || ends.told.From == "" || begins.told.To == "" {
				continue
			}
			begins.told.From, begins.told.FromName = ends.told.From, ends.told.FromName
			all[i] = begins
			all = slices.Delete(all, j, j+1)
			if begins.told.From == begins.told.To { // goes on in another layer
				all = slices.Delete(all, i, i+1)
				i--
			}
			break
		}
	}
	return all
}
