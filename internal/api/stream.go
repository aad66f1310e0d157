package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const (
	// keepAlive keeps proxies from taking a quiet stream for a dead one.
	keepAlive = 15 * time.Second
	// recheck is how many heartbeats' time passes before the reader's rights are looked
	// at again: a revoked token must not listen for ever.
	recheck = 4
	// reconnectAfter is what readers are told to wait before they come back, in milliseconds.
	reconnectAfter = 3000
)

const eventStream = "text/event-stream"

// epochHeader says of which history the numbers of a stream are.
const epochHeader = "Watchroom-Epoch"

func (a *api) registerStream() {
	op := a.take("follow-timeline")
	described := a.describe(op)
	described.Parameters = streamParameters()
	described.Responses["200"] = &huma.Response{
		Description: phrase.T("api.stream.response"),
		Headers:     map[string]*huma.Param{epochHeader: {Description: phrase.T("api.stream.epoch"), Schema: &huma.Schema{Type: huma.TypeString}}},
		Content: map[string]*huma.MediaType{eventStream: {
			Schema:  &huma.Schema{Type: huma.TypeString, Description: phrase.T("api.stream.events")},
			Example: "id: 4711\ndata: {\"seq\":4711,\"kind\":\"incident_acknowledged\",\"sentence\":\"Kim acknowledged #42\"}\n\n",
		}},
	}
	a.huma.OpenAPI().AddOperation(&described)
	a.plain(op, func(w http.ResponseWriter, r *http.Request, by people.Actor) error { return a.follow(w, r, op, by) })
}

func streamParameters() []*huma.Param {
	number := &huma.Schema{Type: huma.TypeInteger, Format: "int64"}
	text := &huma.Schema{Type: huma.TypeString}
	param := func(name, in string, s *huma.Schema) *huma.Param {
		return &huma.Param{Name: name, In: in, Schema: s, Description: phrase.T("api.stream.param." + strings.ToLower(name))}
	}
	no := false
	kinds := param("kinds", "query", &huma.Schema{Type: huma.TypeArray, Items: kindName("").Schema(nil)})
	kinds.Explode = &no
	return []*huma.Param{
		param("after", "query", number), param("Last-Event-ID", "header", number), param("epoch", "query", text), kinds,
		param("team", "query", text), param("incident", "query", number), param("person", "query", text), param("rooms", "query", text),
	}
}

// followed is what a reader wants to see.
type followed struct {
	by     id.User
	after  id.Seq
	epoch  string // of the history that after belongs to; "" when the reader does not say
	filter store.EntryFilter
}

func (f followed) wants(e timeline.Entry) bool {
	w := f.filter
	return slices.Contains(w.Rooms, e.Room) && (len(w.Kinds) == 0 || slices.Contains(w.Kinds, e.Kind)) && (w.Team == "" || w.Team == e.Team) &&
		(w.Incident == 0 || w.Incident == e.Incident) && (w.Person == "" || w.Person == e.Person)
}

// readFollowed reads the query of a stream. Last-Event-ID, which a browser
// sends when it comes back, goes before the after of the address.
func (a *api) readFollowed(ctx context.Context, r *http.Request, by people.Actor) (followed, error) {
	f := followed{by: by.User}
	q := r.URL.Query()
	for name := range q {
		if !slices.Contains([]string{"after", "epoch", "kinds", "team", "incident", "person", "rooms"}, name) {
			return f, fault.Invalid(name, phrase.T("api.no_such_parameter", name))
		}
	}
	incident, _, err := wholeNumber("incident", q.Get("incident"))
	if err != nil {
		return f, err
	}
	var kinds []kindName
	for k := range strings.SplitSeq(q.Get("kinds"), ",") {
		if k != "" {
			kinds = append(kinds, kindName(k))
		}
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return f, err
	}
	if f.filter, err = entryFilter(o, kinds, q.Get("team"), q.Get("person"), incident); err != nil {
		return f, err
	}
	if f.filter.Rooms, err = a.roomsParam(ctx, by, strings.Split(q.Get("rooms"), ",")); err != nil {
		return f, err
	}
	after, given, err := wholeNumber("Last-Event-ID", r.Header.Get("Last-Event-ID"))
	if err == nil && !given {
		after, given, err = wholeNumber("after", q.Get("after"))
	}
	if err != nil {
		return f, err
	}
	if given {
		f.after, f.epoch = id.Seq(after), q.Get("epoch")
		return f, nil
	}
	head, err := a.Store.Head(ctx)
	f.after, f.epoch = head.Seq, head.Epoch
	return f, err
}

func wholeNumber(field, text string) (n int64, given bool, err error) {
	if text == "" {
		return 0, false, nil
	}
	n, err = strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, true, fault.Invalid(field, phrase.T("api.bad_number", text))
	}
	return n, true, nil
}

// follow writes entries until the reader leaves, is too slow, may no longer
// read, or the server stops. Whatever ends it, the reader comes back with the
// number of the last entry it has.
func (a *api) follow(w http.ResponseWriter, r *http.Request, op Operation, by people.Actor) error {
	f, err := a.readFollowed(r.Context(), r, by)
	if err != nil {
		return err
	}
	leave, err := a.crowd.enter(r, by)
	if err != nil {
		return err
	}
	sub, head, known, err := a.subscribe(r.Context(), f)
	if err != nil {
		leave()
		return fault.Unavailable(phrase.T("api.stream.unavailable"), reconnectAfter*time.Millisecond).
			Because(fmt.Errorf("follow timeline after %d: %w", f.after, err))
	}
	h := w.Header()
	h.Set("Content-Type", eventStream)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy that collects answers would hold entries back
	h.Set(epochHeader, head.Epoch)
	first, sent := fmt.Appendf(nil, "retry: %d\n\n", reconnectAfter), f.after
	if !known {
		first, sent = append(first, resetFrame(head)...), head.Seq
	}
	httpd.Stay(w, r, func(ctx context.Context, w io.Writer) {
		defer leave()
		defer sub.Close()
		out := &events{w: w, sent: sent}
		if err := out.write(first); err != nil {
			return // the reader has left
		}
		a.pump(ctx, out, sub, f, func() error { _, err := a.admit(r.WithContext(ctx), op); return err })
	})
	return nil
}

// subscribe follows after the number that f names or, when that is none of ours
// (known is false), from the head on. The head is read last: a backup that is
// restored later than that ends the subscription.
func (a *api) subscribe(ctx context.Context, f followed) (sub Subscription, head store.Head, known bool, err error) {
	after := f.after
	if after == 0 {
		after = live.Start
	}
	sub, err = a.Stream.Subscribe(ctx, after)
	if err != nil && !errors.Is(err, live.ErrReset) {
		return nil, head, false, err
	}
	subscribed := err == nil
	head, err = a.Store.Head(ctx)
	if err == nil && subscribed && f.after <= head.Seq && (f.epoch == "" || f.epoch == head.Epoch) {
		return sub, head, true, nil
	}
	if subscribed {
		sub.Close()
	}
	if err != nil {
		return nil, head, false, err
	}
	sub, err = a.Stream.Subscribe(ctx, head.Seq)
	return sub, head, false, err
}

// resetFrame tells a reader to forget the numbers it has: a backup was restored.
func resetFrame(head store.Head) []byte {
	return fmt.Appendf(nil, "id: %d\nevent: reset\ndata: {\"seq\":%d,\"epoch\":%q}\n\n", head.Seq, head.Seq, head.Epoch)
}

// pump is the life of a stream. It waits with one deadline from heartbeat to
// heartbeat: a new one for each event and each of thousands of readers is much.
func (a *api) pump(ctx context.Context, out *events, sub Subscription, f followed, stillMay func() error) {
	checkAt := time.Now().Add(recheck * keepAlive)
	may := func(now time.Time) bool {
		if now.Before(checkAt) {
			return true
		}
		checkAt = now.Add(recheck * keepAlive)
		return stillMay() == nil
	}
	for beatAt := time.Now().Add(keepAlive); ; {
		wait, done := context.WithDeadline(ctx, beatAt)
		err := a.relay(ctx, wait, out, sub, f, may, &beatAt)
		done()
		if ctx.Err() != nil {
			return
		}
		if now := time.Now(); err == nil && !now.Before(beatAt) {
			if !may(now) {
				return
			}
			err = out.beat()
			beatAt = now.Add(keepAlive)
		}
		if err != nil {
			a.Log.DebugContext(ctx, "event stream ended", "seq", out.sent, "err", err)
			if errors.Is(err, live.ErrReset) {
				a.reset(ctx, out)
			}
			return
		}
	}
}

// reset is a stream's last word when a backup is restored under it.
func (a *api) reset(ctx context.Context, out *events) {
	head, err := a.Store.Head(ctx)
	if err == nil {
		err = out.write(resetFrame(head))
	}
	if err != nil { // the reader is told when it comes back
		a.Log.DebugContext(ctx, "say that the numbers begin anew", "err", err)
	}
}

// errMayNot says that the reader may no longer read.
var errMayNot = errors.New("the reader may no longer read")

// relay writes what comes until wait is over. What was written makes the next heartbeat later.
func (a *api) relay(ctx, wait context.Context, out *events, sub Subscription, f followed, may func(time.Time) bool, beatAt *time.Time) error {
	for {
		events, err := sub.Next(wait)
		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		now := time.Now()
		if !may(now) {
			return errMayNot
		}
		sent := out.sent
		if err := a.send(ctx, out, f, events); err != nil {
			return err
		}
		if out.sent != sent {
			*beatAt = now.Add(keepAlive)
		}
	}
}

// send writes those of the entries that are wanted, in one piece.
func (a *api) send(ctx context.Context, out *events, f followed, events []live.Event) error {
	o, err := orgOf(ctx, events, a.Store.Org)
	if err != nil {
		return err
	}
	var text []byte
	for _, ev := range events {
		e := ev.Entry
		if e.Seq == 0 { // a change of an incident, which has its entry
			continue
		}
		out.seen = max(out.seen, e.Seq)
		if e.Seq <= out.sent || !f.wants(e) || e.Room != "" && !o.CanRead(f.by, e.Room) { // who leaves a room hears no more of it
			continue
		}
		frame, err := ev.Frame("api", func(live.Event) ([]byte, error) { return a.frame(ctx, e) })
		if err != nil {
			return fmt.Errorf("write entry %d: %w", e.Seq, err)
		}
		if text == nil { // mostly it is one, and all readers share it
			text = slices.Clip(frame)
		} else {
			text = append(text, frame...)
		}
		out.sent = e.Seq
	}
	if text == nil {
		return nil
	}
	return out.write(text)
}

// orgOf is the organisation that says who may see events: the one that came with
// the last of them; what was missed comes without.
func orgOf(ctx context.Context, events []live.Event, now func(context.Context) (*org.Org, error)) (*org.Org, error) {
	for _, e := range slices.Backward(events) {
		if e.Org != nil {
			return e.Org, nil
		}
	}
	return now(ctx)
}

// frame is an entry as it stands in a stream, the same for every reader.
func (a *api) frame(ctx context.Context, e timeline.Entry) ([]byte, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(entryView(o, e))
	return fmt.Appendf(nil, "id: %d\ndata: %s\n\n", e.Seq, data), err
}

// events is the writing side of a stream.
type events struct {
	w    io.Writer
	sent id.Seq // the last number the reader was given
	seen id.Seq // the last one that was looked at
}

// beat is a comment; with it goes, without an event, the number of what was
// passed over, so that coming back does not search all of that again.
func (e *events) beat() error {
	if e.seen <= e.sent {
		return e.write([]byte(":\n\n"))
	}
	e.sent = e.seen
	return e.write([]byte(": passed\nid: " + number(e.sent) + "\n\n"))
}

func (e *events) write(text []byte) error {
	_, err := e.w.Write(text)
	return err
}
