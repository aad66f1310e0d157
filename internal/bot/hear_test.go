package bot

import (
	"errors"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// A line as long as they may be is answered, and nobody waits for it.
func TestALongLineStopsNobody(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		a.say(a.as("kim"), dispatch.Line{Text: "@victor " + strings.Repeat("x", 9980)})
		a.say(a.as("kim"), dispatch.Line{Text: "!help --help " + strings.Repeat("x", 9980)})
		next := a.say(a.as("lee"), dispatch.Line{Text: "!locks"})
		a.listen()
		if len(a.given()[next]) != 1 {
			t.Error("the next line was not heard")
		}
		own := room.DirectOf("kim", room.Bot)
		answers, err := a.store.Entries(t.Context(), store.EntryFilter{Rooms: []id.Room{own}, Kinds: []timeline.Kind{timeline.MessagePosted}})
		if err != nil || len(answers) != 2 {
			t.Fatalf("%d answers, %v", len(answers), err)
		}
		if text := answers[0].Payload.(timeline.Message).Text; len(text) > 1000 || !strings.Contains(text, "help") {
			t.Errorf("the answer is %q", text)
		}
	})
}

// What is wrong with one message is passed over, and nothing of it stays; what is
// wrong with us is tried again.
func TestOneMessageHoldsUpNoOther(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		kim, broken := a.as("kim"), errors.New("the disk is full")
		good, bad := a.say(kim, dispatch.Line{Text: "good"}), a.say(kim, dispatch.Line{Text: "bad"})
		last := a.say(kim, dispatch.Line{Text: "last"})
		hear := func(why error) func(*store.Tx, timeline.Entry) error {
			return func(tx *store.Tx, e timeline.Entry) error {
				if _, err := dispatch.Answer(tx, dispatch.Line{Text: e.Payload.(timeline.Message).Text, Thread: e.Seq}); err != nil {
					return err
				}
				if e.Seq == bad {
					return why
				}
				return nil
			}
		}
		answered := func() (all []id.Seq) {
			found, err := a.store.Entries(t.Context(), store.EntryFilter{After: last, Kinds: []timeline.Kind{timeline.MessagePosted}})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range found {
				all = append(all, e.Thread)
			}
			return all
		}
		if _, err := a.follow(t.Context(), hear(broken)); !errors.Is(err, broken) || len(answered()) != 0 {
			t.Errorf("follow() = %v, with answers to %v", err, answered())
		}
		if more, err := a.follow(t.Context(), hear(fault.Invalid("text", "Odd."))); !more || err != nil {
			t.Errorf("follow() = %v, %v", more, err)
		}
		if got := answered(); len(got) != 2 || got[0] != good || got[1] != last {
			t.Errorf("answered are %v, want %d and %d", got, good, last)
		}
	})
}

// Of a line that was written anew and deleted the new one is not given either.
func TestAnEditThatIsTakenBackInTime(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		ctx, kim := t.Context(), a.as("kim")
		seq := a.say(kim, dispatch.Line{Text: "!wipe"})
		a.listen()
		if err := a.rooms.Edit(ctx, kim, seq, "!wipe --reason 'the other one'"); err != nil {
			t.Fatal(err)
		}
		if err := a.rooms.Delete(ctx, kim, seq); err != nil {
			t.Fatal(err)
		}
		a.listen()
		if got := a.given()[seq]; len(got) != 1 || got[0].State != invocation.Cancelled {
			t.Errorf("there are %+v, want the first one cancelled", got)
		}
	})
}

// A living message is changed every two seconds, and costs no transaction each time.
func TestTheCursorRestsBeforeOurOwnEdits(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		living, err := a.rooms.Answer(t.Context(), dispatch.Line{Text: "1 %"})
		if err != nil {
			t.Fatal(err)
		}
		a.listen()
		at := func() id.Seq {
			all, err := a.store.Cursors(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return all[Cursor]
		}
		before := at()
		for i := range rests {
			if at() != before {
				t.Fatalf("the cursor moved after %d edits", i)
			}
			if err := a.rooms.Revise(t.Context(), living, "2 %", nil); err != nil {
				t.Fatal(err)
			}
			a.listen()
		}
		if at() == before {
			t.Errorf("the cursor rests before %d edits", rests)
		}
		given := a.say(a.as("lee"), dispatch.Line{Text: "!locks"})
		a.listen()
		if len(a.given()[given]) != 1 {
			t.Error("a command after them was not heard")
		}
	})
}
