// Package id holds the typed identifiers of Watchroom. It is the bottom of the
// house: it imports nothing but the standard library, so every other package
// may name a thing without importing the package that knows what it is.
//
// Incidents, alerts, deliveries and timeline entries are numbered densely by
// the store; people, teams and the other things an administrator makes carry
// random identifiers that sort by the time they were made.
package id

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

type (
	// Incident is the number people say aloud: #42. It starts at 1.
	Incident int64
	// Alert numbers one received alert.
	Alert int64
	// Seq is the position of an entry in the timeline: dense, in commit order, from 1.
	Seq int64
	// Delivery numbers one message that is to leave the process.
	Delivery int64

	// User identifies a person.
	User string
	// Team identifies a team.
	Team string
	// Rotation identifies a rotation.
	Rotation string
	// Policy identifies an escalation policy in all its versions.
	Policy string
	// RoutingKey identifies a routing key (not its spelling).
	RoutingKey string
	// Integration identifies one inbound integration.
	Integration string
	// Contact identifies one contact method of one person.
	Contact string
	// Token identifies an API token (never the secret itself).
	Token string
	// Override identifies one time in which somebody else has a duty.
	Override string
	// Absence identifies a time in which a person is away.
	Absence string
	// Holidays identifies the public holidays of a region.
	Holidays string
	// Swap identifies a request to exchange duties.
	Swap string
	// Provider identifies an account with a system that carries pages.
	Provider string
	// Drill identifies a test page for a team.
	Drill string
	// Feed identifies a calendar feed (never the secret in its address).
	Feed string
	// Room identifies a place to talk; "" is the organisation's timeline.
	Room string
	// File identifies an uploaded file.
	File string
	// Invocation identifies one command that somebody gave, in all its states.
	Invocation string
	// Robot identifies a program that talks in a room (never its key).
	Robot string
	// Session identifies a signed-in browser (never the cookie itself).
	Session string
)

// lower-case Crockford alphabet: no i, l, o, u, so that ids survive being read aloud.
var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// New returns 26 characters: 48 bits of milliseconds, then 80 random bits, the
// layout of a ULID. Later ids sort after earlier ones.
func New() string { return at(time.Now()) }

func at(now time.Time) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16) //nolint:gosec // after 1970
	_, _ = rand.Read(b[6:])                                        // never fails since Go 1.24
	return encoding.EncodeToString(b[:])
}

// Secret returns n random bytes as text that is safe in a URL; what n is worth
// in bits of entropy is 8n.
func Secret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return encoding.EncodeToString(b)
}

// Slug makes a name usable in YAML, URLs and mentions: lower case letters,
// digits and single dashes. It returns "" when nothing usable is left.
func Slug(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			dash = false
			b.WriteRune(r)
		default:
			dash = true
		}
	}
	return b.String()
}
