package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) homeRoutes() []Route {
	return []Route{
		{"GET /{$}", people.Read, s.home},
		{"GET /people", people.Read, s.peopleFragment},
	}
}

// home is the three panes as one screen, around the organisation's timeline.
func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	main, _ := o.Room(room.Main)
	return s.drawRoom(w, r, o, main, nil)
}

// peopleFragment is the left pane alone.
func (s *Server) peopleFragment(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	actor := actorOf(r)
	return draw(w, r, http.StatusOK, view.PeopleBody(s.people(o, s.Now()).as(actor.User), s.viewer(o, actor)))
}

// peopleOptions are those who can be chosen: everybody who is active.
func peopleOptions(o *org.Org, chosen string) []view.Option {
	var all []view.Option
	for _, u := range activePeople(o) {
		all = append(all, view.Option{Value: string(u.ID), Label: u.Name, Selected: string(u.ID) == chosen})
	}
	return all
}

func activePeople(o *org.Org) []people.User {
	return slices.DeleteFunc(org.Sorted(o.Users, func(u people.User) string { return u.Name }), func(u people.User) bool { return u.Disabled || u.Robot })
}

func teamsToChoose(o *org.Org, chosen string) []view.Option {
	var all []view.Option
	for _, t := range org.Sorted(o.Teams, func(t people.Team) string { return t.Name }) {
		all = append(all, view.Option{Value: string(t.ID), Label: t.Name, Selected: string(t.ID) == chosen})
	}
	return all
}

// responders is whom an incident can be handed to.
func responders(o *org.Org) view.Responders {
	out := view.Responders{People: peopleOptions(o, "")}
	for _, p := range org.Sorted(o.Policies, func(p escalation.Policy) string { return strings.ToLower(p.Name) }) {
		out.Policies = append(out.Policies, view.Option{Value: string(p.ID), Label: p.Name})
	}
	return out
}
