package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Suite runs every promise of the store against an engine; open returns an
// empty store of it.
func Suite(t *testing.T, open func(testing.TB) *store.Store) {
	t.Helper()
	for _, promise := range []struct {
		name string
		test func(*testing.T, *store.Store)
	}{
		{"numbers are dense in commit order", numbersAreDense},
		{"an error writes nothing", errorWritesNothing},
		{"a failing statement writes nothing", failingStatementWritesNothing},
		{"a panic frees the writer", panicFreesTheWriter},
		{"a cancelled caller waits no longer", cancelledCallerLeaves},
		{"nothing to write is no commit", nothingIsNoCommit},
		{"commits wake", commitsWake},
		{"reading goes on while writing", readersDoNotWait},
		{"who only looks waits for nobody and writes nothing", viewsLook},
		{"numbers that are returned are given out again", returnedNumbers},
		{"time never goes back", timeNeverGoesBack},
		{"every kind of entry comes back", everyKindComesBack},
		{"entries are chosen by each filter", entriesByFilter},
		{"rooms keep to themselves", rooms},
		{"who is there", presence},
		{"files", files},
		{"entries are found by words", entriesByWords},
		{"searches find the same in every way", searches},
		{"entries page both ways", entriesPage},
		{"an entry is found by time", entryByTime},
		{"followers and their cursors", followers},
		{"incidents", incidents},
		{"what an alert says is kept once", quotes},
		{"incidents are found by words", incidentsByWords},
		{"changed incidents are never missed", changedIncidents},
		{"an entity has one open incident", oneOpenIncident},
		{"alerts", alerts},
		{"timers", timers},
		{"deliveries", deliveries},
		{"claims", claims},
		{"what is out, and what makes noise", whatIsOut},
		{"deliveries of an incident", deliveriesOfIncident},
		{"invocations", invocations},
		{"lists of invocations", invocationLists},
		{"invocations that are due", dueInvocations},
		{"invocations that have started", startedInvocations},
		{"what is to be confirmed and approved", whatIsAwaited},
		{"the audit", audit},
		{"a long audit", longAudit},
		{"locks", locks},
		{"buttons", actions},
		{"definitions", definitions},
		{"policy versions are kept", policyVersions},
		{"passwords", passwords},
		{"sessions", sessions},
		{"second factors", factors},
		{"tokens", tokens},
		{"links", links},
		{"leases", leases},
		{"a backup brings everything back", backupBringsBack},
		{"a backup is taken while serving", backupWhileServing},
		{"a bad backup changes nothing", badBackup},
	} {
		t.Run(promise.name, func(t *testing.T) { promise.test(t, open(t)) })
	}
}

// do commits what fn writes.
func do(t *testing.T, s *store.Store, fn func(tx *store.Tx)) {
	t.Helper()
	err := s.Do(t.Context(), func(tx *store.Tx) error {
		fn(tx)
		return nil
	})
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// inTx returns what fn reads in a transaction.
func inTx[T any](t *testing.T, s *store.Store, fn func(tx *store.Tx) (T, error)) T {
	t.Helper()
	v, err := store.InTx(t.Context(), s, fn)
	if err != nil {
		t.Fatalf("read in a transaction: %v", err)
	}
	return v
}

// must returns a function that fails the test on an error, and the value.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: (-want +got)\n%s", what, d)
	}
}

// within waits for a channel that will be ready soon.
func within[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("waited too long for %s", what)
	}
	return v
}

func message(text string) timeline.Entry {
	return timeline.Entry{
		Kind: timeline.MessagePosted, Actor: timeline.Actor{User: "u1", Name: "Kim", Origin: timeline.Browser},
		Person: "u1", Payload: timeline.Message{Text: text},
	}
}

// at is an instant that both engines store exactly.
func at(minutes int) time.Time {
	return time.Date(2026, 11, 22, 12, 0, 0, 123_456_000, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

// opened is a new incident of an entity.
func opened(n id.Incident, entity string) incident.Incident {
	return incident.Incident{
		ID: n, State: incident.Triggered, EntityID: entity, Title: entity + " is down", Severity: alert.Critical,
		Team: "t1", Policy: "p1", PolicyVersion: 3, AlertCount: 1, TriggeredAt: at(0), LastAlertAt: at(0),
	}
}

func save(tx *store.Tx, inc incident.Incident) {
	tx.Save(incident.Decision{Incident: inc, Changed: true})
}

// newIncident saves a new incident with its first entry.
func newIncident(tx *store.Tx, entity string) id.Incident {
	inc := opened(tx.NewIncident(), entity)
	save(tx, inc)
	tx.Append(timeline.Entry{
		Kind: timeline.IncidentTriggered, Actor: timeline.Self, Incident: inc.ID, Team: inc.Team,
		Payload: timeline.Triggered{EntityID: entity, Title: inc.Title, Severity: "critical"},
	})
	return inc.ID
}
