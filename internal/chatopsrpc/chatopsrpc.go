// Package chatopsrpc speaks ChatOps RPC, version 3: commands that live in other
// people's services, listed and called over HTTPS with a signature. Service is
// the client: it polls a listing, matches what people type and posts the call.
// Publisher is the server: it offers our own commands to a team that keeps its
// Hubot.
//
// It promises that a call is posted once and never again by itself, because the
// protocol has no way to tell whether it ran: a call whose answer did not come is
// an error, which means unknown. What a listing offers and we cannot use is shown
// with the reason. Expressions from outside are limited in number and length,
// anchored, and run in linear time.
//
// Whoever has the private key can act as anybody at every service that trusts it,
// so it stays in this process. Permission is decided before a call; the service
// decides again, by the login that we state.
package chatopsrpc

import (
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/command"
)

// Timeout is how long a service may take for one call; the client that is given
// to New should allow for it.
const Timeout = 150 * time.Second

// Config is one service.
type Config struct {
	URL    string // of the listing: https://deploy.example.org/_chatops
	Prefix string // first word of its commands
	KeyID  string // tells the service which key it was; "": watchroom
	// Policies say what the listing does not: what a method risks and needs, by
	// its name; "*" for those without one of their own.
	Policies map[string]Policy
}

// Policy is what this side asks of one method. The zero value is a change that
// needs the permission rpc.PREFIX.METHOD.
type Policy struct {
	Risk       command.Risk
	Permission string
	Rooms      []string
	Confirm    bool
	Approval   command.Approval
	Private    bool
	Off        bool // it is not offered
}

var prefixShape = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// Validate returns a sentence about the first thing that is wrong.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "":
		return errors.New("url: give the whole address of the listing, beginning with https://")
	case u.Scheme != "https":
		return errors.New("url: a listing is only read over https")
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return errors.New("url: no query, fragment or password, because they are not part of what is signed")
	case !prefixShape.MatchString(c.Prefix):
		return errors.New("prefix: give one word of lower-case letters, digits, - and _")
	}
	for name, p := range c.Policies {
		if !slices.Contains([]command.Risk{"", command.Reads, command.Changes, command.Danger}, p.Risk) {
			return fmt.Errorf("method %s: risk %q: use read, change or danger", name, p.Risk)
		}
	}
	return nil
}

func (c Config) policy(method string) Policy {
	p, ok := c.Policies[method]
	if !ok {
		p = c.Policies["*"]
	}
	p.Risk = cmp.Or(p.Risk, command.Changes)
	return p
}

// minKey is the least number of bits of a key; shorter ones can be broken.
const minKey = 2048

// ParseKey reads a private key in PEM, PKCS #1 or #8.
func ParseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the key is not PEM text: it begins with -----BEGIN")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		other, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errors.New("the key is not a private key that can be read without a password")
		}
		var ok bool
		if key, ok = other.(*rsa.PrivateKey); !ok {
			return nil, errors.New("the key is not an RSA key")
		}
	}
	if key.N.BitLen() < minKey {
		return nil, fmt.Errorf("the key has %d bits; %d are needed", key.N.BitLen(), minKey)
	}
	return key, nil
}

// ParsePublicKey reads the key of somebody who may call us.
func ParsePublicKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the key is not PEM text: it begins with -----BEGIN PUBLIC KEY-----")
	}
	if parsed, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
		if key, ok := parsed.(*rsa.PublicKey); ok && key.N.BitLen() >= minKey {
			return key, nil
		}
		return nil, fmt.Errorf("the key is not an RSA key of at least %d bits", minKey)
	}
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	if err != nil || key.N.BitLen() < minKey {
		return nil, fmt.Errorf("the key is not an RSA key of at least %d bits", minKey)
	}
	return key, nil
}

// Service is one listing and its methods.
type Service struct {
	cfg     Config
	key     *rsa.PrivateKey
	http    *http.Client
	log     *slog.Logger
	changed func()

	mu    sync.Mutex
	state State // guarded by mu
	etag  string
}

// State is what is known of a service now. It is a value; nothing in it changes.
type State struct {
	Listing  Listing
	Methods  []Method // usable, by name
	Rejected []Rejection
	At       time.Time // of the last listing that was read; zero: never
	Err      string    // why the last look failed, "" when it did not
	Next     time.Time // look
	ETag     string    // of the listing; "": the service offers none
}

// New makes a Service that has read nothing yet. c is a guarded client; changed,
// if not nil, is called after the methods changed.
func New(cfg Config, key *rsa.PrivateKey, c *http.Client, log *slog.Logger, changed func()) (*Service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.URL, cfg.KeyID = strings.TrimRight(cfg.URL, "/"), cmp.Or(cfg.KeyID, "watchroom")
	cfg.Policies = maps.Clone(cfg.Policies)
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the signature is for this address
	if changed == nil {
		changed = func() {}
	}
	return &Service{cfg: cfg, key: key, http: &own, log: log, changed: changed}, nil
}

// Prefix is the first word of its commands.
func (s *Service) Prefix() string { return s.cfg.Prefix }

// State is what is known now.
func (s *Service) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.state
	now.ETag = s.etag
	return now
}

// URL is the address of its listing.
func (s *Service) URL() string { return s.cfg.URL }
