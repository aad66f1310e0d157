package bot

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
)

// TestCompleteWhatWasGiven: one's own commands by number, and what is locked.
func TestCompleteWhatWasGiven(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		a.say(a.as("kim"), dispatch.Line{Text: "!remind in 2h look at the queue"})
		a.say(a.as("lee"), dispatch.Line{Text: "!locks"})
		a.listen()
		if _, err := a.desk.Lock(t.Context(), a.as("lee"), "deploy/shop", "moving", room.Main, time.Time{}); err != nil {
			t.Fatal(err)
		}
		offers := func(by people.Actor, line string) []command.Candidate {
			c, err := a.Complete(t.Context(), by, room.Main, line, len(line))
			if err != nil {
				t.Fatal(err)
			}
			return slices.DeleteFunc(c.Candidates, func(one command.Candidate) bool { return strings.HasPrefix(one.Text, "--") })
		}
		for _, line := range []string{"job ", "cancel ", "again "} {
			got := offers(a.as("kim"), line)
			if len(got) != 1 || !strings.Contains(got[0].Summary, "look at the queue") {
				t.Errorf("%q offers %+v, want the reminder", line, got)
			}
		}
		if got := offers(a.as("kim"), "job 9"); len(got) != 0 {
			t.Errorf("job 9 offers %+v", got)
		}
		if got := offers(a.as("kim"), "unlock dep"); len(got) != 1 || strings.TrimSpace(got[0].Text) != "deploy/shop" {
			t.Errorf("unlock offers %+v", got)
		}
	})
}
