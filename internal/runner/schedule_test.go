package runner

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestSchedules(t *testing.T) {
	story(t, func(st *station) {
		start := time.Now()
		once := st.give("kim", "look later", func(a *Ask) { a.NotBefore = start.Add(2 * time.Hour) })
		often := st.give("kim", "look often", func(a *Ask) { a.Schedule = invocation.Schedule{Cron: "0 */6 * * *"} })
		pass(time.Hour)
		if n := len(st.script.asked()); n != 0 {
			t.Errorf("%d runs before the time", n)
		}
		pass(time.Hour + time.Minute)
		st.wantState(once.ID, invocation.Succeeded)
		pass(24*time.Hour - time.Minute)
		if n := len(st.script.asked()); n != 5 {
			t.Errorf("%d runs in a day, want one and four", n)
		}
		st.wantState(often.ID, invocation.Queued)
		for _, r := range st.script.asked()[1:] {
			made := st.now(r.ID)
			if made.From != often.ID || r.Actor.User != "kim" || made.By.Origin != timeline.System {
				t.Errorf("it ran as %+v from %s", r.Actor, made.From)
			}
		}
		st.court.set(func(c *court) { c.denied["kim"] = "Not any more." })
		pass(6 * time.Hour)
		if n := len(st.script.asked()); n != 5 {
			t.Errorf("%d runs; its owner may not any more", n)
		}
		if _, err := st.desk.Cancel(st.Context(), st.actor("kim"), itoa(often.Number)); err != nil {
			t.Error(err)
		}
		// Its owner leaves: nothing runs in the name of somebody who is not here.
		st.court.set(func(c *court) { delete(c.denied, "kim") })
		left := st.give("lee", "look as lee", func(a *Ask) { a.Schedule = invocation.Schedule{Cron: "@hourly"} })
		_, err := st.rooms.ChangeOrg(context.Background(), st.actor("ada"), func(o *org.Org) ([]org.Change, error) {
			lee := o.Users["lee"]
			lee.Disabled = true
			return []org.Change{org.Put(lee)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Hour)
		st.wantState(left.ID, invocation.Cancelled)
		if n := len(st.script.asked()); n != 5 {
			t.Errorf("%d runs; its owner has left", n)
		}
	})
}

func TestAnOldChangeDoesNotRunByItself(t *testing.T) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		st := newStation(t, cfg)
		change, look := st.give("kim", "deploy run shop"), st.give("kim", "look")
		pass(3 * time.Hour) // no node runs
		defer st.node("one")()
		pass(time.Second)
		st.wantState(change.ID, invocation.Expired)
		st.wantState(look.ID, invocation.Succeeded)
	})
}
