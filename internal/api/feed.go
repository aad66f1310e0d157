package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// FeedView is a calendar to subscribe to, without its secret address.
type FeedView struct {
	ID       id.Feed     `json:"id"`
	Person   *Person     `json:"person,omitempty" doc:"Whose duties; or"`
	Rotation id.Rotation `json:"rotation,omitempty" doc:"which rotation."`
	Owner    Person      `json:"owner" doc:"Who made it."`
	At       time.Time   `json:"at" doc:"When it was made."`
}

// FeedBody is a new calendar to subscribe to.
type FeedBody struct {
	User     string `json:"user,omitempty" maxLength:"254" doc:"Whose duties: id, username or e-mail address. Oneself when this and rotation are absent."`
	Rotation string `json:"rotation,omitempty" maxLength:"254" example:"primary" doc:"Or all of a rotation: its id or slug."`
}

// NewFeed is a calendar with its address.
type NewFeed struct {
	FeedView
	URL string `json:"url" doc:"What calendar programs subscribe to. Shown this once; whoever knows it can read the calendar."`
}

type newFeedOutput struct{ Body NewFeed }

func (a *api) registerFeeds() {
	handle(a, "list-feeds", a.listFeeds)
	handle(a, "create-feed", a.createFeed)
	handle(a, "revoke-feed", func(ctx context.Context, by people.Actor, in *refInput) (*empty, error) {
		return &empty{}, a.Dispatch.RevokeFeed(ctx, by, id.Feed(in.ID))
	})
}

func feedView(o *org.Org, f org.Feed) FeedView {
	return FeedView{ID: f.ID, Person: somebody(o, f.User), Rotation: f.Rotation, Owner: personOf(o, f.Owner), At: f.At.UTC()}
}

func (a *api) listFeeds(ctx context.Context, by people.Actor, in *Paging) (*listOutput[FeedView], error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(values(o.Feeds), func(f org.Feed) bool {
		return f.Owner != by.User && f.User != by.User && !by.May(people.Manage)
	})
	slices.SortFunc(found, func(x, y org.Feed) int { return cmp.Compare(x.ID, y.ID) })
	return listed(o, found, *in, cursorOf(org.FeedKind), func(f org.Feed) string { return string(f.ID) }, feedView)
}

func (a *api) createFeed(ctx context.Context, by people.Actor, in *createInput[FeedBody]) (*newFeedOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	f := org.Feed{Owner: by.User}
	switch b := in.Body; {
	case b.User != "" && b.Rotation != "":
		return nil, fault.Invalid("user", phrase.T("api.either", "user", "rotation"))
	case b.Rotation != "":
		f.Rotation, err = rotationRef(o, "rotation", b.Rotation)
	case b.User != "":
		f.User, err = userRef(o, "user", b.User)
	default:
		f.User = by.User
	}
	if err != nil {
		return nil, err
	}
	key, f, err := a.Dispatch.NewFeed(ctx, by, f)
	if err != nil {
		return nil, err
	}
	return &newFeedOutput{Body: NewFeed{FeedView: feedView(o, f), URL: a.address("calendar", org.FeedFile(key))}}, nil
}
