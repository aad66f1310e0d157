// Package beat takes the calls of monitored jobs: an address that is a secret,
// which a job calls when it has done its work.
//
//	GET, POST or HEAD /heartbeat/{key}  →  200 {"ok":true,"next_by":"2026-11-22T03:10:00Z"}
//	                                       404 for an address that is nobody's
//
// There is nothing to send: a body is not read. A call costs one small write;
// further calls of the same address within a second cost none, and are
// answered like the one that was written. An answer of 503 means that the call
// was not taken down, and the caller may try again. Who must call when, and
// what follows from silence, is for dispatch.
package beat

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
)

// Prefix is what every address begins with.
const Prefix = "/heartbeat/"

// repeatWithin is for how long a call stands for those that follow it.
const repeatWithin = time.Second

const (
	maxKey   = 128    // characters; those we give out have 32
	maxCalls = 10_000 // calls that are remembered at a time
)

// Taker takes a call down and says by when the next must come (zero: nobody
// waits); the error is fault.NotFound for an unknown key.
type Taker interface {
	Beat(ctx context.Context, key string) (nextBy time.Time, err error)
}

// Handler answers jobs.
type Handler struct {
	taker Taker
	log   *slog.Logger
	now   func() time.Time

	mu   sync.Mutex
	last map[string]call // by hash of the key; guarded by mu
}

type call struct {
	at, nextBy time.Time
}

// New returns a Handler for every path below Prefix.
func New(t Taker, log *slog.Logger) *Handler {
	return &Handler{taker: t, log: log, now: time.Now, last: map[string]call{}}
}

// answer is what a job reads, if it does.
type answer struct {
	OK     bool      `json:"ok"`
	NextBy time.Time `json:"next_by,omitzero"`
	Error  string    `json:"error,omitempty"`
}

// ServeHTTP implements http.Handler. The key is neither logged nor repeated.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodPost, http.MethodHead:
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		write(w, http.StatusMethodNotAllowed, answer{Error: phrase.T("heartbeats.http.method")})
		return
	}
	key := strings.TrimPrefix(r.URL.Path, Prefix)
	if key == "" || len(key) > maxKey || strings.Contains(key, "/") {
		write(w, http.StatusNotFound, answer{Error: phrase.T("heartbeats.unknown")})
		return
	}
	nextBy, err := h.take(r.Context(), key)
	switch {
	case err == nil:
		write(w, http.StatusOK, answer{OK: true, NextBy: nextBy})
	case fault.Is(err, fault.CodeNotFound):
		write(w, http.StatusNotFound, answer{Error: phrase.T("heartbeats.unknown")})
	default:
		h.log.ErrorContext(r.Context(), "take the call of a job", "err", err)
		w.Header().Set("Retry-After", "5")
		write(w, http.StatusServiceUnavailable, answer{Error: phrase.T("heartbeats.http.away")})
	}
}

func (h *Handler) take(ctx context.Context, key string) (nextBy time.Time, err error) {
	defer fault.Recover(&err)
	hash, now := secret.Hash(key), h.now()
	h.mu.Lock()
	last, ok := h.last[hash]
	h.mu.Unlock()
	if since := now.Sub(last.at); ok && since >= 0 && since < repeatWithin {
		return last.nextBy, nil
	}
	if nextBy, err = h.taker.Beat(ctx, key); err != nil {
		return nextBy, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.last) >= maxCalls {
		clear(h.last) // what is forgotten costs a write
	}
	h.last[hash] = call{now, nextBy}
	return nextBy, nil
}

func write(w http.ResponseWriter, status int, a answer) {
	body, err := json.Marshal(a)
	if err != nil { // of these fields there is none that cannot be written
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // whoever called may have left
}
