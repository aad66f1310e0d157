package view

// PeopleList is everybody, to look through.
type PeopleList struct {
	Page  Page
	Text  string
	Role  string // "" for all
	State string // "", "active", "invited", "disabled"
	Rows  []UserRow
}

func (l PeopleList) roles() []Option { return roleOptions(l.Role) }

func (l PeopleList) states() []Option {
	var out []Option
	for _, s := range []string{"active", "invited", "disabled"} {
		out = append(out, Option{Value: s, Label: st("people.state." + s), Selected: s == l.State})
	}
	return out
}

func roleOptions(chosen string) []Option {
	var out []Option
	for _, r := range []string{"admin", "member", "observer"} {
		out = append(out, Option{Value: r, Label: t("role." + r), Hint: st("people.role." + r), Selected: r == chosen})
	}
	return out
}

// UserRow is one person in the list.
type UserRow struct {
	Href     string
	Name     string
	Username string
	Email    string
	Role     string
	State    string // "active", "invited", "disabled"
	Teams    []string
	Warning  string // such as having no way to be paged
	You      bool
}

func userTone(state string) string {
	switch state {
	case "active":
		return "ok"
	case "invited":
		return "info"
	}
	return "muted"
}

// PersonForm is what an administrator may say of somebody; it also invites.
type PersonForm struct {
	Page     Page
	New      bool
	Name     string
	Username string
	Email    string
	Role     string
	Zone     string
	Zones    []string
	Teams    []Option
	Errors   map[string]string
	Error    string
	Mail     bool // an invitation can be mailed
}

func (f PersonForm) roles() []Option { return roleOptions(f.Role) }

func usernameHint(fresh bool) string {
	if fresh {
		return st("people.username.made")
	}
	return st("people.username.hint")
}

// Person is one person as others see them.
type Person struct {
	Page     Page
	ID       string
	User     UserRow
	Zone     string
	TeamList []Link
	Rotas    []Link
	Contacts []ContactRow
	Form     PersonForm
	Link     string // an invitation, just made
	Mail     bool
	Last     bool // the last administrator, who cannot be disabled
	Factor   bool // has a second factor; known to who manages
}

func (p Person) action(what string) string { return "/settings/people/" + p.ID + what }

// TeamList is all teams.
type TeamList struct {
	Page Page
	Rows []TeamRow
}

// TeamRow is one team in the list.
type TeamRow struct {
	Name      string
	Slug      string
	Href      string
	Members   []string
	Rotations int
	Policies  int
}

func (t TeamRow) faces() []string { return t.Members[:min(5, len(t.Members))] }

func (t TeamRow) more() int { return len(t.Members) - len(t.faces()) }

// TeamForm is one team.
type TeamForm struct {
	Page      Page
	ID        string // "" for a new one
	Name      string
	Slug      string
	People    []Option
	Members   []UserRow // for those who may only read
	Rotations []Link
	Policies  []Link
	Errors    map[string]string
	Error     string
}

func (f TeamForm) title() string {
	if f.ID == "" {
		return st("team.new")
	}
	return f.Name
}

func (f TeamForm) action() string {
	if f.ID == "" {
		return "/settings/teams"
	}
	return "/settings/teams/" + f.ID
}
