package runner

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/timeline"
)

// ends makes every run end in one way, after a while.
func (st *station) ends(after time.Duration, res program.Result) {
	st.script.do = func(context.Context, program.Request, program.Reporter) (program.Result, error) {
		<-time.After(after)
		return res, nil
	}
}

// head is what a message has in the place of its status.
func head(e timeline.Entry) string { return e.Payload.(timeline.Message).Doc.Head }

func text(e timeline.Entry) string { return e.Payload.(timeline.Message).Text }

// A refusal is one short answer for who asked, and nobody else hears of it.
func TestARefusalIsShortAndPrivate(t *testing.T) {
	story(t, func(st *station) {
		st.ends(0, program.Result{Outcome: program.Refused, Why: "There is nothing to hand back."})
		inv := st.give("kim", "deploy run shop")
		pass(time.Second)
		st.wantState(inv.ID, invocation.Failed)
		st.wantSaid("`deploy run shop`: There is nothing to hand back.")
		if in := st.said()[0].Room; in != room.DirectOf("kim", room.Bot) {
			t.Errorf("it is said in %q", in)
		}
		if n := st.count(timeline.CommandAsked) + st.count(timeline.CommandFinished); n != 0 {
			t.Errorf("%d entries tell others of it", n)
		}
		st.wantEvents(inv.ID, invocation.EventReceived, invocation.EventDecided, invocation.EventLocked, invocation.EventStarted, invocation.EventFinished)
	})
}

// What others agreed to is told to them, too; why it was refused is not.
func TestARefusalOfWhatWasApproved(t *testing.T) {
	story(t, func(st *station) {
		st.ends(0, program.Result{Outcome: program.Refused, Why: "The vault is open."})
		inv := st.give("kim", "vault")
		if _, err := st.desk.Approve(st.Context(), st.actor("ada"), inv.Short); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		st.wantSaid("`vault`: nothing was done.", "`vault`: The vault is open.")
		if said := st.said(); said[0].Room != room.Main || head(said[0]) != "Not run" || said[1].Room == room.Main {
			t.Errorf("in %q under %q, then in %q", said[0].Room, head(said[0]), said[1].Room)
		}
		if n := st.count(timeline.CommandFinished); n != 1 {
			t.Errorf("%d entries of its end", n)
		}
	})
}

// The request says who decided it, wherever they did, and has no buttons any more.
func TestARequestSaysWhoDecidedIt(t *testing.T) {
	for name, tt := range map[string]struct {
		decide func(st *station, short string) error
		text   string
		head   string
	}{
		"approved": {
			func(st *station, short string) error {
				_, err := st.desk.Approve(st.Context(), st.actor("ada"), short)
				return err
			}, "`vault` is done, in 0.0 s. Approved by @ada.\n> did vault", "",
		},
		"denied": {
			func(st *station, short string) error {
				_, err := st.desk.Deny(st.Context(), st.actor("ada"), short, "Not on a Friday.")
				return err
			}, "`vault` was denied by @ada: Not on a Friday.", "Denied by @ada: Not on a Friday",
		},
		"denied without a word": {
			func(st *station, short string) error {
				_, err := st.desk.Deny(st.Context(), st.actor("ada"), short, "")
				return err
			}, "`vault` was denied by @ada.", "Denied by @ada",
		},
		"taken back": {
			func(st *station, short string) error {
				_, err := st.desk.Cancel(st.Context(), st.actor("kim"), short)
				return err
			}, "`vault` was cancelled by Kim.", "Cancelled",
		},
		"forgotten": {
			func(*station, string) error { pass(invocation.ApproveFor); return nil },
			"`vault` has expired: nobody answered in time.", "Expired",
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(st *station) {
				inv := st.give("kim", "vault")
				if got := buttons(st.said()[0]); len(got) != 2 {
					t.Fatalf("the request has buttons %v", got)
				}
				if err := tt.decide(st, inv.Short); err != nil {
					t.Fatal(err)
				}
				pass(time.Second)
				request := st.said()[0]
				if text(request) != tt.text || head(request) != tt.head || len(buttons(request)) != 0 {
					t.Errorf("it says %q under %q with buttons %v", text(request), head(request), buttons(request))
				}
			})
		})
	}
}

// Those who were called by the bot alone see who gave the first of two approvals.
func TestWhoIsCalledSeesTheFirstApproval(t *testing.T) {
	story(t, func(st *station) {
		private, err := st.rooms.OpenRoom(st.Context(), st.actor("kim"), room.Room{Kind: room.Private, Slug: "quiet"})
		if err != nil {
			t.Fatal(err)
		}
		inv := st.give("kim", "board", func(a *Ask) { a.Room, a.RoomName, a.Message = private.ID, "quiet", 0 })
		if _, err := st.desk.Approve(st.Context(), st.actor("lee"), inv.Short); err != nil {
			t.Fatal(err)
		}
		for _, u := range []id.User{"lee", "ada"} {
			own := st.saidIn(room.DirectOf(u, room.Bot))
			if len(own) != 1 || !strings.Contains(text(own[0]), "Approved by @lee (1 of 2)") || len(buttons(own[0])) != 2 {
				t.Errorf("%s reads %+v", u, own)
			}
		}
		if _, err := st.desk.Approve(st.Context(), st.actor("ada"), inv.Short); err != nil {
			t.Fatal(err)
		}
		for _, u := range []id.User{"lee", "ada"} {
			own := st.saidIn(room.DirectOf(u, room.Bot))
			if text(own[0]) != "`board` of Kim was approved by @lee, @ada." || head(own[0]) != "Approved by @lee, @ada" || len(buttons(own[0])) != 0 {
				t.Errorf("%s reads %q", u, text(own[0]))
			}
		}
	})
}

// What was over at once is one answer; what took a while is told by a row of its own, too.
func TestAQuickChangeIsOneAnswer(t *testing.T) {
	story(t, func(st *station) {
		inv := st.give("kim", "deploy run shop")
		pass(time.Second)
		st.wantState(inv.ID, invocation.Succeeded)
		st.wantSaid("did deploy run shop")
		if n := st.count(timeline.CommandFinished); n != 0 {
			t.Errorf("%d rows beside the answer", n)
		}
		st.ends(tellEvery+time.Second, program.Result{Outcome: program.Succeeded, Text: "done"})
		st.give("kim", "deploy run shop")
		pass(5 * time.Second)
		if n := st.count(timeline.CommandFinished); n != 1 {
			t.Errorf("%d rows of one that took a while", n)
		}
	})
}

// Of a failure people read why, and not how the output began.
func TestAFailureSaysWhy(t *testing.T) {
	story(t, func(st *station) {
		st.ends(3*time.Second, program.Result{
			Outcome: program.Failed, Exit: 3, Text: "connecting\nuploading\n\nIt failed with exit status 3.\n\n```\nno space left\n```", Why: "It failed with exit status 3. no space left",
		})
		st.give("kim", "deploy run shop")
		pass(5 * time.Second)
		st.wantSaid("`deploy run shop` failed after 3.0 s.\n> It failed with exit status 3. no space left",
			"`deploy run shop` failed after 3.0 s.\nconnecting\nuploading\n\nIt failed with exit status 3.\n\n```\nno space left\n```")
	})
}

// Of a refusal of many things all reasons are told.
func TestARefusalWithManyReasons(t *testing.T) {
	story(t, func(st *station) {
		reasons := strings.TrimSpace(strings.Repeat("It is resolved already, by @lee.\n", 15))
		st.ends(0, program.Result{Outcome: program.Refused, Text: reasons, Why: reasons})
		st.give("kim", "look")
		pass(time.Second)
		st.wantSaid("`look`: " + reasons)
	})
}
