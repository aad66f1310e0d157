package bot

import (
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
)

// TestCompleteAnIncident: what is open is offered, by its number or by what it is about.
func TestCompleteAnIncident(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		err := a.store.Do(t.Context(), func(tx *store.Tx) error {
			for _, one := range []struct {
				title string
				state incident.State
			}{{"Disk full on db01", incident.Triggered}, {"Checkout is slow", incident.Acknowledged}, {"Disk full on db02", incident.Resolved}} {
				tx.Save(incident.Decision{Changed: true, Incident: incident.Incident{ID: tx.NewIncident(), EntityID: one.title, Title: one.title, State: one.state, TriggeredAt: tx.Now}})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for line, want := range map[string]string{
			"ack ": "2 Checkout is slow|1 Disk full on db01", "ack 1": "1 Disk full on db01", "ack #2": "2 Checkout is slow",
			"resolve disk": "1 Disk full on db01", "ack 1 check": "2 Checkout is slow", "ack 3": "",
		} {
			c, err := a.Complete(t.Context(), a.as("kim"), room.Main, line, len(line))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, one := range c.Candidates {
				if !strings.HasPrefix(one.Text, "--") {
					got = append(got, one.Text+one.Summary)
				}
			}
			if strings.Join(got, "|") != want {
				t.Errorf("%q offers %q, want %q", line, strings.Join(got, "|"), want)
			}
		}
	})
}
