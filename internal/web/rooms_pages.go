package web

import (
	"net/http"
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

// browseRooms lists the rooms that somebody could read.
func (s *Server) browseRooms(w http.ResponseWriter, r *http.Request) error {
	actor := actorOf(r)
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("chat_web.browse.title"), "")
	if err != nil {
		return err
	}
	b := view.RoomBrowser{Page: page, Write: actor.May(people.Talk)}
	there := s.crew(o)
	for _, found := range o.ReadableRooms(actor.User) {
		if found.ID != room.Main && found.Kind != room.Group {
			b.Rooms = append(b.Rooms, s.roomLink(o, actor.User, found, store.Unread{}, there))
		}
	}
	return draw(w, r, http.StatusOK, view.RoomBrowserPage(b))
}

// newRoom is the form for a room, or for a conversation.
func (s *Server) newRoom(w http.ResponseWriter, r *http.Request) error {
	return s.drawRoomForm(w, r, http.StatusOK, view.RoomForm{Kind: r.URL.Query().Get("kind")})
}

func (s *Server) drawRoomForm(w http.ResponseWriter, r *http.Request, status int, f view.RoomForm) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	f.Direct, f.GroupMax = f.Kind == "direct", room.MaxGroup-1
	title := phrase.T("chat_web.rooms.new")
	if f.Direct {
		title = phrase.T("chat_web.rooms.message")
	}
	if f.Page, err = s.page(w, r, o, title, ""); err != nil {
		return err
	}
	me := actorOf(r).User
	for _, u := range roomTargets(o) {
		if u.ID != me {
			f.People = append(f.People, view.Option{
				Value: string(u.ID), Label: u.Name, Hint: "@" + u.Username, Selected: slices.Contains(r.Form["people"], string(u.ID)),
			})
		}
	}
	if f.Direct {
		bot := o.Settings.Bot.Called()
		f.People = append(f.People, view.Option{Value: string(room.Bot), Label: bot, Hint: phrase.T("chat_web.speaker.bot")})
	}
	return draw(w, r, status, view.RoomFormPage(f))
}

// openRoom makes a room or begins a conversation, and leads there.
func (s *Server) openRoom(w http.ResponseWriter, r *http.Request) error {
	actor := actorOf(r)
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	f := view.RoomForm{Kind: text(r, "kind"), Name: strings.TrimPrefix(text(r, "name"), "#"), Topic: text(r, "topic"), Errors: map[string]string{}}
	var chosen []id.User
	for _, u := range r.Form["people"] {
		chosen = append(chosen, id.User(u))
	}
	made := room.Room{Kind: room.Kind(f.Kind), Slug: f.Name, Topic: f.Topic, Members: chosen}
	if f.Kind == "direct" {
		switch len(chosen) {
		case 0:
			f.Errors["people"] = phrase.T("chat_web.message.nobody")
			return s.drawRoomForm(w, r, http.StatusUnprocessableEntity, f)
		case 1:
			direct, ok := o.Room(room.DirectOf(actor.User, chosen[0]))
			if !ok {
				return noRoom()
			}
			return redirect(w, r, roomHref(o, actor.User, direct))
		}
		if same, ok := groupOf(o, append([]id.User{actor.User}, chosen...)); ok {
			return redirect(w, r, roomHref(o, actor.User, same))
		}
		made = room.Room{Kind: room.Group, Members: chosen}
	}
	made, err = s.Dispatch.OpenRoom(r.Context(), actor, made)
	if fault.Is(err, fault.CodeInvalid) || fault.Is(err, fault.CodeConflict) {
		f.Problem = fault.MessageOf(err)
		if f.Kind != "direct" && strings.Contains(f.Problem, "name") {
			f.Errors["name"], f.Problem = f.Problem, ""
		}
		return s.drawRoomForm(w, r, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, roomHref(o, actor.User, made))
}

// groupOf finds the group of exactly these people, so that the same
// conversation goes on.
func groupOf(o *org.Org, members []id.User) (room.Room, bool) {
	slices.Sort(members)
	for _, r := range o.Rooms {
		if r.Kind == room.Group && !r.Closed && slices.Equal(slices.Sorted(slices.Values(r.Members)), members) {
			return r, true
		}
	}
	return room.Room{}, false
}

func (s *Server) joinRoom(w http.ResponseWriter, r *http.Request) error {
	o, found, err := s.askedRoom(r)
	if err != nil {
		return err
	}
	href := roomHref(o, actorOf(r).User, found)
	return s.did(w, r, s.Dispatch.JoinRoom(r.Context(), actorOf(r), found.ID), href, href, phrase.T("chat_web.done.joined", "#"+found.Slug))
}

func (s *Server) leaveRoom(w http.ResponseWriter, r *http.Request) error {
	o, found, err := s.askedRoom(r)
	if err != nil {
		return err
	}
	href, name := roomHref(o, actorOf(r).User, found), found.Shown(actorOf(r).User, nameIn(o))
	return s.did(w, r, s.Dispatch.LeaveRoom(r.Context(), actorOf(r), found.ID), "/rooms", href, phrase.T("chat_web.done.left", name))
}

func (s *Server) closeRoom(w http.ResponseWriter, r *http.Request) error {
	o, found, err := s.askedRoom(r)
	if err != nil {
		return err
	}
	href := roomHref(o, actorOf(r).User, found)
	closed := strings.HasSuffix(r.URL.Path, "/close")
	return s.did(w, r, s.Dispatch.CloseRoom(r.Context(), actorOf(r), found.ID, closed), href, href, phrase.T("chat_web.done.saved"))
}

// changeRoom changes the name and the topic.
func (s *Server) changeRoom(w http.ResponseWriter, r *http.Request) error {
	o, found, err := s.askedRoom(r)
	if err != nil {
		return err
	}
	actor := actorOf(r)
	is, err := s.Dispatch.ChangeRoom(r.Context(), actor, found.ID, func(is room.Room) room.Room {
		is.Topic = text(r, "topic")
		if wish := strings.TrimPrefix(text(r, "name"), "#"); is.Kind != room.Group && wish != "" && wish != is.Wish() {
			is.Slug = wish
		}
		return is
	})
	back := roomHref(o, actor.User, found) + "/about"
	return s.did(w, r, err, roomHref(o, actor.User, is), back, phrase.T("chat_web.done.saved"))
}

// changeMembers lets somebody in or puts somebody out.
func (s *Server) changeMembers(w http.ResponseWriter, r *http.Request) error {
	o, found, err := s.askedRoom(r)
	if err != nil {
		return err
	}
	actor := actorOf(r)
	_, err = s.Dispatch.ChangeRoom(r.Context(), actor, found.ID, func(is room.Room) room.Room {
		if u := id.User(text(r, "add")); u != "" && !slices.Contains(is.Members, u) {
			is.Members = append(is.Members, u)
		}
		gone := id.User(text(r, "remove"))
		is.Members = slices.DeleteFunc(is.Members, func(u id.User) bool { return u == gone })
		return is
	})
	back := roomHref(o, actor.User, found) + "/about"
	return s.did(w, r, err, back, back, phrase.T("chat_web.done.saved"))
}
