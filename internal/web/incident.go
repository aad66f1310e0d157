package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

// How many incidents the pane shows in each state; /incidents has them all.
const (
	openCards     = 100
	resolvedCards = 20
)

func (s *Server) incidentRoutes() []Route {
	return []Route{
		{"GET /incidents", people.Read, s.incidentList},
		{"GET /incidents/{n}", people.Read, s.room},
		{"GET /incidents/{n}/card", people.Read, s.showCard},
		{"POST /incidents/{n}/ack", people.Respond, s.acknowledge},
		{"POST /incidents/{n}/unack", people.Respond, s.unacknowledge},
		{"POST /incidents/{n}/resolve", people.Respond, s.resolve},
		{"POST /incidents/{n}/snooze", people.Respond, s.snooze},
		{"POST /incidents/{n}/reroute", people.Respond, s.reroute},
		{"POST /incidents/{n}/responders", people.Respond, s.addResponders},
		{"POST /incidents/{n}/notes", people.Respond, s.addNote},
	}
}

// incidentsPane is the right pane.
func (s *Server) incidentsPane(ctx context.Context, o *org.Org, v view.Viewer) (view.Incidents, error) {
	out := view.Incidents{}
	if v.May(string(people.Respond)) {
		out.Responders = responders(o)
	}
	// Before the incidents, so that no card claims to be newer than it is.
	head, err := s.Store.Head(ctx)
	if err != nil {
		return out, err
	}
	counts, err := s.Store.Counts(ctx)
	if err != nil {
		return out, err
	}
	for _, list := range []struct {
		state incident.State
		limit int
		into  *[]view.Incident
	}{
		{incident.Triggered, openCards, &out.Triggered},
		{incident.Acknowledged, openCards, &out.Acknowledged},
		{incident.Resolved, resolvedCards, &out.Resolved},
	} {
		found, err := s.Store.Incidents(ctx, store.IncidentFilter{States: []incident.State{list.state}, Limit: list.limit})
		if err != nil {
			return out, err
		}
		for _, inc := range found {
			card, err := s.cardOf(ctx, o, inc, head.Seq)
			if err != nil {
				return out, err
			}
			*list.into = append(*list.into, card)
		}
	}
	out.Counts = view.Counts{Triggered: counts.Triggered, Acknowledged: counts.Acknowledged, Resolved: len(out.Resolved)}
	return out, nil
}

// showCard is one incident as its card is now.
func (s *Server) showCard(w http.ResponseWriter, r *http.Request) error {
	return s.drawCard(w, r, incidentOf(r.PathValue("n")))
}

func (s *Server) drawCard(w http.ResponseWriter, r *http.Request, n id.Incident) error {
	o, card, err := s.card(r.Context(), n)
	if err != nil {
		return err
	}
	return draw(w, r, http.StatusOK, view.IncidentCard(card, s.viewer(o, actorOf(r))))
}

// card loads an incident as it is now.
func (s *Server) card(ctx context.Context, n id.Incident) (*org.Org, view.Incident, error) {
	o, err := s.organisation(ctx)
	if err != nil {
		return nil, view.Incident{}, err
	}
	head, err := s.Store.Head(ctx)
	if err != nil {
		return nil, view.Incident{}, err
	}
	inc, err := s.incident(ctx, n)
	if err != nil {
		return nil, view.Incident{}, err
	}
	card, err := s.cardOf(ctx, o, inc, head.Seq)
	return o, card, err
}

// incident loads an incident; fault.CodeNotFound when there is none.
func (s *Server) incident(ctx context.Context, n id.Incident) (incident.Incident, error) {
	inc, err := s.Store.Incident(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return inc, fault.NotFound(phrase.T("webmain.no_such_incident"))
	}
	return inc, err
}

// cardOf draws inc, which was read at or after seq. What an incident does not
// keep itself, its entries tell: whom the running step pages, which pages were
// given up, how many notes there are.
func (s *Server) cardOf(ctx context.Context, o *org.Org, inc incident.Incident, seq id.Seq) (view.Incident, error) {
	told, err := s.Store.Entries(ctx, store.EntryFilter{
		Incident: inc.ID, Kinds: []timeline.Kind{timeline.StepStarted, timeline.PageFailed, timeline.NoteAdded, timeline.MessagePosted}, Limit: mostAtOnce,
	})
	if err != nil {
		return view.Incident{}, err
	}
	card := bareCard(o, inc)
	card.Seq = seq
	card.Paging = paging(o, inc)
	for _, e := range told {
		switch p := e.Payload.(type) {
		case timeline.Step:
			if inc.Started {
				card.Paging.People = stepPeople(o, p)
			}
		case timeline.PageLost:
			card.Paging.Failed++
		case timeline.Noted:
			card.Notes++
		case timeline.Message:
			if !p.Deleted {
				card.Notes++
			}
		}
	}
	return card, nil
}

// bareCard is what the incident itself says.
func bareCard(o *org.Org, inc incident.Incident) view.Incident {
	card := view.Incident{
		Number: inc.ID, State: string(inc.State), Severity: string(inc.Severity), Title: inc.Title, Message: inc.Message,
		EntityID: inc.EntityID, Host: inc.Host, Tool: inc.Tool, RoutingKey: inc.RoutingKey, Team: o.Teams[inc.Team].Name,
		AlertCount: inc.AlertCount, TriggeredAt: inc.TriggeredAt, LastAlertAt: inc.LastAlertAt,
		AckedAt: inc.AckedAt, SnoozedUntil: inc.SnoozedUntil, ResolvedAt: inc.ResolvedAt,
	}
	if !inc.AckedAt.IsZero() {
		card.AckedBy = whoName(o, inc.AckedBy)
	}
	if !inc.ResolvedAt.IsZero() && (inc.ResolvedBy.User != "" || inc.ResolvedBy.Origin != timeline.Monitoring) {
		card.ResolvedBy = whoName(o, inc.ResolvedBy)
	}
	return card
}

// paging is how far the escalation has come.
func paging(o *org.Org, inc incident.Incident) view.Paging {
	policy, ok := policyOf(o, inc)
	p := view.Paging{Policy: policy.Name, Steps: len(policy.Steps), NextAt: inc.NextAt}
	if inc.Started {
		p.Step, p.Round = inc.Step.Step+1, inc.Step.Round+1
	}
	if inc.State != incident.Triggered {
		return p
	}
	p.Nobody = !ok || len(policy.Steps) == 0
	p.Exhausted = !p.Nobody && inc.NextAt.IsZero()
	return p
}

// policyOf is the policy that an incident runs, in the version it began with.
func policyOf(o *org.Org, inc incident.Incident) (escalation.Policy, bool) {
	facts := o.Facts(inc, inc.RoutingKey, inc.TriggeredAt)
	return facts.Policy, facts.HasPolicy
}

func stepPeople(o *org.Org, p timeline.Step) []string {
	names := make([]string, 0, len(p.Users))
	for i, u := range p.Users {
		switch user, ok := o.Users[u]; {
		case ok:
			names = append(names, user.Name)
		case i < len(p.Names):
			names = append(names, p.Names[i])
		}
	}
	return names
}

// whoName is who did it, as people say it.
func whoName(o *org.Org, a timeline.Actor) string {
	if user, ok := o.Users[a.User]; ok {
		return user.Name
	}
	if a.Name != "" {
		return a.Name
	}
	return phrase.T("story.actor." + string(a.Origin))
}
