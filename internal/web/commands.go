package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/watchroom/watchroom/internal/bot"
	commands "github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/permit"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

// maxTried is how many people are asked about for one line.
const maxTried = 200

func (s *Server) commandRoutes() []Route {
	if s.Desk == nil {
		return nil
	}
	return []Route{
		{"GET /commands", people.Read, s.showCommands},
		{"GET /jobs", people.Read, s.showJobs},
		{"GET /jobs/{job}", people.Read, s.showJob},
		{"POST /jobs/{job}/{act}", people.Talk, s.actOnJob},
		{"POST /locks/release", people.Respond, s.releaseLock},
	}
}

func (s *Server) showCommands(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("commands_web.title"))
	if err != nil {
		return err
	}
	secrets := s.SecretsOf
	if !actorOf(r).May(people.Manage) { // where a secret stands is for those who set it
		secrets = nil
	}
	l := view.CommandList{Page: page, Groups: commandGroups(s.Declared(), secrets)}
	by := actorOf(r)
	as, in := by, room.Main
	if u, ok := o.Users[id.User(text(r, "as"))]; ok && by.May(people.Manage) && !u.Disabled {
		as = acting(u)
	}
	for _, place := range o.ReadableRooms(by.User) {
		chosen := string(place.ID) == text(r, "room")
		if chosen {
			in = place.ID
		}
		l.Rooms = append(l.Rooms, view.Option{Value: string(place.ID), Label: place.Shown(by.User, o.UserName), Selected: chosen})
	}
	l.People = tryAs(o, by, as)
	if by.May(people.Manage) && s.Services != nil {
		l.Services = serviceRows(s.Services())
	}
	if by.May(people.Manage) && s.Unusable != nil {
		for _, p := range s.Unusable() {
			l.Unusable = append(l.Unusable, view.FieldValue{Name: p.From, Value: p.Why})
		}
	}
	if l.Trial.Line = text(r, "line"); l.Trial.Line != "" {
		if l.Trial, err = s.tryLine(r.Context(), o, by, as, in, l.Trial.Line); err != nil {
			return err
		}
	}
	return draw(w, r, http.StatusOK, view.CommandsPage(l))
}

// acting is somebody typing in a room.
func acting(u people.User) people.Actor {
	return people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Origin: timeline.Chat}
}

// tryAs are those whose rights somebody may look at: their own, and who manages
// those of all.
func tryAs(o *org.Org, by, as people.Actor) []view.Option {
	if !by.May(people.Manage) {
		return nil
	}
	var all []view.Option
	for _, u := range org.Sorted(o.Users, func(u people.User) string { return u.Name }) {
		if !u.Disabled {
			all = append(all, view.Option{Value: string(u.ID), Label: u.Name, Selected: u.ID == as.User})
		}
	}
	return all
}

func serviceRows(all []bot.Service) []view.ServiceRow {
	var rows []view.ServiceRow
	for _, s := range all {
		row := view.ServiceRow{Prefix: s.Prefix, URL: s.URL, ReadAt: s.ReadAt, NextAt: s.NextAt, ETag: s.ETag, Err: s.Err, Methods: len(s.Methods)}
		for _, r := range s.Rejected {
			row.Rejected = append(row.Rejected, view.FieldValue{Name: r.Method, Value: r.Why})
		}
		rows = append(rows, row)
	}
	return rows
}

// SecretState is a secret that a command needs, and what is wrong with it, ""
// when it is there.
type SecretState struct{ Name, Problem string }

func commandGroups(all []commands.Declaration, secrets func(string) []SecretState) []view.CommandGroup {
	var groups []view.CommandGroup
	for _, d := range all {
		if d.Hidden {
			continue
		}
		title := cmp.Or(d.Origin, phrase.T("commands_web.group.own"))
		i := slices.IndexFunc(groups, func(g view.CommandGroup) bool { return g.Title == title })
		if i < 0 {
			i, groups = len(groups), append(groups, view.CommandGroup{Title: title})
		}
		row := view.CommandRow{
			Name: d.Name(), Usage: commands.Usage(d), Summary: d.Summary, Risk: string(d.Risk), Needs: d.Needs(), Confirm: d.Confirm,
		}
		if secrets != nil {
			for _, x := range secrets(d.ID) {
				row.Secrets = append(row.Secrets, view.FieldValue{Name: x.Name, Value: x.Problem})
			}
		}
		if n := d.Approval.Count; n > 0 {
			row.Approval = phrase.N("commands_web.approval", n)
			if d.Approval.Group != "" {
				row.Approval = phrase.T("commands_web.approval_of", row.Approval, d.Approval.Group)
			}
		}
		if len(d.Examples) > 0 {
			row.Example = d.Examples[0]
		}
		groups[i].Rows = append(groups[i].Rows, row)
	}
	return groups
}

// tryLine is what a line would be, and who may run it. It is understood as whoever
// looks understands it: what others can see is not shown to them.
func (s *Server) tryLine(ctx context.Context, o *org.Org, by, as people.Actor, in id.Room, line string) (view.Trial, error) {
	v := view.Trial{Line: line, Asked: true, As: as.Name}
	by.Origin = timeline.Chat
	own, err := s.Try(ctx, by, in, line)
	if err != nil || own.Broken != "" {
		v.Broken = own.Broken
		return v, err
	}
	v.Means = own.Line
	for _, g := range own.Given {
		v.Given = append(v.Given, view.FieldValue{Name: g.Name, Value: g.Value})
	}
	t := own
	if as.User != by.User {
		if t, err = s.Try(ctx, as, in, line); err != nil {
			return v, err
		}
	}
	d := t.Explanation.Decision
	v.Allow, v.Rule, v.Answer = d.Allowed, d.Rule, answerOf(as.Name, t)
	for _, l := range t.Explanation.Looked {
		v.Rules = append(v.Rules, view.TrialRule{Rule: l.Rule.String(), Why: l.Why, Counts: l.Counts})
	}
	v.Who, v.More, err = s.whoMay(ctx, o, in, line)
	return v, err
}

func answerOf(name string, t bot.Trial) string {
	d := t.Explanation.Decision
	switch {
	case t.Broken != "":
		return phrase.T("commands_web.try.refused", name, "")
	case d.StepUp:
		return phrase.T("commands_web.try.step_up", name)
	case !d.Allowed:
		return phrase.T("commands_web.try.refused", name, d.Why)
	case d.Approval.Count > 0:
		return phrase.N("commands_web.try.approval", d.Approval.Count, name)
	case d.Confirm:
		return phrase.T("commands_web.try.confirm", name)
	}
	return phrase.T("commands_web.try.allowed", name)
}

// whoMay are the people who may run a line in a room; more is how many were not
// asked about.
func (s *Server) whoMay(ctx context.Context, o *org.Org, in id.Room, line string) (may []view.TrialPerson, more int, err error) {
	asked := 0
	for _, u := range org.Sorted(o.Users, func(u people.User) string { return u.Name }) {
		if u.Disabled || u.Robot || !o.CanRead(u.ID, in) {
			continue
		}
		if asked++; asked > maxTried {
			more++
			continue
		}
		t, err := s.Try(ctx, acting(u), in, line)
		if err != nil {
			return nil, 0, err
		}
		if d := t.Explanation.Decision; t.Broken == "" && (d.Allowed || d.StepUp) {
			may = append(may, view.TrialPerson{Name: u.Name, How: how(d)})
		}
	}
	return may, more, nil
}

func how(d permit.Decision) string {
	switch {
	case d.StepUp:
		return phrase.T("commands_web.how.step_up")
	case d.Approval.Count > 0:
		return phrase.T("commands_web.how.approval")
	case d.Confirm:
		return phrase.T("commands_web.how.confirm")
	}
	return ""
}
