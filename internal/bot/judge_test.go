package bot

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/permit"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Calendars are worked out once in a minute, and anew with the organisation.
func TestCalendarsOfAMinute(t *testing.T) {
	policy, err := permit.Compile(`deny * when calendar("feast")`)
	if err != nil {
		t.Fatal(err)
	}
	j := NewJudge(nil, slog.New(slog.DiscardHandler))
	house := func(date string) *org.Org {
		return &org.Org{
			Rotations: map[id.Rotation]oncall.Rotation{"r1": {Zone: "Europe/Berlin"}},
			Holidays:  map[id.Holidays]oncall.HolidayCalendar{"h1": {Name: "Feast", Days: []oncall.Holiday{{Date: date}}}},
		}
	}
	feast, none := house("2026-12-25"), house("2026-12-31")
	eve := time.Date(2026, 12, 24, 22, 59, 59, 0, time.UTC)
	for i, c := range []struct {
		o    *org.Org
		at   time.Time
		want bool
	}{
		{feast, eve, false}, {feast, eve.Add(time.Second), true}, {feast, eve.Add(2 * time.Second), true},
		{none, eve.Add(2 * time.Second), false}, {feast, eve.Add(24 * time.Hour), true}, {feast, eve.Add(24*time.Hour + time.Second), false},
	} {
		if got := j.calendars(policy, c.o, c.at); len(got) != 1 || got["feast"] != c.want {
			t.Errorf("%d: calendars at %s = %v, want %v", i, c.at, got, c.want)
		}
	}
}

// What a second factor is wanted for waits for who asked when they can show one,
// and is refused in words when they cannot; who approves shows theirs apart.
func TestWhoIsJudgedToShowASecondFactor(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		a.ruled("require step_up for wipe")
		by := func(u id.User, from timeline.Origin) timeline.Actor { return timeline.Actor{User: u, Origin: from} }
		for what, c := range map[string]struct {
			by       timeline.Actor
			provenAt time.Time
			as       people.Actor
			allow    bool
			stepUp   bool
			why      string
		}{
			"who asked":                           {by: by("kim", timeline.Chat), as: a.as("kim"), stepUp: true, why: "your second factor"},
			"who asked and has shown it for this": {by: by("kim", timeline.Chat), provenAt: time.Unix(1, 0), as: a.as("kim"), allow: true},
			"a schedule that is older":            {by: by("kim", timeline.System), as: a.as("kim"), why: "Make the schedule anew"},
			"a schedule that it was shown for":    {by: by("kim", timeline.System), provenAt: time.Unix(1, 0), as: a.as("kim"), allow: true},
			"who approves":                        {by: by("kim", timeline.Chat), as: a.as("lee"), allow: true},
			"who approves what a schedule asks":   {by: by("kim", timeline.System), as: a.as("lee"), allow: true},
		} {
			j, err := store.InTx(t.Context(), a.store, func(tx *store.Tx) (runner.Judgement, error) {
				return a.judge.Judge(tx, invocation.Invocation{By: c.by, ProvenAt: c.provenAt}, "wipe", c.as)
			})
			if v := j.Verdict; err != nil || !j.StepUp || v.Allow != c.allow || v.StepUp != c.stepUp || !strings.Contains(v.Why, c.why) {
				t.Errorf("%s: %+v, %v", what, v, err)
			}
		}
	})
}

// Whoever may approve is told that a token cannot, not that they have no right.
func TestAProgramCannotShowASecondFactorForAnApproval(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		a.catalogue.builtin = append(a.catalogue.builtin, Entry{Declaration: command.Declaration{
			ID: "drop", Words: []string{"drop"}, Summary: "Drops", Risk: command.Changes, Approval: command.Approval{Count: 1, Peer: true},
		}})
		a.catalogue.Refresh()
		a.ruled("require step_up for drop")
		inv, err := a.Give(t.Context(), a.proven("kim"), room.Main, 0, 0, "drop")
		if err != nil || inv.State != invocation.Awaiting {
			t.Fatalf("Give() = %s, %v", inv.State, err)
		}
		token := a.as("lee")
		token.Origin = timeline.API
		if _, err := a.desk.Approve(t.Context(), token, inv.Short); !strings.Contains(fault.MessageOf(err), "a program cannot show one") {
			t.Errorf("approved by a token: %v", err)
		}
		if inv, err = a.desk.Approve(t.Context(), a.proven("lee"), inv.Short); err != nil || inv.State != invocation.Queued {
			t.Errorf("Approve() = %s, %v", inv.State, err)
		}
	})
}
