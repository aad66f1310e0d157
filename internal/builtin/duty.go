package builtin

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/program"
)

func duty() []Command {
	return []Command{
		{
			Declaration: command.Declaration{
				ID: "oncall", Words: []string{"oncall"}, Aliases: []string{"whoisoncall"}, Risk: command.Reads, Public: true,
				Args: []command.Arg{arg("of", command.Rest, false)}, Examples: []string{"oncall", "oncall database"},
			},
			run: whoIsOnCall,
		},
		{
			Declaration: command.Declaration{
				ID: "take", Words: []string{"take"}, Risk: command.Changes, Right: people.Respond,
				Args:     []command.Arg{arg("rotation", command.Rotation, false), opt("from", command.User), opt("for", command.Duration), opt("until", command.Time)},
				Examples: []string{"take", "take primary", "take primary --for 2h", "take primary --from @kim"},
			},
			run: take,
		},
		{
			Declaration: command.Declaration{
				ID: "handback", Words: []string{"handback"}, Risk: command.Changes, Right: people.Respond,
				Args: []command.Arg{arg("rotation", command.Rotation, false)}, Examples: []string{"handback", "handback primary"},
			},
			run: handBack,
		},
	}
}

func sorted(list []string) []string {
	slices.SortFunc(list, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return list
}

func rotations(o *org.Org) []oncall.Rotation {
	return org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name })
}

func dutiesOf(o *org.Org, u id.User, now time.Time) []string {
	var all []string
	for _, r := range rotations(o) {
		if slices.ContainsFunc(o.OnCall(r.ID, now), func(s oncall.Shift) bool { return s.User == u }) {
			all = append(all, r.Name)
		}
	}
	return all
}

// whoIsOnCall tells of all rotations, or of those of a team, a rotation or a
// routing key.
func whoIsOnCall(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	o, err := d.org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	of := strings.TrimLeft(strings.TrimSpace(r.Args["of"]), "@#")
	wanted, called, ok := about(o, of)
	if !ok {
		return refuse(phrase.T("builtin.oncall.unknown", of)), nil
	}
	var rows [][]string
	for _, rot := range wanted {
		now := o.OnCall(rot.ID, r.Now)
		at, users := o.TakeOver(rot.ID, r.Now)
		var names []string
		for _, u := range users {
			names = append(names, o.UserName(u))
		}
		next := ""
		if len(names) > 0 {
			next = phrase.T("builtin.oncall.next", strings.Join(names, ", "), when(r, at))
		}
		if len(now) == 0 {
			rows = append(rows, []string{rot.Name, phrase.T("builtin.oncall.nobody"), "", next})
		}
		for _, s := range now {
			if s.User == "" {
				continue
			}
			until := ""
			if !at.IsZero() && !s.End.IsZero() {
				end := s.End
				if end.Before(at) { // the next shift is theirs as well
					end = at
				}
				until = phrase.T("builtin.oncall.until", when(r, end))
			}
			name := o.UserName(s.User)
			if s.Instead != "" && s.Instead != s.User {
				name = phrase.T("builtin.oncall.instead", name, o.UserName(s.Instead))
			}
			rows = append(rows, []string{rot.Name, name, until, next})
		}
	}
	if len(rows) == 0 {
		return said(phrase.T("builtin.oncall.none")), nil
	}
	intro := phrase.T("builtin.oncall.intro")
	if called != "" {
		intro = phrase.T("builtin.oncall.intro_of", called)
	}
	head := []string{phrase.T("builtin.head.rotation"), phrase.T("builtin.head.oncall"), phrase.T("builtin.head.until"), phrase.T("builtin.head.next")}
	return table(intro, head, rows), nil
}

// about finds the rotations that something means: a team, a rotation or a
// routing key by its name.
func about(o *org.Org, of string) (found []oncall.Rotation, called string, ok bool) {
	if of == "" {
		return rotations(o), "", true
	}
	slug := id.Slug(of)
	for _, rot := range rotations(o) {
		if t := o.Teams[rot.Team]; t.Slug == slug || strings.EqualFold(t.Name, of) {
			found, called = append(found, rot), t.Name
		}
	}
	if len(found) > 0 {
		return found, called, true
	}
	if rot, ok := o.RotationBySlug(slug); ok {
		return []oncall.Rotation{rot}, rot.Name, true
	}
	if k, ok := o.KeyByName(of); ok {
		for _, step := range o.Policies[k.Policy].Steps {
			for _, t := range step.Targets {
				if rot, ok := o.Rotations[t.Rotation]; ok && !slices.ContainsFunc(found, func(r oncall.Rotation) bool { return r.ID == rot.ID }) {
					found = append(found, rot)
				}
			}
		}
		return found, k.Name, true
	}
	return nil, "", false
}

func take(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	o, err := d.org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	t := dispatch.Take{Rotation: id.Rotation(r.Args["rotation"]), From: id.User(r.Args["from"]), Note: r.Reason}
	if t.Rotation == "" {
		only, err := onlyRotation(o)
		if err != nil {
			return program.Result{}, err
		}
		t.Rotation = only
	}
	switch {
	case r.Args["until"] != "":
		if t.Until, err = time.Parse(time.RFC3339, r.Args["until"]); err != nil {
			return program.Result{}, fault.Invalid("until", err.Error())
		}
	case r.Args["for"] != "":
		length, err := time.ParseDuration(r.Args["for"])
		if err != nil {
			return program.Result{}, fault.Invalid("for", err.Error())
		}
		t.Until = r.Now.Add(length)
	}
	if r.DryRun {
		return said(phrase.T("builtin.take.dry", o.Rotations[t.Rotation].Name)), nil
	}
	v, err := d.Dispatch.TakeOnCall(ctx, r.Actor, t)
	if err != nil {
		return program.Result{}, err
	}
	text := phrase.T("builtin.take.done", o.Rotations[v.Rotation].Name)
	if v.For != "" {
		text = phrase.T("builtin.take.done_from", o.Rotations[v.Rotation].Name, o.UserName(v.For))
	}
	if !v.End.IsZero() {
		text += " " + phrase.T("builtin.take.until", when(r, v.End))
	}
	return said(text), nil
}

func onlyRotation(o *org.Org) (id.Rotation, error) {
	all := rotations(o)
	if len(all) == 1 {
		return all[0].ID, nil
	}
	var names []string
	for _, rot := range all {
		names = append(names, id.Slug(rot.Name))
	}
	if len(names) == 0 {
		return "", fault.Conflict(phrase.T("builtin.oncall.none"))
	}
	return "", fault.Invalid("rotation", phrase.T("builtin.which_rotation", strings.Join(names, ", ")))
}

func handBack(ctx context.Context, d *Deps, r program.Request, _ program.Reporter) (program.Result, error) {
	o, err := d.org(ctx)
	if err != nil {
		return program.Result{}, err
	}
	only := id.Rotation(r.Args["rotation"])
	var done, failed []string
	for _, v := range org.Sorted(o.Overrides, func(v oncall.Override) string { return string(v.ID) }) {
		running := !v.Start.After(r.Now) && (v.End.IsZero() || v.End.After(r.Now))
		if v.Kind != oncall.Taken || !running || v.User != r.Actor.User && v.For != r.Actor.User || only != "" && v.Rotation != only {
			continue
		}
		name := o.Rotations[v.Rotation].Name
		if !r.DryRun {
			err := d.Dispatch.HandBack(ctx, r.Actor, v.ID)
			switch {
			case err == nil:
			case fault.CodeOf(err) != fault.CodeInternal: // the others are given back all the same
				failed = append(failed, name+": "+fault.MessageOf(err))
				continue
			case len(done) == 0:
				return program.Result{}, err
			default: // what was given back is said
				failed = append(failed, phrase.T("builtin.handback.broken", name))
				return handedBack(done, failed), nil
			}
		}
		done = append(done, name)
	}
	return handedBack(done, failed), nil
}

// handedBack says which rotations were given back, and why others were not.
func handedBack(done, failed []string) program.Result {
	switch {
	case len(done) > 0:
		lines := append([]string{phrase.T("builtin.handback.done", strings.Join(slices.Compact(done), ", "))}, failed...)
		return said(strings.Join(lines, "\n"))
	case len(failed) > 0:
		return refuse(strings.Join(failed, "\n"))
	}
	return refuse(phrase.T("builtin.handback.nothing"))
}
