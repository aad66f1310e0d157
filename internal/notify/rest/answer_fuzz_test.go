package rest

import (
	"net/http"
	"strings"
	"testing"
)

// FuzzAnswer: whatever a provider answers, what it says is one line without our
// secret, and it makes nobody wait for longer than is believed.
func FuzzAnswer(f *testing.F) {
	f.Add(429, "Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:00:00 GMT", "the token hunter2hunter2 is\nwrong")
	f.Add(503, "NaN", "", "\u202e\x00\xff")
	f.Add(500, "-1e308", "x", "")
	f.Fuzz(func(t *testing.T, status int, after, date, says string) {
		const secret = "hunter2hunter2"
		a := Answer{Status: status, Header: http.Header{"Retry-After": {after}, "Date": {date}}, Body: []byte(says)}
		if wait := a.RetryAfter(); wait < 0 || wait > maxWait {
			t.Errorf("Retry-After %q of %q: wait %v", after, date, wait)
		}
		said := Says(says, secret)
		if strings.Contains(said, secret) || strings.ContainsAny(said, "\r\n\x00") || len([]rune(said)) > maxSaid {
			t.Errorf("Says(%q) = %q", says, said)
		}
		if f := a.Failure("It", said); f != nil && (f.Permanent || f.Reason == "") {
			t.Errorf("Failure of %d: %+v", status, f)
		}
	})
}
