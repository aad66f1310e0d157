package carrier

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/watchroom/watchroom/internal/outbound"
)

// Reachable guesses whether vendors can call a public URL: it is https and its
// host is neither an address nor a name of the inside. When the guess is wrong,
// callbacks are missed and everything is found out by asking a little later.
func Reachable(publicURL string) bool {
	u, err := url.Parse(publicURL)
	if err != nil || u.Scheme != "https" {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		return outbound.Policy{}.Check(addr) == nil
	}
	for _, inside := range []string{".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid"} {
		if strings.HasSuffix(host, inside) {
			return false
		}
	}
	return strings.Contains(host, ".")
}
