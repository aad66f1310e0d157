package api

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

// IncidentView is an incident in a list.
type IncidentView struct {
	ID          id.Incident    `json:"id" doc:"The number people say: #42."`
	URL         string         `json:"url" format:"uri" doc:"Its page in the browser."`
	State       string         `json:"state" enum:"triggered,acknowledged,resolved"`
	Severity    string         `json:"severity" enum:"critical,warning" doc:"Of the latest alert."`
	EntityID    string         `json:"entity_id" doc:"What it is about, as the sender names it."`
	Title       string         `json:"title"`
	Message     string         `json:"message,omitempty" doc:"The beginning of the latest alert's text."`
	Host        string         `json:"host,omitempty"`
	Tool        string         `json:"tool,omitempty" doc:"The monitoring tool."`
	RoutingKey  string         `json:"routing_key,omitempty" doc:"As the sender spelled it."`
	Integration id.Integration `json:"integration,omitempty"`
	Team        id.Team        `json:"team,omitempty"`
	AlertCount  int            `json:"alert_count" doc:"Alerts rolled up in it."`
	LastAlert   id.Alert       `json:"last_alert,omitempty"`
	LastAlertAt *time.Time     `json:"last_alert_at,omitempty"`
	TriggeredAt *time.Time     `json:"triggered_at,omitempty"`

	AcknowledgedAt *time.Time `json:"acknowledged_at,omitempty"`
	AcknowledgedBy *Actor     `json:"acknowledged_by,omitempty"`
	SnoozedUntil   *time.Time `json:"snoozed_until,omitempty"`
	ResolvedAt     *time.Time `json:"resolved_at,omitempty"`
	ResolvedBy     *Actor     `json:"resolved_by,omitempty"`

	Paged      []Person   `json:"paged" nullable:"false" doc:"Everybody who was ever asked, in order."`
	Responders []Person   `json:"responders" nullable:"false" doc:"Those whom a person asked, not the policy."`
	Escalation Escalation `json:"escalation"`
}

// Escalation is where an incident stands in its policy.
type Escalation struct {
	Policy     id.Policy  `json:"policy,omitempty" doc:"Absent when it was handed to one person, or when no route led anywhere."`
	PolicyName string     `json:"policy_name,omitempty"`
	Direct     *Person    `json:"direct,omitempty" doc:"It was handed to this person instead of a policy."`
	Step       int        `json:"step,omitempty" doc:"The last step that was started, from 1; absent before the first."`
	Round      int        `json:"round,omitempty" doc:"The round it was started in, from 1."`
	NextStep   int        `json:"next_step,omitempty" doc:"The step that comes next, from 1; absent when none is waiting, or when only the end of the policy is."`
	NextRound  int        `json:"next_round,omitempty"`
	NextAt     *time.Time `json:"next_at,omitempty" doc:"When it comes, unless somebody acknowledges first."`
}

func (a *api) incidentView(o *org.Org, inc incident.Incident) IncidentView {
	return IncidentView{
		ID: inc.ID, URL: a.address("incidents", strconv.FormatInt(int64(inc.ID), 10)),
		State: string(inc.State), Severity: string(inc.Severity), EntityID: inc.EntityID, Title: inc.Title, Message: inc.Message,
		Host: inc.Host, Tool: inc.Tool, RoutingKey: inc.RoutingKey, Integration: inc.Integration, Team: inc.Team,
		AlertCount: inc.AlertCount, LastAlert: inc.LastAlert, LastAlertAt: instant(inc.LastAlertAt), TriggeredAt: instant(inc.TriggeredAt),
		AcknowledgedAt: instant(inc.AckedAt), AcknowledgedBy: actorIf(inc.AckedAt, inc.AckedBy), SnoozedUntil: instant(inc.SnoozedUntil),
		ResolvedAt: instant(inc.ResolvedAt), ResolvedBy: actorIf(inc.ResolvedAt, inc.ResolvedBy),
		Paged: personsOf(o, inc.Paged), Responders: personsOf(o, inc.Responders), Escalation: escalationView(o, inc),
	}
}

func escalationView(o *org.Org, inc incident.Incident) Escalation {
	e := Escalation{Policy: inc.Policy}
	policy, known := o.PolicyVersion(inc.Policy, inc.PolicyVersion)
	if known {
		e.PolicyName = policy.Name
	}
	if inc.Direct != "" {
		p := personOf(o, inc.Direct)
		e.Direct = &p
	}
	if inc.Started {
		e.Step, e.Round = inc.Step.Step+1, inc.Step.Round+1
	}
	if !inc.NextAt.IsZero() {
		e.NextAt, e.NextRound = instant(inc.NextAt), inc.Next.Round+1
		if !known || inc.Next.Step < len(policy.Steps) { // beyond the last one waits the end
			e.NextStep = inc.Next.Step + 1
		}
	}
	return e
}

// IncidentDetail is an incident with all that belongs to it.
type IncidentDetail struct {
	IncidentView
	Alerts      []AlertView  `json:"alerts" nullable:"false" doc:"The newest hundred, newest first; the others under /alerts?incident=."`
	Annotations []Annotation `json:"annotations" nullable:"false" doc:"Links, notes and pictures of those alerts, each once."`
	Pages       []Page       `json:"pages" nullable:"false" doc:"What was sent about it, oldest first, and its fate."`
}

// Annotation is a link, note or picture that came with an alert.
type Annotation struct {
	Kind  string `json:"kind" enum:"link,note,image"`
	Title string `json:"title"`
	Value string `json:"value"`
}

// Page is one message to one person.
type Page struct {
	ID        id.Delivery `json:"id"`
	Kind      string      `json:"kind" enum:"step,responder,notice,told,drill" doc:"Asked for by a step of the policy, or by a person; told is a webhook or address that a step tells."`
	State     string      `json:"state" enum:"pending,sent,accepted,late,delivered,seen,answered,failed,cancelled" doc:"sent: taken by a provider that tells no more. accepted: taken, and it will tell. late: has not arrived in time, and still may."`
	Incident  id.Incident `json:"incident,omitempty"`
	Person    *Person     `json:"person,omitempty" doc:"Absent when it goes to no person."`
	Contact   id.Contact  `json:"contact,omitempty" doc:"The contact method."`
	Method    string      `json:"method" example:"email"`
	Address   string      `json:"address" doc:"Of an address that is itself a secret only so much that its owner recognises it."`
	Provider  id.Provider `json:"provider,omitempty" doc:"Who carries it."`
	Why       string      `json:"why,omitempty" doc:"Why this person."`
	CreatedAt time.Time   `json:"created_at"`
	DueAt     *time.Time  `json:"due_at,omitempty" doc:"When pending: not before. When accepted: it should have arrived by then."`
	DoneAt    *time.Time  `json:"done_at,omitempty" doc:"When it was sent or given up."`
	Attempts  int         `json:"attempts" doc:"Tries that were begun."`
	Bundled   int         `json:"bundled,omitempty" doc:"How many shared the message."`
	Detail    string      `json:"detail,omitempty" doc:"The last words of who was to take it."`
	Life      []Moment    `json:"life" nullable:"false" doc:"What became of it, in order."`
}

// Moment is a point in the life of a page.
type Moment struct {
	State  string    `json:"state"`
	At     time.Time `json:"at"`
	Detail string    `json:"detail,omitempty"`
}

const alertsShown = 100

func (a *api) incidentDetail(ctx context.Context, o *org.Org, inc incident.Incident) (IncidentDetail, error) {
	d := IncidentDetail{IncidentView: a.incidentView(o, inc), Alerts: []AlertView{}, Annotations: []Annotation{}, Pages: []Page{}}
	alerts, err := a.Store.Alerts(ctx, store.AlertFilter{Incident: inc.ID, Limit: alertsShown})
	if err != nil {
		return d, fmt.Errorf("load alerts of incident %d: %w", inc.ID, err)
	}
	seen := map[alert.Annotation]bool{}
	for _, al := range alerts {
		d.Alerts = append(d.Alerts, alertView(al))
		for _, an := range al.Annotations {
			if !seen[an] {
				seen[an] = true
				d.Annotations = append(d.Annotations, annotationView(an))
			}
		}
	}
	deliveries, err := a.Store.Deliveries(ctx, inc.ID)
	if err != nil {
		return d, fmt.Errorf("load pages of incident %d: %w", inc.ID, err)
	}
	for _, del := range deliveries {
		d.Pages = append(d.Pages, pageView(o, del))
	}
	return d, nil
}

func pageView(o *org.Org, d store.Delivery) Page {
	p := Page{
		ID: d.ID, Kind: string(d.Kind), State: string(d.State), Incident: d.Incident, Person: somebody(o, d.Person), Contact: d.Contact, Method: d.Body.Method,
		Address: shownAddress(d), Provider: d.Provider, Why: d.Body.Why, CreatedAt: d.CreatedAt, DoneAt: instant(d.Body.DoneAt), Attempts: d.Attempt,
		Bundled: d.Body.Bundled, Detail: d.Body.Detail, Life: []Moment{},
	}
	if d.State == store.Pending || d.State == store.Accepted {
		p.DueAt = instant(d.DueAt)
	}
	for _, m := range d.Body.Life {
		p.Life = append(p.Life, Moment{State: string(m.State), At: m.At.UTC(), Detail: m.Detail})
	}
	return p
}

// shownAddress is where a page went, as others may read it.
func shownAddress(d store.Delivery) string {
	if d.Kind == store.ToldPage {
		return d.Body.Address
	}
	return people.Contact{Method: people.Method(d.Body.Method), Address: d.Body.Address}.Shown()
}
