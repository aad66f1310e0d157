package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/room"
)

func TestUnreadAgain(t *testing.T) {
	h := newHouse(t)
	r, err := h.dispatch.OpenRoom(t.Context(), member("max"), room.Room{Kind: room.Private, Slug: "us"})
	if err != nil {
		t.Fatal(err)
	}
	secret := h.say("max", dispatch.Line{Room: r.ID, Text: "between us"})
	seq := h.say("max", dispatch.Line{Text: "@ada look"})
	h.want(h.do("ada", http.MethodPut, "/api/v1/rooms/timeline/mark", `{"seq": `+digits(seq)+`}`), http.StatusNoContent)
	if got := h.want(h.do("ada", http.MethodGet, "/api/v1/unread", ""), http.StatusOK).Text; strings.Contains(got, `"room":""`) {
		t.Errorf("all is read, and unread are %s", got)
	}
	h.want(h.do("ada", http.MethodPost, "/api/v1/messages/"+digits(seq)+"/unread", ""), http.StatusNoContent)
	if got := h.want(h.do("ada", http.MethodGet, "/api/v1/unread", ""), http.StatusOK).Text; !strings.Contains(got, `"room":"","mark":`+digits(seq-1)+`,"last":`+digits(seq)+`,"count":1,"mentions":1`) {
		t.Errorf("unread again: %s", got)
	}
	h.want(h.do("ada", http.MethodPost, "/api/v1/messages/"+digits(secret)+"/unread", ""), http.StatusNotFound)
}

func TestTooFast(t *testing.T) {
	h := newHouse(t)
	h.dispatch.SetPace(0.01)
	for range dispatch.AtOnce {
		h.say("ada", dispatch.Line{Text: "again"})
	}
	got := h.want(h.do("ada", http.MethodPost, "/api/v1/rooms/timeline/messages", `{"text": "once too often"}`), http.StatusTooManyRequests)
	if got.Header.Get("Retry-After") == "" || !strings.Contains(got.Text, `"code":"too_many"`) {
		t.Errorf("Retry-After %q, %s", got.Header.Get("Retry-After"), got.Text)
	}
}
