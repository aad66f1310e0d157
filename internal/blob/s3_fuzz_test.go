package blob

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// anyServer answers every request with the same.
type anyServer struct {
	status       int
	length, etag string
	body         []byte
}

func (s *anyServer) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{"Last-Modified": {"Wed, 21 Oct 2026 07:28:00 GMT"}}
	for name, value := range map[string]string{"Content-Length": s.length, "Etag": s.etag} {
		if value != "" {
			h.Set(name, value)
		}
	}
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body) // as a server would
		_ = r.Body.Close()
	}
	return &http.Response{StatusCode: s.status, Header: h, Body: io.NopCloser(bytes.NewReader(s.body)), ContentLength: int64(len(s.body)), Request: r}, nil
}

// FuzzS3Answer: whatever stands where the bucket should be, its answers are an
// error without our secret, or content of the length that was told.
func FuzzS3Answer(f *testing.F) {
	f.Add(200, "5", `"5d41402abc4b2a76b9719d911017c592"`, []byte("hello"))
	f.Add(403, "", "", []byte(`<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>`))
	f.Add(404, "", "", []byte(`<Error><Code>NoSuchKey</Code></Error>`))
	f.Add(206, "-1", "x", []byte("more than was told"))
	const secret = "hunter2hunter2"
	server := &anyServer{}
	client, err := minio.New("s3.example", &minio.Options{
		Creds: credentials.NewStaticV4("key", secret, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath, MaxRetries: 1, Transport: server,
	})
	if err != nil {
		f.Fatal(err)
	}
	s := &S3{client: minio.Core{Client: client}, transport: &http.Transport{}, bucket: "files"}
	key := Key(sha256.Sum256([]byte("hello")), "")
	f.Fuzz(func(t *testing.T, status int, length, etag string, body []byte) {
		status = 200 + max(0, status%299) // a server never answers less, and 5xx is only tried again
		if strings.Contains(string(body)+length+etag, secret) {
			return // it was never told
		}
		*server = anyServer{status, length, etag, body}
		check := func(err error) {
			t.Helper()
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows the secret: %v", err)
			}
		}
		check(s.Check(t.Context()))
		check(s.Put(t.Context(), key, strings.NewReader("hello"), 5))
		check(s.Delete(t.Context(), key))
		r, size, err := s.Open(t.Context(), key)
		check(err)
		if err != nil {
			return
		}
		defer func() { _ = r.Close() }() // it was only read
		got, err := io.ReadAll(io.LimitReader(r, 1<<20))
		check(err)
		if err == nil && size >= 0 && size < 1<<20 && int64(len(got)) != size {
			t.Errorf("%d bytes were read of %d without an error", len(got), size)
		}
	})
}
