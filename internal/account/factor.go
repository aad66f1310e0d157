package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/otp"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// OfferLife is for how long somebody may look for their phone while they set up
// a second factor, and HalfLife while they sign in with one.
const (
	OfferLife = 30 * time.Minute
	HalfLife  = 10 * time.Minute
)

// noticeLife is for how long it is worth telling somebody what was done with
// their second factor.
const noticeLife = 24 * time.Hour

// Offer is a second factor before it is one. It is kept by the browser alone,
// sealed, until a code shows that the phone has it.
type Offer struct {
	Secret string // as it is typed
	URI    string // as it is drawn
	Sealed string
	Until  time.Time
}

// Factor is what somebody may know of their second factor.
type Factor struct {
	Since      time.Time
	Recoveries int // codes that are left
}

// offered is what is sealed in an offer.
type offered struct {
	Person id.User   `json:"person"`
	Secret string    `json:"secret"`
	Until  time.Time `json:"until"`
}

// OfferFactor makes a second factor for the actor to set up.
func (s *Service) OfferFactor(ctx context.Context, actor people.Actor) (Offer, error) {
	if err := s.mayHaveFactor(ctx, actor); err != nil {
		return Offer{}, err
	}
	what := offered{actor.User, otp.NewSecret(), s.now().Add(OfferLife)}
	plain, err := json.Marshal(what)
	if err != nil {
		return Offer{}, fmt.Errorf("seal offer: %w", err)
	}
	return s.offer(ctx, what, s.box.Seal(string(plain)))
}

// ReadOffer is an offer that was made to the actor, to be shown again.
func (s *Service) ReadOffer(ctx context.Context, actor people.Actor, sealed string) (Offer, error) {
	what, err := s.open(actor, sealed)
	if err != nil {
		return Offer{}, err
	}
	return s.offer(ctx, what, sealed)
}

func (s *Service) offer(ctx context.Context, what offered, sealed string) (Offer, error) {
	o, err := s.store.Org(ctx)
	if err != nil {
		return Offer{}, err
	}
	house := or(o.Settings.Name, phrase.T("account.setup.org"))
	return Offer{Secret: what.Secret, URI: otp.URI(house, o.Users[what.Person].Email, what.Secret), Sealed: sealed, Until: what.Until}, nil
}

func (s *Service) open(actor people.Actor, sealed string) (offered, error) {
	var what offered
	plain, err := s.box.Open(sealed)
	if err == nil {
		err = json.Unmarshal([]byte(plain), &what)
	}
	if err != nil || what.Person != actor.User || actor.User == "" || !s.now().Before(what.Until) {
		return offered{}, fault.Conflict(phrase.T("account.factor.offer_over"))
	}
	return what, nil
}

// mayHaveFactor: people in a browser may, and have at most one.
func (s *Service) mayHaveFactor(ctx context.Context, actor people.Actor) error {
	if !actor.May(people.OwnSelf) || actor.User == "" || actor.Origin != timeline.Browser {
		return forbidden()
	}
	has, err := s.HasFactor(ctx, actor.User)
	if err != nil {
		return err
	}
	if has {
		return fault.Conflict(phrase.T("account.factor.has"))
	}
	return nil
}

// SetFactor makes an offer the actor's second factor: code is what the phone
// shows. It returns the recovery codes, this once. The session counts as proven;
// all others are over, because nobody showed it there.
func (s *Service) SetFactor(ctx context.Context, actor people.Actor, session id.Session, sealed, code string, from Client) ([]string, error) {
	if err := s.mayHaveFactor(ctx, actor); err != nil {
		return nil, err
	}
	what, err := s.open(actor, sealed)
	if err != nil {
		return nil, err
	}
	if err := s.take(ctx, actor.User, from); err != nil {
		return nil, err
	}
	codes := otp.NewRecovery()
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		switch _, err := tx.Factor(actor.User); {
		case err == nil: // in another tab
			return fault.Conflict(phrase.T("account.factor.has"))
		case !errors.Is(err, store.ErrNotFound):
			return fmt.Errorf("set second factor of %s: %w", actor.User, err)
		}
		user, ok := active(tx, actor.User)
		if !ok {
			return forbidden()
		}
		step, right := otp.Check(what.Secret, code, tx.Now, 0)
		if !right {
			return wrongCode()
		}
		tx.PutFactor(store.Factor{Person: user.ID, Sealed: s.box.Seal(what.Secret), MadeAt: tx.Now, LastStep: step})
		tx.PutRecoveries(user.ID, s.recoveryHashes(user.ID, codes))
		tx.ProveSession(session)
		tx.RemoveSessions(user.ID, session)
		tx.RemoveLinks(store.HalfLink, user.ID)
		s.note(tx, actor, user, "created")
		return s.tell(tx, user, "account.factor.mail.set")
	})
	if err != nil {
		return nil, err
	}
	s.forgive(ctx, actor.User, from)
	return codes, nil
}

// RemoveFactor takes the actor's second factor away; code is one of it or a
// recovery code.
func (s *Service) RemoveFactor(ctx context.Context, actor people.Actor, session id.Session, code string, from Client) error {
	return s.withCode(ctx, actor, session, code, from, func(tx *store.Tx, user people.User) error {
		tx.DropFactor(user.ID)
		s.note(tx, actor, user, "deleted")
		return s.tell(tx, user, "account.factor.mail.removed")
	})
}

// RenewRecovery replaces the actor's recovery codes and returns the new ones,
// this once.
func (s *Service) RenewRecovery(ctx context.Context, actor people.Actor, session id.Session, code string, from Client) ([]string, error) {
	codes := otp.NewRecovery()
	err := s.withCode(ctx, actor, session, code, from, func(tx *store.Tx, user people.User) error {
		tx.PutRecoveries(user.ID, s.recoveryHashes(user.ID, codes))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// StepUp proves a session with a code of the actor's second factor or a recovery
// code: for people.StepUpFor it counts as theirs.
func (s *Service) StepUp(ctx context.Context, actor people.Actor, session id.Session, code string, from Client) (people.Actor, error) {
	var at time.Time
	err := s.withCode(ctx, actor, session, code, from, func(tx *store.Tx, _ people.User) error {
		at = tx.Now
		return nil
	})
	if err != nil {
		return actor, err
	}
	actor.ProvenAt = at
	return actor, nil
}

// withCode does something that needs a code of the actor, in one transaction
// with its being used up. The session counts as proven by it.
func (s *Service) withCode(ctx context.Context, actor people.Actor, session id.Session, code string, from Client, do func(*store.Tx, people.User) error) error {
	if !actor.May(people.OwnSelf) || actor.User == "" || actor.Origin != timeline.Browser || session == "" {
		return forbidden()
	}
	if err := s.take(ctx, actor.User, from); err != nil {
		return err
	}
	err := s.store.Do(ctx, func(tx *store.Tx) error {
		user, ok := active(tx, actor.User)
		if !ok {
			return forbidden()
		}
		if err := s.use(tx, user, code); err != nil {
			return err
		}
		tx.ProveSession(session)
		return do(tx, user)
	})
	if err == nil {
		s.forgive(ctx, actor.User, from)
	}
	return err
}

// take counts one try of a code, before it is looked at.
func (s *Service) take(ctx context.Context, u id.User, from Client) error {
	return refused(s.codes.Take(ctx, string(u), from.address(), s.now()))
}

// refused is what is said of a try that is one too many.
func refused(wait time.Duration, ok bool, err error) error {
	if err != nil {
		return fmt.Errorf("count tries: %w", err)
	}
	if !ok {
		return fault.TooMany(phrase.T("account.slow_down"), wait)
	}
	return nil
}

// forgive forgets the codes that somebody has tried in vain before.
func (s *Service) forgive(ctx context.Context, u id.User, from Client) {
	if err := s.codes.Forgive(ctx, string(u), from.address()); err != nil {
		s.log.WarnContext(ctx, "forgive failed tries", "user", u, "err", err)
	}
}

// use takes a code of a person: what the phone shows, which works once, or a
// recovery code, which is gone then.
func (s *Service) use(tx *store.Tx, user people.User, code string) error {
	f, err := tx.Factor(user.ID)
	if errors.Is(err, store.ErrNotFound) {
		return fault.Conflict(phrase.T("account.factor.none"))
	}
	if err != nil {
		return fmt.Errorf("look up second factor of %s: %w", user.ID, err)
	}
	if otp.IsRecovery(code) {
		return s.useRecovery(tx, user, code)
	}
	plain, err := s.box.Open(f.Sealed)
	if err != nil {
		return fmt.Errorf("open second factor of %s: %w", user.ID, err)
	}
	step, ok := otp.Check(plain, code, tx.Now, f.LastStep)
	if !ok {
		return wrongCode()
	}
	f.LastStep = step
	tx.PutFactor(f)
	return nil
}

func (s *Service) useRecovery(tx *store.Tx, user people.User, code string) error {
	hash := s.recoveryHash(user.ID, code)
	has, err := tx.HasRecovery(user.ID, hash)
	if err != nil {
		return fmt.Errorf("look up recovery code of %s: %w", user.ID, err)
	}
	if !has {
		return wrongCode()
	}
	tx.UseRecovery(hash)
	return s.tell(tx, user, "account.factor.mail.recovered")
}

func wrongCode() error { return fault.Invalid("code", phrase.T("account.factor.wrong")) }

// recoveryHash is with the server's key, because the codes are short: who has
// the rows alone cannot try them all.
func (s *Service) recoveryHash(u id.User, code string) string {
	mac := hmac.New(sha256.New, s.box.Derive("recovery"))
	_, _ = mac.Write([]byte(string(u) + "\n" + otp.Fold(code))) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *Service) recoveryHashes(u id.User, codes []string) []string {
	hashes := make([]string, len(codes))
	for i, c := range codes {
		hashes[i] = s.recoveryHash(u, c)
	}
	return hashes
}

// ResetFactor takes somebody's second factor away, because their phone and their
// codes are gone: an administrator answers for who they are. The person is told,
// and so is the timeline.
func (s *Service) ResetFactor(ctx context.Context, actor people.Actor, u id.User) error {
	if !actor.May(people.Manage) {
		return forbidden()
	}
	return s.store.Do(ctx, func(tx *store.Tx) error {
		user, ok := tx.Org.Users[u]
		if !ok {
			return fault.NotFound(phrase.T("account.no_such_user"))
		}
		switch _, err := tx.Factor(u); {
		case errors.Is(err, store.ErrNotFound):
			return fault.Conflict(phrase.T("account.factor.none_of", user.Name))
		case err != nil:
			return fmt.Errorf("reset second factor of %s: %w", u, err)
		}
		tx.DropFactor(u)
		tx.RemoveLinks(store.HalfLink, u)
		s.note(tx, actor, user, "deleted")
		return s.tell(tx, user, "account.factor.mail.reset", actor.Name)
	})
}

// HasFactor reports whether a person has a second factor.
func (s *Service) HasFactor(ctx context.Context, u id.User) (bool, error) {
	_, err := s.store.Factor(ctx, u)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up second factor of %s: %w", u, err)
	}
	return true, nil
}

// OwnFactor is the actor's second factor; false when they have none.
func (s *Service) OwnFactor(ctx context.Context, actor people.Actor) (Factor, bool, error) {
	f, err := s.store.Factor(ctx, actor.User)
	if errors.Is(err, store.ErrNotFound) {
		return Factor{}, false, nil
	}
	if err != nil {
		return Factor{}, false, fmt.Errorf("look up second factor: %w", err)
	}
	left, err := s.store.Recoveries(ctx, actor.User)
	if err != nil {
		return Factor{}, false, fmt.Errorf("count recovery codes: %w", err)
	}
	return Factor{Since: f.MadeAt, Recoveries: left}, true, nil
}

// enter starts a session for who has proven their password or address, or where
// they have a second factor the half of one.
func (s *Service) enter(tx *store.Tx, u id.User, from Client) (Grant, error) {
	_, err := tx.Factor(u)
	if errors.Is(err, store.ErrNotFound) {
		return s.startSession(tx, u, from)
	}
	if err != nil {
		return Grant{}, fmt.Errorf("look up second factor of %s: %w", u, err)
	}
	token, hash := auth.NewToken()
	expires := tx.Now.Add(HalfLife)
	tx.AddLink(hash, store.Link{Purpose: store.HalfLink, Person: u, ExpiresAt: expires})
	return Grant{Cookie: token, Expires: expires, Half: true}, nil
}

// HalfSignedIn returns whose second factor is still to come;
// fault.CodeUnauthenticated when it is too late for it.
func (s *Service) HalfSignedIn(ctx context.Context, half string) (people.User, error) {
	user, err := s.owner(ctx, half, store.HalfLink)
	if fault.Is(err, fault.CodeNotFound) {
		return user, fault.Unauthenticated(phrase.T("account.factor.too_late"))
	}
	return user, err
}

// FinishSignIn makes a session of the half of one; code is of the second factor,
// or a recovery code.
func (s *Service) FinishSignIn(ctx context.Context, half, code string, from Client) (Grant, error) {
	user, err := s.HalfSignedIn(ctx, half)
	if err != nil {
		return Grant{}, err
	}
	if err := s.take(ctx, user.ID, from); err != nil {
		return Grant{}, err
	}
	g, err := store.InTx(ctx, s.store, func(tx *store.Tx) (Grant, error) {
		hash := secret.Hash(half)
		link, err := tx.Link(hash)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return Grant{}, fmt.Errorf("look up link: %w", err)
		}
		user, ok := active(tx, link.Person)
		if err != nil || !ok || link.Purpose != store.HalfLink || !tx.Now.Before(link.ExpiresAt) {
			return Grant{}, fault.Unauthenticated(phrase.T("account.factor.too_late"))
		}
		if err := s.use(tx, user, code); err != nil {
			return Grant{}, err
		}
		tx.DropLink(hash)
		g, err := s.startSession(tx, user.ID, from)
		if err == nil {
			tx.ProveSession(g.session)
		}
		return g, err
	})
	if err == nil {
		s.forgive(ctx, user.ID, from)
	}
	return g, err
}

// note tells the timeline what was done with somebody's second factor.
func (s *Service) note(tx *store.Tx, actor people.Actor, user people.User, action string) {
	tx.Append(timeline.Entry{
		Kind: timeline.OrgChanged, Actor: actor.Who(), Person: user.ID,
		Payload: timeline.Change{Object: "second_factor", ID: string(user.ID), Name: user.Name, Action: action},
	})
}

// tell mails a person what was done with their second factor: it may not have
// been them. key begins the subject and the line.
func (s *Service) tell(tx *store.Tx, to people.User, key string, args ...any) error {
	if !s.mail {
		return nil
	}
	return s.addNotice(tx, to, notify.Notice{
		Subject: phrase.T("account.factor.mail.subject"),
		Lines:   []string{phrase.T(key, args...), phrase.T("account.factor.mail.not_you")},
		Action:  phrase.T("account.factor.mail.action"), URL: s.url + "/settings/profile/security",
	}, tx.Now.Add(noticeLife))
}
