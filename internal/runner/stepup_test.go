package runner

import (
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// proven is an actor who has just shown their second factor in this browser.
func (st *station) proven(u id.User) people.Actor {
	a := st.actor(u)
	a.ProvenAt = time.Now()
	return a
}

func TestSteppedUpApprovedAndRun(t *testing.T) {
	story(t, func(st *station) {
		ctx := st.Context()
		st.court.set(func(c *court) { c.stepUp = true })
		inv := st.give("kim", "wipe the disk")
		st.wantState(inv.ID, invocation.Proving)
		prompt, ok := st.said()[0].Payload.(timeline.Message)
		if !ok || !strings.Contains(prompt.Text, "/step-up?invocation=1") || prompt.Doc == nil {
			t.Fatalf("the prompt is %+v", prompt)
		}
		if _, err := st.desk.Prove(ctx, st.actor("kim"), "1"); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("proven by saying so: %v", err)
		}
		if _, err := st.desk.Prove(ctx, st.proven("lee"), "1"); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("proven by another: %v", err)
		}
		token := st.proven("kim")
		token.Origin = timeline.API
		if _, err := st.desk.Prove(ctx, token, "1"); !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("proven by a program: %v", err)
		}
		inv, err := st.desk.Prove(ctx, st.proven("kim"), "1")
		if err != nil || inv.State != invocation.Awaiting || !inv.Confirmed {
			t.Fatalf("Prove() = %+v, %v", inv, err)
		}
		_, err = st.desk.Approve(ctx, st.actor("lee"), inv.Short)
		if page, ok := StepUpFor(err); !ok || page != "/step-up?approve=1" || !fault.Is(err, fault.CodeForbidden) {
			t.Errorf("approved without the second factor: %v, on with %q", err, page)
		}
		byToken := st.proven("lee")
		byToken.Scopes = people.Permissions
		_, err = st.desk.Approve(ctx, byToken, inv.Short)
		if _, ok := StepUpFor(err); ok || !fault.Is(err, fault.CodeForbidden) || !strings.Contains(fault.MessageOf(err), "program") {
			t.Errorf("approved by a program: %v", err)
		}
		if _, err := st.desk.Approve(ctx, st.proven("lee"), inv.Short); err != nil {
			t.Errorf("Approve() = %v", err)
		}
		pass(20 * time.Minute)
		st.wantState(inv.ID, invocation.Succeeded)
		st.wantEvents(inv.ID, invocation.EventReceived, invocation.EventDecided, invocation.EventProven, invocation.EventDecided,
			invocation.EventApproved, invocation.EventStarted, invocation.EventFinished)
	})
}

func TestNotSteppedUpInTime(t *testing.T) {
	story(t, func(st *station) {
		st.court.set(func(c *court) { c.stepUp = true })
		inv := st.give("kim", "wipe the `disk` "+strings.Repeat("x", 2000))
		if prompt, ok := st.said()[0].Payload.(timeline.Message); !ok || !strings.HasPrefix(prompt.Text, "`wipe the 'disk' xxx") || len(prompt.Text) > 500 {
			t.Errorf("the prompt is %+v", prompt)
		}
		pass(invocation.ProveFor)
		st.wantState(inv.ID, invocation.Expired)
		if _, err := st.desk.Prove(st.Context(), st.proven("kim"), "1"); !fault.Is(err, fault.CodeConflict) {
			t.Errorf("proven too late: %v", err)
		}
		if all := st.said(); len(all) != 1 {
			t.Errorf("the bot said %d things, want its one message that has changed", len(all))
		}
	})
}

// One yes means one command, also when it is not the line given last that asks for it.
func TestProvenToBreakTheGlassSupersedes(t *testing.T) {
	story(t, func(st *station) {
		st.court.set(func(c *court) { c.stepUp = true })
		first := st.give("kim", `deploy run shop --break-glass --reason "it is down"`)
		st.wantState(first.ID, invocation.Proving)
		st.court.set(func(c *court) { c.stepUp = false })
		second := st.give("kim", "wipe it")
		st.wantState(second.ID, invocation.Confirming)
		if got, err := st.desk.Prove(st.Context(), st.proven("kim"), "1"); err != nil || got.State != invocation.Confirming || !got.Glass {
			t.Fatalf("Prove() = %s, %v", got.State, err)
		}
		if inv := st.wantState(second.ID, invocation.Cancelled); inv.Cause != invocation.ReasonSuperseded {
			t.Errorf("it was cancelled because %s", inv.Cause)
		}
		err := st.store.Do(st.Context(), func(tx *store.Tx) error {
			_, err := st.desk.Yes(tx, st.actor("kim"), first.Room)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		st.wantState(first.ID, invocation.Succeeded)
	})
}
