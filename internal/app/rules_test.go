package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// last is what somebody gave last.
func (w *world) last(name string) invocation.Invocation {
	w.Helper()
	all := w.invocations(store.InvocationFilter{Person: id.User(name), Limit: 1})
	if len(all) == 0 {
		w.Fatalf("%s has given no command", name)
	}
	return all[0]
}

func (w *world) wantLast(name string, want invocation.State) {
	w.Helper()
	if inv := w.last(name); inv.State != want {
		w.Errorf("%s of %s is %s (%s), want %s", inv.Line, name, inv.State, inv.Why, want)
	}
}

// refusedChange fails unless changes are refused with words in the reason.
func (w *world) refusedChange(words string, changes ...org.Change) {
	w.Helper()
	_, err := w.app.Dispatch.ChangeOrg(w.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil })
	if !fault.Is(err, fault.CodeInvalid) || !strings.Contains(err.Error(), words) {
		w.Errorf("the change was answered %v, want %q in it", err, words)
	}
}

func TestACalendarFreezes(t *testing.T) {
	story(t, func(w *world) {
		o, err := w.app.Store.Org(w.Context())
		if err != nil {
			t.Fatal(err)
		}
		frozen := o.Settings
		frozen.Rules = `deny incident.resolve when calendar("Code freeze")`
		w.refusedChange("no calendar code-freeze", org.Put(frozen))
		berlin, err := time.LoadLocation("Europe/Berlin") // of the rotation
		if err != nil {
			t.Fatal(err)
		}
		today := time.Now().In(berlin).Format(time.DateOnly)
		w.change(org.Put(oncall.HolidayCalendar{ID: "freeze", Name: "Code freeze", Days: []oncall.Holiday{{Date: today, Name: "The end of the year"}}}))
		w.change(org.Put(frozen))
		w.refusedChange("no calendar code-freeze", org.Remove(org.HolidayKind, "freeze"))
		w.post("CRITICAL", "disk/db01", "93% full")
		w.say("kim", room.Main, "!resolve 1")
		w.wantLast("kim", invocation.Denied)
		w.wantState(1, incident.Triggered)
		w.say("kim", withBot("kim"), "policy explain resolve 1")
		w.wantHeard(withBot("kim"), "refused", "Code freeze")
		w.change(org.Put(oncall.HolidayCalendar{ID: "freeze", Name: "Code freeze", Days: []oncall.Holiday{{Date: "2000-06-01", Name: "Another day"}}}))
		w.say("kim", room.Main, "!resolve 1")
		w.wantLast("kim", invocation.Succeeded)
	})
}

func TestWhoIsOnCallForItMay(t *testing.T) {
	story(t, func(w *world) {
		w.rules("without defaults\nallow everyone * when risk == \"read\"\nallow role:oncall(service) incident.ack\nallow role:oncall(team) incident.note\nallow everyone incident.resolve when acked_by == user")
		w.post("CRITICAL", "disk/db01", "93% full")
		for _, line := range []string{"!ack 1", "!incident note 1 hot", "!resolve 1"} {
			w.say("noor", room.Main, line)
			w.wantLast("noor", invocation.Denied)
		}
		w.wantState(1, incident.Triggered)
		for _, line := range []string{"!ack 1", "!incident note 1 hot", "!resolve 1"} {
			w.say("kim", room.Main, line)
			w.wantLast("kim", invocation.Succeeded)
		}
		w.wantState(1, incident.Resolved)
	})
}

func TestLimitsCountWhatBegan(t *testing.T) {
	story(t, func(w *world) {
		w.rules("limit incident.note 2/hour per user")
		w.post("CRITICAL", "disk/db01", "93% full")
		note := func(name string, want invocation.State) {
			w.Helper()
			w.say(name, room.Main, "!incident note 1 hot")
			w.wantLast(name, want)
		}
		w.say("kim", room.Main, "!incident note 1 --dry-run hot")
		note("kim", invocation.Succeeded)
		w.later(20 * time.Minute)
		note("kim", invocation.Succeeded)
		note("kim", invocation.Denied)
		for range 5 { // what was refused does not push out what counts
			note("kim", invocation.Denied)
		}
		note("noor", invocation.Succeeded)
		w.restart()
		note("kim", invocation.Denied)
		w.later(41 * time.Minute)
		note("kim", invocation.Succeeded)
		note("kim", invocation.Denied)
	})
}

func TestTheGlassIsBroken(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01", "93% full")
		w.rules("require approval(admins) for incident.resolve\noverride user:noor incident.*")
		w.say("kim", room.Main, `!resolve 1 --break-glass --reason "it burns"`)
		w.wantLast("kim", invocation.Denied)
		w.say("noor", room.Main, `!resolve 1 --break-glass`)
		w.wantHeard(withBot("noor"), "needs a reason")
		w.say("noor", room.Main, `!resolve 1 --break-glass --reason "it burns"`)
		w.wantLast("noor", invocation.Confirming)
		w.say("noor", room.Main, "yes")
		w.wantLast("noor", invocation.Succeeded)
		w.wantState(1, incident.Resolved)
		inc := w.incident(2)
		if inc.Policy != "database" || !strings.Contains(inc.Title, "Noor broke the glass") || inc.State != incident.Triggered {
			t.Errorf("those who answer for it are paged by %+v", inc)
		}
		w.later(time.Minute)
		if n := len(w.mailTo("kim")); n != 2 {
			t.Errorf("kim, who is on call for it, got %d mails", n)
		}
		w.sent = append(w.sent, inc.EntityID)
		w.say("kim", room.Main, "!ack 2")
	})
}

// What is asked of every command is answered wherever it is given.
func TestOptionsOfEveryCommandEverywhere(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01", "93% full")
		given := func(line string) invocation.Invocation {
			w.Helper()
			_, err := w.app.talk.bot.Give(w.Context(), w.as("kim"), room.Main, 0, 0, line)
			if err != nil {
				w.Fatalf("%s: %v", line, err)
			}
			w.later(5 * time.Second)
			return w.last("kim")
		}
		if inv := given("resolve --help"); inv.Command != "help" || inv.State != invocation.Succeeded {
			t.Errorf("help by a button is %+v", inv)
		}
		w.wantHeard(withBot("kim"), "resolve")
		w.wantState(1, incident.Triggered)
		if inv := given("resolve 1 --dry-run"); !inv.DryRun || inv.State != invocation.Succeeded {
			t.Errorf("a dry run is %+v", inv)
		}
		w.wantState(1, incident.Triggered)
		if inv := given(`incident list --json --reason "to know" --timeout 5s`); inv.Reason != "to know" || inv.Timeout != 5*time.Second {
			t.Errorf("it was given as %+v", inv)
		}
		w.wantHeard(room.Main, "```json", `"state": "succeeded"`)
		given("incident list --private")
		w.wantHeard(withBot("kim"), "#1")
		if _, err := w.app.talk.bot.Give(w.Context(), w.as("kim"), room.Main, 0, 0, "oncall | wc"); !fault.Is(err, fault.CodeInvalid) {
			t.Errorf("a pipe: %v", err)
		}
		w.say("kim", room.Main, "!oncall |wc")
		w.wantHeard(withBot("kim"), "joins commands")
		seq := w.say("kim", room.Main, "!incident list --thread")
		if e := w.lastOf(room.Main); e.Thread != seq {
			t.Errorf("the answer stands in thread %d, want %d", e.Thread, seq)
		}
		w.say("kim", room.Main, "!again "+string(w.last("kim").ID))
		if all := w.invocations(store.InvocationFilter{Person: "kim", Command: "incident.list", Limit: 1}); all[0].From == "" || all[0].State != invocation.Succeeded {
			t.Errorf("once more is %+v", all[0])
		}
	})
}

// lastOf is the last thing that the bot said in a room.
func (w *world) lastOf(in id.Room) timeline.Entry {
	w.Helper()
	found, err := w.app.Store.Entries(w.Context(), store.EntryFilter{Rooms: []id.Room{in}, Kinds: []timeline.Kind{timeline.MessagePosted}, Limit: 50})
	if err != nil {
		w.Fatal(err)
	}
	var last timeline.Entry
	for _, e := range found {
		if e.Actor.Origin == timeline.Bot && e.Seq > last.Seq {
			last = e
		}
	}
	return last
}

// A button that somebody puts under their message gives a command of whoever
// presses, who has to say that they mean it.
func TestAButtonOfAMessage(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01", "93% full")
		press := func(name, line string) error {
			w.Helper()
			_, token := w.button(room.Main, line)
			_, err := w.app.talk.bot.Press(context.Background(), w.as(name), token)
			w.later(5 * time.Second)
			return err
		}
		if err := press("kim", "incident list"); err != nil {
			t.Error(err)
		}
		w.wantLast("kim", invocation.Succeeded)
		if err := press("kim", "resolve 1"); err != nil {
			t.Error(err)
		}
		w.wantLast("kim", invocation.Confirming)
		w.wantState(1, incident.Triggered)
		w.say("kim", room.Main, "yes")
		w.wantState(1, incident.Resolved)
		w.rules("require approval(admins) for incident.note")
		w.say("kim", room.Main, "!incident note 1 x")
		short := w.last("kim").Short
		if err := press("ada", "approve "+short); err != nil { // a label may say anything: nobody approves by mistake
			t.Error(err)
		}
		w.wantLast("kim", invocation.Awaiting)
		w.say("ada", room.Main, "yes")
		w.wantLast("kim", invocation.Succeeded)
		if err := press("olga", "resolve 1"); err != nil {
			t.Error(err)
		}
		w.wantLast("olga", invocation.Denied)
		for _, wrong := range [][]timeline.Action{{{Label: "", Line: "x"}}, {{Label: "x"}}, {{Label: "x", Line: "a\nb"}}, {{Label: "x", Line: "x", Style: "huge"}}, make([]timeline.Action, 11)} {
			if _, err := w.app.Dispatch.Say(w.Context(), w.as("kim"), dispatch.Line{Text: "x", Actions: wrong}); !fault.Is(err, fault.CodeInvalid) {
				t.Errorf("Say(%+v) = %v", wrong, err)
			}
		}
	})
}
