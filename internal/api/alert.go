package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// AlertView is one accepted alert.
type AlertView struct {
	ID          id.Alert          `json:"id"`
	ReceivedAt  time.Time         `json:"received_at"`
	Integration id.Integration    `json:"integration,omitempty" doc:"Through which it came; absent when a person opened the incident."`
	Incident    id.Incident       `json:"incident,omitempty" doc:"Absent when it belongs to none."`
	RoutingKey  string            `json:"routing_key,omitempty" doc:"As the sender spelled it."`
	Type        string            `json:"type" enum:"critical,warning,info,acknowledgement,recovery"`
	EntityID    string            `json:"entity_id"`
	Title       string            `json:"title"`
	Message     string            `json:"message,omitempty"`
	StartedAt   *time.Time        `json:"started_at,omitempty" doc:"When the entity entered its state, as the sender says."`
	SentAt      *time.Time        `json:"sent_at,omitempty" doc:"The sender's own time."`
	Tool        string            `json:"tool,omitempty"`
	Host        string            `json:"host,omitempty"`
	AckAuthor   string            `json:"ack_author,omitempty" doc:"Who acknowledged at the sender."`
	AckMessage  string            `json:"ack_message,omitempty"`
	Annotations []Annotation      `json:"annotations,omitempty" nullable:"false"`
	Fields      map[string]string `json:"fields,omitempty" doc:"Custom fields: text as it is, anything else as JSON."`
}

// AlertDetail is an alert with the bytes it came as.
type AlertDetail struct {
	AlertView
	Raw string `json:"raw,omitempty" doc:"The body as it came."`
}

func alertView(a alert.Alert) AlertView {
	v := AlertView{
		ID: a.ID, ReceivedAt: a.ReceivedAt, Integration: a.Integration, Incident: a.Incident, RoutingKey: a.RoutingKey, Type: string(a.Type),
		EntityID: a.EntityID, Title: a.Title, Message: a.Message, StartedAt: instant(a.StartedAt), SentAt: instant(a.SentAt),
		Tool: a.Tool, Host: a.Host, AckAuthor: a.AckAuthor, AckMessage: a.AckMessage, Fields: a.Fields,
	}
	for _, an := range a.Annotations {
		v.Annotations = append(v.Annotations, annotationView(an))
	}
	return v
}

func annotationView(a alert.Annotation) Annotation {
	return Annotation{Kind: string(a.Kind), Title: a.Title, Value: a.Value}
}

type listAlertsInput struct {
	Paging
	Incident    int64  `query:"incident" minimum:"1" doc:"Only those of this incident."`
	Integration string `query:"integration" maxLength:"200" doc:"Only those through this integration: its id, or its name in lower case with dashes."`
}

type alertInput struct {
	ID int64 `path:"id" minimum:"1" doc:"The number of the alert."`
}

type alertOutput struct{ Body AlertDetail }

func (a *api) registerAlerts() {
	handle(a, "list-alerts", a.listAlerts)
	handle(a, "show-alert", a.showAlert)
}

func (a *api) listAlerts(ctx context.Context, _ people.Actor, in *listAlertsInput) (*listOutput[AlertView], error) {
	before, err := alertCursor.number(in.Cursor)
	if err != nil {
		return nil, err
	}
	f := store.AlertFilter{Incident: id.Incident(in.Incident), Before: id.Alert(before), Limit: in.Limit + 1}
	if in.Integration != "" {
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		i, ok := findIntegration(o, in.Integration)
		if err := missing(ok, "integration", org.IntegrationKind, in.Integration); err != nil {
			return nil, err
		}
		f.Integration = i.ID
	}
	found, err := a.Store.Alerts(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	found, next := paged(found, in.Limit, alertCursor, func(al alert.Alert) string { return strconv.FormatInt(int64(al.ID), 10) })
	out := &listOutput[AlertView]{Body: List[AlertView]{Items: []AlertView{}, NextCursor: next}}
	for _, al := range found {
		out.Body.Items = append(out.Body.Items, alertView(al))
	}
	return out, nil
}

func (a *api) showAlert(ctx context.Context, _ people.Actor, in *alertInput) (*alertOutput, error) {
	al, err := a.Store.Alert(ctx, id.Alert(in.ID))
	if errors.Is(err, store.ErrNotFound) {
		return nil, fault.NotFound(phrase.T("api.no_such_alert", in.ID))
	}
	if err != nil {
		return nil, fmt.Errorf("load alert %d: %w", in.ID, err)
	}
	return &alertOutput{Body: AlertDetail{AlertView: alertView(al), Raw: al.Raw}}, nil
}
