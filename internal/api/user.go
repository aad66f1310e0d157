package api

import (
	"cmp"
	"context"
	"fmt"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// UserView is a person.
type UserView struct {
	ID        id.User   `json:"id"`
	Username  string    `json:"username"`
	Name      string    `json:"name"`
	Email     string    `json:"email"`
	Role      string    `json:"role" enum:"admin,member,observer"`
	Zone      string    `json:"zone"`
	Contacts  []Contact `json:"contacts" nullable:"false"`
	Disabled  bool      `json:"disabled"`
	Reachable bool      `json:"reachable" doc:"A page could go out: not disabled, and a contact method is on."`
}

// Contact is one way to reach a person.
type Contact struct {
	ID      id.Contact `json:"id,omitempty" doc:"Made up when absent; give it back to keep the contact method."`
	Method  string     `json:"method" enum:"email"`
	Label   string     `json:"label,omitempty" maxLength:"100"`
	Address string     `json:"address" format:"email" maxLength:"254"`
	Off     bool       `json:"off,omitempty" doc:"Kept, but not used."`
}

// UserBody is all that is said about a person.
type UserBody struct {
	Username string    `json:"username" pattern:"^[a-z0-9][a-z0-9._-]{0,39}$" patternDescription:"1 to 40 lower-case letters, digits, dots, dashes or underscores, starting with a letter or digit" example:"kim" doc:"The mention handle; unique."`
	Name     string    `json:"name" minLength:"1" maxLength:"200" example:"Kim Lee"`
	Email    string    `json:"email" format:"email" maxLength:"254" example:"kim@example.org" doc:"For signing in; unique."`
	Role     string    `json:"role" enum:"admin,member,observer" example:"member"`
	Zone     string    `json:"zone" maxLength:"100" example:"Europe/Berlin" doc:"IANA name of the time zone."`
	Contacts []Contact `json:"contacts,omitempty" maxItems:"20"`
	Disabled bool      `json:"disabled,omitempty" doc:"May not sign in and is not paged."`
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
		view: func(_ context.Context, _ people.Actor, _ *org.Org, u people.User) (UserView, error) {
			return userView(u), nil
		},
		build: buildUser,
	}.register(a)
	handle(a, "invite-user", a.inviteUser)
}

func userView(u people.User) UserView {
	v := UserView{
		ID: u.ID, Username: u.Username, Name: u.Name, Email: u.Email, Role: string(u.Role), Zone: u.Zone,
		Contacts: []Contact{}, Disabled: u.Disabled, Reachable: u.Reachable(),
	}
	for _, c := range u.Contacts {
		v.Contacts = append(v.Contacts, Contact{ID: c.ID, Method: string(c.Method), Label: c.Label, Address: c.Address, Off: c.Off})
	}
	return v
}

func buildUser(_ *org.Org, was people.User, in UserBody) (people.User, error) {
	u := people.User{
		ID: newID(was.ID), Username: in.Username, Name: in.Name, Email: in.Email, Role: people.Role(in.Role), Zone: in.Zone, Disabled: in.Disabled,
	}
	if err := checkZone("zone", in.Zone); err != nil {
		return u, err
	}
	had := map[string]id.Contact{}
	for _, c := range was.Contacts {
		had[c.Address] = c.ID
	}
	for _, c := range in.Contacts {
		u.Contacts = append(u.Contacts, people.Contact{
			// Who sends back only addresses keeps the contact methods they belong to.
			ID:     cmp.Or(c.ID, had[c.Address], id.Contact(id.New())),
			Method: people.Method(c.Method), Label: c.Label, Address: c.Address, Off: c.Off,
		})
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
	return &invitedOutput{ETag: etag(u), Location: prefix + "/users/" + string(u.ID), Body: Invited{User: userView(u), Link: link}}, nil
}
