package runner

import (
	"cmp"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/permit"
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
			return d.asking(phrase.T("runner.confirm_glass", line, inv.Number), inv), said{}
		}
		return d.asking(phrase.T("runner.confirm", line, inv.Number), inv), said{}
	case invocation.Proving:
		return d.proving(inv), said{}
	case invocation.Awaiting:
		now = d.requesting(inv, tx)
		if dec.Was == invocation.Confirming || dec.Was == invocation.Proving { // what is changed in place calls nobody
			further = said{text: phrase.T("runner.approval_wanted", line, group(inv), inv.Short)}
		}
		return now, further
	case invocation.Queued:
		return plain(timeline.StatusWaiting, queuedWords(inv, dec, tx)), said{}
	case invocation.Running:
		return running(inv, tx.Org), said{}
	case invocation.Expired, invocation.Rejected:
		now = notRun(inv, dec, tx)
		if dec.Was == invocation.Confirming || dec.Was == invocation.Proving {
			return now, said{} // who was asked to confirm it knows
		}
		return now, called(inv, now)
	}
	switch {
	case dec.Was != invocation.Running && dec.Was != invocation.Unknown:
		return notRun(inv, dec, tx), said{}
	case inv.Cause == invocation.ReasonRefused && !inv.JSON:
		return refusal(inv)
	}
	return ended(inv, endWords(inv, dec, tx))
}

// refusal is short and private: why is for who asked.
func refusal(inv invocation.Invocation) (now, further said) {
	now = plain(timeline.StatusWarning, phrase.T("runner.nothing_done", tick(inv.Line)))
	now.doc.Head = phrase.T("runner.head.not_run")
	text := phrase.T("runner.refused", tick(inv.Line), shorten(cmp.Or(inv.Output, inv.Why), inv.Number, false)) // of several reasons there is more than why holds
	return now, said{text: text, doc: &timeline.Document{Blocks: []timeline.Block{{Text: text}}}}
}

// notRun is the end of what was never begun, under a heading that says why.
func notRun(inv invocation.Invocation, dec invocation.Decision, tx *store.Tx) said {
	s := plain(timeline.StatusBad, endWords(inv, dec, tx))
	s.doc.Head = phrase.T("runner.head.not_run")
	switch inv.Cause {
	case invocation.ReasonRejected:
		s.doc.Head = deniedBy("runner.head.rejected", "runner.head.rejected_why", inv, dec, tx)
	case invocation.ReasonExpired, invocation.ReasonStale:
		s.doc.Head, s.doc.Status = phrase.T("runner.head.expired"), timeline.StatusWarning
	case invocation.ReasonCancelled, invocation.ReasonSuperseded:
		s.doc.Head, s.doc.Status = phrase.T("runner.head.cancelled"), timeline.StatusWarning
	case invocation.ReasonDenied:
		s.doc.Head = phrase.T("runner.head.refused")
	}
	return s
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

func (d *Desk) asking(text string, inv invocation.Invocation) said {
	s := plain(timeline.StatusWaiting, text)
	s.person = inv.By.User
	s.doc.Blocks = append(s.doc.Blocks, timeline.Block{Fields: d.fields(inv)}, timeline.Block{Actions: []timeline.Action{
		{Label: phrase.T("runner.button_confirm"), Line: "confirm " + itoa(inv.Number), Style: "primary"},
		{Label: phrase.T("runner.button_no"), Line: "cancel " + itoa(inv.Number)},
	}})
	return tidy(s)
}

func (d *Desk) requesting(inv invocation.Invocation, tx *store.Tx) said {
	need := inv.Approval.Count
	var text strings.Builder
	text.WriteString(phrase.N("runner.approve", need, inv.By.Name, tick(inv.Line), group(inv), inv.Short, spent(inv.DueAt.Sub(tx.Now))))
	for i, a := range inv.Approvals {
		text.WriteString("\n" + phrase.T("runner.approved_by", userOf(a.By, tx.Org), i+1, need))
	}
	s := plain(timeline.StatusWaiting, text.String())
	s.doc.Blocks = append(s.doc.Blocks, timeline.Block{Fields: d.fields(inv)}, timeline.Block{Actions: []timeline.Action{
		{Label: phrase.T("runner.button_approve"), Line: "approve " + inv.Short, Style: "primary"},
		{Label: phrase.T("runner.button_deny"), Line: "deny " + inv.Short, Style: "danger"},
	}})
	return tidy(s)
}

// group says who may approve inv.
func group(inv invocation.Invocation) string {
	groups := groupsOf(inv)
	switch {
	case len(groups) == 1 && groups[0] == permit.Admins:
		return phrase.T("runner.group_admins")
	case len(groups) > 0:
		for i, g := range groups {
			if g != permit.Admins {
				groups[i] = "@@" + g
			}
		}
		return phrase.T("runner.group_team", strings.Join(groups, " + "))
	case inv.Approval.Peer:
		return phrase.T("runner.group_peer")
	}
	return phrase.T("runner.group_anybody")
}

// fields are what the arguments mean, by the names that people have for them.
func (d *Desk) fields(inv invocation.Invocation) []timeline.Field {
	declared, _, _ := d.programs.Find(inv.Command)
	var all []timeline.Field
	for _, g := range inv.Given {
		name := command.Arg{Name: g.Name}.Words() // of a command that there is no more
		if a, ok := declared.Arg(g.Name); ok {
			name = a.Words()
		}
		all = append(all, timeline.Field{Name: name, Value: clean(g.Value, maxLine)})
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
	if who := approvers(inv, tx.Org); who != "" {
		return phrase.T("runner.agreed_by", line, who)
	}
	return phrase.T("runner.agreed", line)
}

// approvers are those who said yes to inv, as people call them; "" when nobody
// had to.
func approvers(inv invocation.Invocation, o *org.Org) string {
	all := make([]string, len(inv.Approvals))
	for i, a := range inv.Approvals {
		all[i] = userOf(a.By, o)
	}
	return strings.Join(all, ", ")
}

// running is the living message of a run.
func running(inv invocation.Invocation, o *org.Org) said {
	line := tick(inv.Line)
	text := phrase.T("runner.running", line)
	switch {
	case !inv.CancelAt.IsZero():
		text = phrase.T("runner.cancelling", line)
	case inv.Percent != nil:
		text = phrase.T("runner.running_percent", line, *inv.Percent)
	}
	if who := approvers(inv, o); who != "" {
		text += " " + phrase.T("runner.with_approval", who)
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
	withApproval := func(text string) string {
		if who := approvers(inv, tx.Org); who != "" {
			text += " " + phrase.T("runner.with_approval", who)
		}
		return text
	}
	switch inv.Cause {
	case invocation.ReasonDenied:
		return sentence("runner.denied", line, inv.Why)
	case invocation.ReasonExpired:
		return phrase.T("runner.expired", line)
	case invocation.ReasonRejected:
		return phrase.T("runner.rejected", line, deniedBy("runner.by", "runner.by_why", inv, dec, tx))
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
		return withApproval(phrase.T("runner.done", line, took))
	}
	return withApproval(phrase.T("runner.failed", line, took))
}

// sentence is a text whose last value may be empty.
func sentence(key string, args ...any) string { return strings.TrimSpace(phrase.T(key, args...)) }

// deniedBy is who did not agree, and why when they said it.
func deniedBy(key, withReason string, inv invocation.Invocation, dec invocation.Decision, tx *store.Tx) string {
	if inv.Why == "" {
		return phrase.T(key, userOf(by(dec), tx.Org))
	}
	return phrase.T(withReason, userOf(by(dec), tx.Org), strings.TrimRight(inv.Why, ". "))
}

// by is who did what dec is about.
func by(dec invocation.Decision) timeline.Actor {
	if n := len(dec.Events); n > 0 {
		return dec.Events[n-1].By
	}
	return timeline.Self
}

// userOf is what people call somebody when they talk of them: "@kim".
func userOf(a timeline.Actor, o *org.Org) string {
	if u, ok := o.Users[a.User]; ok {
		return "@" + u.Username
	}
	return nameOf(a, o)
}

func nameOf(a timeline.Actor, o *org.Org) string {
	if a.Name == "" {
		return o.Settings.Bot.Called()
	}
	return a.Name
}

// tells reports whether an output says itself why it ended: a program that
// failed ends with that sentence, and with all that it complained of.
func tells(output, why string) bool {
	first, _, _ := strings.Cut(why, ". ")
	return strings.Contains(output, first)
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
		if inv.Why != "" && inv.State != invocation.Unknown && !tells(inv.Output, inv.Why) {
			parts = append(parts, "> "+strings.ReplaceAll(inv.Why, "\n", "\n> "))
		}
	}
	whole := len(inv.Files) > 0
	if out := shorten(inv.Output, inv.Number, whole); strings.TrimSpace(out) != "" {
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
