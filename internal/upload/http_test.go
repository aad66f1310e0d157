package upload

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/people"
)

func form(body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/files", body)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	return r
}

// FuzzPart: a form has a part that is a file, or is refused as wrong.
func FuzzPart(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\r\n\r\n"))
	f.Add([]byte("--b--"))
	f.Fuzz(func(t *testing.T, body []byte) {
		part, err := Part(form(bytes.NewReader(body)))
		switch {
		case err != nil:
			if !fault.Is(err, fault.CodeInvalid) {
				t.Errorf("%q: %v", body, err)
			}
			return
		case part.FileName() == "":
			t.Errorf("%q: a file without a name", body)
		}
		if got, _ := io.ReadAll(part); len(got) > len(body) {
			t.Errorf("%q: %d bytes were read", body, len(got))
		}
	})
}

// What is too large before its file begins is too large, and not a wrong form.
func TestPartOfTooMuch(t *testing.T) {
	r := form(strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"why\"\r\n\r\n" + strings.Repeat("x", 1<<16)))
	r.Body = http.MaxBytesReader(nil, r.Body, 1<<10)
	if _, err := Part(r); !is[*http.MaxBytesError](err) {
		t.Errorf("Part = %v, want an *http.MaxBytesError", err)
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// A picture and its preview are each of their own type and tag, and whoever has
// one of them is not sent it again.
func TestServe(t *testing.T) {
	h := newHouse(t)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 3000, 2000))); err != nil {
		t.Fatal(err)
	}
	f, err := h.Take(t.Context(), actor("kim", people.Member), "graph.png", &picture)
	if err != nil {
		t.Fatal(err)
	}
	get := func(preview bool, tag string) *httptest.ResponseRecorder {
		t.Helper()
		content, err := h.Open(t.Context(), "kim", f.ID, preview)
		if err != nil {
			t.Fatal(err)
		}
		defer content.Close()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("If-None-Match", tag)
		w := httptest.NewRecorder()
		if err := content.Serve(w, r); err != nil {
			t.Fatal(err)
		}
		return w
	}
	whole, smaller := get(false, ""), get(true, "")
	for what, w := range map[string]*httptest.ResponseRecorder{"the picture": whole, "its preview": smaller} {
		if got := http.DetectContentType(w.Body.Bytes()); got != w.Header().Get("Content-Type") || w.Header().Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s is %s: %v", what, got, w.Header())
		}
	}
	tag := smaller.Header().Get("ETag")
	if tag == "" || tag == whole.Header().Get("ETag") || whole.Body.Len() == smaller.Body.Len() {
		t.Errorf("tags %q and %s, %d and %d bytes", tag, whole.Header().Get("ETag"), smaller.Body.Len(), whole.Body.Len())
	}
	if w := get(true, tag); w.Code != http.StatusNotModified {
		t.Errorf("with the same tag: %d", w.Code)
	}
}
