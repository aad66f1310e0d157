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

// AbsenceView is a time in which a person is away.
type AbsenceView struct {
	ID     id.Absence `json:"id"`
	Person Person     `json:"person"`
	Start  time.Time  `json:"start"`
	End    time.Time  `json:"end"`
	Note   string     `json:"note,omitempty"`
	By     *Person    `json:"by,omitempty" doc:"Who wrote it down."`
}

// AbsenceBody is a time in which a person will be away.
type AbsenceBody struct {
	User  string    `json:"user,omitempty" maxLength:"254" doc:"Who: id, username or e-mail address. Oneself when absent."`
	Start time.Time `json:"start" example:"2036-01-07T00:00:00Z"`
	End   time.Time `json:"end" example:"2036-01-21T00:00:00Z"`
	Note  string    `json:"note,omitempty" maxLength:"1000" doc:"Shown to everybody."`
}

type (
	listAbsencesInput struct {
		Paging
		User string    `query:"user" maxLength:"254" doc:"Only those of this person: id, username or e-mail address."`
		From time.Time `query:"from" doc:"Only those that end later; absent: from now on."`
		To   time.Time `query:"to" doc:"Only those that begin earlier."`
	}
	madeAbsenceOutput struct{ Body AbsenceView }
)

func (a *api) registerAbsences() {
	handle(a, "list-absences", a.listAbsences)
	handle(a, "create-absence", a.createAbsence)
	handle(a, "delete-absence", func(ctx context.Context, by people.Actor, in *refInput) (*empty, error) {
		return &empty{}, a.Dispatch.RemoveAbsence(ctx, by, id.Absence(in.ID))
	})
}

func absenceView(o *org.Org, b oncall.Absence) AbsenceView {
	return AbsenceView{ID: b.ID, Person: personOf(o, b.User), Start: b.Start.UTC(), End: b.End.UTC(), Note: b.Note, By: somebody(o, b.By)}
}

func absenceKey(b oncall.Absence) string { return sortable(b.Start) + string(b.ID) }

func sortedAbsences(o *org.Org) []oncall.Absence {
	all := values(o.Absences)
	slices.SortFunc(all, func(x, y oncall.Absence) int { return cmp.Compare(absenceKey(x), absenceKey(y)) })
	return all
}

func (a *api) listAbsences(ctx context.Context, _ people.Actor, in *listAbsencesInput) (*listOutput[AbsenceView], error) {
	o, err := a.Store.Org(ctx)
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
	found := slices.DeleteFunc(sortedAbsences(o), func(b oncall.Absence) bool {
		return user != "" && b.User != user || !b.End.After(from) || !in.To.IsZero() && !b.Start.Before(in.To)
	})
	return listed(o, found, in.Paging, cursorOf(org.AbsenceKind), absenceKey, absenceView)
}

func (a *api) createAbsence(ctx context.Context, by people.Actor, in *createInput[AbsenceBody]) (*madeAbsenceOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	b := oncall.Absence{User: by.User, Start: in.Body.Start.UTC(), End: in.Body.End.UTC(), Note: in.Body.Note}
	if in.Body.User != "" {
		if b.User, err = userRef(o, "user", in.Body.User); err != nil {
			return nil, err
		}
	}
	if b, err = a.Dispatch.AddAbsence(ctx, by, b); err != nil {
		return nil, err
	}
	return &madeAbsenceOutput{Body: absenceView(o, b)}, nil
}
