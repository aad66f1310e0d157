package runner

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// secretRoom is a private room of Kim and Lee.
func (st *station) secretRoom() room.Room {
	st.Helper()
	r, err := st.rooms.OpenRoom(st.Context(), st.actor("kim"), room.Room{Kind: room.Private, Slug: "raise", Members: []id.User{"lee"}})
	if err != nil {
		st.Fatal(err)
	}
	return r
}

func inRoom(r room.Room) func(*Ask) {
	return func(a *Ask) { a.Room, a.RoomName, a.Message = r.ID, r.Slug, 0 }
}

func TestWhyAPrivateRoomLocksIsItsOwn(t *testing.T) {
	st := newStation(t, sqliteFile(t))
	ctx, r := t.Context(), st.secretRoom()
	if _, err := st.desk.Lock(ctx, st.actor("kim"), "deploy/shop", "before the layoffs", r.ID, time.Time{}); err != nil {
		t.Fatal(err)
	}
	inv := st.give("lee", "deploy run web", inRoom(r))
	err := st.store.Do(ctx, func(tx *store.Tx) error {
		begun, err := st.runner("a").begin(tx, inv)
		if err == nil && begun == nil {
			t.Error("it did not begin")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for u, want := range map[id.User]string{"kim": "before the layoffs, deploy run web", "lee": "before the layoffs, deploy run web", "ada": ", "} {
		locks, err := st.desk.Locks(ctx, st.actor(u))
		if err != nil || len(locks) != 2 {
			t.Fatalf("Locks as %s = %v, %v", u, locks, err)
		}
		if got := locks[0].Reason + ", " + locks[1].Reason; got != want {
			t.Errorf("%s sees the reasons %q, want %q", u, got, want)
		}
		if hidden := u == "ada"; hidden != (locks[0].Room == "") || hidden != (locks[1].Invocation == "") || locks[0].Owner.Name != "Kim" {
			t.Errorf("%s sees %+v", u, locks)
		}
	}
}

// TestAgainIsSaidWhereOneMayWrite: who has left a room gives no command in it.
func TestAgainIsSaidWhereOneMayWrite(t *testing.T) {
	st := newStation(t, sqliteFile(t))
	ctx, r := t.Context(), st.secretRoom()
	inv := st.give("kim", "look around", inRoom(r))
	if _, err := st.desk.Cancel(ctx, st.actor("kim"), string(inv.ID)); err != nil {
		t.Fatal(err)
	}
	ask := Ask{Actor: st.actor("kim"), Username: "kim", Room: r.ID, RoomName: r.Slug}
	if again, err := st.desk.Again(ctx, ask, string(inv.ID)); err != nil || again.Room != r.ID {
		t.Fatalf("Again() in %q, %v", again.Room, err)
	}
	if err := st.rooms.LeaveRoom(ctx, st.actor("kim"), r.ID); err != nil {
		t.Fatal(err)
	}
	own := room.DirectOf("kim", room.Bot)
	if again, err := st.desk.Again(ctx, ask, string(inv.ID)); err != nil || again.Room != own || again.RoomName != string(own) {
		t.Errorf("Again() after they left in %q (%q), %v", again.Room, again.RoomName, err)
	}
	ask.Actor = st.actor("ada")
	if _, err := st.desk.Again(ctx, ask, string(inv.ID)); !fault.Is(err, fault.CodeNotFound) {
		t.Errorf("Again() of what one may not know of = %v", err)
	}
}

// TestWhoHasLeftTheRoomRunsNothingThere: neither what waits nor a schedule.
func TestWhoHasLeftTheRoomRunsNothingThere(t *testing.T) {
	st := newStation(t, sqliteFile(t))
	ctx, r := t.Context(), st.secretRoom()
	once := st.give("kim", "look around", inRoom(r))
	comes := st.give("kim", "look again", inRoom(r), func(a *Ask) { a.Schedule = invocation.Schedule{Cron: "0 9 * * *", Zone: "UTC"} })
	if err := st.rooms.LeaveRoom(ctx, st.actor("kim"), r.ID); err != nil {
		t.Fatal(err)
	}
	err := st.store.Do(ctx, func(tx *store.Tx) error {
		begun, err := st.runner("a").look(tx, once)
		if begun != nil {
			t.Error("it runs")
		}
		if err != nil {
			return err
		}
		_, err = st.runner("a").look(tx, comes)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := st.now(once.ID); !got.State.Over() || !strings.Contains(got.Why, "not here any more") {
		t.Errorf("once is %s: %s", got.State, got.Why)
	}
	st.wantState(comes.ID, invocation.Cancelled)
}

func TestARobotConfirmsNothing(t *testing.T) {
	st := newStation(t, sqliteFile(t))
	_, err := st.rooms.ChangeOrg(t.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) {
		return []org.Change{org.Put(people.User{ID: "hal", Username: "hal", Name: "Hal", Role: people.Member, Zone: "UTC", Robot: true})}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	inv := st.wantState(st.give("hal", "wipe disk").ID, invocation.Confirming)
	if _, err := st.desk.Confirm(t.Context(), st.actor("hal"), "", string(inv.ID)); !fault.Is(err, fault.CodeForbidden) {
		t.Errorf("Confirm() by a robot = %v", err)
	}
	st.wantState(inv.ID, invocation.Confirming)
}

// TestThePrivateEndOfARun: the room reads that something failed, and not what it said.
func TestThePrivateEndOfARun(t *testing.T) {
	st := newStation(t, sqliteFile(t))
	st.script.do = func(context.Context, program.Request, program.Reporter) (program.Result, error) {
		return program.Result{Outcome: program.Failed, Why: "salary of Lee not found", Private: true}, nil
	}
	ctx := t.Context()
	inv := st.give("kim", "deploy run web")
	r := st.runner("a")
	if more, err := r.runOnce(ctx, ctx); !more || err != nil {
		t.Fatalf("runOnce() = %t, %v", more, err)
	}
	r.busy.Wait()
	if got := st.wantState(inv.ID, invocation.Failed); got.Why != "salary of Lee not found" {
		t.Errorf("who asked reads %q", got.Why)
	}
	all, err := st.store.Entries(ctx, store.EntryFilter{Kinds: []timeline.Kind{timeline.CommandFinished}})
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	if p := all[0].Payload.(timeline.Finished); p.Why != "" || p.State != string(invocation.Failed) {
		t.Errorf("the room reads %+v", p)
	}
}
