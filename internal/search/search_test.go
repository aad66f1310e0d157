package search

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

// While alerts come in without a pause the index waits, and not for ever.
func TestTheIndexGivesWayToAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.Open(t)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := New(s, slog.New(slog.DiscardHandler), time.Second, 10*time.Millisecond).Run(ctx); err != nil {
				t.Error(err)
			}
		})
		defer running.Wait()
		defer cancel()
		time.Sleep(time.Second) // it has looked, and waits to be woken
		began := time.Now()
		var indexed time.Duration
		for range 300 { // nine seconds
			err := s.DoWithOpen(t.Context(), []string{"disk"}, func(tx *store.Tx, _ map[string]incident.Incident) error {
				tx.Append(timeline.Entry{Kind: timeline.AlertReceived, Actor: timeline.Self, Payload: timeline.AlertBody{Title: "disk"}})
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			found, err := s.Entries(t.Context(), store.EntryFilter{Words: []string{"disk"}, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			if indexed == 0 && len(found) > 0 {
				indexed = time.Since(began)
			}
			time.Sleep(30 * time.Millisecond)
		}
		if indexed < giveWay-time.Second || indexed > giveWay+2*time.Second {
			t.Errorf("the first alert is found after %s, want about %s", indexed, giveWay)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if behind, err := s.Behind(t.Context(), Cursor); behind || err != nil {
			t.Errorf("when it is quiet again the index is behind: %v, %v", behind, err)
		}
	})
}
