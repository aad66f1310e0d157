// Package blobtest is an S3 server for tests: one bucket in memory, addressed
// by path, with the part of Amazon's protocol that keeping files needs (put,
// get with ranges, head, delete). It is as strict as the original about what a
// client gets wrong: every request is signed with version 4 and not too old,
// content has the length and the sum that were signed, and errors are the
// original's XML. Listing, several parts, versions and chunked signatures are
// left out: a request that would need them is refused.
package blobtest

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // an ETag is one
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the server knows of its only user.
const (
	Bucket = "watchroom-files"
	Region = "eu-test-1"
	Key    = "AKIATESTTESTTESTTEST"
	Secret = "secret/with+signs=and%more" //nolint:gosec // of a server that exists for a test
)

const maxSkew = 15 * time.Minute

// Server is safe for use by many goroutines.
type Server struct {
	Host string // host:port

	http    *httptest.Server
	mu      sync.Mutex // guards the rest
	objects map[string][]byte
	calls   []string
	next    []func(http.ResponseWriter, *http.Request) bool
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
	s := &Server{objects: map[string][]byte{}}
	s.http = httptest.NewServer(s)
	s.Host = strings.TrimPrefix(s.http.URL, "http://")
	return s
}

// Close ends the server and its connections.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

// Address is the bucket as blob.Open reads it.
func (s *Server) Address() string {
	u := url.URL{Scheme: "s3", User: url.UserPassword(Key, Secret), Host: s.Host, Path: "/" + Bucket}
	u.RawQuery = url.Values{"region": {Region}, "insecure": {"1"}}.Encode()
	return u.String()
}

// Objects are the names in the bucket, sorted.
func (s *Server) Objects() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}

// Calls are the requests so far: "PUT ab/cd/name".
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Spoil replaces the content of an object.
func (s *Server) Spoil(name string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[name] = content
}

// FailNext answers one of the next requests with an error of the original.
func (s *Server) FailNext(status int, code string) {
	s.answerNext(func(w http.ResponseWriter, r *http.Request) bool {
		refuse(w, r, status, code)
		return true
	})
}

// CutNext sends only so many bytes of the next content and breaks the connection.
func (s *Server) CutNext(n int) {
	s.answerNext(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet {
			return false
		}
		content := s.object(strings.TrimPrefix(r.URL.Path, "/"+Bucket+"/"))
		objectHeaders(w, content)
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content[:n])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
}

// HoldNext lets the next request wait until release is called or the client
// goes away; held is closed when it waits.
func (s *Server) HoldNext() (held <-chan struct{}, release func()) {
	in, out := make(chan struct{}), make(chan struct{})
	s.answerNext(func(_ http.ResponseWriter, r *http.Request) bool {
		close(in)
		select {
		case <-out:
		case <-r.Context().Done():
		}
		return false
	})
	return in, sync.OnceFunc(func() { close(out) })
}

func (s *Server) answerNext(answer func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, answer)
}

func (s *Server) object(name string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[name]
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	bucket, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	s.calls = append(s.calls, r.Method+" "+name)
	var answer func(http.ResponseWriter, *http.Request) bool
	if len(s.next) > 0 {
		answer, s.next = s.next[0], s.next[1:]
	}
	s.mu.Unlock()
	if code, status := check(r, time.Now()); code != "" {
		refuse(w, r, status, code)
		return
	}
	if answer != nil && answer(w, r) {
		return
	}
	switch {
	case bucket != Bucket:
		refuse(w, r, http.StatusNotFound, "NoSuchBucket")
	case r.URL.RawQuery != "":
		refuse(w, r, http.StatusNotImplemented, "NotImplemented")
	case name == "" && r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
	case name == "":
		refuse(w, r, http.StatusMethodNotAllowed, "MethodNotAllowed")
	case r.Method == http.MethodPut:
		s.put(w, r, name)
	case r.Method == http.MethodGet, r.Method == http.MethodHead:
		s.get(w, r, name)
	case r.Method == http.MethodDelete:
		s.mu.Lock()
		delete(s.objects, name)
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent) // the same when there was none
	default:
		refuse(w, r, http.StatusMethodNotAllowed, "MethodNotAllowed")
	}
}

func (s *Server) put(w http.ResponseWriter, r *http.Request, name string) {
	if r.ContentLength < 0 {
		refuse(w, r, http.StatusLengthRequired, "MissingContentLength")
		return
	}
	content, err := io.ReadAll(r.Body)
	if err != nil || int64(len(content)) != r.ContentLength {
		refuse(w, r, http.StatusBadRequest, "IncompleteBody")
		return
	}
	switch signed := r.Header.Get("X-Amz-Content-Sha256"); {
	case strings.HasPrefix(signed, "STREAMING-"):
		refuse(w, r, http.StatusNotImplemented, "NotImplemented")
		return
	case signed != "UNSIGNED-PAYLOAD" && signed != sumOf(content):
		refuse(w, r, http.StatusBadRequest, "XAmzContentSHA256Mismatch")
		return
	}
	s.mu.Lock()
	s.objects[name] = content
	s.mu.Unlock()
	w.Header().Set("ETag", etag(content))
	w.WriteHeader(http.StatusOK)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, name string) {
	s.mu.Lock()
	content, ok := s.objects[name]
	s.mu.Unlock()
	if !ok {
		refuse(w, r, http.StatusNotFound, "NoSuchKey")
		return
	}
	objectHeaders(w, content)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

func objectHeaders(w http.ResponseWriter, content []byte) {
	w.Header().Set("ETag", etag(content))
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Last-Modified", time.Unix(1, 0).UTC().Format(http.TimeFormat))
}

func etag(content []byte) string {
	sum := md5.Sum(content) //nolint:gosec // as S3 has it
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func refuse(w http.ResponseWriter, r *http.Request, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Amz-Request-Id", "TEST")
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName                            xml.Name `xml:"Error"`
		Code, Message, Resource, RequestID string
	}{Code: code, Message: "refused by the test: " + code, Resource: r.URL.Path, RequestID: "TEST"})
}

// check verifies the signature, as "Authenticating Requests (AWS Signature
// Version 4)" describes it; code "" is a good one.
func check(r *http.Request, now time.Time) (code string, status int) {
	const algorithm = "AWS4-HMAC-SHA256"
	fields := map[string]string{}
	given, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	credential := strings.Split(fields["Credential"], "/")
	switch {
	case r.Header.Get("Authorization") == "":
		return "AccessDenied", http.StatusForbidden
	case given != algorithm || len(credential) != 5 || credential[3] != "s3" || credential[4] != "aws4_request" || credential[2] != Region:
		return "AuthorizationHeaderMalformed", http.StatusBadRequest
	case credential[0] != Key:
		return "InvalidAccessKeyId", http.StatusForbidden
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || at.Format("20060102") != credential[1] {
		return "AccessDenied", http.StatusForbidden
	}
	if at.Sub(now).Abs() > maxSkew {
		return "RequestTimeTooSkewed", http.StatusForbidden
	}
	signed := strings.Split(fields["SignedHeaders"], ";")
	for _, name := range []string{"host", "x-amz-content-sha256", "x-amz-date"} {
		if !slices.Contains(signed, name) {
			return "AccessDenied", http.StatusForbidden
		}
	}
	if !slices.IsSorted(signed) {
		return "SignatureDoesNotMatch", http.StatusForbidden
	}
	var headers strings.Builder
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	query := strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")
	canonical := strings.Join([]string{
		r.Method, r.URL.EscapedPath(), query, headers.String(), fields["SignedHeaders"], r.Header.Get("X-Amz-Content-Sha256"),
	}, "\n")
	scope := strings.Join(credential[1:], "/")
	toSign := strings.Join([]string{algorithm, r.Header.Get("X-Amz-Date"), scope, sumOf([]byte(canonical))}, "\n")
	key := []byte("AWS4" + Secret)
	for _, part := range append(credential[1:], toSign) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(fields["Signature"])) {
		return "SignatureDoesNotMatch", http.StatusForbidden
	}
	return "", 0
}
