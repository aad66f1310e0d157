package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/markdown"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/story"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) searchRoutes() []Route {
	return []Route{{"GET /search", people.Read, s.search}}
}

// What a page of found entries holds.
const (
	hitsAtOnce = 25
	hitAround  = 80 // characters before what was found
)

// search finds entries in the rooms that somebody may read, and in no other:
// the store is asked for those rooms by name.
func (s *Server) search(w http.ResponseWriter, r *http.Request) error {
	ctx, query, actor := r.Context(), r.URL.Query(), actorOf(r)
	o, err := s.organisation(ctx)
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("chat_web.search.title"), "")
	if err != nil {
		return err
	}
	f := filterOf(query)
	out := view.Search{
		Page: page, Text: f.text, From: query.Get("from"), To: query.Get("to"),
		Person: peopleOptions(o, string(f.person)), Kind: kindOptions(f.groups),
	}
	rooms, err := s.searchable(ctx, o, actor)
	if err != nil {
		return err
	}
	chosen, all := query.Get("room"), rooms
	if chosen != "" {
		found, err := named(o, actor, chosen)
		if err != nil {
			return err
		}
		all = []room.Room{found}
		if !slices.ContainsFunc(rooms, func(r room.Room) bool { return r.ID == found.ID }) {
			rooms = append(rooms, found)
		}
		chosen = roomName(found.ID)
	}
	for _, found := range rooms {
		out.Room = append(out.Room, view.Option{Value: roomName(found.ID), Label: found.Shown(actor.User, nameIn(o)), Selected: chosen == roomName(found.ID)})
	}
	out.Asked = len(f.words) > 0 || f.person != "" || len(f.groups) > 0 || out.From != "" || out.To != ""
	if !out.Asked {
		return draw(w, r, http.StatusOK, view.SearchPage(out))
	}
	ask := f.query(hitsAtOnce + 1)
	ask.Rooms, ask.NoReplies = nil, false
	for _, found := range all {
		ask.Rooms = append(ask.Rooms, found.ID)
	}
	if out.Problem, err = s.between(ctx, &ask, query, page.Viewer.Zone); err != nil {
		return err
	}
	if out.Problem != "" {
		return draw(w, r, http.StatusUnprocessableEntity, view.SearchPage(out))
	}
	found, err := s.Store.Entries(ctx, ask)
	if err != nil {
		return err
	}
	slices.Reverse(found) // the newest in front
	if len(found) > hitsAtOnce {
		found = found[:hitsAtOnce]
		query.Set("before", seqText(found[hitsAtOnce-1].Seq))
		out.Older = "/search?" + query.Encode()
	}
	if out.Hits, err = s.hits(ctx, o, actor, found, f.words, page.Viewer.Zone); err != nil {
		return err
	}
	return draw(w, r, http.StatusOK, view.SearchPage(out))
}

// searchable are the rooms that somebody may look into.
func (s *Server) searchable(ctx context.Context, o *org.Org, actor people.Actor) ([]room.Room, error) {
	all := o.ReadableRooms(actor.User)
	direct, err := s.Store.DirectRooms(ctx, actor.User, 1000)
	if err != nil {
		return nil, err
	}
	for _, n := range direct {
		if r, ok := o.Room(n); ok && r.CanRead(actor.User) {
			all = append(all, r)
		}
	}
	return all, nil
}

// between narrows what is asked for to days in zone, and to what is older than
// the last page. It returns a sentence when the days make no sense.
func (s *Server) between(ctx context.Context, ask *store.EntryFilter, query url.Values, zone *time.Location) (problem string, err error) {
	if zone == nil {
		zone = time.UTC
	}
	ask.Before = seqOf(query.Get("before"))
	from, to := dayIn(query.Get("from"), zone), dayIn(query.Get("to"), zone)
	if !from.IsZero() && !to.IsZero() && from.After(to) {
		return phrase.T("chat_web.search.dates"), nil
	}
	var first id.Seq
	if !from.IsZero() {
		if first, err = s.Store.SeqAt(ctx, from.Add(-time.Microsecond)); err != nil {
			return "", err
		}
	}
	if !to.IsZero() {
		last, err := s.Store.SeqAt(ctx, to.AddDate(0, 0, 1).Add(-time.Microsecond))
		if err != nil {
			return "", err
		}
		if ask.Before == 0 || last+1 < ask.Before {
			ask.Before = last + 1
		}
	}
	if first > 0 {
		if ask.Before == 0 { // the newest in front: both ends have to be named
			head, err := s.Store.Head(ctx)
			if err != nil {
				return "", err
			}
			ask.Before = head.Seq + 1
		}
		ask.After = first
	}
	return "", nil
}

func dayIn(text string, zone *time.Location) time.Time {
	at, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}
	}
	return at
}

func (s *Server) hits(ctx context.Context, o *org.Org, actor people.Actor, found []timeline.Entry, words []string, zone *time.Location) ([]view.Hit, error) {
	drawn, err := s.describe(ctx, o, found, zone)
	if err != nil {
		return nil, err
	}
	there, names := s.crew(o), namesOf(o, zone)
	var all []view.Hit
	for i, e := range found {
		r, _ := o.Room(e.Room)
		all = append(all, view.Hit{
			Entry: drawn[i], Room: s.roomLink(o, actor.User, r, store.Unread{}, there), Href: entryHref(o, actor.User, e),
			Lines: view.Marks(sentence(e, names), words, hitAround),
		})
	}
	return all, nil
}

// sentence is an entry in words alone.
func sentence(e timeline.Entry, names story.Names) string {
	if p, ok := e.Payload.(timeline.Message); ok && !p.Deleted {
		return markdown.Plain(p.Text)
	}
	if p, ok := e.Payload.(timeline.Noted); ok { // its author is named beside it
		return markdown.Plain(p.Text)
	}
	var text strings.Builder
	for _, p := range story.Parts(e, names) {
		if p.Kind == story.Quote {
			p.Text = markdown.Plain(p.Text)
		}
		text.WriteString(p.Text)
	}
	return text.String()
}

func kindOptions(chosen []string) []view.Option {
	var all []view.Option
	for _, g := range view.Groups() {
		all = append(all, view.Option{Value: g, Label: phrase.T("web.group." + g), Selected: slices.Contains(chosen, g)})
	}
	return all
}
