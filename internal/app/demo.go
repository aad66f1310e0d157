package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/bot"
	"github.com/watchroom/watchroom/internal/demo"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/mailbox"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// demoPast is how much has happened before the demo opens.
const demoPast = 30 * time.Hour

// demoPlans is how long before that colleagues arrange the days to come.
const demoPlans = 40 * time.Minute

// demoClock is the time in the demo: some past instant while its past is
// played, then the real time.
type demoClock struct{ past atomic.Pointer[time.Time] }

// clock is nil, the real time, on any node but a demo. There it begins in the
// past: what the node itself writes when it is put together, such as the keys of
// web push, must not stand after what is played then, for entries never go back.
func (c *demoClock) clock() func() time.Time {
	if c == nil {
		return nil
	}
	begin := time.Now().Add(-demoPast - time.Minute)
	c.past.Store(&begin)
	return c.now
}

func (c *demoClock) now() time.Time {
	if at := c.past.Load(); at != nil {
		return *at
	}
	return time.Now()
}

// demoOptions turns the settings into those of a demo: a throw-away folder and
// a mailbox of its own.
func demoOptions(o Options) (Options, func() error, error) {
	dir, err := os.MkdirTemp("", "watchroom-demo-")
	if err != nil {
		return o, nil, fmt.Errorf("make the demo's folder: %w", err)
	}
	o.Config.Data, o.Config.Database, o.Config.SecretKeyFile = dir, "", ""
	o.Config.AllowPrivateTargets = true
	o.Config.AdminEmail, o.Config.AdminPassword = "", ""
	o.Config.Commands = filepath.Join(dir, "commands")
	if err := demo.Commands(o.Config.Commands); err != nil {
		return o, nil, errors.Join(fmt.Errorf("write the demo's commands: %w", err), os.RemoveAll(dir))
	}
	return o, func() error { return os.RemoveAll(dir) }, nil
}

// openMailbox starts the demo's mail server and sends all mail there.
func (a *App) openMailbox(ctx context.Context) error {
	var err error
	if a.mailbox, err = mailbox.Listen(ctx, "127.0.0.1:0", mailbox.Options{Keep: 300, Clock: a.past.now}); err != nil {
		return fmt.Errorf("open the demo's mailbox: %w", err)
	}
	a.onClose(a.mailbox.Close)
	a.opts.Config.SMTPURL, a.opts.Config.MailFrom = a.mailbox.URL(), "Watchroom <pager@harbour-lights.example>"
	return nil
}

// furnish makes up the organisation and its past, before anything runs.
func (a *App) furnish(ctx context.Context) error {
	a.say("app.demo_building")
	now := time.Now()
	start := now.Add(-demoPast)
	set := func(at time.Time) { a.past.past.Store(&at) }
	set(start)
	defer a.past.past.Store(nil)
	a.house = demo.New(a.Store, a.Dispatch, 11)
	a.house.Upload = a.talk.uploads.Take
	if _, err := a.house.Furnish(ctx, now); err != nil {
		return err
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return err
	}
	for u := range o.Users {
		if err := a.Accounts.SetPassword(ctx, people.Operator(), u, demo.Password); err != nil {
			return fmt.Errorf("give the demo's people a password: %w", err)
		}
	}
	intake, stop := context.WithCancel(ctx)
	var parts errgroup.Group
	for _, run := range []func(context.Context) error{a.Dispatch.Run, a.talk.bot.Run, a.talk.runner.Run} {
		parts.Go(func() error { return run(intake) })
	}
	err = a.pastOf(ctx, start, now, set)
	stop()
	return errors.Join(err, parts.Wait())
}

// pastOf plays what has happened from start until now: what monitoring sends, a
// drill somewhere in it, and, shortly before its end, plans for the days to come.
func (a *App) pastOf(ctx context.Context, start, now time.Time, set func(time.Time)) error {
	drill, plans := start.Add(demoPast/3), now.Add(-demoPlans)
	if err := a.house.Past(ctx, start, drill, set, a.settle); err != nil {
		return err
	}
	if err := a.house.Drill(ctx, drill, set, a.settle); err != nil {
		return err
	}
	if err := a.house.Past(ctx, drill.Add(dispatch.DrillLasts+time.Minute), plans, set, a.settle); err != nil {
		return err
	}
	set(plans)
	if err := a.house.Arrange(ctx, plans); err != nil {
		return err
	}
	if err := a.house.Past(ctx, plans.Add(time.Minute), now, set, a.settle); err != nil {
		return err
	}
	set(time.Now())
	return a.house.Open(ctx)
}

// settle lets the bot answer, fires what is due and sends what follows.
func (a *App) settle(ctx context.Context) error {
	if err := a.answered(ctx); err != nil {
		return err
	}
	for {
		n, err := a.Dispatch.FireTimers(ctx)
		if err != nil {
			return err
		}
		if err := a.planner.Drain(ctx); err != nil {
			return err
		}
		if err := a.sender.Drain(ctx); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
}

// answered waits until the bot has heard what was said, and done what it was
// told. Meanwhile the clock goes, so that what takes a while took a while.
func (a *App) answered(ctx context.Context) error {
	at, began := a.past.now(), time.Now()
	for {
		busy, err := a.botBusy(ctx)
		if err != nil || !busy {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond): // that it has heard something wakes nobody
			now := at.Add(time.Since(began))
			a.past.past.Store(&now)
		}
	}
}

func (a *App) botBusy(ctx context.Context) (bool, error) {
	behind, err := a.Store.Behind(ctx, bot.Cursor, timeline.MessagePosted)
	if err != nil || behind {
		return behind, err
	}
	given, err := a.Store.Invocations(ctx, store.InvocationFilter{States: []invocation.State{invocation.Queued, invocation.Running}})
	return slices.ContainsFunc(given, func(inv invocation.Invocation) bool { return !inv.NotBefore.After(a.past.now()) }), err
}

// play keeps the demo going; on any other node it has nothing to do.
func (a *App) play(ctx context.Context) error {
	if a.house == nil {
		return nil
	}
	return a.house.Run(ctx)
}

// enter signs the browser in as the demo's administrator. Everybody may: there
// is nothing to guard.
func (a *App) enter(w http.ResponseWriter, r *http.Request) error {
	grant, err := a.Accounts.SignIn(r.Context(), demo.Address(demo.Admin), demo.Password, account.Client{
		Address: httpd.ClientAddr(r).String(), Agent: r.UserAgent(),
	})
	if err != nil {
		return err
	}
	a.cookies().Set(w, grant.Cookie, grant.Expires)
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
