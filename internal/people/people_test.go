package people

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/timeline"
)

func kim() User {
	return User{
		ID: "u1", Username: "kim", Name: "Kim", Email: "kim@example.org", Role: Member, Zone: "Europe/Berlin",
		Contacts: []Contact{{ID: "c1", Method: Email, Address: "kim@example.org"}},
	}
}

// holds checks a Validate against part of the sentence it should give, "" for none.
func holds(t *testing.T, intent string, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: Validate() = %v, want nil", intent, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: Validate() = %v, want … %s …", intent, err, want)
	}
}

func TestUserValidate(t *testing.T) {
	tests := []struct {
		intent string
		change func(*User)
		want   string
	}{
		{"as it should be", func(*User) {}, ""},
		{"nobody need be reachable", func(u *User) { u.Contacts = nil }, ""},
		{"dots, dashes and underscores in a username", func(u *User) { u.Username = "kim.lee-2_x" }, ""},
		{"no username", func(u *User) { u.Username = "" }, `username ""`},
		{"a capital in the username", func(u *User) { u.Username = "Kim" }, `username "Kim"`},
		{"a username that starts with a dot", func(u *User) { u.Username = ".kim" }, `username ".kim"`},
		{"a username with a line break", func(u *User) { u.Username = "kim\n" }, "username"},
		{"a long username", func(u *User) { u.Username = strings.Repeat("k", 41) }, "username"},
		{"no name", func(u *User) { u.Name = "" }, "user kim: name"},
		{"a long name", func(u *User) { u.Name = strings.Repeat("k", 201) }, "user kim: name"},
		{"an unknown role", func(u *User) { u.Role = "owner" }, `role "owner": use admin, member or observer`},
		{"no e-mail address", func(u *User) { u.Email = "" }, "user kim: email"},
		{"an e-mail address with a name", func(u *User) { u.Email = "Kim <kim@example.org>" }, "is not an e-mail address"},
		{"an e-mail address with a header in it", func(u *User) { u.Email = "kim@example.org\r\nBcc: x@example.org" }, "is not an e-mail address"},
		{"an e-mail address that is too long", func(u *User) { u.Email = strings.Repeat("k", 250) + "@example.org" }, "is not an e-mail address"},
		{"no time zone", func(u *User) { u.Zone = "" }, "time zone"},
		{"the server's own zone", func(u *User) { u.Zone = "Local" }, "time zone"},
		{"an unknown zone", func(u *User) { u.Zone = "Mars/Olympus" }, `time zone "Mars/Olympus" is not a known IANA name`},
		{"a contact method we cannot use", func(u *User) { u.Contacts[0].Method = "fax" }, `contact method "fax" is not known`},
		{"a contact method without an id could not be told apart", func(u *User) { u.Contacts[0].ID = "" }, "kim@example.org has no id"},
		{"an id that no database takes", func(u *User) { u.Contacts[0].ID = "c\x00" }, "id: use 1 to 64 letters"},
		{"an id that no index takes", func(u *User) { u.Contacts[0].ID = id.Contact(strings.Repeat("x", 65)) }, "id: use 1 to 64 letters"},
		{"a bad address", func(u *User) { u.Contacts[0].Address = "kim" }, `contact method: "kim" is not`},
		{"the same address twice", func(u *User) { u.Contacts = append(u.Contacts, u.Contacts[0]) }, "is there twice"},
		{"a paging policy", func(u *User) { u.Paging = &PagingPolicy{Rules: []PagingRule{nights()}} }, ""},
		{"a paging policy that cannot be", func(u *User) { u.Paging = &PagingPolicy{Rules: []PagingRule{{Name: "x"}}} }, "user kim: paging policy: rule 1: it has no steps"},
		{"reminders", func(u *User) { u.Reminders = []Reminder{ShiftStart, HandOver} }, ""},
		{"a reminder we do not have", func(u *User) { u.Reminders = []Reminder{"lunch"} }, `reminder "lunch": use shift_start`},
		{"a reminder twice", func(u *User) { u.Reminders = []Reminder{HandOver, HandOver} }, "reminder hand_over is there twice"},
	}
	for _, tt := range tests {
		u := kim()
		tt.change(&u)
		holds(t, tt.intent, u.Validate(), tt.want)
	}
}

func TestTeamValidate(t *testing.T) {
	tests := []struct {
		intent string
		team   Team
		want   string
	}{
		{"as it should be", Team{Slug: "dba-2", Name: "Databases"}, ""},
		{"no slug", Team{Name: "Databases"}, "slug"},
		{"a capital", Team{Slug: "DBA", Name: "Databases"}, "slug"},
		{"two dashes", Team{Slug: "d--a", Name: "Databases"}, "slug"},
		{"a dash at the end", Team{Slug: "dba-", Name: "Databases"}, "slug"},
		{"too long", Team{Slug: strings.Repeat("d", 81), Name: "Databases"}, "slug"},
		{"no name", Team{Slug: "dba"}, "team dba: name"},
		{"a long name", Team{Slug: "dba", Name: strings.Repeat("d", 201)}, "team dba: name"},
	}
	for _, tt := range tests {
		holds(t, tt.intent, tt.team.Validate(), tt.want)
	}
}

func TestReachable(t *testing.T) {
	off := kim()
	off.Contacts[0].Off = true
	second := kim()
	second.Contacts = []Contact{{ID: "c1", Method: Email, Off: true}, {ID: "c2", Method: Email}}
	unproven := kim()
	unproven.Contacts[0].Method = SMS
	disabled := kim()
	disabled.Disabled = true
	tests := []struct {
		intent string
		user   User
		want   bool
	}{
		{"with a contact method", kim(), true},
		{"with one that is off", off, false},
		{"with another that is on", second, true},
		{"disabled", disabled, false},
		{"with one that was never proven", unproven, false},
		{"without any", User{}, false},
	}
	for _, tt := range tests {
		if got := tt.user.Reachable(); got != tt.want {
			t.Errorf("%s: Reachable() = %t, want %t", tt.intent, got, tt.want)
		}
	}
}

func TestLocation(t *testing.T) {
	if got := kim().Location().String(); got != "Europe/Berlin" {
		t.Errorf("Location() = %s, want Europe/Berlin", got)
	}
	if got := (User{Zone: "Mars/Olympus"}).Location().String(); got != "UTC" {
		t.Errorf("Location() of an unknown zone = %s, want UTC", got)
	}
}

// Who may do what, by role, permission and scope; everything else is forbidden.
func TestMay(t *testing.T) {
	byRole := map[Role][]Permission{
		Admin:    {Read, Talk, Respond, Manage, OwnSelf, Ingest},
		Member:   {Read, Talk, Respond, OwnSelf},
		Observer: {Read, OwnSelf},
		"":       nil,
		"owner":  nil,
	}
	scopes := map[string][]Permission{
		"all the role has":    nil,
		"none":                {},
		"read":                {Read},
		"respond and talk":    {Respond, Talk},
		"manage":              {Manage},
		"every one there is":  Permissions,
		"a word we know not":  {"root"},
		"the empty one alone": {""},
	}
	asked := append(slices.Clone(Permissions), "", "root")
	for role, has := range byRole {
		for name, scope := range scopes {
			for _, p := range asked {
				want := slices.Contains(has, p) && (name == "all the role has" || slices.Contains(scope, p))
				a := Actor{User: "u1", Role: role, Scopes: scope}
				if got := a.May(p); got != want {
					t.Errorf("%q with scope %q: May(%q) = %t, want %t", role, name, p, got, want)
				}
			}
		}
	}
}

func TestWho(t *testing.T) {
	a := Actor{User: "u1", Name: "Kim", Role: Member, Origin: timeline.Mail}
	if diff := cmp.Diff(timeline.Actor{User: "u1", Name: "Kim", Origin: timeline.Mail}, a.Who()); diff != "" {
		t.Errorf("Who() (-want +got):\n%s", diff)
	}
	for _, p := range Permissions {
		if !Operator().May(p) {
			t.Errorf("the operator may not %s", p)
		}
	}
	if got := fmt.Sprint(Operator().Who()); got != fmt.Sprint(timeline.Actor{Name: "operator", Origin: timeline.Command}) {
		t.Errorf("the operator is recorded as %s", got)
	}
}
