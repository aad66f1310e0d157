package app

import (
	"context"
	"fmt"
	"net"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/phrase"
)

// welcome makes the first administrator when the settings name one, and prints
// what a person must know to begin.
func (a *App) welcome(ctx context.Context, addr net.Addr) error {
	if err := a.firstAdmin(ctx); err != nil {
		return err
	}
	a.opts.Log.InfoContext(ctx, "serving", "listen", addr.String(), "url", a.opts.Config.PublicURL, "store", a.Store.Engine())
	if err := KeyFits(ctx, a.Store, a.box); err != nil { // a lost key must not keep the server down
		a.opts.Log.WarnContext(ctx, "the secret key is not the right one", "file", a.opts.Config.KeyFile(), "err", err)
	}
	if !a.opts.Config.MailConfigured() {
		a.opts.Log.WarnContext(ctx, "nobody can be paged: outgoing mail is not configured; set --smtp-url and --mail-from")
	}
	if a.opts.Demo {
		a.say("app.demo", a.opts.Config.PublicURL)
	}
	if a.opts.Ready != nil {
		a.opts.Ready(addr.String())
	}
	return nil
}

func (a *App) firstAdmin(ctx context.Context) error {
	cfg := a.opts.Config
	if cfg.AdminEmail != "" {
		_, err := a.Accounts.CreateAdmin(ctx, account.Setup{Email: cfg.AdminEmail, Password: cfg.AdminPassword})
		if err != nil {
			return fmt.Errorf("make the first administrator: %w", err)
		}
		return nil
	}
	token, needed, err := a.Accounts.SetupToken(ctx)
	if err != nil {
		return fmt.Errorf("make the set-up link: %w", err)
	}
	if needed {
		a.say("app.setup", cfg.PublicURL+"/setup?token="+token)
	}
	return nil
}

func (a *App) say(key string, args ...any) {
	_, _ = fmt.Fprintln(a.opts.Stdout, phrase.T(key, args...)) // nobody may be listening
}
