package maintenance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
)

var start = time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)

func hours(n float64) time.Time { return start.Add(time.Duration(n * float64(time.Hour))) }

func window() Window {
	return Window{
		ID: "w1", Name: "Move of the racks", RoutingKeys: []string{"data*"}, Entities: []string{"disk/*", "db?"}, Teams: []id.Team{"dba"},
		Start: start, End: hours(2), By: "kim",
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		intent string
		change func(*Window)
		want   string
	}{
		{"as it should be", func(*Window) {}, ""},
		{"one list is enough", func(w *Window) { w.RoutingKeys, w.Teams = nil, nil }, ""},
		{"ended before it began: called off", func(w *Window) { w.Ended = hours(-1) }, ""},
		{"as long as may be", func(w *Window) { w.End = start.Add(MaxLength) }, ""},
		{"no name", func(w *Window) { w.Name = " " }, "name: give"},
		{"for nothing", func(w *Window) { w.RoutingKeys, w.Entities, w.Teams = nil, nil, nil }, "say what it is for"},
		{"no start", func(w *Window) { w.Start = time.Time{} }, "it has no start"},
		{"no end", func(w *Window) { w.End = time.Time{} }, "nothing is muted for ever"},
		{"no length", func(w *Window) { w.End = start }, "ends before it begins"},
		{"for ever in disguise", func(w *Window) { w.End = start.Add(MaxLength + time.Second) }, "longer than 31 days"},
		{"an empty pattern", func(w *Window) { w.RoutingKeys = []string{""} }, `routing keys: "" is not a pattern`},
		{"a long one", func(w *Window) { w.Entities = []string{strings.Repeat("x", 513)} }, "entities:"},
		{"a pattern of two lines", func(w *Window) { w.Entities = []string{"a\nb"} }, "is not a pattern"},
		{"too many", func(w *Window) { w.Entities = slices.Repeat([]string{"x"}, 101) }, "entities: 101 are more than 100"},
		{"a team without an id", func(w *Window) { w.Teams = []id.Team{""} }, "teams: name at most"},
		{"a novel", func(w *Window) { w.Note = strings.Repeat("x", 2001) }, "the note is longer"},
	}
	for _, tt := range tests {
		w := window()
		tt.change(&w)
		err := w.Validate()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Validate() = %v, want %q", tt.intent, err, tt.want)
		}
	}
}

func TestMatches(t *testing.T) {
	ended := window()
	ended.Ended = hours(1)
	after := window()
	after.Ended = hours(3)
	keys := Window{RoutingKeys: []string{"Network"}, Start: start, End: hours(2)}
	everything := Window{Entities: []string{"*"}, Start: start, End: hours(2)}
	fits := Alert{RoutingKey: "DATABASE", EntityID: "disk/db01", Team: "dba"}
	tests := []struct {
		intent string
		window Window
		alert  Alert
		at     time.Time
		want   bool
	}{
		{"all three fit", window(), fits, hours(1), true},
		{"from its first instant", window(), fits, start, true},
		{"not before", window(), fits, start.Add(-1), false},
		{"until its last", window(), fits, hours(2).Add(-1), true},
		{"not at its end", window(), fits, hours(2), false},
		{"not once somebody ended it", ended, fits, hours(1), false},
		{"before that it counted", ended, fits, hours(1).Add(-1), true},
		{"to end what is over changes nothing", after, fits, hours(2), false},
		{"another key", window(), Alert{RoutingKey: "network", EntityID: "disk/db01", Team: "dba"}, hours(1), false},
		{"another entity", window(), Alert{RoutingKey: "database", EntityID: "cpu/db01", Team: "dba"}, hours(1), false},
		{"the other pattern of the list", window(), Alert{RoutingKey: "database", EntityID: "db1", Team: "dba"}, hours(1), true},
		{"only as a whole", window(), Alert{RoutingKey: "database", EntityID: "db12", Team: "dba"}, hours(1), false},
		{"entities as they are spelled", window(), Alert{RoutingKey: "database", EntityID: "DB1", Team: "dba"}, hours(1), false},
		{"another team", window(), Alert{RoutingKey: "database", EntityID: "db1", Team: "net"}, hours(1), false},
		{"keys alone, whatever the rest", keys, Alert{RoutingKey: " network ", EntityID: "x", Team: "y"}, hours(1), true},
		{"a key is not a prefix", keys, Alert{RoutingKey: "network2"}, hours(1), false},
		{"everything", everything, Alert{}, hours(1), true},
		{"a window for nothing is for nothing", Window{Start: start, End: hours(2)}, fits, hours(1), false},
	}
	for _, tt := range tests {
		if got := tt.window.Matches(tt.alert, tt.at); got != tt.want {
			t.Errorf("%s: Matches(%+v, %s) = %t, want %t", tt.intent, tt.alert, tt.at, got, tt.want)
		}
	}
}

func TestScope(t *testing.T) {
	name := func(t id.Team) string { return strings.ToUpper(string(t)) }
	if got, want := window().Scope(name), "routing key data* and any of the 2 entities disk/*, db? and team DBA"; got != want {
		t.Errorf("Scope() = %q, want %q", got, want)
	}
}

func TestWindows(t *testing.T) {
	all := func(i ID, from, to float64) Window {
		return Window{ID: i, Name: string(i), Entities: []string{"*"}, Start: hours(from), End: hours(to)}
	}
	off := all("off", 1, 9)
	off.Ended = hours(0)
	other := Window{ID: "other", Entities: []string{"x"}, Start: start, End: hours(20)}
	windows := []Window{all("long", 0, 4), all("short", 0, 1), all("touches", 4, 5), all("later", 6, 7), off, other}

	var on []ID
	for _, w := range Active(windows, hours(0.5)) {
		on = append(on, w.ID)
	}
	if diff := cmp.Diff([]ID{"short", "long", "other"}, on); diff != "" {
		t.Errorf("Active() (-want +got):\n%s", diff)
	}
	a := Alert{EntityID: "disk"}
	if w, ok := Muting(windows, a, hours(0.5)); !ok || w.ID != "long" {
		t.Errorf("Muting() = %s, %t, want the one that ends last", w.ID, ok)
	}
	if until, ok := MutedUntil(windows, a, hours(0.5)); !ok || !until.Equal(hours(5)) {
		t.Errorf("MutedUntil() = %s, %t, want the end of the last that touches", until, ok)
	}
	if until, ok := MutedUntil(windows, a, hours(5.5)); ok {
		t.Errorf("MutedUntil() between windows = %s", until)
	}
	if _, ok := Muting(windows, a, hours(5)); ok {
		t.Error("Muting() at the end of a window")
	}
}
