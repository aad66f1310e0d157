package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// Invitation is a person who is to join. Name and Email are needed.
type Invitation struct {
	Name     string
	Username string // "": made from the address
	Email    string
	Zone     string // "": the zone of who invites
	Role     people.Role
	Teams    []id.Team
}

// Profile is what an invited person may correct; what is empty stays.
type Profile struct {
	Name     string
	Username string
	Zone     string
}

// Invite makes a person and a link for their first password. The person exists
// at once and can be put on rotas and paged; the link is mailed, and returned
// to be handed over when mail is not configured.
func (s *Service) Invite(ctx context.Context, actor people.Actor, f Invitation) (user people.User, link string, err error) {
	if !actor.May(people.Manage) {
		return people.User{}, "", forbidden()
	}
	err = s.store.Do(ctx, func(tx *store.Tx) error {
		user = invited(tx.Org, actor, f)
		user.Contacts = people.Vouched(user.Contacts, actor, tx.Now)
		if err := validUser(tx.Org, user); err != nil {
			return err
		}
		changes := []org.Change{org.Put(user)}
		for _, n := range f.Teams {
			team, ok := tx.Org.Teams[n]
			if !ok {
				return fault.Invalid("teams", phrase.T("account.no_such_team"))
			}
			if slices.Contains(team.Members, user.ID) {
				continue
			}
			team.Members = append(slices.Clone(team.Members), user.ID)
			changes = append(changes, org.Put(team))
		}
		if _, err := dispatch.ApplyChanges(tx, actor, changes); err != nil {
			return err
		}
		link, err = s.sendInvitation(tx, actor, user)
		return err
	})
	if err != nil {
		return people.User{}, "", err
	}
	return user, link, nil
}

// invited is the person an invitation describes.
func invited(o *org.Org, actor people.Actor, f Invitation) people.User {
	user := people.User{
		ID: id.User(id.New()), Username: strings.ToLower(strings.TrimSpace(f.Username)), Name: strings.TrimSpace(f.Name),
		Email: strings.TrimSpace(f.Email), Role: f.Role, Zone: strings.TrimSpace(f.Zone),
	}
	user.Contacts = []people.Contact{emailContact(user.Email)}
	user.Zone = or(user.Zone, o.Users[actor.User].Zone, "UTC")
	if user.Role == "" {
		user.Role = people.Member
	}
	if user.Username == "" {
		local, _, _ := strings.Cut(user.Email, "@")
		user.Username = o.FreeUsername(shortened(or(id.Slug(local), id.Slug(user.Name), "user")))
	}
	return user
}

// shortened leaves room for a number in what may have 40 characters.
func shortened(slug string) string { return strings.TrimRight(slug[:min(len(slug), 36)], "-") }

// validUser says what is wrong with a person, and with which field.
func validUser(o *org.Org, u people.User) error {
	if other, taken := o.UserByEmail(u.Email); taken && other.ID != u.ID {
		return fault.Invalid("email", phrase.T("account.email_taken"))
	}
	if other, taken := o.UserByName(u.Username); taken && other.ID != u.ID {
		return fault.Invalid("username", phrase.T("account.username_taken"))
	}
	if err := u.Validate(); err != nil {
		return fault.Invalid(wrongField(u), err.Error())
	}
	if field, wrong := o.Impostor(u); wrong != "" {
		return fault.Invalid(field, wrong)
	}
	return nil
}

// wrongField finds which field of u is not valid, by trying u with one field
// made good after the other in the order in which Validate looks.
func wrongField(u people.User) string {
	good := people.User{Username: "good", Name: "Good", Email: "good@example.org", Role: people.Member, Zone: "UTC"}
	for _, try := range []struct {
		field string
		set   func(*people.User)
	}{
		{"username", func(g *people.User) { g.Username = u.Username }},
		{"name", func(g *people.User) { g.Name = u.Name }},
		{"role", func(g *people.User) { g.Role = u.Role }},
		{"email", func(g *people.User) { g.Email = u.Email }},
		{"zone", func(g *people.User) { g.Zone = u.Zone }},
	} {
		g := good
		try.set(&g)
		if g.Validate() != nil {
			return try.field
		}
	}
	return ""
}

// Reinvite makes a new link for somebody who has not joined yet; the earlier
// one is worthless then.
func (s *Service) Reinvite(ctx context.Context, actor people.Actor, u id.User) (link string, err error) {
	if !actor.May(people.Manage) {
		return "", forbidden()
	}
	return store.InTx(ctx, s.store, func(tx *store.Tx) (string, error) {
		user, ok := active(tx, u)
		if !ok {
			return "", fault.NotFound(phrase.T("account.no_such_user"))
		}
		_, err := tx.Password(u)
		if err == nil {
			return "", fault.Conflict(phrase.T("account.has_joined", user.Name))
		}
		if !errors.Is(err, store.ErrNotFound) {
			return "", fmt.Errorf("invite %s again: %w", u, err)
		}
		tx.RemoveLinks(store.InviteLink, u)
		return s.sendInvitation(tx, actor, user)
	})
}

func (s *Service) sendInvitation(tx *store.Tx, actor people.Actor, user people.User) (link string, err error) {
	token, hash := auth.NewToken()
	expires := tx.Now.Add(InviteLife)
	tx.AddLink(hash, store.Link{Purpose: store.InviteLink, Person: user.ID, ExpiresAt: expires})
	link = s.url + "/invite/" + token
	if !s.mail {
		return link, nil
	}
	house := or(tx.Org.Settings.Name, phrase.T("account.setup.org"))
	return link, s.addNotice(tx, user, notify.Notice{
		Subject: phrase.T("account.invite.subject", house),
		Lines: []string{
			phrase.T("account.invite.line", actor.Name, house),
			phrase.T("account.invite.until", expires.In(user.Location()).Format("Monday, 2 January 2006, 15:04 MST")),
		},
		Action: phrase.T("account.invite.action"), URL: link,
	}, expires)
}

// InvitationFor returns whom an invitation is for; fault.CodeNotFound when it
// was used, is too old, or never was one.
func (s *Service) InvitationFor(ctx context.Context, token string) (people.User, error) {
	return s.owner(ctx, token, store.InviteLink)
}

// AcceptInvitation uses an invitation: the person has a password and is signed in.
func (s *Service) AcceptInvitation(ctx context.Context, token, password string, from Client) (Grant, error) {
	return s.Join(ctx, token, Profile{}, password, from)
}

// Join is AcceptInvitation by somebody who corrects what was written about
// them. Where mail is configured the link has proven their address.
func (s *Service) Join(ctx context.Context, token string, p Profile, password string, from Client) (Grant, error) {
	return s.redeem(ctx, token, store.InviteLink, password, from, func(tx *store.Tx, user people.User) error {
		user.Name = or(strings.TrimSpace(p.Name), user.Name)
		user.Username = or(strings.ToLower(strings.TrimSpace(p.Username)), user.Username)
		user.Zone = or(strings.TrimSpace(p.Zone), user.Zone)
		if err := validUser(tx.Org, user); err != nil {
			return err
		}
		return s.save(tx, user)
	})
}
