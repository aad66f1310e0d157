package oncall

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/id"
)

// over is an override for all layers; times are "01-05 09:00" in 2026, UTC.
func over(t testing.TB, o string, user, of id.User, start, end string) Override {
	t.Helper()
	made := Override{ID: id.Override(o), User: user, For: of, Start: year26(t, start), Kind: Planned}
	if end != "" {
		made.End = year26(t, end)
	}
	return made
}

func year26(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", "2026-"+s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// finals writes shifts as "layer user start to end [override for instead]".
func finals(shifts []Shift) []string {
	var text []string
	for i, l := range lines(time.UTC, shifts) {
		s := shifts[i]
		l = fmt.Sprintf("%d %s", s.Layer, strings.Replace(l, "2026-", "", 1))
		if s.Override != "" {
			l += fmt.Sprintf(" %s for %s", s.Override, s.Instead)
		}
		text = append(text, l)
	}
	return text
}

// two has a layer around the clock and one at night.
func two() Rotation {
	return Rotation{Name: "Two", Zone: "UTC", Layers: []Layer{
		{Name: "first", Members: []id.User{"ann", "ben"}, Every: 1, Unit: Days, HandoffAt: "09:00", Start: "2026-01-05"},
		{Name: "night", Members: []id.User{"cem", "dee"}, Every: 1, Unit: Weeks, HandoffAt: "12:00", Start: "2026-01-05", Restrictions: []Restriction{{From: "22:00", To: "06:00"}}},
	}}
}

func nights() Rotation {
	r := two()
	r.Layers = r.Layers[1:]
	return r
}

func TestFinal(t *testing.T) {
	first, night := 0, 1
	inLayer := func(o Override, layer *int) Override { o.Layer = layer; return o }
	tests := []struct {
		why      string
		rota     Rotation
		over     []Override
		from, to string
		want     []string
	}{
		{
			"none", two(), nil, "01-06 12:00", "01-06 23:00",
			[]string{"0 ben 01-06 09:00 to 01-07 09:00", "1 cem 01-06 22:00 to 01-07 06:00"},
		},
		{
			"everybody's duty, across a hand-over",
			two(), []Override{over(t, "o", "eve", "", "01-06 23:00", "01-07 10:00")}, "01-06 23:00", "01-07 11:00",
			[]string{"0 eve 01-06 23:00 to 01-07 09:00 o for ben", "1 eve 01-06 23:00 to 01-07 06:00 o for cem", "0 eve 01-07 09:00 to 01-07 10:00 o for ann", "0 ann 01-07 10:00 to 01-08 09:00"},
		},
		{
			"one person's duty",
			two(), []Override{over(t, "o", "eve", "ann", "01-06 23:00", "01-07 10:00")}, "01-06 23:00", "01-07 11:00",
			[]string{"0 ben 01-06 09:00 to 01-07 09:00", "1 cem 01-06 22:00 to 01-07 06:00", "0 eve 01-07 09:00 to 01-07 10:00 o for ann", "0 ann 01-07 10:00 to 01-08 09:00"},
		},
		{
			"one layer, which has a gap",
			two(), []Override{inLayer(over(t, "o", "eve", "", "01-06 21:00", "01-06 23:00"), &night)}, "01-06 20:00", "01-06 23:30",
			[]string{"0 ben 01-06 09:00 to 01-07 09:00", "1 eve 01-06 21:00 to 01-06 22:00 o for ", "1 eve 01-06 22:00 to 01-06 23:00 o for cem", "1 cem 01-06 23:00 to 01-07 06:00"},
		},
		{
			"one layer of a person who has another, too",
			two(), []Override{inLayer(over(t, "o", "eve", "ben", "01-06 22:00", "01-06 23:00"), &night), inLayer(over(t, "p", "ben", "", "01-06 22:30", "01-07 00:00"), &first)}, "01-06 22:00", "01-07 01:00",
			[]string{"0 ben 01-06 09:00 to 01-07 09:00", "1 cem 01-06 22:00 to 01-07 06:00"},
		},
		{
			"the later of two counts, the earlier goes on after",
			nights(), []Override{over(t, "o", "eve", "", "01-06 22:00", "01-07 06:00"), over(t, "p", "fay", "", "01-07 00:00", "01-07 01:00")}, "01-06 22:00", "01-07 06:00",
			[]string{"0 eve 01-06 22:00 to 01-07 00:00 o for cem", "0 fay 01-07 00:00 to 01-07 01:00 p for cem", "0 eve 01-07 01:00 to 01-07 06:00 o for cem"},
		},
		{
			"the later for the rota's person",
			nights(), []Override{over(t, "o", "eve", "cem", "01-06 22:00", "01-07 06:00"), over(t, "p", "fay", "cem", "01-07 05:00", "01-07 07:00")}, "01-06 22:00", "01-07 06:00",
			[]string{"0 eve 01-06 22:00 to 01-07 05:00 o for cem", "0 fay 01-07 05:00 to 01-07 06:00 p for cem"},
		},
		{
			"the later for the one who stands in",
			nights(), []Override{over(t, "o", "eve", "cem", "01-06 22:00", "01-07 06:00"), over(t, "p", "fay", "eve", "01-07 05:00", "01-07 07:00")}, "01-06 22:00", "01-07 06:00",
			[]string{"0 eve 01-06 22:00 to 01-07 05:00 o for cem", "0 fay 01-07 05:00 to 01-07 06:00 p for cem"},
		},
		{
			"the earlier does not act on the later",
			nights(), []Override{over(t, "p", "fay", "eve", "01-07 05:00", "01-07 07:00"), over(t, "o", "eve", "cem", "01-06 22:00", "01-07 06:00")}, "01-06 22:00", "01-07 06:00",
			[]string{"0 eve 01-06 22:00 to 01-07 06:00 o for cem"},
		},
		{
			"given back, the duty is the rota's own",
			nights(), []Override{over(t, "o", "eve", "cem", "01-06 22:00", "01-07 06:00"), over(t, "p", "cem", "eve", "01-07 05:00", "01-07 07:00")}, "01-06 22:00", "01-07 06:00",
			[]string{"0 eve 01-06 22:00 to 01-07 05:00 o for cem", "0 cem 01-07 05:00 to 01-07 06:00"},
		},
		{
			"what one has anyway is the rota's own, and in one piece",
			nights(), []Override{over(t, "o", "cem", "", "01-06 23:00", "01-07 03:00")}, "01-06 22:00", "01-07 06:00",
			[]string{"0 cem 01-06 22:00 to 01-07 06:00"},
		},
		{
			"gaps are filled in no layer",
			nights(), []Override{over(t, "o", "eve", "", "01-06 21:00", "01-07 07:00")}, "01-06 20:00", "01-07 20:00",
			[]string{"-1 eve 01-06 21:00 to 01-06 22:00 o for ", "0 eve 01-06 22:00 to 01-07 06:00 o for cem", "-1 eve 01-07 06:00 to 01-07 07:00 o for "},
		},
		{
			"filled without end",
			nights(), []Override{over(t, "o", "eve", "", "01-06 21:00", "")}, "01-07 06:00", "01-08 07:00",
			[]string{"-1 eve 01-07 06:00 to 01-07 22:00 o for ", "0 eve 01-07 22:00 to 01-08 06:00 o for cem", "-1 eve 01-08 06:00 to 01-08 22:00 o for "},
		},
		{
			"before the rota begins",
			nights(), []Override{over(t, "o", "eve", "", "01-01 00:00", "01-06 00:00"), over(t, "p", "fay", "eve", "01-03 00:00", "01-04 00:00")}, "01-02 00:00", "01-05 13:00",
			[]string{"-1 eve 01-01 00:00 to 01-03 00:00 o for ", "-1 fay 01-03 00:00 to 01-04 00:00 p for ", "-1 eve 01-04 00:00 to 01-05 22:00 o for "},
		},
		{
			"a layer filled is no gap",
			nights(), []Override{inLayer(over(t, "o", "eve", "", "01-06 12:00", "01-06 13:00"), &first), over(t, "p", "fay", "", "01-06 11:00", "01-06 14:00")}, "01-06 11:00", "01-06 14:00",
			[]string{"-1 fay 01-06 11:00 to 01-06 12:00 p for ", "0 fay 01-06 12:00 to 01-06 13:00 p for ", "-1 fay 01-06 13:00 to 01-06 14:00 p for "},
		},
		{
			"not these: another rotation's, nobody's, a layer's that is not there, of no length",
			nights(), []Override{
				{ID: "a", Rotation: "other", User: "eve", Start: year26(t, "01-01 00:00")},
				{ID: "b", Start: year26(t, "01-01 00:00")},
				inLayer(over(t, "c", "eve", "", "01-01 00:00", ""), &night),
				over(t, "d", "eve", "", "01-06 23:00", "01-06 23:00"),
			}, "01-06 20:00", "01-06 23:30",
			[]string{"0 cem 01-06 22:00 to 01-07 06:00"},
		},
		{
			"a person's absence does not fill gaps",
			nights(), []Override{over(t, "o", "eve", "cem", "01-06 00:00", "01-07 00:00")}, "01-06 10:00", "01-07 00:00",
			[]string{"0 eve 01-06 22:00 to 01-07 00:00 o for cem"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			f := Final(schedule(t, tt.rota), tt.over)
			got := f.Between(year26(t, tt.from), year26(t, tt.to))
			if diff := cmp.Diff(tt.want, finals(got)); diff != "" {
				t.Errorf("shifts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFinalNext(t *testing.T) {
	f := Final(schedule(t, nights()), []Override{over(t, "o", "eve", "", "01-06 21:00", ""), over(t, "p", "fay", "", "01-08 23:00", "01-09 00:00")})
	got := finals(f.Next(year26(t, "01-07 22:00"), 5))
	want := []string{
		"-1 eve 01-08 06:00 to 01-08 22:00 o for ", "0 eve 01-08 22:00 to 01-08 23:00 o for cem", "0 fay 01-08 23:00 to 01-09 00:00 p for cem",
		"0 eve 01-09 00:00 to 01-09 06:00 o for cem", "-1 eve 01-09 06:00 to 01-09 22:00 o for ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Next (-want +got):\n%s", diff)
	}
	if got := f.Next(year26(t, "01-07 22:00"), 0); got != nil {
		t.Errorf("Next(at, 0) = %v", got)
	}
}

// Taken in the middle of a second, a duty is the taker's at once.
func TestOverrideCountsWholeSeconds(t *testing.T) {
	now := year26(t, "01-06 23:00").Add(700 * time.Millisecond)
	f := Final(schedule(t, nights()), []Override{{ID: "o", User: "eve", For: "cem", Start: now, Kind: Taken}})
	if on := f.OnCall(now); len(on) != 1 || on[0].User != "eve" {
		t.Errorf("on duty is %v", on)
	}
}

func TestValidateOverride(t *testing.T) {
	minus := -1
	tests := []struct {
		change func(*Override)
		want   string
	}{
		{func(*Override) {}, ""},
		{func(o *Override) { o.End = time.Time{} }, ""},
		{func(o *Override) { o.User = "" }, "override: user: say who"},
		{func(o *Override) { o.User = o.For }, "stand in for themselves"},
		{func(o *Override) { o.Layer = &minus }, "layer: -1 is not"},
		{func(o *Override) { o.Start = time.Time{} }, "start: say when"},
		{func(o *Override) { o.Start = time.Unix(1e12, 0) }, "is not in the years"},
		{func(o *Override) { o.End = o.Start }, "end: 2026-01-06T00:00:00Z is not after the start"},
		{func(o *Override) { o.Kind = "swap" }, `kind: "swap" is not known`},
		{func(o *Override) { o.Note = strings.Repeat("x", 1001) }, "note: give at most 1000"},
	}
	for _, tt := range tests {
		o := over(t, "o", "eve", "cem", "01-06 00:00", "01-07 00:00")
		tt.change(&o)
		err := o.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("Validate() = %v, want ... %s ...", err, tt.want)
		}
	}
}

func TestShiftJSON(t *testing.T) {
	f := Final(schedule(t, nights()), []Override{over(t, "o", "eve", "", "01-06 23:00", "01-07 00:00")})
	text, err := json.Marshal(f.Between(year26(t, "01-06 22:00"), year26(t, "01-06 23:30")))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"layer":0,"layer_name":"night","user":"cem","start":"2026-01-06T22:00:00Z","end":"2026-01-06T23:00:00Z"},` +
		`{"layer":0,"layer_name":"night","user":"eve","start":"2026-01-06T23:00:00Z","end":"2026-01-07T00:00:00Z","override":"o","instead":"cem"}]`
	if string(text) != want {
		t.Errorf("shifts as JSON\n got %s\nwant %s", text, want)
	}
}

func drawOverrides(t *rapid.T, layers int, near time.Time) []Override {
	var drawn []Override
	for i := range rapid.IntRange(0, 6).Draw(t, "overrides") {
		o := Override{
			ID:    id.Override(fmt.Sprintf("o%d", i)),
			User:  rapid.SampledFrom([]id.User{"ann", "ben", "cem", "eve", "fay"}).Draw(t, "user"),
			For:   rapid.SampledFrom([]id.User{"", "", "ann", "ben", "eve"}).Draw(t, "for"),
			Start: near.Add(time.Duration(rapid.IntRange(-6000, 6000).Draw(t, "begins")) * time.Minute),
		}
		if rapid.IntRange(0, 5).Draw(t, "ends") > 0 {
			o.End = o.Start.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "lasts")) * time.Minute)
		}
		if layer := rapid.IntRange(-2, layers-1).Draw(t, "layer"); layer >= 0 {
			o.Layer = &layer
		}
		drawn = append(drawn, o)
	}
	return drawn
}

// drawFinal draws a rota, overrides, and an instant near them.
func drawFinal(t *rapid.T) (*Schedule, []Override, time.Time) {
	r := drawRotation(t)
	at := drawInstant(t)
	s := compiled(t, r)
	return s, drawOverrides(t, len(r.Layers), at), at.Add(time.Duration(rapid.IntRange(-5000, 5000).Draw(t, "off")) * time.Minute)
}

// At every instant there is at most one owner of a layer; who that is follows from
// the rota at that instant and the overrides of that instant, one after another.
func TestFinalByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, overrides, at := drawFinal(t)
		f := Final(s, overrides)
		var want []string
		for i := range s.layers {
			var rota id.User
			for _, on := range s.OnCall(at) {
				if on.Layer == i {
					rota = on.User
				}
			}
			if user, by := decide(rota, overrides, at, i); user != "" {
				want = append(want, fmt.Sprint(i, user, by))
			}
		}
		if len(want) == 0 {
			if user, by := decide("", overrides, at, NoLayer); user != "" {
				want = append(want, fmt.Sprint(NoLayer, user, by))
			}
		}
		var got []string
		for _, on := range f.OnCall(at) {
			got = append(got, fmt.Sprint(on.Layer, on.User, on.Override))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("at %s (-want +got):\n%s", at, diff)
		}
	})
}

func decide(rota id.User, overrides []Override, at time.Time, layer int) (user id.User, by id.Override) {
	user = rota
	for _, o := range overrides {
		begun := o.Start.Truncate(time.Second)
		active := !at.Before(begun) && (o.End.IsZero() || at.Before(o.End.Truncate(time.Second)))
		if !active || o.Layer != nil && *o.Layer != layer {
			continue
		}
		if o.For != "" && o.For != user && o.For != rota {
			continue
		}
		if o.For == "" && user == "" && o.Layer == nil && layer != NoLayer {
			continue
		}
		user, by = o.User, o.ID
	}
	if user == rota {
		by = ""
	}
	return user, by
}

// Between tells the same as OnCall, in whole shifts that are as long as they can be.
func TestFinalShifts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, overrides, at := drawFinal(t)
		f := Final(s, overrides)
		shifts := f.Between(at.AddDate(0, 0, -9), at.AddDate(0, 0, 9))
		var on []Shift
		last := map[int]Shift{}
		for _, shift := range shifts {
			if !shift.End.IsZero() && !shift.Start.Before(shift.End) {
				t.Fatalf("%v lasts no time", shift)
			}
			if before, ok := last[shift.Layer]; ok {
				if before.End.IsZero() || before.End.After(shift.Start) {
					t.Fatalf("%v and %v overlap", before, shift)
				}
				if before.End.Equal(shift.Start) && before.User == shift.User && before.Override == shift.Override && before.Instead == shift.Instead {
					t.Fatalf("%v and %v are one", before, shift)
				}
			}
			if shift.Override == "" && shift.Instead != "" || shift.Instead == shift.User {
				t.Fatalf("%v stands in for nobody", shift)
			}
			last[shift.Layer] = shift
			if shift.Contains(at) {
				on = append(on, shift)
			}
			// It is whole: asking about any part of it tells the same.
			if part := f.Between(shift.Start, shift.Start.Add(1)); !slices.Contains(part, shift) {
				t.Fatalf("%v is %v from its start", shift, part)
			}
		}
		slices.SortFunc(on, func(a, b Shift) int { return a.Layer - b.Layer })
		if diff := cmp.Diff(on, f.OnCall(at)); diff != "" {
			t.Fatalf("at %s (-Between +OnCall):\n%s", at, diff)
		}
		next := f.Next(at, 5)
		begin := slices.DeleteFunc(slices.Clone(shifts), func(s Shift) bool { return !s.Start.After(at) })
		if n := min(5, len(begin)); len(next) < n || !slices.Equal(next[:n], begin[:n]) {
			t.Fatalf("next after %s:\n%v\nof\n%v", at, next, begin)
		}
	})
}

// Overrides lose nothing: without them the rota is what it was, and at an instant
// at which none is in force, everybody is on duty whom the rota has.
func TestFinalKeepsTheRota(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, overrides, at := drawFinal(t)
		from, to := at.AddDate(0, 0, -9), at.AddDate(0, 0, 9)
		none, f := Final(s, nil), Final(s, overrides)
		if diff := cmp.Diff(s.Between(from, to), none.Between(from, to)); diff != "" {
			t.Fatalf("without overrides (-rota +final):\n%s", diff)
		}
		if diff := cmp.Diff(s.Next(at, 5), none.Next(at, 5)); diff != "" {
			t.Fatalf("without overrides (-rota +final):\n%s", diff)
		}
		for _, shift := range f.Between(from, to) {
			at := later(shift.Start, from)
			if slices.ContainsFunc(overrides, func(o Override) bool {
				return !at.Before(o.Start.Truncate(time.Second)) && (o.End.IsZero() || at.Before(o.End.Truncate(time.Second)))
			}) {
				continue
			}
			if rota, final := people(s.OnCall(at)), people(f.OnCall(at)); shift.Override != "" || !slices.Equal(rota, final) {
				t.Fatalf("at %s no override is in force, but %v have duty, by the rota %v", at, final, rota)
			}
		}
	})
}

// An override for everybody never leaves less time covered, nor fewer layers.
func TestFinalCoversMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, overrides, at := drawFinal(t)
		at = at.Truncate(time.Second)
		overrides = append(overrides, Override{ID: "last", User: "gus", Start: at, End: at.AddDate(0, 0, rapid.IntRange(1, 5).Draw(t, "days"))})
		from, to := at.AddDate(0, 0, -2), at.AddDate(0, 0, 7)
		before, after := Final(s, overrides[:len(overrides)-1]), Final(s, overrides)
		for _, gap := range Gaps(after, from, to) {
			for _, shift := range before.Between(gap.From, gap.To) {
				t.Fatalf("%v was on duty in the gap %v", shift, gap)
			}
			if gap.From.Before(overrides[len(overrides)-1].End) && gap.To.After(at) {
				t.Fatalf("gap %v in an override for everybody from %s", gap, at)
			}
		}
		if was, is := before.OnCall(at), after.OnCall(at); len(is) < len(was) {
			t.Fatalf("%v became %v", was, is)
		}
	})
}
