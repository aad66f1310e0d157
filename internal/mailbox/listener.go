package mailbox

import (
	"net"
	"sync"
)

// listener knows its open connections, so that closing it ends conversations
// that wait for something, and asks before a connection says its first word.
type listener struct {
	net.Listener
	greet func() error

	mu       sync.Mutex // guards the rest
	open     map[*conn]struct{}
	accepted int
	closed   bool
}

func (l *listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err // the server looks at it
	}
	c := &conn{Conn: nc, from: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = nc.Close()
		return nil, net.ErrClosed
	}
	l.open[c] = struct{}{}
	l.accepted++
	return c, nil
}

func (l *listener) Close() error {
	err := l.Listener.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for c := range l.open {
		_ = c.Conn.Close()
	}
	return err // the caller knows what it closed
}

func (l *listener) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.accepted
}

type conn struct {
	net.Conn
	from  *listener
	first sync.Once
}

func (c *conn) Write(p []byte) (int, error) {
	c.first.Do(func() {
		if c.from.greet() != nil {
			_ = c.Conn.Close()
		}
	})
	return c.Conn.Write(p) // the server looks at it
}

func (c *conn) Close() error {
	c.from.mu.Lock()
	delete(c.from.open, c)
	c.from.mu.Unlock()
	return c.Conn.Close() // the server looks at it
}
