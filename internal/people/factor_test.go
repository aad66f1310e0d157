package people

import (
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/timeline"
)

func TestProven(t *testing.T) {
	shown := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for what, c := range map[string]struct {
		actor Actor
		after time.Duration
		want  bool
	}{
		"at once":              {Actor{ProvenAt: shown}, 0, true},
		"nine minutes later":   {Actor{ProvenAt: shown}, 9 * time.Minute, true},
		"ten minutes later":    {Actor{ProvenAt: shown}, 10 * time.Minute, false},
		"eleven minutes later": {Actor{ProvenAt: shown}, 11 * time.Minute, false},
		"never":                {Actor{}, 0, false},
		"a token":              {Actor{ProvenAt: shown, Scopes: []Permission{Manage}}, 0, false},
		"a token for all":      {Actor{ProvenAt: shown, Origin: timeline.API}, 0, false},
		"a robot":              {Actor{ProvenAt: shown, Origin: timeline.Robot}, 0, false},
	} {
		if got := c.actor.Proven(shown.Add(c.after)); got != c.want {
			t.Errorf("%s: Proven = %v, want %v", what, got, c.want)
		}
	}
}

func TestRoleSet(t *testing.T) {
	s := RolesOf(Observer, Admin, Admin)
	if s != "admin,observer" || !s.Has(Admin) || s.Has(Member) || s.Validate() != nil {
		t.Errorf("RolesOf = %q", s)
	}
	if none := RolesOf(); none != "" || none.Has("") || len(none.List()) != 0 || none.Validate() != nil {
		t.Errorf("no roles = %q", none)
	}
	if RoleSet("admin,king").Validate() == nil {
		t.Error("a role that is none is taken")
	}
}
