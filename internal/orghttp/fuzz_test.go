package orghttp

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
)

// FuzzDocument: whatever is sent to be applied is a document, or is refused as
// what it is: wrong, and no trouble of ours.
func FuzzDocument(f *testing.F) {
	f.Add("application/yaml", []byte("users: [{username: kim, email: kim@example.org}]\n"))
	f.Add("application/json", []byte(`{"files":[{"name":"a.yaml","text":"rooms: [{slug: ops}]"}],"variables":{"X":"y"},"secret_files":[{"in":"a.yaml","name":"x","text":"y"}]}`))
	f.Add(`application/json; charset="`, []byte(`[]`))
	f.Add("application/json", []byte(`{"files":null,"other":1}{}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
		r.Header.Set("Content-Type", kind)
		_, err := document(httptest.NewRecorder(), r)
		if code := fault.CodeOf(err); err != nil && code != fault.CodeInvalid && code != fault.CodeTooLarge {
			t.Errorf("%s %q: %v", kind, body, err)
		}
	})
}
