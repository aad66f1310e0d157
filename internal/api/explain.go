package api

import (
	"context"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/explain"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// entriesTold bounds how much of an incident's record an explanation reads.
const entriesTold = 2000

type (
	explainInput struct {
		RoutingKey string    `query:"routing_key" maxLength:"200" doc:"As a sender would spell it; absent: the default route, or the policies of the team."`
		Severity   string    `query:"severity" enum:"critical,warning,info" default:"critical" doc:"Of the alert."`
		At         time.Time `query:"at" doc:"When the alert would come; now when absent."`
		Team       string    `query:"team" maxLength:"100" doc:"Without a routing key: each policy of this team by itself. Its id or slug."`
		EntityID   string    `query:"entity_id" maxLength:"500" doc:"What it would be about; matters to maintenance windows only."`
		Zone       string    `query:"zone" maxLength:"100" doc:"IANA name of the zone in which the answer says times; that of at when absent."`
	}
	explainOutput struct{ Body explain.Answer }
	whyInput      struct {
		ID   int64  `path:"id" minimum:"1" doc:"The number of the incident."`
		User string `query:"user" maxLength:"254" doc:"Who: id, username or e-mail address. Oneself when absent."`
	}
	whyOutput       struct{ Body Why }
	deliveriesInput struct {
		ID int64 `path:"id" minimum:"1" doc:"The number of the incident."`
		Paging
		User string `query:"user" maxLength:"254" doc:"Only those to this person: id, username or e-mail address."`
	}
)

// Why says why somebody was paged about an incident, or was not.
type Why struct {
	Incident id.Incident    `json:"incident"`
	Person   Person         `json:"person"`
	Lines    []explain.Line `json:"lines" nullable:"false" doc:"The first is the verdict; the others follow the record."`
}

func (a *api) registerExplain() {
	handle(a, "explain", a.explain)
	handle(a, "explain-incident", a.explainIncident)
	handle(a, "list-deliveries", a.listDeliveries)
}

func (a *api) explain(ctx context.Context, _ people.Actor, in *explainInput) (*explainOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	q := explain.Question{
		RoutingKey: in.RoutingKey, Severity: alert.Type(in.Severity), At: in.At, EntityID: in.EntityID, Windows: values(o.Maintenance),
	}
	if in.At.IsZero() {
		q.At = a.now()
	}
	if in.Zone != "" {
		if err := checkZone("zone", in.Zone); err != nil {
			return nil, err
		}
		if q.Zone, err = time.LoadLocation(in.Zone); err != nil {
			return nil, fmt.Errorf("load zone %s: %w", in.Zone, err)
		}
	}
	if q.Team, err = teamRef(o, "team", in.Team); err != nil {
		return nil, err
	}
	if err := q.Validate(); err != nil {
		return nil, fault.Invalid("", err.Error())
	}
	return &explainOutput{Body: explain.Explain(o, q)}, nil
}

func (a *api) explainIncident(ctx context.Context, by people.Actor, in *whyInput) (*whyOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	user, err := a.person(o, by, "user", in.User)
	if err != nil {
		return nil, err
	}
	n := id.Incident(in.ID)
	deliveries, err := a.deliveriesOf(ctx, n)
	if err != nil {
		return nil, err
	}
	entries, err := a.Store.Entries(ctx, store.EntryFilter{Incident: n, FromStart: true, Limit: entriesTold})
	if err != nil {
		return nil, err
	}
	var fates []explain.Fate
	for _, d := range deliveries {
		if d.Person != user.ID {
			continue
		}
		fates = append(fates, explain.Fate{
			Entry: d.Entry, Method: people.Method(d.Body.Method), Address: shownAddress(d), State: string(d.State),
			DueAt: d.DueAt, DoneAt: d.Body.DoneAt, Detail: d.Body.Detail,
		})
	}
	return &whyOutput{Body: Why{Incident: n, Person: personOf(o, user.ID), Lines: explain.Story(entries, fates, user)}}, nil
}

// person is who is meant, oneself when nobody is named.
func (a *api) person(o *org.Org, by people.Actor, field, ref string) (people.User, error) {
	if ref == "" {
		ref = string(by.User)
	}
	u, ok := findUser(o, ref)
	return u, missing(ok, field, org.UserKind, ref)
}

// deliveriesOf loads what was sent about an incident that exists.
func (a *api) deliveriesOf(ctx context.Context, n id.Incident) ([]store.Delivery, error) {
	if _, err := a.incident(ctx, n); err != nil {
		return nil, err
	}
	all, err := a.Store.Deliveries(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("load pages of incident %d: %w", n, err)
	}
	return all, nil
}

func (a *api) listDeliveries(ctx context.Context, _ people.Actor, in *deliveriesInput) (*listOutput[Page], error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	user, err := userRef(o, "user", in.User)
	if err != nil {
		return nil, err
	}
	all, err := a.deliveriesOf(ctx, id.Incident(in.ID))
	if err != nil {
		return nil, err
	}
	found := all[:0]
	for _, d := range all {
		if user == "" || d.Person == user {
			found = append(found, d)
		}
	}
	return listed(o, found, in.Paging, deliveryCursor, deliveryKey, pageView)
}

// deliveryCursor and deliveryKey walk deliveries in the order of their numbers.
const deliveryCursor cursorOf = "d"

func deliveryKey(d store.Delivery) string { return fmt.Sprintf("%020d", d.ID) }
