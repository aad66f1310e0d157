package browser

import (
	"io"
	"net"
	"sync"
	"testing"
)

// line is the cable between the browsers and the server: it carries bytes to
// wherever the server listens, and can be cut and mended. Its address is known
// before the server's, which prints it in links.
type line struct {
	net.Listener
	mu    sync.Mutex
	to    string                // guarded by mu; "" while nobody listens
	isCut bool                  // guarded by mu
	conns map[net.Conn]struct{} // guarded by mu
}

func newLine(t *testing.T) *line {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	l := &line{Listener: ln, conns: map[net.Conn]struct{}{}}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			done.Go(func() { l.carry(conn) })
		}
	})
	t.Cleanup(func() {
		l.cut()
		_ = ln.Close()
		done.Wait()
	})
	return l
}

func (l *line) connect(to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
}

// cut ends all connections and lets no new one through.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	for c := range l.conns {
		_ = c.Close()
	}
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = false
}

// keep remembers a connection for cut; false: it came too late.
func (l *line) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut {
		return false
	}
	l.conns[c] = struct{}{}
	return true
}

func (l *line) forget(c net.Conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	_ = c.Close()
}

func (l *line) target() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to
}

func (l *line) carry(near net.Conn) {
	defer l.forget(near)
	far, err := net.Dial("tcp", l.target())
	if err != nil {
		return
	}
	defer l.forget(far)
	if !l.keep(near) || !l.keep(far) {
		return
	}
	var both sync.WaitGroup
	pipe := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		_ = to.Close() // neither side uses half-open connections
		_ = from.Close()
	}
	both.Go(func() { pipe(far, near) })
	both.Go(func() { pipe(near, far) })
	both.Wait()
}
