package api

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/story"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Entry is one line of the timeline.
type Entry struct {
	Seq      id.Seq      `json:"seq" doc:"Its number: dense, in the order in which things were committed, from 1."`
	At       time.Time   `json:"at"`
	Kind     kindName    `json:"kind" doc:"What happened; decides what is in payload."`
	Actor    Actor       `json:"actor"`
	Room     id.Room     `json:"room,omitempty" doc:"Where it stands; absent for the organisation's timeline."`
	Thread   id.Seq      `json:"thread,omitempty" doc:"The message it answers; absent for none."`
	Incident id.Incident `json:"incident,omitempty" doc:"Absent when it belongs to none."`
	Team     id.Team     `json:"team,omitempty"`
	Person   id.User     `json:"person,omitempty" doc:"Whom it is about: who acted, or who was paged."`
	Sentence string      `json:"sentence" doc:"The whole in plain English; times are UTC."`
	Payload  payload     `json:"payload" doc:"The details; which, follows from kind."`
}

func entryView(o *org.Org, e timeline.Entry) Entry {
	return Entry{
		Seq: e.Seq, At: e.At, Kind: kindName(e.Kind), Actor: actorOf(e.Actor), Incident: e.Incident, Team: e.Team, Person: e.Person, Room: e.Room, Thread: e.Thread,
		Sentence: story.Sentence(e, namesOf(o)), Payload: payload{shown(o, e.Payload)},
	}
}

// shown is a payload without what is not for everybody who reads it: what the
// token may that a message came by, and the room of a linked message, which may
// name the two who talk in it.
func shown(o *org.Org, p timeline.Payload) timeline.Payload {
	switch p := p.(type) {
	case timeline.Message:
		p.Scopes, p.ProvenAt = nil, time.Time{}
		return p
	case timeline.Link:
		if r, ok := o.Room(p.Room); !ok || r.Kind != room.Public {
			p.Room = ""
		}
		return p
	}
	return p
}

// namesOf says who people are today; whoever is gone is called as the entry has it.
func namesOf(o *org.Org) story.Names {
	return story.Names{
		User: func(u id.User) string { return o.Users[u].Name },
		Team: func(t id.Team) string { return o.Teams[t].Name },
	}
}

// kindName is a timeline.Kind with its closed set in the schema.
type kindName string

// Schema implements huma.SchemaProvider.
func (kindName) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, k := range timeline.Kinds {
		s.Enum = append(s.Enum, string(k))
	}
	s.PrecomputeMessages()
	return s
}

// payload is a timeline.Payload with the schemas of all kinds.
type payload struct{ timeline.Payload }

// MarshalJSON writes the payload itself.
func (p payload) MarshalJSON() ([]byte, error) { return json.Marshal(p.Payload) }

// Schema implements huma.SchemaProvider. It is anyOf and not oneOf: some kinds
// have the same members, and kind, beside the payload, tells them apart.
func (payload) Schema(r huma.Registry) *huma.Schema {
	s := &huma.Schema{}
	for _, k := range timeline.Kinds {
		p, err := timeline.Decode(k, []byte("{}"))
		if err != nil {
			continue // every kind decodes; a test of timeline says so
		}
		ref := r.Schema(reflect.TypeOf(p), true, "")
		r.SchemaFromRef(ref.Ref).Description = phrase.T("api.payload", k)
		s.AnyOf = append(s.AnyOf, ref)
	}
	return s
}
