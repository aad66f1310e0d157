package oncall

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
)

// corpusCase is a case of testdata/dst/cases.json; its README explains the fields.
type corpusCase struct {
	Name      string          `json:"name"`
	Zone      string          `json:"zone"`
	Why       string          `json:"why"`
	Layers    []Layer         `json:"layers"`
	Overrides []Override      `json:"overrides"`
	From      time.Time       `json:"from"`
	To        time.Time       `json:"to"`
	Shifts    []expectedShift `json:"shifts"`
}

type expectedShift struct {
	Layer    int         `json:"layer"`
	User     id.User     `json:"user"`
	Start    time.Time   `json:"start"`
	End      time.Time   `json:"end"`
	Override id.Override `json:"override"`
	Instead  id.User     `json:"instead"`
}

func TestDaylightSavingCorpus(t *testing.T) {
	text, err := os.ReadFile("testdata/dst/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var corpus struct {
		License string       `json:"license"`
		Cases   []corpusCase `json:"cases"`
	}
	if err := json.Unmarshal(text, &corpus); err != nil {
		t.Fatal(err)
	}
	if len(corpus.Cases) < 60 || corpus.License != "Apache-2.0" {
		t.Fatalf("%d cases with license %q", len(corpus.Cases), corpus.License)
	}
	for _, c := range corpus.Cases {
		t.Run(c.Name, func(t *testing.T) {
			plan := Final(schedule(t, Rotation{Name: c.Name, Zone: c.Zone, Layers: c.Layers}), c.Overrides)
			got := []expectedShift{}
			for _, s := range plan.Between(c.From, c.To) {
				got = append(got, expectedShift{s.Layer, s.User, s.Start, s.End, s.Override, s.Instead})
			}
			if diff := cmp.Diff(c.Shifts, got); diff != "" {
				t.Errorf("%s: %s\nshifts (-want +got):\n%s", c.Zone, c.Why, diff)
			}
			// Who is on duty right at, and right before, each hand-over.
			for _, want := range c.Shifts {
				for at, on := range map[time.Time]bool{want.Start.Add(-1): false, want.Start: true, want.End.Add(-1): true, want.End: false} {
					if want.End.IsZero() && at.Before(want.Start.Add(-1)) {
						continue
					}
					found := false
					for _, s := range plan.OnCall(at) {
						found = found || s.Layer == want.Layer && s.Start.Equal(want.Start)
					}
					if found != on {
						t.Errorf("at %s %s in layer %d is on duty: %t, want %t", at.Format(time.RFC3339Nano), want.User, want.Layer, found, on)
					}
				}
			}
		})
	}
}
