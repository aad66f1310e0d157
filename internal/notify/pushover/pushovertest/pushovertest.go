// Package pushovertest is a Pushover for tests: it takes messages, keeps
// receipts of emergency messages, cancels them by receipt or tag, and is as
// strict as https://pushover.net/api documents: keys, lengths, and what
// emergency priority must carry. It promises to record every message that it
// took. Time passes only when a test says so (Deliver, Acknowledge, Expire);
// devices, sounds, attachments and group management are left out.
package pushovertest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// Token and User are what every server knows from the start.
const (
	Token = "azGDORePK8gMaC0QOYAMyEEuzJnyUi"
	User  = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG"
)

// Message is a message that was taken: the fields of its form without the token.
type Message struct {
	Form    url.Values
	Request string
	Receipt string // "" unless the priority is 2
}

// Priority is -2 to 2.
func (m Message) Priority() int {
	n, _ := strconv.Atoi(m.Form.Get("priority")) // checked when it was taken
	return n
}

type receipt struct {
	message      Message
	acknowledged int64 // unix seconds, like the rest
	by, device   string
	delivered    int64
	expired      bool
	cancelled    bool
}

// Server is safe for use by many goroutines.
type Server struct {
	URL string // without a slash at the end

	http     *httptest.Server
	mu       sync.Mutex // guards the rest
	users    []string
	have     []Message
	receipts map[string]*receipt
	clock    int64
	next     []func(http.ResponseWriter)
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
	s := &Server{users: []string{User}, receipts: map[string]*receipt{}, clock: 1700000000}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /1/messages.json", s.take)
	mux.HandleFunc("GET /1/receipts/{receipt}", s.look)
	mux.HandleFunc("POST /1/receipts/{a}/{b}", func(w http.ResponseWriter, r *http.Request) {
		switch a, b := r.PathValue("a"), r.PathValue("b"); {
		case a == "cancel_by_tag":
			s.cancelByTag(w, r, strings.TrimSuffix(b, ".json"))
		case b == "cancel.json":
			s.cancel(w, r, a)
		default:
			http.NotFound(w, r)
		}
	})
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.clock++
		if len(s.next) > 0 {
			answer := s.next[0]
			s.next = s.next[1:]
			answer(w)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	s.URL = s.http.URL
	return s
}

// Close ends the server and its connections.
func (s *Server) Close() { s.http.Close() }

// AddUser makes another user or group key known.
func (s *Server) AddUser(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users = append(s.users, key)
}

// Messages returns what was taken, in order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.have)
}

// QuotaNext makes the next request exceed the month's quota.
func (s *Server) QuotaNext() {
	s.answerNext(func(w http.ResponseWriter) {
		w.Header().Set("X-Limit-App-Limit", "10000")
		w.Header().Set("X-Limit-App-Remaining", "0")
		w.Header().Set("X-Limit-App-Reset", "1703000000")
		refuse(w, http.StatusTooManyRequests, nil, "application message limit reached")
	})
}

// SlowDownNext makes the next request come too fast.
func (s *Server) SlowDownNext(retryAfter string) {
	s.answerNext(func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", retryAfter)
		refuse(w, http.StatusTooManyRequests, nil, "too many requests")
	})
}

// BreakNext answers the next request from in front of the application.
func (s *Server) BreakNext(status int) {
	s.answerNext(func(w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html>This is not Pushover</html>")
	})
}

func (s *Server) answerNext(answer func(http.ResponseWriter)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, answer)
}

// Deliver lets an emergency message reach a device.
func (s *Server) Deliver(id string) { s.change(id, func(r *receipt) { r.delivered = s.clock }) }

// Acknowledge lets a person acknowledge an emergency message on a device.
func (s *Server) Acknowledge(id, by, device string) {
	s.change(id, func(r *receipt) { r.delivered, r.acknowledged, r.by, r.device = s.clock, s.clock+1, by, device })
}

// Expire ends an emergency message unanswered.
func (s *Server) Expire(id string) { s.change(id, func(r *receipt) { r.expired = true }) }

func (s *Server) change(id string, f func(*receipt)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.receipts[id]; ok {
		f(r)
	}
}

// Cancelled says whether an emergency message was cancelled.
func (s *Server) Cancelled(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.receipts[id]
	return ok && r.cancelled
}

// Callback is the form that the original posts to the callback URL of an
// acknowledged emergency message.
func (s *Server) Callback(id string) url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.receipts[id]
	if !ok || r.acknowledged == 0 {
		return nil
	}
	return url.Values{
		"receipt": {id}, "acknowledged": {"1"}, "acknowledged_at": {fmt.Sprint(r.acknowledged)},
		"acknowledged_by": {r.by}, "acknowledged_by_device": {r.device},
	}
}

func (s *Server) take(w http.ResponseWriter, r *http.Request) {
	form, ok := s.form(w, r)
	if !ok {
		return
	}
	if field, reason := s.check(form); reason != "" {
		refuse(w, http.StatusBadRequest, field, reason)
		return
	}
	form.Del("token")
	m := Message{Form: form, Request: s.request()}
	body := map[string]any{"status": 1, "request": m.Request}
	if m.Priority() == 2 {
		m.Receipt = fmt.Sprintf("r%029d", len(s.receipts)+1)
		body["receipt"] = m.Receipt
		s.receipts[m.Receipt] = &receipt{message: m}
	}
	s.have = append(s.have, m)
	answer(w, http.StatusOK, body)
}

// form reads the fields of r and checks the token.
func (s *Server) form(w http.ResponseWriter, r *http.Request) (url.Values, bool) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" {
		refuse(w, http.StatusBadRequest, nil, "this fake takes forms only")
		return nil, false
	}
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, nil, "the form cannot be read")
		return nil, false
	}
	if r.PostForm.Get("token") != Token {
		refuse(w, http.StatusBadRequest, map[string]any{"token": "invalid"}, "application token is invalid")
		return nil, false
	}
	return r.PostForm, true
}

var userKey = regexp.MustCompile(`^[A-Za-z0-9]{30}$`)

// check returns why the original refuses a message.
func (s *Server) check(form url.Values) (field map[string]any, reason string) {
	invalid := func(name string) map[string]any { return map[string]any{name: "invalid"} }
	number := func(name string) int {
		n, err := strconv.Atoi(form.Get(name))
		if err != nil {
			return -1
		}
		return n
	}
	runes := func(name string) int { return utf8.RuneCountInString(form.Get(name)) }
	user := form.Get("user")
	priority, err := strconv.Atoi(form.Get("priority"))
	if form.Get("priority") == "" {
		priority, err = 0, nil
	}
	switch {
	case user == "" || !userKey.MatchString(user) || !slices.Contains(s.users, user):
		return invalid("user"), "user identifier is not a valid user, group, or subscribed user key"
	case form.Get("message") == "":
		return map[string]any{"message": "cannot be blank"}, "message cannot be blank"
	case runes("message") > 1024:
		return invalid("message"), "message is too long"
	case runes("title") > 250:
		return invalid("title"), "title is too long"
	case runes("url") > 512:
		return invalid("url"), "url is too long"
	case runes("url_title") > 100:
		return invalid("url_title"), "url title is too long"
	case err != nil || priority < -2 || priority > 2:
		return invalid("priority"), "priority is invalid, must be between -2 and 2"
	case priority == 2 && number("retry") < 30:
		return invalid("retry"), "retry parameter must be at least 30 seconds"
	case priority == 2 && (number("expire") < 1 || number("expire") > 10800):
		return invalid("expire"), "expire parameter must be between 1 and 10800 seconds"
	}
	for name := range form {
		if !slices.Contains(known, name) {
			return invalid(name), name + " is no parameter" // stricter than the original, which ignores it
		}
	}
	return nil, ""
}

var known = []string{
	"token", "user", "message", "title", "url", "url_title", "device", "sound", "html", "monospace", "timestamp",
	"ttl", "tags", "priority", "retry", "expire", "callback",
}

func (s *Server) look(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutSuffix(r.PathValue("receipt"), ".json")
	if r.URL.Query().Get("token") != Token {
		refuse(w, http.StatusBadRequest, map[string]any{"token": "invalid"}, "application token is invalid")
		return
	}
	it, known := s.receipts[id]
	if !ok || !known {
		refuse(w, http.StatusNotFound, map[string]any{"receipt": "not found"}, "receipt not found; may be invalid or expired")
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"status": 1, "request": s.request(),
		"acknowledged": flag(it.acknowledged > 0), "acknowledged_at": it.acknowledged,
		"acknowledged_by": it.by, "acknowledged_by_device": it.device,
		"last_delivered_at": it.delivered, "expired": flag(it.expired || it.cancelled), "expires_at": 1700003600,
		"called_back": 0, "called_back_at": 0,
	})
}

func (s *Server) cancel(w http.ResponseWriter, r *http.Request, id string) {
	if _, ok := s.form(w, r); !ok {
		return
	}
	it, ok := s.receipts[id]
	if !ok {
		refuse(w, http.StatusNotFound, map[string]any{"receipt": "not found"}, "receipt not found; may be invalid or expired")
		return
	}
	it.cancelled = true
	answer(w, http.StatusOK, map[string]any{"status": 1, "request": s.request()})
}

func (s *Server) cancelByTag(w http.ResponseWriter, r *http.Request, tag string) {
	if _, ok := s.form(w, r); !ok {
		return
	}
	n := 0
	for _, it := range s.receipts {
		if slices.Contains(strings.Split(it.message.Form.Get("tags"), ","), tag) && !it.cancelled {
			it.cancelled = true
			n++
		}
	}
	answer(w, http.StatusOK, map[string]any{"status": 1, "canceled": n, "request": s.request()})
}

func (s *Server) request() string { return fmt.Sprintf("647d2300-702c-4b38-8b2f-%012d", s.clock) }

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func refuse(w http.ResponseWriter, status int, fields map[string]any, reason string) {
	body := map[string]any{"status": 0, "request": "647d2300-702c-4b38-8b2f-d56326ae460b", "errors": []string{reason}}
	maps.Copy(body, fields)
	answer(w, status, body)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
