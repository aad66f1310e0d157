package api

import (
	"context"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

// Accounts is what the API needs of internal/account.
type Accounts interface {
	AuthenticateToken(ctx context.Context, bearer string) (people.Actor, error)
	Invite(ctx context.Context, by people.Actor, f account.Invitation) (user people.User, link string, err error)
	ResetFactor(ctx context.Context, by people.Actor, u id.User) error
	Tokens(ctx context.Context, by people.Actor) ([]account.Token, error)
	CreateToken(ctx context.Context, by people.Actor, user id.User, name string, scopes []people.Permission) (secret string, t account.Token, err error)
	RevokeToken(ctx context.Context, by people.Actor, token id.Token) error
}

var _ Accounts = (*account.Service)(nil)
