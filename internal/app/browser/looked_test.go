package browser

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/upload"
	"github.com/watchroom/watchroom/internal/web"
)

// looked are the paths of the pages that auditors have looked at. The stories
// are told one after another.
var looked = map[string]bool{}

// note keeps where the page came from, if it is one: neither an error, nor what
// a script has put another address on.
func (a *auditor) note() {
	a.Helper()
	const answered = `(() => {
		const [from] = performance.getEntriesByType("navigation");
		const good = from.responseStatus === 200 || from.responseStatus === 422; // a form that says what is wrong is the page
		return good && new URL(from.name).pathname === location.pathname ? location.pathname : "";
	})()`
	if path := value[string](a.tab, answered); path != "" {
		looked[path] = true
	}
}

// noPage are the addresses that nobody can look at, or need not, and why.
var noPage = map[string]string{
	"GET /chat/emoji":                   "data for a script",
	"GET /chat/jump":                    "data for a script",
	"GET /chat/rooms":                   "a part of the home page, which is looked at",
	"GET /complete":                     "data for a script",
	"GET /files/{file}":                 "a download",
	"GET /files/{file}/preview":         "a picture",
	"GET /incidents/{n}/card":           "a part of the lists of incidents, which are looked at",
	"GET /mailbox/{id}/html":            "a mail, in a frame of the page of the mail",
	"GET /messages/{seq}/history":       "a part of a page; everyPage looks at it where it opens",
	"GET /messages/{seq}/source":        "data for a script",
	"GET /people":                       "a part of the home page, which is looked at",
	"GET /settings/integrations":        "leads to /integrations",
	"GET /settings/integrations/{id}":   "leads to /integrations/{id}",
	"GET /settings/organisation/export": "a download",
	"GET /setup/{token}":                "the page of /setup, whose token may also stand in the path",
	"GET /sw.js":                        "a script",
	"GET /timeline/entries":             "a part of the timeline, which is looked at",
	"GET /timeline/stream":              "a stream",
}

// nothingForgotten fails for every page of the product that no story has
// looked at, and for every exception that is none.
func nothingForgotten(t *testing.T) {
	t.Helper()
	pages := web.New(web.Deps{Mailbox: func() []web.Mail { return nil }, Uploads: &upload.Service{}}) // with all routes that there can be
	mux, seen, known := http.NewServeMux(), map[string]bool{}, map[string]bool{}
	for _, route := range pages.Routes() {
		if strings.HasPrefix(route.Pattern, "GET ") {
			mux.Handle(route.Pattern, http.NotFoundHandler())
			known[route.Pattern] = true
		}
	}
	for path := range looked {
		_, pattern := mux.Handler(httptest.NewRequest(http.MethodGet, path, http.NoBody))
		seen[pattern] = true
	}
	for pattern := range known {
		switch why, excused := noPage[pattern]; {
		case !seen[pattern] && !excused:
			t.Errorf("%s: no story has looked at it", pattern)
		case seen[pattern] && excused:
			t.Errorf("%s: a story has looked at it, so it is no exception (%s)", pattern, why)
		}
	}
	for pattern := range noPage {
		if !known[pattern] {
			t.Errorf("%s: an exception for a route that does not exist", pattern)
		}
	}
}
