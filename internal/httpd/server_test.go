package httpd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// drain is what the servers of these tests give to requests under way.
const drain = 10 * time.Second

// start runs a server for h and returns its address, and a function that stops
// it and returns what Run did.
func start(t *testing.T, h http.HandlerFunc) (addr string, stop func() error) {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- NewServer(h, drain, quiet).Run(ctx, ln) }()
	t.Cleanup(cancel)
	return ln.Addr().String(), func() error {
		cancel()
		return <-done
	}
}

func fetch(ctx context.Context, addr string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/", http.NoBody)
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestRunFinishesWhatIsUnderWay(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	addr, stop := start(t, func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-draining(r.Context()) // Run has begun to stop
		<-release
		if r.Context().Err() != nil {
			t.Error("the request was canceled while it had time")
		}
		_, _ = io.WriteString(w, "done")
	})
	answer := make(chan string, 1)
	go func() {
		body, err := fetch(t.Context(), addr)
		if err != nil {
			body = err.Error()
		}
		answer <- body
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	select {
	case err := <-stopped:
		t.Fatalf("Run returned %v before the request was done", err)
	default:
	}
	close(release)
	if err := <-stopped; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if got := <-answer; got != "done" {
		t.Errorf("the request under way got %q", got)
	}
	if _, err := fetch(t.Context(), addr); err == nil {
		t.Error("the server still answers")
	}
}

func TestRunEndsStreamsAndForgetsSilentConnections(t *testing.T) {
	entered := make(chan struct{})
	addr, stop := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "event")
		_ = http.NewResponseController(w).Flush()
		close(entered)
		select {
		case <-draining(r.Context()):
		case <-r.Context().Done():
			t.Error("the stream was cut instead of told")
		}
	})
	silent, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr) // as browsers do in advance
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	answer := make(chan error, 1)
	go func() {
		body, err := fetch(t.Context(), addr)
		if err == nil && body != "event" {
			err = errors.New(body)
		}
		answer <- err
	}()
	<-entered
	began := time.Now()
	if err := stop(); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("stopping took %v: it waited for the silent connection", took)
	}
	if err := <-answer; err != nil {
		t.Errorf("the stream did not end properly: %v", err)
	}
}

func TestRunWaitsForHandlersThatTookTheirConnectionOver(t *testing.T) {
	entered, left := make(chan struct{}), make(chan struct{})
	addr, stop := start(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		close(entered)
		<-draining(r.Context())
		_ = conn.Close()
		close(left)
	})
	go func() { _, _ = fetch(t.Context(), addr) }()
	<-entered
	if err := stop(); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	select {
	case <-left:
	default:
		t.Error("Run did not wait for the handler")
	}
}

// Under fake time and without a network: a handler that does not care.
func TestRunCutsWhatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
			}), drain, quiet).Run(ctx, ln)
		}()
		conn := ln.dial()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		began := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
		if took := time.Since(began); took < drain || took > drain+afterCut {
			t.Errorf("stopping took %v, want about %v", took, drain)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("the connection is still open")
		}
	})
}

func TestRunReportsABrokenListener(t *testing.T) {
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if err := NewServer(http.NotFoundHandler(), drain, quiet).Run(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run = %v, want closed", err)
	}
}

// pipes is a listener of in-memory connections.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// A sender that stops in the middle of a body is told so and does not hold its handler.
func TestASlowBodyIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipes()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		h := shell(t, Options{}, map[string]HandlerFunc{"POST /api/x": func(_ http.ResponseWriter, r *http.Request) error {
			_, err := ReadBody(r)
			return err
		}})
		go func() { done <- NewServer(h, drain, quiet).Run(ctx, ln) }()
		conn := ln.dial()
		began := time.Now()
		go func() {
			_, _ = io.WriteString(conn, "POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf")
		}()
		answer, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || answer != "HTTP/1.1 400 Bad Request\r\n" {
			t.Errorf("answer %q, %v", answer, err)
		}
		if took := time.Since(began); took < patience || took > 2*time.Minute {
			t.Errorf("given up after %v", took)
		}
		_ = conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
}

// draining is closed when the server wants to stop.
func draining(ctx context.Context) <-chan struct{} {
	return ctx.Value(serverKey{}).(*Server).draining.Done()
}
