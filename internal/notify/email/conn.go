package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// stage is where in a conversation something went wrong.
type stage string

const (
	stageConnect stage = "connect"
	stageHello   stage = "hello" // the server's greeting and ours
	stageTLS     stage = "tls"
	stageAuth    stage = "auth"
	stageMail    stage = "mail"
	stageRcpt    stage = "rcpt"
	stageData    stage = "data"
	stageAnswer  stage = "answer" // the mail is written: it may have been taken
)

// trouble is an error and where it happened.
type trouble struct {
	at  stage
	err error
}

func (t *trouble) Error() string { return fmt.Sprintf("smtp %s: %v", t.at, t.err) }
func (t *trouble) Unwrap() error { return t.err }

// reply returns the server's answer, or 0 when the trouble is not an answer.
func (t *trouble) reply() (code int, text string) {
	if answer, ok := errors.AsType[*textproto.Error](t.err); ok {
		return answer.Code, strings.Join(strings.Fields(answer.Msg), " ")
	}
	return 0, ""
}

var (
	errNoTLS  = errors.New("the server does not offer STARTTLS")
	errNoAuth = errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN")
)

// conn is one conversation, used by one Send at a time.
type conn struct {
	raw    net.Conn
	smtp   *smtp.Client
	unbind func() bool // ends the watch over the context of the present Send
	kept   bool        // it has been idle: the server may have gone away
	expiry *time.Timer // hangs up when idle for too long
}

// connect dials, says hello, changes to TLS and signs in, all before ctx ends.
func (s *Sender) connect(ctx context.Context) (*conn, error) {
	raw, err := s.cfg.Dial(ctx, "tcp", s.server.addr)
	if err != nil {
		return nil, &trouble{stageConnect, err}
	}
	c := &conn{raw: raw}
	c.bind(ctx)
	if at, err := s.greet(ctx, c); err != nil {
		c.hangUp()
		return nil, &trouble{at, err}
	}
	return c, nil
}

func (s *Sender) greet(ctx context.Context, c *conn) (stage, error) {
	line := c.raw
	if s.server.implicitTLS {
		secure := tls.Client(c.raw, s.tlsConfig())
		if err := secure.HandshakeContext(ctx); err != nil {
			return stageTLS, err
		}
		line = secure
	}
	var err error
	if c.smtp, err = smtp.NewClient(line, s.server.host); err != nil {
		return stageHello, err
	}
	c.smtp.SkipSMTPUTF8(true) // our addresses are ASCII: a relay further on need not know it
	if err = c.smtp.Hello(s.cfg.Hello); err != nil {
		return stageHello, err
	}
	if !s.server.implicitTLS {
		offered, _ := c.smtp.Extension("STARTTLS")
		switch {
		case offered:
			if err := c.smtp.StartTLS(s.tlsConfig()); err != nil {
				return stageTLS, err
			}
		case s.server.needTLS:
			return stageTLS, errNoTLS
		}
	}
	if s.server.user == "" {
		return "", nil
	}
	return stageAuth, s.signIn(c)
}

func (s *Sender) signIn(c *conn) error {
	_, offer := c.smtp.Extension("AUTH")
	mechanisms := strings.Fields(strings.ToUpper(offer))
	// Whether TLS is needed was decided by Config; hence the last true.
	switch {
	case slices.Contains(mechanisms, "PLAIN"):
		return c.smtp.Auth(smtp.PlainAuth("", s.server.user, s.server.password, s.server.host, true))
	case slices.Contains(mechanisms, "LOGIN"):
		return c.smtp.Auth(smtp.LoginAuth(s.server.user, s.server.password, s.server.host, true))
	default:
		return errNoAuth
	}
}

func (s *Sender) tlsConfig() *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.cfg.TLSConfig != nil {
		cfg = s.cfg.TLSConfig.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = s.server.host
	}
	cfg.InsecureSkipVerify = !s.server.verify // see Config.server
	return cfg
}

// transmit hands m over and returns the server's answer to it.
func (c *conn) transmit(ctx context.Context, m outgoing) (answer string, err error) {
	if c.kept {
		c.bind(ctx)
		c.probe(ctx)
	}
	if err := c.smtp.Mail("<" + m.from + ">"); err != nil {
		return "", &trouble{stageMail, err}
	}
	c.deadline(ctx, time.Time{})
	if err := c.smtp.Rcpt("<" + m.to + ">"); err != nil {
		return "", &trouble{stageRcpt, err}
	}
	w, err := c.smtp.Data()
	if err != nil {
		return "", &trouble{stageData, err}
	}
	if _, err := w.Write(m.data); err != nil {
		// The closing dot was not written, so the mail cannot have been taken.
		return "", &trouble{stageData, err}
	}
	if err := w.Close(); err != nil {
		return "", &trouble{stageAnswer, err}
	}
	answer = "250"
	if closer, ok := w.(*smtp.DataCloser); ok {
		answer += " " + strings.Join(strings.Fields(closer.ServerResponse()), " ")
	}
	return answer, nil
}

// reset makes the server forget a mail it refused.
func (c *conn) reset(ctx context.Context) bool {
	return ctx.Err() == nil && c.smtp.HasConnection() && c.smtp.Reset() == nil
}

// bind makes every read and write fail when ctx ends.
func (c *conn) bind(ctx context.Context) {
	c.unbind = context.AfterFunc(ctx, c.interrupt)
	c.deadline(ctx, time.Time{})
}

// probe gives a kept connection a few seconds to show that it is alive, so that
// there is time for another when it is not.
func (c *conn) probe(ctx context.Context) {
	limit := 5 * time.Second
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)/2)
	}
	c.deadline(ctx, time.Now().Add(limit))
}

// deadline sets when reads and writes fail: at limit, or with ctx if limit is zero.
func (c *conn) deadline(ctx context.Context, limit time.Time) {
	if end, ok := ctx.Deadline(); ok && limit.IsZero() {
		limit = end
	}
	_ = c.raw.SetDeadline(limit) // a dead connection says so with the next command
	if ctx.Err() != nil {        // interrupt may have come first and been overwritten
		c.interrupt()
	}
}

func (c *conn) interrupt() { _ = c.raw.SetDeadline(time.Unix(1, 0)) }

// release ends the watch over the context; false when it was already interrupted.
func (c *conn) release() bool { return c.unbind() }

func (c *conn) hangUp() {
	c.unbind()
	_ = c.raw.Close()
}

// quit says goodbye, but does not insist on an answer.
func (c *conn) quit() {
	_ = c.raw.SetDeadline(time.Now().Add(time.Second))
	_ = c.smtp.Quit()
	_ = c.raw.Close()
}
