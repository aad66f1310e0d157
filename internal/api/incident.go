package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

type listIncidentsInput struct {
	Paging
	State []string `query:"state" enum:"triggered,acknowledged,resolved" doc:"Only those in one of these states, separated by commas."`
	Team  string   `query:"team" maxLength:"100" doc:"Only those of this team: its id or slug."`
	Query string   `query:"q" maxLength:"200" doc:"Only those with words that begin like each of these."`
}

type (
	incidentInput struct {
		ID int64 `path:"id" minimum:"1" doc:"The number of the incident."`
	}
	incidentOutput       struct{ Body IncidentView }
	incidentDetailOutput struct{ Body IncidentDetail }
	openedOutput         struct {
		Status   int
		Location string `header:"Location" doc:"The address of the incident."`
		Body     IncidentDetail
	}
)

// OpenBody opens an incident by hand.
type OpenBody struct {
	Title      string `json:"title" minLength:"1" maxLength:"500" example:"The shop is down" doc:"What is the matter, in a line."`
	Message    string `json:"message,omitempty" maxLength:"20000" doc:"What one should know."`
	RoutingKey string `json:"routing_key,omitempty" maxLength:"80" doc:"Whom to page; the default policy when absent."`
	EntityID   string `json:"entity_id,omitempty" maxLength:"500" doc:"What it is about: an open incident of the same entity is updated instead, and a later RECOVERY of it resolves this one. Made up when absent."`
}

// SnoozeBody says how long.
type SnoozeBody struct {
	Until *time.Time `json:"until,omitempty" doc:"At most 24 hours ahead."`
	For   string     `json:"for,omitempty" maxLength:"20" example:"2h" doc:"Instead of until: a duration such as 90m or 2h."`
}

// RerouteBody says to whom.
type RerouteBody struct {
	Policy string `json:"policy,omitempty" maxLength:"100" example:"network" doc:"An escalation policy: its id or slug."`
	User   string `json:"user,omitempty" maxLength:"254" doc:"Or a person: id, username or e-mail address."`
}

// RespondersBody says whom to ask.
type RespondersBody struct {
	Users []string `json:"users" minItems:"1" maxItems:"100" nullable:"false" example:"max,ada" doc:"People: id, username or e-mail address."`
}

// TextBody is something somebody wrote.
type TextBody struct {
	Text string `json:"text" minLength:"1" maxLength:"10000" example:"The disk was full of old logs."`
}

type (
	openInput   struct{ Body OpenBody }
	snoozeInput struct {
		ID   int64 `path:"id" minimum:"1" doc:"The number of the incident."`
		Body SnoozeBody
	}
	rerouteInput struct {
		ID   int64 `path:"id" minimum:"1" doc:"The number of the incident."`
		Body RerouteBody
	}
	respondersInput struct {
		ID   int64 `path:"id" minimum:"1" doc:"The number of the incident."`
		Body RespondersBody
	}
	noteInput struct {
		ID   int64 `path:"id" minimum:"1" doc:"The number of the incident."`
		Body TextBody
	}
)

func (a *api) registerIncidents() {
	handle(a, "list-incidents", a.listIncidents)
	handle(a, "show-incident", a.showIncident)
	handle(a, "open-incident", a.openIncident)
	handle(a, "acknowledge-incident", a.simply(a.Dispatch.Acknowledge))
	handle(a, "unacknowledge-incident", a.simply(a.Dispatch.Unacknowledge))
	handle(a, "resolve-incident", a.simply(a.Dispatch.Resolve))
	handle(a, "snooze-incident", a.snooze)
	handle(a, "reroute-incident", a.reroute)
	handle(a, "add-responders", a.addResponders)
	handle(a, "add-note", func(ctx context.Context, by people.Actor, in *noteInput) (*incidentOutput, error) {
		return a.acted(ctx)(a.Dispatch.AddNote(ctx, by, id.Incident(in.ID), in.Body.Text))
	})
}

func (a *api) listIncidents(ctx context.Context, _ people.Actor, in *listIncidentsInput) (*listOutput[IncidentView], error) {
	before, err := incidentCursor.number(in.Cursor)
	if err != nil {
		return nil, err
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	f := store.IncidentFilter{Before: id.Incident(before), Limit: in.Limit + 1, Words: store.Words(in.Query)}
	for _, s := range in.State {
		f.States = append(f.States, incident.State(s))
	}
	if f.Team, err = teamRef(o, "team", in.Team); err != nil {
		return nil, err
	}
	found, err := a.Store.Incidents(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list incidents: %w", err)
	}
	found, next := paged(found, in.Limit, incidentCursor, func(inc incident.Incident) string { return strconv.FormatInt(int64(inc.ID), 10) })
	out := &listOutput[IncidentView]{Body: List[IncidentView]{Items: []IncidentView{}, NextCursor: next}}
	for _, inc := range found {
		out.Body.Items = append(out.Body.Items, a.incidentView(o, inc))
	}
	return out, nil
}

func (a *api) incident(ctx context.Context, n id.Incident) (incident.Incident, error) {
	inc, err := a.Store.Incident(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		if gone, err := a.Store.IncidentGone(ctx, n); err == nil && gone {
			return inc, fault.Gone(phrase.T("retention.incident_gone", n))
		}
		return inc, fault.NotFound(phrase.T("dispatch.no_such_incident", n))
	}
	if err != nil {
		return inc, fmt.Errorf("load incident %d: %w", n, err)
	}
	return inc, nil
}

func (a *api) loadIncident(ctx context.Context, n id.Incident) (IncidentDetail, error) {
	inc, err := a.incident(ctx, n)
	if err != nil {
		return IncidentDetail{}, err
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return IncidentDetail{}, err
	}
	return a.incidentDetail(ctx, o, inc)
}

func (a *api) showIncident(ctx context.Context, _ people.Actor, in *incidentInput) (*incidentDetailOutput, error) {
	d, err := a.loadIncident(ctx, id.Incident(in.ID))
	return &incidentDetailOutput{Body: d}, err
}

// openIncident takes the way of every alert, so that a person's incident is
// routed, rolled up and kept like any other.
func (a *api) openIncident(ctx context.Context, by people.Actor, in *openInput) (*openedOutput, error) {
	raw, err := json.Marshal(in.Body)
	if err != nil {
		return nil, fmt.Errorf("write alert: %w", err)
	}
	entity := in.Body.EntityID
	if entity == "" {
		entity = "manual/" + id.New()
	}
	al, err := a.Dispatch.Accept(ctx, alert.Alert{
		RoutingKey: in.Body.RoutingKey, Type: alert.Critical, EntityID: entity, Title: in.Body.Title, Message: in.Body.Message,
		Tool: phrase.T("api.manual.tool"), Fields: map[string]string{"opened_by": by.Name}, Raw: string(raw),
	})
	if err != nil {
		return nil, err
	}
	d, err := a.loadIncident(ctx, al.Incident)
	if err != nil {
		return nil, err
	}
	out := &openedOutput{Status: http.StatusCreated, Location: prefix + "/incidents/" + strconv.FormatInt(int64(d.ID), 10), Body: d}
	if d.AlertCount > 1 {
		out.Status = http.StatusOK // there was one already
	}
	return out, nil
}

// acted turns the result of an action into the answer of all actions.
func (a *api) acted(ctx context.Context) func(incident.Incident, error) (*incidentOutput, error) {
	return func(inc incident.Incident, err error) (*incidentOutput, error) {
		if err != nil {
			return nil, err
		}
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		return &incidentOutput{Body: a.incidentView(o, inc)}, nil
	}
}

// simply is the handler of an action that needs nothing but the incident.
func (a *api) simply(action func(context.Context, people.Actor, id.Incident) (incident.Incident, error)) func(context.Context, people.Actor, *incidentInput) (*incidentOutput, error) {
	return func(ctx context.Context, by people.Actor, in *incidentInput) (*incidentOutput, error) {
		return a.acted(ctx)(action(ctx, by, id.Incident(in.ID)))
	}
}

func (a *api) snooze(ctx context.Context, by people.Actor, in *snoozeInput) (*incidentOutput, error) {
	var until time.Time
	switch b := in.Body; {
	case (b.Until == nil) == (b.For == ""):
		return nil, fault.Invalid("until", phrase.T("api.either", "until", "for"))
	case b.Until != nil:
		until = *b.Until
	default:
		d, err := time.ParseDuration(b.For)
		if err != nil {
			return nil, fault.Invalid("for", phrase.T("api.bad_duration", b.For))
		}
		if d < dispatch.MinSnooze || d > dispatch.MaxSnooze {
			return nil, fault.Invalid("for", phrase.T("dispatch.snooze_range"))
		}
		// The clock runs on until it is judged: a minute must not be too short by then.
		until = a.now().Add(max(d, dispatch.MinSnooze+time.Second))
	}
	return a.acted(ctx)(a.Dispatch.Snooze(ctx, by, id.Incident(in.ID), until))
}

func (a *api) reroute(ctx context.Context, by people.Actor, in *rerouteInput) (*incidentOutput, error) {
	if (in.Body.Policy == "") == (in.Body.User == "") {
		return nil, fault.Invalid("policy", phrase.T("api.either", "policy", "user"))
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	policy, err := policyRef(o, "policy", in.Body.Policy)
	if err != nil {
		return nil, err
	}
	if policy != "" {
		return a.acted(ctx)(a.Dispatch.RerouteToPolicy(ctx, by, id.Incident(in.ID), policy))
	}
	user, err := userRef(o, "user", in.Body.User)
	if err != nil {
		return nil, err
	}
	return a.acted(ctx)(a.Dispatch.RerouteToUser(ctx, by, id.Incident(in.ID), user))
}

func (a *api) addResponders(ctx context.Context, by people.Actor, in *respondersInput) (*incidentOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	users, err := userRefs(o, "users", in.Body.Users)
	if err != nil {
		return nil, err
	}
	return a.acted(ctx)(a.Dispatch.AddResponders(ctx, by, id.Incident(in.ID), users...))
}
