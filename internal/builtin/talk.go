package builtin

import (
	"context"
	"strings"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/timeline"
)

func talk() []Command {
	return []Command{
		{
			Declaration: command.Declaration{
				ID: "help", Words: []string{"help"}, Risk: command.Reads, Public: true, Private: true,
				Args: []command.Arg{arg("topic", command.Rest, false)}, Examples: []string{"help", "help incident", "help snooze"},
			},
			run: help,
		},
		{
			Declaration: command.Declaration{ID: "whoami", Words: []string{"whoami"}, Risk: command.Reads, Private: true, Examples: []string{"whoami"}},
			run:         whoami,
		},
		{
			Declaration: command.Declaration{
				ID: "policy.explain", Words: []string{"policy", "explain"}, Risk: command.Reads, Private: true,
				Args: []command.Arg{arg("line", command.Rest, true)}, Examples: []string{"policy explain deploy run shop --env prod"},
			},
			run: func(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
				text, err := d.Explain(ctx, r, r.Args["line"])
				return program.Result{Text: text, Private: true}, err
			},
		},
	}
}

// help shows what the asker may run, and nothing else.
func help(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	allowed, err := d.Allowed(ctx, r)
	if err != nil {
		return program.Result{}, err
	}
	topic := strings.TrimSpace(r.Args["topic"])
	for _, decl := range allowed {
		names := append([]string{strings.Join(decl.Words, " ")}, decl.Aliases...)
		for _, n := range names {
			if topic != "" && strings.EqualFold(n, topic) {
				return program.Result{Text: command.Help(decl), Private: true}, nil
			}
		}
	}
	text := command.List(allowed, topic)
	if topic != "" && len(command.Search(allowed, topic)) == 0 {
		text = phrase.T("builtin.help.nothing", topic)
	}
	if topic == "" && len(command.Groups(allowed)) > 0 {
		return program.Result{Text: command.Brief(allowed), Doc: overview(allowed), Private: true}, nil
	}
	return program.Result{Text: text, Private: true}, nil
}

// overview is every command with a line about it, by what it is about.
func overview(allowed []command.Declaration) *timeline.Document {
	doc := &timeline.Document{}
	for _, g := range command.Groups(allowed) {
		list := make([]string, len(g.Commands))
		for i, d := range g.Commands {
			list[i] = "`" + command.Usage(d) + "`: " + d.Summary
		}
		doc.Blocks = append(doc.Blocks, timeline.Block{Text: "**" + g.Title() + "**"}, timeline.Block{List: list})
	}
	doc.Blocks = append(doc.Blocks, timeline.Block{Text: phrase.T("command.list.more")})
	return doc
}

func whoami(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	o, err := d.org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	u, ok := o.Users[r.Actor.User]
	if !ok {
		return said(phrase.T("builtin.whoami.nobody", r.Actor.Name)), nil
	}
	var teams []string
	for _, t := range o.Teams {
		for _, m := range t.Members {
			if m == u.ID {
				teams = append(teams, t.Name)
			}
		}
	}
	text := phrase.T("builtin.whoami.text", u.Name, u.Username, string(u.Role), u.Zone)
	if len(teams) > 0 {
		text += " " + phrase.T("builtin.whoami.teams", strings.Join(sorted(teams), ", "))
	}
	if on := dutiesOf(o, u.ID, r.Now); len(on) > 0 {
		text += " " + phrase.T("builtin.whoami.oncall", strings.Join(on, ", "))
	}
	if !u.Reachable() {
		text += " " + phrase.T("builtin.whoami.unreachable")
	}
	return program.Result{Text: text, Private: true}, nil
}
