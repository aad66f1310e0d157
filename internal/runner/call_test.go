package runner

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// What waits for approval is seen by somebody who may give it, or who asked
// knows that it is not.
func TestWhoIsCalled(t *testing.T) {
	private := func(a *Ask) { a.Parsed.Options.Private = true }
	alone := func(a *Ask) { a.Room = room.DirectOf("kim", room.Bot) }
	in := func(*Ask) {}
	for _, c := range []struct {
		intent string
		more   int                // accounts beside those of a station
		change func(*people.User) // of them
		nobody bool               // may approve it
		how    func(*Ask)
		called int // in the room or each by themselves
		noted  string
	}{
		{intent: "a few are called in their room", how: in, called: 2},
		{intent: "many see it in their room", more: 120, how: in},
		{intent: "some see it in their room", more: 30, how: in},
		{intent: "of many who do not see it some are asked", more: 120, how: private, called: maxCalled, noted: "I have asked 20 of them."},
		{intent: "as of some", more: 30, how: alone, called: maxCalled, noted: "I have asked 20 of them."},
		{intent: "who is not here does not count", more: 120, change: func(u *people.User) { u.Disabled = true }, how: private, called: 2},
		{intent: "nor does a robot", more: 120, change: func(u *people.User) { u.Robot, u.Email = true, "" }, how: private, called: 2},
		{intent: "there is nobody to ask", nobody: true, how: in, noted: "I found nobody to ask"},
	} {
		t.Run(c.intent, func(t *testing.T) {
			story(t, func(st *station) {
				_, err := st.rooms.ChangeOrg(st.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
					var all []org.Change
					for i := range c.more {
						name := fmt.Sprintf("more%03d", i)
						u := people.User{ID: id.User(name), Username: name, Name: name, Email: name + "@example.org", Role: people.Member, Zone: "UTC"}
						if c.change != nil {
							c.change(&u)
						}
						all = append(all, org.Put(u))
					}
					return all, nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if c.nobody {
					st.court.set(func(court *court) { court.denied["ada"], court.denied["lee"] = "Not you.", "Not you." })
				}
				inv := st.give("kim", "wipe it", c.how)
				err = st.store.Do(st.Context(), func(tx *store.Tx) error {
					_, err := st.desk.Yes(tx, st.actor("kim"), inv.Room)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				called := map[id.User]bool{}
				for _, e := range st.said() {
					for _, u := range e.Payload.(timeline.Message).Mentions {
						called[u] = true
					}
				}
				if len(called) != c.called || called["kim"] {
					t.Errorf("%d are called, want %d: %v", len(called), c.called, called)
				}
				prompt := st.said()[0].Payload.(timeline.Message)
				if _, noted, found := strings.Cut(prompt.Text, "\n"); found != (c.noted != "") || !strings.Contains(noted, c.noted) {
					t.Errorf("who asked reads %q, want %q in it", prompt.Text, c.noted)
				}
				pass(time.Hour)
				st.wantState(inv.ID, invocation.Expired)
			})
		})
	}
}
