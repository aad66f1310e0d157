package store

import (
	"fmt"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
)

// OpenInvocationsOf returns what somebody has asked for and is not over, as this
// transaction has put it; without the output.
func (tx *Tx) OpenInvocationsOf(person id.User) ([]invocation.Invocation, error) {
	found, err := all(tx.ctx, tx.tx, scanInvocation, selectInvocationShort+` WHERE due_at > 0 AND person = $1`, string(person))
	if err != nil {
		return nil, fmt.Errorf("load open invocations of %s: %w", person, err)
	}
	var open []invocation.Invocation
	for _, inv := range found {
		if _, changed := tx.commands.rows[inv.ID]; !changed {
			open = append(open, inv)
		}
	}
	for _, inv := range tx.commands.rows {
		if inv.By.User == person && !inv.State.Over() {
			open = append(open, inv)
		}
	}
	return open, nil
}
