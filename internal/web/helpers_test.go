package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// session signs ada in under the cookie that the tests use, whatever her id.
func (h *watch) session(user string) {
	h.Helper()
	err := h.store.Do(h.Context(), func(tx *store.Tx) error {
		tx.AddSession(secret.Hash("cookie-ada"), store.Session{
			ID: id.Session(id.New()), Person: id.User(user), CreatedAt: tx.Now, SeenAt: tx.Now, ExpiresAt: tx.Now.Add(time.Hour),
		})
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
}

// notices are the messages that wait to be mailed.
func (h *watch) notices() []notify.Notice {
	h.Helper()
	waiting, err := h.store.Waiting(h.Context(), 100)
	if err != nil {
		h.Fatal(err)
	}
	box, err := secret.FromText(base64.StdEncoding.EncodeToString(make([]byte, secret.KeySize)))
	if err != nil {
		h.Fatal(err)
	}
	var all []notify.Notice
	for _, d := range waiting {
		plain, err := box.Open(d.Body.Sealed)
		if err != nil {
			h.Fatal(err)
		}
		var n notify.Notice
		if err := json.Unmarshal([]byte(plain), &n); err != nil {
			h.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// mailedLink is the path of the last mailed link that begins so.
func (h *watch) mailedLink(begins string) string {
	h.Helper()
	found := ""
	for _, n := range h.notices() {
		if path := strings.TrimPrefix(n.URL, "http://watch.example"); strings.HasPrefix(path, begins) {
			found = path
		}
	}
	if found == "" {
		h.Fatalf("no link %s… was mailed", begins)
	}
	return found
}

// asAda is the context of a request of ada's behind the guard.
func asAda(h *watch) context.Context {
	return context.WithValue(h.Context(), visitKey{}, visit{actor: h.actor("ada")})
}

// reply is an answer whose body was read.
type reply struct {
	StatusCode int
	Status     string
	Header     http.Header
	cookies    []*http.Cookie
}

// ask is do for those who want nothing of the answer that must be closed.
func (h *watch) ask(r request) (reply, string) {
	h.Helper()
	answer, body := h.do(r) //nolint:bodyclose // do has read and closed it
	return reply{answer.StatusCode, answer.Status, answer.Header, answer.Cookies()}, body
}
