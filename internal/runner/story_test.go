package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// story runs a test in a bubble with one node.
func story(t *testing.T, test func(st *station)) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		st := newStation(t, cfg)
		stop := st.node("one")
		test(st)
		stop()
		st.audit()
	})
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestAShortLookIsOneMessage(t *testing.T) {
	story(t, func(st *station) {
		inv := st.give("kim", "look here")
		pass(500 * time.Millisecond)
		st.wantState(inv.ID, invocation.Succeeded)
		st.wantSaid("did look here")
		if n := st.count(timeline.CommandAsked) + st.count(timeline.CommandFinished) + st.count(timeline.MessageEdited); n != 0 {
			t.Errorf("a look made %d entries beside its answer", n)
		}
		st.wantEvents(inv.ID, invocation.EventReceived, invocation.EventDecided, invocation.EventStarted, invocation.EventFinished)
		asked := st.script.asked()
		if len(asked) != 1 || asked[0].Actor.User != "kim" || asked[0].Actor.Role != people.Member || asked[0].Args["what"] != "here" || asked[0].Message != inv.Message {
			t.Errorf("the program was asked %+v", asked)
		}
	})
}

func TestLongWorkHasALivingMessage(t *testing.T) {
	story(t, func(st *station) {
		st.script.do = func(_ context.Context, _ program.Request, out program.Reporter) (program.Result, error) {
			time.Sleep(50 * time.Millisecond)
			for i := range 100 {
				out.Progress(i, fmt.Sprintf("step %d", i))
				time.Sleep(100 * time.Millisecond)
			}
			out.Say("almost there", nil)
			time.Sleep(time.Minute)
			return program.Result{Outcome: program.Succeeded, Text: "42 hosts"}, nil
		}
		inv := st.give("kim", "deploy run shop")
		pass(6 * time.Second)
		st.wantSaid("`deploy run shop` is running: 49 %.\nstep 49")
		pass(2 * time.Minute)
		st.wantState(inv.ID, invocation.Succeeded)
		st.wantSaid("`deploy run shop` is done, in 1 m 10 s.\n> 42 hosts", "almost there", "@kim 42 hosts")
		if said := st.said(); said[0].Thread != 0 || said[1].Thread != inv.Message || said[2].Thread != inv.Message {
			t.Errorf("threads: %d, %d, %d; want 0, then %d", said[0].Thread, said[1].Thread, said[2].Thread, inv.Message)
		}
		if n := st.count(timeline.MessageEdited); n < 4 || n > 7 {
			t.Errorf("%d edits in ten seconds of progress", n)
		}
		if n := st.count(timeline.CommandFinished); n != 1 {
			t.Errorf("%d entries of its end", n)
		}
	})
}

func TestConfirmedApprovedAndRun(t *testing.T) {
	story(t, func(st *station) {
		ctx := st.Context()
		inv := st.give("kim", "wipe the disk")
		st.wantState(inv.ID, invocation.Confirming)
		prompt := st.said()[0]
		if b := buttons(prompt); b["confirm 1"] == "" || b["cancel 1"] == "" {
			t.Fatalf("the prompt has buttons %v", b)
		}
		if _, err := st.press("lee", buttons(prompt)["confirm 1"]); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("another presses the button: %v", err)
		}
		if _, err := st.desk.Confirm(ctx, st.actor("lee"), room.Main, "1"); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("another confirms: %v", err)
		}
		if _, err := st.desk.Confirm(ctx, st.actor("kim"), "elsewhere", "1"); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("confirmed elsewhere: %v", err)
		}
		inv, err := st.desk.Confirm(ctx, st.actor("kim"), room.Main, "#1")
		if err != nil || inv.State != invocation.Awaiting || len(inv.Short) != 4 {
			t.Fatalf("Confirm() = %+v, %v", inv, err)
		}
		pending := func(u id.User) int {
			actor, n := st.actor(u), 0
			err := st.store.Do(ctx, func(*store.Tx) error { // who types "approve" waits for no writer
				list, err := st.desk.Pending(ctx, actor)
				n = len(list)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			return n
		}
		if pending("kim") != 0 || pending("oli") != 0 || pending("lee") != 1 {
			t.Errorf("pending: %d for who asked, %d for an observer, %d for a colleague", pending("kim"), pending("oli"), pending("lee"))
		}
		for u, code := range map[id.User]fault.Code{"kim": fault.CodeForbidden, "oli": fault.CodeForbidden} {
			if _, err := st.desk.Approve(ctx, st.actor(u), inv.Short); !fault.Is(err, code) {
				t.Errorf("%s approves: %v, want %s", u, err, code)
			}
		}
		if _, err := st.desk.Approve(ctx, st.actor("lee"), strings.ToUpper(inv.Short)); err != nil {
			t.Errorf("Approve() = %v", err)
		}
		if _, err := st.desk.Approve(ctx, st.actor("ada"), inv.Short); !fault.Is(err, fault.CodeNotFound) {
			t.Errorf("a code works twice: %v", err)
		}
		pass(500 * time.Millisecond)
		st.wantState(inv.ID, invocation.Succeeded)
		st.wantSaid("`wipe the disk` is done, in 0.0 s. Approved by @lee.\n> did wipe the disk", "`wipe the disk` is confirmed and waits. Somebody else who may run it: `approve "+inv.Short+"` or `deny "+inv.Short+"`.", "did wipe the disk")
		st.wantEvents(inv.ID, invocation.EventReceived, invocation.EventDecided, invocation.EventConfirmed, invocation.EventApproved, invocation.EventStarted, invocation.EventFinished)
	})
}

func TestOnePendingConfirmationInAConversation(t *testing.T) {
	story(t, func(st *station) {
		first := st.give("kim", "wipe one")
		other := st.give("lee", "wipe two")
		second := st.give("kim", "wipe three")
		st.wantState(first.ID, invocation.Cancelled)
		st.wantState(other.ID, invocation.Confirming)
		st.wantState(second.ID, invocation.Confirming)
		looked := st.give("kim", "look")
		pass(time.Second)
		st.wantState(looked.ID, invocation.Succeeded)
		st.wantState(second.ID, invocation.Confirming)
		pass(invocation.ConfirmFor)
		st.wantState(second.ID, invocation.Expired)
		if said := st.said()[2].Payload.(timeline.Message).Text; said != "`wipe three` has expired: nobody answered in time." {
			t.Errorf("the prompt says %q", said)
		}
		if n := len(st.said()); n != 4 {
			t.Errorf("%d messages, want three prompts and an answer", n)
		}
	})
}

func TestApprovalByATeamExpires(t *testing.T) {
	story(t, func(st *station) {
		ctx := st.Context()
		inv := st.give("kim", "board")
		if _, err := st.desk.Approve(ctx, st.actor("kim"), inv.Short); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("who is not in the team approves: %v", err)
		}
		got, err := st.desk.Approve(ctx, st.actor("lee"), inv.Short)
		if err != nil || got.State != invocation.Awaiting {
			t.Errorf("the first of two: %s, %v", got.State, err)
		}
		if _, err := st.desk.Approve(ctx, st.actor("lee"), inv.Short); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("one person is two: %v", err)
		}
		pass(2 * time.Minute)
		st.wantState(inv.ID, invocation.Expired)
		st.wantSaid("`board` has expired: nobody answered in time.", "@kim `board` has expired: nobody answered in time.")
		if n := st.count(timeline.CommandRejected); n != 1 {
			t.Errorf("%d entries say that it expired", n)
		}
		if len(st.script.asked()) != 0 {
			t.Error("it ran")
		}
	})
}

func TestWhoApprovesIsInEveryGroup(t *testing.T) {
	story(t, func(st *station) {
		inv := st.give("kim", "vault")
		if got := st.said()[0].Payload.(timeline.Message).Text; !strings.Contains(got, "Somebody of @@ops + admins: `approve "+inv.Short+"`") {
			t.Errorf("the bot says %q", got)
		}
		if _, err := st.desk.Approve(st.Context(), st.actor("lee"), inv.Short); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("who is in one of two groups approves: %v", err)
		}
		if _, err := st.desk.Approve(st.Context(), st.actor("ada"), inv.Short); err != nil {
			t.Errorf("who is in both approves: %v", err)
		}
	})
}

func TestWhatWasApprovedMustNotChange(t *testing.T) {
	for _, c := range []struct {
		name  string
		after func(st *station)
		state invocation.State
		said  string
	}{
		{"another version", func(st *station) { st.court.set(func(c *court) { c.version = "v2" }) }, invocation.Rejected, "`wipe it` was not run. What was approved has changed."},
		{"who asked may not any more", func(st *station) { st.court.set(func(c *court) { c.denied["kim"] = "Freeze." }) }, invocation.Denied, "`wipe it`: no. Freeze."},
		{"who approved may not any more", func(st *station) { st.court.set(func(c *court) { c.denied["lee"] = "Gone." }) }, invocation.Rejected, "`wipe it` was not run. Who approved it has no right to any more."},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := sqliteFile(t)
			synctest.Test(t, func(t *testing.T) {
				st := newStation(t, cfg)
				inv := st.give("kim", "wipe it")
				if _, err := st.desk.Confirm(st.Context(), st.actor("kim"), room.Main, "1"); err != nil {
					t.Fatal(err)
				}
				inv, err := st.desk.Approve(st.Context(), st.actor("lee"), st.now(inv.ID).Short)
				if err != nil || inv.State != invocation.Queued {
					t.Fatalf("Approve() = %s, %v", inv.State, err)
				}
				c.after(st)
				stop := st.node("one")
				defer stop()
				pass(time.Second)
				st.wantState(inv.ID, c.state)
				if got := st.said()[0].Payload.(timeline.Message).Text; got != c.said {
					t.Errorf("the bot says %q, want %q", got, c.said)
				}
				if len(st.script.asked()) != 0 {
					t.Error("it ran")
				}
			})
		})
	}
}

func TestARefusalIsForWhoAsked(t *testing.T) {
	story(t, func(st *station) {
		inv := st.give("oli", "deploy run shop")
		st.wantState(inv.ID, invocation.Denied)
		st.wantSaid("`deploy run shop`: no. Observers look.")
		if got := st.said()[0].Room; got != room.DirectOf("oli", room.Bot) {
			t.Errorf("it was said in %q", got)
		}
		st.wantEvents(inv.ID, invocation.EventReceived, invocation.EventDecided)
	})
}

func TestRunsWithTheSameLockFollowOneAnother(t *testing.T) {
	story(t, func(st *station) {
		var order []string
		st.script.do = func(_ context.Context, r program.Request, _ program.Reporter) (program.Result, error) {
			st.script.mu.Lock()
			order = append(order, "begin "+r.Args["app"])
			st.script.mu.Unlock()
			time.Sleep(30 * time.Second)
			st.script.mu.Lock()
			order = append(order, "end "+r.Args["app"])
			st.script.mu.Unlock()
			return program.Result{Outcome: program.Succeeded}, nil
		}
		first := st.give("kim", "deploy run a")
		pass(10 * time.Second)
		second := st.give("lee", "deploy run a")
		third := st.give("ada", "deploy run a")
		pass(10 * time.Second)
		other := st.give("kim", "deploy run b")
		pass(9 * time.Second)
		st.wantState(first.ID, invocation.Running)
		st.wantState(second.ID, invocation.Queued)
		st.wantState(other.ID, invocation.Running)
		pass(2 * time.Second)
		st.wantState(first.ID, invocation.Succeeded)
		st.wantState(second.ID, invocation.Running)
		st.wantState(third.ID, invocation.Queued)
		pass(time.Minute)
		st.wantState(third.ID, invocation.Succeeded)
		if want := []string{"begin a", "begin b", "end a", "begin a", "end b", "end a", "begin a", "end a"}; !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
	})
}

// A lock keeps others from what is below it, too.
func TestALockCoversWhatIsBelow(t *testing.T) {
	story(t, func(st *station) {
		for _, name := range []string{"deploy", "dep"} {
			if _, err := st.desk.Lock(st.Context(), st.actor("kim"), name, "moving house", "", time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		theirs := st.give("lee", "deploy run a")
		own := st.give("kim", "deploy run a")
		pass(time.Minute)
		st.wantState(own.ID, invocation.Succeeded)
		if got := st.wantState(theirs.ID, invocation.Failed); got.Cause != invocation.ReasonLocked || got.Why != "moving house" {
			t.Errorf("it was not run because of %s, %q", got.Cause, got.Why)
		}
	})
}

func TestWhatMayRunOnceAtATimeTakesTurns(t *testing.T) {
	story(t, func(st *station) {
		st.script.do = func(context.Context, program.Request, program.Reporter) (program.Result, error) {
			time.Sleep(10 * time.Second)
			return program.Result{Outcome: program.Succeeded}, nil
		}
		first, second := st.give("kim", "turn one"), st.give("kim", "turn two")
		pass(5 * time.Second)
		st.wantState(first.ID, invocation.Running)
		st.wantState(second.ID, invocation.Queued)
		pass(6 * time.Second)
		st.wantState(first.ID, invocation.Succeeded)
		st.wantState(second.ID, invocation.Running)
		pass(10 * time.Second)
		st.wantState(second.ID, invocation.Succeeded)
	})
}

func TestAColleagueKeepsAThingToThemselves(t *testing.T) {
	story(t, func(st *station) {
		ctx := st.Context()
		if _, err := st.desk.Lock(ctx, st.actor("lee"), "deploy/shop", "a migration", room.Main, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if _, err := st.desk.Lock(ctx, st.actor("kim"), "deploy/shop", "", room.Main, time.Time{}); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("locked twice: %v", err)
		}
		if _, err := st.desk.Lock(ctx, st.actor("oli"), "deploy/other", "", room.Main, time.Time{}); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("an observer locks: %v", err)
		}
		refused, own := st.give("kim", "deploy run shop"), st.give("lee", "deploy run shop")
		pass(time.Second)
		st.wantState(refused.ID, invocation.Failed)
		st.wantState(own.ID, invocation.Succeeded)
		st.wantSaid("`deploy run shop` was not run: deploy/shop is locked by Lee. a migration", "did deploy run shop")
		if l, err := st.desk.Unlock(ctx, st.actor("kim"), "deploy/shop"); err != nil || l.Owner.User != "lee" {
			t.Errorf("Unlock() = %+v, %v", l, err)
		}
		free := st.give("kim", "deploy run shop")
		pass(time.Second)
		st.wantState(free.ID, invocation.Succeeded)
		if _, err := st.desk.Unlock(ctx, st.actor("kim"), "deploy/shop"); !fault.Is(err, fault.CodeNotFound) {
			t.Errorf("unlocked twice: %v", err)
		}
		if _, err := st.desk.Lock(ctx, st.actor("lee"), "deploy/shop", "", room.Main, time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		if locks, err := st.store.Locks(ctx); err != nil || len(locks) != 0 {
			t.Errorf("locks %+v, %v", locks, err)
		}
		if n := st.count(timeline.LockReleased); n != 2 {
			t.Errorf("%d entries of releases, want 2", n)
		}
	})
}

func TestACommandIsCancelled(t *testing.T) {
	story(t, func(st *station) {
		ctx := st.Context()
		st.script.do = func(ctx context.Context, _ program.Request, _ program.Reporter) (program.Result, error) {
			<-ctx.Done()
			return program.Result{Outcome: program.Cancelled, Text: "stopped in the middle"}, nil
		}
		inv := st.give("kim", "deploy run shop")
		pass(3 * time.Second)
		if _, err := st.desk.Cancel(ctx, st.actor("lee"), "1"); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("another cancels: %v", err)
		}
		if _, err := st.desk.Cancel(ctx, st.actor("ada"), "1"); err != nil {
			t.Errorf("an administrator cancels: %v", err)
		}
		pass(2 * time.Second)
		st.wantState(inv.ID, invocation.Cancelled)
		st.wantSaid("`deploy run shop` was stopped by Ada after 3.0 s.\n> stopped in the middle", "`deploy run shop` was stopped by Ada after 3.0 s.\nstopped in the middle")
		if _, err := st.desk.Cancel(ctx, st.actor("kim"), "1"); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("cancelled twice: %v", err)
		}
	})
}

func TestSecretsAreNotKept(t *testing.T) {
	const hidden = `hunt"er-2-käse`
	story(t, func(st *station) {
		st.script.do = func(_ context.Context, r program.Request, out program.Reporter) (program.Result, error) {
			if r.Secrets["token"] != hidden {
				t.Errorf("the program got the secrets %v", r.Secrets)
			}
			out.Progress(1, "using "+hidden)
			out.Say("with "+hidden, &timeline.Document{Blocks: []timeline.Block{{Text: hidden}}})
			time.Sleep(5 * time.Second)
			return program.Result{Outcome: program.Failed, Text: "I said " + hidden, Why: hidden + "?", Doc: &timeline.Document{Blocks: []timeline.Block{{List: []string{hidden}}}}}, nil
		}
		inv := st.give("kim", `deploy run shop --token 'hunt"er-2-käse'`)
		st.noSecret(hidden)
		pass(3 * time.Second)
		st.noSecret(hidden)
		pass(10 * time.Second)
		got := st.wantState(inv.ID, invocation.Failed)
		if got.Sealed != "" || !got.HadSecrets {
			t.Errorf("afterwards: %+v", got)
		}
		st.noSecret(hidden)
		if _, err := st.desk.Again(st.Context(), Ask{Actor: st.actor("kim"), Username: "kim"}, "1"); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("it can be run again without its secret: %v", err)
		}
	})
}
