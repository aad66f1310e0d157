package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// The generator shares the cores with what it measures, so it is as cheap as
// can be: requests are made once, their numbers are patched in place, and of an
// answer only the status is looked at.

// template is an alert with eight digits that differ.
type template struct{ path, text string }

const digits = "########"

// entity is the entity id of the alert with a number.
func entity(n int64) string { return "alertname=DiskFull,instance=db-" + eight(n) }

func eight(n int64) string { return fmt.Sprintf("%08d", n%100_000_000) }

func intakePath(route string) string {
	return "/integrations/generic/20131114/alert/" + doorKey + "/" + route
}

// critical is what an Alertmanager sends for a firing alert, some 400 bytes.
func critical(route string) template { return alertOf("CRITICAL", route) }

// info makes an entry and no incident.
func info(route string) template { return alertOf("INFO", route) }

func alertOf(kind, route string) template {
	return template{intakePath(route), `{"message_type":"` + kind + `","entity_id":"alertname=DiskFull,instance=db-` + digits + `",` +
		`"entity_display_name":"DiskFull on db-` + digits + `","monitoring_tool":"Alertmanager",` +
		`"state_message":"Alerts Firing:\nLabels:\n - alertname = DiskFull\n - instance = db:9100\n - severity = critical\n` +
		`Annotations:\n - summary = 93% of /var is used\nSource: http://prometheus.example/graph?g0.expr=disk_used\n"}`}
}

// body is the alert with a number, by itself.
func (t template) body(n int64) []byte {
	return bytes.ReplaceAll([]byte(t.text), []byte(digits), []byte(eight(n)))
}

// request makes a request that its caller may patch.
func (t template) request() *request {
	r := &request{}
	r.bytes = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		t.path, len(t.text), t.text)
	for at := 0; ; {
		i := bytes.Index(r.bytes[at:], []byte(digits))
		if i < 0 {
			return r
		}
		at += i
		r.at = append(r.at, at)
		at += len(digits)
	}
}

type request struct {
	bytes []byte
	at    []int // where the digits are
}

func (r *request) number(n int64) []byte {
	var d [len(digits)]byte
	for i := len(d) - 1; i >= 0; i-- {
		d[i] = byte('0' + n%10)
		n /= 10
	}
	for _, at := range r.at {
		copy(r.bytes[at:], d[:])
	}
	return r.bytes
}

// conn is a connection that is kept.
type conn struct {
	net net.Conn
	r   *bufio.Reader
}

// patience bounds one answer.
const patience = 30 * time.Second

func dial(ctx context.Context, addr string) (*conn, error) {
	d := net.Dialer{Timeout: patience}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &conn{c, bufio.NewReaderSize(c, 1024)}, nil
}

func (c *conn) close() { _ = c.net.Close() }

// do sends a request and returns the status of the answer.
func (c *conn) do(request []byte) (int, error) {
	_ = c.net.SetDeadline(time.Now().Add(patience))
	if _, err := c.net.Write(request); err != nil {
		return 0, fmt.Errorf("send: %w", err)
	}
	status, length, err := c.head()
	if err != nil {
		return 0, err
	}
	if length < 0 {
		return status, fmt.Errorf("an answer with status %d and without a length", status)
	}
	if _, err := c.r.Discard(length); err != nil {
		return status, fmt.Errorf("read an answer: %w", err)
	}
	return status, nil
}

// head reads status and headers; the length is -1 when it is not said.
func (c *conn) head() (status, length int, err error) {
	length = -1
	for first := true; ; first = false {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, 0, fmt.Errorf("read an answer: %w", err)
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first && len(line) >= 12:
			if status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return 0, 0, fmt.Errorf("read an answer: %w", err)
			}
		case first:
			return 0, 0, fmt.Errorf("read an answer: %w", io.ErrUnexpectedEOF)
		case len(line) == 0:
			return status, length, nil
		default:
			if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
				if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
					return 0, 0, fmt.Errorf("read an answer: %w", err)
				}
			}
		}
	}
}
