// Package vonagetest is Vonage's SMS API for tests. It refuses what Vonage
// refuses, with 200 and a status for each part of the message: wrong credentials
// (4), missing and bad parameters (2, 3), texts in the wrong encoding. What is
// to go wrong besides is ordered with Refuse and Fail; callbacks are made and
// signed by Callback.
package vonagetest

import (
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // Vonage's default
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The account that the fake knows.
const (
	APIKey          = "abcd1234"
	APISecret       = "0123456789-api-secret"
	SignatureSecret = "0123456789-signature-secret"
	Number          = "+15005550006"
)

// Server is the fake.
type Server struct {
	URL string // for Config.BaseURL

	mu     sync.Mutex // guards the rest
	sent   []url.Values
	refuse []string
	fail   []int
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

// Refuse answers the next message with a status such as "1" (throttled), "7"
// (number barred) or "9" (no credit).
func (s *Server) Refuse(status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = append(s.refuse, status)
}

// Fail answers the next request with an HTTP status and a page for people.
func (s *Server) Fail(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = append(s.fail, status)
}

// Sent returns the forms of the messages that were taken, without the secret.
func (s *Server) Sent() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// ServeHTTP is the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fail) > 0 {
		status := s.fail[0]
		s.fail = s.fail[1:]
		w.Header().Set("Retry-After", "5")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<h1>Trouble</h1>")
		return
	}
	if r.URL.Path != "/sms/json" || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		answer(w, "2", "Missing to param")
		return
	}
	status, text := s.judge(r.PostForm)
	if status == "0" && len(s.refuse) > 0 {
		status, text = s.refuse[0], "what is wrong with "+r.PostForm.Get("api_secret") // a careless echo
		s.refuse = s.refuse[1:]
	}
	if status == "0" {
		form := maps.Clone(r.PostForm)
		delete(form, "api_secret")
		s.sent = append(s.sent, form)
		text = fmt.Sprintf("%016X", len(s.sent))
	}
	answer(w, status, text)
}

var number = regexp.MustCompile(`^[1-9][0-9]{6,14}$`)

func (s *Server) judge(form url.Values) (status, text string) {
	for _, name := range []string{"api_key", "api_secret", "from", "to", "text"} {
		if form.Get(name) == "" {
			return "2", "Missing " + name + " param"
		}
	}
	for name := range form {
		if !slices.Contains([]string{"api_key", "api_secret", "from", "to", "text", "ttl", "type", "client-ref", "status-report-req", "callback"}, name) {
			return "3", "Invalid parameter " + name
		}
	}
	ttl, err := strconv.Atoi(form.Get("ttl"))
	ascii := strings.IndexFunc(form.Get("text"), func(r rune) bool { return r > 0x20ac }) < 0 // beyond the euro sign: certainly unicode
	switch {
	case form.Get("api_key") != APIKey || form.Get("api_secret") != APISecret:
		return "4", "Bad Credentials"
	case !number.MatchString(form.Get("to")):
		return "3", "to address is not numeric"
	case form.Has("ttl") && (err != nil || ttl < 20000 || ttl > 604800000):
		return "3", "ttl is not valid"
	case !ascii && form.Get("type") != "unicode":
		return "3", "text cannot be sent as type text"
	case form.Get("from") != strings.TrimPrefix(Number, "+") && number.MatchString(form.Get("from")):
		return "15", "Illegal Sender Address - rejected"
	case len(form.Get("client-ref")) > 100:
		return "3", "client-ref is too long"
	}
	return "0", ""
}

func answer(w http.ResponseWriter, status, text string) {
	part := map[string]string{"status": status}
	if status == "0" {
		part["message-id"], part["remaining-balance"] = text, "3.14"
	} else {
		part["error-text"] = text
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"message-count": "1", "messages": []any{part}})
}

// Callback makes the request of a callback to path: the parameters, a timestamp
// and their signature by method ("md5hash" or "sha256"), in the shape "get",
// "form" or "json".
func Callback(ctx context.Context, path, method, shape string, given map[string]string) *http.Request {
	given = maps.Clone(given)
	given["timestamp"] = "1795338000"
	given["nonce"] = "aaaa-bbbb"
	given["sig"] = Sign(method, given)
	form := url.Values{}
	for name, value := range given {
		form.Set(name, value)
	}
	switch shape {
	case "get":
		return httptest.NewRequestWithContext(ctx, http.MethodGet, path+"?"+form.Encode(), http.NoBody)
	case "json":
		body, _ := json.Marshal(given)
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		return r
	default:
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
}

// Sign is the signature of given.
func Sign(method string, given map[string]string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if name != "sig" {
			text.WriteString("&" + name + "=" + strings.ReplaceAll(strings.ReplaceAll(given[name], "&", "_"), "=", "_"))
		}
	}
	if method == "md5hash" {
		sum := md5.Sum([]byte(text.String() + SignatureSecret)) //nolint:gosec // Vonage's default
		return hex.EncodeToString(sum[:])
	}
	h := hmac.New(sha256.New, []byte(SignatureSecret))
	_, _ = io.WriteString(h, text.String())
	return strings.ToUpper(hex.EncodeToString(h.Sum(nil)))
}
