package dispatch

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/search"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestWhatOneMayNotReadCanBeNeitherQuotedNorAnswered(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		r := h.room(t, kim(), room.Room{Kind: room.Private, Slug: "raise"})
		secret := h.say(t, kim(), Line{Room: r.ID, Text: "secretword"})
		deleted := h.say(t, kim(), Line{Text: "never mind"})
		if err := h.Delete(ctx, kim(), deleted); err != nil {
			t.Fatal(err)
		}
		const nowhere = 1 << 40
		_, none := h.Say(ctx, lee(), Line{Text: "see", Quote: nowhere})
		for _, of := range []id.Seq{secret, deleted} {
			if _, err := h.Say(ctx, lee(), Line{Text: "see", Quote: of}); !fault.Is(err, fault.CodeInvalid) || err.Error() != none.Error() {
				t.Errorf("quoting %d = %v, want %v", of, err, none)
			}
		}
		if got := h.said(t, h.say(t, kim(), Line{Room: r.ID, Text: "as I said", Quote: secret})).Quote; got != secret {
			t.Errorf("it quotes %d, want %d", got, secret)
		}
		_, none = h.Say(ctx, lee(), Line{Text: "yes?", Thread: nowhere})
		for _, of := range []id.Seq{secret, deleted} {
			if _, err := h.Say(ctx, lee(), Line{Text: "yes?", Thread: of}); !fault.Is(err, fault.CodeInvalid) || err.Error() != none.Error() {
				t.Errorf("answering %d = %v, want %v", of, err, none)
			}
		}
	})
}

// TestDeletedWordsAreGone: from the message, and from all entries that repeat
// it; what was linked to an incident is a copy, and stays.
func TestDeletedWordsAreGone(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx, inc := t.Context(), h.open(t, "disk/db01")
		seq := h.say(t, kim(), Line{Text: "secretword one"})
		if err := h.Edit(ctx, kim(), seq, "secretword two"); err != nil {
			t.Fatal(err)
		}
		for _, on := range []bool{true, false, true} {
			if err := h.Pin(ctx, lee(), seq, on); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.LinkMessage(ctx, lee(), seq, inc.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.Delete(ctx, kim(), seq); err != nil {
			t.Fatal(err)
		}
		copies := 0
		for _, e := range h.entries(t, store.EntryFilter{Limit: 1000}) {
			var words string
			switch p := e.Payload.(type) {
			case timeline.Message:
				words = p.Text
			case timeline.Edit:
				words = p.Text
			case timeline.Pin:
				words = p.Text
			case timeline.Unpin:
				words = p.Text
			case timeline.Link:
				copies++
				continue
			}
			if strings.Contains(words, "secretword") {
				t.Errorf("%s still says %q", e.Kind, words)
			}
		}
		for more := true; more; {
			var err error
			if more, err = h.store.IndexNext(ctx, "search", 100, func(e timeline.Entry) string { return strings.Join(search.Of(e), " ") }); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range h.entries(t, store.EntryFilter{Words: []string{"secretword"}}) {
			if e.Kind != timeline.MessageLinked {
				t.Errorf("%s is found by words that are gone", e.Kind)
			}
		}
		if copies != 1 {
			t.Errorf("the incident has %d copies of what was linked to it", copies)
		}
	})
}

func TestFilesOfADeletedAnswerGo(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		file := timeline.File{ID: "f1", Name: "output.txt", Type: "text/plain", Size: 3}
		doc := &timeline.Document{Blocks: []timeline.Block{{File: &file}}}
		seq, err := h.Answer(ctx, Line{Text: "done", Doc: doc})
		if err != nil {
			t.Fatal(err)
		}
		err = h.store.Do(ctx, func(tx *store.Tx) error {
			return tx.PutFile(store.File{File: file, Key: "k", Seq: seq, At: tx.Now})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Delete(ctx, ada(), seq); err != nil {
			t.Fatal(err)
		}
		if f, err := h.store.File(ctx, "f1"); err != nil || f.Seq != 0 {
			t.Errorf("the file is still shown by message %d (%v)", f.Seq, err)
		}
		if _, err := h.Say(ctx, people.Operator(), Line{Text: "mine", Files: []id.File{"f1"}}); !fault.Is(err, fault.CodeInvalid) {
			t.Errorf("somebody who is nobody shows nobody's file: %v", err)
		}
	})
}

// TestATokenGoesWithItsMessage: who reads commands in messages has to know what
// the token may.
func TestATokenGoesWithItsMessage(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		scoped := kim()
		scoped.Scopes = []people.Permission{people.Read, people.Talk}
		if got := h.said(t, h.say(t, scoped, Line{Text: "!deploy"})).Scopes; !cmp.Equal(got, []string{"read", "talk"}) {
			t.Errorf("scopes %v", got)
		}
		if got := h.said(t, h.say(t, kim(), Line{Text: "!deploy"})).Scopes; got != nil {
			t.Errorf("without a token: scopes %v", got)
		}
	})
}

// TestManyAtOneMessage: whatever several people do to a message on two nodes at
// once, nothing of it is lost.
func TestManyAtOneMessage(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx, seq := t.Context(), h.say(t, kim(), Line{Text: "is anybody there?"})
		var all sync.WaitGroup
		const times = 5
		for i := range times {
			node := []*Dispatcher{h.Dispatcher, h.other}[i%2]
			all.Go(func() {
				if _, err := node.Say(ctx, lee(), Line{Thread: seq, Text: "yes"}); err != nil {
					t.Error(err)
				}
			})
			all.Go(func() {
				if err := node.Edit(ctx, kim(), seq, strings.Repeat("hello ", i+1)); err != nil {
					t.Error(err)
				}
			})
			for _, who := range []people.Actor{kim(), lee(), ada()} {
				all.Go(func() {
					if err := node.React(ctx, who, seq, "👍", true); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		got := h.said(t, seq)
		if got.Replies != times || got.Edits != times || len(got.Reactions) != 1 || len(got.Reactions[0].Users) != 3 {
			t.Errorf("it reads %+v", got)
		}
		if n := len(h.entries(t, store.EntryFilter{Kinds: []timeline.Kind{timeline.ReactionAdded}})); n != 3 {
			t.Errorf("%d reactions in the record, want 3", n)
		}

		// Deleting while others answer: an answer before it stands, one after it is refused.
		answers := make([]error, times)
		for i := range answers {
			all.Go(func() { _, answers[i] = h.Say(ctx, lee(), Line{Thread: seq, Text: "still?"}) })
		}
		all.Go(func() {
			if err := h.other.Delete(ctx, kim(), seq); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		stood := times
		for _, err := range answers {
			switch {
			case err == nil:
				stood++
			case !fault.Is(err, fault.CodeInvalid):
				t.Errorf("an answer to what is deleted = %v", err)
			}
		}
		if got := h.said(t, seq); !got.Deleted || got.Replies != stood {
			t.Errorf("after %d answers it reads %+v", stood, got)
		}
	})
}

// TestWhoLeavesHearsTheDoor: nobody posts into a room after they have left it.
func TestWhoLeavesHearsTheDoor(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		r := h.room(t, kim(), room.Room{Kind: room.Private, Slug: "raise", Members: []id.User{"lee"}})
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				if _, err := []*Dispatcher{h.Dispatcher, h.other}[i%2].Say(ctx, lee(), Line{Room: r.ID, Text: "and another thing"}); err != nil && !fault.Is(err, fault.CodeNotFound) {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if err := h.other.LeaveRoom(ctx, lee(), r.ID); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		left := false
		for _, e := range h.entries(t, store.EntryFilter{Rooms: []id.Room{r.ID}}) {
			_, changed := e.Payload.(timeline.RoomChange)
			if left = left || changed; left && !changed {
				t.Errorf("entry %d by %s after they left", e.Seq, e.Person)
			}
		}
	})
}
