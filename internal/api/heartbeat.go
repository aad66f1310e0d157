package api

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// HeartbeatView is a monitored job that must call in.
type HeartbeatView struct {
	ID         heartbeat.ID `json:"id"`
	Slug       string       `json:"slug"`
	Name       string       `json:"name"`
	Team       id.Team      `json:"team,omitempty"`
	RoutingKey string       `json:"routing_key" doc:"Where silence is reported."`
	Every      string       `json:"every,omitempty" doc:"How often it must call; or"`
	Cron       string       `json:"cron,omitempty" doc:"when it must, as cron(8) has it."`
	Zone       string       `json:"zone,omitempty" doc:"The time zone of cron; UTC when absent."`
	Grace      string       `json:"grace" doc:"How late a call may be."`
	Paused     bool         `json:"paused"`
	HasKey     bool         `json:"has_key" doc:"There is an address it can call."`
	LastAt     *time.Time   `json:"last_at,omitempty" doc:"When it called last; absent for never."`
	DueAt      *time.Time   `json:"due_at,omitempty" doc:"By when it must call again, grace included; absent while it is paused."`
	Overdue    bool         `json:"overdue"`
}

// HeartbeatBody is all that is said about a monitored job.
type HeartbeatBody struct {
	Slug       string `json:"slug" pattern:"^[a-z0-9]+(-[a-z0-9]+)*$" patternDescription:"lower-case letters, digits and single dashes" maxLength:"80" example:"nightly-backup" doc:"Unique."`
	Name       string `json:"name" minLength:"1" maxLength:"200" example:"Nightly backup"`
	Team       string `json:"team,omitempty" maxLength:"100" doc:"The team it belongs to: id or slug."`
	RoutingKey string `json:"routing_key" minLength:"1" maxLength:"80" example:"database" doc:"Where silence is reported."`
	Every      string `json:"every,omitempty" default:"24h" example:"24h" doc:"How often it must call, a duration from 30s to 8784h; not looked at when cron is given."`
	Cron       string `json:"cron,omitempty" maxLength:"200" doc:"When it must call, as cron(8) has it: \"0 3 * * *\"."`
	Zone       string `json:"zone,omitempty" maxLength:"100" doc:"IANA name of the time zone of cron; UTC when absent."`
	Grace      string `json:"grace,omitempty" default:"1m" example:"30m" doc:"How late a call may be, a duration up to 168h."`
	Paused     bool   `json:"paused,omitempty"`
}

// NewHeartbeat is a monitored job with the address that it calls.
type NewHeartbeat struct {
	HeartbeatView
	URL string `json:"url" doc:"What the job calls, by GET or POST. Shown this once."`
}

type newHeartbeatOutput struct {
	ETag     string `header:"ETag" doc:"Names the state it is in; for If-Match."`
	Location string `header:"Location" doc:"Its address."`
	Body     NewHeartbeat
}

func (a *api) registerHeartbeats() {
	resource[heartbeat.Heartbeat, HeartbeatView, HeartbeatBody]{
		kind: org.HeartbeatKind, name: "heartbeat", path: prefix + "/heartbeats",
		all:  func(o *org.Org) []heartbeat.Heartbeat { return values(o.Heartbeats) },
		find: findHeartbeat, id: func(h heartbeat.Heartbeat) string { return string(h.ID) },
		label: func(h heartbeat.Heartbeat) string { return h.Name },
		view: func(ctx context.Context, _ people.Actor, _ *org.Org, h heartbeat.Heartbeat) (HeartbeatView, error) {
			return a.heartbeatView(ctx, h)
		},
		build: buildHeartbeat,
	}.registerButDelete(a)
	handle(a, "delete-heartbeat", a.deleteHeartbeat)
	handle(a, "create-heartbeat", a.createHeartbeat)
	handle(a, "renew-heartbeat-key", a.renewHeartbeatKey)
}

func (a *api) heartbeatView(ctx context.Context, h heartbeat.Heartbeat) (HeartbeatView, error) {
	v := HeartbeatView{
		ID: h.ID, Slug: h.Slug, Name: h.Name, Team: h.Team, RoutingKey: h.RoutingKey, Cron: h.Cron, Zone: h.Zone,
		Grace: cmp.Or(h.Grace, heartbeat.DefaultGrace).String(), Paused: h.Paused, HasKey: h.KeyHash != "",
	}
	if h.Every != 0 {
		v.Every = h.Every.String()
	}
	beats, err := a.Store.Beats(ctx)
	if err != nil {
		return v, fmt.Errorf("load calls of heartbeat %s: %w", h.Slug, err)
	}
	b, now := beats[h.ID], a.now()
	v.LastAt, v.DueAt, v.Overdue = instant(b.LastAt()), instant(h.Due(b.At, now)), h.Overdue(b.At, now)
	return v, nil
}

func buildHeartbeat(o *org.Org, was heartbeat.Heartbeat, in HeartbeatBody) (heartbeat.Heartbeat, error) {
	h := heartbeat.Heartbeat{
		ID: newID(was.ID), Slug: in.Slug, Name: in.Name, RoutingKey: in.RoutingKey, Cron: in.Cron, Zone: in.Zone, Paused: in.Paused, KeyHash: was.KeyHash,
	}
	var err error
	if h.Team, err = teamRef(o, "team", in.Team); err != nil {
		return h, err
	}
	if _, ok := o.KeyByName(in.RoutingKey); !ok {
		return h, missing(false, "routing_key", org.KeyKind, in.RoutingKey)
	}
	if in.Cron == "" {
		if h.Every, err = duration("every", in.Every, heartbeat.MinEvery.D(), heartbeat.MaxEvery.D()); err != nil {
			return h, err
		}
	}
	if h.Grace, err = duration("grace", in.Grace, 0, heartbeat.MaxGrace.D()); err != nil {
		return h, err
	}
	if in.Cron != "" {
		if _, err := heartbeat.ParseCron(in.Cron); err != nil {
			return h, fault.Invalid("cron", err.Error())
		}
	}
	if in.Zone != "" {
		if err := checkZone("zone", in.Zone); err != nil {
			return h, err
		}
	}
	return h, nil
}

func (a *api) createHeartbeat(ctx context.Context, by people.Actor, in *createInput[HeartbeatBody]) (*newHeartbeatOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	h, err := buildHeartbeat(o, heartbeat.Heartbeat{}, in.Body)
	if err != nil {
		return nil, err
	}
	key, h, err := a.Dispatch.NewHeartbeat(ctx, by, h)
	if err != nil {
		return nil, err
	}
	return a.newHeartbeat(ctx, h, key)
}

func (a *api) newHeartbeat(ctx context.Context, h heartbeat.Heartbeat, key string) (*newHeartbeatOutput, error) {
	v, err := a.heartbeatView(ctx, h)
	if err != nil {
		return nil, err
	}
	return &newHeartbeatOutput{
		ETag: etag(h), Location: prefix + "/heartbeats/" + string(h.ID), Body: NewHeartbeat{HeartbeatView: v, URL: a.address("heartbeat", key)},
	}, nil
}

// renewHeartbeatKey is for a key that was lost or that too many know.
func (a *api) renewHeartbeatKey(ctx context.Context, by people.Actor, in *refInput) (*newHeartbeatOutput, error) {
	h, err := a.heartbeat(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	key, h, err := a.Dispatch.RenewHeartbeat(ctx, by, h.ID)
	if err != nil {
		return nil, err
	}
	return a.newHeartbeat(ctx, h, key)
}

// deleteHeartbeat resolves the incident of a silent job, too.
func (a *api) deleteHeartbeat(ctx context.Context, by people.Actor, in *removeInput) (*empty, error) {
	h, err := a.heartbeat(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := unchanged(in.IfMatch, h); err != nil {
		return nil, err
	}
	return &empty{}, a.Dispatch.DeleteHeartbeat(ctx, by, h.ID)
}

func (a *api) heartbeat(ctx context.Context, ref string) (heartbeat.Heartbeat, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return heartbeat.Heartbeat{}, err
	}
	h, ok := findHeartbeat(o, ref)
	if !ok {
		return h, noSuch(org.HeartbeatKind, ref)
	}
	return h, nil
}
