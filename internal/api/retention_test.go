package api_test

import (
	"net/http"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Nobody but an administrator says for how long things are kept; a body without
// it leaves it as it is.
func TestRetentionIsASetting(t *testing.T) {
	h := newHouse(t)
	const path = "/api/v1/settings"
	rest := `"name":"Example","warnings_open":true,"snooze_morning_at":"09:00"`
	h.want(h.do("max", http.MethodPut, path, `{`+rest+`,"retention":{"messages":30}}`), http.StatusForbidden)
	h.want(h.do("ada", http.MethodPut, path, `{`+rest+`,"retention":{"messages":-1}}`), http.StatusBadRequest)
	h.want(h.do("ada", http.MethodPut, path, `{`+rest+`,"retention":{"mails":1}}`), http.StatusBadRequest)
	h.want(h.do("ada", http.MethodPut, path, `{`+rest+`,"retention":{"messages":30,"commands":400}}`), http.StatusOK)
	for _, body := range []string{`{` + rest + `}`, `{` + rest + `,"retention":{"messages":30,"commands":400}}`} {
		h.want(h.do("ada", http.MethodPut, path, body), http.StatusOK)
		o, err := h.store.Org(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := o.Settings.Retention; got.Messages != 30 || got.Commands != 400 || got.Incidents != 0 {
			t.Errorf("after %s: %+v", body, got)
		}
	}
}

func TestWhatWasRemovedIsGone(t *testing.T) {
	h := newHouse(t)
	say := func(text string) id.Seq {
		said := h.want(h.do("max", http.MethodPost, "/api/v1/rooms/main/messages", `{"text":"`+text+`"}`), http.StatusCreated)
		n, _ := said.JSON["seq"].(float64)
		return id.Seq(n)
	}
	seq, later := say("long ago"), say("now")
	path := "/api/v1/messages/" + digits(seq)
	h.want(h.do("max", http.MethodGet, path, ""), http.StatusOK)
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		_, err := tx.RemoveEntries([]store.OldEntry{{Seq: seq, Kind: timeline.MessagePosted}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.want(h.do("max", http.MethodGet, path, ""), http.StatusGone); got.JSON["code"] != "gone" {
		t.Errorf("the code is %v, want gone", got.JSON["code"])
	}
	h.want(h.do("max", http.MethodGet, "/api/v1/messages/999999", ""), http.StatusNotFound)
	h.want(h.do("max", http.MethodGet, "/api/v1/incidents/999999", ""), http.StatusNotFound)
	got := h.want(h.do("max", http.MethodGet, "/api/v1/timeline?after="+digits(seq-1), ""), http.StatusOK)
	if items, _ := got.JSON["items"].([]any); len(items) == 0 || items[0].(map[string]any)["seq"] != float64(later) {
		t.Errorf("after a removed number come %v, want %d first", items, later)
	}
}
