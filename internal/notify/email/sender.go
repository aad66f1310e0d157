// Package email pages people over SMTP.
//
// One Send is one mail to one address, in one conversation with the server of
// Config.URL. It promises: a receipt means that the server answered 250 to the
// whole mail; everything else is a *notify.Failure that says whether another try
// can help (verdict.go has the table). The same page always makes a mail with
// the same Message-ID, so a mail that was taken without our learning of it and
// is sent again can be recognised by the far end.
//
// A connection that just sent a mail is kept for a few seconds, so that a
// storm does not greet the server thousands of times. A kept connection that
// has died is replaced without a word, unless the mail was already handed over:
// then only the outbox may decide to send it again.
//
// It leaves retries, bundling and the choice of people to others.
package email

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/mail"
	"slices"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Sender is safe for use by many goroutines.
type Sender struct {
	cfg    Config
	server server
	from   *mail.Address
	domain string // of from: the right-hand side of our Message-IDs
	render *renderer
	slots  chan struct{} // one token for each connection in use

	mu      sync.Mutex // guards the rest
	idle    []*conn    // the most recently used last
	closed  bool
	parting sync.WaitGroup // connections saying goodbye
}

var _ notify.Provider = (*Sender)(nil)

// New checks cfg and makes a sender. It does not connect.
func New(cfg Config) (*Sender, error) {
	server, err := cfg.server()
	if err != nil {
		return nil, err
	}
	from, err := cfg.from()
	if err != nil {
		return nil, err
	}
	render, err := newRenderer(cfg.HomeURL)
	if err != nil {
		return nil, err
	}
	cfg.Timeout = cmp.Or(cfg.Timeout, 30*time.Second)
	cfg.IdleFor = cmp.Or(cfg.IdleFor, 10*time.Second)
	cfg.MaxConns = cmp.Or(cfg.MaxConns, 4)
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Sender{cfg: cfg, server: server, from: from, render: render, slots: make(chan struct{}, cfg.MaxConns)}
	s.domain = domainOf(from.Address)
	s.cfg.Hello = hello(cfg.Hello, s.domain)
	return s, nil
}

// Send mails p; see the package comment.
func (s *Sender) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	m, err := s.compose(p)
	if err != nil {
		return notify.Receipt{}, err
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return notify.Receipt{}, &notify.Failure{Reason: phrase.T("mail.fail.busy", s.server.host), Err: ctx.Err()}
	}
	answer, err := s.deliver(ctx, m)
	if err != nil {
		return notify.Receipt{}, s.verdict(err)
	}
	return notify.Receipt{RemoteID: m.id, Detail: answer}, nil
}

// deliver sends m on a kept connection or, when there is none that works, on a new one.
func (s *Sender) deliver(ctx context.Context, m outgoing) (answer string, err error) {
	c := s.takeIdle()
	if c != nil {
		answer, err = c.transmit(ctx, m)
		s.done(ctx, c, err)
		if !stale(err) || ctx.Err() != nil {
			return answer, err
		}
	}
	if c, err = s.connect(ctx); err != nil {
		return "", err
	}
	answer, err = c.transmit(ctx, m)
	s.done(ctx, c, err)
	return answer, err
}

// stale says whether a kept connection failed in a way that a fresh one may not,
// before the server can have taken the mail.
func stale(err error) bool {
	t, ok := errors.AsType[*trouble](err)
	if !ok || t.at == stageAnswer {
		return false
	}
	code, _ := t.reply()
	return code == 0 || code == 421
}

// done keeps c for the next mail if it is in step with the server, and hangs up otherwise.
func (s *Sender) done(ctx context.Context, c *conn, err error) {
	t, failed := errors.AsType[*trouble](err)
	inStep := !failed
	if failed {
		code, _ := t.reply()
		inStep = code != 0 && code != 421 && c.reset(ctx)
	}
	if inStep && c.release() {
		s.putIdle(c)
		return
	}
	c.hangUp()
}

func (s *Sender) takeIdle() *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == 0 {
		return nil
	}
	c := s.idle[len(s.idle)-1]
	s.idle = s.idle[:len(s.idle)-1]
	c.expiry.Stop()
	return c
}

func (s *Sender) putIdle(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.hangUp()
		return
	}
	c.kept = true
	c.expiry = time.AfterFunc(s.cfg.IdleFor, func() { s.expire(c) })
	s.idle = append(s.idle, c)
}

// expire ends c if it has not been taken in the meantime.
func (s *Sender) expire(c *conn) {
	s.mu.Lock()
	i := slices.Index(s.idle, c)
	if i < 0 {
		s.mu.Unlock()
		return
	}
	s.idle = slices.Delete(s.idle, i, i+1)
	s.parting.Add(1)
	s.mu.Unlock()
	defer s.parting.Done()
	c.quit()
}

// Close ends the kept connections. A Send that is under way, or comes later,
// still works, but keeps none.
func (s *Sender) Close() error {
	s.mu.Lock()
	idle := s.idle
	s.idle, s.closed = nil, true
	s.mu.Unlock()
	for _, c := range idle {
		c.expiry.Stop()
		c.quit()
	}
	s.parting.Wait()
	return nil
}
