package outbound

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		addr string
		ok   bool
		why  string
	}{
		{"1.1.1.1", true, "public"},
		{"2606:4700:4700::1111", true, "public"},
		{"127.0.0.1", false, "loopback"},
		{"127.8.9.10", false, "the whole loopback network"},
		{"::1", false, "loopback"},
		{"0.0.0.0", false, "unspecified, which dials this machine"},
		{"0.1.2.3", false, "this network"},
		{"::", false, "unspecified"},
		{"10.0.0.1", false, "private"},
		{"172.16.0.1", false, "private"},
		{"172.31.255.255", false, "private"},
		{"172.32.0.1", true, "just outside"},
		{"192.168.1.1", false, "private"},
		{"fd00::1", false, "unique local"},
		{"fec0::1", false, "site-local"},
		{"169.254.169.254", false, "metadata service"},
		{"fe80::1", false, "link-local"},
		{"fe80::1%eth0", false, "link-local with a zone"},
		{"100.64.0.1", false, "shared address space"},
		{"100.128.0.1", true, "just outside"},
		{"198.19.0.1", false, "benchmarks"},
		{"224.0.0.1", false, "multicast"},
		{"ff02::1", false, "multicast"},
		{"255.255.255.255", false, "broadcast"},
		{"250.0.0.1", false, "reserved"},
		{"::ffff:127.0.0.1", false, "mapped loopback"},
		{"::ffff:10.1.2.3", false, "mapped private"},
		{"::ffff:169.254.169.254", false, "mapped metadata service"},
		{"::ffff:8.8.8.8", true, "mapped public"},
		{"::127.0.0.1", false, "IPv4-compatible"},
		{"64:ff9b::7f00:1", false, "loopback through NAT64"},
		{"64:ff9b::808:808", true, "public through NAT64"},
		{"64:ff9b:1::1", false, "local NAT64"},
		{"2002:a00:1::", false, "private through 6to4"},
		{"2002:808:808::1", true, "public through 6to4"},
		{"2001:0:1::1", false, "Teredo"},
		{"2001:db8::1", false, "documentation"},
	} {
		t.Run(c.addr, func(t *testing.T) {
			addr := netip.MustParseAddr(c.addr)
			err := Policy{}.Check(addr)
			if (err == nil) != c.ok || (err != nil && !errors.Is(err, ErrRefused)) {
				t.Errorf("Check(%s) = %v, want allowed %v: %s", c.addr, err, c.ok, c.why)
			}
			if err := (Policy{AllowPrivate: true}).Check(addr); err != nil {
				t.Errorf("Check(%s) with private allowed = %v", c.addr, err)
			}
		})
	}
	if err := (Policy{}).Check(netip.Addr{}); !errors.Is(err, ErrRefused) {
		t.Errorf("Check(no address) = %v, want refused", err)
	}
}

func TestCheckURL(t *testing.T) {
	for _, c := range []struct {
		raw     string
		ok      bool
		private bool // allowed when private targets are
	}{
		{"https://hooks.example.com/x", true, true},
		{"http://8.8.8.8:8080/", true, true},
		{"http://127.0.0.1/", false, true},
		{"http://[::1]:80/", false, true},
		{"http://[::ffff:10.0.0.1]/", false, true},
		{"http://LocalHost./", false, true},
		{"http://api.localhost/", false, true},
		{"ftp://example.com/", false, false},
		{"file:///etc/passwd", false, false},
		{"/relative", false, false},
		{"http://", false, false},
		{"http://exa mple/", false, false},
	} {
		if err := (Policy{}).CheckURL(c.raw); (err == nil) != c.ok {
			t.Errorf("CheckURL(%q) = %v, want ok %v", c.raw, err, c.ok)
		}
		if err := (Policy{AllowPrivate: true}).CheckURL(c.raw); (err == nil) != c.private {
			t.Errorf("CheckURL(%q) with private allowed = %v, want ok %v", c.raw, err, c.private)
		}
	}
}

func TestControl(t *testing.T) {
	for _, c := range []struct {
		network, address string
		ok               bool
	}{
		{"tcp4", "8.8.8.8:443", true},
		{"udp6", "[2606:4700:4700::1111]:53", true},
		{"tcp6", "[::ffff:127.0.0.1]:80", false},
		{"tcp6", "[fe80::1%lo]:80", false},
		{"unix", "/run/docker.sock", false},
		{"tcp", "not an address", false},
	} {
		err := Policy{}.Control(c.network, c.address, nil)
		if (err == nil) != c.ok || (err != nil && !errors.Is(err, ErrRefused)) {
			t.Errorf("Control(%s, %s) = %v, want ok %v", c.network, c.address, err, c.ok)
		}
	}
}

func get(t *testing.T, client *http.Client, url string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestClientRefusesThisMachine(t *testing.T) {
	var hits atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		_, _ = io.WriteString(w, "secret")
	}))
	defer server.Close()
	byName := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)

	for _, url := range []string{server.URL, byName} {
		if _, err := get(t, Policy{}.Client(time.Second), url); !errors.Is(err, ErrRefused) {
			t.Errorf("GET %s: %v, want refused", url, err)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("server was reached %d times", n)
	}
	if body, err := get(t, Policy{AllowPrivate: true}.Client(time.Second), server.URL); body != "secret" || err != nil {
		t.Errorf("GET with private allowed = %q, %v", body, err)
	}
}

func TestClientRefusesARedirectToThisMachine(t *testing.T) {
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the inner server was reached")
	}))
	defer inner.Close()
	outer := httptest.NewServer(http.RedirectHandler(inner.URL, http.StatusFound))
	defer outer.Close()

	// The outer server plays a public one: its address alone goes past the guard.
	guarded := Policy{}.Dialer(time.Second)
	client := Policy{}.client(func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == outer.Listener.Addr().String() {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}
		return guarded.DialContext(ctx, network, addr)
	}, time.Second)
	if _, err := get(t, client, outer.URL); !errors.Is(err, ErrRefused) {
		t.Errorf("GET through a redirect: %v, want refused", err)
	}
}

func TestClientStopsRedirecting(t *testing.T) {
	var hits atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer server.Close()
	if _, err := get(t, Policy{AllowPrivate: true}.Client(time.Second), server.URL); err == nil {
		t.Error("an endless redirect ended well")
	}
	if n := hits.Load(); n != maxRedirects+1 {
		t.Errorf("server was asked %d times, want %d", n, maxRedirects+1)
	}
}

// A name that was public when it was looked at and is loopback when it is dialled.
func TestDialerRefusesARebindingName(t *testing.T) {
	answers := make(chan [4]byte, 8)
	resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go answerDNS(server, answers)
		return client, nil
	}}

	answers <- [4]byte{93, 184, 216, 34}
	first, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example.com.")
	if err != nil || len(first) != 1 || (Policy{}).Check(first[0]) != nil {
		t.Fatalf("first look: %v, %v, want one public address", first, err)
	}

	answers <- [4]byte{127, 0, 0, 1}
	dialer := Policy{}.Dialer(5 * time.Second)
	dialer.Resolver = resolver
	conn, err := dialer.DialContext(t.Context(), "tcp4", "rebind.example.com.:80")
	if err == nil {
		_ = conn.Close()
	}
	if !errors.Is(err, ErrRefused) {
		t.Errorf("dial after rebinding: %v, want refused", err)
	}
}

// answerDNS answers A questions on a stream (length-prefixed, RFC 1035 §4.2.2) with the next of answers.
func answerDNS(conn net.Conn, answers <-chan [4]byte) {
	defer func() { _ = conn.Close() }()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(query); err != nil {
			return
		}
		reply := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true},
			Questions: m.Questions,
		}
		if m.Questions[0].Type == dnsmessage.TypeA {
			reply.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
				Body:   &dnsmessage.AResource{A: <-answers},
			}}
		}
		packed, err := reply.Pack()
		if err != nil {
			return
		}
		out := binary.BigEndian.AppendUint16(nil, uint16(len(packed)))
		if _, err := conn.Write(append(out, packed...)); err != nil {
			return
		}
	}
}

func FuzzControl(f *testing.F) {
	f.Add("tcp", "[::ffff:7f00:1]:80")
	f.Add("tcp4", "010.0.0.1:80")
	f.Fuzz(func(t *testing.T, network, address string) {
		if err := (Policy{}).Control(network, address, nil); err == nil {
			to, err := netip.ParseAddrPort(address)
			if err != nil || to.Addr().Unmap().IsLoopback() || to.Addr().Unmap().IsPrivate() {
				t.Errorf("Control(%q, %q) let through %v, %v", network, address, to, err)
			}
		}
	})
}
