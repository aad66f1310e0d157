package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Page opens an incident that goes to one person and to nobody else. While one
// of the same entity is open that one is returned, so that asking twice pages once.
func (d *Dispatcher) Page(ctx context.Context, actor people.Actor, u id.User, title, entity string) (incident.Incident, error) {
	if !actor.May(people.Respond) {
		return incident.Incident{}, forbidden()
	}
	title, err := cleanText(title)
	if err != nil {
		return incident.Incident{}, err
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (incident.Incident, error) {
		user, err := activeUser(tx, u)
		if err != nil {
			return incident.Incident{}, err
		}
		if !user.Reachable() {
			return incident.Incident{}, fault.Conflict(phrase.T("dispatch.unreachable", user.Name))
		}
		open, err := tx.OpenIncidents([]string{entity})
		if err != nil {
			return incident.Incident{}, err
		}
		if inc, ok := open[entity]; ok {
			return inc, nil
		}
		raw, err := json.Marshal(map[string]string{"title": title, "by": actor.Name, "to": user.Username})
		if err != nil {
			return incident.Incident{}, fmt.Errorf("write alert: %w", err)
		}
		a := alert.Alert{
			ID: tx.NewAlert(), ReceivedAt: tx.Now, Type: alert.Critical, EntityID: entity, Title: alert.Cut(title, 200), Message: title,
			Tool: phrase.T("dispatch.page_tool"), Fields: map[string]string{"opened_by": actor.Name}, Raw: string(raw),
		}
		inc := incident.Incident{ID: tx.NewIncident()}
		f := facts(tx, inc, "")
		f.HasPolicy, f.Policy, f.DefaultRoute = false, escalation.Policy{}, false
		opened := incident.Decide(inc, incident.Arrived{Alert: a}, f, tx.Now)
		// It has no policy for the moment until it is handed over.
		opened.Entries = slices.DeleteFunc(opened.Entries, func(e timeline.Entry) bool { return e.Kind == timeline.EscalationExhausted })
		tx.Save(opened)
		a.Incident = opened.Incident.ID
		tx.PutAlert(a)
		handed := incident.Decide(opened.Incident, incident.Reroute{By: actor.Who(), Policy: escalation.Direct(u, user.Name), Direct: u, DirectName: user.Name}, facts(tx, opened.Incident, ""), tx.Now)
		tx.Save(handed)
		return handed.Incident, nil
	})
}
