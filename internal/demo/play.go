package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// House is the made-up organisation at work.
type House struct {
	store    *store.Store
	dispatch *dispatch.Dispatcher
	rand     *rand.Rand
	door     id.Integration
	busy     map[string]*affair // by entity
	job      string             // the key of the job that calls in
	beaten   time.Time          // when it last did
	rooms    map[string]id.Room // as scenes name them
	stage    []*act             // the scenes that are going on, the first one first
	chatted  int                // scenes of chatter so far

	// Upload takes in what people show each other; nil: they show nothing.
	Upload Upload
}

// affair is a trouble that is going on.
type affair struct {
	trouble trouble
	number  id.Incident
	said    int
	noted   bool
	worse   bool
	talked  bool
}

// New returns a House. The same seed plays the same events.
func New(s *store.Store, d *dispatch.Dispatcher, seed uint64) *House {
	return &House{store: s, dispatch: d, rand: rand.New(rand.NewPCG(seed, seed)), busy: map[string]*affair{}, rooms: map[string]id.Room{}} //nolint:gosec // events of a demo are no secret
}

// Furnish sets the organisation up and returns the integration with its key.
func (h *House) Furnish(ctx context.Context, now time.Time) (routing.Integration, error) {
	door := h.dispatch.NewIntegration(routing.REST, "Monitoring", "")
	h.door = door.ID
	_, err := h.dispatch.ChangeOrg(ctx, people.Operator(), func(*org.Org) ([]org.Change, error) {
		changes := organisation(now, door)
		for _, p := range carriers(func(plain string) string { return h.dispatch.Sealed("", plain) }) {
			changes = append(changes, org.Put(p))
		}
		return changes, nil
	})
	if err != nil {
		return door, fmt.Errorf("set up the demo: %w", err)
	}
	for _, s := range lore {
		h.begin(s, 0, people.Actor{})
	}
	return door, h.openRooms(ctx)
}

// Past plays events from start until now on the store's own clock, which set
// moves; settle is called after each, to fire timers and send what is due.
func (h *House) Past(ctx context.Context, start, now time.Time, set func(time.Time), settle func(context.Context) error) error {
	for at := start; at.Before(now); at = at.Add(h.pause(time.Minute, 10)) {
		set(at)
		if err := settle(ctx); err != nil {
			return err
		}
		if err := h.Step(ctx); err != nil {
			return err
		}
		if err := settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pause is how long nothing happens: some units, or while people talk about one.
func (h *House) pause(unit time.Duration, most int) time.Duration {
	if h.talking() {
		most = 2
	}
	return unit/2 + time.Duration(h.rand.Int64N(int64(unit)*int64(most-1)))
}

// Run plays on, at a human pace, until ctx ends.
func (h *House) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(h.pause(5*time.Second, 4)):
		}
		if err := errors.Join(h.beat(ctx, time.Now()), h.deploy(ctx), h.Step(ctx)); err != nil && ctx.Err() == nil {
			return fmt.Errorf("play the demo: %w", err)
		}
	}
}

// Step lets one thing happen.
func (h *House) Step(ctx context.Context) error {
	switch n := h.rand.IntN(10); {
	case n > 3 && h.talking():
		return h.speak(ctx)
	case len(h.busy) == 0 || n < 2 && len(h.busy) < 5:
		return h.breakSomething(ctx)
	case n == 2:
		return h.send(ctx, infos[h.rand.IntN(len(infos))])
	case n == 3 && !h.talking() && h.rand.IntN(3) == 0:
		h.begin(chatter[h.chatted%len(chatter)], 0, people.Actor{})
		h.chatted++
		return h.speak(ctx)
	case n == 3 && h.rand.IntN(3) == 0:
		return h.dispatch.Post(ctx, actor(staff[1+h.rand.IntN(len(staff)-2)]), 0, smallTalk[h.rand.IntN(len(smallTalk))])
	default:
		return h.goOn(ctx)
	}
}

func (h *House) breakSomething(ctx context.Context) error {
	var fine []trouble
	for _, t := range troubles {
		if h.busy[t.alert.EntityID] == nil {
			fine = append(fine, t)
		}
	}
	t := fine[h.rand.IntN(len(fine))]
	a := t.alert
	a.Type = t.severity
	accepted, err := h.accept(ctx, a)
	if err != nil {
		return err
	}
	h.busy[a.EntityID] = &affair{trouble: t, number: accepted.Incident}
	return nil
}

// goOn takes one affair a step further: somebody acknowledges, they talk, it
// gets worse, it ends.
func (h *House) goOn(ctx context.Context) error {
	entities := make([]string, 0, len(h.busy))
	for e := range h.busy {
		entities = append(entities, e)
	}
	slices.Sort(entities)
	now, err := h.store.Now(ctx)
	if err != nil {
		return err
	}
	entity, inc, err := h.choose(ctx, entities, now)
	if err != nil {
		return err
	}
	a := h.busy[entity]
	who := h.responder(inc)
	switch {
	case inc.State == incident.Resolved:
		delete(h.busy, entity)
		return nil
	case inc.State == incident.Triggered && fresh(inc, now):
		return nil
	case inc.State == incident.Triggered && h.rand.IntN(3) == 0:
		return h.send(ctx, h.again(a))
	case inc.State == incident.Triggered && h.rand.IntN(2) == 0:
		return h.command(ctx, who, ops, fmt.Sprintf("!ack %d", inc.ID))
	case inc.State == incident.Triggered:
		_, err = h.dispatch.Acknowledge(ctx, who, inc.ID)
	case len(a.trouble.thread) > 0 && !a.talked:
		if a.talked = true; h.rand.IntN(3) == 0 {
			return nil // they have said it often enough
		}
		h.begin(scene{ops, a.trouble.thread}, inc.ID, asker(a.trouble.thread, who))
		return nil
	case a.said < len(a.trouble.chat):
		a.said++
		return h.dispatch.Post(ctx, who, inc.ID, a.trouble.chat[a.said-1])
	case a.trouble.note != "" && !a.noted:
		a.noted = true
		_, err = h.dispatch.AddNote(ctx, who, inc.ID, a.trouble.note)
	case a.trouble.over != "":
		delete(h.busy, entity)
		over := a.trouble.alert
		over.Type, over.Message = alert.Recovery, a.trouble.over
		return h.send(ctx, over)
	default:
		delete(h.busy, entity)
		_, err = h.dispatch.Resolve(ctx, who, inc.ID)
	}
	return err
}

// choose picks an affair: people look first at what nobody has acknowledged.
func (h *House) choose(ctx context.Context, entities []string, now time.Time) (string, incident.Incident, error) {
	entity := entities[h.rand.IntN(len(entities))]
	for _, e := range entities {
		inc, err := h.store.Incident(ctx, h.busy[e].number)
		if err != nil {
			return e, inc, err
		}
		if inc.State == incident.Triggered && !fresh(inc, now) {
			entity = e
		}
	}
	inc, err := h.store.Incident(ctx, h.busy[entity].number)
	return entity, inc, err
}

// fresh reports whether an incident is left to whoever looks at the demo for a
// while, before a colleague acknowledges it.
func fresh(inc incident.Incident, now time.Time) bool {
	return now.Sub(inc.TriggeredAt) < 2*time.Minute
}

// Open makes sure that there is something to do: a command that waits for a
// yes, the bot that wants to say hello, and two incidents nobody has yet.
func (h *House) Open(ctx context.Context) error {
	if err := errors.Join(h.askApproval(ctx), h.introduce(ctx)); err != nil {
		return err
	}
	for {
		counts, err := h.store.Counts(ctx)
		if err != nil || counts.Triggered >= 2 || len(h.busy) == len(troubles) {
			return err
		}
		if err := h.breakSomething(ctx); err != nil {
			return err
		}
	}
}

func (h *House) again(a *affair) alert.Alert {
	more := a.trouble.alert
	more.Type = a.trouble.severity
	if a.trouble.worse != "" && !a.worse {
		a.worse = true
		more.Message = a.trouble.worse
	}
	return more
}

// responder is who acts: whoever has it, else the first who was paged; a
// colleague instead of the administrator, for whoever looks at the demo is that.
func (h *House) responder(inc incident.Incident) people.Actor {
	who := inc.AckedBy.User
	if who == "" && len(inc.Paged) > 0 {
		who = inc.Paged[0]
	}
	if who == "" || who == userID(Admin) {
		return actor(staff[1])
	}
	return h.who(who)
}

func actor(p person) people.Actor {
	return people.Actor{User: userID(p.username), Name: p.name, Role: p.role, Origin: timeline.Browser}
}

func (h *House) send(ctx context.Context, a alert.Alert) error {
	_, err := h.accept(ctx, a)
	return err
}

func (h *House) accept(ctx context.Context, a alert.Alert) (alert.Alert, error) {
	a.Integration = h.door
	a.Raw = raw(a)
	return h.dispatch.Accept(ctx, a)
}

// Enter is the path that signs a browser in as Admin.
const Enter = "/demo"

// Admin is the username of the demo's administrator.
const Admin = "ada"
