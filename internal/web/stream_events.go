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
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

// send writes the entries that the filter lets through, then the cards of all
// incidents that anything happened to, each once. Both are drawn once for all
// readers, in no zone and for nobody in particular; browsers show times in
// their own.
func (out *reader) send(ctx context.Context, events []live.Event) error {
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
		if !out.filter.match(e.Entry) {
			continue
		}
		frame, err := e.Frame("web", func(e live.Event) ([]byte, error) { return out.s.entryFrame(ctx, e.Entry) })
		if err != nil {
			return err
		}
		out.write(frame)
		out.told = e.Entry.Seq
	}
	return out.cards(ctx, events, touched)
}

// changesCard reports whether an entry shows on its incident's card although
// the incident did not change.
func changesCard(kind timeline.Kind) bool {
	switch kind {
	case timeline.NoteAdded, timeline.PageSent, timeline.PageRetrying, timeline.PageFailed, timeline.PageDelivered, timeline.PageMovedOn, timeline.PageHeld, timeline.ResponderAcknowledged:
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
	html, err := markup(ctx, view.EntryItem(view.Describe(e, namesOf(o, nil)), view.Viewer{}))
	if err != nil {
		return nil, err
	}
	return event("entry", e.Seq, struct {
		Seq      id.Seq      `json:"seq"`
		HTML     string      `json:"html"`
		Incident id.Incident `json:"incident,omitempty"`
	}{e.Seq, html, e.Incident})
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
