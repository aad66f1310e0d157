package blob

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSweepRemovesWhatACrashLeft: of ours, and only what nobody writes to.
func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	put := func(name string, age time.Duration) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	left, busy, other := put("watchroom-upload-1", 48*time.Hour), put("watchroom-upload-2", time.Minute), put("upload-3", 48*time.Hour)
	if err := (Intake{Dir: dir}).Sweep(now.Add(-24 * time.Hour)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{left: false, busy: true, other: true} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s is there: %t, want %t", filepath.Base(path), err == nil, want)
		}
	}
}
