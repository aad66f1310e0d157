package web

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
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
	return view.Timeline{
		Entries: describe(o, part.entries, v.Zone), Older: part.older, Newer: part.newer,
		Head: head.Seq, CanPost: v.May(string(people.Talk)),
	}, nil
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
	part, err := s.piece(ctx, filterOf(query), at)
	if err != nil {
		return err
	}
	w.Header().Set("Watchroom-Older", strconv.FormatBool(part.older))
	w.Header().Set("Watchroom-Newer", strconv.FormatBool(part.newer))
	return draw(w, r, http.StatusOK, view.EntryList(describe(o, part.entries, v.Zone), v))
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
func describe(o *org.Org, entries []timeline.Entry, zone *time.Location) []view.Entry {
	names := namesOf(o, zone)
	all := make([]view.Entry, 0, len(entries))
	for _, e := range entries {
		all = append(all, view.Describe(e, names))
	}
	return all
}

// namesOf calls people what they are called now; who is gone keeps the name
// that the entry remembers.
func namesOf(o *org.Org, zone *time.Location) story.Names {
	return story.Names{
		User: func(u id.User) string { return o.Users[u].Name },
		Team: func(t id.Team) string { return o.Teams[t].Name },
		Zone: zone,
	}
}

// post writes a line into the timeline. A line that is sent again under the
// same nonce, because its answer got lost, is written once.
func (s *Server) post(w http.ResponseWriter, r *http.Request) error {
	actor := actorOf(r)
	err := s.sent.once(actor.User, r.PostFormValue("nonce"), s.Now(), func() error {
		return s.Dispatch.Post(r.Context(), actor, 0, r.PostFormValue("text"))
	})
	return s.posted(w, r, "/?pane=timeline", err)
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
	seen map[string]time.Time // guarded by mu
}

const (
	nonceLife = 10 * time.Minute
	maxNonce  = 100
	maxNonces = 10_000
)

// once calls write unless it was called under this nonce before. What failed
// may be tried again.
func (n *nonces) once(u id.User, nonce string, now time.Time, write func() error) error {
	if nonce == "" || len(nonce) > maxNonce {
		return write()
	}
	key := string(u) + " " + nonce
	if !n.take(key, now) {
		return nil
	}
	err := write()
	if err != nil {
		n.mu.Lock()
		delete(n.seen, key)
		n.mu.Unlock()
	}
	return err
}

func (n *nonces) take(key string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at, ok := n.seen[key]; ok && now.Sub(at) < nonceLife {
		return false
	}
	if n.seen == nil || len(n.seen) >= maxNonces {
		n.seen = map[string]time.Time{}
	}
	n.seen[key] = now
	return true
}

// incidentTitle is what a page that shows one incident is called.
func incidentTitle(n id.Incident, title string) string {
	return phrase.T("webmain.incident.title", n, title)
}
