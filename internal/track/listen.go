package track

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/lease"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/people"
)

// heard is a provider that is being listened to.
type heard struct {
	listener notify.Listener
	stop     context.CancelFunc
	ended    chan struct{}
}

// listen keeps one listener for each provider that needs one, until ctx ends.
// A provider that was changed is listened to anew.
func (t *Tracker) listen(ctx context.Context) {
	all := map[id.Provider]heard{}
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		if err := t.arrange(ctx, all, &wg); err != nil && ctx.Err() == nil {
			t.log.ErrorContext(ctx, "look which providers to listen to", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(t.interval):
		}
	}
}

// arrange stops listeners that are not wanted any more and starts those that are.
func (t *Tracker) arrange(ctx context.Context, all map[id.Provider]heard, wg *sync.WaitGroup) (err error) {
	defer fault.Recover(&err)
	o, err := t.store.Org(ctx)
	if err != nil {
		return err
	}
	wanted := map[id.Provider]carrier.Listening{}
	for _, l := range t.carriers.Listeners(o) {
		wanted[l.ID] = l
	}
	for p, h := range all {
		if wanted[p].Listener != h.listener {
			h.stop()
			<-h.ended // Telegram throws out the first of two
			delete(all, p)
		}
	}
	for p, l := range wanted {
		if _, ok := all[p]; ok {
			continue
		}
		own, stop := context.WithCancel(ctx)
		h := heard{listener: l.Listener, stop: stop, ended: make(chan struct{})}
		all[p] = h
		wg.Go(func() {
			defer close(h.ended)
			defer stop()
			// The error is that of hear, which has none.
			_ = lease.Run(own, t.store, "listen/"+string(p), t.holder, leaseFor, func(ctx context.Context) error {
				t.hear(ctx, l)
				return nil
			})
		})
	}
	return nil
}

// The waits after a connection broke.
const (
	firstWait = time.Second
	lastWait  = time.Minute
)

// hear listens to one provider until ctx ends.
func (t *Tracker) hear(ctx context.Context, l carrier.Listening) {
	wait := firstWait
	for ctx.Err() == nil {
		began := time.Now()
		err := t.hearOnce(ctx, l)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastWait { // it worked for a while
			wait = firstWait
		}
		asked := time.Duration(0)
		if f, ok := errors.AsType[*notify.Failure](err); ok {
			asked = f.RetryAfter
		}
		t.log.WarnContext(ctx, "listen to a provider", "provider", l.ID, "method", l.Method, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(max(wait/2+rand.N(wait/2), min(asked, 10*lastWait))):
		}
		wait = min(2*wait, lastWait)
	}
}

func (t *Tracker) hearOnce(ctx context.Context, l carrier.Listening) (err error) {
	defer fault.Recover(&err) // a bug, which may be one of this update alone
	return l.Listener.Listen(ctx, func(ctx context.Context, ev notify.Event) error {
		_, err := t.events.TakeEvent(ctx, l.Method, l.ID, ev)
		if err == nil || !final(err) {
			return err
		}
		t.log.InfoContext(ctx, "an answer does not count", "provider", l.ID, "method", l.Method, "err", err)
		if l.Method != people.SMS { // its listener tells the person
			return &notify.Failure{Permanent: true, Reason: fault.MessageOf(err), Err: err}
		}
		t.refuse(ctx, l, ev, err)
		return nil
	})
}

// refuse tells somebody who wrote a text message that it does not count, so
// that they do not rely on it. Strangers get no answer: a machine that answers
// everything must not be talked to.
func (t *Tracker) refuse(ctx context.Context, l carrier.Listening, ev notify.Event, why error) {
	text := fault.MessageOf(why)
	if ev.Answer == nil || ev.Answer.From == "" || text == "" || fault.Is(why, fault.CodeNotFound) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	page := notify.Page{Key: "reply:" + id.New(), To: ev.Answer.From, Notice: &notify.Notice{Subject: text}}
	if _, err := l.Provider.Send(ctx, page); err != nil {
		t.log.WarnContext(ctx, "reply to a text message", "provider", l.ID, "err", err)
	}
}
