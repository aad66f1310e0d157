package app

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// TestAMonthIsKept: what is older than thirty days goes with its files; what is
// pinned, open or young stays, and numbers go on.
func TestAMonthIsKept(t *testing.T) {
	story(t, func(w *world) {
		w.change(org.Put(org.Settings{
			Name: "Example", DefaultPolicy: "default", WarningsOpen: true, SnoozeMorningAt: "09:00",
			Retention: org.Retention{Messages: 30, Incidents: 30, Commands: 30},
		}))
		ops, err := w.app.Dispatch.OpenRoom(w.Context(), w.as("kim"), room.Room{Kind: room.Public, Slug: "ops"})
		if err != nil {
			w.Fatal(err)
		}
		f, err := w.app.talk.uploads.Take(w.Context(), w.as("kim"), "error.log", strings.NewReader("disk full\n"))
		if err != nil {
			w.Fatal(err)
		}
		shown, err := w.app.Dispatch.Say(w.Context(), w.as("kim"), dispatch.Line{Room: ops.ID, Text: "look @noor", Files: []id.File{f.ID}})
		if err != nil {
			w.Fatal(err)
		}
		pinned := w.say("kim", ops.ID, "the runbook")
		if err := w.app.Dispatch.Pin(w.Context(), w.as("kim"), pinned, true); err != nil {
			w.Fatal(err)
		}
		w.post("CRITICAL", "disk/db01", "93% full")
		w.say("kim", room.Main, "!ack 1")
		w.post("RECOVERY", "disk/db01")
		w.post("CRITICAL", "disk/db02", "93% full")
		w.say("kim", room.Main, "!ack 2") // and nobody resolves it
		if n := w.contents(); n != 1 {
			w.Fatalf("%d files are kept, want 1", n)
		}
		w.stop() // a month of every loop's looking would take long
		w.later(31 * 24 * time.Hour)
		w.start()
		young := w.say("kim", ops.ID, "a month later")
		w.later(11 * time.Minute)

		for _, c := range []struct {
			what string
			seq  id.Seq
			gone bool
		}{{"a line with a file", shown, true}, {"a pinned line", pinned, false}, {"a young line", young, false}} {
			if gone, err := w.app.Store.Gone(w.Context(), c.seq); err != nil || gone != c.gone {
				w.Errorf("%s: Gone(%d) = %v, %v", c.what, c.seq, gone, err)
			}
		}
		for n, want := range map[id.Incident]bool{1: true, 2: false} {
			if gone, err := w.app.Store.IncidentGone(w.Context(), n); err != nil || gone != want {
				w.Errorf("IncidentGone(%d) = %v, %v", n, gone, err)
			}
		}
		if n := w.contents(); n != 0 {
			w.Errorf("%d files are kept in the folder", n)
		}
		if young <= pinned {
			w.Errorf("the number %d follows %d", young, pinned)
		}
		if left := w.invocations(store.InvocationFilter{}); len(left) != 1 || left[0].Number != 2 {
			w.Errorf("commands left: %+v", left) // the last one gives the next its number
		}
		if good, broken, err := w.app.Store.CheckAudit(w.Context()); good == 0 || broken != 0 || err != nil {
			w.Errorf("CheckAudit() = %d, %d, %v", good, broken, err)
		}
		if left, err := w.app.Store.Mentioned(w.Context(), "noor", 0, 10); err != nil || len(left) != 0 {
			w.Errorf("mentions left: %v (%v)", left, err)
		}
		told := 0
		for _, e := range w.entries() {
			if p, ok := e.Payload.(timeline.Removal); ok {
				if told++; p.Incidents != 1 || p.Files != 1 || p.Messages == 0 {
					w.Errorf("told: %+v", p)
				}
			}
		}
		if told != 1 {
			w.Errorf("%d lines tell of it, want 1", told)
		}
		w.say("kim", room.Main, "!ack 2") // commands are numbered on
		if last := w.invocations(store.InvocationFilter{Limit: 1}); len(last) != 1 || last[0].Number != 3 {
			w.Errorf("the next command: %+v", last)
		}
		w.post("CRITICAL", "disk/db03", "93% full")
		if inc := w.incident(3); inc.EntityID != "disk/db03" {
			w.Errorf("the next incident is %+v", inc)
		}
	})
}

// contents counts the files in the folder of uploads.
func (w *world) contents() (n int) {
	w.Helper()
	err := filepath.WalkDir(filepath.Join(w.dir, "files"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return n
}
