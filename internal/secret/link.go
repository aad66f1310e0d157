package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// ErrExpired says that a link is genuine but too old. Verify returns it with
// the link, so that the page can still say what it was about.
var ErrExpired = errors.New("link has expired")

// Link is what a signed link says: who may do what, to which incident. It is
// readable by everybody who has the link; only changing it is impossible.
type Link struct {
	Action   string      // what the link is for; each user of links checks its own
	Incident id.Incident // 0 when it is about none
	User     id.User     // on whose behalf
	Nonce    string      // ties the link to something that can be used up, such as a page's delivery
}

// Signer makes and checks links. It keeps nothing: a link is good until it
// expires, as often as it is used, on every node with the same key.
type Signer struct {
	key []byte
}

// Signer returns the signer of this box's key.
func (b *Box) Signer() *Signer { return &Signer{key: b.Derive("link")} }

// linkVersion is the first byte of every token.
const linkVersion = 1

// maxToken is far above any token Sign makes from our own identifiers, and
// keeps foreign text from being hashed at length.
const maxToken = 2048

// Sign returns link as text that is safe in a URL. It expires at expires,
// rounded down to the second.
//
// The bytes are: version, expiry, incident, then action, user and nonce each
// after its length, then the HMAC-SHA256 of all that; numbers are varints.
func (s *Signer) Sign(link Link, expires time.Time) string {
	b := []byte{linkVersion}
	b = binary.AppendVarint(b, expires.Unix())
	b = binary.AppendVarint(b, int64(link.Incident))
	for _, text := range []string{link.Action, string(link.User), link.Nonce} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return text64.EncodeToString(append(b, s.mac(b)...))
}

// Verify returns the link that token stands for. The error is ErrExpired (with
// the link) from the moment it expires on, and ErrInvalid for anything Sign did
// not make with this key.
func (s *Signer) Verify(token string, now time.Time) (Link, error) {
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return Link{}, ErrInvalid
	}
	raw, err := text64.DecodeString(token)
	if err != nil || len(raw) <= sha256.Size {
		return Link{}, ErrInvalid
	}
	body, mac := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	// Before anything is read: a forged link must not even learn that it is too old.
	if !hmac.Equal(mac, s.mac(body)) {
		return Link{}, ErrInvalid
	}
	link, expires, err := parse(body)
	if err != nil {
		return Link{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !now.Before(expires) {
		return link, ErrExpired
	}
	return link, nil
}

func (s *Signer) mac(body []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write(body)
	return h.Sum(nil)
}

// parse reads the bytes that Sign wrote. They are authentic when it is called,
// but perhaps from a newer version of the program.
func parse(b []byte) (Link, time.Time, error) {
	if b[0] != linkVersion {
		return Link{}, time.Time{}, fmt.Errorf("link version %d", b[0])
	}
	r := reader{rest: b[1:]}
	expires, incident := r.int(), r.int()
	link := Link{Incident: id.Incident(incident), Action: r.text(), User: id.User(r.text()), Nonce: r.text()}
	if r.bad || len(r.rest) > 0 {
		return Link{}, time.Time{}, errors.New("link is cut or too long")
	}
	return link, time.Unix(expires, 0), nil
}

// reader takes values from the front of rest; after the first bad one it gives zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.rest, r.bad = nil, true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) text() string {
	size, n := binary.Uvarint(r.rest)
	if n <= 0 || size > uint64(len(r.rest)-n) {
		r.rest, r.bad = nil, true
		return ""
	}
	text := string(r.rest[n : n+int(size)]) //nolint:gosec // bounded by the line above
	r.rest = r.rest[n+int(size):]           //nolint:gosec // the same
	return text
}
