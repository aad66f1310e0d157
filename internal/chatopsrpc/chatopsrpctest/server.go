// Package chatopsrpctest is a service that offers commands by ChatOps RPC and is
// as strict about signatures and times as the published Rails server, with its
// codes; stricter about nonces, of which it takes none twice. It verifies by
// itself and shares no code with the client it tests.
package chatopsrpctest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Method is one command of the service.
type Method struct {
	Regex  string   `json:"regex"`
	Params []string `json:"params"`
	Path   string   `json:"path,omitempty"`
	Help   string   `json:"help,omitempty"`
}

// Call is one that was accepted.
type Call struct {
	Path   string // below the listing
	User   string
	Method string
	Room   string
	Params map[string]string
	Body   string
}

// Server is a running service.
type Server struct {
	URL    string          // of the listing
	Key    *rsa.PrivateKey // the client's
	Client *http.Client    // trusts its certificate

	mu       sync.Mutex
	listing  map[string]any                                       // guarded by mu
	methods  map[string]Method                                    // guarded by mu
	etag     string                                               // guarded by mu
	answer   func(w http.ResponseWriter, r *http.Request, c Call) // guarded by mu
	broken   int                                                  // status of the listing; 0: well; guarded by mu
	nonces   map[string]bool                                      // guarded by mu
	calls    []Call                                               // guarded by mu
	refusals []int                                                // codes; guarded by mu
	reads    int                                                  // listings that were sent whole; guarded by mu
}

// key is made once; making one takes a while.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// New starts a service that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{
		Key: key(), nonces: map[string]bool{}, methods: map[string]Method{},
		listing: map[string]any{"namespace": "deploy", "version": "3", "help": "Deploy things"},
		answer: func(w http.ResponseWriter, _ *http.Request, c Call) {
			Result(w, map[string]any{"result": c.Method + " done"})
		},
	}
	server := httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	s.URL, s.Client = server.URL+"/_chatops", server.Client()
	return s
}

// Offer replaces the methods, and the fields of the listing that are given.
func (s *Server) Offer(methods map[string]Method, fields map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.methods, s.etag = methods, `"`+base64.RawURLEncoding.EncodeToString([]byte(time.Now().String()))+`"`
	maps.Copy(s.listing, fields)
}

// Answer replaces what calls get.
func (s *Server) Answer(f func(w http.ResponseWriter, r *http.Request, c Call)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// Break makes the listing answer with a status; 0 repairs it.
func (s *Server) Break(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = status
}

// Calls are those that were accepted.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Refusals are the codes of requests that were not.
func (s *Server) Refusals() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refusals)
}

// Reads is how often the listing was sent whole.
func (s *Server) Reads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// Result answers a call with a result and its decoration.
func Result(w http.ResponseWriter, fields map[string]any) {
	fields["jsonrpc"], fields["id"] = "2.0", nil
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(fields)
}

// Failure answers a call with a failure.
func Failure(w http.ResponseWriter, status, code int, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": code, "message": message}})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if status, code, why := s.check(r, body); code != 0 {
		s.mu.Lock()
		s.refusals = append(s.refusals, code)
		s.mu.Unlock()
		Failure(w, status, code, why)
		return
	}
	if r.Method == http.MethodGet && r.URL.Path == "/_chatops" {
		s.list(w, r)
		return
	}
	c := Call{Path: strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/_chatops"), "/"), Body: string(body)}
	var wire struct {
		User   string            `json:"user"`
		Method string            `json:"method"`
		Room   string            `json:"room_id"`
		Params map[string]string `json:"params"`
	}
	if err := json.Unmarshal(body, &wire); err != nil {
		Failure(w, http.StatusInternalServerError, -32700, "not JSON")
		return
	}
	c.User, c.Method, c.Room, c.Params = wire.User, wire.Method, wire.Room, wire.Params
	s.mu.Lock()
	known := false
	for _, m := range s.methods {
		known = known || m.Path == c.Path
	}
	answer := s.answer
	switch {
	case c.User == "":
		s.mu.Unlock()
		Failure(w, http.StatusBadRequest, -32602, "user is missing")
		return
	case !known || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json":
		s.mu.Unlock()
		Failure(w, http.StatusNotFound, -32601, "no such method")
		return
	}
	s.calls = append(s.calls, c)
	s.mu.Unlock()
	answer(w, r, c)
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.broken != 0:
		http.Error(w, "<html>trouble</html>", s.broken)
		return
	case s.etag != "" && r.Header.Get("If-None-Match") == s.etag:
		w.WriteHeader(http.StatusNotModified)
		return
	case r.Header.Get("Accept") != "application/json":
		http.Error(w, "not acceptable", http.StatusNotAcceptable)
		return
	}
	s.reads++
	all := map[string]any{"methods": s.methods}
	maps.Copy(all, s.listing)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("ETag", s.etag)
	_ = json.NewEncoder(w).Encode(all)
}

var header = regexp.MustCompile(`^Signature keyid=([^,]+),signature=([A-Za-z0-9+/]+=*)$`)

// check is timestamp, signature header, nonce, signature, in the order of the
// Rails server.
func (s *Server) check(r *http.Request, body []byte) (status, code int, why string) {
	stamp := r.Header.Get("Chatops-Timestamp")
	at, err := time.Parse("2006-01-02T15:04:05.999Z", stamp)
	if err != nil {
		return http.StatusForbidden, -32804, "timestamp missing or unreadable"
	}
	if d := time.Since(at).Abs(); d > 5*time.Minute {
		return http.StatusForbidden, -32803, "timestamp more than 5 minutes off"
	}
	m := header.FindStringSubmatch(r.Header.Get("Chatops-Signature"))
	if m == nil {
		return http.StatusForbidden, -32802, "signature header missing or unreadable"
	}
	nonce := r.Header.Get("Chatops-Nonce")
	s.mu.Lock()
	seen := s.nonces[nonce]
	s.nonces[nonce] = true
	s.mu.Unlock()
	if nonce == "" || seen {
		return http.StatusForbidden, -32801, "nonce missing or used"
	}
	signature, _ := base64.StdEncoding.DecodeString(m[2])
	sum := sha256.Sum256([]byte(strings.TrimSuffix(s.URL, "/_chatops") + r.URL.Path + "\n" + nonce + "\n" + stamp + "\n" + string(body)))
	if rsa.VerifyPKCS1v15(&s.Key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return http.StatusForbidden, -32800, "signature does not verify"
	}
	return 0, 0, ""
}
