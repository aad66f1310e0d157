package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// say writes a line as somebody types it in the browser, and lets what follows happen.
func (w *world) say(name string, in id.Room, text string) id.Seq {
	w.Helper()
	seq, err := w.app.Dispatch.Say(w.Context(), w.as(name), dispatch.Line{Room: in, Text: text})
	if err != nil {
		w.Fatalf("%s says %q in %q: %v", name, text, in, err)
	}
	w.settle()
	return seq
}

// heard are the bot's messages in a room as they are now, the first in front.
func (w *world) heard(in id.Room) []timeline.Message {
	w.Helper()
	found, err := w.app.Store.Entries(w.Context(), store.EntryFilter{Rooms: []id.Room{in}, Kinds: []timeline.Kind{timeline.MessagePosted}, Limit: 500, FromStart: true})
	if err != nil {
		w.Fatal(err)
	}
	var all []timeline.Message
	for _, e := range found {
		if m, ok := e.Payload.(timeline.Message); ok && e.Actor.Origin == timeline.Bot {
			all = append(all, m)
		}
	}
	return all
}

// wantHeard looks for words in what the bot said last in a room.
func (w *world) wantHeard(in id.Room, words ...string) {
	w.Helper()
	all := w.heard(in)
	if len(all) == 0 {
		w.Fatalf("the bot said nothing in %q", in)
	}
	last := all[len(all)-1].Text
	for _, word := range words {
		if !strings.Contains(last, word) {
			w.Errorf("in %q the bot said %q, want %q in it", in, last, word)
		}
	}
}

func withBot(name string) id.Room { return room.DirectOf(id.User(name), room.Bot) }

func (w *world) invocations(f store.InvocationFilter) []invocation.Invocation {
	w.Helper()
	found, err := w.app.Store.Invocations(w.Context(), f)
	if err != nil {
		w.Fatal(err)
	}
	return found
}

func TestAnIncidentInTheConversation(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01", "93% full")
		w.say("noor", room.Main, "@victor who is on call for database?")
		w.wantHeard(room.Main, "Kim", "Primary")
		w.say("kim", room.Main, "!ack 1")
		w.wantState(1, incident.Acknowledged)
		w.wantHeard(room.Main, "#1")
		if by := w.incident(1).AckedBy; by.User != "kim" || by.Origin != timeline.Chat {
			w.Errorf("acknowledged by %+v, want kim in the conversation", by)
		}
		w.later(time.Hour)
		w.wantMails(map[string]int{"kim": 1})
		w.say("noor", room.Main, "!resolve 1")
		w.wantState(1, incident.Resolved)
		w.say("noor", room.Main, "!nice work")                   // no command: a sigil before a word that is none is chat
		w.say("noor", room.Main, "`!resolve 1` is what I typed") // nor in code
		if n := len(w.invocations(store.InvocationFilter{})); n != 3 {
			w.Errorf("%d commands were given, want 3", n)
		}
	})
}

// Each command by each role: what somebody may not do is refused, privately, and nothing changes.
func TestWhoMayWhat(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01", "93% full")
		refused := func(name, line string) {
			w.Helper()
			before, talk := len(w.entries()), len(w.heard(room.Main))
			found := w.invocations(store.InvocationFilter{Person: id.User(name)})
			if _, err := w.app.talk.bot.Give(w.Context(), w.as(name), room.Main, 0, 0, line); err != nil {
				w.Fatalf("%s gives %q: %v", name, line, err)
			}
			w.settle()
			now := w.invocations(store.InvocationFilter{Person: id.User(name)})
			if len(now) != len(found)+1 || now[0].State != invocation.Denied {
				w.Errorf("%s gives %q: %+v, want denied", name, line, now)
			}
			if got := len(w.heard(room.Main)); got != talk {
				w.Errorf("the refusal of %q to %s was said in front of everybody (%d entries before)", line, name, before)
			}
		}
		for _, line := range []string{
			"ack 1", "unack 1", "resolve 1", "snooze 1 1h", "reroute 1 default", "page kim help", "incident open fire", "incident note 1 x", "incident assign 1 kim",
			"take primary", "handback", "maintenance start disk", "maintenance end", "lock deploy", "unlock deploy", "schedule '0 9 * * *' oncall",
		} {
			refused("olga", line) // an observer looks
		}
		for _, line := range []string{"oncall", "incident list", "incident show 1", "whoami", "help"} {
			if _, err := w.app.talk.bot.Give(w.Context(), w.as("olga"), room.Main, 0, 0, line); err != nil {
				w.Errorf("an observer gives %q: %v", line, err)
			}
			w.settle()
			if last := w.invocations(store.InvocationFilter{Person: "olga", Limit: 1})[0]; last.State != invocation.Succeeded {
				w.Errorf("an observer gives %q: %s %s", line, last.State, last.Why)
			}
		}
		w.wantState(1, incident.Triggered)
		// What a use case keeps for administrators no rule gives to a member.
		w.say("kim", withBot("kim"), "maintenance start 'disk/*' 1h")
		if last := w.invocations(store.InvocationFilter{Person: "kim", Limit: 1})[0]; last.State != invocation.Denied {
			w.Errorf("a member starts maintenance: %s", last.State)
		}
		w.say("ada", withBot("ada"), "maintenance start 'disk/*' 1h")
		if last := w.invocations(store.InvocationFilter{Person: "ada", Limit: 1})[0]; last.State != invocation.Succeeded {
			w.Errorf("an administrator starts maintenance: %s %s", last.State, last.Why)
		}
	})
}

func TestWhatIsNotUnderstoodIsSaidPrivately(t *testing.T) {
	story(t, func(w *world) {
		before := len(w.heard(room.Main))
		w.say("kim", room.Main, "@victor resolv 1")
		w.wantHeard(withBot("kim"), "resolve")
		w.say("kim", room.Main, "!snooze")
		w.wantHeard(withBot("kim"), "snooze")
		if got := len(w.heard(room.Main)); got != before {
			w.Errorf("the bot said %d things in front of everybody", got-before)
		}
	})
}

func TestApprovalByASecondPerson(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01", "93% full")
		w.rules("require approval(database, peer) for incident.resolve")
		w.say("kim", room.Main, "!resolve 1")
		w.wantState(1, incident.Triggered)
		waiting := w.invocations(store.InvocationFilter{Open: true})
		if len(waiting) != 1 || waiting[0].State != invocation.Awaiting || waiting[0].Short == "" {
			w.Fatalf("after the request: %+v", waiting)
		}
		short := waiting[0].Short
		w.say("kim", room.Main, "!approve "+short) // oneself does not count
		w.wantState(1, incident.Triggered)
		w.say("ada", room.Main, "!approve "+short) // nor who is not in the group
		w.wantState(1, incident.Triggered)
		w.say("noor", withBot("noor"), "pending")
		w.wantHeard(withBot("noor"), short)
		w.say("noor", room.Main, "!approve "+short)
		w.wantState(1, incident.Resolved)
		if by := w.incident(1).ResolvedBy; by.User != "kim" {
			w.Errorf("resolved by %+v, want kim, who asked", by)
		}
	})
}

func TestNobodyApprovesInTime(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01", "93% full")
		w.rules("require approval(database, peer) for incident.resolve")
		w.say("kim", room.Main, "!resolve 1")
		w.later(16 * time.Minute)
		last := w.invocations(store.InvocationFilter{Command: "resolve", Limit: 1})[0]
		if last.State != invocation.Expired {
			w.Errorf("after a quarter of an hour it is %s", last.State)
		}
		w.wantState(1, incident.Triggered)
		w.say("kim", room.Main, "!ack 1")
	})
}

func TestConfirmByYes(t *testing.T) {
	story(t, func(w *world) {
		w.post("CRITICAL", "disk/db01", "93% full")
		w.rules("require confirmation for incident.resolve")
		w.say("kim", room.Main, "!resolve 1")
		w.say("noor", room.Main, "yes") // somebody else's yes is chat
		w.wantState(1, incident.Triggered)
		w.say("kim", room.Main, "no")
		w.say("kim", room.Main, "yes") // too late
		w.wantState(1, incident.Triggered)
		w.say("kim", room.Main, "!resolve 1")
		w.say("kim", room.Main, "Yes.")
		w.wantState(1, incident.Resolved)
	})
}

func TestRemindersAndSchedules(t *testing.T) {
	story(t, func(w *world) {
		w.say("kim", room.Main, "!remind in 2h look at the queue")
		w.later(2*time.Hour - time.Minute)
		if n := len(w.invocations(store.InvocationFilter{Command: "remind.now", States: []invocation.State{invocation.Succeeded}})); n != 0 {
			w.Errorf("reminded too early")
		}
		w.later(2 * time.Minute)
		w.wantHeard(room.Main, "@kim", "look at the queue")
		w.say("kim", room.Main, "!schedule '*/30 * * * *' oncall")
		before := len(w.heard(room.Main))
		w.later(65 * time.Minute)
		if got := len(w.heard(room.Main)) - before; got < 2 {
			w.Errorf("in an hour a command of every half hour answered %d times", got)
		}
		job := w.invocations(store.InvocationFilter{Command: "oncall", Open: true})
		if len(job) != 1 {
			w.Fatalf("scheduled: %+v", job)
		}
		w.say("kim", room.Main, "!cancel "+string(job[0].ID))
		before = len(w.heard(room.Main))
		w.later(65 * time.Minute)
		if got := len(w.heard(room.Main)) - before; got != 0 {
			w.Errorf("a cancelled schedule answered %d times", got)
		}
	})
}

func TestGreetedOnceAndShownAround(t *testing.T) {
	story(t, func(w *world) {
		w.settle()
		w.later(2 * time.Minute)
		for _, name := range []string{"ada", "kim", "noor", "olga"} {
			if n := len(w.heard(withBot(name))); n != 1 {
				w.Errorf("%s was greeted %d times", name, n)
			}
		}
		w.restart()
		w.later(2 * time.Minute)
		if n := len(w.heard(withBot("kim"))); n != 1 {
			w.Errorf("after a restart kim was greeted %d times", n)
		}
		press := func(name, label string) {
			w.Helper()
			all := w.heard(withBot(name))
			for _, m := range slices.Backward(all) {
				if m.Doc == nil {
					continue
				}
				for _, b := range m.Doc.Blocks {
					for _, a := range b.Actions {
						if a.Label == label && a.Token != "" {
							if _, err := w.app.talk.bot.Press(w.Context(), w.as(name), a.Token); err != nil {
								w.Fatalf("press %q: %v", label, err)
							}
							w.settle()
							return
						}
					}
				}
			}
			w.Fatalf("no button %q for %s", label, name)
		}
		press("noor", "Show me around")
		press("noor", "Send me a test page")
		w.later(time.Minute)
		w.say("noor", withBot("noor"), "tour") // left, and resumed
		press("noor", "Who is on call?")
		w.say("noor", withBot("noor"), "tour")
		press("noor", "Take on-call")
		w.say("noor", withBot("noor"), "tour")
		press("noor", "Hand it back")
		w.say("noor", withBot("noor"), "tour")
		press("noor", "Open a practice incident")
		w.later(time.Minute)
		w.wantState(1, incident.Triggered)
		if n := len(w.mailTo("kim")); n != 0 {
			w.Errorf("a practice incident paged a colleague %d times", n)
		}
		press("noor", "Acknowledge")
		w.wantState(1, incident.Acknowledged)
		w.say("noor", withBot("noor"), "tour")
		press("noor", "Start a drill")
		w.later(time.Minute)
		w.say("noor", withBot("noor"), "tour")
		w.wantHeard(withBot("noor"), "You have seen it all")
		w.say("noor", withBot("noor"), "tour drill")
		w.wantHeard(withBot("noor"), "paged once")
		// Who is on call by the rota has nothing to take, and anybody may go past a stop.
		press("kim", "Show me around")
		w.wantHeard(withBot("kim"), "[x] take on-call", "[x] hand it back", "[ ] who is on call")
		press("kim", "Skip this")
		w.wantHeard(withBot("kim"), "[x] who is on call", "[ ] open a practice incident")
		w.sent = append(w.sent, practiceEntity) // it came by no integration
		w.change(org.Put(org.Settings{Name: "Example", WarningsOpen: true, SnoozeMorningAt: "09:00"}))
		w.say("ada", withBot("ada"), "tour")
		w.wantHeard(withBot("ada"), "still lacks", "default policy")
	})
}

const practiceEntity = "practice/noor"

// rules sets the rules of commands.
func (w *world) rules(text string) {
	w.Helper()
	_, err := w.app.Dispatch.ChangeOrg(w.Context(), people.Operator(), func(o *org.Org) ([]org.Change, error) {
		s := o.Settings
		s.Rules = text
		return []org.Change{org.Put(s)}, nil
	})
	if err != nil {
		w.Fatal(err)
	}
}

// A private room stays private: on the timeline, in search, for commands and by mention.
func TestAPrivateRoomIsNobodyElses(t *testing.T) {
	story(t, func(w *world) {
		r, err := w.app.Dispatch.OpenRoom(w.Context(), w.as("kim"), room.Room{Kind: room.Private, Slug: "raise", Members: []id.User{"noor"}})
		if err != nil {
			w.Fatal(err)
		}
		w.say("kim", r.ID, "the secretword, @ada")
		w.say("kim", r.ID, "!oncall")
		w.later(time.Minute)
		if len(w.heard(r.ID)) != 1 {
			w.Errorf("the bot answered %d times in the room", len(w.heard(r.ID)))
		}
		found, err := w.app.Store.Entries(w.Context(), store.EntryFilter{Words: []string{"secretword"}})
		if err != nil || len(found) != 0 {
			w.Errorf("the timeline finds %v, %v", found, err)
		}
		if _, err := w.app.talk.bot.Give(w.Context(), w.as("ada"), r.ID, 0, 0, "oncall"); !fault.Is(err, fault.CodeNotFound) {
			w.Errorf("an administrator gives a command there: %v", err)
		}
		job := w.invocations(store.InvocationFilter{Limit: 1})[0]
		w.say("ada", withBot("ada"), "job "+string(job.ID))
		if last := w.invocations(store.InvocationFilter{Person: "ada", Limit: 1})[0]; last.State != invocation.Failed {
			w.Errorf("an administrator looks at a command of a private room: %s", last.State)
		}
		// Who was there asks where others read: what stands there stays there.
		w.say("kim", r.ID, "!remind in 2h secretword")
		job = w.invocations(store.InvocationFilter{Limit: 1})[0]
		w.say("kim", room.Main, "!jobs")
		w.say("kim", room.Main, "!job "+string(job.ID))
		if asked := w.invocations(store.InvocationFilter{Limit: 1})[0]; asked.State != invocation.Failed {
			w.Errorf("the words of a private room are told on the timeline: %s", asked.State)
		}
		for _, m := range w.heard(room.Main) {
			if strings.Contains(m.Text, "secretword") {
				w.Errorf("the bot said on the timeline %q", m.Text)
			}
		}
		w.say("kim", withBot("kim"), "job "+string(job.ID))
		w.wantHeard(withBot("kim"), "secretword")
	})
}

// Commands of one's own run as programs: outside of fake time.
func TestACommandOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("hello", "#!/bin/sh\necho \"hello $1\"\n", 0o755)
	write("hello.yaml", "words: hello\nsummary: says hello\nrisk: read\nargs:\n  - name: whom\n    required: true\n", 0o644)
	ctx, cancel := context.WithCancel(context.Background())
	cfg := config.Default()
	cfg.Data, cfg.PublicURL, cfg.Commands = t.TempDir(), "https://watch.example.org", dir
	app, err := New(ctx, Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Stdout: io.Discard})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	wait := app.Start(ctx)
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(wait(), app.Close()); err != nil {
			t.Error(err)
		}
	})
	if wrong := app.talk.scripts.Problems(); len(wrong) > 0 {
		t.Fatalf("the folder of commands: %v", wrong)
	}
	w := &world{T: t, app: app}
	w.furnish()
	if _, err := app.Dispatch.Say(t.Context(), w.as("kim"), dispatch.Line{Text: "!hello world"}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the program has said hello", func() bool {
		return slices.ContainsFunc(w.heard(room.Main), func(m timeline.Message) bool { return strings.Contains(m.Text, "hello world") })
	})
}
