package people

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/timeline"
)

// StepUpFor is for how long a browser counts as that of its person after the
// second factor was shown in it.
const StepUpFor = 10 * time.Minute

// ByProgram reports whether a acts through a token, where nobody can show anything.
func (a Actor) ByProgram() bool {
	return a.Scopes != nil || a.Origin == timeline.API || a.Origin == timeline.Robot
}

// Proven reports whether a has shown the second factor a moment ago, where they
// act from. Programs never have.
func (a Actor) Proven(now time.Time) bool {
	return !a.ByProgram() && !a.ProvenAt.IsZero() && now.Before(a.ProvenAt.Add(StepUpFor))
}

// RoleSet is a set of roles as it is stored: their names in the order of Roles,
// separated by commas. The zero value is none.
type RoleSet string

// RolesOf is the set of some roles, each once.
func RolesOf(roles ...Role) RoleSet {
	var names []string
	for _, r := range Roles {
		if slices.Contains(roles, r) {
			names = append(names, string(r))
		}
	}
	return RoleSet(strings.Join(names, ","))
}

// List is s as roles.
func (s RoleSet) List() []Role {
	roles := []Role{}
	for name := range strings.SplitSeq(string(s), ",") {
		if name != "" {
			roles = append(roles, Role(name))
		}
	}
	return roles
}

// Has reports whether r is in s.
func (s RoleSet) Has(r Role) bool { return slices.Contains(s.List(), r) }

// Validate returns a sentence when s names something else than roles.
func (s RoleSet) Validate() error {
	for _, r := range s.List() {
		if !slices.Contains(Roles, r) {
			return fmt.Errorf("role %q: use admin, member or observer", r)
		}
	}
	return nil
}
