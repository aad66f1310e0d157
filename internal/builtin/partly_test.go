package builtin

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

// desk is an organisation of Kim's with two rotations, both of which she took.
func desk(t *testing.T, taken time.Time, ends map[id.Rotation]time.Time) *Deps {
	t.Helper()
	s := storetest.Open(t)
	box := secrettest.Box(t)
	d := dispatch.New(s, box, slog.New(slog.DiscardHandler))
	_, err := d.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
		all := []org.Change{
			org.Put(people.User{ID: "kim", Username: "kim", Name: "Kim", Email: "kim@example.org", Role: people.Member, Zone: "UTC"}),
			org.Put(people.Team{ID: "t1", Slug: "ops", Name: "Operations", Members: []id.User{"kim"}}),
		}
		for _, name := range []string{"Primary", "Secondary"} {
			n := id.Rotation(name)
			all = append(all,
				org.Put(oncall.Rotation{
					ID: n, Name: name, Team: "t1", Zone: "UTC",
					Layers: []oncall.Layer{{Members: []id.User{"kim"}, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: "2026-01-05"}},
				}),
				org.Put(oncall.Override{ID: id.Override(name), Rotation: n, User: "kim", Start: taken, End: ends[n], Kind: oncall.Taken, By: "kim"}))
		}
		return all, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return &Deps{Store: s, Dispatch: d}
}

func (d *Deps) give(t *testing.T, commandID string, now time.Time, args map[string]string) program.Result {
	t.Helper()
	all := Commands(d)
	at := slices.IndexFunc(all, func(c Command) bool { return c.Declaration.ID == commandID })
	kim := people.Actor{User: "kim", Name: "Kim", Role: people.Member, Origin: timeline.Chat}
	res, err := all[at].Run(t.Context(), program.Request{Command: commandID, Actor: kim, Args: args, Now: now}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// What one of several things comes to does not unsay the others.
func TestHandBackOfTwo(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	asked, over := now.Add(-time.Minute), now.Add(-time.Second) // one ends between the question and the answer
	for _, c := range []struct {
		ends    map[id.Rotation]time.Time
		outcome program.Outcome
		want    []string
	}{
		{nil, program.Succeeded, []string{"Handed back: Primary, Secondary."}},
		{map[id.Rotation]time.Time{"Secondary": over}, program.Succeeded, []string{"Handed back: Primary.", "\nSecondary: "}},
		{map[id.Rotation]time.Time{"Primary": over}, program.Succeeded, []string{"Handed back: Secondary.", "\nPrimary: "}},
		{map[id.Rotation]time.Time{"Primary": over, "Secondary": over}, program.Refused, []string{"Primary: ", "\nSecondary: "}},
	} {
		res := desk(t, now.Add(-time.Hour), c.ends).give(t, "handback", asked, nil)
		for _, want := range c.want {
			if text := res.Text + res.Why; res.Outcome != c.outcome || !strings.Contains(text, want) {
				t.Errorf("%v: %s %q, want %s with %q", c.ends, res.Outcome, text, c.outcome, want)
			}
		}
	}
}

// Of many that could not be done all are told.
func TestNoneOfMany(t *testing.T) {
	d := desk(t, time.Now().Add(-time.Hour), nil)
	numbers := make([]string, 15)
	for i := range numbers {
		numbers[i] = strings.Repeat("9", i+2)
	}
	res := d.give(t, "ack", time.Now(), map[string]string{"incident": strings.Join(numbers, "\n")})
	if lines := strings.Split(res.Text, "\n"); res.Outcome != program.Refused || len(lines) != len(numbers) {
		t.Errorf("%s with %q", res.Outcome, res.Text)
	}
}
