package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// foundOfEach is how many of each sort a search shows.
const foundOfEach = 10

// Found is what a search found, the newest or the first by name of each sort.
type Found struct {
	Incidents []IncidentView `json:"incidents" nullable:"false"`
	Entries   []Entry        `json:"entries" nullable:"false" doc:"Of the timeline."`
	Objects   []FoundObject  `json:"objects" nullable:"false" doc:"People, teams, rotations, policies, routing keys and integrations."`
}

// FoundObject is a part of the organisation.
type FoundObject struct {
	Kind string `json:"kind" enum:"user,team,rotation,policy,routing_key,integration"`
	ID   string `json:"id"`
	Name string `json:"name"`
	Path string `json:"path" doc:"Its address in this API."`
}

type (
	searchInput struct {
		Query string `query:"q" required:"true" minLength:"1" maxLength:"200" doc:"Words, or their beginnings; all must be there."`
	}
	searchOutput struct{ Body Found }
)

func (a *api) registerSearch() { handle(a, "search", a.search) }

func (a *api) search(ctx context.Context, by people.Actor, in *searchInput) (*searchOutput, error) {
	f := Found{Incidents: []IncidentView{}, Entries: []Entry{}, Objects: []FoundObject{}}
	words := store.Words(in.Query)
	if len(words) == 0 {
		return &searchOutput{Body: f}, nil
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	incidents, err := a.Store.Incidents(ctx, store.IncidentFilter{Words: words, Limit: foundOfEach})
	if err != nil {
		return nil, fmt.Errorf("search incidents: %w", err)
	}
	for _, inc := range incidents {
		f.Incidents = append(f.Incidents, a.incidentView(o, inc))
	}
	entries, err := a.Store.Entries(ctx, store.EntryFilter{Rooms: a.readable(ctx, o, by.User), Words: words, Limit: foundOfEach})
	if err != nil {
		return nil, fmt.Errorf("search timeline: %w", err)
	}
	for _, e := range entries {
		f.Entries = append(f.Entries, entryView(o, e))
	}
	f.Objects = objects(o, words)
	return &searchOutput{Body: f}, nil
}

// readable lists every room that somebody may read.
func (a *api) readable(ctx context.Context, o *org.Org, u id.User) []id.Room {
	rooms := []id.Room{}
	for _, r := range o.ReadableRooms(u) {
		rooms = append(rooms, r.ID)
	}
	direct, err := a.directRooms(ctx, o, u)
	if err != nil {
		a.Log.ErrorContext(ctx, "list direct rooms", "err", err)
	}
	for _, r := range direct {
		rooms = append(rooms, r.ID)
	}
	return rooms
}

// objects finds parts of the organisation by what they are called.
func objects(o *org.Org, words []string) []FoundObject {
	found := []FoundObject{}
	look := func(kind org.Kind, path, objectID, name string, also ...string) {
		if matches(words, store.Words(name+" "+strings.Join(also, " "))) {
			found = append(found, FoundObject{Kind: string(kind), ID: objectID, Name: name, Path: prefix + "/" + path + "/" + objectID})
		}
	}
	for _, u := range o.Users {
		look(org.UserKind, "users", string(u.ID), u.Name, u.Username, u.Email)
	}
	for _, t := range o.Teams {
		look(org.TeamKind, "teams", string(t.ID), t.Name, t.Slug)
	}
	for _, r := range o.Rotations {
		look(org.RotationKind, "rotations", string(r.ID), r.Name)
	}
	for _, p := range o.Policies {
		look(org.PolicyKind, "policies", string(p.ID), p.Name, p.Slug)
	}
	for _, k := range o.Keys {
		look(org.KeyKind, "routing-keys", string(k.ID), k.Name, k.Note)
	}
	for _, i := range o.Integrations {
		look(org.IntegrationKind, "integrations", string(i.ID), i.Name)
	}
	return firstByName(found)
}

// matches reports whether every word begins one of those in text.
func matches(words, text []string) bool {
	for _, w := range words {
		ok := false
		for _, t := range text {
			ok = ok || strings.HasPrefix(t, w)
		}
		if !ok {
			return false
		}
	}
	return true
}

func firstByName(found []FoundObject) []FoundObject {
	slices.SortFunc(found, func(a, b FoundObject) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Kind+a.ID, b.Kind+b.ID))
	})
	return found[:min(len(found), foundOfEach)]
}
