package bench

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/mailbox"
)

// sink is the provider at the end of the chain: a real mail server that notes
// when each mail was handed over.
type sink struct {
	box *mailbox.Mailbox

	mu    sync.Mutex
	mails []handed // guarded by mu
	news  chan struct{}
}

// handed is a mail that the sink has taken.
type handed struct {
	at       time.Time
	subject  string
	mentions int // of our entities in its text
}

func openSink(ctx context.Context) (*sink, error) {
	s := &sink{news: make(chan struct{}, 1)}
	var err error
	if s.box, err = mailbox.Listen(ctx, "127.0.0.1:0", mailbox.Options{Keep: 64}); err != nil {
		return nil, err
	}
	mails, _ := s.box.Subscribe()
	go func() {
		for m := range mails {
			s.mu.Lock()
			s.mails = append(s.mails, handed{m.ReceivedAt, m.Subject, strings.Count(m.Text, "DiskFull on db-")})
			s.mu.Unlock()
			select {
			case s.news <- struct{}{}:
			default:
			}
		}
	}()
	return s, nil
}

func (s *sink) url() string { return s.box.URL() }

func (s *sink) close() { _ = s.box.Close() }

// since returns the mails after the first n.
func (s *sink) since(n int) []handed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails[n:len(s.mails):len(s.mails)]
}

func (s *sink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mails)
}

// wait returns when enough says so of the mails after the first n.
func (s *sink) wait(ctx context.Context, n int, within time.Duration, enough func([]handed) bool) ([]handed, error) {
	late := time.NewTimer(within)
	defer late.Stop()
	for {
		if mails := s.since(n); enough(mails) {
			return mails, nil
		}
		select {
		case <-s.news:
		case <-late.C:
			return s.since(n), fmt.Errorf("only %d mails within %s", len(s.since(n)), within)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
