package oncall

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchroom/watchroom/internal/id"
)

func changesText(c Comparison) []string {
	var text []string
	for _, change := range c.Changes {
		text = append(text, fmt.Sprintf("%d %s %s: %s to %s", change.Layer, change.LayerName, change.text(), change.Was, change.Becomes))
	}
	for _, total := range c.Totals {
		text = append(text, fmt.Sprintf("%s %s -> %s: +%s -%s", total.User, total.Before, total.After, total.Gains, total.Loses))
	}
	return text
}

func TestCompare(t *testing.T) {
	edit := func(change func(*Rotation)) Plan {
		r := two()
		change(&r)
		return schedule(t, r)
	}
	tests := []struct {
		why   string
		after Plan
		want  []string
	}{
		{"nothing", schedule(t, two()), []string{"ann 24h0m0s -> 24h0m0s: +0s -0s", "ben 24h0m0s -> 24h0m0s: +0s -0s", "cem 16h0m0s -> 16h0m0s: +0s -0s"}},
		{
			"hand over at noon",
			edit(func(r *Rotation) { r.Layers[0].HandoffAt = "12:00" }),
			[]string{
				"0 first 01-07 09:00 to 01-07 12:00: ann to ben", "0 first 01-08 09:00 to 01-08 12:00: ben to ann",
				"ann 24h0m0s -> 24h0m0s: +3h0m0s -3h0m0s", "ben 24h0m0s -> 24h0m0s: +3h0m0s -3h0m0s", "cem 16h0m0s -> 16h0m0s: +0s -0s",
			},
		},
		{
			"the first layer is taken away: the second is still itself",
			edit(func(r *Rotation) { r.Layers = r.Layers[1:] }),
			[]string{
				"0 first 01-07 00:00 to 01-07 09:00: ben to ", "0 first 01-07 09:00 to 01-08 09:00: ann to ", "0 first 01-08 09:00 to 01-09 00:00: ben to ",
				"ann 24h0m0s -> 0s: +0s -24h0m0s", "ben 24h0m0s -> 0s: +0s -24h0m0s", "cem 16h0m0s -> 16h0m0s: +0s -0s",
			},
		},
		{
			"a layer renamed is the same", edit(func(r *Rotation) { r.Layers[0].Name = "day" }),
			[]string{"ann 24h0m0s -> 24h0m0s: +0s -0s", "ben 24h0m0s -> 24h0m0s: +0s -0s", "cem 16h0m0s -> 16h0m0s: +0s -0s"},
		},
		{
			"an override: who is on duty elsewhere gains less",
			Final(schedule(t, two()), []Override{over(t, "o", "cem", "ann", "01-07 20:00", "01-08 00:00")}),
			[]string{
				"0 first 01-07 20:00 to 01-08 00:00: ann to cem",
				"ann 24h0m0s -> 20h0m0s: +0s -4h0m0s", "ben 24h0m0s -> 24h0m0s: +0s -0s", "cem 16h0m0s -> 18h0m0s: +2h0m0s -0s",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			got := Compare(schedule(t, two()), tt.after, year26(t, "01-07 00:00"), year26(t, "01-09 00:00"))
			if diff := cmp.Diff(tt.want, changesText(got)); diff != "" {
				t.Errorf("Compare (-want +got):\n%s", diff)
			}
		})
	}
	if got := Compare(schedule(t, two()), schedule(t, two()), year26(t, "01-09 00:00"), year26(t, "01-07 00:00")); len(got.Changes)+len(got.Totals) > 0 {
		t.Errorf("Compare backwards in time: %v", got)
	}
}

// Totals balance, and add up to what the shifts of a person last.
func TestCompareBalances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, overrides, at := drawFinal(t)
		before, after := Plan(s), Plan(Final(s, overrides))
		from, to := at.AddDate(0, 0, -4), at.AddDate(0, 0, 4)
		compared := Compare(before, after, from, to)
		layerTime := func(p Plan, u id.User) (sum time.Duration) {
			for _, s := range p.Between(from, to) {
				if s.User != u {
					continue
				}
				end := to
				if !s.End.IsZero() {
					end = earlier(to, s.End)
				}
				sum += end.Sub(later(from, s.Start))
			}
			return sum
		}
		shifted := map[id.User]time.Duration{}
		for _, c := range compared.Changes {
			if c.Was == c.Becomes || !c.From.Before(c.To) {
				t.Fatalf("no change: %v", c)
			}
			shifted[c.Was] -= c.Length()
			shifted[c.Becomes] += c.Length()
		}
		for _, total := range compared.Totals {
			if total.After != total.Before+total.Gains-total.Loses {
				t.Fatalf("does not balance: %v", total)
			}
			if was, is := layerTime(before, total.User), layerTime(after, total.User); was < total.Before || is < total.After || shifted[total.User] != is-was {
				t.Fatalf("%v: in all layers %s, then %s; by the changes %s", total, was, is, shifted[total.User])
			}
		}
	})
}

func TestZoneChanges(t *testing.T) {
	tests := []struct {
		zone, from string
		want       []string
	}{
		{"Europe/London", "2026-01-01T00:00:00Z", []string{"2026-03-29T01:00:00Z GMT+0 BST+3600", "2026-10-25T01:00:00Z BST+3600 GMT+0"}},
		{"Europe/London", "2026-03-29T01:00:00Z", []string{"2026-10-25T01:00:00Z BST+3600 GMT+0", "2027-03-28T01:00:00Z GMT+0 BST+3600"}},
		{"Australia/Lord_Howe", "2026-04-01T00:00:00Z", []string{"2026-04-04T15:00:00Z +11+39600 +1030+37800", "2026-10-03T15:30:00Z +1030+37800 +11+39600"}},
		{"Europe/London", "2096-12-31T12:00:00Z", []string{"2097-03-31T01:00:00Z GMT+0 BST+3600", "2097-10-27T01:00:00Z BST+3600 GMT+0"}},
		{"Asia/Kolkata", "2026-01-01T00:00:00Z", nil},
		{"UTC", "2026-01-01T00:00:00Z", nil},
		{"America/Sao_Paulo", "2019-01-01T00:00:00Z", []string{"2019-02-17T02:00:00Z -02-7200 -03-10800"}},
	}
	for _, tt := range tests {
		t.Run(tt.zone+" "+tt.from, func(t *testing.T) {
			found, err := ZoneChanges(tt.zone, instant(t, tt.from), 2)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range found {
				got = append(got, fmt.Sprintf("%s %s%+d %s%+d", c.At.Format(time.RFC3339), c.BeforeName, c.Before, c.AfterName, c.After))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := ZoneChanges("Europe/Atlantis", time.Time{}, 1); err == nil {
		t.Error("a zone that does not exist has changes")
	}
}

func TestNearChange(t *testing.T) {
	found, err := ZoneChanges("Europe/London", instant(t, "2026-01-01T00:00:00Z"), 2)
	if err != nil {
		t.Fatal(err)
	}
	text := func(n Near) []string {
		all := []string{}
		for _, s := range n.Shifts {
			all = append(all, fmt.Sprintf("%s lasts %s, on the clock %s, begins %t, ends %t", s.User, s.Lasts, s.Clock, s.Begins, s.Ends))
		}
		for _, h := range n.HandOvers {
			all = append(all, fmt.Sprintf("%s: %s to %s", h.At.Format("01-02 15:04"), h.From, h.To))
		}
		return all
	}
	nine := schedule(t, rota("Europe/London", 1, Days, "09:00", "2026-01-01", "ann", "ben"))
	want := []string{"ann lasts 23h0m0s, on the clock 24h0m0s, begins false, ends false", "03-28 09:00: ben to ann", "03-29 08:00: ann to ben"}
	if diff := cmp.Diff(want, text(NearChange(nine, found[0]))); diff != "" {
		t.Errorf("spring (-want +got):\n%s", diff)
	}
	want = []string{"ann lasts 25h0m0s, on the clock 24h0m0s, begins false, ends false", "10-24 08:00: ben to ann", "10-25 09:00: ann to ben"}
	if diff := cmp.Diff(want, text(NearChange(nine, found[1]))); diff != "" {
		t.Errorf("autumn (-want +got):\n%s", diff)
	}
	skipped := schedule(t, rota("Europe/London", 1, Days, "01:30", "2026-01-01", "ann", "ben"))
	want = []string{
		"ann lasts 23h30m0s, on the clock 23h30m0s, begins false, ends true", "ben lasts 23h30m0s, on the clock 23h30m0s, begins true, ends false",
		"03-28 01:30: ben to ann", "03-29 01:00: ann to ben", "03-30 00:30: ben to ann",
	}
	if diff := cmp.Diff(want, text(NearChange(skipped, found[0]))); diff != "" {
		t.Errorf("in the skipped hour (-want +got):\n%s", diff)
	}
	lone := schedule(t, rota("Europe/London", 1, Days, "09:00", "2026-01-01", "ann"))
	if got := NearChange(lone, found[0]); len(got.Shifts)+len(got.HandOvers) > 0 {
		t.Errorf("a lone member at a change: %v", got)
	}
}
