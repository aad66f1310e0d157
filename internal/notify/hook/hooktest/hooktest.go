// Package hooktest is a program that receives escalation webhooks the way those
// written for VictorOps do: it recomputes the signature over the address it
// knows itself by and the decoded form, and refuses what does not fit.
package hooktest

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what the original's consumers compute
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// Receiver is a running receiver.
type Receiver struct {
	URL    string // as a sender has to be configured with
	Secret string

	mu     sync.Mutex
	forms  []url.Values // guarded by mu
	status int          // what is answered, 0 for 200; guarded by mu
}

// New starts a receiver that ends with the test.
func New(t testing.TB, secret string) *Receiver {
	r := &Receiver{Secret: secret}
	server := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(server.Close)
	r.URL = server.URL + "/victorops/"
	return r
}

// Answer makes it answer with a status from now on.
func (r *Receiver) Answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// Forms are what was received and accepted.
func (r *Receiver) Forms() []url.Values {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.forms)
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	switch {
	case req.Method != http.MethodPost || req.URL.Path != "/victorops/":
		http.Error(w, "not here", http.StatusNotFound)
		return
	case req.Header.Get("Content-Type") != "application/x-www-form-urlencoded":
		http.Error(w, "not a form", http.StatusUnsupportedMediaType)
		return
	case req.ParseForm() != nil || req.PostForm.Get("incident") == "" && !req.PostForm.Has("summary"):
		http.Error(w, "no incident", http.StatusBadRequest)
		return
	}
	var pairs []string // sorted as the vendor's sample sorts them: pairs, as text
	for name, values := range req.PostForm {
		for _, v := range values {
			pairs = append(pairs, name+"\x00"+v)
		}
	}
	slices.Sort(pairs)
	mac := hmac.New(sha1.New, []byte(r.Secret))
	mac.Write([]byte(r.URL))
	for _, p := range pairs {
		for i := range len(p) {
			if p[i] != 0 {
				mac.Write([]byte{p[i]})
			}
		}
	}
	if req.Header.Get("X-VictorOps-Signature") != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		http.Error(w, "wrong signature", http.StatusForbidden)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	r.forms = append(r.forms, req.PostForm)
}
