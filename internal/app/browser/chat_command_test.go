package browser

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
)

// ownCommands makes a folder of commands.
func ownCommands(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		mode := os.FileMode(0o755)
		if filepath.Ext(name) == ".yaml" {
			mode = 0o644
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// newCommandHouse is a furnished house with commands of its own.
func newCommandHouse(t *testing.T, files map[string]string) *house {
	t.Helper()
	dir := ownCommands(t, files)
	h := newHouseWith(t, func(c *config.Config) { c.Commands = dir })
	h.furnish()
	return h
}

// last is the latest run of a command.
func (h *house) last(command string) invocation.Invocation {
	h.Helper()
	found, err := h.app.Store.Invocations(h.Context(), store.InvocationFilter{Command: command, Limit: 1})
	if err != nil || len(found) != 1 {
		h.Fatalf("runs of %s: %v, %v", command, found, err)
	}
	return found[0]
}

// chatFails: a command that fails says so in front of everybody, with the end
// of what it complained about, and so do its own page and those that were
// misspelt or are not allowed.
func chatFails(t *testing.T, chromium context.Context) {
	h := newCommandHouse(t, map[string]string{
		"deploy":      "#!/bin/sh\necho 'Copying to web01'\nsleep 1.5\nfor i in 1 2 3 4 5 6 7 8; do echo \"retry $i\" >&2; done\necho 'disk full: /srv' >&2\nexit 1\n",
		"deploy.yaml": "words: deploy run\nsummary: puts a version on the servers\nrisk: change\nargs:\n  - name: app\n    required: true\n",
	})
	h.room("kim", room.Public, "ops", "noor", "olga")
	kim, noor := h.enter(chromium, "kim"), h.enter(chromium, "noor")
	for _, tb := range []*tab{kim, noor} {
		tb.open("/rooms/ops")
		tb.live()
	}
	kim.write("#composer", "!deploy run shop")
	for _, tb := range []*tab{kim, noor} {
		tb.sees(".by-bot .doc-status", "Failed")
		tb.sees(".by-bot", "failed after")
		tb.sees("[data-entries]", "disk full: /srv")
		tb.click(".thread-foot", "1 reply")
		tb.sees("[data-side-panel] .by-bot", "retry 8")
	}
	inv := h.last("deploy.run")
	if inv.State != invocation.Failed {
		t.Errorf("it is %s", inv.State)
	}
	newAuditor(noor, "chat").look("failed")
	noor.media("light", wide)
	noor.open("/jobs")
	noor.click("main td a", "")
	noor.sees("main h2", "Failed")
	noor.sees("main", "disk full: /srv")
	newAuditor(noor, "chat").look("failed-job")

	// What is not understood or not allowed is said to who asked alone.
	olga := h.enter(chromium, "olga")
	olga.open("/rooms/@victor")
	olga.live()
	kim.write("#composer", "@victor deplo run shop")
	kim.sees("[data-rooms] .room-link[data-mentions='1'], [data-rooms] .room-link.is-unread", "victor")
	kim.open("/rooms/@victor")
	kim.botSays("Did you mean")
	kim.botSays("deploy run")
	noor.open("/rooms/ops")
	noor.misses(".by-bot", "Did you mean")
	kim.calm()
	noor.calm()
	olga.calm()
}

// chatRestart: a run that takes long lives in one message; the server stops and
// starts under the open page, which goes on by itself. What only looks runs
// again and ends; what changes something is told to stop, and is not run again.
func chatRestart(t *testing.T, chromium context.Context) {
	gate := filepath.Join(t.TempDir(), "gate")
	wait := "while [ ! -e " + gate + " ]; do sleep 0.05; done\n"
	h := newCommandHouse(t, map[string]string{
		"survey":      "#!/bin/sh\necho '{\"type\":\"progress\",\"percent\":40,\"text\":\"db1 of 2\"}'\n" + wait + "echo '{\"type\":\"result\",\"text\":\"All disks are well.\"}'\n",
		"survey.yaml": "words: survey\nsummary: looks at all disks\nrisk: read\noutput: lines\n",
		"move":        "#!/bin/sh\necho '{\"type\":\"progress\",\"percent\":10,\"text\":\"half way\"}'\n" + wait + "echo '{\"type\":\"result\",\"text\":\"Moved.\"}'\n",
		"move.yaml":   "words: move\nsummary: moves the database\nrisk: change\noutput: lines\n",
	})
	h.room("kim", room.Public, "ops", "noor")
	kim, noor := h.enter(chromium, "kim"), h.enter(chromium, "noor")
	for _, tb := range []*tab{kim, noor} {
		tb.open("/rooms/ops")
		tb.live()
	}
	kim.write("#composer", "!survey")
	kim.write("#composer", "!move")
	for _, tb := range []*tab{kim, noor} {
		tb.sees(".by-bot .doc-progress", "40 %")
		tb.sees(".by-bot", "db1 of 2")
		tb.sees(".by-bot .doc-progress", "10 %")
		tb.sees(".by-bot .doc-actions button", "Stop it")
	}
	newAuditor(noor, "chat").look("running")
	noor.media("light", wide)
	before := value[int](kim, `all(".msg.by-bot").length`)

	h.restart()
	for _, tb := range []*tab{kim, noor} {
		tb.live()
		tb.sees(".by-bot", "was stopped")
		tb.sees(".by-bot .doc-progress", "40 %")
		tb.misses(".by-bot .doc-progress", "10 %")
	}
	if got := value[int](kim, `all(".by-bot .doc-progress").length`); got != 1 {
		t.Errorf("%d messages show progress, want the one living message", got)
	}
	if inv := h.last("move"); inv.State != invocation.Cancelled || inv.Attempt != 1 {
		t.Errorf("what changes something is %s in attempt %d after the restart", inv.State, inv.Attempt)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tb := range []*tab{kim, noor} {
		tb.sees(".by-bot .doc.tone-ok", "is done, in")
		tb.misses(".by-bot .doc-progress", "")
		tb.misses(".by-bot .doc-actions button", "Stop it")
	}
	if inv := h.last("survey"); inv.State != invocation.Succeeded || inv.Attempt != 2 {
		t.Errorf("what looks is %s in attempt %d, want done in the second", inv.State, inv.Attempt)
	}
	if got := value[int](kim, `all(".msg.by-bot").length`); got < before {
		t.Errorf("of %d messages %d are left", before, got)
	}
	newAuditor(kim, "chat").look("ran-again", "Failed to load resource", "ERR_")
	noor.calm("Failed to load resource", "ERR_")

	// Somebody stops what runs.
	if err := os.Remove(gate); err != nil {
		t.Fatal(err)
	}
	kim.media("light", wide)
	kim.write("#composer", "!move")
	kim.presses("Stop it")
	noor.sees(".by-bot", "was stopped by Kim Okafor")
	noor.misses(".by-bot .doc-actions button", "Stop it")
	kim.calm("Failed to load resource", "ERR_")
	noor.calm("Failed to load resource", "ERR_")
}
