package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func (h *watch) retention() org.Retention {
	h.Helper()
	o, err := h.store.Org(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return o.Settings.Retention
}

func TestRetentionPage(t *testing.T) {
	h := newWatch(t)
	if got := h.status("kim", http.MethodGet, "/settings/retention", nil); got != http.StatusForbidden {
		t.Errorf("a member opens the page: %d", got)
	}
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		for i := range 3 {
			inv := invocation.Invocation{ID: id.Invocation(fmt.Sprint("i", i)), State: invocation.Succeeded, AskedAt: tx.Now.Add(-90 * 24 * time.Hour), Output: "much"}
			if _, err := tx.AddInvocation(inv); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const path = "/settings/retention"
	if _, body := h.send(path, http.StatusUnprocessableEntity, "messages", "soon"); !strings.Contains(body, "Give a number of days") {
		t.Errorf("a word for days is not refused:\n%.2000s", body)
	}
	if _, body := h.send(path, http.StatusOK, "outputs", "30", "do", "look"); !strings.Contains(body, "3 outputs of commands") || strings.Contains(body, `name="sure"`) {
		t.Errorf("what it would do is not told:\n%.3000s", body)
	}
	if _, body := h.send(path, http.StatusOK, "outputs", "30", "do", "save"); !strings.Contains(body, "Nothing is saved yet") || !strings.Contains(body, `name="sure"`) {
		t.Errorf("it is not asked whether that is meant:\n%.3000s", body)
	}
	if got := h.retention(); got.On() {
		t.Errorf("it was saved without a second word: %+v", got)
	}
	if _, body := h.send(path, http.StatusOK, "outputs", "30", "do", "save", "sure", "0,0,0,0,60,0"); !strings.Contains(body, `name="sure" value="0,0,0,0,30,0"`) || h.retention().On() {
		t.Errorf("the second word was for other days:\n%.3000s", body)
	}
	h.send(path, http.StatusSeeOther, "outputs", "30", "do", "save", "sure", "0,0,0,0,30,0")
	if got := h.retention(); got != (org.Retention{Outputs: 30}) {
		t.Errorf("saved: %+v", got)
	}
	h.send(path, http.StatusSeeOther, "outputs", "400", "messages", "0", "do", "save") // removes nothing
	if got := h.retention(); got != (org.Retention{Outputs: 400}) {
		t.Errorf("saved: %+v", got)
	}
}

func TestWhatWasRemoved(t *testing.T) {
	h := newWatch(t)
	first := h.tell("kim", room.Main, "long ago")
	var n id.Incident
	err := h.store.Do(t.Context(), func(tx *store.Tx) error {
		n = tx.NewIncident()
		tx.Save(incident.Decision{Incident: incident.Incident{ID: n, State: incident.Resolved, EntityID: "old"}, Changed: true})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	message, about := fmt.Sprintf("/messages/%d", first), fmt.Sprintf("/incidents/%d", n)
	for _, path := range []string{message, about} {
		if got := h.status("kim", http.MethodGet, path, nil); got != http.StatusOK {
			t.Errorf("before it was removed %s answers %d", path, got)
		}
	}
	err = h.store.Do(t.Context(), func(tx *store.Tx) error {
		if _, _, err := tx.RemoveIncident(n, 10); err != nil {
			return err
		}
		if _, err := tx.RemoveEntries([]store.OldEntry{{Seq: first, Kind: timeline.MessagePosted}}); err != nil {
			return err
		}
		tx.Append(timeline.Entry{Kind: timeline.RecordsRemoved, Actor: timeline.Self, Payload: timeline.Removal{Messages: 1, Incidents: 1}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{message, message + "/history", fmt.Sprintf("/threads/%d", first), about} {
		answer, body := h.ask(request{as: "kim", path: path})
		if answer.StatusCode != http.StatusGone || !strings.Contains(body, "No longer kept") || !strings.Contains(body, "older than what is kept") {
			t.Errorf("%s answers %s", path, answer.Status)
		}
	}
	if got := h.status("kim", http.MethodGet, "/messages/999999", nil); got != http.StatusNotFound {
		t.Errorf("a message that never was: %d", got)
	}
	if got := h.status("kim", http.MethodGet, "/incidents/999999", nil); got != http.StatusNotFound {
		t.Errorf("an incident that never was: %d", got)
	}
	if _, body := h.ask(request{as: "kim", path: "/"}); !strings.Contains(body, "Older lines are removed, last on") || !strings.Contains(body, "Retention removed what was old: 1 message and 1 incident") {
		t.Error("the beginning of the timeline does not tell that older lines were removed")
	}
}
