package demo

import (
	"context"
	"image"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/permit"
	"github.com/watchroom/watchroom/internal/script"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Every scene can be played to its end, and shows all that a room can show.
func TestEverySceneIsPlayed(t *testing.T) {
	ctx := t.Context()
	box, err := secret.Open(filepath.Join(t.TempDir(), "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(ctx, store.Config{Path: filepath.Join(t.TempDir(), "demo.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	d := dispatch.New(s, box, slog.New(slog.DiscardHandler))
	h := New(s, d, 1)
	h.Upload = func(ctx context.Context, actor people.Actor, name string, _ io.Reader) (store.File, error) {
		f := store.File{File: timeline.File{ID: id.File(id.New()), Name: name, Type: "text/plain", Size: 1}, Key: name, Person: actor.User}
		return f, s.Do(ctx, func(tx *store.Tx) error { return tx.PutFile(f) })
	}
	if _, err := h.Furnish(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	inc, err := d.Page(ctx, actor(staff[1]), userID("jonas"), "Disk almost full", "disk")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range slices.Concat(recent, chatter, []scene{tried}) {
		h.begin(s, 0, people.Actor{})
	}
	for _, tr := range troubles {
		if len(tr.thread) > 0 {
			for _, p := range staff[1:7] {
				if who := asker(tr.thread, actor(p)); slices.ContainsFunc(tr.thread, func(l line) bool { return userID(l.who) == who.User }) {
					t.Errorf("%s asks themselves about %s", who.Name, tr.alert.Title)
				}
			}
			h.begin(scene{ops, tr.thread}, inc.ID, asker(tr.thread, actor(staff[3])))
		}
	}
	for h.talking() {
		if err := h.speak(ctx); err != nil {
			t.Fatal(err)
		}
	}
	var all timeline.Message
	for name, r := range h.rooms {
		said, err := s.Entries(ctx, store.EntryFilter{Rooms: []id.Room{r}, Kinds: []timeline.Kind{timeline.MessagePosted}, Limit: 200})
		if err != nil || len(said) == 0 {
			t.Errorf("in %s nobody says anything (%v)", name, err)
		}
		for _, e := range said {
			m := e.Payload.(timeline.Message)
			all.Edits += m.Edits
			all.Replies += m.Replies
			all.Reactions = append(all.Reactions, m.Reactions...)
			all.Files = append(all.Files, m.Files...)
			all.Mentions = append(all.Mentions, m.Mentions...)
			all.Incidents = append(all.Incidents, m.Incidents...)
			if !m.PinnedAt.IsZero() {
				all.PinnedAt = m.PinnedAt
			}
		}
	}
	for what, have := range map[string]bool{
		"edits": all.Edits > 0, "replies": all.Replies > 0, "reactions": len(all.Reactions) > 0, "files": len(all.Files) == 2, "pins": !all.PinnedAt.IsZero(),
		"a call for the administrator": slices.Contains(all.Mentions, userID(Admin)), "links to an incident": len(all.Incidents) > 0,
	} {
		if !have {
			t.Errorf("the rooms show no %s", what)
		}
	}
}

// The command of the demo is one that the server understands, and so are its rules.
func TestCommandsOfTheHouse(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "commands")
	if err := Commands(folder); err != nil {
		t.Fatal(err)
	}
	made, problems := script.Load(folder, script.Options{})
	if len(problems) > 0 || len(made) != 1 {
		t.Errorf("there are %d commands, and problems %v", len(made), problems)
	}
	if _, err := permit.Compile(rules); err != nil {
		t.Error(err)
	}
	if _, _, err := image.Decode(graph()); err != nil {
		t.Errorf("the picture cannot be read: %v", err)
	}
}
