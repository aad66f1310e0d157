package httpd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"
)

// stayWriteTimeout is how long a reader may keep whoever writes to it waiting.
const stayWriteTimeout = 10 * time.Second

// The reasons why somebody stays no longer.
var (
	errLeft     = errors.New("the reader has left")
	errDraining = errors.New("the server is draining")
)

// Stay answers with what w's header says and goes on for as long as the reader
// is there: an event stream. It calls tell exactly once, also when nobody is
// there any more. What tell writes is sent at once, and fails when the reader
// takes it too slowly; its context ends when the reader leaves and when the
// server wants to stop.
//
// On a Server, tell has the connection for itself and runs after the handler has
// returned: a reader who waits costs two small goroutines and no buffers then,
// half of what net/http needs. What ends with the handler, its deferred calls and the
// context of r, is over by then.
func Stay(w http.ResponseWriter, r *http.Request, tell func(ctx context.Context, out io.Writer)) {
	ctx, cancel := context.WithCancelCause(r.Context())
	if s, ok := ctx.Value(serverKey{}).(*Server); ok && r.Method != http.MethodHead {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			cancel(nil)
			s.inFlight.Add(1)
			go s.stay(context.WithoutCancel(r.Context()), conn, head(w.Header()), tell)
			return
		}
	}
	defer cancel(nil)
	out := flusher{w, http.NewResponseController(w)}
	w.WriteHeader(http.StatusOK)
	if err := out.control.Flush(); err != nil || r.Method == http.MethodHead { // which wants no more than this
		cancel(errLeft)
	}
	tell(ctx, out)
}

// head is the beginning of an answer that ends with its connection (RFC 9112 §6.3).
func head(h http.Header) []byte {
	b := bytes.NewBuffer(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nDate: %s\r\nConnection: close\r\n", time.Now().UTC().Format(http.TimeFormat)))
	_ = h.WriteSubset(b, map[string]bool{"Connection": true, "Date": true}) // a buffer takes everything
	b.WriteString("\r\n")
	return b.Bytes()
}

// stay is the life of a connection that was taken over.
func (s *Server) stay(ctx context.Context, conn net.Conn, head []byte, tell func(context.Context, io.Writer)) {
	defer s.inFlight.Done()
	defer func() { _ = conn.Close() }() // the reader sees the end, or is gone
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.draining, func() { cancel(errDraining) })() //nolint:contextcheck // it is the server that stops
	defer func() {
		if v := recover(); v != nil {
			s.log.ErrorContext(ctx, "stay with a reader", slog.String("request", RequestID(ctx)), "err", &panicError{value: v, stack: debug.Stack()})
		}
	}()
	go func() {
		for said := make([]byte, 16); ; { // nothing that matters: the request was all
			if _, err := conn.Read(said); err != nil {
				cancel(errLeft)
				return
			}
		}
	}()
	out := direct{conn}
	if _, err := out.Write(head); err != nil {
		cancel(errLeft)
	}
	tell(ctx, out)
}

// direct writes to a connection.
type direct struct{ net.Conn }

func (d direct) Write(b []byte) (int, error) {
	if err := d.SetWriteDeadline(time.Now().Add(stayWriteTimeout)); err != nil {
		return 0, err
	}
	return d.Conn.Write(b)
}

// flusher writes to an answer, and all of it at once.
type flusher struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (f flusher) Write(b []byte) (int, error) {
	_ = f.control.SetWriteDeadline(time.Now().Add(stayWriteTimeout)) // a writer without deadlines (a test's) has no slow reader either
	n, err := f.ResponseWriter.Write(b)
	return n, errors.Join(err, f.control.Flush())
}
