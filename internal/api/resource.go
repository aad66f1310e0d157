package api

import (
	"context"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// resource is one kind of object of the organisation. O is the object, V how it
// is shown, B what is sent to make or replace one. All changes go through
// dispatch.ChangeOrg, which sees the organisation as it is inside the
// transaction: what If-Match compares with is what will be replaced.
type resource[O, V, B any] struct {
	kind  org.Kind
	name  string // as in the ids of the operations: "team", "routing-key"
	path  string // below which each has its address
	all   func(*org.Org) []O
	find  func(o *org.Org, ref string) (O, bool)
	label func(O) string // what lists are sorted by
	id    func(O) string
	view  func(ctx context.Context, by people.Actor, o *org.Org, x O) (V, error)
	// build makes the object from what was sent; was is its zero value for a new one.
	build func(o *org.Org, was O, in B) (O, error)
}

type (
	refInput struct {
		ID string `path:"id" maxLength:"254" doc:"Its id, or the name it goes by (username, slug or name)."`
	}
	putInput[B any] struct {
		ID      string `path:"id" maxLength:"254" doc:"Its id, or the name it goes by (username, slug or name)."`
		IfMatch string `header:"If-Match" doc:"The ETag it was read with: when somebody has changed it since, nothing happens and the answer is 412."`
		Body    B
	}
	removeInput struct {
		ID      string `path:"id" maxLength:"254" doc:"Its id, or the name it goes by (username, slug or name)."`
		IfMatch string `header:"If-Match" doc:"The ETag it was read with: when somebody has changed it since, nothing happens and the answer is 412."`
	}
	createInput[B any]  struct{ Body B }
	objectOutput[V any] struct {
		ETag string `header:"ETag" doc:"Names the state it is in; for If-Match."`
		Body V
	}
	createdOutput[V any] struct {
		ETag     string `header:"ETag" doc:"Names the state it is in; for If-Match."`
		Location string `header:"Location" doc:"Its address."`
		Body     V
	}
)

func (r resource[O, V, B]) register(a *api) {
	r.registerButDelete(a)
	handle(a, "delete-"+r.name, r.remove(a))
}

// registerButDelete is for what has a use case of its own to go by.
func (r resource[O, V, B]) registerButDelete(a *api) {
	handle(a, "list-"+strings.TrimPrefix(r.path, prefix+"/"), r.list(a))
	handle(a, "show-"+r.name, r.show(a))
	handle(a, "replace-"+r.name, r.replace(a))
}

func (r resource[O, V, B]) list(a *api) func(context.Context, people.Actor, *Paging) (*listOutput[V], error) {
	key := func(x O) string { return strings.ToLower(r.label(x)) + "\x00" + r.id(x) }
	return func(ctx context.Context, by people.Actor, in *Paging) (*listOutput[V], error) {
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		all := r.all(o)
		slices.SortFunc(all, func(x, y O) int { return strings.Compare(key(x), key(y)) })
		items, next, err := pagedAfter(all, *in, cursorOf(r.kind), key)
		if err != nil {
			return nil, err
		}
		out := &listOutput[V]{Body: List[V]{Items: make([]V, len(items)), NextCursor: next}}
		for i, x := range items {
			if out.Body.Items[i], err = r.view(ctx, by, o, x); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

func (r resource[O, V, B]) show(a *api) func(context.Context, people.Actor, *refInput) (*objectOutput[V], error) {
	return func(ctx context.Context, by people.Actor, in *refInput) (*objectOutput[V], error) {
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		x, ok := r.find(o, in.ID)
		if !ok {
			return nil, noSuch(r.kind, in.ID)
		}
		v, err := r.view(ctx, by, o, x)
		return &objectOutput[V]{ETag: etag(x), Body: v}, err
	}
}

func (r resource[O, V, B]) create(a *api) func(context.Context, people.Actor, *createInput[B]) (*createdOutput[V], error) {
	return func(ctx context.Context, by people.Actor, in *createInput[B]) (*createdOutput[V], error) {
		var made O
		done, err := a.Dispatch.ChangeOrg(ctx, by, func(o *org.Org) (changes []org.Change, err error) {
			var none O
			if made, err = r.build(o, none, in.Body); err != nil {
				return nil, err
			}
			return []org.Change{org.Put(made)}, nil
		})
		if err != nil {
			return nil, err
		}
		made = r.stored(done, made)
		v, err := r.saved(ctx, a.Store, by, made)
		return &createdOutput[V]{ETag: etag(made), Location: r.path + "/" + r.id(made), Body: v}, err
	}
}

func (r resource[O, V, B]) replace(a *api) func(context.Context, people.Actor, *putInput[B]) (*objectOutput[V], error) {
	return func(ctx context.Context, by people.Actor, in *putInput[B]) (*objectOutput[V], error) {
		var made O
		done, err := a.Dispatch.ChangeOrg(ctx, by, func(o *org.Org) ([]org.Change, error) {
			was, ok := r.find(o, in.ID)
			if !ok {
				return nil, noSuch(r.kind, in.ID)
			}
			err := unchanged(in.IfMatch, was)
			if err != nil {
				return nil, err
			}
			if made, err = r.build(o, was, in.Body); err != nil {
				return nil, err
			}
			return []org.Change{org.Put(made)}, nil
		})
		if err != nil {
			return nil, err
		}
		made = r.stored(done, made)
		v, err := r.saved(ctx, a.Store, by, made)
		return &objectOutput[V]{ETag: etag(made), Body: v}, err
	}
}

func (r resource[O, V, B]) remove(a *api) func(context.Context, people.Actor, *removeInput) (*empty, error) {
	return func(ctx context.Context, by people.Actor, in *removeInput) (*empty, error) {
		_, err := a.Dispatch.ChangeOrg(ctx, by, func(o *org.Org) ([]org.Change, error) {
			x, ok := r.find(o, in.ID)
			if !ok {
				return nil, noSuch(r.kind, in.ID)
			}
			if err := unchanged(in.IfMatch, x); err != nil {
				return nil, err
			}
			return []org.Change{org.Remove(r.kind, r.id(x))}, nil
		})
		if fault.Is(err, fault.CodeInvalid) {
			// Nothing in the request is wrong: something else still points there.
			return nil, fault.Conflict(fault.MessageOf(err)).Because(err)
		}
		return &empty{}, err
	}
}

// stored is made as it was saved: that may say more, such as who answers for an
// e-mail address and since when.
func (r resource[O, V, B]) stored(done []org.Applied, made O) O {
	for _, a := range done {
		if a.Kind == r.kind && a.ID == r.id(made) {
			if object, err := org.Decode(a.Kind, a.Body); err == nil {
				if x, ok := object.(O); ok {
					return x
				}
			}
		}
	}
	return made
}

// saved shows what was just saved. The object is taken as it was written, even
// if somebody has changed it since; the ETag says the same.
func (r resource[O, V, B]) saved(ctx context.Context, s *store.Store, by people.Actor, x O) (V, error) {
	o, err := s.Org(ctx)
	if err != nil {
		var none V
		return none, err
	}
	return r.view(ctx, by, o, x)
}

// values returns the values of m in no order.
func values[K comparable, V any](m map[K]V) []V {
	all := make([]V, 0, len(m))
	for _, v := range m {
		all = append(all, v)
	}
	return all
}
