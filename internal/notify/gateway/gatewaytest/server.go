// Package gatewaytest is a gateway for text messages, for tests: it takes one
// request for each, as form, as JSON or as a query, with fields "to" and "text".
// It refuses a missing or wrong Authorization (401), a number that is not E.164
// (422), an unknown kind of body (415) and a wrong signature (403), and takes a
// repetition of the same Idempotency-Key for the same message.
package gatewaytest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"testing"
)

// What the gateway knows.
const (
	Authorization = "Bearer 0123456789-gateway-token"
	Secret        = "0123456789-gateway-secret"
)

// Message is one that was taken.
type Message struct {
	ID       int
	To, Text string
	Key      string // the Idempotency-Key
	Signed   bool
	Fields   map[string]any // everything that was given beside to and text
}

// Server is the gateway.
type Server struct {
	URL string

	mu   sync.Mutex // guards the rest
	sent []Message
	fail []int
}

// New starts a server that stops with the test.
func New(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{}
	server := httptest.NewServer(s)
	tb.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Fail answers the next request with status, quoting its Authorization.
func (s *Server) Fail(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = append(s.fail, status)
}

// Sent returns the messages that were taken, the oldest first.
func (s *Server) Sent() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// ServeHTTP takes a message.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fail) > 0 {
		status := s.fail[0]
		s.fail = s.fail[1:]
		w.Header().Set("Retry-After", "4")
		http.Error(w, "trouble with "+r.Header.Get("Authorization")+" "+r.URL.RawQuery, status)
		return
	}
	if r.Header.Get("Authorization") != Authorization {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	body, _ := io.ReadAll(r.Body)
	signed := string(body)
	if r.Method == http.MethodGet {
		signed = r.URL.RawQuery
	}
	signature := r.Header.Get("X-Watchroom-Signature")
	h := hmac.New(sha256.New, []byte(Secret))
	_, _ = io.WriteString(h, signed)
	if signature != "" && signature != "sha256="+hex.EncodeToString(h.Sum(nil)) {
		http.Error(w, "the signature is wrong", http.StatusForbidden)
		return
	}
	m := Message{Key: r.Header.Get("Idempotency-Key"), Signed: signature != "", Fields: map[string]any{}}
	if err := m.read(r, body); err != nil {
		http.Error(w, err.Error(), http.StatusUnsupportedMediaType)
		return
	}
	if !e164.MatchString(m.To) || m.Text == "" {
		http.Error(w, "no such number, or no text", http.StatusUnprocessableEntity)
		return
	}
	i := slices.IndexFunc(s.sent, func(old Message) bool { return m.Key != "" && old.Key == m.Key })
	if i < 0 {
		m.ID = len(s.sent) + 1
		s.sent = append(s.sent, m)
		i = len(s.sent) - 1
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]any{"messages": []any{map[string]any{"id": s.sent[i].ID, "state": "queued"}}})
}

func (m *Message) read(r *http.Request, body []byte) error {
	kind := r.Header.Get("Content-Type")
	switch {
	case r.Method == http.MethodGet:
		for name := range r.URL.Query() {
			m.Fields[name] = r.URL.Query().Get(name)
		}
	case kind == "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return err
		}
		for name := range form {
			m.Fields[name] = form.Get(name)
		}
	case kind == "application/json":
		if err := json.Unmarshal(body, &m.Fields); err != nil {
			return err
		}
	default:
		return fmt.Errorf("a body of %q", kind)
	}
	m.To, _ = m.Fields["to"].(string)
	m.Text, _ = m.Fields["text"].(string)
	delete(m.Fields, "to")
	delete(m.Fields, "text")
	return nil
}
