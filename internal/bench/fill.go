package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/bot"
	"github.com/watchroom/watchroom/internal/herald"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/outbox"
	"github.com/watchroom/watchroom/internal/search"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The words that are searched for: rareWord stands in one entry of a hundred
// thousand, commonWord in most.
const (
	rareWord   = "zanzibar"
	commonWord = "diskfull"
	rareEvery  = 100_000
)

// perIncident is how many entries each closed incident has.
const perIncident = 10

// pattern stands for the number of an incident in what is made once; a number
// and not digits, because the search index keeps letters and digits only.
const pattern = "90909090"

// history is a past of closed incidents as a node would have written it.
type history struct {
	incidents int
	begin     time.Time
	step      time.Duration // between two entries
	version   int64
	parts     []part
	incident  string
	alertBody string
	raw       string
	delivery  string
}

// part is one of the entries of an incident.
type part struct {
	kind           timeline.Kind
	person         bool
	actor, payload string
	words          string
}

func newHistory(incidents int, version int64) (*history, error) {
	h := &history{incidents: incidents, version: version, step: 20 * time.Second}
	h.begin = time.Now().Add(-h.step * time.Duration(incidents*perIncident+10)).Truncate(time.Microsecond)
	title, u := "DiskFull on db-"+pattern, id.User(pattern)
	human := timeline.Actor{User: u, Name: "Person " + pattern, Origin: timeline.Browser}
	sender := timeline.Actor{Name: "Alertmanager", Origin: timeline.Monitoring}
	message := alert.Cut(messageOf(), 500)
	var errs []error
	for _, e := range []timeline.Entry{
		{Actor: sender, Payload: timeline.Triggered{Alert: 1, Severity: "critical", EntityID: "alertname=DiskFull,instance=db-" + pattern, Title: title, Message: message, Tool: "Alertmanager", RoutingKey: first, Policy: policy(0), Version: version, PolicyName: "Policy 000"}},
		{Actor: timeline.Self, Person: u, Payload: timeline.Step{Step: 1, Round: 1, Users: []id.User{person(0)}, Names: []string{"Person 000"}, PolicyName: "Policy 000", Why: []string{"named in the policy"}}},
		{Actor: timeline.Self, Person: u, Payload: timeline.PageState{Delivery: 1, User: person(0), Name: "Person 000", Method: "email", Address: "user000@bench.example", Attempt: 1, Detail: "250 2.0.0 OK: queued"}},
		{Actor: human, Person: u, Payload: timeline.Acknowledged{}},
		{Actor: human, Person: u, Payload: timeline.Noted{Text: "DiskFull again: the nightly export fills /var on db-" + pattern + ", making room now"}},
		{Actor: human, Person: u, Payload: timeline.Message{Text: "looking at db-" + pattern + ", the usual DiskFull, no customer impact so far"}},
		{Actor: human, Person: u, Payload: timeline.Message{Text: "rotated the logs, usage of the volume falls slowly, watching it for a while"}},
		{Actor: sender, Payload: timeline.Updated{Alert: 1, Severity: "warning", Title: title, Message: message, Count: 2}},
		{Actor: human, Person: u, Payload: timeline.Noted{Text: "DiskFull: cause is the export of db-" + pattern + ", a ticket is open"}},
		{Actor: human, Person: u, Payload: timeline.Resolved{}},
	} {
		e.Kind, e.Incident = e.Payload.Kind(), 90909090
		actor, err := json.Marshal(e.Actor)
		payload, err2 := json.Marshal(e.Payload)
		errs = append(errs, err, err2)
		h.parts = append(h.parts, part{e.Kind, e.Person != "", string(actor), string(payload), strings.Join(search.Of(e), " ")})
	}
	body, err := json.Marshal(incident.Incident{
		Title: title, Message: message, Severity: alert.Critical, Tool: "Alertmanager", RoutingKey: first, Policy: policy(0), PolicyVersion: version,
		Started: true, Paged: []id.User{person(0)}, AlertCount: 2, LastAlert: 1, LastAlertAt: h.begin, TriggeredAt: h.begin,
		AckedAt: h.begin, AckedBy: human, ResolvedAt: h.begin, ResolvedBy: human,
	})
	errs = append(errs, err)
	h.incident = string(body)
	h.raw = strings.ReplaceAll(critical(first).text, digits, pattern)
	h.alertBody = `{"routing_key":"p000","type":"critical","entity_id":"alertname=DiskFull,instance=db-` + pattern + `","title":"` + title + `","tool":"Alertmanager"}`
	body, err = json.Marshal(store.DeliveryBody{Method: "email", Address: "user000@bench.example", Why: "named in the policy", Detail: "250 2.0.0 OK: queued", DoneAt: h.begin})
	h.delivery = string(body)
	return h, errors.Join(append(errs, err)...)
}

// messageOf is the long text of the alerts that are sent.
func messageOf() string {
	var fields struct {
		Message string `json:"state_message"`
	}
	_ = json.Unmarshal([]byte(critical(first).text), &fields) // ours, and valid
	return fields.Message
}

func (h *history) entries() int { return h.incidents * perIncident }

func (h *history) at(entry int) int64 { return h.begin.Add(h.step * time.Duration(entry)).UnixMicro() }

func numbered(text string, n int) string { return strings.ReplaceAll(text, pattern, eight(int64(n))) }

// fill writes the history into an empty database.
func (h *history) fill(ctx context.Context, db raw) error {
	offset, err := db.number(ctx, "SELECT seq FROM head") // the entries of setting up come first
	if err != nil {
		return err
	}
	seq := func(i int) int64 { return offset + int64(i) + 1 }
	for _, fill := range []func() error{
		func() error {
			return withoutIndexes(ctx, db, "entry", func() error {
				return db.fill(ctx, "entry", []string{"seq", "at", "kind", "incident", "team", "person", "actor", "payload"}, h.entries(), func(i int) []any {
					n := i / perIncident
					p := h.parts[i%perIncident]
					who := ""
					if p.person {
						who = string(person(n % crowd))
					}
					return []any{seq(i), h.at(i), string(p.kind), int64(n + 1), string(team(n % teams)), who, numbered(p.actor, n), numbered(p.payload, n)}
				})
			})
		},
		func() error {
			return db.fillWords(ctx, h.entries(), func(i int) (int64, string) {
				words := numbered(h.parts[i%perIncident].words, i/perIncident)
				if i%rareEvery == rareEvery/2 {
					words += " " + rareWord
				}
				return seq(i), words
			})
		},
		func() error {
			return db.fill(ctx, "incident", []string{"id", "rev", "state", "entity_id", "team", "body"}, h.incidents, func(n int) []any {
				return []any{int64(n + 1), int64(n + 1), string(incident.Resolved), "old-" + entity(int64(n)), string(team(n % teams)), numbered(h.incident, n)}
			})
		},
		func() error {
			return db.fill(ctx, "alert", []string{"id", "incident", "integration", "received_at", "body", "raw"}, h.incidents, func(n int) []any {
				return []any{int64(n + 1), int64(n + 1), "bench", h.at(n * perIncident), numbered(h.alertBody, n), numbered(h.raw, n)}
			})
		},
		func() error {
			return db.fill(ctx, "delivery", []string{"id", "key", "kind", "state", "created_at", "due_at", "expires_at", "claimed_by", "claimed_until", "attempt", "incident", "entry", "person", "contact", "body"}, h.incidents, func(n int) []any {
				at := h.at(n * perIncident)
				return []any{int64(n + 1), fmt.Sprintf("page:%d:%d:old", n+1, seq(n*perIncident+1)), string(store.StepPage), string(store.Sent), at, at, at + 600_000_000,
					"", int64(0), int64(1), int64(n + 1), seq(n*perIncident + 1), string(person(n % crowd)), fmt.Sprintf("bench-mail-%03d", n%crowd), h.delivery}
			})
		},
		func() error {
			all := int64(h.incidents)
			return db.exec(ctx, "UPDATE head SET seq = $1, incident = $2, alert = $3, delivery = $4, rev = $5, at = $6", offset+int64(h.entries()), all, all, all, all, h.at(h.entries()))
		},
		func() error { return forget(ctx, db) },
		func() error { return db.settle(ctx) },
	} {
		if err := fill(); err != nil {
			return fmt.Errorf("fill the database: %w", err)
		}
	}
	return nil
}

// followers read every entry once, each from where it was.
var followers = []string{outbox.Cursor, search.Cursor, herald.Cursor, bot.Cursor}

// forget makes all that waits for a follower done, so that the next
// measurement does not pay for the last one.
func forget(ctx context.Context, db raw) error {
	errs := []error{
		db.exec(ctx, "UPDATE delivery SET state = 'sent' WHERE state = 'pending'"),
		db.exec(ctx, "DELETE FROM timer"),
	}
	for _, name := range followers {
		errs = append(errs, db.exec(ctx, "INSERT INTO cursor (name, seq) SELECT $1, seq FROM head WHERE TRUE ON CONFLICT (name) DO UPDATE SET seq = excluded.seq", name))
	}
	return errors.Join(errs...)
}
