package outbox

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// rooms are what the bot says in the rooms that a step tells: lines for the
// organisation's timeline, which belong to the incident, and for other rooms.
// Of a room that cannot be written in the timeline tells instead.
func rooms(e timeline.Entry, tx *store.Tx) (lines []timeline.Entry, elsewhere []dispatch.Line, err error) {
	p, ok := e.Payload.(timeline.Told)
	if !ok || len(p.Rooms) == 0 {
		return nil, nil, nil
	}
	title, err := titleOf(e.Incident, tx)
	if err != nil {
		return nil, nil, err
	}
	line := func(text string) {
		said := timeline.Message{Text: text}
		lines = append(lines, timeline.Entry{
			Kind: said.Kind(), Actor: tx.Org.Settings.Bot.Actor(), Incident: e.Incident, Team: e.Team, Payload: said,
		})
	}
	text := phrase.T("outbox.room", e.Incident, title, p.PolicyName)
	var told []id.Room
	for _, name := range p.Rooms {
		r, ok := tx.Org.TellableRoom(name)
		switch {
		case !ok:
			line(phrase.T("outbox.no_room", e.Incident, name, p.PolicyName))
			continue
		case slices.Contains(told, r.ID):
			continue
		case r.ID == room.Main:
			line(text)
		default:
			elsewhere = append(elsewhere, dispatch.Line{Room: r.ID, Text: text})
		}
		told = append(told, r.ID)
	}
	return lines, elsewhere, nil
}

// titleOf is what an incident is about, as code: what a sender wrote must call
// nobody by name.
func titleOf(n id.Incident, tx *store.Tx) (string, error) {
	title := ""
	for _, e := range tx.Appended(timeline.IncidentTriggered) { // it may be as new as the step
		if p, ok := e.Payload.(timeline.Triggered); ok && e.Incident == n {
			title = p.Title
		}
	}
	if title == "" {
		inc, err := tx.Incident(n)
		if err != nil && !errors.Is(err, store.ErrNotFound) { // whoever plans must not stop for ever at what is gone
			return "", err
		}
		title = cmp.Or(inc.Title, inc.EntityID, "…")
	}
	plain := strings.Join(strings.Fields(strings.ReplaceAll(title, "`", "'")), " ")
	return "`" + alert.Cut(plain, maxTitle) + "`", nil
}

// maxTitle bounds a title within a line, in bytes.
const maxTitle = 200
