package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/store"
)

// RoutingKeyView is a routing key.
type RoutingKeyView struct {
	ID         id.RoutingKey `json:"id"`
	Name       string        `json:"name"`
	Policy     id.Policy     `json:"policy"`
	PolicyName string        `json:"policy_name"`
	Note       string        `json:"note,omitempty"`
}

// RoutingKeyBody is all that is said about a routing key.
type RoutingKeyBody struct {
	Name   string `json:"name" pattern:"^[A-Za-z0-9_-]{1,80}$" patternDescription:"1 to 80 letters, digits, dashes or underscores" example:"web" doc:"The last word of the address that a sender posts to; unique, whatever its case."`
	Policy string `json:"policy" minLength:"1" maxLength:"100" example:"database" doc:"The escalation policy for its alerts: id or slug."`
	Note   string `json:"note,omitempty" maxLength:"1000"`
}

func (a *api) registerKeys() {
	r := resource[routing.Key, RoutingKeyView, RoutingKeyBody]{
		kind: org.KeyKind, name: "routing-key", path: prefix + "/routing-keys",
		all:  func(o *org.Org) []routing.Key { return values(o.Keys) },
		find: findKey, id: func(k routing.Key) string { return string(k.ID) },
		label: func(k routing.Key) string { return k.Name },
		view: func(_ context.Context, _ people.Actor, o *org.Org, k routing.Key) (RoutingKeyView, error) {
			return RoutingKeyView{ID: k.ID, Name: k.Name, Policy: k.Policy, PolicyName: o.Policies[k.Policy].Name, Note: k.Note}, nil
		},
		build: func(o *org.Org, was routing.Key, in RoutingKeyBody) (routing.Key, error) {
			policy, err := policyRef(o, "policy", in.Policy)
			return routing.Key{ID: newID(was.ID), Name: in.Name, Policy: policy, Note: in.Note}, err
		},
	}
	r.register(a)
	handle(a, "create-routing-key", r.create(a))
}

// IntegrationView is one inbound door.
type IntegrationView struct {
	ID   id.Integration `json:"id"`
	Kind string         `json:"kind" enum:"rest"`
	Name string         `json:"name"`
	Off  bool           `json:"off" doc:"Its key opens nothing now."`
	Key  string         `json:"key,omitempty" doc:"Only for who has the permission integrate."`
	URL  string         `json:"url,omitempty" doc:"What senders post to, after which comes the routing key; only for who has the permission integrate."`
	Last *LastAlert     `json:"last_alert,omitempty" doc:"What arrived last."`
}

// LastAlert is what arrived last.
type LastAlert struct {
	ID         id.Alert  `json:"id"`
	ReceivedAt time.Time `json:"received_at"`
	Title      string    `json:"title"`
}

// IntegrationBody is all that is said about an integration.
type IntegrationBody struct {
	Kind string `json:"kind,omitempty" enum:"rest" default:"rest" doc:"The dialect it speaks; cannot be changed."`
	Name string `json:"name" minLength:"1" maxLength:"200" example:"Prometheus" doc:"Unique."`
	Off  bool   `json:"off,omitempty" doc:"Its key opens nothing now."`
}

func (a *api) registerIntegrations() {
	r := resource[routing.Integration, IntegrationView, IntegrationBody]{
		kind: org.IntegrationKind, name: "integration", path: prefix + "/integrations",
		all:  func(o *org.Org) []routing.Integration { return values(o.Integrations) },
		find: findIntegration, id: func(i routing.Integration) string { return string(i.ID) },
		label: func(i routing.Integration) string { return i.Name },
		view:  a.integrationView,
		build: a.buildIntegration,
	}
	r.register(a)
	handle(a, "create-integration", r.create(a))
	handle(a, "test-integration", a.testIntegration)
}

func (a *api) integrationView(ctx context.Context, by people.Actor, _ *org.Org, i routing.Integration) (IntegrationView, error) {
	v := IntegrationView{ID: i.ID, Kind: string(i.Kind), Name: i.Name, Off: i.Off}
	if by.May(people.Ingest) {
		key, err := a.Dispatch.IntegrationKey(by, i)
		if err != nil {
			return v, err
		}
		v.Key, v.URL = key, a.address("integrations", "generic", "20131114", "alert", key)
	}
	last, err := a.Store.Alerts(ctx, store.AlertFilter{Integration: i.ID, Limit: 1})
	if err != nil {
		return v, fmt.Errorf("load last alert of integration %s: %w", i.Name, err)
	}
	if len(last) > 0 {
		v.Last = &LastAlert{ID: last[0].ID, ReceivedAt: last[0].ReceivedAt, Title: last[0].Title}
	}
	return v, nil
}

// buildIntegration makes the key with the integration and never again: who
// lost a key makes another integration and deletes this one.
func (a *api) buildIntegration(_ *org.Org, was routing.Integration, in IntegrationBody) (routing.Integration, error) {
	i := was
	if was.ID == "" {
		i = a.Dispatch.NewIntegration(routing.Kind(in.Kind), in.Name, "")
	}
	i.Name, i.Off = in.Name, in.Off
	return i, nil
}

type testedOutput struct{ Body AlertDetail }

// testIntegration takes the way of every alert but the door, which needs the
// routing of the sender to try; INFO pages nobody.
func (a *api) testIntegration(ctx context.Context, by people.Actor, in *refInput) (*testedOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	i, ok := findIntegration(o, in.ID)
	if !ok {
		return nil, noSuch(org.IntegrationKind, in.ID)
	}
	if i.Off {
		return nil, fault.Conflict(phrase.T("api.integration_off", i.Name))
	}
	test := alert.Alert{
		Integration: i.ID, Type: alert.Info, EntityID: "watchroom/test/" + string(i.ID),
		Title: phrase.T("api.test.title", i.Name), Message: phrase.T("api.test.message", by.Name), Tool: "watchroom",
	}
	raw, err := json.Marshal(map[string]string{
		"message_type": "INFO", "entity_id": test.EntityID, "entity_display_name": test.Title, "state_message": test.Message, "monitoring_tool": test.Tool,
	})
	if err != nil {
		return nil, fmt.Errorf("write test alert: %w", err)
	}
	test.Raw = string(raw)
	got, err := a.Dispatch.Accept(ctx, test)
	if err != nil {
		return nil, err
	}
	return &testedOutput{Body: AlertDetail{AlertView: alertView(got), Raw: got.Raw}}, nil
}
