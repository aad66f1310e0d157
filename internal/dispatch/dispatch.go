// Package dispatch is the use cases: load, decide, commit. It is the only
// writer of incidents; the browser, the API, mail links, commands and timers
// all come through here, with the same permissions. It contains no rules of
// the field (those are in incident, org and escalation) and talks to nothing
// outside: what must leave the process follows the timeline.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Limits of what people write.
const (
	MaxText   = 10_000             // characters of a message or note
	MaxSnooze = 7 * 24 * time.Hour // from Friday evening to Monday, and a week of holidays
	MinSnooze = time.Minute
)

// Sealer encrypts small secrets before they are stored.
type Sealer interface {
	Seal(plain string) string
	Open(sealed string) (string, error)
	Derive(purpose string) []byte // a key for one purpose
}

// Dispatcher holds what the use cases need.
type Dispatcher struct {
	store *store.Store
	box   Sealer
	log   *slog.Logger
	queue chan *request
	turn  chan struct{} // holds one while Run runs and nobody writes alerts
	known atomic.Pointer[known]

	waiting atomic.Int64 // bytes of alerts whose commit is awaited
	pace    pace
	marks   marks
}

// New returns a Dispatcher. Alerts are accepted while Run runs.
func New(s *store.Store, box Sealer, log *slog.Logger) *Dispatcher {
	return &Dispatcher{store: s, box: box, log: log, queue: make(chan *request, maxWaiting), turn: make(chan struct{}, 1)}
}

// Acknowledge says that actor looks after an incident. Somebody who was first
// is named in the conflict; acknowledging twice oneself is fine.
func (d *Dispatcher) Acknowledge(ctx context.Context, actor people.Actor, n id.Incident) (incident.Incident, error) {
	return d.act(ctx, actor, n, incident.Acknowledge{By: actor.Who()})
}

// Unacknowledge gives an incident back; its policy starts again.
func (d *Dispatcher) Unacknowledge(ctx context.Context, actor people.Actor, n id.Incident) (incident.Incident, error) {
	return d.act(ctx, actor, n, incident.Unacknowledge{By: actor.Who()})
}

// Resolve ends an incident.
func (d *Dispatcher) Resolve(ctx context.Context, actor people.Actor, n id.Incident) (incident.Incident, error) {
	return d.act(ctx, actor, n, incident.Resolve{By: actor.Who()})
}

// Snooze acknowledges an incident until an instant at most MaxSnooze ahead.
func (d *Dispatcher) Snooze(ctx context.Context, actor people.Actor, n id.Incident, until time.Time) (incident.Incident, error) {
	return d.actWith(ctx, actor, n, func(tx *store.Tx) (incident.Input, error) {
		if ahead := until.Sub(tx.Now); ahead < MinSnooze || ahead > MaxSnooze+time.Minute {
			return nil, fault.Invalid("until", phrase.T("dispatch.snooze_range"))
		}
		// as precise as a timer is stored, or the timer would come before the time it waits for
		return incident.Snooze{By: actor.Who(), Until: until.UTC().Truncate(time.Microsecond)}, nil
	})
}

// RerouteToPolicy hands an incident to another policy, from its first step.
func (d *Dispatcher) RerouteToPolicy(ctx context.Context, actor people.Actor, n id.Incident, p id.Policy) (incident.Incident, error) {
	return d.actWith(ctx, actor, n, func(tx *store.Tx) (incident.Input, error) {
		policy, ok := tx.Org.Policies[p]
		if !ok {
			return nil, fault.Invalid("policy", phrase.T("dispatch.no_such_policy"))
		}
		return incident.Reroute{By: actor.Who(), Policy: policy}, nil
	})
}

// RerouteToUser hands an incident to one person.
func (d *Dispatcher) RerouteToUser(ctx context.Context, actor people.Actor, n id.Incident, u id.User) (incident.Incident, error) {
	return d.actWith(ctx, actor, n, func(tx *store.Tx) (incident.Input, error) {
		user, err := activeUser(tx, u)
		if err != nil {
			return nil, err
		}
		return incident.Reroute{By: actor.Who(), Policy: escalation.Direct(u, user.Name), Direct: u, DirectName: user.Name}, nil
	})
}

// AddResponders asks further people to help, whatever the policy does.
func (d *Dispatcher) AddResponders(ctx context.Context, actor people.Actor, n id.Incident, users ...id.User) (incident.Incident, error) {
	return d.actWith(ctx, actor, n, func(tx *store.Tx) (incident.Input, error) {
		if len(users) == 0 {
			return nil, fault.Invalid("users", phrase.T("dispatch.no_users"))
		}
		in := incident.AddResponder{By: actor.Who()}
		for _, u := range users {
			user, err := activeUser(tx, u)
			if err != nil {
				return nil, err
			}
			if !user.Reachable() {
				return nil, fault.Invalid("users", phrase.T("dispatch.unreachable", user.Name))
			}
			in.Users = append(in.Users, incident.Person{User: u, Name: user.Name, Reachable: true})
		}
		return in, nil
	})
}

// AddNote writes something down with an incident, also after its end.
func (d *Dispatcher) AddNote(ctx context.Context, actor people.Actor, n id.Incident, text string) (incident.Incident, error) {
	text, err := cleanText(text)
	if err != nil {
		return incident.Incident{}, err
	}
	return d.act(ctx, actor, n, incident.AddNote{By: actor.Who(), Text: text})
}

func (d *Dispatcher) act(ctx context.Context, actor people.Actor, n id.Incident, in incident.Input) (incident.Incident, error) {
	return d.actWith(ctx, actor, n, func(*store.Tx) (incident.Input, error) { return in, nil })
}

// actWith is the shape of every action: may they, load, decide, save.
func (d *Dispatcher) actWith(ctx context.Context, actor people.Actor, n id.Incident, input func(*store.Tx) (incident.Input, error)) (incident.Incident, error) {
	if !actor.May(people.Respond) {
		return incident.Incident{}, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (incident.Incident, error) {
		inc, err := load(tx, n)
		if err != nil {
			return inc, err
		}
		in, err := input(tx)
		if err != nil {
			return inc, err
		}
		dec := incident.Decide(inc, in, facts(tx, inc, ""), tx.Now)
		if err := refused(in, dec, actor); err != nil {
			return inc, err
		}
		tx.Save(dec)
		return dec.Incident, nil
	})
}

// facts are what the rules may know about inc within a transaction.
func facts(tx *store.Tx, inc incident.Incident, routingKey string) incident.Facts {
	f := tx.Org.Facts(inc, routingKey, tx.Now)
	f.Turn = tx.Turn
	return f
}

func load(tx *store.Tx, n id.Incident) (incident.Incident, error) {
	inc, err := tx.Incident(n)
	if errors.Is(err, store.ErrNotFound) {
		return inc, fault.NotFound(phrase.T("dispatch.no_such_incident", n))
	}
	if err != nil {
		return inc, fmt.Errorf("load incident %d: %w", n, err)
	}
	return inc, nil
}

// refused turns a decision that changed nothing into an answer: nil when actor
// has already done just that, else a conflict that says who was first, and when.
func refused(in incident.Input, dec incident.Decision, actor people.Actor) error {
	inc := dec.Incident
	var by timeline.Actor
	var at time.Time
	var key string
	var asked bool // for what has happened; else what was asked will not happen, whoever was first
	switch dec.Reason {
	case incident.ReasonAlreadyAcknowledged:
		by, at, key = inc.AckedBy, inc.AckedAt, "dispatch.already_acknowledged"
		_, asked = in.(incident.Acknowledge)
	case incident.ReasonAlreadyResolved:
		by, at, key = inc.ResolvedBy, inc.ResolvedAt, "dispatch.already_resolved"
		_, asked = in.(incident.Resolve)
	case incident.ReasonNotAcknowledged:
		return fault.Conflict(phrase.T("dispatch.not_acknowledged", inc.ID)).With("state", string(inc.State))
	default:
		return nil
	}
	if asked && by.User == actor.User && actor.User != "" {
		return nil
	}
	return fault.Conflict(phrase.T(key, inc.ID, name(by))).
		With("state", string(inc.State)).With("by", name(by)).With("at", at.Format(time.RFC3339))
}

func name(a timeline.Actor) string {
	if a.Name == "" {
		return phrase.T("dispatch.monitoring")
	}
	return a.Name
}

func activeUser(tx *store.Tx, u id.User) (people.User, error) {
	user, ok := tx.Org.Users[u]
	if !ok || user.Disabled {
		return user, fault.Invalid("user", phrase.T("dispatch.no_such_user"))
	}
	return user, nil
}

func cleanText(text string) (string, error) {
	text = storable(text)
	switch {
	case people.Blank(text):
		return "", fault.Invalid("text", phrase.T("dispatch.empty_text"))
	case len([]rune(text)) > MaxText:
		return "", fault.Invalid("text", phrase.T("dispatch.long_text", MaxText))
	}
	return text, nil
}

// storable is text that every database takes, without space around it.
func storable(text string) string {
	return strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\uFFFD"))
}

func forbidden() error { return fault.Forbidden(phrase.T("dispatch.forbidden")) }
