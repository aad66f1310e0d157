package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/markdown"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) messageRoutes() []Route {
	return []Route{
		{"POST /rooms/{room}/messages", people.Read, s.say}, // who may not talk, to the bot alone
		{"GET /threads/{seq}", people.Read, s.thread},
		{"GET /messages/{seq}", people.Read, s.showMessage},
		{"GET /messages/{seq}/source", people.Read, s.messageSource},
		{"GET /messages/{seq}/history", people.Read, s.messageHistory},
		{"POST /messages/{seq}/edit", people.Talk, s.editMessage},
		{"POST /messages/{seq}/delete", people.Talk, s.deleteMessage},
		{"POST /messages/{seq}/react", people.Talk, s.react},
		{"POST /messages/{seq}/pin", people.Talk, s.pin},
		{"POST /messages/{seq}/unpin", people.Talk, s.pin},
		{"POST /messages/{seq}/link", people.Talk, s.linkMessage},
		{"POST /messages/{seq}/unread", people.Read, s.markUnread},
		{"POST /messages/{seq}/actions/{token}", people.Read, s.press},
		{"GET /complete", people.Read, s.complete},
	}
}

// say writes a line into a room. A line that is sent again under the same
// nonce, because its answer got lost, is written once.
func (s *Server) say(w http.ResponseWriter, r *http.Request) error {
	o, found, err := s.askedRoom(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fault.Invalid("", phrase.T("chat_web.form_unreadable")).Because(err)
	}
	line := dispatch.Line{
		Room: found.ID, Thread: seqOf(r.PostFormValue("thread")), Incident: incidentOf(r.PostFormValue("incident")),
		Text: r.PostFormValue("text"), Quote: seqOf(r.PostFormValue("quote")),
	}
	for _, f := range r.PostForm["files"] {
		line.Files = append(line.Files, id.File(f))
	}
	back := roomHref(o, actorOf(r).User, found)
	switch {
	case line.Thread != 0:
		back = "/threads/" + seqText(line.Thread)
	case line.Incident != 0:
		back = "/incidents/" + strconv.FormatInt(int64(line.Incident), 10)
	case found.ID == room.Main:
		back = "/?pane=timeline"
	}
	return s.write(w, r, line, back)
}

// write says line once and answers the composer.
func (s *Server) write(w http.ResponseWriter, r *http.Request, line dispatch.Line, back string) error {
	actor := actorOf(r)
	seq, err := s.sent.once(r.Context(), actor.User, r.PostFormValue("nonce"), s.Now(), func(ctx context.Context) (id.Seq, error) {
		return s.Dispatch.Say(ctx, actor, line)
	})
	if err == nil && seq != 0 {
		w.Header().Set("Watchroom-Seq", seqText(seq))
	}
	return s.posted(w, r, back, err)
}

// showMessage leads to where a message stands; a page of its own is for those
// without a script, for whom it has the buttons.
func (s *Server) showMessage(w http.ResponseWriter, r *http.Request) error {
	ctx, actor := r.Context(), actorOf(r)
	o, e, err := s.message(r)
	if err != nil {
		return err
	}
	found, _ := o.Room(e.Room)
	if r.URL.Query().Has("go") {
		return redirect(w, r, entryHref(o, actor.User, e))
	}
	link := s.roomLink(o, actor.User, found, store.Unread{}, s.crew(o))
	page, err := s.page(w, r, o, phrase.T("chat_web.message.title"), "")
	if err != nil {
		return err
	}
	drawn, err := s.describe(ctx, o, []timeline.Entry{e}, page.Viewer.Zone)
	if err != nil {
		return err
	}
	m := view.MessagePage{
		Page: page, Entry: drawn[0], Room: link, Mine: e.Person == actor.User && actor.User != "",
		MayAct: mayWriteIn(o, actor, e.Room),
	}
	if p, ok := e.Payload.(timeline.Message); ok {
		m.Source = p.Text
	}
	if m.History, err = s.history(ctx, o, e); err != nil {
		return err
	}
	return draw(w, r, http.StatusOK, view.MessagePageView(m))
}

// entryHref is where an entry stands in its room.
func entryHref(o *org.Org, u id.User, e timeline.Entry) string {
	if e.Thread != 0 {
		return "/threads/" + seqText(e.Thread) + "#e-" + seqText(e.Seq)
	}
	found, _ := o.Room(e.Room)
	return roomHref(o, u, found) + "?at=" + e.At.UTC().Format(time.RFC3339) + "&pane=timeline#e-" + seqText(e.Seq)
}

// messageSource is a message as it was written, to be edited or quoted.
func (s *Server) messageSource(w http.ResponseWriter, r *http.Request) error {
	_, e, err := s.message(r)
	if err != nil {
		return err
	}
	p, _ := e.Payload.(timeline.Message)
	return answerJSON(w, map[string]any{"text": p.Text, "author": e.Actor.Name})
}

func (s *Server) messageHistory(w http.ResponseWriter, r *http.Request) error {
	o, e, err := s.message(r)
	if err != nil {
		return err
	}
	all, err := s.history(r.Context(), o, e)
	if err != nil {
		return err
	}
	return draw(w, r, http.StatusOK, view.MessageHistory(all, s.viewer(o, actorOf(r))))
}

// history is what a message said before, the latest in front; what was deleted
// is gone for readers.
func (s *Server) history(ctx context.Context, o *org.Org, e timeline.Entry) ([]view.Version, error) {
	if p, ok := e.Payload.(timeline.Message); !ok || p.Deleted {
		return nil, nil
	}
	m, err := s.Store.Message(ctx, e.Seq)
	if err != nil {
		return nil, err
	}
	words := s.words(ctx, o)
	var all []view.Version
	for i := len(m.Versions) - 1; i >= 0; i-- {
		all = append(all, view.Version{At: m.Versions[i].At, HTML: words(m.Versions[i].Text)})
	}
	return all, nil
}

func (s *Server) editMessage(w http.ResponseWriter, r *http.Request) error {
	seq := seqOf(r.PathValue("seq"))
	return s.touched(w, r, seq, s.Dispatch.Edit(r.Context(), actorOf(r), seq, r.PostFormValue("text")))
}

func (s *Server) deleteMessage(w http.ResponseWriter, r *http.Request) error {
	seq := seqOf(r.PathValue("seq"))
	return s.touched(w, r, seq, s.Dispatch.Delete(r.Context(), actorOf(r), seq))
}

// react puts a sign under a message or takes it away: as "on" says, or the
// other way round than it is.
func (s *Server) react(w http.ResponseWriter, r *http.Request) error {
	_, e, err := s.message(r)
	if err != nil {
		return err
	}
	actor := actorOf(r)
	emoji, ok := markdown.Reaction(strings.TrimSpace(r.PostFormValue("emoji")))
	if !ok {
		return fault.Invalid("emoji", phrase.T("room.no_emoji"))
	}
	on := r.PostFormValue("on") == "true"
	if r.PostFormValue("on") == "" {
		on = !reactedBy(e, emoji, actor.User)
	}
	return s.touched(w, r, e.Seq, s.Dispatch.React(r.Context(), actor, e.Seq, emoji, on))
}

func reactedBy(e timeline.Entry, emoji string, u id.User) bool {
	p, _ := e.Payload.(timeline.Message)
	for _, r := range p.Reactions {
		for _, by := range r.Users {
			if r.Emoji == emoji && by == u {
				return true
			}
		}
	}
	return false
}

func (s *Server) pin(w http.ResponseWriter, r *http.Request) error {
	seq := seqOf(r.PathValue("seq"))
	return s.touched(w, r, seq, s.Dispatch.Pin(r.Context(), actorOf(r), seq, strings.HasSuffix(r.URL.Path, "/pin")))
}

func (s *Server) linkMessage(w http.ResponseWriter, r *http.Request) error {
	seq, n := seqOf(r.PathValue("seq")), incidentOf(r.PostFormValue("incident"))
	return s.touched(w, r, seq, s.Dispatch.LinkMessage(r.Context(), actorOf(r), seq, n))
}

// touched answers what was done to a message: the stream shows it to scripts.
func (s *Server) touched(w http.ResponseWriter, r *http.Request, seq id.Seq, err error) error {
	if isFragment(r) {
		if err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	back := "/messages/" + seqText(seq)
	return s.did(w, r, err, back, back, phrase.T("chat_web.done.saved"))
}

// words turns what people wrote into markup, with the names that mean something
// here. What it makes is the same for every reader.
func (s *Server) words(ctx context.Context, o *org.Org) func(string) string {
	opt := markdown.Options{
		Mention: func(handle string) (name, href string, me, ok bool) { return mentioned(o, handle) },
		Incident: func(n int64) (title, state, href string, ok bool) {
			inc, err := s.Store.Incident(ctx, id.Incident(n))
			if err != nil {
				return "", "", "", false
			}
			return inc.Title, string(inc.State), "/incidents/" + strconv.FormatInt(n, 10), true
		},
		Room: func(slug string) (string, bool) {
			r, ok := o.RoomNamed(slug)
			if !ok || r.Kind != room.Public { // the others' names are not for everybody
				return "", false
			}
			return roomHref(o, "", r), true
		},
	}
	return func(text string) string { return markdown.Render(text, opt) }
}

// mentioned is whom a handle calls, and where they are found.
func mentioned(o *org.Org, handle string) (name, href string, me, ok bool) {
	switch low := strings.ToLower(handle); {
	case low == "here":
		return low, "", false, true
	case low == "oncall", strings.HasPrefix(low, "oncall:"):
		return low, "/oncall/now", false, true
	case strings.HasPrefix(low, "@"):
		team, ok := o.TeamBySlug(low[1:])
		return team.Name, "", false, ok
	case low == o.Settings.Bot.Called():
		return low, "/rooms/@" + low, false, true
	default:
		u, ok := o.UserByName(low)
		return u.Username, "/rooms/@" + u.Username, false, ok
	}
}

func seqOf(text string) id.Seq {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return id.Seq(n)
}

func seqText(n id.Seq) string { return strconv.FormatInt(int64(n), 10) }

func answerJSON(w http.ResponseWriter, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
	return nil
}
