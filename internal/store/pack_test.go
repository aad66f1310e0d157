package store

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/timeline"
)

func packings() map[string]packing {
	return map[string]packing{"incident": packedIncident, "entry": packedEntry, "alert": packedAlert, "delivery": packedPage}
}

// The places of the names are in every row there is.
func TestNamesKeepTheirPlaces(t *testing.T) {
	for what, want := range map[string]struct {
		first, last string
		at          int
	}{
		"incident": {"title", "urgency", 27}, "entry": {"alert", "count", 28}, "alert": {"routing_key", "fields", 12}, "delivery": {"address", "at", 20},
	} {
		p := packings()[what]
		if len(p.names) > lastName || p.names[0] != want.first || p.names[want.at-1] != want.last || len(p.codes) != len(p.names) {
			t.Errorf("the names of %s are %q", what, p.names)
		}
	}
}

func TestPackedIsShortAndComesBack(t *testing.T) {
	at := time.Date(2026, 11, 22, 21, 50, 53, 259363000, time.UTC)
	for _, v := range []any{
		incident.Incident{}, incident.Incident{Title: `a "title": {`, Message: "\",\"name\":\\", TriggeredAt: at, ResolvedAt: at.Truncate(time.Second), LastAlertAt: at.Add(-time.Hour)},
		timeline.Triggered{Title: "2026-11-22T21:50:53Z", Message: `{"title":1}`}, timeline.Step{Users: nil, Why: []string{"name", "title"}},
		timeline.Resolved{}, map[string]any{"fields": map[string]string{"title": "x", "fields": "2026-11-22T21:50:53.2590Z", "": "\x01\x1f"}}, []string{"name", "9999-12-31T23:59:59Z"},
	} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for what, p := range packings() {
			packed := p.pack(data)
			if back := p.unpack(packed); !bytes.Equal(back, data) || len(packed) > len(data) {
				t.Errorf("%s: %s packed is %q and comes back as %s", what, data, packed, back)
			}
			if plain := p.unpack(data); !bytes.Equal(plain, data) {
				t.Errorf("%s: %s as it was written before is read as %s", what, data, plain)
			}
		}
	}
	data, err := json.Marshal(incident.Incident{Title: "t", TriggeredAt: at})
	if err != nil {
		t.Fatal(err)
	}
	if packed := packedIncident.pack(data); len(packed) > len(data)/2 {
		t.Errorf("%s packed is %q", data, packed)
	}
}

func FuzzPack(f *testing.F) {
	for _, s := range []string{`{"title":"x","message":"\"name\":","n":[{"name":1},{"user":"2026-11-22T21:50:53.259363Z"}]}`, `{}`, `"\\"`, "\x01\x1f123456789", `[1,"title"]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, p := range packings() {
			_ = p.unpack(data) // whatever is in a row, it must not panic
			var v any
			if json.Unmarshal(data, &v) != nil {
				continue
			}
			text, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if back := p.unpack(p.pack(text)); !bytes.Equal(back, text) {
				t.Fatalf("%s comes back as %s", text, back)
			}
		}
	})
}

// An instant is shortened when it comes back letter for letter, and only then.
func FuzzInstantIn(f *testing.F) {
	for _, s := range []string{
		"2026-11-22T21:50:53.259363Z", "2026-11-22T21:50:53Z", "2026-11-22T21:50:53.25Z", "2026-11-22T21:50:53.250Z", "2026-11-22T21:50:53.Z", "2026-11-22T21:50:53.1234567Z",
		"2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z", "2026-00-10T00:00:00Z", "2026-13-10T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
		"2026-01-01T23:60:00Z", "2026-01-01T23:59:60Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z",
		"2026-11-22t21:50:53Z", "2026-11-22T21:50:53z", "2026-11-22T21:50:53+00:00", "2026-11-22T21:50:53.-5Z", "2026/11/22T21:50:53Z", "2026-11-22T21:50:5\x0fZ",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := []byte(`"` + s + `"`)
		us, ok := instantIn(text)
		at, err := time.Parse(time.RFC3339Nano, s)
		want := err == nil && at.UnixMicro() >= 0 && at.UnixMicro() < 1<<54 && string(quoted(at.UnixMicro())) == string(text)
		if ok != want || ok && us != at.UnixMicro() {
			t.Errorf("instantIn(%s) = %d, %v, want %d, %v", text, us, ok, at.UnixMicro(), want)
		}
	})
}
