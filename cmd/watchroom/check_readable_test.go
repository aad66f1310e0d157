package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/config"
)

// TestCheckTellsWhoMayRead: a database that others on the machine may read is
// worth a look; what is made now is its owner's alone.
func TestCheckTellsWhoMayRead(t *testing.T) {
	at := config.Storage{Data: t.TempDir()}
	openOf(t, at)
	if found := findReadable(at); len(found) > 0 {
		t.Errorf("of a new database check says %v", found)
	}
	if err := os.Chmod(at.DatabaseFile(), 0o644); err != nil { //nolint:gosec // as versions before have made it
		t.Fatal(err)
	}
	var out bytes.Buffer
	_ = (&checkCmd{Storage: at}).Run(t.Context(), &console{nil, &out, &out}) // an organisation of nobody lacks much
	if said := out.String(); !strings.Contains(said, "watchroom.db can be read by others on this machine (-rw-r--r--)") {
		t.Errorf("check says:\n%s", said)
	}
}

// TestABrokenBackupLeavesNothing: what cannot be restored makes no database.
func TestABrokenBackupLeavesNothing(t *testing.T) {
	from := config.Storage{Data: t.TempDir()}
	keepFile(t, from, "out.txt", strings.Repeat("what a command said\n", 30_000))
	var whole, errs bytes.Buffer
	if err := (&backupCmd{File: "-", Storage: from}).Run(t.Context(), &console{nil, &whole, &errs}); err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole.Bytes())
	copy(damaged[3000:], "damage")
	for name, file := range map[string][]byte{
		"damaged":              damaged,
		"cut off in the data":  whole.Bytes()[:2500],
		"cut off in the files": whole.Bytes()[:whole.Len()-300_000],
	} {
		at, _, err := restoreText(t, file, false)
		if left, globErr := filepath.Glob(filepath.Join(at.Data, "*.db*")); err == nil || globErr != nil || len(left) > 0 {
			t.Errorf("%s: %v; left %v", name, err, left)
		}
	}
	at := config.Storage{Data: t.TempDir()}
	var said bytes.Buffer
	if err := (&restoreCmd{File: "-", Storage: at}).Run(t.Context(), &console{bytes.NewReader(whole.Bytes()), &said, &errs}); err != nil {
		t.Fatal(err)
	}
	if got := said.String(); !strings.HasPrefix(got, "Restored: 0 incidents, the timeline to ") || !strings.Contains(got, ", backup of 20") {
		t.Errorf("restore says %q", got)
	}
}
