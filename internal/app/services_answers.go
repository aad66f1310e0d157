package app

import (
	"context"
	"crypto/rsa"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/chatopsrpc"
	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/slash"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// What other people's services say to us: later answers of webhooks, and calls
// of clients for whom our commands are published.

// later shows what a receiver says after its answer: where the command was given,
// or to who gave it alone.
func (a *App) later(ctx context.Context, r slash.Reply) error {
	if r.Text == "" && r.Doc == nil {
		return nil // it takes back what was said; here that stays
	}
	if _, _, known := a.talk.catalogue.Find(r.Command); !known {
		return fault.NotFound(phrase.T("runner.gone"))
	}
	return a.Store.Do(ctx, func(tx *store.Tx) error {
		inv, err := tx.Invocation(r.Invocation)
		if errors.Is(err, store.ErrNotFound) {
			return fault.NotFound(phrase.T("runner.gone"))
		}
		if err != nil {
			return err
		}
		l := dispatch.Line{Room: inv.Room, Thread: inv.Thread, Text: r.Text, Doc: r.Doc, Invocation: inv.ID}
		own := room.DirectOf(inv.By.User, room.Bot)
		switch {
		case (r.Private || inv.Private) && inv.By.User == "":
			return fault.Conflict(phrase.T("services.nobody"))
		case (r.Private || inv.Private) && inv.Room != own:
			l.Room, l.Thread = own, 0
		case l.Thread == 0:
			l.Thread = inv.Message
		}
		if l.Room == room.Main && l.Thread == 0 {
			l.Incident = inv.Incident
		}
		_, err = dispatch.Answer(tx, l)
		return err
	})
}

// publisher offers our commands to the client that the file of services names.
// It is one for the life of the process, because it remembers what was used.
func (a *App) publisher() http.Handler {
	said := func() publishing {
		if p := a.talk.services.now.Load().publish; p != nil {
			return *p
		}
		return publishing{}
	}
	p := chatopsrpc.NewPublisher(chatopsrpc.Publishing{
		BaseURLs: []string{a.opts.Config.PublicURL}, Help: phrase.T("services.published"), Log: a.opts.Log,
		Keys:     func(context.Context) (map[string]*rsa.PublicKey, error) { return said().keys, nil },
		Commands: func(context.Context) ([]command.Declaration, error) { return a.published(said()), nil },
		User: func(ctx context.Context, _, login string) (id.User, bool, error) {
			o, err := a.Store.Org(ctx)
			if err != nil {
				return "", false, err
			}
			name, listed := said().people[login]
			for _, u := range o.Users {
				if listed && u.Username == name && !u.Disabled && !u.Robot {
					return u.ID, true, nil
				}
			}
			return "", false, nil
		},
		Call: a.called,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.talk.services.now.Load().publish == nil {
			http.NotFound(w, r)
			return
		}
		p.ServeHTTP(w, r)
	})
}

// published are the commands that only look, run here, and answer everybody in a
// room: the answer is shown where we do not see who reads it.
func (a *App) published(p publishing) []command.Declaration {
	var all []command.Declaration
	for _, d := range a.talk.catalogue.Tree().All() {
		ours := d.Origin == "" || strings.HasPrefix(d.Origin, "script ")
		named := len(p.only) == 0 || slices.Contains(p.only, d.ID)
		if d.Risk == command.Reads && ours && named && !d.Hidden && !d.Private && len(d.Rooms) == 0 {
			all = append(all, d)
		}
	}
	return all
}

// answerWithin is how long a client waits for a command to end.
const answerWithin = 50 * time.Second

// called carries out a line of a client, as the person who gave it there, with no
// more than the right to look, and in their conversation with the bot.
func (a *App) called(ctx context.Context, c chatopsrpc.Call) (string, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return "", err
	}
	u, own := o.Users[c.User], room.DirectOf(c.User, room.Bot)
	actor := people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Scopes: []people.Permission{people.Read}, Origin: timeline.API}
	trial, err := a.talk.bot.Try(ctx, actor, own, c.Line)
	switch {
	case err != nil:
		return "", err
	case trial.Broken != "":
		return "", fault.Invalid("args", trial.Broken)
	case trial.Declaration.ID != c.Command.ID: // what was given behind it made another of it
		return "", fault.Forbidden(phrase.T("services.other", trial.Declaration.Name()))
	}
	inv, err := a.talk.bot.Give(ctx, actor, own, 0, 0, c.Line)
	if err == nil {
		inv, err = a.waitFor(ctx, inv.ID)
	}
	switch {
	case err != nil:
		return "", err
	case inv.State == invocation.Succeeded && inv.Private:
		return phrase.T("services.private"), nil
	case inv.State == invocation.Succeeded:
		return inv.Output, nil
	case inv.State == invocation.Denied:
		return "", fault.Forbidden(inv.Why)
	case inv.State.Over():
		return "", fault.Conflict(phrase.T("services.failed", inv.Why))
	}
	return "", fault.Conflict(phrase.T("services.waits", inv.Number))
}

// waitFor waits until a command is over, or needs somebody to go on.
func (a *App) waitFor(ctx context.Context, n id.Invocation) (invocation.Invocation, error) {
	wake, stop := a.Store.Wake(store.Commands)
	defer stop()
	enough := time.After(answerWithin)
	for {
		inv, err := a.Store.Invocation(ctx, n)
		if err != nil || inv.State.Over() || inv.State.Asks() {
			return inv, err
		}
		select {
		case <-ctx.Done():
			return inv, ctx.Err()
		case <-enough:
			return inv, nil
		case <-wake:
		case <-time.After(a.opts.Look):
		}
	}
}
