// Package httpd is the shell around every page and API: it serves, drains and
// stops, guards, compresses, names every request, and turns what a handler
// returns as an error into a response, once.
//
//	Server.Run ─ Handler: Observe → SecurityHeaders → Compress → Recover → CrossSite → LimitBody → Routes ─ mux
//	                                                                                          Adapter.Handle ┘
//
// It promises that no internal detail of an error and no panic reaches the
// other side, that every 5xx is logged whole with the request's number, that no
// secret in a path is logged (routes are logged by their pattern), and that
// flushing works through all of it, so that event streams may pass.
//
// It knows no page, no person and no store. Who is signed in is decided by web
// and api with auth; what a foreign dialect's errors look like by its ingest
// package, through a Renderer of its own.
package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"

	"github.com/watchroom/watchroom/internal/fault"
)

// HandlerFunc is a handler that returns its error instead of writing it. Having
// returned an error it must not have written anything, unless it streams.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Middleware wraps a handler in one more layer.
type Middleware func(http.Handler) http.Handler

// Adapter makes ordinary handlers of HandlerFuncs. One exists for each way of
// showing errors: pages, our API, each foreign dialect.
type Adapter struct {
	Log    *slog.Logger
	Render Renderer
}

// Handle returns h as an ordinary handler that answers errors and panics.
func (a Adapter) Handle(h HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := record(w)
		if err := safely(h, rec, r); err != nil {
			a.answer(rec, r, err)
		}
	})
}

// Recover is the adapter for handlers that answer their own errors: it turns
// their panics into responses.
func (a Adapter) Recover(next http.Handler) http.Handler {
	return a.Handle(func(w http.ResponseWriter, r *http.Request) error {
		next.ServeHTTP(w, r)
		return nil
	})
}

// answer is the one place where an error becomes a response.
func (a Adapter) answer(rec *recorder, r *http.Request, err error) {
	ctx := r.Context()
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		a.Log.DebugContext(ctx, "client left", "request", RequestID(ctx), "route", route(r))
		return // nobody reads an answer
	}
	p := ProblemOf(err)
	p.Request = RequestID(ctx)
	if p.Status >= http.StatusInternalServerError {
		a.Log.ErrorContext(ctx, "answer request", "request", p.Request, "method", r.Method,
			"route", route(r), "status", p.Status, "err", err)
	} else {
		a.Log.DebugContext(ctx, "refuse request", "request", p.Request, "method", r.Method,
			"route", route(r), "status", p.Status, "err", err)
	}
	if rec.status != 0 {
		// Half an answer is out. Cutting the connection is the only way left to
		// say that it is not a whole one.
		panic(http.ErrAbortHandler)
	}
	render(rec, r, a.Render, p)
}

// panicError is a panic on its way to the log.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

func safely(h HandlerFunc, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if r.MultipartForm != nil {
			_ = r.MultipartForm.RemoveAll() // net/http does so only for the copy of the request it made itself
		}
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			panic(v)
		default:
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return h(w, r)
}

// Options are what the shell needs to know of the installation.
type Options struct {
	Log       *slog.Logger
	PublicURL *url.URL // as browsers see the server; https switches HSTS on
	Render    Renderer // for errors outside any Adapter: no such page, wrong method, other sites, panics
	// TrustedProxies are the peers whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// CrossSiteExempt are ServeMux patterns of addresses that take requests from
	// anywhere because no cookie counts there: the intakes.
	CrossSiteExempt []string
	// BodyLimit returns how many bytes a request may send; nil is DefaultBodyLimit for all.
	BodyLimit func(*http.Request) int64
}

// Handler puts the whole shell around mux. It fails only on a public URL that is none.
func Handler(mux *http.ServeMux, o Options) (http.Handler, error) {
	crossSite, err := CrossSite(o.PublicURL, o.CrossSiteExempt, o.Render)
	if err != nil {
		return nil, err
	}
	layers := []Middleware{ // outermost first
		Observe(o.Log, o.TrustedProxies),
		SecurityHeaders(o.PublicURL != nil && o.PublicURL.Scheme == "https"),
		Compress(),
		Adapter{Log: o.Log, Render: o.Render}.Recover,
		crossSite,
		LimitBody(o.BodyLimit),
	}
	h := Routes(mux, o.Render)
	for i := len(layers) - 1; i >= 0; i-- {
		h = layers[i](h)
	}
	return h, nil
}

// Routes serves mux, except that render shows what mux itself would answer in
// plain text: no such page, and wrong method.
func Routes(mux *http.ServeMux, show Renderer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			defer noteRoute(r)
			mux.ServeHTTP(w, r) // again, because only this sets the path values
			return
		}
		probe := &probe{header: http.Header{}}
		h.ServeHTTP(probe, r)
		switch probe.status {
		case http.StatusNotFound:
			render(w, r, show, ProblemOf(fault.NotFound("")))
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", probe.header.Get("Allow"))
			render(w, r, show, methodNotAllowed(r.Method))
		default: // a redirect to the clean path
			h.ServeHTTP(w, r)
		}
	})
}

// probe is a response that goes nowhere.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
