package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// ChangePassword replaces the actor's password. Other sessions stay; see
// SignOutElsewhere.
func (s *Service) ChangePassword(ctx context.Context, actor people.Actor, old, chosen string) error {
	if !actor.May(people.OwnSelf) || actor.User == "" {
		return forbidden()
	}
	if err := refused(s.changing.Take(ctx, string(actor.User), s.now())); err != nil {
		return err
	}
	o, err := s.store.Org(ctx)
	if err != nil {
		return err
	}
	previous, err := s.store.Password(ctx, actor.User)
	if errors.Is(err, store.ErrNotFound) {
		return fault.Conflict(phrase.T("account.no_password"))
	}
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	right, _, err := s.passwords.Verify(ctx, previous, old)
	if err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	if !right {
		return fault.Invalid("old_password", phrase.T("account.wrong_password"))
	}
	if err := s.changing.Forget(ctx, string(actor.User)); err != nil {
		s.log.WarnContext(ctx, "forgive failed tries", "user", actor.User, "err", err)
	}
	phc, err := s.hash(ctx, chosen, o.Users[actor.User])
	if err != nil {
		return err
	}
	return s.store.Do(ctx, func(tx *store.Tx) error {
		have, err := tx.Password(actor.User)
		if err != nil {
			return fmt.Errorf("change password: %w", err)
		}
		if have != previous { // somebody else was faster, perhaps the owner after a theft
			return fault.Conflict(phrase.T("account.changed_meanwhile"))
		}
		tx.PutPassword(actor.User, phc)
		tx.RemoveLinks(store.ResetLink, actor.User)
		return nil
	})
}

// SetPassword gives anybody a password, for the command line and the demo; it
// ends all their sessions.
func (s *Service) SetPassword(ctx context.Context, actor people.Actor, u id.User, chosen string) error {
	if !actor.May(people.Manage) {
		return forbidden()
	}
	o, err := s.store.Org(ctx)
	if err != nil {
		return err
	}
	user, ok := o.Users[u]
	if !ok {
		return fault.NotFound(phrase.T("account.no_such_user"))
	}
	phc, err := s.hash(ctx, chosen, user)
	if err != nil {
		return err
	}
	return s.store.Do(ctx, func(tx *store.Tx) error {
		s.settle(tx, u, phc)
		return nil
	})
}

// settle saves a password and makes worthless what was before it.
func (s *Service) settle(tx *store.Tx, u id.User, phc string) {
	tx.PutPassword(u, phc)
	tx.RemoveSessions(u, "")
	tx.RemoveLinks(store.InviteLink, u)
	tx.RemoveLinks(store.ResetLink, u)
	tx.RemoveLinks(store.HalfLink, u)
}

// Forgot mails a link to choose another password to whoever has this address.
// The answer is the same for every address: nil, or that mail cannot be sent,
// or fault.CodeTooMany.
func (s *Service) Forgot(ctx context.Context, email string, from Client) error {
	now := s.now()
	if err := refused(s.askingNet.Take(ctx, auth.Network(from.address()).String(), now)); err != nil {
		return err
	}
	if err := refused(s.asking.Take(ctx, auth.FoldLogin(email), now)); err != nil {
		return err
	}
	if !s.mail { // anybody may ask: the log says it once
		s.noMail.Do(func() {
			s.log.WarnContext(ctx, "somebody asked for a new password, and there is no mail server to send the link")
		})
		return fault.Conflict(phrase.T("account.no_mail"))
	}
	return s.store.Do(ctx, func(tx *store.Tx) error {
		token, hash := auth.NewToken()
		expires := tx.Now.Add(ResetLife)
		user, ok := tx.Org.UserByEmail(email)
		if !ok || user.Disabled {
			// The same commit as for somebody who exists, so that the time of the answer does not tell.
			tx.AddLink(hash, store.Link{Purpose: store.ResetLink, ExpiresAt: expires})
			tx.RemoveLinks(store.ResetLink, "")
			return nil
		}
		// An earlier link stays good: the mails may arrive in any order.
		tx.AddLink(hash, store.Link{Purpose: store.ResetLink, Person: user.ID, ExpiresAt: expires})
		return s.addNotice(tx, user, notify.Notice{
			Subject: phrase.T("account.reset.subject"),
			Lines:   []string{phrase.T("account.reset.line"), phrase.T("account.reset.ignore")},
			Action:  phrase.T("account.reset.action"), URL: s.url + "/reset/" + token,
		}, expires)
	})
}

// ResetFor returns whose password a reset link may change; fault.CodeNotFound
// when it was used, is too old, or never was one.
func (s *Service) ResetFor(ctx context.Context, token string) (people.User, error) {
	return s.owner(ctx, token, store.ResetLink)
}

// Reset uses a reset link: the password is the chosen one, all sessions are
// over, and a new one begins,
// or half of one: the link was mailed and has proven the address, but not the
// second factor.
func (s *Service) Reset(ctx context.Context, token, password string, from Client) (Grant, error) {
	return s.redeem(ctx, token, store.ResetLink, password, from, s.save)
}

// save saves a person who has used a link that is mailed to the address they
// sign in with. Without mail it was handed over, and proves nothing.
func (s *Service) save(tx *store.Tx, user people.User) error {
	if s.mail {
		user.Contacts = slices.Clone(user.Contacts)
		for i, c := range user.Contacts {
			if how := c.ProvenBy(); c.Method == people.Email && strings.EqualFold(c.Address, user.Email) && how != people.ByCode && how != people.ByLink {
				user.Contacts[i] = c.Proven(people.ByLink, tx.Now)
			}
		}
	}
	_, err := dispatch.ApplyChanges(tx, actor(user, nil, timeline.Browser), []org.Change{org.Put(user)})
	return err
}

// owner returns who a link is for.
func (s *Service) owner(ctx context.Context, token string, purpose store.LinkPurpose) (people.User, error) {
	link, err := s.store.Link(ctx, secret.Hash(token))
	if errors.Is(err, store.ErrNotFound) {
		return people.User{}, deadLink()
	}
	if err != nil {
		return people.User{}, fmt.Errorf("look up link: %w", err)
	}
	o, err := s.store.Org(ctx)
	if err != nil {
		return people.User{}, err
	}
	user, ok := o.Users[link.Person]
	if !ok || user.Disabled || link.Purpose != purpose || !s.now().Before(link.ExpiresAt) {
		return people.User{}, deadLink()
	}
	return user, nil
}

// redeem uses up a link for a password and a session; more happens in the same
// transaction.
func (s *Service) redeem(ctx context.Context, token string, purpose store.LinkPurpose, password string, from Client,
	more func(*store.Tx, people.User) error,
) (Grant, error) {
	user, err := s.owner(ctx, token, purpose) // first, because hashing is dear
	if err != nil {
		return Grant{}, err
	}
	phc, err := s.hash(ctx, password, user)
	if err != nil {
		return Grant{}, err
	}
	return store.InTx(ctx, s.store, func(tx *store.Tx) (Grant, error) {
		link, err := tx.Link(secret.Hash(token))
		if errors.Is(err, store.ErrNotFound) {
			return Grant{}, deadLink()
		}
		if err != nil {
			return Grant{}, fmt.Errorf("look up link: %w", err)
		}
		user, ok := active(tx, link.Person)
		if !ok || link.Purpose != purpose || !tx.Now.Before(link.ExpiresAt) {
			return Grant{}, deadLink()
		}
		if err := more(tx, user); err != nil {
			return Grant{}, err
		}
		s.settle(tx, user.ID, phc)
		return s.enter(tx, user.ID, from)
	})
}

func deadLink() error { return fault.NotFound(phrase.T("account.dead_link")) }
