package web

import (
	"log/slog"
	"testing"

	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

// A page on a bad link is back before the server has noticed that its old
// connection is dead; the end of that one takes nobody away.
func TestPresenceOfAPageThatConnectsAnew(t *testing.T) {
	s, log := storetest.Open(t), slog.New(slog.DiscardHandler)
	var p presence
	page := store.Presence{Session: "1", Person: "kim", Active: true}
	old := p.arrive(t.Context(), s, log, page, func() {})
	fresh := p.arrive(t.Context(), s, log, page, func() {})
	defer fresh()
	old()
	if !p.change("1", "kim", func(page *store.Presence) { page.Active = false }) {
		t.Error("the page that is open is taken for one that has gone")
	}
	if got := p.states()["kim"]; got != "away" {
		t.Errorf("kim, whose page is open and rests, is %q, want away", got)
	}
}
