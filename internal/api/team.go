package api

import (
	"context"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// TeamView is a team.
type TeamView struct {
	ID      id.Team  `json:"id"`
	Slug    string   `json:"slug"`
	Name    string   `json:"name"`
	Members []Person `json:"members" nullable:"false"`
}

// TeamBody is all that is said about a team.
type TeamBody struct {
	Slug    string   `json:"slug" pattern:"^[a-z0-9]+(-[a-z0-9]+)*$" patternDescription:"lower-case letters, digits and single dashes" maxLength:"80" example:"web" doc:"Unique."`
	Name    string   `json:"name" minLength:"1" maxLength:"200" example:"Web"`
	Members []string `json:"members,omitempty" maxItems:"1000" doc:"People: id, username or e-mail address."`
}

func (a *api) registerTeams() {
	r := resource[people.Team, TeamView, TeamBody]{
		kind: org.TeamKind, name: "team", path: prefix + "/teams",
		all:  func(o *org.Org) []people.Team { return values(o.Teams) },
		find: findTeam, id: func(t people.Team) string { return string(t.ID) },
		label: func(t people.Team) string { return t.Name },
		view: func(_ context.Context, _ people.Actor, o *org.Org, t people.Team) (TeamView, error) {
			return TeamView{ID: t.ID, Slug: t.Slug, Name: t.Name, Members: personsOf(o, t.Members)}, nil
		},
		build: func(o *org.Org, was people.Team, in TeamBody) (people.Team, error) {
			members, err := userRefs(o, "members", in.Members)
			return people.Team{ID: newID(was.ID), Slug: in.Slug, Name: in.Name, Members: members}, err
		},
	}
	r.register(a)
	handle(a, "create-team", r.create(a))
}
