package api

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
)

// FuzzSentFile: a body is a file with a name, or is refused as wrong.
func FuzzSentFile(f *testing.F) {
	f.Add("application/octet-stream", "graph.png", []byte("x"))
	f.Add("multipart/form-data; boundary=b", "", []byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../a\"\r\n\r\nx\r\n--b--\r\n"))
	f.Add("multipart/form-data; boundary=b", "", []byte("--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\n"))
	f.Add("multipart/form-data", "a", []byte("--"))
	f.Fuzz(func(t *testing.T, kind, name string, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/?name="+url.QueryEscape(name), bytes.NewReader(body))
		r.Header.Set("Content-Type", kind)
		called, content, err := sentFile(r)
		if err != nil {
			if !fault.Is(err, fault.CodeInvalid) {
				t.Errorf("%s %q: %v", kind, body, err)
			}
			return
		}
		if called == "" {
			t.Errorf("%s %q: a file without a name", kind, body)
		}
		if got, _ := io.ReadAll(content); len(got) > len(body) {
			t.Errorf("%s %q: %d bytes were read of %d", kind, body, len(got), len(body))
		}
	})
}
