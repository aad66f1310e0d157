package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// MaintenanceView is a time in which some alerts page nobody.
type MaintenanceView struct {
	ID          maintenance.ID `json:"id"`
	Name        string         `json:"name"`
	Scope       string         `json:"scope" doc:"What it is for, in words."`
	RoutingKeys []string       `json:"routing_keys,omitempty" nullable:"false"`
	Entities    []string       `json:"entities,omitempty" nullable:"false"`
	Teams       []id.Team      `json:"teams,omitempty" nullable:"false"`
	Start       time.Time      `json:"start"`
	End         time.Time      `json:"end"`
	Ended       *time.Time     `json:"ended,omitempty" doc:"When somebody ended it early."`
	State       string         `json:"state" enum:"planned,active,over"`
	By          *Person        `json:"by,omitempty" doc:"Who made it."`
	Note        string         `json:"note,omitempty"`
}

// MaintenanceBody is a new window. An alert is covered when each list that is
// given has a match.
type MaintenanceBody struct {
	Name        string     `json:"name" minLength:"1" maxLength:"200" example:"Disks of the shop"`
	RoutingKeys []string   `json:"routing_keys,omitempty" maxItems:"100" doc:"Patterns of routing keys; absent for every."`
	Entities    []string   `json:"entities" minItems:"1" maxItems:"100" nullable:"false" example:"disk/*" doc:"Patterns of entity ids: * is any characters, ? exactly one; * alone is everything."`
	Teams       []string   `json:"teams,omitempty" maxItems:"100" doc:"Teams: ids or slugs; absent for every."`
	Start       *time.Time `json:"start,omitempty" doc:"Absent for now."`
	End         *time.Time `json:"end,omitempty" doc:"When it ends by itself, at most 31 days later."`
	For         string     `json:"for,omitempty" maxLength:"20" default:"1h" example:"2h" doc:"How long, a duration such as 90m or 2h; not looked at when end is given."`
	Note        string     `json:"note,omitempty" maxLength:"2000"`
}

type (
	listMaintenanceInput struct {
		Paging
		State []string `query:"state" enum:"planned,active,over" doc:"Only those in one of these states, separated by commas; planned and active when absent."`
	}
	maintenanceOutput     struct{ Body MaintenanceView }
	madeMaintenanceOutput struct {
		Location string `header:"Location" doc:"Its address."`
		Body     MaintenanceView
	}
)

func (a *api) registerMaintenance() {
	handle(a, "list-maintenance", a.listMaintenance)
	handle(a, "show-maintenance", func(ctx context.Context, _ people.Actor, in *refInput) (*maintenanceOutput, error) {
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		w, ok := o.Maintenance[maintenance.ID(in.ID)]
		if !ok {
			return nil, noSuch(org.MaintenanceKind, in.ID)
		}
		return &maintenanceOutput{Body: a.maintenanceView(o, w)}, nil
	})
	handle(a, "start-maintenance", a.startMaintenance)
	handle(a, "end-maintenance", func(ctx context.Context, by people.Actor, in *refInput) (*empty, error) {
		return &empty{}, a.Dispatch.EndMaintenance(ctx, by, maintenance.ID(in.ID))
	})
}

func (a *api) maintenanceView(o *org.Org, w maintenance.Window) MaintenanceView {
	return MaintenanceView{
		ID: w.ID, Name: w.Name, Scope: w.Scope(func(t id.Team) string { return o.Teams[t].Name }), RoutingKeys: w.RoutingKeys, Entities: w.Entities,
		Teams: w.Teams, Start: w.Start.UTC(), End: w.End.UTC(), Ended: instant(w.Ended), State: a.stateOf(w), By: somebody(o, w.By), Note: w.Note,
	}
}

func (a *api) stateOf(w maintenance.Window) string {
	now := a.now()
	switch {
	case !now.Before(w.Over()):
		return "over"
	case w.ActiveAt(now):
		return "active"
	}
	return "planned"
}

func (a *api) listMaintenance(ctx context.Context, _ people.Actor, in *listMaintenanceInput) (*listOutput[MaintenanceView], error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(values(o.Maintenance), func(w maintenance.Window) bool {
		state := a.stateOf(w)
		return len(in.State) == 0 && state == "over" || len(in.State) > 0 && !slices.Contains(in.State, state)
	})
	key := func(w maintenance.Window) string { return sortable(w.Start) + string(w.ID) }
	slices.SortFunc(found, func(x, y maintenance.Window) int { return cmp.Compare(key(x), key(y)) })
	return listed(o, found, in.Paging, cursorOf(org.MaintenanceKind), key, a.maintenanceView)
}

func (a *api) startMaintenance(ctx context.Context, by people.Actor, in *createInput[MaintenanceBody]) (*madeMaintenanceOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	b := in.Body
	w := maintenance.Window{Name: b.Name, RoutingKeys: b.RoutingKeys, Entities: b.Entities, Start: a.now(), By: by.User, Note: b.Note}
	if b.Start != nil {
		w.Start = b.Start.UTC()
	}
	if b.End != nil {
		w.End = b.End.UTC()
	} else {
		d, err := time.ParseDuration(b.For)
		if err != nil || d <= 0 {
			return nil, fault.Invalid("for", phrase.T("api.bad_duration", b.For))
		}
		w.End = w.Start.Add(d)
	}
	for i, ref := range b.Teams {
		t, ok := findTeam(o, ref)
		if err := missing(ok, fmt.Sprintf("teams[%d]", i), org.TeamKind, ref); err != nil {
			return nil, err
		}
		w.Teams = append(w.Teams, t.ID)
	}
	if w, err = a.Dispatch.StartMaintenance(ctx, by, w); err != nil {
		return nil, err
	}
	return &madeMaintenanceOutput{Location: prefix + "/maintenance/" + string(w.ID), Body: a.maintenanceView(o, w)}, nil
}
