package outbox

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// What a room is told is there when the alert is, whether its incident is in the
// database by then or not; and a step that comes later tells it again.
func TestRoomsAreToldWithTheAlert(t *testing.T) {
	each(t, func(t *testing.T, cfg store.Config) {
		st := accepting(t, cfg)
		targets := []escalation.Target{{Room: "#ops"}, {Room: "timeline"}, {User: "kim"}}
		_, err := st.dispatch.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
			return []org.Change{
				org.Put(room.Room{ID: "r", Kind: room.Private, Slug: "ops", Members: []id.User{"kim"}}),
				org.Put(escalation.Policy{ID: "p", Slug: "p", Name: "P", RepeatAfter: escalation.DefaultRepeatAfter, Steps: []escalation.Step{
					{Targets: targets}, {After: escalation.Duration(time.Millisecond), Targets: targets[:1]},
				}}),
			}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		heard := func(in id.Room) (texts []string) {
			found, err := st.store.Entries(t.Context(), store.EntryFilter{Rooms: []id.Room{in}, Kinds: []timeline.Kind{timeline.MessagePosted}, FromStart: true, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range found {
				texts = append(texts, string(e.Actor.Origin)+": "+e.Payload.(timeline.Message).Text)
			}
			return texts
		}
		st.alert("disk `@kim`")
		line := "bot: #1 needs somebody: `disk '@kim'` (escalation policy P)."
		for in, want := range map[id.Room][]string{"r": {line}, room.Main: {line}} {
			if diff := cmp.Diff(want, heard(in)); diff != "" || st.behind() {
				t.Errorf("room %q, behind %v (-want +got):\n%s", in, st.behind(), diff)
			}
		}
		for fired := 0; fired == 0; {
			if fired, err = st.dispatch.FireTimers(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff([]string{line, line}, heard("r")); diff != "" {
			t.Errorf("after the second step (-want +got):\n%s", diff)
		}
	})
}
