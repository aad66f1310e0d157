package webpush

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
)

// How long we prove who we are with the same token. RFC 8292 allows 24 hours;
// half of it leaves room for clocks that are wrong. Push services ask not to be
// given a new one with every message, so one is used for half of its life.
const (
	tokenLife = 12 * time.Hour
	tokenUse  = 6 * time.Hour
	maxTokens = 64 // push services we remember a token for; there are half a dozen in the world
)

// signer makes the Authorization of RFC 8292.
type signer struct {
	key     *ecdsa.PrivateKey
	public  string
	subject string

	mu     sync.Mutex // guards tokens
	tokens map[string]token
}

type token struct {
	text   string
	madeAt time.Time
}

// authorization is the value of the header for a message to endpoint.
func (s *signer) authorization(endpoint *url.URL, now time.Time) (string, error) {
	audience := origin(endpoint)
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[audience]
	// A clock that was set back makes a token from the future, which would live too long.
	if age := now.Sub(t.madeAt); !ok || age < 0 || age > tokenUse {
		text, err := s.sign(audience, now)
		if err != nil {
			return "", err
		}
		if len(s.tokens) >= maxTokens { // endpoints come from outside
			clear(s.tokens)
		}
		t = token{text: text, madeAt: now}
		s.tokens[audience] = t
	}
	return "vapid t=" + t.text + ", k=" + s.public, nil
}

func (s *signer) sign(audience string, now time.Time) (string, error) {
	claims, err := json.Marshal(struct {
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
		Subject  string `json:"sub"`
	}{audience, now.Add(tokenLife).Unix(), s.subject})
	if err != nil {
		return "", fmt.Errorf("encode VAPID claims: %w", err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + b64(claims)
	sum := sha256.Sum256([]byte(text))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign VAPID token: %w", err)
	}
	var signature [64]byte // RFC 7518 §3.4: the two numbers, 32 bytes each
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return text + "." + b64(signature[:]), nil
}

// origin is RFC 6454's: scheme and host, and the port unless it is the usual one.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	usual := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	return u.Scheme + "://" + strings.TrimSuffix(host, usual)
}
