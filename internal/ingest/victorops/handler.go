package victorops

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Prefix is the path under which Handler answers. Whoever puts Handler behind a
// mux should know that http.ServeMux redirects a path with two slashes in a
// row, which senders do not follow; in front of a mux Handler takes such paths.
const Prefix = "/integrations/generic/"

// Acceptor takes alerts. The use case that stores them is one; a handler's
// test has another.
type Acceptor interface {
	// Integration finds the integration that owns key. It returns false only
	// when the key is really unknown, and an error when that cannot be told now.
	Integration(ctx context.Context, key string) (id.Integration, bool, error)

	// Accept returns the alert as stored, after it is durable. Its error may
	// wrap ErrBusy.
	Accept(ctx context.Context, a alert.Alert) (alert.Alert, error)
}

// ErrBusy is what an Acceptor returns when it has too much to do to take more.
// The sender is told to come back.
var ErrBusy = errors.New("too many alerts waiting")

// HandlerOptions are the settings of a Handler; the zero value is ready to use.
type HandlerOptions struct {
	Strict       bool          // see Options.Strict
	MaxBody      int64         // bytes, after decompression; 1 MiB when 0
	RetryAfter   time.Duration // what a 503 asks for; 5 s when 0
	NewEntityID  func() string // id.New when nil
	NewRequestID func() string // id.New when nil
	Log          *slog.Logger  // discards when nil
}

// Handler answers on VictorOps' REST paths. It is safe for concurrent use.
type Handler struct {
	acceptor Acceptor
	opts     HandlerOptions
	buffers  sync.Pool // of *bytes.Buffer
}

// New returns a Handler that gives what it parses to a.
func New(a Acceptor, opts HandlerOptions) *Handler {
	if opts.MaxBody == 0 {
		opts.MaxBody = 1 << 20
	}
	if opts.RetryAfter == 0 {
		opts.RetryAfter = 5 * time.Second
	}
	if opts.NewEntityID == nil {
		opts.NewEntityID = id.New
	}
	if opts.NewRequestID == nil {
		opts.NewRequestID = id.New
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Handler{acceptor: a, opts: opts, buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
}

// requestID is where the answer carries the request's id: clients know the two
// fields of the body and nothing else. An id that was set further out stays.
const requestID = "X-Request-Id"

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if w.Header().Get(requestID) == "" {
		w.Header().Set(requestID, h.opts.NewRequestID())
	}
	t, ok := parseTarget(r.URL.EscapedPath())
	if !ok {
		h.refuse(w, r, t.key, failure{status: http.StatusNotFound, message: phrase.T("intake.path")})
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		h.refuse(w, r, t.key, failure{status: http.StatusMethodNotAllowed, message: phrase.T("intake.method")})
		return
	}
	stored, err := h.accept(w, r, &t)
	if err != nil {
		h.refuse(w, r, t.key, failureOf(err))
		return
	}
	h.answer(w, http.StatusOK, success{Result: "success", EntityID: stored.EntityID})
}

// accept takes a request as far as it goes. It looks the key up before it
// reads the body, so that who has no key cannot make us work, and leaves in t
// the key it found in the body.
func (h *Handler) accept(w http.ResponseWriter, r *http.Request, t *target) (alert.Alert, error) {
	var integration id.Integration
	var err error
	if t.key != "" {
		if integration, err = h.integration(r.Context(), t.key); err != nil {
			return alert.Alert{}, err
		}
	}

	buf := h.buffer()
	defer h.release(buf)
	if err := h.readBody(buf, w, r); err != nil {
		return alert.Alert{}, err
	}

	if t.key == "" {
		if t.key, err = bodyKey(buf.Bytes()); err != nil {
			return alert.Alert{}, err
		}
		if integration, err = h.integration(r.Context(), t.key); err != nil {
			return alert.Alert{}, err
		}
	}
	a, err := Parse(buf.Bytes(), Options{
		Integration: integration,
		RoutingKey:  t.routingKey,
		Key:         t.key,
		Strict:      h.opts.Strict,
		NewEntityID: h.opts.NewEntityID,
	})
	if err != nil {
		return alert.Alert{}, err
	}
	return h.acceptor.Accept(r.Context(), a)
}

func (h *Handler) integration(ctx context.Context, key string) (id.Integration, error) {
	var found id.Integration
	var ok bool
	if toText(key) == key { // a database would answer others with an error, and we with 503
		var err error
		if found, ok, err = h.acceptor.Integration(ctx, key); err != nil {
			return "", err
		}
	}
	if !ok {
		return "", failure{status: http.StatusNotFound, message: phrase.T("intake.key.unknown")}
	}
	return found, nil
}

// target is what the path names; key is empty where it stands in the body.
type target struct {
	key, routingKey string
}

// parseTarget reads an escaped path. Empty segments do not count: a careless
// slash must not cost an alert. What follows the key is the routing key, with
// its slashes if it has any: it is unknown then, and takes the default route.
func parseTarget(path string) (target, bool) {
	rest, _ := strings.CutPrefix(path, Prefix)
	version, rest := segment(rest)
	alertWord, rest := segment(rest)
	if version == "" || strings.Trim(version, "0123456789") != "" || alertWord != "alert" {
		return target{}, false
	}
	key, rest := segment(rest)
	key, err := url.PathUnescape(key)
	if err != nil {
		return target{}, false
	}
	routingKey, err := url.PathUnescape(strings.Trim(rest, "/"))
	if err != nil {
		return target{}, false
	}
	return target{key: key, routingKey: routingKey}, true
}

func segment(path string) (first, rest string) {
	first, rest, _ = strings.Cut(strings.TrimLeft(path, "/"), "/")
	return first, rest
}

// bodyKey finds the key of a request that has none in its path: AppDynamics
// puts it into the body.
func bodyKey(body []byte) (string, error) {
	const name = "VO_ORGANIZATION_KEY"
	raw, err := object(body)
	if err != nil {
		return "", err
	}
	var p parser
	var key string
	for member, value := range members(raw) {
		if unquote(member, "") == name {
			key = ""
			if text, present := p.text(value); present {
				key = strings.TrimSpace(text)
			}
		}
	}
	if key == "" {
		return "", missingField(name)
	}
	return key, nil
}

// failure is an answer that is not a success; err is for the log only.
type failure struct {
	status  int
	message string
	err     error
}

// Error returns what the sender is told.
func (f failure) Error() string { return f.message }

// failureOf decides the answer. An error nobody named is ours, and the alert
// was not stored: 503 lets the sender try again.
func failureOf(err error) failure {
	var f failure
	var invalid InvalidError
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &invalid):
		return failure{status: http.StatusBadRequest, message: string(invalid)}
	case errors.Is(err, ErrBusy):
		return failure{status: http.StatusServiceUnavailable, message: phrase.T("intake.busy"), err: err}
	}
	return failure{status: http.StatusServiceUnavailable, message: phrase.T("intake.unavailable"), err: err}
}

// refuse logs and answers a failure. Neither the path nor the key is logged,
// and an error that repeats the key is masked.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, key string, f failure) {
	log := h.opts.Log.With("request", w.Header().Get(requestID), "status", f.status)
	switch {
	case f.err == nil:
		log.DebugContext(r.Context(), "refuse alert", "reason", f.message)
	case errors.Is(r.Context().Err(), context.Canceled):
		log.DebugContext(r.Context(), "sender went away before its alert was stored")
	case errors.Is(f.err, ErrBusy): // many at once, and not a fault
		log.WarnContext(r.Context(), "refuse alert", "reason", f.message)
	default:
		reason := f.err.Error()
		if key != "" {
			reason = strings.ReplaceAll(reason, key, masked)
		}
		log.ErrorContext(r.Context(), "accept alert", "err", reason)
	}
	if f.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(h.opts.RetryAfter.Seconds()))))
	}
	h.answer(w, f.status, struct {
		Result  string `json:"result"`
		Message string `json:"message"`
	}{"failure", f.message})
}

type success struct {
	Result   string `json:"result"`
	EntityID string `json:"entity_id"`
}

// answer writes body as the vendor does: no white space, and no HTML escapes,
// so that an entity id comes back as it was sent.
func (h *Handler) answer(w http.ResponseWriter, status int, body any) {
	buf := h.buffer()
	defer h.release(buf)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // two strings into memory
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))) // the sender may be gone; its alert is stored
}
