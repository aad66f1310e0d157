package runner

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// TestUsedMarksOneButton, and leaves the document that was posted alone.
func TestUsedMarksOneButton(t *testing.T) {
	posted := &timeline.Document{Blocks: []timeline.Block{
		{Text: "Hello"}, {Actions: []timeline.Action{{Label: "A", Token: "a"}, {Label: "B", Token: "b"}}},
	}}
	got, found := used(posted, "b", "Kim")
	if !found || got.Blocks[1].Actions[1].Used != "Kim" || got.Blocks[1].Actions[0].Used != "" {
		t.Errorf("used() = %+v, %v", got, found)
	}
	if posted.Blocks[1].Actions[1].Used != "" {
		t.Error("the document that was posted has changed")
	}
	for name, doc := range map[string]*timeline.Document{"no document": nil, "no such button": posted} {
		if _, found := used(doc, "c", "Kim"); found {
			t.Errorf("%s: a button was found", name)
		}
	}
}

// What a program puts under its answer is the bot's: it works once, and says
// whom it worked for. Whoever is refused has not used it up.
func TestAButtonOfAnAnswer(t *testing.T) {
	story(t, func(st *station) {
		st.script.do = func(ctx context.Context, r program.Request, out program.Reporter) (program.Result, error) {
			back := &timeline.Document{Blocks: []timeline.Block{{Text: "Deployed."}, {Actions: []timeline.Action{{Label: "Roll back", Line: "look back"}}}}}
			if r.Command == "turn" {
				out.Say("Deployed.", back)
				return say("Took turns.")(ctx, r, out)
			}
			return program.Result{Outcome: program.Succeeded, Text: "Deployed.", Doc: back}, nil
		}
		for _, line := range []string{"deploy run shop", "turn"} {
			inv := st.give("kim", line)
			pass(10 * time.Second)
			at := slices.IndexFunc(st.said(), func(e timeline.Entry) bool {
				return e.Payload.(timeline.Message).Invocation == inv.ID && buttons(e)["look back"] != ""
			})
			if at < 0 {
				t.Fatalf("%s: no button", line)
			}
			token := buttons(st.said()[at])["look back"]
			if until := st.said()[at].Payload.(timeline.Message).Doc.Blocks[1].Actions[0].Until; until.Before(time.Now()) {
				t.Errorf("%s: the button says that it works until %s", line, until)
			}
			full := fault.Conflict("You have many.")
			_, err := st.desk.Press(st.Context(), st.actor("lee"), token, func(*store.Tx, string, timeline.Entry) (invocation.Invocation, error) {
				return invocation.Invocation{}, full
			})
			if !errors.Is(err, full) {
				t.Errorf("%s: Press() = %v, want %v", line, err, full)
			}
			st.court.set(func(c *court) { c.denied["lee"] = "Not you." })
			if inv, err := st.press("lee", token); err != nil || inv.State != invocation.Denied {
				t.Errorf("%s: who may not presses: %s, %v", line, inv.State, err)
			}
			st.court.set(func(c *court) { delete(c.denied, "lee") })
			if inv, err := st.press("lee", token); err != nil || inv.Line != "look back" {
				t.Errorf("%s: Press() = %+v, %v", line, inv, err)
			}
			if _, err := st.press("kim", token); !fault.Is(err, fault.CodeConflict) {
				t.Errorf("%s: it works twice: %v", line, err)
			}
			if by := st.said()[at].Payload.(timeline.Message).Doc.Blocks[1].Actions[0].Used; by != "Lee" {
				t.Errorf("%s: it was used by %q", line, by)
			}
		}
	})
}

func TestSeveralPressTheSameButton(t *testing.T) {
	story(t, func(st *station) {
		inv := st.give("kim", "board")
		token := buttons(st.said()[0])["approve "+inv.Short]
		for _, u := range []id.User{"lee", "ada"} {
			if got, err := st.press(u, token); err != nil || got.ID != inv.ID || !got.ApprovedBy(u) {
				t.Fatalf("%s presses: %+v, %v", u, got, err)
			}
			if got := buttons(st.said()[0])["approve "+inv.Short]; u == "lee" && got != token {
				t.Errorf("the button has another token after it was pressed: %q, was %q", got, token)
			}
		}
		pass(time.Second)
		st.wantState(inv.ID, invocation.Succeeded)
		if _, err := st.press("lee", token); err == nil {
			t.Error("the button of what is over works")
		}
		if _, err := st.press("lee", "made up"); err == nil {
			t.Error("a made up token works")
		}
	})
}
