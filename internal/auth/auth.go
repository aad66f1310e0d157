// Package auth decides who somebody is: passwords and the rules for choosing
// one, the brake on guessing, and the words a browser or a program proves
// itself with (session cookie, bearer token).
//
// It promises that signing in takes the same time and says the same whether the
// account exists or not, that a storm of attempts costs a bounded amount of
// memory, and that nothing which would let somebody in is ever stored readable:
// passwords as argon2id, random tokens as a hash.
//
// What somebody may do once known is decided in org; keeping sessions and
// tokens is left to the store, sending reset mails to notify.
package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Accounts is what signing in needs to know about people.
type Accounts interface {
	// Credentials returns who signs in with login (an e-mail address or a
	// username, in lower case) and their password as Passwords.Hash made it, ""
	// when they have none yet. Nobody of that name is fault.CodeNotFound, and so
	// is somebody who may not sign in any more.
	Credentials(ctx context.Context, login string) (user id.User, phc string, err error)
	// ReplacePassword sets the password to next if it still is previous, so that
	// an upgrade of the hash never undoes a change made meanwhile.
	ReplacePassword(ctx context.Context, user id.User, previous, next string) error
}

// Authenticator signs people in.
type Authenticator struct {
	accounts  Accounts
	passwords *Passwords
	throttle  *Throttle
	log       *slog.Logger
}

// NewAuthenticator returns one that asks accounts, hashes with passwords and
// brakes with throttle.
func NewAuthenticator(accounts Accounts, passwords *Passwords, throttle *Throttle, log *slog.Logger) *Authenticator {
	return &Authenticator{accounts: accounts, passwords: passwords, throttle: throttle, log: log}
}

// SignIn returns who has this login and password. from is the address of the
// browser. The faults are CodeTooMany (with RetryAfter) and CodeUnauthenticated,
// the latter in the same words and after the same time for a wrong password, an
// unknown name and an account without a password.
func (a *Authenticator) SignIn(ctx context.Context, login, password string, from netip.Addr, now time.Time) (id.User, error) {
	login = FoldLogin(login)
	wait, ok, err := a.throttle.Take(ctx, login, from, now)
	if err != nil {
		return "", fmt.Errorf("count attempts: %w", err)
	}
	if !ok {
		return "", fault.TooMany(phrase.T("auth.signin.throttled", inWords(wait)), wait)
	}
	user, phc, err := a.accounts.Credentials(ctx, login)
	if err != nil && !fault.Is(err, fault.CodeNotFound) {
		return "", fmt.Errorf("look up account: %w", err)
	}
	if err != nil || phc == "" {
		if err := a.passwords.VerifyNobody(ctx, password); err != nil {
			return "", busy(err)
		}
		return "", fault.Unauthenticated(phrase.T("auth.signin.wrong"))
	}
	ok, stale, err := a.passwords.Verify(ctx, phc, password)
	if err != nil {
		return "", fmt.Errorf("check password of %s: %w", user, busy(err))
	}
	if !ok {
		return "", fault.Unauthenticated(phrase.T("auth.signin.wrong"))
	}
	if err := a.throttle.Forgive(ctx, login, from); err != nil {
		a.log.WarnContext(ctx, "forgive failed attempts", "user", user, "err", err)
	}
	if stale {
		a.upgrade(ctx, user, phc, password)
	}
	return user, nil
}

// upgrade stores the password with today's parameters. Who signed in is signed
// in, even when that fails; the next time tries again.
func (a *Authenticator) upgrade(ctx context.Context, user id.User, previous, password string) {
	next, err := a.passwords.Hash(ctx, password)
	if err == nil {
		err = a.accounts.ReplacePassword(ctx, user, previous, next)
	}
	if err != nil {
		a.log.WarnContext(ctx, "upgrade password hash", "user", user, "err", err)
	}
}

// busy turns having waited too long for a turn at hashing into its own code.
func busy(err error) error {
	if !isContextError(err) {
		return err
	}
	return fault.Unavailable(phrase.T("auth.signin.busy"), time.Second).Because(err)
}

// FoldLogin returns the form in which a login is looked up and counted.
func FoldLogin(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

// inWords says a waiting time in whole seconds or minutes, never too short.
func inWords(wait time.Duration) string {
	seconds := int((wait + time.Second - 1) / time.Second)
	if seconds <= 90 {
		return phrase.N("auth.wait.seconds", max(seconds, 1))
	}
	return phrase.N("auth.wait.minutes", (seconds+59)/60)
}
