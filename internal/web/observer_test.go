package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/room"
)

// Who only reads talks with the bot, and with nobody else.
func TestAnObserverTalksWithTheBotAlone(t *testing.T) {
	h := newWatch(t)
	h.room("kim", room.Public, "ops", "u-ada", "u-olga")
	own := h.get("olga", "/rooms/@victor")
	h.has(own, `id="composer"`)
	h.lacks(own, "data-attach-input")
	h.lacks(h.get("olga", "/rooms/ops"), `id="composer"`)
	h.has(h.get("olga", "/chat/jump"), `"/rooms/@victor"`)
	for path, want := range map[string]bool{
		"/rooms/@victor/messages": true, "/rooms/main/messages": false, "/rooms/ops/messages": false, "/rooms/@kim/messages": false, "/rooms/@olga/messages": false,
	} {
		status := h.status("olga", http.MethodPost, path, url.Values{"text": {"whoami"}})
		if got := status != http.StatusForbidden; got != want {
			t.Errorf("%s: %d, want allowed=%t", path, status, want)
		}
	}
	if page := h.get("olga", "/complete?room=main&text=/he&at=3"); !strings.Contains(page, `"candidates":[]`) {
		t.Errorf("what she cannot say is completed: %s", page)
	}
}
