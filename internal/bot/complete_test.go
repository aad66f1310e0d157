package bot

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/program"
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
		_, err := a.rooms.ChangeOrg(t.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
			kim := o.Users["kim"]
			kim.Contacts = []people.Contact{{ID: "c1", Method: people.Email, Address: "kim@example.org"}}
			return []org.Change{org.Put(kim)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.rooms.Page(t.Context(), a.as("kim"), "kim", "the shop is down", "shop"); err != nil {
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
		for line, want := range map[string]int{"ack ": 1, "ack #1": 1, "resolve ": 1, "ack 2": 0, "incident show ": 1} {
			if got := offers(a.as("kim"), line); len(got) != want || want > 0 && (got[0].Text != "1 " || !strings.Contains(got[0].Summary, "the shop is down")) {
				t.Errorf("%q offers %+v, want %d", line, got, want)
			}
		}
		if got := offers(a.as("kim"), "unlock dep"); len(got) != 1 || strings.TrimSpace(got[0].Text) != "deploy/shop" {
			t.Errorf("unlock offers %+v", got)
		}
	})
}

// knowing is a program that knows what its argument may be.
type knowing struct{ asked *int }

func (knowing) Run(context.Context, program.Request, program.Reporter) (program.Result, error) {
	return program.Result{Outcome: program.Succeeded}, nil
}

func (k knowing) CompleteArg(_ context.Context, arg, prefix string, r program.Request) ([]command.Candidate, error) {
	*k.asked++
	return []command.Candidate{{Text: "shop", Summary: arg + " for " + r.Username}, {Text: "blog"}}, nil
}

// Values that only the program of a command knows are asked of it, of those who
// may run it, and not at every key.
func TestCompleteAsksTheProgram(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		asked := 0
		a.catalogue.builtin = append(a.catalogue.builtin, Entry{Program: knowing{&asked}, Declaration: command.Declaration{
			ID: "ship", Words: []string{"ship"}, Summary: "Ships", Risk: command.Changes, Args: []command.Arg{{Name: "app", Asks: true}},
		}})
		a.catalogue.Refresh()
		offers := func(by people.Actor, line string) []command.Candidate {
			c, err := a.Complete(t.Context(), by, room.Main, line, len(line))
			if err != nil {
				t.Fatal(err)
			}
			return slices.DeleteFunc(c.Candidates, func(one command.Candidate) bool { return strings.HasPrefix(one.Text, "--") })
		}
		for range 3 {
			if got := offers(a.as("kim"), "ship sh"); len(got) != 1 || got[0].Text != "shop " || got[0].Summary != "app for kim" {
				t.Errorf("ship sh offers %+v", got)
			}
		}
		if got := offers(a.as("lee"), "ship app:"); len(got) != 2 {
			t.Errorf("ship app: offers %+v", got)
		}
		if asked != 2 {
			t.Errorf("the program was asked %d times, want once for each line", asked)
		}
		olga := people.Actor{User: "olga", Role: people.Observer}
		if got := offers(olga, "ship sh"); len(got) != 0 || asked != 2 {
			t.Errorf("who may not run it is offered %+v", got)
		}
	})
}
