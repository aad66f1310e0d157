package web

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/markdown"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/story"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

// How many entries are shown at once.
const (
	entriesAtOnce = 50
	mostAtOnce    = 200
)

func (s *Server) timelineRoutes() []Route {
	return []Route{
		{"GET /timeline/entries", people.Read, s.entries},
		{"GET /timeline/stream", people.Read, s.stream},
		{"POST /timeline/messages", people.Talk, s.post},
	}
}

// timeline is the middle pane: the entries that f chooses at a position.
func (s *Server) timeline(ctx context.Context, o *org.Org, f filter, at position, v view.Viewer) (view.Timeline, error) {
	// Before the entries, so that the stream begins at or before the last of them.
	head, err := s.Store.Head(ctx)
	if err != nil {
		return view.Timeline{}, err
	}
	part, err := s.piece(ctx, f, at)
	if err != nil {
		return view.Timeline{}, err
	}
	entries, err := s.describe(ctx, o, part.entries, v.Zone)
	if err != nil {
		return view.Timeline{}, err
	}
	tl := view.Timeline{
		Entries: entries, Older: part.older, Newer: part.newer,
		Head: head.Seq, Epoch: head.Epoch, CanPost: v.May(string(people.Talk)), Files: s.Uploads != nil && v.May(string(people.Talk)),
	}
	if f.thread == 0 && f.incident == 0 {
		if tl.Removed, err = s.removedFrom(ctx, f.room); err != nil {
			return view.Timeline{}, err
		}
	}
	if f.thread == 0 && f.incident == 0 && v.ID != "" {
		unread, err := s.Store.Unread(ctx, id.User(v.ID), []id.Room{f.room})
		if err != nil {
			return view.Timeline{}, err
		}
		tl.Read, tl.Unread = unread[f.room].Mark, unread[f.room].Count
	}
	return tl, nil
}

// entries answers with items alone; whether there are more in either direction
// is in the header.
func (s *Server) entries(w http.ResponseWriter, r *http.Request) error {
	ctx, query := r.Context(), r.URL.Query()
	o, err := s.organisation(ctx)
	if err != nil {
		return err
	}
	v := s.viewer(o, actorOf(r))
	at, err := positionOf(query, v.Zone)
	if err != nil {
		return err
	}
	f, err := s.readable(r, o, filterOf(query))
	if err != nil {
		return err
	}
	part, err := s.piece(ctx, f, at)
	if err != nil {
		return err
	}
	entries, err := s.describe(ctx, o, part.entries, v.Zone)
	if err != nil {
		return err
	}
	w.Header().Set("Watchroom-Older", strconv.FormatBool(part.older))
	w.Header().Set("Watchroom-Newer", strconv.FormatBool(part.newer))
	return draw(w, r, http.StatusOK, view.EntryList(entries, v))
}

// readable is f in the room that a request names, if its actor may read there.
func (s *Server) readable(r *http.Request, o *org.Org, f filter) (filter, error) {
	name := r.URL.Query().Get("room")
	if name == "" {
		return f, nil
	}
	found, err := named(o, actorOf(r), name)
	f.room = found.ID
	return f, err
}

// piece is an unbroken part of the timeline, oldest first.
type piece struct {
	entries      []timeline.Entry
	older, newer bool // there are more on that side
}

// piece loads the entries at a position: those before or after a number, those
// from an instant on, or the newest.
func (s *Server) piece(ctx context.Context, f filter, at position) (piece, error) {
	after := at.after
	if !at.at.IsZero() {
		seq, err := s.Store.SeqAt(ctx, at.at.Add(-time.Microsecond))
		if err != nil {
			return piece{}, err
		}
		after = seq
	}
	if at.before > 0 || at.at.IsZero() && after == 0 {
		return s.earlier(ctx, f, at)
	}
	later, err := s.later(ctx, f, after, at.limit)
	if err != nil || len(later.entries) > 0 || at.at.IsZero() {
		return later, err
	}
	return s.earlier(ctx, f, position{limit: at.limit}) // nothing since then: the present
}

// earlier are the entries next to at.before, or the newest ones.
func (s *Server) earlier(ctx context.Context, f filter, at position) (piece, error) {
	query := f.query(at.limit + 1)
	query.Before = at.before
	found, err := s.Store.Entries(ctx, query)
	if err != nil {
		return piece{}, err
	}
	p := piece{entries: found, newer: at.before > 0}
	if len(found) > at.limit {
		p.entries, p.older = found[1:], true
	}
	return p, nil
}

// later are the entries next to after.
func (s *Server) later(ctx context.Context, f filter, after id.Seq, limit int) (piece, error) {
	query := f.query(limit + 1)
	query.After, query.FromStart = after, after == 0
	found, err := s.Store.Entries(ctx, query)
	if err != nil {
		return piece{}, err
	}
	p := piece{entries: found}
	if len(found) > limit {
		p.entries, p.newer = found[:limit], true
	}
	if after > 0 {
		query = f.query(1)
		query.Before = after + 1
		before, err := s.Store.Entries(ctx, query)
		if err != nil {
			return piece{}, err
		}
		p.older = len(before) > 0
	}
	return p, nil
}

// describe makes entries ready to be drawn.
func (s *Server) describe(ctx context.Context, o *org.Org, entries []timeline.Entry, zone *time.Location) ([]view.Entry, error) {
	names := view.Names{Names: namesOf(o, zone), Words: s.words(ctx, o), Picture: pictureOf(o.Settings.Bot.Picture)}
	all := make([]view.Entry, 0, len(entries))
	var quoted []id.Seq
	for _, e := range entries {
		drawn := view.Describe(e, names)
		if drawn.Msg != nil && drawn.Msg.Quote != nil {
			quoted = append(quoted, drawn.Msg.Quote.Seq)
		}
		all = append(all, drawn)
	}
	if len(quoted) == 0 {
		return all, nil
	}
	found, err := s.Store.EntriesBySeq(ctx, quoted)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if m := all[i].Msg; m != nil && m.Quote != nil {
			m.Quote = quoteOf(found, m.Quote.Seq, m.Room, o)
		}
	}
	return all, nil
}

// quoteOf is the quoted message, if it stands in the same room: a quotation
// does not carry words out of one.
func quoteOf(found []timeline.Entry, seq id.Seq, r id.Room, o *org.Org) *view.Quote {
	for _, e := range found {
		p, ok := e.Payload.(timeline.Message)
		if e.Seq != seq || e.Room != r || !ok || p.Deleted {
			continue
		}
		author := e.Actor.Name
		if name := o.Users[e.Actor.User].Name; name != "" {
			author = name
		}
		return &view.Quote{Seq: seq, Author: author, Text: markdown.FirstLines(p.Text, 1, quotedText)}
	}
	return nil
}

// quotedText is how much of a quoted message is shown.
const quotedText = 160

// namesOf calls people what they are called now; who is gone keeps the name
// that the entry remembers.
func namesOf(o *org.Org, zone *time.Location) story.Names {
	return story.Names{
		User: func(u id.User) string { return o.Users[u].Name },
		Team: func(t id.Team) string { return o.Teams[t].Name },
		Zone: zone,
	}
}

// post writes a line into the organisation's timeline.
func (s *Server) post(w http.ResponseWriter, r *http.Request) error {
	return s.write(w, r, dispatch.Line{Text: r.PostFormValue("text")}, "/?pane=timeline")
}

// posted answers the composer.
func (s *Server) posted(w http.ResponseWriter, r *http.Request, back string, err error) error {
	switch {
	case isFragment(r) && err == nil:
		w.WriteHeader(http.StatusNoContent)
		return nil
	case isFragment(r) || err != nil && !fault.Is(err, fault.CodeInvalid):
		return err
	case err != nil:
		s.flash(w, view.Flash{Tone: "warning", Text: fault.MessageOf(err)})
		return redirect(w, r, back)
	}
	return redirect(w, r, back)
}

// nonces remembers for a while what was written, on this node: a browser that
// tries again does so within moments.
type nonces struct {
	mu   sync.Mutex
	seen map[string]*sending // guarded by mu
}

// sending is a line that is being written or was.
type sending struct {
	at   time.Time
	done chan struct{} // closed when it is written
	seq  id.Seq        // seq and err are to be read when done is closed
	err  error
}

const (
	nonceLife = 10 * time.Minute
	maxNonce  = 100
	maxNonces = 10_000
)

// once calls write unless it was called under this nonce before; then it waits
// for that one and returns the same number. What failed may be tried again.
func (n *nonces) once(ctx context.Context, u id.User, nonce string, now time.Time, write func(context.Context) (id.Seq, error)) (id.Seq, error) {
	if nonce == "" || len(nonce) > maxNonce {
		return write(ctx)
	}
	key := string(u) + " " + nonce
	line, mine := n.take(key, now)
	if !mine {
		select {
		case <-line.done:
			return line.seq, line.err
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	defer close(line.done)
	if line.seq, line.err = write(ctx); line.err != nil {
		n.mu.Lock()
		delete(n.seen, key)
		n.mu.Unlock()
	}
	return line.seq, line.err
}

// take returns what is known under key, and whether it is the caller's to write.
func (n *nonces) take(key string, now time.Time) (line *sending, mine bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if line, ok := n.seen[key]; ok && now.Sub(line.at) < nonceLife {
		return line, false
	}
	if n.seen == nil || len(n.seen) >= maxNonces {
		n.seen = map[string]*sending{}
	}
	line = &sending{at: now, done: make(chan struct{})}
	n.seen[key] = line
	return line, true
}

// incidentTitle is what a page that shows one incident is called.
func incidentTitle(n id.Incident, title string) string {
	return phrase.T("webmain.incident.title", n, title)
}
