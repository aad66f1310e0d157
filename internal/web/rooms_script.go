package web

import (
	"net/http"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/markdown"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
)

// What scripts ask for between two pages.

// markRead says how far a reader has come in a room.
func (s *Server) markRead(w http.ResponseWriter, r *http.Request) error {
	_, found, err := s.askedRoom(r)
	if err != nil {
		return err
	}
	actor, seq := actorOf(r), seqOf(r.PostFormValue("seq"))
	if err := s.Dispatch.MarkRead(r.Context(), actor, found.ID, seq); err != nil {
		return err
	}
	s.marks.read(actor.User, found.ID, seq)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// markUnread makes a room unread again, from a message on.
func (s *Server) markUnread(w http.ResponseWriter, r *http.Request) error {
	_, e, err := s.message(r)
	if err != nil {
		return err
	}
	err = s.Dispatch.MarkUnread(r.Context(), actorOf(r), e.Seq)
	if err == nil {
		s.marks.read(actorOf(r).User, e.Room, e.Seq-1)
	}
	return s.touched(w, r, e.Seq, err)
}

// typing says that somebody is typing in a room, or in a thread of it.
func (s *Server) typing(w http.ResponseWriter, r *http.Request) error {
	_, found, err := s.askedRoom(r)
	if err != nil {
		return err
	}
	if !room.Speaks(actorOf(r), found.ID) { // nothing will come of it
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	s.presence.change(r.PostFormValue("tab"), actorOf(r).User, func(p *store.Presence) {
		p.Active, p.Room, p.Thread, p.Typing = true, found.ID, seqOf(r.PostFormValue("thread")), time.Now().Add(typingFor)
		if r.PostFormValue("stop") != "" {
			p.Typing = time.Time{}
		}
	})
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// setPresence says that somebody has left the keyboard, or is back.
func (s *Server) setPresence(w http.ResponseWriter, r *http.Request) error {
	s.presence.change(r.PostFormValue("tab"), actorOf(r).User, func(p *store.Presence) { p.Active = r.PostFormValue("active") == "true" })
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// target is a place to jump to.
type target struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Hint  string `json:"hint,omitempty"`
	Href  string `json:"href"`
	State string `json:"state,omitempty"`
	User  string `json:"user,omitempty"`
}

// jumpTargets are all rooms and people that somebody can jump to.
func (s *Server) jumpTargets(w http.ResponseWriter, r *http.Request) error {
	actor := actorOf(r)
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	there := s.crew(o)
	var all []target
	for _, found := range o.ReadableRooms(actor.User) {
		link := s.roomLink(o, actor.User, found, store.Unread{}, there)
		all = append(all, target{Kind: link.Kind, Name: link.Name, Hint: link.Topic, Href: link.Href})
	}
	if room.Speaks(actor, room.DirectOf(actor.User, room.Bot)) {
		bot := o.Settings.Bot.Called()
		all = append(all, target{Kind: "bot", Name: bot, Hint: "@" + bot, Href: "/rooms/@" + bot})
	}
	for _, u := range roomTargets(o) {
		if direct, ok := o.Room(room.DirectOf(actor.User, u.ID)); ok {
			all = append(all, target{Kind: "person", Name: u.Name, Hint: "@" + u.Username, Href: roomHref(o, actor.User, direct), State: there.states[u.ID], User: string(u.ID)})
		}
	}
	return answerJSON(w, all)
}

// manyEmoji is more than there are.
const manyEmoji = 5000

// emoji is the list that the picker shows; it changes with the program only.
func (s *Server) emoji(w http.ResponseWriter, _ *http.Request) error {
	type sign struct {
		Char string `json:"c"`
		Name string `json:"n"`
	}
	var all []sign
	for _, e := range markdown.Emojis("", manyEmoji) {
		all = append(all, sign{e.Char, e.Name})
	}
	w.Header().Set("Cache-Control", "private, max-age=86400")
	return answerJSON(w, all)
}

// markRoom is how far a reader of streams has come.
type markRoom struct {
	room id.Room
	seq  id.Seq
}
