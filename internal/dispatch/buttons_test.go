package dispatch

import (
	"slices"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestCleanButtons(t *testing.T) {
	for _, c := range []struct {
		intent     string
		give, want timeline.Action // without a label: refused
	}{
		{"as it is", timeline.Action{Label: "Restart", Line: "deploy restart", Style: "danger"}, timeline.Action{Label: "Restart", Line: "deploy restart", Style: "danger"}},
		{"without space around it", timeline.Action{Label: " Restart\n", Line: "\tlocks "}, timeline.Action{Label: "Restart", Line: "locks"}},
		{"without what no database takes", timeline.Action{Label: "Re\x00start", Line: "lo\x00cks\xff"}, timeline.Action{Label: "Restart", Line: "locks\uFFFD"}},
		{"nothing to see", timeline.Action{Label: "\u200b\u200d", Line: "locks"}, timeline.Action{}},
		{"nothing to do", timeline.Action{Label: "Locks", Line: "\x00"}, timeline.Action{}},
		{"two lines", timeline.Action{Label: "Locks", Line: "locks\nlocks"}, timeline.Action{}},
		{"too long", timeline.Action{Label: strings.Repeat("x", maxLabel+1), Line: "locks"}, timeline.Action{}},
		{"another style", timeline.Action{Label: "Locks", Line: "locks", Style: "big"}, timeline.Action{}},
	} {
		got, err := cleanButtons([]timeline.Action{c.give})
		if c.want.Label == "" && !fault.Is(err, fault.CodeInvalid) || c.want.Label != "" && !slices.Equal(got, []timeline.Action{c.want}) {
			t.Errorf("%s: cleanButtons() = %+v, %v", c.intent, got, err)
		}
	}
	if _, err := cleanButtons(make([]timeline.Action, MaxButtons+1)); !fault.Is(err, fault.CodeInvalid) {
		t.Errorf("many: %v", err)
	}
}

func TestAButtonSaysHowLongItWorks(t *testing.T) {
	s := storetest.Open(t)
	shown, err := store.InTx(t.Context(), s, func(tx *store.Tx) (timeline.Action, error) {
		return withButtons(tx, []timeline.Action{{Label: "Locks", Line: "locks"}}, 1).Blocks[0].Actions[0], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := store.InTx(t.Context(), s, func(tx *store.Tx) (store.Action, error) { return tx.Action(secret.Hash(shown.Token)) })
	if err != nil || shown.Until.IsZero() || !shown.Until.Equal(kept.ExpiresAt) {
		t.Errorf("the button says %s and works until %s, %v", shown.Until, kept.ExpiresAt, err)
	}
}
