package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/static"
)

// pushRoutes are what browsers ask for at fixed addresses.
func (s *Server) pushRoutes() []Route {
	return []Route{{"GET /sw.js", "", serviceWorker}}
}

// serviceWorker serves the worker from the root, for a worker is in charge of
// what is below its own address, with the words it says in front. Browsers look
// for a new one by this address, so it is never kept without asking.
func serviceWorker(w http.ResponseWriter, _ *http.Request) error {
	code, err := fs.ReadFile(static.FS(), "js/sw.js")
	if err != nil {
		return fmt.Errorf("read service worker: %w", err)
	}
	words := map[string]string{
		"brand": phrase.T("web.brand"), "open": phrase.T("contacts_web.worker.open"),
		"acknowledge": phrase.T("contacts_web.worker.acknowledge"), "acknowledged": phrase.T("contacts_web.worker.acknowledged"),
		"resolve": phrase.T("contacts_web.worker.resolve"), "resolved": phrase.T("contacts_web.worker.resolved"),
		"icon": static.URL("icon-192.png"), "badge": static.URL("badge-96.png"),
	}
	front, err := json.Marshal(words)
	if err != nil {
		return fmt.Errorf("write words of the service worker: %w", err)
	}
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Service-Worker-Allowed", "/")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = fmt.Fprintf(w, "const words = %s;\n%s", front, code) // a browser that has left is no error of ours
	return nil
}
