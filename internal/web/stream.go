package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// The pace of a stream.
const (
	heartbeat = 15 * time.Second // a reader that hears nothing for three of them connects anew
	lookAgain = time.Minute      // whether the reader may still read
	// maxBehind is how many entries a reader may have missed and still get them
	// one by one; beyond it, loading the page is cheaper for everybody.
	maxBehind = 1000
)

// The reasons of ours to end a stream; the browser connects again.
var (
	errBeat    = errors.New("time for a heartbeat")
	errNudge   = errors.New("there is news that is no entry")
	errCrowded = errors.New("the session has opened many other pages since")
)

// stream sends what is new as server-sent events until either side goes:
//
//	entry   id: its number; {seq, html, incident}      entries that the filter lets through
//	card    {number, state, seq, html, counts}         an incident that changed, whatever the filter
//	message {seq, html}                                a message of the open room that was changed
//	unread  {room, name, href, count, mentions, call}  a room of the reader's, whatever is open
//	typing  {users}                                    who is typing in the open room
//	presence {users}                                   who is there
//	rooms   {}                                         a room came or went: fetch the list
//	people  {html}                                     the people pane
//	ping    {}                                         every 15 seconds
//	crowded {}                                         the last word of a session's oldest: come back when somebody looks
//	reset   {}                                         too much was missed, or the numbers began anew: load the page
//
// It resumes after the number in Last-Event-ID or in after, unless the epoch in
// the address says that the number is of a past before a restore. Entries that the
// filter holds back move the id along with the next ping, so that nobody
// resumes further back than needed.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.organisation(ctx)
	if err != nil {
		return err
	}
	f, err := s.readable(r, o, filterOf(r.URL.Query()))
	if err != nil {
		return err
	}
	f.thread = 0 // what is said in threads comes along and says so
	after := afterOf(r)
	sub, err := s.Live.Subscribe(ctx, after)
	if err != nil && !errors.Is(err, live.ErrReset) {
		return err
	}
	subscribed := err == nil
	head, err := s.Store.Head(ctx) // after subscribing: what is restored from here on ends the subscription
	if err != nil {
		if subscribed {
			sub.Close()
		}
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	httpd.Stay(w, r, func(ctx context.Context, w io.Writer) {
		out := newReader(s, w, r.WithContext(ctx), f, after, head.Seq)
		out.greet()
		if !subscribed {
			out.end(ctx, out.reset())
			return
		}
		defer sub.Close()
		if otherPast(r, after, head) || after > 0 && head.Seq > after+maxBehind {
			out.end(ctx, out.reset())
			return
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer s.streams.join(visitOf(r).session, func() { cancel(errCrowded) })()
		defer s.presence.arrive(ctx, s.Store, s.Log, pageOf(r), out.nudge.presence)()
		s.marks.join(out)
		defer s.marks.leave(out)
		out.end(ctx, out.follow(ctx, sub))
	})
	return nil
}

// afterOf is the last number that a reader has: a browser that reconnects by
// itself says it in the header, newer than what stands in its address.
func afterOf(r *http.Request) id.Seq {
	var after int64
	for _, text := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")} {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			after = max(after, n)
		}
	}
	return id.Seq(after)
}

// otherPast reports whether the number that a reader has was given out before a
// backup was restored: a page that stayed open says of which epoch it is.
func otherPast(r *http.Request, after id.Seq, head store.Head) bool {
	epoch := r.URL.Query().Get("epoch")
	return after > head.Seq || epoch != "" && epoch != head.Epoch
}

// reader is one open stream.
type reader struct {
	s      *Server
	w      io.Writer // what is written is sent
	r      *http.Request
	actor  people.Actor
	filter filter

	said    []byte    // what the next flush sends
	seen    id.Seq    // the last entry that was sent or held back
	told    id.Seq    // the last number the browser knows
	missed  id.Seq    // entries up to here happened before the reader came back
	crowd   int       // the version of the people pane that was sent last
	checked time.Time // when the session was looked at last
	typists []typist  // who was typing when it was told last
	turn    int       // of who is there, as it was told last
	nudge   nudge
	counts  map[id.Room]store.Unread // what is unread, of the rooms in which something was written
}

func newReader(s *Server, w io.Writer, r *http.Request, f filter, after, head id.Seq) *reader {
	out := &reader{
		s: s, w: w, r: r, actor: actorOf(r), filter: f,
		seen: after, told: after, checked: time.Now(),
	}
	if after > 0 {
		out.missed = head
	}
	return out
}

// greet says at which pace to come back, which is not the same for everybody:
// after a restart all of them do.
func (out *reader) greet() {
	out.write(fmt.Appendf(nil, "retry: %d\nevent: ping\ndata: {}\n\n", 1000+rand.IntN(2000))) //nolint:gosec // spreads load
}

// end logs why a stream ended when that is worth knowing. It is no error of the
// request: the header is out, and the browser resumes where it was.
func (out *reader) end(ctx context.Context, err error) {
	if errors.Is(context.Cause(ctx), errCrowded) {
		out.write([]byte("event: crowded\ndata: {}\n\n"))
		_ = out.flush() // a browser that is gone need not know
		return
	}
	switch {
	case err == nil, ctx.Err() != nil, errors.Is(err, live.ErrSlow), errors.Is(err, live.ErrClosed), errors.Is(err, errGone):
		return
	}
	out.s.Log.ErrorContext(ctx, "stream timeline", "err", err)
}

// errGone says that the browser takes nothing more, or may not.
var errGone = errors.New("the reader is gone")

func (out *reader) follow(ctx context.Context, sub *live.Subscription) error {
	if err := out.flush(); err != nil {
		return err
	}
	beat := time.Now().Add(heartbeat)
	for {
		wait, cancel := context.WithDeadlineCause(ctx, beat, errBeat)
		wait, wake := context.WithCancelCause(wait)
		out.nudge.arm(func() { wake(errNudge) })
		events, err := sub.Next(wait)
		// A nudge may come while what was missed is being read: that is read again.
		woken := wait.Err() != nil && ctx.Err() == nil
		wake(nil)
		cancel()
		switch {
		case errors.Is(err, live.ErrReset):
			return out.reset()
		case err != nil && !woken:
			return err
		}
		if err := out.nudged(ctx); err != nil {
			return err
		}
		if err := out.send(ctx, events); err != nil {
			return err
		}
		if now := time.Now(); !now.Before(beat) {
			beat = now.Add(heartbeat)
			if err := out.beat(ctx); err != nil {
				return err
			}
		}
		if err := out.flush(); err != nil {
			return err
		}
	}
}

// beat shows that the connection lives, and looks whether it still should.
func (out *reader) beat(ctx context.Context) error {
	if time.Since(out.checked) >= lookAgain {
		actor, _, err := out.s.Accounts.Authenticate(ctx, out.s.cookies.Token(out.r))
		if err != nil || actor.LacksFactor || !actor.May(people.Read) || actor.Role != out.actor.Role {
			return errGone
		}
		out.checked = time.Now()
	}
	if err := out.people(ctx); err != nil {
		return err
	}
	if err := out.typing(ctx); err != nil { // who has stopped without a word
		return err
	}
	if out.seen > out.told {
		out.write(fmt.Appendf(nil, "id: %d\n", out.seen))
		out.told = out.seen
	}
	out.write([]byte("event: ping\ndata: {}\n\n"))
	return nil
}

// reset takes the browser's number away, too, lest it comes back with it by itself.
func (out *reader) reset() error {
	out.write([]byte("id:\nevent: reset\ndata: {}\n\n"))
	return out.flush()
}

// write leaves what it says to flush, which comes soon.
func (out *reader) write(b []byte) { out.said = append(out.said, b...) }

func (out *reader) flush() error {
	if len(out.said) == 0 {
		return nil
	}
	_, err := out.w.Write(out.said)
	out.said = nil // thousands wait and say nothing
	if err != nil {
		return errGone
	}
	return nil
}

// event is one event as it goes over the wire. JSON has no line breaks.
func event(name string, seq id.Seq, data any) ([]byte, error) {
	body, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("write event %s: %w", name, err)
	}
	var b bytes.Buffer
	if seq > 0 {
		fmt.Fprintf(&b, "id: %d\n", seq)
	}
	fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", name, body)
	return b.Bytes(), nil
}
