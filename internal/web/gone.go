package web

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/timeline"
)

// incidentGone is err, or what is to be said instead when there once was such an incident.
func (s *Server) incidentGone(ctx context.Context, n id.Incident, err error) error {
	if !fault.Is(err, fault.CodeNotFound) {
		return err
	}
	if gone, failed := s.Store.IncidentGone(ctx, n); failed != nil || !gone {
		return err
	}
	return fault.Gone(phrase.T("retention.incident_gone", n))
}

// messageGone is what is to be said of a number under which there is no entry.
// Whether one was there is no secret: all numbers up to the last were given out.
func (s *Server) messageGone(ctx context.Context, seq id.Seq) error {
	if gone, err := s.Store.Gone(ctx, seq); err != nil || !gone {
		return noMessage()
	}
	return fault.Gone(phrase.T("retention.message_gone"))
}

// lookBack is how many runs of retention are looked at for one that removed lines.
const lookBack = 20

// removedFrom is when retention last removed lines such as stand in a room; the
// zero time when it never did. Which rooms they stood in nobody has written down.
func (s *Server) removedFrom(ctx context.Context, r id.Room) (time.Time, error) {
	runs, err := s.Store.Removals(ctx, lookBack)
	if err != nil {
		return time.Time{}, err
	}
	for _, e := range runs {
		p, _ := e.Payload.(timeline.Removal)
		if p.Messages > 0 || r == room.Main && p.Entries+p.Incidents > 0 {
			return e.At, nil
		}
	}
	return time.Time{}, nil
}
