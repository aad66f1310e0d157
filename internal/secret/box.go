// Package secret keeps small secrets: it seals what must be read again (keys of
// outgoing webhooks, passwords of relays), signs links that expire, and hashes
// random tokens that only ever need to be recognised.
//
// Everything hangs on one key of 32 random bytes in a file beside the data, or
// in the environment on several nodes. Whoever has the database without the
// key can read none of the sealed secrets and forge no link. Losing the key
// loses the sealed secrets and nothing else; they have to be entered again.
//
// Passwords of people are not kept here but in auth: they are never read again.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrInvalid says that a sealed text or a signed link was not made with this
// key, or was changed since. Which of them is not told.
var ErrInvalid = errors.New("not made with this key, or changed")

// KeySize is the length of the key in bytes; in text it is base64 of that.
const KeySize = 32

// version is written before every sealed text, so that another cipher can be
// introduced while old texts are still read.
const version = "v1."

// text64 is strict: exactly one text stands for given bytes, so a sealed text
// cannot be changed without being noticed.
var text64 = base64.RawURLEncoding.Strict()

// Box seals and opens with one key. It is safe for concurrent use.
type Box struct {
	key  [KeySize]byte
	aead cipher.AEAD
}

// FromText makes a box from a key in base64 (standard or URL alphabet, padded
// or not; white space around it does not matter).
func FromText(text string) (*Box, error) {
	clean := strings.TrimRight(strings.TrimSpace(text), "=")
	raw, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(clean))
	if err != nil {
		return nil, errors.New("secret key is not base64") // the cause would quote the key
	}
	if len(raw) != KeySize {
		return nil, fmt.Errorf("secret key has %d bytes, want %d", len(raw), KeySize)
	}
	b := &Box{key: [KeySize]byte(raw)}
	block, err := aes.NewCipher(b.Derive("seal"))
	if err != nil {
		return nil, fmt.Errorf("prepare cipher: %w", err)
	}
	// The nonce is random: safe for 2³² seals, far more than an organisation has secrets.
	if b.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("prepare cipher: %w", err)
	}
	return b, nil
}

// NewKey returns a fresh key in the text form FromText reads.
func NewKey() string {
	var key [KeySize]byte
	_, _ = rand.Read(key[:]) // never fails since Go 1.24
	return base64.StdEncoding.EncodeToString(key[:])
}

// Derive returns a 32-byte key for one purpose. Keys of different purposes tell
// nothing of each other or of the box's own.
func (b *Box) Derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, b.key[:], nil, "watchroom "+purpose, KeySize)
	if err != nil {
		panic(err) // only for lengths above 255 hashes
	}
	return key
}

// Seal returns plain encrypted and authenticated, as text. The same plain gives
// another text each time. Its length shows; nothing else does.
func (b *Box) Seal(plain string) string {
	return version + text64.EncodeToString(b.aead.Seal(nil, nil, []byte(plain), []byte(version)))
}

// Open returns what was sealed, or an error that wraps ErrInvalid.
func (b *Box) Open(text string) (string, error) {
	rest, ok := strings.CutPrefix(text, version)
	if !ok {
		return "", fmt.Errorf("open sealed text: unknown version: %w", ErrInvalid)
	}
	// The decoder skips line ends even when strict; Seal writes none.
	if strings.ContainsAny(rest, "\r\n") {
		return "", fmt.Errorf("open sealed text: %w", ErrInvalid)
	}
	sealed, err := text64.DecodeString(rest)
	if err != nil {
		return "", fmt.Errorf("open sealed text: %w", ErrInvalid)
	}
	plain, err := b.aead.Open(nil, nil, sealed, []byte(version))
	if err != nil {
		return "", fmt.Errorf("open sealed text: %w", ErrInvalid)
	}
	return string(plain), nil
}

// Hash returns the hex SHA-256 of token, by which a store finds a session, an
// API token or a reset link without being able to show one. For random tokens
// of at least 128 bits only: anything a person chose needs auth.Passwords.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
