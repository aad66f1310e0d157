package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// The organisation that is measured: crowd people with a policy and a routing
// key each, that page at once; "later", a policy whose first step waits; and
// teams, so that filters have something to find.
const (
	crowd   = 100
	teams   = 10
	keys    = 40                                 // tokens of the first person
	doorKey = "bench-0123456789abcdef0123456789" // of the integration, and no secret
	first   = "p000"                             // routing key of the first person
	later   = "later"                            // routing key of the policy that waits
)

// greeted is when the bot has introduced itself to everybody: else it did so,
// and changed the organisation, while something is measured.
var greeted = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func person(n int) id.User { return id.User(fmt.Sprintf("benchuser%03d", n)) }
func team(n int) id.Team   { return id.Team(fmt.Sprintf("bench-team-%03d", n)) }
func policy(n int) id.Policy {
	return id.Policy(fmt.Sprintf("bench-policy-%03d", n))
}

// furnished is what must be known of a prepared place.
type furnished struct {
	tokens  []string // read and respond through the API
	version int64    // of the policies
}

// token is one of them: none may have thousands of streams open.
func (f furnished) token(i int) string { return f.tokens[i%len(f.tokens)] }

// furnish makes the organisation in an empty place.
func furnish(ctx context.Context, p place) (f furnished, err error) {
	s, err := store.Open(ctx, p.storeConfig())
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	box, err := secret.Open(p.keyFile())
	if err != nil {
		return f, fmt.Errorf("open the secret key: %w", err)
	}
	log := slog.New(slog.DiscardHandler)
	d := dispatch.New(s, box, log)
	if _, err := d.ChangeOrg(ctx, people.Operator(), func(*org.Org) ([]org.Change, error) { return organisation(d), nil }); err != nil {
		return f, fmt.Errorf("make the organisation: %w", err)
	}
	o, err := s.Org(ctx)
	if err != nil {
		return f, err
	}
	f.version = o.Policies[policy(0)].Version
	accounts := account.New(s, box, account.Options{PublicURL: publicURL, Log: log})
	for i := range keys {
		token, _, err := accounts.CreateToken(ctx, people.Operator(), person(0), fmt.Sprintf("bench %d", i), nil)
		if err != nil {
			return f, fmt.Errorf("make a token: %w", err)
		}
		f.tokens = append(f.tokens, token)
	}
	return f, nil
}

func organisation(d *dispatch.Dispatcher) []org.Change {
	var all []org.Change
	for n := range crowd {
		address := fmt.Sprintf("user%03d@bench.example", n)
		all = append(all,
			org.Put(people.User{
				ID: person(n), Username: fmt.Sprintf("user%03d", n), Name: fmt.Sprintf("Person %03d", n), Email: address, Role: people.Admin, Zone: "Europe/Berlin",
				Contacts: []people.Contact{{ID: id.Contact(fmt.Sprintf("bench-mail-%03d", n)), Method: people.Email, Address: address}},
				Chat:     people.ChatSettings{Greeted: greeted},
			}),
			org.Put(escalation.Policy{
				ID: policy(n), Slug: fmt.Sprintf("policy-%03d", n), Name: fmt.Sprintf("Policy %03d", n), Team: team(n % teams),
				Steps: []escalation.Step{
					{Targets: []escalation.Target{{User: person(n)}}},
					{After: escalation.Duration(10 * time.Minute), Targets: []escalation.Target{{User: person((n + 1) % crowd)}}},
				},
				Repeat: 1, RepeatAfter: escalation.DefaultRepeatAfter,
			}),
			org.Put(routing.Key{ID: id.RoutingKey(fmt.Sprintf("bench-key-%03d", n)), Name: fmt.Sprintf("p%03d", n), Policy: policy(n)}))
	}
	for n := range teams {
		t := people.Team{ID: team(n), Slug: fmt.Sprintf("team-%03d", n), Name: fmt.Sprintf("Team %03d", n)}
		for m := n; m < crowd; m += teams {
			t.Members = append(t.Members, person(m))
		}
		all = append(all, org.Put(t))
	}
	return append(all,
		org.Put(escalation.Policy{
			ID: "bench-policy-later", Slug: later, Name: "Later", Team: team(0),
			Steps:  []escalation.Step{{After: escalation.Duration(time.Hour), Targets: []escalation.Target{{User: person(0)}}}},
			Repeat: 1, RepeatAfter: escalation.DefaultRepeatAfter,
		}),
		org.Put(routing.Key{ID: "bench-key-later", Name: later, Policy: "bench-policy-later"}),
		org.Put(d.NewIntegration(routing.REST, "Bench", doorKey)),
		org.Put(org.Settings{Name: "Bench", DefaultPolicy: policy(0), WarningsOpen: true, SnoozeMorningAt: "09:00"}))
}
