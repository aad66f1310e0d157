package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) roomRoutes() []Route {
	return []Route{
		{"GET /rooms", people.Read, s.browseRooms},
		{"GET /rooms/new", people.Talk, s.newRoom},
		{"POST /rooms", people.Talk, s.openRoom},
		{"GET /rooms/{room}", people.Read, s.showRoom},
		{"GET /rooms/{room}/about", people.Read, s.aboutRoom},
		{"POST /rooms/{room}/join", people.Talk, s.joinRoom},
		{"POST /rooms/{room}/leave", people.Talk, s.leaveRoom},
		{"POST /rooms/{room}/close", people.Talk, s.closeRoom},
		{"POST /rooms/{room}/open", people.Talk, s.closeRoom},
		{"POST /rooms/{room}/change", people.Talk, s.changeRoom},
		{"POST /rooms/{room}/members", people.Talk, s.changeMembers},
		{"POST /rooms/{room}/read", people.Read, s.markRead},
		{"POST /rooms/{room}/typing", people.Read, s.typing},
		{"GET /chat/rooms", people.Read, s.roomList},
		{"GET /chat/jump", people.Read, s.jumpTargets},
		{"GET /chat/emoji", people.Read, s.emoji},
		{"POST /chat/presence", people.Read, s.setPresence},
	}
}

// How much of a room's surroundings is shown.
const (
	directShown = 40
	pinsShown   = 100
	filesShown  = 100
	facesShown  = 3
)

// named is the room that an address names: by "main", its name, its id, or by
// "@" and a person for the direct room with them. A room that actor may not
// read is not there.
func named(o *org.Org, actor people.Actor, name string) (room.Room, error) {
	if handle, ok := strings.CutPrefix(name, "@"); ok {
		if handle == o.Settings.Bot.Called() {
			r, _ := o.Room(room.DirectOf(actor.User, room.Bot))
			return r, nil
		}
		if u, ok := o.UserByName(handle); ok && !u.Robot {
			r, _ := o.Room(room.DirectOf(actor.User, u.ID))
			return r, nil
		}
		return room.Room{}, noRoom()
	}
	r, ok := o.RoomNamed(name)
	if !ok || !r.CanRead(actor.User) {
		return r, noRoom()
	}
	return r, nil
}

func noRoom() error { return fault.NotFound(phrase.T("chat_web.room.none")) }

// asked loads the organisation and the room that a request is about.
func (s *Server) askedRoom(r *http.Request) (*org.Org, room.Room, error) {
	o, err := s.organisation(r.Context())
	if err != nil {
		return nil, room.Room{}, err
	}
	found, err := named(o, actorOf(r), r.PathValue("room"))
	return o, found, err
}

// roomHref is the page of a room as u sees it.
func roomHref(o *org.Org, u id.User, r room.Room) string {
	switch {
	case r.ID == room.Main:
		return "/"
	case r.Slug != "":
		return "/rooms/" + r.Slug
	}
	if a, b, ok := room.DirectMembers(r.ID); ok {
		return "/rooms/@" + url.PathEscape(handleOf(o, other(a, b, u)))
	}
	return "/rooms/" + url.PathEscape(string(r.ID))
}

// other is whom u talks to in the direct room of a and b.
func other(a, b, u id.User) id.User {
	if a == u {
		return b
	}
	return a
}

// roomKind is what a room is as the pages call it.
func roomKind(r room.Room) string {
	if r.ID == room.Main {
		return "main"
	}
	return string(r.Kind)
}

// roomLink is a room in a list of u's.
func (s *Server) roomLink(o *org.Org, u id.User, r room.Room, n store.Unread, there crew) view.RoomLink {
	link := view.RoomLink{
		ID: r.ID, Kind: roomKind(r), Name: strings.TrimPrefix(r.Shown(u, nameIn(o)), "#"), Href: roomHref(o, u, r), Topic: r.Topic,
		Members: len(r.Members), Unread: n.Count, Mentions: n.Mentions, Joined: r.Has(u), Closed: r.Closed,
	}
	if a, b, ok := room.DirectMembers(r.ID); ok {
		link.Members = 2
		if with := other(a, b, u); with == room.Bot {
			link.Bot, link.Picture = true, pictureOf(o.Settings.Bot.Picture)
		} else {
			row := there.row(o, with, u)
			link.With = &row
		}
		link.Mentions = link.Unread // each of them is for the reader
	}
	if r.ID == room.Main {
		link.Name, link.Members = phrase.T("chat_web.rooms.main"), len(activePeople(o))
	}
	return link
}

// nameIn calls people and the bot by their names.
func nameIn(o *org.Org) func(id.User) string {
	return func(u id.User) string {
		if u == room.Bot {
			return o.Settings.Bot.Called()
		}
		return o.UserName(u)
	}
}

// rooms is the list in the left pane; current is the room that is open.
func (s *Server) rooms(ctx context.Context, o *org.Org, actor people.Actor, current *room.Room) (view.Rooms, error) {
	kept := o.RoomsOf(actor.User)
	direct, err := s.Store.DirectRooms(ctx, actor.User, directShown)
	if err != nil {
		return view.Rooms{}, err
	}
	if current != nil && current.Kind == room.Direct && !slices.Contains(direct, current.ID) {
		direct = append([]id.Room{current.ID}, direct...)
	}
	numbers := make([]id.Room, 0, len(kept)+len(direct))
	for _, r := range kept {
		numbers = append(numbers, r.ID)
	}
	numbers = append(numbers, direct...)
	if current != nil && !slices.Contains(numbers, current.ID) { // looked into, not joined
		kept = append(kept, *current)
	}
	unread, err := s.Store.Unread(ctx, actor.User, numbers)
	if err != nil {
		return view.Rooms{}, err
	}
	there := s.crew(o)
	list := view.Rooms{CanTalk: actor.May(people.Talk)}
	add := func(r room.Room, to *[]view.RoomLink) {
		link := s.roomLink(o, actor.User, r, unread[r.ID], there)
		link.Current = current != nil && current.ID == r.ID
		*to = append(*to, link)
	}
	for _, r := range kept {
		switch {
		case r.ID == room.Main:
			var main []view.RoomLink
			add(r, &main)
			list.Main = main[0]
		case r.Kind == room.Group:
			add(r, &list.Direct)
		default:
			add(r, &list.Joined)
		}
	}
	for _, n := range direct {
		if r, ok := o.Room(n); ok {
			add(r, &list.Direct)
		}
	}
	return list, nil
}

// roomList is the list alone, for a script that heard of a room that came or went.
func (s *Server) roomList(w http.ResponseWriter, r *http.Request) error {
	ctx, actor := r.Context(), actorOf(r)
	o, err := s.organisation(ctx)
	if err != nil {
		return err
	}
	var current *room.Room
	if name := r.URL.Query().Get("room"); name != "" {
		if found, err := named(o, actor, name); err == nil {
			current = &found
		}
	}
	list, err := s.rooms(ctx, o, actor, current)
	if err != nil {
		return err
	}
	return draw(w, r, http.StatusOK, view.RoomList(list, s.viewer(o, actor)))
}

// head is a room as the head of its timeline shows it.
func (s *Server) roomHead(ctx context.Context, o *org.Org, actor people.Actor, r room.Room) (*view.RoomHead, error) {
	there := s.crew(o)
	h := &view.RoomHead{RoomLink: s.roomLink(o, actor.User, r, store.Unread{}, there)}
	pins, err := s.Store.Pinned(ctx, r.ID, pinsShown)
	if err != nil {
		return nil, err
	}
	h.Pins = len(pins)
	for _, u := range there.sorted(o, r.Members) {
		if len(h.Watching) < facesShown {
			h.Watching = append(h.Watching, there.row(o, u, actor.User))
		}
	}
	kept := r.ID != room.Main && r.Kind != room.Direct
	talks := actor.May(people.Talk)
	h.CanWrite = r.CanWrite(actor.User) && room.Speaks(actor, r.ID)
	h.CanJoin = kept && !h.Joined && !r.Closed && talks
	h.CanEdit = kept && talks && r.CanWrite(actor.User) && (h.Joined || actor.May(people.Manage))
	return h, nil
}

// showRoom is the page of a room.
func (s *Server) showRoom(w http.ResponseWriter, r *http.Request) error {
	o, found, err := s.askedRoom(r)
	if err != nil {
		return err
	}
	return s.drawRoom(w, r, o, found, nil)
}

// drawRoom draws the panes around a room. panel is what stands beside it.
func (s *Server) drawRoom(w http.ResponseWriter, r *http.Request, o *org.Org, shown room.Room, panel *view.Panel) error {
	ctx, query, actor := r.Context(), r.URL.Query(), actorOf(r)
	if shown.ID == room.Main && panel == nil && r.URL.Path != "/" {
		http.Redirect(w, r, "/?"+query.Encode(), http.StatusSeeOther)
		return nil
	}
	title, nav := phrase.T("web.nav.timeline"), "timeline"
	var head *view.RoomHead
	if shown.ID != room.Main {
		var err error
		if head, err = s.roomHead(ctx, o, actor, shown); err != nil {
			return err
		}
		title, nav = shown.Shown(actor.User, nameIn(o)), "chat"
	}
	page, err := s.page(w, r, o, title, nav)
	if err != nil {
		return err
	}
	page.Pane = paneOf(query)
	if page.Pane == "" && (shown.ID != room.Main || panel != nil) {
		page.Pane = "timeline"
	}
	f := filterOf(query)
	f.room = shown.ID
	at, err := positionOf(query, page.Viewer.Zone)
	if err != nil {
		return err
	}
	tl, err := s.timeline(ctx, o, f, at, page.Viewer)
	if err != nil {
		return err
	}
	tl.Room, tl.Filter = head, f.view(o)
	tl.Filter.At = at.at
	if head != nil {
		tl.CanPost = head.CanWrite && (head.Joined || shown.Kind == room.Direct)
	}
	list, err := s.rooms(ctx, o, actor, &shown)
	if err != nil {
		return err
	}
	incidents, err := s.incidentsPane(ctx, o, page.Viewer)
	if err != nil {
		return err
	}
	if tab := query.Get("tab"); panel == nil && slices.Contains([]string{"triggered", "acknowledged", "resolved"}, tab) {
		incidents.Tab = tab
	}
	return draw(w, r, http.StatusOK, view.HomePage(view.Home{
		Page: page, Rooms: list, Timeline: tl, Incidents: incidents, People: s.people(o, s.Now()).as(actor.User), Panel: panel,
	}))
}

// paneOf is the pane that a phone shows; "" leaves it to the page.
func paneOf(query url.Values) string {
	if pane := query.Get("pane"); slices.Contains([]string{"people", "timeline", "incidents"}, pane) {
		return pane
	}
	return ""
}

// handleOf is what people write after "@" to call u.
func handleOf(o *org.Org, u id.User) string {
	if u == room.Bot {
		return o.Settings.Bot.Called()
	}
	return o.Users[u].Username
}
