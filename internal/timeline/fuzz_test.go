package timeline

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode reads payloads as a restored backup may hold them: what is taken
// is of the asked kind's type and survives being written again.
func FuzzDecode(f *testing.F) {
	for _, kind := range Kinds {
		f.Add(string(kind), []byte(`{}`))
		f.Add(string(kind), []byte(`{"text":"x","targets":[{}],"until":"2026-01-01T00:00:00Z","changes":null}`))
	}
	f.Add("unknown", []byte(`{}`))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		p, err := Decode(Kind(kind), data)
		if err != nil {
			return
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatalf("Marshal(%+v): %v", p, err)
		}
		again, err := Decode(Kind(kind), text)
		if err != nil {
			t.Fatalf("Decode(%s, %s): %v", kind, text, err)
		}
		want, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(text)); diff != "" {
			t.Errorf("written again (-want +got):\n%s", diff)
		}
	})
}
