package app

import (
	"context"
	"fmt"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/outbox"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/selfwatch"
)

// openCarriers prepares the ways out for pages. Which there are follows from the
// organisation and changes with it.
func (a *App) openCarriers(ctx context.Context) error {
	cfg := a.opts.Config
	options := carrier.Options{
		Box: a.box, HTTP: a.opts.HTTP, Typed: a.opts.HTTP, Guard: outbound.Policy{AllowPrivate: cfg.AllowPrivateTargets}, PublicURL: cfg.PublicURL,
		Callbacks: carrier.Reachable(cfg.PublicURL), OnTelegramStart: a.Dispatch.ConnectTelegram,
	}
	if a.mailer != nil { // a nil pointer in the interface would not be nil
		options.Email = a.mailer
	}
	a.carriers = carrier.New(options)
	o, err := a.Store.Org(ctx)
	if err != nil {
		return err
	}
	if err := carrier.EnsureWebPush(ctx, o, a.Dispatch, a.box); err != nil {
		return fmt.Errorf("make the keys of web push: %w", err)
	}
	return nil
}

// carry lists the ways out for a delivery.
func (a *App) carry(o *org.Org, method, address string) []outbox.Carrier {
	if method == selfwatch.Method { // a page to nobody, which tries the way to here
		return []outbox.Carrier{{Provider: selfwatch.Provider{}}}
	}
	var ways []outbox.Carrier
	for _, c := range a.carriers.For(o, people.Method(method)) {
		if people.Method(method) == org.WebhookMethod && c.Name != address { // a step names the one
			continue
		}
		ways = append(ways, outbox.Carrier{ID: c.ID, Provider: c.Provider, Tracked: c.Tracked})
	}
	return ways
}
