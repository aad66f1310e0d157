package web

import (
	"net/http"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/upload"
)

func (s *Server) pictureRoutes() []Route {
	if s.Uploads == nil {
		return nil
	}
	return []Route{
		{"POST /settings/organisation/picture", people.Manage, s.setBotPicture},
		{"POST /settings/organisation/picture/remove", people.Manage, s.removeBotPicture},
	}
}

// setBotPicture gives the bot the picture that a form brings.
func (s *Server) setBotPicture(w http.ResponseWriter, r *http.Request) error {
	const back = "/settings/organisation"
	part, err := upload.Part(r)
	if err != nil {
		return s.did(w, r, err, back, back, "")
	}
	f, err := s.Uploads.Take(r.Context(), actorOf(r), part.FileName(), part)
	if err == nil {
		err = s.Dispatch.SetBotPicture(r.Context(), actorOf(r), f.ID)
	}
	return s.did(w, r, err, back, back, phrase.T("settings.saved"))
}

func (s *Server) removeBotPicture(w http.ResponseWriter, r *http.Request) error {
	const back = "/settings/organisation"
	return s.did(w, r, s.Dispatch.SetBotPicture(r.Context(), actorOf(r), ""), back, back, phrase.T("settings.saved"))
}

// pictureOf is the address of the bot's picture; "" is ours.
func pictureOf(n id.File) string {
	if n == "" {
		return ""
	}
	return "/files/" + string(n) + "/preview"
}
