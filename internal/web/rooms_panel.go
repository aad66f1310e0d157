package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

// aboutRoom says who is in a room, what is pinned and which files it has.
func (s *Server) aboutRoom(w http.ResponseWriter, r *http.Request) error {
	ctx, actor := r.Context(), actorOf(r)
	o, found, err := s.askedRoom(r)
	if err != nil {
		return err
	}
	head, err := s.roomHead(ctx, o, actor, found)
	if err != nil {
		return err
	}
	if found.ID == room.Main {
		head.Href = "/rooms/main"
	}
	v := s.viewer(o, actor)
	about := view.About{Room: *head, Open: r.URL.Query().Get("tab"), MayBar: head.CanEdit && found.Kind != room.Public, Viewer: actor.User}
	if !slices.Contains([]string{"pins", "files"}, about.Open) {
		about.Open = "about"
	}
	there := s.crew(o)
	members := found.Members
	if a, b, ok := room.DirectMembers(found.ID); ok {
		members = slices.DeleteFunc([]id.User{a, b}, func(u id.User) bool { return u == room.Bot })
	}
	for _, u := range there.sorted(o, members) {
		about.People = append(about.People, there.row(o, u, actor.User))
	}
	if head.CanEdit {
		for _, u := range activePeople(o) {
			if !slices.Contains(members, u.ID) {
				about.Add = append(about.Add, view.Option{Value: string(u.ID), Label: u.Name})
			}
		}
	}
	if about.Pins, err = s.pins(ctx, o, found.ID, v); err != nil {
		return err
	}
	files, err := s.Store.RoomFiles(ctx, found.ID, filesShown)
	if err != nil {
		return err
	}
	for _, f := range files {
		about.Files = append(about.Files, view.RoomFile{File: f.File, Seq: f.Seq, By: o.UserName(f.Person), At: f.At})
	}
	return s.beside(w, r, o, found, view.Panel{Kind: about.Open, About: &about}, v)
}

// pins are the pinned messages of a room, the latest pin first.
func (s *Server) pins(ctx context.Context, o *org.Org, r id.Room, v view.Viewer) ([]view.Entry, error) {
	numbers, err := s.Store.Pinned(ctx, r, pinsShown)
	if err != nil {
		return nil, err
	}
	entries, err := s.Store.EntriesBySeq(ctx, numbers)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b timeline.Entry) int { return slices.Index(numbers, a.Seq) - slices.Index(numbers, b.Seq) })
	return s.describe(ctx, o, entries, v.Zone)
}

// thread is one message with the replies to it.
func (s *Server) thread(w http.ResponseWriter, r *http.Request) error {
	ctx, actor := r.Context(), actorOf(r)
	o, root, err := s.message(r)
	if err != nil {
		return err
	}
	if root.Thread != 0 {
		return redirect(w, r, "/threads/"+seqText(root.Thread)+"#e-"+seqText(root.Seq))
	}
	found, _ := o.Room(root.Room)
	head, err := s.roomHead(ctx, o, actor, found)
	if err != nil {
		return err
	}
	v := s.viewer(o, actor)
	at, err := positionOf(r.URL.Query(), v.Zone)
	if err != nil {
		return err
	}
	at.limit = mostAtOnce
	tl, err := s.timeline(ctx, o, filter{room: root.Room, thread: root.Seq}, at, v)
	if err != nil {
		return err
	}
	tl.Thread, tl.Room = root.Seq, head
	tl.CanPost = head.CanWrite
	drawn, err := s.describe(ctx, o, []timeline.Entry{root}, v.Zone)
	if err != nil {
		return err
	}
	panel := view.Panel{Kind: "thread", Thread: &view.Thread{Root: drawn[0], Room: *head, Timeline: tl}}
	return s.beside(w, r, o, found, panel, v)
}

// beside answers with the panel alone, or with the room and the panel beside it.
func (s *Server) beside(w http.ResponseWriter, r *http.Request, o *org.Org, found room.Room, panel view.Panel, v view.Viewer) error {
	if isFragment(r) {
		return draw(w, r, http.StatusOK, view.PanelBody(panel, v))
	}
	return s.drawRoom(w, r, o, found, &panel)
}

// message is the message that a request is about, if actor may read it.
func (s *Server) message(r *http.Request) (*org.Org, timeline.Entry, error) {
	o, err := s.organisation(r.Context())
	if err != nil {
		return nil, timeline.Entry{}, err
	}
	seq := seqOf(r.PathValue("seq"))
	if seq == 0 {
		return o, timeline.Entry{}, noMessage()
	}
	found, err := s.Store.EntriesBySeq(r.Context(), []id.Seq{seq})
	if err != nil {
		return o, timeline.Entry{}, err
	}
	if len(found) == 0 {
		return o, timeline.Entry{}, s.messageGone(r.Context(), seq)
	}
	if found[0].Kind != timeline.MessagePosted || !mayHear(o, actorOf(r).User, found[0].Room) {
		return o, timeline.Entry{}, noMessage()
	}
	return o, found[0], nil
}

func noMessage() error { return fault.NotFound(phrase.T("chat_web.message.none")) }

// mayWriteIn reports whether actor could do something with what stands in a room.
func mayWriteIn(o *org.Org, actor people.Actor, n id.Room) bool {
	r, ok := o.Room(n)
	return ok && r.CanWrite(actor.User) && actor.May(people.Talk)
}
