package runner

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Give gives the line of a button, which stands in the message e, as if who
// pressed it had typed it there.
type Give func(tx *store.Tx, line string, e timeline.Entry) (invocation.Invocation, error)

// Press does what a button stands for: what our own say about a command is said
// here, and any other line is given. A button of ours works once, and what is
// refused has not used it up.
func (d *Desk) Press(ctx context.Context, actor people.Actor, token string, give Give) (invocation.Invocation, error) {
	return store.InTx(ctx, d.store, func(tx *store.Tx) (invocation.Invocation, error) {
		a, e, err := pressed(tx, actor, secret.Hash(token))
		if err != nil {
			return invocation.Invocation{}, err
		}
		var inv invocation.Invocation
		ours := e.Actor.Origin == timeline.Bot
		if say, ref := d.replies(actor, e.Room, a.Line); ours && say != nil {
			inv, err = d.actIn(tx, actor, ref, say)
		} else {
			inv, err = give(tx, a.Line, e)
		}
		switch {
		case err != nil, inv.State == invocation.Denied:
			return inv, err
		case !ours, a.Person == "" && a.Invocation != "": // of a request several may press: each approval is one
			return inv, nil
		}
		tx.UseAction(a.Hash)
		if a.Invocation != "" { // what becomes of a command is drawn anew
			return inv, nil
		}
		return inv, press(tx, e, token, actor.Who().Name)
	})
}

// pressed is the button with a token and the message that it stands in.
func pressed(tx *store.Tx, actor people.Actor, hash string) (store.Action, timeline.Entry, error) {
	a, err := tx.Action(hash)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return a, timeline.Entry{}, fault.NotFound(phrase.T("runner.button_spent"))
	case err != nil:
		return a, timeline.Entry{}, err
	case actor.User == "" || a.Person != "" && a.Person != actor.User:
		return a, timeline.Entry{}, fault.Forbidden(phrase.T("runner.button_others"))
	case !a.UsedAt.IsZero() || !tx.Now.Before(a.ExpiresAt):
		return a, timeline.Entry{}, fault.Conflict(phrase.T("runner.button_spent"))
	}
	e, err := tx.Entry(a.Message)
	return a, e, err
}

// replies is what the line of a button says about a command, and about which;
// nil when it is a command of its own.
func (d *Desk) replies(actor people.Actor, in id.Room, line string) (say reply, ref string) {
	verb, ref, _ := strings.Cut(line, " ")
	switch verb {
	case "confirm":
		return d.confirming(actor, in), ref
	case "approve":
		return d.approving(actor), ref
	case "deny":
		return d.denying(actor, ""), ref
	case "cancel":
		return d.cancelling(actor), ref
	}
	return nil, ""
}

// press says on a button of the bot who pressed it, so that nobody who comes
// later takes it for one that still works.
func press(tx *store.Tx, e timeline.Entry, token, by string) error {
	said, ok := e.Payload.(timeline.Message)
	if !ok {
		return nil
	}
	m, err := tx.Message(e.Seq)
	if err != nil {
		return err
	}
	now := m.Over(said)
	doc, found := used(now.Doc, token, by)
	if !found {
		return nil
	}
	return change(tx, e.Seq, now.Text, doc)
}

// used is a document in which the button with a token has been pressed.
func used(doc *timeline.Document, token, by string) (*timeline.Document, bool) {
	if doc == nil {
		return nil, false
	}
	with := *doc
	with.Blocks = slices.Clone(doc.Blocks)
	for i, b := range with.Blocks {
		at := slices.IndexFunc(b.Actions, func(a timeline.Action) bool { return a.Token == token })
		if at < 0 {
			continue
		}
		b.Actions = slices.Clone(b.Actions)
		b.Actions[at].Used = by
		with.Blocks[i] = b
		return &with, true
	}
	return doc, false
}
