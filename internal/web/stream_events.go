package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/a-h/templ"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/live"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

// send writes the entries that the filter lets through, then the cards of all
// incidents that anything happened to, each once. Both are drawn once for all
// readers, in no zone and for nobody in particular; browsers show times in
// their own.
func (out *reader) send(ctx context.Context, events []live.Event) error {
	var o *org.Org // comes with what happens now
	for _, e := range events {
		if e.Org != nil {
			o = e.Org
		}
	}
	if o == nil {
		var err error
		if o, err = out.s.organisation(ctx); err != nil {
			return err
		}
	}
	touched := map[id.Incident]live.Event{}
	for _, e := range events {
		if e.Incident.ID != 0 {
			touched[e.Incident.ID] = e
			continue
		}
		if e.Entry.Incident != 0 && (e.Entry.Seq <= out.missed || changesCard(e.Entry.Kind)) {
			touched[e.Entry.Incident] = e
		}
		out.seen = e.Entry.Seq
		if !mayHear(o, out.actor.User, e.Entry.Room) {
			if out.leftOut(e.Entry) {
				out.write([]byte("event: rooms\ndata: {}\n\n"))
			}
			continue
		}
		if err := out.entry(ctx, o, e); err != nil {
			return err
		}
	}
	return out.cards(ctx, events, touched)
}

// leftOut reports whether an entry may have taken a room from the reader.
func (out *reader) leftOut(e timeline.Entry) bool {
	_, changed := e.Payload.(timeline.RoomChange)
	_, known := out.counts[e.Room]
	return changed && (known || out.filter.room == e.Room)
}

// entry writes what one entry, in a room that the reader may read, means to them.
func (out *reader) entry(ctx context.Context, o *org.Org, e live.Event) error {
	switch e.Entry.Kind {
	case timeline.MessagePosted:
		if err := out.unread(ctx, o, e); err != nil {
			return err
		}
	case timeline.MessageEdited, timeline.MessageDeleted:
		if err := out.changed(ctx, o, e.Entry); err != nil {
			return err
		}
	case timeline.RoomOpened, timeline.RoomChanged, timeline.RoomClosed:
		out.write([]byte("event: rooms\ndata: {}\n\n"))
	}
	if of, in := aboutMessage(e.Entry); of != 0 && in == out.filter.room && mayHear(o, out.actor.User, in) {
		frame, err := e.Frame("web:message", func(live.Event) ([]byte, error) { return out.s.messageFrame(ctx, of) })
		if err != nil {
			return err
		}
		out.write(frame)
	}
	if quietKind(e.Entry.Kind) || !out.filter.match(e.Entry) {
		return nil
	}
	frame, err := e.Frame("web", func(e live.Event) ([]byte, error) { return out.s.entryFrame(ctx, e.Entry) })
	if err != nil {
		return err
	}
	out.write(frame)
	out.told = e.Entry.Seq
	return nil
}

// aboutMessage is the message that an entry changes, and its room; 0 for none.
func aboutMessage(e timeline.Entry) (of id.Seq, in id.Room) {
	switch p := e.Payload.(type) {
	case timeline.Edit:
		return p.Of, e.Room
	case timeline.Deletion:
		return p.Of, e.Room
	case timeline.Pin:
		return p.Of, e.Room
	case timeline.Unpin:
		return p.Of, e.Room
	case timeline.Reaction:
		return p.Of, e.Room
	case timeline.ReactionGone:
		return p.Of, e.Room
	case timeline.Link:
		return p.Of, p.Room
	case timeline.Message:
		return e.Thread, e.Room // whose number of replies has grown
	}
	return 0, ""
}

// quietKind reports whether an entry of this kind shows on its message alone.
func quietKind(kind timeline.Kind) bool {
	switch kind {
	case timeline.MessageEdited, timeline.MessageDeleted, timeline.MessageUnpinned, timeline.ReactionAdded, timeline.ReactionRemoved:
		return true
	}
	return false
}

// changesCard reports whether an entry shows on its incident's card although
// the incident did not change.
func changesCard(kind timeline.Kind) bool {
	switch kind {
	case timeline.NoteAdded, timeline.MessagePosted, timeline.MessageDeleted, timeline.PageSent, timeline.PageRetrying, timeline.PageFailed, timeline.PageDelivered, timeline.PageMovedOn, timeline.PageHeld, timeline.ResponderAcknowledged:
		return true
	}
	return false
}

func (out *reader) cards(ctx context.Context, events []live.Event, touched map[id.Incident]live.Event) error {
	if len(touched) == 0 {
		return nil
	}
	// Counted with the last event of a batch: readers that keep up share it.
	counts, err := events[len(events)-1].Frame("web:counts", func(live.Event) ([]byte, error) { return out.s.countsJSON(ctx) })
	if err != nil {
		return err
	}
	variant := "web:card:read"
	if out.actor.May(people.Respond) {
		variant = "web:card:respond"
	}
	for n, e := range touched {
		card, err := e.Frame(variant, func(live.Event) ([]byte, error) { return out.s.cardJSON(ctx, n, out.actor) })
		if err != nil {
			return err
		}
		if len(card) == 0 {
			continue
		}
		out.write([]byte("event: card\ndata: "))
		out.write(card)
		out.write(counts)
		out.write([]byte("}\n\n"))
	}
	return nil
}

// people sends the people pane when it has changed since it was sent last; the
// page may be a little older than the stream, so the first time it is sent anyhow.
func (out *reader) people(ctx context.Context) error {
	o, err := out.s.organisation(ctx)
	if err != nil {
		return err
	}
	now := out.s.Now()
	c, version := out.s.crowds.now(now, func() crowd { return out.s.people(o, now) })
	if version == out.crowd {
		return nil
	}
	out.crowd = version
	html, err := markup(ctx, view.PeopleBody(c.as(out.actor.User), out.s.viewer(o, out.actor)))
	if err != nil {
		return err
	}
	frame, err := event("people", 0, map[string]string{"html": html})
	out.write(frame)
	return err
}

func (s *Server) entryFrame(ctx context.Context, e timeline.Entry) ([]byte, error) {
	ctx = context.WithoutCancel(ctx) // it is for the other readers, too
	o, err := s.organisation(ctx)
	if err != nil {
		return nil, err
	}
	html, err := s.entryMarkup(ctx, o, e)
	if err != nil {
		return nil, err
	}
	return event("entry", e.Seq, struct {
		Seq      id.Seq      `json:"seq"`
		HTML     string      `json:"html"`
		Incident id.Incident `json:"incident,omitempty"`
		Thread   id.Seq      `json:"thread,omitempty"`
	}{e.Seq, html, e.Incident, e.Thread})
}

func (s *Server) entryMarkup(ctx context.Context, o *org.Org, e timeline.Entry) (string, error) {
	drawn, err := s.describe(ctx, o, []timeline.Entry{e}, nil)
	if err != nil {
		return "", err
	}
	return markup(ctx, view.EntryItem(drawn[0], view.Viewer{}))
}

// messageFrame is a message as it is now. It is empty when retention has
// removed it.
func (s *Server) messageFrame(ctx context.Context, of id.Seq) ([]byte, error) {
	ctx = context.WithoutCancel(ctx)
	o, err := s.organisation(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.Store.EntriesBySeq(ctx, []id.Seq{of})
	if err != nil || len(found) == 0 {
		return []byte{}, err
	}
	html, err := s.entryMarkup(ctx, o, found[0])
	if err != nil {
		return nil, err
	}
	return event("message", 0, map[string]any{"seq": of, "html": html})
}

// cardJSON is the card of an incident as it is now, without its closing brace:
// the counts follow. It is empty when there is no such incident.
func (s *Server) cardJSON(ctx context.Context, n id.Incident, actor people.Actor) ([]byte, error) {
	ctx = context.WithoutCancel(ctx)
	_, card, err := s.card(ctx, n)
	if fault.Is(err, fault.CodeNotFound) {
		return []byte{}, nil
	}
	if err != nil {
		return nil, err
	}
	html, err := markup(ctx, view.IncidentCard(card, view.Viewer{Can: func(action string) bool { return actor.May(people.Permission(action)) }}))
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(struct {
		Number id.Incident `json:"number"`
		State  string      `json:"state"`
		Seq    id.Seq      `json:"seq"`
		HTML   string      `json:"html"`
	}{n, card.State, card.Seq, html})
	if err != nil {
		return nil, fmt.Errorf("write card of incident %d: %w", n, err)
	}
	return bytes.TrimSuffix(data, []byte("}")), nil
}

func (s *Server) countsJSON(ctx context.Context) ([]byte, error) {
	counts, err := s.Store.Counts(context.WithoutCancel(ctx))
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(counts)
	if err != nil {
		return nil, fmt.Errorf("write counts: %w", err)
	}
	return append([]byte(`,"counts":`), data...), nil
}

func markup(ctx context.Context, c templ.Component) (string, error) {
	var b bytes.Buffer
	if err := c.Render(ctx, &b); err != nil {
		return "", err
	}
	return b.String(), nil
}
