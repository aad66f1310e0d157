package runner

import (
	"strconv"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
)

// TestARemovedCommandIsGone: a number that was given out and is no more is
// something else than one that never was.
func TestARemovedCommandIsGone(t *testing.T) {
	st := newStation(t, sqliteFile(t))
	ctx := t.Context()
	first, second := st.give("kim", "deploy run web"), st.give("kim", "deploy run shop")
	if _, err := st.desk.Cancel(ctx, st.actor("kim"), string(first.ID)); err != nil {
		t.Fatal(err)
	}
	err := st.store.Do(ctx, func(tx *store.Tx) error {
		_, err := tx.RemoveInvocations([]id.Invocation{first.ID})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]fault.Code{
		strconv.FormatInt(first.Number, 10): fault.CodeGone, "#" + strconv.FormatInt(first.Number, 10): fault.CodeGone,
		"0": fault.CodeNotFound, "-1": fault.CodeNotFound, strconv.FormatInt(second.Number+1, 10): fault.CodeNotFound, string(first.ID): fault.CodeNotFound,
	} {
		if _, _, err := st.desk.Events(ctx, st.actor("kim"), ref); !fault.Is(err, want) {
			t.Errorf("Events of %s = %v, want %s", ref, err, want)
		}
	}
	if _, err := st.desk.Find(ctx, st.actor("kim"), strconv.FormatInt(second.Number, 10)); err != nil {
		t.Errorf("the one that stays: %v", err)
	}
}
