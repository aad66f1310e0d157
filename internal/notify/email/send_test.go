package email_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchroom/watchroom/internal/mailbox"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/email"
	"github.com/watchroom/watchroom/internal/notifytest"
)

const secret = "s3cr3t pa/ss@word"

// TestVerdicts has one conversation for every row of the table in verdict.go.
func TestVerdicts(t *testing.T) {
	distant := func(s *notifytest.SMTP, c *email.Config) { c.URL = s.URLFor("mail.example.org") }
	fails := func(err error) func(*notifytest.SMTP, *email.Config) {
		return func(_ *notifytest.SMTP, c *email.Config) {
			c.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, err }
		}
	}
	auth := notifytest.RequireAuth("watch", secret)
	type change = func(*notifytest.SMTP, *email.Config)
	cases := []struct {
		name   string
		server []notifytest.Option
		change change
		want   notify.Failure // without Reason and Err; the zero value means: try again
		reason string         // part of the reason
	}{
		{name: "nobody listens", change: fails(&net.OpError{Op: "dial", Err: errors.New("connection refused")}),
			reason: "cannot be reached"},
		{name: "name server is away", change: fails(&net.DNSError{Err: "server misbehaving", IsTemporary: true}),
			reason: "cannot be reached"},
		{name: "no such host", change: fails(&net.DNSError{Err: "no such host", IsNotFound: true}),
			want: notify.Failure{Config: true}, reason: "not known"},
		{name: "hung up before greeting", server: opts(notifytest.DropAt(mailbox.StageGreet)), reason: "broke off to our greeting"},
		{name: "greeting: later", server: opts(notifytest.RejectAt(mailbox.StageHello, 421, "too busy")), reason: "421 4.0.0 too busy"},
		{name: "greeting: go away", server: opts(notifytest.RejectAt(mailbox.StageHello, 554, "not you")),
			want: notify.Failure{Config: true}, reason: "554 5.0.0 not you"},
		{name: "password wrong", server: opts(auth), change: func(_ *notifytest.SMTP, c *email.Config) {
			c.URL = strings.Replace(c.URL, "watch:", "watch:x", 1)
		}, want: notify.Failure{Config: true}, reason: "535"},
		{name: "server repeats the password", server: opts(auth, notifytest.RejectAt(mailbox.StageAuth, 535, "no: "+secret)),
			want: notify.Failure{Config: true}, reason: "no: ***"},
		{name: "password not now", server: opts(auth, notifytest.RejectAt(mailbox.StageAuth, 454, "directory is down")),
			reason: "454"},
		{name: "password needed, none set", server: opts(auth), change: func(s *notifytest.SMTP, c *email.Config) {
			c.URL = "smtp://" + s.Addr()
		}, want: notify.Failure{Config: true}, reason: "530"},
		{name: "password set, none wanted", change: func(s *notifytest.SMTP, c *email.Config) {
			c.URL = "smtp://watch:pw@" + s.Addr()
		}, want: notify.Failure{Config: true}, reason: "PLAIN, LOGIN"},
		{name: "password and no TLS", server: opts(auth), change: distant,
			want: notify.Failure{Config: true}, reason: "STARTTLS"},
		{name: "certificate unknown", server: opts(auth, notifytest.StartTLS()), change: func(s *notifytest.SMTP, c *email.Config) {
			distant(s, c)
			c.TLSConfig = nil
		}, want: notify.Failure{Config: true}, reason: "certificate"},
		{name: "certificate for another name", server: opts(notifytest.ImplicitTLS()), change: func(s *notifytest.SMTP, c *email.Config) {
			c.URL = s.URLFor("mail.example.net")
		}, want: notify.Failure{Config: true}, reason: "certificate"},
		{name: "smtps to a server without TLS", change: func(s *notifytest.SMTP, c *email.Config) {
			c.URL = "smtps://" + s.Addr()
		}, want: notify.Failure{Config: true}, reason: "TLS"},
		{name: "sender: later", server: opts(notifytest.RejectAt(mailbox.StageMail, 451, "greylisted")), reason: "451"},
		{name: "sender: never", server: opts(notifytest.RejectAt(mailbox.StageMail, 550, "not your domain")),
			want: notify.Failure{Config: true}, reason: "to the sender's address"},
		{name: "recipient: later", server: opts(notifytest.RejectAt(mailbox.StageRcpt, 452, "mailbox full")), reason: "452"},
		{name: "recipient: never", server: opts(notifytest.RejectAt(mailbox.StageRcpt, 550, "no such user")),
			want: notify.Failure{Permanent: true}, reason: "550 5.0.0 no such user to the recipient's address"},
		{name: "recipient: sign in first", server: opts(notifytest.RejectAt(mailbox.StageRcpt, 530, "sign in")),
			want: notify.Failure{Config: true}, reason: "530"},
		{name: "hung up at the recipient", server: opts(notifytest.DropAt(mailbox.StageRcpt)), reason: "broke off"},
		{name: "mail: later", server: opts(notifytest.RejectAt(mailbox.StageData, 452, "disk full")), reason: "452"},
		{name: "mail: never", server: opts(notifytest.RejectAt(mailbox.StageData, 554, "looks like spam")),
			want: notify.Failure{Permanent: true}, reason: "554"},
		{name: "on the wire", server: opts(notifytest.DropAt(mailbox.StageAnswer)), reason: "broke off to the mail"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			server := notifytest.NewSMTP(t, tc.server...)
			sender := newSender(t, server, func(c *email.Config) {
				if tc.change != nil {
					tc.change(server, c)
				}
			})
			_, err := sender.Send(t.Context(), page("k"))
			f, ok := errors.AsType[*notify.Failure](err)
			if !ok {
				t.Fatalf("Send: %v, want a Failure", err)
			}
			if f.Permanent != tc.want.Permanent || f.Config != tc.want.Config {
				t.Errorf("permanent %v, config %v, want %v, %v: %v", f.Permanent, f.Config, tc.want.Permanent, tc.want.Config, err)
			}
			if !strings.Contains(f.Reason, tc.reason) {
				t.Errorf("reason %q does not say %q", f.Reason, tc.reason)
			}
			if strings.Contains(f.Reason, "mail.") && !strings.Contains(f.Reason, "mail.example.") || strings.Contains(f.Reason, "%!") {
				t.Errorf("reason %q has a text that is missing", f.Reason)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the password is in %q", err)
			}
		})
	}
}

func opts(o ...notifytest.Option) []notifytest.Option { return o }

func TestAddressNobodyCanHave(t *testing.T) {
	server := notifytest.NewSMTP(t)
	sender := newSender(t, server, nil)
	for _, to := range []string{"", "kim", "kim@", "kim@exämple.org", "kim@example.org>\r\nRCPT TO:<all@example.org", "a@b, c@d"} {
		p := page("k")
		p.To = to
		if _, err := sender.Send(t.Context(), p); !notify.Permanent(err) {
			t.Errorf("Send to %q: %v, want a permanent failure", to, err)
		}
	}
	if _, err := sender.Send(t.Context(), notify.Page{Key: "k", To: "kim@example.org"}); !notify.Permanent(err) {
		t.Errorf("Send of an empty page: %v, want a permanent failure", err)
	}
	if n := server.Connections(); n != 0 {
		t.Errorf("%d connections for addresses that are wrong", n)
	}
}

func TestSecureAndSignedIn(t *testing.T) {
	auth := notifytest.RequireAuth("watch", secret)
	onlyLogin := func(c *email.Config, s *notifytest.SMTP) {
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := s.Dial(ctx, network, addr)
			return &noPlain{Conn: conn}, err
		}
	}
	cases := map[string]struct {
		server  []notifytest.Option
		change  func(*email.Config, *notifytest.SMTP)
		wantTLS bool
	}{
		"plain":                        {server: opts()},
		"starttls when offered":        {server: opts(notifytest.StartTLS()), wantTLS: true},
		"starttls, password, distant":  {server: opts(notifytest.StartTLS(), auth), change: atDistance, wantTLS: true},
		"starttls, unproven, no need":  {server: opts(notifytest.StartTLS()), change: noRoots, wantTLS: true},
		"implicit TLS":                 {server: opts(notifytest.ImplicitTLS()), wantTLS: true},
		"implicit TLS, password":       {server: opts(notifytest.ImplicitTLS(), auth), change: atDistance, wantTLS: true},
		"password on this machine":     {server: opts(auth)},
		"password without TLS allowed": {server: opts(auth), change: insecure},
		"LOGIN only":                   {server: opts(auth), change: onlyLogin},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var secure atomic.Bool
			tapped := notifytest.NewSMTP(t, tc.server...)
			sender := newSender(t, tapped, func(c *email.Config) {
				if tc.change != nil {
					tc.change(c, tapped)
				}
				dial := c.Dial
				c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					return &tap{Conn: conn, sawTLS: &secure}, err
				}
			})
			receipt, err := sender.Send(t.Context(), page("k"))
			if err != nil {
				t.Fatalf("Send: %v", err)
			}
			if !strings.HasPrefix(receipt.Detail, "250 ") {
				t.Errorf("Detail %q is not the server's answer", receipt.Detail)
			}
			if msg := tapped.Next("kim@example.org"); msg.Link("do=ack") != "https://watch.example.org/a/0123abcd?do=ack&x=1" {
				t.Errorf("no acknowledge link in %q", msg.Links)
			}
			if secure.Load() != tc.wantTLS {
				t.Errorf("TLS was used: %v, want %v", secure.Load(), tc.wantTLS)
			}
		})
	}
}

func atDistance(c *email.Config, s *notifytest.SMTP) { c.URL = s.URLFor("mail.example.org") }
func noRoots(c *email.Config, _ *notifytest.SMTP) {
	c.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
}
func insecure(c *email.Config, s *notifytest.SMTP) {
	c.URL = s.URLFor("mail.example.org") + "?insecure=1"
}

// tap looks for a TLS handshake record among what is sent.
type tap struct {
	net.Conn
	sawTLS *atomic.Bool
}

func (c *tap) Write(p []byte) (int, error) {
	if len(p) > 1 && p[0] == 0x16 && p[1] == 0x03 {
		c.sawTLS.Store(true)
	}
	return c.Conn.Write(p)
}

// noPlain hides the offer of AUTH PLAIN.
type noPlain struct{ net.Conn }

func (c *noPlain) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	copy(p[:n], strings.Replace(string(p[:n]), "AUTH PLAIN LOGIN", "AUTH XXXXX LOGIN", 1))
	return n, err
}

// TestHangingServer: whatever stage the server falls silent at, Send ends with its context.
func TestHangingServer(t *testing.T) {
	stages := []mailbox.Stage{
		mailbox.StageGreet, mailbox.StageHello, mailbox.StageAuth, mailbox.StageMail,
		mailbox.StageRcpt, mailbox.StageData, mailbox.StageAnswer,
	}
	for _, at := range stages {
		t.Run(string(at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := notifytest.NewSMTP(t, notifytest.InMemory(), notifytest.HangAt(at), notifytest.RequireAuth("watch", secret))
				sender := newSender(t, server, nil)

				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				for _, tc := range []struct {
					ctx  context.Context
					want time.Duration
				}{{ctx, 3 * time.Second}, {t.Context(), 30 * time.Second}} {
					start := time.Now()
					_, err := sender.Send(tc.ctx, page("k"))
					f, ok := errors.AsType[*notify.Failure](err)
					if !ok || f.Permanent || f.Config || !strings.Contains(f.Reason, "did not answer in time") {
						t.Errorf("Send: %v, want a temporary failure that names the time", err)
					}
					if took := time.Since(start); took != tc.want {
						t.Errorf("Send took %v, want %v", took, tc.want)
					}
				}
			})
		})
	}
}

func TestCancelled(t *testing.T) {
	reached := make(chan struct{})
	server := notifytest.NewSMTP(t, notifytest.Intercept(func(ctx context.Context, at mailbox.Stage, _ string) error {
		if at != mailbox.StageRcpt {
			return nil
		}
		close(reached)
		<-ctx.Done()
		return mailbox.ErrDrop
	}))
	sender := newSender(t, server, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	if _, err := sender.Send(ctx, page("k")); err == nil || notify.Permanent(err) {
		t.Errorf("Send of a cancelled context: %v, want a temporary failure", err)
	}
}

func TestConnectionIsReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := notifytest.NewSMTP(t, notifytest.InMemory(), notifytest.RejectRcpt(func(to string) error {
			if to == "gone@example.org" {
				return notifytest.Reply(550, "no such user")
			}
			return nil
		}))
		sender := newSender(t, server, nil)
		send := func(to string, wantErr bool, wantConnections int) {
			t.Helper()
			p := page(to)
			p.To = to
			if _, err := sender.Send(t.Context(), p); (err != nil) != wantErr {
				t.Fatalf("Send to %s: %v", to, err)
			}
			if n := server.Connections(); n != wantConnections {
				t.Fatalf("%d connections after the mail to %s, want %d", n, to, wantConnections)
			}
		}
		send("a@example.org", false, 1)
		send("b@example.org", false, 1)
		send("gone@example.org", true, 1) // a refusal leaves the conversation in step
		send("c@example.org", false, 1)
		time.Sleep(9 * time.Second) // fake time: shorter than the connection is kept
		send("d@example.org", false, 1)
		time.Sleep(11 * time.Second)
		send("e@example.org", false, 2)
	})
}

// TestStaleConnection: a kept connection that fails is replaced, unless the mail was handed over.
func TestStaleConnection(t *testing.T) {
	drop := func(mailbox.Stage) error { return mailbox.ErrDrop }
	cases := map[string]struct {
		at     mailbox.Stage
		fault  func(mailbox.Stage) error
		resent bool
	}{
		"hung up while idle":      {mailbox.StageMail, drop, true},
		"hung up at recipient":    {mailbox.StageRcpt, drop, true},
		"421 before the mail":     {mailbox.StageMail, func(mailbox.Stage) error { return notifytest.Reply(421, "idle too long") }, true},
		"lost after the mail":     {mailbox.StageAnswer, drop, false},
		"refused, not stale: 451": {mailbox.StageMail, func(mailbox.Stage) error { return notifytest.Reply(451, "later") }, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var armed atomic.Bool
			server := notifytest.NewSMTP(t, notifytest.Intercept(func(_ context.Context, at mailbox.Stage, _ string) error {
				if at == tc.at && armed.CompareAndSwap(true, false) {
					return tc.fault(at)
				}
				return nil
			}))
			sender := newSender(t, server, nil)
			if _, err := sender.Send(t.Context(), page("first")); err != nil {
				t.Fatalf("first Send: %v", err)
			}
			armed.Store(true)
			_, err := sender.Send(t.Context(), page("second"))
			if tc.resent {
				if err != nil || server.Connections() != 2 || server.Count() != 2 {
					t.Errorf("Send: %v, %d connections, %d mails; want success on a second connection, 2 mails", err, server.Connections(), server.Count())
				}
				return
			}
			if err == nil || notify.Permanent(err) || server.Connections() != 1 {
				t.Errorf("Send: %v, %d connections; want a temporary failure and no second try", err, server.Connections())
			}
		})
	}
}

// TestSilentKeptConnection: a kept connection behind a forgetful firewall costs seconds, not the page.
func TestSilentKeptConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mails atomic.Int32
		server := notifytest.NewSMTP(t, notifytest.InMemory(), notifytest.Intercept(func(ctx context.Context, at mailbox.Stage, _ string) error {
			if at == mailbox.StageMail {
				if mails.Add(1) == 2 {
					<-ctx.Done()
				}
			}
			return nil
		}))
		sender := newSender(t, server, nil)
		for range 2 {
			if _, err := sender.Send(t.Context(), page("k")); err != nil {
				t.Fatalf("Send: %v", err)
			}
		}
		if server.Count() != 2 || server.Connections() != 2 {
			t.Errorf("%d mails over %d connections, want 2 over 2", server.Count(), server.Connections())
		}
	})
}

// TestAllConnectionsBusy: waiting for a free connection counts towards the time of a mail.
func TestAllConnectionsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := notifytest.NewSMTP(t, notifytest.InMemory(), notifytest.HangAt(mailbox.StageData))
		sender := newSender(t, server, func(c *email.Config) { c.MaxConns = 1 })
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := sender.Send(t.Context(), page("first")); err == nil {
				t.Error("a mail to a hanging server was sent")
			}
		})
		synctest.Wait() // the first has the only connection
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := sender.Send(ctx, page("second"))
		if err == nil || notify.Permanent(err) || !strings.Contains(err.Error(), "busy") || server.Connections() != 1 {
			t.Errorf("Send: %v over %d connections, want a temporary failure that says busy, over 1", err, server.Connections())
		}
		wg.Wait()
	})
}

func TestManyAtOnce(t *testing.T) {
	server := notifytest.NewSMTP(t)
	sender := newSender(t, server, nil)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if _, err := sender.Send(t.Context(), page(string(rune('a'+i)))); err != nil {
				t.Errorf("Send: %v", err)
			}
		})
	}
	wg.Wait()
	if server.Count() != 100 || server.Connections() > 4 {
		t.Errorf("%d mails over %d connections, want 100 over at most 4", server.Count(), server.Connections())
	}
	if err := sender.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := sender.Send(t.Context(), page("late")); err != nil {
		t.Errorf("Send after Close: %v", err)
	}
}

func BenchmarkSend(b *testing.B) {
	server := notifytest.NewSMTP(b)
	sender, err := email.New(email.Config{URL: server.URL(), From: "pager@example.org"})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = sender.Close() }()
	for b.Loop() {
		if _, err := sender.Send(b.Context(), page("k")); err != nil {
			b.Fatal(err)
		}
	}
}
