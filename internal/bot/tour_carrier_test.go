package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// A way to reach somebody counts when pages can be sent by it.
func TestTheTourAsksForAWayThatCarries(t *testing.T) {
	mail := people.Contact{ID: "m", Method: people.Email, Address: "kim@example.org", VerifiedAt: time.Unix(1, 0)}
	browser := people.Contact{ID: "n", Method: people.Ntfy, Address: "https://ntfy.example.org/kim", VerifiedAt: time.Unix(1, 0)}
	only := func(m people.Method) func(*org.Org, people.Method) bool {
		return func(_ *org.Org, asked people.Method) bool { return asked == m }
	}
	tests := []struct {
		intent   string
		contacts []people.Contact
		carried  func(*org.Org, people.Method) bool
		want     bool
		hint     string
	}{
		{"nothing given", nil, only(people.Email), false, ""},
		{"mail, and mail can leave", []people.Contact{mail}, only(people.Email), true, ""},
		{"mail, and no mail can leave", []people.Contact{mail}, only(people.Ntfy), false, "cannot send anything by"},
		{"one of two can", []people.Contact{mail, browser}, only(people.Ntfy), true, ""},
		{"nobody says what can", []people.Contact{mail}, nil, true, ""},
	}
	for _, tt := range tests {
		got, hint := (&Tour{Carried: tt.carried}).reached(nil, people.User{ID: "kim", Contacts: tt.contacts})
		if got != tt.want || !strings.Contains(hint, tt.hint) || (hint == "") != (tt.hint == "") {
			t.Errorf("%s: %t, %q", tt.intent, got, hint)
		}
	}
}
