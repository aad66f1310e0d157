package api

import (
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Person is somebody, as far as a list needs to know.
type Person struct {
	ID       id.User `json:"id"`
	Username string  `json:"username,omitempty"`
	Name     string  `json:"name"`
}

func personOf(o *org.Org, u id.User) Person {
	return Person{ID: u, Username: o.Users[u].Username, Name: o.UserName(u)}
}

func personsOf(o *org.Org, users []id.User) []Person {
	out := make([]Person, len(users))
	for i, u := range users {
		out[i] = personOf(o, u)
	}
	return out
}

// Actor is who did something, and from where.
type Actor struct {
	User   id.User `json:"user,omitempty" doc:"Absent when it was no person."`
	Name   string  `json:"name,omitempty"`
	Origin string  `json:"origin" enum:"browser,api,mail,command,page,chat,bot,robot,monitoring,system"`
}

func actorOf(a timeline.Actor) Actor {
	return Actor{User: a.User, Name: a.Name, Origin: string(a.Origin)}
}

// actorIf is nothing when it has not happened.
func actorIf(at time.Time, a timeline.Actor) *Actor {
	if at.IsZero() {
		return nil
	}
	view := actorOf(a)
	return &view
}

// instant is the time, or nothing.
func instant(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}
