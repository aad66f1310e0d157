// Package gotifytest is a Gotify server for tests: it takes messages at
// POST /message from applications whose tokens it knows, in the three ways the
// original takes a token, and answers with the original's shapes of errors. It
// promises to record every message that it stored, and nothing else. Clients,
// users and the stream of messages are left out.
package gotifytest

import (
	"encoding/json"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Message is a stored message.
type Message struct {
	ID       int64          `json:"id"`
	AppID    int            `json:"appid"`
	Message  string         `json:"message"`
	Title    string         `json:"title"`
	Priority int            `json:"priority"`
	Date     time.Time      `json:"date"`
	Extras   map[string]any `json:"extras,omitempty"`
}

// ClickURL is where a tap on the notification leads; "" when it opens the app.
func (m Message) ClickURL() string {
	notification, _ := m.Extras["client::notification"].(map[string]any)
	click, _ := notification["click"].(map[string]any)
	url, _ := click["url"].(string)
	return url
}

// ContentType is how the text is shown; "text/plain" unless the message says otherwise.
func (m Message) ContentType() string {
	display, _ := m.Extras["client::display"].(map[string]any)
	if kind, ok := display["contentType"].(string); ok {
		return kind
	}
	return "text/plain"
}

// Server is safe for use by many goroutines.
type Server struct {
	URL string // without a slash at the end

	http    *httptest.Server
	mu      sync.Mutex // guards the rest
	tokens  []string
	clients []string
	have    []Message
	next    []func(http.ResponseWriter)
}

// New starts a server that ends with the test and knows one application for each token.
func New(tb testing.TB, tokens ...string) *Server {
	tb.Helper()
	s := Start(tokens...)
	tb.Cleanup(s.Close)
	return s
}

// Start starts a server that runs until Close.
func Start(tokens ...string) *Server {
	s := &Server{tokens: tokens}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close ends the server and its connections.
func (s *Server) Close() { s.http.Close() }

// AllowClient makes token that of a client: it is known, and may not post without an application's number.
func (s *Server) AllowClient(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients = append(s.clients, token)
}

// BreakNext makes the next request fail inside the server.
func (s *Server) BreakNext() {
	s.answerNext(func(w http.ResponseWriter) {
		refuse(w, http.StatusInternalServerError, "database is locked")
	})
}

// ProxyNext answers the next request as a proxy in front of the server would.
func (s *Server) ProxyNext(status int, header http.Header) {
	s.answerNext(func(w http.ResponseWriter) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html>This is not Gotify</html>")
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

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.next) > 0 {
		answer := s.next[0]
		s.next = s.next[1:]
		answer(w)
		return
	}
	if r.URL.Path != "/message" || r.Method != http.MethodPost {
		refuse(w, http.StatusNotFound, "page not found")
		return
	}
	token := tokenOf(r)
	app := slices.Index(s.tokens, token) + 1
	switch {
	case slices.Contains(s.clients, token):
		refuse(w, http.StatusForbidden, "you are not allowed to access this api")
		return
	case app == 0 || token == "":
		refuse(w, http.StatusUnauthorized, "you need to provide a valid access token or user credentials to access this api")
		return
	}
	m, err := decode(r)
	if err != "" {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	m.AppID, m.ID, m.Date = app, int64(len(s.have)+1), time.Unix(1700000000, 0).UTC()
	if m.Title == "" {
		m.Title = "application"
	}
	s.have = append(s.have, m)
	answer(w, http.StatusOK, m)
}

// tokenOf looks where the original looks, in its order.
func tokenOf(r *http.Request) string {
	if token := r.URL.Query().Get("token"); token != "" {
		return token
	}
	if token := r.Header.Get("X-Gotify-Key"); token != "" {
		return token
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return token
}

func decode(r *http.Request) (m Message, problem string) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		// The original takes forms as well; extras cannot be sent that way.
		return m, "Field 'message' is required"
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return m, err.Error()
	}
	if m.Message == "" {
		return m, "Field 'message' is required"
	}
	for key := range m.Extras {
		if !strings.Contains(key, "::") {
			return m, "the extra " + key + " has no namespace" // stricter than the original, which documents it so
		}
	}
	return m, ""
}

func refuse(w http.ResponseWriter, status int, description string) {
	answer(w, status, map[string]any{
		"error": http.StatusText(status), "errorCode": status, "errorDescription": description,
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
