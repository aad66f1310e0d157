package oncall

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/id"
)

func (i Interval) text() string {
	return i.From.Format("01-02 15:04") + " to " + i.To.Format("01-02 15:04")
}

func TestGaps(t *testing.T) {
	from, to := year26(t, "01-05 00:00"), year26(t, "01-08 00:00")
	tests := []struct {
		why  string
		plan Plan
		want []string
	}{
		{"no layers", schedule(t, Rotation{Name: "None", Zone: "UTC"}), []string{"01-05 00:00 to 01-08 00:00"}},
		{"before the start", schedule(t, two()), []string{"01-05 00:00 to 01-05 09:00"}},
		{"days", schedule(t, nights()), []string{"01-05 00:00 to 01-05 22:00", "01-06 06:00 to 01-06 22:00", "01-07 06:00 to 01-07 22:00"}},
		{
			"one day filled", Final(schedule(t, nights()), []Override{over(t, "o", "eve", "", "01-05 10:00", "01-06 23:00")}),
			[]string{"01-05 00:00 to 01-05 10:00", "01-07 06:00 to 01-07 22:00"},
		},
		{"filled for ever", Final(schedule(t, nights()), []Override{over(t, "o", "eve", "", "01-05 10:00", "")}), []string{"01-05 00:00 to 01-05 10:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			var got []string
			for _, g := range Gaps(tt.plan, from, to) {
				got = append(got, g.text())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
		})
	}
	if got := Gaps(schedule(t, two()), to, from); got != nil {
		t.Errorf("gaps backwards in time: %v", got)
	}
}

func TestDoubled(t *testing.T) {
	night := 1
	cover := over(t, "o", "ben", "", "01-06 12:00", "01-08 00:00")
	cover.Layer = &night
	got := []string{}
	for _, d := range Doubled(Final(schedule(t, two()), []Override{cover, over(t, "p", "ann", "ben", "01-07 03:00", "01-07 05:00")}), year26(t, "01-06 00:00"), year26(t, "01-08 00:00")) {
		got = append(got, fmt.Sprint(d.User, " ", d.Layers, " ", d.text()))
	}
	// ann has ben's two duties from 03:00 to 05:00; at 09:00 she takes over one.
	want := []string{"ben [0 1] 01-06 12:00 to 01-07 03:00", "ann [0 1] 01-07 03:00 to 01-07 05:00", "ben [0 1] 01-07 05:00 to 01-07 09:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("doubled (-want +got):\n%s", diff)
	}
}

// Gaps and doubled cover are where OnCall says so, and nowhere else.
func TestGapsAndDoubledByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, overrides, at := drawFinal(t)
		f := Final(s, overrides)
		from, to := at.AddDate(0, 0, -rapid.IntRange(0, 9).Draw(t, "before")), at.AddDate(0, 0, rapid.IntRange(1, 9).Draw(t, "after"))
		on := f.OnCall(at)
		in := func(i Interval) bool { return !at.Before(i.From) && at.Before(i.To) }
		gaps := Gaps(f, from, to)
		if got := slices.ContainsFunc(gaps, in); got != (len(on) == 0) {
			t.Fatalf("at %s gap: %t, on duty: %v", at, got, on)
		}
		for i, g := range gaps {
			if !g.From.Before(g.To) || g.From.Before(from) || g.To.After(to) || i > 0 && !gaps[i-1].To.Before(g.From) {
				t.Fatalf("gaps %v in %s to %s", gaps, from, to)
			}
		}
		held := map[id.User][]int{}
		for _, s := range on {
			held[s.User] = append(held[s.User], s.Layer)
		}
		for _, d := range Doubled(f, from, to) {
			if !in(d.Interval) {
				continue
			}
			if !slices.Equal(held[d.User], d.Layers) {
				t.Fatalf("at %s %v is doubled, on duty: %v", at, d, on)
			}
			delete(held, d.User)
		}
		for u, layers := range held {
			if len(layers) > 1 {
				t.Fatalf("at %s %s in %v is not said to be doubled", at, u, layers)
			}
		}
	})
}

func TestHandOvers(t *testing.T) {
	f := Final(schedule(t, two()), []Override{over(t, "o", "eve", "ben", "01-06 20:00", "01-07 23:00")})
	got := []string{}
	for _, h := range HandOvers(f, year26(t, "01-06 09:00"), year26(t, "01-07 22:00")) {
		got = append(got, fmt.Sprintf("%s %d %s: %s%s to %s%s, %v to %v", h.At.Format("01-02 15:04"), h.Layer, h.LayerName, h.From, h.FromOverride, h.To, h.ToOverride, h.Before, h.After))
	}
	want := []string{
		"01-06 09:00 0 first: ann to ben, [ann] to [ben]", // the beginning is in
		"01-06 20:00 0 first: ben to eveo, [ben] to [eve]",
		"01-06 22:00 1 night:  to cem, [eve] to [eve cem]",
		"01-07 06:00 1 night: cem to , [eve cem] to [eve]",
		"01-07 09:00 0 first: eveo to ann, [eve] to [ann]", // the end is not
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hand-overs (-want +got):\n%s", diff)
	}
	if got := HandOvers(f, f.rota.Next(year26(t, "01-06 00:00"), 1)[0].Start, year26(t, "01-01 00:00")); got != nil {
		t.Errorf("hand-overs backwards in time: %v", got)
	}
}

// A gap filled is two hand-overs: out of the layer, and into none.
func TestHandOverToAFill(t *testing.T) {
	f := Final(schedule(t, nights()), []Override{over(t, "o", "eve", "", "01-06 06:00", "01-06 10:00")})
	got := HandOvers(f, year26(t, "01-06 06:00"), year26(t, "01-06 10:00"))
	want := []HandOver{
		{At: year26(t, "01-06 06:00"), Layer: NoLayer, To: "eve", ToOverride: "o", Before: []id.User{"cem"}, After: []id.User{"eve"}},
		{At: year26(t, "01-06 06:00"), Layer: 0, LayerName: "night", From: "cem", Before: []id.User{"cem"}, After: []id.User{"eve"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("hand-overs (-want +got):\n%s", diff)
	}
}

// Hand-overs lead from who is on duty at the beginning to who is at the end, and
// strictly increase in each layer.
func TestHandOversLeadOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, overrides, at := drawFinal(t)
		f := Final(s, overrides)
		owners := map[int]id.User{}
		for _, on := range f.OnCall(at) {
			owners[on.Layer] = on.User
		}
		last := map[int]time.Time{}
		to := at.AddDate(0, 0, rapid.IntRange(0, 20).Draw(t, "days"))
		for _, h := range HandOvers(f, at.Add(1), to.Add(1)) {
			if before, ok := last[h.Layer]; ok && !h.At.After(before) {
				t.Fatalf("%v after one at %s", h, before)
			}
			last[h.Layer] = h.At
			if h.From == h.To || owners[h.Layer] != h.From {
				t.Fatalf("%v, but the layer is %s's", h, owners[h.Layer])
			}
			owners[h.Layer] = h.To
			if diff := cmp.Diff(people(f.OnCall(h.At)), h.After, cmp.Transformer("none", func(u []id.User) string { return fmt.Sprint(u) })); diff != "" {
				t.Fatalf("after %v (-OnCall +After):\n%s", h, diff)
			}
		}
		got := map[int]id.User{}
		for _, on := range f.OnCall(to) {
			got[on.Layer] = on.User
		}
		for layer, u := range owners {
			if got[layer] != u {
				t.Fatalf("at %s layer %d is %s's, by the hand-overs %s's", to, layer, got[layer], u)
			}
		}
	})
}

type neighbours interface {
	NextPerson(at time.Time) []Person
	PreviousPerson(at time.Time) []Person
}

func TestNextAndPreviousPerson(t *testing.T) {
	r := Rotation{Name: "Many", Zone: "UTC", Layers: []Layer{
		{Name: "four", Members: []id.User{"ann", "ann", "ben", "cem"}, Every: 1, Unit: Days, HandoffAt: "09:00", Start: "2026-01-05"},
		{Name: "alone", Members: []id.User{"dee", "dee"}, Every: 1, Unit: Days, HandoffAt: "09:00", Start: "2026-01-05"},
		{Name: "later", Members: []id.User{"eve", "fay"}, Every: 1, Unit: Days, HandoffAt: "09:00", Start: "2026-01-07"},
		{Name: "nobody", Every: 1, Unit: Days, HandoffAt: "09:00", Start: "2026-01-05"},
	}}
	s := schedule(t, r)
	four := 0
	stands := over(t, "o", "ben", "", "01-05 00:00", "01-20 00:00")
	stands.Layer = &four
	final := Final(s, []Override{stands})
	tests := []struct {
		why            string
		plan           neighbours
		at             string
		next, previous string
	}{
		{"before all", s, "01-05 08:00", "[]", "[]"},
		{"the first turn of ann", s, "01-05 10:00", "[0 ben]", "[0 cem]"},
		{"the second turn of ann", s, "01-06 10:00", "[0 ben]", "[0 cem]"},
		{"two layers", s, "01-07 10:00", "[0 cem 2 fay]", "[0 ann 2 fay]"},
		{"the last in the list", s, "01-08 10:00", "[0 ann 2 eve]", "[0 ben 2 eve]"},
		{"ben stands in for ann: who else", final, "01-05 10:00", "[0 cem]", "[0 cem]"},
		{"ben has it by the rota", final, "01-07 10:00", "[0 cem 2 fay]", "[0 ann 2 fay]"},
		{"ben stands in for cem", final, "01-08 10:00", "[0 ann 2 eve]", "[0 ann 2 eve]"},
	}
	text := func(people []Person) string {
		found := []string{}
		for _, p := range people {
			found = append(found, fmt.Sprint(p.Layer, " ", p.User))
		}
		return fmt.Sprint(found)
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			at := year26(t, tt.at)
			if got := text(tt.plan.NextPerson(at)); got != tt.next {
				t.Errorf("next %s, want %s", got, tt.next)
			}
			if got := text(tt.plan.PreviousPerson(at)); got != tt.previous {
				t.Errorf("previous %s, want %s", got, tt.previous)
			}
		})
	}
}
