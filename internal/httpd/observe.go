package httpd

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

// RequestHeader carries the request's number in the response, so that somebody
// who reports a problem can say which.
const RequestHeader = "X-Request-Id"

// request is what the shell knows of one request. Only its own goroutine
// writes it.
type request struct {
	id     string
	client netip.Addr
	route  string // the pattern, once the mux has chosen it
}

type requestKey struct{}

func requestOf(ctx context.Context) *request {
	req, _ := ctx.Value(requestKey{}).(*request)
	return req
}

// RequestID returns the number of the request that ctx belongs to, "" outside of one.
func RequestID(ctx context.Context) string {
	if req := requestOf(ctx); req != nil {
		return req.id
	}
	return ""
}

// ClientAddr returns where r comes from: the peer, or what a trusted proxy says
// about it. It is the zero address when nobody knows.
func ClientAddr(r *http.Request) netip.Addr {
	if req := requestOf(r.Context()); req != nil {
		return req.client
	}
	return clientAddr(r, nil)
}

// noteRoute remembers the pattern for the log: the mux sets it on the innermost
// copy of the request, the log is written with the outermost.
func noteRoute(r *http.Request) {
	if req := requestOf(r.Context()); req != nil {
		req.route = r.Pattern
	}
}

// route returns the pattern that r was served under, "" when it met none yet.
func route(r *http.Request) string {
	if req := requestOf(r.Context()); r.Pattern == "" && req != nil {
		return req.route
	}
	return r.Pattern
}

// Observe gives every request a number and the client's address, and logs it at
// debug level when it is done. Paths are not logged, because some hold keys.
func Observe(log *slog.Logger, trusted []netip.Prefix) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			req := &request{id: id.New(), client: clientAddr(r, trusted)}
			ctx := context.WithValue(r.Context(), requestKey{}, req)
			w.Header().Set(RequestHeader, req.id)
			if !log.Enabled(ctx, slog.LevelDebug) {
				next.ServeHTTP(w, r.WithContext(ctx))
				return
			}
			start := time.Now()
			rec := record(w)
			defer func() { // also when the connection is cut on purpose
				log.DebugContext(ctx, "request", "request", req.id, "method", r.Method, "route", req.route,
					"status", rec.status, "bytes", rec.bytes, "took", time.Since(start), "client", req.client)
			}()
			next.ServeHTTP(rec, r.WithContext(ctx))
		})
	}
}

// clientAddr walks X-Forwarded-For from its end, where our own proxies write,
// and takes the first address that is not one of them. What stands before it
// anybody may have written.
func clientAddr(r *http.Request, trusted []netip.Prefix) netip.Addr {
	addr := peer(r.RemoteAddr)
	if !isTrusted(addr, trusted) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next := peer(strings.TrimSpace(hop))
		if !next.IsValid() {
			return addr
		}
		addr = next
		if !isTrusted(addr, trusted) {
			return addr
		}
	}
	return addr
}

// peer reads an address with or without a port; the zero address is unknown.
func peer(text string) netip.Addr {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// recorder remembers what was answered. Unwrap lets http.ResponseController
// flush and set deadlines through it.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the header is written
	bytes  int64
}

// record wraps w; a w that is a recorder already is used as it is, so that all
// adapters around one answer agree on whether it has begun.
func record(w http.ResponseWriter) *recorder {
	if rec, ok := w.(*recorder); ok {
		return rec
	}
	return &recorder{ResponseWriter: w}
}

func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// Hijack notes that whoever takes the connection over answers.
func (rec *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, with, err := http.NewResponseController(rec.ResponseWriter).Hijack()
	if err == nil && rec.status == 0 {
		rec.status = http.StatusOK
	}
	return conn, with, err
}

func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		rec.status = status // 1xx are followed by the real one
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(b []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(b)
	rec.bytes += int64(n)
	return n, err
}

// Flush is for those who ask for http.Flusher instead of a ResponseController.
func (rec *recorder) Flush() {
	_ = rec.FlushError() // an http.Flusher cannot say
}

// FlushError sends what is buffered, header included.
func (rec *recorder) FlushError() error {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	return http.NewResponseController(rec.ResponseWriter).Flush()
}
