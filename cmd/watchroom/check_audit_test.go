package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/health"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

// TestCheckFollowsTheAudit: whoever changes a row of the audit is found out by
// check, which says how far it is whole.
func TestCheckFollowsTheAudit(t *testing.T) {
	at := config.Storage{Data: t.TempDir()}
	s, err := openStore(t.Context(), at, true)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Do(t.Context(), func(tx *store.Tx) error {
		for range 7 {
			tx.AppendEvent(invocation.Event{Invocation: "i", Kind: invocation.EventReceived, Line: "deploy shop"})
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	check := func(asJSON bool) string {
		t.Helper()
		var out bytes.Buffer
		err := (&checkCmd{Storage: at, JSON: asJSON}).Run(t.Context(), &console{nil, &out, &out})
		if !errors.Is(err, errSilent) { // an organisation of nobody lacks much
			t.Fatalf("check = %v", err)
		}
		return out.String()
	}
	if said := check(false); !strings.Contains(said, "7 events, each of which follows") || strings.Contains(said, "Event ") {
		t.Errorf("check says of an audit that is whole:\n%s", said)
	}
	storetest.Tamper(t, at.DatabaseFile(), `UPDATE invocation_event SET body = REPLACE(body, 'deploy', 'delete') WHERE seq = 5`)
	if said := check(false); !strings.Contains(said, "4 events, each of which follows") || !strings.Contains(said, "Event 5 is not as it was written") {
		t.Errorf("check says of an audit that was changed:\n%s", said)
	}
	var report health.Report
	if err := json.Unmarshal([]byte(check(true)), &report); err != nil {
		t.Fatal(err)
	}
	if report.Audit == nil || *report.Audit != (health.Audit{Verified: 4, Broken: 5}) {
		t.Errorf("check --json has audit %+v", report.Audit)
	}
}
