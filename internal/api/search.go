package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// foundOfEach is how many of each sort a search shows.
const foundOfEach = 10

// Found is what a search found, the newest or the first by name of each sort.
type Found struct {
	Incidents []IncidentView `json:"incidents" nullable:"false"`
	Entries   []Entry        `json:"entries" nullable:"false" doc:"Of the rooms that you may read, oldest first."`
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
		Query  string     `query:"q" maxLength:"200" doc:"Words, or their beginnings; all must be there. May be absent beside another of these."`
		Room   string     `query:"room" maxLength:"100" doc:"Only what stands in this room: its id or name, \"timeline\", or \"@kim\"."`
		Kinds  []kindName `query:"kinds" doc:"Only entries of these kinds, separated by commas."`
		Person string     `query:"person" maxLength:"254" doc:"Only entries about this person: id, username or e-mail address."`
		From   time.Time  `query:"from" doc:"Only entries of this time or later."`
		To     time.Time  `query:"to" doc:"Only entries before this time."`
	}
	searchOutput struct{ Body Found }
)

func (a *api) registerSearch() { handle(a, "search", a.search) }

func (a *api) search(ctx context.Context, by people.Actor, in *searchInput) (*searchOutput, error) {
	f := Found{Incidents: []IncidentView{}, Entries: []Entry{}, Objects: []FoundObject{}}
	words, narrow := store.Words(in.Query), in.narrow()
	if in.Query == "" && !narrow {
		return nil, fault.Invalid("q", phrase.T("api.search_nothing"))
	}
	if len(words) == 0 && !narrow {
		return &searchOutput{Body: f}, nil
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	if narrow { // nothing else has a room, a kind or a time
		f.Entries, err = a.foundEntries(ctx, o, by, in, words)
		return &searchOutput{Body: f}, err
	}
	both, ctx := errgroup.WithContext(ctx) // each walks the index for itself
	both.Go(func() (err error) {
		defer fault.Recover(&err)
		f.Entries, err = a.foundEntries(ctx, o, by, in, words)
		return err
	})
	both.Go(func() (err error) {
		defer fault.Recover(&err)
		f.Incidents, err = a.foundIncidents(ctx, o, words)
		return err
	})
	f.Objects = objects(o, words)
	if err := both.Wait(); err != nil {
		return nil, err
	}
	return &searchOutput{Body: f}, nil
}

func (a *api) foundIncidents(ctx context.Context, o *org.Org, words []string) ([]IncidentView, error) {
	incidents, err := a.Store.Incidents(ctx, store.IncidentFilter{Words: words, Limit: foundOfEach})
	if err != nil {
		return nil, fmt.Errorf("search incidents: %w", err)
	}
	found := []IncidentView{}
	for _, inc := range incidents {
		found = append(found, a.incidentView(o, inc))
	}
	return found, nil
}

// narrow reports whether only entries are looked for.
func (in *searchInput) narrow() bool {
	return in.Room != "" || len(in.Kinds) > 0 || in.Person != "" || !in.From.IsZero() || !in.To.IsZero()
}

func (a *api) foundEntries(ctx context.Context, o *org.Org, by people.Actor, in *searchInput, words []string) ([]Entry, error) {
	f, err := entryFilter(o, in.Kinds, "", in.Person, 0)
	if err != nil {
		return nil, err
	}
	f.Words, f.Limit, f.Rooms = words, foundOfEach, nil
	if in.Room == "" {
		f.Rooms = a.readable(ctx, o, by.User)
	} else {
		r, err := findRoom(o, by.User, in.Room)
		if err != nil {
			return nil, err
		}
		f.Rooms = []id.Room{r.ID}
	}
	if err := a.between(ctx, &f, in.From, in.To, false); err != nil {
		return nil, err
	}
	found, err := a.Store.Entries(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("search timeline: %w", err)
	}
	entries := []Entry{}
	for _, e := range found {
		entries = append(entries, entryView(o, e))
	}
	return entries, nil
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
