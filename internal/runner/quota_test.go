package runner

import (
	"context"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// TestNobodyLeavesTooMuchForLater: the limit is each person's own, and what ends
// makes room.
func TestNobodyLeavesTooMuchForLater(t *testing.T) {
	story(t, func(st *station) {
		daily := func(a *Ask) { a.Schedule = invocation.Schedule{Cron: "0 9 * * *"} }
		later := func(a *Ask) { a.NotBefore = time.Now().Add(time.Hour) }
		accept := func(u id.User, change func(*Ask)) error {
			return st.store.Do(context.Background(), func(tx *store.Tx) error {
				p, err := st.court.parse("look here", tx.Now)
				if err != nil {
					return err
				}
				ask := Ask{Parsed: p, Raw: "!look here", Actor: st.actor(u), Username: string(u)}
				change(&ask)
				_, err = st.desk.Accept(tx, ask, invocation.Verdict{Allow: true})
				return err
			})
		}
		for _, c := range []struct {
			what   string
			change func(*Ask)
			most   int
		}{{"schedules", daily, maxSchedules}, {"reminders", later, maxReminders}} {
			var last invocation.Invocation
			for range c.most {
				last = st.give("kim", "look here", c.change)
			}
			if err := accept("kim", c.change); !fault.Is(err, fault.CodeConflict) {
				t.Errorf("one more of %d %s: %v, want a conflict", c.most, c.what, err)
			}
			if err := accept("lee", c.change); err != nil {
				t.Errorf("the first of the %s of somebody else: %v", c.what, err)
			}
			if _, err := st.desk.Cancel(context.Background(), people.Actor{User: "kim", Role: people.Member}, string(last.ID)); err != nil {
				t.Fatal(err)
			}
			if err := accept("kim", c.change); err != nil {
				t.Errorf("in the place of one of the %s that has ended: %v", c.what, err)
			}
		}
		st.give("kim", "look at once")
	})
}
