package demo

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

// The demo begins at any time of any day of the year: everything that is
// arranged fits then, and the calendar has something to show.
func TestAnyDay(t *testing.T) {
	box, err := secret.Open(filepath.Join(t.TempDir(), "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 28 {
		now := begin.Add(time.Duration(i) * (13*24*time.Hour + 5*time.Hour + 17*time.Minute))
		t.Run(now.Format(time.RFC3339), func(t *testing.T) {
			s := storetest.Open(t, storetest.Clock(func() time.Time { return now }))
			h := New(s, dispatch.New(s, box, slog.New(slog.DiscardHandler)), 1)
			if _, err := h.Furnish(t.Context(), now); err != nil {
				t.Fatal(err)
			}
			if err := h.Arrange(t.Context(), now); err != nil {
				t.Fatal(err)
			}
			o, err := s.Org(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			arranged(t, o, now)
		})
	}
}

func arranged(t *testing.T, o *org.Org, now time.Time) {
	t.Helper()
	for r := range o.Rotations {
		if gaps := oncall.Gaps(o.Schedule(r), now.AddDate(0, 0, -2), now.AddDate(0, 0, 28)); len(gaps) > 0 {
			t.Errorf("nobody is on call in %s: %v", r, gaps)
		}
	}
	ada := func(s oncall.Shift) bool { return s.User == userID(Admin) }
	if !slices.ContainsFunc(o.Schedule(platformRota).Between(now, now.AddDate(0, 0, 14)), ada) {
		t.Error("the calendar shows no shift of the administrator")
	}
	have := fmt.Sprintf("%d overrides, %d absences, %d swaps, %d windows, %d drills, %d jobs",
		len(o.Overrides), len(o.Absences), len(o.Swaps), len(o.Maintenance), len(o.Drills), len(o.Heartbeats))
	if want := "2 overrides, 1 absences, 1 swaps, 1 windows, 1 drills, 2 jobs"; have != want {
		t.Errorf("there are %s, want %s", have, want)
	}
	for _, s := range o.Swaps {
		if s.To != userID(Admin) || s.State != oncall.SwapAsked || s.Return == nil {
			t.Errorf("the administrator is asked for no swap: %+v", s)
		}
	}
}

// Nothing in the demo reaches anybody outside: what is no mail, for which it has
// a server of its own, is switched off.
func TestReachesNobody(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, p := range carriers(func(string) string { return "sealed" }) {
		if !p.Off {
			t.Errorf("provider %s is on", p.Name)
		}
	}
	o, _, err := (&org.Org{}).Apply(organisation(now, routing.Integration{ID: "door", Kind: routing.REST, Name: "Monitoring", KeyHash: "door"})...)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range o.Users {
		for _, c := range u.Contacts {
			if c.Usable() && c.Method != people.Email {
				t.Errorf("%s is reached by %s", u.Name, c.Method)
			}
		}
		if !u.Reachable() {
			t.Errorf("%s cannot be reached", u.Name)
		}
	}
}
