package bot

import (
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/runner"
)

// Of a command that there is no more people read that, whatever they do with a job of it.
func TestAJobOfARemovedCommand(t *testing.T) {
	nodes(t, func(t *testing.T, a, _ *node) {
		ctx, kim, lee := t.Context(), a.as("kim"), a.as("lee")
		a.ruled("require approval(peer) for wipe")
		waits, err := a.Give(ctx, kim, room.Main, 0, 0, "wipe")
		if err != nil {
			t.Fatal(err)
		}
		if waits, err = a.desk.Confirm(ctx, kim, room.Main, string(waits.ID)); err != nil || waits.State != invocation.Awaiting {
			t.Fatalf("Confirm() = %s, %v", waits.State, err)
		}
		old, err := a.Give(ctx, lee, room.Main, 0, 0, "wipe")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.desk.Cancel(ctx, lee, string(old.ID)); err != nil {
			t.Fatal(err)
		}
		a.catalogue.sources = nil
		a.catalogue.Refresh()

		const gone = "no such command any more"
		if _, err := a.desk.Approve(ctx, lee, waits.Short); !fault.Is(err, fault.CodeConflict) || !strings.Contains(fault.MessageOf(err), gone) {
			t.Errorf("Approve() = %v", err)
		}
		if _, err := a.desk.Deny(ctx, lee, waits.Short, ""); !fault.Is(err, fault.CodeConflict) || !strings.Contains(fault.MessageOf(err), gone) {
			t.Errorf("Deny() = %v", err)
		}
		again, err := a.desk.Again(ctx, runner.Ask{Actor: lee, Username: "lee"}, string(old.ID))
		if err != nil || again.State != invocation.Denied || !strings.Contains(again.Why, gone) {
			t.Errorf("Again() = %s, %q, %v", again.State, again.Why, err)
		}
		if found, err := a.desk.Pending(ctx, lee); err != nil || len(found) != 0 {
			t.Errorf("Pending() = %d, %v", len(found), err)
		}
		if inv, err := a.desk.Cancel(ctx, kim, waits.Short); err != nil || inv.State != invocation.Cancelled {
			t.Errorf("Cancel() = %s, %v", inv.State, err)
		}
	})
}
