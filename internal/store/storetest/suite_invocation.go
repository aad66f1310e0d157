package storetest

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// asked is a command of Kim with something in every field.
func asked(n id.Invocation) invocation.Invocation {
	percent := 40
	kim := timeline.Actor{User: "u1", Name: "Kim", Origin: timeline.Chat}
	return invocation.Invocation{
		ID: n, State: invocation.Running, Command: "deploy.run", Words: "deploy run", Version: "v1", Risk: command.Changes, Line: "deploy run shop", Raw: "!deploy run shop",
		Args: map[string]string{"app": "shop"}, Given: []invocation.Given{{Name: "app", Value: "shop"}}, Digest: "d", Sealed: "v1.x", HadSecrets: true,
		By: kim, Username: "kim", Scopes: []people.Permission{people.Talk}, Via: "irc:kim", Room: "ops", RoomName: "ops", Thread: 3, Message: 4, Incident: 5, Team: "t1",
		Reason: "because", DryRun: true, Private: true, Timeout: time.Hour, Lock: "deploy/shop", Concurrency: 2, From: "older",
		Schedule: invocation.Schedule{Cron: "@daily", Zone: "Europe/Berlin"}, AskedAt: at(0), NotBefore: at(1), ReadyAt: at(2), DueAt: at(3), StartedAt: at(4), EndedAt: at(5),
		Rule: "allow", Why: "so", Cause: invocation.ReasonStarted, Confirmed: true, Short: "7kq2", Approval: command.Approval{Group: "g", Count: 2, Peer: true, TTL: time.Minute},
		Approvals: []invocation.Approved{{By: kim, At: at(1)}}, Host: "h", Attempt: 2, ClaimedBy: "x", Claimed: at(6), Waiting: true, CancelAt: at(7), CancelBy: kim,
		Percent: &percent, Saying: "copying", Output: "line\nline", Doc: &timeline.Document{Status: timeline.StatusGood}, Files: []timeline.File{{ID: "f1", Name: "output.txt", Size: 7}}, Exit: 3, Living: 9,
	}
}

func invocations(t *testing.T, s *store.Store) {
	if next := must[time.Time](t)(s.NextInvocation(t.Context())); !next.IsZero() {
		t.Errorf("NextInvocation of none = %v", next)
	}
	want, second := asked("i1"), asked("i2")
	do(t, s, func(tx *store.Tx) {
		want = must[invocation.Invocation](t)(tx.AddInvocation(want))
		second = must[invocation.Invocation](t)(tx.AddInvocation(second))
		same(t, "in the same transaction", must[invocation.Invocation](t)(tx.Invocation("i2")), second)
	})
	if want.Number != 1 || second.Number != 2 {
		t.Errorf("numbers %d and %d", want.Number, second.Number)
	}
	same(t, "everything comes back", must[invocation.Invocation](t)(s.Invocation(t.Context(), "i1")), want)
	same(t, "by its number", must[invocation.Invocation](t)(s.InvocationByNumber(t.Context(), 2)), second)
	if next := must[time.Time](t)(s.NextInvocation(t.Context())); !next.Equal(at(3)) {
		t.Errorf("NextInvocation = %v, want %v", next, at(3))
	}
	same(t, "to cancel", must[[]id.Invocation](t)(s.ToCancel(t.Context(), "x")), []id.Invocation{"i1", "i2"})
	same(t, "of nobody", must[[]id.Invocation](t)(s.ToCancel(t.Context(), "y")), []id.Invocation(nil))
	want.State, want.DueAt, want.Lock, want.Short, want.Waiting, want.ClaimedBy, want.Claimed, want.CancelAt, want.Output = invocation.Failed, time.Time{}, "", "", false, "", time.Time{}, time.Time{}, ""
	do(t, s, func(tx *store.Tx) {
		tx.PutInvocation(want)
		if third := must[invocation.Invocation](t)(tx.AddInvocation(asked("i3"))); third.Number != 3 {
			t.Errorf("number %d, want 3", third.Number)
		}
	})
	same(t, "changed", must[invocation.Invocation](t)(s.Invocation(t.Context(), "i1")), want)
	do(t, s, func(tx *store.Tx) {
		same(t, "changed", must[invocation.Invocation](t)(tx.InvocationByNumber(1)), want)
		if _, err := tx.Invocation("none"); err == nil {
			t.Error("an invocation that is not there was found")
		}
	})
}

func invocationLists(t *testing.T, s *store.Store) {
	add := func(n id.Invocation, change func(*invocation.Invocation)) {
		do(t, s, func(tx *store.Tx) {
			inv := asked(n)
			change(&inv)
			must[invocation.Invocation](t)(tx.AddInvocation(inv))
		})
	}
	add("done", func(i *invocation.Invocation) {
		i.State, i.DueAt, i.Incident, i.Room = invocation.Succeeded, time.Time{}, 0, ""
	})
	add("lee", func(i *invocation.Invocation) { i.By.User, i.Room, i.Command = "u2", "secret", "vm.stop" })
	add("waits", func(i *invocation.Invocation) { i.State = invocation.Awaiting })
	add("waits too", func(i *invocation.Invocation) { i.State, i.By.User = invocation.Awaiting, "u2" })
	for _, c := range []struct {
		name   string
		filter store.InvocationFilter
		want   []id.Invocation
	}{
		{"all, the latest first", store.InvocationFilter{}, []id.Invocation{"waits too", "waits", "lee", "done"}},
		{"a page", store.InvocationFilter{Limit: 2}, []id.Invocation{"waits too", "waits"}},
		{"and the next", store.InvocationFilter{Before: 3}, []id.Invocation{"lee", "done"}},
		{"of a person", store.InvocationFilter{Person: "u2"}, []id.Invocation{"waits too", "lee"}},
		{"in rooms", store.InvocationFilter{Rooms: []id.Room{"", "ops"}}, []id.Invocation{"waits too", "waits", "done"}},
		{"in rooms or one's own", store.InvocationFilter{Rooms: []id.Room{""}, Or: "u2"}, []id.Invocation{"waits too", "lee", "done"}},
		{"in no room", store.InvocationFilter{Rooms: []id.Room{}}, nil},
		{"in no room, one's own", store.InvocationFilter{Rooms: []id.Room{}, Or: "u1"}, []id.Invocation{"waits", "done"}},
		{"of a command", store.InvocationFilter{Command: "vm.stop"}, []id.Invocation{"lee"}},
		{"about an incident", store.InvocationFilter{Incident: 5}, []id.Invocation{"waits too", "waits", "lee"}},
		{"not over", store.InvocationFilter{Open: true}, []id.Invocation{"waits too", "waits", "lee"}},
		{"in states", store.InvocationFilter{States: []invocation.State{invocation.Running, invocation.Succeeded}}, []id.Invocation{"lee", "done"}},
	} {
		same(t, c.name, ids(must[[]invocation.Invocation](t)(s.Invocations(t.Context(), c.filter))), c.want)
	}
	same(t, "to approve", ids(must[[]invocation.Invocation](t)(s.AwaitingApproval(t.Context()))), []id.Invocation{"waits", "waits too"})
	if list := must[[]invocation.Invocation](t)(s.Invocations(t.Context(), store.InvocationFilter{})); list[0].Output != "" || list[0].Line == "" {
		t.Errorf("a list has %+v", list[0])
	}
	do(t, s, func(tx *store.Tx) {
		same(t, "open of a person", ids(must[[]invocation.Invocation](t)(tx.OpenInvocationsOf("u1"))), []id.Invocation{"waits"})
		fresh := asked("fresh")
		must[invocation.Invocation](t)(tx.AddInvocation(fresh))
		is := must[invocation.Invocation](t)(tx.Invocation("waits"))
		is.State, is.DueAt = invocation.Cancelled, time.Time{}
		tx.PutInvocation(is)
		same(t, "open of a person, as this transaction has it", ids(must[[]invocation.Invocation](t)(tx.OpenInvocationsOf("u1"))), []id.Invocation{"fresh"})
	})
}

func startedInvocations(t *testing.T, s *store.Store) {
	now := must[time.Time](t)(s.Now(t.Context()))
	do(t, s, func(tx *store.Tx) {
		for i, n := range []id.Invocation{"now", "before", "long ago", "never", "other", "lee's", "tried"} {
			inv := asked(n)
			inv.Command, inv.StartedAt, inv.DryRun = "vm.start", now.Add(time.Duration(-i)*time.Hour), false
			switch n {
			case "never":
				inv.StartedAt = time.Time{}
			case "other":
				inv.Command, inv.StartedAt, inv.Room = "vm.stop", now, "dev"
			case "lee's":
				inv.By.User = "lee"
			case "tried":
				inv.StartedAt, inv.DryRun = now, true
			}
			must[invocation.Invocation](t)(tx.AddInvocation(inv))
		}
	})
	kim, ops := asked("").By.User, asked("").Room
	for _, f := range []struct {
		store.Started
		want []id.Invocation
	}{
		{store.Started{Commands: []string{"vm.start"}, Since: now.Add(-90 * time.Minute), Limit: 9}, []id.Invocation{"now", "before"}},
		{store.Started{Commands: []string{"vm.start"}, Limit: 3}, []id.Invocation{"now", "before", "long ago"}},
		{store.Started{Commands: []string{"vm.start"}, Limit: 9}, []id.Invocation{"now", "before", "long ago", "lee's"}},
		{store.Started{Commands: []string{"vm.start"}, Person: new(id.User("lee")), Limit: 1}, []id.Invocation{"lee's"}},
		{store.Started{Commands: []string{"vm.start"}, Person: &kim, Room: &ops, Limit: 9}, []id.Invocation{"now", "before", "long ago"}},
		{store.Started{Commands: []string{"vm.stop", "vm.start", "vm.pause"}, Room: new(id.Room("dev")), Limit: 9}, []id.Invocation{"other"}},
		{store.Started{}, nil},
	} {
		same(t, "started", ids(must[[]invocation.Invocation](t)(s.Started(t.Context(), f.Started))), f.want)
		do(t, s, func(tx *store.Tx) {
			same(t, "started, in a transaction", ids(must[[]invocation.Invocation](t)(tx.Started(f.Started))), f.want)
		})
	}
}

func ids(list []invocation.Invocation) []id.Invocation {
	var all []id.Invocation
	for _, inv := range list {
		all = append(all, inv.ID)
	}
	return all
}

func dueInvocations(t *testing.T, s *store.Store) {
	now := must[time.Time](t)(s.Now(t.Context()))
	do(t, s, func(tx *store.Tx) {
		for i, n := range []id.Invocation{"late", "later", "future", "waits", "elsewhere"} {
			inv := asked(n)
			inv.State, inv.DueAt, inv.Waiting, inv.Lock = invocation.Queued, now.Add(time.Duration(-i)*time.Minute), false, ""
			switch n {
			case "future":
				inv.DueAt = now.Add(time.Hour)
			case "waits":
				inv.DueAt, inv.Waiting, inv.Lock = now.Add(time.Hour), true, "deploy/shop"
			case "elsewhere":
				inv.State, inv.ClaimedBy, inv.Claimed, inv.DueAt = invocation.Running, "node", now.Add(-time.Minute), now.Add(-time.Hour)
			}
			must[invocation.Invocation](t)(tx.AddInvocation(inv))
		}
	})
	due := func() []id.Invocation {
		t.Helper()
		return ids(inTx(t, s, func(tx *store.Tx) ([]invocation.Invocation, error) { return tx.DueInvocations(10) }))
	}
	same(t, "due", due(), []id.Invocation{"elsewhere", "later", "late"})
	do(t, s, func(tx *store.Tx) {
		if n := must[int](t)(tx.RunsOf("deploy.run")); n != 1 {
			t.Errorf("%d runs, want 1", n)
		}
		if before := must[bool](t)(tx.WaitsBefore("deploy/shop", 5)); !before {
			t.Error("nobody waits before")
		}
		if before := must[bool](t)(tx.WaitsBefore("deploy/shop", 4)); before {
			t.Error("it waits for itself")
		}
		tx.RenewRuns("another", now.Add(time.Hour), []id.Invocation{"elsewhere"})
	})
	same(t, "a claim is renewed by who has it", due(), []id.Invocation{"elsewhere", "later", "late"})
	do(t, s, func(tx *store.Tx) {
		tx.RenewRuns("node", now.Add(time.Hour), []id.Invocation{"elsewhere", "late"})
		tx.PutOffInvocation("late", now.Add(time.Hour))
		tx.TellWaiting("deploy/shop", "")
	})
	same(t, "renewed, put off, told", due(), []id.Invocation{"later", "waits"})
	do(t, s, func(tx *store.Tx) { tx.DropClaims() })
	if list := due(); !slices.Contains(list, "elsewhere") {
		t.Errorf("due after the start of a lone node: %v", list)
	}
}

func whatIsAwaited(t *testing.T, s *store.Store) {
	confirming, awaiting := asked("c"), asked("a")
	confirming.State, awaiting.State = invocation.Confirming, invocation.Awaiting
	found := func(what string, inv invocation.Invocation, err error, want id.Invocation) {
		t.Helper()
		if want == "" && err == nil || want != "" && (err != nil || inv.ID != want) {
			t.Errorf("%s: %s, %v, want %q", what, inv.ID, err, want)
		}
	}
	do(t, s, func(tx *store.Tx) {
		must[invocation.Invocation](t)(tx.AddInvocation(awaiting))
		confirming = must[invocation.Invocation](t)(tx.AddInvocation(confirming))
		inv, err := tx.ConfirmingOf("u1", "ops")
		found("in the same transaction", inv, err, "c")
		inv, err = tx.InvocationByShort("7kq2")
		found("in the same transaction", inv, err, "a")
	})
	do(t, s, func(tx *store.Tx) {
		inv, err := tx.ConfirmingOf("u1", "ops")
		found("confirming", inv, err, "c")
		inv, err = tx.ConfirmingOf("u1", "")
		found("elsewhere", inv, err, "")
		inv, err = tx.ConfirmingOf("u2", "ops")
		found("of another", inv, err, "")
		inv, err = tx.InvocationByShort("7kq2")
		found("by its code", inv, err, "a")
		inv, err = tx.InvocationByShort("xxxx")
		found("by another code", inv, err, "")
		confirming.State = invocation.Cancelled
		tx.PutInvocation(confirming)
		inv, err = tx.ConfirmingOf("u1", "ops")
		found("after it was given up", inv, err, "")
	})
}

func audit(t *testing.T, s *store.Store) {
	event := func(n id.Invocation, kind invocation.EventKind) invocation.Event {
		return invocation.Event{
			Invocation: n, Kind: kind, By: timeline.Actor{User: "u1", Name: "Kim", Origin: timeline.Chat}, State: invocation.Queued, Reason: invocation.ReasonQueued,
			Line: "a \"line\" <&> \x00 ü", Names: []string{"x"}, For: 12, Bytes: 3,
		}
	}
	do(t, s, func(tx *store.Tx) {
		tx.AppendEvent(event("i1", invocation.EventReceived))
		tx.AppendEvent(event("i2", invocation.EventReceived))
	})
	do(t, s, func(tx *store.Tx) { tx.AppendEvent(event("i1", invocation.EventFinished)) })
	all := must[[]invocation.Event](t)(s.Audit(t.Context(), 0, 10))
	if len(all) != 3 || all[2].Seq != 3 || all[2].Hash == all[1].Hash || all[0].At.IsZero() || all[0].Line != event("", "").Line {
		t.Errorf("audit: %+v", all)
	}
	same(t, "after a number", must[[]invocation.Event](t)(s.Audit(t.Context(), 1, 1)), all[1:2])
	same(t, "of one invocation", must[[]invocation.Event](t)(s.EventsOf(t.Context(), "i1")), []invocation.Event{all[0], all[2]})
	if good, broken, err := s.CheckAudit(t.Context()); good != 3 || broken != 0 || err != nil {
		t.Errorf("CheckAudit() = %d, %d, %v", good, broken, err)
	}
}

func longAudit(t *testing.T, s *store.Store) {
	const n = 2500 // more than are read at once, twice
	do(t, s, func(tx *store.Tx) {
		for i := range n {
			tx.AppendEvent(invocation.Event{Invocation: id.Invocation(strconv.Itoa(i)), Kind: invocation.EventDecided})
		}
	})
	if good, broken, err := s.CheckAudit(t.Context()); good != n || broken != 0 || err != nil {
		t.Errorf("CheckAudit() = %d, %d, %v", good, broken, err)
	}
}

func locks(t *testing.T, s *store.Store) {
	run := invocation.Lock{
		Name: "deploy/shop", Kind: invocation.ForRun, Owner: timeline.Actor{User: "u1", Name: "Kim", Origin: timeline.Chat}, Reason: "deploy run shop", Room: "ops",
		Since: at(0), Invocation: "i1",
	}
	sticky := invocation.Lock{Name: "deploy/other", Kind: invocation.Sticky, Owner: run.Owner, Since: at(0), Until: at(60)}
	do(t, s, func(tx *store.Tx) {
		if err := tx.PutLock(run); err != nil {
			t.Error(err)
		}
		if err := tx.PutLock(sticky); err != nil {
			t.Error(err)
		}
	})
	same(t, "by name", must[[]invocation.Lock](t)(s.Locks(t.Context())), []invocation.Lock{sticky, run})
	do(t, s, func(tx *store.Tx) {
		if l, ok, err := tx.Lock("deploy/shop", invocation.ForRun); err != nil || !ok {
			t.Errorf("Lock() = %+v, %v, %v", l, ok, err)
		}
		if l, ok, err := tx.Lock("deploy/shop", invocation.Sticky); err != nil || ok {
			t.Errorf("Lock() of none = %+v, %v, %v", l, ok, err)
		}
		for name, want := range map[string]int{"deploy/other": 1, "deploy/other/prod/eu": 1, "deploy/others": 0, "deploy": 0, "deploy/shop": 0} {
			if got := must[[]invocation.Lock](t)(tx.Covering(name)); len(got) != want || want == 1 && got[0].Name != sticky.Name {
				t.Errorf("Covering(%q) = %+v, want %d", name, got, want)
			}
		}
		over := must[[]invocation.Lock](t)(tx.LocksOver(10))
		if want := !tx.Now.Before(sticky.Until); (len(over) == 1) != want {
			t.Errorf("LocksOver() = %+v", over)
		}
		tx.DropLocksOf("i2")
		tx.DropLock("none", invocation.Sticky)
	})
	if next := must[time.Time](t)(s.NextInvocation(t.Context())); !next.Equal(at(60)) {
		t.Errorf("NextInvocation = %v, want the end of the lock", next)
	}
	do(t, s, func(tx *store.Tx) {
		tx.DropLocksOf("i1")
		tx.DropLock("deploy/other", invocation.Sticky)
	})
	same(t, "none is left", must[[]invocation.Lock](t)(s.Locks(t.Context())), []invocation.Lock(nil))
}

func actions(t *testing.T, s *store.Store) {
	now := must[time.Time](t)(s.Now(t.Context()))
	want := store.Action{Hash: "h1", Message: 9, Invocation: "i1", Person: "u1", Line: "approve 7kq2", ExpiresAt: now.Add(time.Hour)}
	do(t, s, func(tx *store.Tx) {
		tx.AddAction(want)
		tx.AddAction(store.Action{Hash: "old", ExpiresAt: now.Add(-48 * time.Hour)})
		tx.AddAction(store.Action{Hash: "free", Line: "help", ExpiresAt: now.Add(time.Hour)})
	})
	do(t, s, func(tx *store.Tx) {
		same(t, "button", must[store.Action](t)(tx.Action("h1")), want)
		tx.UseAction("h1")
	})
	do(t, s, func(tx *store.Tx) {
		if a := must[store.Action](t)(tx.Action("h1")); a.UsedAt.IsZero() {
			t.Errorf("a used button: %+v", a)
		}
		tx.DropActions("i1")
	})
	do(t, s, func(tx *store.Tx) {
		for hash, there := range map[string]bool{"h1": false, "old": false, "free": true} {
			if _, err := tx.Action(hash); (err == nil) != there {
				t.Errorf("the button %s: %v", hash, err)
			}
		}
	})
}
