package runner

import (
	"slices"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// press says on a button of the bot who pressed it, so that nobody who comes
// later takes it for one that still works.
func press(tx *store.Tx, e timeline.Entry, token, by string) error {
	said, ok := e.Payload.(timeline.Message)
	if !ok || e.Actor.Origin != timeline.Bot {
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
	err = dispatch.Revise(tx, e.Seq, now.Text, doc)
	if code := fault.CodeOf(err); code != "" && code != fault.CodeInternal {
		return nil // it was removed
	}
	return err
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
