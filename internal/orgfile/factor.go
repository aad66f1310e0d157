package orgfile

import (
	"slices"

	"github.com/watchroom/watchroom/internal/people"
)

// roles reads a list of roles.
func (p *parser) roles(f fields, name string) *people.RoleSet {
	var all []people.Role
	for _, r := range f.refs(name) {
		if !slices.Contains(people.Roles, people.Role(r.Name)) {
			p.say(r.At, "%s: %q is no role: use admin, member or observer", name, r.Name)
		}
		all = append(all, people.Role(r.Name))
	}
	set := people.RolesOf(all...)
	return &set
}

func roleFields(s *people.RoleSet) any {
	if s == nil {
		return nil
	}
	return words(s.List())
}
