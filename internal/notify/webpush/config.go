package webpush

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Config says who we are to the push services. Private and Subject are needed.
type Config struct {
	// Private is our VAPID key as NewKeys makes it. Subscriptions are bound to
	// it: with another key every browser has to subscribe again.
	Private string
	Subject string // whom a push service may contact: mailto:… or https://…
	HomeURL string // the list of incidents, which a bundle opens; may be ""

	TTL     time.Duration // how long a push service keeps a message for a phone that is off; 0 means 5 minutes
	Timeout time.Duration // for one message; 0 means 15 s

	// The rest is for tests.
	AllowInsecure bool // http endpoints
	Now           func() time.Time
}

// maxTTL is four weeks, what the big push services cut it to.
const maxTTL = 28 * 24 * time.Hour

// Validate says in a sentence what is wrong. It never repeats the key.
func (c Config) Validate() error {
	if _, err := privateKey(c.Private); err != nil {
		return err
	}
	subject, err := url.Parse(c.Subject)
	switch {
	case err != nil || subject.Scheme != "mailto" && subject.Scheme != "https",
		subject.Scheme == "mailto" && !strings.Contains(subject.Opaque, "@"),
		subject.Scheme == "https" && subject.Host == "":
		return errors.New(phrase.T("webpush.config.subject", c.Subject))
	case c.TTL < 0 || c.TTL > maxTTL:
		return errors.New(phrase.T("webpush.config.ttl"))
	case c.Timeout < 0:
		return errors.New(phrase.T("webpush.config.timeout"))
	}
	return nil
}

// NewKeys makes a VAPID key pair: private for Config, public for the browser's
// applicationServerKey. Both are base64url without padding.
func NewKeys() (private, public string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", fmt.Errorf("make VAPID key: %w", err)
	}
	raw, err := key.Bytes()
	if err != nil {
		return "", "", fmt.Errorf("encode VAPID key: %w", err)
	}
	public, err = publicOf(key)
	return base64.RawURLEncoding.EncodeToString(raw), public, err
}

func privateKey(text string) (*ecdsa.PrivateKey, error) {
	if text == "" {
		return nil, errors.New(phrase.T("webpush.config.no_key"))
	}
	raw, err := decode64(text)
	if err != nil { // the error quotes the key
		return nil, errors.New(phrase.T("webpush.config.bad_key"))
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		return nil, errors.New(phrase.T("webpush.config.bad_key"))
	}
	return key, nil
}

func publicOf(key *ecdsa.PrivateKey) (string, error) {
	raw, err := key.PublicKey.Bytes()
	if err != nil {
		return "", fmt.Errorf("encode VAPID key: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// What a browser may hand us as a subscription.
const (
	maxSubscription = 8 << 10
	maxEndpoint     = 2000
	authLen         = 16 // RFC 8291 §3.2
)

// keys is the Secret of a contact method: what a message is encrypted with.
type keys struct {
	P256dh string `json:"p256dh"`
	Auth   string `json:"auth"`
}

// ParseSubscription reads a browser's PushSubscription as its toJSON writes it
// and returns what a Page needs as To and Secret. The error is a sentence.
func (c *Client) ParseSubscription(data []byte) (endpoint, secret string, err error) {
	var sub struct {
		Endpoint string `json:"endpoint"`
		Keys     keys   `json:"keys"`
	}
	if len(data) > maxSubscription {
		return "", "", errors.New(phrase.T("webpush.subscription.form"))
	}
	if err := json.Unmarshal(data, &sub); err != nil { // the error may quote a key
		return "", "", errors.New(phrase.T("webpush.subscription.form"))
	}
	if _, err := c.endpoint(sub.Endpoint); err != nil {
		return "", "", err
	}
	if _, _, err := sub.Keys.decode(); err != nil {
		return "", "", err
	}
	encoded, err := json.Marshal(sub.Keys)
	if err != nil {
		return "", "", fmt.Errorf("encode subscription keys: %w", err)
	}
	return sub.Endpoint, string(encoded), nil
}

// endpoint checks where a message would go. The address itself is a capability
// and is never part of the error.
func (c *Client) endpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > maxEndpoint || u.Host == "" || u.User != nil || u.Fragment != "":
		return nil, errors.New(phrase.T("webpush.subscription.endpoint"))
	case u.Scheme == "https", u.Scheme == "http" && c.cfg.AllowInsecure:
		return u, nil
	default:
		return nil, errors.New(phrase.T("webpush.subscription.endpoint"))
	}
}

func (k keys) decode() (browser *ecdh.PublicKey, auth []byte, err error) {
	point, err := decode64(k.P256dh)
	if err == nil {
		browser, err = ecdh.P256().NewPublicKey(point)
	}
	if err != nil {
		return nil, nil, errors.New(phrase.T("webpush.subscription.keys"))
	}
	if auth, err = decode64(k.Auth); err != nil || len(auth) != authLen {
		return nil, nil, errors.New(phrase.T("webpush.subscription.keys"))
	}
	return browser, auth, nil
}

// decode64 takes base64url as the standards have it, and what some browsers and
// key generators write: with padding, or in the older alphabet.
func decode64(text string) ([]byte, error) {
	text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("decode base64url: %w", err)
	}
	return raw, nil
}
