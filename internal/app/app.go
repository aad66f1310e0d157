// Package app puts a node together: it opens the store, builds every part with
// what it needs, runs them, and closes them in reverse. It knows everybody and
// decides nothing.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/carrier"
	vochat "github.com/watchroom/watchroom/internal/chat/victorops"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/demo"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/lease"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/mailbox"
	"github.com/watchroom/watchroom/internal/notify/email"
	"github.com/watchroom/watchroom/internal/outbox"
	"github.com/watchroom/watchroom/internal/retention"
	"github.com/watchroom/watchroom/internal/search"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/selfwatch"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timer"
	"github.com/watchroom/watchroom/internal/track"
	"github.com/watchroom/watchroom/internal/watch"
)

// look is how often every loop looks by itself; wakes make it faster.
const look = time.Second

// indexPause is how long the search index leaves the writer to others.
const indexPause = 100 * time.Millisecond

// Options is what a node is made from.
type Options struct {
	Config config.Config
	Log    *slog.Logger
	Stdout io.Writer         // for what a person must read: the set-up link, the demo's address
	Demo   bool              // a made-up organisation with a mailbox
	Ready  func(addr string) // called once requests are answered; may be nil
	Look   time.Duration     // how often loops look without a wake; 0: a second

	// Mail is called with the settings of outgoing mail before the sender is
	// made from them; tests put another way of dialling in. May be nil.
	Mail func(email.Config) email.Config
	// HTTP calls the providers of pages; nil: a client of its own. Tests put in
	// one that carries requests to fakes, also those to addresses that people type.
	HTTP *http.Client
}

// App is a node that was put together.
type App struct {
	Store    *store.Store
	Dispatch *dispatch.Dispatcher
	Accounts *account.Service
	Hub      *live.Hub
	Handler  http.Handler // everything over HTTP

	opts     Options
	holder   string // the name of this process in claims and leases
	box      *secret.Box
	planner  *outbox.Planner
	sender   *outbox.Sender
	mailer   *email.Sender // nil: no outgoing mail
	carriers *carrier.Set
	rota     *watch.Watch     // hand-overs, reminders, gaps
	self     *selfwatch.Watch // the server's own health
	mailbox  *mailbox.Mailbox
	talk     talk
	chat     *vochat.Server // robots that speak VictorOps' protocol
	meters   *meters
	past     *demoClock     // the demo's clock; nil otherwise
	house    *demo.House    // the demo's organisation; nil otherwise
	closers  []func() error // in the order of opening
}

// New opens and builds everything; nothing runs yet. The caller ends with Close.
func New(ctx context.Context, o Options) (*App, error) {
	if o.Look == 0 {
		o.Look = look
	}
	a := &App{opts: o, holder: id.New()}
	a.hush()
	if err := a.open(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// Run is New, then App.Run, then Close.
func Run(ctx context.Context, o Options) (err error) {
	if err := mayListen(ctx, o.Config.Listen); err != nil { // before anything is made
		return err
	}
	if o.Demo {
		var remove func() error
		if o, remove, err = demoOptions(o); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, remove()) }()
	}
	opened := thrifty()
	a, err := New(ctx, o)
	opened()
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return nil // told to stop before it had begun
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	return a.Run(ctx)
}

func (a *App) open(ctx context.Context) error {
	if a.opts.Demo {
		a.past = &demoClock{}
		if err := a.openMailbox(ctx); err != nil {
			return err
		}
	}
	cfg := a.opts.Config
	alone := cfg.Database == "" // the folder's lock sees to it
	if alone {
		unlock, err := lock(filepath.Join(cfg.Data, "serving.lock"))
		if err != nil {
			return err
		}
		a.onClose(unlock)
	}
	var err error
	if a.Store, err = store.Open(ctx, store.Config{Path: cfg.DatabaseFile(), Database: cfg.Database, Clock: a.past.clock(), Alone: alone, Log: a.opts.Log}); err != nil {
		return err
	}
	a.onClose(a.Store.Close)
	if a.box, err = secret.Open(cfg.KeyFile()); err != nil {
		return fmt.Errorf("open the secret key: %w", err)
	}
	if alone { // who had claims is dead
		err := a.Store.Do(ctx, func(tx *store.Tx) error { tx.DropClaims(); return nil })
		if err != nil {
			return fmt.Errorf("free claims: %w", err)
		}
	}
	if err := a.openMail(); err != nil {
		return err
	}
	a.meters = newMeters(a)
	a.Dispatch = dispatch.New(a.Store, a.box, a.opts.Log)
	a.Accounts = account.New(a.Store, a.box, account.Options{PublicURL: cfg.PublicURL, MailConfigured: a.mailer != nil, Log: a.opts.Log})
	a.Hub = live.New(a.Store, a.opts.Log, a.opts.Look)
	a.planner = outbox.NewPlanner(a.Store, a.opts.Log, a.opts.Look)
	if err := a.openCarriers(ctx); err != nil {
		return err
	}
	if err := a.openWatches(); err != nil {
		return err
	}
	a.sender = outbox.NewSender(a.Store, a.Dispatch, a.carry, a.box, links{cfg.PublicURL, a.box.Signer()}, a.opts.Log, a.holder, a.opts.Look)
	a.sender.Observe = a.meters.delivered
	if err := a.openTalk(); err != nil {
		return err
	}
	a.chat = vochat.New(vochat.Deps{
		Store: a.Store, Live: a.Hub, Dispatch: a.Dispatch, Ours: a.talk.bot.Heard, PublicURL: cfg.PublicURL, Log: a.opts.Log,
	})
	if a.Handler, err = a.routes(); err != nil {
		return err
	}
	if a.opts.Demo {
		if err := a.furnish(ctx); err != nil {
			return err
		}
	}
	a.Dispatch.SetPace(cfg.MessageRate) // whoever makes up a busy day is not held up by it
	return nil
}

func (a *App) openMail() error {
	cfg := a.opts.Config
	if !cfg.MailConfigured() {
		return nil
	}
	mail := email.Config{URL: cfg.SMTPURL, From: cfg.MailFrom, HomeURL: cfg.PublicURL, AllowPlain: a.opts.Demo}
	if a.opts.Mail != nil {
		mail = a.opts.Mail(mail)
	}
	var err error
	if a.mailer, err = email.New(mail); err != nil {
		return fmt.Errorf("outgoing mail: %w", err)
	}
	a.onClose(a.mailer.Close)
	return nil
}

func (a *App) onClose(f func() error) { a.closers = append(a.closers, f) }

// Close closes what was opened, last first.
func (a *App) Close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i]())
	}
	a.closers = nil
	return errors.Join(errs...)
}

// mayListen says early that the address is taken.
func mayListen(ctx context.Context, addr string) error {
	ln, err := listen(ctx, addr)
	if err != nil {
		return err
	}
	return ln.Close()
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return ln, nil
}

// Run serves until ctx ends, then lets requests finish, then what they began.
func (a *App) Run(ctx context.Context) error {
	ln, err := listen(ctx, a.opts.Config.Listen)
	if err != nil {
		return err
	}
	parts, stopParts := context.WithCancel(context.WithoutCancel(ctx))
	defer stopParts()
	group, parts := errgroup.WithContext(parts)
	a.start(group, parts)
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	context.AfterFunc(parts, stopServing) // a part that fails ends the node
	if err := a.welcome(parts, ln.Addr()); err != nil {
		stopParts()
		return errors.Join(err, ln.Close(), group.Wait())
	}
	group.Go(func() error { rest(parts); return nil })
	server := httpd.NewServer(a.Handler, a.opts.Config.ShutdownTimeout, a.opts.Log)
	server.Trust(a.opts.Config.Proxies())
	defer context.AfterFunc(serving, func() { a.opts.Log.Info("stopping") })()
	err = server.Run(serving, ln)
	stopParts()
	err = errors.Join(err, group.Wait())
	a.opts.Log.Info("stopped")
	return err
}

// Start runs every part but the HTTP server until ctx ends; wait for what it
// returns. Tests use it to call the handler directly.
func (a *App) Start(ctx context.Context) func() error {
	group, ctx := errgroup.WithContext(ctx)
	a.start(group, ctx)
	return group.Wait
}

func (a *App) start(group *errgroup.Group, ctx context.Context) {
	for name, run := range map[string]func(context.Context) error{
		"intake":  a.Dispatch.Run,
		"planner": a.planner.Run,
		"sender":  a.sender.Run,
		"timers":  timer.New(a.Store, a.Dispatch, a.opts.Log, a.opts.Look).Run,
		"live":    a.Hub.Run,
		"search":  search.New(a.Store, a.opts.Log, a.opts.Look, indexPause).Run,
		"watch":   a.rota.Run,
		"planned": selfwatch.NewKeeper(map[string]selfwatch.Duty{
			"maintenance": a.Dispatch.KeepMaintenance, "heartbeats": a.Dispatch.WatchHeartbeats, "drills": a.Dispatch.KeepDrills,
		}, a.opts.Log, a.opts.Look).Run,
		"selfwatch": a.self.Run,
		"track":     track.New(track.Options{Store: a.Store, Carriers: a.carriers, Events: a.Dispatch, Log: a.opts.Log, Holder: a.holder}).Run,
		"follow":    a.Store.Follow,
		"cleanup":   a.cleanUp,
		"retention": a.keepRetention,
		"files":     a.sweepFiles,
		"scripts":   a.talk.scripts.Run,
		"services":  a.talk.services.Run,
		"bot":       a.talk.bot.Run,
		"runner":    a.talk.runner.Run,
		"herald":    a.talk.herald.Run,
		"chat":      a.chat.Run,
		"demo":      a.play,
	} {
		group.Go(func() error {
			if err := run(ctx); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
}

// sweepFiles removes files that nothing shows, on one node.
func (a *App) sweepFiles(ctx context.Context) error {
	return lease.Run(ctx, a.Store, "files", a.holder, 30*time.Second, a.talk.uploads.Run)
}

// cleanUp removes what has expired, on one node.
func (a *App) cleanUp(ctx context.Context) error {
	return lease.Run(ctx, a.Store, "cleanup", a.holder, 30*time.Second, a.Accounts.Run)
}

// keepRetention removes what is older than it is to be kept, on one node.
func (a *App) keepRetention(ctx context.Context) error {
	keeper := retention.New(a.Store, a.opts.Log)
	keeper.Observe = a.meters.tookAway
	return lease.Run(ctx, a.Store, "retention", a.holder, 30*time.Second, keeper.Run)
}
