package outbox

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/paging"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

// accepting is a station whose planner does not follow.
func accepting(t *testing.T, cfg store.Config) *station {
	st := newStation(t, cfg, &provider{})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- st.dispatch.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return st
}

func (st *station) behind() bool {
	st.Helper()
	behind, err := st.store.Behind(st.Context(), Cursor, Kinds()...)
	if err != nil {
		st.Fatal(err)
	}
	return behind
}

// planned tells the deliveries about the first n incidents: how many go out alone, how many are held.
func (st *station) planned(n int) (alone, held int) {
	st.Helper()
	for i := range n {
		all, err := st.store.Deliveries(st.Context(), id.Incident(i+1))
		if err != nil || len(all) > 1 {
			st.Fatalf("incident %d has %d deliveries, %v", i+1, len(all), err)
		}
		for _, d := range all {
			if isHeld(d) {
				held++
			} else {
				alone++
			}
		}
	}
	return alone, held
}

// Both engines, for what a transaction knows of others differs.
func each(t *testing.T, test func(*testing.T, store.Config)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteFile(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, store.Config{Database: pgtest.URL(t)}) })
}

// A page is there when its alert is, and nothing is left for the follower.
func TestPagesCommitWithTheirAlert(t *testing.T) {
	each(t, func(t *testing.T, cfg store.Config) {
		st := accepting(t, cfg)
		for i := range 5 {
			st.alert(fmt.Sprint("disk", i))
			if alone, held := st.planned(i + 1); alone+held != i+1 || st.behind() {
				t.Fatalf("after alert %d: %d pages alone, %d held, behind %v", i+1, alone, held, st.behind())
			}
		}
		if alone, held := st.planned(5); alone != paging.StormPages || held != 2 {
			t.Errorf("%d pages alone, %d held", alone, held)
		}
		told, err := st.store.Entries(t.Context(), store.EntryFilter{Kinds: []timeline.Kind{timeline.PageHeld}})
		if err != nil || len(told) != 1 {
			t.Errorf("%d entries say that pages are held, %v", len(told), err)
		}
	})
}

// Nodes that take alerts in turn plan each page once, and share the storm.
func TestNodesInTurnPlanOnce(t *testing.T) {
	each(t, func(t *testing.T, cfg store.Config) {
		nodes := []*station{accepting(t, cfg), accepting(t, cfg)}
		for i := range 12 {
			nodes[i/2%2].alert(fmt.Sprint("disk", i))
		}
		if alone, held := nodes[0].planned(12); alone != paging.StormPages || held != 12-paging.StormPages {
			t.Errorf("%d pages alone, %d held", alone, held)
		}
		for _, st := range nodes {
			if err := st.planner.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if alone, held := nodes[1].planned(12); alone+held != 12 {
			t.Errorf("%d pages alone, %d held after following", alone, held)
		}
	})
}

// What was written without a plan, by an older version, is planned first, and
// until then nothing that comes behind it moves the cursor over it.
func TestWhatIsUnplannedIsLeftToTheFollower(t *testing.T) {
	each(t, func(t *testing.T, cfg store.Config) {
		st := accepting(t, cfg)
		st.alert("first")
		old := storetest.OpenAt(t, cfg)
		const elsewhere = 1000
		err := old.Do(t.Context(), func(tx *store.Tx) error {
			tx.Append(timeline.Entry{Kind: timeline.StepStarted, Incident: elsewhere, Payload: timeline.Step{Users: []id.User{"kim"}}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		st.alert("second")
		if alone, held := st.planned(2); alone+held != 1 || !st.behind() {
			t.Errorf("%d pages before following, behind %v", alone+held, st.behind())
		}
		ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
		defer stop()
		if err := st.planner.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		if alone, held := st.planned(2); alone+held != 2 || len(st.states(elsewhere)) != 1 || st.behind() {
			t.Errorf("%d pages and %v elsewhere after following, behind %v", alone+held, st.states(elsewhere), st.behind())
		}
		st.alert("third")
		if alone, held := st.planned(3); alone+held != 3 || st.behind() {
			t.Errorf("%d pages of the third alert, behind %v", alone+held, st.behind())
		}
	})
}
