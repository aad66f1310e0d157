package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

const tokenCursor cursorOf = "token"

// TokenView is an API token without its secret.
type TokenView struct {
	ID        id.Token   `json:"id"`
	Name      string     `json:"name"`
	User      Person     `json:"user" doc:"For whom it stands."`
	Scopes    []string   `json:"scopes,omitempty" nullable:"false" doc:"What it may, of what the person may; absent for all of it."`
	CreatedAt time.Time  `json:"created_at"`
	SeenAt    *time.Time `json:"seen_at,omitempty" doc:"When it was last used; absent for never."`
}

// TokenBody is a new token.
type TokenBody struct {
	Name   string   `json:"name" minLength:"1" maxLength:"200" example:"deploy script" doc:"What it is for."`
	Scopes []string `json:"scopes,omitempty" enum:"read,talk,respond,manage,own_self,integrate" maxItems:"6" doc:"What it may, of what the person may; absent for all of it."`
	User   string   `json:"user,omitempty" maxLength:"254" doc:"For whom it stands: id, username or e-mail address. Oneself when absent; else a robot whose rooms one reads, with the permission manage."`
}

// NewToken is a token with its secret.
type NewToken struct {
	TokenView
	Secret string `json:"secret" doc:"Shown this once."`
}

// Me is who is asking.
type Me struct {
	User        *UserView `json:"user,omitempty"`
	Permissions []string  `json:"permissions" nullable:"false" doc:"What this request's token or session may."`
	Scopes      []string  `json:"scopes,omitempty" nullable:"false" doc:"What the token was restricted to; absent when it was not."`
}

type (
	meOutput       struct{ Body Me }
	newTokenOutput struct{ Body NewToken }
	tokenInput     struct {
		ID string `path:"id" maxLength:"100" doc:"The id of the token."`
	}
)

func (a *api) registerTokens() {
	handle(a, "show-me", a.showMe)
	handle(a, "list-tokens", a.listTokens)
	handle(a, "create-token", a.createToken)
	handle(a, "delete-token", func(ctx context.Context, by people.Actor, in *tokenInput) (*empty, error) {
		return &empty{}, a.Accounts.RevokeToken(ctx, by, id.Token(in.ID))
	})
}

func (a *api) showMe(ctx context.Context, by people.Actor, _ *struct{}) (*meOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	me := Me{Permissions: []string{}}
	if by.Scopes != nil {
		me.Scopes = refs(by.Scopes)
	}
	if u, ok := o.Users[by.User]; ok {
		v := userView(u, by)
		me.User = &v
	}
	for _, p := range people.Permissions {
		if by.May(p) {
			me.Permissions = append(me.Permissions, string(p))
		}
	}
	return &meOutput{Body: me}, nil
}

func tokenView(o *org.Org, t account.Token) TokenView {
	v := TokenView{ID: t.ID, Name: t.Name, User: personOf(o, t.User), CreatedAt: t.CreatedAt, SeenAt: instant(t.SeenAt)}
	if t.Scopes != nil {
		v.Scopes = refs(t.Scopes)
	}
	return v
}

func (a *api) listTokens(ctx context.Context, by people.Actor, in *Paging) (*listOutput[TokenView], error) {
	all, err := a.Accounts.Tokens(ctx, by)
	if err != nil {
		return nil, err
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	// Ids sort by the time they were made.
	slices.SortFunc(all, func(x, y account.Token) int { return cmp.Compare(x.ID, y.ID) })
	items, next, err := pagedAfter(all, *in, tokenCursor, func(t account.Token) string { return string(t.ID) })
	if err != nil {
		return nil, err
	}
	out := &listOutput[TokenView]{Body: List[TokenView]{Items: []TokenView{}, NextCursor: next}}
	for _, t := range items {
		out.Body.Items = append(out.Body.Items, tokenView(o, t))
	}
	return out, nil
}

func (a *api) createToken(ctx context.Context, by people.Actor, in *createInput[TokenBody]) (*newTokenOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	user, err := userRef(o, "user", in.Body.User)
	if err != nil {
		return nil, err
	}
	var scopes []people.Permission
	for _, s := range in.Body.Scopes {
		scopes = append(scopes, people.Permission(s))
	}
	secret, t, err := a.Accounts.CreateToken(ctx, by, cmp.Or(user, by.User), in.Body.Name, scopes)
	if err != nil {
		return nil, err
	}
	return &newTokenOutput{Body: NewToken{TokenView: tokenView(o, t), Secret: secret}}, nil
}
