package account

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Setup is what a new server has to know. Email and Password are needed; the
// rest has defaults.
type Setup struct {
	OrgName  string
	Name     string
	Username string
	Email    string
	Zone     string
	Password string
	Team     string // a first team with the administrator in it; "" for none
}

// SetupToken returns a new one-time token for setting up when nobody can
// administer yet, and makes older ones worthless. An administrator who has no
// password (as "apply" makes them) cannot, so that a server is never locked.
func (s *Service) SetupToken(ctx context.Context) (token string, needed bool, err error) {
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		token, needed = "", false
		able, err := someoneAdministers(tx)
		if err != nil || able {
			return err
		}
		tx.RemoveLinks(store.SetupLink, "")
		text, hash := auth.NewToken()
		tx.AddLink(hash, store.Link{Purpose: store.SetupLink, ExpiresAt: tx.Now.Add(SetupLife)})
		token, needed = text, true
		return nil
	})
	if err != nil {
		return "", false, fmt.Errorf("make set-up token: %w", err)
	}
	return token, needed, nil
}

// someoneAdministers reports whether an administrator can sign in.
func someoneAdministers(tx *store.Tx) (bool, error) {
	able, err := tx.Passwords()
	if err != nil {
		return false, fmt.Errorf("look for an administrator: %w", err)
	}
	for u := range able {
		if user, ok := active(tx, u); ok && user.Role == people.Admin {
			return true, nil
		}
	}
	return false, nil
}

// SetupValid reports whether a set-up token still works: nil, or fault.CodeNotFound.
func (s *Service) SetupValid(ctx context.Context, token string) error {
	link, err := s.store.Link(ctx, secret.Hash(token))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("look up set-up link: %w", err)
	}
	if err != nil || link.Purpose != store.SetupLink || !s.now().Before(link.ExpiresAt) {
		return fault.NotFound(phrase.T("account.dead_setup"))
	}
	return nil
}

// Setup uses a set-up token: it makes the first administrator and what a
// server needs for its first alert, and signs the administrator in.
func (s *Service) Setup(ctx context.Context, token string, f Setup, from Client) (Grant, error) {
	if err := s.SetupValid(ctx, token); err != nil {
		return Grant{}, err
	}
	f, phc, err := s.prepare(ctx, f)
	if err != nil {
		return Grant{}, err
	}
	return store.InTx(ctx, s.store, func(tx *store.Tx) (Grant, error) {
		link, err := tx.Link(secret.Hash(token))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return Grant{}, fmt.Errorf("look up set-up link: %w", err)
		}
		if err != nil || link.Purpose != store.SetupLink || !tx.Now.Before(link.ExpiresAt) {
			return Grant{}, fault.NotFound(phrase.T("account.dead_setup"))
		}
		able, err := someoneAdministers(tx)
		if err != nil {
			return Grant{}, err
		}
		if able { // through the command line, since the link was printed
			return Grant{}, fault.Conflict(phrase.T("account.already_set_up"))
		}
		u, err := s.found(tx, f, phc, timeline.Browser)
		if err != nil {
			return Grant{}, err
		}
		return s.startSession(tx, u, from)
	})
}

// CreateAdmin does what Setup does, for the command line and without a token;
// false when an administrator can sign in already.
func (s *Service) CreateAdmin(ctx context.Context, f Setup) (bool, error) {
	able, err := store.InTx(ctx, s.store, someoneAdministers)
	if err != nil || able {
		return false, err
	}
	f, phc, err := s.prepare(ctx, f)
	if err != nil {
		return false, err
	}
	return store.InTx(ctx, s.store, func(tx *store.Tx) (bool, error) {
		if able, err := someoneAdministers(tx); err != nil || able {
			return false, err
		}
		_, err := s.found(tx, f, phc, timeline.Command)
		return err == nil, err
	})
}

// prepare fills in what was left empty and hashes the password, which takes
// too long for a transaction.
func (s *Service) prepare(ctx context.Context, f Setup) (Setup, string, error) {
	f.Email = strings.TrimSpace(f.Email)
	f.Name, f.Username = strings.TrimSpace(f.Name), strings.ToLower(strings.TrimSpace(f.Username))
	f.Zone = or(strings.TrimSpace(f.Zone), "UTC")
	f.OrgName, f.Team = strings.TrimSpace(f.OrgName), strings.TrimSpace(f.Team)
	phc, err := s.hash(ctx, f.Password, people.User{Email: f.Email, Username: f.Username, Name: f.Name})
	return f, phc, err
}

// found makes the first administrator and, as far as they are missing, the
// settings, a policy that pages them, and an integration.
func (s *Service) found(tx *store.Tx, f Setup, phc string, from timeline.Origin) (id.User, error) {
	user, err := founder(tx.Org, f)
	if err != nil {
		return "", err
	}
	changes := []org.Change{org.Put(user)}
	settings := tx.Org.Settings
	if settings.Name == "" || f.OrgName != "" {
		settings.Name = or(f.OrgName, phrase.T("account.setup.org"))
	}
	if _, ok := tx.Org.Policies[settings.DefaultPolicy]; !ok {
		policy, known := tx.Org.PolicyBySlug("administrators")
		if !known {
			policy = firstPolicy(user.ID)
			changes = append(changes, org.Put(policy))
		}
		settings.DefaultPolicy = policy.ID
	}
	if len(tx.Org.Integrations) == 0 {
		key := id.Secret(20)
		changes = append(changes, org.Put(routing.Integration{
			ID: id.Integration(id.New()), Kind: routing.REST, Name: phrase.T("account.setup.integration"),
			KeyHash: secret.Hash(key), Sealed: s.box.Seal(key),
		}))
	}
	if _, taken := tx.Org.TeamBySlug(id.Slug(f.Team)); f.Team != "" && !taken {
		changes = append(changes, org.Put(people.Team{
			ID: id.Team(id.New()), Slug: id.Slug(f.Team), Name: f.Team, Members: []id.User{user.ID},
		}))
	}
	changes = append(changes, org.Put(settings))
	if _, err := dispatch.ApplyChanges(tx, actor(user, nil, from), changes); err != nil {
		return "", err
	}
	s.settle(tx, user.ID, phc)
	tx.RemoveLinks(store.SetupLink, "")
	return user.ID, nil
}

// founder is the administrator to be: somebody new, or the person of that
// address whom "apply" has made.
func founder(o *org.Org, f Setup) (people.User, error) {
	user, ok := o.UserByEmail(f.Email)
	if ok {
		user.Role, user.Disabled = people.Admin, false
		return user, nil
	}
	local, _, _ := strings.Cut(f.Email, "@")
	if f.Username == "" {
		f.Username = o.FreeUsername(shortened(or(id.Slug(local), "admin")))
	}
	if f.Name == "" {
		f.Name = or(local, f.Username)
		if _, taken := o.Impostor(people.User{Name: f.Name}); taken != "" {
			f.Name = f.Email
		}
	}
	user = people.User{
		ID: id.User(id.New()), Username: f.Username, Name: f.Name, Email: f.Email, Role: people.Admin, Zone: f.Zone,
		Contacts: []people.Contact{emailContact(f.Email)},
	}
	return user, validUser(o, user)
}

func firstPolicy(admin id.User) escalation.Policy {
	return escalation.Policy{
		ID: id.Policy(id.New()), Slug: "administrators", Name: phrase.T("account.setup.policy"),
		Steps:  []escalation.Step{{Targets: []escalation.Target{{User: admin}}}},
		Repeat: 3, RepeatAfter: escalation.DefaultRepeatAfter,
	}
}

// emailContact is an address for which an administrator answers: who invites,
// or the first one for their own, whom nobody else could confirm.
func emailContact(address string) people.Contact {
	return people.Contact{ID: id.Contact(id.New()), Method: people.Email, Address: address, Proof: people.ByAdmin}
}

// or returns the first text that is not empty.
func or(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
