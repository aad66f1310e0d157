package httpd

import (
	"net"
	"net/netip"

	"github.com/watchroom/watchroom/internal/auth"
)

// How many connections may be open at once: many more than an organisation's
// pages and senders need behind one address, and fewer than take all memory.
const (
	maxConnections        = 8192
	maxConnectionsFromOne = 1024
)

// crowd counts open connections by the network they come from. Addresses of this
// machine and trusted proxies stand for many people and have the limit of all.
// A connection that a handler takes over is counted no longer.
type crowd struct {
	most, mostFromOne int
	trusted           []netip.Prefix

	open map[net.Conn]netip.Prefix
	each map[netip.Prefix]int
}

func newCrowd(most, mostFromOne int) *crowd {
	return &crowd{most: most, mostFromOne: mostFromOne, open: map[net.Conn]netip.Prefix{}, each: map[netip.Prefix]int{}}
}

// enter counts conn, unless there are too many already.
func (c *crowd) enter(conn net.Conn) bool {
	at := peer(conn.RemoteAddr().String())
	from := auth.Network(at)
	if len(c.open) >= c.most || c.each[from] >= c.mostFromOne && !c.speaksForMany(at) {
		return false
	}
	c.open[conn] = from
	c.each[from]++
	return true
}

// leave forgets conn; one that never entered is nobody's.
func (c *crowd) leave(conn net.Conn) {
	from, ok := c.open[conn]
	if !ok {
		return
	}
	delete(c.open, conn)
	if c.each[from]--; c.each[from] == 0 {
		delete(c.each, from)
	}
}

func (c *crowd) speaksForMany(at netip.Addr) bool {
	return !at.IsValid() || at.IsLoopback() || isTrusted(at, c.trusted)
}
