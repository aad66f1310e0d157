package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/timeline"
)

// openStates is the condition of the index that lists of open incidents walk along. It is another than that of
// the index which finds one by its entity, or PostgreSQL would take the one for the other: see migration 5.
const openStates = `state IN ('triggered', 'acknowledged')`

const incidentColumns = `incident.id, incident.rev, incident.state, incident.entity_id, incident.team, incident.body, incident.quotes,
	COALESCE((SELECT raw FROM alert WHERE alert.id = incident.quotes), '')`

const selectIncident = `SELECT ` + incidentColumns + ` FROM incident`

func scanIncident(rows *sql.Rows) (incident.Incident, error) {
	inc, _, err := scanQuoting(rows)
	return inc, err
}

// scanQuoting reads an incident, and what it quotes of its last alert.
func scanQuoting(r row) (inc incident.Incident, q quote, err error) {
	var rev int64
	var body []byte
	var in id.Alert
	var raw string
	var number id.Incident
	var state incident.State
	var entity string
	var team id.Team
	if err := r.Scan(&number, &rev, &state, &entity, &team, &body, &in, &raw); err != nil {
		return inc, q, err
	}
	if q, err = placeIn(body, in, raw); err == nil {
		inc, err = readJSON[incident.Incident](body)
	}
	if err != nil {
		return inc, q, fmt.Errorf("read incident %d: %w", number, err)
	}
	if q.in != 0 {
		inc.Message = q.text
	}
	inc.ID, inc.State, inc.EntityID, inc.Team = number, state, entity, team
	return inc, q, nil
}

// Incident returns one incident; ErrNotFound when there is none.
func (s *Store) Incident(ctx context.Context, n id.Incident) (incident.Incident, error) {
	return one(ctx, s.read, scanIncident, selectIncident+` WHERE id = $1`, int64(n))
}

// IncidentFilter chooses incidents; the zero value means all.
type IncidentFilter struct {
	States []incident.State
	Team   id.Team
	Words  []string    // every word begins a word of the incident's first alert
	Before id.Incident // only older ones; 0: from the newest
	Limit  int         // at most this many; 0: 50
}

// Incidents returns incidents, newest first.
func (s *Store) Incidents(ctx context.Context, f IncidentFilter) ([]incident.Incident, error) {
	var q query
	q.limit(f.Limit)
	if f.Before > 0 {
		q.where(`incident.id < `, int64(f.Before))
	}
	if f.Team != "" {
		q.where(`incident.team = `, string(f.Team))
	}
	if len(f.States) > 0 && len(f.States) < 3 {
		args := make([]any, len(f.States))
		for i, st := range f.States {
			args[i] = string(st)
		}
		q.whereIn(`incident.state`, args)
		if !slices.Contains(f.States, incident.Resolved) {
			q.and(`incident.` + openStates) // lets the index of open ones serve
		}
	}
	if len(f.Words) == 0 {
		return all(ctx, s.read, scanIncident, selectIncident+q.text()+` ORDER BY id DESC LIMIT `+q.max(), q.args...)
	}
	by, err := s.engine.search(ctx, s.read, asked{words: f.Words, rooms: []id.Room{""}, kind: timeline.IncidentTriggered}, q.arg)
	if err != nil {
		return nil, err
	}
	q.and(by.where)
	q.and(`entry.kind = 'incident_triggered'`)
	return all(ctx, s.read, scanIncident, `SELECT `+incidentColumns+` FROM `+
		by.from+` JOIN incident ON incident.id = entry.incident`+q.text()+` ORDER BY `+by.order+` DESC LIMIT `+q.max(), q.args...)
}

// ChangedIncidents returns up to limit incidents that were saved after
// revision rev, oldest change first, and the revision that was reached.
func (s *Store) ChangedIncidents(ctx context.Context, rev int64, limit int) ([]incident.Incident, int64, error) {
	reached := rev
	found, err := all(ctx, s.read, func(rows *sql.Rows) (incident.Incident, error) {
		inc, err := scanIncidentRev(rows, &reached)
		return inc, err
	}, selectIncident+` WHERE rev > $1 ORDER BY rev, id LIMIT $2`, rev, limit)
	return found, reached, err
}

func scanIncidentRev(rows *sql.Rows, rev *int64) (incident.Incident, error) {
	inc, err := scanIncident(rows)
	if err != nil {
		return inc, err
	}
	var skip any
	return inc, rows.Scan(&skip, rev, &skip, &skip, &skip, &skip, &skip, &skip)
}

// Counts is how many incidents are open.
type Counts struct {
	Triggered    int `json:"triggered"`
	Acknowledged int `json:"acknowledged"`
}

// Counts counts the open incidents by state.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	_, err := all(ctx, s.read, func(rows *sql.Rows) (struct{}, error) {
		var state incident.State
		var n int
		err := rows.Scan(&state, &n)
		switch state {
		case incident.Triggered:
			c.Triggered = n
		case incident.Acknowledged:
			c.Acknowledged = n
		case incident.Resolved:
		}
		return struct{}{}, err
	}, `SELECT state, COUNT(*) FROM incident WHERE `+openStates+` GROUP BY state`)
	return c, err
}

// storedAlert is the JSON of an alert without what has a column.
type storedAlert struct {
	RoutingKey  string             `json:"routing_key,omitempty"`
	Type        alert.Type         `json:"type"`
	EntityID    string             `json:"entity_id"`
	Title       string             `json:"title,omitempty"` // empty when it is the entity id
	Message     string             `json:"message,omitempty"`
	MessageAt   *[2]int            `json:"message_at,omitempty"` // where Message stands in the raw body, when it does
	StartedAt   int64              `json:"started_at,omitempty"` // microseconds
	SentAt      int64              `json:"sent_at,omitempty"`
	Tool        string             `json:"tool,omitempty"`
	Host        string             `json:"host,omitempty"`
	AckAuthor   string             `json:"ack_author,omitempty"`
	AckMessage  string             `json:"ack_message,omitempty"`
	Annotations []alert.Annotation `json:"annotations,omitempty"`
	Fields      map[string]string  `json:"fields,omitempty"`
}

func marshalAlert(a alert.Alert, known quotes) (string, error) {
	body := storedAlert{
		a.RoutingKey, a.Type, a.EntityID, a.Title, a.Message, nil, micros(a.StartedAt), micros(a.SentAt),
		a.Tool, a.Host, a.AckAuthor, a.AckMessage, a.Annotations, a.Fields,
	}
	if body.Title == body.EntityID {
		body.Title = ""
	}
	if q, ok := known.ofAlert(a); ok {
		body.Message, body.MessageAt = "", &q.at
	}
	data, err := json.Marshal(body)
	return string(packedAlert.pack(data)), err
}

const selectAlert = `SELECT id, incident, integration, received_at, body, raw FROM alert`

func scanAlert(rows *sql.Rows) (alert.Alert, error) {
	var a alert.Alert
	var received int64
	var body []byte
	if err := rows.Scan(&a.ID, &a.Incident, &a.Integration, &received, &body, &a.Raw); err != nil {
		return a, err
	}
	b, err := readJSON[storedAlert](body)
	if err != nil {
		return a, fmt.Errorf("read alert %d: %w", a.ID, err)
	}
	a.ReceivedAt, a.StartedAt, a.SentAt = instant(received), instant(b.StartedAt), instant(b.SentAt)
	a.RoutingKey, a.Type, a.EntityID, a.Title, a.Message = b.RoutingKey, b.Type, b.EntityID, b.Title, b.Message
	a.Tool, a.Host, a.AckAuthor, a.AckMessage = b.Tool, b.Host, b.AckAuthor, b.AckMessage
	a.Annotations, a.Fields = b.Annotations, b.Fields
	if a.Title == "" {
		a.Title = a.EntityID
	}
	if at := b.MessageAt; at != nil {
		if a.Message, err = quotedAt(a.Raw, *at); err != nil {
			return a, fmt.Errorf("read message of alert %d: %w", a.ID, err)
		}
	}
	return a, nil
}

// AlertFilter chooses alerts; the zero value means all.
type AlertFilter struct {
	Incident    id.Incident
	Integration id.Integration
	Before      id.Alert // only older ones
	Limit       int      // 0: 50
}

// Alerts returns alerts, newest first.
func (s *Store) Alerts(ctx context.Context, f AlertFilter) ([]alert.Alert, error) {
	var q query
	q.limit(f.Limit)
	if f.Incident > 0 {
		q.where(`incident > 0 AND incident = `, int64(f.Incident))
	}
	if f.Integration != "" {
		q.where(`integration = `, string(f.Integration))
	}
	if f.Before > 0 {
		q.where(`id < `, int64(f.Before))
	}
	return all(ctx, s.read, scanAlert, selectAlert+q.text()+` ORDER BY id DESC LIMIT `+q.max(), q.args...)
}

// Alert returns one alert; ErrNotFound when there is none.
func (s *Store) Alert(ctx context.Context, n id.Alert) (alert.Alert, error) {
	return one(ctx, s.read, scanAlert, selectAlert+` WHERE id = $1`, int64(n))
}

// query collects conditions and their arguments.
type query struct {
	conditions []string
	args       []any
	n          int
}

func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return "$" + strconv.Itoa(len(q.args))
}

func (q *query) and(condition string) { q.conditions = append(q.conditions, condition) }

func (q *query) where(condition string, v any) { q.and(condition + q.arg(v)) }

func (q *query) whereIn(column string, values []any) {
	q.and(column + ` IN ` + in(len(q.args)+1, len(values)))
	q.args = append(q.args, values...)
}

func (q *query) text() string {
	if len(q.conditions) == 0 {
		return ``
	}
	return ` WHERE ` + strings.Join(q.conditions, ` AND `)
}

func (q *query) limit(n int) {
	if n <= 0 {
		n = 50
	}
	q.n = min(n, 1000)
}

func (q *query) max() string { return q.arg(q.n) }

// IncidentsByID returns the incidents with the given numbers, those that exist.
func (s *Store) IncidentsByID(ctx context.Context, numbers []id.Incident) (map[id.Incident]incident.Incident, error) {
	return incidentsByID(ctx, s.read, numbers)
}

func incidentsByID(ctx context.Context, q querier, numbers []id.Incident) (map[id.Incident]incident.Incident, error) {
	return incidentsWith(ctx, q, scanIncident, numbers)
}

func incidentsWith(ctx context.Context, q querier, scan func(*sql.Rows) (incident.Incident, error), numbers []id.Incident) (map[id.Incident]incident.Incident, error) {
	found := make(map[id.Incident]incident.Incident, len(numbers))
	for chunk := range slices.Chunk(numbers, 256) {
		args := numbersOf(chunk)
		incs, err := all(ctx, q, scan, selectIncident+` WHERE id IN `+in(1, len(args)), args...)
		if err != nil {
			return nil, fmt.Errorf("load incidents: %w", err)
		}
		for _, inc := range incs {
			found[inc.ID] = inc
		}
	}
	return found, nil
}
