package httpd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// far is a connection of which only the other end is known.
type far struct {
	net.Conn
	at net.Addr
}

func (f far) RemoteAddr() net.Addr { return f.at }

func connOf(text string) net.Conn {
	return &far{at: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(text), 40000))}
}

func TestConnectionsOfOneAddress(t *testing.T) {
	for _, c := range []struct {
		why   string
		peers []string
		last  bool // whether the last of them may stay
	}{
		{"two of one address", []string{"192.0.2.1", "192.0.2.1"}, true},
		{"a third", []string{"192.0.2.1", "192.0.2.1", "192.0.2.1"}, false},
		{"a neighbour", []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"}, true},
		{"an address in either form", []string{"192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"}, false},
		{"one network of IPv6", []string{"2001:db8::1", "2001:db8::2", "2001:db8::3"}, false},
		{"two networks of IPv6", []string{"2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"}, true},
		{"this machine", []string{"127.0.0.1", "127.0.0.1", "127.0.0.1"}, true},
		{"this machine, IPv6", []string{"::1", "::1", "::1"}, true},
		{"a trusted proxy", []string{"10.0.0.7", "10.0.0.7", "10.0.0.7"}, true},
		{"a trusted proxy, IPv6", []string{"2001:db8:f::7", "2001:db8:f::7", "2001:db8:f::7"}, true},
		{"beside a trusted proxy", []string{"2001:db8:f::8", "2001:db8:f::8", "2001:db8:f::8"}, false},
		{"more than all together", []string{"127.0.0.1", "127.0.0.1", "127.0.0.1", "10.0.0.7", "192.0.2.1"}, false},
	} {
		all := newCrowd(4, 2)
		all.trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:f::7/128")}
		conns := make([]net.Conn, len(c.peers))
		var ok bool
		for i, text := range c.peers {
			conns[i] = connOf(text)
			ok = all.enter(conns[i])
		}
		if ok != c.last {
			t.Errorf("%s: the last may stay: %v, want %v", c.why, ok, c.last)
		}
		for _, conn := range conns {
			all.leave(conn)
			all.leave(conn)
		}
		if len(all.open)+len(all.each) != 0 {
			t.Errorf("%s: when all have left, %v and %v are counted", c.why, all.open, all.each)
		}
	}
}

// A connection too many is closed at once, and one that ends makes room.
func TestServerTurnsAwayWhatIsTooMuch(t *testing.T) {
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }), time.Second, slog.New(slog.NewTextHandler(&log, nil)))
	s.crowd = newCrowd(1, 1)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, ln) }()
	ask := func(client *http.Client) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+ln.Addr().String(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		return errors.Join(err, answer.Body.Close())
	}
	first, second := &http.Client{Transport: &http.Transport{}}, &http.Client{Transport: &http.Transport{}}
	if err := ask(first); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := ask(second); err == nil {
			t.Fatal("a second connection was served")
		}
	}
	first.CloseIdleConnections()
	for end := time.Now().Add(10 * time.Second); ask(second) != nil; {
		if time.Now().After(end) {
			t.Fatal("the end of the first connection makes no room")
		}
	}
	second.CloseIdleConnections()
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "too many connections"); n != 1 {
		t.Errorf("it was logged %d times, want once a minute\n%s", n, log.String())
	}
}
