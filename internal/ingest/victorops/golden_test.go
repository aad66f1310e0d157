package victorops

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden from what the parser says")

// TestGolden parses a body of every sender the protocol page knows. The raw
// body is compared apart, to keep the golden files readable.
func TestGolden(t *testing.T) {
	bodies, err := filepath.Glob("testdata/*.json")
	if err != nil || len(bodies) == 0 {
		t.Fatalf("no bodies: %v", err)
	}
	for _, path := range bodies {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := parse(t, string(body))

			raw := strings.ReplaceAll(strings.TrimSpace(string(body)), testKey, masked)
			if got.Raw != raw {
				t.Errorf("Raw = %s\nwant %s", got.Raw, raw)
			}
			got.Raw = ""
			checkGolden(t, "testdata/"+name+".golden", got)
		})
	}
}

func checkGolden(t *testing.T, path string, a alert.Alert) {
	t.Helper()
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(a); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
