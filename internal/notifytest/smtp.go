// Package notifytest has the far ends of pages for tests: a real SMTP server
// that accepts, refuses, hangs, drops and checks, as a test asks it to.
//
// The server is mailbox.Mailbox, the one of the demo; this package makes it
// short to start in a test and gives names to the ways a mail server can fail.
// Started with InMemory it uses pipes instead of sockets, so that a story under
// testing/synctest mails through a whole SMTP conversation and hours still pass
// in milliseconds.
package notifytest

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/watchroom/watchroom/internal/mailbox"
)

// SMTP is a running server; the mailbox has everything it accepted.
type SMTP struct {
	*mailbox.Mailbox
	tb     testing.TB
	pipes  *pipeListener // nil when it listens on a socket
	client *tls.Config   // trusts the server's certificate; nil without TLS
}

// Option changes how a server behaves.
type Option func(*settings)

type settings struct {
	mailbox.Options
	faults   []func(ctx context.Context, at mailbox.Stage, who string) error
	inMemory bool
	client   *tls.Config
	tb       testing.TB
}

// NewSMTP starts a server that ends with the test.
func NewSMTP(tb testing.TB, opts ...Option) *SMTP {
	tb.Helper()
	set := settings{tb: tb}
	for _, opt := range opts {
		opt(&set)
	}
	set.Intercept = func(ctx context.Context, at mailbox.Stage, who string) error {
		for _, fault := range set.faults {
			if err := fault(ctx, at, who); err != nil {
				return err
			}
		}
		return nil
	}
	s := &SMTP{tb: tb, client: set.client}
	if set.inMemory {
		s.pipes = newPipeListener()
		s.Mailbox = mailbox.Serve(s.pipes, set.Options)
	} else {
		box, err := mailbox.Listen(tb.Context(), "127.0.0.1:0", set.Options)
		if err != nil {
			tb.Fatalf("NewSMTP: %v", err)
		}
		s.Mailbox = box
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// URL is the --smtp-url of the server, credentials included.
func (s *SMTP) URL() string { return s.URLFor("") }

// URLFor is URL with another host in it, for a client that gives Dial to its
// sender: a name such as mail.example.org is held to the rules of distant hosts,
// which the loopback address is not. The certificate is good for that name too.
func (s *SMTP) URLFor(host string) string {
	u, err := url.Parse(s.Mailbox.URL())
	if err != nil {
		s.tb.Fatalf("URL of the mail server: %v", err)
	}
	if host != "" {
		u.Host = net.JoinHostPort(host, u.Port())
	}
	return u.String()
}

// ClientTLS trusts the server's certificate. It is nil for a server without TLS.
func (s *SMTP) ClientTLS() *tls.Config { return s.client }

// Dial connects to the server, whatever the address asked for.
func (s *SMTP) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if s.pipes != nil {
		return s.pipes.dial(ctx)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", s.Addr()) // stands for the dialer
}

// Next waits up to ten seconds for the oldest mail to addr that is kept.
func (s *SMTP) Next(addr string) mailbox.Message {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(s.tb.Context(), 10*time.Second)
	defer cancel()
	msg, err := s.Wait(ctx, func(m mailbox.Message) bool { return m.IsTo(addr) })
	if err != nil {
		s.tb.Fatalf("no mail to %s: %v", addr, err)
	}
	return msg
}

// RequireAuth demands AUTH PLAIN or LOGIN with these credentials.
func RequireAuth(user, password string) Option {
	return func(s *settings) { s.User, s.Password = user, password }
}

// StartTLS offers STARTTLS with a certificate made for the occasion.
func StartTLS() Option {
	return func(s *settings) { s.TLS, s.client = certificates(s.tb) }
}

// ImplicitTLS talks TLS from the first byte (smtps://).
func ImplicitTLS() Option {
	return func(s *settings) {
		s.TLS, s.client = certificates(s.tb)
		s.ImplicitTLS = true
	}
}

// InMemory uses pipes instead of sockets: reach the server with Dial. Inside a
// synctest bubble, start the server inside the bubble too.
func InMemory() Option {
	return func(s *settings) { s.inMemory = true }
}

// Keep sets how many mails are remembered (500 without it).
func Keep(n int) Option {
	return func(s *settings) { s.Keep = n }
}

// Intercept asks f at every stage; see mailbox.Options.
func Intercept(f func(ctx context.Context, at mailbox.Stage, who string) error) Option {
	return func(s *settings) { s.faults = append(s.faults, f) }
}

// RejectAt answers code at a stage; 451 asks to come again, 550 is final.
func RejectAt(at mailbox.Stage, code int, text string) Option {
	return Intercept(func(_ context.Context, now mailbox.Stage, _ string) error {
		if now == at {
			return Reply(code, text)
		}
		return nil
	})
}

// RejectRcpt asks f about every recipient; nil accepts, Reply refuses.
func RejectRcpt(f func(to string) error) Option {
	return Intercept(func(_ context.Context, now mailbox.Stage, who string) error {
		if now == mailbox.StageRcpt {
			return f(who)
		}
		return nil
	})
}

// HangAt says nothing more from a stage on, until the server is closed.
func HangAt(at mailbox.Stage) Option {
	return Intercept(func(ctx context.Context, now mailbox.Stage, _ string) error {
		if now == at {
			<-ctx.Done()
			return mailbox.ErrDrop
		}
		return nil
	})
}

// DropAt hangs up at a stage. At mailbox.StageAnswer the mail has been taken and
// the sender never learns of it: the case called "on the wire".
func DropAt(at mailbox.Stage) Option {
	return Intercept(func(_ context.Context, now mailbox.Stage, _ string) error {
		if now == at {
			return mailbox.ErrDrop
		}
		return nil
	})
}

// SlowAt takes d over a stage.
func SlowAt(at mailbox.Stage, d time.Duration) Option {
	return Intercept(func(ctx context.Context, now mailbox.Stage, _ string) error {
		if now != at {
			return nil
		}
		select {
		case <-ctx.Done():
			return mailbox.ErrDrop
		case <-time.After(d):
			return nil
		}
	})
}

// Reply is an answer of the server, for Intercept and RejectRcpt.
func Reply(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: text}
}
