package oncall

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/id"
)

func drawLayer(t *rapid.T, name string) Layer {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 13000).Draw(t, "start"))
	minute := rapid.IntRange(0, 24*60-1).Draw(t, "minute")
	l := Layer{
		Name:      name,
		Members:   rapid.SliceOfN(rapid.SampledFrom([]id.User{"ann", "ben", "cem", "dee"}), 0, 6).Draw(t, "members"),
		Every:     rapid.IntRange(1, 9).Draw(t, "every"),
		Unit:      rapid.SampledFrom([]Unit{Hours, Days, Weeks, Months}).Draw(t, "unit"),
		HandoffAt: time.Time{}.Add(time.Duration(minute) * time.Minute).Format("15:04"),
		Start:     start.Format(time.DateOnly),
	}
	if rapid.Bool().Draw(t, "ends") {
		l.End = start.AddDate(0, 0, rapid.IntRange(1, 4000).Draw(t, "length")).Format(time.DateOnly)
	}
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2, 3}).Draw(t, "restrictions") {
		l.Restrictions = append(l.Restrictions, drawRestriction(t))
	}
	if l.Unit == Days && len(l.Restrictions) == 1 && rapid.Bool().Draw(t, "counts shifts") {
		l.Count = CountShifts
	}
	return l
}

func drawRestriction(t *rapid.T) Restriction {
	clockTime := rapid.SampledFrom([]string{"00:00", "01:00", "01:30", "02:00", "02:30", "03:00", "09:00", "17:00", "22:00", "23:30"})
	r := Restriction{From: clockTime.Draw(t, "from"), To: clockTime.Draw(t, "to")}
	if rapid.Bool().Draw(t, "over days") {
		r.Days = []Weekday{rapid.SampledFrom(Weekdays()).Draw(t, "day")}
		r.Until = rapid.SampledFrom(Weekdays()).Draw(t, "until")
	} else {
		r.Days = rapid.SliceOfDistinct(rapid.SampledFrom(Weekdays()), func(d Weekday) Weekday { return d }).Draw(t, "days")
	}
	return r
}

func drawRotation(t *rapid.T) Rotation {
	r := Rotation{Name: "drawn", Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
	for _, name := range []string{"one", "two", "three"}[:rapid.IntRange(1, 3).Draw(t, "layers")] {
		r.Layers = append(r.Layers, drawLayer(t, name))
	}
	return r
}

func drawInstant(t *rapid.T) time.Time {
	from := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	to := time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	return time.Unix(rapid.Int64Range(from, to).Draw(t, "at"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
}

func compiled(t *rapid.T, r Rotation) *Schedule {
	s, err := r.Compile()
	if err != nil {
		t.Fatalf("a rotation as drawn is not valid: %v", err)
	}
	return s
}

// In each layer shifts follow one another without overlap, and without restrictions
// without gap, from the start to the end; each lasts some time; and where two
// touch, duty is handed over to another person.
func TestShiftsTouch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRotation(t)
		from := drawInstant(t)
		before := map[int]Shift{}
		for _, s := range compiled(t, r).Between(from, from.AddDate(0, 0, 120)) {
			if !s.End.IsZero() && !s.Start.Before(s.End) {
				t.Fatalf("%v lasts no time", s)
			}
			if b, ok := before[s.Layer]; ok {
				touch := b.End.Equal(s.Start)
				if !touch && (len(r.Layers[s.Layer].Restrictions) == 0 || b.End.After(s.Start)) || touch && b.User == s.User {
					t.Fatalf("%v is followed by %v", b, s)
				}
			}
			before[s.Layer] = s
		}
	})
}

// Whoever is on duty at an instant is whoever Between says, and nobody else; at
// the edges of the shift it is still, or not yet, they.
func TestOnCallIsInBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRotation(t)
		s := compiled(t, r)
		at := drawInstant(t)
		on := s.OnCall(at)
		var contained []Shift
		for _, shift := range s.Between(at.AddDate(0, -3, 0), at.AddDate(0, 3, 0)) {
			if shift.Contains(at) {
				contained = append(contained, shift)
			}
		}
		slices.SortFunc(contained, func(a, b Shift) int { return a.Layer - b.Layer })
		if diff := cmp.Diff(contained, on); diff != "" {
			t.Fatalf("at %s (-Between +OnCall):\n%s", at, diff)
		}
		for i, shift := range on {
			if i > 0 && on[i-1].Layer >= shift.Layer {
				t.Fatalf("layers out of order or with two owners: %v", on)
			}
			if !slices.Contains(s.OnCall(shift.Start), shift) {
				t.Fatalf("%v is not on duty at its start: %v", shift, s.OnCall(shift.Start))
			}
			if slices.Contains(s.OnCall(shift.Start.Add(-1)), shift) {
				t.Fatalf("%v is on duty before its start", shift)
			}
			if shift.End.IsZero() {
				continue
			}
			if !slices.Contains(s.OnCall(shift.End.Add(-1)), shift) {
				t.Fatalf("%v is not on duty before its end", shift)
			}
			if slices.Contains(s.OnCall(shift.End), shift) {
				t.Fatalf("%v is on duty at its end", shift)
			}
		}
	})
}

// The layer is covered exactly from its start to its end, in its windows.
func TestCoverage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRotation(t)
		s := compiled(t, r)
		at := drawInstant(t)
		loc, err := time.LoadLocation(r.Zone)
		if err != nil {
			t.Fatal(err)
		}
		var want, got []int
		for i, l := range r.Layers {
			if len(l.Members) > 0 && runs24(t, loc, l, at) && inWindow(t, loc, l.Restrictions, at) {
				want = append(want, i)
			}
		}
		for _, shift := range s.OnCall(at) {
			got = append(got, shift.Layer)
		}
		if !slices.Equal(want, got) {
			t.Fatalf("at %s the layers %v are on duty, want %v", at, got, want)
		}
	})
}

// runs24 says whether the layer has begun and not ended.
func runs24(t *rapid.T, loc *time.Location, l Layer, at time.Time) bool {
	return !at.Before(reached(t, loc, l.Start, l.HandoffAt)) && (l.End == "" || at.Before(reached(t, loc, l.End, l.HandoffAt)))
}

// inWindow says by the definition whether the instant is in a window: it tries
// those of all days near.
func inWindow(t *rapid.T, loc *time.Location, restrictions []Restriction, at time.Time) bool {
	if len(restrictions) == 0 {
		return true
	}
	for _, w := range windowsNear(t, loc, restrictions, at, 9) {
		if !at.Before(w[0]) && at.Before(w[1]) {
			return true
		}
	}
	return false
}

// windowsNear writes down the windows that begin on the days around an instant,
// day by day, also those that last no time.
func windowsNear(t *rapid.T, loc *time.Location, restrictions []Restriction, at time.Time, days int) [][2]time.Time {
	var found [][2]time.Time
	local := time.Unix(int64(clock(loc, at.Unix())), 0).UTC()
	for d := -days; d <= days; d++ {
		date := local.AddDate(0, 0, d)
		weekday := Weekday(strings.ToLower(date.Weekday().String()))
		for _, r := range restrictions {
			if len(r.Days) > 0 && !slices.Contains(r.Days, weekday) {
				continue
			}
			last := date
			switch {
			case r.Until == "" && r.To <= r.From:
				last = last.AddDate(0, 0, 1)
			case r.Until != "":
				for strings.ToLower(last.Weekday().String()) != string(r.Until) || last.Equal(date) && r.To <= r.From {
					last = last.AddDate(0, 0, 1)
				}
			}
			found = append(found, [2]time.Time{
				reached(t, loc, date.Format(time.DateOnly), r.From), reached(t, loc, last.Format(time.DateOnly), r.To),
			})
		}
	}
	return found
}

// Restrictions do not change whose turn it is, when it is counted on the calendar;
// when shifts are counted, walking from window to window finds whose it is.
func TestRestrictionsKeepTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rotation{Name: "drawn", Zone: rapid.SampledFrom(zones).Draw(t, "zone"), Layers: []Layer{drawLayer(t, "one")}}
		l := r.Layers[0]
		if len(l.Restrictions) == 0 || len(l.Members) == 0 {
			return
		}
		loc, err := time.LoadLocation(r.Zone)
		if err != nil {
			t.Fatal(err)
		}
		s := compiled(t, r)
		begin := reached(t, loc, l.Start, l.HandoffAt)
		if l.Count == CountShifts {
			n := 0
			for _, w := range windowsNear(t, loc, l.Restrictions, begin, 40) {
				if !w[1].After(begin) {
					continue
				}
				for _, on := range s.OnCall(later(w[0], begin)) {
					if want := l.Members[n/l.Every%len(l.Members)]; w[0].Before(w[1]) && on.User != want {
						t.Fatalf("window %d, %s, has %s, want %s", n, w, on.User, want)
					}
				}
				n++
			}
			return
		}
		free := r
		free.Layers = []Layer{l}
		free.Layers[0].Restrictions = nil
		whole := compiled(t, free)
		at := begin.AddDate(0, 0, rapid.IntRange(-10, 4000).Draw(t, "days")).Add(time.Duration(rapid.IntRange(0, 1440).Draw(t, "minutes")) * time.Minute)
		for _, on := range s.OnCall(at) {
			if all := whole.OnCall(at); all[0].User != on.User || on.Start.Before(all[0].Start) {
				t.Fatalf("on duty at %s is %v, without restrictions %v", at, on, all)
			}
		}
	})
}

// reached finds the first minute at which the clocks show the time or a later
// one, by looking at them minute after minute.
func reached(t *rapid.T, loc *time.Location, date, clockTime string) time.Time {
	local, err := time.Parse("2006-01-02 15:04", date+" "+clockTime)
	if err != nil {
		t.Fatal(err)
	}
	// An hour is skipped at a time as long as the clocks are behind at its end.
	step := int64(60 * 60)
	for at := local.Unix() - maxOffset; ; at += step {
		if step == 60 && clock(loc, at) >= wall(local.Unix()) {
			return time.Unix(at, 0)
		}
		if step > 60 && clock(loc, at+step-60) >= wall(local.Unix()) {
			at, step = at-60, 60
		}
	}
}

// Hand-overs come in the order of time, all after the instant, without leaving
// one out: asking again from the last gives the following ones.
func TestNextGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := compiled(t, drawRotation(t))
		at := drawInstant(t)
		n := rapid.IntRange(1, 12).Draw(t, "n")
		next := s.Next(at, n)
		if len(next) > n {
			t.Fatalf("%d hand-overs, %d were asked for", len(next), n)
		}
		last := map[int]time.Time{}
		for i, shift := range next {
			if !shift.Start.After(at) || i > 0 && shift.Start.Before(next[i-1].Start) {
				t.Fatalf("hand-over %d is out of order: %v", i, next)
			}
			if before, ok := last[shift.Layer]; ok && !shift.Start.After(before) {
				t.Fatalf("hand-overs of layer %d do not increase: %v", shift.Layer, next)
			}
			last[shift.Layer] = shift.Start
		}
		if len(next) == 0 {
			return
		}
		until := next[len(next)-1].Start
		all := slices.DeleteFunc(s.Between(at, until), func(shift Shift) bool { return !shift.Start.After(at) })
		earlier := slices.DeleteFunc(slices.Clone(next), func(shift Shift) bool { return shift.Start.Equal(until) })
		if diff := cmp.Diff(append([]Shift{}, all...), append([]Shift{}, earlier...)); diff != "" {
			t.Fatalf("hand-overs until %s (-Between +Next):\n%s", until, diff)
		}
	})
}

// Members take turns in the order written: the naive walk from the start, turn
// by turn, agrees with the arithmetic.
func TestTurnsInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Rotation{Name: "drawn", Zone: rapid.SampledFrom(zones).Draw(t, "zone"), Layers: []Layer{drawLayer(t, "one")}}
		members := r.Layers[0].Members
		if len(members) == 0 {
			return
		}
		l := &compiled(t, r).layers[0]
		for turn := range int64(300) {
			begin, end := l.boundary(turn), l.boundary(turn+1)
			if end < begin {
				t.Fatalf("turn %d ends %s before it begins %s", turn, utc(end), utc(begin))
			}
			if begin == end || begin >= l.end {
				continue
			}
			for _, at := range []int64{begin, end - 1} {
				if at >= l.end {
					continue
				}
				if got := l.turn(at); got != turn {
					t.Fatalf("%s is in turn %d, want %d", utc(at), got, turn)
				}
				if got, want := l.member(turn), members[turn%int64(len(members))]; got != want {
					t.Fatalf("turn %d has %s, want %s", turn, got, want)
				}
			}
		}
	})
}

// Whoever is made current is on duty, and the hand-overs stay where they are.
func TestWithCurrentKeepsCadence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRotation(t)
		at := drawInstant(t)
		on := r.OnCall(at)
		if len(on) == 0 {
			return
		}
		shift := rapid.SampledFrom(on).Draw(t, "shift")
		user := rapid.SampledFrom(r.Layers[shift.Layer].Members).Draw(t, "user")
		changed, err := r.WithCurrent(user, at)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(changed.OnCall(at), func(s Shift) bool { return s.User == user }) {
			t.Fatalf("%s is not on duty: %v", user, changed.OnCall(at))
		}
		before, after := compiled(t, r), compiled(t, changed)
		for i := range r.Layers {
			for turn := range int64(20) {
				if before.layers[i].boundary(turn) != after.layers[i].boundary(turn) {
					t.Fatalf("the hand-over of turn %d has moved", turn)
				}
			}
			if !isTurned(r.Layers[i].Members, changed.Layers[i].Members) {
				t.Fatalf("members %v became %v", r.Layers[i].Members, changed.Layers[i].Members)
			}
		}
	})
}

func isTurned(a, b []id.User) bool {
	if slices.Equal(a, b) {
		return true
	}
	for i := range a {
		if slices.Equal(slices.Concat(a[i:], a[:i]), b) {
			return true
		}
	}
	return false
}

// Around every change of the clocks from 2000 to 2037 a daily hand-off has the
// local hour that was asked for, or that hour is skipped and the hand-off is at
// the jump.
func TestLocalHourIsKept(t *testing.T) {
	for _, name := range zones {
		loc := zone(t, name)
		for _, handoff := range []string{"00:00", "00:30", "01:00", "01:59", "02:15", "03:00", "09:00", "17:45", "23:59"} {
			s := schedule(t, rota(name, 1, Days, handoff, "1999-12-01", "ann", "ben"))
			for _, change := range changes(loc, 2000, 2037) {
				around := time.Unix(change, 0).UTC()
				for _, shift := range s.Between(around.AddDate(0, 0, -2), around.AddDate(0, 0, 3)) {
					if got := shift.Start.In(loc).Format("15:04"); got == handoff || shift.Start.Unix() == change {
						continue
					}
					t.Fatalf("%s: the hand-off at %s is at %s", name, handoff, shift.Start.In(loc))
				}
			}
		}
	}
}
