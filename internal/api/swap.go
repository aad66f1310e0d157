package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// SwapView is a request that a colleague takes over a duty.
type SwapView struct {
	ID       id.Swap       `json:"id"`
	Rotation id.Rotation   `json:"rotation"`
	From     Person        `json:"from" doc:"Who asks, and whose duty it is."`
	To       Person        `json:"to" doc:"Who is asked."`
	Start    time.Time     `json:"start"`
	End      time.Time     `json:"end"`
	Return   *Interval     `json:"return,omitempty" doc:"The time that the asker takes over in return."`
	Note     string        `json:"note,omitempty"`
	State    string        `json:"state" enum:"asked,accepted,declined,withdrawn"`
	At       time.Time     `json:"at" doc:"When it was asked."`
	Made     []id.Override `json:"made,omitempty" nullable:"false" doc:"The overrides it became."`
}

// SwapBody asks a colleague to take over one's duty.
type SwapBody struct {
	Rotation string    `json:"rotation" minLength:"1" maxLength:"254" example:"primary" doc:"Id or slug."`
	To       string    `json:"to" minLength:"1" maxLength:"254" example:"max" doc:"Who is asked: id, username or e-mail address."`
	From     string    `json:"from,omitempty" maxLength:"254" doc:"Whose duty it is; oneself when absent."`
	Start    time.Time `json:"start" example:"2036-01-07T09:00:00Z"`
	End      time.Time `json:"end" example:"2036-01-08T09:00:00Z"`
	Return   *Interval `json:"return,omitempty" doc:"The time that one takes over in return."`
	Note     string    `json:"note,omitempty" maxLength:"1000"`
}

type (
	listSwapsInput struct {
		Paging
		State []string `query:"state" enum:"asked,accepted,declined,withdrawn" doc:"Only those in one of these states, separated by commas."`
		User  string   `query:"user" maxLength:"254" doc:"Only those from or to this person: id, username or e-mail address."`
	}
	swapOutput     struct{ Body SwapView }
	madeSwapOutput struct {
		Location string `header:"Location" doc:"Its address."`
		Body     SwapView
	}
)

func (a *api) registerSwaps() {
	handle(a, "list-swaps", a.listSwaps)
	handle(a, "show-swap", func(ctx context.Context, _ people.Actor, in *refInput) (*swapOutput, error) {
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		s, ok := o.Swaps[id.Swap(in.ID)]
		if !ok {
			return nil, noSuch(org.SwapKind, in.ID)
		}
		return &swapOutput{Body: swapView(o, s)}, nil
	})
	handle(a, "ask-swap", a.askSwap)
	handle(a, "accept-swap", a.answerSwap(true))
	handle(a, "decline-swap", a.answerSwap(false))
	handle(a, "withdraw-swap", func(ctx context.Context, by people.Actor, in *refInput) (*empty, error) {
		return &empty{}, a.Dispatch.WithdrawSwap(ctx, by, id.Swap(in.ID))
	})
}

func swapView(o *org.Org, s oncall.Swap) SwapView {
	v := SwapView{
		ID: s.ID, Rotation: s.Rotation, From: personOf(o, s.From), To: personOf(o, s.To), Start: s.Start.UTC(), End: s.End.UTC(),
		Note: s.Note, State: string(s.State), At: s.At.UTC(), Made: s.Made,
	}
	if s.Return != nil {
		v.Return = &Interval{From: s.Return.Start.UTC(), To: s.Return.End.UTC()}
	}
	return v
}

func (a *api) listSwaps(ctx context.Context, _ people.Actor, in *listSwapsInput) (*listOutput[SwapView], error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	user, err := userRef(o, "user", in.User)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(values(o.Swaps), func(s oncall.Swap) bool {
		return len(in.State) > 0 && !slices.Contains(in.State, string(s.State)) || user != "" && s.From != user && s.To != user
	})
	key := func(s oncall.Swap) string { return sortable(s.Start) + string(s.ID) }
	slices.SortFunc(found, func(x, y oncall.Swap) int { return cmp.Compare(key(x), key(y)) })
	return listed(o, found, in.Paging, cursorOf(org.SwapKind), key, swapView)
}

func (a *api) askSwap(ctx context.Context, by people.Actor, in *createInput[SwapBody]) (*madeSwapOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	b := in.Body
	s := oncall.Swap{From: by.User, Start: b.Start.UTC(), End: b.End.UTC(), Note: b.Note, State: oncall.SwapAsked}
	if b.Return != nil {
		s.Return = &oncall.SwapReturn{Start: b.Return.From.UTC(), End: b.Return.To.UTC()}
	}
	if s.Rotation, err = rotationRef(o, "rotation", b.Rotation); err != nil {
		return nil, err
	}
	if s.To, err = userRef(o, "to", b.To); err != nil {
		return nil, err
	}
	if b.From != "" {
		if s.From, err = userRef(o, "from", b.From); err != nil {
			return nil, err
		}
	}
	if s, err = a.Dispatch.AskSwap(ctx, by, s); err != nil {
		return nil, err
	}
	return &madeSwapOutput{Location: prefix + "/swaps/" + string(s.ID), Body: swapView(o, s)}, nil
}

func (a *api) answerSwap(accept bool) func(context.Context, people.Actor, *refInput) (*swapOutput, error) {
	return func(ctx context.Context, by people.Actor, in *refInput) (*swapOutput, error) {
		s, err := a.Dispatch.AnswerSwap(ctx, by, id.Swap(in.ID), accept)
		if err != nil {
			return nil, err
		}
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		return &swapOutput{Body: swapView(o, s)}, nil
	}
}
