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

// DrillView is a real page to everybody in a team, marked as a drill.
type DrillView struct {
	ID      id.Drill   `json:"id"`
	Team    id.Team    `json:"team"`
	At      time.Time  `json:"at" doc:"When it starts."`
	Until   time.Time  `json:"until" doc:"When it ends by itself."`
	Note    string     `json:"note,omitempty"`
	By      *Person    `json:"by,omitempty" doc:"Who planned it."`
	Started *time.Time `json:"started,omitempty"`
	Ended   *time.Time `json:"ended,omitempty"`
}

// DrillBody is a new drill.
type DrillBody struct {
	Team string     `json:"team" minLength:"1" maxLength:"100" example:"ops" doc:"Who is paged: id or slug."`
	At   *time.Time `json:"at,omitempty" doc:"When it starts; absent for now."`
	For  string     `json:"for,omitempty" maxLength:"20" default:"30m" example:"30m" doc:"How long answers are waited for: a duration such as 30m, a day at most."`
	Note string     `json:"note,omitempty" maxLength:"1000"`
}

// DrillResults is a drill and how long everybody took.
type DrillResults struct {
	DrillView
	Pages []DrillPage `json:"pages" nullable:"false" doc:"By person, in the order in which they were paged."`
}

// DrillPage is what became of one page of a drill.
type DrillPage struct {
	Person   Person     `json:"person"`
	Method   string     `json:"method"`
	Shown    string     `json:"shown" doc:"The contact method."`
	State    string     `json:"state"`
	Detail   string     `json:"detail,omitempty"`
	SentAt   *time.Time `json:"sent_at,omitempty" doc:"Absent when it has not left."`
	Arrived  *int64     `json:"arrived_after_seconds,omitempty" doc:"Since the drill began; absent when nobody has told that it arrived."`
	Answered *int64     `json:"answered_after_seconds,omitempty" doc:"Since the drill began; absent when nobody has answered."`
}

type (
	drillOutput     struct{ Body DrillResults }
	madeDrillOutput struct {
		Location string `header:"Location" doc:"Its address."`
		Body     DrillView
	}
)

func (a *api) registerDrills() {
	handle(a, "list-drills", func(ctx context.Context, _ people.Actor, in *Paging) (*listOutput[DrillView], error) {
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		found := values(o.Drills)
		key := func(d org.Drill) string { return sortable(d.At) + string(d.ID) }
		slices.SortFunc(found, func(x, y org.Drill) int { return cmp.Compare(key(x), key(y)) })
		return listed(o, found, *in, cursorOf(org.DrillKind), key, drillView)
	})
	handle(a, "plan-drill", a.planDrill)
	handle(a, "show-drill", a.showDrill)
	handle(a, "end-drill", func(ctx context.Context, by people.Actor, in *refInput) (*empty, error) {
		return &empty{}, a.Dispatch.EndDrill(ctx, by, id.Drill(in.ID))
	})
}

func drillView(o *org.Org, d org.Drill) DrillView {
	return DrillView{
		ID: d.ID, Team: d.Team, At: d.At.UTC(), Until: d.Until.UTC(), Note: d.Note, By: somebody(o, d.By), Started: instant(d.Started), Ended: instant(d.Ended),
	}
}

func (a *api) planDrill(ctx context.Context, by people.Actor, in *createInput[DrillBody]) (*madeDrillOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	length, err := time.ParseDuration(in.Body.For)
	if err != nil || length <= 0 {
		return nil, fault.Invalid("for", phrase.T("api.bad_duration", in.Body.For))
	}
	d := org.Drill{At: a.now(), Note: in.Body.Note, By: by.User}
	if in.Body.At != nil {
		d.At = in.Body.At.UTC()
	}
	d.Until = d.At.Add(length)
	if d.Team, err = teamRef(o, "team", in.Body.Team); err != nil {
		return nil, err
	}
	if d, err = a.Dispatch.PlanDrill(ctx, by, d); err != nil {
		return nil, err
	}
	return &madeDrillOutput{Location: prefix + "/drills/" + string(d.ID), Body: drillView(o, d)}, nil
}

func (a *api) showDrill(ctx context.Context, _ people.Actor, in *refInput) (*drillOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	d, ok := o.Drills[id.Drill(in.ID)]
	if !ok {
		return nil, noSuch(org.DrillKind, in.ID)
	}
	results, err := a.Dispatch.DrillResults(ctx, d)
	if err != nil {
		return nil, err
	}
	out := DrillResults{DrillView: drillView(o, d), Pages: []DrillPage{}}
	for _, r := range results {
		out.Pages = append(out.Pages, DrillPage{
			Person: personOf(o, r.User), Method: string(r.Method), Shown: r.Shown, State: string(r.State), Detail: r.Detail,
			SentAt: instant(r.SentAt), Arrived: passed(r.Arrived), Answered: passed(r.Answered),
		})
	}
	return &drillOutput{Body: out}, nil
}

// passed is nothing for what has not happened.
func passed(d time.Duration) *int64 {
	if d < 0 {
		return nil
	}
	n := seconds(d)
	return &n
}
