package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/app"
	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/orghttp"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// openStore opens the database of a command that needs nothing else. Without
// create, a SQLite file has to be there: a mistyped folder is no new server.
func openStore(ctx context.Context, cfg config.Storage, create bool) (*store.Store, error) {
	if !create && cfg.Database == "" {
		if _, err := os.Stat(cfg.DatabaseFile()); errors.Is(err, fs.ErrNotExist) {
			return nil, errors.New(phrase.T("cli.no_database", cfg.Data))
		}
	}
	return store.Open(ctx, store.Config{Path: cfg.DatabaseFile(), Database: cfg.Database})
}

// access is the settings of a command that works on the store and may write links.
type access struct {
	Storage config.Storage `embed:"" group:"Where the server is:"`
	Site    config.Site    `embed:"" group:"Where the server is:"`
	Mail    config.Mail    `embed:"" group:"Where the server is:"`
}

// node is a server that does not run: its use cases, for one command.
type node struct {
	store    *store.Store
	dispatch *dispatch.Dispatcher
	accounts *account.Service
	box      *secret.Box
	log      *slog.Logger
}

// with opens the node, calls fn and closes it again.
func (a access) with(ctx context.Context, c *console, create bool, fn func(*node) error) (err error) {
	s, err := openStore(ctx, a.Storage, create)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	box, err := secret.Open(a.Storage.KeyFile())
	if err != nil {
		return fmt.Errorf("open the secret key: %w", err)
	}
	if err := app.KeyFits(ctx, s, box); err != nil { // said, not refused: a lost key must not lock people out
		c.note(err.Error())
	}
	log := slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return fn(&node{
		store: s, log: log, box: box, dispatch: dispatch.New(s, box, log),
		accounts: account.New(s, box, account.Options{PublicURL: a.Site.URL(), MailConfigured: a.Mail.Configured(), Log: log}),
	})
}

func (n *node) deps() orghttp.Deps {
	return orghttp.Deps{Store: n.store, Dispatch: n.dispatch, Accounts: n.accounts, Log: n.log, CheckProvider: carrier.Checker(n.box)}
}

// user finds a person by username or e-mail address.
func (n *node) user(ctx context.Context, name string) (people.User, error) {
	o, err := n.store.Org(ctx)
	if err != nil {
		return people.User{}, err
	}
	if u, ok := o.UserByName(name); ok {
		return u, nil
	}
	if u, ok := o.UserByEmail(name); ok {
		return u, nil
	}
	return people.User{}, errors.New(phrase.T("cli.no_user", name))
}
