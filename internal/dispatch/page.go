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
	"github.com/watchroom/watchroom/internal/org"
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
		return page(tx, actor.Who(), title, entity, user.Username, directTo(actor.Who(), user))
	})
}

func directTo(by timeline.Actor, u people.User) incident.Reroute {
	return incident.Reroute{By: by, Policy: escalation.Direct(u.ID, u.Name), Direct: u.ID, DirectName: u.Name}
}

// page opens an incident and hands it over at once.
func page(tx *store.Tx, by timeline.Actor, title, entity, to string, handed incident.Reroute) (incident.Incident, error) {
	raw, err := json.Marshal(map[string]string{"title": title, "by": by.Name, "to": to})
	if err != nil {
		return incident.Incident{}, fmt.Errorf("write alert: %w", err)
	}
	a := alert.Alert{
		ID: tx.NewAlert(), ReceivedAt: tx.Now, Type: alert.Critical, EntityID: entity, Title: alert.Cut(title, 200), Message: title,
		Tool: phrase.T("dispatch.page_tool"), Fields: map[string]string{"opened_by": by.Name}, Raw: string(raw),
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
	done := incident.Decide(opened.Incident, handed, facts(tx, opened.Incident, ""), tx.Now)
	tx.Save(done)
	return done.Incident, nil
}

// Alarm pages whoever answers for a team, within the transaction of what is to
// be told: by the first of its policies, or else by the default one. Where there
// is neither, each administrator who can be reached is paged.
func Alarm(tx *store.Tx, by timeline.Actor, team id.Team, title, entity string) error {
	var policy escalation.Policy
	for _, p := range org.Sorted(tx.Org.Policies, func(p escalation.Policy) string { return p.Slug }) {
		if policy.ID == "" && team != "" && p.Team == team {
			policy = p
		}
	}
	if policy.ID == "" {
		policy = tx.Org.Policies[tx.Org.Settings.DefaultPolicy]
	}
	if policy.ID != "" {
		_, err := page(tx, by, title, entity, policy.Slug, incident.Reroute{By: by, Policy: policy})
		return err
	}
	for _, u := range org.Sorted(tx.Org.Users, func(u people.User) string { return u.Username }) {
		if u.Role != people.Admin || u.Disabled || u.Robot || !u.Reachable() {
			continue
		}
		if _, err := page(tx, by, title, entity+"/"+u.Username, u.Username, directTo(by, u)); err != nil {
			return err
		}
	}
	return nil
}
