package upload

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// The bot's picture stands beside what it says: everybody may see it, and it
// stays until there is another one.
func TestThePictureOfTheBot(t *testing.T) {
	h := newHouse(t)
	ctx, ada := t.Context(), actor("ada", people.Admin)
	_, err := h.dispatch.ChangeOrg(ctx, ada, func(*org.Org) ([]org.Change, error) {
		return []org.Change{org.Put(org.Settings{Name: "Example", SnoozeMorningAt: "09:00"})}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	upload := func(who people.Actor, content string) id.File {
		t.Helper()
		taken, err := h.Take(ctx, who, "face", strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		return taken.ID
	}
	face, words, kims := upload(ada, picture.String()), upload(ada, "no picture"), upload(actor("kim", people.Member), picture.String())
	if err := h.dispatch.SetBotPicture(ctx, actor("kim", people.Member), kims); !fault.Is(err, fault.CodeForbidden) {
		t.Errorf("a member chooses: %v, want forbidden", err)
	}
	for _, wrong := range []id.File{words, kims, "none"} {
		if err := h.dispatch.SetBotPicture(ctx, ada, wrong); !fault.Is(err, fault.CodeInvalid) {
			t.Errorf("SetBotPicture(%s) = %v, want invalid", wrong, err)
		}
	}
	if err := h.dispatch.SetBotPicture(ctx, ada, face); err != nil {
		t.Fatal(err)
	}
	later := h.now.Load().Add(2 * loose)
	h.now.Store(&later)
	seen := func(want bool) {
		t.Helper()
		if err := h.sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if got := h.reads(t, "obi", face) != "not found"; got != want {
			t.Errorf("an observer sees it: %t, want %t", got, want)
		}
	}
	seen(true)
	if _, err := h.dispatch.Say(ctx, ada, dispatch.Line{Files: []id.File{face}}); !fault.Is(err, fault.CodeInvalid) {
		t.Errorf("it becomes part of a message: %v", err)
	}
	if err := h.dispatch.SetBotPicture(ctx, ada, ""); err != nil {
		t.Fatal(err)
	}
	seen(false)
}
