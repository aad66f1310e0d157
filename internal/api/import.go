package api

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/ical"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// ImportBody is a calendar that others keep.
type ImportBody struct {
	Calendar string `json:"calendar" minLength:"1" maxLength:"1000000" example:"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nEND:VCALENDAR\r\n" doc:"iCalendar (RFC 5545), as text."`
	Layer    *int   `json:"layer,omitempty" minimum:"0" doc:"Only over this layer, from 0; absent: over whoever is on duty."`
	DryRun   bool   `json:"dry_run,omitempty" doc:"Only say what would be done."`
}

// Imported is what an import did, or would do.
type Imported struct {
	Made      []OverrideView `json:"made" nullable:"false" doc:"In the order of time; without ids in a dry run."`
	Same      []Occurrence   `json:"same" nullable:"false" doc:"Shifts that the rota has like this already."`
	Unmatched []Occurrence   `json:"unmatched" nullable:"false" doc:"Shifts of nobody we know, of somebody who cannot be on duty, or of several people."`
}

// Occurrence is one shift in the calendar.
type Occurrence struct {
	Summary string    `json:"summary"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
}

type (
	importInput struct {
		ID   string `path:"id" maxLength:"254" doc:"Its id or slug."`
		Body ImportBody
	}
	importOutput struct{ Body Imported }
)

func (a *api) importCalendar(ctx context.Context, by people.Actor, in *importInput) (*importOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	r, ok := findRotation(o, in.ID)
	if !ok {
		return nil, noSuch(org.RotationKind, in.ID)
	}
	if err := checkLayer(r, in.Body.Layer); err != nil {
		return nil, err
	}
	done, err := a.Dispatch.ImportCalendar(ctx, by, dispatch.Import{
		Rotation: r.ID, Layer: in.Body.Layer, Calendar: []byte(in.Body.Calendar), DryRun: in.Body.DryRun,
	})
	if err != nil {
		return nil, err
	}
	out := Imported{Made: []OverrideView{}, Same: occurrences(done.Same), Unmatched: occurrences(done.Unmatched)}
	for _, v := range done.Made {
		out.Made = append(out.Made, overrideView(o, v))
	}
	return &importOutput{Body: out}, nil
}

func occurrences(all []ical.Occurrence) []Occurrence {
	views := []Occurrence{}
	for _, s := range all {
		views = append(views, Occurrence{Summary: s.Summary, Start: s.Start, End: s.End})
	}
	return views
}
