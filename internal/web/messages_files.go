package web

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"github.com/watchroom/watchroom/internal/blob"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

func (s *Server) fileRoutes() []Route {
	if s.Uploads == nil {
		return nil
	}
	return []Route{
		{"POST /files", people.Talk, s.upload},
		{"GET /files/{file}", people.Read, s.file},
		{"GET /files/{file}/preview", people.Read, s.file},
	}
}

// upload takes one file. Its part is read as it comes: nothing is kept in
// memory, and what is too large is refused while it is still being sent.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return fault.Invalid("file", phrase.T("chat_web.upload.form"))
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return fault.Invalid("file", phrase.T("chat_web.upload.form")).Because(err)
	}
	part, err := filePart(parts)
	if err != nil {
		return err
	}
	f, err := s.Uploads.Take(r.Context(), actorOf(r), part.FileName(), part)
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return answerJSON(w, f.File)
}

// filePart is the part that is a file; others are passed over.
func filePart(parts *multipart.Reader) (*multipart.Part, error) {
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil, fault.Invalid("file", phrase.T("chat_web.upload.form"))
		case err != nil:
			return nil, fault.Invalid("file", phrase.T("chat_web.upload.form")).Because(err)
		case part.FormName() == "file" && part.FileName() != "":
			return part, nil
		}
	}
}

// file gives a file to who may read the room of its message. It never changes,
// but who may read it does, so browsers ask each time.
func (s *Server) file(w http.ResponseWriter, r *http.Request) error {
	preview := r.Pattern == "GET /files/{file}/preview"
	content, err := s.Uploads.Open(r.Context(), actorOf(r).User, id.File(r.PathValue("file")), preview)
	if err != nil {
		return err
	}
	defer content.Close()
	kind := content.Type
	if preview && content.Preview != "" {
		if kind, err = sniff(content); err != nil {
			return err
		}
	}
	blob.SetHeaders(w.Header(), kind, content.Name)
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("ETag", `"`+string(content.ID)+map[bool]string{true: "p"}[preview]+`"`)
	http.ServeContent(w, r, "", content.At, content)
	return nil
}

// sniff is the type of a picture of ours, by its first bytes.
func sniff(content io.ReadSeeker) (string, error) {
	first := make([]byte, 512)
	n, err := io.ReadFull(content, first)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("read preview: %w", err)
	}
	_, err = content.Seek(0, io.SeekStart)
	return http.DetectContentType(first[:n]), err
}
