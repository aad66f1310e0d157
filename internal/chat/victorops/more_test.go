package victorops

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/store/storetest"
)

func idUser(mark string) id.User { return id.User(strings.TrimSuffix(mark, ":")) }

func newStore(t *testing.T) *store.Store    { t.Helper(); return storetest.Open(t) }
func newPostgres(t *testing.T) *store.Store { t.Helper(); return storetest.OpenPostgres(t) }

// dialDead signs in over a bare connection that then reads nothing and answers
// no ping, as a machine that lost its power.
func (h *house) dialDead() net.Conn {
	h.Helper()
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(h.Context(), "tcp", strings.TrimPrefix(h.web.URL, "http://"))
	if err != nil {
		h.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	text := loginFrame("dead", h.key)
	request := "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	frame := append([]byte{0x81, 0x80 | 126, byte(len(text) >> 8), byte(len(text)), 0, 0, 0, 0}, text...) // masked with zeros
	if _, err := conn.Write(append([]byte(request), frame...)); err != nil {
		h.Fatal(err)
	}
	return conn
}

func critical(entity string) alert.Alert {
	return alert.Alert{Type: alert.Critical, EntityID: entity, Tool: "probe", Message: "97% used", RoutingKey: "database"}
}
