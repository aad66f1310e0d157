package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token and print it, this once."`
	List   tokenListCmd   `cmd:"" help:"List tokens, without their secrets."`
	Revoke tokenRevokeCmd `cmd:"" help:"Make a token worthless."`
}

type tokenCreateCmd struct {
	User   string              `required:"" help:"Username or e-mail address of whom the token stands for." placeholder:"USER"`
	Name   string              `required:"" help:"What the token is for." placeholder:"NAME"`
	Scope  []people.Permission `help:"What the token may do: read, talk, respond, manage, own_self, integrate; may be given several times. Default: all that the user may." placeholder:"SCOPE"`
	Access access              `embed:""`
}

// Run prints the token alone on standard output, so that a script can keep it.
func (cmd *tokenCreateCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.with(ctx, c, false, func(n *node) error {
		u, err := n.user(ctx, cmd.User)
		if err != nil {
			return err
		}
		token, _, err := n.accounts.CreateToken(ctx, people.Operator(), u.ID, cmd.Name, cmd.Scope)
		if err != nil {
			return err
		}
		c.note(phrase.T("cli.token.once"))
		c.say(token)
		return nil
	})
}

type tokenListCmd struct {
	Access access `embed:""`
}

// Run prints a table.
func (cmd *tokenListCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.with(ctx, c, false, func(n *node) error {
		all, err := n.accounts.Tokens(ctx, people.Operator())
		if err != nil {
			return err
		}
		o, err := n.store.Org(ctx)
		if err != nil {
			return err
		}
		slices.SortFunc(all, func(a, b account.Token) int { return cmp.Compare(a.ID, b.ID) })
		w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(w, phrase.T("cli.token.columns"))
		for _, t := range all {
			scopes, seen := phrase.T("cli.token.all"), phrase.T("cli.token.never")
			if t.Scopes != nil {
				scopes = join(t.Scopes)
			}
			if !t.SeenAt.IsZero() {
				seen = t.SeenAt.Format(time.RFC3339)
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, o.Users[t.User].Username, t.Name, scopes, t.CreatedAt.Format(time.RFC3339), seen)
		}
		return w.Flush()
	})
}

type tokenRevokeCmd struct {
	ID     id.Token `arg:"" help:"The token's id, as token list shows it."`
	Access access   `embed:""`
}

// Run revokes a token.
func (cmd *tokenRevokeCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.with(ctx, c, false, func(n *node) error {
		return n.accounts.RevokeToken(ctx, people.Operator(), cmd.ID)
	})
}

// join writes words with commas.
func join[T ~string](words []T) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return strings.Join(all, ", ")
}

// sorted is join in alphabetical order.
func sorted(words []string) string {
	slices.Sort(words)
	return join(words)
}
