// Package outbound guards what leaves the process towards addresses that
// somebody typed into a form: webhooks, chat servers, mail hosts of contacts.
// Such a request must not reach the machine itself, its neighbours or a cloud's
// metadata service, or a member of the organisation could use the server to
// read what only the server may.
//
// The check happens when the connection is made, on the address that is really
// dialled. A check of the name beforehand would be worth nothing: the name may
// resolve to something else a moment later, and a redirect may lead elsewhere.
// CheckURL exists besides, to tell a person early.
//
// Addresses that the operator gave on the command line (the database, the mail
// relay) are not guarded: the operator may go anywhere.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// ErrRefused is in the chain of every error that says an address may not be called.
// It is permanent: trying again later gives the same answer.
var ErrRefused = errors.New("address is not public")

// Policy decides which addresses may be called. The zero value allows public
// addresses only.
type Policy struct {
	// AllowPrivate switches the guard off (--allow-private-targets).
	AllowPrivate bool
}

// special lists what net/netip has no question for and is still no public
// target. From the IANA special-purpose address registries.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),       // this network; Linux dials itself
	netip.MustParsePrefix("100.64.0.0/10"),   // carrier-grade NAT, also used inside clouds and overlays
	netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
	netip.MustParsePrefix("192.0.2.0/24"),    // documentation
	netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
	netip.MustParsePrefix("198.51.100.0/24"), // documentation
	netip.MustParsePrefix("203.0.113.0/24"),  // documentation
	netip.MustParsePrefix("240.0.0.0/4"),     // reserved, and broadcast
	netip.MustParsePrefix("::/96"),           // IPv4-compatible, deprecated
	netip.MustParsePrefix("64:ff9b:1::/48"),  // NAT64 for local use
	netip.MustParsePrefix("100::/64"),        // discard
	netip.MustParsePrefix("2001::/32"),       // Teredo carries an obfuscated IPv4 address
	netip.MustParsePrefix("2001:db8::/32"),   // documentation
	netip.MustParsePrefix("fec0::/10"),       // site-local, deprecated
}

// carriers are IPv6 prefixes with an IPv4 address inside, at the given byte.
var carriers = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64, RFC 6052
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4, RFC 3056
}

// Check returns an error that wraps ErrRefused when addr may not be called.
func (p Policy) Check(addr netip.Addr) error {
	if p.AllowPrivate {
		return nil
	}
	if !public(addr) {
		return fmt.Errorf("call %s: %w", addr, ErrRefused)
	}
	return nil
}

func public(addr netip.Addr) bool {
	addr = addr.WithZone("").Unmap() // ::ffff:127.0.0.1 is 127.0.0.1
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return false // loopback, link-local, multicast, unspecified, invalid; RFC 1918, fc00::/7
	}
	for _, prefix := range special {
		if prefix.Contains(addr) {
			return false
		}
	}
	for _, c := range carriers {
		if c.prefix.Contains(addr) {
			raw := addr.As16()
			return public(netip.AddrFrom4([4]byte(raw[c.at : c.at+4])))
		}
	}
	return true
}

// CheckURL tells early that raw can never work: not http or https, no host, or
// a host that is visibly refused. Passing says nothing about what the name
// resolves to later.
func (p Policy) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return fmt.Errorf("parse url: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("url scheme %q: only http and https are called", u.Scheme)
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "" {
		return errors.New("url has no host")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return p.Check(addr)
	}
	if !p.AllowPrivate && (host == "localhost" || strings.HasSuffix(host, ".localhost")) {
		return fmt.Errorf("call %s: %w", host, ErrRefused)
	}
	return nil
}

// Control is the guard itself, in the form net.Dialer wants: it runs after the
// name was resolved and before the connection is made, once for every address tried.
func (p Policy) Control(network, address string, _ syscall.RawConn) error {
	if p.AllowPrivate {
		return nil
	}
	if !strings.HasPrefix(network, "tcp") && !strings.HasPrefix(network, "udp") {
		return fmt.Errorf("dial %s %s: %w", network, address, ErrRefused)
	}
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w: %w", address, ErrRefused, err)
	}
	return p.Check(to.Addr())
}

// Dialer returns a guarded dialer for anything that is not HTTP.
func (p Policy) Dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second, Control: p.Control}
}

// maxRedirects is enough for http→https and a moved host; a chain is a trap.
const maxRedirects = 3

// Client returns a guarded client with its own connections. timeout covers a
// whole call with its redirects and reading the answer. It ignores proxies from
// the environment: through a proxy the guard would see only the proxy.
func (p Policy) Client(timeout time.Duration) *http.Client {
	return p.client(p.Dialer(min(timeout, 10*time.Second)).DialContext, timeout)
}

func (p Policy) client(dial func(ctx context.Context, network, addr string) (net.Conn, error), timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:            dial,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  timeout,
			IdleConnTimeout:        90 * time.Second,
			MaxIdleConns:           100,
			MaxIdleConnsPerHost:    4,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("stopped after %d redirects", maxRedirects)
			}
			return nil
		},
	}
}
