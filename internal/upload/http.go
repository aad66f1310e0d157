package upload

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Part is the file in a form, in the part of that name; others are passed over.
// It is read as it comes: nothing is kept in memory, and what is too large is
// refused while it is still being sent.
func Part(r *http.Request) (*multipart.Part, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, noFile(err)
	}
	for {
		part, err := parts.NextPart()
		switch _, tooLarge := errors.AsType[*http.MaxBytesError](err); {
		case tooLarge:
			return nil, err
		case err != nil:
			return nil, noFile(err)
		case part.FormName() == "file" && part.FileName() != "":
			return part, nil
		}
	}
}

func noFile(err error) error { return fault.Invalid("file", phrase.T("upload.form")).Because(err) }

// Serve answers with the content. It never changes, but who may read it does, so
// that it is asked for each time.
func (c Content) Serve(w http.ResponseWriter, r *http.Request) error {
	kind, tag := c.Type, string(c.ID)
	if c.smaller {
		var err error
		if kind, err = sniff(c); err != nil {
			return fmt.Errorf("read preview: %w", err)
		}
		tag += "p"
	}
	blob.SetHeaders(w.Header(), kind, c.Name)
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", c.At, c)
	return nil
}

// sniff is the type of a picture of ours, by its first bytes.
func sniff(content io.ReadSeeker) (string, error) {
	first := make([]byte, 512)
	n, err := io.ReadFull(content, first)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	_, err = content.Seek(0, io.SeekStart)
	return http.DetectContentType(first[:n]), err
}
