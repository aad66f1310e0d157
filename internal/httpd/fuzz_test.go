package httpd

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// FuzzClientAddr forges X-Forwarded-For. It counts only from a proxy we trust,
// and what stands left of the first stranger never counts.
func FuzzClientAddr(f *testing.F) {
	f.Add("198.51.100.7:1234", "203.0.113.9, 10.0.0.2", "6.6.6.6")
	f.Add("10.0.0.1:80", "[2001:db8::1]:443,10.0.0.3:9", "unknown")
	f.Add("[fe80::1%eth0]:1", "::ffff:10.0.0.9", ",,")
	f.Add("@", "10.0.0.1,", "")
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, remote, hops, forged string) {
		ask := func(trusted []netip.Prefix, header string) netip.Addr {
			r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
			r.RemoteAddr = remote
			r.Header.Set("X-Forwarded-For", header)
			return clientAddr(r, trusted)
		}
		if got := ask(nil, hops); got != peer(remote) {
			t.Errorf("no proxy is trusted, and the client is %v instead of %v", got, peer(remote))
		}
		got := ask(proxies, hops)
		if got.IsValid() != peer(remote).IsValid() {
			t.Errorf("the client of %q by %q is %v", remote, hops, got)
		}
		if again := ask(proxies, forged+","+hops); got.IsValid() && !isTrusted(got, proxies) && again != got {
			t.Errorf("%q before %q makes the client %v instead of %v", forged, hops, again, got)
		}
	})
}

// FuzzAcceptsGzip reads Accept-Encoding; a refusal without a doubt is kept.
func FuzzAcceptsGzip(f *testing.F) {
	for _, s := range []string{"gzip", "br;q=1, gzip;q=0", "*;q=0.1", "gzip;q=nan", ";;,=,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		acceptsGzip([]string{header})
		if acceptsGzip([]string{"gzip;q=0," + header}) {
			t.Errorf("gzip;q=0,%s is taken for gzip", header)
		}
		if !acceptsGzip([]string{"gzip", header}) {
			t.Errorf("gzip,%s is not taken for gzip", header)
		}
	})
}
