package web

import (
	"net/http"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/upload"
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

// upload takes one file.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) error {
	part, err := upload.Part(r)
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

// file gives a file to who may read the room of its message.
func (s *Server) file(w http.ResponseWriter, r *http.Request) error {
	preview := r.Pattern == "GET /files/{file}/preview"
	content, err := s.Uploads.Open(r.Context(), actorOf(r).User, id.File(r.PathValue("file")), preview)
	if err != nil {
		return err
	}
	defer content.Close()
	return content.Serve(w, r)
}
