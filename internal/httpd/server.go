package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Limits of a connection. There is no time limit on writing, because event
// streams stay open, nor on reading as a whole, for which LimitBody has one
// that depends on the size.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10

	// freshTimeout is how long it waits for the first byte on a connection.
	freshTimeout = 200 * time.Millisecond
	// afterCut is how long it waits for their handlers once it has cut them.
	afterCut = time.Second
)

// serverKey is where the context of a request has its Server.
type serverKey struct{}

// Server serves one handler on one listener, once.
type Server struct {
	handler http.Handler
	drain   time.Duration // how long requests under way may take once Run is told to stop
	log     *slog.Logger

	draining context.Context // ends when the server wants to stop
	drainNow context.CancelFunc
	inFlight sync.WaitGroup // handlers, also those that took their connection over

	mu    sync.Mutex
	fresh map[net.Conn]struct{} // guarded by mu: connected, and no request yet
	crowd *crowd                // guarded by mu
	told  time.Time             // guarded by mu: when it was last logged that somebody was turned away
}

// NewServer returns a server for handler, which is usually what Handler made.
// Once it is told to stop, requests under way have drain to end.
func NewServer(handler http.Handler, drain time.Duration, log *slog.Logger) *Server {
	s := &Server{handler: handler, drain: drain, log: log, fresh: map[net.Conn]struct{}{}, crowd: newCrowd(maxConnections, maxConnectionsFromOne)}
	s.draining, s.drainNow = context.WithCancel(context.Background())
	return s
}

// Trust says which peers are proxies, that connect for many people. It is
// called before Run.
func (s *Server) Trust(proxies []netip.Prefix) { s.crowd.trusted = proxies }

// Run serves what comes in on ln until ctx is done; then it takes no more,
// tells long-lived streams to end, waits for requests under way as long as
// NewServer was told, cuts what is left and returns nil. It returns an error only when serving
// itself broke. It closes ln and may be called once.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	// Requests under way outlive ctx, until they are cut.
	base, cut := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), serverKey{}, s))
	defer cut()
	server := &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return base },
		ConnState:         s.track,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	broken := make(chan error, 1)
	go func() { broken <- server.Serve(ln) }()
	select {
	case err := <-broken:
		s.drainNow()
		cut()
		_ = server.Close() // what is left has nobody to be told to
		return fmt.Errorf("serve http: %w", err)
	case <-ctx.Done():
	}
	s.stop(base, cut, server)
	if err := <-broken; !errors.Is(err, http.ErrServerClosed) {
		s.log.WarnContext(ctx, "serving broke while stopping", "err", err)
	}
	return nil
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.inFlight.Add(1)
	defer s.inFlight.Done()
	s.handler.ServeHTTP(w, r)
}

func (s *Server) stop(base context.Context, cut context.CancelFunc, server *http.Server) {
	s.drainNow()
	s.hurryFresh()
	wait, done := context.WithTimeout(base, s.drain)
	defer done()
	err := server.Shutdown(wait)
	if err == nil && s.idle(wait.Done()) {
		return
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.log.WarnContext(base, "close listener", "err", err)
	}
	s.log.WarnContext(base, "cut requests that did not end in time", "waited", s.drain)
	cut()
	_ = server.Close() // the listener is closed already, the connections are cut
	last, done := context.WithTimeout(context.WithoutCancel(base), afterCut)
	defer done()
	s.idle(last.Done())
}

// idle waits until no handler runs and reports whether that came before giveUp.
// Shutdown alone does not know handlers that took over their connection.
func (s *Server) idle(giveUp <-chan struct{}) bool {
	none := make(chan struct{})
	go func() { s.inFlight.Wait(); close(none) }()
	select {
	case <-none:
		return true
	case <-giveUp:
		return false
	}
}

// track counts connections and keeps those on which no request has begun:
// browsers open such in advance, and Shutdown would wait five seconds for each.
func (s *Server) track(conn net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		if !s.crowd.enter(conn) {
			s.turnAway(conn)
			return
		}
		s.fresh[conn] = struct{}{}
		return
	case http.StateClosed, http.StateHijacked:
		s.crowd.leave(conn)
	case http.StateActive, http.StateIdle:
	}
	delete(s.fresh, conn)
}

// turnAway closes a connection that is one too many, and says so once a minute.
func (s *Server) turnAway(conn net.Conn) {
	_ = conn.Close() // nothing was said yet
	if time.Since(s.told) < time.Minute {
		return
	}
	s.told = time.Now()
	s.log.Warn("too many connections: this one was closed; is it a proxy that --trusted-proxies does not name?", "remote", conn.RemoteAddr().String(), "open", len(s.crowd.open))
}

// hurryFresh gives those connections a moment to say what is on its way already.
func (s *Server) hurryFresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.fresh {
		_ = conn.SetReadDeadline(time.Now().Add(freshTimeout)) // fails only on one that is closed
	}
}
