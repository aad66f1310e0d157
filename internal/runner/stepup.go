package runner

import (
	"context"
	"errors"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// StepUpPage is where people show their second factor for a command; it knows
// the command by "invocation", or by "approve" when they say yes to it.
const StepUpPage = "/step-up"

// StepUpFor is the page on which actor can go on, when an answer was refused
// because they have to show their second factor first.
func StepUpFor(err error) (page string, ok bool) {
	var f *fault.Error
	if !errors.As(err, &f) {
		return "", false
	}
	page, ok = f.Extra["step_up"].(string)
	return page, ok
}

// withStepUp tells who was refused for want of a second factor what to do.
func withStepUp(err error, inv invocation.Invocation, actor people.Actor) error {
	var f *fault.Error
	if !errors.As(err, &f) || f.Extra["reason"] != string(invocation.ReasonUnproven) {
		return err
	}
	if actor.ByProgram() {
		return fault.Forbidden(phrase.T("runner.step_up_program"))
	}
	page := StepUpPage + "?approve=" + itoa(inv.Number)
	return fault.Forbidden(phrase.T("runner.step_up_here", page)).With("step_up", page)
}

// unproven reports whether actor has to show their second factor before they
// say yes to inv, and has not.
func (d *Desk) unproven(tx *store.Tx, inv invocation.Invocation, actor people.Actor) (bool, error) {
	if actor.Proven(tx.Now) {
		return false, nil
	}
	line, _, err := d.line(inv)
	if err != nil {
		return true, nil //nolint:nilerr // what cannot be read any more is not approved either
	}
	j, err := d.judge.Judge(tx, inv, line, actor)
	return j.StepUp, err
}

// Prove says that actor, who asked for a command, has shown their second factor
// for it. What the rules say then is decided anew.
func (d *Desk) Prove(ctx context.Context, actor people.Actor, ref string) (invocation.Invocation, error) {
	return d.act(ctx, actor, ref, func(tx *store.Tx, inv invocation.Invocation) (invocation.Input, error) {
		if !actor.Proven(tx.Now) {
			return nil, fault.Forbidden(phrase.T("runner.step_up_program"))
		}
		line, _, err := d.line(inv)
		if err != nil {
			return nil, fault.Conflict(phrase.T("runner.secrets_lost")).Because(err)
		}
		now := inv
		now.ProvenAt = tx.Now
		j, err := d.judge.Judge(tx, now, line, actor)
		if err != nil {
			return nil, err
		}
		if j.Broken != "" {
			j.Verdict = invocation.Verdict{Why: j.Broken}
		}
		return invocation.Prove{By: actor.Who(), Verdict: j.Verdict}, nil
	})
}

// proving asks for the second factor of who asked.
func (d *Desk) proving(inv invocation.Invocation) said {
	page := StepUpPage + "?invocation=" + itoa(inv.Number)
	s := plain(timeline.StatusWaiting, phrase.T("runner.step_up", tick(inv.Line), inv.By.Name))
	s.person = inv.By.User
	s.doc.Blocks = append(s.doc.Blocks, timeline.Block{Fields: d.fields(inv)}, timeline.Block{Actions: []timeline.Action{
		{Label: phrase.T("runner.button_prove"), URL: page, Style: "primary"},
		{Label: phrase.T("runner.button_no"), Line: "cancel " + itoa(inv.Number)},
	}})
	s.text += "\n" + page
	return tidy(s)
}
