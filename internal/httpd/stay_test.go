package httpd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// reached is the answer on a connection.
type reached struct {
	conn   net.Conn
	status int
	header http.Header
	closes bool // with its connection
	body   io.Reader
}

// reach opens a stream by hand and reads its header.
func reach(t *testing.T, addr, method string) reached {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, method+" / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return reached{conn, resp.StatusCode, resp.Header, resp.Close, resp.Body}
}

// staying is a handler in the whole shell that stays.
func staying(tell func(context.Context, io.Writer), after func()) http.HandlerFunc {
	return Compress()(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w = record(w)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Connection", "keep-alive")
		Stay(w, r, tell)
		after()
	})).ServeHTTP
}

func TestStayOutlivesItsHandler(t *testing.T) {
	returned := make(chan struct{})
	why := make(chan error, 1)
	addr, stop := start(t, staying(func(ctx context.Context, out io.Writer) {
		<-returned
		if ctx.Err() != nil {
			t.Error("the reader is gone with the handler")
		}
		_, _ = io.WriteString(out, "data: 1\n\n")
		<-ctx.Done()
		why <- context.Cause(ctx)
	}, func() { close(returned) }))
	got := reach(t, addr, http.MethodGet)
	if h := got.header; got.status != http.StatusOK || h.Get("Content-Type") != "text/event-stream" || h.Get("Date") == "" || !got.closes || h.Get("Content-Encoding") != "" {
		t.Errorf("the answer begins with %d %v", got.status, h)
	}
	event := make([]byte, len("data: 1\n\n"))
	if _, err := io.ReadFull(got.body, event); err != nil || string(event) != "data: 1\n\n" {
		t.Errorf("the reader got %q, %v", event, err)
	}
	_ = got.conn.Close()
	if err := <-why; !errors.Is(err, errLeft) {
		t.Errorf("it ended because %v, want %v", err, errLeft)
	}
	if err := stop(); err != nil {
		t.Errorf("Run = %v", err)
	}
}

func TestAStreamIsLoggedAsAnswered(t *testing.T) {
	var log bytes.Buffer
	logged := make(chan struct{})
	observe := Observe(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), nil)
	stay := observe(staying(func(_ context.Context, out io.Writer) { _, _ = io.WriteString(out, "one") }, func() {}))
	addr, stop := start(t, func(w http.ResponseWriter, r *http.Request) {
		stay.ServeHTTP(w, r)
		close(logged)
	})
	reach(t, addr, http.MethodGet)
	<-logged
	if err := stop(); err != nil {
		t.Errorf("Run = %v", err)
	}
	if !strings.Contains(log.String(), "status=200") {
		t.Errorf("the log says %s", log.String())
	}
}

func TestStayEndsWhenTheServerStops(t *testing.T) {
	entered := make(chan struct{})
	addr, stop := start(t, staying(func(ctx context.Context, out io.Writer) {
		close(entered)
		<-ctx.Done()
		_, _ = io.WriteString(out, "cause: "+context.Cause(ctx).Error())
	}, func() {}))
	got := reach(t, addr, http.MethodGet)
	<-entered
	if err := stop(); err != nil {
		t.Errorf("Run = %v", err)
	}
	if said, err := io.ReadAll(got.body); err != nil || string(said) != "cause: "+errDraining.Error() {
		t.Errorf("the reader got %q, %v: stopping did not wait for the last word", said, err)
	}
}

func TestStayTellsNobodyOfAHead(t *testing.T) {
	told := make(chan error, 1)
	addr, stop := start(t, staying(func(ctx context.Context, _ io.Writer) { told <- context.Cause(ctx) }, func() {}))
	if got := reach(t, addr, http.MethodHead); got.status != http.StatusOK {
		t.Errorf("HEAD: %d", got.status)
	}
	if err := <-told; !errors.Is(err, errLeft) {
		t.Errorf("tell was called with %v, want %v", err, errLeft)
	}
	if err := stop(); err != nil {
		t.Errorf("Run = %v", err)
	}
}

// Under another server, a test's, the handler stays itself.
func TestStayWithoutAServer(t *testing.T) {
	w := httptest.NewRecorder()
	left, leave := context.WithCancel(t.Context())
	over := false
	Stay(w, httptest.NewRequestWithContext(left, http.MethodGet, "/", http.NoBody), func(ctx context.Context, out io.Writer) {
		_, _ = io.WriteString(out, "data: 1\n\n")
		leave()
		<-ctx.Done()
		over = true
	})
	if !over || w.Body.String() != "data: 1\n\n" || !w.Flushed {
		t.Errorf("over %t, said %q", over, w.Body)
	}
}

func TestStayWithSomebodyWhoTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer func() { _ = far.Close() }()
		s := NewServer(http.NotFoundHandler(), drain, quiet)
		began := time.Now()
		s.inFlight.Add(1)
		s.stay(t.Context(), near, []byte("HTTP/1.1 200 OK\r\n\r\n"), func(ctx context.Context, _ io.Writer) {
			<-ctx.Done()
			if took := time.Since(began); took != stayWriteTimeout {
				t.Errorf("it waited %v, want %v", took, stayWriteTimeout)
			}
		})
		s.inFlight.Wait()
	})
}

func TestStaySurvivesAPanic(t *testing.T) {
	near, far := net.Pipe()
	var log bytes.Buffer
	s := NewServer(http.NotFoundHandler(), drain, slog.New(slog.NewTextHandler(&log, nil)))
	s.inFlight.Add(1)
	go s.stay(t.Context(), near, []byte("head"), func(context.Context, io.Writer) { panic("out of events") })
	if said, err := io.ReadAll(far); err != nil || string(said) != "head" {
		t.Errorf("the reader got %q, %v", said, err)
	}
	s.inFlight.Wait()
	if !strings.Contains(log.String(), "out of events") {
		t.Errorf("the log says %q", &log)
	}
}
