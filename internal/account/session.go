package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Session is one of a person's signed-in browsers.
type Session struct {
	ID        id.Session
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	Address   string
	Agent     string
	Current   bool // the one that asks
}

// accounts gives auth the rows it needs.
type accounts struct{ store *store.Store }

// Credentials implements auth.Accounts.
func (a accounts) Credentials(ctx context.Context, login string) (id.User, string, error) {
	o, err := a.store.Org(ctx)
	if err != nil {
		return "", "", err
	}
	user, ok := o.UserByEmail(login)
	if !ok {
		user, ok = o.UserByName(login)
	}
	if !ok || user.Disabled || user.Robot {
		return "", "", fault.NotFound("")
	}
	phc, err := a.store.Password(ctx, user.ID)
	if errors.Is(err, store.ErrNotFound) {
		return user.ID, "", nil
	}
	return user.ID, phc, err
}

// ReplacePassword implements auth.Accounts.
func (a accounts) ReplacePassword(ctx context.Context, u id.User, previous, next string) error {
	return a.store.Do(ctx, func(tx *store.Tx) error {
		have, err := tx.Password(u)
		if err == nil && have == previous {
			tx.PutPassword(u, next)
		}
		return err
	})
}

// SignIn starts a session for whoever has this e-mail address or username and
// password, or half of one for who has a second factor. The faults are those of auth.Authenticator.SignIn.
func (s *Service) SignIn(ctx context.Context, email, password string, from Client) (Grant, error) {
	u, err := s.signIn.SignIn(ctx, email, password, from.address(), s.now())
	if err != nil {
		return Grant{}, err
	}
	return store.InTx(ctx, s.store, func(tx *store.Tx) (Grant, error) {
		if _, ok := active(tx, u); !ok { // since a moment ago
			return Grant{}, fault.Unauthenticated(phrase.T("auth.signin.wrong"))
		}
		return s.enter(tx, u, from)
	})
}

// Authenticate returns who has a session cookie, acting from a browser. It is
// fault.CodeUnauthenticated when the session is over or its person may not
// sign in any more. Using a session keeps it alive. Whoever asks refuses an
// actor who lacks a second factor, except where they set one up.
func (s *Service) Authenticate(ctx context.Context, cookie string) (people.Actor, id.Session, error) {
	if cookie == "" {
		return people.Actor{}, "", signedOut()
	}
	v, err := s.store.Session(ctx, secret.Hash(cookie))
	if errors.Is(err, store.ErrNotFound) {
		return people.Actor{}, "", signedOut()
	}
	if err != nil {
		return people.Actor{}, "", fmt.Errorf("look up session: %w", err)
	}
	now := s.now()
	if !now.Before(v.ExpiresAt) {
		return people.Actor{}, "", signedOut()
	}
	o, err := s.store.Org(ctx)
	if err != nil {
		return people.Actor{}, "", err
	}
	user, ok := o.Users[v.Person]
	if !ok || user.Disabled {
		s.revoke(ctx, v.Person)
		return people.Actor{}, "", signedOut()
	}
	if now.Sub(v.SeenAt) >= touchEvery {
		s.touch(ctx, func(tx *store.Tx) { tx.TouchSession(v.ID, tx.Now.Add(SessionLife)) })
	}
	who := actor(user, nil, timeline.Browser)
	who.ProvenAt, who.LacksFactor = v.ProvenAt, !v.HasFactor && o.Settings.SecondFactor.Has(user.Role)
	return who, v.ID, nil
}

func actor(u people.User, scopes []people.Permission, from timeline.Origin) people.Actor {
	return people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Scopes: scopes, Origin: from}
}

// touch writes down what was noticed while somebody was recognised. That it
// could not be written does not change the answer.
func (s *Service) touch(ctx context.Context, fn func(*store.Tx)) {
	err := s.store.Do(ctx, func(tx *store.Tx) error {
		fn(tx)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "record use of a session or token", "err", err)
	}
}

// revoke ends the sessions of somebody who was disabled or deleted, so that
// none comes back to life when they are enabled again.
func (s *Service) revoke(ctx context.Context, u id.User) {
	s.touch(ctx, func(tx *store.Tx) {
		if _, ok := active(tx, u); !ok {
			tx.RemoveSessions(u, "")
		}
	})
}

// SignOut ends the session of a cookie; one that is over already is fine.
func (s *Service) SignOut(ctx context.Context, cookie string) error {
	return s.store.Do(ctx, func(tx *store.Tx) error {
		tx.DropSession(secret.Hash(cookie))
		return nil
	})
}

// SignOutEverywhere ends every session of the actor, the one that asks too.
func (s *Service) SignOutEverywhere(ctx context.Context, actor people.Actor) error {
	return s.signOut(ctx, actor, "")
}

// SignOutElsewhere ends every session of the actor but the one of cookie.
func (s *Service) SignOutElsewhere(ctx context.Context, actor people.Actor, cookie string) error {
	v, err := s.store.Session(ctx, secret.Hash(cookie))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("look up session: %w", err)
	}
	return s.signOut(ctx, actor, v.ID)
}

func (s *Service) signOut(ctx context.Context, actor people.Actor, except id.Session) error {
	if !actor.May(people.OwnSelf) || actor.User == "" {
		return forbidden()
	}
	return s.store.Do(ctx, func(tx *store.Tx) error {
		tx.RemoveSessions(actor.User, except)
		return nil
	})
}

// Sessions lists the actor's own sessions, the newest first; cookie marks the
// current one.
func (s *Service) Sessions(ctx context.Context, actor people.Actor, cookie string) ([]Session, error) {
	if !actor.May(people.OwnSelf) || actor.User == "" {
		return nil, forbidden()
	}
	rows, err := s.store.Sessions(ctx, actor.User)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	current, err := s.store.Session(ctx, secret.Hash(cookie))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	now := s.now()
	var list []Session
	for _, v := range rows {
		if now.Before(v.ExpiresAt) {
			list = append(list, Session{v.ID, v.CreatedAt, v.SeenAt, v.ExpiresAt, v.Address, v.Agent, v.ID == current.ID})
		}
	}
	return list, nil
}

// RevokeSession ends one of the actor's own sessions.
func (s *Service) RevokeSession(ctx context.Context, actor people.Actor, n id.Session) error {
	if !actor.May(people.OwnSelf) || actor.User == "" {
		return forbidden()
	}
	return s.store.Do(ctx, func(tx *store.Tx) error {
		have, err := tx.Sessions(actor.User)
		if err != nil {
			return fmt.Errorf("revoke session: %w", err)
		}
		for _, v := range have {
			if v.ID == n {
				tx.RemoveSession(n)
				return nil
			}
		}
		return fault.NotFound(phrase.T("account.no_such_session"))
	})
}

func signedOut() error { return fault.Unauthenticated(phrase.T("account.signed_out")) }

var _ auth.Accounts = accounts{}
