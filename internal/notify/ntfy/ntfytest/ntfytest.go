// Package ntfytest is an ntfy server for tests: it takes messages as JSON over
// HTTP, is as strict about them as the original (server/server.go and
// server/actions.go of binwiederhier/ntfy), and answers with the original's
// error codes. It promises to record every message that it stored, and nothing
// else. Subscribing, attachments and delays are left out: a message that would
// need them is refused.
package ntfytest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// Limits of a server with its default settings.
const (
	MaxMessage = 4096
	MaxActions = 3
)

// Action is a button of a message.
type Action struct {
	Action  string            `json:"action"`
	Label   string            `json:"label"`
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Clear   bool              `json:"clear"`
}

// Message is a stored message.
type Message struct {
	ID       string   `json:"id"`
	Topic    string   `json:"topic"`
	Title    string   `json:"title"`
	Message  string   `json:"message"`
	Priority int      `json:"priority"`
	Tags     []string `json:"tags"`
	Click    string   `json:"click"`
	Actions  []Action `json:"actions"`

	Delay  string `json:"delay"`
	Attach string `json:"attach"`
}

// Server is safe for use by many goroutines.
type Server struct {
	URL string // without a slash at the end

	http *httptest.Server
	mu   sync.Mutex // guards the rest
	have []Message
	may  map[string][]string // topic → values of Authorization that may publish
	next []func(http.ResponseWriter)
}

// New starts a server that ends with the test.
func New(tb testing.TB) *Server {
	tb.Helper()
	s := Start()
	tb.Cleanup(s.Close)
	return s
}

// Start starts a server that runs until Close.
func Start() *Server {
	s := &Server{may: map[string][]string{}}
	s.http = httptest.NewServer(http.HandlerFunc(s.publish))
	s.URL = s.http.URL
	return s
}

// Close ends the server and its connections.
func (s *Server) Close() { s.http.Close() }

// Protect lets only requests with one of these Authorization headers publish to topic.
func (s *Server) Protect(topic string, authorization ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.may[topic] = authorization
}

// LimitNext makes the next request exceed the limit of requests; retryAfter is
// the header of that name, which some proxies add.
func (s *Server) LimitNext(retryAfter string) {
	s.answerNext(func(w http.ResponseWriter) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		refuse(w, 42901, "limit reached: too many requests, please be nice")
	})
}

// BreakNext makes the next request fail inside the server.
func (s *Server) BreakNext() {
	s.answerNext(func(w http.ResponseWriter) { refuse(w, 50001, "internal server error") })
}

// ProxyNext answers the next request as a proxy in front of the server would.
func (s *Server) ProxyNext(status int, location string) {
	s.answerNext(func(w http.ResponseWriter) {
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html><body>This is not ntfy</body></html>")
	})
}

func (s *Server) answerNext(answer func(http.ResponseWriter)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, answer)
}

// Messages returns what was stored, in order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.have)
}

// Press does what the app does when somebody touches an http button: it calls
// its URL, with POST unless the button says otherwise.
func (s *Server) Press(ctx context.Context, client *http.Client, a Action) (*http.Response, error) {
	method := a.Method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, a.URL, strings.NewReader(a.Body))
	if err != nil {
		return nil, fmt.Errorf("press %s: %w", a.Label, err)
	}
	for name, value := range a.Headers {
		req.Header.Set(name, value)
	}
	return client.Do(req)
}

var topicName = regexp.MustCompile(`^[-_A-Za-z0-9]{1,64}$`)

func (s *Server) publish(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.next) > 0 {
		answer := s.next[0]
		s.next = s.next[1:]
		answer(w)
		return
	}
	if r.URL.Path != "/" || r.Method != http.MethodPost && r.Method != http.MethodPut {
		refuse(w, 40401, "page not found")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 2*MaxMessage+1))
	if err != nil {
		refuse(w, 40024, "invalid request: request body must be valid JSON")
		return
	}
	if len(body) > 2*MaxMessage {
		refuse(w, 41303, "JSON body too large")
		return
	}
	var m Message
	if json.Unmarshal(body, &m) != nil {
		refuse(w, 40024, "invalid request: request body must be valid JSON")
		return
	}
	if code, reason := s.check(m, body, r.Header.Get("Authorization")); code != 0 {
		refuse(w, code, reason)
		return
	}
	m.ID = fmt.Sprintf("m%011d", len(s.have)+1)
	s.have = append(s.have, m)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": m.ID, "time": 1700000000 + len(s.have), "expires": 1700043200, "event": "message",
		"topic": m.Topic, "title": m.Title, "message": m.Message, "priority": m.Priority,
	})
}

func (s *Server) check(m Message, body []byte, authorization string) (code int, reason string) {
	if !topicName.MatchString(m.Topic) {
		return 40009, "invalid request: topic invalid"
	}
	if may, protected := s.may[m.Topic]; protected && !slices.Contains(may, authorization) {
		if authorization == "" {
			return 40301, "forbidden"
		}
		return 40101, "unauthorized"
	}
	switch {
	case !utf8.Valid(body):
		return 40011, "invalid message: message must be UTF-8 encoded"
	case m.Priority < 0 || m.Priority > 5:
		return 40007, "invalid priority parameter"
	case m.Delay != "":
		return 40004, "invalid delay parameter: unable to parse delay"
	case m.Attach != "" || len(m.Message) > MaxMessage:
		return 40014, "invalid request: attachments not allowed"
	}
	if len(m.Actions) > MaxActions {
		return 40018, fmt.Sprintf("invalid request: actions invalid, only %d actions allowed", MaxActions)
	}
	for _, a := range m.Actions {
		switch {
		case !slices.Contains([]string{"view", "broadcast", "http"}, a.Action):
			return 40018, fmt.Sprintf("invalid request: actions invalid, action '%s' unknown", a.Action)
		case a.Label == "":
			return 40018, "invalid request: actions invalid, parameter 'label' is required"
		case a.Action != "broadcast" && a.URL == "":
			return 40018, fmt.Sprintf("invalid request: actions invalid, parameter 'url' is required for action '%s'", a.Action)
		case a.Action == "http" && (a.Method == http.MethodGet || a.Method == http.MethodHead) && a.Body != "":
			return 40018, fmt.Sprintf("invalid request: actions invalid, parameter 'body' cannot be set if method is %s", a.Method)
		}
	}
	return 0, ""
}

func refuse(w http.ResponseWriter, code int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code / 100)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "http": code / 100, "error": reason})
}
