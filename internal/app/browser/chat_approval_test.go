package browser

import (
	"context"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/room"
)

// rules sets the rules of commands.
func (h *house) rules(text string) {
	h.Helper()
	s := h.org().Settings
	s.Rules = text
	h.change(org.Put(s))
}

// chatApproval: what one person asks for another one lets run, by a button, and
// both see it wait, run and end; a no is said to both as well. Nobody else's
// press counts, and not one's own.
func chatApproval(t *testing.T, chromium context.Context) {
	h := newFurnishedHouse(t)
	h.rules("require approval(database, peer) for incident.resolve\nrequire confirmation for incident.reroute")
	h.page("CRITICAL", "db07/disk")
	h.page("CRITICAL", "db08/disk")
	h.room("kim", room.Public, "ops", "ada", "noor", "olga")
	kim, noor := h.enter(chromium, "kim"), h.enter(chromium, "noor")
	ada, olga := h.enter(chromium, "ada"), h.enter(chromium, "olga")
	for _, tb := range []*tab{kim, noor, ada, olga} {
		tb.open("/rooms/ops")
		tb.live()
	}
	state := func(n id.Incident, want incident.State) {
		t.Helper()
		if got := h.incident(n).State; got != want {
			t.Errorf("incident %d is %s, want %s", n, got, want)
		}
	}
	kim.write("#composer", `!resolve 1 --reason "the disk was changed"`)
	for _, tb := range []*tab{kim, noor, ada} {
		tb.sees(".by-bot .doc-status", "Waiting")
		tb.botSays("Kim Okafor wants to run")
		tb.botSays("the disk was changed")
		tb.sees(".by-bot .doc-actions button", "Approve")
	}
	newAuditor(noor, "chat").look("approval-waits")
	noor.media("light", wide)
	kim.presses("Approve")
	kim.sees(".toast", "Another person must approve it")
	ada.presses("Approve") // an administrator who is not in the team
	ada.sees(".toast", "You have no right to decide about it")
	olga.sees(".by-bot .doc-status", "Waiting")
	olga.misses(".by-bot .doc-actions button", "")
	state(1, incident.Triggered)
	noor.open("/jobs?show=approve")
	noor.sees("main tr", "resolve #1")
	noor.open("/rooms/ops")
	noor.live()
	noor.presses("Approve")
	for _, tb := range []*tab{kim, noor, ada, olga} {
		tb.sees(".by-bot .doc.tone-ok", "resolve #1")
		tb.misses(".by-bot .doc-actions button", "Approve")
		tb.misses(".by-bot .doc-status", "Waiting")
	}
	state(1, incident.Resolved)
	if by := h.incident(1).ResolvedBy; by.User != "kim" {
		t.Errorf("resolved by %+v, want kim, who asked", by)
	}
	newAuditor(kim, "chat").look("approval-done", "403", "409")
	kim.media("light", wide)

	kim.write("#composer", "!resolve 2")
	noor.sees(".by-bot .doc-status", "Waiting")
	noor.presses("Deny")
	for _, tb := range []*tab{kim, noor} {
		tb.sees(".by-bot .doc-status", "Denied by @noor")
		tb.sees(".by-bot", "was denied by @noor")
		tb.misses(".by-bot .doc-actions button", "Deny")
	}
	state(2, incident.Triggered)
	newAuditor(noor, "chat").look("approval-denied")
	noor.media("light", wide)

	// To confirm is for who asked alone.
	kim.write("#composer", "!reroute 2 default")
	noor.sees(".by-bot .doc-actions button", "Yes, run it")
	noor.presses("Yes, run it")
	noor.sees(".toast", "This button is for somebody else")
	kim.presses("Yes, run it")
	kim.sees(".by-bot .doc.tone-ok", "#2")
	kim.misses(".by-bot .doc-actions button", "Yes, run it")
	kim.calm("403", "409")
	noor.calm("403")
	ada.calm("403", "409")
	olga.calm()
}
