// Package builtin is the first set of commands: who is on call, acting on
// incidents, paging, maintenance, reminders, jobs and locks. Each is a
// declaration and a program over the use cases of dispatch and of the desk;
// what somebody may do was decided before, and the use cases look at their role
// once more. Nothing here writes by itself.
package builtin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Deps is what the commands need.
type Deps struct {
	Store     *store.Store
	Dispatch  *dispatch.Dispatcher
	Desk      Desk
	PublicURL string
	// Allowed lists the commands that the one who asks may run where they ask.
	Allowed func(ctx context.Context, r program.Request) ([]command.Declaration, error)
	// Explain says what would become of a line: how it is understood and which
	// rule decides it.
	Explain func(ctx context.Context, r program.Request, line string) (string, error)
}

// Desk is what can be done to commands that were given.
type Desk interface {
	Job(ctx context.Context, r program.Request, ref string) (text string, doc *timeline.Document, err error)
	Jobs(ctx context.Context, r program.Request) (text string, doc *timeline.Document, err error)
	Pending(ctx context.Context, r program.Request) (text string, doc *timeline.Document, err error)
	Cancel(ctx context.Context, r program.Request, ref string) (text string, err error)
	Again(ctx context.Context, r program.Request, ref string) (text string, err error)
	Approve(ctx context.Context, r program.Request, short string) (text string, err error)
	Deny(ctx context.Context, r program.Request, short, reason string) (text string, err error)
	Lock(ctx context.Context, r program.Request, name, reason string, until time.Time) error
	Unlock(ctx context.Context, r program.Request, name string) error
	Locks(ctx context.Context, r program.Request) (text string, doc *timeline.Document, err error)
	// Later gives a line as the asker at an instant, in the room where it was asked.
	Later(ctx context.Context, r program.Request, at time.Time, line string) (job string, err error)
	// Repeat gives a line at all times that five fields of cron name, in the asker's zone.
	Repeat(ctx context.Context, r program.Request, cron, line string) (job string, err error)
}

// Command is one of the set.
type Command struct {
	Declaration command.Declaration
	run         func(context.Context, *Deps, program.Request, program.Reporter) (program.Result, error)
	deps        *Deps
}

// Run implements program.Program. A refusal of a use case is an answer and not
// an error: we know that nothing was changed.
func (c Command) Run(ctx context.Context, r program.Request, out program.Reporter) (program.Result, error) {
	res, err := c.run(ctx, c.deps, r, out)
	if err == nil {
		if res.Outcome == "" {
			res.Outcome = program.Succeeded
		}
		return res, nil
	}
	var f *fault.Error
	if errors.As(err, &f) && f.Code != fault.CodeInternal {
		return refuse(fault.MessageOf(err)), nil
	}
	return program.Result{}, err
}

// Commands is the set. What d holds is read when a command runs, so that the desk
// may be made later.
func Commands(d *Deps) []Command {
	var all []Command
	for _, some := range [][]Command{talk(), duty(), incidents(), upkeep(), jobs()} {
		for _, c := range some {
			c.deps = d
			c.Declaration.Summary = phrase.T("builtin." + c.Declaration.ID)
			all = append(all, c)
		}
	}
	return all
}

// refuse is the answer when nothing was done, and why.
func refuse(why string) program.Result { return program.Result{Outcome: program.Refused, Why: why} }

func said(text string) program.Result { return program.Result{Text: text} }

func shown(text string, doc *timeline.Document) program.Result {
	return program.Result{Text: text, Doc: doc}
}

func (d *Deps) org(ctx context.Context) (*org.Org, error) { return d.Store.Org(ctx) }

// table is a document with one table, and the same in words.
func table(intro string, head []string, rows [][]string) program.Result {
	var text strings.Builder
	text.WriteString(intro)
	for _, row := range rows {
		text.WriteString("\n- " + strings.Join(nonEmpty(row), " · "))
	}
	doc := &timeline.Document{Blocks: []timeline.Block{{Text: intro}, {Table: &timeline.Table{Head: head, Rows: rows}}}}
	return shown(text.String(), doc)
}

func nonEmpty(cells []string) []string {
	var all []string
	for _, c := range cells {
		if c != "" {
			all = append(all, c)
		}
	}
	return all
}

// when writes an instant as the asker's clock shows it, with the day when it is
// another one, and with the zone: others read it who have another clock.
func when(r program.Request, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	zone := r.Zone
	if zone == nil {
		zone = time.UTC
	}
	at, now := at.In(zone), r.Now.In(zone)
	if at.Year() == now.Year() && at.YearDay() == now.YearDay() {
		return at.Format("15:04 MST")
	}
	if d := at.Sub(now); d > 0 && d < 6*24*time.Hour {
		return at.Format("Mon 15:04 MST")
	}
	return at.Format("2 Jan 2006 15:04 MST")
}

func number(n id.Incident) string { return fmt.Sprintf("#%d", n) }

// arg is a positional argument, opt one that is given by name.
func arg(name string, t command.Type, required bool) command.Arg {
	a := command.Arg{Name: name, Type: t, Required: required, Summary: phrase.T("builtin.arg." + name)}
	if key := "builtin.shown." + name; phrase.Has(key) {
		a.Shown = phrase.T(key)
	}
	return a
}

func opt(name string, t command.Type) command.Arg {
	a := arg(name, t, false)
	a.Option, a.Shown = true, ""
	return a
}

func many(a command.Arg) command.Arg { a.Many = true; return a }
