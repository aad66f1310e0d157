package store

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// line is a connection to a server that can fall silent without being closed,
// or be cut, and then closes whatever begins.
type line struct {
	net.Listener
	mu   sync.Mutex
	gone bool       // guarded by mu
	dead []net.Conn // guarded by mu
	open []net.Conn // guarded by mu
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{Listener: ln}
	var copying sync.WaitGroup
	copying.Go(func() {
		for {
			from, err := ln.Accept()
			if err != nil {
				return
			}
			if l.isGone() {
				_ = from.Close()
				continue
			}
			to, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", server)
			if err != nil {
				t.Error(err)
				return
			}
			l.mu.Lock()
			l.open = append(l.open, from, to)
			l.mu.Unlock()
			copying.Go(func() { l.copy(to, from) })
			copying.Go(func() { l.copy(from, to) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		l.mu.Lock()
		for _, c := range append(l.open, l.dead...) {
			_ = c.Close()
		}
		l.mu.Unlock()
		copying.Wait()
	})
	return l
}

func (l *line) copy(to, from net.Conn) {
	_, _ = io.Copy(quiet{l, to}, from)
	_ = to.Close()
}

// silence makes every connection there is swallow what it is given.
func (l *line) silence() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open, l.dead = nil, append(l.dead, l.open...)
}

// cut ends every connection, and refuses others until mend.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
	for _, c := range l.open {
		_ = c.Close()
	}
	l.open = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = false
}

func (l *line) isGone() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone
}

// quiet writes to a connection unless it fell silent.
type quiet struct {
	line *line
	to   net.Conn
}

// Write implements io.Writer.
func (q quiet) Write(p []byte) (int, error) {
	q.line.mu.Lock()
	var silent bool
	for _, c := range q.line.dead {
		silent = silent || c == q.to
	}
	q.line.mu.Unlock()
	if silent {
		return len(p), nil
	}
	return q.to.Write(p)
}

// The server's machine lost its power and another has taken over its address:
// nobody tells us that the old connections are gone.
func TestASilentServerKeepsNobody(t *testing.T) {
	address, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(t, address.Host)
	address.Host = l.Addr().String()
	s, err := Open(t.Context(), Config{Database: address.String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	e, ok := s.engine.(*postgres)
	if !ok {
		t.Fatalf("the engine is %T", s.engine)
	}
	e.patience, s.read.patience = time.Second, time.Second
	write := func(during func()) error {
		return s.Do(t.Context(), func(tx *Tx) error {
			during()
			tx.SetCursor("test", id.Seq(1))
			return nil
		})
	}
	for _, lost := range []struct {
		when string
		try  func() error
	}{
		{"before a transaction", func() error { l.silence(); return write(func() {}) }},
		{"before a read", func() error { l.silence(); _, err := s.Head(t.Context()); return err }},
		{"inside a transaction", func() error { return write(l.silence) }},
	} {
		ended := make(chan error, 1)
		go func() { ended <- lost.try() }()
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("the connection was lost %s: no error", lost.when)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("the connection was lost %s: still waiting", lost.when)
		}
		for began := time.Now(); ; { // several connections may have been lost
			_, read := s.Head(t.Context())
			err := errors.Join(read, write(func() {}))
			if err == nil {
				break
			}
			if lost.when == "inside a transaction" {
				break // the server knows nothing of it either, and keeps the lock for ten seconds
			}
			if time.Since(began) > time.Minute {
				t.Fatalf("a minute after the connection was lost %s: %v", lost.when, err)
			}
		}
	}
}

// Our 2xx means on disk, also when the server was made for speed.
func TestCommitsAreSynchronous(t *testing.T) {
	address := pgtest.URL(t)
	s, err := Open(t.Context(), Config{Database: address + "&synchronous_commit=off"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := one(t.Context(), s.read, value[string], `SHOW synchronous_commit`)
	if err := errors.Join(err, s.Close()); err != nil || got != "on" {
		t.Errorf("synchronous_commit is %q, %v, want on", got, err)
	}
}
