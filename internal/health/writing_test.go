package health

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

// A database that can only be read makes a node not ready, until writing works.
func TestWhatCannotBeWrittenIsFound(t *testing.T) {
	database := pgtest.URL(t)
	s := storetest.OpenAt(t, store.Config{Database: database})
	thaw := pgtest.Freeze(t, database)
	for range 3 { // the first finds connections that are gone
		if err := s.TryWrite(t.Context()); err == nil {
			t.Fatal("TryWrite into a database that can only be read = nil")
		}
	}
	r, err := Machinery(t.Context(), s, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	told := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Object == "Database" })
	if r.Ready || told < 0 || !strings.Contains(r.Findings[told].Text, "it can only be read") {
		t.Errorf("Machinery: ready %t, findings %v", r.Ready, r.Findings)
	}
	thaw()
	deadline := time.After(30 * time.Second)
	for lasts := true; lasts; _, lasts = s.Outage() {
		_ = s.TryWrite(t.Context()) // until it is over
		select {
		case <-deadline:
			t.Fatal("writing works and the outage lasts")
		case <-time.After(50 * time.Millisecond):
		}
	}
	if r, err = Machinery(t.Context(), s, time.Now()); err != nil || !r.Ready {
		t.Errorf("Machinery: %v, %v", r.Findings, err)
	}
}
