package builtin

import (
	"context"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/timeline"
)

func jobs() []Command {
	type show = func(Desk, context.Context, program.Request) (string, *timeline.Document, error)
	reading := func(commandID string, words []string, aliases []string, do show) Command {
		return Command{
			Declaration: command.Declaration{ID: commandID, Words: words, Aliases: aliases, Risk: command.Reads, Examples: words[:1]},
			run: func(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
				text, doc, err := do(d.Desk, ctx, r)
				return shown(text, doc), err
			},
		}
	}
	type act = func(Desk, context.Context, program.Request) (string, error)
	acting := func(d command.Declaration, do act) Command {
		d.Risk = command.Changes
		return Command{Declaration: d, run: func(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
			text, err := do(d.Desk, ctx, r)
			return program.Result{Text: text}, err
		}}
	}
	ref, short := arg("job", command.String, true), arg("short", command.String, true)
	return []Command{
		reading("jobs", []string{"jobs"}, nil, func(d Desk, ctx context.Context, r program.Request) (string, *timeline.Document, error) {
			return d.Jobs(ctx, r)
		}),
		reading("pending", []string{"pending"}, nil, func(d Desk, ctx context.Context, r program.Request) (string, *timeline.Document, error) {
			return d.Pending(ctx, r)
		}),
		reading("locks", []string{"locks"}, nil, func(d Desk, ctx context.Context, r program.Request) (string, *timeline.Document, error) {
			return d.Locks(ctx, r)
		}),
		{
			Declaration: command.Declaration{ID: "job", Words: []string{"job"}, Risk: command.Reads, Args: []command.Arg{ref}, Examples: []string{"job 812"}},
			run: func(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
				text, doc, err := d.Desk.Job(ctx, r, r.Args["job"])
				return shown(text, doc), err
			},
		},
		acting(command.Declaration{ID: "cancel", Words: []string{"cancel"}, Args: []command.Arg{ref}, Examples: []string{"cancel 812"}},
			func(d Desk, ctx context.Context, r program.Request) (string, error) {
				return d.Cancel(ctx, r, r.Args["job"])
			}),
		acting(command.Declaration{ID: "again", Words: []string{"again"}, Args: []command.Arg{ref}, Examples: []string{"again 812"}},
			func(d Desk, ctx context.Context, r program.Request) (string, error) {
				return d.Again(ctx, r, r.Args["job"])
			}),
		acting(command.Declaration{ID: "approve", Right: people.Respond, Words: []string{"approve"}, Args: []command.Arg{short}, Examples: []string{"approve 7kq2"}},
			func(d Desk, ctx context.Context, r program.Request) (string, error) {
				return d.Approve(ctx, r, r.Args["short"])
			}),
		acting(command.Declaration{ID: "deny", Words: []string{"deny"}, Args: []command.Arg{short}, Examples: []string{"deny 7kq2 --reason 'not on Friday'"}},
			func(d Desk, ctx context.Context, r program.Request) (string, error) {
				return d.Deny(ctx, r, r.Args["short"], r.Reason)
			}),
		acting(command.Declaration{
			ID: "lock", Right: people.Respond, Words: []string{"lock"}, Args: []command.Arg{arg("name", command.String, true), arg("why", command.Rest, false), opt("for", command.Duration)},
			Examples: []string{"lock deploy/shop/prod database move", "lock deploy/shop --for 2h"},
		}, lock),
		acting(command.Declaration{ID: "unlock", Right: people.Respond, Words: []string{"unlock"}, Args: []command.Arg{arg("name", command.String, true)}, Examples: []string{"unlock deploy/shop/prod"}},
			func(d Desk, ctx context.Context, r program.Request) (string, error) {
				return phrase.T("builtin.done.unlock", r.Args["name"]), d.Unlock(ctx, r, r.Args["name"])
			}),
	}
}

func lock(d Desk, ctx context.Context, r program.Request) (string, error) {
	reason := strings.TrimSpace(r.Args["why"])
	if reason == "" {
		reason = r.Reason
	}
	var until time.Time
	if r.Args["for"] != "" {
		length, err := time.ParseDuration(r.Args["for"])
		if err != nil {
			return "", fault.Invalid("for", err.Error())
		}
		until = r.Now.Add(length)
	}
	return phrase.T("builtin.done.lock", r.Args["name"]), d.Lock(ctx, r, r.Args["name"], reason, until)
}
