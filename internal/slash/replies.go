package slash

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// ReplyPath is where the addresses begin that receivers answer to later.
const ReplyPath = "/hooks/slash/"

// How long and how often such an address can be used.
const (
	repliesFor  = 30 * time.Minute
	repliesMost = 5
)

// Reply is a later answer.
type Reply struct {
	To
	Answer
}

// Replies makes and serves the addresses. An address carries, signed, what it
// belongs to, so it works after a restart and on every node; only how often it was
// used is remembered in memory, by each node for itself.
type Replies struct {
	key  []byte
	base string
	take func(context.Context, Reply) error
	log  *slog.Logger
	now  func() time.Time

	mu   sync.Mutex
	used map[string]use // by token; guarded by mu
}

type use struct {
	times int
	until time.Time
}

// NewReplies serves ReplyPath below base, the public URL. key is secret and of
// this purpose alone; take shows a reply, and its fault's message is answered.
func NewReplies(key []byte, base string, take func(context.Context, Reply) error, log *slog.Logger) *Replies {
	return &Replies{key: key, base: strings.TrimRight(base, "/"), take: take, log: log, now: time.Now, used: map[string]use{}}
}

// ticket is what an address says.
type ticket struct {
	To
	Until  int64  `json:"e"`
	Format Format `json:"f,omitempty"`
}

// address is a new one for a call that begins now.

func (r *Replies) address(to To, f Format) string {
	text, _ := json.Marshal(ticket{to, r.now().Add(repliesFor).Unix(), f}) // text and numbers always can be
	payload := base64.RawURLEncoding.EncodeToString(text)
	return r.base + ReplyPath + payload + "." + base64.RawURLEncoding.EncodeToString(r.mac(payload))
}

func (r *Replies) mac(payload string) []byte {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(payload))
	return mac.Sum(nil)
}

// open reads a token that is ours and not too old.
func (r *Replies) open(token string) (ticket, bool) {
	var t ticket
	payload, signature, _ := strings.Cut(token, ".")
	given, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || !hmac.Equal(given, r.mac(payload)) {
		return t, false
	}
	text, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(text, &t) != nil {
		return t, false
	}
	return t, r.now().Before(time.Unix(t.Until, 0))
}

// count uses a token once more, if it may be.
func (r *Replies) count(token string, until int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, u := range r.used {
		if r.now().After(u.until) {
			delete(r.used, k)
		}
	}
	u := r.used[token]
	if u.times >= repliesMost {
		return false
	}
	r.used[token] = use{u.times + 1, time.Unix(until, 0)}
	return true
}

// ServeHTTP takes POST ReplyPath{token}. The answers are those of Slack: "ok",
// or a word; to whom the token is unknown, nothing is told.
func (r *Replies) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	token := strings.TrimPrefix(req.URL.Path, ReplyPath)
	t, ok := r.open(token)
	if req.Method != http.MethodPost || !ok {
		http.Error(w, "expired_url", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxAnswer))
	if err != nil {
		http.Error(w, phrase.T("slash.too_long", maxAnswer>>10), http.StatusRequestEntityTooLarge)
		return
	}
	a, err := parse(req.Header.Get("Content-Type"), body, t.Format)
	switch {
	case err != nil:
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	case a.Text == "" && a.Doc == nil && !a.Delete:
		http.Error(w, "no_text", http.StatusBadRequest)
		return
	case !r.count(token, t.Until):
		http.Error(w, "used_url", http.StatusNotFound)
		return
	}
	if err := r.take(req.Context(), Reply{t.To, a}); err != nil {
		if text := fault.MessageOf(err); text != "" {
			http.Error(w, text, http.StatusBadRequest)
			return
		}
		r.log.ErrorContext(req.Context(), "take a later answer of a webhook", "command", t.Command, "err", err)
		http.Error(w, "internal_error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok")
}
