// Package routing knows how an alert finds its escalation policy: routing keys,
// the default route, and the integrations through which alerts come in.
package routing

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/watchroom/watchroom/internal/id"
)

// Key is a routing key: the last word of the URL that a sender posts to.
type Key struct {
	ID     id.RoutingKey `json:"id"`
	Name   string        `json:"name"` // as typed; compared without regard to case
	Policy id.Policy     `json:"policy"`
	Note   string        `json:"note,omitempty"`
}

var keyName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// Validate returns a sentence about the first thing that is wrong with k.
func (k Key) Validate() error {
	if !keyName.MatchString(k.Name) {
		return fmt.Errorf("routing key %q: use 1 to 80 letters, digits, dashes or underscores", k.Name)
	}
	if k.Policy == "" {
		return fmt.Errorf("routing key %s: name the escalation policy", k.Name)
	}
	return nil
}

// Fold is the form in which routing keys are compared.
func Fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// Kind is the dialect an integration speaks.
type Kind string

// REST is VictorOps' generic REST endpoint.
const REST Kind = "rest"

// Integration is one inbound door with its own key.
type Integration struct {
	ID      id.Integration `json:"id"`
	Kind    Kind           `json:"kind"`
	Name    string         `json:"name"`
	KeyHash string         `json:"key_hash"` // SHA-256 of the key, for looking it up
	Sealed  string         `json:"sealed"`   // the key, encrypted, for showing it to an administrator
	Off     bool           `json:"off,omitempty"`
}

// Validate returns a sentence about the first thing that is wrong with i.
func (i Integration) Validate() error {
	switch {
	case i.Kind != REST:
		return fmt.Errorf("integration %s: kind %q is not known; use rest", i.Name, i.Kind)
	case strings.TrimSpace(i.Name) == "" || len(i.Name) > 200:
		return fmt.Errorf("integration: name: give 1 to 200 characters")
	case i.KeyHash == "":
		return fmt.Errorf("integration %s: it has no key", i.Name)
	}
	return nil
}
