// Package webpushtest is a push service for tests, with the browsers behind it:
// it hands out subscriptions with real keys, checks what an application server
// sends as strictly as RFC 8030, 8188, 8291 and 8292 allow, decrypts every
// message and keeps the plain text. The checks and the decryption share no code
// with the sender; they leave the meaning of the plain text to the test.
package webpushtest

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Service is a push service over plain HTTP on this machine.
type Service struct {
	URL string

	server *httptest.Server

	mu       sync.Mutex // guards the rest
	browsers map[string]*browser
	messages []Message
	refused  []string
	answer   *answer
}

// Message is what a browser was given.
type Message struct {
	Endpoint string
	Plain    []byte
	TTL      int
	Urgency  string
	Topic    string
	Subject  string // the VAPID claim "sub"
	JWT      string
	Size     int // of the encrypted body, in bytes
}

// Subscription is what pushManager.subscribe gives to the page.
type Subscription struct {
	Endpoint string
	P256dh   string
	Auth     string
}

// JSON is the subscription as PushSubscription.toJSON writes it.
func (s Subscription) JSON() []byte {
	text, _ := json.Marshal(map[string]any{ //nolint:errchkjson // strings only
		"endpoint": s.Endpoint, "expirationTime": nil,
		"keys": map[string]string{"p256dh": s.P256dh, "auth": s.Auth},
	})
	return text
}

type browser struct {
	key       *ecdh.PrivateKey
	auth      []byte
	serverKey string // the applicationServerKey it subscribed with
	gone      int    // the status it answers when it has unsubscribed
}

type answer struct {
	status     int
	retryAfter string
	body       string
	times      int
}

// New starts a push service that ends with the test.
func New(tb testing.TB) *Service {
	tb.Helper()
	s := &Service{browsers: map[string]*browser{}}
	s.server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.server.URL
	tb.Cleanup(s.server.Close)
	return s
}

// HTTPClient reaches the service.
func (s *Service) HTTPClient() *http.Client { return s.server.Client() }

// Subscribe is a browser that subscribes with applicationServerKey. Messages
// signed with another key will be refused, as RFC 8292 §4 has it.
func (s *Service) Subscribe(applicationServerKey string) Subscription {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // no random numbers: no test
	}
	auth, path := make([]byte, 16), make([]byte, 24)
	_, _ = rand.Read(auth)
	_, _ = rand.Read(path)
	b64 := base64.RawURLEncoding.EncodeToString
	sub := Subscription{Endpoint: s.URL + "/push/" + b64(path), P256dh: b64(key.PublicKey().Bytes()), Auth: b64(auth)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.browsers["/push/"+b64(path)] = &browser{key: key, auth: auth, serverKey: applicationServerKey}
	return sub
}

// Unsubscribe makes the browser give up sub; from then on the service answers
// status, 404 or 410.
func (s *Service) Unsubscribe(sub Subscription, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.browsers[strings.TrimPrefix(sub.Endpoint, s.URL)].gone = status
}

// Answer makes the service answer the next n messages with status, Retry-After
// (when not "") and body, without looking at them.
func (s *Service) Answer(n, status int, retryAfter, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = &answer{status: status, retryAfter: retryAfter, body: body, times: n}
}

// Messages are those that were accepted, in order.
func (s *Service) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message{}, s.messages...)
}

// Refused says why messages were not accepted.
func (s *Service) Refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.refused...)
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.answer; a != nil && a.times > 0 {
		a.times--
		if a.retryAfter != "" {
			w.Header().Set("Retry-After", a.retryAfter)
		}
		s.refuse(w, a.status, a.body)
		return
	}
	m, status, err := s.take(r)
	if err != nil {
		s.refuse(w, status, err.Error())
		return
	}
	s.messages = append(s.messages, m)
	w.Header().Set("Location", fmt.Sprintf("%s/message/%d", s.URL, len(s.messages)))
	w.WriteHeader(http.StatusCreated)
}

func (s *Service) refuse(w http.ResponseWriter, status int, why string) {
	s.refused = append(s.refused, fmt.Sprintf("%d %s", status, why))
	http.Error(w, why, status)
}

// take checks a request in the order in which the big push services do.
func (s *Service) take(r *http.Request) (Message, int, error) {
	fail := func(status int, format string, args ...any) (Message, int, error) {
		return Message{}, status, fmt.Errorf(format, args...)
	}
	b := s.browsers[r.URL.Path]
	switch {
	case r.Method != http.MethodPost:
		return fail(http.StatusMethodNotAllowed, "method %s", r.Method)
	case b == nil:
		return fail(http.StatusNotFound, "no such subscription")
	case b.gone != 0:
		return fail(b.gone, "the push subscription has unsubscribed or expired")
	}
	jwt, subject, err := verify(r.Header.Get("Authorization"), s.URL, b.serverKey, time.Now())
	if err != nil {
		return fail(http.StatusForbidden, "authorization: %v", err)
	}
	m := Message{Endpoint: s.URL + r.URL.Path, JWT: jwt, Subject: subject, Topic: r.Header.Get("Topic"), Urgency: r.Header.Get("Urgency")}
	if m.TTL, err = strconv.Atoi(r.Header.Get("TTL")); err != nil || m.TTL < 0 {
		return fail(http.StatusBadRequest, "TTL %q", r.Header.Get("TTL"))
	}
	switch m.Urgency {
	case "", "very-low", "low", "normal", "high":
	default:
		return fail(http.StatusBadRequest, "urgency %q", m.Urgency)
	}
	if len(m.Topic) > 32 || strings.Trim(m.Topic, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return fail(http.StatusBadRequest, "topic %q", m.Topic)
	}
	if got := r.Header.Get("Content-Encoding"); got != "aes128gcm" {
		return fail(http.StatusUnsupportedMediaType, "content encoding %q", got)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 4097))
	if err != nil {
		return fail(http.StatusBadRequest, "read: %v", err)
	}
	if m.Size = len(body); m.Size > 4096 {
		return fail(http.StatusRequestEntityTooLarge, "more than 4096 bytes")
	}
	if m.Plain, err = Decrypt(body, b.key, b.auth); err != nil {
		return fail(http.StatusBadRequest, "decrypt: %v", err)
	}
	return m, 0, nil
}
