package builtin

import (
	"context"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
)

func upkeep() []Command {
	return []Command{
		{
			Declaration: command.Declaration{
				ID: "maintenance.start", Words: []string{"maintenance", "start"}, Risk: command.Changes, Right: people.Manage,
				Args: []command.Arg{
					arg("entity", command.String, true), {Name: "for", Shown: phrase.T("builtin.shown.for"), Type: command.Duration, Default: "1h", Summary: phrase.T("builtin.arg.for")},
					opt("name", command.String), opt("key", command.String),
				},
				Examples: []string{"maintenance start 'disk/*' 2h", "maintenance start '*' 30m --key database --name racks"},
			},
			run: startMaintenance,
		},
		{
			Declaration: command.Declaration{
				ID: "maintenance.end", Words: []string{"maintenance", "end"}, Risk: command.Changes, Right: people.Manage,
				Args: []command.Arg{arg("window", command.Rest, false)}, Examples: []string{"maintenance end", "maintenance end racks"},
			},
			run: endMaintenance,
		},
		{
			Declaration: command.Declaration{
				ID: "remind", Words: []string{"remind"}, Risk: command.Changes,
				Args:     []command.Arg{arg("at", command.Time, true), arg("text", command.Rest, true)},
				Examples: []string{"remind in 20m look at the queue", "remind tomorrow 9:00 renew the certificate"},
			},
			run: remind,
		},
		{
			Declaration: command.Declaration{
				ID: "remind.now", Words: []string{"say-reminder"}, Risk: command.Reads, Permission: "remind", Hidden: true,
				Args: []command.Arg{arg("text", command.Rest, true)},
			},
			run: func(_ context.Context, _ *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
				return said(phrase.T("builtin.remind.now", r.Username, r.Args["text"])), nil
			},
		},
		{
			Declaration: command.Declaration{
				ID: "schedule", Words: []string{"schedule"}, Risk: command.Changes,
				Args:     []command.Arg{arg("cron", command.String, true), arg("line", command.Rest, true)},
				Examples: []string{"schedule '0 9 * * 1' oncall", "schedule '*/30 * * * *' incident list"},
			},
			run: func(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
				if r.DryRun {
					return said(phrase.T("builtin.dry.schedule", r.Args["line"], r.Args["cron"])), nil
				}
				job, err := d.Desk.Repeat(ctx, r, r.Args["cron"], r.Args["line"])
				return said(phrase.T("builtin.done.schedule", r.Args["line"], r.Args["cron"], job)), err
			},
		},
	}
}

func startMaintenance(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	length, err := time.ParseDuration(r.Args["for"])
	if err != nil {
		return program.Result{}, fault.Invalid("for", err.Error())
	}
	w := maintenance.Window{Name: r.Args["name"], Entities: []string{r.Args["entity"]}, Start: r.Now, End: r.Now.Add(length), Note: r.Reason}
	if w.Name == "" {
		w.Name = r.Args["entity"]
	}
	if key := r.Args["key"]; key != "" {
		w.RoutingKeys = []string{key}
	}
	if r.DryRun {
		return said(phrase.T("builtin.dry.maintenance", w.Name, when(r, w.End))), nil
	}
	if w, err = d.Dispatch.StartMaintenance(ctx, r.Actor, w); err != nil {
		return program.Result{}, err
	}
	return said(phrase.T("builtin.done.maintenance", w.Name, when(r, w.End))), nil
}

func endMaintenance(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	if !r.Actor.May(people.Manage) { // before it is told which windows there are
		return program.Result{}, fault.Forbidden(phrase.T("dispatch.forbidden"))
	}
	o, err := d.org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	var running []maintenance.Window
	var names []string
	for _, w := range org.Sorted(o.Maintenance, func(w maintenance.Window) string { return w.Name }) {
		if w.Ended.IsZero() && r.Now.Before(w.Over()) && (r.Args["window"] == "" || strings.EqualFold(w.Name, strings.TrimSpace(r.Args["window"]))) {
			running, names = append(running, w), append(names, w.Name)
		}
	}
	switch {
	case len(running) == 0:
		return program.Result{}, fault.Conflict(phrase.T("builtin.maintenance.none"))
	case len(running) > 1:
		return program.Result{}, fault.Invalid("window", phrase.T("builtin.maintenance.which", strings.Join(names, ", ")))
	case r.DryRun:
		return said(phrase.T("builtin.dry.maintenance_end", names[0])), nil
	}
	return said(phrase.T("builtin.done.maintenance_end", names[0])), d.Dispatch.EndMaintenance(ctx, r.Actor, running[0].ID)
}

func remind(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	at, err := time.Parse(time.RFC3339, r.Args["at"])
	if err != nil {
		return program.Result{}, fault.Invalid("at", err.Error())
	}
	if !at.After(r.Now) {
		return program.Result{}, fault.Invalid("at", phrase.T("builtin.remind.past"))
	}
	if r.DryRun {
		return said(phrase.T("builtin.dry.remind", when(r, at))), nil
	}
	job, err := d.Desk.Later(ctx, r, at, "say-reminder "+r.Args["text"])
	return said(phrase.T("builtin.done.remind", when(r, at), job)), err
}
