package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-isatty"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

type userCmd struct {
	List        userListCmd        `cmd:"" help:"List people."`
	Create      userCreateCmd      `cmd:"" help:"Make a user and print the link with which they choose a password."`
	Password    userPasswordCmd    `cmd:"" help:"Set a password, asked for on the terminal or read from standard input."`
	Role        userRoleCmd        `cmd:"" help:"Change what a user may do."`
	Disable     userDisableCmd     `cmd:"" help:"Keep a user from signing in and from being paged."`
	Enable      userEnableCmd      `cmd:"" help:"Take back disable."`
	ResetFactor userResetFactorCmd `cmd:"" help:"Remove the second factor of a user whose phone and recovery codes are gone."`
	SetupLink   userSetupLinkCmd   `cmd:"" help:"Print a one-time link: to make the first administrator, or for a user to choose a first password."`
}

type userListCmd struct {
	Access access `embed:""`
}

// Run prints a table.
func (cmd *userListCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.with(ctx, c, false, func(n *node) error {
		o, err := n.store.Org(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(w, phrase.T("cli.user.columns"))
		for _, u := range org.Sorted(o.Users, func(u people.User) string { return u.Username }) {
			joined, err := n.accounts.HasPassword(ctx, u.ID)
			if err != nil {
				return err
			}
			var remarks []string
			for key, say := range map[string]bool{"cli.user.disabled": u.Disabled, "cli.user.no_password": !joined && !u.Disabled, "cli.user.unreachable": !u.Disabled && !u.Reachable()} {
				if say {
					remarks = append(remarks, phrase.T(key))
				}
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", u.Username, u.Name, u.Email, u.Role, u.Zone, sorted(remarks))
		}
		return w.Flush()
	})
}

type userCreateCmd struct {
	Username string      `arg:"" help:"Name to be mentioned by: lower-case letters, digits, dots, dashes."`
	Email    string      `required:"" help:"Address to sign in with and to be paged at."`
	Name     string      `help:"Name as people say it. Default: the username."`
	Role     people.Role `help:"admin, member or observer." default:"member"`
	Zone     string      `help:"Time zone, such as Europe/Berlin." default:"UTC"`
	Team     []string    `help:"Team to join, by its slug; may be given several times."`
	Access   access      `embed:""`
}

// Run invites somebody.
func (cmd *userCreateCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.with(ctx, c, true, func(n *node) error {
		f := account.Invitation{Username: cmd.Username, Name: cmd.Name, Email: cmd.Email, Zone: cmd.Zone, Role: cmd.Role}
		if f.Name == "" {
			f.Name = cmd.Username
		}
		o, err := n.store.Org(ctx)
		if err != nil {
			return err
		}
		for _, slug := range cmd.Team {
			t, ok := o.TeamBySlug(slug)
			if !ok {
				return errors.New(phrase.T("cli.user.no_team", slug))
			}
			f.Teams = append(f.Teams, t.ID)
		}
		_, link, err := n.accounts.Invite(ctx, people.Operator(), f)
		if err != nil {
			return err
		}
		c.note(phrase.T("cli.user.link"))
		c.say(link)
		return nil
	})
}

type userPasswordCmd struct {
	User   string `arg:"" help:"Username or e-mail address."`
	Access access `embed:""`
}

// Run sets a password. It is never an argument, for those can be seen by all.
func (cmd *userPasswordCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.with(ctx, c, false, func(n *node) error {
		u, err := n.user(ctx, cmd.User)
		if err != nil {
			return err
		}
		password, err := askPassword(c, u.Name)
		if err != nil {
			return err
		}
		if err := n.accounts.SetPassword(ctx, people.Operator(), u.ID, password); err != nil {
			return err
		}
		c.note(phrase.T("cli.user.password_set", u.Name))
		return nil
	})
}

// askPassword asks twice on a terminal without showing what is typed, and
// takes one line from anything else.
func askPassword(c *console, name string) (string, error) {
	lines := bufio.NewReader(c.in)
	terminal, ok := c.in.(*os.File)
	if !ok || !isatty.IsTerminal(terminal.Fd()) {
		return line(lines)
	}
	show, err := hideTyping(terminal)
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	defer show()
	var typed [2]string
	for i, key := range []string{"cli.user.ask", "cli.user.ask_again"} {
		_, _ = fmt.Fprint(c.err, phrase.T(key, name))
		typed[i], err = line(lines)
		c.note("")
		if err != nil {
			return "", err
		}
	}
	if typed[0] != typed[1] {
		return "", errors.New(phrase.T("cli.user.differ"))
	}
	return typed[0], nil
}

func line(r *bufio.Reader) (string, error) {
	text, err := r.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	if text = strings.TrimRight(text, "\r\n"); text == "" {
		return "", errors.New(phrase.T("cli.user.empty_password"))
	}
	return text, nil
}

type userRoleCmd struct {
	User   string      `arg:"" help:"Username or e-mail address."`
	Role   people.Role `arg:"" help:"admin, member or observer."`
	Access access      `embed:""`
}

// Run changes the role.
func (cmd *userRoleCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.edit(ctx, c, cmd.User, func(u *people.User) { u.Role = cmd.Role })
}

type userDisableCmd struct {
	User   string `arg:"" help:"Username or e-mail address."`
	Access access `embed:""`
}

// Run disables a user.
func (cmd *userDisableCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.edit(ctx, c, cmd.User, func(u *people.User) { u.Disabled = true })
}

type userEnableCmd struct {
	User   string `arg:"" help:"Username or e-mail address."`
	Access access `embed:""`
}

// Run enables a user.
func (cmd *userEnableCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.edit(ctx, c, cmd.User, func(u *people.User) { u.Disabled = false })
}

func (a access) edit(ctx context.Context, c *console, name string, change func(*people.User)) error {
	return a.with(ctx, c, false, func(n *node) error {
		found, err := n.user(ctx, name)
		if err != nil {
			return err
		}
		done, err := n.dispatch.ChangeOrg(ctx, people.Operator(), func(o *org.Org) ([]org.Change, error) {
			u := o.Users[found.ID] // as it is inside the transaction
			change(&u)
			return []org.Change{org.Put(u)}, nil
		})
		if err == nil && len(done) == 0 {
			c.note(phrase.T("cli.apply.nothing"))
		}
		return err
	})
}

type userSetupLinkCmd struct {
	User   string `arg:"" optional:"" help:"Username or e-mail address of somebody who has no password yet."`
	Access access `embed:""`
}

// Run prints a link.
func (cmd *userSetupLinkCmd) Run(ctx context.Context, c *console) error {
	return cmd.Access.with(ctx, c, true, func(n *node) error {
		link, err := cmd.link(ctx, n)
		if err != nil {
			return err
		}
		c.say(link)
		return nil
	})
}

func (cmd *userSetupLinkCmd) link(ctx context.Context, n *node) (string, error) {
	if cmd.User != "" {
		u, err := n.user(ctx, cmd.User)
		if err != nil {
			return "", err
		}
		return n.accounts.Reinvite(ctx, people.Operator(), u.ID)
	}
	token, needed, err := n.accounts.SetupToken(ctx)
	if err != nil {
		return "", err
	}
	if !needed {
		return "", errors.New(phrase.T("cli.user.set_up"))
	}
	return cmd.Access.Site.URL() + "/setup?token=" + token, nil
}
