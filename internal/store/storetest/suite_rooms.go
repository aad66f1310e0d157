package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func in(room id.Room, thread id.Seq, text string) timeline.Entry {
	e := message(text)
	e.Room, e.Thread, e.Person = room, thread, "u1"
	return e
}

// rooms: 1 main, 2 ops, 3 secret, 4 ops in the thread of 2, 5 main, 6 an edit of 2.
func rooms(t *testing.T, s *store.Store) {
	do(t, s, func(tx *store.Tx) {
		for i, e := range []timeline.Entry{in("", 0, "one"), in("ops", 0, "two"), in("secret", 0, "three"), in("ops", 2, "four"), in("", 0, "five")} {
			if got := tx.NextSeq(); got != id.Seq(i+1) {
				t.Errorf("NextSeq() = %d before entry %d", got, i+1)
			}
			tx.Append(e)
		}
		tx.AddMention("u2", "ops", 4)
		tx.SetMark("u2", "ops", 2)
		tx.SetMark("u2", "ops", 1) // never back
		edit := in("ops", 0, "")
		edit.Kind, edit.Payload = timeline.MessageEdited, timeline.Edit{Of: 2, Text: "zwei"}
		tx.Append(edit)
		m := store.Message{Seq: 2, Room: "ops", PinnedAt: at(9), Now: &store.Version{Text: "zwei", At: at(9)}, Edits: 1, Replies: 1, RepliedAt: at(8)}
		if err := tx.PutMessage(m); err != nil {
			t.Error(err)
		}
	})
	for range 3 {
		must[bool](t)(s.IndexNext(t.Context(), "search", 2, func(e timeline.Entry) string {
			m, _ := e.Payload.(timeline.Message)
			return strings.Join(store.Words(m.Text), " ")
		}))
	}
	for intent, tt := range map[string]struct {
		filter store.EntryFilter
		want   []id.Seq
	}{
		"the timeline alone":    {store.EntryFilter{}, []id.Seq{1, 5}},
		"one room":              {store.EntryFilter{Rooms: []id.Room{"ops"}}, []id.Seq{2, 4, 6}},
		"one room, lines":       {store.EntryFilter{Rooms: []id.Room{"ops"}, Lines: true}, []id.Seq{2, 4}},
		"without replies":       {store.EntryFilter{Rooms: []id.Room{"ops"}, Lines: true, NoReplies: true}, []id.Seq{2}},
		"a thread":              {store.EntryFilter{Rooms: []id.Room{"ops"}, Thread: 2}, []id.Seq{4}},
		"a thread from outside": {store.EntryFilter{Thread: 2}, []id.Seq{}},
		"two rooms":             {store.EntryFilter{Rooms: []id.Room{"", "ops"}}, []id.Seq{1, 2, 4, 5, 6}},
		"no room":               {store.EntryFilter{Rooms: []id.Room{}}, []id.Seq{}},
		"all of them":           {store.EntryFilter{AllRooms: true}, []id.Seq{1, 2, 3, 4, 5, 6}},
		"words of now":          {store.EntryFilter{AllRooms: true, Words: []string{"zwei"}}, []id.Seq{2}},
		"words of before":       {store.EntryFilter{AllRooms: true, Words: []string{"two"}}, []id.Seq{}},
		"words of one room":     {store.EntryFilter{Rooms: []id.Room{"ops"}, Words: []string{"f"}}, []id.Seq{4}},
		"words of two rooms":    {store.EntryFilter{Rooms: []id.Room{"ops", "secret"}, Words: []string{"t"}}, []id.Seq{3}},
		"words of an edited":    {store.EntryFilter{Rooms: []id.Room{"ops", "none"}, Words: []string{"zw"}}, []id.Seq{2}},
		"words of somebody":     {store.EntryFilter{Rooms: []id.Room{"ops"}, Words: []string{"f"}, Person: "u1"}, []id.Seq{4}},
		"words of another":      {store.EntryFilter{Rooms: []id.Room{"ops"}, Words: []string{"f"}, Person: "u"}, []id.Seq{}},
		"words elsewhere":       {store.EntryFilter{Rooms: []id.Room{"secret"}, Words: []string{"four"}}, []id.Seq{}},
		"the name of a room":    {store.EntryFilter{AllRooms: true, Words: []string{"ops"}}, []id.Seq{}},
		"words of a secret":     {store.EntryFilter{Rooms: []id.Room{"", "ops"}, Words: []string{"three"}}, []id.Seq{}},
	} {
		same(t, intent, seqs(must[[]timeline.Entry](t)(s.Entries(t.Context(), tt.filter))), tt.want)
	}
	e := must[timeline.Entry](t)(s.Entry(t.Context(), 2))
	if m, _ := e.Payload.(timeline.Message); m.Text != "zwei" || m.Edits != 1 || m.Replies != 1 || !m.PinnedAt.Equal(at(9)) || !m.EditedAt.Equal(at(9)) {
		t.Errorf("the edited message reads %+v", e.Payload)
	}
	same(t, "by number", seqs(must[[]timeline.Entry](t)(s.EntriesBySeq(t.Context(), []id.Seq{3, 2, 99, 2}))), []id.Seq{2, 3})
	same(t, "pinned", must[[]id.Seq](t)(s.Pinned(t.Context(), "ops", 5)), []id.Seq{2})
	same(t, "mentioned", must[[]id.Seq](t)(s.Mentioned(t.Context(), "u2", 0, 5)), []id.Seq{4})
	same(t, "unread", must[map[id.Room]store.Unread](t)(s.Unread(t.Context(), "u2", []id.Room{"ops", "", "none"})), map[id.Room]store.Unread{
		"ops": {Mark: 2, Last: 4, Count: 1, Mentions: 1}, "": {Last: 5, Count: 2}, "none": {},
	})
	many := []id.Room{"ops", "ops"} // more than one question would take
	for i := range 700 {
		many = append(many, id.Room(fmt.Sprint("r", i)))
	}
	if got := must[map[id.Room]store.Unread](t)(s.Unread(t.Context(), "u2", many)); len(got) != 701 || got["ops"].Count != 1 {
		t.Errorf("unread of 701 rooms: %d, of ops %+v", len(got), got["ops"])
	}
	same(t, "unread of no room", must[map[id.Room]store.Unread](t)(s.Unread(t.Context(), "u2", nil)), map[id.Room]store.Unread{})
	same(t, "unread of the author", must[map[id.Room]store.Unread](t)(s.Unread(t.Context(), "u1", []id.Room{"ops"})), map[id.Room]store.Unread{"ops": {Last: 4}})
	do(t, s, func(tx *store.Tx) {
		if err := tx.PutMessage(store.Message{Seq: 4, Room: "ops", DeletedAt: at(9)}); err != nil {
			t.Error(err)
		}
		tx.DropMentions(4)
		tx.SetMark("u2", "", 5)
		tx.MoveMark("u2", "", 4)
	})
	same(t, "unread without what was deleted", must[map[id.Room]store.Unread](t)(s.Unread(t.Context(), "u2", []id.Room{"ops", ""})), map[id.Room]store.Unread{
		"ops": {Mark: 2, Last: 4}, "": {Mark: 4, Last: 5, Count: 1},
	})
	same(t, "mentioned in nothing", len(must[[]id.Seq](t)(s.Mentioned(t.Context(), "u2", 0, 5))), 0)
}

func presence(t *testing.T, s *store.Store) {
	ctx := t.Context()
	wake, stop := s.Wake(store.Presences)
	defer stop()
	if err := s.SetPresences(ctx, []store.Presence{{Session: "a", Person: "u1", Device: "browser", Active: true}}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-wake:
	case <-time.After(5 * time.Second):
		t.Error("nobody was told that somebody came")
	}
	if err := s.SetPresences(ctx, []store.Presence{{Session: "a", Person: "u1", Device: "browser", Room: "ops", Thread: 4, Typing: at(3)}}); err != nil {
		t.Fatal(err)
	}
	got := must[[]store.Presence](t)(s.Present(ctx))
	if len(got) != 1 || got[0].Active || got[0].Room != "ops" || got[0].Thread != 4 || !got[0].Typing.Equal(at(3)) || got[0].Person != "u1" {
		t.Errorf("Present() = %+v", got)
	}
	if err := s.DropPresence(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	if got := must[[]store.Presence](t)(s.Present(ctx)); len(got) != 0 {
		t.Errorf("Present() = %+v after they left", got)
	}
}

func files(t *testing.T, s *store.Store) {
	ctx := t.Context()
	f := store.File{
		File: timeline.File{ID: "f1", Name: "graph.png", Type: "image/png", Size: 9, Width: 3, Height: 2}, Key: "k1", Preview: "k2", Lines: "first", Person: "u1", At: at(1),
	}
	do(t, s, func(tx *store.Tx) {
		if err := tx.PutFile(f); err != nil {
			t.Error(err)
		}
	})
	same(t, "file", must[store.File](t)(s.File(ctx, "f1")), f)
	same(t, "loose files", must[[]store.File](t)(s.LooseFiles(ctx, at(2), 5)), []store.File{f})
	f.Room, f.Seq = "ops", 7
	do(t, s, func(tx *store.Tx) {
		if err := tx.PutFile(f); err != nil {
			t.Error(err)
		}
	})
	if loose := must[[]store.File](t)(s.LooseFiles(ctx, at(2), 5)); len(loose) != 0 {
		t.Errorf("LooseFiles() = %+v though a message shows it", loose)
	}
	same(t, "files of a room", must[[]store.File](t)(s.RoomFiles(ctx, "ops", 5)), []store.File{f})
	do(t, s, func(tx *store.Tx) {
		for key, want := range map[string]bool{"k1": true, "k2": true, "k3": false} {
			if used, err := tx.KeyUsed(key); err != nil || used != want {
				t.Errorf("KeyUsed(%s) = %t, %v", key, used, err)
			}
		}
		tx.DropFile("f1")
	})
	if left := must[[]store.File](t)(s.RoomFiles(ctx, "ops", 5)); len(left) != 0 {
		t.Errorf("RoomFiles() = %+v after it was dropped", left)
	}
}
