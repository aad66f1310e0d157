package api

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// OverrideView is a time in which somebody is on duty in place of the rota's person.
type OverrideView struct {
	ID       id.Override `json:"id"`
	Rotation id.Rotation `json:"rotation"`
	Kind     string      `json:"kind" enum:"planned,take" doc:"Arranged ahead, or taken at once."`
	Person   Person      `json:"person" doc:"Who is on duty."`
	For      *Person     `json:"for,omitempty" doc:"Whose duty is taken; absent for everybody's, and for gaps."`
	Layer    *int        `json:"layer,omitempty" doc:"From 0; absent for all."`
	Start    time.Time   `json:"start"`
	End      *time.Time  `json:"end,omitempty" doc:"Absent until it is handed back."`
	By       *Person     `json:"by,omitempty" doc:"Who made it."`
	Note     string      `json:"note,omitempty"`
}

// OverrideBody is a new override.
type OverrideBody struct {
	Rotation string     `json:"rotation" minLength:"1" maxLength:"254" example:"primary" doc:"Id or slug."`
	User     string     `json:"user,omitempty" maxLength:"254" doc:"Who is on duty: id, username or e-mail address. Oneself when absent."`
	For      string     `json:"for,omitempty" maxLength:"254" example:"max" doc:"Whose duty is taken. Absent: everybody's, and gaps are filled."`
	Layer    *int       `json:"layer,omitempty" minimum:"0" doc:"From 0; absent for all."`
	Start    time.Time  `json:"start" example:"2036-01-07T09:00:00Z"`
	End      *time.Time `json:"end,omitempty" example:"2036-01-08T09:00:00Z" doc:"Absent: until somebody ends it."`
	Note     string     `json:"note,omitempty" maxLength:"1000"`
}

// TakeBody is somebody taking the duty of a colleague.
type TakeBody struct {
	Rotation string     `json:"rotation" minLength:"1" maxLength:"254" example:"primary" doc:"Id or slug."`
	From     string     `json:"from,omitempty" maxLength:"254" doc:"Whose duty: id, username or e-mail address. Whoever is on duty when absent."`
	Layer    *int       `json:"layer,omitempty" minimum:"0" doc:"From 0; absent for all in which they are on duty."`
	Until    *time.Time `json:"until,omitempty" doc:"Absent: to the end of their shift, or until it is handed back when that has no end."`
	For      string     `json:"for,omitempty" maxLength:"20" doc:"Instead of until: a duration such as 90m or 2h."`
	Note     string     `json:"note,omitempty" maxLength:"1000"`
}

// HandBackBody says what is handed back.
type HandBackBody struct {
	Override string `json:"override,omitempty" maxLength:"100" doc:"The override that taking the duty made."`
	Rotation string `json:"rotation,omitempty" maxLength:"254" example:"primary" doc:"Or everything that one has taken in this rotation, or that was taken from oneself: id or slug."`
}

type (
	overrideOutput     struct{ Body OverrideView }
	madeOverrideOutput struct {
		Location string `header:"Location" doc:"Its address."`
		Body     OverrideView
	}
	overridesOutput    struct{ Body HandedBack }
	listOverridesInput struct {
		Paging
		Rotation string    `query:"rotation" maxLength:"254" doc:"Only those of this rotation: its id or slug."`
		User     string    `query:"user" maxLength:"254" doc:"Only those by which this person gains or loses duty: id, username or e-mail address."`
		From     time.Time `query:"from" doc:"Only those that end later; absent: from now on."`
		To       time.Time `query:"to" doc:"Only those that begin earlier."`
	}
)

// HandedBack is what was ended.
type HandedBack struct {
	Overrides []OverrideView `json:"overrides" nullable:"false" doc:"As they are now, ended."`
}

func (a *api) registerOverrides() {
	handle(a, "list-overrides", a.listOverrides)
	handle(a, "show-override", func(ctx context.Context, _ people.Actor, in *refInput) (*overrideOutput, error) {
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		v, ok := findOverride(o, in.ID)
		if !ok {
			return nil, noSuch(org.OverrideKind, in.ID)
		}
		return &overrideOutput{Body: overrideView(o, v)}, nil
	})
	handle(a, "create-override", a.createOverride)
	handle(a, "delete-override", func(ctx context.Context, by people.Actor, in *refInput) (*empty, error) {
		return &empty{}, a.Dispatch.RemoveOverride(ctx, by, id.Override(in.ID))
	})
	handle(a, "take-oncall", a.takeOnCall)
	handle(a, "hand-back-oncall", a.handBack)
}

func overrideView(o *org.Org, v oncall.Override) OverrideView {
	return OverrideView{
		ID: v.ID, Rotation: v.Rotation, Kind: string(v.Kind), Person: personOf(o, v.User), For: somebody(o, v.For), Layer: v.Layer,
		Start: v.Start.UTC(), End: instant(v.End), By: somebody(o, v.By), Note: v.Note,
	}
}

// sortable is an instant as text that sorts as time does.
func sortable(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000000") }

func overrideKey(v oncall.Override) string { return sortable(v.Start) + string(v.ID) }

func sortedOverrides(o *org.Org) []oncall.Override {
	all := values(o.Overrides)
	slices.SortFunc(all, func(x, y oncall.Override) int { return cmp.Compare(overrideKey(x), overrideKey(y)) })
	return all
}

func (a *api) listOverrides(ctx context.Context, _ people.Actor, in *listOverridesInput) (*listOutput[OverrideView], error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	rotation, err := rotationRef(o, "rotation", in.Rotation)
	if err != nil {
		return nil, err
	}
	user, err := userRef(o, "user", in.User)
	if err != nil {
		return nil, err
	}
	from := in.From
	if from.IsZero() {
		from = a.now()
	}
	found := slices.DeleteFunc(sortedOverrides(o), func(v oncall.Override) bool {
		return rotation != "" && v.Rotation != rotation || user != "" && v.User != user && v.For != user ||
			!v.End.IsZero() && !v.End.After(from) || !in.To.IsZero() && !v.Start.Before(in.To)
	})
	return listed(o, found, in.Paging, cursorOf(org.OverrideKind), overrideKey, overrideView)
}

// listed is one page of a list in memory, which is in the order of its keys.
func listed[T, V any](o *org.Org, found []T, p Paging, c cursorOf, key func(T) string, view func(*org.Org, T) V) (*listOutput[V], error) {
	items, next, err := pagedAfter(found, p, c, key)
	if err != nil {
		return nil, err
	}
	out := &listOutput[V]{Body: List[V]{Items: []V{}, NextCursor: next}}
	for _, x := range items {
		out.Body.Items = append(out.Body.Items, view(o, x))
	}
	return out, nil
}

func (a *api) createOverride(ctx context.Context, by people.Actor, in *createInput[OverrideBody]) (*madeOverrideOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	b := in.Body
	v := oncall.Override{User: by.User, Layer: b.Layer, Start: b.Start.UTC(), Kind: oncall.Planned, Note: b.Note}
	if b.End != nil {
		v.End = b.End.UTC()
	}
	if v.Rotation, err = rotationRef(o, "rotation", b.Rotation); err != nil {
		return nil, err
	}
	if b.User != "" {
		if v.User, err = userRef(o, "user", b.User); err != nil {
			return nil, err
		}
	}
	if v.For, err = userRef(o, "for", b.For); err != nil {
		return nil, err
	}
	if err := checkLayer(o.Rotations[v.Rotation], b.Layer); err != nil {
		return nil, err
	}
	return a.madeOverride(ctx)(a.Dispatch.AddOverride(ctx, by, v))
}

func checkLayer(r oncall.Rotation, layer *int) error {
	if layer != nil && *layer >= len(r.Layers) {
		return fault.Invalid("layer", phrase.T("api.no_such_layer", r.Name, *layer))
	}
	return nil
}

func (a *api) madeOverride(ctx context.Context) func(oncall.Override, error) (*madeOverrideOutput, error) {
	return func(v oncall.Override, err error) (*madeOverrideOutput, error) {
		if err != nil {
			return nil, err
		}
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		return &madeOverrideOutput{Location: prefix + "/overrides/" + string(v.ID), Body: overrideView(o, v)}, nil
	}
}

func (a *api) takeOnCall(ctx context.Context, by people.Actor, in *createInput[TakeBody]) (*madeOverrideOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	b := in.Body
	t := dispatch.Take{Layer: b.Layer, Note: b.Note}
	if t.Rotation, err = rotationRef(o, "rotation", b.Rotation); err != nil {
		return nil, err
	}
	if t.From, err = userRef(o, "from", b.From); err != nil {
		return nil, err
	}
	if err := checkLayer(o.Rotations[t.Rotation], b.Layer); err != nil {
		return nil, err
	}
	switch {
	case b.Until != nil && b.For != "":
		return nil, fault.Invalid("until", phrase.T("api.either", "until", "for"))
	case b.Until != nil:
		t.Until = b.Until.UTC()
	case b.For != "":
		d, err := time.ParseDuration(b.For)
		if err != nil || d <= 0 {
			return nil, fault.Invalid("for", phrase.T("api.bad_duration", b.For))
		}
		t.Until = a.now().Add(d)
	}
	return a.madeOverride(ctx)(a.Dispatch.TakeOnCall(ctx, by, t))
}

// handBack ends what was taken. One that somebody else has ended meanwhile is
// ended, which is what was asked for.
func (a *api) handBack(ctx context.Context, by people.Actor, in *createInput[HandBackBody]) (*overridesOutput, error) {
	if (in.Body.Override == "") == (in.Body.Rotation == "") {
		return nil, fault.Invalid("override", phrase.T("api.either", "override", "rotation"))
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	var ending []id.Override
	if in.Body.Override != "" {
		v, ok := findOverride(o, in.Body.Override)
		if !ok {
			return nil, noSuch(org.OverrideKind, in.Body.Override)
		}
		ending = append(ending, v.ID)
	} else {
		rotation, err := rotationRef(o, "rotation", in.Body.Rotation)
		if err != nil {
			return nil, err
		}
		now := a.now()
		for _, v := range sortedOverrides(o) {
			if v.Rotation == rotation && v.Kind == oncall.Taken && (v.User == by.User || v.For == by.User) && touches(v.Start, v.End, now, now.Add(1)) {
				ending = append(ending, v.ID)
			}
		}
		if len(ending) == 0 {
			return nil, fault.Conflict(phrase.T("api.nothing_taken", o.Rotations[rotation].Name))
		}
	}
	for _, v := range ending {
		if err := a.Dispatch.HandBack(ctx, by, v); err != nil {
			return nil, err
		}
	}
	if o, err = a.Store.Org(ctx); err != nil {
		return nil, err
	}
	out := &overridesOutput{Body: HandedBack{Overrides: []OverrideView{}}}
	for _, n := range ending {
		if v, ok := o.Overrides[n]; ok {
			out.Body.Overrides = append(out.Body.Overrides, overrideView(o, v))
		}
	}
	return out, nil
}
