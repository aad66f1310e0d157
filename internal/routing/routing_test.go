package routing

import (
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		intent string
		thing  interface{ Validate() error }
		want   string // part of the sentence; "" when it is fine
	}{
		{"a key as it should be", Key{Name: "Data_base-1", Policy: "p1"}, ""},
		{"no name", Key{Policy: "p1"}, `routing key ""`},
		{"a slash would be another path", Key{Name: "a/b", Policy: "p1"}, `routing key "a/b"`},
		{"a space", Key{Name: "a b", Policy: "p1"}, `routing key "a b"`},
		{"a line break", Key{Name: "ab\n", Policy: "p1"}, "routing key"},
		{"too long", Key{Name: strings.Repeat("k", 81), Policy: "p1"}, "routing key"},
		{"no policy", Key{Name: "database"}, "routing key database: name the escalation policy"},

		{"an integration as it should be", Integration{Kind: REST, Name: "Nagios", KeyHash: "h"}, ""},
		{"an unknown dialect", Integration{Kind: "smoke", Name: "Nagios", KeyHash: "h"}, `kind "smoke" is not known`},
		{"a blank name", Integration{Kind: REST, Name: " ", KeyHash: "h"}, "integration: name"},
		{"a long name", Integration{Kind: REST, Name: strings.Repeat("n", 201), KeyHash: "h"}, "integration: name"},
		{"no key", Integration{Kind: REST, Name: "Nagios"}, "it has no key"},
	}
	for _, tt := range tests {
		switch err := tt.thing.Validate(); {
		case tt.want == "" && err != nil:
			t.Errorf("%s: Validate() = %v, want nil", tt.intent, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: Validate() = %v, want … %s …", tt.intent, err, tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ name, want string }{{"Database", "database"}, {" DB-1 ", "db-1"}, {"", ""}, {"\tdb\n", "db"}} {
		if got := Fold(c.name); got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}
