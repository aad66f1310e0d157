package people

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/id"
)

var proven = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestContactValidate(t *testing.T) {
	tests := []struct {
		intent  string
		method  Method
		address string
		want    string
	}{
		{"a number", SMS, "+49301234567", ""},
		{"the same for calls", Voice, "+12025550123", ""},
		{"fifteen digits are the most", SMS, "+123456789012345", ""},
		{"sixteen are not a number", SMS, "+1234567890123456", "international form"},
		{"a national number", SMS, "030 1234567", "international form"},
		{"a number with spaces", Voice, "+49 30 1234567", "international form"},
		{"a country code does not begin with 0", Voice, "+0301234567", "international form"},
		{"a number and a line break", SMS, "+49301234567\n", "international form"},
		{"a push endpoint with a query", WebPush, "https://push.example.org/send/abc?v=2", ""},
		{"a topic", Ntfy, "https://ntfy.example/kim-night_1", ""},
		{"a topic below a path", Ntfy, "https://example.org/ntfy/kim", ""},
		{"no topic", Ntfy, "https://ntfy.example/", "must end in a topic"},
		{"nor one with a dot", Ntfy, "https://ntfy.example/a.b", "must end in a topic"},
		{"a server", Gotify, "https://gotify.example", ""},
		{"a server in this machine", Gotify, "http://127.0.0.1:8080", ""},
		{"a server over a plain line", Gotify, "http://gotify.example", "must begin with https://"},
		{"another scheme", WebPush, "ftp://push.example", "must begin with https://"},
		{"no host", WebPush, "https:///x", "is not a URL"},
		{"only a port", WebPush, "https://:443/x", "is not a URL"},
		{"a space", Ntfy, "https://ntfy.example/k m", "is not a URL"},
		{"a password", Ntfy, "https://kim:secret@ntfy.example/kim", "no password"},
		{"a fragment", Gotify, "https://gotify.example/#x", "no # in it"},
		{"a query where none belongs", Gotify, "https://gotify.example/?token=A1", "no ? in it"},
		{"a URL without end", WebPush, "https://push.example/" + strings.Repeat("x", 2048), "longer than"},
		{"a user key", Pushover, strings.Repeat("uQ3", 10), ""},
		{"a user key that is short", Pushover, strings.Repeat("u", 29), "30 letters and digits"},
		{"a chat", Telegram, "123456789", ""},
		{"a group, where an answer could be anybody's", Telegram, "-100123", "private Telegram chat"},
		{"a user name", Telegram, "@kim", "private Telegram chat"},
		{"a padded number is not another chat", Telegram, "0123", "private Telegram chat"},
		{"a number beyond all numbers", Telegram, "99999999999999999999", "private Telegram chat"},
		{"an e-mail address", Email, "kim@example.org", ""},
		{"a method that is none", "pigeon", "coop 4", `contact method "pigeon" is not known; use email, sms, voice, push, ntfy, gotify, pushover or telegram`},
	}
	for _, tt := range tests {
		err := Contact{ID: "c1", Method: tt.method, Address: tt.address}.Validate()
		holds(t, tt.intent+": "+tt.address, err, tt.want)
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "A1")) {
			t.Errorf("%s: Validate() tells a secret: %v", tt.intent, err)
		}
	}
	holds(t, "a label of two lines", Contact{ID: "c", Method: Email, Address: "a@b.c", Label: "x\ny"}.Validate(), "in one line")
	holds(t, "a long label", Contact{ID: "c", Method: Email, Address: "a@b.c", Label: strings.Repeat("ä", 101)}.Validate(), "at most 100")
	holds(t, "a hundred letters", Contact{ID: "c", Method: Email, Address: "a@b.c", Label: strings.Repeat("ä", 100)}.Validate(), "")
	err := Contact{ID: "c", Method: Gotify, Address: "https://g.example", Secret: strings.Repeat("s3cr3t", 2000)}.Validate()
	holds(t, "a token without end", err, "the token is longer")
	if strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("Validate() tells the token: %v", err)
	}
}

func TestContactsTogether(t *testing.T) {
	number := "+49301234567"
	both := []Contact{{ID: "a", Method: SMS, Address: number}, {ID: "b", Method: Voice, Address: number}}
	u := kim()
	u.Contacts = both
	holds(t, "one number for texts and calls", u.Validate(), "")
	u.Contacts = append(slices.Clone(both), Contact{ID: "c", Method: SMS, Address: number})
	holds(t, "one number for texts twice", u.Validate(), "is there twice")
	u.Contacts = nil
	for i := range MaxContacts + 1 {
		u.Contacts = append(u.Contacts, Contact{ID: id.Contact(fmt.Sprint("c", i)), Method: Email, Address: fmt.Sprintf("k%d@example.org", i)})
	}
	holds(t, "too many", u.Validate(), "are more than 40")
}

// Pages go to what is on and proven.
func TestUsable(t *testing.T) {
	u := User{Contacts: []Contact{
		{ID: "mail", Method: Email, VerifiedAt: proven, Proof: ByCode},
		{ID: "mail-off", Method: Email, VerifiedAt: proven, Proof: ByCode, Off: true},
		{ID: "mail-new", Method: Email, Proof: Wanted},
		{ID: "sms", Method: SMS, VerifiedAt: proven},
		{ID: "sms-new", Method: SMS},
		{ID: "call-off", Method: Voice, VerifiedAt: proven, Off: true},
	}}
	var got []id.Contact
	for _, c := range u.Usable() {
		got = append(got, c.ID)
	}
	if diff := cmp.Diff([]id.Contact{"mail", "sms"}, got); diff != "" {
		t.Errorf("Usable() (-want +got):\n%s", diff)
	}
	u.Disabled = true
	if got := u.Usable(); got != nil || u.Reachable() {
		t.Errorf("Usable() of a disabled person = %v, reachable %t", got, u.Reachable())
	}
}

func TestKeepProofs(t *testing.T) {
	was := []Contact{{ID: "a", Method: SMS, Address: "+49301", Secret: "s", VerifiedAt: proven}, {ID: "b", Method: SMS, Address: "+49302", VerifiedAt: proven}}
	is := []Contact{
		{ID: "a", Method: SMS, Address: "+49301", Label: "phone", Off: true},
		{ID: "b", Method: SMS, Address: "+49303", VerifiedAt: proven},
		{ID: "c", Method: SMS, Address: "+49302", VerifiedAt: proven},
		{ID: "b", Method: Voice, Address: "+49302", Secret: "new"},
	}
	want := []Contact{
		{ID: "a", Method: SMS, Address: "+49301", Label: "phone", Off: true, Secret: "s", VerifiedAt: proven},
		{ID: "b", Method: SMS, Address: "+49303", Proof: Wanted},
		{ID: "c", Method: SMS, Address: "+49302", Proof: Wanted},
		{ID: "b", Method: Voice, Address: "+49302", Secret: "new", Proof: Wanted},
	}
	if diff := cmp.Diff(want, KeepProofs(was, is)); diff != "" {
		t.Errorf("KeepProofs() (-want +got):\n%s", diff)
	}
	if is[1].VerifiedAt.IsZero() {
		t.Error("KeepProofs() changed what it was given")
	}
}

// What was stored before e-mail addresses had to be proven goes on being paged.
func TestProvenBy(t *testing.T) {
	tests := []struct {
		intent, stored string
		want           Proof
	}{
		{"an e-mail address of before there were proofs", `{"id":"c","method":"email","address":"kim@example.org"}`, Earlier},
		{"one that was proven by the way, by its code", `{"id":"c","method":"email","address":"kim@example.org","verified_at":"2026-11-22T12:00:00Z"}`, ByCode},
		{"a number of before", `{"id":"c","method":"sms","address":"+49301","verified_at":"2026-11-22T12:00:00Z"}`, ByCode},
		{"a number of before whose code was never typed", `{"id":"c","method":"sms","address":"+49301"}`, ""},
		{"a new e-mail address", `{"id":"c","method":"email","address":"kim@example.org","proof":"wanted"}`, ""},
		{"one that somebody answers for", `{"id":"c","method":"email","address":"kim@example.org","proof":"admin","verified_at":"2026-11-22T12:00:00Z"}`, ByAdmin},
		{"nobody answers for a number", `{"id":"c","method":"sms","address":"+49301","proof":"admin"}`, ""},
	}
	for _, tt := range tests {
		var c Contact
		if err := json.Unmarshal([]byte(tt.stored), &c); err != nil {
			t.Fatal(err)
		}
		if got := c.ProvenBy(); got != tt.want || c.Usable() != (tt.want != "") {
			t.Errorf("%s: ProvenBy() = %q, usable %t, want %q", tt.intent, got, c.Usable(), tt.want)
		}
		if again, err := json.Marshal(c); err != nil || len(again) != len(tt.stored) {
			t.Errorf("%s is stored as %s, want it unchanged", tt.intent, again)
		}
	}
}

func TestDeclared(t *testing.T) {
	was := []Contact{{ID: "old", Method: Email, Address: "old@example.org"}, {ID: "new", Method: Email, Address: "new@example.org", Proof: Wanted}}
	is := append(slices.Clone(was), Contact{ID: "desk", Method: Email, Address: "desk@example.org"}, Contact{ID: "sms", Method: SMS, Address: "+49301"})
	declared := Declared(was, is)
	want := slices.Clone(is)
	want[2].Proof, want[3].Proof = ByAdmin, Wanted
	if diff := cmp.Diff(want, declared); diff != "" {
		t.Errorf("Declared() (-want +got):\n%s", diff)
	}
	admin, member := Actor{User: "ada", Role: Admin}, Actor{User: "kim", Role: Member}
	want[2].VerifiedAt, want[2].VouchedBy = proven, "ada"
	if diff := cmp.Diff(want, Vouched(declared, admin, proven)); diff != "" {
		t.Errorf("Vouched() by an administrator (-want +got):\n%s", diff)
	}
	if again := Vouched(want, Operator(), proven.Add(time.Hour)); again[2].VouchedBy != "ada" || !again[2].VerifiedAt.Equal(proven) {
		t.Errorf("Vouched() for the second time gives %+v, want it as it was", again[2])
	}
	if got := Vouched(declared, member, proven)[2]; got.Verified() || got.Proof != Wanted {
		t.Errorf("Vouched() by a member gives %+v, want the code wanted", got)
	}
}

func TestShown(t *testing.T) {
	tests := []struct {
		contact Contact
		want    string
	}{
		{Contact{Method: SMS, Address: "+49301234567", Label: "work phone"}, "work phone"},
		{Contact{Method: SMS, Address: "+49301234567"}, "+49301234567"},
		{Contact{Method: Ntfy, Address: "https://ntfy.example/s3cret"}, "ntfy.example"},
		{Contact{Method: WebPush, Address: "https://push.example/s3cret"}, "push.example"},
		{Contact{Method: WebPush, Address: ":"}, "push to the web app"},
		{Contact{Method: Pushover, Address: "uuuuuuuuuuuuuuuuuuuuuuuuuu1234"}, "…1234"},
		{Contact{Method: Telegram, Address: "12"}, "…12"},
	}
	for _, tt := range tests {
		if got := tt.contact.Shown(); got != tt.want {
			t.Errorf("Shown() of %s = %q, want %q", tt.contact.Method, got, tt.want)
		}
	}
	for _, m := range Methods {
		if strings.HasPrefix(m.Words(), "people.") {
			t.Errorf("method %s has no words", m)
		}
	}
}

// A user as older versions stored it reads as before.
func TestOldUsers(t *testing.T) {
	var u User
	old := `{"id":"u1","username":"kim","name":"Kim","email":"kim@example.org","role":"member","zone":"UTC","contacts":[{"id":"c1","method":"email","address":"kim@example.org"}]}`
	if err := json.Unmarshal([]byte(old), &u); err != nil {
		t.Fatal(err)
	}
	if err := u.Validate(); err != nil || !u.Reachable() {
		t.Errorf("an old user: Validate() = %v, reachable %t", err, u.Reachable())
	}
	if again, err := json.Marshal(u); err != nil || string(again) != old {
		t.Errorf("an old user is written as %s (%v)", again, err)
	}
}
