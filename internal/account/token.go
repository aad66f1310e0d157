package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// tokenPrefix lets people and secret scanners recognise a token of ours.
const tokenPrefix = "wr_"

// Token is an API token without its secret.
type Token struct {
	ID        id.Token
	Name      string
	User      id.User
	Scopes    []people.Permission // nil: all that the person may
	CreatedAt time.Time
	SeenAt    time.Time // zero: never used
}

// AuthenticateToken returns who a bearer token stands for, with its scopes;
// fault.CodeUnauthenticated when there is no such token or its person may not
// sign in.
func (s *Service) AuthenticateToken(ctx context.Context, bearer string) (people.Actor, error) {
	if !strings.HasPrefix(bearer, tokenPrefix) {
		return people.Actor{}, badToken()
	}
	v, err := s.store.Token(ctx, secret.Hash(bearer))
	if errors.Is(err, store.ErrNotFound) {
		return people.Actor{}, badToken()
	}
	if err != nil {
		return people.Actor{}, fmt.Errorf("look up token: %w", err)
	}
	o, err := s.store.Org(ctx)
	if err != nil {
		return people.Actor{}, err
	}
	user, ok := o.Users[v.Person]
	if !ok || user.Disabled {
		return people.Actor{}, badToken()
	}
	if s.now().Sub(v.SeenAt) >= touchEvery {
		s.touch(ctx, func(tx *store.Tx) { tx.TouchToken(v.ID) })
	}
	from := timeline.API
	if user.Robot {
		from = timeline.Robot
	}
	return actor(user, v.Scopes, from), nil
}

// Tokens lists the actor's tokens; everybody's when the actor may manage.
func (s *Service) Tokens(ctx context.Context, actor people.Actor) ([]Token, error) {
	if !mayHaveTokens(actor, actor.User) {
		return nil, forbidden()
	}
	rows, err := s.store.Tokens(ctx)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	var list []Token
	for _, v := range rows {
		if v.Person == actor.User || actor.May(people.Manage) {
			list = append(list, Token{v.ID, v.Name, v.Person, v.Scopes, v.CreatedAt, v.SeenAt})
		}
	}
	return list, nil
}

// CreateToken makes a token for user, who is the actor or a robot that the actor
// manages, and returns its secret, this once. No scopes mean all that the
// person may; a token cannot make one that may more than itself.
func (s *Service) CreateToken(ctx context.Context, actor people.Actor, user id.User, name string, scopes []people.Permission) (string, Token, error) {
	if !mayHaveTokens(actor, user) {
		return "", Token{}, forbidden()
	}
	name = strings.TrimSpace(clip(name, 201))
	if name == "" || len([]rune(name)) > 200 {
		return "", Token{}, fault.Invalid("name", phrase.T("account.token.name"))
	}
	scopes = slices.Compact(slices.Sorted(slices.Values(scopes)))
	for _, p := range scopes {
		if !slices.Contains(people.Permissions, p) {
			return "", Token{}, fault.Invalid("scopes", phrase.T("account.token.scope", string(p)))
		}
		if actor.Scopes != nil && !slices.Contains(actor.Scopes, p) {
			return "", Token{}, forbidden()
		}
	}
	if len(scopes) == 0 {
		scopes = nil
		if actor.Scopes != nil {
			return "", Token{}, forbidden()
		}
	}
	text := tokenPrefix + id.Secret(20)
	t, err := store.InTx(ctx, s.store, func(tx *store.Tx) (Token, error) {
		u, ok := active(tx, user)
		if !ok {
			return Token{}, fault.Invalid("user", phrase.T("account.no_such_user"))
		}
		if !maySpeakAs(tx.Org, actor, u) {
			return Token{}, fault.Forbidden(phrase.T("account.token.not_yours", u.Name))
		}
		have, err := tx.Tokens(user)
		if err != nil {
			return Token{}, fmt.Errorf("create token: %w", err)
		}
		if len(have) >= maxTokens {
			return Token{}, fault.Conflict(phrase.T("account.token.too_many", maxTokens))
		}
		t := Token{ID: id.Token(id.New()), Name: name, User: user, Scopes: scopes, CreatedAt: tx.Now}
		tx.AddToken(secret.Hash(text), store.Token{ID: t.ID, Person: user, Name: name, Scopes: scopes, CreatedAt: tx.Now})
		return t, nil
	})
	if err != nil {
		return "", Token{}, err
	}
	return text, t, nil
}

// RevokeToken makes a token worthless: the actor's own, or anybody's when the
// actor may manage.
func (s *Service) RevokeToken(ctx context.Context, actor people.Actor, n id.Token) error {
	return s.store.Do(ctx, func(tx *store.Tx) error {
		v, err := tx.Token(n)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("revoke token: %w", err)
		}
		if !mayHaveTokens(actor, v.Person) {
			if !mayHaveTokens(actor, actor.User) {
				return forbidden()
			}
			err = store.ErrNotFound // others' tokens do not exist for them
		}
		if err != nil {
			return fault.NotFound(phrase.T("account.no_such_token"))
		}
		tx.RemoveToken(n)
		return nil
	})
}

// mayHaveTokens reports whether actor decides about the tokens of u.
func mayHaveTokens(actor people.Actor, u id.User) bool {
	return actor.May(people.Manage) || actor.May(people.OwnSelf) && actor.User != "" && actor.User == u
}

// maySpeakAs reports whether actor may have a token of u: their own, that of a
// robot whose rooms they read, and whoever has the server's console any.
func maySpeakAs(o *org.Org, actor people.Actor, u people.User) bool {
	return actor.User == "" || actor.User == u.ID || u.Robot && o.MayHoldKey(actor.User, u.ID)
}

func badToken() error { return fault.Unauthenticated(phrase.T("account.bad_token")) }
