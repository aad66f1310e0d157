// Package twiliotest is a Twilio for tests: the parts of the API of 2010-04-01
// that send messages and make calls, list what came in, and call our hooks.
//
// It refuses what Twilio refuses: a wrong sign-in (20003), a body that is not
// form-encoded, missing and unknown parameters, numbers that are not E.164,
// texts and TwiML that are too long or not well formed. What became of a message
// is up to the test: SetStatus for those who ask, SendStatus for the hook. Its
// callbacks are signed like Twilio's, over the public address, and are carried
// to where Route says.
package twiliotest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The account that the fake knows.
const (
	AccountSID = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	AuthToken  = "0123456789abcdef-auth-token"
	KeySID     = "SKbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	KeySecret  = "0123456789abcdef-key-secret"
	Number     = "+15005550006" // a number of the account
	ServiceSID = "MGcccccccccccccccccccccccccccccccc"
)

// Message is a text message, sent by us or received.
type Message struct {
	SID, Status, Direction string
	To, From, Service      string
	Body, StatusCallback   string
	Validity               int // seconds; 0 when not given
	ErrorCode              int
	At                     time.Time
}

// Call is a call that was asked for.
type Call struct {
	SID, Status          string
	To, From             string
	Twiml                string // what is being read: the answer to the last key, once there was one
	Timeout              int    // seconds; 0 when not given
	StatusCallback       string
	StatusCallbackEvents []string
}

// trouble is an answer that was ordered.
type trouble struct {
	status, code int
	message      string
	retryAfter   string
}

// Server is the fake. Its fields are fixed after New.
type Server struct {
	URL string // for Config.BaseURL

	mu       sync.Mutex // guards the rest
	now      func() time.Time
	serial   int
	messages []Message // the oldest first
	calls    []Call
	numbers  map[string]trouble // by To
	next     []trouble
	lists    int
	routes   [][2]string
	pageSize int
}

// New starts a server that stops with the test.
func New(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{numbers: map[string]trouble{}, now: time.Now, pageSize: 50}
	server := httptest.NewServer(s)
	tb.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// SetClock replaces the clock of the server: its Date header and all its dates.
func (s *Server) SetClock(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// SetPageSize makes lists come in pages of at most n.
func (s *Server) SetPageSize(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pageSize = n
}

// RefuseNumber answers everything to this number with an error of Twilio's, such
// as 21211, 21610 or 21614.
func (s *Server) RefuseNumber(to string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.numbers[to] = trouble{status: http.StatusBadRequest, code: code, message: fmt.Sprintf("The number %s cannot be reached", to)}
}

// FailNext answers the next request with status and code (20429, 20500 …);
// retryAfter may be "". Several wait in line.
func (s *Server) FailNext(status, code int, retryAfter string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, trouble{status: status, code: code, message: http.StatusText(status), retryAfter: retryAfter})
}

// Messages returns what was sent, the oldest first; not what was received.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.messages), func(m Message) bool { return m.Direction == "inbound" })
}

// Calls returns the calls that were made, the oldest first.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Lists is how many pages of messages were asked for.
func (s *Server) Lists() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lists
}

// Receive is a text message from somebody that waits to be listed; it returns its SID.
func (s *Server) Receive(from, body string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := Message{SID: s.sid("SM"), Status: "received", Direction: "inbound", From: from, To: Number, Body: body, At: s.now()}
	s.messages = append(s.messages, m)
	return m.SID
}

// SetStatus says what became of a message or a call; code is 0 without an error.
func (s *Server) SetStatus(sid, status string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.messages {
		if s.messages[i].SID == sid {
			s.messages[i].Status, s.messages[i].ErrorCode = status, code
		}
	}
	for i := range s.calls {
		if s.calls[i].SID == sid {
			s.calls[i].Status = status
		}
	}
}

func (s *Server) sid(kind string) string {
	s.serial++
	return fmt.Sprintf("%s%032x", kind, s.serial)
}

// ServeHTTP is the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	if len(s.next) > 0 {
		t := s.next[0]
		s.next = s.next[1:]
		refuse(w, t)
		return
	}
	path, ours := strings.CutPrefix(r.URL.Path, "/2010-04-01/Accounts/"+AccountSID+"/")
	user, password, _ := r.BasicAuth()
	if user+":"+password != AccountSID+":"+AuthToken && user+":"+password != KeySID+":"+KeySecret {
		refuse(w, trouble{status: http.StatusUnauthorized, code: 20003, message: "Authenticate"})
		return
	}
	path, isJSON := strings.CutSuffix(path, ".json")
	list, sid, one := strings.Cut(path, "/")
	switch {
	case !ours || !isJSON || list != "Messages" && list != "Calls":
		refuse(w, trouble{status: http.StatusNotFound, code: 20404, message: "The requested resource " + r.URL.Path + " was not found"})
	case r.Method == http.MethodGet && one:
		s.show(w, sid)
	case r.Method == http.MethodGet && list == "Messages":
		s.list(w, r)
	case r.Method == http.MethodPost && !one:
		s.create(w, r, list)
	default:
		refuse(w, trouble{status: http.StatusMethodNotAllowed, code: 20004, message: "Method not allowed"})
	}
}

func refuse(w http.ResponseWriter, t trouble) {
	if t.retryAfter != "" {
		w.Header().Set("Retry-After", t.retryAfter)
	}
	answer(w, t.status, map[string]any{
		"code": t.code, "message": t.message, "status": t.status,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", t.code),
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// parameters is what the API knows, of what we may use.
func parameters(list string) []string {
	if list == "Messages" {
		return []string{"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod", "SmartEncoded"}
	}
	return []string{"To", "From", "Twiml", "Timeout", "StatusCallback", "StatusCallbackEvent", "StatusCallbackMethod", "MachineDetection", "TimeLimit"}
}

// create takes a message or a call, or says why not.
func (s *Server) create(w http.ResponseWriter, r *http.Request, list string) {
	bad := func(code int, format string, args ...any) {
		refuse(w, trouble{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...)})
	}
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		bad(20001, "the body is not a form")
		return
	}
	form := r.PostForm
	for name := range form {
		if !slices.Contains(parameters(list), name) {
			bad(20001, "unknown parameter %s", name)
			return
		}
	}
	to := form.Get("To")
	if u, err := url.Parse(form.Get("StatusCallback")); form.Has("StatusCallback") && (err != nil || u.Host == "") {
		bad(21609, "StatusCallback is not a valid URL")
		return
	}
	switch refused, ok := s.numbers[to]; {
	case to == "":
		bad(21604, "a 'To' phone number is required")
	case !e164.MatchString(to):
		bad(21211, "Invalid 'To' Phone Number: %s", to)
	case ok:
		refuse(w, refused)
	case list == "Messages":
		s.message(w, form, bad)
	default:
		s.call(w, form, bad)
	}
}

func (s *Server) message(w http.ResponseWriter, form url.Values, bad func(int, string, ...any)) {
	m := Message{
		Status: "queued", Direction: "outbound-api", To: form.Get("To"), From: form.Get("From"),
		Service: form.Get("MessagingServiceSid"), Body: form.Get("Body"), StatusCallback: form.Get("StatusCallback"), At: s.now(),
	}
	m.Validity, _ = strconv.Atoi(form.Get("ValidityPeriod"))
	switch {
	case m.From == "" && m.Service == "":
		bad(21603, "A 'From' phone number is required")
	case m.From != "" && m.From != Number:
		bad(21606, "The 'From' phone number %s is not a valid, SMS-capable number of this account", m.From)
	case m.Service != "" && m.Service != ServiceSID:
		bad(21701, "The Messaging Service does not exist")
	case m.Body == "":
		bad(21602, "Message body is required")
	case len([]rune(m.Body)) > 1600:
		bad(21617, "The concatenated message body exceeds the 1600 character limit")
	case form.Has("ValidityPeriod") && (m.Validity < 1 || m.Validity > 36000):
		bad(21626, "ValidityPeriod must be from 1 to 36000")
	default:
		m.SID = s.sid("SM")
		s.messages = append(s.messages, m)
		answer(w, http.StatusCreated, m.resource())
	}
}

func (s *Server) call(w http.ResponseWriter, form url.Values, bad func(int, string, ...any)) {
	c := Call{
		Status: "queued", To: form.Get("To"), From: form.Get("From"), Twiml: form.Get("Twiml"),
		StatusCallback: form.Get("StatusCallback"), StatusCallbackEvents: form["StatusCallbackEvent"],
	}
	c.Timeout, _ = strconv.Atoi(form.Get("Timeout"))
	wrong := slices.ContainsFunc(c.StatusCallbackEvents, func(e string) bool {
		return !slices.Contains([]string{"initiated", "ringing", "answered", "completed"}, e)
	})
	switch err := checkTwiML(c.Twiml); {
	case c.From == "":
		bad(21213, "A 'From' phone number is required")
	case c.From != Number:
		bad(21210, "'From' phone number %s is not verified", c.From)
	case c.Twiml == "":
		bad(21205, "Url parameter is required")
	case len([]rune(c.Twiml)) > 4000:
		bad(21218, "Twiml exceeds 4000 characters")
	case err != nil:
		bad(12100, "Document parse failure: %v", err)
	case form.Has("Timeout") && (c.Timeout < 5 || c.Timeout > 600):
		bad(20001, "Timeout must be from 5 to 600")
	case wrong:
		bad(21626, "StatusCallbackEvent is not valid")
	default:
		c.SID = s.sid("CA")
		s.calls = append(s.calls, c)
		answer(w, http.StatusCreated, c.resource())
	}
}
