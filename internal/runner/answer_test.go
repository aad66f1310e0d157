package runner

import (
	"context"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestAgainIsDecidedAnew(t *testing.T) {
	story(t, func(st *station) {
		ctx := st.Context()
		old := st.give("kim", "deploy run shop")
		pass(time.Second)
		again, err := st.desk.Again(ctx, Ask{Actor: st.actor("lee"), Username: "lee", Message: 1}, itoa(old.Number))
		if err != nil || again.Number != 2 || again.From != old.ID {
			t.Fatalf("Again() = %+v, %v", again, err)
		}
		pass(time.Second)
		st.wantState(again.ID, invocation.Succeeded)
		if r := st.script.asked()[1]; r.Actor.User != "lee" || r.Username != "lee" || r.Args["app"] != "shop" {
			t.Errorf("it ran as %+v", r)
		}
		denied, err := st.desk.Again(ctx, Ask{Actor: st.actor("oli"), Username: "oli"}, itoa(old.Number))
		if err != nil || denied.State != invocation.Denied {
			t.Errorf("an observer runs it again: %s, %v", denied.State, err)
		}
	})
}

func TestTheConversationAnswers(t *testing.T) {
	story(t, func(st *station) {
		say := func(u id.User, in id.Room, answer func(*store.Tx, people.Actor, id.Room) (invocation.Invocation, error)) error {
			return st.store.Do(context.Background(), func(tx *store.Tx) error {
				_, err := answer(tx, st.actor(u), in)
				return err
			})
		}
		inv := st.give("kim", "wipe it")
		if err := say("lee", room.Main, st.desk.Yes); err == nil {
			t.Error("the yes of another is an answer")
		}
		if err := say("kim", "elsewhere", st.desk.Yes); err == nil {
			t.Error("a yes elsewhere is an answer")
		}
		if err := say("kim", room.Main, st.desk.Yes); err != nil {
			t.Error(err)
		}
		st.wantState(inv.ID, invocation.Awaiting)
		if err := say("kim", room.Main, st.desk.Yes); err == nil {
			t.Error("a second yes is an answer")
		}
		other := st.give("kim", "wipe that")
		if err := say("kim", room.Main, st.desk.No); err != nil {
			t.Error(err)
		}
		st.wantState(other.ID, invocation.Cancelled)
		if _, err := st.desk.Deny(st.Context(), st.actor("lee"), st.now(inv.ID).Short, "not on a Sunday"); err != nil {
			t.Error(err)
		}
		st.wantState(inv.ID, invocation.Rejected)
		if got := st.said()[0].Payload.(timeline.Message).Text; got != "`wipe it` was denied by @lee: not on a Sunday." {
			t.Errorf("the bot says %q", got)
		}
	})
}
