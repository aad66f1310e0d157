// Package hooktest is a program that receives escalation webhooks the way those
// written for VictorOps do: it recomputes the signature over the address it
// knows itself by and the decoded form, and refuses what does not fit. Our own
// signature, over the body as it came, has to fit as well.
package hooktest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what the original's consumers compute
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
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

	mu      sync.Mutex
	forms   []url.Values // guarded by mu
	status  int          // what is answered, 0 for 200; guarded by mu
	refused int          // with a signature that does not fit; guarded by mu
}

// New starts a receiver that ends with the test.
func New(t testing.TB, secret string) *Receiver {
	r := At("", secret)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.URL = server.URL + "/victorops/"
	return r
}

// At is a receiver that knows itself by an address and listens nowhere: it is
// handed its requests.
func At(address, secret string) *Receiver { return &Receiver{URL: address, Secret: secret} }

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

// Refused is how many requests had a signature that does not fit.
func (r *Receiver) Refused() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused
}

// ServeHTTP receives one request.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
	if err != nil {
		http.Error(w, "no body", http.StatusBadRequest)
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
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
	signed := r.fits(req.PostForm, body, req.Header)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !signed:
		r.refused++
		http.Error(w, "wrong signature", http.StatusForbidden)
	case r.status != 0:
		w.WriteHeader(r.status)
	default:
		r.forms = append(r.forms, req.PostForm)
	}
}

// fits checks both signatures.
func (r *Receiver) fits(form url.Values, body []byte, header http.Header) bool {
	var pairs []string // sorted as the vendor's sample sorts them: pairs, as text
	for name, values := range form {
		for _, v := range values {
			pairs = append(pairs, name+"\x00"+v)
		}
	}
	slices.Sort(pairs)
	original := hmac.New(sha1.New, []byte(r.Secret))
	original.Write([]byte(r.URL))
	for _, p := range pairs {
		for i := range len(p) {
			if p[i] != 0 {
				original.Write([]byte{p[i]})
			}
		}
	}
	ours := hmac.New(sha256.New, []byte(r.Secret))
	ours.Write(body)
	return header.Get("X-VictorOps-Signature") == base64.StdEncoding.EncodeToString(original.Sum(nil)) &&
		header.Get("X-Watchroom-Signature") == "sha256="+hex.EncodeToString(ours.Sum(nil))
}
