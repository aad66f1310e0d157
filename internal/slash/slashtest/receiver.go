// Package slashtest is a receiver of slash commands that checks signatures as
// Slack's documentation tells receivers to: the raw body, the timestamp not older
// than five minutes, compared in constant time; and the token of the older way.
package slashtest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Receiver is a running receiver.
type Receiver struct {
	URL    string
	Secret string // "": signatures are not looked at
	Token  string // "": nor is the token

	mu     sync.Mutex
	forms  []url.Values                                                  // guarded by mu
	answer func(w http.ResponseWriter, r *http.Request, form url.Values) // guarded by mu
}

// New starts a receiver that ends with the test.
func New(t testing.TB, secret, token string) *Receiver {
	t.Helper()
	r := &Receiver{Secret: secret, Token: token, answer: func(w http.ResponseWriter, _ *http.Request, f url.Values) {
		JSON(w, map[string]any{"response_type": "in_channel", "text": "did " + f.Get("text")})
	}}
	server := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(server.Close)
	r.URL = server.URL + "/commands?k=url-secret"
	return r
}

// JSON answers with JSON.
func JSON(w http.ResponseWriter, fields map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(fields)
}

// Answer replaces what is answered from now on.
func (r *Receiver) Answer(f func(w http.ResponseWriter, r *http.Request, form url.Values)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// Forms are what was received and accepted.
func (r *Receiver) Forms() []url.Values {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.forms)
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	form, err := url.ParseQuery(string(body))
	if err != nil || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	if r.Secret != "" {
		stamp := req.Header.Get("X-Slack-Request-Timestamp")
		at, err := strconv.ParseInt(stamp, 10, 64)
		mac := hmac.New(sha256.New, []byte(r.Secret))
		_, _ = fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
		want := "v0=" + hex.EncodeToString(mac.Sum(nil))
		if err != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute || !hmac.Equal([]byte(want), []byte(req.Header.Get("X-Slack-Signature"))) {
			http.Error(w, "wrong signature", http.StatusUnauthorized)
			return
		}
	}
	if r.Token != "" && form.Get("token") != r.Token {
		http.Error(w, "wrong token", http.StatusUnauthorized)
		return
	}
	for _, name := range []string{"team_id", "channel_id", "channel_name", "user_id", "user_name", "command", "trigger_id"} {
		if form.Get(name) == "" {
			http.Error(w, name+" is missing", http.StatusBadRequest)
			return
		}
	}
	r.mu.Lock()
	r.forms = append(r.forms, form)
	answer := r.answer
	r.mu.Unlock()
	answer(w, req, form)
}

// Later posts to the response_url of a form and returns the status.
func Later(t testing.TB, form url.Values, fields map[string]any) int {
	t.Helper()
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(form.Get("response_url"), "application/json", bytes.NewReader(body)) //nolint:noctx // a receiver has no context of ours
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
