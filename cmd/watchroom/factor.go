package main

import (
	"context"

	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

type userResetFactorCmd struct {
	User   string `arg:"" help:"Username or e-mail address."`
	Access access `embed:""`
}

// Run removes a second factor: for the last administrator who has lost a phone.
func (cmd *userResetFactorCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.with(ctx, c, false, func(n *node) error {
		u, err := n.user(ctx, cmd.User)
		if err != nil {
			return err
		}
		if err := n.accounts.ResetFactor(ctx, people.Operator(), u.ID); err != nil {
			return err
		}
		c.note(phrase.T("cli.user.factor_reset", u.Name))
		return nil
	})
}
