// Package mailbox is a small mail server that keeps what it receives in
// memory: the mailbox people look into in the demo, and, through notifytest,
// the far end of every mail test.
//
// It is strict where real servers are merely grumpy: a mail that breaks the
// rules of RFC 5321 and 5322 is refused with a sentence, so that a mistake of
// ours is found here and not in somebody's spam folder. A mail that was
// answered with 250 is in the mailbox before the answer leaves.
//
// It delivers nothing, asks nobody for permission and forgets the oldest mail;
// it must not listen on anything but loopback.
package mailbox

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Options says how a mailbox behaves; the zero value takes every valid mail.
type Options struct {
	// Keep is how many mails are remembered; 0 means 500.
	Keep int
	// User and Password, when set, must be given with AUTH PLAIN or LOGIN before a mail.
	User, Password string
	// TLS is offered with STARTTLS; with ImplicitTLS the conversation starts with it.
	TLS         *tls.Config
	ImplicitTLS bool
	// Clock says when mails arrive; nil means time.Now.
	Clock func() time.Time
	// Intercept, when set, is asked at every stage of a conversation: who is the
	// address in question, if there is one. nil goes on; an *smtp.SMTPError is the
	// answer; ErrDrop closes the connection without one. It may block until ctx
	// ends, which happens when the mailbox is closed.
	Intercept func(ctx context.Context, at Stage, who string) error
}

// Stage is a moment in a conversation at which Intercept is asked.
type Stage string

// The stages in the order of a conversation.
const (
	StageGreet  Stage = "greet"  // connected, nothing said yet; an error drops the connection
	StageHello  Stage = "hello"  // EHLO was said
	StageAuth   Stage = "auth"   // credentials were given
	StageMail   Stage = "mail"   // MAIL FROM
	StageRcpt   Stage = "rcpt"   // RCPT TO
	StageData   Stage = "data"   // the mail was read, and is not kept when refused now
	StageAnswer Stage = "answer" // the mail is in the mailbox, the sender does not know yet
)

// ErrDrop tells the mailbox to hang up at once.
var ErrDrop = errors.New("drop the connection")

// ErrClosed is what Wait returns after Close.
var ErrClosed = errors.New("mailbox is closed")

// Mailbox is a running server and what it received. It is safe for use by many goroutines.
type Mailbox struct {
	opts     Options
	server   *smtp.Server
	listener *listener
	ctx      context.Context // ends with Close; conversations are bound to it
	cancel   context.CancelFunc
	running  sync.WaitGroup
	close    sync.Once

	mu       sync.Mutex // guards the rest
	messages []Message  // oldest first, at most opts.Keep
	lastID   int
	arrived  chan struct{} // closed and replaced with every mail
	readers  map[chan Message]struct{}
}

// Listen starts a mailbox on a TCP address such as "127.0.0.1:0". ctx bounds the
// opening alone; the mailbox runs until it is closed.
func Listen(ctx context.Context, addr string, opts Options) (*Mailbox, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("open mailbox: %w", err)
	}
	return Serve(l, opts), nil
}

// Serve starts a mailbox on l, which it closes.
func Serve(l net.Listener, opts Options) *Mailbox {
	opts.Keep = cmp.Or(opts.Keep, 500)
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	m := &Mailbox{opts: opts, arrived: make(chan struct{}), readers: map[chan Message]struct{}{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.listener = &listener{Listener: l, greet: m.greet, open: map[*conn]struct{}{}}

	m.server = smtp.NewServer(smtp.BackendFunc(m.newSession))
	m.server.Domain = "mailbox.localhost"
	m.server.AllowInsecureAuth = true
	m.server.MaxMessageBytes = 10 << 20
	m.server.ErrorLog = log.New(io.Discard, "", 0) // what goes wrong is in the answers
	serve := net.Listener(m.listener)
	if opts.ImplicitTLS {
		serve = tls.NewListener(m.listener, opts.TLS)
	} else {
		m.server.TLSConfig = opts.TLS
	}
	m.running.Go(func() { _ = m.server.Serve(serve) }) // ends with the listener
	return m
}

// Close hangs up on everybody and returns when every conversation has ended.
func (m *Mailbox) Close() error {
	var err error
	m.close.Do(func() {
		m.cancel()
		err = m.listener.Close()
		m.running.Wait()
		_ = m.server.Shutdown(context.WithoutCancel(m.ctx)) // reports the listener again, which is closed
		m.mu.Lock()
		defer m.mu.Unlock()
		close(m.arrived)
		for r := range m.readers {
			close(r)
		}
		clear(m.readers)
	})
	return err
}

// Addr is where the mailbox listens, host:port.
func (m *Mailbox) Addr() string { return m.listener.Addr().String() }

// URL is the --smtp-url that reaches this mailbox.
func (m *Mailbox) URL() string {
	scheme, user := "smtp", ""
	if m.opts.ImplicitTLS {
		scheme = "smtps"
	}
	if m.opts.User != "" {
		user = userinfo(m.opts.User, m.opts.Password) + "@"
	}
	return scheme + "://" + user + m.Addr()
}

// Connections says how many connections were ever accepted.
func (m *Mailbox) Connections() int { return m.listener.count() }

// Messages returns what is remembered, newest first.
func (m *Mailbox) Messages() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Message, 0, len(m.messages))
	for i := len(m.messages) - 1; i >= 0; i-- {
		all = append(all, m.messages[i])
	}
	return all
}

// Count says how many mails ever arrived, forgotten ones included.
func (m *Mailbox) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lastID
}

// Message returns the mail with this ID, if it is remembered.
func (m *Mailbox) Message(id int) (Message, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := id - (m.lastID - len(m.messages)) - 1 // IDs are dense
	if i < 0 || i >= len(m.messages) {
		return Message{}, false
	}
	return m.messages[i], true
}

// Wait returns the oldest remembered mail for which match is true, and waits
// for one to arrive when there is none.
func (m *Mailbox) Wait(ctx context.Context, match func(Message) bool) (Message, error) {
	seen := 0
	for {
		m.mu.Lock()
		fresh := m.after(seen)
		seen = m.lastID
		arrived := m.arrived
		m.mu.Unlock()

		for _, msg := range fresh {
			if match(msg) {
				return msg, nil
			}
		}
		select {
		case <-ctx.Done():
			return Message{}, fmt.Errorf("wait for mail, %d looked at: %w", seen, ctx.Err())
		case <-m.ctx.Done():
			return Message{}, ErrClosed
		case <-arrived:
		}
	}
}

// after copies the remembered mails with a greater ID; m.mu is held.
func (m *Mailbox) after(id int) []Message {
	skip := max(0, id-(m.lastID-len(m.messages)))
	return append([]Message(nil), m.messages[skip:]...)
}

// Subscribe returns a channel of the mails that arrive from now on. It is
// closed by stop, by Close, and when the reader falls 256 mails behind: look
// at Messages and subscribe again.
func (m *Mailbox) Subscribe() (mails <-chan Message, stop func()) {
	ch := make(chan Message, 256)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil {
		close(ch)
		return ch, func() {}
	}
	m.readers[ch] = struct{}{}
	return ch, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.drop(ch)
	}
}

// drop ends a subscription; m.mu is held.
func (m *Mailbox) drop(ch chan Message) {
	if _, ok := m.readers[ch]; ok {
		delete(m.readers, ch)
		close(ch)
	}
}

// keep numbers msg, remembers it and tells whoever waits.
func (m *Mailbox) keep(msg Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastID++
	msg.ID, msg.ReceivedAt = m.lastID, m.opts.Clock()
	m.messages = append(m.messages, msg)
	if over := len(m.messages) - m.opts.Keep; over > 0 {
		clear(m.messages[:over]) // let go of the bodies before the slice moves
		m.messages = m.messages[over:]
	}
	close(m.arrived)
	m.arrived = make(chan struct{})
	for r := range m.readers {
		select {
		case r <- msg:
		default:
			m.drop(r)
		}
	}
}

// ask puts a question to Intercept.
func (m *Mailbox) ask(at Stage, who string) error {
	if m.opts.Intercept == nil {
		return nil
	}
	return m.opts.Intercept(m.ctx, at, who)
}

func (m *Mailbox) greet() error { return m.ask(StageGreet, "") }
