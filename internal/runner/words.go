package runner

import (
	"cmp"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// callAfter is how long a run takes for who asked to have turned to other
// things: they are called when it ends.
const callAfter = time.Minute

// words is what the living message says now, and what is said beside it; either
// may be empty.
func (d *Desk) words(tx *store.Tx, inv invocation.Invocation, dec invocation.Decision) (now, further said) {
	line := tick(inv.Line)
	switch inv.State {
	case invocation.Confirming:
		if inv.Glass {
			return asking(phrase.T("runner.confirm_glass", line, inv.Number), inv), said{}
		}
		return asking(phrase.T("runner.confirm", line, inv.Number), inv), said{}
	case invocation.Proving:
		return proving(inv), said{}
	case invocation.Awaiting:
		now = requesting(inv, tx)
		if dec.Was == invocation.Confirming || dec.Was == invocation.Proving { // what is changed in place calls nobody
			further = said{text: phrase.T("runner.approval_wanted", line, group(inv), inv.Short)}
		}
		return now, further
	case invocation.Queued:
		return plain(timeline.StatusWaiting, queuedWords(inv, dec, tx)), said{}
	case invocation.Running:
		return running(inv), said{}
	case invocation.Expired, invocation.Rejected:
		now = plain(timeline.StatusBad, endWords(inv, dec, tx))
		if dec.Was == invocation.Confirming || dec.Was == invocation.Proving {
			return now, said{} // who was asked to confirm it knows
		}
		return now, called(inv, now)
	}
	if dec.Was != invocation.Running && dec.Was != invocation.Unknown { // it was not run
		return plain(timeline.StatusBad, endWords(inv, dec, tx)), said{}
	}
	return ended(inv, endWords(inv, dec, tx))
}

// plain is a message of words alone, with a colour.
func plain(status timeline.Status, text string) said {
	return said{text: text, doc: &timeline.Document{Status: status, Blocks: []timeline.Block{{Text: text}}}}
}

// called is the same as a new line for who asked.
func called(inv invocation.Invocation, s said) said {
	if inv.Username != "" && !private(inv) {
		s.text = "@" + inv.Username + " " + s.text
		s.doc = nil
	}
	return s
}

func asking(text string, inv invocation.Invocation) said {
	s := plain(timeline.StatusWaiting, text)
	s.person = inv.By.User
	s.doc.Blocks = append(s.doc.Blocks, timeline.Block{Fields: fields(inv)}, timeline.Block{Actions: []timeline.Action{
		{Label: phrase.T("runner.button_confirm"), Line: "confirm " + itoa(inv.Number), Style: "primary"},
		{Label: phrase.T("runner.button_no"), Line: "cancel " + itoa(inv.Number)},
	}})
	return tidy(s)
}

func requesting(inv invocation.Invocation, tx *store.Tx) said {
	need := inv.Approval.Count
	var text strings.Builder
	text.WriteString(phrase.N("runner.approve", need, inv.By.Name, tick(inv.Line), group(inv), inv.Short, spent(inv.DueAt.Sub(tx.Now))))
	for i, a := range inv.Approvals {
		text.WriteString("\n" + phrase.T("runner.approved_by", a.By.Name, i+1, need))
	}
	s := plain(timeline.StatusWaiting, text.String())
	s.doc.Blocks = append(s.doc.Blocks, timeline.Block{Fields: fields(inv)}, timeline.Block{Actions: []timeline.Action{
		{Label: phrase.T("runner.button_approve"), Line: "approve " + inv.Short, Style: "primary"},
		{Label: phrase.T("runner.button_deny"), Line: "deny " + inv.Short, Style: "danger"},
	}})
	return tidy(s)
}

// group says who may approve inv.
func group(inv invocation.Invocation) string {
	groups := groupsOf(inv)
	switch {
	case len(groups) == 1 && groups[0] == admins:
		return phrase.T("runner.group_admins")
	case len(groups) > 0:
		for i, g := range groups {
			if g != admins {
				groups[i] = "@@" + g
			}
		}
		return phrase.T("runner.group_team", strings.Join(groups, " + "))
	case inv.Approval.Peer:
		return phrase.T("runner.group_peer")
	}
	return phrase.T("runner.group_anybody")
}

// fields are what the arguments mean.
func fields(inv invocation.Invocation) []timeline.Field {
	var all []timeline.Field
	for _, g := range inv.Given {
		all = append(all, timeline.Field{Name: g.Name, Value: clean(g.Value, maxLine)})
	}
	return all
}

// tidy leaves out blocks that say nothing.
func tidy(s said) said {
	var kept []timeline.Block
	for _, b := range s.doc.Blocks {
		if b.Text != "" || len(b.Fields) > 0 || len(b.Actions) > 0 || b.File != nil || b.Code != nil || b.Table != nil || len(b.List) > 0 || b.Image != nil {
			kept = append(kept, b)
		}
	}
	s.doc.Blocks = kept
	return s
}

func queuedWords(inv invocation.Invocation, dec invocation.Decision, tx *store.Tx) string {
	line := tick(inv.Line)
	switch dec.Reason {
	case invocation.ReasonWaits:
		if inv.Lock != "" {
			return phrase.T("runner.waits_lock", line, inv.Lock)
		}
		return phrase.T("runner.waits_turn", line)
	case invocation.ReasonLater:
		why := ""
		if n := len(dec.Events); n > 0 {
			why = dec.Events[n-1].Why
		}
		return strings.TrimSpace(phrase.T("runner.later", line, spent(inv.DueAt.Sub(tx.Now)), why))
	}
	return phrase.T("runner.agreed", line)
}

// running is the living message of a run.
func running(inv invocation.Invocation) said {
	line := tick(inv.Line)
	text := phrase.T("runner.running", line)
	switch {
	case !inv.CancelAt.IsZero():
		text = phrase.T("runner.cancelling", line)
	case inv.Percent != nil:
		text = phrase.T("runner.running_percent", line, *inv.Percent)
	}
	s := plain(timeline.StatusRunning, text)
	s.doc.Progress = inv.Percent
	if inv.Saying != "" {
		s.text += "\n" + inv.Saying
		s.doc.Blocks = append(s.doc.Blocks, timeline.Block{Text: inv.Saying})
	}
	if inv.CancelAt.IsZero() {
		s.doc.Blocks = append(s.doc.Blocks, timeline.Block{Actions: []timeline.Action{{Label: phrase.T("runner.button_cancel"), Line: "cancel " + itoa(inv.Number), Style: "danger"}}})
	}
	return s
}

// endWords is how inv ended, in a sentence.
func endWords(inv invocation.Invocation, dec invocation.Decision, tx *store.Tx) string {
	line, took := tick(inv.Line), spent(inv.Took())
	switch inv.Cause {
	case invocation.ReasonDenied:
		return sentence("runner.denied", line, inv.Why)
	case invocation.ReasonExpired:
		return phrase.T("runner.expired", line)
	case invocation.ReasonRejected:
		return sentence("runner.rejected", line, byOf(dec), inv.Why)
	case invocation.ReasonSuperseded:
		return phrase.T("runner.superseded", line)
	case invocation.ReasonCancelled:
		return phrase.T("runner.withdrawn", line, nameOf(inv.CancelBy, tx.Org))
	case invocation.ReasonLocked:
		l, _ := keptFrom(tx, inv.Lock, inv.By.User) // without it the sentence names nobody
		return sentence("runner.locked", line, cmp.Or(l.Name, inv.Lock), nameOf(l.Owner, tx.Org), inv.Why)
	case invocation.ReasonChanged, invocation.ReasonApproverLost, invocation.ReasonStale, invocation.ReasonBroken:
		why := inv.Cause.Sentence()
		if inv.Why != "" {
			why = inv.Why
		}
		return sentence("runner.not_run", line, why)
	case invocation.ReasonUnknown:
		return phrase.T("runner.unknown", line, cmp.Or(inv.Why, phrase.T("runner.server_stopped")))
	case invocation.ReasonUsage:
		return phrase.T("runner.usage", line, inv.Words)
	case invocation.ReasonTimedOut:
		return phrase.T("runner.timed_out", line, took)
	case invocation.ReasonStopped:
		if inv.CancelAt.IsZero() { // nobody did: the server was stopped
			return sentence("runner.ended_early", line, took, inv.Why)
		}
		return phrase.T("runner.cancelled", line, nameOf(inv.CancelBy, tx.Org), took)
	case invocation.ReasonFinished:
		return phrase.T("runner.done", line, took)
	}
	return phrase.T("runner.failed", line, took)
}

// sentence is a text whose last value may be empty.
func sentence(key string, args ...any) string { return strings.TrimSpace(phrase.T(key, args...)) }

func byOf(dec invocation.Decision) string {
	if n := len(dec.Events); n > 0 {
		return dec.Events[n-1].By.Name
	}
	return timeline.Self.Name
}

func nameOf(a timeline.Actor, o *org.Org) string {
	if a.Name == "" {
		return o.Settings.Bot.Called()
	}
	return a.Name
}

// ended is the end of a run: how it ended, and with a new line what it said.
func ended(inv invocation.Invocation, how string) (now, further said) {
	status := timeline.StatusBad
	if inv.State == invocation.Succeeded {
		status = timeline.StatusGood
	}
	now = plain(status, glance(inv, how))
	if inv.JSON {
		return now, inJSON(inv, how)
	}
	parts := make([]string, 0, 3)
	if inv.State != invocation.Succeeded || strings.TrimSpace(inv.Output) == "" {
		parts = append(parts, how)
		if inv.Why != "" && inv.State != invocation.Unknown {
			parts = append(parts, "> "+strings.ReplaceAll(inv.Why, "\n", "\n> "))
		}
	}
	whole := len(inv.Files) > 0
	if out := shorten(inv.Output, whole); strings.TrimSpace(out) != "" {
		parts = append(parts, out)
	}
	further = said{text: strings.Join(parts, "\n"), doc: inv.Doc}
	if further.doc == nil {
		further.doc = &timeline.Document{Blocks: []timeline.Block{{Text: further.text}}}
	}
	doc := *further.doc
	if doc.Status == "" && (inv.Changes() || inv.State != invocation.Succeeded) { // an answer needs no "done" above it
		doc.Status = status
	}
	if inv.Doc != nil && inv.State != invocation.Succeeded { // what it said is not how it ended
		doc.Blocks = append([]timeline.Block{{Text: strings.Join(parts[:min(2, len(parts))], "\n")}}, doc.Blocks...)
	}
	for _, f := range inv.Files {
		doc.Blocks = append(doc.Blocks[:len(doc.Blocks):len(doc.Blocks)], timeline.Block{File: &f})
	}
	further.doc = &doc
	if inv.Took() >= callAfter && inv.Username != "" && !private(inv) {
		further.text = "@" + inv.Username + " " + further.text
	}
	return now, further
}
