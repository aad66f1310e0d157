package web

import (
	"bytes"
	"io"
	"mime/multipart"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
)

// FuzzFilePart: a form has a part that is a file, or is refused as wrong.
func FuzzFilePart(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nx\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\r\n\r\n"))
	f.Add([]byte("--b--"))
	f.Fuzz(func(t *testing.T, form []byte) {
		part, err := filePart(multipart.NewReader(bytes.NewReader(form), "b"))
		switch {
		case err != nil:
			if !fault.Is(err, fault.CodeInvalid) {
				t.Errorf("%q: %v", form, err)
			}
			return
		case part.FileName() == "":
			t.Errorf("%q: a file without a name", form)
		}
		if got, _ := io.ReadAll(part); len(got) > len(form) {
			t.Errorf("%q: %d bytes were read", form, len(got))
		}
	})
}
