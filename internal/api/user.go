package api

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// UserView is a person.
type UserView struct {
	ID        id.User       `json:"id"`
	Username  string        `json:"username"`
	Name      string        `json:"name"`
	Email     string        `json:"email"`
	Role      string        `json:"role" enum:"admin,member,observer"`
	Zone      string        `json:"zone"`
	Contacts  []ContactView `json:"contacts" nullable:"false"`
	Paging    *PagingPolicy `json:"paging,omitempty" doc:"How the person wants to be paged; absent: by every contact method at once."`
	Reminders []string      `json:"reminders" nullable:"false" doc:"Which messages about their own rota the person wants: shift_start, shift_end, hand_over."`
	Disabled  bool          `json:"disabled"`
	Robot     bool          `json:"robot,omitempty" doc:"Not a person but the name of a program in a room."`
	Reachable bool          `json:"reachable" doc:"A page could go out: not disabled, and a contact method is on and proven."`
}

// ContactView is one way to reach a person.
type ContactView struct {
	ID         id.Contact `json:"id"`
	Method     string     `json:"method" enum:"email,sms,voice,push,ntfy,gotify,pushover,telegram"`
	Label      string     `json:"label,omitempty"`
	Address    string     `json:"address,omitempty" doc:"Absent for others when it is itself a secret."`
	Shown      string     `json:"shown" doc:"What to call it before others."`
	Off        bool       `json:"off,omitempty" doc:"Kept, but not used."`
	Verified   bool       `json:"verified" doc:"It is known that it reaches the person; before that nothing is paged to it."`
	VerifiedAt *time.Time `json:"verified_at,omitempty"`
	Proof      string     `json:"proof,omitempty" enum:"code,link,admin,earlier" doc:"How that is known. code: a code that was sent there was typed back. link: a link that was sent there was used. admin: an administrator answers for the e-mail address. earlier: an e-mail address in use before addresses had to be proven. Absent: it is not."`
	VouchedBy  id.User    `json:"vouched_by,omitempty" doc:"The administrator who answers for it; absent for the command line."`
}

// ContactBody is one way to reach a person, as it is written.
type ContactBody struct {
	ID      id.Contact `json:"id,omitempty" doc:"Made up when absent; give it back to keep the contact method."`
	Method  string     `json:"method" enum:"email,sms,voice,push,ntfy,gotify,pushover,telegram"`
	Label   string     `json:"label,omitempty" maxLength:"100"`
	Address string     `json:"address" maxLength:"2048" example:"kim@example.org" doc:"One that is new or has changed has to be proven by its owner; for an e-mail address who writes this answers."`
	Off     bool       `json:"off,omitempty" doc:"Kept, but not used."`
}

// UserBody is all that is said about a person.
type UserBody struct {
	Username string        `json:"username" pattern:"^[a-z0-9][a-z0-9._-]{0,39}$" patternDescription:"1 to 40 lower-case letters, digits, dots, dashes or underscores, starting with a letter or digit" example:"kim" doc:"The mention handle; unique."`
	Name     string        `json:"name" minLength:"1" maxLength:"200" example:"Kim Lee"`
	Email    string        `json:"email" format:"email" maxLength:"254" example:"kim@example.org" doc:"For signing in; unique."`
	Role     string        `json:"role" enum:"admin,member,observer" example:"member"`
	Zone     string        `json:"zone" maxLength:"100" example:"Europe/Berlin" doc:"IANA name of the time zone."`
	Contacts []ContactBody `json:"contacts,omitempty" maxItems:"40"`
	Disabled bool          `json:"disabled,omitempty" doc:"May not sign in and is not paged."`

	Paging    *PagingPolicy `json:"paging,omitempty" doc:"How the person wants to be paged. Left out, it stays as it is: people choose it for themselves."`
	Reminders []string      `json:"reminders,omitempty" enum:"shift_start,shift_end,hand_over" maxItems:"3" doc:"Messages about their own rota. Left out, they stay as they are."`
}

// InviteBody is somebody new.
type InviteBody struct {
	Username string   `json:"username,omitempty" pattern:"^[a-z0-9][a-z0-9._-]{0,39}$" patternDescription:"1 to 40 lower-case letters, digits, dots, dashes or underscores, starting with a letter or digit" doc:"The mention handle; made of the address when absent."`
	Name     string   `json:"name" minLength:"1" maxLength:"200" example:"Kim Lee"`
	Email    string   `json:"email" format:"email" maxLength:"254" example:"kim@example.org" doc:"For signing in, and the first contact method; unique."`
	Role     string   `json:"role,omitempty" enum:"admin,member,observer" default:"member"`
	Zone     string   `json:"zone,omitempty" maxLength:"100" example:"Europe/Berlin" doc:"IANA name of the time zone; that of who invites when absent."`
	Teams    []string `json:"teams,omitempty" maxItems:"100" doc:"Teams to be a member of: ids or slugs."`
}

// Invited is the new person, and the link for setting a password.
type Invited struct {
	User UserView `json:"user"`
	Link string   `json:"invitation_link,omitempty" doc:"Shown this once, and mailed when mail is configured. It works for a week."`
}

type invitedOutput struct {
	ETag     string `header:"ETag" doc:"Names the state the person is in; for If-Match."`
	Location string `header:"Location" doc:"The address of the person."`
	Body     Invited
}

func (a *api) registerUsers() {
	resource[people.User, UserView, UserBody]{
		kind: org.UserKind, name: "user", path: prefix + "/users",
		all:  func(o *org.Org) []people.User { return values(o.Users) },
		find: findUser, id: func(u people.User) string { return string(u.ID) },
		label: func(u people.User) string { return u.Name },
		view: func(_ context.Context, by people.Actor, _ *org.Org, u people.User) (UserView, error) {
			return userView(u, by), nil
		},
		build: buildUser,
	}.register(a)
	handle(a, "invite-user", a.inviteUser)
	handle(a, "reset-second-factor", a.resetFactor)
}

func userView(u people.User, by people.Actor) UserView {
	v := UserView{
		ID: u.ID, Username: u.Username, Name: u.Name, Email: u.Email, Role: string(u.Role), Zone: u.Zone,
		Contacts: []ContactView{}, Reminders: refs(u.Reminders), Disabled: u.Disabled, Robot: u.Robot, Reachable: u.Reachable(),
	}
	for _, c := range u.Contacts {
		v.Contacts = append(v.Contacts, contactView(c, u.ID == by.User && by.May(people.OwnSelf) || by.May(people.Manage)))
	}
	if u.Paging != nil {
		p := pagingView(u.Paging)
		v.Paging = &p
	}
	return v
}

// contactView tells the address to its owner and to who may change it; to
// others unless it is a secret.
func contactView(c people.Contact, own bool) ContactView {
	v := ContactView{
		ID: c.ID, Method: string(c.Method), Label: c.Label, Shown: c.Shown(), Off: c.Off, Verified: c.Verified(), VerifiedAt: instant(c.VerifiedAt),
		Proof: string(c.ProvenBy()), VouchedBy: c.VouchedBy,
	}
	switch c.Method {
	case people.Email, people.SMS, people.Voice:
		own = true
	}
	if own {
		v.Address = c.Address
	}
	return v
}

func buildUser(_ *org.Org, was people.User, in UserBody) (people.User, error) {
	u := people.User{
		ID: newID(was.ID), Username: in.Username, Name: in.Name, Email: in.Email, Role: people.Role(in.Role), Zone: in.Zone, Disabled: in.Disabled, Robot: was.Robot,
		Paging: was.Paging, Reminders: was.Reminders,
	}
	if err := checkZone("zone", in.Zone); err != nil {
		return u, err
	}
	had := map[people.Contact]id.Contact{}
	for _, c := range was.Contacts {
		had[people.Contact{Method: c.Method, Address: c.Address}] = c.ID
	}
	for _, c := range in.Contacts {
		at := people.Contact{Method: people.Method(c.Method), Address: c.Address}
		u.Contacts = append(u.Contacts, people.Contact{
			// Who sends back only addresses keeps the contact methods they belong to.
			ID: cmp.Or(c.ID, had[at], id.Contact(id.New())), Method: at.Method, Label: c.Label, Address: c.Address, Off: c.Off,
		})
	}
	u.Contacts = people.Declared(was.Contacts, u.Contacts)
	if in.Reminders != nil {
		u.Reminders = nil
		for _, r := range in.Reminders {
			u.Reminders = append(u.Reminders, people.Reminder(r))
		}
	}
	if in.Paging != nil {
		var err error
		if u.Paging, err = buildPaging(*in.Paging); err != nil {
			return u, err
		}
	}
	return u, nil
}

func (a *api) inviteUser(ctx context.Context, by people.Actor, in *createInput[InviteBody]) (*invitedOutput, error) {
	b := in.Body
	if b.Zone != "" {
		if err := checkZone("zone", b.Zone); err != nil {
			return nil, err
		}
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	f := account.Invitation{Name: b.Name, Username: b.Username, Email: b.Email, Zone: b.Zone, Role: people.Role(b.Role)}
	for i, ref := range b.Teams {
		t, ok := findTeam(o, ref)
		if err := missing(ok, fmt.Sprintf("teams[%d]", i), org.TeamKind, ref); err != nil {
			return nil, err
		}
		f.Teams = append(f.Teams, t.ID)
	}
	u, link, err := a.Accounts.Invite(ctx, by, f)
	if err != nil {
		return nil, err
	}
	return &invitedOutput{ETag: etag(u), Location: prefix + "/users/" + string(u.ID), Body: Invited{User: userView(u, by), Link: link}}, nil
}

// resetFactor is for a lost phone. Whether somebody has a second factor is for
// nobody to read here.
func (a *api) resetFactor(ctx context.Context, by people.Actor, in *refInput) (*empty, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	u, ok := findUser(o, in.ID)
	if !ok {
		return nil, noSuch(org.UserKind, in.ID)
	}
	return &empty{}, a.Accounts.ResetFactor(ctx, by, u.ID)
}
